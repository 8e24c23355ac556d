"""Which nodes of the lanes become one node: those that apply the same operator to joint tensors."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from itertools import chain, pairwise, zip_longest
from typing import NamedTuple

from unroll.graph import Graph
from unroll.ops.arithmetic import Pow
from unroll.ops.choices import Clip, Where
from unroll.ops.elementwise import Binary, Unary
from unroll.ops.functions import Cast
from unroll.ops.joining import Split
from unroll.ops.reduction import Softmax
from unroll.passes.joining.column_order import ColumnOrder
from unroll.passes.tools.rewriting import is_known, op_key, readers_of
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Node, Tensor

_LIKE_EACH_ELEMENT = (Unary, Binary, Where, Clip, Cast, Pow)

#: A node of each lane; they become one.
Pack = tuple[Node, ...]
#: A joint tensor: an output of a pack.
Joint = tuple[Pack, int]


class Place(NamedTuple):
    """Where a tensor of one lane is.

    Attributes:
        joint: the joint tensor.
        lane: which of the lanes.
    """

    joint: Joint
    lane: int


class Packs:
    """The packs of a graph, grown from those of the recurrent products.

    Args:
        graph: the graph.
        weights: its weights.
        groups: the packs of products, those of one group of lanes together; their columns have one order.
    """

    def __init__(self, graph: Graph, weights: Weights, groups: Sequence[Sequence[Pack]]) -> None:
        self._readers, self._weights = readers_of(graph), weights
        self.of: dict[Node, Pack] = {}
        self.places: dict[Tensor, Place] = {}
        for pack in chain.from_iterable(groups):
            self._add(pack)
        self._grow(chain.from_iterable(groups))
        self.all = tuple(dict.fromkeys(self.of[node] for node in graph.nodes if node in self.of))
        self.cuts = ColumnOrder()
        self._cut(groups)

    def joint(self, tensors: Sequence[Tensor | None]) -> Joint | None:
        """Return the joint tensor of a tensor from each lane; None where there is none."""
        places = [self.places.get(tensor) for tensor in tensors if tensor is not None]
        first = places[0] if len(places) == len(tensors) else None
        if first is None or len(first.joint[0]) != len(places):
            return None
        same = all(place is not None and place == (first.joint, lane) for lane, place in enumerate(places))
        return first.joint if same else None

    # -- growing ---------------------------------------------------------------------------------------------------

    def _add(self, pack: Pack) -> None:
        self.of.update(dict.fromkeys(pack, pack))
        for output in range(len(pack[0].outputs)):
            joint = pack, output
            self.places.update({node.outputs[output]: Place(joint, lane) for lane, node in enumerate(pack)})

    def _grow(self, seeds: Iterable[Pack]) -> None:
        waiting = deque(seeds)
        while waiting:
            pack = waiting.popleft()
            for output in range(len(pack[0].outputs)):
                for found in self._readers_alike([node.outputs[output] for node in pack]):
                    if self._fits(found):
                        self._add(found)
                        waiting.append(found)

    def _readers_alike(self, tensors: Sequence[Tensor]) -> list[Pack]:
        """Return packs of nodes, one from each lane, that all read their lane's tensor in the same way."""
        lanes: list[dict[Hashable, list[Node]]] = []
        for tensor in tensors:
            by_use: dict[Hashable, list[Node]] = {}
            for reader in dict.fromkeys(self._readers.all(tensor)):
                use = op_key(reader), tuple(place for place, item in enumerate(reader.inputs) if item is tensor)
                by_use.setdefault(use, []).append(reader)
            lanes.append(by_use)
        return [
            pack
            for use, readers in lanes[0].items()
            if all(len(lane.get(use, ())) == len(readers) for lane in lanes)
            for pack in zip(*[lane[use] for lane in lanes], strict=True)
        ]

    def _fits(self, pack: Pack) -> bool:
        first = pack[0]
        alike = all([item.shape for item in node.outputs] == [item.shape for item in first.outputs] for node in pack)
        if len(set(pack)) < len(pack) or any(node in self.of for node in pack) or not alike or not is_known(first.op):
            return False
        if isinstance(first.op, Split):
            known = all(isinstance(item.shape[-1], int) for item in first.outputs)
            return known and first.outputs[0].rank == 2 and first.op.axis == 1
        # A Softmax has the shape of its input, but reads whole rows.
        if not isinstance(first.op, _LIKE_EACH_ELEMENT) or isinstance(first.op, Softmax):
            return False
        wide = first.outputs[0].rank == 2 and isinstance(first.outputs[0].shape[1], int)
        return wide and all(self._operand_fits(tensors, first) for tensors in operands(pack))

    def _operand_fits(self, tensors: Sequence[Tensor | None], node: Node) -> bool:
        if is_shared(tensors):
            return True
        shape = node.outputs[0].shape
        return all(
            tensor is not None
            and tensor.shape == tensors[0].shape  # type: ignore[union-attr]  # no None among them by now
            and (tensor.shape == shape or (tensor.shape[-1:] == shape[-1:] and self._weights.holds(tensor)))
            for tensor in tensors
        )

    # -- cutting ---------------------------------------------------------------------------------------------------

    def _cut(self, groups: Sequence[Sequence[Pack]]) -> None:
        for pack in self.all:
            joints = [joint for tensors in operands(pack) if (joint := self.joint(tensors)) is not None]
            if isinstance(pack[0].op, Split):
                sizes = [int(tensor.shape[-1]) for tensor in pack[0].outputs]
                self.cuts.apart(joints[0], [(pack, place) for place in range(len(sizes))], sizes)
            elif isinstance(pack[0].op, _LIKE_EACH_ELEMENT):
                self.cuts.alike([*joints, (pack, 0)])
        for before, pack in chain.from_iterable(map(pairwise, groups)):
            self.cuts.alike([(before, 0), (pack, 0)])
        self.cuts.settle()


def operands(pack: Pack) -> list[tuple[Tensor | None, ...]]:
    """Return what a pack's nodes read: for each place, a tensor from each lane; None where a lane has none."""
    return list(zip_longest(*[node.inputs for node in pack]))


def is_shared(tensors: Sequence[Tensor | None]) -> bool:
    """Say whether all lanes read one tensor that broadcasts along the columns, however many there are."""
    first = tensors[0]
    narrow = first is None or first.rank == 0 or first.shape[-1] == 1
    return narrow and all(tensor is first for tensor in tensors)
