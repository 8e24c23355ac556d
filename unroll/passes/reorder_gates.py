"""Put gates that go through one function side by side, so that one Sigmoid computes them all.

Preserves all names of what is kept, and the values of the outputs to the bit, as far as a matrix product rounds a column
alike wherever it stands. ``i, j, f, o`` become ``i, f, o, j``: the columns of the weights are put in another order, as
expressions over the Parameters; the Split then gives one piece ``i, f, o``, on which one Sigmoid acts, and a second Split
cuts its result. Done where that takes fewer nodes than a Sigmoid for each gate; adds, over weights, at most one Concat and
a Slice for each run of columns, once for all steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.joining import Split
from unroll.ops.operator import made
from unroll.passes.tools.products import products_of
from unroll.passes.tools.rewriting import Rewriting, hint_at, in_place, ints, merged, op_key, readers_of
from unroll.tensor import Node, Tensor

#: Functions of each element by itself that gates go through.
_FUNCTIONS = frozenset(["Elu", "HardSigmoid", "LeakyRelu", "Relu", "Sigmoid", "Softplus", "Softsign", "Tanh"])


@in_place
def reorder_gates(graph: Graph) -> Graph:
    """Return `graph` with gates of one function side by side; see this module for what is preserved."""
    with collector_paused():
        reordering = _Reordering(graph)
        return reordering.walk(reordering.plan(), reordering.write)


class _Plan(NamedTuple):
    """How one Split is rewritten: which pieces share a function, and what computes the sum that it cuts."""

    together: tuple[int, ...]
    functions: dict[int, Node]
    tree: list[Node]


class _Reordering(Rewriting):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._readers = readers_of(graph)
        self._products = products_of(graph)
        self._weights = self._products.weights
        self._plans: dict[Node, _Plan] = {}
        self._orders: dict[Node, Sequence[tuple[int, int]]] = {}
        self._gone: set[Node] = set()
        self._trees: dict[Tensor, list[Node] | None] = {}
        self._reordered: dict[object, Tensor] = {}

    # -- finding ---------------------------------------------------------------------------------------------------

    def plan(self) -> set[Node]:
        """Choose what to put together at each Split, and return the nodes that are part of what changes.

        A piece that nothing reads is joined where it is at other steps.
        """
        functions = {node: self._functions(node) for node in self.graph.nodes if isinstance(node.op, Split)}
        chosen: dict[Node, tuple[int, ...]] = {}
        waiting: list[Node] = []
        for split, found in functions.items():
            together = _largest(found)
            if len(together) > 2 or len(together) == len(split.outputs) > 1:
                self._choose(split, together, found)
                chosen[split] = together
            elif len(together) > 0:
                waiting.append(split)
        # In reverse, so that the first of several with one key is found.
        by_key = {key: chosen[split] for split in reversed(chosen) for key in self._keys(split)} if waiting else {}
        for split in waiting:
            together = next((by_key[key] for key in self._keys(split) if key in by_key), ())
            found = functions[split]
            kinds = {op_key(found[place]) for place in together if place in found}
            joins = all(place in found or self._readers.unread(split.outputs[place]) for place in together)
            # With one function only, two nodes would replace one.
            if len(kinds) == 1 and joins and sum(place in found for place in together) > 1:
                self._choose(split, together, found)
        return {*self._orders, *self._plans, *self._gone}

    def _functions(self, split: Node) -> dict[int, Node]:
        """Return the function that each piece goes through and nothing else reads."""
        found = {}
        for place, piece in enumerate(split.outputs):
            reader = self._readers.only(piece)
            if reader is not None and reader.op.name in _FUNCTIONS:
                found[place] = reader
        source = split.inputs[0]
        last = source is not None and split.op.attributes["axis"] == source.rank - 1
        return found if last and all(isinstance(piece.shape[-1], int) for piece in split.outputs) else {}

    def _keys(self, split: Node) -> list[object]:
        """Return what Splits of the same weights have in common: a weight of the sum, and the sizes."""
        source = split.inputs[0]
        tree = self._tree(source) if source is not None else None
        leaves = [
            tensor
            for node in tree or ()
            for tensor in node.inputs
            if tensor is not None and self._weights.holds(tensor)
        ]
        sizes = tuple(piece.shape[-1] for piece in split.outputs)
        return [(self._weights.base(leaf), sizes) for leaf in leaves]

    def _choose(self, split: Node, together: tuple[int, ...], functions: dict[int, Node]) -> None:
        source = split.inputs[0]
        adjacent = together == tuple(range(together[0], together[0] + len(together)))
        tree = [] if adjacent or source is None else self._tree(source)
        if not adjacent and (source is None or not tree or self._readers.only(source) is not split):
            return
        ranges = _ranges(tuple([int(piece.shape[-1]) for piece in split.outputs]), together)
        self._orders.update(dict.fromkeys(tree or (), ranges))
        kept = {place: functions[place] for place in together if place in functions}
        self._plans[split] = _Plan(together, kept, tree or [])
        self._gone.update(kept.values())

    def _tree(self, source: Tensor) -> list[Node] | None:
        """Return what `_found_tree` finds, found once."""
        if source not in self._trees:
            self._trees[source] = self._found_tree(source)
        return self._trees[source]

    def _found_tree(self, source: Tensor) -> list[Node] | None:
        """Return the nodes of a sum of products with weights and of weights, whose columns can take another order."""
        found, stack = [], [source]
        while stack:
            tensor = stack.pop()
            node = tensor.node
            if self._weights.holds(tensor):
                if tensor.rank == 0 or (tensor.shape[-1] != source.shape[-1] and tensor.shape[-1] != 1):
                    return None
                continue
            if (
                node is None
                or tensor.shape != source.shape
                or (tensor is not source and self._readers.only(tensor) is None)
            ):
                return None
            if isinstance(node.op, Add):
                stack.extend(item for item in node.inputs if item is not None)
            elif node in self._products.found:
                stack.extend(node.inputs[2:])  # type: ignore[arg-type]
            else:
                return None
            found.append(node)
        return found

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, node: Node) -> None:
        """Write a node with its weights in another order, or what becomes of a Split; leave out functions of the pieces."""
        if node in self._gone:
            return
        inputs = self.inputs(node)
        if node in self._orders:
            inputs = self._ordered(node, inputs)
        plan = self._plans.get(node)
        if plan is None:
            self.keep(node, inputs)
        else:
            self._write(node, plan, inputs[0])

    def _ordered(self, node: Node, inputs: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        """Return a node's inputs with the weights among them in another order of columns."""
        ranges, cell = self._orders[node], node.origin.cell
        product = self._products.found.get(node)
        found = list(inputs)
        for place, tensor in enumerate(inputs):
            if tensor is None or not self._weights.holds(tensor) or (product and place == 0):
                continue
            kernel = product is not None and place == 1  # its columns are reordered even where it has one row
            if not kernel and tensor.shape[-1] == 1:
                continue
            turned = product is not None and kernel and product.turned
            key = (tensor, turned, cell, *ranges)
            reordered = self._reordered.get(key)
            if reordered is None and turned:
                parts = [self._weights.cut(tensor, *bounds, 0, cell) for bounds in ranges]
                reordered = self._reordered[key] = self._weights.joined(parts, 0, cell)
            elif reordered is None:
                reordered = self._reordered[key] = self._weights.ordered(tensor, ranges, cell)
            found[place] = reordered
        return tuple(found)

    def _write(self, split: Node, plan: _Plan, source: Tensor | None) -> None:
        together, functions = plan.together, plan.functions
        sizes = [int(piece.shape[-1]) for piece in split.outputs]
        whole = sum(sizes[place] for place in together)
        others = [place for place in range(len(sizes)) if place not in together]
        axis = split.op.attributes["axis"]
        after = plan.tree or not others or together[0] == 0
        order = [-1, *others] if after else [place if place not in together else -1 for place in range(len(sizes))]
        order = list(dict.fromkeys(order))
        pieces = {-1: source}
        if others:
            widths = ints(*[whole if place < 0 else sizes[place] for place in order])
            pieces = dict(zip(order, made(Split(axis), (source, widths), split.provenance), strict=True))
        for place in others:
            piece = pieces[place]
            if piece is not None:
                piece.hint = split.outputs[place].hint
                self.stand_in(split.outputs[place], piece)
        provenance = merged([split, *functions.values()])  # of the cell, and so of no gate before the others
        first = next(iter(functions.values()))
        (result,) = made(first.op, (pieces[-1],), provenance)
        equal = len({sizes[place] for place in together}) == 1
        cut = Split(axis, len(together) if equal else None)
        cuts = made(cut, (result, *([] if equal else [ints(*[sizes[place] for place in together])])), provenance)
        for place, piece in zip(together, cuts, strict=True):
            if place in functions:
                old = functions[place].outputs[0]
                piece.hint = hint_at(piece.node, old)
                self.stand_in(old, piece)


def _largest(functions: dict[int, Node]) -> tuple[int, ...]:
    """Return the places of the most pieces that go through one function."""
    groups: dict[object, list[int]] = {}
    for place, node in functions.items():
        groups.setdefault(op_key(node), []).append(place)
    largest: list[int] = max(groups.values(), key=len) if groups else []
    return tuple(largest)


@lru_cache(maxsize=1024)
def _ranges(sizes: tuple[int, ...], together: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Return the columns of each piece of a Split, those of the pieces that come together before the others."""
    ends = list(accumulate(sizes))
    order = sorted(range(len(sizes)), key=lambda place: place not in together)
    return tuple((ends[place] - sizes[place], ends[place]) for place in order)
