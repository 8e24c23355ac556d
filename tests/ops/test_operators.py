"""Every operator: its NumPy meaning, inferred shape and dtype are ONNX's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import Array, run_reference
from operator_cases import DTYPES, NUMBERS, Case, cases_of, model_of
from operator_values import value

import unroll
from unroll import ops
from unroll.export.support import kernels_of
from unroll.export.verifying.known_faults import REFERENCE, why_aside

TOLERANCE = {"float16": 4e-3, "float32": 2e-6, "float64": 1e-12}
#: onnx's evaluator approximates the error function; ours is held against math.erf below.
COARSE = {"Erf": 2e-7}
PAIRS = [(op, dtype) for op, dtypes in DTYPES.items() for dtype in dtypes]
#: Those that the evaluator has, in an older version than 1.23; the error function of float64 is merely coarse there.
LACKS = kernels_of("reference", onnx.__version__).lacks
TRIED = [(op, dtype) for op, dtype in PAIRS if op == "Erf" or dtype not in LACKS.get(op, ())]


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


@pytest.mark.parametrize(("op", "dtype"), TRIED, ids=["-".join(pair) for pair in TRIED])
def test_numpy_meaning_shape_and_dtype_are_those_of_onnxs_reference_evaluator(op: str, dtype: str) -> None:
    problems = []
    for case in cases_of(op, dtype):
        try:
            tensors, seen = trace(case)
        except TypeError as error:
            problems.append(f"{case.id}: {error}")
            continue
        model, feeds = model_of(op, [*case.arrays, *case.extra], case.attributes, len(seen))
        if why_aside(model, REFERENCE):  # an older one, in a few attributes
            continue
        wanted = run_reference(model, feeds)
        for tensor, array, reference in zip(tensors, seen, wanted, strict=True):
            if (tensor.shape, tensor.dtype) != (reference.shape, reference.dtype):
                problems.append(f"{case.id}: inferred {tensor}, ONNX gives {reference.dtype}{reference.shape}")
            if found := difference(array, reference, op):
                problems.append(f"{case.id}: {found}")
    assert not problems, "\n".join(problems)


# -- by hand -----------------------------------------------------------------------------------------------------------


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
