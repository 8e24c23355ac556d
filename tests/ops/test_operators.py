"""Every operator: its NumPy meaning, inferred shape and dtype are ONNX's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from helpers import Array, run_reference
from operator_cases import DTYPES, NUMBERS, Case, cases_of, model_of

import unroll
from unroll import ops

TOLERANCE = {"float16": 4e-3, "float32": 2e-6, "float64": 1e-12}
#: onnx's evaluator approximates the error function; ours is held against math.erf below.
COARSE = {"Erf": 2e-7}
PAIRS = [(op, dtype) for op, dtypes in DTYPES.items() for dtype in dtypes]


def value(tensor: Any, feeds: dict[Any, Any] | None = None) -> Array:
    """The value of a tensor whose graph has no inputs but those fed."""
    return unroll.Graph(list(feeds or {}), tensor).run(feeds or {}, tensor)


def trace(case: Case) -> tuple[list[unroll.Tensor], list[Array]]:
    tensors = [unroll.placeholder(list(a.shape), f"x{i}", a.dtype) for i, a in enumerate(case.arrays)]
    outputs = case.call(*tensors)
    listed = list(outputs) if isinstance(outputs, tuple) else [outputs]
    graph = unroll.Graph(tensors, listed)
    assert [node.op.name for node in graph.nodes] == [case.op], "the program is more than the one node"
    return listed, graph.run(dict(zip(tensors, case.arrays, strict=True)), listed)


def difference(seen: Array, wanted: Array, op: str) -> str:
    if seen.shape != wanted.shape or seen.dtype != wanted.dtype:
        return f"{seen.dtype}{seen.shape} is not ONNX's {wanted.dtype}{wanted.shape}"
    if seen.dtype.kind == "f":
        tolerance = max(TOLERANCE[str(seen.dtype)], COARSE.get(op, 0.0))
        agree = np.allclose(seen, wanted, rtol=tolerance, atol=tolerance, equal_nan=True)
    else:
        agree = np.array_equal(seen, wanted)
    return "" if agree else f"{seen.tolist()} is not ONNX's {wanted.tolist()}"


def test_every_operator_has_cases_for_every_dtype_it_takes() -> None:
    assert {name for _, name in ops.OPERATORS} == set(DTYPES)
    for (_, name), operator in ops.OPERATORS.items():
        first = operator.signature.types[operator.signature.slots[0].type]
        assert tuple(map(str, first)) == DTYPES[name], name
    for op, dtype in PAIRS:
        assert len(cases_of(op, dtype)) >= 4, op


@pytest.mark.parametrize(("op", "dtype"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_numpy_meaning_shape_and_dtype_are_those_of_onnxs_reference_evaluator(op: str, dtype: str) -> None:
    problems = []
    for case in cases_of(op, dtype):
        try:
            tensors, seen = trace(case)
        except TypeError as error:
            problems.append(f"{case.id}: {error}")
            continue
        wanted = run_reference(*model_of(op, [*case.arrays, *case.extra], case.attributes, len(seen)))
        for tensor, array, reference in zip(tensors, seen, wanted, strict=True):
            if (tensor.shape, tensor.dtype) != (reference.shape, reference.dtype):
                problems.append(f"{case.id}: inferred {tensor}, ONNX gives {reference.dtype}{reference.shape}")
            if found := difference(array, reference, op):
                problems.append(f"{case.id}: {found}")
    assert not problems, "\n".join(problems)


# -- by hand ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integers_divide_towards_zero(dtype: str) -> None:
    a, b = np.array([7, -7, 7, -7, 6, -6, 0], dtype), np.array([2, 2, -2, -2, 3, 3, -5], dtype)
    result = value(unroll.constant(a) / unroll.constant(b))
    assert result.dtype == dtype
    assert result.tolist() == [3, -3, -3, 3, 2, -2, 0]


def test_an_integer_divided_by_zero_is_an_error_as_in_onnxruntime() -> None:
    n = unroll.placeholder([2], "n", "int32")
    graph = unroll.Graph([n], n / 0)
    with pytest.raises(unroll.UnrollError, match="Div"):
        graph.run({n: [1, -2]})


def test_a_float_divided_by_zero_is_infinite_without_a_warning() -> None:
    assert value(unroll.constant([1.0, -1.0]) / 0.0).tolist() == [math.inf, -math.inf]


def test_sigmoid_and_softplus_do_not_overflow_at_large_values() -> None:
    x = unroll.constant(np.array([-1000.0, 0.0, 1000.0], "float32"))
    assert value(ops.sigmoid(x)).tolist() == [0.0, 0.5, 1.0]
    assert value(ops.softplus(x)) == pytest.approx([0.0, math.log(2), 1000.0])


def test_the_error_function_is_pythons_own_to_the_last_bits_of_float64() -> None:
    points = [-4.0, -1.5, -0.1, 0.0, 1e-9, 0.5, 2.0, 6.0]
    np.testing.assert_allclose(
        value(ops.erf(unroll.constant(np.array(points)))), [math.erf(x) for x in points], rtol=1e-15
    )


def test_a_convolution_is_the_sum_by_hand() -> None:
    x, kernel = np.arange(12.0).reshape(1, 1, 3, 4), np.array([[[[1.0, 0.0], [0.0, -1.0]]]])
    seen = value(ops.conv(unroll.constant(x), unroll.constant(kernel), padding="same"))
    # x[i, j] - x[i + 1, j + 1], zeros beyond the last row and column, where "same" pads an even kernel
    wanted = [[-5.0, -5.0, -5.0, 3.0], [-5.0, -5.0, -5.0, 7.0], [8.0, 9.0, 10.0, 11.0]]
    assert seen.tolist() == [[wanted]]


def test_softsign_of_a_scalar_is_a_scalar() -> None:
    assert value(ops.softsign(unroll.constant(-3.0))).tolist() == -0.75


def test_softmax_does_not_overflow_at_large_values() -> None:
    x = unroll.constant(np.array([1000.0, 1000.0], "float32"))
    assert value(ops.softmax(x)).tolist() == [0.5, 0.5]
    assert value(ops.log_softmax(x)) == pytest.approx([-math.log(2)] * 2)


def test_square_roots_and_logarithms_below_zero_are_nan() -> None:
    x = unroll.constant([-1.0, 4.0])
    assert np.isnan(value(ops.sqrt(x))[0]) and value(ops.sqrt(x))[1] == 2.0
    assert np.isnan(value(ops.log(x))[0])


def test_hard_sigmoid_of_one_is_onnxs_by_default_and_keras_3s_where_asked() -> None:
    x = unroll.constant([1.0, -9.0, 9.0])
    assert value(ops.hard_sigmoid(x)) == pytest.approx([0.7, 0.0, 1.0])
    assert value(ops.hard_sigmoid(x, alpha=1 / 6)) == pytest.approx([2 / 3, 0.0, 1.0])


@pytest.mark.parametrize("base", NUMBERS)
@pytest.mark.parametrize("exponent", NUMBERS)
def test_pow_has_the_dtype_of_its_base(base: str, exponent: str) -> None:
    result = ops.pow(unroll.constant(np.array([2, 3], base)), unroll.constant(np.array([3, 2], exponent)))
    assert result.dtype == base
    assert value(result).tolist() == [8, 9]
    assert value(result).dtype == base


def test_pow_of_a_plain_number_takes_the_dtype_of_the_tensor() -> None:
    x = unroll.placeholder([2], "x", "float16")
    assert (x**2).dtype == (2**x).dtype == "float16"
    assert value(x**0.5, {x: [4.0, 9.0]}).tolist() == [2.0, 3.0]
    assert value(2**x, {x: [3.0, 0.0]}).tolist() == [8.0, 1.0]
    whole = unroll.placeholder([2], "n", "int32")
    assert value(whole**2, {whole: [-3, 4]}).tolist() == [9, 16]


def test_clip_without_bounds_changes_nothing() -> None:
    x = unroll.placeholder([3], "x")
    assert value(ops.clip(x), {x: [-9.0, 0.0, 9.0]}).tolist() == [-9.0, 0.0, 9.0]


def test_cast_drops_the_fraction_and_booleans_are_what_is_not_zero() -> None:
    x = unroll.constant([-1.7, -0.2, 0.0, 1.7])
    assert value(ops.cast(x, "int32")).tolist() == [-1, 0, 0, 1]
    assert value(ops.cast(x, "bool")).tolist() == [True, True, False, True]
    assert value(ops.cast(unroll.constant([True, False]), "float16")).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("alpha", [0.5, 1.5])
def test_gemm_of_integers_scales_as_onnx_does_or_refuses(alpha: float) -> None:
    a, b = np.array([[2, 4]]), np.array([[1], [1]])
    try:
        seen = value(ops.gemm(unroll.constant(a), unroll.constant(b), alpha=alpha))
    except unroll.UnrollError:
        return
    assert seen.tolist() == [[6 * alpha]]


def test_tiling_repeats_each_axis_and_keeps_what_is_not_known() -> None:
    x = unroll.constant(np.array([[1, 2], [3, 4]]))
    assert value(ops.tile(x, [2, 3])).tolist() == [[1, 2, 1, 2, 1, 2], [3, 4, 3, 4, 3, 4]] * 2
    rows = unroll.placeholder([None, 2], "rows")
    assert list(map(str, ops.tile(rows, [3, 2]).shape)) == ["3*batch", "4"]
    for wrong in ([2], [1, 2, 3], [1, -1]):
        with pytest.raises(unroll.errors.ShapeError, match="repeats"):
            ops.tile(x, wrong)


def test_reversing_turns_each_row_round_up_to_its_length() -> None:
    x = unroll.constant(np.arange(8).reshape(2, 4))
    turned = ops.reverse_sequence(x, np.array([3, 0]), batch_axis=0, time_axis=1)
    assert value(turned).tolist() == [[2, 1, 0, 3], [4, 5, 6, 7]]
    assert value(ops.reverse_sequence(x, np.array([2, 1, 2, 0]))).tolist() == [[4, 1, 6, 3], [0, 5, 2, 7]]
    with pytest.raises(unroll.errors.ArgumentError, match="batch_axis 2"):
        ops.reverse_sequence(x, np.array([1, 1]), batch_axis=2)
    with pytest.raises(unroll.errors.ShapeError, match="sequence_lens"):
        ops.reverse_sequence(x, np.array([1, 1, 1]))


def test_the_smallest_element_is_found_along_axes() -> None:
    x = unroll.constant(np.array([[3, -1], [2, 7]]))
    assert value(ops.reduce_min(x, 0)).tolist() == [2, -1]
    assert value(ops.reduce_min(x, [1], keepdims=True)).tolist() == [[-1], [2]]


def test_the_mean_of_integers_is_an_integer_rounded_towards_zero() -> None:
    assert value(ops.reduce_mean(unroll.constant([3, 4]))).tolist() == 3
    assert value(ops.reduce_mean(unroll.constant([-3, -4]))).tolist() == -3


def test_reshape_computes_one_size_and_keeps_others() -> None:
    x = unroll.constant(np.arange(24).reshape(2, 3, 4))
    assert value(ops.reshape(x, [0, -1])).tolist() == np.arange(24).reshape(2, 12).tolist()
    assert value(ops.reshape(x, [-1])).tolist() == list(range(24))
    assert ops.reshape(x, [4, 0, -1]).shape == (4, 3, 2)


INDICES = (
    0,
    -1,
    np.int64(1),
    slice(None),
    slice(1, None),
    slice(None, -1),
    slice(-2, None),
    slice(None, None, -1),
    slice(3, None, -2),
    slice(10, 0, -1),
    slice(2, 2),
    slice(-100, 100),
    (0, 1),
    (slice(1, 3), 2),
    (slice(None), None),
    (None, -1),
    (..., 0),
    (..., slice(None, 1)),
    (1, ..., -1),
    (slice(None, None, 2), slice(None, None, -1), slice(0, 1)),
    (..., None),
    (None, ..., 1, None),
    (),
)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indexing_is_numpys(index: Any) -> None:
    array = np.arange(60.0, dtype="float32").reshape(5, 4, 3)
    x = unroll.placeholder([5, 4, 3], "x")
    result = x[index]
    assert result.shape == array[index].shape
    assert np.array_equal(value(result, {x: array}), array[index])


# -- what may stand beside a tensor -----------------------------------------------------------------------------------


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
