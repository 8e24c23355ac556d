"""Nodes that unroll does not know: taken from an ONNX model as they are, and written again with nothing but names changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TypeProto, ValueInfoProto

from unroll.dimensions import Dim, Shape, parse_dimension, substitute_shape, symbol
from unroll.dtypes import ALL, DType
from unroll.errors import ModelError, UnsupportedError, first_line
from unroll.export.light_copies import for_shapes
from unroll.export.reading.tensor_sizes import bytes_made
from unroll.ops.opaque import HeldGraph, Opaque

#: The names of ONNX's own domain.
ONNX_DOMAIN = ("", "ai.onnx")
#: The oldest opset that is written; nodes of older ones are converted to it.
OLDEST_WRITTEN = 13
#: The newest that is written.
LATEST_WRITTEN = min(25, int(onnx.defs.onnx_opset_version()))
#: The opset since which an operator has its form of opset 13, where that is after opset 7; 14 where it has no form
#: there.
_FORM_SINCE = {
    "BatchNormalization": 9,
    "Clip": 11,
    "Dropout": 12,
    "Hardmax": 13,
    "LogSoftmax": 13,
    "Pad": 11,
    "ReduceSum": 13,
    "Resize": 11,
    "Scan": 9,
    "Scatter": 14,
    "Slice": 10,
    "Softmax": 13,
    "Split": 13,
    "Squeeze": 13,
    "TopK": 10,
    "Unsqueeze": 13,
    "Upsample": 14,
}
#: Those that changed only where this attribute is given, which was dropped or is an input since then.
_MOVED = {"BatchNormalization": "spatial", "ReduceSum": "axes", "Split": "split", "Squeeze": "axes"}
#: Those that onnx's own converter is known to convert. For Upsample and Resize it loses where the centre of a pixel is,
#: and it leaves Hardmax unchanged.
_CONVERTED = ("LogSoftmax", "Pad", "Softmax", "TopK")

#: Of a longer vector of integers only the size is followed: onnx would note something for every element.
_LONGEST_VECTOR = 2**20
_INTEGERS = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)


def _dtypes() -> dict[int, DType]:
    found: dict[int, DType] = {onnx.helper.np_dtype_to_tensor_dtype(dtype): dtype for dtype in ALL}
    for number in onnx.TensorProto.DataType.values():
        if number not in (onnx.TensorProto.UNDEFINED, *found):
            dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(number))
            if dtype not in found.values():  # one that onnx has no array for has that of another one
                found[number] = dtype
    return found


#: The dtypes of tensors by their numbers in ONNX: those that our operators compute with, then those that pass through.
DTYPES: dict[int, DType] = _dtypes()
#: The numbers of the dtypes.
NUMBERS: dict[DType, int] = {dtype: number for number, dtype in DTYPES.items()}
#: Those whose elements share bytes.
PACKED = frozenset(
    DTYPES.get(number)
    for name, number in onnx.TensorProto.DataType.items()
    if name in ("UINT4", "INT4", "FLOAT4E2M1", "UINT2", "INT2")
)


# -- types ------------------------------------------------------------------------------------------------------------


def dtype_of(kind: TypeProto, what: str) -> DType:
    """Return the dtype of a tensor type.

    Raises:
        UnsupportedError: it is a sequence, or another value that is no tensor.
        ModelError: it is of a dtype that tensors here cannot have.
    """
    if not kind.HasField("tensor_type"):
        seen = (kind.WhichOneof("value") or "value of unknown type").removesuffix("_type").replace("_", " ")
        raise UnsupportedError(
            f"{what} is of type {seen}: sequences, optionals and maps are not read, only tensors; "
            "export the model with tensors alone, such as stacked ones"
        )
    number = kind.tensor_type.elem_type
    found = DTYPES.get(number)
    if found is None:
        raise ModelError(f"{what} is of data type {number}, which the installed onnx {onnx.__version__} does not know")
    return found


def shape_of(kind: TypeProto, name: str, what: str) -> Shape:
    """Return the shape of a tensor type: a size that has no name becomes the symbol ``<name>_<axis>``.

    Raises:
        ModelError: not even the rank is known.
    """
    if not kind.tensor_type.HasField("shape"):
        raise ModelError(f"the rank of {what} is not known; write its shape into the model, or fix those of the inputs")
    return dims_of(kind, name)


def dims_of(kind: TypeProto, name: str) -> Shape:
    """Return the sizes that a tensor type says: one that has no name, or is negative, is the symbol ``<name>_<axis>``."""
    dims: list[Dim] = []
    for axis, dim in enumerate(kind.tensor_type.shape.dim):
        if dim.HasField("dim_value") and dim.dim_value >= 0:
            dims.append(dim.dim_value)
        else:
            dims.append(parse_dimension(dim.dim_param) if dim.dim_param else symbol(f"{name}_{axis}"))
    return tuple(dims)


def _has_long_vectors(model: ModelProto) -> bool:
    """Say whether a model declares vectors of integers so long that onnx must not write out what each element is."""
    waiting, seen = [model.graph], False
    while waiting and not seen:
        graph = waiting.pop()
        waiting += [inner for node in graph.node if node.attribute for inner in subgraphs(node)]
        seen = any(size > 8 * _LONGEST_VECTOR for size, _ in bytes_made(graph.node, graph.initializer).values())
        kinds = (item.type.tensor_type for item in (*graph.input, *graph.output, *graph.value_info))
        vectors = (kind.shape.dim[0] for kind in kinds if kind.elem_type in _INTEGERS and len(kind.shape.dim) == 1)
        seen = seen or any(dim.dim_value > _LONGEST_VECTOR for dim in vectors)
    return seen


def inferred_types(model: ModelProto) -> dict[str, TypeProto]:
    """Return what ONNX's own shape inference says of every tensor of a model.

    Raises:
        ModelError: it finds a contradiction.
    """
    try:
        light = for_shapes(model)
        graph = onnx.shape_inference.infer_shapes(light, data_prop=not _has_long_vectors(model)).graph
    except Exception as error:  # the errors of onnx's native code share no base class
        raise ModelError(f"not a valid ONNX model: {first_line(error)}") from None
    return {item.name: item.type for item in (*graph.value_info, *graph.output)}


# -- reading ----------------------------------------------------------------------------------------------------------


def opaque(
    node: NodeProto, version: int, types: Mapping[str, TypeProto], equal: Mapping[str, Dim], title: str
) -> Opaque:
    """Return the operator that a node stands for.

    Args:
        node: the node.
        version: of its domain.
        types: of the tensors of its graph.
        equal: what symbols are known to equal.
        title: what to call it in a message.

    Raises:
        ModelError: the rank or dtype of an output is not known.
    """
    places = tuple(place for place, name in enumerate(node.output) if name)
    declared = []
    for place in places:
        name = node.output[place]
        what = f"{title}: output {name!r}"
        if name not in types:
            raise ModelError(
                f"{what}: neither its shape nor its dtype is known; write them into the model as value_info"
            )
        dtype = dtype_of(types[name], what)
        declared.append((substitute_shape(shape_of(types[name], name, what), equal), dtype))
    payload = NodeProto()
    payload.CopyFrom(node)
    for field in ("name", "input", "output", "doc_string", "metadata_props"):
        payload.ClearField(field)
    if node.domain in ONNX_DOMAIN:
        payload.ClearField("domain")
    return Opaque(
        node.op_type,
        payload.domain,
        version,
        payload.SerializeToString(deterministic=True),
        tuple(declared),
        places,
        tuple(captured_names(node)),
        tuple((item.name, _shown(item)) for item in node.attribute),
    )


def _shown(attribute: AttributeProto) -> Any:
    """Return an attribute for people to read: graphs by the number of their nodes, arrays only by their kind."""
    if attribute.type == AttributeProto.GRAPH:
        return HeldGraph(len(attribute.g.node))
    if attribute.type == AttributeProto.GRAPHS:
        return tuple(HeldGraph(len(graph.node)) for graph in attribute.graphs)
    if attribute.type in (AttributeProto.INT, AttributeProto.FLOAT):
        return onnx.helper.get_attribute_value(attribute)
    if attribute.type == AttributeProto.STRING:
        return attribute.s.decode(errors="replace")
    if attribute.type == AttributeProto.STRINGS:
        return tuple(text.decode(errors="replace") for text in attribute.strings)
    if attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS):
        return tuple(onnx.helper.get_attribute_value(attribute))
    return str(AttributeProto.AttributeType.Name(attribute.type)).lower()


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """Yield the graphs in a node's attributes."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def captured_names(node: NodeProto) -> list[str]:
    """Return the tensors outside a node that the graphs in its attributes read, in order of first use."""
    return list(dict.fromkeys(name for graph in subgraphs(node) for name in _free_names(graph)))


def _free_names(graph: GraphProto) -> Iterator[str]:
    inner = {item.name for item in (*graph.input, *graph.initializer)}
    inner |= {item.values.name for item in graph.sparse_initializer}
    for node in graph.node:
        yield from (name for name in (*node.input, *captured_names(node)) if name and name not in inner)
        inner.update(node.output)
    yield from (item.name for item in graph.output if item.name not in inner)


def converted(node: NodeProto, version: int, types: Mapping[str, TypeProto], title: str) -> ModelProto | None:
    """Return a model of `OLDEST_WRITTEN` that does what a node of an older opset does; None where the node can stay as
    it is.

    Raises:
        UnsupportedError: the operator had another form, and onnx's converter does not bring it to the new one.
    """
    changed = _older(node, version)
    if changed is None:
        return None
    refusal = (
        f"{title}: {changed} of opset {version} has no known form in opset {OLDEST_WRITTEN}, the oldest that is written; "
        "export the model again with a newer opset"
    )
    if changed != node.op_type or changed not in _CONVERTED:
        raise UnsupportedError(refusal)
    outside = [name for name in dict.fromkeys((*node.input, *captured_names(node))) if name]
    graph = GraphProto(name="one", node=[node])
    graph.input.extend(ValueInfoProto(name=name, type=types[name]) for name in outside)
    graph.output.extend(ValueInfoProto(name=name, type=types[name]) for name in node.output if name in types)
    model = ModelProto(ir_version=7, graph=graph, opset_import=[onnx.helper.make_opsetid("", version)])
    try:
        result = onnx.version_converter.convert_version(model, OLDEST_WRITTEN)
        onnx.checker.check_model(result)
    except Exception as error:  # the converter's errors share no base class
        raise UnsupportedError(f"{refusal} ({str(error).strip() or type(error).__name__})") from None
    return result


def _with_inner(node: NodeProto) -> Iterator[NodeProto]:
    yield node
    for graph in subgraphs(node):
        for inner in graph.node:
            yield from _with_inner(inner)


def _older(node: NodeProto, opset: int) -> str | None:
    """Return the first operator of a node, or of a graph inside it, that had another form in an opset before 13."""
    for inner in _with_inner(node):
        given = {item.name for item in inner.attribute}
        moved = _MOVED.get(inner.op_type)
        if inner.domain in ONNX_DOMAIN and opset < _FORM_SINCE.get(inner.op_type, 0) and (not moved or moved in given):
            return inner.op_type
    return None


def written_version(node: NodeProto, opset: int) -> int:
    """Return the opset in which a node of ONNX's own domain is written: its own, or where that is newer than any that is
    written, the first in which it means the same.
    """
    if opset <= LATEST_WRITTEN:
        return max(opset, OLDEST_WRITTEN)
    inner = [item.op_type for item in _with_inner(node) if item.domain in ONNX_DOMAIN]
    return max(OLDEST_WRITTEN, *(_since(name, opset) for name in inner))


# -- writing ----------------------------------------------------------------------------------------------------------


def check_opset(op: Opaque, opset: int) -> None:
    """Check that an operator means in `opset` what it means in the one it was read from.

    Raises:
        UnsupportedError: ONNX changed it in between.
    """
    if op.domain:
        return
    inner = [item.op_type for item in _with_inner(NodeProto.FromString(op.payload)) if item.domain in ONNX_DOMAIN]
    changed = [name for name in inner if _since(name, op.version) != _since(name, opset)]
    if changed:
        raise UnsupportedError(
            f"{op!r} was read from opset {op.version}, and {changed[0]} is another version in opset {opset}; "
            f"pass opset={op.version}"
        )


@cache
def _since(op_type: str, opset: int) -> int:
    """Return the opset that made an operator what it is in `opset`; 0 where there was none yet."""
    try:
        return int(onnx.defs.get_schema(op_type, opset, "").since_version)
    except onnx.defs.SchemaError:
        return 0


def write_opaque(
    proto: NodeProto, op: Opaque, name: str, inputs: list[str], outputs: list[str], taken: Mapping[str, object]
) -> None:
    """Fill a node from an operator read with `opaque`.

    Args:
        proto: the node to fill.
        op: the operator.
        name: the node's name.
        inputs: the names of the tensors it reads; those that its inner graphs read come last.
        outputs: the names of the tensors it makes.
        taken: the names of the whole graph, which none inside may shadow.
    """
    proto.ParseFromString(op.payload)
    proto.name = name
    direct = len(inputs) - len(op.captured)
    proto.input.extend(inputs[:direct])
    proto.output.extend("" for _ in range(op.places[-1] + 1))
    for place, output in zip(op.places, outputs, strict=True):
        proto.output[place] = output
    outer = dict(zip(op.captured, inputs[direct:], strict=True))
    for graph in subgraphs(proto):
        rename(graph, outer, taken)


def rename(graph: GraphProto, outer: Mapping[str, str], taken: Mapping[str, object]) -> None:
    """Give a graph inside a node the new names of what it reads from outside, and others to its own that are taken there."""
    own = [item.name for item in (*graph.input, *graph.initializer)]
    own += [output for node in graph.node for output in node.output if output]
    new = {**outer, **{name: _free(name, taken) for name in own}}
    for item in (*graph.input, *graph.initializer, *graph.output, *graph.value_info):
        item.name = new.get(item.name, item.name)
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new.get(name, name) for name in names]
        for inner in subgraphs(node):
            rename(inner, new, taken)


def _free(name: str, taken: Mapping[str, object]) -> str:
    while name in taken:
        name += "/inner"
    return name
