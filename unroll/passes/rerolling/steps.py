"""Comparing every step with the pattern, exactly: each operator, attribute, constant and weight, and who hands what to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unroll.passes.rerolling.template import Inner, Leaf, Shared, State, Template
from unroll.passes.rerolling.view import View
from unroll.tensor import Node, Tensor

#: How many nodes the search for a step may try, for each node of the pattern.
_TRIES = 4


@dataclass(frozen=True)
class Step:
    """One step found in the graph.

    Attributes:
        nodes: its nodes by their place in the pattern; empty for a first step that was simplified for a state of zeros.
        before: the states it reads.
        leaves: the tensors it reads that are its own.
        after: the states it makes.
    """

    nodes: tuple[Node, ...]
    before: tuple[Tensor, ...]
    leaves: tuple[Tensor, ...]
    after: tuple[Tensor, ...]


class Matcher:
    """Finds the steps of one pattern."""

    def __init__(self, view: View, template: Template) -> None:
        self.view, self.template = view, template

    def run(self) -> list[Step]:
        """Return the longest unbroken run of steps around the one that the pattern was guessed from, in order."""
        middle = self.upwards(self.template.example)
        if middle is None:
            return []
        steps = [middle]
        while (earlier := self._earlier(steps[-1])) is not None:
            steps.append(earlier)
        steps.reverse()
        while (later := self.onwards(steps[-1].after)) is not None:
            steps.append(later)
        used = [node for step in steps for node in step.nodes]
        return steps if len(set(used)) == len(used) else []

    def _earlier(self, step: Step) -> Step | None:
        """Return the step that makes the states which `step` reads."""
        given: dict[int, Node] = {}
        for inner, tensor in zip(self.template.states, step.before, strict=True):
            node = tensor.node
            if node is None or tensor.index != inner.output or given.setdefault(inner.place, node) is not node:
                return None
        return self.upwards(given)

    def upwards(self, given: Mapping[int, Node]) -> Step | None:
        """Return the step with these nodes: all others are what they read."""
        found = _Binding(self.view, self.template)
        for place, known in given.items():
            found.nodes[place] = known
        for place in reversed(range(len(self.template.parts))):
            node = found.nodes[place]
            if node is None or not found.bind(place, node):
                return None
        return found.step()

    def onwards(self, before: Sequence[Tensor]) -> Step | None:
        """Return the step that starts from these states: its nodes are searched among the readers of what is known."""
        found = _Binding(self.view, self.template)
        found.before = list(before)
        return found.step() if found.search(0, [_TRIES * len(self.template.parts)]) else None


class _Binding:
    """What the names of a pattern stand for in one step, as far as it is known."""

    def __init__(self, view: View, template: Template) -> None:
        self.view, self.template = view, template
        self.nodes: list[Node | None] = [None] * len(template.parts)
        self.before: list[Tensor | None] = [None] * len(template.states)
        self.leaves: list[Tensor | None] = [None] * template.leaves

    def step(self) -> Step | None:
        """Return the step where all is known."""
        nodes = [node for node in self.nodes if node is not None]
        before = [tensor for tensor in self.before if tensor is not None]
        leaves = [tensor for tensor in self.leaves if tensor is not None]
        if len(nodes + before + leaves) < len(self.nodes) + len(self.before) + len(self.leaves):
            return None
        after = [nodes[place].outputs[index] for place, index in self.template.states]
        return Step(tuple(nodes), tuple(before), tuple(leaves), tuple(after))

    def bind(self, place: int, node: Node) -> bool:
        """Let `node` be the one at `place`, and what it reads what the pattern reads there; False where that cannot be."""
        part = self.template.parts[place]
        if self.view.key(node) != part.key:
            return False
        self.nodes[place] = node
        for source, tensor in zip(part.sources, self.view.inputs[node], strict=True):
            if isinstance(source, Shared):
                fits = tensor is source.tensor
            elif source is None or tensor is None:
                fits = source is None and tensor is None
            elif isinstance(source, Inner):
                fits = self._bind_inner(source, tensor)
            else:
                known = self.before if isinstance(source, State) else self.leaves
                fits = known[source.number] in (None, tensor)
                known[source.number] = tensor
            if not fits:
                return False
        return True

    def _bind_inner(self, source: Inner, tensor: Tensor) -> bool:
        if tensor.node is None or tensor.index != source.output:
            return False
        if self.nodes[source.place] is None:
            self.nodes[source.place] = tensor.node
        return self.nodes[source.place] is tensor.node

    def search(self, place: int, tries: list[int]) -> bool:
        """Find the nodes from `place` on, each among the readers of what it is known to read."""
        if place == len(self.nodes):
            return True
        for node in self._candidates(place):
            tries[0] -= 1
            if tries[0] < 0:
                return False
            kept = (list(self.nodes), list(self.before), list(self.leaves))
            if self.bind(place, node) and self.search(place + 1, tries):
                return True
            self.nodes, self.before, self.leaves = kept
        return False

    def _candidates(self, place: int) -> list[Node]:
        part = self.template.parts[place]
        for at, source in enumerate(part.sources):
            known = self._known(source)
            if known is not None:
                found = [node for node, position in self.view.readers.get(known, ()) if position == at]
                return [node for node in found if self.view.key(node) == part.key]
        return []

    def _known(self, source: Inner | State | Leaf | Shared | None) -> Tensor | None:
        if isinstance(source, State):
            return self.before[source.number]
        if isinstance(source, Inner):
            node = self.nodes[source.place]
            return None if node is None else node.outputs[source.output]
        return None
