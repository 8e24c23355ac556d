"""Re-rolling where sizes are told apart by name alone: a batch of two names, one length for all rows, several unknown sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import ops
from unroll.ops.scan import scan
from unroll.passes.rerolling.native_scans import native_scans
from unroll.passes.rerolling.planner import reroll

UNITS, BATCH = 3, 2
RNG = np.random.default_rng(0)


def weight(name: str, *shape: int) -> unroll.Parameter:
    return unroll.Parameter(RNG.uniform(-0.8, 0.8, shape).astype("float32"), name)


def zeros(like: Any) -> Any:
    return ops.constant_of_shape(ops.concat([ops.shape(like)[:1], [UNITS]], 0), 0.0)


def check_held(
    graph: unroll.Graph, feeds: dict[str, Any], wanted: dict[str, Any], form: str = "scan"
) -> unroll.passes.Rerolled:
    """Hold what comes of a graph against numbers computed beside it, by NumPy and by onnxruntime."""
    found, report = reroll(graph, native=form != "scan")
    for outputs in (found.run(feeds), unroll.Session(found).run(feeds)):
        for name, array in wanted.items():
            np.testing.assert_allclose(outputs[name], array, rtol=1e-5, atol=1e-5, err_msg=str(report))
    return report


def lower_layer(steps: int, name: str, same: bool) -> tuple[list[Any], Any, list[Any], Callable[..., list[Any]]]:
    """A layer from a state that is fed, whose batch has another name than the input's; and its numbers by hand."""
    x, h0 = unroll.placeholder([steps, None, UNITS], "x"), unroll.placeholder([None, UNITS], "h0")
    w = weight(f"{name}/w", UNITS, UNITS)
    r = w if same else weight(f"{name}/r", UNITS, UNITS)
    h: Any = h0
    found = []
    for v in ops.unstack(x, 0):
        h = ops.tanh(v @ w + h @ r)
        found.append(h)

    def by_hand(x: Any, h0: Any) -> list[Any]:
        h, made = h0, []
        for v in x:
            h = np.tanh(v @ w.value + h @ r.value)
            made.append(h)
        return made

    return [x, h0], found[0], found, by_hand


def feeds(steps: int) -> dict[str, Any]:
    return {
        "x": RNG.uniform(-1, 1, (steps, BATCH, UNITS)).astype("float32"),
        "h0": RNG.uniform(-1, 1, (BATCH, UNITS)).astype("float32"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("steps", [3, 4, 6])
@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("prepared", ["traced", "optimised", "written and read"])
def test_a_residual_cell_from_zeros_starts_from_zeros_whatever_the_batch_is_called(
    steps: int, same: bool, prepared: str
) -> None:
    inputs, like, below, by_hand = lower_layer(steps, "lower", same)
    wx, wh, b = weight("wx", UNITS, UNITS), weight("wh", UNITS, UNITS), weight("b", UNITS)
    h, made = zeros(like), []
    for v in below:
        h = h + ops.tanh(v @ wx + h @ wh + b) * 0.3
        made.append(h)
    graph = unroll.Graph(inputs, {"h": ops.stack(made, 0)})
    if prepared == "optimised":
        graph = unroll.optimize(graph)
    elif prepared == "written and read":
        graph = unroll.from_onnx(unroll.to_onnx(graph))
    fed = feeds(steps)
    state, wanted = np.zeros((BATCH, UNITS)), []
    for v in by_hand(**fed):
        state = state + np.tanh(v @ wx.value + state @ wh.value + b.value) * 0.3
        wanted.append(state)
    for form in ("rerolled", "scan"):
        assert check_held(graph, fed, {"h": np.stack(wanted)}, form)


def test_a_state_that_is_fed_back_from_step_1_on_is_zero_at_step_0() -> None:
    inputs, like, below, by_hand = lower_layer(4, "lower", same=True)
    wx, wh, wf = (weight(name, UNITS, UNITS) for name in ("wx", "wh", "wf"))
    b, b2 = weight("b", UNITS), weight("b2", UNITS)
    h, made = zeros(like), []
    for step, v in enumerate(below):
        read = v + h @ wf if step else v
        h = ops.tanh((h @ wh + b2) + (read @ wx + b))
        made.append(h)
    fed = feeds(4)
    state, wanted = np.zeros((BATCH, UNITS)), []
    for v in by_hand(**fed):
        state = np.tanh((state @ wh.value + b2.value) + ((v + state @ wf.value) @ wx.value + b.value))
        wanted.append(state)
    for form in ("rerolled", "scan"):
        assert check_held(unroll.Graph(inputs, {"h": ops.stack(made, 0)}), fed, {"h": np.stack(wanted)}, form)


def masked_steps(lengths: Any, counted: Callable[[int], Any]) -> tuple[unroll.Graph, Callable[..., Any]]:
    """``h`` is kept back where the number of a step is not below the lengths."""
    x = unroll.placeholder([4, "batch", UNITS], "x")
    w, r = weight("w", UNITS, UNITS), weight("r", UNITS, UNITS)
    h = ops.constant_of_shape(ops.concat([ops.shape(x)[1:2], [UNITS]], 0), 0.0)
    for step, v in enumerate(ops.unstack(x, 0)):
        h = ops.where(ops.unsqueeze(ops.less(counted(step), lengths), [1]), ops.tanh(v @ w + h @ r), h)

    def by_hand(x: Any, counts: Sequence[float]) -> Any:
        state = np.zeros((x.shape[1], UNITS))
        for step, v in enumerate(x):
            new = np.tanh(v @ w.value + state @ r.value)
            state = np.where(np.less(step, np.asarray(counts))[:, None], new, state)
        return state

    return unroll.Graph([x, lengths], {"h": h}), by_hand


@pytest.mark.parametrize("length", [0, 2, 4, 9])
def test_one_length_for_all_rows_holds_for_all_rows(length: int) -> None:
    lengths = unroll.placeholder([1], "lengths", "int32")
    graph, by_hand = masked_steps(lengths, lambda step: unroll.constant(step, dtype="int32"))
    fed = {"x": RNG.uniform(-1, 1, (4, 3, UNITS)).astype("float32"), "lengths": np.array([length], "int32")}
    report = check_held(graph, fed, {"h": by_hand(fed["x"], [length])}, "rerolled")
    assert report.operators == ["RNN"]
    rolled = unroll.Session(graph, form="rerolled").run(fed)["h"]
    np.testing.assert_allclose(rolled, by_hand(fed["x"], [length]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lengths_that_are_no_integers_count_as_the_graph_counts_them(dtype: str) -> None:
    lengths = unroll.placeholder(["batch"], "lengths", dtype)
    graph, by_hand = masked_steps(lengths, lambda step: unroll.constant(step + 0.25, dtype=dtype))
    counts = [0.0, 1.25, 2.5]
    fed = {"x": RNG.uniform(-1, 1, (4, 3, UNITS)).astype("float32"), "lengths": np.array(counts, dtype)}
    report = check_held(graph, fed, {"h": by_hand(fed["x"], np.array(counts) - 0.25)}, "rerolled")
    assert report.operators == ["Scan"] and dtype in str(report)


# -- what broadcasting does to a step ---------------------------------------------------------------------------------


def run_by_hand(step: Callable[..., Any], x: Any, h: Any) -> Any:
    made = []
    for v in x:
        h = step(np, v, h)
        made.append(h)
    return np.stack(made)


def prepared(graph: unroll.Graph) -> list[unroll.Graph]:
    return [graph, unroll.optimize(graph)]


W13, W31, W33, U33 = weight("w13", 1, 3), weight("w31", 3, 1), weight("w33", 3, 3), weight("u33", 3, 3)
B1 = weight("b1", 1)


def of(weight: unroll.Parameter, module: Any) -> Any:
    return weight.value if module is np else weight


SPREAD: dict[str, tuple[Callable[[Any, Any, Any], Any], int, int]] = {
    "a state of one column": (lambda m, v, h: m.tanh((h + v) @ of(W31, m) + of(B1, m)), 3, 1),
    "a state of one column beside a product": (
        lambda m, v, h: m.tanh(v @ of(W33, m) + h @ of(W13, m) + h) @ of(W31, m),
        3,
        1,
    ),
    "an input of one column": (lambda m, v, h: m.tanh((h + v) @ of(W33, m)), 1, 3),
    "a gate of one column": (
        lambda m, v, h: m.tanh(v @ of(W31, m)) * h + m.tanh(v @ of(W33, m) + h @ of(U33, m)),
        3,
        3,
    ),
}


@pytest.mark.parametrize("name", SPREAD)
def test_a_column_that_is_spread_over_others_is_no_part_of_a_native_operator(name: str) -> None:
    step, features, units = SPREAD[name]
    x, h0 = unroll.placeholder([4, "batch", features], "x"), unroll.placeholder(["batch", units], "h0")
    h, made = h0, []
    for v in ops.unstack(x, 0):
        h = step(ops, v, h)
        made.append(h)
    fed = {"x": RNG.uniform(-1, 1, (4, 2, features)).astype("f"), "h0": RNG.uniform(-1, 1, (2, units)).astype("f")}
    for graph in prepared(unroll.Graph([x, h0], {"h": ops.stack(made, 0)})):
        report = check_held(graph, fed, {"h": run_by_hand(step, fed["x"], fed["h0"])}, "rerolled")
        assert set(report.operators) == {"Scan"}


@pytest.mark.parametrize("rows", ["batch", 5])
@pytest.mark.parametrize("zero", [True, False])
def test_one_row_of_input_for_a_state_of_several_is_no_native_operator(rows: Any, zero: bool) -> None:
    def step(m: Any, v: Any, h: Any) -> Any:
        return m.tanh(v @ of(W33, m) + h @ of(U33, m))

    x, h0 = unroll.placeholder([4, 1, 3], "x"), unroll.placeholder([rows, 3], "h0")
    h: Any = ops.constant_of_shape(ops.concat([ops.shape(h0)[:1], [3]], 0), 0.0) if zero else h0
    made = []
    for v in ops.unstack(x, 0):
        h = step(ops, v, h)
        made.append(h)
    fed = {"x": RNG.uniform(-1, 1, (4, 1, 3)).astype("f"), "h0": RNG.uniform(-1, 1, (5, 3)).astype("f")}
    wanted = run_by_hand(step, fed["x"], fed["h0"] * (not zero))
    for graph in prepared(unroll.Graph([x, h0], {"h": ops.stack(made, 0)})):
        check_held(graph, fed, {"h": wanted}, "rerolled")


def test_one_row_of_state_that_the_first_step_spreads_is_a_loop_from_the_second_step_on() -> None:
    def step(m: Any, v: Any, h: Any) -> Any:
        return m.tanh(v @ of(W33, m) + h @ of(U33, m))

    start = RNG.uniform(-1, 1, (1, 3)).astype("f")
    x = unroll.placeholder([5, "batch", 3], "x")
    h, made = unroll.constant(start), []
    for v in ops.unstack(x, 0):
        h = step(ops, v, h)
        made.append(h)
    fed = {"x": RNG.uniform(-1, 1, (5, 2, 3)).astype("f")}
    report = check_held(
        unroll.Graph([x], {"h": ops.stack(made, 0)}), fed, {"h": run_by_hand(step, fed["x"], start)}, "rerolled"
    )
    assert report.operators == ["Scan"]


@pytest.mark.parametrize("steps_per_iteration", [1, 2])
@pytest.mark.parametrize("axis", [0, 1])
def test_states_of_two_sizes_that_are_not_known_are_stacked_and_cut(steps_per_iteration: int, axis: int) -> None:
    def step(m: Any, v: Any, h: Any) -> Any:
        return m.tanh(v @ of(W33, m) + h @ of(U33, m))

    x, h0 = unroll.placeholder(["batch", "size", 12], "x"), unroll.placeholder(["batch", "size", 3], "h0")
    h, made = h0, []
    for v in ops.split(x, 4, -1):
        h = step(ops, v, h)
        made.append(h)
    fed = {"x": RNG.uniform(-1, 1, (2, 5, 12)).astype("f"), "h0": RNG.uniform(-1, 1, (2, 5, 3)).astype("f")}
    wanted = np.concatenate(run_by_hand(step, np.split(fed["x"], 4, -1), fed["h0"]), axis)
    for graph in prepared(unroll.Graph([x, h0], {"h": ops.concat(made, axis)})):
        found, report = reroll(graph, steps_per_iteration=steps_per_iteration)
        assert report.operators == ["Scan"]
        for outputs in (found.run(fed), unroll.Session(found).run(fed)):
            np.testing.assert_allclose(outputs["h"], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("first", [1, 2, 3])
def test_steps_are_counted_from_the_first_where_that_was_simplified_under_a_mask(first: int) -> None:
    x, n = unroll.placeholder([4, "batch", 3], "x"), unroll.placeholder(["batch"], "n", "int32")
    h = zero = ops.constant_of_shape(ops.concat([ops.shape(x)[1:2], [3]], 0), 0.0)
    made = []
    for step, v in enumerate(ops.unstack(x, 0)):
        counts = ops.unsqueeze(ops.less(unroll.constant(step, dtype="int32"), n), [1])
        new = ops.tanh(v @ W33 + h @ U33)
        made.append(ops.where(counts, new, zero))
        h = ops.where(counts, new, h)
    fed = {"x": RNG.uniform(-1, 1, (4, 5, 3)).astype("f"), "n": np.arange(5, dtype="int32")}
    state, wanted = np.zeros((5, 3)), []
    for step in range(4):
        counts = (step < fed["n"])[:, None]
        new = np.tanh(fed["x"][step] @ W33.value + state @ U33.value)
        wanted.append(np.where(counts, new, 0))
        state = np.where(counts, new, state)
    for graph in prepared(unroll.Graph([x, n], {"y": ops.stack(made[first:], 0), "h": h})):
        report = check_held(graph, fed, {"y": np.stack(wanted[first:]), "h": state}, "rerolled")
        assert report.operators == ["RNN"]


def test_a_slice_whose_other_axes_end_at_a_symbol_takes_columns_alone() -> None:
    x, h0 = unroll.placeholder([4, "batch", 3], "x"), unroll.placeholder(["batch", 3], "h0")
    kernel = weight("kernel", 6, 6)
    h, made = h0, []
    for v in ops.unstack(x, 0):
        pre = ops.concat([v, h], 1) @ kernel
        h = ops.tanh(ops.slice_(pre, [0, 0], ops.concat([ops.shape(v)[:1], [3]], 0), [0, 1]))
        made.append(h)
    fed = {"x": RNG.uniform(-1, 1, (4, 2, 3)).astype("f"), "h0": RNG.uniform(-1, 1, (2, 3)).astype("f")}
    wanted = run_by_hand(lambda m, v, h: np.tanh(np.hstack([v, h]) @ kernel.value[:, :3]), fed["x"], fed["h0"])
    for graph in prepared(unroll.Graph([x, h0], {"h": ops.stack(made, 0)})):
        assert check_held(graph, fed, {"h": wanted}, "rerolled").operators == ["RNN"]


@pytest.mark.slow
@pytest.mark.parametrize("case", ["a new state of one column", "outputs of one more axis"])
def test_what_a_mask_spreads_is_no_part_of_a_native_operator(case: str) -> None:
    x, n = unroll.placeholder([4, "batch", 3], "x"), unroll.placeholder(["batch"], "n", "int32")
    h = zero = ops.constant_of_shape(ops.concat([ops.shape(x)[1:2], [3]], 0), 0.0)
    past = ops.unsqueeze(ops.concat([zero, zero], 0), [0])[:, :5] if "axis" in case else zero
    made = []
    for step, v in enumerate(ops.unstack(x, 0)):
        counts = ops.unsqueeze(ops.less(unroll.constant(step, dtype="int32"), n), [1])
        new = ops.tanh((v @ W33 + h @ U33) @ W31) if "column" in case else ops.tanh(v @ W33 + h @ U33)
        made.append(ops.where(counts, new, past))
        h = ops.where(counts, new, h)
    fed = {"x": RNG.uniform(-1, 1, (4, 5, 3)).astype("f"), "n": np.arange(5, dtype="int32")}
    state, wanted = np.zeros((5, 3)), []
    for step in range(4):
        counts = (step < fed["n"])[:, None]
        new = np.tanh(fed["x"][step] @ W33.value + state @ U33.value)
        if "column" in case:
            new = np.tanh((fed["x"][step] @ W33.value + state @ U33.value) @ W31.value)
        wanted.append(np.where(counts, new, np.zeros((1, 5, 3) if "axis" in case else (5, 3))))
        state = np.where(counts, new, state)
    for graph in prepared(unroll.Graph([x, n], {"y": ops.stack(made[1:], 0), "h": h})):
        report = check_held(graph, fed, {"y": np.stack(wanted[1:]), "h": state}, "rerolled")
        assert report.operators == ["Scan"]


# -- Scan -------------------------------------------------------------------------------------------------------------


def adding(rows: Any, state_rows: Any, time: Any = 3) -> unroll.Graph:
    """``s + v`` over the rows of x, from h0."""
    s, v = unroll.placeholder([state_rows, 2], "s"), unroll.placeholder([rows, 2], "v")
    x, h0 = unroll.placeholder([time, rows, 2], "x"), unroll.placeholder([state_rows, 2], "h0")
    return unroll.Graph([x, h0], {"last": scan(unroll.Graph([s, v], {"n": s + v}), [h0], [x])[0]})


def test_a_state_that_the_body_of_a_scan_would_widen_is_refused() -> None:
    refused(lambda: adding(4, 1), ValueError, "before and after a run of the body")
    graph = adding("batch", 1)  # one row, then
    fed = {"x": np.ones((3, 4, 2), "f"), "h0": np.ones((1, 2), "f")}
    refused(lambda: graph.run(fed), ValueError, "size 4, but 1 is wanted")
    np.testing.assert_array_equal(graph.run(fed | {"x": np.ones((3, 1, 2), "f")})["last"], [[4, 4]])


def test_a_scan_of_no_rows_is_refused_by_both_runners_and_becomes_no_native_operator() -> None:
    graph = adding(2, 2, "time")
    fed = {"x": np.ones((0, 2, 2), "f"), "h0": np.ones((2, 2), "f")}
    for run in (graph.run, unroll.Session(graph).run):
        refused(lambda run=run: run(fed), unroll.UnrollError)
    x, h0 = unroll.placeholder([0, 2, 2], "x"), unroll.placeholder([2, 3], "h0")
    s, v, w, u = (
        unroll.placeholder(size, name) for size, name in (([2, 3], "s"), ([2, 2], "v"), ([2, 3], "w"), ([3, 3], "u"))
    )
    body = unroll.Graph([s, v, w, u], {"n": ops.tanh(v @ w + s @ u)})
    (last,) = scan(body, [h0], [x], [weight("w", 2, 3), weight("u", 3, 3)])
    assert [node.op.name for node in native_scans(unroll.Graph([x, h0], {"last": last})).nodes] == ["Scan"]


@pytest.mark.parametrize("form", ["native", "scan"])
def test_what_a_step_reads_may_have_no_columns(form: str) -> None:
    """``h[:, 1:]`` of one unit: a product over nothing, which adds zeros."""
    wx, w1, w2 = weight("wx", 3, 1), weight("w1", 1, 1), weight("w2", 0, 1)
    inputs = [unroll.placeholder([None, 3], f"x{t}") for t in range(4)]
    h, outputs = ops.constant_of_shape(ops.concat([ops.shape(inputs[0])[:1], [1]], 0), 0.0), []
    for x in inputs:
        h = ops.tanh(x @ wx + (h[:, :1] @ w1 + h[:, 1:] @ w2))
        outputs.append(h)
    graph = unroll.Graph(inputs, {"y": ops.stack(outputs, 0)})
    feeds = {f"x{t}": RNG.uniform(-1, 1, (2, 3)).astype("float32") for t in range(4)}
    wanted, state = [], np.zeros((2, 1), "float32")
    for t in range(4):
        state = np.tanh(feeds[f"x{t}"] @ wx.value + state @ w1.value)
        wanted.append(state)
    check_held(graph, feeds, {"y": np.stack(wanted)}, form)
    _, report = reroll(graph, native=False, steps_per_iteration=2)
    assert report.operators or "no elements" in str(report)
