"""TensorFlow's cells, whatever drives them and whatever is read of them, come back as LSTM, GRU or RNN operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reroll_checks import BATCH, FEATURES, UNITS, Graph, check_rerolled, operators
from rerolled_networks import TENSORFLOW, TIMES, check_native, dynamic

import unroll
from unroll import ops
from unroll.passes import fold_zeros
from unroll.passes.rerolling.planner import reroll


@pytest.mark.sampled(2)
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize(("lengths", "initial"), [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("name", TENSORFLOW)
def test_tensorflows_cells_come_back_as_native_operators(name: str, lengths: bool, initial: bool, time: int) -> None:
    op, cell = TENSORFLOW[name]
    check_native(dynamic(cell(), time, lengths, initial), op)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("time", [4, 7, 28])
@pytest.mark.parametrize("name", TENSORFLOW)
def test_a_first_step_simplified_for_a_zero_state_is_the_base_case(name: str, time: int) -> None:
    op, cell = TENSORFLOW[name]
    check_native(fold_zeros(dynamic(cell(), time)), op)


#: What of a network is read, by how the outputs and the state of each step make it.
READ: dict[str, Callable[[list[Any], Any], Any]] = {
    "every output": lambda outputs, state: {f"y{step}": tensor for step, tensor in enumerate(outputs)},
    "last output": lambda outputs, state: {"y": outputs[-1]},
    "last state": lambda outputs, state: {f"s{k}": part for k, part in enumerate(unroll.nest.flatten(state))},
    "middle outputs": lambda outputs, state: {"y": outputs[len(outputs) // 2] * 2, "first": outputs[0] + 1, "s": state},
    "a dense layer over each": lambda outputs, state: {
        "y": ops.stack([ops.relu(y @ _dense()) for y in outputs], 0),
        "s": state,
    },
}


def _dense() -> unroll.Parameter:
    return _DENSE


_DENSE = unroll.Parameter(np.ones((UNITS, 2), "float32"), "dense")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("read", [name for name in READ if name != "a dense layer over each"])
@pytest.mark.parametrize("name", ["BasicRNNCell", "LSTMCell peepholes", "GRUCell"])
def test_whatever_is_read_of_separate_inputs_is_given(name: str, read: str, time: int) -> None:
    op, cell = TENSORFLOW[name]
    inputs = [unroll.placeholder([None, FEATURES], f"X{step}") for step in range(time)]
    outputs, state = unroll.static_rnn(cell(), inputs)
    graph = Graph(inputs, READ[read](outputs, state))
    _, report = check_rerolled(graph)
    assert report.operators == [op]
    assert report.found[0].steps == time


@pytest.mark.parametrize("name", ["BasicRNNCell", "BasicLSTMCell", "GRUCell"])
def test_a_dense_layer_over_each_output_is_computed_over_all_at_once(name: str) -> None:
    op, cell = TENSORFLOW[name]
    inputs = [unroll.placeholder([None, FEATURES], f"X{step}") for step in range(9)]
    outputs, state = unroll.static_rnn(cell(), inputs)
    found, report = check_rerolled(Graph(inputs, READ["a dense layer over each"](outputs, state)))
    assert report.operators == [op]
    assert operators(found)["MatMul"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("time", TIMES)
def test_each_layer_of_a_stack_is_rerolled(time: int, lengths: bool) -> None:
    stack = unroll.MultiRNNCell([unroll.BasicLSTMCell(5), unroll.GRUCell(UNITS), unroll.BasicRNNCell(2)])
    check_native(dynamic(stack, time, lengths), "LSTM", "GRU", "RNN")


@pytest.mark.slow
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("name", ["BasicRNNCell", "BasicLSTMCell", "LSTMCell peepholes", "GRUCell"])
def test_two_directions_become_one_bidirectional_operator(name: str, lengths: bool, time: int) -> None:
    op, cell = TENSORFLOW[name]
    x = unroll.placeholder([None, time, FEATURES], "x")
    fed = [x, unroll.placeholder([None], "lengths", "int32")] if lengths else [x]
    given = fed[1] if lengths else None
    outputs, states = unroll.bidirectional_dynamic_rnn(cell(), cell(), x, sequence_length=given)
    graph = Graph(fed, {"y": ops.concat(list(outputs), -1), "first": states[0], "second": states[1]})
    check_native(graph, op, op)
    (node,) = [node for node in reroll(graph)[0].nodes if node.op.name == op]
    assert node.op.attributes["direction"] == "bidirectional"


@pytest.mark.slow
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("read", ["both", "backward"])
@pytest.mark.parametrize("name", ["BasicRNNCell", "LSTMCell peepholes", "GRUCell"])
def test_two_directions_over_separate_inputs_are_rerolled(name: str, read: str, lengths: bool) -> None:
    op, cell = TENSORFLOW[name]
    inputs = [unroll.placeholder([None, FEATURES], f"X{step}") for step in range(5)]
    fed = [*inputs, unroll.placeholder([None], "lengths", "int32")] if lengths else inputs
    given = fed[-1] if lengths else None
    outputs, first, second = unroll.static_bidirectional_rnn(
        cell(), cell(), inputs, dtype="float32", sequence_length=given
    )
    both = {"y": ops.stack(outputs, 1), "first": first, "second": second}
    behind = {f"y{step}": output[:, UNITS:] for step, output in enumerate(outputs)} | {"second": second}
    check_native(Graph(fed, both if read == "both" else behind), *([op, op] if read == "both" else [op]))


@pytest.mark.slow
@pytest.mark.parametrize("per_run", [1, 2, 3])
@pytest.mark.parametrize("lengths", [False, True])
def test_two_directions_may_be_two_scans(lengths: bool, per_run: int) -> None:
    x = unroll.placeholder([None, 6, FEATURES], "x")
    fed = [x, unroll.placeholder([None], "lengths", "int32")] if lengths else [x]
    cells_ = unroll.LSTMCell(UNITS, cell_clip=0.5), unroll.GRUCell(UNITS)
    outputs, states = unroll.bidirectional_dynamic_rnn(*cells_, x, sequence_length=fed[1] if lengths else None)
    graph = Graph(fed, {"y": ops.concat(list(outputs), -1), "first": states[0], "second": states[1]})
    _, report = check_rerolled(graph, native=False, steps_per_iteration=per_run)
    assert report.operators == ["Scan", "Scan"]


def test_a_state_taken_from_past_a_rows_length_is_not_taken_from_an_operator() -> None:
    """The decoder starts from the encoder's unmasked h: an operator has zeros there past the end of a row."""
    lengths = unroll.placeholder([BATCH], "lengths", "int32")
    inputs = [unroll.placeholder([BATCH, FEATURES], f"x{step}") for step in range(4)]
    zero = unroll.constant(np.zeros((BATCH, UNITS), "float32"))
    encoder, decoder = unroll.BasicRNNCell(UNITS, name="encoder"), unroll.BasicRNNCell(UNITS, name="decoder")

    def masked(cell: Any, h: Any) -> Any:
        for step, x in enumerate(inputs):
            _, new = cell(x, h)
            h = ops.where(ops.unsqueeze(ops.less(unroll.constant(np.int32(step)), lengths), [1]), new, h)
        return new, h

    unmasked, kept = masked(encoder, zero)
    _, last = masked(decoder, unmasked)
    _, report = check_rerolled(Graph([*inputs, lengths], {"last": last, "kept": kept}))
    assert report.operators == ["Scan", "RNN"]


def test_two_directions_that_differ_become_one_operator_each() -> None:
    x = unroll.placeholder([None, 5, FEATURES], "x")
    cells_ = unroll.BasicLSTMCell(UNITS), unroll.BasicLSTMCell(UNITS + 1)
    outputs, _ = unroll.bidirectional_dynamic_rnn(*cells_, x)
    found, _ = check_rerolled(Graph([x], list(outputs)))
    directions = {node.op.attributes["direction"] for node in found.nodes if node.op.name == "LSTM"}
    assert directions == {"forward", "reverse"}
