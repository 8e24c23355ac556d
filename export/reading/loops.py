"""ONNX's Scan, Loop and If as operators of ours, whose bodies are graphs and read nothing but their inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import onnx
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto

from unroll.dimensions import Shape, symbol
from unroll.dtypes import BOOL, INT64, DType
from unroll.export.reading.calls import InexpressibleError
from unroll.export.reading.inner_graphs import ready
from unroll.graph import Graph
from unroll.ops.branches import If
from unroll.ops.loop import Loop
from unroll.ops.operator import Operator, axis_of, made
from unroll.ops.scan import Scan
from unroll.ops.shaping import Transpose
from unroll.scopes import Origin
from unroll.tensor import LARGEST_KNOWN, Constant, Placeholder, Tensor

#: How often the body of a Loop is read, until the shapes of its states hold for every run.
_MOST_READINGS = 4


class Outside(Protocol):
    """The graph in which a node stands, while it is read."""

    def found(self, name: str) -> Tensor:
        """Return the tensor of a name that an inner graph reads."""

    def move_out(self, weight: TensorProto) -> str:
        """Take a weight of an inner graph, and return its name outside."""

    def body(self, graph: GraphProto, given: Mapping[str, Tensor]) -> Graph:
        """Read an inner graph whose inputs, in this order, are the placeholders in `given`."""

    def apply(self, op: Operator, *arguments: Tensor | None) -> tuple[Tensor, ...]:
        """Make a node."""

    def declared(self, name: str, rank: int) -> Shape:
        """Return the shape that the file gives a tensor, with symbols for the sizes that it does not say."""

    def made(self, op: Operator, inputs: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
        """Make a node of an operator with a body, whose inputs are of any dtypes that the body takes."""


def read_with_bodies(
    node: NodeProto, inputs: Sequence[Tensor | None], opset: int, outside: Outside
) -> Sequence[Tensor]:
    """Return the outputs of a node that holds graphs, made of our operators.

    Raises:
        InexpressibleError: they cannot say it.
        UnrollError: they refuse these inputs, or what an inner graph holds.
    """
    return BODIES[node.op_type](_Inside(node, inputs, opset, outside))


class _Inside:
    """A node with inner graphs, of which none holds weights, and what they read of the graph around it."""

    def __init__(self, node: NodeProto, inputs: Sequence[Tensor | None], opset: int, outside: Outside) -> None:
        self.inputs, self.opset, self.outside = inputs, opset, outside
        node, captured = ready(node, outside.move_out)
        self.names, self.outputs = list(node.output), len(node.output)
        self.title = node.name or next((name for name in node.output if name), node.op_type)
        self.attributes: dict[str, Any] = {
            item.name: onnx.helper.get_attribute_value(item)
            for item in node.attribute
            if item.type != AttributeProto.GRAPHS
        }
        #: What is read by name: a small constant is one inside as well, so that shapes stay known.
        self.constants: dict[str, Tensor] = {}
        self.shared: dict[str, Tensor] = {}
        for name, outer in captured.items():
            tensor = outside.found(outer)
            small = isinstance(tensor, Constant) and tensor.value.size <= LARGEST_KNOWN
            (self.constants if small else self.shared)[name] = tensor

    def only(self, *names: str) -> None:
        """Refuse attributes of other names."""
        strange = self.attributes.keys() - set(names)
        if strange:
            raise InexpressibleError(f"attribute {', '.join(sorted(strange))} is not known")

    def tensors(self, least: int = 0) -> list[Tensor]:
        """Return the inputs from a place on, which must all be there."""
        found = [tensor for tensor in self.inputs[least:] if tensor is not None]
        if len(found) != len(self.inputs) - least:
            raise InexpressibleError("an input is left out")
        return found

    def body(self, graph: GraphProto, given: Mapping[str, Placeholder]) -> Graph:
        """Read an inner graph, whose inputs are `given` and what is shared."""
        copies = {
            name: Constant(item.value, name) for name, item in self.constants.items() if isinstance(item, Constant)
        }
        shared = {name: _inner(name, tensor.shape, tensor) for name, tensor in self.shared.items()}
        return self.outside.body(graph, {**given, **shared, **copies})


def _inner(name: str, shape: Shape, tensor: Tensor) -> Placeholder:
    """Return an input of a body for a tensor outside, or for a part of it."""
    found = Placeholder(shape, tensor.dtype, name)
    if shape == tensor.shape:
        found.known = tensor.known
    return found


def _scan(call: _Inside) -> Sequence[Tensor]:
    if call.opset < 9:
        return _scan_of_batches(call)
    flags, axes = ("scan_input_directions", "scan_output_directions"), ("scan_input_axes", "scan_output_axes")
    call.only("body", "num_scan_inputs", *flags, *axes)
    body, scanned = call.attributes["body"], call.attributes["num_scan_inputs"]
    tensors = call.tensors()
    states = len(tensors) - scanned
    stacks = len(body.output) - states
    if scanned < 1 or states < 0 or stacks < 0 or len(body.input) != len(tensors) or call.outputs > len(body.output):
        raise InexpressibleError(f"{len(tensors)} inputs and {call.outputs} outputs do not fit its body")
    rows = [
        _to_front(call, tensor, axis)
        for tensor, axis in zip(tensors[states:], _axes(call.attributes.get(axes[0]), scanned), strict=True)
    ]
    items = [*((tensor, tensor.shape) for tensor in tensors[:states]), *((row, row.shape[1:]) for row in rows)]
    names = [item.name for item in body.input]
    given = {name: _inner(name, shape, tensor) for name, (tensor, shape) in zip(names, items, strict=True)}
    found = call.body(body, given)
    for before, after in zip(found.inputs, found.outputs[:states], strict=False):
        if before.dtype != after.dtype:
            raise InexpressibleError(f"its body makes {after.described()} of {before.described()}")
    ways = [_flags(call.attributes.get(name), count) for name, count in zip(flags, (scanned, stacks), strict=True)]
    op = Scan(found, scanned, len(call.shared), ways[0], ways[1])
    results = list(call.outside.made(op, (*tensors[:states], *rows, *call.shared.values())))
    for place, axis in enumerate(_axes(call.attributes.get(axes[1]), stacks), states):
        results[place] = _from_front(call, results[place], axis)
    return results


def _scan_of_batches(call: _Inside) -> Sequence[Tensor]:
    """Read the Scan of opset 8, which runs over time for each row of a batch: as a Scan over the batch of one over time.

    Its inputs are how long each row is, the states ``(batch, ...)``, and what is scanned, ``(batch, time, ...)``.
    """
    call.only("body", "num_scan_inputs", "directions")
    body, scanned = call.attributes["body"], call.attributes["num_scan_inputs"]
    if call.inputs[0] is not None:
        raise InexpressibleError("rows of several lengths are not read")
    tensors = call.tensors(1)
    states = len(tensors) - scanned
    ranks = [1] * states + [2] * scanned
    short = any(tensor.rank < rank for tensor, rank in zip(tensors, ranks, strict=False))
    if scanned < 1 or states < 0 or short or len(body.input) != len(tensors) or len(body.output) < states:
        raise InexpressibleError(f"{len(tensors)} inputs do not fit its body")
    names = [item.name for item in body.input]
    given = {
        name: _inner(name, tensor.shape[rank:], tensor)
        for name, tensor, rank in zip(names, tensors, ranks, strict=True)
    }
    found = call.body(body, given)
    ways = _flags(call.attributes.get("directions"), scanned)
    over_time = Scan(found, scanned, len(call.shared), ways)
    row = [_inner(name, tensor.shape[1:], tensor) for name, tensor in zip(names, tensors, strict=True)]
    shared = [_inner(name, tensor.shape, tensor) for name, tensor in call.shared.items()]
    inside = Graph([*row, *shared], made(over_time, [*row, *shared], frozenset({Origin("", None, None, None)})))
    return call.outside.made(Scan(inside, len(tensors), len(shared)), (*tensors, *call.shared.values()))


def _axes(values: Sequence[int] | None, count: int) -> Sequence[int]:
    if values and len(values) != count:
        raise InexpressibleError(f"{len(values)} axes for {count} tensors")
    return values or (0,) * count


def _flags(values: Sequence[int] | None, count: int) -> tuple[int, ...] | None:
    if not values or not any(values):
        return None
    if len(values) != count:
        raise InexpressibleError(f"{len(values)} directions for {count} tensors")
    return tuple(int(bool(value)) for value in values)


def _to_front(call: _Inside, tensor: Tensor, axis: int) -> Tensor:
    """Return a tensor whose first axis is one of another's."""
    place = axis_of(axis, tensor.rank)
    order = [place, *(other for other in range(tensor.rank) if other != place)]
    return call.outside.apply(Transpose(tuple(order)), tensor)[0] if place else tensor


def _from_front(call: _Inside, tensor: Tensor, axis: int) -> Tensor:
    """Return a tensor whose first axis is put at another place."""
    place = axis_of(axis, tensor.rank)
    order = [*range(1, place + 1), 0, *range(place + 1, tensor.rank)]
    return call.outside.apply(Transpose(tuple(order)), tensor)[0] if place else tensor


# -- Loop and If ------------------------------------------------------------------------------------------------------


def _loop(call: _Inside) -> Sequence[Tensor]:
    call.only("body")
    graph = call.attributes["body"]
    limit, condition = (call.inputs[place] if place < len(call.inputs) else None for place in (0, 1))
    states = call.tensors(2)
    if len(graph.input) != 2 + len(states) or len(graph.output) < 1 + len(states):
        raise InexpressibleError(f"{len(states)} states do not fit its body")
    _check(limit, INT64, "count")
    _check(condition, BOOL, "condition")
    body = _settled(call, graph, states)
    _check(body.outputs[0], BOOL, "condition for the next run")
    for before, after in zip(body.inputs[2 : 2 + len(states)], body.outputs[1:], strict=False):
        if before.dtype != after.dtype:
            raise InexpressibleError(f"its body makes {after.described()} of {before.described()}")
    ranks = [tensor.rank + (place >= len(states)) for place, tensor in enumerate(body.outputs[1:])]
    op = Loop(body, len(call.shared), _declared(call, ranks))
    return call.outside.made(op, (limit, condition, *states, *call.shared.values()))


def _check(tensor: Tensor | None, dtype: DType, what: str) -> None:
    if tensor is not None and (tensor.dtype != dtype or tensor.rank > 1):
        raise InexpressibleError(f"the {what} is {tensor.described()}")


def _settled(call: _Inside, graph: GraphProto, states: Sequence[Tensor]) -> Graph:
    """Read the body of a Loop with shapes of the states that hold for every run.

    The first run's are tried. A size that the body changes is one that is not known, and the body is read again.

    Raises:
        InexpressibleError: the body changes a rank, or changes so many sizes that this would take long.
    """
    shapes = [list(tensor.shape) for tensor in states]
    own: set[tuple[int, int]] = set()
    for _ in range(_MOST_READINGS):
        names = [item.name for item in graph.input]
        given = {
            names[0]: Placeholder(_declared_rank(graph.input[0]), INT64, names[0]),
            names[1]: Placeholder(_declared_rank(graph.input[1]), BOOL, names[1]),
        }
        for name, shape, tensor in zip(names[2:], shapes, states, strict=True):
            given[name] = Placeholder(tuple(shape), tensor.dtype, name)
        body = call.body(graph, given)
        changed = set(_changed(body, len(states))) - own
        if not changed:
            return body
        own |= changed
        for place, axis in changed:
            shapes[place][axis] = symbol(f"{call.title}/{names[2 + place]}_{axis}")
    raise InexpressibleError("its body changes the sizes of many states")


def _declared_rank(item: ValueInfoProto) -> Shape:
    """Return the shape of one number: of one axis where the file says so."""
    return (1,) * min(len(item.type.tensor_type.shape.dim), 1)


def _changed(body: Graph, states: int) -> Iterator[tuple[int, int]]:
    """Yield the states that a body gives another size, and the axes."""
    for place, (before, after) in enumerate(zip(body.inputs[2 : 2 + states], body.outputs[1:], strict=False)):
        if before.rank != after.rank:
            raise InexpressibleError(f"its body makes {after.described()} of {before.described()}")
        for axis, (old, new) in enumerate(zip(body.shape(before), body.shape(after), strict=True)):
            if old != new:
                yield place, axis


def _if(call: _Inside) -> Sequence[Tensor]:
    call.only("then_branch", "else_branch")
    (condition,) = call.tensors()
    _check(condition, BOOL, "condition")
    branches = [call.body(call.attributes[name], {}) for name in ("then_branch", "else_branch")]
    for one, other in zip(branches[0].outputs, branches[1].outputs, strict=True):
        if one.dtype != other.dtype:
            raise InexpressibleError(f"its branches make {one.described()} and {other.described()}")
    declared = _declared(call, [tensor.rank for tensor in branches[0].outputs])
    return call.outside.made(If(branches[0], branches[1], declared), (condition, *call.shared.values()))


def _declared(call: _Inside, ranks: Sequence[int]) -> tuple[Shape, ...]:
    """Return what the file says of the shapes of the outputs."""
    names = [*call.names, *(f"{call.title}/{place}" for place in range(len(call.names), len(ranks)))]
    return tuple(
        call.outside.declared(name or f"{call.title}/{place}", rank)
        for place, (name, rank) in enumerate(zip(names, ranks, strict=False))
    )


#: The readers of nodes that hold graphs.
BODIES: dict[str, Callable[[_Inside], Sequence[Tensor]]] = {"If": _if, "Loop": _loop, "Scan": _scan}
