"""Mutants of ONNX models: one weight, operator, attribute or order of inputs changed, and still a valid model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
from helpers import Array
from onnx import AttributeProto, ModelProto, NodeProto, numpy_helper

#: What an operator may become: those of one signature.
_OTHERS = {
    "Add": "Sub",
    "Div": "Mul",
    "Max": "Min",
    "Min": "Max",
    "Mul": "Add",
    "Relu": "Tanh",
    "Sigmoid": "Tanh",
    "Sub": "Add",
    "Tanh": "Sigmoid",
    "ReduceMean": "ReduceMax",
    "Softmax": "LogSoftmax",
}
#: Attributes that say what sizes say too; of a Split into too few pieces, onnx's shape inference ends the process.
_KEPT = ("hidden_size", "num_outputs")
#: How far outputs are apart where a mutant is another function, and by how many random feeds that is told.
_APART, _FEEDS = 1e-3, 2


class Mutant(NamedTuple):
    """A changed model, and what was changed."""

    model: ModelProto
    told: str


def mutants(
    model: ModelProto, feeds: dict[str, Array], count: int, seed: int, feeds_alone: bool = False
) -> Iterator[Mutant]:
    """Yield mutants that onnxruntime computes something else for, on feeds of the shapes given.

    Args:
        model: what is changed.
        feeds: what it takes.
        count: how many are tried; those that nothing can run, or that are the same function, are left out.
        seed: of what is changed.
        feeds_alone: whether it is on these very feeds that they must differ.
    """
    rng = np.random.default_rng([seed, 7])
    fed = [feeds] + [
        {name: _other(array, rng) for name, array in feeds.items()} for _ in range(0 if feeds_alone else _FEEDS - 1)
    ]
    before = [_run(model, item) for item in fed]
    for _ in range(count):
        changed = ModelProto()
        changed.CopyFrom(model)
        told = _change(changed, rng)
        if told and any(_differ(old, _run(changed, item)) for old, item in zip(before, fed, strict=True)):
            yield Mutant(changed, told)


def _other(array: Array, rng: np.random.Generator) -> Array:
    return np.asarray(rng.normal(size=array.shape)).astype(array.dtype) if array.dtype.kind == "f" else array


def _run(model: ModelProto, feeds: dict[str, Array]) -> list[Array] | None:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnx.checker.check_model(model)
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return list(session.run(None, feeds))
    except Exception:  # neither package's errors share a base class
        return None


def _differ(old: list[Array] | None, new: list[Array] | None) -> bool:
    """Whether both ran, and by enough to be told from rounding."""
    if old is None or new is None or any(a.shape != b.shape for a, b in zip(old, new, strict=True)):
        return False
    return any(
        np.isfinite(a).all()
        and np.isfinite(b).all()
        and np.abs(a.astype(float) - b.astype(float)).max(initial=0) > _APART
        for a, b in zip(old, new, strict=True)
    )


def _change(model: ModelProto, rng: np.random.Generator) -> str:
    """Change one thing in place; return what, or nothing where that kind of change finds none."""
    kinds = (_weight, _weight, _weights_swapped, _operator, _attribute, _inputs_swapped)
    return kinds[int(rng.integers(len(kinds)))](model, rng)


def _weight(model: ModelProto, rng: np.random.Generator) -> str:
    floats = [
        item for item in model.graph.initializer if item.data_type == onnx.TensorProto.FLOAT and np.prod(item.dims)
    ]
    if not floats:
        return ""
    item = floats[int(rng.integers(len(floats)))]
    array = np.array(numpy_helper.to_array(item))
    place = int(rng.integers(array.size))
    array.flat[place] += rng.choice([-0.5, 0.5])
    item.CopyFrom(numpy_helper.from_array(array, item.name))
    return f"element {place} of {item.name}"


def _weights_swapped(model: ModelProto, rng: np.random.Generator) -> str:
    items = list(model.graph.initializer)
    pairs = [
        (a, b)
        for place, a in enumerate(items)
        for b in items[place + 1 :]
        if a.dims == b.dims and a.data_type == b.data_type == onnx.TensorProto.FLOAT
    ]
    if not pairs:
        return ""
    a, b = pairs[int(rng.integers(len(pairs)))]
    a.name, b.name = b.name, a.name
    return f"{a.name} and {b.name} swapped"


def _chosen(model: ModelProto, rng: np.random.Generator, names: object = None) -> NodeProto | None:
    nodes = [node for node in model.graph.node if names is None or node.op_type in names]  # type: ignore[operator]
    return nodes[int(rng.integers(len(nodes)))] if nodes else None


def _operator(model: ModelProto, rng: np.random.Generator) -> str:
    node = _chosen(model, rng, _OTHERS)
    if node is None:
        return ""
    old, node.op_type = node.op_type, _OTHERS[node.op_type]
    return f"{old} {node.name} became {node.op_type}"


def _attribute(model: ModelProto, rng: np.random.Generator) -> str:
    items = [(node, item) for node in model.graph.node for item in node.attribute if item.name not in _KEPT]
    if not items:
        return ""
    node, item = items[int(rng.integers(len(items)))]
    if item.type == AttributeProto.INT:
        item.i = 1 - item.i if item.i in (0, 1) else item.i - 1
    elif item.type == AttributeProto.FLOAT:
        item.f += 0.25
    elif item.type == AttributeProto.INTS and len(item.ints) > 1:
        item.ints[0], item.ints[1] = item.ints[1], item.ints[0]
    elif item.type == AttributeProto.FLOATS and len(item.floats):
        item.floats[0] += 0.25
    elif item.type == AttributeProto.STRING and item.s in (b"forward", b"reverse"):
        item.s = b"reverse" if item.s == b"forward" else b"forward"
    elif item.type == AttributeProto.STRINGS:
        item.strings[0] = b"Softsign" if item.strings[0] != b"Softsign" else b"Tanh"
    elif item.type == AttributeProto.TENSOR and item.t.data_type == onnx.TensorProto.FLOAT:
        item.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(item.t) + np.float32(0.25)))
    else:
        return ""
    return f"attribute {item.name} of {node.op_type} {node.name}"


def _inputs_swapped(model: ModelProto, rng: np.random.Generator) -> str:
    node = _chosen(model, rng)
    if node is None or len(node.input) < 2:
        return ""
    node.input[0], node.input[1] = node.input[1], node.input[0]
    return f"inputs 0 and 1 of {node.op_type} {node.name} swapped"
