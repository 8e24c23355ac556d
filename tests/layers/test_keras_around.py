"""Real Keras's layers around recurrent ones: weights, shapes, masks and numbers, in every runner and over any size."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import Array, golden_arrays, golden_json, run_reference

import unroll
from unroll import layers, nest
from unroll.export.verifying.known_faults import REFERENCE, why_aside
from unroll.layers.mask_tracking import mask_of, set_masks

CASES: list[dict[str, Any]] = golden_json("keras_around.json")["cases"]
#: Layers whose weights have the sizes of all axes.
NEEDS_SIZES = ("PReLU", "LayerNormalization")

pytestmark = pytest.mark.filterwarnings("ignore:.*does not support masking")


class Program(NamedTuple):
    """A case built with unroll: the layer, what it returned, its placeholders by what is fed, and what Keras returned."""

    layer: Any
    outputs: list[Any]
    feeds: dict[Any, Array]
    expected: list[Array]
    masks: list[Array | None]


def array(case: dict[str, Any], key: str) -> Array | None:
    return golden_arrays("keras_around.npz").get(f"{case['id']}/{key}")


def must(found: Array | None) -> Array:
    assert found is not None
    return found


def program(case: dict[str, Any], open_sizes: bool = False) -> Program:
    """Call the layer on placeholders that carry their masks, and give it Keras's weights."""
    feeds: dict[Any, Array] = {}

    def fed(key: str, shared: bool = True) -> Any:
        value = must(array(case, key))
        first = case["kwargs"].get("data_format") == "channels_first"
        shape = [
            f"{case['id']}/{key if axis else 'batch'}/{axis}"
            if open_sizes and not closed(case, axis, value, first)
            else size
            for axis, size in enumerate(value.shape)
        ]
        tensor = unroll.placeholder(shape, f"{case['id']}/{key}".replace("/", "."), value.dtype)
        feeds[tensor] = value
        return tensor

    layer = getattr(layers, case["layer"])(**case["kwargs"])
    inputs = [fed(f"x{place}") for place in range(case["inputs"])]
    for place, tensor in enumerate(inputs):
        if array(case, f"m{place}") is not None:
            set_masks(tensor, fed(f"m{place}"))
    keywords = {**case["call"], **{name: fed(f"{name}0") for name in case["arrays"]}}
    arguments = inputs if case["apart"] else [inputs[0] if len(inputs) == 1 else inputs]
    outputs = nest.flatten(layer(*arguments, **keywords))
    layer.set_weights([must(array(case, f"w{place}")) for place in range(len(case["weights"]))])
    expected = [must(array(case, f"y{place}")) for place in range(case["outputs"])]
    return Program(layer, outputs, feeds, expected, [array(case, f"o{place}") for place in range(case["outputs"])])


def closed(case: dict[str, Any], axis: int, value: Array, first: bool) -> bool:
    """Whether an axis keeps its size: that of the channels does, of a row, and of what weights or a shape depend on."""
    channels = 1 if first else value.ndim - 1
    at_one = (
        case["layer"] == "Dot" or case["kwargs"].get("axis") in (1, [1, 2]) or case["layer"] in ("Flatten", "Reshape")
    )
    if axis and value.shape[axis] == 1:
        return True
    if axis == 0 or value.dtype == bool:
        return axis > 0 and at_one
    kwargs = case["kwargs"]
    gaps = kwargs.get("padding") == "same" and kwargs.get("pool_size") == 2 and kwargs.get("strides") == 3
    return axis == channels or gaps or case["layer"] in NEEDS_SIZES or at_one or axis > 1


@cache
def programs(open_sizes: bool = False) -> dict[str, Program]:
    return {case["id"]: program(case, open_sizes) for case in CASES}


def joined(made: dict[str, Program]) -> tuple[unroll.Graph, dict[str, Array], dict[str, Array]]:
    """One graph of many cases, its feeds, and what is expected of each output: results, and masks of results."""
    outputs: dict[str, Any] = {}
    expected: dict[str, Array] = {}
    for id, item in made.items():
        for place, (tensor, value, mask) in enumerate(zip(item.outputs, item.expected, item.masks, strict=True)):
            outputs[f"{id}.y{place}"], expected[f"{id}.y{place}"] = unroll.ops.identity(tensor), value
            carried = mask_of(tensor)
            assert (carried is None) == (mask is None), f"{id}: Keras's result has {'no' if mask is None else 'a'} mask"
            if mask is not None:
                outputs[f"{id}.o{place}"], expected[f"{id}.o{place}"] = unroll.ops.identity(carried), mask
    feeds = {tensor: value for item in made.values() for tensor, value in item.feeds.items()}
    graph = unroll.Graph(list(feeds), outputs)
    return graph, {tensor.name: value for tensor, value in feeds.items()}, expected


def check(found: dict[str, Array], expected: dict[str, Array], runner: str) -> None:
    for name, wanted in expected.items():
        assert (found[name].dtype, found[name].shape) == (wanted.dtype, wanted.shape), f"{runner}: {name}"
        if wanted.dtype == bool:
            np.testing.assert_array_equal(found[name], wanted, err_msg=f"{runner}: {name}")
        else:
            np.testing.assert_allclose(found[name], wanted, rtol=1e-5, atol=1e-5, err_msg=f"{runner}: {name}")


def test_every_layer_around_recurrent_ones_has_cases() -> None:
    assert len(CASES) >= 250
    assert len({case["layer"] for case in CASES}) >= 52


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_layer_gives_keras_numbers_and_masks_in_numpy_and_names_its_weights_likewise(case: dict[str, Any]) -> None:
    made = program(case)
    graph, feeds, expected = joined({case["id"]: made})
    check(graph.run(feeds), expected, "NumPy")
    assert [[item.name, list(item.shape)] for item in made.layer.weights] == case["weights"]


@pytest.mark.parametrize("open_sizes", [False, True], ids=["known sizes", "any size"])
def test_all_of_them_give_keras_numbers_in_every_runner(open_sizes: bool) -> None:
    made = programs(open_sizes)
    graph, feeds, expected = joined(made)
    if open_sizes:
        check(graph.run(feeds), expected, "NumPy, any size")
    check(unroll.Session(unroll.to_onnx(graph)).run(feeds), expected, "onnxruntime")
    graph, feeds, expected = joined({id: item for id, item in made.items() if is_witnessed(id, item)})
    assert len(expected) > 240
    model = unroll.to_onnx(graph)
    names = [output.name for output in model.graph.output]
    check(dict(zip(names, run_reference(model, feeds), strict=True)), expected, "onnx")


def is_witnessed(id: str, made: Program) -> bool:
    """Whether onnx's evaluator gets the windows of a case right."""
    walks = "Conv" in id or "Pooling" in id
    return not (walks and why_aside(unroll.to_onnx(joined({id: made})[0]), REFERENCE))
