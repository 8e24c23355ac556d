"""The first step of a recurrence, where it was simplified because the states before it are zero."""

from __future__ import annotations

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
    if len(bound) < len(inputs):
        return None
    zeros = tuple(step.before)  # for their shapes: `Recurrence.simplified` says that they are zero
    found = Step((), zeros, tuple(bound[tensor] for tensor in inputs), step.before)
    return found, [node for node in nodes if node not in view.fixed]


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
