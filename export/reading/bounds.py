"""What a model may hold, checked before onnx, onnxruntime or our reader believe any of it: one walk over all that a file says.

Refused, by name: text that is not UTF-8, tensors whose sizes and data disagree, graphs nested too deep, functions that call
each other in a circle or grow without end when they are written out, and shapes that no array has. What lies in other files
is looked up in the model's folder and nowhere else; see `unroll.export.reading.external_data`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from pathlib import Path
from typing import NamedTuple

import onnx
from google.protobuf.message import DecodeError
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    OperatorSetIdProto,
    SparseTensorProto,
    TensorProto,
    TypeProto,
)

from unroll.errors import FileError, ModelError, UnsupportedError, first_line
from unroll.export.reading.external_data import Place, place_of, take_in
from unroll.export.reading.function_growth import DEEPEST_GRAPHS, check_functions
from unroll.export.reading.tensor_sizes import TOO_MANY, TWO_GIB, check_made, check_sparse, check_tensor
from unroll.files import read_bytes
from unroll.ops.operator import MOST_AXES

#: What native code takes for the version of an opset has 32 bits.
_MOST_VERSION = 2**31
_ATTRIBUTE_TYPES = frozenset(AttributeProto.AttributeType.values())


def read_model(path: Path, *, whole: bool) -> ModelProto:
    """Return the model that a file holds, within bounds.

    Args:
        path: the file.
        whole: take into the model what lies in files beside it; otherwise that is checked, and left there.

    Raises:
        FileError: the file, or one that it names, cannot be read.
        ModelError: it is no ONNX model, or holds what is out of bounds; the message names the node or tensor.
        UnsupportedError: `whole` is asked for, and it is more than 2 GiB.
    """
    data = read_bytes(path, TWO_GIB - 1)  # which looks at the file that it opens
    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError) as error:
        raise ModelError(f"{path}: not an ONNX model: {first_line(error)}") from None
    del data  # as large as the model, and what looks at a tensor may copy it
    elsewhere = _checked(model, str(path), path)
    if whole:
        take_in(elsewhere, str(path))
    return model


def check_bounds(model: ModelProto, what: str) -> None:
    """Refuse what is not a model, or holds something out of bounds.

    Args:
        model: the model.
        what: what to call it in a message.

    Raises:
        ModelError: something is out of bounds; the message names the node or tensor.
        UnsupportedError: data lies in other files, and a model without a file of its own does not say where they are.
    """
    _checked(model, what, None)


def _checked(model: ModelProto, what: str, path: Path | None) -> list[tuple[TensorProto, Place, str]]:
    """Check a model, and return the tensors whose data lies in other files."""
    _check_is_model(model, what)
    walk = _Walk(path)
    try:
        walk.over(model)
        check_functions(model)
    except ModelError as error:
        raise ModelError(f"{what}: not a valid ONNX model: {error}") from None
    except (FileError, UnsupportedError) as error:
        raise type(error)(f"{what}: {error}") from None
    return walk.elsewhere


def _check_is_model(model: ModelProto, what: str) -> None:
    """Refuse what protobuf parses as a model and is not one: it parses nearly any bytes."""
    lacking = [] if model.ir_version else ["no ir_version"]
    lacking += [] if model.graph.output else ["no outputs"]
    if lacking:
        raise ModelError(f"{what}: not an ONNX model: it has {' and '.join(lacking)}")


class _Body(NamedTuple):
    """A graph or a function that is still to be walked over."""

    graph: GraphProto
    depth: int
    where: str  #: what it lies in


class _Walk:
    """One walk over a model; bodies wait in a list, so that none recurses."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.waiting: list[_Body] = []
        self.elsewhere: list[tuple[TensorProto, Place, str]] = []

    def over(self, model: ModelProto) -> None:
        _check_opsets("the model", model.opset_import)
        _check_once("opset", (item.domain for item in model.opset_import))
        _check_once("entry of the metadata", (entry.key for entry in model.metadata_props))
        for entry in model.metadata_props:
            _check_text("a key of the metadata", entry.key)
            _check_text(f"the metadata {entry.key!r}", entry.value)
        self.waiting.append(_Body(model.graph, 0, "the graph"))
        for function in model.functions:
            where = f"function {function.name!r}"
            _check_text("a function", function.name, function.domain, *function.input, *function.output)
            _check_text(f"an attribute of {where}", *function.attribute)
            _check_once(f"input of {where}", function.input)
            _check_opsets(where, function.opset_import)
            for attribute in function.attribute_proto:
                self.attribute(attribute, where, 0)
            self.nodes(function.node, where, 0)
            check_made(function.node, ())
        while self.waiting:
            self.graph(self.waiting.pop())

    def graph(self, body: _Body) -> None:
        if body.depth > DEEPEST_GRAPHS:
            raise ModelError(f"{body.where}: graphs lie more than {DEEPEST_GRAPHS} deep within one another")
        graph = body.graph
        for item in (*graph.input, *graph.output, *graph.value_info):
            _check_text("an input, output or value", item.name)
            _check_type(item.type, item.name)
        for weight in graph.initializer:
            _check_text(f"an initializer of {body.where}", weight.name)
            self.tensor(weight, f"initializer {weight.name!r}")
        for sparse in graph.sparse_initializer:
            _check_text(f"an initializer of {body.where}", sparse.values.name)
            self.sparse(sparse, f"initializer {sparse.values.name!r}")
        _check_once("input", (item.name for item in graph.input))
        _check_once("initializer", (item.name for item in graph.initializer))
        self.nodes(graph.node, body.where, body.depth)
        check_made(graph.node, graph.initializer)

    def nodes(self, nodes: Iterable[NodeProto], where: str, depth: int) -> None:
        for node in nodes:
            _check_text("a node", node.op_type, node.name, node.domain, *node.input, *node.output)
            if node.attribute:
                title = title_of(node)
                for attribute in node.attribute:
                    self.attribute(attribute, title, depth)

    def attribute(self, attribute: AttributeProto, owner: str, depth: int) -> None:
        _check_text("an attribute", attribute.name, attribute.ref_attr_name)
        where = f"attribute {attribute.name!r} of {owner}"
        if attribute.type not in _ATTRIBUTE_TYPES:
            raise ModelError(f"{where} is of the unknown type {attribute.type}")
        if attribute.HasField("t"):
            self.tensor(attribute.t, where)
        if attribute.HasField("sparse_tensor"):
            self.sparse(attribute.sparse_tensor, where)
        if attribute.HasField("tp"):
            _check_type(attribute.tp, attribute.name)
        for tensor in attribute.tensors:
            self.tensor(tensor, where)
        for sparse in attribute.sparse_tensors:
            self.sparse(sparse, where)
        for kind in attribute.type_protos:
            _check_type(kind, attribute.name)
        self.waiting += [_Body(graph, depth + 1, owner) for graph in _graphs(attribute)]

    def tensor(self, tensor: TensorProto, where: str) -> None:
        _check_text(where, tensor.name)
        if tensor.data_location == TensorProto.EXTERNAL:
            self.elsewhere.append((tensor, place_of(tensor, where, self.path), where))
        else:
            check_tensor(tensor, where)

    def sparse(self, sparse: SparseTensorProto, where: str) -> None:
        self.tensor(sparse.values, where)
        self.tensor(sparse.indices, where)
        check_sparse(sparse, where)


def title_of(node: NodeProto) -> str:
    """Return what to call a node in a message."""
    first = next((name for name in node.output if name), "")
    return f"node {node.name!r} ({node.op_type})" if node.name else f"the {node.op_type} that makes {first!r}"


def _graphs(attribute: AttributeProto) -> Iterator[GraphProto]:
    if attribute.HasField("g"):
        yield attribute.g
    yield from attribute.graphs


def _check_text(where: str, *texts: str) -> None:
    """Refuse names that are not in UTF-8, which protobuf hands on as bytes, and those that no other program could print."""
    try:
        if "\0" not in "".join(texts):
            return
    except TypeError:  # one is of bytes
        pass
    for text in texts:
        if not isinstance(text, str):
            raise ModelError(f"the name {text[:80]!r} of {where} is not in UTF-8")
        if "\0" in text:
            raise ModelError(f"the name {text[:80]!r} of {where} holds a NUL character")


def _check_opsets(where: str, opsets: Iterable[OperatorSetIdProto]) -> None:
    for item in opsets:
        _check_text(f"the domain of an opset of {where}", item.domain)
        if not 0 <= item.version < _MOST_VERSION:
            raise ModelError(
                f"{where} is of opset {item.version} of {item.domain or 'ai.onnx'!r}; there is no such opset"
            )


def _check_once(what: str, names: Iterable[str]) -> None:
    """Refuse a name that is used twice: one program takes the first, another one the last."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ModelError(f"{name!r} is the name of more than one {what}")
        seen.add(name)


def _check_type(kind: TypeProto, name: str) -> None:
    """Refuse the type of a tensor that no array has; a negative size is one that is not known, as some write it."""
    dims = kind.tensor_type.shape.dim  # none where it is the type of something else
    if len(dims) > MOST_AXES:
        raise ModelError(f"{name!r} has {len(dims)} axes; there can be {MOST_AXES}")
    _check_text(f"an axis of {name!r}", *[dim.dim_param for dim in dims])
    known = prod([dim.dim_value or 1 for dim in dims])  # an axis that has a name has the value 0
    if abs(known) >= TOO_MANY:
        raise ModelError(f"{name!r} is of {abs(known)} elements; no array has so many")
