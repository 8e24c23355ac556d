"""The pattern of a step, written again as nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unroll.passes.rerolling.finding.pattern import Inner, Leaf, Shared, State, Template
from unroll.tensor import Node, Tensor


def replayed(
    template: Template, states: Sequence[Tensor], leaves: Sequence[Tensor], shared: Mapping[Tensor, Tensor]
) -> list[Node]:
    """Return the nodes of the pattern on other states and leaves; what `shared` has no entry for is read as it is."""
    nodes: list[Node] = []
    for part in template.parts:
        inputs: list[Tensor | None] = []
        for source in part.sources:
            if isinstance(source, Inner):
                inputs.append(nodes[source.place].outputs[source.output])
            elif isinstance(source, State):
                inputs.append(states[source.number])
            elif isinstance(source, Leaf):
                inputs.append(leaves[source.number])
            else:
                inputs.append(shared.get(source.tensor, source.tensor) if isinstance(source, Shared) else None)
        old = part.example
        shapes, dtypes = [tensor.shape for tensor in old.outputs], [tensor.dtype for tensor in old.outputs]
        node = Node(old.op, tuple(inputs), shapes, dtypes, old.provenance)
        for inner, outer in zip(node.outputs, old.outputs, strict=True):
            inner.hint, inner.known = outer.hint, outer.known
        nodes.append(node)
    return nodes
