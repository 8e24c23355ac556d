"""What a node of ONNX's LSTM, GRU or RNN is, in words: ours, and those of files that say more than ours can."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unroll.dimensions import Dim
from unroll.graph import Graph
from unroll.ops.gate_names import GATES
from unroll.ops.opaque import Opaque
from unroll.ops.recurrent import Recurrent
from unroll.parameter import Parameter
from unroll.tensor import Node, Tensor
from unroll.viz.made_weights import fixed_tensors
from unroll.viz.values import number

#: The gates in the order in which they get their colours: that of TensorFlow's cells, whose j is c here.
COLORED = {"LSTM": ("i", "c", "f", "o"), "GRU": GATES["GRU"], "RNN": GATES["RNN"]}
_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
_OUTPUTS = ("Y", "Y_h", "Y_c")
#: Inputs that are weights, where they are not computed from what is fed.
_WEIGHTS = ("W", "R", "B", "P")
#: What ONNX calls the activations of one direction, and which they are where none are given.
_FUNCTIONS = {
    "LSTM": (("f", "Sigmoid"), ("g", "Tanh"), ("h", "Tanh")),
    "GRU": (("f", "Sigmoid"), ("g", "Tanh")),
    "RNN": (("f", "Tanh"),),
}
_SIDES = {
    "forward": ("forward",),
    "reverse": ("reverse",),
    "bidirectional": ("forward", "reverse"),
}


@dataclass(frozen=True)
class Native:
    """A node of a recurrent operator.

    Attributes:
        node: the node.
        kind: LSTM, GRU or RNN.
        inputs: those that are given, by ONNX's names.
        outputs: those that there are, by ONNX's names.
        attributes: those that are set, by ONNX's names.
        weights: the inputs that are weights: of Parameters and constants alone.
    """

    node: Node
    kind: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    attributes: Mapping[str, Any]
    weights: Mapping[str, Tensor]

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates in ONNX's order."""
        return GATES[self.kind]

    @property
    def colored(self) -> tuple[str, ...]:
        """The gates in the order of their colours."""
        return COLORED[self.kind]

    @property
    def sides(self) -> tuple[str, ...]:
        """The directions, in the order of the weights."""
        return _SIDES[self.attributes.get("direction", "forward")]

    @property
    def units(self) -> Dim:
        """How wide the state is."""
        return self.inputs["R"].shape[-1]

    @property
    def features(self) -> Dim:
        """How wide the input is."""
        return self.inputs["W"].shape[-1]

    def place(self, name: str) -> int:
        """Return which of the node's inputs one is."""
        return _INPUTS.index(name)


def native_nodes(graph: Graph) -> dict[Node, Native]:
    """Return the recurrent nodes of a graph."""
    found = [node for node in graph.nodes if _kind(node) is not None]
    fixed = fixed_tensors(graph) if found else set()
    return {node: item for node in found for item in [_native(node, fixed)] if item is not None}


def folded_weights(graph: Graph, natives: Mapping[Node, Native]) -> set[Node]:
    """Return the nodes that only make the weights of recurrent nodes: their tables show what comes of it."""
    weights = {tensor for item in natives.values() for tensor in item.weights.values()}
    read: dict[Tensor, bool] = dict.fromkeys(graph.outputs, False)  # whether what reads a tensor is folded
    fixed = fixed_tensors(graph) if weights else set()
    folded: set[Node] = set()
    for node in reversed(graph.nodes):
        native = natives.get(node)
        if not fixed.isdisjoint(node.outputs) and all(read.get(tensor, True) for tensor in node.outputs):
            folded.add(node)
        for tensor in node.inputs:
            if tensor is not None:
                inside = node in folded or (native is not None and tensor in native.weights.values())
                read[tensor] = read.get(tensor, True) and inside
    return folded


def sources(weight: Tensor) -> list[Parameter]:
    """Return the Parameters that a weight is computed from, in the order in which they are met."""
    found: dict[Parameter, None] = {}
    waiting, seen = [weight], {weight}
    while waiting:
        tensor = waiting.pop()
        if isinstance(tensor, Parameter):
            found[tensor] = None
        inputs = tensor.node.inputs if tensor.node is not None else ()
        before = [item for item in reversed(inputs) if item is not None and item not in seen]
        seen.update(before)
        waiting += before
    return list(found)


def path_of(node: Node) -> str:
    """Return the cells that a loop stands for; where there are none, as in files, its own path."""
    cells = dict.fromkeys([node.origin.cell, *sorted(origin.cell or "" for origin in node.provenance)])
    return ", ".join([cell for cell in cells if cell][:2]) or node.origin.scope


def layer_of(node: Node) -> str:
    """Return the name of the layer, module or driver around the cells that a loop stands for; nothing where it has none."""
    around = [origin.cell.split("/")[:-1] for origin in node.provenance if origin.cell is not None]
    together = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*around, strict=False))
    return next((parts[0] for parts in reversed(list(together))), "")


def facts(native: Native) -> list[str]:
    """Return what a recurrent node is, besides its shapes: a line for each thing that is not as ONNX has it by default."""
    return [_size(native), *_settings(native), *_given(native)]


def steps_text(steps: Dim) -> str:
    """Return a number of steps with its unit, or what the symbol for it is over."""
    if not isinstance(steps, int):
        return f"over {steps}"
    return "1 step" if steps == 1 else f"{steps} steps"


def _kind(node: Node) -> str | None:
    op = node.op
    if isinstance(op, Recurrent):
        return op.name
    return op.op_type if isinstance(op, Opaque) and not op.op_domain and op.op_type in GATES else None


def _native(node: Node, fixed: set[Tensor]) -> Native | None:
    """Return what a node is; None where a file has a node that is not as ONNX says."""
    op, kind = node.op, _kind(node) or ""
    inputs = {name: tensor for name, tensor in zip(_INPUTS, node.inputs, strict=False) if tensor is not None}
    places = op.places if isinstance(op, Opaque) else range(len(node.outputs))
    if not {"X", "W", "R"} <= inputs.keys() or any(place >= len(_OUTPUTS) for place in places):
        return None
    outputs = {_OUTPUTS[place]: tensor for place, tensor in zip(places, node.outputs, strict=True)}
    known = op.attributes.get("direction", "forward") in _SIDES
    if not known or any(inputs[name].rank != 3 for name in ("X", "W", "R")):
        return None
    held = {name: inputs[name] for name in _WEIGHTS if name in inputs and inputs[name] in fixed}
    # W and R are one table: where one is computed from what is fed, both come in from below.
    weights = held if {"W", "R"} <= held.keys() else {}
    return Native(node, kind, inputs, outputs, op.attributes, weights)


def _size(native: Native) -> str:
    layout = native.attributes.get("layout", 0)
    steps = steps_text(native.inputs["X"].shape[1 if layout else 0])
    units = f"{native.units} unit{'s' * (native.units != 1)}"
    if len(native.sides) == 2:
        return f"{steps}, 2 directions of {units}"
    return f"{steps}, {units}, {native.sides[0]}"


def _settings(native: Native) -> Iterator[str]:
    given = native.attributes
    if given.get("layout", 0):
        yield "layout 1: batch before time"
    yield from _activations(native)
    if "clip" in given:
        yield f"clip {number(given['clip'])}, of what enters the activations"
    if given.get("input_forget", 0):
        yield "input_forget: gates i and f are coupled"
    if given.get("linear_before_reset", 0):
        yield "linear_before_reset: r multiplies h @ R + Rb"


def _activations(native: Native) -> Iterator[str]:
    """Yield the activations of each direction where they are not ONNX's own; one that is not itself comes with numbers."""
    functions = _FUNCTIONS[native.kind]
    count, own = len(functions), [name for _, name in functions]
    names = native.attributes.get("activations") or own * len(native.sides)
    groups = [list(names[start : start + count]) for start in range(0, len(names), count)]
    if any(group != own for group in groups):
        same = all(group == groups[0] for group in groups)
        for side, group in [("", groups[0])] if same else list(zip(native.sides, groups, strict=False)):
            told = ", ".join(f"{letter} = {name}" for (letter, _), name in zip(functions, group, strict=False))
            yield f"{side} {told}".strip()
    for name in ("activation_alpha", "activation_beta"):
        if native.attributes.get(name):
            yield f"{name} {', '.join(map(number, native.attributes[name]))}"


def _given(native: Native) -> Iterator[str]:
    letters = ("h", "c") if native.kind == "LSTM" else ("h",)
    given = [f"initial_{letter}" for letter in letters if f"initial_{letter}" in native.inputs]
    zeros = [letter for letter in letters if f"initial_{letter}" not in native.inputs]
    begins = [f"begins with {' and '.join(given)}"] if given else []
    begins += [f"{' and '.join(zeros)} begin{'s' * (len(zeros) == 1)} with zeros"] if zeros else []
    yield ", ".join(begins)
    if "sequence_lens" in native.inputs:
        yield "each row ends at its length in sequence_lens"
    if "P" in native.inputs:
        yield "peepholes P"
    if "B" not in native.inputs:
        yield "no bias"
