"""ONNX nodes as unroll's operators: what differs between opsets 7 and 27 is brought to one form here.

A row of `READERS` is an operator whose attributes or inputs need more than their names; every other operator of ours is read
by `_plain`. What cannot be said with our operators raises `InexpressibleError`, and the node passes through as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import AttributeProto, NodeProto, numpy_helper

from unroll.dtypes import ALL
from unroll.export.reading.calls import Call, InexpressibleError, ints_of, only, without
from unroll.export.reading.opaque_nodes import DTYPES
from unroll.export.reading.window_readers import read_conv, read_pad, read_pool
from unroll.ops import OPERATORS
from unroll.ops.arithmetic import Add, Div
from unroll.ops.choices import Clip, Max, Min
from unroll.ops.filling import ConstantOfShape, Shape_
from unroll.ops.functions import Cast, Identity
from unroll.ops.joining import Split
from unroll.ops.operator import Operator, axis_of
from unroll.ops.recurrent import GRU, LSTM, RNN
from unroll.ops.reduction import LogSoftmax, Softmax
from unroll.ops.shaping import Reshape, Squeeze, Transpose, Unsqueeze
from unroll.ops.slicing import END, Slice
from unroll.tensor import Constant, Tensor

Read: TypeAlias = Callable[[Call], Sequence[Tensor]]


def read_node(node: NodeProto, inputs: Sequence[Tensor | None], opset: int, apply: Any) -> Sequence[Tensor]:
    """Return the outputs of a node of ONNX's own domain, made of our operators.

    Raises:
        InexpressibleError: they cannot say it.
        UnrollError: they refuse these inputs.
    """
    reader = READERS.get(node.op_type, _plain if ("", node.op_type) in OPERATORS else None)
    if reader is None:
        raise InexpressibleError(f"{node.op_type} is not known")
    attributes = {item.name: _attribute(item) for item in node.attribute}
    return reader(Call(node.op_type, tuple(inputs), attributes, opset, len(node.output), apply))


def _attribute(item: AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(item)
    if item.type == AttributeProto.STRING:
        return value.decode(errors="replace")
    if item.type == AttributeProto.STRINGS:
        return tuple(text.decode(errors="replace") for text in value)
    if item.type == AttributeProto.TENSOR:
        try:
            return numpy_helper.to_array(value)
        except (ValueError, TypeError, KeyError) as error:
            raise InexpressibleError(f"attribute {item.name} does not hold what it says") from error
    if item.type in (AttributeProto.INTS, AttributeProto.FLOATS):
        return tuple(value)
    if item.type in (AttributeProto.INT, AttributeProto.FLOAT):
        return value
    raise InexpressibleError(f"attribute {item.name} holds a graph")


#: The recurrent operators, by name.
RECURRENT: dict[str, type[GRU | LSTM | RNN]] = {"GRU": GRU, "LSTM": LSTM, "RNN": RNN}


def _plain(call: Call) -> Sequence[Tensor]:
    """Read an operator whose attributes are our fields by the same names."""
    kind = OPERATORS["", call.op_type]
    given = without(call)
    known = _fields(kind)
    strange = given.keys() - known.keys()
    wanting = [name for name, item in known.items() if item.default is MISSING and name not in given]
    if strange or wanting:
        raise InexpressibleError(f"attribute {', '.join([*strange, *wanting])} is not known")
    if "axis" in given:
        given["axis"] = axis_of(given["axis"], call.tensor(0).rank)
    return call.apply(kind(**given), *call.inputs)


def _fields(kind: Any) -> dict[str, Field[Any]]:
    return {item.name: item for item in fields(kind)} if is_dataclass(kind) else {}


# -- attributes that became inputs ------------------------------------------------------------------------------------


def _axes(call: Call) -> Tensor | None:
    """Return the axes of an operator, which were an attribute once."""
    axes = call.attributes.get("axes")
    return call.input(1) if axes is None else ints_of(axes)


def _squeeze(call: Call) -> Sequence[Tensor]:
    only(call, "axes")
    return call.apply(Squeeze(), call.tensor(0), _axes(call))


def _unsqueeze(call: Call) -> Sequence[Tensor]:
    only(call, "axes")
    return call.apply(Unsqueeze(), call.tensor(0), _axes(call))


def _reduction(call: Call) -> Sequence[Tensor]:
    only(call, "axes", "keepdims", "noop_with_empty_axes")
    kind: Any = OPERATORS["", call.op_type]
    op = kind(call.attributes.get("keepdims", 1), call.attributes.get("noop_with_empty_axes", 0))
    return call.apply(op, call.tensor(0), _axes(call))


def _split(call: Call) -> Sequence[Tensor]:
    only(call, "axis", "split", "num_outputs")
    x = call.tensor(0)
    axis = axis_of(call.attributes.get("axis", 0), x.rank)
    sizes = call.attributes.get("split")
    given = call.input(1) if sizes is None else ints_of(sizes)
    if given is not None:
        return call.apply(Split(axis), x, given)
    return call.apply(Split(axis, call.outputs), x)


def _slice(call: Call) -> Sequence[Tensor]:
    if call.opset >= 10:
        return _plain(call)
    only(call, "starts", "ends", "axes")
    axes = call.attributes.get("axes")
    bounds = [ints_of(call.attributes["starts"]), ints_of([min(end, END) for end in call.attributes["ends"]])]
    return call.apply(Slice(), call.tensor(0), *bounds, None if axes is None else ints_of(axes))


def _clip(call: Call) -> Sequence[Tensor]:
    if call.opset >= 11:
        return _plain(call)
    only(call, "min", "max")
    x = call.tensor(0)
    if x.dtype.kind != "f":
        raise InexpressibleError("before opset 11 it took floats")
    bounds = [call.attributes.get(name) for name in ("min", "max")]
    return call.apply(Clip(), x, *(None if bound is None else Constant(np.array(bound, x.dtype)) for bound in bounds))


def _dropout(call: Call) -> Sequence[Tensor]:
    """Read what Dropout is outside training: nothing."""
    training = call.input(2)
    if call.outputs > 1 or not (training is None or (isinstance(training, Constant) and not training.value.any())):
        raise InexpressibleError("it is for training")
    return call.apply(Identity(), call.tensor(0))


def _layer_normalization(call: Call) -> Sequence[Tensor]:
    if call.outputs > 1:
        raise InexpressibleError("the mean and the spread are wanted as well")
    return _plain(call)


# -- attributes of another form ---------------------------------------------------------------------------------------


def _softmax(call: Call) -> Sequence[Tensor]:
    only(call, "axis")
    x = call.tensor(0)
    kind = Softmax if call.op_type == "Softmax" else LogSoftmax
    axis = axis_of(call.attributes.get("axis", -1 if call.opset >= 13 else 1), x.rank)
    if call.opset < 13 and axis != x.rank - 1:
        raise InexpressibleError("before opset 13 it ran over all axes from this one on")
    return call.apply(kind(axis), x)


def _cast(call: Call) -> Sequence[Tensor]:
    only(call, "to")
    dtype = DTYPES.get(call.attributes["to"])
    if dtype not in ALL:
        raise InexpressibleError("it casts to what is no dtype of ours")
    return call.apply(Cast(dtype), call.tensor(0))


def _cast_like(call: Call) -> Sequence[Tensor]:
    only(call, "saturate")
    if call.tensor(1).dtype not in ALL:
        raise InexpressibleError("it casts to what is no dtype of ours")
    return call.apply(Cast(call.tensor(1).dtype), call.tensor(0))


def _reciprocal(call: Call) -> Sequence[Tensor]:
    only(call)
    x = call.tensor(0)
    return call.apply(Div(), Constant(np.array(1, x.dtype)), x)


def _transpose(call: Call) -> Sequence[Tensor]:
    only(call, "perm")
    x = call.tensor(0)
    return call.apply(Transpose(tuple(call.attributes.get("perm", range(x.rank)[::-1]))), x)


def _reshape(call: Call) -> Sequence[Tensor]:
    wanted = call.tensor(1).known
    keeps_zeros = call.attributes.get("allowzero", 0) and not (isinstance(wanted, tuple) and 0 not in wanted)
    if keeps_zeros:
        raise InexpressibleError("a 0 in the shape may mean 0")
    return call.apply(Reshape(), *call.inputs)


def _shape(call: Call) -> Sequence[Tensor]:
    only(call, "start", "end")
    shape = call.apply(Shape_(), call.tensor(0))
    if not call.attributes:
        return shape
    bounds = [ints_of([call.attributes.get("start", 0)]), ints_of([call.attributes.get("end", END)])]
    return call.apply(Slice(), *shape, *bounds, ints_of([0]))


def _constant(call: Call) -> Sequence[Tensor]:
    for name, dtype in {"value": None, "value_float": np.float32, "value_floats": np.float32}.items():
        if name in call.attributes:
            array = np.array(call.attributes[name], dtype)
            return [Constant(array)]
    for name in ("value_int", "value_ints"):
        if name in call.attributes:
            return [ints_of(call.attributes[name])]
    raise InexpressibleError("its value is not a tensor")


def _constant_of_shape(call: Call) -> Sequence[Tensor]:
    only(call, "value")
    value = call.attributes.get("value", np.zeros(1, np.float32))
    if value.size != 1 or value.dtype not in ALL:
        raise InexpressibleError(f"{value.size} values of {value.dtype}: one of a dtype of ours is wanted")
    return call.apply(ConstantOfShape(value.item(), value.dtype), call.tensor(0))


def _recurrent(kind: type[GRU | LSTM | RNN]) -> Read:
    """Return the reader of a recurrent operator, whose width ONNX lets one leave out."""

    def read(call: Call) -> Sequence[Tensor]:
        weights = call.tensor(2)
        if not weights.rank:
            raise InexpressibleError("the weights of the state are one number")
        given = {"hidden_size": weights.shape[-1]} | without(call)
        strange = given.keys() - _fields(kind).keys()
        if strange or not isinstance(given["hidden_size"], int):
            raise InexpressibleError(f"attribute {', '.join(strange) or 'hidden_size'} is not known")
        op = kind(**given)
        if op.open_meaning:
            raise InexpressibleError(op.open_meaning)
        return call.apply(op, *call.inputs)

    return read


def _chain(op: type[Operator]) -> Read:
    """Return the reader of an operator of any number of inputs that ours takes two at a time."""

    def read(call: Call) -> Sequence[Tensor]:
        only(call)
        tensors = [call.tensor(place) for place in range(len(call.inputs))]
        if len(tensors) == 1:
            return call.apply(Identity(), tensors[0])
        result = tensors[0]
        for tensor in tensors[1:]:
            (result,) = call.apply(op(), result, tensor)
        return [result]

    return read


READERS: dict[str, Read] = {
    "AveragePool": read_pool,
    "Cast": _cast,
    "CastLike": _cast_like,
    "Clip": _clip,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Conv": read_conv,
    "Dropout": _dropout,
    "LayerNormalization": _layer_normalization,
    "LogSoftmax": _softmax,
    "Max": _chain(Max),
    "MaxPool": read_pool,
    "Min": _chain(Min),
    "Pad": read_pad,
    "Reciprocal": _reciprocal,
    "ReduceMax": _reduction,
    "ReduceMean": _reduction,
    "ReduceMin": _reduction,
    "ReduceSum": _reduction,
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "Softmax": _softmax,
    "Split": _split,
    "Squeeze": _squeeze,
    "Sum": _chain(Add),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
} | {name: _recurrent(kind) for name, kind in RECURRENT.items()}
