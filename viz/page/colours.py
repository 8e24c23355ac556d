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


#: For each fill that `unroll.viz.palette` gives a gate: marks are at least 3 : 1 against the page and against the fill.
GATES = (
    GateColours("#BFE0F5", "#4280B1", DARK["#BFE0F5"], "#96C0E8"),
    GateColours("#EBD57B", "#A66A00", DARK["#EBD57B"], "#FACB4C"),
    GateColours("#E1F8B3", "#259C4C", DARK["#E1F8B3"], "#C0E793"),
    GateColours("#C6C5FE", "#5A4DAA", DARK["#C6C5FE"], "#8798DD"),
    GateColours("#F7BDB1", "#AB4641", DARK["#F7BDB1"], "#F39A7D"),
    GateColours("#D2D405", "#5C580D", DARK["#D2D405"], "#839021"),
    GateColours("#27F6CA", "#1D6B64", DARK["#27F6CA"], "#62B9BF"),
    GateColours("#ADF4EA", "#238358", DARK["#ADF4EA"], "#69E7C5"),
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
