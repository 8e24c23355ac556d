"""Which nodes of a step are which gate of its cell: those whose value is, term by term, what a gate of the proven cell is."""

from __future__ import annotations

from unroll.passes.rerolling.finding import Inner
from unroll.passes.rerolling.native import Cell
from unroll.passes.rerolling.native.onnx_formulas import gate_forms
from unroll.passes.rerolling.native.pattern_reading import PatternForms


def gate_nodes(forms: PatternForms, cell: Cell, names: tuple[str, ...]) -> dict[int, str]:
    """Return the gate that the node at each place of the pattern makes, before or after its activation.

    Args:
        forms: what the nodes of the pattern compute.
        cell: what it is proven to be.
        names: its gates, in ONNX's order.
    """
    found: dict[int, str] = {}
    twice: set[int] = set()
    for name, made in zip(names, gate_forms(forms.atoms, cell), strict=True):
        for inner in forms.equal_to(made):
            if found.setdefault(inner.place, name) != name:
                twice.add(inner.place)
    return {place: name for place, name in found.items() if place not in twice and _alone(forms, place)}


def _alone(forms: PatternForms, place: int) -> bool:
    """Say whether a node makes one tensor: one that makes several, such as a Split, is no gate."""
    return len(forms.recurrence.pattern.parts[Inner(place, 0).place].example.outputs) == 1
