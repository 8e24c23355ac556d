"""Feeds made to tell graphs apart: sizes that differ, lengths from 0 to the last step, places over the whole of a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import Graph, ops
from unroll.sizes import checked_dims, symbols_of
from unroll.trials.trial_feeds import trial_feeds, trials

STEPS = 6


def _x(shape: Any = ("batch", STEPS, 2), name: str = "x", dtype: Any = "float32") -> Any:
    return unroll.placeholder(list(shape), name, dtype)


def _masked(lengths: Any, x: Any, how: Any) -> Any:
    h = x[:, 0]
    for step in range(STEPS):
        h = ops.where(ops.unsqueeze(how(step, lengths), [1]), ops.tanh(x[:, step] + h), h)
    return h


def _constant(step: int, dtype: str = "int32") -> Any:
    return unroll.constant(step, dtype=dtype)


#: How programs ask whether a row still runs at a step; every one tells the lengths 0 to STEPS apart.
ASKED: dict[str, Any] = {
    "less": (("batch",), "int32", lambda t, n: ops.less(_constant(t), n)),
    "greater": (("batch",), "int32", lambda t, n: ops.greater(n, _constant(t))),
    "greater or equal": (("batch",), "int32", lambda t, n: ops.greater_equal(n, _constant(t + 1))),
    "not less or equal": (("batch",), "int32", lambda t, n: ops.logical_not(ops.less_equal(n, _constant(t)))),
    "cast": (("batch",), "int64", lambda t, n: ops.less(_constant(t), ops.cast(n, "int32"))),
    "cast to floats": (("batch",), "int32", lambda t, n: ops.less(_constant(t, "float32"), ops.cast(n, "float32"))),
    "shifted": (("batch",), "int32", lambda t, n: ops.less(_constant(t + 1), n + 1)),
    "turned": (("batch",), "int32", lambda t, n: ops.greater(_constant(-t), -n)),
    "what is left": (("batch",), "int32", lambda t, n: ops.greater(n - t, _constant(0))),
    "a column": (("batch", 1), "int32", lambda t, n: ops.less(_constant(t), ops.squeeze(n, [1]))),
    "one of two": (("batch", 2), "int32", lambda t, n: ops.less(_constant(t), n[:, 1])),
    "clipped": (("batch",), "int32", lambda t, n: ops.less(_constant(t), ops.minimum(n, _constant(STEPS)))),
    "all steps at once": (
        ("batch",),
        "int32",
        lambda t, n: ops.less(unroll.constant(np.arange(STEPS)[None], dtype="int32"), ops.unsqueeze(n, [1]))[:, t],
    ),
    "floats": (("batch",), "float32", lambda t, n: ops.less(_constant(t, "float32"), n)),
    "floats cast": (("batch",), "float32", lambda t, n: ops.less(_constant(t), ops.cast(n, "int32"))),
}


@pytest.mark.parametrize("how", ASKED)
def test_lengths_run_from_none_to_all_steps_however_they_are_asked_for(how: str) -> None:
    shape, dtype, asks = ASKED[how]
    x, n = _x(), _x(shape, "n", dtype)
    graph = Graph([x, n], {"h": _masked(n, x, asks)})
    column = -1 if len(shape) == 2 else slice(None)
    drawn = [feeds["n"].reshape(len(feeds["n"]), -1)[:, column].ravel() for feeds in trial_feeds(graph, rows=STEPS + 3)]
    assert all(min(lengths) == 0 and max(lengths) >= STEPS for lengths in drawn)
    assert set(range(STEPS + 1)) <= set(np.concatenate(drawn).tolist())
    beyond = 1 if how == "clipped" else 0
    assert max(map(np.max, drawn)) <= STEPS + beyond
    assert min(map(np.min, drawn)) >= 0


def _native(x: Any, n: Any) -> Any:
    w, r = np.full((1, 4, 2), 0.3, "float32"), np.full((1, 4, 1), 0.2, "float32")
    return ops.lstm(ops.transpose(x, [1, 0, 2]), w, r, None, n, hidden_size=1)[1]


def _scanned(x: Any, n: Any) -> Any:
    return unroll.dynamic_rnn(unroll.BasicRNNCell(3), x, sequence_length=n, dtype="float32", rolled=True)[0]


def _turned(x: Any, n: Any) -> Any:
    return ops.reverse_sequence(x, ops.cast(n, "int64"), batch_axis=0, time_axis=1)


@pytest.mark.parametrize("network", [_native, _scanned, _turned])
def test_lengths_inside_operators_and_loops_are_found_too(network: Any) -> None:
    x, n = _x(), _x(("batch",), "n", "int32")
    for feeds in trial_feeds(Graph([x, n], {"y": network(x, n)})):
        assert {0, STEPS} <= set(feeds["n"].tolist()) <= set(range(STEPS + 1))


def test_places_run_over_the_whole_table_each_column_over_its_own() -> None:
    ids = _x(("batch", 2), "ids", "int64")
    tables = [unroll.Parameter(np.ones((rows, 2), "float32"), f"table{rows}") for rows in (9, 4)]
    outputs = [ops.gather(table, ids[:, place], 0) for place, table in enumerate(tables)]
    drawn = np.concatenate([feeds["ids"] for feeds in trial_feeds(Graph([ids], outputs), rows=20)])
    assert set(drawn[:, 0].tolist()) == set(range(9))
    assert set(drawn[:, 1].tolist()) == set(range(4))


def test_sets_are_added_where_a_feed_has_no_room_for_all_of_a_table() -> None:
    ids = _x((), "ids", "int64")
    graph = Graph([ids], ops.gather(unroll.constant(np.ones((5, 2), "float32")), ids, 0))
    assert len(trial_feeds(graph, count=2)) == 2
    assert {int(feeds["ids"]) for feeds in trial_feeds(graph, count=2, extra=9)} == set(range(5))


def test_floats_hold_no_zero_no_one_and_nothing_twice() -> None:
    x = _x((40, 50), "x")
    for feeds in trial_feeds(Graph([x], ops.tanh(x))):
        flat = np.abs(feeds["x"]).ravel()
        assert flat.min() > 0.05
        assert 1 not in flat
        assert len(np.unique(flat)) == flat.size
        assert 0.3 < np.mean(feeds["x"] > 0) < 0.7


def test_what_masks_a_row_stands_in_some_rows_and_not_in_others() -> None:
    x = _x((12, 4, 3), "x")
    graph = Graph([x], ops.where(ops.equal(x, -9.0), 0.0, x))
    masked = np.stack([(feeds["x"] == -9).all(-1) for feeds in trial_feeds(graph)])
    assert 0 < masked.mean() < 1


def test_symbols_differ_from_one_another_and_from_feed_to_feed() -> None:
    x, y = _x(("batch", "time", "width"), "x"), _x(("time", "batch"), "y")
    sizes = [trial.sizes for trial in trials(Graph([x, y], [ops.tanh(x), ops.tanh(y)]), count=3)]
    assert all(len(set(found.values())) == 3 for found in sizes)
    assert len({tuple(found.items()) for found in sizes}) == 3


def test_sizes_keep_what_the_graph_requires() -> None:
    x, y = _x(("a", "b"), "x"), _x(("c",), "y")
    flat = ops.reshape(x, [-1]) + y  # a * b = c
    cut = Graph([x, y], {"z": flat[7:]})
    for trial in trials(cut):
        assert trial.sizes["a"] * trial.sizes["b"] == trial.sizes["c"] > 7
        cut.run(trial.feeds)


def test_an_axis_whose_every_position_is_read_has_that_many() -> None:
    x = _x(("time", "batch", 2), "x")
    graph = Graph([x], sum((x[step] for step in range(1, 12)), start=x[0]))
    assert {trial.sizes["time"] for trial in trials(graph)} == {12}


def test_dims_give_sizes_by_name_those_that_are_known_by_others_too() -> None:
    x, y = _x(("batch", "time"), "x"), _x(("rows", 3), "y")
    graph = Graph([x, y], x[:, :3] + y)
    assert sorted(symbols_of(graph)) == ["batch", "rows", "time"]
    for trial in trials(graph, dims={"rows": 9, "time": 11}):
        assert trial.sizes == {"batch": 9, "rows": 9, "time": 11}
        assert trial.feeds["x"].shape == (9, 11)
    assert trials(graph, dims={"batch": 0})[0].feeds["y"].shape == (0, 3)


@pytest.mark.parametrize(
    ("dims", "fragments"),
    [
        ({"tme": 3}, ["'tme'", "did you mean 'time'"]),
        ({"length": 3}, ["'length'", "'batch'"]),
        ({3: 3}, ["3", "no symbol"]),
        ({"time": -1}, ["time = -1", "at least 0"]),
        ({"time": 2.5}, ["time = 2.5", "not an int"]),
        ({"time": True}, ["time = True", "not an int"]),
        ([("time", 3)], ["a dict", "list"]),
        ({"batch": 3, "rows": 4}, ["batch", "rows", "4"]),
    ],
)
def test_dims_that_are_none_are_refused_by_name(dims: Any, fragments: list[str]) -> None:
    x, y = _x(("batch", "time"), "x"), _x(("rows", 3), "y")
    graph = Graph([x, y], x[:, :3] + y)
    message = refused(lambda: trial_feeds(graph, dims=dims), unroll.UnrollError)
    assert all(fragment in message for fragment in fragments), message


def test_a_graph_without_symbols_says_that_it_has_none() -> None:
    message = refused(lambda: checked_dims({"a": 1}, [], "verify"), unroll.errors.ArgumentError)
    assert "every size of its inputs is fixed" in message


def test_sizes_that_are_given_may_leave_nothing_of_an_axis() -> None:
    x, y = _x(("batch", "time", 3), "x"), _x(("many",), "y")
    graph = Graph([x, y], ops.reshape(x, [-1]) + y)
    assert trials(graph, dims={"batch": 0})[0].feeds["y"].shape == (0,)
    assert trials(graph, dims={"batch": 2, "time": 3})[0].feeds["y"].shape == (18,)


@pytest.mark.slow
def test_inputs_that_are_too_large_to_follow_are_fed_all_the_same() -> None:
    ids, x = _x((1100, 1000), "ids", "int64"), _x((1100, 1000), "x")
    graph = Graph([ids, x], [ids + 1, ops.where(ops.equal(x, 0.0), 1.0, x)])
    (feeds,) = trial_feeds(graph, count=1)
    assert feeds["ids"].min() >= 0
    assert np.all(feeds["x"] != 0)


def test_a_graph_that_makes_much_of_little_is_followed_no_further_than_there_is_room(tmp_path: Any) -> None:
    """Sizes of a file are believed by nobody: here a billion elements of one, compared with a million others."""
    n = _x((1,), "n", "int64")
    wide = ops.expand(ops.reshape(n, [1, 1]), [1 << 15, 1 << 15])
    many = ops.less(ops.unsqueeze(ops.expand(n, [1 << 11]), [1]), unroll.constant(np.arange(1 << 12)[None]))
    near = ops.less(n, 5)
    (feeds,) = trial_feeds(Graph([n], [wide + 1, many, near]), count=1)
    assert feeds["n"].shape == (1,)


def test_sizes_that_do_not_fit_one_another_are_left_for_a_run_to_say() -> None:
    x, y = _x(("a", 2), "x", "int64"), _x(("b", 2), "y", "int64")
    graph = Graph([x, y], ops.concat([x[:3], y[:3]], 1) + 1)
    assert trial_feeds(graph)
