"""The arguments of layers: documented one by one, the same on every layer, kept where they act in training, else refused."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import layers

PUBLIC = [getattr(layers, name) for name in layers.__all__ if isinstance(getattr(layers, name), type)]
DROPPING = ("AlphaDropout", "Dropout", "GaussianDropout", "SpatialDropout1D", "SpatialDropout2D")
CONVOLVING = ("Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D")
#: Layers that can be made without an argument.
NO_ARGUMENTS = """Add AdditiveAttention Attention Average BatchNormalization Concatenate Cropping1D Cropping2D ELU Flatten
GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D GroupNormalization LeakyReLU MaxPooling1D
MaxPooling2D Maximum Minimum Multiply PReLU ReLU Softmax Subtract UnitNormalization UpSampling1D UpSampling2D ZeroPadding1D
ZeroPadding2D""".split()  # noqa: SIM905
GIVEN: dict[str, dict[str, Any]] = {
    "RNN": {"cell": layers.LSTMCell(2)},
    "Bidirectional": {"layer": layers.LSTM(2)},
    "TimeDistributed": {"layer": layers.Dense(2)},
    "StackedRNNCells": {"cells": [layers.LSTMCell(2)]},
    "Embedding": {"input_dim": 4, "output_dim": 2},
    "Activation": {"activation": "relu"},
    **{key: {"rate": 0.5} for key in DROPPING},
    "GaussianNoise": {"stddev": 0.5},
    **{key: {"filters": 2, "kernel_size": 2} for key in CONVOLVING},
    **{key: {"kernel_size": 2} for key in ("DepthwiseConv1D", "DepthwiseConv2D")},
    **{key: {"pool_size": 2} for key in ("AveragePooling1D", "AveragePooling2D")},
    "Reshape": {"target_shape": (2, 3)},
    "Permute": {"dims": (2, 1)},
    "RepeatVector": {"n": 3},
    "Dot": {"axes": 1},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 2},
    "Lambda": {"function": abs},
    **{key: {} for key in NO_ARGUMENTS},
    "Input": {"shape": (2, 3)},
    "ConvLSTMCell": {"rank": 1, "filters": 2, "kernel_size": 2},
    "Masking": {},
    "LayerNormalization": {},
    "Layer": {},
    "Model": {},
    "Sequential": {},
}


def made(cls: Any, **kwargs: Any) -> Any:
    own = {"filters": 2, "kernel_size": 2} if cls.__name__.startswith("ConvLSTM") else {"units": 2}
    return cls(**{**GIVEN.get(cls.__name__, own), **kwargs})


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda cls: str(cls.__name__))
def test_a_constructor_is_the_documentation_of_its_arguments(cls: Any) -> None:
    names = [name for name in inspect.signature(cls.__init__).parameters if name != "self"]
    text, said = "", inspect.getdoc(cls) or ""
    while said:  # a cell says which layer documents it, and a layer where the arguments of all stand
        layer = re.search(r"arguments\s+are\s+(?:those\s+of\s+`(\w+)`|theirs)", said)
        text += said
        said = (inspect.getdoc(getattr(layers, layer[1] or "ConvLSTM2D")) or "") if layer else ""
    for name in names:
        assert re.search(rf"^\s+{name}: ", text, re.MULTILINE), f"{cls.__name__}: {name} is not documented"


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda cls: str(cls.__name__))
def test_the_tables_of_arguments_name_arguments_that_there_are(cls: Any) -> None:
    names = inspect.signature(cls.__init__).parameters
    for name in (*getattr(cls, "TRAINING_ONLY", ()), *getattr(cls, "SCHEDULING", ())):
        assert name in names, f"{cls.__name__}: {name}"


@pytest.mark.parametrize(
    ("cls", "name"),
    [(cls, name) for cls in PUBLIC for name in getattr(cls, "REFUSED", {})],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_is_refused_is_refused_with_its_reason(cls: Any, name: str) -> None:
    refused(lambda: made(cls, **{name: 4}), NotImplementedError, cls.__name__, name, cls.REFUSED[name])


KEPT: dict[str, Any] = {
    "dropout": 0.25,
    "recurrent_dropout": 0.25,
    "rate": 0.25,
    "seed": 7,
    "noise_shape": (None, 1, 2),
    "stddev": 0.25,
    "data_format": "channels_first",
    "momentum": 0.5,
    "renorm_clipping": {"rmax": 2.0},
    "renorm_momentum": 0.5,
    "synchronized": True,
    "trainable": False,
}


@pytest.mark.parametrize(
    ("cls", "name"),
    [(cls, name) for cls in PUBLIC for name in getattr(cls, "TRAINING_ONLY", ())],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_acts_in_training_only_is_kept_on_the_layer(cls: Any, name: str) -> None:
    kind = name.rpartition("_")[2]
    value = KEPT[name] if name in KEPT else {"regularizer": "l2", "constraint": "non_neg"}[kind]
    layer = made(cls, **{name: value})
    assert getattr(layer, name) == value
    if isinstance(layer, layers.RNN) and cls is not layers.RNN and name != "activity_regularizer":
        assert getattr(layer.cell, name) == value


def test_dropout_changes_no_number() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    tensor = unroll.placeholder([None, 3, 4], "x")

    def found(layer: Any) -> Any:
        return next(iter(unroll.Graph(tensor, layer(tensor)).run({tensor: x}).values()))

    dropping = layers.LSTM(2, dropout=0.5, recurrent_dropout=0.5, seed=1)
    np.testing.assert_array_equal(found(layers.LSTM(2)), found(dropping))
    np.testing.assert_array_equal(found(layers.Dropout(0.9)), x)
    assert dropping(tensor, training=False).shape[1:] == (2,)


@pytest.mark.parametrize("kind", ["regularizer", "constraint"])
def test_an_unknown_regularizer_or_constraint_is_refused_with_those_that_there_are(kind: str) -> None:
    known = {"regularizer": ("l1", "l2", "L1L2"), "constraint": ("max_norm", "NonNeg")}[kind]
    gru: Any = layers.GRU
    refused(lambda: gru(2, **{f"kernel_{kind}": "l3"}), ValueError, "GRU", f"kernel_{kind}", "'l3'", *known)
    refused(lambda: gru(2, **{f"bias_{kind}": 3}), TypeError, "GRU", f"bias_{kind}", "3")
    gru(2, **{f"kernel_{kind}": abs, f"bias_{kind}": {"class_name": known[0], "config": {}}})
