"""Nodes that break ONNX's own rules, so that runtimes refuse them, though a file holds them.

Our own rules may be stricter than ONNX's, and a node that they refuse passes through. That is no reason to show a file as right
that is wrong: torch's exporter, for one, writes an LSTM with a projection whose R has too few columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import onnx
from onnx import NodeProto, numpy_helper

from unroll.dimensions import known_size
from unroll.errors import ShapeError, first_line
from unroll.export.lowering import type_proto
from unroll.export.reading.node_readers import RECURRENT
from unroll.export.reading.opaque_nodes import ONNX_DOMAIN, subgraphs
from unroll.ops.recurrent_loop import DIRECTIONS
from unroll.tensor import Constant, Tensor

#: Operators whose shape inference in onnx ends the process on some invalid nodes.
_NEVER_ASKED = frozenset(["Split"])
#: From so many elements on, onnx is given the shape of a constant, not its value.
_MANY = 4096
#: From so many elements on, onnx is not to follow the values of a vector.
_LONG = 2**20


def why_invalid(node: NodeProto, inputs: Sequence[Tensor | None], opset: int, error: Exception) -> str:
    """Return which of ONNX's rules a node breaks, in words; empty where it is valid, or where nothing can be said.

    Args:
        node: a node that our operators do not take.
        inputs: what it reads.
        opset: the version of ONNX's own operators.
        error: why our operators refuse it.
    """
    if node.domain not in ONNX_DOMAIN:
        return ""
    if node.op_type in RECURRENT:
        # onnx infers shapes from hidden_size alone, and looks at no weight; our rule is the specification's, word for word.
        return str(error) if isinstance(error, ShapeError) else _wrong_attributes(node)
    if node.op_type == "Reshape":
        return _reshaped(inputs)
    if node.op_type in _NEVER_ASKED or next(subgraphs(node), None) is not None or not _has_rule(node.op_type, opset):
        return ""
    return _inferred(node, inputs, opset)


def _has_rule(op_type: str, opset: int) -> bool:
    """Say whether onnx infers shapes by a rule; in the body of a function it trips over attributes of the call."""
    try:
        schema: Any = onnx.defs.get_schema(op_type, opset, "")
    except onnx.defs.SchemaError:
        return False
    return not (schema.has_function or schema.has_context_dependent_function)


def _wrong_attributes(node: NodeProto) -> str:
    given = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    direction = given.get("direction", b"forward").decode(errors="replace")
    if direction not in DIRECTIONS:
        return f"direction {direction!r}; there are {', '.join(DIRECTIONS)}"
    wanted = len(RECURRENT[node.op_type].default_activations) * (2 if direction == "bidirectional" else 1)
    count = len(given.get("activations", ()))
    return f"{count} activations; {wanted} are wanted" if count not in (0, wanted) else ""


def _reshaped(inputs: Sequence[Tensor | None]) -> str:
    """Compare the numbers of elements where all sizes are numbers, which onnx's shape inference does not."""
    x, wanted = inputs[:2]
    if x is None or not isinstance(wanted, Constant) or not all(isinstance(dim, int) for dim in x.shape):
        return ""
    if wanted.rank != 1:
        return f"its shape is to be a vector, not {wanted.described()}"
    sizes = wanted.value.tolist()
    if min(sizes, default=1) < 1 or prod(sizes) == prod(int(str(dim)) for dim in x.shape):
        return ""
    return f"{x.described()} cannot have the shape {sizes}"


def _inferred(node: NodeProto, inputs: Sequence[Tensor | None], opset: int) -> str:
    """Ask onnx's shape inference about one node alone."""
    model = onnx.ModelProto(ir_version=8, opset_import=[onnx.helper.make_opsetid("", opset)])
    model.graph.name = "one"
    model.graph.node.append(node)
    seen: set[str] = set()
    for name, tensor in zip(node.input, inputs, strict=True):
        if tensor is None or name in seen:
            continue
        seen.add(name)
        if isinstance(tensor, Constant) and tensor.value.size <= _MANY:
            model.graph.initializer.append(numpy_helper.from_array(tensor.value, name))
        else:
            model.graph.input.append(onnx.ValueInfoProto(name=name, type=type_proto(tensor.dtype, tensor.shape)))
    follow = not any(tensor is not None and tensor.rank == 1 and known_size(tensor.shape) > _LONG for tensor in inputs)
    try:
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=follow)
    except Exception as error:  # the errors of onnx's native code share no base class
        return _reason(first_line(error))
    return ""


def _reason(text: str) -> str:
    """Return onnx's message, without the place in onnx's own code."""
    return text.rpartition("[ShapeInferenceError] ")[2].rpartition("[TypeInferenceError] ")[2].strip() or text
