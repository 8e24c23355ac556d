"""Nodes that break ONNX's own rules, so that runtimes refuse them, though a file holds them.

Our own rules may be stricter than ONNX's, and a node that they refuse passes through. That is no reason to show a file as right
that is wrong: torch's exporter, for one, writes an LSTM with a projection whose R has too few columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import onnx
from onnx import NodeProto

from unroll.errors import ShapeError, first_line
from unroll.export.reading.node_alone import NEVER_ASKED, node_alone
from unroll.export.reading.node_readers import RECURRENT
from unroll.export.reading.opaque_nodes import ONNX_DOMAIN, subgraphs
from unroll.ops.recurrent_loop import DIRECTIONS
from unroll.tensor import Constant, Tensor


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
    if node.op_type in NEVER_ASKED or next(subgraphs(node), None) is not None or not _has_rule(node.op_type, opset):
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
    model, follow = node_alone(node, inputs, opset)
    try:
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=follow)
    except Exception as error:  # the errors of onnx's native code share no base class
        return _reason(first_line(error))
    return ""


def _reason(text: str) -> str:
    """Return onnx's message, without the place in onnx's own code."""
    return text.rpartition("[ShapeInferenceError] ")[2].rpartition("[TypeInferenceError] ")[2].strip() or text
