"""The branch of an If that constants choose, so that it can be read in the place of the If.

Exporters write an If where the rank of a tensor depends on a size (torch's ``squeeze``): it has no shape, but the branch
that is taken has.
"""

from __future__ import annotations

from collections.abc import Iterable

from onnx import GraphProto, NodeProto

from unroll.export.reading.opaque_nodes import ONNX_DOMAIN, rename
from unroll.tensor import Constant, Tensor

_BRANCHES = ("else_branch", "then_branch")


def chosen_branch(node: NodeProto, condition: Tensor | None) -> GraphProto | None:
    """Return the branch of an If that its condition chooses; None for another node, or where only a run knows."""
    if node.op_type != "If" or node.domain not in ONNX_DOMAIN:
        return None
    if not isinstance(condition, Constant) or condition.dtype.kind != "b" or condition.value.size != 1:
        return None
    wanted = _BRANCHES[bool(condition.value.item())]
    graph = next((item.g for item in node.attribute if item.name == wanted and item.HasField("g")), None)
    return None if graph is None or graph.input or graph.sparse_initializer else graph


def with_free_names(graph: GraphProto, taken: Iterable[str]) -> tuple[GraphProto, set[str]]:
    """Return a branch in which no tensor has a name that is taken outside, and the names of its own tensors."""
    outside = dict.fromkeys(taken, "")
    own = _own(graph)
    if own.isdisjoint(outside):
        return graph, own
    found = GraphProto()
    found.CopyFrom(graph)
    rename(found, {}, outside)
    return found, _own(found)


def _own(graph: GraphProto) -> set[str]:
    made = {name for node in graph.node for name in node.output if name}
    return made | {item.name for item in graph.initializer}
