"""Widening a pattern by nodes that the guess left outside, though they compute its inputs from the states."""

from __future__ import annotations

from unroll.passes.rerolling.finding.matching import Matcher
from unroll.passes.rerolling.finding.pattern import Inner, Input, Part, Pattern, Shared, Source, State, Step
from unroll.passes.rerolling.finding.view import View
from unroll.tensor import Node, Tensor

#: How many nodes above a pattern are looked at: so many for each of its nodes, and so many more.
_LOOKED_AT, _BESIDE = 4, 16


def widened(view: View, pattern: Pattern) -> Pattern:
    """Return the pattern with the nodes by which something that was taken for an input depends on a state before the step.

    Where the next step has no use for a state, the guess cannot tell that ``(1 - m) * c`` is computed from one.
    """
    step = Matcher(view, pattern).upwards(pattern.example)
    between = [] if step is None else _between(view, step, _LOOKED_AT * len(pattern.parts) + _BESIDE)
    return pattern if step is None or not between else _joined(view, pattern, step, between)


def _between(view: View, step: Step, most: int) -> list[Node]:
    """Return the nodes between the states before a step and its inputs; none where there are too many to look at."""
    states = set(step.before)
    makers = [view.place[tensor.node] for tensor in states if tensor.node in view.place and tensor.node is not None]
    start = min(makers, default=len(view.nodes))
    seen: set[Node] = set()
    waiting = list(step.inputs)
    while waiting:
        tensor = waiting.pop()
        node = tensor.node
        if node is None or node in seen or tensor in states or view.place.get(node, -1) <= start:
            continue
        seen.add(node)
        if len(seen) > most:
            return []
        waiting += [source for source in view.inputs[node] if source is not None]
    found: set[Node] = set()
    for node in sorted(seen, key=view.place.__getitem__):
        if any(source in states or (source is not None and source.node in found) for source in view.inputs[node]):
            found.add(node)
    return sorted(found, key=view.place.__getitem__) if found.isdisjoint(step.nodes) else []


def _joined(view: View, pattern: Pattern, step: Step, between: list[Node]) -> Pattern:
    count = len(between)
    place = {node: number for number, node in enumerate(between)}
    before = {tensor: State(number) for number, tensor in reversed(list(enumerate(step.before)))}
    inputs: dict[Tensor, Input] = {}

    def outside(tensor: Tensor) -> Source:
        if tensor.node in place and tensor.node is not None:
            return Inner(place[tensor.node], tensor.index)
        return before[tensor] if tensor in before else inputs.setdefault(tensor, Input(len(inputs)))

    def read(tensor: Tensor | None) -> Source:
        if tensor is None:
            return None
        return Shared(tensor) if view.is_fixed(tensor) else outside(tensor)

    def moved(source: Source) -> Source:
        if isinstance(source, Inner):
            return Inner(source.place + count, source.output)
        return outside(step.inputs[source.number]) if isinstance(source, Input) else source

    parts = [Part(view.key(node), tuple(map(read, view.inputs[node])), node) for node in between]
    parts += [Part(part.key, tuple(map(moved, part.sources)), part.example) for part in pattern.parts]
    states = tuple(Inner(inner.place + count, inner.output) for inner in pattern.states)
    example = dict(enumerate((*between, *step.nodes)))
    return Pattern(tuple(parts), states, len(inputs), example, pattern.width)
