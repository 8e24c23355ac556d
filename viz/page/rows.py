"""A loop as the page has it: rows of steps, of which equal ones share one template."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.tensor import Node, Tensor

Kind = Literal["state", "zero", "first", "input", "weight"]
#: Of an operator beside loops, such as a Concat of all their outputs, so many inputs and outputs are told one by one.
MOST_BESIDE = 24


class Source(NamedTuple):
    """What a step reads from outside.

    Attributes:
        kind: a state of the step before, zeros, another first state, a weight, or any other input.
        name: what the cell calls it.
        tensor: the tensor, as the step reads it.
        weights: the Parameters that a weight is made of.
        made: the operator, cell or input that makes it.
    """

    kind: Kind
    name: str
    tensor: Tensor
    weights: tuple[Parameter, ...] = ()
    made: str = ""


@dataclass(eq=False)
class Template:
    """One step, for all steps like it.

    Attributes:
        nodes: its operators, in order.
        sources: what it reads from outside, by tensor.
        handed: the outputs of its operators that are states at the next step, by (operator, output), with their names.
        given: those that something outside of the row reads.
        labels: what outputs of its operators are called at every step; those without a name are left out.
        gates: those that are a gate of the cell; see `unroll.viz.page.gate_outputs`.
    """

    nodes: list[Node]
    sources: dict[Tensor, Source]
    handed: dict[tuple[int, int], str] = field(default_factory=dict)
    given: dict[tuple[int, int], None] = field(default_factory=dict)
    labels: dict[tuple[int, int], str] = field(default_factory=dict)
    gates: dict[tuple[int, int], str] = field(default_factory=dict)


class Run(NamedTuple):
    """Steps that follow each other and share a template."""

    template: int
    first: int
    last: int


@dataclass(eq=False)
class Row:
    """A loop: a cell over its steps; or, with no steps, a graph without any.

    Attributes:
        path: the cell's variable path.
        graph: the graph that it is of.
        phase: how many loops have ended before it.
        backward: it walks from the last step to the first.
        states: what its states are called, in order.
        templates: its different steps.
        runs: which step has which template, in the order of steps.
        steps: the operators of each step.
        left_out: how many operators of a graph without steps are not shown.
        around: it is what stands around loops; each operator of it is opened by itself.
        reads: the paths of loops beside it whose outputs it reads.
        call: which call of a layer it is that is called several times, from 1; 0 of one that is called once.
    """

    path: str
    graph: Graph
    phase: int = 0
    backward: bool = False
    states: tuple[str, ...] = ()
    templates: list[Template] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    steps: dict[int, list[Node]] = field(default_factory=dict)
    left_out: int = 0
    around: bool = False
    reads: set[str] = field(default_factory=set)
    call: int = 0


def steps_of(row: Row) -> Iterator[tuple[Run, int]]:
    """Yield the steps of a row in order, each with its run."""
    for run in row.runs:
        for step in range(run.first, run.last + 1):
            yield run, step


def reading(template: Template) -> dict[Tensor, tuple[int, int]]:
    """Return for each source an operator that reads it, and as which of its inputs."""
    found: dict[Tensor, tuple[int, int]] = {}
    for number, node in enumerate(template.nodes):
        for at, tensor in enumerate(node.inputs):
            if tensor is not None and tensor in template.sources:
                found.setdefault(tensor, (number, at))
    return found
