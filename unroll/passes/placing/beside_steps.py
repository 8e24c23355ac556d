"""What lies beside the steps that the search finds, and is of them: products of a step's input, its row, what is made of its
output. A node that only prepares where a loop begins, such as what an encoder ends with, is of no step.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from itertools import takewhile
from typing import NamedTuple

from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.convolution import Conv
from unroll.ops.joining import Split
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.slicing import Slice
from unroll.parameter import Parameter
from unroll.passes.placing.found_blocks import parameters_of
from unroll.passes.tools.rewriting import op_key
from unroll.passes.tools.time_slices import TimeSlices
from unroll.structure import leaves_of
from unroll.tensor import Constant, Node, Tensor

#: What may weigh the input of a step: a product with a weight, and its bias.
_WEIGHING = (Add, Conv, Gemm, MatMul)

#: What may take a state apart at the start of a step.
_TAKING_APART = (Split, Slice)


class Where(NamedTuple):
    """A step of a cell; without the cell, what is of the step alone, such as its row of the data."""

    cell: str | None
    step: int


class Beside:
    """Finds the nodes beside steps.

    Args:
        graph: the graph.
        places: where its nodes are, as far as this is known.
        loops: the path of the loop that each is in.
        parts: what the nodes of a cell are called, alike at every step.
        read: the weights that the steps of each cell read.
    """

    def __init__(
        self,
        graph: Graph,
        places: Mapping[Node, Where],
        loops: Mapping[Node, str],
        parts: Mapping[Node, str],
        read: Mapping[str, Collection[Parameter]],
    ) -> None:
        self._graph, self._parts, self._read = graph, parts, read
        self._places, self._loops = dict(places), dict(loops)
        self._known = frozenset(places)
        self._slices = TimeSlices()
        self._fixed: set[Tensor] = {leaf for leaf in leaves_of(graph.nodes) if isinstance(leaf, (Constant, Parameter))}
        for node in graph.nodes:
            if node.inputs and all(tensor is None or tensor in self._fixed for tensor in node.inputs):
                self._fixed.update(node.outputs)
        # What else has no place as yet, and who reads what that makes.
        self._others = [node for node in graph.nodes if node not in places and node.outputs[0] not in self._fixed]
        others = set(self._others)
        self._readers: dict[Node, list[Node]] = {}
        for node in graph.nodes:
            for tensor in node.inputs:
                if tensor is not None and tensor.node in others and tensor.node is not None:
                    self._readers.setdefault(tensor.node, []).append(node)

    def found(self) -> dict[Node, tuple[Where, str]]:
        """Return the nodes beside steps, each with its step and the path of the loop, or of the loops, that it is in."""
        self._before()
        self._after()
        self._before()  # what those read that have been placed by now
        return {node: (place, self._loops[node]) for node, place in self._places.items() if node not in self._known}

    def _before(self) -> None:
        """Place what one step alone reads: its row, a product with a weight of the cell, what is made of these, pieces of
        the cell's state, and what other steps have made for them in the same way.
        """
        wanted = self._wanted()
        alike = self._alike(wanted)
        for node in (node for node in self._others if node in wanted):
            place, made = wanted[node], self._made(node)
            own = made == {place} or (bool(made) and isinstance(node.op, _TAKING_APART))
            weighs = isinstance(node.op, _WEIGHING) and self._weighs(node, place)
            cut = self._slices.cut_of(node.outputs[0]) if len(node.outputs) == 1 else None
            row = cut is not None and cut.source.rank > 1
            alone = Where(None, place.step)
            if weighs or own:
                self._places[node] = place
            elif made <= {alone} and (row or made or node in alike):
                self._places[node] = alone

    def _alike(self, wanted: Mapping[Node, Where]) -> set[Node]:
        """Return the nodes that are made for one step as others are for other steps, up to the numbers of constants."""
        numbers: dict[Hashable, int] = {}
        kinds: dict[Node, int] = {}
        steps: dict[int, set[int]] = {}
        for node in self._others:
            if node not in wanted:
                continue
            read: list[Hashable] = [
                (kinds[tensor.node], tensor.index)
                if tensor is not None and tensor.node in kinds and tensor.node is not None
                else (tensor.shape if isinstance(tensor, Constant) else tensor)
                for tensor in node.inputs
            ]
            kinds[node] = numbers.setdefault((op_key(node), *read), len(numbers))
            steps.setdefault(kinds[node], set()).add(wanted[node].step)
        return {node for node, kind in kinds.items() if len(steps[kind]) > 1}

    def _wanted(self) -> dict[Node, Where]:
        """Return the nodes that one step alone reads; without a cell where several cells read them at that step."""
        outputs = {tensor.node for tensor in self._graph.outputs}
        wanted: dict[Node, Where] = {}
        for node in reversed(self._others):
            if node in self._places or node in outputs:
                continue
            reading = self._readers.get(node, ())
            places = {place for other in reading if (place := self._places.get(other) or wanted.get(other))}
            cells, steps = {place.cell for place in places}, {place.step for place in places}
            if len(steps) == 1 and all(other in self._places or other in wanted for other in reading):
                wanted[node] = Where(cells.pop() if len(cells) == 1 else None, steps.pop())
                self._loops[node] = _common([self._loops[other] for other in reading])
        return wanted

    def _made(self, node: Node) -> set[Where | None]:
        """Return where what a node reads was made, if it was made at a step."""
        found = {
            self._places.get(tensor.node) for tensor in node.inputs if tensor is not None and tensor.node is not None
        }
        return found - {None}

    def _weighs(self, node: Node, place: Where) -> bool:
        weights = [tensor for tensor in node.inputs if tensor is not None and tensor in self._fixed]
        return not set(parameters_of(weights)).isdisjoint(self._read.get(place.cell or "", ()))

    def _after(self) -> None:
        """Place what is made of the outputs of one step, where the same is made at another step, and at no two at once."""
        numbers: dict[Hashable, int] = {}
        kinds = {
            node: numbers.setdefault((place.cell, self._parts.get(node, node)), len(numbers))
            for node, place in self._places.items()
        }
        wanted = self._wanted()
        steps: dict[int, set[int]] = {}
        torn: set[int] = set()
        found: dict[Node, Where] = {}
        for node in self._graph.nodes:
            if node in self._places:
                continue
            makers = [tensor.node for tensor in node.inputs if tensor is not None and tensor.node in kinds]
            if not makers:
                continue
            sources = [
                None if tensor is None or tensor.node is None else (kinds.get(tensor.node), tensor.index)
                for tensor in node.inputs
            ]
            kind = numbers.setdefault((op_key(node), *sources), len(numbers))
            times = {(self._places.get(maker) or found[maker]).step for maker in makers if maker is not None}
            if len(times) > 1:
                torn.add(kind)
            elsewhere = node in wanted and wanted[node].step not in times  # made of a state for the next step alone
            if len(times) > 1 or elsewhere or (isinstance(node.op, _TAKING_APART) and node in wanted):
                continue
            kinds[node], found[node] = kind, Where(None, times.pop())
            steps.setdefault(kind, set()).add(found[node].step)
            self._loops[node] = _common([self._loops[maker] for maker in makers if maker is not None])
        for node, place in found.items():
            several = len(steps[kinds[node]]) > 1 and kinds[node] not in torn
            read = [tensor.node for tensor in node.inputs if tensor is not None]
            if several and all(maker not in found or maker in self._places for maker in read):
                self._places[node] = place


def _common(paths: list[str]) -> str:
    beside = zip(*(path.split("/") for path in paths), strict=False)
    return "/".join(parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, beside))
