"""One step of a recurrence as a pattern, guessed from what lies between two nodes of a chain.

The guess: what node k + 1 of a chain needs of node k is one step, and a tensor from before it is a state where the next
step reads what this step made in the same place. Every step is compared with the pattern afterwards, so a wrong guess costs
time and nothing else.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from unroll.ops.convolution import Conv
from unroll.ops.linear import Gemm, MatMul
from unroll.passes.rerolling.finding.chains import Chain
from unroll.passes.rerolling.finding.view import View
from unroll.tensor import Constant, Node, Tensor


class Inner(NamedTuple):
    """An output of another node of the same step."""

    place: int
    output: int


@dataclass(frozen=True)
class State:
    """A state as it was before the step."""

    number: int


@dataclass(frozen=True)
class Leaf:
    """A tensor of this step alone, made outside."""

    number: int


class Shared(NamedTuple):
    """A tensor that every step reads, such as a weight."""

    tensor: Tensor


Source: TypeAlias = "Inner | State | Leaf | Shared | None"


class Part(NamedTuple):
    """One node of the pattern."""

    key: Hashable
    sources: tuple[Source, ...]
    example: Node


@dataclass(frozen=True)
class Template:
    """The pattern of a step.

    Attributes:
        parts: its nodes, each after those it reads.
        states: which output becomes each state.
        leaves: how many tensors it reads that are the step's own.
        example: the nodes of the step it was guessed from that belong to that very step.
        width: how wide the states are together, as a measure of how well the step is cut out.
    """

    parts: tuple[Part, ...]
    states: tuple[Inner, ...]
    leaves: int
    example: dict[int, Node]
    width: int


class _Edge(NamedTuple):
    """What a node reads: the output of another one `lag` steps back."""

    node: Node
    output: int
    lag: int


def guess(view: View, chain: Chain, at: int, weights_of_its_own: bool = False) -> Template | None:
    """Guess the step between nodes `at` and `at` + 1 of a chain; None where there is none.

    Args:
        view: the graph.
        chain: nodes, each depending on the one before.
        at: where to look.
        weights_of_its_own: whether a step may read other weights than the next one, such as a mask that is known beforehand;
            never another matrix.
    """
    first, second = chain[at], chain[at + 1]
    starts = _starts(view, first, second)
    inside, following = _step_between(view, starts)
    reads = {node: _reads(view, node, inside, following, weights_of_its_own) for node in inside}
    if not any(isinstance(source, _Edge) and source.lag for sources in reads.values() for source in sources):
        return None
    early = _retimed(inside, reads, starts)
    return _template(view, inside, reads, early)


def _starts(view: View, first: Node, second: Node) -> dict[Node, Node]:
    """Return the nodes that read the same state with a weight as `first` does, and what does so a step later."""
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


def _step_between(view: View, starts: dict[Node, Node]) -> tuple[list[Node], dict[Node, Node]]:
    """Return the nodes of a step and their counterparts in the next one.

    These are the nodes between the two sides of `starts`, and those that make what the next step reads beside.
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
    """Return, in order, what depends on `starts`, not on what they are a step later, and is needed by that or by `ends`."""
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
    """Return the node of the next step that does what each node does in this one, where there is one; none does for two."""
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
    """Count by how much `reader` may do what `node` does a step before; -1 where it does not.

    Inputs count that are shared, or made there, and those that are weights for both or for neither.
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


def _reads(
    view: View, node: Node, inside: Sequence[Node], following: dict[Node, Node], weights_of_its_own: bool
) -> list[_Edge | Tensor | Shared | None]:
    """Say what each input is: a node's output now or a step ago, shared, or else (the tensor itself) a leaf."""
    members = set(inside)
    own = members if weights_of_its_own and not isinstance(node.op, (MatMul, Gemm, Conv)) else None
    ahead = following.get(node)
    found: list[_Edge | Tensor | Shared | None] = []
    for place, here in enumerate(view.inputs[node]):
        there = None if ahead is None else view.inputs[ahead][place]
        if here is None:
            found.append(None)
        elif here.node in members and here.node is not None:
            found.append(_Edge(here.node, here.index, 0))
        elif there is here:
            found.append(Shared(here))
        elif there is not None and there.node in members and there.node is not None:
            found.append(_Edge(there.node, there.index, 1))
        elif view.is_fixed(here) and not _may_differ(view, here, there, own):
            found.append(Shared(here))
        else:
            found.append(here)
    return found


def _may_differ(view: View, here: Tensor, there: Tensor | None, members: set[Node] | None) -> bool:
    """Say whether the next step may read another weight or constant; `members` are a step's nodes where it may have its own."""
    if isinstance(here, Constant) and isinstance(there, Constant):
        return True
    if members is None:
        return False
    return all(reader in members for reader, _ in view.readers[here]) if there is None else view.is_fixed(there)


Reads: TypeAlias = "dict[Node, list[_Edge | Tensor | Shared | None]]"


def _retimed(inside: Sequence[Node], reads: Reads, starts: Container[Node]) -> set[Node]:
    """Return the nodes to count to the next step, at whose end the tensors handed on are narrower without them.

    ``[x, h]`` is handed to the next product, but h is what is the state.
    """
    early: set[Node] = set()
    readers: dict[Node, list[tuple[Node, int]]] = {}
    for node, sources in reads.items():
        for source in sources:
            if isinstance(source, _Edge):
                readers.setdefault(source.node, []).append((node, source.lag))
    moved = True
    while moved:
        moved = False
        for node in reversed(inside):
            if node in starts or node in early:
                continue
            if not all(lag + (reader in early) == 1 for reader, lag in readers.get(node, ())):
                continue
            if _width(reads, early | {node}) < _width(reads, early):
                early.add(node)
                moved = True
    return early


def _width(reads: Reads, early: set[Node]) -> int:
    """Return how wide the tensors are that one step hands to the next."""
    return sum(_columns(node.outputs[index]) for node, index in _handed_on(reads, early))


def _handed_on(reads: Reads, early: set[Node]) -> list[tuple[Node, int]]:
    handed: dict[tuple[Node, int], None] = {}
    for node, sources in reads.items():
        for source in sources:
            if isinstance(source, _Edge) and source.lag + (node in early) - (source.node in early) == 1:
                handed[source.node, source.output] = None
    return list(handed)


def _columns(tensor: Tensor) -> int:
    size = 1
    for dim in tensor.shape[1:] or tensor.shape:
        size *= dim if isinstance(dim, int) else 1
    return size


def _template(view: View, inside: Sequence[Node], reads: Reads, early: set[Node]) -> Template | None:
    order = [node for node in inside if node in early] + [node for node in inside if node not in early]
    place = {node: number for number, node in enumerate(order)}
    handed = _handed_on(reads, early)
    states = {key: number for number, key in enumerate(handed)}
    leaves: dict[tuple[Tensor, bool], int] = {}
    parts = []
    for node in order:
        sources: list[Source] = []
        for source in reads[node]:
            if isinstance(source, _Edge):
                lag = source.lag + (node in early) - (source.node in early)
                if lag not in (0, 1):
                    return None
                key = (source.node, source.output)
                sources.append(State(states[key]) if lag else Inner(place[source.node], source.output))
            elif isinstance(source, Tensor):
                sources.append(Leaf(leaves.setdefault((source, node in early), len(leaves))))
            else:
                sources.append(source)
        parts.append(Part(view.key(node), tuple(sources), node))
    example = {place[node]: node for node in order if node not in early}
    width = sum(_columns(node.outputs[index]) for node, index in handed)
    return Template(
        tuple(parts), tuple(Inner(place[node], index) for node, index in handed), len(leaves), example, width
    )
