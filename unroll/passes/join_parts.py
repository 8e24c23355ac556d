"""Join part by part what each step joins: ``[[a0, b0], [a1, b1], ...]`` becomes ``[[a0, a1, ...], [b0, b1, ...]]``.

The outputs of both directions, joined at every step and then stacked, take a Concat for each direction and one more, instead
of one at every step. Preserves the names of what is kept, and the values of the outputs to the bit. Never adds a node.
"""

from __future__ import annotations

from collections.abc import Sequence

from unroll.dimensions import Dim
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.joining import Concat
from unroll.ops.operator import made
from unroll.passes.tools.rewriting import Rewriting, in_place, merged, nodes_called, readers_of
from unroll.tensor import Node, Tensor


@in_place
def join_parts(graph: Graph) -> Graph:
    """Return `graph` with parts joined first; see this module for what is preserved."""
    with collector_paused():
        nested = {node: steps for node in nodes_called(graph, {"Concat"}) if (steps := _steps(node))}
        if not nested:
            return graph
        readers, joining = readers_of(graph), Rewriting(graph)
        found = {
            node: steps
            for node, steps in nested.items()
            if all(readers.only(step.outputs[0]) is node for step in steps)
        }
        # What each step joins is looked up before nodes are put on other inputs.
        parts = {node: list(zip(*[_parts(step) for step in steps], strict=True)) for node, steps in found.items()}

        def write(node: Node) -> None:
            provenance = merged(found[node])
            joined = [made(node.op, [joining[part] for part in column], provenance)[0] for column in parts[node]]
            (result,) = made(found[node][0].op, joined, node.provenance, node.outputs[0].hint)
            joining.stand_in(node.outputs[0], result)

        return joining.walk(found, write)


def _steps(node: Node) -> list[Node]:
    """Return the Concats that a Concat joins, if they are all alike, and there are more of them than each has parts."""
    inner = [tensor.node for tensor in node.inputs if tensor is not None]
    steps = [step for step in inner if step is not None and isinstance(step.op, Concat) and step.op != node.op]
    if not steps or len(steps) < len(node.inputs) or len(steps) <= len(steps[0].inputs):
        return []
    alike = all(step.op == steps[0].op and _sizes(step) == _sizes(steps[0]) for step in steps)
    return steps if alike else []


def _parts(step: Node) -> Sequence[Tensor]:
    return [part for part in step.inputs if part is not None]


def _sizes(step: Node) -> list[Dim]:
    return [part.shape[step.op.attributes["axis"]] for part in _parts(step)]
