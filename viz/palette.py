"""Colours: light fills under dark text, told apart by people who do not see red from green, and in grey by their labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

INK = "#222222"
MUTED = "#6B6B6B"
LINE = "#4A4A4A"
STATE = "#1F4E79"
WEIGHT = "#9A6324"
CELL_FILL, CELL_LINE = "#EAF1F8", "#5B84B1"
OP_FILL, OP_LINE = "#F6F6F6", "#9A9A9A"
INPUT_FILL, INPUT_LINE = "#FFFFFF", "#8A8A8A"
SCAN_FILL = "#F4F8FC"
SCOPE_FILL, SCOPE_LINE = "#FBFBF9", "#C9C9C2"
PLAIN_BLOCK, PANEL_FILL = "#EFE6DA", "#FFFDF9"

# Okabe and Ito's blue and orange, mixed with white, and six more colours: any two are at least 10 apart in CIELAB, to people
# with each of the three colour deficiencies too.
_GATES = ("#BFE0F5", "#FBDDA6", "#D5F8C8", "#C7C0FE", "#F8B9A4", "#CECE80", "#96D5D1", "#96F1D1")


def gate_colors(cells: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return a fill for each gate of each cell: one for all gates of a name, and another for each gate of one cell.

    A cell of more gates than there are colours has some twice.
    """
    found: dict[str, str] = {}
    for gates in cells:
        for gate in gates:
            if gate not in found:
                near = [found[other] for other in gates if other in found]
                worn = list(found.values())
                found[gate] = min(_GATES, key=lambda color: (near.count(color), worn.count(color)))
    return found
