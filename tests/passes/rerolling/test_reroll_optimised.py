"""What was optimised re-rolls as what it was made from does: joined inputs, hoisted products and joined cells are undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import GOLDEN
from reroll_checks import FEATURES, UNITS, assign, check_rerolled, feeds_of

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, LSTMCell, MultiRNNCell, ops
from unroll.passes.pipeline import DEFAULT, optimize
from unroll.passes.rerolling.planner import reroll

SEPARATE = [name for name in DEFAULT if name != "join_cells"]


def inputs_of(kind: str, steps: int, batch: int | None) -> tuple[list[Any], list[Any]]:
    if kind == "apart":
        xs = [unroll.placeholder([batch, FEATURES], f"x{step}") for step in range(steps)]
        return xs, xs
    x = unroll.placeholder([batch, steps, FEATURES], "x")
    return [x], ops.unstack(x, 1)


def one(cell: Callable[[int], Any]) -> Callable[[list[Any]], Any]:
    return lambda xs: unroll.static_rnn(cell(UNITS), xs, dtype="float32")[0]


def stacked(cell: Callable[[int], Any]) -> Callable[[list[Any]], Any]:
    return lambda xs: unroll.static_rnn(MultiRNNCell([cell(UNITS), cell(UNITS)]), xs, dtype="float32")[0]


def both(cell: Callable[[int], Any]) -> Callable[[list[Any]], Any]:
    return lambda xs: unroll.static_bidirectional_rnn(cell(UNITS), cell(UNITS), xs, dtype="float32")[0]


CELLS: dict[str, Callable[[int], Any]] = {
    "rnn": BasicRNNCell,
    "gru": GRUCell,
    "basic lstm": BasicLSTMCell,
    "peepholes": lambda units: LSTMCell(units, use_peepholes=True),
}


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["apart", "whole"])
@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("network", [one, stacked, both])
@pytest.mark.parametrize("cell", CELLS)
def test_an_optimised_network_becomes_the_operators_that_it_becomes_itself(
    cell: str, network: Any, batch: int | None, kind: str
) -> None:
    inputs, xs = inputs_of(kind, 7, batch)
    graph = Graph(inputs, {f"y{step}": y for step, y in enumerate(network(CELLS[cell])(xs))})
    assign(graph)
    _, wanted = reroll(graph)
    _, found = check_rerolled(optimize(graph, SEPARATE))
    assert found.operators == wanted.operators
    assert found.operators == [found.operators[0]] * (1 if network is one else 2)
    assert found.operators[0] in ("RNN", "GRU", "LSTM")


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["gru", "basic lstm"])
def test_two_directions_computed_as_one_cell_become_one_operator(cell: str) -> None:
    inputs, xs = inputs_of("whole", 8, None)
    graph = Graph(inputs, {f"y{step}": y for step, y in enumerate(both(CELLS[cell])(xs))})
    assign(graph)
    found, report = check_rerolled(optimize(graph))
    assert report.operators in (["LSTM"], ["GRU"])
    feeds = feeds_of(graph)
    for name, array in graph.run(feeds).items():
        np.testing.assert_allclose(found.run(feeds)[name], array, atol=1e-5)


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("steps", [(3, 3), (2, 5), (5, 2)])
@pytest.mark.parametrize("cell", CELLS)
def test_two_runs_of_one_cell_take_their_own_rows_of_the_product_for_both(cell: str, steps: tuple[int, int]) -> None:
    """The products of all steps of both runs are one; whatever is re-rolled must take its own part of it."""
    xs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(sum(steps))]
    made = CELLS[cell](UNITS)
    first, _ = unroll.static_rnn(made, xs[: steps[0]], dtype="float32")
    second, _ = unroll.static_rnn(made, xs[steps[0] :], dtype="float32")
    graph = Graph(xs, {"first": first[-1], "second": second[-1]})
    for passes in (None, SEPARATE, ["fold_zeros", "split_kernels", "fold_biases", "hoist_inputs"]):
        found, _ = check_rerolled(optimize(graph, passes))
        for name, array in graph.run(feeds_of(graph)).items():
            np.testing.assert_allclose(found.run(feeds_of(graph))[name], array, atol=1e-5)


#: Files that went wrong, or became less than they are, after `optimize`.
FILES = (
    "dynamo-gru-bn-t4-op18",
    "keras-bidirectional_lstm-return_sequences-bn-t3-op13",
    "keras-gru-reset_after=False-bn-t4-op13",
    "keras-gru-return_sequences-bn-t4-op17",
    "keras-lstm-go_backwards-bn-t3-op15",
    "keras-two_lstm-bn-t3-op18",
    "tf2onnx-gru-bn-t5-op13",
    "torchscript-gru-b3-t4-op11",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_an_optimised_file_becomes_the_operators_that_it_becomes_itself(name: str, tmp_path: Path) -> None:
    graph = unroll.from_onnx(GOLDEN / "foreign" / f"{name}.onnx")
    optimised = optimize(graph)
    found, report = reroll(optimised)
    assert report.operators == reroll(graph)[1].operators
    feeds = feeds_of(graph)
    wanted = unroll.Session(graph).run(feeds)
    for output, array in unroll.Session(found).run(feeds).items():
        np.testing.assert_allclose(array, wanted[output], rtol=1e-5, atol=1e-5)
    saved = unroll.save(optimised, tmp_path / "flat.onnx")
    assert unroll.reroll(unroll.from_onnx(saved))[1].operators == report.operators
