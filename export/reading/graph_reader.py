"""A Graph of a model, or of a body in it: node by node in the file's order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto, numpy_helper

from unroll.dimensions import Dim, Dimension, Limit, Shape, known_size, substitute_shape, symbol
from unroll.dtypes import Array, DType, held_array
from unroll.errors import DTypeError, ModelError, UnrollError, UnsupportedError, first_line
from unroll.export.lowering import type_proto
from unroll.export.metadata import least_of, limits_of, states_of
from unroll.export.reading.bounds import title_of
from unroll.export.reading.calls import InexpressibleError
from unroll.export.reading.chosen_branches import chosen_branch, with_free_names
from unroll.export.reading.computed_sizes import ComputedSizes, as_constant, open_shapes
from unroll.export.reading.inner_graphs import is_weight
from unroll.export.reading.invalid_nodes import why_invalid
from unroll.export.reading.loops import BODIES, read_with_bodies
from unroll.export.reading.named_places import hint_of, named_places
from unroll.export.reading.node_alone import types_alone
from unroll.export.reading.node_readers import RECURRENT, read_node
from unroll.export.reading.opaque_nodes import (
    OLDEST_WRITTEN,
    ONNX_DOMAIN,
    captured_names,
    converted,
    dims_of,
    dtype_of,
    inferred_types,
    opaque,
    shape_of,
    written_version,
)
from unroll.export.reading.tensor_sizes import TOO_MANY
from unroll.graph import Graph
from unroll.naming import Lineage, Names
from unroll.ops.functions import Identity
from unroll.ops.operator import MOST_AXES, NotKnownError, Operator, Requirements
from unroll.parameter import Parameter
from unroll.passes.unrolling.deciders import deciders
from unroll.progress import track
from unroll.scopes import Origin, join
from unroll.tensor import Constant, Node, Placeholder, Tensor

OLDEST_OPSET = 7
#: The newest that the installed onnx knows; what is written is of an older one.
NEWEST_OPSET = int(onnx.defs.onnx_opset_version())
#: How many nodes of bodies are read in one model, those that are read again each time.
_MOST_INNER = 200_000


class GraphReader:
    """Builds a Graph from a model, node by node in the file's order.

    Args:
        model: the model; one made of the body of a loop is read like any other.
        equal: what symbols are known to equal, by which they are replaced.
        given: of a body, the inputs and constants that come from outside, by name.
        left: how many more nodes of bodies are read: that of a Loop is read again where it changes sizes, and so are those
            within it.
        binds: whether what follows from constants is taken for granted: of an If whose condition does, one branch is read.

    Raises:
        UnsupportedError: the model is of an opset that is not read.
    """

    def __init__(
        self,
        model: ModelProto,
        equal: Mapping[str, Dim],
        given: Mapping[str, Tensor] | None = None,
        left: list[int] | None = None,
        binds: bool = False,
    ) -> None:
        self.model, self.proto, self.equal = model, model.graph, equal
        self.left = [_MOST_INNER] if left is None else left
        self.versions = {"" if item.domain in ONNX_DOMAIN else item.domain: item.version for item in model.opset_import}
        self.opset = self.versions.get("", OLDEST_WRITTEN)
        if not OLDEST_OPSET <= self.opset <= NEWEST_OPSET:
            raise UnsupportedError(f"opset {self.opset}: models of opset {OLDEST_OPSET} to {NEWEST_OPSET} can be read")
        self.given, self.binds = given, binds
        self.tensors: dict[str, Tensor] = dict(given or {})
        self.names = Names((), (), (), ())
        self.output_names = [item.name for item in self.proto.output]
        self._places = named_places(model)
        self._provenance = frozenset({Origin("", None, None, None)})
        self.invalid: list[str] = []
        self._title = ""
        self._made_names: list[str] = []
        self.computed = ComputedSizes()
        self._taken = {name for node in self.proto.node for name in node.output}
        self._taken.update(item.name for item in (*self.proto.input, *self.proto.initializer))

    @cached_property
    def types(self) -> dict[str, TypeProto]:
        """What the file and ONNX's own shape inference say of every tensor, for nodes that our rules do not reach."""
        found = {item.name: item.type for item in self.proto.input}
        for weight in self.proto.initializer:
            found[weight.name] = onnx.helper.make_tensor_type_proto(weight.data_type, weight.dims)
        return found | inferred_types(self.model)

    def read(self) -> Graph:
        """Read everything.

        Raises:
            ModelError: a weight is sparse.
        """
        if self.proto.sparse_initializer:
            name = self.proto.sparse_initializer[0].values.name
            raise ModelError(f"initializer {name!r} is sparse; only dense ones can be read")
        for weight in self.proto.initializer:
            if weight.name not in self.tensors:
                self._read_weight(weight)
        if self.given is None:
            inputs = [self._read_input(item) for item in self.proto.input if item.name not in self.tensors]
        else:
            inputs = [tensor for tensor in self.given.values() if isinstance(tensor, Placeholder)]
        for node in track(self.proto.node, "reading ONNX"):
            self._read_node(node, self.opset)
        outputs = [self._output(name) for name in self.output_names]
        limits = [limit for found in limits_of(self.model).values() for limit in found]
        graph = Graph(inputs, outputs, [*limits, *least_of(self.model)], Lineage(self.names, {}, {}))
        graph.states = states_of(self.model, [item.name for item in graph.inputs], graph.output_names)
        return graph

    # -- inputs, weights, outputs ---------------------------------------------------------------------------------

    def _read_input(self, item: ValueInfoProto) -> Placeholder:
        what = f"input {item.name!r}"
        dtype = dtype_of(item.type, what)
        shape = substitute_shape(shape_of(item.type, item.name, what), self.equal)
        found = Placeholder(shape, dtype, item.name)
        self.tensors[item.name] = found
        return found

    def _read_weight(self, weight: TensorProto, name: str = "") -> None:
        """Take up an initializer, under another name where one is given."""
        name = name or weight.name
        try:
            array = numpy_helper.to_array(weight)
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(f"initializer {weight.name!r} does not hold what it says: {first_line(error)}") from None
        if is_weight(weight):
            parameter = Parameter(array, "weight")
            # A file's names need not be ours, such as "/layer/weight".
            parameter.rename(self._inner_name(name))
            self.tensors[name] = parameter
        else:
            self.tensors[name] = self._constant(held_array(array), name)

    def _constant(self, array: Array, name: str) -> Constant:
        return as_constant(array, self._inner_name(name))

    def _inner_name(self, name: str) -> str:
        """Return the name of a weight: its own, unless it is an output, which goes by that name."""
        return f"{name}/value" if name in self.output_names else name

    def _output(self, name: str) -> Tensor:
        found = self._found(name, "an output of the model")
        if isinstance(found, (Constant, Parameter)):
            self._enter(NodeProto(op_type="Identity", name=f"{name}/Identity"))
            (found,) = self.apply(Identity(), found)
            self.names.tensors[found] = name
        return found

    # -- nodes ----------------------------------------------------------------------------------------------------

    def _enter(self, node: NodeProto) -> None:
        """Let what is made from here on come from `node`."""
        name = node.name or node.op_type
        self._provenance = frozenset({self._places.get(name) or Origin(name, None, None, None)})
        self._title = title_of(node)
        self._made_names = [name or f"{self._title}/{place}" for place, name in enumerate(node.output)]

    def _inputs(self, names: Iterable[str]) -> list[Tensor | None]:
        return [self._found(name, f"an input of {self._title}") if name else None for name in names]

    def _found(self, name: str, what: str) -> Tensor:
        """Return the tensor that has a name in the file.

        Raises:
            ModelError: nothing makes it: onnx's checker does not look at what functions become.
        """
        tensor = self.tensors.get(name)
        if tensor is None:
            raise ModelError(f"not a valid ONNX model: nothing before it makes {name!r}, {what}")
        return tensor

    def _read_node(self, node: NodeProto, opset: int) -> None:
        self._enter(node)
        if self.binds and self._read_chosen(node, opset):
            return
        try:
            if node.domain not in ONNX_DOMAIN:
                raise InexpressibleError(f"domain {node.domain}")
            inputs = self._inputs(node.input)
            if node.op_type in BODIES:
                results = read_with_bodies(node, inputs, opset, self)
            else:
                results = read_node(node, inputs, opset, self.apply)
            self._bind(node, results, range(len(node.output)))
        except (InexpressibleError, UnrollError) as error:  # our rules may be stricter than ONNX's
            read = [self.tensors[name] if name else None for name in node.input]
            wrong = why_invalid(node, read, opset, error)
            if wrong:
                self.invalid.append(f"{self._title}: {wrong}")
            if not self.binds and self._read_chosen(node, opset):
                return
            try:
                self._pass_through(node, opset, str(error) if node.op_type in RECURRENT else "")
            except ModelError as unknown:
                raise ModelError(
                    f"{unknown} ({error})" + self._settling(node) if node.op_type in BODIES else str(unknown)
                ) from None

    def _settling(self, node: NodeProto) -> str:
        """Return what would settle which branch of an If is taken, in words; nothing for other nodes."""
        if node.op_type != "If" or self.given is not None:
            return ""
        fed = (tensor for tensor in self.tensors.values() if isinstance(tensor, Placeholder))
        symbols = {name for tensor in fed for dim in tensor.shape if isinstance(dim, Dimension) for name in dim.symbols}
        return f". One branch is read where its condition is known: {deciders(self.tensors[node.input[0]], symbols)}"

    def _read_chosen(self, node: NodeProto, opset: int) -> bool:
        """Read the branch of an If in its place, where constants decide its condition; say whether they do."""
        graph = chosen_branch(node, self.computed.constant(self.tensors.get(node.input[0]) if node.input else None))
        if graph is None:
            return False
        graph, own = with_free_names(graph, self._taken)
        self._taken |= own
        for weight in graph.initializer:
            self._read_weight(weight)
        invalid = len(self.invalid)
        try:
            for inner in graph.node:
                self._read_node(inner, opset)
        except ModelError:  # what is in the branch has no shape; the file may say one of the If as a whole
            del self.invalid[invalid:]
            self._enter(node)
            return False
        self._enter(node)
        for name, made in zip(node.output, graph.output, strict=False):
            if name:
                self.tensors[name] = tensor = self._found(made.name, f"an output of {self._title}")
                if tensor.node is not None:
                    self.names.tensors[tensor] = name
        return True

    def _pass_through(self, node: NodeProto, opset: int, open_meaning: str = "") -> None:
        """Take a node as it is, in the oldest opset that can be written."""
        known = node.domain in ONNX_DOMAIN
        if known:
            if opset < OLDEST_WRITTEN:
                newer = converted(node, opset, self.types, self._title)
                if newer is not None:
                    self._read_converted(node, newer)
                    return
            read = [self.computed.constant(tensor) for tensor in self._inputs(node.input)]
            self.types.update(types_alone(node, read, opset, self.types))
        version = written_version(node, opset) if known else self.versions.get(node.domain, 1)
        op = replace(opaque(node, version, self.types, self.equal, self._title), open_meaning=open_meaning)
        inputs = tuple(self._inputs((*node.input, *op.captured)))
        made = Node(op, inputs, op.shapes(Requirements()), op.dtypes({}), self._provenance)
        self.computed.follow(made)
        values = [self.computed.constant(tensor) for tensor in made.outputs] if self.binds else []
        settled = [value for value in values if isinstance(value, Constant)]
        self._bind(node, settled if len(settled) == len(made.outputs) else made.outputs, op.places)

    def _read_converted(self, node: NodeProto, newer: ModelProto) -> None:
        """Read what an older node became, under names that no one else has."""
        kept = {*node.input, *node.output, *captured_names(node)}
        title = node.name or node.op_type
        inner = [item.name for item in newer.graph.initializer]
        inner += [name for item in newer.graph.node for name in item.output if name not in kept]
        new = {name: self._unused(f"{title}/{name}") for name in inner}
        for weight in newer.graph.initializer:
            weight.name = new[weight.name]
            self._read_weight(weight)
        for name, kind in inferred_types(newer).items():
            self.types.setdefault(new.get(name, name), kind)
        for item in newer.graph.node:
            for names in (item.input, item.output):
                names[:] = [new.get(name, name) for name in names]
            item.name = item.name or title
            self._read_node(item, OLDEST_WRITTEN)

    def _bind(self, node: NodeProto, results: Sequence[Tensor], places: Sequence[int]) -> None:
        """Give the new tensors the names that the file has for them."""
        for place, tensor in zip(places, results, strict=False):
            name = node.output[place]
            if not name:
                continue
            if isinstance(tensor, Constant):
                tensor = self._constant(np.array(tensor.value), name)
            elif tensor.node is not None:
                self.names.tensors[tensor] = name
                self.names.nodes[tensor.node] = node.name or node.op_type
                if node.name in self._places:
                    tensor.hint = hint_of(name, tensor.node)
            self.tensors[name] = tensor

    def apply(self, op: Operator, *arguments: Tensor | None) -> tuple[Tensor, ...]:
        """Make a node of an operator; its shapes come from the operator's own rule.

        Raises:
            DTypeError, ShapeError: the operator does not take these inputs.
            InexpressibleError: it would make what no array has room for.
        """
        inputs = list(arguments)
        while inputs and inputs[-1] is None:
            inputs.pop()
        return self._make(op, tuple(inputs), _bound(op, inputs))

    def _make(self, op: Operator, inputs: tuple[Tensor | None, ...], types: Mapping[str, DType]) -> tuple[Tensor, ...]:
        require = Requirements()
        try:
            shapes = op.shapes(require, *inputs)
        except NotKnownError:
            shapes = self._told(op, inputs)
            op = op.with_told(shapes)
        else:
            op = self.computed.told(op, shapes)
        require.found += [item for body in op.bodies for item in body.requirements if not isinstance(item, Limit)]
        if any(len(shape) > MOST_AXES or known_size(shape) >= TOO_MANY for shape in shapes):
            raise InexpressibleError("it makes more axes or elements than an array can have")
        dtypes = op.dtypes(types)
        dtypes = dtypes * len(shapes) if len(dtypes) < len(shapes) else dtypes
        found = [item._replace(where=f"{self._title}: {item.where.partition(': ')[2]}") for item in require.found]
        node = Node(op, inputs, shapes, dtypes, self._provenance, tuple(found))
        self.computed.follow(node)
        base = join(next(iter(self._provenance)).scope, op.name)
        self.names.nodes[node] = base
        for tensor in node.outputs:
            self.names.tensors[tensor] = self._unused(base)
        return node.outputs

    def _told(self, op: Operator, inputs: Sequence[Tensor | None]) -> list[Shape]:
        kinds = [self.types.get(name) for name in self._made_names]
        ranks = [_rank(kind) for kind in kinds]
        return open_shapes(op, inputs, self._made_names, ranks, self.declared)

    # -- what `unroll.export.reading.loops` asks for ------------------------------------------------------------------

    def found(self, name: str) -> Tensor:
        return self._found(name, f"what {self._title} reads")

    def move_out(self, weight: TensorProto) -> str:
        name = self._unused(weight.name)
        self._taken.add(name)
        self._read_weight(weight, name)
        return name

    def body(self, graph: GraphProto, given: Mapping[str, Tensor]) -> Graph:
        """Return the body of an operator, which reads what is given by name from outside.

        Raises:
            InexpressibleError: bodies would be read too many times.
        """
        self.left[0] -= len(graph.node)
        if self.left[0] < 0:
            raise InexpressibleError("its bodies are large, and would be read many times")
        model = ModelProto(ir_version=self.model.ir_version, opset_import=self.model.opset_import)
        model.graph.CopyFrom(graph)
        del model.graph.input[:]
        for name, tensor in given.items():
            if isinstance(tensor, Constant):
                model.graph.initializer.append(numpy_helper.from_array(tensor.value, name))
            else:
                model.graph.input.add(name=name).type.CopyFrom(type_proto(tensor.dtype, tensor.shape))
        inner = GraphReader(model, {}, given, self.left, self.binds)
        found = inner.read()
        self.invalid += inner.invalid
        return found

    def declared(self, name: str, rank: int) -> Shape:
        kind = self.types.get(name)
        if kind is None or len(kind.tensor_type.shape.dim) != rank:
            return tuple(symbol(f"{name}_{axis}") for axis in range(rank))
        return substitute_shape(dims_of(kind, name), self.equal)

    def made(self, op: Operator, inputs: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
        return self._make(op, tuple(inputs), {})

    def _unused(self, name: str) -> str:
        """Return a name that no tensor of the file has."""
        while name in self._taken:
            name += "_"
        return name


def _rank(kind: TypeProto | None) -> int | None:
    """Return how many axes a type says there are."""
    if kind is None or not kind.tensor_type.HasField("shape"):
        return None
    return len(kind.tensor_type.shape.dim)


def _bound(op: Operator, inputs: Sequence[Tensor | None]) -> dict[str, DType]:
    """Return the dtype that each type variable of an operator stands for.

    Raises:
        DTypeError: it takes no such dtype there, or two that must be one differ.
        InexpressibleError: it takes fewer inputs, or more.
    """
    signature = op.signature
    slots = [signature.slots[0]] * len(inputs) if signature.variadic else signature.slots[: len(inputs)]
    if not signature.least <= len(inputs) <= len(slots):
        raise InexpressibleError(f"{len(inputs)} inputs")
    types: dict[str, DType] = {}
    for slot, tensor in zip(slots, inputs, strict=True):
        if tensor is None:
            if not slot.optional:
                raise InexpressibleError(f"input {slot.name} is left out")
        elif (
            tensor.dtype not in signature.types[slot.type] or types.setdefault(slot.type, tensor.dtype) != tensor.dtype
        ):
            raise DTypeError(f"{op.name}: input {slot.name} is {tensor.described()}")
    return types
