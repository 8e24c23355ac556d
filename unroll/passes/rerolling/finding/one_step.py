"""Which nodes between two of a chain are one step, and which node of the next step does what each of them does."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from unroll.passes.rerolling.finding.view import View
from unroll.tensor import Node


def starts_of(view: View, first: Node, second: Node) -> dict[Node, Node]:
    """Return `first` and the nodes that multiply the same state, each with the node that does so a step later."""
    found = {first: second}
    ahead = {_weighing(view, node): node for node in _siblings(view, second)}
    for node in _siblings(view, first):
        later = ahead.get(_weighing(view, node))
        if later is not None and node is not first:
            found[node] = later
    return found


def _siblings(view: View, node: Node) -> list[Node]:
    read = [tensor for tensor in view.inputs[node] if tensor is not None and not view.is_fixed(tensor)]
    if len(read) != 1:
        return []
    alike = [reader for reader, _ in view.readers[read[0]] if type(reader.op) is type(node.op)]
    return [reader for reader in alike if sum(not view.is_fixed(t) for t in view.inputs[reader] if t is not None) == 1]


def _weighing(view: View, node: Node) -> Hashable:
    weights = [tensor for tensor in view.inputs[node] if tensor is not None and view.is_fixed(tensor)]
    return (view.key(node), *weights)


def step_between(view: View, starts: dict[Node, Node]) -> tuple[list[Node], dict[Node, Node]]:
    """Return the nodes of a step and their counterparts in the next one.

    These are the nodes between the two sides of `starts`, and those that make what else the next step reads.
    """
    ends: list[Node] = []
    while True:
        inside = between(view, starts, ends)
        following = counterparts(view, inside, starts)
        members = {*inside, *following.values()}
        more = {
            there.node
            for ahead in following.values()
            for there in view.inputs[ahead]
            if there is not None and there.node is not None and there.node not in members
        }
        made = [node for node in between(view, starts, list(more)) if node in more]
        if not made:
            return inside, following
        ends += made


def between(view: View, starts: dict[Node, Node], ends: Sequence[Node]) -> list[Node]:
    """Return, in order, the nodes that depend on `starts` but not on their counterparts, and that these or `ends` need."""
    start = min(view.place[node] for node in starts)
    seen: set[Node] = {node for node in ends if view.place[node] >= start}
    waiting = [*starts.values(), *ends]
    while waiting:
        for tensor in view.inputs[waiting.pop()]:
            node = None if tensor is None else tensor.node
            if node is not None and node not in seen and view.place[node] >= start:
                seen.add(node)
                waiting.append(node)
    inside, late = {next(iter(starts)), *(seen & starts.keys())}, set(starts.values())
    for node in sorted(seen, key=view.place.__getitem__):
        sources = {tensor.node for tensor in view.inputs[node] if tensor is not None}
        if sources & late:
            late.add(node)
        elif sources & inside and node not in late:
            inside.add(node)
    return sorted(inside, key=view.place.__getitem__)


def counterparts(view: View, inside: Sequence[Node], starts: dict[Node, Node]) -> dict[Node, Node]:
    """Return, for each node that has one, its counterpart in the next step; no two nodes have the same."""
    found = {node: starts[node] for node in inside if node in starts}
    used = set(found.values())
    members = set(inside)
    for node in inside:
        if node in starts:
            continue
        place, source = next(
            (place, tensor)
            for place, tensor in enumerate(view.inputs[node])
            if tensor is not None and tensor.node in members
        )
        ahead = found.get(source.node) if source.node is not None else None
        if ahead is None:
            continue
        readers = view.readers.get(ahead.outputs[source.index], ())
        alike = [reader for reader, at in readers if at == place and view.key(reader) == view.key(node)]
        scores = {reader: _likeness(view, node, reader, members, found) for reader in alike if reader not in used}
        best = max(scores, key=scores.__getitem__, default=None)
        if best is not None and scores[best] >= 0:
            found[node] = best
            used.add(best)
    return found


def _likeness(view: View, node: Node, reader: Node, members: set[Node], found: dict[Node, Node]) -> int:
    """Return how many signs there are that `reader` does what `node` does a step before; -1 where it does not.

    An input is a sign where both read the same, where the later one was made in this step, and where both or neither
    are weights.
    """
    score = 0
    for here, there in zip(view.inputs[node], view.inputs[reader], strict=True):
        if here is not None and here.node in members:
            ahead = found.get(here.node)
            if ahead is None or there is not ahead.outputs[here.index]:
                return -1
        elif here is not there and (here is None or there is None):
            return -1
        score += here is there or (there is not None and there.node in members)
        score += here is not None and there is not None and view.is_fixed(here) == view.is_fixed(there)
    return score
