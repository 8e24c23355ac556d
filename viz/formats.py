"""In which formats, colours and directions a picture is drawn, and what of that goes together."""

from __future__ import annotations

from typing import Literal

from unroll.checks import check_int
from unroll.errors import ArgumentError, ArgumentTypeError

Level = Literal["cell", "op", "layer"]
Theme = Literal["light", "dark"]
Direction = Literal["up", "right"]
LEVELS = ("cell", "op", "layer")
FORMATS = ("svg", "png", "pdf", "dot", "mmd")
_THEMES, _DIRECTIONS = ("light", "dark"), ("up", "right")
_SAME = {"gv": "dot", "mermaid": "mmd"}
#: Dots an inch of a PNG: twice the 72 of the layout, which is sharp on today's screens.
DPI = 144
_FEWEST_DOTS, _MOST_DOTS = 36, 1200


def check_one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    """Check that an argument of `draw` is one of the known words.

    Raises:
        ArgumentError: it is not.
    """
    if not isinstance(value, str) or value not in known:
        raise ArgumentError(f"draw: {name} {value!r} is unknown; use {listed(known)}")


def check_level(level: object) -> None:
    """Check a level.

    Raises:
        ArgumentError: it is unknown.
    """
    check_one_of("level", level, LEVELS)


def check_theme(theme: object) -> None:
    """Check a theme.

    Raises:
        ArgumentError: it is unknown.
    """
    check_one_of("theme", theme, _THEMES)


def check_direction(direction: object) -> None:
    """Check a direction; None is that of the picture.

    Raises:
        ArgumentError: it is unknown.
    """
    if direction is not None:
        check_one_of("direction", direction, _DIRECTIONS)


def check_dpi(dpi: object, format: str) -> int:
    """Return how many dots an inch a PNG has.

    Raises:
        ArgumentTypeError: no whole number.
        ArgumentError: a number that no bitmap has, or another format.
    """
    if dpi is None:
        return DPI
    number = check_int(dpi, "draw: dpi")
    if format != "png":
        raise ArgumentError(f"draw: dpi is for PNG, and the format is {format}, which has no dots; leave dpi out")
    if not _FEWEST_DOTS <= number <= _MOST_DOTS:
        raise ArgumentError(f"draw: dpi is {number:,}; a number from {_FEWEST_DOTS} to {_MOST_DOTS:,} is wanted")
    return number


def check_together(level: str, format: str, theme: str, fed: bool, legend: bool) -> None:
    """Check that arguments of `draw` go together.

    Raises:
        ArgumentError: they do not.
    """
    if format == "mmd":
        given = {"theme": theme == "dark", "feeds": fed, "legend": legend}
        for name in (name for name, is_given in given.items() if is_given):
            raise ArgumentError(f"draw: Mermaid text has no {name}; leave {name} out, or draw svg, png or pdf")
        if level == "op":
            raise ArgumentError("draw: Mermaid text holds cells or layers; use level='cell' or level='layer'")
    if level == "layer":
        if fed:
            raise ArgumentError("draw: feeds print values, which level='layer' does not show; use level='cell' or 'op'")
        if legend:
            raise ArgumentError(
                "draw: level='layer' has nothing for a legend to tell; leave legend out, or use level='cell'"
            )


def check_way(direction: str | None, level: str, stepless: bool) -> None:
    """Check a direction for a picture of timesteps, or of operators, which has one.

    Raises:
        ArgumentError: it is another one.
    """
    only = "up" if stepless else "right"
    if direction is not None and direction != only:
        why = (
            "data goes up in a graph without steps" if stepless else "its columns are timesteps, which go to the right"
        )
        raise ArgumentError(
            f"draw: direction {direction!r} does not suit level={level!r}: {why}; level='layer' has both directions"
        )


def format_of(suffix: str | None, given: str | None) -> str:
    """Return the format that is given, or else that of a suffix, or else svg.

    Raises:
        ArgumentError: there is no such format.
        ArgumentTypeError: it is not a string.
    """
    asked = given if given is not None else suffix.removeprefix(".") if suffix is not None else "svg"
    if not isinstance(asked, str):
        raise ArgumentTypeError(f"draw: format {asked!r} is not a name; use {listed(FORMATS)}")
    name = _SAME.get(asked.lower(), asked.lower())
    if name not in FORMATS:
        what = f"format {asked!r} is unknown" if asked else "the path has no suffix to tell the format by"
        raise ArgumentError(f"draw: {what}; use {listed(FORMATS)}")
    return name


def listed(names: tuple[str, ...]) -> str:
    """Return names as a sentence lists them."""
    return f"{', '.join(names[:-1])} or {names[-1]}"
