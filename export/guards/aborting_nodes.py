"""Nodes on which onnx's shape inference or onnxruntime end the whole process, found in the file before either is called.

An error can be caught, a crash cannot. Each row was seen in onnx 1.23.2 and onnxruntime 1.32.0 on the CPU, by some 300 random
changes to each of the 200 operators that onnx has examples of (attributes out of range, inputs and outputs left out or too
many, sizes that lie): 64,000 models, each tried in a process that may end. Of 32,500 more that this table lets pass, none
ended the process in shape inference or while it was loaded:

============================================================ ==========================================================
what a file says                                             what ends, and where
============================================================ ==========================================================
Split: ``num_outputs`` below its outputs                     an index beyond a vector, in the shape inference of both
a needed input left out by an empty name: of EyeLike,        a null pointer, in shape inference; for Max, Min, Mean and
LabelEncoder, RegexFullMatch, TreeEnsemble, Max, Min, ...    Sum in onnxruntime while it runs
Split: an output without a name                              a null pointer, while onnxruntime runs
GatherND: ``batch_dims`` below 0 or beyond all axes          memory not its own, in shape inference and while it runs
LayerNormalization: an ``axis`` beyond all axes              memory not its own, in shape inference
LayerNormalization in a function of an opset before 17       memory not its own, while onnxruntime loads
Einsum: an ``equation`` with other characters                shape inference never ends
TfIdfVectorizer: ``ngram_indexes`` below 0 or too few        memory not its own, while onnxruntime runs
AveragePool, LpPool, MaxPool: a ``kernel_shape`` beyond all  does not end, while onnxruntime runs
a vector declared with billions of elements                  shape inference does not end, where it follows values
============================================================ ==========================================================

What a table cannot know is tried in a child process first: see `unroll.export.guards.trial_load`. Tensors without elements
are the matter of `unroll.export.guards.empty_tensors`; optimisers that crash, that of
`unroll.export.guards.broken_optimizers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from math import prod
from typing import Any, NamedTuple

import onnx
from onnx import AttributeProto, FunctionProto, ModelProto, NodeProto, ValueInfoProto

from unroll.errors import ModelError
from unroll.export.node_walk import NATIVE_DOMAINS, all_nodes, bodies, title, with_inner

#: No tensor has as many axes: an axis beyond it is wrong whatever the rank.
_MOST_AXES = 64
#: Shape inference takes 0.3 s for a million, where it follows values.
_LONGEST_VECTOR = 2**24
_LARGEST_KERNEL = 2**26
_EQUATION = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,-> ")
_ENDS = "onnx or onnxruntime would end the whole process on it"

#: Needed by the letter of opset 11, left out by exporters all the same; both runners take it.
_OFTEN_LEFT_OUT = frozenset(["Resize"])


class Row(NamedTuple):
    """One attribute of an operator that native code believes."""

    attribute: str
    type: int
    check: Callable[[NodeProto, Any], str]  #: of a node and a value: what is wrong and what is wanted, or nothing


def check_nodes(model: ModelProto, what: str) -> None:
    """Refuse a model that holds a node, or a declared size, on which native code is known to end the process.

    Args:
        model: the model, as it came from outside.
        what: what to call it in a message.

    Raises:
        ModelError: it holds one; the message names the node, what was seen and what is wanted.
    """
    weights = {item.name for item in model.graph.initializer}
    for item in _declared(model):
        sizes = item.type.tensor_type.shape.dim
        if len(sizes) == 1 and sizes[0].dim_value > _LONGEST_VECTOR and item.name not in weights:
            raise ModelError(
                f"{what}: {item.name!r} is declared with {sizes[0].dim_value} elements; up to {_LONGEST_VECTOR}, or a "
                f"name for the size, are wanted; {_ENDS}"
            )
    versions = {item.domain: item.version for item in model.opset_import}
    versions.setdefault("ai.onnx" if "" in versions else "", versions.get("", versions.get("ai.onnx", 1)))
    called = _calls(model) if model.functions else {}
    for function in (None, *model.functions):
        if function is not None:
            _check_versions(function, what)
        calls = called.get(_key(function), []) if function is not None else []
        left_out = {"", *(() if function is None else _left_out(function, calls))}
        for node in with_inner(model.graph.node if function is None else function.node):
            wrong = _wrong(node, calls, left_out, versions)
            if wrong:
                raise ModelError(f"{what}: {title(node)}: {wrong}; {_ENDS}")


def _declared(model: ModelProto) -> Iterator[ValueInfoProto]:
    """Yield the declarations of tensors."""
    graphs = [model.graph]
    graphs += [body for node in all_nodes(model) if node.attribute for body in bodies(node)]
    for graph in graphs:
        for items in (graph.input, graph.output, graph.value_info):
            yield from items


def _wrong(node: NodeProto, calls: list[NodeProto], left_out: set[str], versions: dict[str, int]) -> str:
    """Return what is wrong with a node and what is wanted; nothing where it is safe."""
    row = CHECKS.get(node.op_type)
    if row is not None and node.domain in NATIVE_DOMAINS:
        if node.op_type == "Split" and "" in node.output:
            return f"output {list(node.output).index('')} has no name; give it one"
        for value in _values(node, row, calls):
            wrong = row.check(node, value)
            if wrong:
                return wrong
    if not left_out.isdisjoint(node.input):
        is_needed = _needed(node.op_type, node.domain, versions.get(node.domain, 1))
        for place, name in enumerate(node.input):
            if name in left_out and is_needed and is_needed[min(place, len(is_needed) - 1)]:
                return f"input {place} is left out, which this operator needs"
    return ""


def _check_versions(function: FunctionProto, what: str) -> None:
    """Refuse a node whose operator ONNX does not have in the opset of the function that holds it."""
    version = next((item.version for item in function.opset_import if not item.domain), 0)
    for node in with_inner(function.node) if version else ():
        if not node.domain and not _exists(node.op_type, version):
            raise ModelError(
                f"{what}: {title(node)} in function {function.name!r}: its opset {version} has no such operator; {_ENDS}"
            )


@cache
def _exists(op_type: str, version: int) -> bool:
    return bool(onnx.defs.has(op_type, _as_version(version), ""))


# -- the rows ---------------------------------------------------------------------------------------------------------


def _split(node: NodeProto, count: Any) -> str:
    if len(node.output) <= count:
        return ""
    return f"num_outputs is {count}, and it has {len(node.output)} outputs; one output a piece is wanted"


def _batch_dims(node: NodeProto, count: Any) -> str:
    return "" if 0 <= count < _MOST_AXES else f"batch_dims is {count}; 0 to the number of axes is wanted"


def _axis(node: NodeProto, axis: Any) -> str:
    return "" if -_MOST_AXES <= axis < _MOST_AXES else f"axis is {axis}, which no tensor has"


def _equation(node: NodeProto, equation: Any) -> str:
    text = equation.decode("utf-8", errors="replace")
    return "" if _EQUATION.issuperset(text) else f"equation is {text[:80]!r}; letters, '.', ',' and '->' are wanted"


def _kernel(node: NodeProto, sizes: Any) -> str:
    fits = all(size > 0 for size in sizes) and prod(sizes) <= _LARGEST_KERNEL
    return (
        ""
        if fits
        else f"kernel_shape is {list(sizes)}; sizes of 1 and more, up to {_LARGEST_KERNEL} numbers, are wanted"
    )


def _n_grams(node: NodeProto, indexes: Any) -> str:
    pool = next((len(item.ints) or len(item.strings) for item in node.attribute if item.name.startswith("pool_")), 0)
    fits = all(0 <= index <= pool for index in indexes)
    return "" if fits else f"ngram_indexes holds what is not in 0 to {pool}, the size of its pool"


#: By operator, which attribute is looked at, and how.
CHECKS: dict[str, Row] = {
    "Split": Row("num_outputs", AttributeProto.INT, _split),
    "GatherND": Row("batch_dims", AttributeProto.INT, _batch_dims),
    "LayerNormalization": Row("axis", AttributeProto.INT, _axis),
    "Einsum": Row("equation", AttributeProto.STRING, _equation),
    "AveragePool": Row("kernel_shape", AttributeProto.INTS, _kernel),
    "LpPool": Row("kernel_shape", AttributeProto.INTS, _kernel),
    "MaxPool": Row("kernel_shape", AttributeProto.INTS, _kernel),
    "TfIdfVectorizer": Row("ngram_indexes", AttributeProto.INTS, _n_grams),
}


def _values(node: NodeProto, row: Row, calls: Iterable[NodeProto]) -> Iterator[Any]:
    """Yield the values that an attribute may have: its own, or those that the calls of its function give it."""
    for attribute in node.attribute:
        if attribute.name == row.attribute:
            given: Iterable[AttributeProto] = [attribute]
            if attribute.ref_attr_name:
                given = (item for call in calls for item in call.attribute if item.name == attribute.ref_attr_name)
            for item in given:
                if item.type == row.type and not item.ref_attr_name:  # of another type is refused, and ends nothing
                    yield onnx.helper.get_attribute_value(item)


def _as_version(version: int) -> int:
    """Return the opset that a file declares, limited to the range that native code can hold."""
    return min(max(version, 0), 2**31 - 1)


# -- inputs left out --------------------------------------------------------------------------------------------------


@cache
def _needed(op_type: str, domain: str, version: int) -> tuple[bool, ...]:
    """Return for each input whether it is required; the last entry stands for all that follow."""
    if op_type in _OFTEN_LEFT_OUT:
        return ()
    try:
        schema = onnx.defs.get_schema(op_type, _as_version(version), "" if domain == "ai.onnx" else domain)
    except onnx.defs.SchemaError:  # a function or custom operator
        return ()
    options = onnx.defs.OpSchema.FormalParameterOption
    return tuple(item.option != options.Optional for item in schema.inputs)


def _key(function: FunctionProto) -> tuple[str, str]:
    return function.domain, function.name


def _calls(model: ModelProto) -> dict[tuple[str, str], list[NodeProto]]:
    """Return the calls of each of a model's functions, wherever they stand."""
    called: dict[tuple[str, str], list[NodeProto]] = {_key(item): [] for item in model.functions}
    for node in all_nodes(model):
        if (node.domain, node.op_type) in called:
            called[node.domain, node.op_type].append(node)
    return called


def _left_out(function: FunctionProto, calls: Iterable[NodeProto]) -> Iterator[str]:
    """Yield the inputs of a function that a call leaves out."""
    for call in calls:
        for place, name in enumerate(function.input):
            if place >= len(call.input) or not call.input[place]:
                yield name
