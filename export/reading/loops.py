"""ONNX's Scan as an operator of ours, whose body is a graph and reads nothing but its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import onnx
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto

from unroll.dimensions import Shape
from unroll.export.reading.inner_graphs import ready
from unroll.export.reading.node_readers import InexpressibleError
from unroll.graph import Graph
from unroll.ops.operator import Operator, axis_of
from unroll.ops.scan import Scan
from unroll.ops.shaping import Transpose
from unroll.tensor import LARGEST_KNOWN, Constant, Placeholder, Tensor


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
        self.outputs = len(node.output)
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
        raise InexpressibleError("before opset 9 it ran over a batch as well")
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


#: The readers of nodes that hold graphs.
BODIES: dict[str, Callable[[_Inside], Sequence[Tensor]]] = {"Scan": _scan}
