"""What each pass does and does not, on programs of a few nodes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from pass_checks import (
    LSTM_FIRST,
    LSTM_STEP,
    STEPS,
    check_pass,
    counts,
    feeds_of,
    input_products,
    separate,
    times,
)

import unroll
from unroll import BasicLSTMCell, Graph, ops, static_rnn
from unroll.passes.pipeline import PASSES, optimize
from unroll.passes.tools.weight_expressions import weight_expressions, weight_values


def operators_after(name: str, outputs: Any, *inputs: Any) -> Counter[str]:
    graph = Graph(list(inputs), outputs)
    return counts(check_pass(name, graph, {k: v.astype("float32") for k, v in feeds_of(graph).items()}))


def test_parameters_are_not_constants() -> None:
    x, p = unroll.placeholder([2, 2], "x"), unroll.Parameter(np.ones((2, 2), "float32"), "p")
    graph = Graph([x], {"y": x + ops.exp(p) + ops.exp(unroll.constant(np.ones((2, 2), "float32")))})
    folded = PASSES["fold_constants"](graph)
    assert Counter(node.op.name for node in folded.nodes) == {"Exp": 1, "Add": 2}
    p.assign(np.zeros((2, 2)))
    np.testing.assert_allclose(folded.run({"x": np.zeros((2, 2))})["y"], 1 + np.exp(1), rtol=1e-6)


def test_a_large_constant_is_not_made_of_a_small_one() -> None:
    for size, kept in ((100, ["ConstantOfShape", "Add"]), (60, ["Add"])):
        x = unroll.placeholder([size, size], "x")
        graph = Graph([x], {"y": x + ops.constant_of_shape([size, size], 2.0)})
        assert [node.op.name for node in PASSES["fold_constants"](graph).nodes] == kept


def test_what_fails_on_constants_fails_in_the_run() -> None:
    x = unroll.placeholder([2], "x", "int32")
    graph = Graph([x], {"y": x + ops.div(unroll.constant([1, 2], "int32"), unroll.constant([1, 0], "int32"))})
    with pytest.raises(unroll.UnrollError, match="divided by zero"):
        PASSES["fold_constants"](graph).run({"x": np.zeros(2, np.int32)})


def test_equal_nodes_of_both_steps_are_one_and_come_from_both() -> None:
    x = unroll.placeholder([2, 3], "x")
    with unroll.scope("a"):
        first = ops.exp(x * 2.0)
    with unroll.scope("b"):
        second = ops.exp(x * 2.0)
    merged = PASSES["merge_equal"](Graph([x], {"first": first, "second": second, "other": ops.exp(x * -0.0)}))
    assert counts(merged) == {"Mul": 2, "Exp": 2}
    assert {frozenset(origin.scope for origin in node.provenance) for node in merged.nodes} == {
        frozenset("ab"),
        frozenset([""]),
    }
    assert merged.output_names == ("first", "second", "other")


def test_zero_and_minus_zero_are_not_equal() -> None:
    x = unroll.placeholder([2], "x")
    graph = Graph([x], {"a": 1 / ops.constant_of_shape([2], 0.0) + x, "b": 1 / ops.constant_of_shape([2], -0.0) + x})
    found = PASSES["merge_equal"](graph).run({"x": np.zeros(2)})
    assert (found["a"][0], found["b"][0]) == (np.inf, -np.inf)


def test_constants_of_the_same_bytes_and_other_dtypes_are_two() -> None:
    """Eight zeros of float32 are the bytes of four of float64: the blocks of two biases, in one graph."""
    rng = np.random.default_rng(0)
    outputs, inputs = {}, []
    for dtype, columns in (("float32", 8), ("float64", 4), ("float16", 16)):
        x = unroll.placeholder([None, 2], f"x_{dtype}", dtype)
        w, b = (
            unroll.Parameter(rng.uniform(-1, 1, s).astype(dtype), f"{dtype}{len(s)}")
            for s in ((2, columns), (columns,))
        )
        first, second = ops.split(x @ w + b, 2, 1)
        outputs[dtype] = ops.tanh(first + 0.0) * ops.sigmoid(second)
        inputs.append(x)
    graph = Graph(inputs, outputs)
    feeds = {spec.name: rng.uniform(-1, 1, (3, 2)).astype(spec.dtype) for spec in graph.input_specs}
    wanted = unroll.Session(graph).run(feeds)
    for name in PASSES:
        for output, array in PASSES[name](graph).run(feeds).items():
            assert array.dtype == output
            np.testing.assert_allclose(array, wanted[output], atol=2e-3 if output == "float16" else 1e-6, err_msg=name)


@pytest.mark.parametrize(
    "program",
    [
        ops.identity,
        lambda x: ops.cast(x, "float32"),
        lambda x: ops.transpose(x, [0, 1]),
        lambda x: ops.reshape(x, [2, 3]),
        lambda x: x[0:2],
        lambda x: ops.concat([x], 0),
        lambda x: ops.split(x, 1, 0)[0],
        lambda x: ops.expand(x, [1, 3]),
    ],
)
def test_what_does_nothing_is_left_out(program: Any) -> None:
    x = unroll.placeholder([2, 3], "x")
    assert operators_after("remove_dead", {"y": ops.exp(program(x))}, x) == {"Exp": 1}


def test_a_split_of_which_one_piece_is_read_is_a_slice() -> None:
    x = unroll.placeholder([2, 6], "x")
    assert operators_after("remove_dead", {"y": ops.split(x, [1, 3, 2], 1)[1]}, x) == {"Slice": 1}


@pytest.mark.parametrize(
    "program",
    [
        lambda x: ops.transpose(ops.transpose(x, [1, 2, 0]), [2, 0, 1]),
        lambda x: ops.squeeze(ops.unsqueeze(x, [1]), [1]),
        lambda x: ops.squeeze(ops.unsqueeze(x, [0]), [-4]),
        lambda x: ops.concat(ops.split(x, 3, 1), 1),
        lambda x: ops.concat([x[:, :1], x[:, 1:2], x[:, 2:]], 1),
        lambda x: ops.stack([ops.gather(x, place, 1) for place in range(3)], 1),
        lambda x: ops.stack([ops.gather(x, np.array(place, "int32"), 2) for place in range(4)], -1),
        lambda x: ops.split(ops.concat([x, x * 2], 1), 2, 1)[0],
        lambda x: ops.unstack(ops.stack([x, x * 2], 0), 0)[0],
        lambda x: ops.stack([x * 2, x], 1)[:, 1],
        lambda x: ops.gather(ops.stack([x * 2, x], 0), 1, 0),
        lambda x: ops.reshape(ops.reshape(x, [-1]), [2, 3, 4]),
    ],
)
def test_what_is_undone_is_left_out(program: Any) -> None:
    x = unroll.placeholder([2, 3, 4], "x")
    assert operators_after("cancel_shapes", {"y": ops.exp(program(x))}, x) == {"Exp": 1}


def test_an_axis_that_is_given_back_is_never_taken() -> None:
    x = unroll.placeholder([1, 3, 4], "x")
    assert operators_after("cancel_shapes", {"y": ops.exp(ops.unsqueeze(ops.squeeze(x, [0]), [0]))}, x) == {"Exp": 1}


@pytest.mark.parametrize(
    "program",
    [
        lambda x: ops.concat([x[:, 2:], x[:, 1:2], x[:, :1]], 1),  # backwards
        lambda x: ops.concat([x[:, :1], x[:, 1:2]], 1),  # not all of them
        lambda x: ops.stack([ops.gather(x, place, 1) for place in (0, 1, 1)], 1),  # one twice
        lambda x: ops.stack([ops.gather(x, place, 1) for place in range(3)], 0),  # along another axis
    ],
)
def test_pieces_that_are_not_the_whole_stay(program: Any) -> None:
    x = unroll.placeholder([2, 3, 4], "x")
    assert "Concat" in operators_after("cancel_shapes", {"y": ops.exp(program(x))}, x)


@pytest.mark.slow
def test_kernels_are_split_for_batches_where_hoisting_pays() -> None:
    """Measured: joined inputs win at (28, batch 32, input 28, units 128), hoisting at batch 1."""
    inputs = separate(28)
    outputs, _ = static_rnn(BasicLSTMCell(128), inputs)
    graph = Graph(inputs, outputs[-1])
    assert len(input_products(optimize(graph, batch=1))) == 1
    assert len(input_products(optimize(graph, batch=32))) == 0


@pytest.mark.slow
def test_separate_kernels_are_joined_for_batches_where_hoisting_does_not_pay() -> None:
    """Two products and two sums a step become a Concat, and a product with a sum."""
    x = unroll.placeholder([None, STEPS, 28], "x")
    graph = Graph([x], [unroll.layers.LSTM(128)(x)])
    found = optimize(graph, batch=32)
    assert input_products(found) == []
    first = LSTM_FIRST + Counter({"Gemm": 1})
    wanted = Counter({"Reshape": 1, "Split": 1}) + first + times(LSTM_STEP + Counter({"Concat": 1}), 27)
    assert counts(found) == wanted
    feeds = feeds_of(graph)
    np.testing.assert_allclose(*(next(iter(one.run(feeds).values())) for one in (graph, found)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("written", ["sum", "bias first", "bias last", "two biases", "turned"])
def test_two_products_of_one_step_are_joined_however_the_bias_is_added(written: str) -> None:
    def parameter(name: str, *shape: int) -> Any:
        return unroll.Parameter(np.random.default_rng(len(name)).uniform(-0.5, 0.5, shape).astype("float32"), name)

    wx, wh, b, c = parameter("x", 3, 4), parameter("hh", 4, 4), parameter("bbb", 4), parameter("cccc", 4)
    turned = parameter("turned", 4, 3), parameter("turned_h", 4, 4)
    xs = separate(steps=3)
    h: Any = unroll.placeholder([None, 4], "h")
    inputs = [*xs, h]
    for x in xs:
        h = ops.tanh(
            {
                "sum": lambda x, h: x @ wx + h @ wh,
                "bias first": lambda x, h: (x @ wx + b) + h @ wh,
                "bias last": lambda x, h: (x @ wx + h @ wh) + b,
                "two biases": lambda x, h: ops.gemm(x, wx, b) + ops.gemm(h, wh, c),
                "turned": lambda x, h: ops.gemm(x, turned[0], b, transB=True) + ops.gemm(h, turned[1], transB=True),
            }[written](x, h)
        )
    graph = PASSES["fold_biases"](Graph(inputs, {"y": h}))
    adds = {"sum": 0, "bias first": 3, "bias last": 3}.get(written, 0)
    product = "MatMul" if written in ("sum", "bias first", "bias last") else "Gemm"
    joined = counts(check_pass("join_kernels", graph, {k: v.astype("float32") for k, v in feeds_of(graph).items()}))
    assert joined == Counter({"Concat": 3, product: 3, "Tanh": 3, "Add": adds}) - Counter()


def test_a_product_that_depends_on_the_step_before_is_not_hoisted() -> None:
    """Here the input of each step is the output of the one before."""
    x = unroll.placeholder([None, 4], "x")
    w = unroll.Parameter(np.eye(4, dtype="float32"), "w")
    y = x
    for _ in range(6):
        y = ops.tanh(y @ w)
    assert operators_after("hoist_inputs", {"y": y}, x) == {"MatMul": 6, "Tanh": 6}


def test_products_that_depend_on_one_another_both_ways_are_not_hoisted() -> None:
    """Half of the products with each weight come after one with the other: both at once would be a circle."""
    xs = separate(4, 8)
    a, b = (unroll.Parameter(np.eye(4, dtype="float32"), name) for name in "ab")
    first = [x @ a for x in xs[:2]] + [ops.tanh(x @ b) @ a for x in xs[2:4]]
    second = [x @ b for x in xs[4:6]] + [ops.tanh(x @ a) @ b for x in xs[6:]]
    total = first[0]
    for item in (*first[1:], *second):
        total = total + item
    assert operators_after("hoist_inputs", {"y": total}, *xs)["MatMul"] == 12


def test_a_forget_bias_joins_the_bias() -> None:
    inputs = separate(steps=2)
    cell = BasicLSTMCell(4, forget_bias=2.5)
    outputs, _ = static_rnn(cell, inputs)
    folded = optimize(Graph(inputs, outputs), ["fold_zeros", "fold_biases"])
    cell.bias.assign(np.arange(16))
    values = [array for array in weight_values(folded).values() if array.shape == (16,)]
    assert [array.tolist() for array in values] == [[0, 1, 2, 3, 4, 5, 6, 7, 10.5, 11.5, 12.5, 13.5, 12, 13, 14, 15]]


def test_weight_values_are_the_columns_in_their_new_order() -> None:
    inputs = separate(steps=5)
    cell = BasicLSTMCell(1, forget_bias=1.0)
    outputs, _ = static_rnn(cell, inputs)
    graph = optimize(Graph(inputs, outputs))
    cell.kernel.assign(np.arange(16).reshape(4, 4))
    cell.bias.assign([0, 10, 20, 30])
    values = {array.shape: array.tolist() for array in weight_values(graph).values()}
    assert values[3, 4] == [[0, 2, 3, 1], [4, 6, 7, 5], [8, 10, 11, 9]], "i, f, o, j of the rows of x"
    assert values[1, 4] == [[12, 14, 15, 13]], "of the row of h"
    assert values[4,] == [0, 21, 30, 10]
    assert all(
        set(node.inputs) & set(graph.parameters.values()) == set()
        for node in graph.nodes
        if node not in set(weight_expressions(graph))
    )
