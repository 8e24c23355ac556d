"""Bad input to graphs, runs and assignments: an error names the thing, what was seen, what is wanted and the fix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import Array, refused, two_step_graph

import unroll
from unroll import (
    BasicRNNCell,
    Graph,
    placeholder,
)


def feeds(batch: int = 2) -> dict[str, Array]:
    return {name: np.ones((batch, 3), "float32") for name in ("X0", "X1")}


# -- graphs -----------------------------------------------------------------------------------------------------------


def test_outputs_that_depend_on_a_placeholder_not_listed_are_refused() -> None:
    x, y = placeholder([None, 3], "x"), placeholder([None, 3], "y")
    refused(lambda: Graph([x], x + y), ValueError, "'y'", "['x']", "add it to inputs")
    refused(lambda: Graph([x], [x + 1, y]), ValueError, "'y'", "add it to inputs")


def test_graphs_without_outputs_or_of_things_that_are_no_tensors_are_refused() -> None:
    x = placeholder([3], "x")
    refused(lambda: Graph([x], []), ValueError, "outputs", "empty")
    refused(lambda: Graph([x], [x + 1, 3.0]), ValueError, "outputs", "3.0", "not a tensor")
    refused(lambda: Graph([x], {"y": [x, None]}), ValueError, "y/1", "None", "not a tensor")
    refused(lambda: Graph([x + 1], x + 1), ValueError, "inputs", "not a placeholder", "unroll.placeholder")
    refused(lambda: Graph([x, x], x + 1), ValueError, "inputs", "x", "twice")


def test_duplicate_names_are_refused() -> None:
    x, again = placeholder([3], "x"), placeholder([3], "x")
    refused(lambda: Graph([x, again], x + again), ValueError, "'x'", "name=")
    refused(lambda: Graph([x], {"x": x + 1}), ValueError, "'x'")


@pytest.mark.parametrize("name", ["", "/", "a//b", "a/", "new\nline", None, 3])
def test_names_that_cannot_name_anything_are_refused(name: Any) -> None:
    refused(lambda: placeholder([3], name), ValueError, "placeholder", repr(name))
    if name is not None:
        refused(lambda: BasicRNNCell(3, name=name), ValueError, "BasicRNNCell", repr(name))


@pytest.mark.parametrize("shape", [[-1], [1.5], [True], "3", 3, [""], [[3]]])
def test_shapes_that_are_none_are_refused(shape: Any) -> None:
    refused(lambda: placeholder(shape, "x"), ValueError, "'x'", "None")


@pytest.mark.parametrize("dtype", ["complex64", "uint8", "str", object, "floaty"])
def test_dtypes_that_tensors_do_not_have_are_refused(dtype: Any) -> None:
    refused(lambda: placeholder([3], "x", dtype), TypeError, "'x'", "float32", "bool")


def test_trace_of_what_is_no_function_or_returns_no_tensor_is_refused() -> None:
    x = placeholder([3], "x")
    refused(lambda: unroll.trace(3, x), TypeError, "trace", "not callable")  # type: ignore[arg-type]
    refused(lambda: unroll.trace(lambda t: 3, x), ValueError, "3", "not a tensor")
    refused(lambda: unroll.trace(lambda t: t, np.ones(3)), TypeError, "trace", "placeholder")  # type: ignore[arg-type]


# -- feeds ------------------------------------------------------------------------------------------------------------


def test_missing_feeds_are_named() -> None:
    refused(lambda: two_step_graph().run({"X0": np.ones((2, 3))}), ValueError, "lack", "'X1'")
    refused(lambda: two_step_graph().run({}), ValueError, "'X0'", "'X1'")


def test_extra_feeds_are_named_with_what_was_meant() -> None:
    refused(lambda: two_step_graph().run(feeds() | {"X2": 1.0}), ValueError, "'X2'", "did you mean", "'X0'")


def test_a_feed_given_twice_or_for_an_inner_tensor_is_refused() -> None:
    graph = two_step_graph()
    twice: dict[Any, Any] = {**feeds(), graph.inputs[0]: np.ones((2, 3))}
    refused(lambda: graph.run(twice), ValueError, "'X0'", "twice")
    refused(lambda: graph.run({**feeds(), graph.outputs[0]: 1.0}), ValueError, "not a placeholder")
    refused(lambda: graph.run([np.ones((2, 3))]), TypeError, "dict", "list")  # type: ignore[call-overload]


@pytest.mark.parametrize("shape", [(3,), (2, 4), (2, 3, 1), ()])
def test_feeds_of_the_wrong_shape_are_refused(shape: tuple[int, ...]) -> None:
    refused(lambda: two_step_graph().run(feeds() | {"X1": np.ones(shape)}), ValueError, "'X1'", str(shape))


@pytest.mark.parametrize(
    "wrong",
    [
        np.ones((2, 3), complex),
        np.ones((2, 3), bool),
        np.full((2, 3), "1"),
        np.ones((2, 3), object),
        np.full((2, 3), 1e300),
    ],
)
def test_feeds_of_a_dtype_that_cannot_be_cast_safely_are_refused(wrong: Array) -> None:
    refused(lambda: two_step_graph().run(feeds() | {"X1": wrong}), TypeError, "'X1'", "float32")


def test_feeds_that_disagree_on_batch_are_refused() -> None:
    for one, other in ((2, 1), (1, 2), (3, 2)):
        wrong = {"X0": np.ones((one, 3)), "X1": np.ones((other, 3))}
        refused(
            lambda wrong=wrong: two_step_graph().run(wrong), ValueError, "'X0'", "'X1'", str(one), str(other), "batch"
        )


def test_a_fetch_there_is_not_is_refused_with_near_ones() -> None:
    graph = two_step_graph()
    refused(
        lambda: graph.run(feeds(), "rnn/t1/basic_rnn_cell/hh"),
        KeyError,
        "hh",
        "did you mean",
        "rnn/t1/basic_rnn_cell/h",
    )
    refused(lambda: graph.run(feeds(), [3]), TypeError, "fetches", "3")  # type: ignore[list-item]
    refused(lambda: graph.run(feeds(), placeholder([3], "other") + 1), KeyError, "not part of this graph")


def test_a_tensor_looked_up_by_something_else_than_its_name_is_refused() -> None:
    graph = two_step_graph()
    for key in (3, None, graph.inputs[0]):
        refused(lambda key=key: graph.tensor(key), TypeError, "name")


# -- assign -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "builtin", "fragments"),
    [
        (np.ones((5, 8)), ValueError, ["(5, 8)", "(8, 5)", ".T"]),
        (np.ones(40), ValueError, ["(40,)", "(8, 5)"]),
        (1.0, ValueError, ["()", "(8, 5)"]),
        (np.ones((8, 5), complex), TypeError, ["complex128", "float32"]),
        (np.ones((8, 5), bool), TypeError, ["bool", "float32"]),
        (np.full((8, 5), None), TypeError, ["object", "float32"]),
        (np.full((8, 5), "1"), TypeError, ["float32"]),
        (np.full((8, 5), 1e39), TypeError, ["overflow", "float32"]),
        ([[1.0] * 5] * 7 + [[1.0]], ValueError, ["same length"]),
        ("ones", TypeError, ["float32"]),
    ],
)
def test_assign_of_a_wrong_shape_kind_or_object_array_changes_nothing(
    value: Any, builtin: Any, fragments: list[str]
) -> None:
    graph = two_step_graph()
    kernel = graph.parameters["rnn/basic_rnn_cell/kernel"]
    before = kernel.value.copy()
    refused(lambda: kernel.assign(value), builtin, "rnn/basic_rnn_cell/kernel", *fragments)
    good = {"rnn/basic_rnn_cell/bias": np.ones(5)}
    refused(lambda: graph.assign(good | {kernel.name: value}), builtin, kernel.name)
    assert np.array_equal(kernel.value, before)
    assert not graph.parameters["rnn/basic_rnn_cell/bias"].value.any()
    assert kernel.version == 0


def test_assign_to_a_name_there_is_not_changes_nothing() -> None:
    graph = two_step_graph()
    names = {"rnn/basic_rnn_cell/bias": np.ones(5), "rnn/basic_rnn_cell/kernal": np.ones((8, 5))}
    refused(lambda: graph.assign(names), KeyError, "kernal", "did you mean", "'rnn/basic_rnn_cell/kernel'")
    assert not graph.parameters["rnn/basic_rnn_cell/bias"].value.any()
    refused(lambda: graph.assign([1.0]), TypeError, "dict", "list")  # type: ignore[arg-type]


def test_a_parameters_value_cannot_be_changed_behind_its_back() -> None:
    parameter = unroll.Parameter([1.0, 2.0], "w")
    with pytest.raises(ValueError, match="read-only"):
        parameter.value[0] = 5.0
    given = np.ones(2, "float32")
    parameter.assign(given)
    given[0] = 9.0
    assert parameter.value.tolist() == [1.0, 1.0]
