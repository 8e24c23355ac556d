"""Models put together from symbolic tensors, and models that are classes: shapes, orders, sharing, errors."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from helpers import Array

import unroll
from unroll import layers
from unroll.errors import ArgumentError, ArgumentTypeError, FeedError, ShapeError, StructureError


def drawn(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def two_inputs() -> layers.Model:
    """An encoder whose last states are the first ones of a decoder."""
    source, target = layers.Input((None, 5), name="source"), layers.Input((None, 3), name="target")
    _, h, c = layers.LSTM(4, return_state=True)(source)
    sequence = layers.LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    return layers.Model([source, target], {"scores": layers.Dense(2)(sequence), "last": sequence[:, -1]})


def test_shapes_are_those_of_keras_before_anything_is_fed() -> None:
    x = layers.Input((None, 5))
    assert x.shape == (None, None, 5) and x.dtype == "float32"
    sequence, h, c = layers.LSTM(4, return_sequences=True, return_state=True)(x)
    assert (sequence.shape, h.shape, c.shape) == ((None, None, 4), (None, 4), (None, 4))
    assert layers.RNN([layers.LSTMCell(32), layers.LSTMCell(64)])(x).shape == (None, 64)
    assert (2 * h + c)[:, 0].shape == (None,)
    assert (sequence @ sequence[0, :4]).shape == (None, None, 4)


def test_a_model_computes_what_its_layers_do_on_tensors() -> None:
    model, source, target = two_inputs(), drawn(2, 6, 5), drawn(2, 3, 3)
    encoder, decoder, dense = model.layers[2:]
    x, y = unroll.placeholder([None, 6, 5], "x"), unroll.placeholder([None, 3, 3], "y")
    _, h, c = encoder(x)
    sequence = decoder(y, initial_state=[h, c])
    graph = unroll.Graph([x, y], {"last": sequence[:, -1], "scores": dense(sequence)})
    expected = graph.run({x: source, y: target})
    for fed in ([source, target], {"target": target, "source": source}, (source, target)):
        found = model.predict(fed)
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)


def test_every_input_keeps_a_time_of_its_own() -> None:
    model = two_inputs()
    assert model.trace(timesteps={"source": 7}).inputs[0].shape[1] == 7
    open_ = model.trace()
    assert [str(item.shape) for item in open_.inputs] == ["(batch, source_time, 5)", "(batch, target_time, 3)"]
    fed = {"source": drawn(2, 6, 5), "target": drawn(2, 3, 3)}
    for name, array in model.predict(fed).items():
        np.testing.assert_allclose(open_.run(fed)[name], array, rtol=1e-6, atol=1e-6)
    with pytest.raises(ShapeError, match="'last' leaves no time open; these do: source, target"):
        model.trace(timesteps={"last": 3})


def test_a_layer_that_is_called_twice_has_one_set_of_weights() -> None:
    one, other, shared = layers.Input((4,)), layers.Input((4,)), layers.Dense(3)
    model = layers.Model([one, other], shared(one) - shared(other))
    assert [weight.name for weight in model.weights] == ["dense/kernel", "dense/bias"]
    assert [item.name for item in model.trace().inputs] == ["input_layer", "input_layer_1"]
    a, b = drawn(2, 4), drawn(3, 4)[:2]
    np.testing.assert_allclose(model.predict([a, b]), (a - b) @ model.get_weights()[0], rtol=1e-5, atol=1e-6)


def test_layers_are_listed_as_keras_lists_them() -> None:
    """Keras's rule: by the longest way to an output, then in the order in which a walk from the outputs meets them."""
    x = layers.Input((4,), name="x")
    short = layers.Dense(2, name="short")(x)
    long = layers.Dense(2, name="late")(layers.Dense(3, name="early")(x))
    model = layers.Model(x, [short, long])
    assert [layer.name for layer in model.layers] == ["x", "early", "short", "late"]
    assert model.get_layer("late").units == 2 and model.get_layer(index=1) is model.get_layer(name="early")


def test_models_nest_and_a_model_of_inner_tensors_shares_their_weights() -> None:
    x = layers.Input((None, 5))
    sequence = layers.SimpleRNN(4, return_sequences=True)(x)
    inner = layers.Model(x, layers.Dense(2)(sequence))
    features = layers.Model(inner.input, inner.get_layer("simple_rnn").output)
    y = layers.Input((7, 5))
    outer = layers.Model(y, inner(y) + inner(2 * y))
    array = drawn(3, 7, 5)
    np.testing.assert_allclose(
        outer.predict(array), inner.predict(array) + inner.predict(2 * array), rtol=1e-5, atol=1e-6
    )
    assert outer.weights == inner.weights and features.weights == inner.weights[:3]
    kernel, bias = inner.get_weights()[3:]
    np.testing.assert_allclose(features.predict(array) @ kernel + bias, inner.predict(array), rtol=1e-5, atol=1e-6)
    assert layers.Sequential([layers.Input((7, 5)), inner, layers.Dense(1)]).predict(array).shape == (3, 7, 1)
    stack = layers.Sequential([layers.Input((None, 5)), layers.GRU(3), layers.Dense(1)])
    assert [item.shape for item in (*stack.inputs, *stack.outputs)] == [(None, None, 5), (None, 1)]


def test_masks_go_through_a_model() -> None:
    ids = layers.Input((None,), dtype="int32")
    model = layers.Model(ids, layers.LSTM(3)(layers.Embedding(9, 4, mask_zero=True)(ids)))
    long, short = np.array([[3, 5, 0, 0]], "int32"), np.array([[3, 5]], "int32")
    np.testing.assert_allclose(model.predict(long), model.predict(short), rtol=1e-6)


def test_a_copy_has_weights_of_its_own() -> None:
    x = layers.Input((4,))
    model = layers.Model(x, layers.Dense(2)(x) * 3)
    copied, array = copy.deepcopy(model), drawn(2, 4)
    np.testing.assert_array_equal(copied.predict(array), model.predict(array))
    copied.set_weights([weight * 0 for weight in copied.get_weights()])
    assert not copied.predict(array).any() and model.predict(array).any()


class Tagger(layers.Model):
    """A model as a class, as Keras's guide writes them."""

    def __init__(self, tags: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rnn = layers.SimpleRNN(6, return_sequences=True)
        self.head = layers.TimeDistributed(layers.Dense(tags, activation="softmax"))

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.head(self.rnn(inputs))


def test_a_class_of_ones_own_is_built_by_its_first_call_or_by_a_shape() -> None:
    array = drawn(2, 5, 3)
    predicted, built = Tagger(4), Tagger(4)
    assert predicted.predict(array).shape == (2, 5, 4)
    built.build((None, None, 3))
    assert [weight.shape for weight in built.weights] == [(3, 6), (6, 6), (6,), (6, 4), (4,)]
    built.set_weights(predicted.get_weights())
    np.testing.assert_allclose(built.predict(array), predicted.predict(array), rtol=1e-6)
    assert built.trace().inputs[0].shape[1:] == unroll.placeholder([None, "time", 3]).shape[1:]
    assert [layer.name for layer in built.layers] == ["simple_rnn", "time_distributed"]
    x = layers.Input((None, 3))
    assert layers.Model(x, built(x)).output_shape == (None, None, 4)


def test_a_stateful_model_streams() -> None:
    x = layers.Input((2, 3), batch_size=1)
    model = layers.Model(x, layers.LSTM(4, stateful=True)(x))
    array = drawn(1, 4, 3)
    stream = model.trace().stream()
    stream.run({"input_layer": array[:, :2]})
    whole = layers.LSTM(4)
    y = layers.Input((4, 3))
    other = layers.Model(y, whole(y))
    other.set_weights(model.get_weights())
    (last,) = stream.run({"input_layer": array[:, 2:]}).values()
    np.testing.assert_allclose(last, other.predict(array), rtol=1e-6, atol=1e-6)


def test_the_summary_says_what_each_layer_is_called_on() -> None:
    said = two_inputs().summary()
    assert "Model 'functional': 298 params" in said  # 4 x (5 + 4 + 1) x 4, 4 x (3 + 4 + 1) x 4, (4 + 1) x 2
    assert [line.split()[-1] for line in said.splitlines() if line.startswith("lstm_1")] == ["lstm"]


def wrong(case: str) -> Any:
    x, y = layers.Input((4,)), layers.Input((4,))
    model = layers.Model(x, layers.Dense(2)(x))
    match case:
        case "a forgotten input":
            return lambda: layers.Model(x, x + y)
        case "a tensor":
            return lambda: layers.Model(unroll.placeholder([None, 4], "x"), x)
        case "outputs alone":
            return lambda: layers.Model(outputs=x)
        case "no call":
            return lambda: layers.Model()(x)
        case "another width":
            return lambda: model.predict(drawn(2, 5))
        case "too many":
            return lambda: model.predict([drawn(2, 4), drawn(2, 4)])
        case "a strange name":
            return lambda: model.predict({"y": drawn(2, 4)})
        case "a value":
            return lambda: float(x[0, 0])
        case "truth":
            return lambda: bool(x)
        case "an array":
            return lambda: np.asarray(x)
        case "rows":
            return lambda: list(x)
        case "no such layer":
            return lambda: model.get_layer("dens")
        case "two of one name":
            return lambda: layers.Model(x, layers.Dense(2, name="a")(layers.Dense(2, name="a")(x)))
        case "empty":
            return lambda: layers.Model([], x)
        case "a class's inputs":
            return lambda: Tagger(2).inputs
        case "not called":
            return lambda: Tagger(2).trace()
        case _:
            raise AssertionError(case)


@pytest.mark.parametrize(
    ("case", "kind", "said"),
    [
        ("a forgotten input", ArgumentError, "not among the model's inputs; add it to inputs="),
        ("a tensor", ArgumentTypeError, "is no symbolic tensor"),
        ("outputs alone", ArgumentError, "give inputs and outputs, or neither"),
        ("no call", StructureError, "define it, or give inputs= and outputs="),
        ("another width", ShapeError, "the model's Input has shape \\(None, 4\\)"),
        ("too many", FeedError, "2 inputs were given, and it has 1"),
        ("a strange name", FeedError, "the inputs are called input_layer"),
        ("a value", ArgumentTypeError, "model.predict"),
        ("truth", ArgumentTypeError, "keras.ops.where"),
        ("an array", ArgumentTypeError, "model.predict"),
        ("rows", ArgumentTypeError, "cannot be unpacked"),
        ("no such layer", ArgumentError, "did you mean 'dense'"),
        ("two of one name", ArgumentError, "two layers are called 'a'"),
        ("empty", ArgumentError, "inputs is empty"),
        ("a class's inputs", ArgumentError, "layers.Model\\(inputs, outputs\\)"),
        ("not called", ArgumentError, "call the model on tensors"),
    ],
)
def test_what_is_wrong_is_said(case: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said) as caught:
        wrong(case)()
    assert isinstance(caught.value, unroll.UnrollError)
