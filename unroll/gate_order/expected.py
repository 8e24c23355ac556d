"""What a graph is expected to give, cut at the steps where its structure says so, so that a few steps can be held alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.comparison import gaps
from unroll.dimensions import shape_text
from unroll.dtypes import Array, cast_array
from unroll.errors import ArgumentError, FeedError, ShapeError
from unroll.evaluator import evaluate
from unroll.graph import Graph
from unroll.ops.joining import Concat
from unroll.structure import Structure
from unroll.tensor import Tensor

#: How many steps the orders are tried on: what a gate does to a state shows at the second one.
_STEPS = 2


class Piece(NamedTuple):
    """A tensor of a graph and what it should be."""

    tensor: Tensor
    wanted: Array


def expected_pieces(graph: Graph, feeds: Mapping[str, Array], expected: Any) -> list[Piece]:
    """Return what is expected, checked.

    Args:
        graph: the graph.
        feeds: checked feeds.
        expected: an array by name or tensor; or one array, where the graph has one output.

    Raises:
        ArgumentError: an array for several outputs, or nothing is expected.
        NameNotFoundError: a name is none of the graph's.
        ShapeError, DTypeError: an array does not fit what the graph computes.
        FeedError: what is expected is not finite, or has no numbers.
    """
    if not isinstance(expected, Mapping):
        if len(graph.outputs) != 1:
            names = ", ".join(graph.output_names[:4]) + (", ..." if len(graph.outputs) > 4 else "")
            raise ArgumentError(
                f"check_gate_order: expected is one array, and the graph has {len(graph.outputs)} outputs: {names}; give a "
                "dict {output: array}"
            )
        expected = {graph.output_names[0]: expected}
    tensors = [item if isinstance(item, Tensor) else graph.tensor(item) for item in expected]
    if not tensors:
        raise ArgumentError("check_gate_order: expected is empty; give an array for at least one output")
    pieces = []
    for (name, value), tensor, found in zip(expected.items(), tensors, graph.run(feeds, tensors), strict=True):
        called = graph.name(tensor) if isinstance(name, Tensor) else name
        wanted = cast_array(value, tensor.dtype, f"expected {called!r}")
        if wanted.shape != found.shape:
            raise ShapeError(
                f"expected {called!r}: shape {shape_text(wanted.shape)} was given, and the graph computes "
                f"{shape_text(found.shape)} from these feeds"
            )
        check_finite(wanted, f"expected {called!r}")
        pieces.append(Piece(tensor, wanted))
    return pieces


def check_finite(array: Array, what: str) -> None:
    """Refuse an array by which nothing can be told.

    Raises:
        FeedError: it holds NaN or an infinity, or nothing.
    """
    if not array.size:
        raise FeedError(f"{what} has no elements; nothing can be told by it")
    bad = array.size - int(np.count_nonzero(np.isfinite(array)))
    if bad:
        raise FeedError(f"{what}: {bad} of {array.size} numbers are NaN or infinite; nothing can be told by these")


def first_steps(graph: Graph, pieces: Sequence[Piece]) -> list[Piece]:
    """Return what is expected of the first few steps: of what is computed with the fewest operators in a row."""
    depths: dict[Tensor, int] = {}
    for node in graph.nodes:
        depth = 1 + max((depths.get(tensor, 0) for tensor in node.inputs if tensor is not None), default=0)
        depths.update(dict.fromkeys(node.outputs, depth))
    parts = [part for piece in pieces for part in _cut(piece)]
    reached = sorted({depths.get(part.tensor, 0) for part in parts})[:_STEPS]
    return [part for part in parts if depths.get(part.tensor, 0) in reached]


def _cut(whole: Piece) -> list[Piece]:
    """Return what a tensor is joined of, such as the outputs of the steps, each with its part of what is expected."""
    found, waiting = [], [whole]
    while waiting:
        piece = waiting.pop()
        node = piece.tensor.node
        parts = [tensor for tensor in node.inputs if tensor is not None] if node is not None else []
        if node is None or not isinstance(node.op, Concat):
            found.append(piece)
            continue
        axis = node.op.axis % piece.wanted.ndim
        sizes = [tensor.shape[axis] for tensor in parts]
        if not all(isinstance(size, int) for size in sizes):
            found.append(piece)
            continue
        cuts = np.split(piece.wanted, np.cumsum([int(size) for size in sizes])[:-1], axis)
        waiting += [Piece(*pair) for pair in zip(parts, cuts, strict=True)][::-1]
    return found


class Errors:
    """How far a graph is from what is expected, with values given in place of its own; what does not depend on them is
    computed once.

    Args:
        graph: the graph.
        feeds: checked arrays by input name.
        pieces: what is expected.
        changing: what values are given of.

    Attributes:
        pieces: what is expected.
    """

    def __init__(
        self, graph: Graph, feeds: Mapping[str, Array], pieces: Sequence[Piece], changing: Collection[Any]
    ) -> None:
        self._feeds, self.pieces = feeds, pieces
        self._part = Structure(graph.inputs, list(dict.fromkeys(piece.tensor for piece in pieces)))
        moving, read = set(changing), dict[Tensor, None]()
        for node in self._part.nodes:
            if moving.isdisjoint(node.inputs):
                continue
            moving.update(node.outputs)
            read |= dict.fromkeys(t for t in node.inputs if t is not None and t.node is not None and t not in moving)
        self._known = dict(zip(read, evaluate(self._part, feeds, list(read)), strict=True))

    def of(self, given: Mapping[Any, Array]) -> float:
        """Return the largest |difference| from what is expected, with these values."""
        wanted = [piece.tensor for piece in self.pieces]
        found = evaluate(self._part, self._feeds, wanted, given={**self._known, **given})
        return max(float(gaps(array, piece.wanted)[0].max()) for array, piece in zip(found, self.pieces, strict=True))
