"""Copies of nodes and graphs without the weights in them, which may be nearly all of a file."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

#: So many elements of a tensor take part in inferring shapes and in checks.
_MANY = 4096
_FLOATS = (TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BFLOAT16)

#: The fields in which a tensor's elements are.
_DATA = tuple(
    "raw_data float_data int32_data string_data int64_data double_data uint64_data".split()  # noqa: SIM905
)

#: Says whether an initializer is to be copied into the graph that is given; it may do something else with it.
Take = Callable[[GraphProto, TensorProto], bool]
#: Copies a tensor to an empty one.
Write = Callable[[TensorProto, TensorProto], None]


def _whole(source: TensorProto, target: TensorProto) -> None:
    target.CopyFrom(source)


def copy_node(source: NodeProto, target: NodeProto, take: Take, write: Write = _whole) -> None:
    """Copy a node.

    Args:
        source: the node.
        target: an empty one.
        take: is asked of each initializer of the graphs in it.
        write: copies a tensor.
    """
    if not any(_holds_much(item) for item in source.attribute):
        target.CopyFrom(source)
        return
    _copy_fields(source, target, "attribute")
    for item in source.attribute:
        if not _holds_much(item):
            target.attribute.add().CopyFrom(item)
            continue
        copy = target.attribute.add()
        _copy_fields(item, copy, "g", "graphs", "t")
        if item.HasField("g"):
            copy_graph(item.g, copy.g, take, write)
        for graph in item.graphs:
            copy_graph(graph, copy.graphs.add(), take, write)
        if item.HasField("t"):
            write(item.t, copy.t)


def copy_graph(source: GraphProto, target: GraphProto, take: Take, write: Write = _whole) -> None:
    """Copy a graph; see `copy_node`."""
    _copy_fields(source, target, "initializer", "node")
    for weight in source.initializer:
        if take(target, weight):
            write(weight, target.initializer.add())
    for node in source.node:
        copy_node(node, target.node.add(), take, write)


def for_shapes(model: ModelProto) -> ModelProto:
    """Return a copy of a model for inferring shapes: of large tensors of floats there are only type and shape."""
    return _light(model, _shape_alone)


def for_checking(model: ModelProto) -> ModelProto:
    """Return a copy of a model for onnx's checker, which looks at no shape: large tensors are empty."""
    return _light(model, _emptied)


def _light(model: ModelProto, write: Write) -> ModelProto:
    found = ModelProto()
    _copy_fields(model, found, "graph")
    copy_graph(model.graph, found.graph, lambda graph, weight: True, write)
    return found


def _shape_alone(source: TensorProto, target: TensorProto) -> None:
    if source.data_type in _FLOATS and prod(source.dims) > _MANY:
        _copy_fields(source, target, *_DATA)
    else:
        target.CopyFrom(source)


def _emptied(source: TensorProto, target: TensorProto) -> None:
    if prod(source.dims) > _MANY:
        _copy_fields(source, target, "dims", "external_data", "data_location", *_DATA)
        target.dims.append(0)
    else:
        target.CopyFrom(source)


def _copy_fields(source: Any, target: Any, *but: str) -> None:
    """Copy the fields of a message, but for those named."""
    for field, value in source.ListFields():
        if field.name in but:
            continue
        if hasattr(value, "extend"):
            getattr(target, field.name).extend(value)
        elif hasattr(value, "CopyFrom"):
            getattr(target, field.name).CopyFrom(value)
        else:
            setattr(target, field.name, value)


def _holds_much(item: AttributeProto) -> bool:
    return item.HasField("g") or bool(item.graphs) or (item.HasField("t") and prod(item.t.dims) > _MANY)
