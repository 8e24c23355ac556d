"""Which nodes of a step are which gate of its cell: those whose value is, term by term, what a gate of the proven cell is."""

from __future__ import annotations

from typing import NamedTuple

from unroll.passes.rerolling.finding import Inner
from unroll.passes.rerolling.native import Cell
from unroll.passes.rerolling.native.normal_form import CONSTANT, Activation, Atoms, Form
from unroll.passes.rerolling.native.onnx_formulas import gate_forms
from unroll.passes.rerolling.native.pattern_reading import PatternForms


class Made(NamedTuple):
    """The gate that an output of a node is, after its activation or before."""

    gate: str
    activated: bool

    @property
    def name(self) -> str:
        """What the output is called, as in our cells."""
        return self.gate if self.activated else f"z_{self.gate}"


def gate_nodes(forms: PatternForms, cell: Cell, names: tuple[str, ...]) -> dict[Inner, Made]:
    """Return the gate that each output of the pattern is; nothing for one that is two gates.

    Args:
        forms: what the nodes of the pattern compute.
        cell: what it is proven to be.
        names: its gates, in ONNX's order.
    """
    found: dict[Inner, Made] = {}
    twice: set[Inner] = set()
    for name, made in zip(names, gate_forms(forms.atoms, cell), strict=True):
        for activated in (True, False):
            wanted = [form for form in made if _is_activated(forms.atoms, form) == activated]
            if not activated:  # a piece to which a forget bias is yet to be added is called as ours is
                wanted += [{term: weight for term, weight in form.items() if term != CONSTANT} for form in wanted]
            for inner in forms.equal_to(wanted):
                if found.setdefault(inner, Made(name, activated)).gate != name:
                    twice.add(inner)
    return {inner: made for inner, made in found.items() if inner not in twice}


def _is_activated(atoms: Atoms, form: Form) -> bool:
    """Say whether a form is one activation and nothing more."""
    atom = next((atoms[term.monomial[0]] for term in form if len(term.monomial) == 1), None)
    return len(form) == 1 and isinstance(atom, Activation) and all(term.kind == "number" for term in form)
