"""The first step of a recurrence, where it was simplified because the states before it are zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unroll.graph import Graph
from unroll.ops.filling import ConstantOfShape
from unroll.ops.operator import made
from unroll.passes.cancel_shapes import cancel_shapes
from unroll.passes.fold_zeros import fold_zeros
from unroll.passes.rerolling.finding.pattern import Pattern, Shared, Step, replayed
from unroll.passes.rerolling.finding.view import View
from unroll.passes.tools.rewriting import op_key
from unroll.scopes import Origin
from unroll.tensor import Constant, Node, Placeholder, Tensor

_NOWHERE = frozenset({Origin("", None, None, None)})
#: How many nodes above the inputs of a step are looked at.
_LOOKED_AT = 16


def simplified_first_step(view: View, pattern: Pattern, step: Step) -> tuple[Step, list[Node]] | None:
    """Return the step before `step` and its nodes, where it is what `fold_zeros` makes of the pattern on states of zeros."""
    if any(tensor.node is None or view.is_zero(tensor) for tensor in step.before):
        return None
    nodes: dict[Node, None] = {}
    stand_ins: dict[Tensor, Tensor] = {}
    inputs = [Placeholder(tensor.shape, tensor.dtype, f"input{number}") for number, tensor in enumerate(step.inputs)]
    folded = cancel_shapes(fold_zeros(_on_zeros(pattern, step, inputs, stand_ins)))
    bound: dict[Tensor, Tensor] = {}
    pairs = list(zip(folded.outputs, step.before, strict=True))
    seen: set[tuple[Tensor, Tensor]] = set()  # what is read twice is compared once: y * y * ... would double each time
    while pairs:
        wanted, tensor = pair = pairs.pop()
        if pair in seen:
            continue
        seen.add(pair)
        if wanted in stand_ins or isinstance(wanted, Constant):
            fits = tensor is view.same(stand_ins.get(wanted, wanted))
        elif isinstance(wanted, Placeholder):
            fits = bound.setdefault(wanted, tensor) is tensor and tensor.shape == wanted.shape
        elif wanted.node is not None and isinstance(wanted.node.op, ConstantOfShape):
            fits = view.is_zero(tensor) and tensor.shape == wanted.shape
        else:
            fits = _same_node(view, wanted, tensor)
            if fits and wanted.node is not None and tensor.node is not None:
                nodes[tensor.node] = None
                pairs += [
                    (inner, outer)
                    for inner, outer in zip(wanted.node.inputs, view.inputs[tensor.node], strict=True)
                    if inner is not None and outer is not None
                ]
        if not fits:
            return None
    own = [node for node in nodes if node not in view.fixed]
    read = _all_inputs(view, [bound.get(tensor) for tensor in inputs], step.inputs, own)
    if read is None:
        return None
    zeros = tuple(step.before)  # for their shapes: `Recurrence.simplified` says that they are zero
    return Step((), zeros, read, step.before), own


def _all_inputs(
    view: View, bound: Sequence[Tensor | None], later: Sequence[Tensor], own: Sequence[Node]
) -> tuple[Tensor, ...] | None:
    """Return the inputs of the first step, of which it reads those in `bound`; None where another cannot be made.

    The product for a reset gate is none of them, as nothing is left that it resets; it is made as the next step makes it,
    of what the other inputs are made of.
    """
    pairs = {after: first for after, first in zip(later, bound, strict=True) if first is not None}
    waiting = list(pairs.items())
    while waiting and len(pairs) <= _LOOKED_AT:
        after, first = waiting.pop()
        if after.node is None or first.node is None or view.key(after.node) != view.key(first.node):
            continue
        if after.index != first.index or after.node in view.fixed:
            continue
        around = zip(view.inputs[after.node], view.inputs[first.node], strict=True)
        beside = [*zip(after.node.outputs, first.node.outputs, strict=True), *around]
        for one, other in beside:
            if one is not None and other is not None and one not in pairs:
                pairs[one] = other
                waiting.append((one, other))
    for tensor in later:
        nodes = _makers(view, tensor, pairs)
        if nodes is None or not (
            own and (nodes or tensor in pairs)
        ):  # a weight of the next step's own says nothing of this
            return None
        for node in nodes:
            inputs = [None if item is None else pairs.get(item, item) for item in view.inputs[node]]
            pairs |= zip(node.outputs, view.add(node, inputs, own).outputs, strict=True)
    return tuple(pairs[tensor] for tensor in later)


def _makers(view: View, tensor: Tensor, known: Mapping[Tensor, Tensor]) -> list[Node] | None:
    """Return, in order, the nodes that make a tensor of weights and of what is known; None where something else is read."""
    found: dict[Node, None] = {}
    waiting = [tensor]
    while waiting:
        item = waiting.pop()
        if item in known or view.is_fixed(item) or item.node in found:
            continue
        if item.node is None or len(found) == _LOOKED_AT:
            return None
        found[item.node] = None
        waiting += [source for source in view.inputs[item.node] if source is not None]
    return sorted(found, key=view.place.__getitem__)


def _same_node(view: View, wanted: Tensor, tensor: Tensor) -> bool:
    if wanted.node is None or tensor.node is None or tensor.index != wanted.index:
        return False
    absent = [inner is None for inner in wanted.node.inputs] == [outer is None for outer in view.inputs[tensor.node]]
    return absent and op_key(wanted.node) == op_key(tensor.node)


def _on_zeros(pattern: Pattern, step: Step, inputs: list[Placeholder], stand_ins: dict[Tensor, Tensor]) -> Graph:
    """Return the pattern as a graph whose states are zero; what it shares comes in by placeholders."""
    shared: dict[Tensor, Placeholder] = {}
    zeros: list[Tensor] = []
    for tensor in step.before:
        shape = Constant(np.zeros(len(tensor.shape), np.int64))
        shape.known = tensor.shape  # no run reads the value
        zeros += made(ConstantOfShape(0, tensor.dtype), (shape,), _NOWHERE)
    sources = [source for part in pattern.parts for source in part.sources if isinstance(source, Shared)]
    for tensor in dict.fromkeys(source.tensor for source in sources):
        if not isinstance(tensor, Constant):
            outside = shared[tensor] = Placeholder(tensor.shape, tensor.dtype, f"shared{len(shared)}")
            stand_ins[outside] = tensor
    nodes = replayed(pattern, zeros, inputs, shared)
    return Graph([*inputs, *shared.values()], [nodes[place].outputs[index] for place, index in pattern.states])
