"""Division of the least whole number by -1, whose result the dtype cannot hold: the processor traps it.

onnxruntime 1.29 to 1.32 on x86-64 hands ``Div`` of int32 and int64 to the processor, which then ends the process (SIGFPE);
while constants are folded, when the model is loaded, too. NumPy wraps, and gives the least number again. So the copy of a model
that onnxruntime gets divides by 1 there instead of by -1, which gives that number. It is done where both operands may be so:
not for floats, and not where the divisor is a constant without -1, as in the arithmetic of shapes. A division inside of a
model's own function is not looked at, for its dtype is the caller's. A division by 0 is an error of onnxruntime by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from unroll.dtypes import INT64, DType
from unroll.export.guards.node_changes import Change, changed
from unroll.export.node_walk import all_nodes, bodies, is_native

_WHOLE: dict[int, DType] = {int(TensorProto.INT32): np.dtype("int32"), int(TensorProto.INT64): INT64}
#: Operators whose result has a dtype of its own; others have that of their first input, and Where of its second.
_OWN: dict[str, int] = dict.fromkeys(
    ["Shape", "Size", "ArgMax", "ArgMin", "NonZero"], int(TensorProto.INT64)
) | dict.fromkeys(
    ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "And", "Or"], int(TensorProto.BOOL)
)


class _Known(NamedTuple):
    """What is known of tensors by name: their dtypes, and the arrays of constants."""

    kinds: dict[str, int]
    constants: dict[str, TensorProto]


def with_safe_division(model: ModelProto) -> ModelProto:
    """Return a model that computes the same, and whose divisions of whole numbers end no process.

    Args:
        model: the model; it is not changed.

    Returns:
        The model itself where it holds no such division.
    """
    if not any(node.op_type == "Div" for node in all_nodes(model)):
        return model
    return changed(model, lambda model: _divisions(model.graph, 0, _Known({}, {})))


def _divisions(graph: GraphProto, depth: int, outside: _Known) -> Iterator[Change]:
    """Yield what guards each division that may be trapped."""
    known = _Known(dict(outside.kinds), dict(outside.constants))
    for item in (*graph.input, *graph.value_info):
        known.kinds[item.name] = item.type.tensor_type.elem_type
        known.constants.pop(item.name, None)
    for array in graph.initializer:
        known.kinds[array.name] = array.data_type
        known.constants[array.name] = array
    for item in graph.input:  # what is fed replaces an initializer of its name
        known.constants.pop(item.name, None)
    for at, node in enumerate(graph.node):
        for body in bodies(node) if node.attribute else ():
            yield from _divisions(body, depth + 1, known)
        _learn(node, known)
        if node.op_type == "Div" and is_native(node) and len(node.input) == 2:
            kind = known.kinds.get(node.input[0]) or known.kinds.get(node.input[1]) or 0
            divisor = known.constants.get(node.input[1])
            if kind in _WHOLE and _may_be(divisor, -1):
                yield Change(graph, depth, at, partial(_guard, kind))


def _learn(node: NodeProto, known: _Known) -> None:
    """Note what dtype a node makes, and the array of a Constant."""
    attributes: Mapping[str, Any] = {item.name: item for item in node.attribute}
    if node.op_type == "Constant" and "value" in attributes:
        known.constants[node.output[0]] = attributes["value"].t
        known.kinds[node.output[0]] = attributes["value"].t.data_type
        return
    for body in bodies(node) if attributes else ():  # what an If, Loop or Scan gives has the dtypes that its bodies say
        given = body.output[1:] if node.op_type == "Loop" else body.output  # a Loop's condition is not among them
        for name, item in zip(node.output, given, strict=False):
            known.kinds.setdefault(name, item.type.tensor_type.elem_type)
        return
    if node.op_type == "Cast" and "to" in attributes:
        kind = attributes["to"].i
    elif node.op_type in _OWN:
        kind = _OWN[node.op_type]
    else:
        first = node.input[1:2] if node.op_type == "Where" else node.input[:1]
        kind = known.kinds.get(first[0], 0) if first else 0
    for name in node.output:
        known.kinds.setdefault(name, kind)


def _may_be(array: TensorProto | None, number: int) -> bool:
    """Say whether a tensor may hold a number; a constant that cannot be read here may."""
    if array is None or array.data_location == TensorProto.EXTERNAL:
        return True
    try:
        return bool((numpy_helper.to_array(array) == number).any())
    except (ValueError, TypeError, KeyError):  # it does not hold what it says
        return True


def _guard(kind: int, node: NodeProto) -> list[NodeProto]:
    """Let a division divide by 1 where it would be of the least number by -1, and be an error where it would be by 0.

    Returns:
        The nodes that find that out.
    """
    whole = _WHOLE[kind]
    begin = f"{node.output[0]}/divisor"  # nodes may share a name, and tensors may not
    numbers: dict[str, Any] = {"least": np.iinfo(whole).min, "minus": -1, "one": 1}
    first, second = node.input
    steps = [
        helper.make_node("Equal", [first, f"{begin}/least"], [f"{begin}/is least"]),
        helper.make_node("Equal", [second, f"{begin}/minus"], [f"{begin}/is minus"]),
        helper.make_node("And", [f"{begin}/is least", f"{begin}/is minus"], [f"{begin}/both"]),
        helper.make_node("Where", [f"{begin}/both", f"{begin}/one", second], [begin]),
    ]
    arrays = [
        helper.make_node(
            "Constant",
            [],
            [f"{begin}/{name}"],
            value=numpy_helper.from_array(np.array(value, whole), f"{begin}/{name}"),
        )
        for name, value in numbers.items()
    ]
    node.input[1] = begin
    return [*arrays, *steps]
