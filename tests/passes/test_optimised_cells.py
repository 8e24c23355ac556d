"""What the passes make of real cells: the nodes of every step are counted by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from helpers import Array
from pass_checks import (
    LSTM_FIRST,
    LSTM_STEP,
    STEPS,
    counts,
    feeds_of,
    input_products,
    separate,
    times,
)

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, MultiRNNCell, ops, static_bidirectional_rnn, static_rnn
from unroll.ops.linear import Gemm, MatMul
from unroll.passes.pipeline import DEFAULT, optimize

#: Each cell by itself, as it is counted below; tests/passes/test_join_cells.py counts those computed as one.
SEPARATE = [name for name in DEFAULT if name != "join_cells"]


def optimised(graph: Graph, **extra: Array) -> Counter[str]:
    """Optimise, check the values, and count."""
    found = optimize(graph, SEPARATE)
    feeds = feeds_of(graph) | extra
    wanted = graph.run(feeds)
    for name, array in found.run(feeds).items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-5, atol=1e-5)
    return counts(found)


@pytest.mark.slow
def test_a_basic_lstm_of_28_steps_is_280_nodes() -> None:
    inputs = separate()
    outputs, _ = static_rnn(BasicLSTMCell(4), inputs)
    wanted = Counter({"Concat": 1, "Gemm": 1, "Split": 1}) + LSTM_FIRST + times(LSTM_STEP, 27)
    assert optimised(Graph(inputs, outputs)) == wanted
    assert wanted.total() == 3 + 7 + 27 * 10


def test_a_basic_rnn_of_28_steps_is_58_nodes() -> None:
    inputs = separate()
    outputs, _ = static_rnn(BasicRNNCell(4), inputs)
    assert optimised(Graph(inputs, outputs)) == {"Concat": 1, "Gemm": 28, "Split": 1, "Tanh": 28}


def test_a_gru_hoists_the_products_of_both_kernels_from_one_joined_input() -> None:
    inputs = separate()
    outputs, _ = static_rnn(GRUCell(4), inputs)
    first = Counter({"Sigmoid": 1, "Slice": 1, "Sub": 1, "Tanh": 1, "Mul": 1})
    step = Counter({"Gemm": 2, "Sigmoid": 1, "Split": 1, "Sub": 1, "Tanh": 1, "Mul": 3, "Add": 1})
    assert optimised(Graph(inputs, outputs)) == Counter({"Concat": 1, "Gemm": 2, "Split": 2}) + first + times(step, 27)


@pytest.mark.parametrize("axis", [0, 1])
def test_steps_cut_from_one_tensor_use_that_tensor(axis: int) -> None:
    x = unroll.placeholder([STEPS, "batch", 3] if axis == 0 else [None, STEPS, 3], "x")
    outputs, _ = static_rnn(BasicRNNCell(4), ops.unstack(x, axis))
    turning = {"Transpose": 1} if axis else {}
    assert optimised(Graph([x], outputs)) == turning | {"Reshape": 1, "Gemm": 28, "Split": 1, "Tanh": 28}


def test_a_batch_of_one_is_not_turned() -> None:
    x = unroll.placeholder([1, STEPS, 3], "x")
    outputs, _ = static_rnn(BasicRNNCell(4), ops.unstack(x, 1))
    assert "Transpose" not in optimised(Graph([x], outputs))


def test_stacked_outputs_are_joined_at_once() -> None:
    """28 Unsqueezes and a Concat become a Concat and a Reshape."""
    x = unroll.placeholder([None, STEPS, 3], "x")
    graph = Graph([x], [unroll.layers.LSTM(4, return_sequences=True)(x)])
    wanted = Counter({"Transpose": 1, "Reshape": 2, "Gemm": 1, "Split": 1, "Concat": 1})
    assert optimised(graph) == wanted + LSTM_FIRST + times(LSTM_STEP, 27)


@pytest.mark.slow
def test_pytorchs_stacked_lstm_has_no_zero_state_and_one_bias_a_layer() -> None:
    """Two Gemms a step with a bias each; between the layers nothing is stacked."""
    x = unroll.placeholder([None, STEPS, 3], "x")
    y, _ = unroll.nn.LSTM(3, 4, 2, batch_first=True)(x)
    ends = Counter({"Transpose": 1, "Reshape": 2, "Concat": 2, "Gemm": 2, "Split": 2})
    assert optimised(Graph([x], [y])) == ends + times(LSTM_FIRST, 2) + times(LSTM_STEP, 54)


@pytest.mark.slow
def test_both_directions_use_the_same_joined_inputs() -> None:
    inputs = separate()
    outputs, _, _ = static_bidirectional_rnn(BasicLSTMCell(4), BasicLSTMCell(5), inputs)
    both = Counter({"Concat": 1 + STEPS, "Gemm": 2, "Split": 2})  # each step's outputs are joined
    assert optimised(Graph(inputs, outputs)) == both + times(LSTM_FIRST, 2) + times(LSTM_STEP, 54)


def test_steps_past_the_length_are_still_chosen_one_by_one() -> None:
    x, n = unroll.placeholder([None, STEPS, 3], "x"), unroll.placeholder([None], "n", "int32")
    outputs, _ = unroll.dynamic_rnn(BasicLSTMCell(4), x, sequence_length=n)
    found = optimised(Graph([x, n], [outputs]), n=np.array([3, 28], np.int32))
    assert (found["Gemm"], found["Sigmoid"], found["Less"]) == (28, 28, 28)
    assert found["Squeeze"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("framework", ["tensorflow", "torch"])
def test_after_hoisting_there_is_one_input_product_a_layer_and_direction(
    layers: int, directions: int, framework: str
) -> None:
    if framework == "tensorflow":
        inputs = separate()

        def cell() -> Any:
            return MultiRNNCell([BasicLSTMCell(4) for _ in range(layers)])

        outputs: Any = (
            static_rnn(cell(), inputs)[0] if directions == 1 else static_bidirectional_rnn(cell(), cell(), inputs)[0]
        )
    else:
        x = unroll.placeholder([None, STEPS, 3], "x")
        inputs, outputs = [x], unroll.nn.GRU(3, 4, layers, batch_first=True, bidirectional=directions == 2)(x)[0]
    graph = optimize(Graph(inputs, outputs), SEPARATE)
    assert len(input_products(graph)) == layers * directions
    weights = [node.inputs[1] for node in graph.nodes if isinstance(node.op, (MatMul, Gemm))]
    assert Counter(weights).most_common()[-1][1] == 1, "the hoisted weight is multiplied once"


@pytest.mark.slow
@pytest.mark.parametrize("cell", [BasicLSTMCell, BasicRNNCell])
def test_an_initial_state_that_is_given_keeps_no_step_from_being_hoisted(cell: Any) -> None:
    inputs, made = separate(), cell(4)
    names = iter("ch")
    state = unroll.nest.map_leaves(lambda size: unroll.placeholder([None, size], next(names)), made.state_size)
    outputs, _ = static_rnn(made, inputs, state)
    found = optimize(Graph([*inputs, *unroll.nest.flatten(state)], outputs))
    assert len(input_products(found)) == 1
    assert counts(found)["Concat"] == 1


def test_a_hoisted_product_comes_from_every_step() -> None:
    inputs = separate()
    outputs, _ = static_rnn(BasicLSTMCell(4), inputs)
    (product,) = input_products(optimize(Graph(inputs, outputs)))
    assert {origin.step for origin in product.provenance} == set(range(STEPS))
    assert {origin.cell for origin in product.provenance} == {"rnn/basic_lstm_cell"}


def test_one_sigmoid_comes_from_three_gates_and_they_keep_their_names() -> None:
    inputs = separate(steps=3)
    outputs, _ = static_rnn(BasicLSTMCell(4), inputs)
    graph = Graph(inputs, outputs)
    found = optimize(graph)
    sigmoids = [node for node in found.nodes if node.op.name == "Sigmoid"]
    gates = [{origin.gate for origin in node.provenance} - {None} for node in sigmoids]
    assert gates == [{"i", "o"}, {"i", "f", "o"}, {"i", "f", "o"}]
    assert {node.origin.gate for node in sigmoids} == {None}, "the cell's, of no gate before the others"
    feeds = feeds_of(graph)
    names = [f"rnn/t2/basic_lstm_cell/{name}" for name in ("i", "j", "f", "o", "c", "h")]
    for name, seen, wanted in zip(names, found.run(feeds, names), graph.run(feeds, names), strict=True):
        np.testing.assert_allclose(seen, wanted, atol=1e-6, err_msg=name)
