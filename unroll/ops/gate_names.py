"""What the gates of RNN, GRU and LSTM are called: by ONNX, in the order of their weights, and by frameworks."""

from __future__ import annotations

from collections.abc import Collection, Mapping

#: The gates in the order of an operator's weights; ONNX calls the candidate of an LSTM c, that of a GRU h.
GATES: Mapping[str, tuple[str, ...]] = {"LSTM": ("i", "o", "f", "c"), "GRU": ("z", "r", "h"), "RNN": ("h",)}
#: What TensorFlow, Keras and PyTorch call a gate that ONNX calls otherwise.
SAME_GATE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "LSTM": {"c": ("j", "g")},
    "GRU": {"z": ("u",), "h": ("c", "n")},
    "RNN": {},
}
#: The gates of an LSTM that have peepholes, in the order of P's blocks.
PEEPHOLES = ("i", "o", "f")


def called(kind: str, names: Collection[str]) -> dict[str, str]:
    """Return what each gate of an operator is called among some names; what ONNX calls it where none of them is its.

    Args:
        kind: ``"LSTM"``, ``"GRU"`` or ``"RNN"``.
        names: those of the columns of a cell's kernels.

    Example:
        >>> called("LSTM", ["i", "j", "f", "o"])
        {'i': 'i', 'o': 'o', 'f': 'f', 'c': 'j'}
    """
    known = {gate: (gate, *SAME_GATE[kind].get(gate, ())) for gate in GATES[kind]}
    return {gate: next((name for name in others if name in names), gate) for gate, others in known.items()}
