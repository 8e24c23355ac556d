"""A picture of numbers: shown by a notebook, written to a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unroll.errors import ArgumentError
from unroll.files import as_path, write_bytes
from unroll.viz.numbers.canvas import Canvas

FORMATS = ("svg", "png", "pdf")


@dataclass(frozen=True)
class Chart:
    """A picture of numbers; a notebook shows it.

    Attributes:
        svg: the picture as SVG, one file that needs no other.
        notes: what is said of the numbers in words, such as how many are not finite.
    """

    svg: str
    notes: tuple[str, ...]
    _canvas: Canvas

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to `path`, as .svg, .png or .pdf.

        Raises:
            ArgumentError: another suffix.
            FileError: the file cannot be written.
            MissingPackageError: pygraphviz is needed and missing.
        """
        target = target_of(path, "Chart.save")
        write_bytes(target, self._canvas.rendered(_format(target)))

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Chart({self._canvas.width:.0f} x {self._canvas.height:.0f} points)"


def target_of(path: str | os.PathLike[str], what: str) -> Path:
    """Return the file that a picture goes to.

    Args:
        path: the file.
        what: who asks, for messages.

    Raises:
        ArgumentTypeError: no path.
        ArgumentError: its suffix is that of no format of pictures.
    """
    target = as_path(path, what)
    if _format(target) not in FORMATS:
        seen = (
            f"format {target.suffix!r} is unknown" if target.suffix else "the path has no suffix to tell the format by"
        )
        raise ArgumentError(f"{what}: {seen}; use .svg, .png or .pdf")
    return target


def chart_of(canvas: Canvas, target: Path | None, notes: tuple[str, ...] = ()) -> Chart:
    """Return a sheet as a picture, written where a file is given."""
    found = Chart(canvas.svg().decode("utf-8"), notes, canvas)
    if target is not None:
        found.save(target)
    return found


def _format(target: Path) -> str:
    return target.suffix.removeprefix(".").lower()
