"""The body of a loop, run by run: its nodes are written out, and what each run gives is stacked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from unroll.ops.opaque import Opaque
from unroll.passes.tools.making import Maker
from unroll.passes.unrolling.flattening import Flattening
from unroll.passes.unrolling.step_places import Place, at_step
from unroll.randomness import RANDOM
from unroll.scopes import Origin
from unroll.structure import Structure
from unroll.tensor import Node, Tensor


class Runs:
    """Writes the runs of a body.

    Args:
        flat: the graph in the making.
        body: the body.
        captured: what its last inputs stand for, the same at every run; None for what none of its nodes reads.
        stacked: how many of its last outputs are stacked.
        provenance: where the loop comes from.
    """

    def __init__(
        self,
        flat: Flattening,
        body: Structure,
        captured: Sequence[Tensor | None],
        stacked: int,
        provenance: frozenset[Origin],
    ) -> None:
        self._flat, self._body, self._provenance = flat, body, provenance
        self._changing, self._kept = len(body.inputs) - len(captured), len(body.outputs) - stacked
        pairs = zip(body.inputs[self._changing :], captured, strict=True)
        self._shared: dict[Tensor, Tensor] = {inner: tensor for inner, tensor in pairs if tensor is not None}
        self._stacks: list[list[Tensor]] = [[] for _ in range(stacked)]

    @cached_property
    def _nodes(self) -> Sequence[Node]:
        """The nodes of each run: what all runs share, such as weights that the body cuts and joins, is written once, now."""
        moving: set[Tensor | None] = set(self._body.inputs[: self._changing])
        each, shared = [], []
        for node in self._body.nodes:
            drawn = isinstance(node.op, Opaque) and node.op.op_type in RANDOM
            if drawn or not moving.isdisjoint(node.inputs):
                each.append(node)
                moving.update(node.outputs)
            else:
                shared.append(node)
        self._flat.walk(shared, self._shared, at_step(self._provenance, None))
        return each

    def run(self, given: Sequence[Tensor], place: Place) -> list[Tensor]:
        """Write one run.

        Args:
            given: what those inputs of the body stand for that change from run to run.
            place: where nodes of the run come from.

        Returns:
            The outputs of the body that are not stacked.
        """
        nodes = self._nodes
        new = self._shared | dict(zip(self._body.inputs[: self._changing], given, strict=True))
        self._flat.walk(nodes, new, place)
        found = [new.get(tensor, tensor) for tensor in self._body.outputs]
        here = Maker(place(self._provenance))
        for stack, tensor in zip(self._stacks, found[self._kept :], strict=True):
            stack.append(here.unsqueeze(tensor, 0))
        return found[: self._kept]

    def stacks(self, node: Node, ways: Sequence[int] | None = None) -> list[Tensor | None]:
        """Return what was stacked, for the last outputs of the old node; None where nothing was.

        Args:
            node: the old node.
            ways: for each stack, whether the last run comes first.
        """
        maker, ways = Maker(self._provenance), ways or (0,) * len(self._stacks)
        joined = [
            maker.joined(stack[:: -1 if back else 1], 0) if stack else None
            for stack, back in zip(self._stacks, ways, strict=True)
        ]
        for old, tensor in zip(node.outputs[len(node.outputs) - len(joined) :], joined, strict=True):
            if tensor is not None and tensor.node is not None:
                tensor.hint = old.hint
        return joined
