"""The words people type for operators: TensorFlow's, NumPy's and PyTorch's arguments, and their orders of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import Array, refused

import unroll
from unroll import ops
from unroll.ops import spelling

ARRAY = np.arange(24.0, dtype="float32").reshape(2, 3, 4)


def computed(function: Callable[[Any], Any], array: Array = ARRAY) -> list[Any]:
    """What a function gives for a tensor of these values, as arrays."""
    x = unroll.placeholder(list(array.shape), "x", array.dtype)
    made = function(x)
    listed = list(made) if isinstance(made, (list, tuple)) else [made]
    return list(unroll.Graph([x], [*listed, ops.identity(x)]).run({x: array}, listed))


#: What is typed, and what NumPy gives.
TYPED: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "unstack(x, 3, 1)": (lambda x: ops.unstack(x, 3, 1), list(np.moveaxis(ARRAY, 1, 0))),
    "unstack(x, num=3, axis=1)": (lambda x: ops.unstack(x, num=3, axis=1), list(np.moveaxis(ARRAY, 1, 0))),
    "unstack(value=x, axis=1)": (lambda x: ops.unstack(value=x, axis=1), list(np.moveaxis(ARRAY, 1, 0))),
    "unstack(x, 1)": (lambda x: ops.unstack(x, 1), list(np.moveaxis(ARRAY, 1, 0))),
    "reduce_mean(x, axis=1)": (lambda x: ops.reduce_mean(x, axis=1), [ARRAY.mean(1)]),
    "reduce_mean(x, axes=1)": (lambda x: ops.reduce_mean(x, axes=1), [ARRAY.mean(1)]),
    "reduce_sum(x, dim=1, keepdim=True)": (
        lambda x: ops.reduce_sum(x, dim=1, keepdim=True),
        [ARRAY.sum(1, keepdims=True)],
    ),
    "reduce_max(input_tensor=x, reduction_indices=[0, 2], keep_dims=True)": (
        lambda x: ops.reduce_max(input_tensor=x, reduction_indices=[0, 2], keep_dims=True),
        [ARRAY.max((0, 2), keepdims=True)],
    ),
    "reduce_min(x, (0, 1))": (lambda x: ops.reduce_min(x, (0, 1)), [ARRAY.min((0, 1))]),
    "reduce_min(x, np.array)": (lambda x: ops.reduce_min(x, np.array([0, 1])), [ARRAY.min((0, 1))]),
    "squeeze(x[:1], axis=0)": (lambda x: ops.squeeze(x[:1], axis=0), [ARRAY[0]]),
    "squeeze(x[:1], dim=0)": (lambda x: ops.squeeze(x[:1], dim=0), [ARRAY[0]]),
    "unsqueeze(x, 1)": (lambda x: ops.unsqueeze(x, 1), [ARRAY[:, None]]),
    "unsqueeze(x, axes=[1])": (lambda x: ops.unsqueeze(x, axes=[1]), [ARRAY[:, None]]),
    "expand_dims(x, axis=-1)": (lambda x: ops.expand_dims(x, axis=-1), [ARRAY[..., None]]),
    "split(x, num_or_size_splits=2, axis=2)": (
        lambda x: ops.split(x, num_or_size_splits=2, axis=2),
        np.split(ARRAY, 2, 2),
    ),
    "split(x, [1, 3], dim=2)": (lambda x: ops.split(x, [1, 3], dim=2), np.split(ARRAY, [1], 2)),
    "split(x, np.array, axis)": (lambda x: ops.split(x, np.array([1, 3]), axis=2), np.split(ARRAY, [1], 2)),
    "concat(values=, axis=)": (lambda x: ops.concat(values=[x, x], axis=1), [np.concatenate([ARRAY, ARRAY], 1)]),
    "concat(tensors, dim=)": (lambda x: ops.concat([x, x], dim=1), [np.concatenate([ARRAY, ARRAY], 1)]),
    "stack(arrays, axis)": (lambda x: ops.stack(arrays=[x, x], axis=1), [np.stack([ARRAY, ARRAY], 1)]),
    "transpose(x, axes=)": (lambda x: ops.transpose(x, axes=[1, 0, 2]), [ARRAY.transpose(1, 0, 2)]),
    "softmax(logits=, dim=)": (
        lambda x: ops.softmax(logits=x, dim=0),
        [np.exp(ARRAY - ARRAY.max(0)) / np.exp(ARRAY - ARRAY.max(0)).sum(0)],
    ),
    "clip(x, clip_value_min=, clip_value_max=)": (
        lambda x: ops.clip(x, clip_value_min=2.0, clip_value_max=5.0),
        [ARRAY.clip(2, 5)],
    ),
    "argmax(input=, dim=)": (lambda x: ops.argmax(input=x, dim=1), [ARRAY.argmax(1)]),
    "tile(x, multiples=)": (lambda x: ops.tile(x, multiples=[1, 2, 1]), [np.tile(ARRAY, (1, 2, 1))]),
    "matmul(x=, y=)": (lambda x: ops.matmul(input=x, other=ARRAY[0].T), [ARRAY @ ARRAY[0].T]),
    "zeros": (lambda x: ops.zeros([2, 3]), [np.zeros((2, 3), "float32")]),
    "ones": (lambda x: ops.ones(ops.shape(x), "int64"), [np.ones((2, 3, 4), "int64")]),
    "range(4)": (lambda x: ops.range(4) + 0, [np.arange(4)]),
    "range(1, 10, 3)": (lambda x: ops.range(1, 10, 3) + 0, [np.arange(1, 10, 3)]),
    "range(start=, limit=, delta=)": (lambda x: ops.range(1.0, limit=2.0, delta=0.25) + 0, [np.arange(1, 2, 0.25)]),
    "slice_(x, begin=)": (lambda x: ops.slice_(x, begin=[1], ends=[3], axes=[1]), [ARRAY[:, 1:3]]),
    "for row in x": (lambda x: [row * 2 for row in x], [ARRAY[0] * 2, ARRAY[1] * 2]),
    # NumPy's own functions
    "np.dot": (lambda x: np.dot(x, ARRAY[0].T), [np.dot(ARRAY, ARRAY[0].T)]),
    "np.dot of a number": (lambda x: np.dot(x, 2.0), [ARRAY * 2]),
    "np.stack": (lambda x: np.stack([x, x], axis=1), [np.stack([ARRAY, ARRAY], 1)]),
    "np.stack with an array": (lambda x: np.stack([ARRAY, x]), [np.stack([ARRAY, ARRAY])]),
    "np.concatenate": (lambda x: np.concatenate([x, x], axis=-1), [np.concatenate([ARRAY, ARRAY], -1)]),
    "np.mean": (lambda x: np.mean(x), [ARRAY.mean()]),
    "np.mean axis": (lambda x: np.mean(x, axis=(0, 1), keepdims=True), [ARRAY.mean((0, 1), keepdims=True)]),
    "np.sum": (lambda x: np.sum(x, axis=1), [ARRAY.sum(1)]),
    "np.max": (lambda x: np.max(x, 1), [ARRAY.max(1)]),
    "np.amin": (lambda x: np.amin(x, 1), [ARRAY.min(1)]),
    "np.argmax": (lambda x: np.argmax(x), [ARRAY.argmax()]),
    "np.argmax axis": (lambda x: np.argmax(x, axis=2), [ARRAY.argmax(2)]),
    "np.split": (lambda x: np.split(x, 2, axis=2), np.split(ARRAY, 2, 2)),
    "np.split at": (lambda x: np.split(x, [1, 3], axis=2), np.split(ARRAY, [1, 3], 2)),
    "np.split from the end": (lambda x: np.split(x, [-1], axis=2), np.split(ARRAY, [-1], 2)),
    "np.squeeze": (lambda x: np.squeeze(x[:1], axis=0), [ARRAY[0]]),
    "np.expand_dims": (lambda x: np.expand_dims(x, 0), [ARRAY[None]]),
    "np.where": (lambda x: np.where(x > 3, x, 0), [np.where(ARRAY > 3, ARRAY, 0)]),
    "np.reshape": (lambda x: np.reshape(x, (4, 6)), [ARRAY.reshape(4, 6)]),
    "np.transpose": (lambda x: np.transpose(x), [ARRAY.T]),
    "np.transpose axes": (lambda x: np.transpose(x, (1, 0, 2)), [ARRAY.transpose(1, 0, 2)]),
    "np.swapaxes": (lambda x: np.swapaxes(x, 0, -1), [ARRAY.swapaxes(0, -1)]),
    "np.clip": (lambda x: np.clip(x, 2, 5), [ARRAY.clip(2, 5)]),
    "np.tile": (lambda x: np.tile(x, [1, 1, 2]), [np.tile(ARRAY, (1, 1, 2))]),
    "np.take": (lambda x: np.take(x, [2, 0], axis=1), [ARRAY.take([2, 0], 1)]),
    "np.take flat": (lambda x: np.take(x, [20, 3]), [ARRAY.take([20, 3])]),
    "np.broadcast_to": (lambda x: np.broadcast_to(x, (5, 2, 3, 4)), [np.broadcast_to(ARRAY, (5, 2, 3, 4))]),
    "np.tile, last axes": (lambda x: np.tile(x, 2), [np.tile(ARRAY, 2)]),
    "np.tile, more axes": (lambda x: np.tile(x, (2, 1, 1, 3)), [np.tile(ARRAY, (2, 1, 1, 3))]),
    "np.hstack": (lambda x: np.hstack([x, ARRAY]), [np.hstack([ARRAY, ARRAY])]),
    "np.hstack of vectors": (lambda x: np.hstack([x[0, 0], x[1, 1]]), [np.hstack([ARRAY[0, 0], ARRAY[1, 1]])]),
    "np.vstack": (lambda x: np.vstack([x, ARRAY]), [np.vstack([ARRAY, ARRAY])]),
    "np.vstack of vectors": (lambda x: np.vstack([x[0, 0], x[1, 1]]), [np.vstack([ARRAY[0, 0], ARRAY[1, 1]])]),
    "np.var": (lambda x: np.var(x), [ARRAY.var()]),
    "np.var axis": (lambda x: np.var(x, axis=1, keepdims=True), [ARRAY.var(1, keepdims=True)]),
    "np.std": (lambda x: np.std(x, (0, 2)), [ARRAY.std((0, 2))]),
    "np.flip": (lambda x: np.flip(x), [np.flip(ARRAY)]),
    "np.flip axis": (lambda x: np.flip(x, [0, -1]), [np.flip(ARRAY, (0, -1))]),
    "np.flipud": (lambda x: np.flipud(x), [np.flipud(ARRAY)]),
    "np.fliplr": (lambda x: np.fliplr(x), [np.fliplr(ARRAY)]),
    "np.moveaxis": (lambda x: np.moveaxis(x, 0, -1), [np.moveaxis(ARRAY, 0, -1)]),
    "np.moveaxis of two": (lambda x: np.moveaxis(x, [2, 0], [0, 1]), [np.moveaxis(ARRAY, [2, 0], [0, 1])]),
    "np.ravel": (lambda x: np.ravel(x), [ARRAY.ravel()]),
    "np.copy": (lambda x: np.copy(x), [ARRAY]),
    "np.full_like": (lambda x: np.full_like(x, 2.5), [np.full_like(ARRAY, 2.5)]),
    "zeros of a number": (lambda x: ops.zeros(3), [np.zeros(3)]),
    "ones of a shape": (lambda x: ops.ones(x.shape), [np.ones((2, 3, 4))]),
    "zeros of NumPy's numbers": (lambda x: ops.zeros(np.array([2, 3])), [np.zeros((2, 3))]),
    "+x": (lambda x: (+x) * 1, [ARRAY]),
    "reversed(x)": (lambda x: list(reversed(x)), [ARRAY[1], ARRAY[0]]),
    "np.zeros_like": (lambda x: np.zeros_like(x), [np.zeros_like(ARRAY)]),
    "np.ones_like": (lambda x: np.ones_like(x), [np.ones_like(ARRAY)]),
}


@pytest.mark.parametrize("typed", TYPED)
def test_what_people_type_computes_what_it_says(typed: str) -> None:
    function, wanted = TYPED[typed]
    found = computed(function)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
        assert np.shape(one) == np.shape(other)


def test_numpy_reads_the_shape_and_rank_of_a_tensor() -> None:
    x = unroll.placeholder([None, 3], "x")
    assert np.shape(x) == x.shape
    assert np.ndim(x) == 2


#: What is refused, and what the message says instead.
REFUSED: dict[str, tuple[Callable[[Any], Any], tuple[str, ...]]] = {
    "unstack, a wrong number": (lambda x: ops.unstack(x, 4, 1), ("num is 4", "axis 1", "3 slices")),
    "unstack, too many": (lambda x: ops.unstack(x, 3, 1, 1), ("unstack(x, num, axis)",)),
    "a name": (lambda x: ops.concat([x], axis=0, name="joined"), ("'name'", "unroll.scope")),
    "a misspelt keyword": (lambda x: ops.reduce_mean(x, axsi=1), ("'axsi'", "'axis'")),
    "an argument left out": (lambda x: ops.concat([x]), ("'axis'", "tensors, axis")),
    "two names for one argument": (lambda x: ops.reduce_mean(x, axis=1, dim=1), ("'dim'", "axis")),
    "one too many": (lambda x: ops.tanh(x, 1), ("tanh", "its arguments are x")),
    "a modulus": (lambda x: pow(x, 2, 3), ("modulus", "leave it out")),
    "range by 0": (lambda x: ops.range(0, 3, 0), ("step is 0",)),
    "range of 10**15": (lambda x: ops.range(10**15), ("range of 1000000000000000 numbers",)),
    "np.einsum": (lambda x: np.einsum("abc->cab", x), ("numpy.einsum", "unroll.keras.ops.einsum")),
    "np.sort": (lambda x: np.sort(x), ("numpy.sort", "unroll.ops", "run(feeds)")),
    "np.std, ddof": (lambda x: np.std(x, ddof=1), ("ddof=1", "unroll.ops")),
    "np.moveaxis of unequal": (lambda x: np.moveaxis(x, [0, 1], [0]), ("2 axes", "1 places")),
    "zeros of None": (lambda x: ops.zeros([None, 3]), ("shape", "entry 0 is None", "unroll.ops.shape(x)")),
    "zeros of a symbol": (
        lambda x: ops.zeros(unroll.placeholder([None, 3], "n").shape), ("entry 0 is the symbol batch", "unroll.ops.shape(x)"),
    ),
    "ones of a string": (lambda x: ops.ones([2, "3"]), ("entry 1 is '3' of type str", "an int is wanted")),
    "reshape to None": (lambda x: ops.reshape(x, [None, 4]), ("reshape: shape", "entry 0 is None", "-1 stands for")),
    "a number as a string": (lambda x: unroll.placeholder([None, "3"], "n"), ("'3' on axis 1", "write the number, 3")),
    "np.linalg.inv": (lambda x: np.linalg.inv(x), ("numpy.inv", "unroll.ops")),
    "np.mean(where=)": (lambda x: np.mean(x, where=x > 0), ("numpy.mean", "where", "unroll.ops")),
    "np.sum(out=)": (lambda x: np.sum(x, out=np.zeros(())), ("numpy.sum", "out", "unroll.ops")),
    "np.dot of 3 axes": (lambda x: np.dot(x, x), ("numpy.dot", "unroll.ops.matmul")),
    "np.split of what is not known": (
        lambda x: np.split(unroll.placeholder([None], "n"), [1]),
        ("numpy.split", "no known size", "unroll.ops.split"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_not_here_is_refused_with_what_is(typed: str) -> None:
    function, fragments = REFUSED[typed]
    refused(lambda: function(unroll.placeholder([2, 3, 4], "x")), Exception, *fragments)


def test_every_function_knows_the_words_for_its_arguments() -> None:
    """No function takes an argument under another name than the others do."""
    others = {other for name, words in spelling.WORDS.items() for other in words if name in ("axis", "keepdims")}
    for name in ops.__all__:
        item = getattr(ops, name)
        taken = set(getattr(getattr(item, "__wrapped__", None), "__annotations__", {}))
        assert not taken & others, name


def test_a_function_of_the_face_is_still_itself() -> None:
    assert ops.concat.__name__ == "concat"
    assert ops.concat.__doc__
    assert "axis" in ops.concat.__annotations__
