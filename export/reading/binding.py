"""Sizes by name and inputs by value, put into a file's model before it is read.

What follows from them is then known to whoever infers shapes, ONNX's own inference among them, so that operators we do not
know get their sizes too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TypeProto, ValueInfoProto, helper, numpy_helper

from unroll.dimensions import Dim, Dimension, Shape, parse_dimension, shape_text, substitute, symbol
from unroll.dtypes import Array, cast_array
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError
from unroll.export.reading.opaque_nodes import dims_of, dtype_of
from unroll.sizes import checked_dims
from unroll.words import closest

_NAMES = re.compile(r"\w+")


def bound_model(
    model: ModelProto, dims: Mapping[str, int] | None, values: Mapping[str, Any] | None, what: str = "from_onnx"
) -> ModelProto:
    """Return a model with sizes and inputs fixed; the one that is given stays as it is.

    Args:
        model: a model that was loaded, and so checked.
        dims: sizes by the names of symbols of the inputs; a size that has no name is called ``<input>_<axis>``.
        values: arrays by the names of inputs, which the model then has no more.
        what: who asks, for messages.

    Raises:
        ArgumentTypeError: `dims` or `values` are no dicts by name.
        ArgumentError: no symbol, or no input, has that name; the message lists those there are.
        ShapeError, DTypeError: a value does not fit its input.
    """
    if values is not None and not isinstance(values, Mapping):
        raise ArgumentTypeError(f"{what}: values: a dict {{input: array}} is wanted, not {type(values).__name__}")
    if not dims and not values:
        return model
    symbols = _symbols(model)
    sizes = checked_dims(dims, symbols, what)
    arrays = checked_values(model, values or {}, sizes, what)
    found = ModelProto()
    found.CopyFrom(model)
    graph = found.graph
    for item in _inputs(found):
        for axis, dim in enumerate(dims_of(item.type, item.name)):
            _put(item.type, axis, substitute(dim, sizes))
    for item in (*graph.output, *graph.value_info):
        for axis, size in enumerate(item.type.tensor_type.shape.dim):
            if size.dim_param:
                dim = substitute(parse_dimension(size.dim_param), sizes)
                named = not sizes.keys().isdisjoint(_NAMES.findall(size.dim_param))
                if named and isinstance(dim, Dimension) and not dim.symbols.issubset(symbols):
                    size.Clear()  # no polynomial, such as (width//2): it is inferred again, from the sizes that are given
                else:
                    _put(item.type, axis, dim)
    if arrays:
        kept = [item for item in graph.input if item.name not in arrays]
        del graph.input[:]
        graph.input.extend(kept)
        nodes = [_constant(name, array) for name, array in arrays.items()]
        nodes += graph.node
        del graph.node[:]
        graph.node.extend(nodes)
    return found


def _inputs(model: ModelProto) -> list[ValueInfoProto]:
    """Return the inputs that are fed."""
    weights = {item.name for item in model.graph.initializer}
    return [item for item in model.graph.input if item.name not in weights and item.type.HasField("tensor_type")]


def _symbols(model: ModelProto) -> list[str]:
    shapes = (dims_of(item.type, item.name) for item in _inputs(model))
    return sorted({name for shape in shapes for dim in shape if isinstance(dim, Dimension) for name in dim.symbols})


def _put(kind: TypeProto, axis: int, size: Dim) -> None:
    dim = kind.tensor_type.shape.dim[axis]
    if isinstance(size, int):
        dim.dim_value = size
    elif dim.dim_param:
        dim.dim_param = str(size)


def _constant(name: str, array: Array) -> NodeProto:
    return helper.make_node("Constant", [], [name], f"{name}/given", value=numpy_helper.from_array(array, name))


def checked_values(model: ModelProto, values: Mapping[str, Any], sizes: dict[str, int], what: str) -> dict[str, Array]:
    """Return the values of inputs, cast to their dtypes; what the sizes of an array say of symbols is added to `sizes`.

    Raises:
        ArgumentError: no input has that name; the message lists those there are.
        ShapeError, DTypeError: a value does not fit its input.
    """
    there = {item.name: item for item in _inputs(model)}
    found = {}
    for name, value in values.items():
        if name not in there:
            raise ArgumentError(f"{what}: values hold {name!r}, which is no input; {closest(str(name), list(there))}")
        kind = there[name].type
        array = np.array(cast_array(value, dtype_of(kind, f"input {name!r}"), f"{what}: values: {name}"))
        if not kind.tensor_type.HasField("shape"):
            found[name] = array
            continue
        shape = dims_of(kind, name)
        if not _fits(array.shape, shape, sizes):
            raise ShapeError(
                f"{what}: values: {name} of shape {shape_text(array.shape)} was given, {shape_text(shape)} is wanted"
                + (f", where {', '.join(f'{key} = {size}' for key, size in sizes.items())}" if sizes else "")
            )
        found[name] = array
    return found


def _fits(seen: tuple[int, ...], wanted: Shape, sizes: dict[str, int]) -> bool:
    """Say whether an array has a shape; a symbol that has no number yet gets one."""
    if len(seen) != len(wanted):
        return False
    for size, dim in zip(seen, wanted, strict=True):
        bound = substitute(dim, sizes)
        if isinstance(bound, Dimension) and len(bound.symbols) == 1 and bound == symbol(*bound.symbols):
            sizes[next(iter(bound.symbols))] = size
        elif bound != size:
            return False
    return True
