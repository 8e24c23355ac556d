"""Trying every order of the gates of a cell on feeds whose outputs are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from unroll import display
from unroll.arguments import checked
from unroll.checks import check_number, check_text
from unroll.comparison import tolerance_for
from unroll.dtypes import Array, DType, as_array
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.gate_order.expected import Errors, Piece, check_finite, expected_pieces, first_steps
from unroll.gate_order.report import GateOrder, GateOrderFit
from unroll.gate_order.weights import FORGET, Gated, Way, gated_cells
from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.subjects import INPUT, over_a_sequence

#: Up to how many of the ways that fit the first steps are tried on all that is expected.
_FINALISTS = 8


@checked()
def check_gate_order(
    cell_or_graph: Any, feeds: Any, expected: Any, *, cell: str | None = None, tolerance: float | None = None
) -> GateOrder:
    """Say which order of the gates, and which forget bias, makes a cell give the outputs that are expected of it.

    Weights that were loaded from another framework in its order of gates compute something, and nothing complains. Here every
    order of the blocks of the weights' columns is tried, each with the cell's own forget bias and with 0 and 1, on the first
    steps of the feeds; the best ones are then held against all that is expected. Kernels and biases of one cell change places
    together, and so do all cells of a graph, for one program has loaded them. Nothing is assigned.

    Args:
        cell_or_graph: a Graph; or a cell that has its weights, a layer, a module or a model.
        feeds: arrays by placeholder or name; for a cell or a layer the one array that it is called on, a cell's being
            ``(batch, steps, features)``.
        expected: the outputs of the other framework: arrays by name or tensor, or one array where there is one output. For
            a cell, ``(batch, steps, units)``.
        cell: the variable path of the one cell whose weights are read in other orders, or the end of it; by default all.
        tolerance: a way fits where no output is further off; by default 1e-5 for float32 and 1e-9 for float64, times the
            largest number that is expected if that is above 1.

    Returns:
        The best way and the next best with their errors; true where the best is the cell as it is. Printed, it says what to do.

    Raises:
        ArgumentTypeError: `cell_or_graph` is none of these, or the feeds are no dict.
        ArgumentError: there are no gates to put in another order, cells have different gates and none is named, or there is
            no cell of that name; one array for several outputs; an invalid tolerance.
        UnsupportedError: a cell of more than six gates.
        FeedError: what is fed or expected holds NaN or an infinity, or does not fit.
        ShapeError, DTypeError: an array does not fit.
        NameNotFoundError: an output is none of the graph's.

    Example:
        A cell that was given PyTorch's weights in PyTorch's order, and keeps its own forget bias:

        >>> rng = np.random.default_rng(0)
        >>> x, kernel = rng.normal(size=(2, 4, 3)), rng.normal(size=(8, 20))
        >>> right = unroll.BasicLSTMCell(5, forget_bias=0.0)
        >>> right.set_weights(kernel, np.zeros(20), gate_order="ifgo")
        >>> X = unroll.placeholder([2, 4, 3], name="X")
        >>> wanted = unroll.Graph([X], {"y": unroll.dynamic_rnn(right, X)[0]}).run({"X": x})["y"]
        >>> wrong = unroll.BasicLSTMCell(5)
        >>> wrong.set_weights(kernel, np.zeros(20))
        >>> Y = unroll.dynamic_rnn(wrong, X)[0]
        >>> found = unroll.check_gate_order(unroll.Graph([X], {"y": Y}), {"X": x}, wanted)
        >>> bool(found), found.best.order, found.best.forget_bias
        (False, ('i', 'f', 'j', 'o'), 0.0)
    """
    if tolerance is not None and not check_number(tolerance, "check_gate_order: tolerance") >= 0:
        raise ArgumentError(f"check_gate_order: tolerance is {tolerance}; a number of at least 0 is wanted")
    if cell is not None:
        check_text(cell, "check_gate_order: cell")
    graph, arrays = _asked(cell_or_graph, feeds)
    gated = gated_cells(graph, cell)
    ways = list(_ways(gated))
    if len(ways) < 2:
        raise ArgumentError(f"check_gate_order: {gated.cells[0]} has no gates that can change places")
    pieces = expected_pieces(graph, arrays, expected)
    allowed = _allowed(pieces, tolerance)

    def tried(ways: Sequence[Way], held: Sequence[Piece]) -> list[GateOrderFit]:
        """Return ways with their errors, the best first; of those that fit, in the order in which they are given."""
        given = [gated.given(*way) for way in ways]
        errors = Errors(graph, arrays, held, {key for values in given for key in values})
        fits = [GateOrderFit(*way, errors.of(values)) for way, values in zip(ways, given, strict=True)]
        return sorted(fits, key=lambda fit: 0.0 if fit.error <= allowed else fit.error)

    nearest = tried(ways, first_steps(graph, pieces))
    count = sum(fit.error <= allowed for fit in nearest)
    finalists = nearest[: max(2, min(count, _FINALISTS) + 1)]
    best, *others = tried([Way(fit.order, fit.forget_bias) for fit in finalists], pieces)
    fitting = tuple(fit for fit in others if fit.error <= allowed)
    runner_up = next((fit for fit in others if fit.error > allowed), None)
    return GateOrder(gated.cells, gated.gates, gated.forget_bias, best, runner_up, fitting, len(ways), allowed)


def _asked(subject: Any, feeds: Any) -> tuple[Graph, dict[str, Array]]:
    """Return the graph that is asked about, as it is shown, and its feeds, checked."""
    if not isinstance(subject, Graph):
        if isinstance(feeds, Mapping) and len(feeds) != 1:
            raise ArgumentError(
                f"check_gate_order: a cell or a layer has one input, and {len(feeds)} are fed; give its Graph"
            )
        array = as_array(next(iter(feeds.values())) if isinstance(feeds, Mapping) else feeds, "check_gate_order: feeds")
        kind = array.dtype if array.dtype.kind != "f" else _dtype_of(subject) or array.dtype
        subject, feeds = over_a_sequence(subject, array.shape, kind, "check_gate_order"), {INPUT: array}
    elif not isinstance(feeds, Mapping):
        raise ArgumentTypeError(
            f"check_gate_order: feeds: a dict {{input: array}} is wanted, not {type(feeds).__name__}"
        )
    graph = display.placed(subject)
    arrays = graph.check_feeds(feeds)
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            check_finite(array, f"feed {name!r}")
    return graph, arrays


def _dtype_of(subject: Any) -> DType | None:
    """Return the dtype of the weights of a cell, a layer or a module."""
    weights = getattr(subject, "weights", None)
    listed = weights.values() if isinstance(weights, Mapping) else weights or ()
    if callable(getattr(subject, "parameters", None)):
        listed = subject.parameters()
    return next((item.dtype for item in listed if isinstance(item, Parameter)), None)


def _ways(gated: Gated) -> Iterator[Way]:
    """Yield every way to read the weights, that of the cells themselves first."""
    own = gated.forget_bias or 0.0
    biases: list[float | None] = [None]
    if gated.constants:
        biases = [*dict.fromkeys([own, 0.0, 1.0])]
    elif FORGET in gated.gates and gated.biases():
        biases = [0.0, 1.0, -1.0]
    for order in permutations(gated.gates):
        for bias in biases:
            yield Way(order, bias)


def _allowed(pieces: Sequence[Piece], tolerance: float | None) -> float:
    """Return how far outputs may be off."""
    largest = max(float(np.max(np.abs(piece.wanted))) for piece in pieces)
    coarsest = max(tolerance_for(piece.tensor.dtype, tolerance) for piece in pieces)
    return coarsest * max(1.0, largest)
