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

# After Okabe and Ito's palette, mixed with white.
_GATES = ("#BFE0F5", "#FBDDA6", "#BCE5D2", "#EBCBDE", "#F6F1B0", "#F3C8AE", "#C6D3EE")


def gate_colors(columns: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return a fill for each gate, in the order of the block tables; a cell of one column has no gates."""
    names = dict.fromkeys(name for gates in columns for name in gates)
    return {name: _GATES[place % len(_GATES)] for place, name in enumerate(names)}
