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
from unroll.topological_order import in_order
from unroll.viz.made_weights import is_made_of_weights
from unroll.viz.scan_places import BodyPlaces, body_places
from unroll.viz.states import EARLIER, state_name
from unroll.viz.weight_names import is_operator

_SAME = ("Cast", "Expand", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
_NO_NAMES = Names((), (), (), ())


@dataclass(frozen=True)
class ScanBody:
    """The body of a Scan.

    Attributes:
        op: the Scan.
        graph: one step: its inputs are the states, a row of each scan input, and what else each step reads.
        names: what each input of the Scan's node is called inside; a Parameter that every step reads by its own name.
        made: what each output of the Scan's node is called inside.
        weights: the weights that every step reads, by their place among the node's inputs: Parameters, and what is made of
            such alone, whose nodes are in the body's graph.
    """

    op: Scan
    graph: Graph
    names: tuple[str, ...]
    made: tuple[str, ...]
    weights: dict[int, Tensor]


def scan_bodies(graph: Graph) -> dict[Node, ScanBody]:
    """Return the bodies of the Scans of a graph."""
    return {node: scan_body(node, node.op) for node in graph.nodes if isinstance(node.op, Scan)}


def scan_body(node: Node, op: Scan) -> ScanBody:
    """Return the body of a Scan's node as a graph of one step."""
    states = op.num_states
    expressions, weights = _shared_weights(node, op)
    found = body_places(op, weights)
    weights |= found.weights
    taken: set[str] = set()
    short = _last_parts([_given_name(*pair) for pair in zip(op.body.inputs, node.inputs, strict=True)])
    names = [*_state_names(op.body, short[:states], found.names), *_plain(short[states:], "step", "x")]
    names = [_free(name, taken) for name in names]
    inside: dict[Tensor, Tensor] = {}
    inputs: list[Placeholder] = []
    held = weights | _made_inside(expressions)
    for place, inner in enumerate(op.body.inputs):
        if place in held:
            inside[inner] = held[place]
            names[place] = held[place].label
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
    return ScanBody(op, graph, tuple(names), (*handed, *stacks), held)


def _free(name: str, taken: set[str]) -> str:
    """Return a name that is not taken, and take it."""
    while name in taken:
        name = f"{name}_"
    taken.add(name)
    return name


def _shared_weights(node: Node, op: Scan) -> tuple[dict[int, Tensor], dict[int, Parameter]]:
    """Return the weights that every step reads, by their place among the inputs: those made of Parameters, and Parameters."""
    first = op.num_states + op.num_scan_inputs
    shared = {place: tensor for place, tensor in enumerate(node.inputs[first:], first) if tensor is not None}
    made = {place: tensor for place, tensor in shared.items() if tensor.node is not None and is_made_of_weights(tensor)}
    return made, {place: tensor for place, tensor in shared.items() if isinstance(tensor, Parameter)}


def _given_name(inner: Placeholder, given: Tensor | None) -> str:
    """Return the name of a body's input; where it is that of an operator which only turns or reshapes, what it does that to."""
    name = inner.name
    while given is not None and given.node is not None and given.node.op.name in _SAME and is_operator(_last(name)):
        given = given.node.inputs[0]
        name = given.label if given is not None else name
    return inner.name if is_operator(_last(name)) else name


def _last(name: str) -> str:
    """Return the last part of a name."""
    return name.rpartition("/")[2]


def _made_inside(expressions: Mapping[int, Tensor]) -> dict[int, Tensor]:
    """Return weights that are made of others with the nodes that make them made anew, at no step."""
    inside: dict[Tensor, Tensor] = {}
    for node in in_order([tensor.node for tensor in expressions.values() if tensor.node is not None]):
        inputs = [None if tensor is None else inside.get(tensor, tensor) for tensor in node.inputs]
        provenance = frozenset([node.origin._replace(step=None)])
        for old, new in zip(node.outputs, made(node.op, inputs, provenance), strict=True):
            new.hint = old.hint
            inside[old] = new
    return {place: inside[tensor] for place, tensor in expressions.items()}


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
    """Return what the states are called: as what the body makes of them; with the cell that makes it, where several cells have
    states of one name; else as they were.
    """
    made = body.outputs[: len(own)]
    names = [
        next((name for name in (called, state_name(_last(given))) if name not in ("", "state")), "state")
        for called, given in zip([state_name(known.get(item) or _own_name(item)) for item in made], own, strict=True)
    ]
    if len(set(names)) < len(names):
        cells = [(tensor.node.origin.cell or "") if tensor.node is not None else "" for tensor in made]
        names = [f"{part}/{name}" for part, name in zip(_first_apart(cells), names, strict=True)]
    inputs = {tensor.name for tensor in body.inputs} - set(own)
    return [
        name if names.count(name) == 1 and not name.startswith("/") and name not in inputs else given
        for name, given in zip(names, own, strict=True)
    ]


def _own_name(tensor: Tensor) -> str:
    """Return what a cell calls what it makes; a name that is empty is that of the scope around it."""
    if tensor.node is None or tensor.hint is None:
        return ""
    return (tensor.hint or tensor.node.origin.scope).rpartition("/")[2]


def _first_apart(paths: Sequence[str]) -> list[str]:
    """Return the first part of each path by which it differs from another one; nothing where it is not longer."""
    parts = [path.split("/") for path in paths]
    same = 0
    while all(len(path) > same and path[same] == parts[0][same] for path in parts):
        same += 1
    return [path[same] if len(path) > same else "" for path in parts]


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
