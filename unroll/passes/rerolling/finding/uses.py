"""Who outside a recurrence reads what it makes."""

from __future__ import annotations

from dataclasses import dataclass, field

from unroll.ops.shaping import Unsqueeze
from unroll.passes.rerolling.finding.pattern import Inner
from unroll.passes.rerolling.finding.recurrences import Recurrence
from unroll.passes.rerolling.finding.view import View
from unroll.tensor import Node, Tensor


@dataclass
class Uses:
    """The steps at which each output of the pattern is read outside.

    Attributes:
        steps: by output, the steps at which a node outside reads it or the graph gives it.
        readers: the nodes outside that read each tensor.
        given: the tensors that the graph gives.
    """

    steps: dict[Inner, set[int]] = field(default_factory=dict)
    readers: dict[Tensor, list[Node]] = field(default_factory=dict)
    given: set[Tensor] = field(default_factory=set)

    def alone(self, tensor: Tensor) -> bool:
        """Say whether a tensor is read as it is, not just put on a stack of steps."""
        return tensor in self.given or any(not isinstance(node.op, Unsqueeze) for node in self.readers.get(tensor, ()))

    def beside_last(self, inner: Inner, last: int) -> bool:
        """Say whether an output is read at a step that is not the last."""
        return bool(self.steps.get(inner, set()) - {last})


def uses_of(view: View, recurrence: Recurrence) -> Uses:
    """Return who reads what a recurrence makes."""
    uses = Uses()
    for at, place, index, tensor in recurrence.made():
        outside = [node for node, _ in view.readers.get(tensor, ()) if node not in recurrence.members]
        if tensor in view.outputs:
            uses.given.add(tensor)
        elif not outside:
            continue
        uses.readers[tensor] = outside
        uses.steps.setdefault(Inner(place, index), set()).add(at)
    return uses
