"""One node as a model of its own, for onnx's shape inference: it knows of what the node reads what is known here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx
from onnx import ModelProto, NodeProto, TypeProto, numpy_helper

from unroll.dimensions import known_size
from unroll.export.lowering import type_proto
from unroll.export.reading.opaque_nodes import DTYPES, subgraphs
from unroll.tensor import Constant, Tensor

#: From so many elements on, onnx is given the shape of a constant, not its value.
_MANY = 4096
#: From so many elements on, onnx is not to follow the values of a vector.
_LONG = 2**20
#: Operators whose shape inference in onnx ends the process on some invalid nodes.
NEVER_ASKED = frozenset(["Split"])
#: How onnx's inference calls a size that it knows nothing of.
_NAMELESS = "unk__"


def node_alone(node: NodeProto, inputs: Sequence[Tensor | None], opset: int) -> tuple[ModelProto, bool]:
    """Return a model of one node without inner graphs, and whether onnx may follow the values of what it reads."""
    model = ModelProto(ir_version=8, opset_import=[onnx.helper.make_opsetid("", opset)])
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
    return model, follow


def types_alone(
    node: NodeProto, inputs: Sequence[Tensor | None], opset: int, types: Mapping[str, TypeProto]
) -> dict[str, TypeProto]:
    """Return what is known of the outputs of a node, where it is more than what the whole file tells.

    Args:
        node: a node of ONNX's own domain.
        inputs: what it reads; constants where their values are known.
        opset: the version of its operator.
        types: what is known of tensors of the file.
    """
    names = [name for name in node.output if name and not _is_told(types.get(name))]
    if not names or node.op_type in NEVER_ASKED or next(subgraphs(node), None) is not None:
        return {}
    model, follow = node_alone(node, inputs, opset)
    try:
        graph = onnx.shape_inference.infer_shapes(model, data_prop=follow).graph
    except Exception:  # what the whole file tells remains; the errors of onnx's native code share no base class
        return {}
    found = {item.name: item.type for item in graph.value_info if item.type.tensor_type.HasField("shape")}
    return {name: _with_names_of(found[name], types.get(name)) for name in names if name in found}


def _is_told(kind: TypeProto | None) -> bool:
    """Say whether a type has a number or a name for every size."""
    if kind is None or kind.tensor_type.elem_type not in DTYPES or not kind.tensor_type.HasField("shape"):
        return False
    return all(
        dim.HasField("dim_value") or (dim.dim_param and not dim.dim_param.startswith(_NAMELESS))
        for dim in kind.tensor_type.shape.dim
    )


def _with_names_of(kind: TypeProto, other: TypeProto | None) -> TypeProto:
    """Return a type in which sizes that have no name go by those that the file has for them."""
    new = kind.tensor_type.shape.dim
    old = list(other.tensor_type.shape.dim) if other is not None else []
    for axis, dim in enumerate(new):
        if not dim.HasField("dim_value") and (not dim.dim_param or dim.dim_param.startswith(_NAMELESS)):
            dim.Clear()
            if len(old) == len(new):
                dim.CopyFrom(old[axis])
    return kind
