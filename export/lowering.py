"""Writing a Graph as a flat ONNX model: operators carry ONNX's names already, so lowering is a table look-up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto, numpy_helper

from unroll.arguments import checked
from unroll.checks import check_size
from unroll.dimensions import Shape
from unroll.dtypes import TEXT, Array, DType
from unroll.errors import ArgumentError, ModelError, UnsupportedError
from unroll.export import support
from unroll.export.form_functions import LEAST_IR_VERSION, into_functions
from unroll.export.forms import checked_form, in_form
from unroll.export.metadata import (
    LEAST_KEY,
    LIMITS_KEY,
    MERGED_KEY,
    STATES_KEY,
    is_merged,
    least_as_json,
    limits_as_json,
)
from unroll.export.older_opsets import in_opset
from unroll.export.reading.opaque_nodes import LATEST_WRITTEN, NUMBERS, PACKED, check_opset, write_opaque
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph, check_graph
from unroll.naming import Lineage
from unroll.ops.bodies import WithBodies
from unroll.ops.opaque import Opaque
from unroll.parameter import Parameter
from unroll.passes import fold_zeros
from unroll.passes.merge_equal import merge_equal_weights
from unroll.passes.remove_dead import leave_out_idle
from unroll.passes.tools.weight_expressions import folded_expressions, weight_values
from unroll.progress import track
from unroll.sizes import checked_dims, symbols_of
from unroll.structure import Structure, leaves_of
from unroll.tensor import Constant, Node, Tensor
from unroll.version import __version__

#: Opset 13 (ONNX 1.8, 2020) with IR version 7: the oldest with today's Squeeze, Split and Softmax, so the one that most
#: runtimes and converters read.
DEFAULT_OPSET = 13
LATEST_OPSET = LATEST_WRITTEN
LATEST_IR_VERSION = min(13, int(onnx.IR_VERSION))
#: Who has made a model, as it says itself: its nodes are named by the grammar of `unroll.naming`.
PRODUCER = "unroll"
#: From this IR version on a node has metadata, where provenance is written.
METADATA_IR_VERSION = 10
_TWO_GIB = 2**31

ELEMENT_TYPES: dict[DType, int] = NUMBERS | {
    np.dtype("float16"): TensorProto.FLOAT16,
    np.dtype("float32"): TensorProto.FLOAT,
    np.dtype("float64"): TensorProto.DOUBLE,
    np.dtype("int32"): TensorProto.INT32,
    np.dtype("int64"): TensorProto.INT64,
    np.dtype("bool"): TensorProto.BOOL,
}

#: An operator's attributes and how many of its inputs are written, for one opset.
Lowered: TypeAlias = "tuple[dict[str, Any], int]"


@checked()
def to_onnx(
    graph: Graph,
    *,
    form: str | None = None,
    optimized: bool = False,
    batch: int = 1,
    dims: Mapping[str, int] | None = None,
    steps_per_iteration: int = 1,
    opset: int | None = None,
    ir_version: int | None = None,
    runtime: str | None = "onnxruntime",
    fold_zero_state: bool = True,
    fold_weights: bool | None = None,
    check: bool = True,
) -> ModelProto:
    """Write `graph` as an ONNX model of standard operators.

    Symbolic dimensions become ``dim_param``; every tensor's shape is written; each Parameter is one initializer of its
    own name, holding its current value.

    Args:
        graph: the graph.
        form: how its steps are written; by default every node as it was traced: flat, and as Scan where one step was traced
            for all, as over a time that is a symbol. ``unrolled``: flat, and no loop: each is written out step by
            step, as `unroll.unroll` does, or refused. ``functions``: a call of a
            model-local function for each call of a cell; weights are inputs of the call. ``rerolled``: as LSTM, GRU or RNN
            operators, and as Scan where there is none. ``scan``: as Scan. ``auto``: the fastest of unrolled (optimised),
            rerolled and scan in onnxruntime by an estimate from node counts, floating-point operations, `batch` and `dims`
            (`unroll.export.form_cost`); nothing is run, as `unroll.compile` does.
        optimized: of the default and the unrolled form, run `unroll.passes.pipeline.optimize` first. Weights that it, or
            another form, makes from Parameters are written as their current values.
        batch: what symbolic dimensions are taken for when asking what pays; the model takes any size.
        dims: what some of them are taken for instead, by name, such as ``{"time": 28}``.
        steps_per_iteration: of the form ``scan``, how many steps one iteration computes.
        opset: the version of the ONNX operators, from 13 on; by default 13, or that in which nodes were read from another
            model that unroll does not know.
        ir_version: the version of the file format; by default the oldest that the opset allows. From 10 on, every node
            carries its provenance as metadata (``unroll.scope``, ``unroll.step``, ``unroll.cell``, ``unroll.gate``).
        runtime: refuse operators on dtypes for which this runtime has no kernel (only ``"onnxruntime"`` is known); None
            allows whatever ONNX does.
        fold_zero_state: leave out what a state of zeros makes useless at step 0 for finite inputs and weights, and nodes
            that change nothing, such as a Concat of one tensor; False writes every node of the graph.
        fold_weights: write what is computed from weights alone as its value, such as the rows of a kernel that
            `unroll.optimize` cuts; by default where `form` or `optimized` has rewritten the graph. What the weights are cut
            from is then not in the file, unless something reads it whole.
        check: whether a graph that a form, or `optimized`, rewrote is proven before it is written: both are run in NumPy on
            feeds made to tell them apart (see `unroll.passes.proving.proof`).

    Returns:
        The model, which `onnx.checker` accepts in full.

    Raises:
        ArgumentTypeError: `graph` is not a Graph.
        ArgumentError: an unknown form, opset, IR version or runtime, a batch below 1, or `dims` that name no symbol of the
            inputs.
        UnsupportedError: the graph cannot take the form; the message says which node prevents it, or what the proof saw.
        UnsupportedError: the runtime has no kernel for an operator on its dtype, or the opset no such form.
        ModelError: the weights exceed the 2 GiB that one ONNX file can hold.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> model = unroll.to_onnx(unroll.Graph([x], {"y": unroll.ops.tanh(x)}))
        >>> [node.op_type for node in model.graph.node], model.opset_import[0].version
        (['Tanh'], 13)
    """
    check_graph(graph, "to_onnx")
    batch = check_size(batch, "to_onnx: batch")
    foreign = _foreign(graph)
    opset = _checked_opset(foreign, opset, _SINCE if any(map(_is_computed_reduction, graph.nodes)) else DEFAULT_OPSET)
    given = checked_dims(dims, symbols_of(graph), "to_onnx")
    version = _ir_version(opset, ir_version, LEAST_IR_VERSION if checked_form(form) == "functions" else 0)
    support.check(graph, runtime)
    formed = in_form(
        graph, form, optimized=optimized, batch=batch, dims=given, steps_per_iteration=steps_per_iteration, check=check
    )
    if formed.graph is not graph:
        support.check(formed.graph, runtime)
    size = sum(leaf.value.nbytes for leaf in leaves_of(graph.nodes) if isinstance(leaf, (Constant, Parameter)))
    if size >= _TWO_GIB:
        raise ModelError(f"to_onnx: the weights take {size} bytes; one ONNX model holds less than {_TWO_GIB}")
    model = ModelProto(ir_version=version, producer_name=PRODUCER, producer_version=__version__)
    model.opset_import.add(domain="", version=opset)
    for domain, its_version in sorted({(op.domain, op.version) for op in foreign if op.domain}):
        model.opset_import.add(domain=domain, version=its_version)
    if graph.states:
        model.metadata_props.add(key=STATES_KEY, value=json.dumps(graph.states))
    limits = limits_as_json(graph.input_specs)
    if limits:
        model.metadata_props.add(key=LIMITS_KEY, value=json.dumps(limits))
    least = least_as_json(graph.residual_requirements)
    if least:
        model.metadata_props.add(key=LEAST_KEY, value=json.dumps(least))
    with collector_paused():
        folds = formed.fold_weights if fold_weights is None else fold_weights
        whole = merge_equal_weights(formed.graph) if folds else formed.graph
        lowered = in_opset(leave_out_idle(fold_zeros(whole)) if fold_zero_state else whole, opset)
        writer = _Writer(lowered, model.graph, opset, metadata=version >= METADATA_IR_VERSION)
        writer.write(folded_expressions(lowered, whole) if folds else [])
        merged = [lowered.name(node) for node in lowered.nodes if is_merged(node)]
        if merged:  # a node has the name of one of those that it was merged from
            model.metadata_props.add(key=MERGED_KEY, value=json.dumps({"nodes": merged}))
        if formed.form == "functions":
            into_functions(model, lowered)
    return model


class _Writer:
    """Fills a GraphProto from a Graph: that of a model, or the body of a loop.

    Args:
        graph: what to write.
        proto: what to fill.
        opset: the version of the operators.
        metadata: whether nodes carry their provenance.
        prefix: what the names of a body begin with, which must differ from those outside.
        outer: of a body, the outer names of those inputs that ONNX does not list as inputs.
    """

    def __init__(
        self,
        graph: Graph,
        proto: GraphProto,
        opset: int,
        metadata: bool,
        prefix: str = "",
        outer: Mapping[Tensor, str] | None = None,
    ) -> None:
        self.graph, self.proto, self.opset, self.metadata = graph, proto, opset, metadata
        self._prefix, self._outer = prefix, outer or {}
        self._names: Mapping[Tensor, str] = graph.names.tensors
        if prefix:
            self._names = {tensor: f"{prefix}{name}" for tensor, name in graph.names.tensors.items()} | dict(
                self._outer
            )
        self._constants: set[str] = set()
        self._types: dict[tuple[DType, Shape], bytes] = {}

    def write(self, folded: Sequence[Node]) -> None:
        """Write everything; of nodes that compute with weights alone, the `folded` are written as what they give."""
        graph, proto = self.graph, self.proto
        weights = weight_values(graph, nodes=folded) if folded else {}
        proto.name = f"{self._prefix}unroll"
        for tensor in graph.inputs:
            if tensor not in self._outer:
                proto.input.add(name=self._names[tensor]).MergeFromString(self._type(tensor))
        fixed = set(folded)
        nodes = [node for node in graph.nodes if node not in fixed]
        read = {tensor for node in nodes for tensor in node.inputs} | set(graph.outputs) if fixed else None
        for parameter in graph.parameters.values():
            if read is None or parameter in read:
                _write_array(proto.initializer.add(), self._names[parameter], parameter.value)
        for weight, value in weights.items():
            _write_array(proto.initializer.add(), self._names[weight], value)
        outputs = {
            f"{self._prefix}{name}": output for name, output in zip(graph.output_names, graph.outputs, strict=True)
        }
        for node in track(nodes, "writing ONNX"):
            self._write_node(node, outputs)
        for name, output in outputs.items():
            if self._names[output] != name:
                self._write_alias(name, output)
            proto.output.add(name=name).MergeFromString(self._type(output))

    def _write_node(self, node: Node, outputs: dict[str, Tensor]) -> None:
        names = self.graph.names
        results = [self._names[tensor] for tensor in node.outputs]
        if isinstance(node.op, Opaque):
            inputs = ["" if tensor is None else self._input(tensor) for tensor in node.inputs]
            proto = self.proto.node.add()
            write_opaque(proto, node.op, f"{self._prefix}{names.nodes[node]}", inputs, results, names.by_name)
        else:
            attributes, count = _lower(node, self.opset)
            if isinstance(node.op, WithBodies):
                count -= node.op.num_shared
                attributes = {
                    name: self._body(node, name, value, node.op.num_shared) if isinstance(value, Structure) else value
                    for name, value in attributes.items()
                }
            proto = self.proto.node.add(
                op_type=node.op.name,
                domain=node.op.domain,
                name=f"{self._prefix}{names.nodes[node]}",
                input=["" if tensor is None else self._input(tensor) for tensor in node.inputs[:count]],
                output=results,
            )
            for name, value in attributes.items():
                _write_attribute(proto.attribute.add(), name, value)
        for name, tensor in zip(results, node.outputs, strict=True):
            if name not in outputs:
                self.proto.value_info.add(name=name).MergeFromString(self._type(tensor))
        if self.metadata:
            _write_provenance(proto, node)

    def _body(self, node: Node, name: str, body: Structure, count: int) -> GraphProto:
        """Return a body, which reads what is shared, its last inputs and the node's, by its name outside."""
        shared = zip(body.inputs[len(body.inputs) - count :], node.inputs[len(node.inputs) - count :], strict=True)
        outer: dict[Tensor, str] = {inner: self._input(tensor) for inner, tensor in shared if tensor is not None}
        prefix = f"{self._prefix}{self.graph.names.nodes[node]}/{name}/"
        proto = GraphProto()
        _Writer(in_opset(_as_graph(body), self.opset), proto, self.opset, self.metadata, prefix, outer).write([])
        return proto

    def _type(self, tensor: Tensor) -> bytes:
        """Return the bytes of a tensor's type, from which messages are copied; even a long graph has few types."""
        key = (tensor.dtype, tensor.shape)
        found = self._types.get(key)
        if found is None:
            proto = ValueInfoProto(type=type_proto(tensor.dtype, self.graph.shape(tensor)))
            found = self._types[key] = proto.SerializeToString()
        return found

    def _input(self, tensor: Tensor) -> str:
        name = self._names[tensor]
        if isinstance(tensor, Constant) and name not in self._constants:
            self._constants.add(name)
            _write_array(self.proto.initializer.add(), name, tensor.value)
        return name

    def _write_alias(self, name: str, tensor: Tensor) -> None:
        """Write an Identity for an output that is an input as it is, or has another name too."""
        proto = self.proto.node.add(op_type="Identity", name=f"{name}/Identity")
        proto.input.append(self._input(tensor))
        proto.output.append(name)
        if self.metadata and tensor.node is not None:
            _write_provenance(proto, tensor.node)


def _as_graph(body: Structure) -> Graph:
    """Return the body of a loop, which an operator knows as a Structure, as a Graph of the same names."""
    if isinstance(body, Graph):
        return body
    outputs = dict(zip(body.output_names, body.outputs, strict=True))
    return Graph(body.inputs, outputs, body.requirements, Lineage(body.names, {}, {}))


def _foreign(graph: Structure) -> list[Opaque]:
    """Return the operators that unroll does not know, those in the bodies of loops among them."""
    found = [node.op for node in graph.nodes if isinstance(node.op, Opaque)]
    bodies = [body for node in graph.nodes for body in node.op.bodies]
    return found + [op for body in bodies for op in _foreign(body)]


def _checked_opset(foreign: Sequence[Opaque], opset: int | None, least: int) -> int:
    """Return the opset to write, in which every operator means what it did where it was read; by default at least `least`."""
    if opset is None:
        opset = max([least, *(op.version for op in foreign if not op.domain)])
    if isinstance(opset, bool) or not isinstance(opset, int) or not DEFAULT_OPSET <= opset <= LATEST_OPSET:
        raise ArgumentError(f"opset {opset!r}: use {DEFAULT_OPSET} to {LATEST_OPSET}")
    for op in dict.fromkeys(foreign):
        check_opset(op, opset)
    return opset


def _ir_version(opset: int, wanted: int | None, least: int) -> int:
    least = max(least, onnx.helper.find_min_ir_version_for([onnx.helper.make_opsetid("", opset)]))
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


#: Since when reductions other than ReduceSum take their axes as an input.
_SINCE = 18


def _is_computed_reduction(node: Node) -> bool:
    """Say whether a node, or one in its bodies, is a reduction along axes that no attribute can hold."""
    if any(_is_computed_reduction(inner) for body in node.op.bodies for inner in body.nodes):
        return True
    return (
        LOWERINGS.get(node.op.name) is _lower_reduction
        and len(node.inputs) > 1
        and (axes := node.inputs[1]) is not None
        and axes.known is None
    )


def _lower_reduction(node: Node, attributes: dict[str, Any], opset: int) -> Lowered:
    if opset >= _SINCE:
        return attributes, len(node.inputs)
    if attributes.pop("noop_with_empty_axes"):
        raise UnsupportedError(f"{node.op.name} with noop_with_empty_axes needs opset 18; pass opset=18 or later")
    if _is_computed_reduction(node):
        raise UnsupportedError(f"{node.op.name} along axes that a run computes needs opset 18; pass opset=18 or later")
    axes = node.inputs[1].known if len(node.inputs) > 1 and node.inputs[1] is not None else None
    return attributes | ({"axes": axes} if axes else {}), 1


LOWERINGS: dict[str, Callable[[Node, dict[str, Any], int], Lowered]] = {
    "Cast": _lower_cast,
    "ReduceMax": _lower_reduction,
    "ReduceMean": _lower_reduction,
    "ReduceMin": _lower_reduction,
    "Split": _lower_split,
}


# -- protobuf ---------------------------------------------------------------------------------------------------------


def type_proto(dtype: DType, shape: Shape) -> TypeProto:
    """Return ONNX's type of a tensor."""
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
    if array.dtype == TEXT or array.dtype in PACKED:
        proto.CopyFrom(numpy_helper.from_array(array, name))
        return
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
    elif isinstance(value, GraphProto):
        proto.type = AttributeProto.GRAPH
        proto.g.CopyFrom(value)
    elif value and isinstance(value[0], str):
        proto.type = AttributeProto.STRINGS
        proto.strings.extend(item.encode() for item in value)
    elif value and isinstance(value[0], float):
        proto.type = AttributeProto.FLOATS
        proto.floats.extend(value)
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
