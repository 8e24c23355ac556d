"""Loops whose every step is one If, as TensorFlow writes sequences of several lengths: a step is computed or left out."""

from __future__ import annotations

from collections.abc import Iterator

from unroll.parameter import Parameter
from unroll.passes.rerolling.finding import Inner, Input, Recurrence, Shared, View
from unroll.passes.rerolling.finding.pattern import Part, Pattern, Step
from unroll.tensor import Node, Tensor

#: The operator that computes a step or leaves it out.
BRANCH = "If"


def branching_loops(view: View) -> list[Recurrence]:
    """Return the runs of Ifs that read the same Parameters, each reading what the one before made."""
    alike: dict[tuple[Tensor, ...], list[Node]] = {}
    for node in view.nodes:
        weights = {tensor: None for tensor in view.inputs[node] if isinstance(tensor, Parameter)}
        if node.op.name == BRANCH and weights:
            alike.setdefault(tuple(sorted(weights, key=lambda tensor: tensor.label)), []).append(node)
    return [_recurrence(view, run) for nodes in alike.values() for run in _runs(view, nodes)]


def _runs(view: View, nodes: list[Node]) -> Iterator[list[Node]]:
    """Yield the runs in which each node is the only one that reads the one before, and reads no other."""
    known = set(nodes)
    before = {node: {t.node for t in view.inputs[node] if t is not None and t.node in known} for node in nodes}
    after: dict[Node, list[Node]] = {}
    for node, earlier in before.items():
        for other in earlier:
            if other is not None:
                after.setdefault(other, []).append(node)
    for node in nodes:
        if not before[node]:
            run = [node]
            while len(later := after.get(run[-1], [])) == 1 and len(before[later[0]]) == 1:
                run += later
            if len(run) > 1:
                yield run


def _recurrence(view: View, run: list[Node]) -> Recurrence:
    """Return a run as a recurrence of one node a step; which output is which state stays open."""
    made = {tensor for node in run for tensor in node.outputs}
    steps = []
    for node in run:
        read = [tensor for tensor in view.inputs[node] if tensor is not None and tensor not in made]
        inputs = [tensor for tensor in read if not view.is_fixed(tensor)]
        states = [tensor for tensor in view.inputs[node] if tensor in made]
        steps.append(
            Step((node,), tuple(tensor for tensor in states if tensor is not None), tuple(inputs), node.outputs)
        )
    weights = [tensor for tensor in view.inputs[run[-1]] if isinstance(tensor, Parameter)]
    part = Part(view.key(run[-1]), (Input(0), *map(Shared, weights)), run[-1])
    pattern = Pattern((part,), (Inner(0, 0),), 1, {0: run[-1]}, 0)
    return Recurrence(pattern, tuple(steps), {node: at for at, node in enumerate(run)})
