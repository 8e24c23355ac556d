"""Colours of the page: those of the pictures, a deep one for the marks of each gate, and the same by dark."""

from __future__ import annotations

from typing import NamedTuple

from unroll.viz.palette import DARK


class GateColours(NamedTuple):
    """The colours of one gate: fill and mark, on light and on dark."""

    fill: str
    mark: str
    dark_fill: str
    dark_mark: str


#: For each fill that `unroll.viz.palette` gives a gate: marks are at least 3 : 1 against the page they stand on.
GATES = (
    GateColours("#BFE0F5", "#3E93C6", DARK["#BFE0F5"], "#7CC4EE"),
    GateColours("#FBDDA6", "#B07A12", DARK["#FBDDA6"], "#F0BE5C"),
    GateColours("#D5F8C8", "#3D9140", DARK["#D5F8C8"], "#8FD97B"),
    GateColours("#C7C0FE", "#7A6BDD", DARK["#C7C0FE"], "#ADA3FF"),
    GateColours("#F8B9A4", "#CB5B3D", DARK["#F8B9A4"], "#F2947B"),
    GateColours("#CECE80", "#858519", DARK["#CECE80"], "#CBCB5C"),
    GateColours("#96D5D1", "#2A8F88", DARK["#96D5D1"], "#6CCFC8"),
    GateColours("#96F1D1", "#1E9A70", DARK["#96F1D1"], "#63DFA9"),
)
_PLACE = {colours.fill: place for place, colours in enumerate(GATES)}


def colour_of(fill: str | None) -> int | None:
    """Return the number of the colours of a gate that pictures fill so; None for one without a colour."""
    return _PLACE.get(fill) if fill is not None else None


def variables(dark: bool) -> str:
    """Return the colours of gates as CSS: ``--g0`` fills, ``--d0`` marks."""
    return "".join(
        f"--g{place}:{colours.dark_fill if dark else colours.fill};--d{place}:{colours.dark_mark if dark else colours.mark};"
        for place, colours in enumerate(GATES)
    )
