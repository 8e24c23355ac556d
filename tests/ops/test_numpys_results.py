"""What NumPy's functions give for tensors is what they give for arrays, in dtype and values, or it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll.errors import DTypeError, ShapeError, UnsupportedError
from unroll.ops.numpy_functions import _FUNCTIONS

DTYPES = ("float16", "float32", "float64", "int32", "int64", "bool")
SHAPES = ((3, 4), (4, 3), (4,), ())
#: How each function is called on an array of a dtype and others of the same; None for what it is not called with.
CALLS: dict[str, list[Callable[..., Any]]] = {
    name: [
        lambda x, y, f=function: f(x),
        lambda x, y, f=function: f(x, axis=1),
        lambda x, y, f=function: f(x, axis=-1, keepdims=True),
        lambda x, y, f=function: f(x, axis=(0, 1)),
        lambda x, y, f=function: f(x, axis=()),
        lambda x, y, f=function: f(x, 0),
        lambda x, y, f=function: f(x, 2),
    ]
    for name, function in (
        ("amax", np.amax), ("amin", np.amin), ("max", np.max), ("min", np.min), ("mean", np.mean), ("sum", np.sum),
        ("argmax", np.argmax),
    )
}  # fmt: skip
CALLS |= {
    "broadcast_to": [
        lambda x, y, shape=shape: np.broadcast_to(x, shape)
        for shape in ((3, 4), (2, 3, 4), (1, 4), (4,), (3, 1), (1, 1, 4), (1, 3, 4), (4, 3), 4, (), (0, 4))
    ]
    + [lambda x, y: np.broadcast_to(x[:1], (3, 4)), lambda x, y: np.broadcast_to(x[:1], 3)],
    "clip": [
        lambda x, y: np.clip(x, -1, 1),
        lambda x, y: np.clip(x, 2, -2),
        lambda x, y: np.clip(x, 0.5, 1.5),
        lambda x, y: np.clip(x, None, 1),
        lambda x, y: np.clip(x, min=0),
        lambda x, y: np.clip(x, float("nan"), 1),
        lambda x, y: np.clip(x, y, 1),
    ],
    "concatenate": [
        lambda x, y: np.concatenate([x, y]),
        lambda x, y: np.concatenate((x, y), axis=-1),
        lambda x, y: np.concatenate([x, y], axis=None),
        lambda x, y: np.concatenate([x, y], axis=2),
        lambda x, y: np.concatenate([x, y[0]]),
        lambda x, y: np.concatenate(x),
    ],
    "dot": [
        lambda x, y: np.dot(x, y.T if isinstance(y, np.ndarray) else np.transpose(y)),
        lambda x, y: np.dot(x, y[0]),
        lambda x, y: np.dot(x[0], y[0]),
        lambda x, y: np.dot(x[0, 2], y),
        lambda x, y: np.dot(x, y[0, 3]),
        lambda x, y: np.dot(x, y),
    ],
    "expand_dims": [lambda x, y, axis=axis: np.expand_dims(x, axis) for axis in (0, -1, (0, 2), 5)],
    "ndim": [lambda x, y: np.ndim(x)],
    "ones_like": [lambda x, y: np.ones_like(x), lambda x, y: np.ones_like(x, dtype="int32")],
    "zeros_like": [lambda x, y: np.zeros_like(x), lambda x, y: np.zeros_like(x, "float64")],
    "reshape": [
        lambda x, y, shape=shape: np.reshape(x, shape)
        for shape in ((4, 3), -1, 12, (2, -1), (-1, 3, 1), (0, -1), (0, 4), (3, 0), (5, -1), (-2, 6), (-1, -1), ())
    ],
    "shape": [lambda x, y: np.shape(x)],
    "split": [
        lambda x, y, cut=cut, axis=axis: np.split(x, cut, axis)
        for cut, axis in ((3, 0), (2, 1), (3, 1), ([1], 0), ([1, 3], -1), ([0, 9], 1), ([-1], 1), ([2, 1], 1), ([], 0))
    ],
    "squeeze": [
        lambda x, y: np.squeeze(x),
        lambda x, y: np.squeeze(x[:, :1]),
        lambda x, y: np.squeeze(x[:1], 0),
        lambda x, y: np.squeeze(x[:1], axis=(0,)),
        lambda x, y: np.squeeze(x, 0),
    ],
    "stack": [lambda x, y, axis=axis: np.stack([x, y], axis) for axis in (0, 1, -1, 2, 3)] + [lambda x, y: np.stack(x)],
    "swapaxes": [lambda x, y: np.swapaxes(x, 0, 1), lambda x, y: np.swapaxes(x, -1, 1), lambda x, y: np.swapaxes(x, 0, 2)],
    "take": [
        lambda x, y: np.take(x, [0, 2], axis=0),
        lambda x, y: np.take(x, [[3, -1]], 1),
        lambda x, y: np.take(x, 7),
        lambda x, y: np.take(x, [0, 9], axis=0),
        lambda x, y: np.take(x, [0.5], axis=0),
        lambda x, y: np.take(x, [9], axis=0, mode="wrap"),
    ],
    "tile": [lambda x, y, reps=reps: np.tile(x, reps) for reps in (2, (2, 1), (1, 2, 1), (0, 1), np.int64(2), (-1, 2))]
    + [lambda x, y: np.tile(x[0], 2)],
    "transpose": [
        lambda x, y: np.transpose(x),
        lambda x, y: np.transpose(x, (1, 0)),
        lambda x, y: np.transpose(x, [0, -1]),
        lambda x, y: np.transpose(x, (0, 0)),
        lambda x, y: np.transpose(x, (0,)),
    ],
    "copy": [lambda x, y: np.copy(x)],
    "flip": [lambda x, y, axis=axis: np.flip(x, axis) for axis in (None, 0, -1, (0, 1), (), 2)],
    "fliplr": [lambda x, y: np.fliplr(x)],
    "flipud": [lambda x, y: np.flipud(x)],
    "full_like": [lambda x, y, fill=fill: np.full_like(x, fill) for fill in (0, 1, 2.5, True, -1, float("nan"))]
    + [lambda x, y: np.full_like(x, 2.5, "float64")],
    "hstack": [
        lambda x, y: np.hstack([x, y]),
        lambda x, y: np.hstack((x[0], y[1])),
        lambda x, y: np.hstack([x, y[0]]),
        lambda x, y: np.hstack([x[0, 0], y[0, 0]]),
    ],
    "vstack": [
        lambda x, y: np.vstack([x, y]),
        lambda x, y: np.vstack((x[0], y[1])),
        lambda x, y: np.vstack([x, y[0]]),
        lambda x, y: np.vstack([x[0, 0], y[0, 0]]),
    ],
    "moveaxis": [
        lambda x, y, source=source, to=to: np.moveaxis(x, source, to)
        for source, to in ((0, 1), (-1, 0), ([0, 1], [1, 0]), (0, [0, 1]), ([0, 0], [0, 1]), (0, 2))
    ],
    "ravel": [lambda x, y: np.ravel(x), lambda x, y: np.ravel(x, "F")],
    "repeat": [
        lambda x, y, count=count, axis=axis: np.repeat(x, count, axis)
        for count, axis in ((2, 0), (3, -1), (2, None), (0, 1), ([1, 2, 0], 0), (-1, 0), (2, 2))
    ],
    "roll": [
        lambda x, y, shift=shift, axis=axis: np.roll(x, shift, axis)
        for shift, axis in ((1, 0), (-1, 1), (5, None), (0, 0), ((1, 1), (0, 1)), (2.0, 0), (1, 2))
    ],
    **{
        name: [
            lambda x, y, f=function: f(x),
            lambda x, y, f=function: f(x, 1),
            lambda x, y, f=function: f(x[1:], 0, keepdims=True),
            lambda x, y, f=function: f(x, ddof=1),
        ]
        for name, function in (("std", np.std), ("var", np.var))
    },
    "where": [
        lambda x, y: np.where(np.equal(x, y), x, y),
        lambda x, y: np.where(np.equal(x, y), x, 0),
        lambda x, y: np.where(np.equal(x, y), x, 0.5),
        lambda x, y: np.where(np.equal(x, y), 1.0, 0.0),
        lambda x, y: np.where(np.equal(x, y), 1, 0.0),
        lambda x, y: np.where(np.equal(x, y), 1, 0),
        lambda x, y: np.where(np.equal(x, y), True, False),
        lambda x, y: np.where(np.equal(x, y), True, np.float32(2)),
        lambda x, y: np.where(np.equal(x, y), [[1], [2], [3]], 2.5),
        lambda x, y: np.where(x, x, y),
        lambda x, y: np.where(x),
    ],
}  # fmt: skip
OPERANDS: dict[str, Callable[[Any, Any], Any]] = {
    "2": lambda x, y: 2, "-2": lambda x, y: -2, "2.5": lambda x, y: 2.5, "True": lambda x, y: True, "y": lambda x, y: y,
    "x": lambda x, y: x, "row of y": lambda x, y: y[0], "turned y": lambda x, y: np.transpose(y), "0.0": lambda x, y: 0.0,
}  # fmt: skip


def ufuncs() -> list[np.ufunc]:
    """NumPy's ufuncs that some tensors may be called with."""
    taken, tensors = [], [unroll.placeholder([3, 3], "x", dtype) for dtype in ("float32", "int64", "bool")]
    for item in {id(item): item for item in vars(np).values() if isinstance(item, np.ufunc)}.values():
        for tensor in tensors:
            try:
                item(*[tensor] * item.nin)
            except (unroll.UnrollError, TypeError):
                continue
            taken.append(item)
            break
    return taken


for _ufunc in ufuncs():
    CALLS[_ufunc.__name__] = (
        [lambda x, y, f=_ufunc: f(x)]
        if _ufunc.nin == 1
        else [lambda x, y, f=_ufunc, other=other: f(x, other(x, y)) for other in OPERANDS.values()]
        + [lambda x, y, f=_ufunc, other=other: f(other(x, y), x) for other in OPERANDS.values()]
    )


def values(dtype: str, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    array = rng.integers(-3, 4, (3, 4)) if dtype != "bool" else rng.random((3, 4)) < 0.5
    array = array.astype(dtype)
    if array.dtype.kind == "f":
        array += rng.choice([0, 0.25], (3, 4)).astype(dtype)
        array.reshape(-1)[[1, 5, 7]] = np.nan, np.inf, -0.0
    return array


def flat(found: Any) -> Iterator[Any]:
    yield from found if isinstance(found, (list, tuple)) else [found]


def ours(call: Callable[..., Any], arrays: list[Any]) -> Any:
    """What a call gives for tensors; a string where it is refused."""
    tensors = [unroll.placeholder(array.shape, f"x{at}", array.dtype) for at, array in enumerate(arrays)]
    try:
        found = call(*tensors)
        if not isinstance(found, unroll.tensor.Tensor) and not (
            isinstance(found, list) and all(isinstance(item, unroll.tensor.Tensor) for item in found)
        ):
            return found
        graph = unroll.Graph(tensors, found)
        made = graph.run({tensor.name: array for tensor, array in zip(tensors, arrays, strict=True)})
        return [made[name] for name in graph.output_names]
    except unroll.UnrollError as error:
        return str(error)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_function_gives_what_numpy_gives_or_is_refused(name: str, dtype: str) -> None:
    arrays = [values(dtype, seed) for seed in (0, 1)]
    for at, call in enumerate(CALLS[name]):
        found = ours(call, arrays)
        if isinstance(found, str):
            continue
        with np.errstate(all="ignore"):
            wanted = call(*arrays)
        found, wanted = list(flat(found)), list(flat(wanted))
        assert len(found) == len(wanted), (name, at)
        for one, other in zip(found, wanted, strict=True):
            assert np.asarray(one).dtype == np.asarray(other).dtype, (name, at, dtype)
            assert np.shape(one) == np.shape(other), (name, at, dtype)
            np.testing.assert_array_equal(one, other, err_msg=f"{name} {at}")
            if name == "dot":
                continue  # a sum that starts from 0.0 has no -0.0
            signs = [np.signbit(item) & (np.asarray(item) == 0) for item in (one, other)]
            np.testing.assert_array_equal(*signs, err_msg=f"{name} {at}: -0.0")


def test_every_function_that_takes_tensors_is_tried_and_is_not_always_refused() -> None:
    assert {function.__name__ for function in _FUNCTIONS} <= set(CALLS)
    for name, calls in CALLS.items():
        arrays = [[values(dtype, seed) for seed in (0, 1)] for dtype in DTYPES]
        assert any(not isinstance(ours(call, pair), str) for call in calls for pair in arrays), name


@pytest.mark.parametrize("name", [ufunc.__name__ for ufunc in ufuncs() if ufunc.nin == 2] + ["concatenate", "dot"])
def test_tensors_of_two_dtypes_give_numpys_dtype_or_are_refused(name: str) -> None:
    function = getattr(np, name)
    for left in DTYPES:
        for right in set(DTYPES) - {left}:
            arrays = [np.ones((3, 3), left), np.ones((3, 3), right)]
            call = (lambda x, y: function([x, y])) if name == "concatenate" else function
            found = ours(call, arrays)
            assert isinstance(found, str) or found[0].dtype == call(*arrays).dtype, (name, left, right)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_what_numpy_divides_to_floats_says_what_there_is(dtype: str) -> None:
    x = unroll.placeholder([3], "x", dtype)
    for call in (lambda: np.divide(x, x), lambda: np.true_divide(x, 2), lambda: np.array([6, 6, 6]) / x):
        refused(call, DTypeError, "numpy.divide", f"is float64, and unroll.ops.div gives {dtype}", "unroll.ops.cast")
    refused(lambda: np.power(x, -1), UnsupportedError, "numpy.power", "negative power")
    refused(lambda: np.power(x, 0.5), DTypeError, "numpy.power", "is float64")


def test_arrays_and_lists_beside_a_tensor_take_its_dtype() -> None:
    x = unroll.placeholder([3], "x")
    made = [
        np.ones(3) + x,
        np.maximum(x, [1, 2, 3]),
        np.float64(2) * x,
        np.concatenate([x, np.ones(3)]),
        np.dot(x, 2.0),
    ]
    assert {item.dtype for item in made} == {np.dtype("float32")}


def test_a_shape_that_is_broadcast_to_is_the_one_that_comes_of_it() -> None:
    x, row = unroll.placeholder([None, 4], "x"), unroll.placeholder([1, 4], "row")
    refused(lambda: np.broadcast_to(x, (1, 4)), ShapeError, "numpy.broadcast_to", "does not broadcast to (1, 4)")
    graph = unroll.Graph([x, row], {"a": np.broadcast_to(x, (3, 4)), "b": np.broadcast_to(row, unroll.ops.shape(x))})
    found = graph.run({"x": np.ones((3, 4)), "row": np.ones((1, 4))})
    assert found["a"].shape == found["b"].shape == (3, 4)
    with pytest.raises(unroll.UnrollError, match="3 is wanted"):
        graph.run({"x": np.ones((1, 4)), "row": np.ones((1, 4))})


def test_an_axis_of_a_symbolic_size_is_not_taken_for_one_of_size_1() -> None:
    assert np.squeeze(unroll.placeholder([None, 1], "x")).rank == 1
    refused(lambda: np.split(unroll.placeholder([None, 4], "x"), [1]), ShapeError, "numpy.split", "no known size")
