"""Layers and models as plain data: Keras's own dictionaries, and layers made of them again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from golden.keras_models import CASES as PROGRAMS
from helpers import golden_json

import unroll
from unroll import keras, layers, ops
from unroll.errors import ArgumentTypeError, NameNotFoundError, UnsupportedError

SAID: dict[str, Any] = golden_json("keras_configs.json")["layers"]
#: What Keras writes of what training alone does, and of what it has done to the layer.
NOT_OURS = ("build_config", "quantization_config")


def without(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: without(item) for key, item in config.items() if key not in NOT_OURS}
    return [without(item) for item in config] if isinstance(config, (list, tuple)) else config


@pytest.mark.parametrize("source", SAID)
def test_a_layer_says_of_itself_what_keras_says(source: str) -> None:
    layer = eval(source, {"L": layers})
    found = json.loads(json.dumps(layers.serialize(layer)))
    wanted = without(SAID[source])
    for kind in ("kernel_regularizer", "bias_constraint"):  # which are kept as they were given
        if wanted["config"].get(kind):
            assert found["config"].pop(kind) == getattr(layer, kind) is not None
            wanted["config"].pop(kind)
    if isinstance(wanted["config"]["dtype"], str):  # of the dropouts over whole channels
        wanted["config"]["dtype"] = found["config"]["dtype"]
    one_says = found["config"].keys() ^ wanted["config"].keys()
    said_by_one = {key: value for key, value in {**found["config"], **wanted["config"]}.items() if key in one_says}
    assert all(value in (None, False) or key == "trainable" for key, value in said_by_one.items())
    for item in (found, wanted):
        item["config"] = {key: value for key, value in item["config"].items() if key not in one_says}
    assert without(found) == wanted


@pytest.mark.parametrize("source", SAID)
def test_a_layer_is_made_of_what_keras_says(source: str) -> None:
    made = layers.deserialize(SAID[source])
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(made))))
    assert made.get_config() == again.get_config()
    assert without(made.get_config())["name"] == "a"


#: What holds classes of the user's, and what keeps a state, which is not fed at once.
OTHERS = ("subclass", "custom_cell", "phonemes", "leaky_cell", "stateful")


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in OTHERS])
def test_a_model_made_of_its_json_computes_the_same(name: str) -> None:
    made = PROGRAMS[name].program(keras)
    model = next(iter(made.values())) if isinstance(made, dict) else made
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    shape = next(iter(PROGRAMS[name].feeds.values()))
    fed = [np.ones(size, "float32" if ids is None else "int32") for size, ids in shape]
    for one, other in zip(
        *(unroll.nest.flatten(item.predict(fed if len(fed) > 1 else fed[0])) for item in (model, again)), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert json.loads(again.to_json()) == json.loads(model.to_json())


class Scaled(layers.Layer):
    """As programs for Keras write a cell: its own arguments besides those of the base class."""

    def __init__(self, units: int, factor: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = self.state_size = units
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")

    def call(self, inputs: Any, states: Any) -> Any:
        output = ops.matmul(inputs, self.kernel) * self.factor + states[0]
        return output, [output]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "factor": self.factor}


def test_a_cell_of_the_user_adds_to_what_the_base_says() -> None:
    cell = Scaled(3, factor=0.5, name="mine")
    config = cell.get_config()
    assert {"name", "trainable", "dtype", "units", "factor"} == config.keys()
    again = Scaled.from_config(json.loads(json.dumps(config)))
    assert (again.units, again.factor, again.name) == (3, 0.5, "mine")


def test_a_layer_of_the_user_without_a_config_says_its_arguments() -> None:
    class Shifted(layers.Layer):
        def __init__(self, by: float, *, twice: bool = False, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    config = Shifted(1.5, name="s").get_config()
    assert (config["by"], config["twice"], config["name"]) == (1.5, False, "s")
    assert Shifted.from_config(config).get_config() == config


def test_a_class_of_the_user_is_named_with_the_line_that_gives_it() -> None:
    config = json.loads(json.dumps(layers.serialize(layers.RNN([Scaled(3), layers.GRUCell(2)]))))
    with pytest.raises(NameNotFoundError, match=r"custom_objects=\{'Scaled': Scaled\}"):
        layers.deserialize(config)
    made = layers.deserialize(config, {"Scaled": Scaled})
    assert type(made.cell.cells[0]) is Scaled
    with keras.saving.custom_object_scope({"Scaled": Scaled}):
        assert layers.deserialize(config).get_config() == made.get_config()


def test_what_is_registered_is_found_by_its_name() -> None:
    @keras.saving.register_keras_serializable(package="Tests")
    def doubled(x: Any) -> Any:
        return x * 2

    config = json.loads(json.dumps(layers.serialize(layers.Dense(2, activation=doubled))))
    assert config["config"]["activation"]["registered_name"] == "Tests>doubled"
    assert layers.deserialize(config).activation is doubled


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"class_name": "Lambda", "config": {"function": ["4wE=", None, None]}}, "code of a file is never run"),
        (
            {"class_name": "Dense", "config": {"units": 2, "activation": {"class_name": "__lambda__", "config": {}}}},
            "never run",
        ),
        ({"class_name": "LSTN", "config": {"units": 2}}, "did you mean 'LSTM'"),
        ({"class_name": "LSTM", "config": {"units": 2, "inner": 4}}, "inner=4"),
        ({"class_name": "LSTM", "config": {"units": 2, "activation": "tahn"}}, "did you mean 'tanh'"),
        (
            {"class_name": "LSTM", "config": {"units": 2, "kernel_initializer": {"class_name": "Mine", "config": {}}}},
            "'Mine'",
        ),
        ({"class_name": "LSTM", "config": [2]}, "a dict is wanted"),
        ({"class_name": 3, "config": {}}, "a text is wanted"),
        ({"units": 2}, "class_name"),
    ],
)
def test_what_a_config_cannot_say(config: Any, says: str) -> None:
    with pytest.raises((UnsupportedError, NameNotFoundError, ArgumentTypeError)) as caught:
        layers.deserialize(config)
    assert says in str(caught.value)


def test_a_lambda_is_not_written() -> None:
    with pytest.raises(UnsupportedError, match="define it with def"):
        layers.Dense(2, activation=lambda x: x * 2).get_config()


def test_configs_within_each_other_have_an_end() -> None:
    config: Any = layers.serialize(layers.Dense(2))
    for _ in range(200):
        config = {"class_name": "TimeDistributed", "config": {"layer": config}}
    with pytest.raises(UnsupportedError, match="within each other"):
        layers.deserialize(config)


def test_a_hard_sigmoid_of_keras_2_has_its_own_slope() -> None:
    text = json.dumps({"class_name": "Sequential", "keras_version": "2.15.0", "config": {"name": "s", "layers": [
        {"class_name": "Activation", "config": {"activation": "hard_sigmoid", "name": "a", "batch_input_shape": [None, 3]}}
    ]}})  # fmt: skip
    x = np.array([[-3, 1, 3]], "float32")
    np.testing.assert_allclose(keras.models.model_from_json(text).predict(x), [[0, 0.7, 1]], atol=1e-6)
    newer = keras.models.model_from_json(text.replace("2.15.0", "3.0.0"))
    np.testing.assert_allclose(newer.predict(x), [[0, 2 / 3, 1]], atol=1e-6)
