"""Guessing the pattern of a step from what lies between two nodes of a chain.

What node k + 1 of a chain needs of node k is taken for one step. A tensor from before the step is taken for a state where
the next step, in the same place, reads what this step made. Every step is compared with the pattern afterwards, so a wrong
guess costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple, TypeAlias

from unroll.ops.convolution import Conv
from unroll.ops.linear import Gemm, MatMul
from unroll.passes.rerolling.finding.chains import Chain
from unroll.passes.rerolling.finding.one_step import starts_of, step_between
from unroll.passes.rerolling.finding.pattern import Inner, Input, Part, Pattern, Shared, Source, State
from unroll.passes.rerolling.finding.view import View
from unroll.tensor import Constant, Node, Tensor


class _Edge(NamedTuple):
    """An input that another node of the pattern made, in this step (`lag` 0) or in the one before (`lag` 1)."""

    node: Node
    output: int
    lag: int


def guess(view: View, chain: Chain, at: int, weights_of_its_own: bool = False) -> Pattern | None:
    """Guess the step between nodes `at` and `at` + 1 of a chain; None where there is none.

    Args:
        view: the graph.
        chain: nodes, each depending on the one before.
        at: the number of the first node.
        weights_of_its_own: whether a step may read other weights than the next one does, such as a mask that is known
            beforehand. The matrix of a product is the same at every step.
    """
    first, second = chain[at], chain[at + 1]
    starts = starts_of(view, first, second)
    inside, following = step_between(view, starts)
    view.look(len(inside))
    members = set(inside)
    reads = {node: _reads(view, node, members, following, weights_of_its_own) for node in inside}
    if not any(isinstance(source, _Edge) and source.lag for sources in reads.values() for source in sources):
        return None
    early = _retimed(inside, reads, starts)
    return _pattern(view, inside, reads, early)


def _reads(
    view: View, node: Node, members: set[Node], following: dict[Node, Node], weights_of_its_own: bool
) -> list[_Edge | Tensor | Shared | None]:
    """Say what a node reads: what the pattern makes, what all steps share, or (the tensor itself) an input of the step."""
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
    """Say whether the next step may read another weight or constant; `members` are the nodes for which it may, if any."""
    if isinstance(here, Constant) and isinstance(there, Constant):
        return True
    if members is None:
        return False
    return all(reader in members for reader, _ in view.readers[here]) if there is None else view.is_fixed(there)


Reads: TypeAlias = "dict[Node, list[_Edge | Tensor | Shared | None]]"


def _retimed(inside: Sequence[Node], reads: Reads, starts: Container[Node]) -> set[Node]:
    """Return the nodes that belong to the next step, because less is handed on between steps when they do.

    A node may join x and h for the next product; but h, which is narrower, is the state.
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
    """Return how many columns one step hands to the next."""
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


def _pattern(view: View, inside: Sequence[Node], reads: Reads, early: set[Node]) -> Pattern | None:
    order = [node for node in inside if node in early] + [node for node in inside if node not in early]
    place = {node: number for number, node in enumerate(order)}
    handed = _handed_on(reads, early)
    states = {key: number for number, key in enumerate(handed)}
    inputs: dict[tuple[Tensor, bool], int] = {}
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
                sources.append(Input(inputs.setdefault((source, node in early), len(inputs))))
            else:
                sources.append(source)
        parts.append(Part(view.key(node), tuple(sources), node))
    example = {place[node]: node for node in order if node not in early}
    width = sum(_columns(node.outputs[index]) for node, index in handed)
    return Pattern(
        tuple(parts), tuple(Inner(place[node], index) for node, index in handed), len(inputs), example, width
    )
