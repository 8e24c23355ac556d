"""The Scan of a file as an operator of ours, to look at: the node itself passes through as it is, and so is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx
from onnx import GraphProto, ModelProto, NodeProto

from unroll.dimensions import Shape
from unroll.errors import UnrollError
from unroll.export.lowering import type_proto
from unroll.graph import Graph
from unroll.ops.opaque import Opaque
from unroll.ops.scan import Scan
from unroll.tensor import Node, Tensor

Read = Callable[[ModelProto], Graph]
#: What a Scan of ours cannot say.
_AXES = ("scan_input_axes", "scan_output_axes")


def scan_of(node: Node, read: Read) -> Scan | None:
    """Return what a node that passes through does, as a Scan of ours; None where it is none, or says more than ours can.

    Args:
        node: a node whose operator is an `Opaque`.
        read: reads a model as a graph.
    """
    op = node.op
    if not isinstance(op, Opaque) or op.op_domain or op.op_type != "Scan":
        return None
    proto = NodeProto.FromString(op.payload)
    given: dict[str, Any] = {item.name: onnx.helper.get_attribute_value(item) for item in proto.attribute}
    if any(any(given.get(name, ())) for name in _AXES) or len(op.places) != len(given["body"].output):
        return None
    scanned, shared = given["num_scan_inputs"], len(op.captured)
    states = len(node.inputs) - scanned - shared
    try:
        body = read(_model(op, given["body"], node.inputs, states, states + scanned))
    except UnrollError:
        return None
    flags = (given.get("scan_input_directions"), given.get("scan_output_directions"))
    back = [tuple(map(int, found)) if found and any(found) else None for found in flags]
    return Scan(body, scanned, shared, back[0], back[1])


def _model(op: Opaque, body: GraphProto, tensors: tuple[Tensor | None, ...], states: int, rows: int) -> ModelProto:
    """Return the body as a model of its own, whose inputs have the sizes that the tensors outside have."""
    graph = GraphProto()
    graph.CopyFrom(body)
    del graph.input[:]
    names = [*(item.name for item in body.input), *op.captured]
    for place, (name, tensor) in enumerate(zip(names, tensors, strict=True)):
        if tensor is not None:
            shape: Shape = tensor.shape[1:] if states <= place < rows else tensor.shape
            graph.input.add(name=name).type.CopyFrom(type_proto(tensor.dtype, shape))
    domains = dict.fromkeys(item.domain for item in graph.node if item.domain)
    imports = [onnx.helper.make_opsetid("", op.version), *(onnx.helper.make_opsetid(name, 1) for name in domains)]
    return onnx.helper.make_model(graph, opset_imports=imports, ir_version=8)
