"""Comparing every step with the pattern in full: operators, attributes, constants, weights, and which node reads which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from unroll.passes.rerolling.finding.pattern import Inner, Input, Pattern, Shared, Source, State, Step
from unroll.passes.rerolling.finding.view import View
from unroll.tensor import Node, Tensor

#: How many nodes a search may try for each node of the pattern.
_TRIES = 4
#: How many nodes a last step may lack, and never more than half of them.
_MOST_MISSING = 12
#: How many inputs of a step are gone through in the time of one look at a node.
_INPUTS_A_LOOK = 16
#: What is known in the middle of a search: the nodes, states and inputs, and which nodes the graph does not have.
_Known: TypeAlias = "tuple[list[Node | None], list[Tensor | None], list[Tensor | None], set[int] | None]"


class Matcher:
    """Finds the steps of one pattern."""

    def __init__(self, view: View, pattern: Pattern) -> None:
        self.view, self.pattern = view, pattern

    def run(self) -> list[Step]:
        """Return the longest unbroken run of steps around the one that the pattern was guessed from, in order."""
        middle = self.upwards(self.pattern.example)
        if middle is None:
            return []
        steps = [middle]
        while (earlier := self._earlier(steps[-1])) is not None:
            steps.append(earlier)
        steps.reverse()
        while (later := self.onwards(steps[-1].after)) is not None:
            steps.append(later)
        last = self.completed(steps[-1].after)
        if last is not None:
            steps.append(last)
        used = {node for step in steps for node in step.nodes}
        # Within a step, one node may stand for two of the pattern: f * c and f * n where c and n are the same zeros.
        if len(used) < sum(len(set(step.nodes)) for step in steps):
            return []
        # An input that one of the steps makes is a state, which the guess overlooked.
        return [] if any(tensor.node in used for step in steps for tensor in step.inputs) else steps

    def _earlier(self, step: Step) -> Step | None:
        """Return the step that makes the states which `step` reads."""
        given: dict[int, Node] = {}
        for inner, tensor in zip(self.pattern.states, step.before, strict=True):
            node = tensor.node
            if node is None or tensor.index != inner.output or given.setdefault(inner.place, node) is not node:
                return None
        return self.upwards(given)

    def upwards(self, given: Mapping[int, Node]) -> Step | None:
        """Return the step that has these nodes; its others are found by what they read."""
        found = _Binding(self.view, self.pattern)
        for place, known in given.items():
            found.nodes[place] = known
        for place in reversed(range(len(self.pattern.parts))):
            node = found.nodes[place]
            if node is None or not found.bind(place, node):
                return None
        return found.step()

    def onwards(self, before: Sequence[Tensor]) -> Step | None:
        """Return the step that starts from these states: its nodes are searched among the readers of what is known."""
        found = _Binding(self.view, self.pattern)
        found.before = list(before)
        return found.step() if found.search() else None

    def completed(self, before: Sequence[Tensor]) -> Step | None:
        """Return the last step where nothing reads some of its states, and the graph lacks the nodes that only these need.

        These nodes are made anew. A mask keeps back c as well as h; where only h is wanted at the end, c is not kept back.
        """
        for most in range(1, min(_MOST_MISSING, len(self.pattern.parts) // 2) + 1):
            found = _Binding(self.view, self.pattern)
            found.before = list(before)
            found.missing, found.most = set(), most
            if found.search():
                return found.step() if found.keeps_back() and found.complete() else None
        return None


class _Binding:
    """The nodes, states and inputs of one step, as far as they are known."""

    def __init__(self, view: View, pattern: Pattern) -> None:
        self.view, self.pattern = view, pattern
        self.nodes: list[Node | None] = [None] * len(pattern.parts)
        self.before: list[Tensor | None] = [None] * len(pattern.states)
        self.inputs: list[Tensor | None] = [None] * pattern.input_count
        self.missing: set[int] | None = None  #: the nodes that the graph lacks; None where it must have them all
        self.most = 0  #: how many may be missing

    def step(self) -> Step | None:
        """Return the step; None where something of it is not known."""
        nodes = [node for node in self.nodes if node is not None]
        before = [tensor for tensor in self.before if tensor is not None]
        inputs = [tensor for tensor in self.inputs if tensor is not None]
        if len(nodes + before + inputs) < len(self.nodes) + len(self.before) + len(self.inputs):
            return None
        after = [nodes[place].outputs[index] for place, index in self.pattern.states]
        return Step(tuple(nodes), tuple(before), tuple(inputs), tuple(after))

    def bind(self, place: int, node: Node) -> bool:
        """Take `node` for the one at `place`, and what it reads for what the pattern reads; False where they do not fit."""
        part = self.pattern.parts[place]
        self.view.look(1 + len(self.inputs) // _INPUTS_A_LOOK)
        if self.view.key(node) != part.key or any(tensor is not None and tensor.node is node for tensor in self.inputs):
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
                known = self.before if isinstance(source, State) else self.inputs
                fits = known[source.number] in (None, tensor)
                known[source.number] = tensor
            if not fits:
                return False
        return True

    def _bind_inner(self, source: Inner, tensor: Tensor) -> bool:
        if tensor.node is None or tensor.index != source.output or (self.missing and source.place in self.missing):
            return False
        if self.nodes[source.place] is None:
            self.nodes[source.place] = tensor.node
        return self.nodes[source.place] is tensor.node

    def search(self) -> bool:
        """Find the nodes, each among the readers of something it reads; where no choice fits, go back to the choice before."""
        tries, place = _TRIES * len(self.nodes), 0
        trail: list[tuple[Iterator[Node | None], _Known]] = []
        options, kept = self._options(0), self._kept()
        while True:
            for node in options:
                tries -= 1
                if tries < 0:
                    return False
                if self.bind(place, node) if node is not None else self._leave_out(place):
                    break
                self._restore(kept)
            else:
                if not trail:
                    return False
                place -= 1
                options, kept = trail.pop()
                self._restore(kept)
                continue
            place += 1
            if place == len(self.nodes):
                return True
            trail.append((options, kept))
            options, kept = self._options(place), self._kept()

    def _options(self, place: int) -> Iterator[Node | None]:
        """Return what may be at `place`: nodes, and None for a node that the graph lacks."""
        return iter([*self._candidates(place), *([] if self.missing is None else [None])])

    def _leave_out(self, place: int) -> bool:
        if self.missing is None or len(self.missing) >= self.most:
            return False
        self.missing.add(place)
        return True

    def _kept(self) -> _Known:
        missing = None if self.missing is None else set(self.missing)
        return list(self.nodes), list(self.before), list(self.inputs), missing

    def _restore(self, kept: _Known) -> None:
        nodes, before, inputs, missing = kept
        self.nodes, self.before, self.inputs = list(nodes), list(before), list(inputs)
        self.missing = None if missing is None else set(missing)

    def keeps_back(self) -> bool:
        """Say whether every state that a missing node makes reads that same state from before, as a mask does.

        No other state may go unread at the end: a step that ends in another activation is no step of the pattern.
        """
        missing = self.missing or set()
        for number, inner in enumerate(self.pattern.states):
            waiting: list[int] = [inner.place]
            sources: set[Source] = set()
            while waiting:
                place = waiting.pop()
                if place in missing:
                    sources.update(self.pattern.parts[place].sources)
                    waiting += [item.place for item in self.pattern.parts[place].sources if isinstance(item, Inner)]
            if inner.place in missing and State(number) not in sources:
                return False
        return bool(missing)

    def complete(self) -> bool:
        """Make the nodes that are missing; False where what they read is not known. Nothing in the graph reads them."""
        there = [node for node in self.nodes if node is not None]
        places = sorted(self.missing or ())
        for place in places:
            self._borrow_inputs(place)
        for place in places:
            part = self.pattern.parts[place]
            inputs = [self._known(source) for source in part.sources]
            if any((tensor is None) != (source is None) for tensor, source in zip(inputs, part.sources, strict=True)):
                return False
            self.nodes[place] = self.view.add(part.example, inputs, there)
        return True

    def _borrow_inputs(self, place: int) -> None:
        """Take the inputs that a missing node reads from a node like it, such as the mask from the one that zeros the output.

        Whatever is taken, the outputs of the graph are right, because nothing reads the missing node.
        """
        for node in self._candidates(place):
            for source, tensor in zip(self.pattern.parts[place].sources, self.view.inputs[node], strict=True):
                if isinstance(source, Input) and self.inputs[source.number] is None:
                    self.inputs[source.number] = tensor

    def _candidates(self, place: int) -> list[Node]:
        part = self.pattern.parts[place]
        for at, source in enumerate(part.sources):
            known = self._known(source) if isinstance(source, (Inner, State)) else None
            if known is not None:
                found = [node for node, position in self.view.readers.get(known, ()) if position == at]
                return [node for node in found if self.view.key(node) == part.key]
        return []

    def _known(self, source: Inner | State | Input | Shared | None) -> Tensor | None:
        if isinstance(source, State):
            return self.before[source.number]
        if isinstance(source, Inner):
            node = self.nodes[source.place]
            return None if node is None else node.outputs[source.output]
        if isinstance(source, Shared):
            return source.tensor
        return None if source is None else self.inputs[source.number]
