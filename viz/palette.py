"""Colours: light fills under dark text, told apart by people who do not see red from green, and in grey by their labels; and
the same by dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

INK = "#222222"
MUTED = "#555555"
LINE = "#4A4A4A"
STATE = "#1F4E79"
WEIGHT = "#9A6324"
CELL_FILL, CELL_LINE = "#EAF1F8", "#5B84B1"
OP_FILL, OP_LINE = "#F6F6F6", "#8C8C8C"
INPUT_FILL, INPUT_LINE = "#FFFFFF", "#8A8A8A"
SCAN_FILL = "#F4F8FC"
SCOPE_FILL, SCOPE_LINE = "#FBFBF9", "#C9C9C2"
PLAIN_BLOCK, PANEL_FILL = "#EFE6DA", "#FFFDF9"

# Any two fills, and any two marks on the page, by light or dark, are at least 7 apart in CIEDE2000, to people with each of the
# three colour deficiencies too; and all text that stands on them can be read.
_GATES = ("#BFE0F5", "#EBD57B", "#E1F8B3", "#C6C5FE", "#F7BDB1", "#D2D405", "#27F6CA", "#ADF4EA")

#: What each colour is in a dark picture; the page has the same ones.
DARK = {
    INK: "#E8E7E3",
    MUTED: "#B9BEC4",
    LINE: "#B9BEC5",
    STATE: "#8FBDEB",
    WEIGHT: "#DBA767",
    CELL_FILL: "#1D2935",
    CELL_LINE: "#6D9BCB",
    OP_FILL: "#23282D",
    OP_LINE: "#7B8188",
    INPUT_FILL: "#22272C",
    INPUT_LINE: "#80868C",
    SCAN_FILL: "#1A222A",
    SCOPE_FILL: "#191C20",
    SCOPE_LINE: "#3A3F45",
    PLAIN_BLOCK: "#2E2A24",
    PANEL_FILL: "#1B1F23",
    **dict(
        zip(
            _GATES,
            ("#2C3A58", "#604208", "#3D4D39", "#2D1B80", "#590000", "#2F361E", "#1C4948", "#0B3128"),
            strict=True,
        )
    ),
}
#: The ground of a picture, on light and on dark.
PAGE, DARK_PAGE = "white", "#15181B"
# Text of users cannot be taken for one: quotes in labels are entities, and those in tooltips are escaped.
_COLOUR = re.compile(r'(?<=color=")#[0-9A-F]{6}(?=")', re.IGNORECASE)


def darkened(dot: str) -> str:
    """Return DOT in the colours of a dark picture."""
    dot = dot.replace(f"bgcolor={PAGE}", f'bgcolor="{DARK_PAGE}"', 1)
    return _COLOUR.sub(lambda found: DARK.get(found[0].upper(), found[0]), dot)


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
