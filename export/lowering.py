"""Writing a Graph as a flat ONNX model: operators carry ONNX's names already, so lowering is a table look-up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto
from unroll.export import support

import unroll
from unroll.collection import paused
from unroll.dimensions import Shape
from unroll.dtypes import Array, DType
from unroll.errors import ArgumentError, ArgumentTypeError, ModelError, UnsupportedError
from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.passes import fold_zeros
from unroll.progress import track
from unroll.tensor import Constant, Node, Tensor

#: Opset 13 (ONNX 1.8, 2020) with IR version 7: the oldest with today's Squeeze, Split and Softmax, so the one that most
#: runtimes and converters read.
DEFAULT_OPSET = 13
LATEST_OPSET = min(25, onnx.defs.onnx_opset_version())
LATEST_IR_VERSION = min(13, int(onnx.IR_VERSION))
#: From this IR version on a node has metadata, where provenance is written.
METADATA_IR_VERSION = 10
#: Where a model says which of its outputs is the next value of which input: a JSON object of names.
STATES_KEY = "unroll.states"
#: Where a model says which values of which input make sense: a JSON object of names, each with a list of (least, most).
LIMITS_KEY = "unroll.limits"
_TWO_GIB = 2**31

ELEMENT_TYPES: dict[DType, int] = {
    np.dtype("float16"): TensorProto.FLOAT16,
    np.dtype("float32"): TensorProto.FLOAT,
    np.dtype("float64"): TensorProto.DOUBLE,
    np.dtype("int32"): TensorProto.INT32,
    np.dtype("int64"): TensorProto.INT64,
    np.dtype("bool"): TensorProto.BOOL,
}

#: An operator's attributes and how many of its inputs are written, for one opset.
Lowered: TypeAlias = "tuple[dict[str, Any], int]"


def to_onnx(
    graph: Graph,
    *,
    opset: int = DEFAULT_OPSET,
    ir_version: int | None = None,
    runtime: str | None = "onnxruntime",
    fold_zero_state: bool = True,
) -> ModelProto:
    """Write `graph` as a flat ONNX model of standard operators.

    Symbolic dimensions become ``dim_param``; every tensor's shape is written; each Parameter is one initializer of its
    own name, holding its value of now.

    Args:
        graph: the graph.
        opset: the version of the ONNX operators, from 13 on.
        ir_version: the version of the file format; by default the oldest that the opset allows. From 10 on, every node
            carries its provenance as metadata (``unroll.scope``, ``unroll.step``, ``unroll.cell``, ``unroll.gate``).
        runtime: refuse operators on dtypes for which this runtime has no kernel (only ``"onnxruntime"`` is known); None
            allows whatever ONNX does.
        fold_zero_state: leave out what a state of zeros makes useless at step 0.

    Returns:
        The model, which `onnx.checker` accepts in full.

    Raises:
        ArgumentError: an opset, IR version or runtime there is not.
        UnsupportedError: the runtime has no kernel for an operator on its dtype, or the opset no such form.
        ModelError: the weights exceed the 2 GiB that one ONNX file can hold.
    """
    if not isinstance(graph, Graph):
        raise ArgumentTypeError(
            f"to_onnx: a Graph is wanted, not {type(graph).__name__}; make one with unroll.Graph(...)"
        )
    version = _ir_version(_checked_opset(opset), ir_version)
    support.check(graph, runtime)
    read = {tensor for node in graph.nodes for tensor in node.inputs if isinstance(tensor, (Constant, Parameter))}
    size = sum(tensor.value.nbytes for tensor in read)
    if size >= _TWO_GIB:
        raise ModelError(f"to_onnx: the weights take {size} bytes; one ONNX model holds less than {_TWO_GIB}")
    model = ModelProto(ir_version=version, producer_name="unroll", producer_version=unroll.__version__)
    model.opset_import.add(domain="", version=opset)
    if graph.states:
        model.metadata_props.add(key=STATES_KEY, value=json.dumps(graph.states))
    limits = {spec.name: [[item.least, item.most] for item in spec.limits] for spec in graph.input_specs if spec.limits}
    if limits:
        model.metadata_props.add(key=LIMITS_KEY, value=json.dumps(limits))
    with paused():
        lowered = fold_zeros(graph) if fold_zero_state else graph
        _Writer(lowered, model.graph, opset, metadata=version >= METADATA_IR_VERSION).write()
    return model


class _Writer:
    """Fills a GraphProto from a Graph."""

    def __init__(self, graph: Graph, proto: GraphProto, opset: int, metadata: bool) -> None:
        self.graph, self.proto, self.opset, self.metadata = graph, proto, opset, metadata
        self._constants: set[str] = set()
        self._types: dict[tuple[DType, Shape], TypeProto] = {}

    def write(self) -> None:
        """Write everything."""
        graph, proto = self.graph, self.proto
        proto.name = "unroll"
        for tensor in graph.inputs:
            proto.input.add(name=tensor.name, type=self._type(tensor))
        for name, parameter in graph.parameters.items():
            _write_array(proto.initializer.add(), name, parameter.value)
        outputs = dict(zip(graph.output_names, graph.outputs, strict=True))
        for node in track(graph.nodes, "writing ONNX"):
            self._write_node(node, outputs)
        for name, output in outputs.items():
            if graph.name(output) != name:
                self._write_alias(name, output)
            proto.output.add(name=name, type=self._type(output))

    def _write_node(self, node: Node, outputs: dict[str, Tensor]) -> None:
        names = self.graph.names
        attributes, count = _lower(node, self.opset)
        results = [names.tensors[tensor] for tensor in node.outputs]
        proto = self.proto.node.add(
            op_type=node.op.name,
            domain=node.op.domain,
            name=names.nodes[node],
            input=["" if tensor is None else self._input(tensor) for tensor in node.inputs[:count]],
            output=results,
        )
        for name, value in attributes.items():
            _write_attribute(proto.attribute.add(), name, value)
        for name, tensor in zip(results, node.outputs, strict=True):
            if name not in outputs:
                self.proto.value_info.add(name=name, type=self._type(tensor))
        if self.metadata:
            _write_provenance(proto, node)

    def _type(self, tensor: Tensor) -> TypeProto:
        """Return the type of a tensor; there are few in a graph, however long."""
        key = (tensor.dtype, self.graph.shape(tensor))
        found = self._types.get(key)
        if found is None:
            found = self._types[key] = _type_proto(*key)
        return found

    def _input(self, tensor: Tensor) -> str:
        name = self.graph.names.tensors[tensor]
        if isinstance(tensor, Constant) and name not in self._constants:
            self._constants.add(name)
            _write_array(self.proto.initializer.add(), name, tensor.value)
        return name

    def _write_alias(self, name: str, tensor: Tensor) -> None:
        """Write an Identity for an output that is an input as it is, or has a second name."""
        proto = self.proto.node.add(op_type="Identity", name=f"{name}/Identity")
        proto.input.append(self._input(tensor))
        proto.output.append(name)


def _checked_opset(opset: int) -> int:
    if isinstance(opset, bool) or not isinstance(opset, int) or not DEFAULT_OPSET <= opset <= LATEST_OPSET:
        raise ArgumentError(f"opset {opset!r}: use {DEFAULT_OPSET} to {LATEST_OPSET}")
    return opset


def _ir_version(opset: int, wanted: int | None) -> int:
    least = onnx.helper.find_min_ir_version_for([onnx.helper.make_opsetid("", opset)])
    if wanted is None:
        return least
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not least <= wanted <= LATEST_IR_VERSION:
        raise ArgumentError(f"ir_version {wanted!r}: opset {opset} takes {least} to {LATEST_IR_VERSION}")
    return wanted


# -- operators whose form depends on the opset ------------------------------------------------------------------------


def _lower(node: Node, opset: int) -> Lowered:
    special = LOWERINGS.get(node.op.name)
    attributes = node.op.attributes
    return special(node, attributes, opset) if special is not None else (attributes, len(node.inputs))


def _lower_cast(node: Node, attributes: dict[str, Any], opset: int) -> Lowered:
    return {"to": ELEMENT_TYPES[attributes["to"]]}, 1


def _lower_split(node: Node, attributes: dict[str, Any], opset: int) -> Lowered:
    if opset < 18:  # equal pieces are told from the number of outputs
        attributes.pop("num_outputs", None)
    return attributes, len(node.inputs)


def _lower_reduction(node: Node, attributes: dict[str, Any], opset: int) -> Lowered:
    if opset >= 18:
        return attributes, len(node.inputs)
    if attributes.pop("noop_with_empty_axes"):
        raise UnsupportedError(f"{node.op.name} with noop_with_empty_axes needs opset 18; pass opset=18 or later")
    axes = node.inputs[1].known if len(node.inputs) > 1 and node.inputs[1] is not None else None
    return attributes | ({"axes": axes} if axes else {}), 1


LOWERINGS: dict[str, Callable[[Node, dict[str, Any], int], Lowered]] = {
    "Cast": _lower_cast,
    "ReduceMax": _lower_reduction,
    "ReduceMean": _lower_reduction,
    "Split": _lower_split,
}


# -- protobuf ---------------------------------------------------------------------------------------------------------


def _type_proto(dtype: DType, shape: Shape) -> TypeProto:
    proto = TypeProto()
    proto.tensor_type.elem_type = ELEMENT_TYPES[dtype]
    proto.tensor_type.shape.SetInParent()
    for dim in shape:
        if isinstance(dim, int):
            proto.tensor_type.shape.dim.add(dim_value=dim)
        else:
            proto.tensor_type.shape.dim.add(dim_param=str(dim))
    return proto


def _write_array(proto: TensorProto, name: str, array: Array) -> None:
    proto.name = name
    proto.data_type = ELEMENT_TYPES[array.dtype]
    proto.dims.extend(array.shape)
    proto.raw_data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _write_attribute(proto: AttributeProto, name: str, value: Any) -> None:
    proto.name = name
    if isinstance(value, float):
        proto.type, proto.f = AttributeProto.FLOAT, value
    elif isinstance(value, (int, np.integer)):
        proto.type, proto.i = AttributeProto.INT, int(value)
    elif isinstance(value, str):
        proto.type, proto.s = AttributeProto.STRING, value.encode()
    elif isinstance(value, np.ndarray):
        proto.type = AttributeProto.TENSOR
        _write_array(proto.t, "", value)
    else:
        proto.type = AttributeProto.INTS
        proto.ints.extend(value)


def _write_provenance(proto: NodeProto, node: Node) -> None:
    def joined(values: Iterable[object]) -> str:
        return ",".join(
            sorted({str(value) for value in values if value is not None}, key=lambda text: (len(text), text))
        )

    for field in ("scope", "step", "cell", "gate"):
        text = joined(getattr(origin, field) for origin in node.provenance)
        if text:
            proto.metadata_props.add(key=f"unroll.{field}", value=text)
