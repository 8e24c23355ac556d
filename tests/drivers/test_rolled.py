"""What ``dynamic_rnn(..., rolled=True)`` promises: the numbers of the unrolled loop, traced and written as one loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import refused

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, LSTMCell, MultiRNNCell, nest, ops
from unroll.passes.rerolling.native_scans import native_scans

STEPS, FEATURES, ROWS = 7, 3, 2

CELLS: dict[str, Callable[[], Any]] = {
    "rnn": lambda: BasicRNNCell(4),
    "basic_lstm": lambda: BasicLSTMCell(4),
    "joined_lstm": lambda: BasicLSTMCell(4, state_is_tuple=False),
    "gru": lambda: GRUCell(4),
    "peepholes": lambda: LSTMCell(4, use_peepholes=True),
    "projection": lambda: LSTMCell(4, use_peepholes=True, num_proj=2, cell_clip=0.5),
    "stack": lambda: MultiRNNCell([BasicLSTMCell(4), GRUCell(3)]),
}
#: The recurrent operators of those that have native ones.
NATIVE = {
    "rnn": ["RNN"],
    "basic_lstm": ["LSTM"],
    "gru": ["GRU"],
    "peepholes": ["LSTM"],
    "stack": ["LSTM", "GRU"],
}


def traced(
    cell: Any, rolled: bool, *, steps: int = STEPS, lengths: bool = False, start: bool = False, time_major: bool = False
) -> Graph:
    """A sequence through a cell; its weights depend on the names of the Parameters alone."""
    shape = [steps, None, FEATURES] if time_major else [None, steps, FEATURES]
    x = unroll.placeholder(["batch" if dim is None else dim for dim in shape], "x")
    inputs = [x]
    count = state = None
    if lengths:
        count = unroll.placeholder([None], "count", "int32")
        inputs.append(count)
    if start:
        parts = [
            unroll.placeholder([None, size], f"start{place}")
            for place, size in enumerate(nest.flatten(cell.state_size))
        ]
        inputs += parts
        state = nest.pack(cell.state_size, parts)
    with unroll.scope("model", seed=5):
        outputs, last = unroll.dynamic_rnn(cell, x, count, state, time_major=time_major, rolled=rolled)
    return Graph(inputs, {"y": outputs, "last": last})


def fed(graph: Graph, lengths: tuple[int, ...] = (STEPS, 3)) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    feeds: dict[str, Any] = {}
    for spec in graph.input_specs:
        shape = [size if isinstance(size, int) else ROWS for size in spec.shape]
        feeds[spec.name] = rng.standard_normal(shape).astype("float32")
    if "count" in feeds:
        feeds["count"] = np.array(lengths, "int32")
    return feeds


def check_equal(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5, err_msg=name)


def recurrent(model: onnx.ModelProto) -> list[str]:
    """The operators of a model that hold a loop, in order."""
    return [node.op_type for node in model.graph.node if node.op_type in ("RNN", "GRU", "LSTM", "Scan")]


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize(("lengths", "start"), [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("kind", CELLS)
def test_the_rolled_loop_computes_what_the_unrolled_one_does(
    kind: str, lengths: bool, start: bool, time_major: bool
) -> None:
    options = {"lengths": lengths, "start": start, "time_major": time_major}
    flat, rolled = (traced(CELLS[kind](), way, **options) for way in (False, True))
    assert list(rolled.parameters) == list(flat.parameters)
    assert [rolled.shape(tensor) for tensor in rolled.outputs] == [flat.shape(tensor) for tensor in flat.outputs]
    feeds = fed(flat)
    wanted = flat.run(feeds)
    check_equal(rolled.run(feeds), wanted)
    for form in (None, "scan", "rerolled"):
        model = unroll.to_onnx(rolled, form=form)
        onnx.checker.check_model(model, full_check=True)
        check_equal(unroll.Session(model).run(feeds), wanted)
        operators = recurrent(unroll.to_onnx(flat, form="rerolled")) if form == "rerolled" else ["Scan"]
        assert recurrent(model) == operators
        assert form != "rerolled" or operators == NATIVE.get(kind, operators)


@pytest.mark.parametrize("kind", NATIVE)
def test_a_row_of_length_zero_keeps_its_first_state(kind: str) -> None:
    flat, rolled = (traced(CELLS[kind](), way, lengths=True, start=True) for way in (False, True))
    feeds = fed(flat, (0, STEPS))
    check_equal(unroll.Session(rolled, form="rerolled").run(feeds), flat.run(feeds))


@pytest.mark.parametrize("form", ["scan", "rerolled"])
def test_a_length_beyond_the_steps_is_refused_when_it_is_fed(form: str) -> None:
    rolled = traced(BasicLSTMCell(4), True, lengths=True)
    session = unroll.Session(rolled, form=form)
    for runner in (rolled, session):
        refused(lambda runner=runner: runner.run(fed(rolled, (STEPS + 1, 2))), ValueError, "count", str(STEPS))


def test_lengths_in_a_list_are_checked_when_traced() -> None:
    x = unroll.placeholder([2, STEPS, FEATURES], "x")
    flat, rolled = (
        Graph([x], unroll.dynamic_rnn(BasicRNNCell(4), x, [STEPS, 2], rolled=way, scope="a")[0])
        for way in (False, True)
    )
    rolled.assign({name: item.value for name, item in flat.parameters.items()})
    wanted = list(flat.run(fed(flat)).values())
    for found in (rolled.run(fed(rolled)), unroll.Session(rolled, form="rerolled").run(fed(rolled))):
        np.testing.assert_allclose(next(iter(found.values())), wanted[0], rtol=1e-5, atol=1e-6)
    refused(lambda: unroll.dynamic_rnn(BasicRNNCell(4), x, [STEPS + 1, 2], rolled=True), ValueError, "outside 0 to 7")


def test_a_session_refreshed_after_an_assignment_runs_with_the_new_weights() -> None:
    rolled = traced(GRUCell(4), True)
    feeds = fed(rolled)
    session = unroll.Session(rolled, form="rerolled")
    before = session.run(feeds)
    rolled.assign({name: item.value + 0.5 for name, item in rolled.parameters.items()})
    session.refresh()
    after = session.run(feeds)
    check_equal(after, rolled.run(feeds))
    assert not np.allclose(after["y"], before["y"], atol=1e-3)


@pytest.mark.parametrize(("rows", "features", "units"), [(3, 3, 5), (5, 5, 3), (3, 5, 5), (5, 3, 3)])
@pytest.mark.parametrize("steps", [3, 5, 9])
def test_sizes_are_not_taken_for_numbers_of_steps(steps: int, rows: int, features: int, units: int) -> None:
    graphs = []
    for way in (False, True):
        x, count = unroll.placeholder([rows, steps, features], "x"), unroll.placeholder([rows], "count", "int64")
        with unroll.scope("model", seed=5):
            outputs, last = unroll.dynamic_rnn(BasicLSTMCell(units), x, count, rolled=way)
        graphs.append(Graph([x, count], {"y": outputs, "last": last}))
    flat, rolled = graphs
    rng = np.random.default_rng(2)
    feeds = {"x": rng.standard_normal((rows, steps, features)).astype("float32"), "count": np.arange(rows) % steps + 1}
    model = unroll.to_onnx(rolled, form="rerolled")
    assert recurrent(model) == ["LSTM"]
    check_equal(unroll.Session(model).run(feeds), flat.run(feeds))


def test_layers_on_top_of_a_rolled_loop_are_computed_with_it() -> None:
    graphs = []
    for way in (False, True):
        x = unroll.placeholder([None, STEPS, FEATURES], "x")
        with unroll.scope("model", seed=5):
            first, _ = unroll.dynamic_rnn(BasicLSTMCell(4), x, rolled=way, scope="first")
            second, _ = unroll.dynamic_rnn(GRUCell(3), ops.tanh(first), rolled=way, scope="second")
        graphs.append(Graph([x], {"y": second[:, -1]}))
    flat, rolled = graphs
    model = unroll.to_onnx(rolled, form="rerolled")
    assert recurrent(model) == ["LSTM", "GRU"]
    check_equal(unroll.Session(model).run(fed(flat)), flat.run(fed(flat)))


@pytest.mark.slow
def test_numpy_runs_two_thousand_steps() -> None:
    rolled = traced(BasicLSTMCell(4), True, steps=2000)
    feeds = fed(rolled)
    check_equal(unroll.Session(rolled, form="rerolled").run(feeds), rolled.run(feeds))


@pytest.mark.slow
@pytest.mark.parametrize(("form", "operator"), [("scan", "Scan"), ("rerolled", "LSTM"), ("auto", "LSTM")])
def test_a_hundred_thousand_steps_are_a_handful_of_nodes(form: str, operator: str) -> None:
    rolled = traced(BasicLSTMCell(4), True, steps=100_000)
    assert len(rolled.nodes) < 20
    model = unroll.to_onnx(rolled, form=form)
    assert recurrent(model) == [operator]
    assert len(model.graph.node) < 20
    assert unroll.Session(model).run(fed(rolled))["y"].shape == (ROWS, 100_000, 4)


def test_one_step_is_a_loop_as_well() -> None:
    flat, rolled = (traced(BasicLSTMCell(4), way, steps=1) for way in (False, True))
    check_equal(unroll.Session(rolled, form="rerolled").run(fed(flat)), flat.run(fed(flat)))


def test_a_nest_of_inputs_and_outputs_is_looped_over_part_by_part() -> None:
    class Pair:
        state_size, output_size = 2, {"sum": 2, "state": 2}

        def __call__(self, inputs: Any, state: Any) -> tuple[Any, Any]:
            total = inputs["a"] + inputs["b"]
            return {"sum": total, "state": state}, state + total

    a, b = (unroll.placeholder([None, 4, 2], name) for name in "ab")
    results = [unroll.dynamic_rnn(Pair(), {"a": a, "b": b}, rolled=way) for way in (False, True)]
    flat, rolled = (Graph([a, b], {"y": outputs, "last": last}) for outputs, last in results)
    feeds = {name: np.arange(16, dtype="float32").reshape(2, 4, 2) for name in "ab"}
    wanted = np.cumsum(2 * feeds["a"], axis=1)
    assert flat.output_names == rolled.output_names
    for found in (rolled.run(feeds), unroll.Session(rolled, form="scan").run(feeds)):
        check_equal(found, flat.run(feeds))
        np.testing.assert_array_equal(found["last"], wanted[:, -1])


def test_a_loop_without_a_native_operator_stays_as_it_is() -> None:
    rolled = traced(CELLS["projection"](), True)
    assert native_scans(rolled) is rolled
    flat = traced(CELLS["projection"](), False)
    assert native_scans(flat) is flat


def test_a_step_that_is_almost_that_of_an_rnn_stays_a_loop() -> None:
    class Tripled:
        state_size = output_size = FEATURES

        def __init__(self) -> None:
            self.weight = unroll.Parameter(np.eye(2 * FEATURES, FEATURES), "weight", "float32")

        def __call__(self, inputs: Any, state: Any) -> tuple[Any, Any]:
            new = ops.tanh(ops.concat([inputs, state], axis=-1) @ self.weight) * 3
            return new, new

    x = unroll.placeholder([None, 3, FEATURES], "x")
    rolled = Graph([x], {"y": unroll.dynamic_rnn(Tripled(), x, rolled=True)[0]})
    model = unroll.to_onnx(rolled, form="rerolled")
    assert recurrent(model) == ["Scan"]
    feeds = {"x": np.ones((ROWS, 3, FEATURES), "float32")}
    check_equal(unroll.Session(model).run(feeds), rolled.run(feeds))


def test_a_loop_may_read_what_stands_outside_and_computes_it_once() -> None:
    context = unroll.placeholder([None, 4], "context")

    class Reading:
        state_size = output_size = 4

        def __init__(self) -> None:
            self.weight = unroll.Parameter(np.eye(4) / 2, "weight", "float32")

        def __call__(self, inputs: Any, state: Any) -> tuple[Any, Any]:
            new = ops.tanh(state + ops.sigmoid(context @ self.weight))
            return new, new

    x = unroll.placeholder([None, STEPS, FEATURES], "x")
    cell = Reading()
    graphs = [Graph([x, context], {"y": unroll.dynamic_rnn(cell, x, rolled=way)[0]}) for way in (False, True)]
    (loop,) = [node for node in graphs[1].nodes if node.op.name == "Scan"]
    assert [node.op.name for node in loop.op.body.nodes] == ["Add", "Tanh"]  # type: ignore[attr-defined]
    feeds = fed(graphs[0])
    check_equal(graphs[1].run(feeds), graphs[0].run(feeds))
    check_equal(unroll.Session(graphs[1]).run(feeds), graphs[0].run(feeds))


def test_rolled_refuses_what_the_unrolled_driver_refuses() -> None:
    steps = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(2)]
    refused(lambda: unroll.dynamic_rnn(BasicRNNCell(4), steps, rolled=True), ValueError, "static_rnn")
    x = unroll.placeholder([None, STEPS, FEATURES], "x")
    wrong = unroll.placeholder([None, 5], "h")
    refused(
        lambda: unroll.dynamic_rnn(BasicRNNCell(4), x, initial_state=wrong, rolled=True), ValueError, "initial_state"
    )
    rolled = traced(BasicRNNCell(4), True)
    refused(lambda: unroll.to_onnx(rolled, form="scan", steps_per_iteration=2), NotImplementedError, "'scan'")
