"""Weights that are made from others once, before the steps, as `optimize` does: not boxes of their own, but said in words on
the card of the weights that they are made from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from unroll.graph import Graph
from unroll.ops.scan import Scan
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor

#: What is done to a weight: along which axis, and a word for it.
_Word: TypeAlias = tuple[str, str]
# What weights are made with; anything else stays a box.
_CUTTING, _JOINING = ("Slice", "Gather", "Split"), ("Concat",)
_OTHERWISE = {
    "Transpose": "transposed", "Add": "summed", "Sub": "summed", "Mul": "scaled", "Neg": "scaled", "MatMul": "multiplied",
    "Reshape": "", "Squeeze": "", "Unsqueeze": "", "Identity": "", "Expand": "",
}  # fmt: skip
_MAKING = frozenset((*_CUTTING, *_JOINING, *_OTHERWISE))


def fixed_tensors(graph: Graph, nodes: Sequence[Node] | None = None) -> set[Tensor]:
    """Return what every run finds the same: weights, constants and what is made from them alone.

    Args:
        graph: the graph.
        nodes: those of its nodes that are asked about, with all before them; None for all.
    """
    fixed: set[Tensor | None] = {None, *graph.parameters.values()}
    for node in graph.nodes if nodes is None else nodes:
        fixed.update([tensor for tensor in node.inputs if isinstance(tensor, Constant)])
        if node.inputs and fixed.issuperset(node.inputs):
            fixed.update(node.outputs)
    return {tensor for tensor in fixed if tensor is not None}


def is_made_of_weights(tensor: Tensor) -> bool:
    """Say whether a tensor is made of Parameters alone, once for all steps, with nothing but what weights are made with."""
    waiting, seen, parameters = [tensor], {tensor}, 0
    while waiting:
        found = waiting.pop()
        parameters += isinstance(found, Parameter)
        node = found.node
        if node is None:
            if not isinstance(found, (Parameter, Constant)):
                return False
            continue
        if node.op.name not in _MAKING or not _once(node):
            return False
        before = [item for item in node.inputs if item is not None and item not in seen]
        seen.update(before)
        waiting += before
    return parameters > 0


# Which operands are weights, of operators that read weights.
_NATIVE = (1, 2, 3, 7)
_WEIGHTS = {
    "MatMul": (1,), "Gemm": (1, 2), "Conv": (1, 2), "Add": (0, 1), "Mul": (0, 1), "LSTM": _NATIVE, "GRU": _NATIVE,
    "RNN": _NATIVE, "Split": (0,), "Slice": (0,),
}  # fmt: skip


class MadeWeights:
    """The weight expressions of a graph that are computed once, not step by step.

    Args:
        graph: the graph.

    Attributes:
        nodes: the operators that they are made with.
        read: the weights made that something else reads.
    """

    def __init__(self, graph: Graph) -> None:
        self._bases: dict[Tensor, dict[Parameter, None]] = {item: {item: None} for item in graph.parameters.values()}
        self._words: dict[Tensor, dict[_Word, None]] = {}
        self.nodes: set[Node] = set()
        for node in _candidates(graph):
            given = [tensor for tensor in node.inputs if tensor is not None and not isinstance(tensor, Constant)]
            if given and all(tensor in self._bases for tensor in given):
                self._add(node, given)
        others = (node for node in graph.nodes if node not in self.nodes)
        self.read = list(dict.fromkeys(tensor for node in others for tensor in node.inputs if tensor in self._words))

    def bases(self, tensor: Tensor | None) -> Iterable[Parameter]:
        """Return the Parameters that a made weight is made from; those of a Parameter are itself."""
        return self._bases.get(tensor, ()) if tensor is not None else ()

    def together(self) -> dict[Parameter, int]:
        """Return for the Parameters that made weights are made from a number that is equal for those that one is made from."""
        number: dict[Parameter, int] = {}
        for tensor in self.read:
            bases = list(self._bases[tensor])
            known = {number[item] for item in bases if item in number}
            same = min(known, default=len(number))
            number |= dict.fromkeys((item for item, other in number.items() if other in known), same)
            number |= dict.fromkeys(bases, same)
        return number

    def remarks(self, parameters: Sequence[Parameter]) -> list[str]:
        """Return a line for each kind of these Parameters that weights which are read are made from: how they are made, of
        each kind said once.
        """
        wanted, lines = set(parameters), dict[str, dict[str, dict[str, None]]]()
        for tensor in self.read:
            if wanted & self._bases[tensor].keys():
                names = dict.fromkeys(item.name.rpartition("/")[2] for item in self._bases[tensor])
                along = lines.setdefault(", ".join(names), {})
                for axis, word in self._words[tensor]:
                    if word:
                        along.setdefault(axis, {})[word] = None
        return [f"made once from {names}: {_told(along) or 'reshaped'}" for names, along in lines.items()]

    def _add(self, node: Node, given: Sequence[Tensor]) -> None:
        bases: dict[Parameter, None] = {}
        words: dict[_Word, None] = {}
        for tensor in given:
            bases |= self._bases[tensor]
            words |= self._words.get(tensor, {})
        name = node.op.name
        if name in _CUTTING:
            kept = name == "Gather" and node.outputs[0].shape == given[0].shape
            words[_axis_name(node), "reordered" if kept else "cut"] = None
        elif name in _JOINING:
            along, parts = _axis_name(node), {frozenset(self._bases[tensor]) for tensor in given}
            words[along, "joined" if len(parts) > 1 or len(given) < len(node.inputs) else "reordered"] = None
            if (along, "reordered") in words:
                words.pop((along, "cut"), None)
        else:
            words["", _OTHERWISE[name]] = None
        self.nodes.add(node)
        for tensor in node.outputs:
            self._bases[tensor], self._words[tensor] = bases, words


def _once(node: Node) -> bool:
    """Say whether a node is no step's own: it stands outside of the steps, or was merged from several."""
    if len(node.provenance) == 1:
        return node.origin.step is None
    steps = {origin.step for origin in node.provenance}
    return len(steps) > 1 or None in steps


def _candidates(graph: Graph) -> list[Node]:
    """Return the nodes that make nothing but weights: all that reads them makes weights too, or multiplies, adds or cuts them.

    A first state that is a weight, or an output, is something else.
    """
    fixed, shown = fixed_tensors(graph), set(graph.outputs)
    elsewhere: set[Tensor] = set()
    found: list[Node] = []
    for node in reversed(graph.nodes):
        known = node.op.name in _MAKING and _once(node)
        made = known and all(
            tensor in fixed and tensor not in shown and tensor not in elsewhere for tensor in node.outputs
        )
        if made:
            found.append(node)
        else:
            weights = _weight_places(node)
            elsewhere.update(
                [tensor for place, tensor in enumerate(node.inputs) if tensor is not None and place not in weights]
            )
    return found[::-1]


def _weight_places(node: Node) -> Collection[int]:
    """Return which operands of a node are weights; of a Scan those that every step reads."""
    if isinstance(node.op, Scan):
        return range(node.op.num_states + node.op.num_scan_inputs, len(node.inputs))
    return _WEIGHTS.get(node.op.name, ())


def _axis_name(node: Node) -> str:
    """Return what is cut or joined: rows or columns of a matrix; nothing of a vector."""
    rank = node.outputs[0].rank
    if rank != 2:
        return ""
    axis: object = node.op.attributes.get("axis")
    if node.op.name == "Slice":
        axes = node.inputs[3] if len(node.inputs) > 3 else None
        axis = int(axes.value.flat[0]) if isinstance(axes, Constant) and axes.value.size == 1 else None
    if not isinstance(axis, int):
        return ""
    return "columns" if axis in (1, -1) else "rows"


def _told(along: Mapping[str, Iterable[str]]) -> str:
    """Return in words how weights are made: what is done to their columns, to their rows, and to all of them."""
    return "; ".join(f"{axis} {', '.join(words)}".lstrip() for axis, words in along.items())
