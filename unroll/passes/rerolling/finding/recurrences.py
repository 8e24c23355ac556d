"""A recurrence: a run of steps of one pattern, each handing its states to the next; and who outside reads what it makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from unroll.ops.shaping import Unsqueeze
from unroll.passes.rerolling.finding.pattern import Inner, Pattern, Shared, Step
from unroll.passes.rerolling.finding.view import View
from unroll.passes.tools.rewriting import merged
from unroll.scopes import Origin, join, without_step
from unroll.tensor import Node, Tensor

#: The same tensor at every step, in order.
Column = tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class Recurrence:
    """A run of steps.

    Attributes:
        pattern: their pattern.
        steps: the steps in the order in which they depend on one another.
        members: the number of the step that each of its nodes belongs to, the nodes of a simplified first step included.
    """

    pattern: Pattern
    steps: tuple[Step, ...]
    members: dict[Node, int]

    @property
    def simplified(self) -> bool:
        """Whether the first step was simplified for states of zeros."""
        return not self.steps[0].nodes

    @property
    def provenance(self) -> frozenset[Origin]:
        """Where all of its nodes came from."""
        return merged(node for step in self.steps for node in step.nodes)

    @property
    def scope(self) -> str:
        """The scope of its nodes without their timestep: ``rnn/basic_lstm_cell``."""
        steps = [step.nodes for step in self.steps if step.nodes]
        ends = zip(steps[0], steps[-1], strict=True)  # a file's names may have the step in them, and nobody says where
        return _common([_alike(one.origin, other.origin) for one, other in ends])

    def input(self, number: int) -> Column:
        """Return one of the inputs, step by step."""
        return tuple([step.inputs[number] for step in self.steps])

    def column(self, inner: Inner) -> dict[int, Tensor]:
        """Return an output of the pattern at each step, by the step's number; a simplified first step has only the states."""
        found = ((at, self._of(step, inner)) for at, step in enumerate(self.steps))
        return {at: tensor for at, tensor in found if tensor is not None}

    def _of(self, step: Step, inner: Inner) -> Tensor | None:
        if step.nodes:
            return step.nodes[inner.place].outputs[inner.output]
        return dict(zip(self.pattern.states, step.after, strict=True)).get(inner)

    def made(self) -> Iterator[tuple[int, int, int, Tensor]]:
        """Yield (step, place, index, tensor) for everything that its nodes make, and for the states of a simplified step."""
        for at, step in enumerate(self.steps):
            if not step.nodes:
                for inner, tensor in zip(self.pattern.states, step.after, strict=True):
                    yield at, *inner, tensor
            for place, node in enumerate(step.nodes):
                for tensor in node.outputs:
                    yield at, place, tensor.index, tensor

    def read(self) -> Iterator[Tensor]:
        """Yield every tensor that is read from outside."""
        if not self.simplified:
            yield from self.steps[0].before
        for step in self.steps:
            yield from step.inputs
        yield from self.shared()

    def shared(self) -> list[Tensor]:
        """Return the tensors that all steps read, each once."""
        sources = (source for part in self.pattern.parts for source in part.sources)
        return list(dict.fromkeys(source.tensor for source in sources if isinstance(source, Shared)))

    def without_last(self, count: int) -> Recurrence:
        """Return all but the last `count` steps."""
        kept = self.steps[: len(self.steps) - count]
        return replace(self, steps=kept, members={node: at for node, at in self.members.items() if at < len(kept)})


@dataclass
class Uses:
    """Who outside a recurrence reads what it makes.

    Attributes:
        steps: by output, the steps at which a node outside reads it or the graph gives it.
        readers: the nodes outside that read each tensor.
        given: the tensors that the graph gives.
    """

    steps: dict[Inner, set[int]] = field(default_factory=dict)
    readers: dict[Tensor, list[Node]] = field(default_factory=dict)
    given: set[Tensor] = field(default_factory=set)

    def alone(self, tensor: Tensor) -> bool:
        """Say whether a tensor is wanted by itself, not only as a part of a stack of steps."""
        return tensor in self.given or any(not isinstance(node.op, Unsqueeze) for node in self.readers.get(tensor, ()))

    def beside_last(self, inner: Inner, last: int) -> bool:
        """Say whether an output is read at a step that is not the last."""
        return bool(self.steps.get(inner, set()) - {last})


def uses_of(view: View, recurrence: Recurrence) -> Uses:
    """Return who reads what a recurrence makes."""
    uses = Uses()
    for at, place, index, tensor in recurrence.made():
        outside = [node for node, _ in view.readers.get(tensor, ()) if node not in recurrence.members]
        if tensor in view.outputs:
            uses.given.add(tensor)
        elif not outside:
            continue
        uses.readers[tensor] = outside
        uses.steps.setdefault(Inner(place, index), set()).add(at)
    return uses


def common_scope(origins: Sequence[Origin]) -> str:
    """Return the path that the scopes of nodes begin with, without their timestep."""
    return _common([_without_step(origin) for origin in origins])


def _without_step(origin: Origin) -> str:
    return without_step(origin.scope, origin.step, origin.cell)


def _alike(one: Origin, other: Origin) -> str:
    """Return the path of a node that is the same at two steps: what differs is how the step is called."""
    paths = _without_step(one).split("/"), _without_step(other).split("/")
    if len(paths[0]) != len(paths[1]):
        return _common(["/".join(path) for path in paths])
    return "/".join(part for part, beside in zip(*paths, strict=True) if part == beside)


def _common(scopes: Sequence[str]) -> str:
    """Return the path that all scopes begin with."""
    result = ""
    for parts in zip(*(scope.split("/") for scope in scopes), strict=False):
        if len(set(parts)) > 1:
            break
        result = join(result, parts[0])
    return result
