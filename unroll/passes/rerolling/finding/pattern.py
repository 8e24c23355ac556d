"""The pattern of a step as data: what each node is and reads; one step of a graph; and the pattern written as nodes again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from unroll.tensor import Node, Tensor


class Inner(NamedTuple):
    """An output of another node of the same step."""

    place: int
    output: int


@dataclass(frozen=True)
class State:
    """A state as it was before the step; `number` says which."""

    number: int


@dataclass(frozen=True)
class Input:
    """A tensor that this step alone reads and that none of the steps made, such as its row of the data.

    Attributes:
        number: which of the step's inputs: for a pattern, of `Step.inputs`; in the formulas of a cell, of `Cell.inputs`.
    """

    number: int


class Shared(NamedTuple):
    """A tensor that every step reads, such as a weight."""

    tensor: Tensor


Source: TypeAlias = "Inner | State | Input | Shared | None"


class Part(NamedTuple):
    """One node of the pattern."""

    key: Hashable
    sources: tuple[Source, ...]
    example: Node


@dataclass(frozen=True)
class Pattern:
    """The pattern of a step.

    Attributes:
        parts: its nodes, each after those it reads.
        states: which output becomes each state.
        input_count: how many inputs a step has.
        example: the nodes that it was guessed from, by their place, but for those that belong to the next step.
        width: how many columns the states have together; of two guesses, the one with fewer cuts the step out better.
    """

    parts: tuple[Part, ...]
    states: tuple[Inner, ...]
    input_count: int
    example: dict[int, Node]
    width: int


@dataclass(frozen=True)
class Step:
    """One step found in the graph.

    Attributes:
        nodes: its nodes by their place in the pattern; empty for a first step that was simplified for a state of zeros.
        before: the states it reads.
        inputs: the tensors that it alone reads and that none of the steps made.
        after: the states it makes.
    """

    nodes: tuple[Node, ...]
    before: tuple[Tensor, ...]
    inputs: tuple[Tensor, ...]
    after: tuple[Tensor, ...]


def replayed(
    pattern: Pattern, states: Sequence[Tensor], inputs: Sequence[Tensor], shared: Mapping[Tensor, Tensor]
) -> list[Node]:
    """Return the nodes of the pattern on other states and inputs; what is shared is read as it is, or as `shared` maps it."""
    nodes: list[Node] = []
    for part in pattern.parts:
        read: list[Tensor | None] = []
        for source in part.sources:
            if isinstance(source, Inner):
                read.append(nodes[source.place].outputs[source.output])
            elif isinstance(source, State):
                read.append(states[source.number])
            elif isinstance(source, Input):
                read.append(inputs[source.number])
            else:
                read.append(shared.get(source.tensor, source.tensor) if isinstance(source, Shared) else None)
        nodes.append(part.example.copied(tuple(read), part.example.provenance))
    return nodes
