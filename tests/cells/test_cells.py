"""What cells promise, against NumPy loops written by hand."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pytest
from helpers import Array, refused, step_inputs

import unroll
from unroll import (
    BasicLSTMCell,
    BasicRNNCell,
    Graph,
    GRUCell,
    LSTMStateTuple,
    MultiRNNCell,
    ops,
    placeholder,
    static_rnn,
)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def one_call(cell: Any, x: Array, state: list[Array]) -> list[Array]:
    """Call a cell directly on float64 arrays; the output and the parts of the new state."""
    given = placeholder(list(x.shape), "x", "float64")
    parts = [placeholder(list(part.shape), f"s{place}", "float64") for place, part in enumerate(state)]
    result = cell(given, unroll.nest.pack(cell.state_size, parts))
    graph = Graph([given, *parts], result)
    return graph.run(dict(zip(graph.inputs, [x, *state], strict=True)), graph.outputs)


RNG = np.random.default_rng(11)
X, C, H = RNG.normal(size=(2, 4)), RNG.normal(size=(2, 3)), RNG.normal(size=(2, 3))


def test_a_basic_rnn_cell_is_one_tanh_of_one_product() -> None:
    cell = BasicRNNCell(3)
    output, state = one_call(cell, X, [H])
    wanted = np.tanh(np.hstack([X, H]) @ cell.kernel.value + cell.bias.value)
    assert output == pytest.approx(wanted, abs=1e-12)
    assert np.array_equal(output, state)
    assert (cell.kernel.name, cell.kernel.shape, cell.bias.shape) == ("basic_rnn_cell/kernel", (7, 3), (3,))


@pytest.mark.parametrize("forget_bias", [1.0, 0.0, -2.5])
def test_an_lstm_has_gates_i_j_f_o_and_its_forget_bias(forget_bias: float) -> None:
    cell = BasicLSTMCell(3, forget_bias=forget_bias)
    cell.set_weights(RNG.normal(size=(7, 12)), RNG.normal(size=12))
    output, new_c, new_h = one_call(cell, X, [C, H])
    i, j, f, o = np.split(np.hstack([X, H]) @ cell.kernel.value + cell.bias.value, 4, axis=1)
    c = C * sigmoid(f + forget_bias) + sigmoid(i) * np.tanh(j)
    assert new_c == pytest.approx(c, abs=1e-12)
    assert new_h == pytest.approx(np.tanh(c) * sigmoid(o), abs=1e-12)
    assert np.array_equal(output, new_h)


def test_a_gru_resets_before_the_product_and_keeps_by_u() -> None:
    cell = GRUCell(3)
    output, _ = one_call(cell, X, [H])
    gates, candidate = cell.gates_kernel.value, cell.candidate_kernel.value
    assert np.all(cell.gates_bias.value == 1.0) and not cell.candidate_bias.value.any()
    r, u = np.split(sigmoid(np.hstack([X, H]) @ gates + 1.0), 2, axis=1)
    c = np.tanh(np.hstack([X, r * H]) @ candidate)
    assert output == pytest.approx(u * H + (1 - u) * c, abs=1e-12)


def test_the_lstm_is_what_math_alone_computes_for_every_gate() -> None:
    """2 inputs, 1 unit, 2 steps, no NumPy in the expected numbers."""
    kernel = [[0.1, 0.2, 0.3, 0.4], [0.5, -0.6, 0.7, -0.8], [0.9, 1.0, -1.1, 1.2]]
    bias, xs = [0.01, 0.02, 0.03, 0.04], [[1.0, 2.0], [-1.0, 0.5]]
    cell = BasicLSTMCell(1)
    cell.set_weights(kernel, bias)
    inputs = step_inputs(2, 2, "float64")
    graph = Graph(inputs, static_rnn(cell, inputs))
    feeds = {f"X{step}": [xs[step]] for step in range(2)}
    c = h = 0.0
    for step, row in enumerate(xs):
        z = [sum(v * w[gate] for v, w in zip([*row, h], kernel, strict=True)) + bias[gate] for gate in range(4)]
        i, f, o = (1 / (1 + math.exp(-v)) for v in (z[0], z[2] + 1.0, z[3]))
        c = c * f + i * math.tanh(z[1])
        h = math.tanh(c) * o
        wanted = {"i": i, "j": math.tanh(z[1]), "f": f, "o": o, "c": c, "h": h}
        for letter, number in wanted.items():
            found = graph.run(feeds, f"rnn/t{step}/basic_lstm_cell/{letter}")
            assert found.item() == pytest.approx(number, abs=1e-12), (step, letter)


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("linear", lambda x: x),
        ("sigmoid", sigmoid),
        ("softsign", lambda x: x / (1 + np.abs(x))),
        ("leaky_relu", lambda x: np.where(x < 0, np.float32(0.2) * x, x)),
        (ops.relu, lambda x: np.maximum(x, 0)),
        (lambda x: x * 2.0, lambda x: x * 2.0),
        (None, np.tanh),
    ],
)
def test_an_activation_is_a_name_or_a_function_of_a_tensor(activation: Any, function: Any) -> None:
    cell = BasicRNNCell(3, activation)
    output, _ = one_call(cell, X, [H])
    assert output == pytest.approx(function(np.hstack([X, H]) @ cell.kernel.value), abs=1e-12)


def test_the_joined_state_of_an_lstm_holds_c_before_h() -> None:
    joined, pair = BasicLSTMCell(3, state_is_tuple=False), BasicLSTMCell(3)
    assert (joined.state_size, joined.output_size) == (6, 3)
    assert pair.state_size == LSTMStateTuple(3, 3)
    kernel = RNG.normal(size=(7, 12))
    for cell in (joined, pair):
        cell.set_weights(kernel)
    output, state = one_call(joined, X, [np.hstack([C, H])])
    wanted_output, wanted_c, wanted_h = one_call(pair, X, [C, H])
    assert np.array_equal(output, wanted_output)
    assert np.array_equal(state, np.hstack([wanted_c, wanted_h]))


# -- stacks -----------------------------------------------------------------------------------------------------------


def test_a_stack_feeds_each_cell_the_output_of_the_one_below() -> None:
    first, second = BasicRNNCell(3), GRUCell(2)
    stack = MultiRNNCell([first, second])
    assert stack.state_size == (3, 2) and stack.output_size == 2
    below, above = RNG.normal(size=(2, 3)), RNG.normal(size=(2, 2))
    output, state_0, state_1 = one_call(stack, X, [below, above])
    low = np.tanh(np.hstack([X, below]) @ first.kernel.value)
    r, u = np.split(sigmoid(np.hstack([low, above]) @ second.gates_kernel.value + 1.0), 2, axis=1)
    c = np.tanh(np.hstack([low, r * above]) @ second.candidate_kernel.value)
    assert state_0 == pytest.approx(low, abs=1e-12)
    assert output == pytest.approx(u * above + (1 - u) * c, abs=1e-12)
    assert np.array_equal(output, state_1)


def test_a_stack_may_join_the_states_of_its_cells() -> None:
    stack = MultiRNNCell([BasicRNNCell(3), BasicLSTMCell(2, state_is_tuple=False)], state_is_tuple=False)
    assert stack.state_size == 7
    output, state = one_call(stack, X, [np.zeros((2, 7))])
    assert output.shape == (2, 2) and state.shape == (2, 7)
    refused(lambda: MultiRNNCell([BasicLSTMCell(3)], state_is_tuple=False), ValueError, "state_is_tuple=False")


# -- weights ----------------------------------------------------------------------------------------------------------


def test_weights_are_made_on_the_first_call_and_asking_before_says_so() -> None:
    cell = BasicLSTMCell(3)
    refused(lambda: cell.kernel, ValueError, "basic_lstm_cell", "'kernel'", "first called", "set_weights")
    assert cell.weights == {}
    static_rnn(cell, step_inputs())
    assert {name: item.value.shape for name, item in cell.weights.items()} == {"kernel": (7, 12), "bias": (12,)}
    assert not hasattr(cell, "gates_kernel")


def test_weights_given_before_the_first_call_fix_the_input_width() -> None:
    cell = BasicRNNCell(5)
    cell.set_weights(np.ones((8, 5)), np.arange(5))
    static_rnn(cell, step_inputs(2, 3))
    assert np.all(cell.kernel.value == 1.0) and cell.bias.value.tolist() == [0, 1, 2, 3, 4]
    late = BasicRNNCell(5)
    late.set_weights(np.ones((8, 5)))
    refused(lambda: static_rnn(late, step_inputs(2, 4)), ValueError, "4 features", "for 3")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_weights_have_the_dtype_of_the_inputs(dtype: str) -> None:
    cell = GRUCell(3)
    outputs, _ = static_rnn(cell, step_inputs(2, 4, dtype))
    assert {str(item.dtype) for item in cell.weights.values()} == {dtype}
    assert outputs[0].dtype == dtype


def test_a_cell_of_a_dtype_takes_only_inputs_of_it() -> None:
    cell = BasicRNNCell(3, dtype="float64")
    static_rnn(cell, step_inputs(2, 4, "float64"))
    refused(
        lambda: static_rnn(BasicRNNCell(3, dtype="float64"), step_inputs()), TypeError, "float64", "float32", "cast"
    )
    refused(lambda: BasicRNNCell(3, dtype="int32"), TypeError, "int32", "floating")


def test_swapping_cells_changes_one_line() -> None:
    letters = np.eye(4)[[[0, 1, 2, 2, 3], [1, 3, 2, 2, 2], [2, 2, 1, 1, 2]]]  # hello, eolll, lleel
    for cell in (BasicRNNCell(2), BasicLSTMCell(2), GRUCell(2)):
        for batch in (letters[:1, :1], letters[:1], letters):
            x = placeholder([None, batch.shape[1], 4], "x")
            outputs, _ = unroll.dynamic_rnn(type(cell)(2), x)
            assert Graph([x], outputs).run({x: batch}, outputs).shape == (*batch.shape[:2], 2)


# -- the user's own cells ---------------------------------------------------------------------------------------------


class Decay(unroll.RNNCell):
    """``h' = decay * h + x @ w``, made as the docstring of RNNCell says."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = units

    @property
    def state_size(self) -> int:
        return self.units

    @property
    def output_size(self) -> int:
        return self.units

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        w = self.add_weight("w", rows={"x": inputs.shape[-1]}, columns={"h": self.units})
        decay = self.add_weight("decay", [self.units], lambda shape, dtype, name, seed: np.full(shape, 0.5, dtype))
        h = decay * state + inputs @ w
        return h, h


def test_a_users_cell_has_weights_names_provenance_and_a_summary() -> None:
    inputs = step_inputs(3, 4)
    cell = Decay(2)
    outputs, state = static_rnn(cell, inputs)
    graph = Graph(inputs, [outputs, state])
    assert set(graph.parameters) == {"rnn/decay/w", "rnn/decay/decay"}
    xs = RNG.normal(size=(3, 2, 4)).astype("float32")
    h = np.zeros((2, 2))
    for x in xs:
        h = 0.5 * h + x @ cell.weights["w"].value
    assert graph.run(dict(zip(inputs, xs, strict=True)), state) == pytest.approx(h, abs=1e-5)
    assert {node.origin.cell for node in graph.nodes if node.op.name == "MatMul"} == {"rnn/decay"}
    assert "(4, 2) = [x 4] x [h 2]" in graph.summary()


def test_a_users_cell_reused_with_another_width_is_refused() -> None:
    cell = Decay(2, name="mine")
    static_rnn(cell, step_inputs(2, 4))
    refused(lambda: static_rnn(cell, step_inputs(2, 5)), ValueError, "rnn/mine/w", "(4, 2)", "(5, 2)", "second cell")


class Counter:
    """No subclass of anything: sizes and a call are enough. Its state is a dict and its output a pair."""

    state_size: ClassVar[dict[str, int]] = {"total": 3, "last": 3}
    output_size: ClassVar[tuple[int, int]] = (3, 1)

    def __call__(self, inputs: Any, state: Any) -> Any:
        total = state["total"] + inputs
        return (total, ops.reduce_sum(inputs - state["last"], 1, keepdims=True)), {"total": total, "last": inputs}


def test_an_object_that_merely_behaves_like_a_cell_is_one() -> None:
    assert isinstance(Counter(), unroll.cells.RNNCellLike)
    inputs = step_inputs(3, 3)
    outputs, state = static_rnn(Counter(), inputs)
    graph = Graph(inputs, {"outputs": outputs, "state": state})
    xs = np.arange(18.0).reshape(3, 2, 3)
    found = graph.run(dict(zip(inputs, xs, strict=True)))
    assert np.array_equal(found["state/total"], xs.sum(0)) and np.array_equal(found["state/last"], xs[-1])
    assert np.array_equal(found["outputs/2/0"], xs.sum(0))
    assert np.array_equal(found["outputs/2/1"], (xs[2] - xs[1]).sum(1, keepdims=True))


def test_a_stack_takes_users_cells() -> None:
    inputs = step_inputs(2, 4)
    graph = Graph(inputs, static_rnn(MultiRNNCell([Decay(3), BasicRNNCell(2)]), inputs))
    assert "rnn/multi_rnn_cell/cell_0/decay/w" in graph.parameters


def test_zero_states_have_the_structure_and_batch_asked_for() -> None:
    cell = MultiRNNCell([BasicLSTMCell(3), GRUCell(2)])
    state = cell.zero_state(4, "float64")
    assert [part.shape for part in unroll.nest.flatten(state)] == [(4, 3), (4, 3), (4, 2)]
    assert isinstance(state[0], LSTMStateTuple) and state[1].dtype == "float64"
    assert BasicRNNCell(3).zero_state(None).shape == (3,)
    x = placeholder([None, 4], "x")
    assert BasicRNNCell(3).zero_state(ops.shape(x)[0]).shape == (*x.shape[:1], 3)
    refused(lambda: cell.zero_state(-1), ValueError, "batch_size", "-1")
    refused(lambda: cell.zero_state(True), TypeError, "batch_size", "True")
    refused(lambda: cell.zero_state(x.shape[0]), TypeError, "symbolic", "unroll.ops.shape")  # type: ignore[arg-type]


def test_a_cell_reused_with_another_dtype_is_refused_as_a_matter_of_dtype() -> None:
    cell = BasicRNNCell(2)
    static_rnn(cell, [placeholder([None, 3], "x", "float32")])
    action = lambda: static_rnn(cell, [placeholder([None, 3], "y", "float64")], scope="b")  # noqa: E731
    refused(action, TypeError, "float32", "y (batch, 3) float64", "second cell")


class Leaky(unroll.RNNCell):
    """h' = (h + x @ kernel) / 2, as a user writes it: no dtype is said anywhere."""

    state_size = output_size = 2

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        h = (state + inputs @ self.add_weight("kernel", (inputs.shape[-1], 2))) * 0.5
        return h, h


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_of_a_users_cell_have_the_dtype_of_its_inputs(dtype: str) -> None:
    cell = Leaky()
    inputs = step_inputs(2, 3, dtype)
    outputs, _ = static_rnn(cell, inputs, dtype=dtype)
    graph = Graph(inputs, {"h": outputs[-1]})
    cell.weights["kernel"].assign([[1, 2], [3, 4], [5, 6]])
    found = graph.run({"X0": [[1, 0, 0]], "X1": [[0, 0, 1]]}, "h")
    assert found.dtype == dtype
    assert found.tolist() == [[2.75, 3.5]]  # ([1, 2] / 2 + [5, 6]) / 2


def test_a_dtype_given_to_a_users_cell_comes_before_that_of_its_inputs() -> None:
    refused(lambda: static_rnn(Leaky(dtype="float64"), step_inputs(2, 3)), TypeError, "float64", "cast")


def test_a_users_cell_over_indices_has_the_dtype_of_its_state() -> None:
    class Looked(Leaky):
        def check(self, inputs: Any, state: Any) -> None:
            pass

        def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
            h = state + ops.gather(self.add_weight("table", (7, 2)), inputs)
            return h, h

    cell = Looked()
    at, h = placeholder([None], "at", "int64"), placeholder([None, 2], "h", "float64")
    cell(at, h)
    assert cell.weights["table"].dtype == "float64"
