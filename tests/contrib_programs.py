"""The golden programs of TensorFlow 1.15's contrib cells and xLSTM's sLSTM, built with unroll."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from any_length import AnyLength
from helpers import Array, golden_arrays, golden_json

import unroll
from unroll import nest, ops

MANIFEST = golden_json("contrib_cells.json")
CASES: list[dict[str, Any]] = MANIFEST["cases"]

#: Where each cell lives.
MODULES = {
    "AttentionCellWrapper": "attention",
    "Conv1DLSTMCell": "conv_lstm",
    "Conv2DLSTMCell": "conv_lstm",
    "Conv3DLSTMCell": "conv_lstm",
    "ConvLSTMCell": "conv_lstm",
    "CoupledInputForgetGateLSTMCell": "coupled",
    "EmbeddingWrapper": "embedding_wrapper",
    "IndRNNCell": "ind_rnn",
    "IndyGRUCell": "ind_rnn",
    "IndyLSTMCell": "ind_rnn",
    "InputProjectionWrapper": "projection",
    "IntersectionRNNCell": "intersection",
    "LayerNormBasicLSTMCell": "layer_norm_lstm",
    "MinimalRNNCell": "minimal_rnn",
    "NASCell": "nas",
    "OutputProjectionWrapper": "projection",
    "PhasedLSTMCell": "phased_lstm",
    "SLSTMCell": "slstm",
    "SRUCell": "sru",
    "UGRNNCell": "ugrnn",
}


def make_cell(name: str, kwargs: dict[str, Any]) -> Any:
    inner = {key: make_cell(value["cell"], value["kwargs"]) for key, value in kwargs.items() if key == "cell"}
    module = importlib.import_module(f"unroll.cells.{MODULES[name]}") if name in MODULES else unroll
    return getattr(module, name)(**{**kwargs, **inner})


@cache
def build(index: int) -> tuple[unroll.Graph, dict[str, Array], list[Array]]:
    """The user's program for a case, what it is fed, and TensorFlow's numbers."""
    case = CASES[index]
    arrays, keys = golden_arrays("contrib_cells.npz"), case["arrays"]
    cell = make_cell(case["cell"], case["kwargs"])
    feeds: dict[Any, Array] = {}

    def placed(name: str, array: Array) -> Any:
        tensor = unroll.placeholder([None, *array.shape[1:]], name, array.dtype)
        feeds[tensor] = array
        return tensor

    leaves = [[placed(f"X{i}_{t}", step) for t, step in enumerate(arrays[key])] for i, key in enumerate(keys["inputs"])]
    steps = list(zip(*leaves, strict=True)) if len(leaves) > 1 else leaves[0]
    given = [placed(f"state{i}", arrays[key]) for i, key in enumerate(keys["state0"])]
    state = nest.pack(cell.state_size, given) if given else None
    outputs, final = unroll.static_rnn(cell, steps, initial_state=state, dtype=case["dtype"])
    graph = unroll.Graph(list(feeds), [ops.stack(outputs), final])
    graph.assign({item["name"]: arrays[item["key"]] for item in case["variables"]})
    expected = [arrays[key] for key in (keys["outputs"], *keys["state"])]
    return graph, {tensor.name: array for tensor, array in feeds.items()}, expected


def any_length(index: int) -> AnyLength:
    """The program for a case over one tensor, time first, whose time is left open."""
    case = CASES[index]
    arrays, keys = golden_arrays("contrib_cells.npz"), case["arrays"]
    feeds = {f"X{i}": arrays[key] for i, key in enumerate(keys["inputs"])}
    axes = dict.fromkeys(feeds, 0)
    feeds |= {f"state{i}": arrays[key] for i, key in enumerate(keys["state0"])}

    def make(time: int | str) -> unroll.Graph:
        cell = make_cell(case["cell"], case["kwargs"])
        placed = {
            name: unroll.placeholder(
                [time, "batch", *array.shape[2:]] if name in axes else [None, *array.shape[1:]], name, array.dtype
            )
            for name, array in feeds.items()
        }
        inputs, given = ([tensor for name, tensor in placed.items() if (name in axes) is way] for way in (True, False))
        state = nest.pack(cell.state_size, given) if given else None
        steps = tuple(inputs) if len(inputs) > 1 else inputs[0]
        outputs, final = unroll.dynamic_rnn(cell, steps, initial_state=state, dtype=case["dtype"], time_major=True)
        graph = unroll.Graph(list(placed.values()), [outputs, final])
        graph.assign({item["name"]: arrays[item["key"]] for item in case["variables"]})
        return graph

    expected = [arrays[key] for key in (keys["outputs"], *keys["state"])]
    return AnyLength(make, case["T"], feeds, axes, expected, case["dtype"])
