"""The branches of an If as graphs to draw: what each reads is called as it is around the If."""

from __future__ import annotations

from unroll.graph import Graph
from unroll.naming import Lineage, Names
from unroll.ops.branches import If
from unroll.ops.functions import Identity
from unroll.ops.operator import made
from unroll.parameter import Parameter
from unroll.structure import Structure
from unroll.tensor import Node, Placeholder, Tensor
from unroll.viz.states import EARLIER
from unroll.viz.weight_names import name_parts, without_port

_NO_NAMES = Names((), (), (), ())


def if_branches(node: Node, op: If, graph: Graph) -> tuple[Graph, Graph]:
    """Return what runs where the condition of an If is true, and what else, each as a graph of what it reads."""
    return _branch(node, op.then_branch, graph), _branch(node, op.else_branch, graph)


def _branch(node: Node, branch: Structure, graph: Graph) -> Graph:
    read = {tensor for inner in branch.nodes for tensor in inner.inputs} | set(branch.outputs)
    taken: set[str] = set()
    inside: dict[Tensor, Tensor] = {}
    for inner, given in zip(branch.inputs, node.inputs[1:], strict=True):
        if inner in read:
            called = _called(given, node, graph) if given is not None else inner.name
            inside[inner] = Placeholder(inner.shape, inner.dtype, _free(called, taken))
    inputs = [tensor for tensor in inside.values() if isinstance(tensor, Placeholder)]
    for item in branch.nodes:
        before = [None if tensor is None else inside.get(tensor, tensor) for tensor in item.inputs]
        if isinstance(item.op, Identity) and before[0] is not None:
            inside[item.outputs[0]] = before[0]
            continue
        for old, new in zip(item.outputs, made(item.op, before, item.provenance), strict=True):
            new.hint = old.hint
            inside[old] = new
    names = [_free(_last(tensor.hint or graph.name(tensor)), taken) for tensor in node.outputs]
    outputs = {name: inside.get(tensor, tensor) for name, tensor in zip(names, branch.outputs, strict=True)}
    return Graph(inputs, outputs, lineage=Lineage(_NO_NAMES, {}, {}))


def _called(tensor: Tensor, node: Node, graph: Graph) -> str:
    """Return the name of what a branch reads: a state of the step before as such, a weight without its scope."""
    if isinstance(tensor, Parameter):
        return without_port(name_parts(tensor.name)[-1])
    made_at = tensor.node.origin.step if tensor.node is not None else None
    here = node.origin.step
    if made_at is not None and here is not None and made_at == here - 1 and tensor.hint is not None:
        return f"{_last(tensor.hint)}{EARLIER}"
    return _last(graph.name(tensor))


def _last(name: str) -> str:
    return without_port(name).rpartition("/")[2]


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"{name}_"
    taken.add(name)
    return name
