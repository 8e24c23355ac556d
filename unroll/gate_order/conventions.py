"""The orders in which frameworks store the gates of a cell."""

from __future__ import annotations

from collections.abc import Sequence

#: By cell, the order of each framework, in its own letters; ARCHITECTURE.md has the same table.
CONVENTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "LSTM": {
        "TensorFlow 1": ("i", "j", "f", "o"),
        "Keras": ("i", "f", "c", "o"),
        "PyTorch": ("i", "f", "g", "o"),
        "ONNX": ("i", "o", "f", "c"),
    },
    "GRU": {
        "TensorFlow 1": ("r", "u"),  # the candidate has a kernel of its own
        "Keras": ("z", "r", "h"),
        "PyTorch": ("r", "z", "n"),
        "ONNX": ("z", "r", "h"),
    },
}
#: The letters that frameworks have for one gate.
_SAME = {"LSTM": {"c": "j", "g": "j"}, "GRU": {"u": "z", "n": "h", "c": "h"}}
#: What tells a cell by its gates.
_GATES = {"LSTM": ({"i", "j", "f", "o"},), "GRU": ({"r", "z"}, {"r", "z", "h"})}


def frameworks_of(order: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the frameworks that store gates in an order, each with the order in its own letters.

    Args:
        order: the gates, in the letters of any of them.

    Returns:
        ``(framework, order)``; none where the gates are those of no cell that all frameworks have.
    """
    for cell, same in _SAME.items():
        roles = [same.get(gate, gate) for gate in order]
        if set(roles) in _GATES[cell] and len(set(roles)) == len(roles):
            return [
                (framework, theirs)
                for framework, stored in CONVENTIONS[cell].items()
                for theirs in [tuple(gate for gate in stored if same.get(gate, gate) in roles)]
                if [same.get(gate, gate) for gate in theirs] == roles
            ]
    return []
