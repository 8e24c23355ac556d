"""What static_rnn and dynamic_rnn promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import Array, refused, step_inputs

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, LSTMStateTuple, ops, placeholder, static_rnn

RNG = np.random.default_rng(21)
CELLS = (BasicRNNCell, BasicLSTMCell, GRUCell)


def run(graph: Graph, *arrays: Array) -> list[Array]:
    return graph.run(dict(zip(graph.inputs, arrays, strict=True)), graph.outputs)


def test_static_rnn_returns_a_list_of_outputs_and_the_last_state() -> None:
    inputs = step_inputs(4)
    outputs, state = static_rnn(BasicRNNCell(3), inputs)
    assert isinstance(outputs, list) and len(outputs) == 4
    assert state is outputs[-1]
    assert all(str(output.shape) == "(batch, 3)" for output in outputs)
    outputs, pair = static_rnn(BasicLSTMCell(3), inputs)
    assert isinstance(pair, LSTMStateTuple) and pair.h is outputs[-1]


def test_a_network_written_by_hand_with_separate_matrices_agrees() -> None:
    x0, x1 = step_inputs(2, 3)
    wx, wh = unroll.Parameter(np.ones((3, 5)), "Wx", "float32"), unroll.Parameter(np.ones((5, 5)), "Wh", "float32")
    b = unroll.Parameter(np.zeros(5), "b", "float32")
    y0 = ops.tanh(x0 @ wx + b)
    y1 = ops.tanh(x1 @ wx + y0 @ wh + b)
    cell = BasicRNNCell(5)
    outputs, _ = static_rnn(cell, [x0, x1])
    cell.kernel.assign(np.ones((8, 5)))
    x = np.array([[0.0, 0.1, 0.2]])
    by_hand, by_cell = run(Graph([x0, x1], [y0, y1]), x, x), run(Graph([x0, x1], outputs), x, x)
    for one, other, number in zip(by_hand, by_cell, (0.2913126, 0.94211787), strict=True):
        assert one == pytest.approx(np.full((1, 5), number), abs=1e-6)
        assert other == pytest.approx(one, abs=1e-6)


def test_unbatched_steps_give_what_a_numpy_loop_gives() -> None:
    wx, wh, b = RNG.normal(size=(8, 4)), RNG.normal(size=(8, 8)), RNG.normal(size=8)
    xs = RNG.normal(size=(10, 4))
    x = placeholder([10, 4], "x", "float64")
    cell = BasicRNNCell(8)
    cell.set_weights(input=wx, recurrent=wh, bias=b, layout="out_in")
    outputs, state = static_rnn(cell, ops.unstack(x))
    (stacked, last) = run(Graph([x], [ops.stack(outputs), state]), xs)
    h, wanted = np.zeros(8), []
    for row in xs:
        h = np.tanh(wx @ row + wh @ h + b)
        wanted.append(h)
    assert stacked.shape == (10, 8) and last.shape == (8,)
    assert stacked == pytest.approx(np.array(wanted), abs=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_unbatched_steps_give_the_rows_of_batched_ones(cell: Any) -> None:
    made = cell(3)
    plain = [placeholder([4], f"v{step}") for step in range(3)]
    single = Graph(plain, static_rnn(made, plain)[0])
    batched_inputs = step_inputs(3)
    batched = Graph(batched_inputs, static_rnn(made, batched_inputs)[0])
    xs = RNG.normal(size=(3, 4)).astype("float32")
    for one, many in zip(run(single, *xs), run(batched, *xs[:, None]), strict=True):
        assert one == pytest.approx(many[0], abs=1e-6)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("time_major", [False, True])
def test_dynamic_rnn_gives_what_static_rnn_gives(cell: Any, time_major: bool) -> None:
    made = cell(3)
    inputs = step_inputs(5)
    outputs, state = static_rnn(made, inputs)
    x = placeholder([5, "batch", 4] if time_major else [None, 5, 4], "x")
    whole, last = unroll.dynamic_rnn(made, x, time_major=time_major)
    xs = RNG.normal(size=(5, 2, 4))
    wanted = run(Graph(inputs, [ops.stack(outputs, 0 if time_major else 1), state]), *xs)
    seen = run(Graph([x], [whole, last]), xs if time_major else xs.transpose(1, 0, 2))
    assert len(seen) == len(wanted)
    for one, other in zip(seen, wanted, strict=True):
        assert one.shape == other.shape
        assert one == pytest.approx(other, abs=1e-7)


def test_dynamic_rnn_takes_tensorflows_arguments_in_tensorflows_order() -> None:
    x, h = placeholder([None, 2, 4], "x"), placeholder([None, 3], "h")
    by_place, _ = unroll.dynamic_rnn(BasicRNNCell(3), x, None, h, "float32", 32, True, False, "a")
    by_name, _ = unroll.dynamic_rnn(BasicRNNCell(3), x, initial_state=h, scope="a")
    arrays = RNG.normal(size=(2, 2, 4)), RNG.normal(size=(2, 3))
    one, other = run(Graph([x, h], by_place), *arrays), run(Graph([x, h], by_name), *arrays)
    assert np.array_equal(one[0], other[0])
    assert next(iter(Graph([x, h], by_place).parameters)) == "a/basic_rnn_cell/kernel"


def test_static_rnn_takes_tensorflows_arguments_in_tensorflows_order() -> None:
    inputs, h = step_inputs(2), placeholder([None, 3], "h")
    outputs, _ = static_rnn(BasicRNNCell(3), inputs, h, "float32", None, "a")
    assert next(iter(Graph([*inputs, h], outputs).parameters)) == "a/basic_rnn_cell/kernel"


def test_the_initial_state_is_what_step_0_starts_from() -> None:
    inputs = step_inputs(2)
    given = LSTMStateTuple(placeholder([None, 3], "c"), placeholder([None, 3], "h"))
    cell = BasicLSTMCell(3)
    whole = Graph([*inputs, *given], static_rnn(cell, inputs, initial_state=given))
    zero = Graph(inputs, static_rnn(cell, inputs))
    xs, state = RNG.normal(size=(2, 2, 4)), RNG.normal(size=(2, 2, 3))
    assert not np.allclose(run(whole, *xs, *state)[0], run(zero, *xs)[0])
    for one, other in zip(run(whole, *xs, *np.zeros((2, 2, 3))), run(zero, *xs), strict=True):
        assert one == pytest.approx(other, abs=1e-7)


def test_a_sequence_cut_in_two_goes_on_from_the_state_of_its_first_half() -> None:
    inputs = step_inputs(6)
    cell = GRUCell(3)
    _, whole = static_rnn(cell, inputs)
    _, middle = static_rnn(cell, inputs[:3])
    _, end = static_rnn(cell, inputs[3:], initial_state=middle)
    one, other = run(Graph(inputs, [whole, end]), *RNG.normal(size=(6, 2, 4)))
    assert np.array_equal(one, other)


class Pair:
    """A cell whose input is a nest: a dict of two tensors."""

    state_size = output_size = 3

    def __call__(self, inputs: Any, state: Any) -> Any:
        h = ops.tanh(inputs["a"] + 2.0 * inputs["b"] + state)
        return h, h


def test_a_step_may_be_any_nest_that_the_cell_takes() -> None:
    a, b = (placeholder([None, 4, 3], name) for name in "ab")
    pieces = [dict(zip("ab", pair, strict=True)) for pair in zip(ops.unstack(a, 1), ops.unstack(b, 1), strict=True)]
    outputs, _ = static_rnn(Pair(), pieces)
    whole, _ = unroll.dynamic_rnn(Pair(), {"a": a, "b": b})
    xs, ys = RNG.normal(size=(2, 2, 4, 3))
    h = np.zeros((2, 3))
    seen = run(Graph([a, b], [*outputs, whole]), xs, ys)
    for step in range(4):
        h = np.tanh(xs[:, step] + 2 * ys[:, step] + h)
        assert seen[step] == pytest.approx(h, abs=1e-5)
        assert seen[-1][:, step] == pytest.approx(h, abs=1e-5)


def test_nests_that_differ_from_step_to_step_are_refused() -> None:
    x = placeholder([None, 3], "x")
    action = lambda: static_rnn(Pair(), [{"a": x, "b": x}, {"a": x}])  # noqa: E731
    refused(action, ValueError, "step 1", "{a=(batch, 3), b=(batch, 3)}", "{a=(batch, 3)}")
    far = placeholder([5, 3], "far")
    refused(lambda: static_rnn(Pair(), [{"a": placeholder([2, 3], "near"), "b": far}]), ValueError, "batch sizes")
    times = {"a": placeholder([None, 4, 3], "a"), "b": placeholder([None, 5, 3], "b")}
    refused(lambda: unroll.dynamic_rnn(Pair(), times), ValueError, "time", "(batch, 4, 3)", "(batch, 5, 3)")


def test_dynamic_rnn_stacks_each_part_of_a_nested_output() -> None:
    class Two(Pair):
        output_size = (3, 3)  # type: ignore[assignment]

        def __call__(self, inputs: Any, state: Any) -> Any:
            h, _ = super().__call__({"a": inputs, "b": inputs}, state)
            return (h, h * 2.0), h

    x = placeholder([None, 4, 3], "x")
    outputs, _ = unroll.dynamic_rnn(Two(), x)
    assert isinstance(outputs, tuple)
    one, double = run(Graph([x], outputs), RNG.normal(size=(2, 4, 3)))
    assert one.shape == (2, 4, 3)
    assert np.array_equal(double, one * 2)


def test_a_fixed_batch_size_needs_no_shape_at_run_time() -> None:
    inputs = [placeholder([2, 4], f"X{step}") for step in range(2)]
    graph = Graph(inputs, static_rnn(BasicLSTMCell(3), inputs))
    assert not [node for node in graph.nodes if node.op.name == "Shape"]
    assert graph.outputs[0].shape == (2, 3)


def test_the_zero_state_is_traced_at_step_0_and_is_zero() -> None:
    inputs = step_inputs(2)
    graph = Graph(inputs, static_rnn(GRUCell(3), inputs))
    zeros = [node for node in graph.nodes if node.op.name == "ConstantOfShape"]
    assert len(zeros) == 1 and zeros[0].origin.step == 0
    found = graph.run({"X0": np.ones((5, 4)), "X1": np.ones((5, 4))}, zeros[0].outputs[0])
    assert found.tolist() == [[0.0] * 3] * 5


def test_steps_share_one_kernel_however_many_there_are() -> None:
    inputs = step_inputs(28)
    graph = Graph(inputs, static_rnn(BasicLSTMCell(3), inputs))
    assert list(graph.parameters) == ["rnn/basic_lstm_cell/kernel", "rnn/basic_lstm_cell/bias"]
    products = [node for node in graph.nodes if node.op.name == "MatMul"]
    assert len(products) == 28
    assert {node.inputs[1] for node in products} == {graph.parameters["rnn/basic_lstm_cell/kernel"]}


def test_tracing_leaves_no_scope_behind_even_when_it_fails() -> None:
    refused(lambda: static_rnn(BasicRNNCell(3), [placeholder([None, None], "x")]), ValueError)
    assert unroll.Parameter([1.0], "w").name == "w"
    x = placeholder([2], "y")
    assert Graph([x], x + 1.0).output_names == ("Add",)


def test_a_loop_by_hand_says_its_steps_and_is_what_static_rnn_makes() -> None:
    inputs, cell = step_inputs(3), BasicLSTMCell(3)
    outputs, state = [], cell.zero_state(2)
    with unroll.scope("rnn"):
        for number, x in enumerate(placeholder([2, 4], f"X{t}") for t in range(3)):
            with unroll.step(number):
                y, state = cell(x, state)
            outputs.append(y)
    by_hand = {(o.scope, o.step, o.cell) for y in outputs for o in y.node.provenance}  # type: ignore[union-attr]
    assert by_hand == {(f"rnn/t{t}/basic_lstm_cell", t, "rnn/basic_lstm_cell") for t in range(3)}
    driven, _ = static_rnn(BasicLSTMCell(3), inputs)
    assert by_hand == {(o.scope, o.step, o.cell) for y in driven for o in y.node.provenance}
    refused(lambda: unroll.step(-1), ValueError, "step", "at least 0")
    for wrong in (True, 1.0, "1"):
        refused(lambda wrong=wrong: unroll.step(wrong), TypeError, "step", "int")  # type: ignore[misc]


@pytest.mark.parametrize("kind", [tuple, list])
def test_a_plain_tuple_or_list_stands_for_the_state_as_in_tensorflows_programs(kind: Any) -> None:
    x, cell = placeholder([2, 4], "x"), BasicLSTMCell(3)
    c, h = placeholder([2, 3], "c"), placeholder([2, 3], "h")
    _, state = cell(x, kind([c, h]))
    assert isinstance(state, LSTMStateTuple)
    _, driven = static_rnn(cell, [x], initial_state=kind([c, h]))
    graph = Graph([x, c, h], [*state, *driven])
    found = graph.run(
        {name: RNG.normal(size=item.shape) for name, item in (("x", x), ("c", c), ("h", h))}, graph.outputs
    )
    assert np.array_equal(found[0], found[2]) and np.array_equal(found[1], found[3])
    stack = unroll.MultiRNNCell([BasicLSTMCell(3), GRUCell(3)])
    _, both = stack(x, kind([kind([c, h]), h]))
    assert isinstance(both[0], LSTMStateTuple)


@pytest.mark.parametrize("cut", [lambda x: x[:1], lambda x: x[0], lambda x: ops.unsqueeze(x, [0])])
def test_an_output_of_another_batch_is_refused_and_not_broadcast(cut: Any) -> None:
    class Cutting(unroll.RNNCell):
        state_size = output_size = 3  # type: ignore[assignment]

        def call(self, inputs: Any, state: Any) -> Any:
            return cut(inputs), state

    x = placeholder([None, 2, 3], "x")
    refused(lambda: unroll.dynamic_rnn(Cutting(), x), ValueError, "the output", "(batch, 3)")


def test_nests_are_flattened_in_sorted_key_order_and_packed_as_they_were() -> None:
    nested = {"b": [1, (2, 3)], "a": LSTMStateTuple(4, 5)}
    assert unroll.nest.flatten(nested) == [4, 5, 1, 2, 3]
    packed = unroll.nest.pack(nested, [10, 20, 30, 40, 50])
    assert packed == {"b": [30, (40, 50)], "a": LSTMStateTuple(10, 20)}
    assert list(packed) == ["b", "a"] and isinstance(packed["a"], LSTMStateTuple)
    refused(lambda: unroll.nest.pack(nested, [1, 2]), ValueError, "5", "2")
