"""Operators whose kernels in onnxruntime end the process on a tensor without elements: refused where fed, guarded inside.

Seen in onnxruntime 1.32.0 on the CPU, with each size of each input of onnx's 1,884 examples set to 0:

========================= ========================================== ===================
operator                  no elements in                             what happens
========================= ========================================== ===================
LSTM, DynamicQuantizeLSTM the input, by its batch                    abort
GRU                       the input, by its steps, batch or features abort
RNN with a first state    the input, by its steps                    zeros as its last
Conv                      the kernel                                 never ends
ConvTranspose             the input                                  segmentation fault
STFT                      the window                                 division by zero
Unique                    the input, where an axis is given          abort
========================= ========================================== ===================

A Scan aborts on a state that comes with another rank than its body declares, which a size that a run computes may bring about;
a ``Reshape(state, [0, 0])`` stands before each state of a model from outside.

RNN gives an empty result for no batch, as all other operators that unroll has do. An empty array that is fed to a model with
an LSTM or GRU is refused before anything runs. One that is made inside (by a Slice, an Expand to size 0, in a branch or a
body) is met by a guard: where the input is not known to have elements, the copy of the model that onnxruntime gets holds,
before an LSTM or GRU, a ``Reshape(x, [0, 0, -1])``. It copies no data, keeps every shape and value, and raises an ordinary
error where steps or batch are 0, for then the last size cannot be told; it costs 0.7 µs a run beside 25 µs (CPU time; an LSTM
of 28 steps, batch 1, 13 units). Before the others stand the nodes of `_by_size`. The file, and the model that `to_onnx`
gives, stay as they are. A Session of a Graph gives the result of NumPy where a guard stops onnxruntime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from unroll.errors import first_line
from unroll.export.guards.node_changes import Change, changed
from unroll.export.node_walk import all_nodes, bodies, is_native, operators_of

_ABORT_WHERE_FED = frozenset(["LSTM", "GRU", "DynamicQuantizeLSTM"])
#: What the names of a guard's nodes end in.
_MARK = "/has elements"
#: The opset of the guards' operators, where a model imports none of ONNX's.
_FIRST_OPSET = 13

#: Operators whose outputs have elements wherever all their inputs do.
_KEEP = frozenset(
    """Abs Add And BatchNormalization Cast Ceil Clip Concat Div Dropout Elu Equal Erf Exp Floor GRU Gather Gelu Gemm Greater
    GreaterOrEqual HardSigmoid Identity LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max Mean Min
    Mul Neg Not Or PRelu Pow RNN Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape ReverseSequence Round
    Selu Sigmoid Sign Softmax Softplus Softsign Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze Where""".split()  # noqa: SIM905
)
#: Those of them of which only the first input counts: the other inputs are settings, and may be left out.
_BY_FIRST = frozenset(["Cast", "Clip", "Dropout", "Reshape", "Squeeze", "Unsqueeze"])

#: Takes a tensor's name, and `begin`, what the names of new tensors begin with; returns the nodes of a guard, the last
#: of which makes `begin`.
Guard = Callable[[str, str], list[NodeProto]]


def why_no_empty_feeds(model: ModelProto) -> str:
    """Return why a model cannot be fed an array without elements, and the fix; empty where it can."""
    found = sorted({node.op_type for node in all_nodes(model) if node.op_type in _ABORT_WHERE_FED and is_native(node)})
    if not found:
        return ""
    return (
        f"the model holds {' and '.join(found)}, whose kernel in onnxruntime aborts the whole process on a tensor without "
        "elements. Leave out the empty batch, or write the model with form='unrolled'"
    )


def guarded(model: ModelProto, shapes_hold: bool = False) -> ModelProto:
    """Return a model that computes the same, with an error where another would end the process.

    Args:
        model: the model, to which no empty array is fed where `why_no_empty_feeds` says why not.
        shapes_hold: whether the shapes that it declares can be believed, as of one that was just written here.

    Returns:
        The model itself where nothing can become empty before an operator that aborts; else a copy with guards.
    """
    if not operators_of(model) & (GUARDS.keys() | {"Scan"}):
        return model
    found = changed(model, partial(_risks, shapes_hold=shapes_hold))
    if found is not model and not any(item.domain in ("", "ai.onnx") for item in found.opset_import):
        found.opset_import.add(domain="", version=_FIRST_OPSET)
    return found


def is_of_guard(error: Exception) -> bool:
    """Say whether an error that onnxruntime raised is that of a guard."""
    return _MARK in str(error)


def why_failed(error: Exception) -> str:
    """Return what to say of an error that onnxruntime raised while it ran a model, which may be that of a guard."""
    begin, mark, _ = str(error).partition(_MARK)
    if mark:
        name = begin.rpartition("Name:'")[2]
        return (
            f"node {name!r} was given a tensor without elements (or, of a Scan, a state of another rank than its body takes), "
            "on which its kernel in onnxruntime ends the whole process or gives wrong numbers; see that what it reads has "
            "steps, a batch and features, or run it with graph.run"
        )
    return f"onnxruntime failed while running: {first_line(error)}"


def _risks(model: ModelProto, shapes_hold: bool) -> Iterator[Change]:
    """Yield what guards each input of a node that may have no elements, on which the node would end the process."""
    filled = _with_elements(model.graph.initializer)
    given = {item.name for item in model.graph.input}
    if why_no_empty_feeds(model):
        filled |= given | (_declared_with_elements(model) if shapes_hold else set())
    else:
        filled -= given  # what is fed replaces an initializer of its name
    versions = [item.version for item in model.opset_import if item.domain in ("", "ai.onnx")]
    scans = not shapes_hold and max(versions, default=0) > 8  # a Scan of opset 8 has other inputs
    yield from _risks_of(model.graph, filled, 0, scans)
    for function in model.functions:
        calls = [node for node in all_nodes(model) if (node.domain, node.op_type) == (function.domain, function.name)]
        given_by_all = [
            {name for call in calls for name in call.input[place : place + 1]} for place in range(len(function.input))
        ]
        yield from _risks_of(
            function,
            {name for name, given in zip(function.input, given_by_all, strict=True) if given and given <= filled},
            0,
            scans,
        )


def _risks_of(holder: Any, filled: set[str], depth: int, scans: bool) -> Iterator[Change]:
    """Yield the inputs that may be empty, and, with `scans`, the states of Scans; `filled` names the outer tensors that
    are not empty.
    """
    filled = set(filled)
    for index, node in enumerate(holder.node):
        kind = node.op_type
        for body in bodies(node) if node.attribute else ():
            own = {item.name for item in body.input}
            yield from _risks_of(body, (filled - own) | _with_elements(body.initializer), depth + 1, scans)
        if kind in GUARDS and is_native(node) and (kind != "RNN" or "".join(node.input[5:6])):
            for place, guard in GUARDS[kind].items():
                if len(node.input) > place and node.input[place] and node.input[place] not in filled:
                    yield Change(holder, depth, index, partial(_put_guard, place, guard))
        if kind == "Scan" and is_native(node) and scans:
            for place, rank in _ranks_of_states(node).items():
                yield Change(holder, depth, index, partial(_put_guard, place, _reshape(*[0] * rank)))
        if kind == "Constant":
            if any(item.HasField("t") and 0 not in item.t.dims for item in node.attribute):
                filled.update(node.output)
        elif kind in _KEEP and is_native(node):
            read = node.input[:1] if kind in _BY_FIRST else [name for name in node.input if name]
            if filled.issuperset(read):
                filled.update(node.output)


def _ranks_of_states(node: NodeProto) -> dict[int, int]:
    """Return the rank that the body of a Scan says each state has, by the place of the state."""
    scanned = next((item.i for item in node.attribute if item.name == "num_scan_inputs"), 0)
    body = next(bodies(node), None)
    inputs = [] if body is None else body.input[: max(0, len(node.input) - scanned)]
    return {
        place: len(item.type.tensor_type.shape.dim)
        for place, item in enumerate(inputs)
        if item.type.tensor_type.HasField("shape")
    }


def _with_elements(arrays: Iterable[TensorProto]) -> set[str]:
    return {item.name for item in arrays if 0 not in item.dims}


def _declared_with_elements(model: ModelProto) -> set[str]:
    """Return the tensors whose sizes are all declared to be at least 1, or to be those of inputs, which are."""
    sizes = {dim.dim_param for item in model.graph.input for dim in item.type.tensor_type.shape.dim} - {""}
    return {
        item.name
        for item in model.graph.value_info
        if all(dim.dim_value > 0 or dim.dim_param in sizes for dim in item.type.tensor_type.shape.dim)
    }


def _put_guard(place: int, guard: Guard, node: NodeProto) -> list[NodeProto]:
    """Let a node read an input by way of a guard; return its nodes."""
    made = next(filter(None, node.output), node.op_type)
    name = f"{node.name or made}{_MARK}/{made}/{place}"  # nodes may share a name, and tensors may not
    nodes = guard(node.input[place], name)
    node.input[place] = name
    return nodes


# -- guards -----------------------------------------------------------------------------------------------------------


def _array(name: str, values: Any) -> NodeProto:
    value = numpy_helper.from_array(np.asarray(values, np.int64))
    return helper.make_node("Constant", [], [name], value=value)


def _reshape(*shape: int) -> Guard:
    """A Reshape that keeps a tensor of three axes, and fails where the sizes that stand for themselves (0) hold none."""

    def make(tensor: str, name: str) -> list[NodeProto]:
        return [
            _array(f"{name}/shape", shape),
            helper.make_node("Reshape", [tensor, f"{name}/shape"], [name], name=name),
        ]

    return make


def _by_size(tensor: str, name: str) -> list[NodeProto]:
    """A Gather from one number, at place 1 where a tensor has no elements, which fails; its 0 is added to the shape."""
    steps: list[tuple[str, list[str], dict[str, Any]]] = [
        ("Size", [tensor], {}),
        ("Equal", ["Size", "zero"], {}),
        ("Cast", ["Equal"], {"to": TensorProto.INT64}),
        ("Gather", ["none", "Cast"], {}),
        ("Shape", [tensor], {}),
        ("Add", ["Shape", "Gather"], {}),
    ]
    nodes = [_array(f"{name}/zero", 0), _array(f"{name}/none", [0])]
    for kind, read, more in steps:
        inputs = [item if item == tensor else f"{name}/{item}" for item in read]
        nodes.append(helper.make_node(kind, inputs, [f"{name}/{kind}"], name=f"{name}/{kind}", **more))
    return [*nodes, helper.make_node("Reshape", [tensor, f"{name}/Add"], [name], name=name)]


#: By operator, the inputs on which it ends the process where they have no elements, and what to put before them.
GUARDS: dict[str, dict[int, Guard]] = {
    "LSTM": {0: _reshape(0, 0, -1)},
    "GRU": {0: _reshape(0, 0, -1), 1: _reshape(-1, 0, 0)},
    "DynamicQuantizeLSTM": {0: _reshape(0, 0, -1)},
    "RNN": {0: _reshape(0, -1, 0)},
    "Conv": {1: _by_size},
    "ConvTranspose": {0: _by_size, 1: _by_size},
    "STFT": {2: _by_size},
    "Unique": {0: _by_size},
}
