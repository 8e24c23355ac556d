"""docs/api.md: made from the frameworks' own signatures, and true: what it calls refused raises, what it calls kept is kept."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest
from helpers import REPOSITORY, golden_json

import unroll
from unroll import activations, cells, initializers, layers, ops
from unroll.export.forms import FORMS
from unroll.passes import pipeline

SPEC = importlib.util.spec_from_file_location("make_api", REPOSITORY / "docs" / "make_api.py")
assert SPEC is not None and SPEC.loader is not None
make_api = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_api)
NAMES: dict[str, dict[str, list[list[str | None]]]] = golden_json("api_signatures.json")["names"]

#: What a constructor is given for its required arguments.
REQUIRED: dict[str, Any] = {
    "num_units": 3, "units": 3, "input_size": 3, "hidden_size": 3, "in_features": 3, "out_features": 3, "filters": 3,
    "kernel_size": 2, "rate": 0.5, "input_dim": 5, "output_dim": 3, "num_embeddings": 5, "embedding_dim": 3,
    "attn_length": 2, "num_proj": 3, "output_size": 3, "embedding_classes": 5, "embedding_size": 3, "device": "/cpu:0",
    "pool_size": 2, "target_shape": (3, 4), "dims": (2, 1), "n": 2, "axes": 1, "num_heads": 2, "key_dim": 2, "stddev": 0.5,
    "function": abs, "conv_ndims": 1, "input_shape": [4, 2], "output_channels": 2, "kernel_shape": [2], "activation": "tanh",
}  # fmt: skip
#: A value that is not the default, for every argument that is refused or kept.
OTHER: dict[str, Any] = {
    "reuse": True, "num_unit_shards": 2, "num_proj_shards": 2, "input_size": 7, "initializers": "ones", "device": "cuda:0",
    "autocast": False, "input_dim": 3, "input_shape": (3,), "implementation": 1, "proj_size": 2, "max_norm": 1.0,
    "norm_type": 1.0, "quantization_config": "int8", "lora_rank": 2, "lora_alpha": 1.0, "input_length": 5, "sparse": True,
    "renorm": True, "rms_scaling": True, "gamma_quantizer": "int8",
    "trainable": False, "activity_regularizer": "l2", "kernel_regularizer": "l1", "recurrent_regularizer": "l2",
    "bias_regularizer": "l2", "kernel_constraint": "non_neg", "recurrent_constraint": "unit_norm",
    "bias_constraint": "max_norm",
    "depthwise_regularizer": "l2", "pointwise_regularizer": "l2", "depthwise_constraint": "non_neg", "momentum": 0.5,
    "pointwise_constraint": "non_neg", "renorm_clipping": {"rmax": 2.0}, "renorm_momentum": 0.5, "synchronized": True,
    "alpha_regularizer": "l2", "alpha_constraint": "non_neg", "stddev": 0.25, "data_format": "channels_first",
    "dropout": 0.25, "recurrent_dropout": 0.5, "seed": 7, "rate": 0.25, "noise_shape": (1, 2), "embeddings_regularizer": "l2",
    "embeddings_constraint": "non_neg", "beta_regularizer": "l2", "gamma_regularizer": "l2", "beta_constraint": "non_neg",
    "gamma_constraint": "non_neg", "input_keep_prob": 0.5, "output_keep_prob": 0.5, "state_keep_prob": 0.5,
    "variational_recurrent": True, "dtype": "float32", "dropout_state_filter_visitor": len, "dropout_keep_prob": 0.5,
    "dropout_prob_seed": 3, "trainable_ratio_on": False, "scale_grad_by_freq": True,
}  # fmt: skip


def minimal(thing: Any, name: str) -> dict[str, Any]:
    """The least that a class can be made with."""
    given: dict[str, Any] = {}
    for argument, item in make_api.parameters_of(thing).items():
        if item.default is item.empty and item.kind in (item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY):
            if argument in ("cell", "layer"):
                inner: Any = unroll.BasicRNNCell(3) if argument == "cell" else layers.GRU(3)
                given[argument] = inner if name != "TimeDistributed" else layers.Dense(3)
            elif argument == "cells":
                given[argument] = [layers.GRUCell(3) if name == "StackedRNNCells" else unroll.GRUCell(3)]
            else:
                given[argument] = REQUIRED[argument]
    if name in ("Conv1DLSTMCell", "Conv2DLSTMCell", "Conv3DLSTMCell"):
        axes = int(name[4])
        given |= {"input_shape": [4] * axes + [2], "kernel_shape": [2] * axes, "output_channels": 2}
    return given


def declared(kind: str) -> Iterator[Any]:
    for framework, names in NAMES.items():
        for name in names:
            thing = make_api.ours(framework, name)
            taken = make_api.parameters_of(thing) if thing is not None else {}
            for argument in getattr(thing, kind, ()):
                if argument in taken or (framework == "keras" and kind == "REFUSED"):
                    yield pytest.param(thing, name, argument, id=f"{framework}-{name}-{argument}")


def test_the_page_is_what_its_generator_makes_of_the_code_as_it_is() -> None:
    page = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    assert page == make_api.make(), "run `python docs/make_api.py`"


def test_every_name_of_the_package_and_every_operator_pass_and_form_stands_there() -> None:
    page = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    packages = {"activations", "cells", "initializers", "keras", "layers", "nest", "nn", "ops", "seq2seq", "tf1"}
    names = [f"unroll.{name}" for name in unroll.__all__ if name not in packages]
    framework = {f"unroll.{name}" for table in NAMES.values() for name in table}
    assert [name for name in names if f"| `{name}` |" not in page and name not in framework] == ["unroll.TensorShape"]
    for name in ops.__all__:
        assert name in ("OPERATORS", "Operator") or f"| `ops.{name}` |" in page
    for home in (activations, initializers):
        shown = {name for name in home.__all__ if f"{home.__name__.removeprefix('unroll.')}.{name}` |" in page}
        left = {getattr(home, name) for name in home.__all__} - {getattr(home, name) for name in shown}
        assert [item.__name__ for item in left] == ["get_" + home.__name__.removeprefix("unroll.")[:-1]]
    for name in (*pipeline.PASSES, *FORMS):
        assert f"`{name}`" in page


def test_the_frameworks_names_that_the_project_promises_are_all_here() -> None:
    waiting = {name for framework, names in NAMES.items() for name in names if make_api.ours(framework, name) is None}
    assert waiting == set(make_api.WAITING)
    assert not waiting & {*NAMES["tensorflow"], *NAMES["torch"], "LSTM", "GRU", "RNN", "Bidirectional", "ConvLSTM2D"}


@pytest.mark.parametrize(("thing", "name", "argument"), list(declared("REFUSED")))
def test_an_argument_that_is_called_refused_raises_and_says_why(thing: Any, name: str, argument: str) -> None:
    given = minimal(thing, name)
    thing(**given)
    with pytest.raises(unroll.UnrollError) as caught:
        thing(**{**given, argument: OTHER[argument]})
    if issubclass(thing, cells.RNNCell | layers.Layer):
        assert argument.split("_")[-1] in str(caught.value) or thing.REFUSED[argument] in str(caught.value)


@pytest.mark.parametrize(("thing", "name", "argument"), list(declared("TRAINING_ONLY")))
def test_an_argument_that_acts_in_training_only_is_kept_on_the_object(thing: Any, name: str, argument: str) -> None:
    needed = {"variational_recurrent": {"dtype": "float32"}, "dropout": {"num_layers": 2}}.get(argument, {})
    more = {key: value for key, value in needed.items() if key in make_api.parameters_of(thing)}
    made = thing(**{**minimal(thing, name), **more, argument: OTHER[argument]})
    assert getattr(made, argument) == OTHER[argument]
