"""The functions of ``keras.ops``: NumPy's numbers, on tensors and on symbolic tensors of a model alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unroll
from unroll import keras
from unroll.errors import ShapeError

k = keras.ops
X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


def softmax(x: Any) -> Any:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


KERNEL = np.random.default_rng(1).normal(size=(2, 4, 5)).astype("float32")
HOT = np.eye(4, dtype="float32")[[0, 2, 3]]


def convolved(x: Any) -> Any:
    return np.stack([np.einsum("btc,tcf->bf", x[:, at : at + 2], KERNEL) for at in range(2)], 1)


#: A program of ``keras.ops``, and NumPy's.
PROGRAMS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "argmax": (lambda x: k.cast(k.argmax(x, axis=1), "float32"), lambda x: np.argmax(x, axis=1)),
    "argmin": (
        lambda x: k.cast(k.argmin(x, axis=1) + k.argmin(x) + k.size(x), "float32") + k.ceil(x[:, 0]),
        lambda x: np.argmin(x, axis=1) + np.argmin(x) + x.size + np.ceil(x[:, 0]),
    ),
    "argmax of all": (lambda x: k.cast(k.argmax(x[0]), "float32"), lambda x: np.argmax(x[0])),
    "choices": (
        lambda x: k.where(k.logical_or(k.less(x, -0.5), k.greater_equal(x, 1)), k.zeros_like(x), x),
        lambda x: np.where((x < -0.5) | (x >= 1), 0, x),
    ),
    "dot": (lambda x: k.dot(x, k.transpose(x[0], (1, 0))), lambda x: np.dot(x, x[0].T)),
    "elementwise": (
        lambda x: k.power(k.abs(x), 1.5) + k.rsqrt(k.square(x) + 1) - k.log1p(k.exp(x)) * k.reciprocal(2 + k.tanh(x)),
        lambda x: np.abs(x) ** 1.5 + 1 / np.sqrt(x**2 + 1) - np.log1p(np.exp(x)) / (2 + np.tanh(x)),
    ),
    "contractions": (
        lambda x: k.einsum("btd,de->bte", x, k.transpose(x[0, :2])),
        lambda x: np.einsum("btd,de->bte", x, x[0, :2].T),
    ),
    "conv": (lambda x: k.conv(x, KERNEL, padding="VALID"), convolved),
    "crossentropy of labels": (
        lambda x: k.binary_crossentropy(HOT, x, from_logits=True) + k.binary_crossentropy(HOT, k.sigmoid(x)),
        lambda x: -2 * (HOT * np.log(sigmoid(x)) + (1 - HOT) * np.log(1 - sigmoid(x))),
    ),
    "crossentropy of classes": (
        lambda x: (
            k.categorical_crossentropy(HOT, x, from_logits=True) + k.categorical_crossentropy(HOT, 3 * k.softmax(x))
        ),
        lambda x: -2 * (HOT * np.log(softmax(x))).sum(-1),
    ),
    "crossentropy of ids": (
        lambda x: (
            k.sparse_categorical_crossentropy([0, 2, 3], x, from_logits=True)
            + k.sparse_categorical_crossentropy([0, 2, 3], k.softmax(x))
        ),
        lambda x: -2 * (HOT * np.log(softmax(x))).sum(-1),
    ),
    "divisions": (
        lambda x: k.floor_divide(x, 0.3) + k.mod(x, -0.7) + k.cast(k.mod(k.cast(4 * x, "int32"), 3), "float32"),
        lambda x: x // 0.3 + x % np.float32(-0.7) + (4 * x).astype(int) % 3,
    ),
    "flip": (lambda x: k.flip(x, axis=(0, -1)), lambda x: x[::-1, :, ::-1]),
    "leaky": (lambda x: k.leaky_relu(x), lambda x: np.where(x > 0, x, 0.2 * x)),
    "limits": (lambda x: k.clip(k.maximum(x, -1.0), x_min=-0.7, x_max=0.7), lambda x: np.clip(x, -0.7, 0.7)),
    "one_hot": (
        lambda x: k.one_hot(k.cast(k.clip(x[0] + 1, 0, 3), "int32"), 4, axis=0),
        lambda x: np.moveaxis(np.eye(4)[np.clip(x[0] + 1, 0, 3).astype(int)], -1, 0),
    ),
    "products": (
        lambda x: k.prod(x, axis=(1, 2)) + k.sum(k.prod(x, axis=1, keepdims=True)) + k.tensordot(x, x, 3),
        lambda x: x.prod((1, 2)) + x.prod(1, keepdims=True).sum() + np.tensordot(x, x, 3),
    ),
    "pools": (
        lambda x: k.max_pool(x, 2, strides=1) + k.average_pool(x, 2, 1, data_format="channels_last"),
        lambda x: np.maximum(x[:, :2], x[:, 1:]) + (x[:, :2] + x[:, 1:]) / 2,
    ),
    "powers": (
        lambda x: k.logsumexp(50 * x, axis=-1) + k.logsumexp(x) + k.sum(k.log_sigmoid(x), axis=-1),
        lambda x: np.log(np.exp(50.0 * x).sum(-1)) + np.log(np.exp(x).sum()) - np.log1p(np.exp(-x)).sum(-1),
    ),
    "repeat": (lambda x: k.repeat(x, 2, axis=1), lambda x: np.repeat(x, 2, axis=1)),
    "shapes": (
        lambda x: k.squeeze(k.reshape(k.swapaxes(k.expand_dims(x, 1), 2, 3), (2, 1, 12)), axis=1),
        lambda x: x.swapaxes(1, 2).reshape(2, 12),
    ),
    "softmax": (lambda x: k.softmax(x) + k.log_softmax(x), lambda x: softmax(x) + np.log(softmax(x))),
    "spread": (
        lambda x: k.std(x, axis=(0, 1)) + k.var(x, axis=1, keepdims=True),
        lambda x: x.std((0, 1)) + x.var(1, keepdims=True),
    ),
    "split at": (
        lambda x: k.concatenate(k.split(x, [1, 3], axis=-1)[::-1], axis=-1),
        lambda x: np.concatenate([x[..., 3:], x[..., 1:3], x[..., :1]], -1),
    ),
    "stack": (lambda x: k.stack(k.unstack(x, axis=1), axis=0), lambda x: x.transpose(1, 0, 2)),
    "sums": (
        lambda x: k.sum(x) + k.mean(x, axis=-1) + k.max(x, axis=2) * k.min(x, axis=-1),
        lambda x: x.sum() + x.mean(-1) + x.max(2) * x.min(-1),
    ),
    "take": (lambda x: k.take(x, [2, 0], axis=1) + k.take(x, 5), lambda x: x[:, [2, 0]] + x.ravel()[5]),
    "tile": (lambda x: k.tile(x, (2, 1)), lambda x: np.tile(x, (2, 1))),
    "tile by one number": (lambda x: k.tile(x, np.int64(2)), lambda x: np.tile(x, 2)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_functions_are_those_of_numpy_on_tensors_and_in_a_model(name: str) -> None:
    program, wanted = PROGRAMS[name]
    x = unroll.placeholder(X.shape, "x")
    y = keras.Input(batch_shape=X.shape)
    for found in (
        unroll.Graph([x], {"y": program(x)}).run({"x": X})["y"],
        keras.Model(y, program(y)).predict(X),
    ):
        np.testing.assert_allclose(found, wanted(X), rtol=1e-5, atol=1e-5)


def test_shapes_that_a_run_knows_are_tensors() -> None:
    x = keras.Input((None, 4))
    batch, time, width = k.shape(x)
    assert width == 4 and batch.shape == () and k.ndim(x) == 3
    ones = k.ones((batch, time, 2)) * k.mean(x, axis=-1, keepdims=True)
    np.testing.assert_allclose(
        keras.Model(x, ones).predict(X), np.repeat(X.mean(-1, keepdims=True), 2, -1), rtol=1e-5, atol=1e-6
    )
    with pytest.raises(ShapeError, match=r"axis 1 of .* must have a known size"):
        k.repeat(x, 2, axis=1)


def test_a_copy_of_a_model_is_another_model() -> None:
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(2)(x))
    copied = keras.models.clone_model(model)
    copied.set_weights([weight + 1 for weight in copied.get_weights()])
    assert not np.allclose(copied.predict(X[0, :, :3]), model.predict(X[0, :, :3]))


@pytest.mark.parametrize("name", ["optimizers", "callbacks", "losses"])
def test_training_is_said_to_be_elsewhere(name: str) -> None:
    with pytest.raises(unroll.UnrollError, match="set_weights"):
        getattr(keras, name)


def test_activations_take_the_tensors_of_a_model() -> None:
    x = keras.Input((3,))
    y = keras.activations.leaky_relu(keras.activations.relu(x, threshold=0.5), negative_slope=0.1)
    model = keras.Model(x, y)
    np.testing.assert_array_equal(model.predict(np.array([[0.25, -1.0, 2.0]], "float32")), [[0.0, 0.0, 2.0]])
    assert model.output_shape == (None, 3)


def test_a_model_says_where_its_states_are() -> None:
    model = keras.Sequential([keras.layers.Dense(2)])
    with pytest.raises(AttributeError, match=r"stream = model.trace\(\).stream\(\)"):
        model.reset_states()
