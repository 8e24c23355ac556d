"""The body of a Scan as a graph to draw: one step, its states handed on, its weights those of the graph around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unroll.graph import Graph
from unroll.naming import Lineage, Names
from unroll.ops.operator import made
from unroll.ops.scan import Scan
from unroll.parameter import Parameter
from unroll.structure import Structure
from unroll.tensor import Node, Placeholder, Tensor
from unroll.viz.scan_places import BodyPlaces, body_places
from unroll.viz.states import EARLIER, last_part

_NO_NAMES = Names((), (), (), ())


@dataclass(frozen=True)
class ScanBody:
    """The body of a Scan.

    Attributes:
        op: the Scan.
        graph: one step: its inputs are the states, a row of each scan input, and what else each step reads.
        names: what each input of the Scan's node is called inside; a Parameter that every step reads by its own name.
        made: what each output of the Scan's node is called inside.
        weights: the Parameters that every step reads, by their place among the node's inputs.
    """

    op: Scan
    graph: Graph
    names: tuple[str, ...]
    made: tuple[str, ...]
    weights: dict[int, Parameter]


def scan_bodies(graph: Graph) -> dict[Node, ScanBody]:
    """Return the bodies of the Scans of a graph."""
    return {node: scan_body(node, node.op) for node in graph.nodes if isinstance(node.op, Scan)}


def scan_body(node: Node, op: Scan) -> ScanBody:
    """Return the body of a Scan's node as a graph of one step."""
    states = op.num_states
    weights = _shared_weights(node, op)
    found = body_places(op, weights)
    weights |= found.weights
    taken: set[str] = set()
    short = _last_parts([tensor.name for tensor in op.body.inputs])
    names = [*_state_names(op.body, short[:states], found.names), *_plain(short[states:], "step", "x")]
    names = [_free(name, taken) for name in names]
    inside: dict[Tensor, Tensor] = {}
    inputs: list[Placeholder] = []
    for place, inner in enumerate(op.body.inputs):
        if place in weights:
            inside[inner] = weights[place]
            names[place] = weights[place].name
        else:
            called = f"{names[place]}{EARLIER}" if place < states else names[place]
            inputs.append(Placeholder(inner.shape, inner.dtype, called))
            inside[inner] = inputs[-1]
    _copy(op.body, inside, found)
    after = [inside.get(tensor, tensor) for tensor in op.body.outputs]
    stacks = [_free(name, taken) for name in _plain(_last_parts(op.body.output_names[states:]), "kept", "y")]
    # Names of files need not be ones that we would give: with a lineage they are taken as they are.
    handed = names[:states]
    outputs = dict(zip((*handed, *stacks), after, strict=True))
    # The first output of one step rises from it; states leave beside it.
    first = {name: outputs[name] for name in (*stacks, *handed)}
    graph = Graph(inputs, first, lineage=Lineage(_NO_NAMES, {}, {}))
    graph.states = {f"{name}{EARLIER}": name for name in handed}
    return ScanBody(op, graph, tuple(names), (*handed, *stacks), weights)


def _free(name: str, taken: set[str]) -> str:
    """Return a name that is not taken, and take it."""
    while name in taken:
        name = f"{name}_"
    taken.add(name)
    return name


def _shared_weights(node: Node, op: Scan) -> dict[int, Parameter]:
    """Return the Parameters that every step reads, by their place among the inputs."""
    first = op.num_states + op.num_scan_inputs
    shared = enumerate(node.inputs[first:], first)
    return {place: tensor for place, tensor in shared if isinstance(tensor, Parameter)}


def _plain(names: Sequence[str], generic: str, letter: str) -> list[str]:
    """Return names with those that say nothing, as re-rolling gives them, by a letter: x and y for what is scanned."""
    count = sum(name.removeprefix(generic).isdecimal() for name in names)
    return [
        letter + (name.removeprefix(generic) if count > 1 else "") if name.removeprefix(generic).isdecimal() else name
        for name in names
    ]


def _last_parts(names: Sequence[str]) -> list[str]:
    """Return the last parts of names, where they are enough to tell them apart."""
    short = [name.rpartition("/")[2] for name in names]
    return short if len(set(short)) == len(short) and all(short) else list(names)


def _state_names(body: Structure, own: Sequence[str], known: Mapping[Tensor, str]) -> list[str]:
    """Return what the states are called: as what the body makes of them, where that tells them apart."""
    made = body.outputs[: len(own)]
    found = [
        known.get(tensor) or (last_part(tensor) if tensor.node is not None and tensor.hint else "") for tensor in made
    ]
    found = [name.removeprefix("new_") for name in found]
    inputs = {tensor.name for tensor in body.inputs}
    return [
        name if name and found.count(name) == 1 and name not in inputs else given
        for name, given in zip(found, own, strict=True)
    ]


def _copy(body: Structure, inside: dict[Tensor, Tensor], found: BodyPlaces) -> None:
    """Make the nodes of a body anew, all at one step, reading what stands in `inside` for its inputs."""
    step = None if _runs_twice(body) else 0
    for node in body.nodes:
        inputs = [None if tensor is None else inside.get(tensor, tensor) for tensor in node.inputs]
        provenance = frozenset([found.origins.get(node) or node.origin._replace(step=step)])
        for old, new in zip(node.outputs, made(node.op, inputs, provenance), strict=True):
            new.hint = found.names.get(old, old.hint)
            inside[old] = new


def _runs_twice(body: Structure) -> bool:
    """Say whether a body holds several steps of one cell: they are then not one box."""
    reads = Counter(
        (node.origin.cell, node.op.name, node.origin.gate, tensor)
        for node in body.nodes
        for tensor in dict.fromkeys(node.inputs)
        if node.op.name in ("MatMul", "Gemm") and isinstance(tensor, Placeholder) and tensor.rank == 2
    )
    return max(reads.values(), default=0) > 1
