"""ONNX nodes as unroll's operators: what differs between opsets 7 and 27 is brought to one form here.

A row of `READERS` is an operator whose attributes or inputs need more than their names; every other operator of ours is read
by `_plain`. What cannot be said with our operators raises `InexpressibleError`, and the node passes through as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import onnx
from onnx import AttributeProto, NodeProto, numpy_helper

from unroll.dtypes import ALL, INT64
from unroll.export.reading.opaque_nodes import DTYPES
from unroll.ops import OPERATORS
from unroll.ops.arithmetic import Add, Div
from unroll.ops.choices import Clip, Max, Min
from unroll.ops.convolution import Conv
from unroll.ops.filling import ConstantOfShape, Shape_
from unroll.ops.functions import Cast, Identity
from unroll.ops.joining import Split
from unroll.ops.operator import Operator, axis_of
from unroll.ops.padding import Pad
from unroll.ops.pooling import Pool
from unroll.ops.recurrent import GRU, LSTM, RNN
from unroll.ops.reduction import LogSoftmax, Softmax
from unroll.ops.shaping import Reshape, Squeeze, Transpose, Unsqueeze
from unroll.ops.slicing import END, Slice
from unroll.ops.windows import SAME_UPPER
from unroll.tensor import Constant, Tensor


class InexpressibleError(Exception):
    """Our operators cannot say what a node does."""


class Call(NamedTuple):
    """A node to be read."""

    op_type: str
    inputs: tuple[Tensor | None, ...]
    attributes: dict[str, Any]
    opset: int
    outputs: int  #: how many it has, including those left out
    apply: Callable[..., tuple[Tensor, ...]]  #: makes a node of an operator and its inputs

    def tensor(self, place: int) -> Tensor:
        """Return an input that must be there.

        Raises:
            InexpressibleError: it is left out.
        """
        tensor = self.input(place)
        if tensor is None:
            raise InexpressibleError(f"input {place} is left out")
        return tensor

    def input(self, place: int) -> Tensor | None:
        """Return an input, or None where it is left out."""
        return self.inputs[place] if place < len(self.inputs) else None


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
#: Attributes that change nothing where they have this value.
_NEUTRAL: dict[tuple[str, str], Any] = {
    ("ArgMax", "select_last_index"): 0,
    ("Cast", "saturate"): 1,
    ("Cast", "round_mode"): "up",
    ("AveragePool", "ceil_mode"): 0,
    ("AveragePool", "count_include_pad"): 0,
    ("MaxPool", "ceil_mode"): 0,
    ("MaxPool", "storage_order"): 0,
    ("LayerNormalization", "stash_type"): 1,
    ("Reshape", "allowzero"): 0,
}


def _without(call: Call, *names: str) -> dict[str, Any]:
    """Return the attributes that are not read yet.

    Raises:
        InexpressibleError: there is one that unroll does not know.
    """
    rest = {name: value for name, value in call.attributes.items() if name not in names}
    return {name: value for name, value in rest.items() if not _is_neutral(call.op_type, name, value)}


def _is_neutral(op_type: str, name: str, value: Any) -> bool:
    return (op_type, name) in _NEUTRAL and not isinstance(value, np.ndarray) and bool(_NEUTRAL[op_type, name] == value)


def _only(call: Call, *names: str) -> None:
    rest = _without(call, *names)
    if rest:
        raise InexpressibleError(f"attribute {', '.join(rest)} is not known")


def _plain(call: Call) -> Sequence[Tensor]:
    """Read an operator whose attributes are our fields by the same names."""
    kind = OPERATORS["", call.op_type]
    given = _without(call)
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


def _ints(values: Sequence[int]) -> Constant:
    return Constant(np.array(values, INT64))


# -- attributes that became inputs ------------------------------------------------------------------------------------


def _axes(call: Call) -> Tensor | None:
    """Return the axes of an operator, which were an attribute once."""
    axes = call.attributes.get("axes")
    return call.input(1) if axes is None else _ints(axes)


def _squeeze(call: Call) -> Sequence[Tensor]:
    _only(call, "axes")
    return call.apply(Squeeze(), call.tensor(0), _axes(call))


def _unsqueeze(call: Call) -> Sequence[Tensor]:
    _only(call, "axes")
    return call.apply(Unsqueeze(), call.tensor(0), _axes(call))


def _reduction(call: Call) -> Sequence[Tensor]:
    _only(call, "axes", "keepdims", "noop_with_empty_axes")
    kind: Any = OPERATORS["", call.op_type]
    op = kind(call.attributes.get("keepdims", 1), call.attributes.get("noop_with_empty_axes", 0))
    return call.apply(op, call.tensor(0), _axes(call))


def _split(call: Call) -> Sequence[Tensor]:
    _only(call, "axis", "split", "num_outputs")
    x = call.tensor(0)
    axis = axis_of(call.attributes.get("axis", 0), x.rank)
    sizes = call.attributes.get("split")
    given = call.input(1) if sizes is None else _ints(sizes)
    if given is not None:
        return call.apply(Split(axis), x, given)
    return call.apply(Split(axis, call.outputs), x)


def _slice(call: Call) -> Sequence[Tensor]:
    if call.opset >= 10:
        return _plain(call)
    _only(call, "starts", "ends", "axes")
    axes = call.attributes.get("axes")
    bounds = [_ints(call.attributes["starts"]), _ints([min(end, END) for end in call.attributes["ends"]])]
    return call.apply(Slice(), call.tensor(0), *bounds, None if axes is None else _ints(axes))


def _clip(call: Call) -> Sequence[Tensor]:
    if call.opset >= 11:
        return _plain(call)
    _only(call, "min", "max")
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
    _only(call, "axis")
    x = call.tensor(0)
    kind = Softmax if call.op_type == "Softmax" else LogSoftmax
    axis = axis_of(call.attributes.get("axis", -1 if call.opset >= 13 else 1), x.rank)
    if call.opset < 13 and axis != x.rank - 1:
        raise InexpressibleError("before opset 13 it ran over all axes from this one on")
    return call.apply(kind(axis), x)


def _cast(call: Call) -> Sequence[Tensor]:
    _only(call, "to")
    dtype = DTYPES.get(call.attributes["to"])
    if dtype not in ALL:
        raise InexpressibleError("it casts to what is no dtype of ours")
    return call.apply(Cast(dtype), call.tensor(0))


def _cast_like(call: Call) -> Sequence[Tensor]:
    _only(call, "saturate")
    if call.tensor(1).dtype not in ALL:
        raise InexpressibleError("it casts to what is no dtype of ours")
    return call.apply(Cast(call.tensor(1).dtype), call.tensor(0))


def _reciprocal(call: Call) -> Sequence[Tensor]:
    _only(call)
    x = call.tensor(0)
    return call.apply(Div(), Constant(np.array(1, x.dtype)), x)


def _transpose(call: Call) -> Sequence[Tensor]:
    _only(call, "perm")
    x = call.tensor(0)
    return call.apply(Transpose(tuple(call.attributes.get("perm", range(x.rank)[::-1]))), x)


def _reshape(call: Call) -> Sequence[Tensor]:
    wanted = call.tensor(1).known
    keeps_zeros = call.attributes.get("allowzero", 0) and not (isinstance(wanted, tuple) and 0 not in wanted)
    if keeps_zeros:
        raise InexpressibleError("a 0 in the shape may mean 0")
    return call.apply(Reshape(), *call.inputs)


def _shape(call: Call) -> Sequence[Tensor]:
    _only(call, "start", "end")
    shape = call.apply(Shape_(), call.tensor(0))
    if not call.attributes:
        return shape
    bounds = [_ints([call.attributes.get("start", 0)]), _ints([call.attributes.get("end", END)])]
    return call.apply(Slice(), *shape, *bounds, _ints([0]))


def _constant(call: Call) -> Sequence[Tensor]:
    for name, dtype in {"value": None, "value_float": np.float32, "value_floats": np.float32}.items():
        if name in call.attributes:
            array = np.array(call.attributes[name], dtype)
            return [Constant(array)]
    for name in ("value_int", "value_ints"):
        if name in call.attributes:
            return [_ints(call.attributes[name])]
    raise InexpressibleError("its value is not a tensor")


def _constant_of_shape(call: Call) -> Sequence[Tensor]:
    _only(call, "value")
    value = call.attributes.get("value", np.zeros(1, np.float32))
    if value.size != 1 or value.dtype not in ALL:
        raise InexpressibleError(f"{value.size} values of {value.dtype}: one of a dtype of ours is wanted")
    return call.apply(ConstantOfShape(value.item(), value.dtype), call.tensor(0))


def _conv(call: Call) -> Sequence[Tensor]:
    _only(call, "auto_pad", "kernel_shape", "strides", "pads", "dilations", "group")
    window = tuple(size for size in call.tensor(1).shape[2:] if isinstance(size, int))
    if len(window) != call.tensor(1).rank - 2 or call.attributes.get("kernel_shape", window) != window:
        raise InexpressibleError("the size of its window is not known")
    group = call.attributes.get("group", 1)
    if group < 1:
        raise InexpressibleError(f"{group} groups")
    strides, pads, dilations, auto = _window(call, window)
    return call.apply(Conv(window, strides, pads, dilations, group, auto), *call.inputs)


def _pool(call: Call) -> Sequence[Tensor]:
    _only(call, "auto_pad", "kernel_shape", "strides", "pads", "dilations")
    kind: Any = OPERATORS["", call.op_type]
    window = call.attributes.get("kernel_shape", ())
    strides, pads, dilations, auto = _window(call, window)
    if min(window, default=0) < 1 or any(by > 1 for by in dilations):
        raise InexpressibleError(f"a window of {window}, dilations of {dilations}")
    if call.outputs > 1:
        raise InexpressibleError("the places of the largest are wanted as well")
    op: Pool = kind(window, strides, pads, auto)
    return call.apply(op, call.tensor(0))


def _window(
    call: Call, window: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...] | None, tuple[int, ...], str | None]:
    """Return strides, pads, dilations and automatic padding of an operator over windows."""
    ones, given, count = (1,) * len(window), call.attributes, len(window)
    strides, dilations = given.get("strides", ones), given.get("dilations", ones)
    auto, pads = given.get("auto_pad", "NOTSET"), given.get("pads", (0,) * 2 * count)
    if auto not in ("NOTSET", "VALID", SAME_UPPER) or (auto != "NOTSET" and any(pads)):
        raise InexpressibleError(f"auto_pad of {auto}")
    if len(pads) != 2 * count or min(pads, default=0) < 0:
        raise InexpressibleError(f"pads of {pads}")
    if len(strides) != count or len(dilations) != count or min((*strides, *dilations), default=1) < 1:
        raise InexpressibleError(f"strides of {strides}, dilations of {dilations}")
    return strides, None if auto == SAME_UPPER else pads, dilations, SAME_UPPER if auto == SAME_UPPER else None


def _pad(call: Call) -> Sequence[Tensor]:
    _only(call, "mode")
    mode = call.attributes.get("mode", "constant")
    if call.opset < 11 or mode != "constant" or len(call.inputs) > 3:
        raise InexpressibleError(f"mode {mode}, {len(call.inputs)} inputs, opset {call.opset}")
    return call.apply(Pad(), *call.inputs)


def _recurrent(kind: type[GRU | LSTM | RNN]) -> Read:
    """Return the reader of a recurrent operator, whose width ONNX lets one leave out."""

    def read(call: Call) -> Sequence[Tensor]:
        weights = call.tensor(2)
        if not weights.rank:
            raise InexpressibleError("the weights of the state are one number")
        given = {"hidden_size": weights.shape[-1]} | _without(call)
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
        _only(call)
        tensors = [call.tensor(place) for place in range(len(call.inputs))]
        if len(tensors) == 1:
            return call.apply(Identity(), tensors[0])
        result = tensors[0]
        for tensor in tensors[1:]:
            (result,) = call.apply(op(), result, tensor)
        return [result]

    return read


READERS: dict[str, Read] = {
    "AveragePool": _pool,
    "Cast": _cast,
    "CastLike": _cast_like,
    "Clip": _clip,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Conv": _conv,
    "Dropout": _dropout,
    "LayerNormalization": _layer_normalization,
    "LogSoftmax": _softmax,
    "Max": _chain(Max),
    "MaxPool": _pool,
    "Min": _chain(Min),
    "Pad": _pad,
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
