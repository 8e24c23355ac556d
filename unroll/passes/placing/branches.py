"""Steps that are computed or left out by an If, as TensorFlow writes sequences of several lengths: what is found of them is
found on a graph in which what is computed stands in the place of each If.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from unroll.errors import UnrollError
from unroll.graph import Graph
from unroll.ops.branches import If
from unroll.ops.operator import made
from unroll.passes.tools.rewriting import Rewriting
from unroll.scopes import Origin, join
from unroll.structure import Structure
from unroll.tensor import Node, Tensor

_STATES = ("h", "c")


class Opened(NamedTuple):
    """A graph in which a branch stands for each If.

    Attributes:
        graph: that graph.
        inside: the nodes that stand for each If.
        outputs: the tensors that stand for its outputs.
    """

    graph: Graph
    inside: Mapping[Node, Sequence[Node]]
    outputs: Mapping[Node, Sequence[Tensor]]


def opened(graph: Graph) -> Opened | None:
    """Return a graph with the longest branch of each If in its place; None where there is no If.

    Of the branches of a step, one hands the states on as they are and one computes them; of those of an If inside it, which
    is in its place yet, one takes the new states for all rows and one chooses for each row.
    """
    read: dict[Node, Structure] = {
        node: max(node.op.bodies, key=lambda branch: len(branch.nodes))
        for node in graph.nodes
        if isinstance(node.op, If)
    }
    writing = Rewriting(graph)
    inside: dict[Node, list[Node]] = {}
    outputs: dict[Node, list[Tensor]] = {}

    def write(node: Node) -> None:
        given = zip(read[node].inputs, writing.inputs(node)[1:], strict=True)
        found: dict[Tensor, Tensor] = {inner: outer for inner, outer in given if outer is not None}
        inside[node] = list(_written(read[node], found, node.provenance))
        outputs[node] = [found.get(tensor, tensor) for tensor in read[node].outputs]
        for old, new in zip(node.outputs, outputs[node], strict=True):
            writing.redirect(old, new)

    try:
        return Opened(writing.walk(read, write), inside, outputs) if read else None
    except UnrollError:  # a file may claim any shapes
        return None


def _written(body: Structure, found: dict[Tensor, Tensor], provenance: frozenset[Origin]) -> Iterator[Node]:
    """Make the nodes of a branch anew, reading what is found to stand for its inputs."""
    for node in body.nodes:
        inputs = [found.get(tensor, tensor) if tensor is not None else None for tensor in node.inputs]
        new = made(node.op, inputs, provenance)
        found |= zip(node.outputs, new, strict=True)
        yield from [tensor.node for tensor in new[:1] if tensor.node is not None]


def closed(graph: Graph, branches: Opened, shown: Graph) -> Graph:
    """Return `graph` with the places that are found for the graph with its branches opened.

    Args:
        graph: the graph.
        branches: what was made of it.
        shown: that graph with places.
    """
    names, new = branches.graph.names.tensors, shown.names.by_name
    read = {tensor for node in branches.inside for tensor in node.inputs}
    writing = Rewriting(graph)
    for name, parameter in shown.parameters.items():
        if parameter.blocks is not None and parameter is not graph.parameters[name]:
            writing.redirect(graph.parameters[name], parameter)

    def origins(node: Node) -> frozenset[Origin]:
        """Return where a node of the opened graph is found to come from."""
        tensor = new.get(names.get(node.outputs[0], ""))
        return node.provenance if tensor is None or tensor.node is None else tensor.node.provenance

    def state(tensor: Tensor) -> str | None:
        found = new.get(names.get(tensor, ""))
        if found is None or found.node is None:
            return None
        name = found.node.origin.scope.rpartition("/")[2] if len(found.node.outputs) == 1 else found.hint
        return name if name in _STATES else None

    where = {node: origins(node) for node in graph.nodes if node not in branches.inside}
    called: dict[Node, list[str | None]] = {}
    for node, inner in branches.inside.items():
        found = [
            origin for one in inner for origin in origins(one) if origin.cell is not None and origin.step is not None
        ]
        if len({(origin.cell, origin.step) for origin in found}) == 1:
            where[node] = frozenset({_of_a_step(found[0], f"branch_{found[0].step}")})
            called[node] = _handed_on(node, [state(tensor) for tensor in branches.outputs[node]], read)
    where |= _conditions(graph, where)

    def write(node: Node) -> None:
        copy = writing.copy(node, writing.inputs(node), where.get(node))
        for old, after in zip(node.outputs, copy.outputs, strict=True):
            writing.redirect(old, after)
        for tensor, name in zip(copy.outputs, called.get(node, ()), strict=False):
            tensor.hint = name

    return writing.walk(dict.fromkeys(graph.nodes), write)


def _conditions(graph: Graph, where: Mapping[Node, frozenset[Origin]]) -> dict[Node, frozenset[Origin]]:
    """Return the places of what says whether a step, or a row at a step, is computed: that step's, where it alone asks."""
    asked: dict[Node, set[Origin | None]] = {tensor.node: {None} for tensor in graph.outputs if tensor.node is not None}
    found: dict[Node, frozenset[Origin]] = {}
    for node in reversed(graph.nodes):
        steps = asked.get(node, set())
        asking = [origin for origin in steps if origin is not None]
        if len(steps) == len(asking) == 1 and node.outputs[0].dtype.kind == "b":
            found[node] = frozenset({_of_a_step(asking[0], f"asked_{len(found)}")._replace(cell=None)})
        branching = where.get(node, ()) if isinstance(node.op, If) else {None}
        for tensor in node.inputs:
            if tensor is not None and tensor.node is not None:
                asked.setdefault(tensor.node, set()).update(steps if node in found else branching)
    return found


def _handed_on(node: Node, called: list[str | None], read: Container[Tensor | None]) -> list[str | None]:
    """Return the names of a step's outputs, a state's that of the one that the next step reads: where a step begins with zeros
    and leaves zeros in rows that have ended, its output is equal to it.
    """
    unnamed = [place for place, name in enumerate(called) if name is None and node.outputs[place] in read]
    unread = [place for place, name in enumerate(called) if name is not None and node.outputs[place] not in read]
    if len(unnamed) == len(unread) == 1:
        called[unnamed[0]], called[unread[0]] = called[unread[0]], None
    return called


def _of_a_step(origin: Origin, part: str) -> Origin:
    """Return the place of what is called `part` at the step of a cell.

    What an If reads stands in another order at each step, so no two of them are called alike.
    """
    above, _, last = (origin.cell or "").rpartition("/")
    return Origin(join(above, f"t{origin.step}/{last}/{part}"), origin.step, origin.cell, None)
