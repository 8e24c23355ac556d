"""What may stand beside a tensor in an operator, and what is refused while tracing: dtypes, shapes, axes and indices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from operator_cases import NUMBERS
from operator_values import value

import unroll
from unroll import ops


@pytest.mark.parametrize("dtype", NUMBERS)
def test_a_plain_number_takes_the_dtype_of_the_tensor_beside_it(dtype: str) -> None:
    x = unroll.placeholder([2], "x", dtype)
    for result in (x + 1, 1 + x, x * 2, 3 - x, x / 2, 2 / x, x + [1, 2], np.int32(4) * x, ops.clip(x, 0, 1)):  # noqa: RUF005
        assert result.dtype == dtype
    assert (x > 1).dtype == (x < 1).dtype == ops.equal(x, 1).dtype == "bool"


def test_python_operators_compute_what_python_computes() -> None:
    x, y = unroll.placeholder([3], "x"), unroll.placeholder([3], "y")
    a, b = np.array([1.0, -2.0, 3.0], "float32"), np.array([2.0, 0.5, -4.0], "float32")
    pairs = (
        (x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b), (-x, -a), (abs(x), abs(a)),
        (abs(y) ** x, abs(b) ** a),
        (x @ y, a @ b), (x < y, a < b), (x > y, a > b), ((x < y) & (x > 0), (a < b) & (a > 0)), (~(x < y), ~(a < b)),
        (1 - x, 1 - a), (1 / y, 1 / b), (a + y, a + b), (a @ y, a @ b), (2.0 - y, 2.0 - b),
    )  # fmt: skip
    seen = unroll.Graph([x, y], [tensor for tensor, _ in pairs]).run({x: a, y: b}, [tensor for tensor, _ in pairs])
    for found, (_, wanted) in zip(seen, pairs, strict=True):
        assert found.tolist() == pytest.approx(np.asarray(wanted).tolist())


@pytest.mark.parametrize(
    ("make", "fragments"),
    [
        (lambda f, i, b, h: f + i, ["Add", "float32", "int64", "cast"]),
        (lambda f, i, b, h: f @ h, ["MatMul", "float32", "float16", "cast"]),
        (lambda f, i, b, h: ops.tanh(i), ["Tanh", "int64", "float32", "cast"]),
        (lambda f, i, b, h: ops.logical_not(f), ["Not", "float32", "bool"]),
        (lambda f, i, b, h: b + b, ["Add", "bool"]),
        (lambda f, i, b, h: ops.where(f, f, f), ["Where", "condition", "float32", "bool"]),
        (lambda f, i, b, h: ops.gather(f, f), ["Gather", "indices", "float32", "int64"]),
        (lambda f, i, b, h: ops.concat([f, i], 0), ["Concat", "float32", "int64"]),
        (lambda f, i, b, h: i + 0.5, ["Add", "float", "int64"]),
        (lambda f, i, b, h: f + True, ["Add", "bool", "float32"]),
        (lambda f, i, b, h: f + 1j, ["Add", "complex"]),
        (lambda f, i, b, h: f + "one", ["Add"]),
        (lambda f, i, b, h: h + 1e6, ["Add", "overflow", "float16"]),
        (lambda f, i, b, h: ops.cast(f, "complex64"), ["complex64", "float32"]),
    ],
)
def test_dtypes_that_do_not_fit_are_refused_with_the_fix(make: Any, fragments: list[str]) -> None:
    tensors = [
        unroll.placeholder([2, 2], name, kind)
        for name, kind in zip("fibh", ("float32", "int64", "bool", "float16"), strict=True)
    ]
    with pytest.raises(unroll.UnrollError) as caught:
        make(*tensors)
    assert isinstance(caught.value, TypeError)
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("make", "fragments"),
    [
        (lambda x, y: x + y, ["Add", "(2, 3)", "(4, 5)", "'x'|x", "3", "5"]),
        (lambda x, y: x @ y, ["MatMul", "columns of A", "3", "4"]),
        (lambda x, y: x @ 2.0, ["MatMul", "scalar"]),
        (lambda x, y: ops.concat([x, y], 0), ["Concat", "3", "5"]),
        (lambda x, y: ops.concat([x, x[0]], 0), ["Concat", "rank"]),
        (lambda x, y: ops.split(x, 2, 1), ["Split", "3", "2"]),
        (lambda x, y: ops.split(x, [1, 1], 1), ["Split", "[1, 1]", "3"]),
        (lambda x, y: ops.reshape(x, [4]), ["Reshape", "6", "4"]),
        (lambda x, y: ops.reshape(x, [-1, -1]), ["Reshape", "-1"]),
        (lambda x, y: ops.reshape(x, [4, -1]), ["6", "4"]),
        (lambda x, y: ops.reshape(x, [2, 3, 0]), ["Reshape", "0", "rank 2"]),
        (lambda x, y: ops.transpose(x, [0, 0]), ["perm", "2 axes"]),
        (lambda x, y: ops.squeeze(x, [1]), ["Squeeze", "3", "1"]),
        (lambda x, y: ops.unsqueeze(x, [0, 0]), ["Unsqueeze", "twice"]),
        (lambda x, y: ops.softmax(x, 2), ["axis 2", "rank 2"]),
        (lambda x, y: ops.reduce_sum(x, -3), ["ReduceSum", "-3", "rank 2"]),
        (lambda x, y: ops.gather(x, 2), ["Gather", "2", "axis 0"]),
        (lambda x, y: x[2], ["Gather", "2", "axis 0"]),
        (lambda x, y: x[0, 0, 0], ["2 axes", "3 indices"]),
        (lambda x, y: ops.clip(x, [0.0, 1.0]), ["Clip", "scalar"]),
        (lambda x, y: ops.slice_(x, [0], [2], [0], [0]), ["Slice", "step of 0"]),
        (lambda x, y: ops.slice_(x, [0, 0], [2]), ["Slice", "one length"]),
        (lambda x, y: ops.expand(x, [4, 3]), ["Expand", "2", "4"]),
        (lambda x, y: ops.gemm(x, y), ["Gemm", "3", "4"]),
        (lambda x, y: ops.gemm(x, x[0]), ["Gemm", "matrices"]),
        (lambda x, y: ops.gemm(x, y[:3], x), ["Gemm"]),
        (lambda x, y: ops.constant_of_shape([-1]), ["ConstantOfShape", "negative"]),
        (lambda x, y: ops.where(x > 0, x, y), ["Where", "3", "5"]),
    ],
)
def test_shapes_that_do_not_fit_are_refused_while_tracing(make: Any, fragments: list[str]) -> None:
    x, y = unroll.placeholder([2, 3], "x"), unroll.placeholder([4, 5], "y")
    with pytest.raises(unroll.UnrollError) as caught:
        make(x, y)
    assert isinstance(caught.value, ValueError)
    for fragment in fragments:
        assert any(choice in str(caught.value) for choice in fragment.split("|")), (fragment, str(caught.value))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: ops.apply(ops.OPERATORS["", "Add"](), x),
        lambda x: ops.apply(ops.OPERATORS["", "Add"](), x, x, x),
        lambda x: ops.apply(ops.OPERATORS["", "Add"](), x, None),
        lambda x: ops.apply(ops.OPERATORS["", "Concat"](0)),
        lambda x: ops.transpose(x, [0.5, 1]),
        lambda x: ops.reduce_sum(x, True),
        lambda x: x["a"],
        lambda x: x[[0, 1]],
        lambda x: x[True],
        lambda x: x[..., ...],
        lambda x: x[0.5],
        lambda x: x[x:],
        lambda x: ops.elu(x, alpha="much"),
        lambda x: x + [x, x],  # noqa: RUF005
    ],
)
def test_arguments_that_make_no_sense_are_type_errors_of_unrolls_own(make: Any) -> None:
    with pytest.raises(unroll.UnrollError) as caught:
        make(unroll.placeholder([2, 2], "x"))
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(
    "make",
    [lambda x: ops.concat([], 0), lambda x: ops.stack([]), lambda x: ops.split(x, 0), lambda x: ops.reduce_max(x, [])],
)
def test_empty_lists_are_refused(make: Any) -> None:
    with pytest.raises(unroll.UnrollError) as caught:
        make(unroll.placeholder([2, 2], "x"))
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("reduce", [ops.reduce_sum, ops.reduce_mean, ops.reduce_max])
@pytest.mark.parametrize("axes", [[0, 0], [1, -1]])
def test_an_axis_named_twice_is_reduced_once_or_refused_while_tracing(reduce: Any, axes: list[int]) -> None:
    x = unroll.placeholder([2, 2], "x")
    try:
        result = reduce(x, axes)
    except unroll.UnrollError as error:
        assert "twice" in str(error)
        return
    assert value(result, {x: np.ones((2, 2))}).shape == (2,)


def test_sizes_that_are_no_whole_numbers_are_refused() -> None:
    x = unroll.placeholder([2, 3], "x")
    with pytest.raises(unroll.UnrollError):
        ops.reshape(x, [2.5, 3])
    with pytest.raises(unroll.UnrollError):
        ops.split(x, [1.5, 1.5], 1)


def test_an_index_outside_its_axis_at_run_time_names_the_node() -> None:
    x, i = unroll.placeholder([3], "x"), unroll.placeholder([1], "i", "int64")
    graph = unroll.Graph([x, i], ops.gather(x, i))
    assert graph.run({x: [1.0, 2.0, 3.0], i: [-1]}, "Gather").tolist() == [3.0]
    with pytest.raises(unroll.UnrollError, match="Gather") as caught:
        graph.run({x: [1.0, 2.0, 3.0], i: [3]})
    assert isinstance(caught.value, ValueError)


def test_stack_and_unstack_are_each_others_inverse() -> None:
    x = unroll.placeholder([2, 3, 4], "x")
    array = np.arange(24.0, dtype="float32").reshape(2, 3, 4)
    for axis in (0, 1, 2, -1, -3):
        pieces = ops.unstack(x, axis)
        assert len(pieces) == array.shape[axis]
        assert np.array_equal(value(ops.stack(pieces, axis), {x: array}), array)
        assert np.array_equal(value(pieces[1], {x: array}), np.take(array, 1, axis))
