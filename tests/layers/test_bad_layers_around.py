"""What the layers around recurrent ones refuse, with the axis and the way out; and where masks end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from helpers import refused

import unroll
from unroll import layers


def x(*shape: Any) -> Any:
    return unroll.placeholder([None, *shape], "x")


#: A call, the built-in error that it is besides, and what its message says.
WRONG: dict[str, tuple[Callable[[], Any], type[Exception], tuple[str, ...]]] = {
    "kernel too long": (lambda: layers.Conv1D(2, 5)(x(3, 4)), ValueError, ("window of 5", "axis 1", "has 3", "padding='same'")),
    "kernel spread too far": (
        lambda: layers.Conv2D(2, 2, dilation_rate=(1, 3))(x(4, 3, 1)), ValueError, ("dilation_rate 3", "axis 2"),
    ),
    "pool too wide": (lambda: layers.MaxPooling2D(3)(x(4, 2, 1)), ValueError, ("window of 3", "axis 2", "ZeroPadding2D")),
    "padding unknown": (lambda: layers.Conv1D(2, 3, padding="full"), ValueError, ("Conv1D: padding", "'full'", "'causal'")),
    "causal image": (lambda: layers.Conv2D(2, 3, padding="causal"), ValueError, ("Conv2D: padding", "'valid', 'same'")),
    "strides and dilation": (lambda: layers.Conv1D(2, 3, 2, dilation_rate=2), ValueError, ("do not go together",)),
    "groups of filters": (lambda: layers.Conv1D(3, 2, groups=2), ValueError, ("3 filters", "groups=2")),
    "groups of channels": (lambda: layers.Conv1D(4, 2, groups=2)(x(5, 3)), ValueError, ("3 channels", "groups=2")),
    "rank of a sequence": (lambda: layers.Conv1D(2, 3)(x(4)), ValueError, ("(batch, time, channels)",)),
    "rank of an image": (lambda: layers.AveragePooling2D(2)(x(4, 4)), ValueError, ("(batch, height, width, channels)",)),
    "channels open": (lambda: layers.Conv1D(2, 3)(x(4, None)), ValueError, ("known size", "axis -1")),
    "merge of sizes": (lambda: layers.Add()([x(7, 4), x(5, 4)]), ValueError, ("7 and 5", "axis -2", "layers.Dense")),
    "merge of one": (lambda: layers.Add()(x(4)), ValueError, ("list of tensors", "layer([a, b])")),
    "difference of three": (lambda: layers.Subtract()([x(4)] * 3), ValueError, ("a list of 2 tensors", "of 3")),
    "joined ranks": (lambda: layers.Concatenate()([x(4), x(4, 3)]), ValueError, ("2 and 3 axes", "layers.Reshape")),
    "joined sizes": (lambda: layers.Concatenate()([x(4, 2), x(5, 2)]), ValueError, ("4 and 5", "axis 1", "along axis 2")),
    "dot of sizes": (lambda: layers.Dot(2)([x(7, 4), x(7, 3)]), ValueError, ("axis 2", "4", "3")),
    "dot of batches": (lambda: layers.Dot((0, 1))([x(7, 4), x(7, 4)]), ValueError, ("axis 0", "batch")),
    "dot of three axes": (lambda: layers.Dot((1, 2, 3)), ValueError, ("Dot: axes",)),
    "attention's features": (lambda: layers.Attention()([x(2, 4), x(7, 3)]), ValueError, ("features", "4 and 3", "axis 2")),
    "attention's steps": (lambda: layers.Attention()([x(2, 4), x(7, 4), x(6, 4)]), ValueError, ("steps", "6 and 7", "axis 1")),
    "attention of a row": (lambda: layers.Attention()([x(4), x(7, 4)]), ValueError, ("(batch, steps,", "layers.Reshape")),
    "heads over other axes": (
        lambda: layers.MultiHeadAttention(2, 2, attention_axes=(1, 2)), NotImplementedError, ("attention_axes", "axis 1"),
    ),
    "heads of a row": (lambda: layers.MultiHeadAttention(2, 2)(x(4), x(7, 4)), ValueError, ("the query", "(batch, steps")),
    "shape of other size": (lambda: layers.Reshape((5, 5))(x(4, 6)), ValueError, ("24", "25", "-1")),
    "shape of two unknowns": (lambda: layers.Reshape((-1, -1)), ValueError, ("Reshape: target_shape",)),
    "axes not each once": (lambda: layers.Permute((1, 3)), ValueError, ("Permute: dims", "from 1 on")),
    "axes too many": (lambda: layers.Permute((2, 1))(x(2, 3, 4)), ValueError, ("3 axes", "2")),
    "crop of all": (lambda: layers.Cropping1D((2, 3))(x(5, 2)), ValueError, ("axis 1", "2 and 3", "cut less")),
    "pairs": (lambda: layers.ZeroPadding2D((1, 2, 3)), ValueError, ("ZeroPadding2D: padding", "2 pairs")),
    "below zero": (lambda: layers.ZeroPadding1D(-1), ValueError, ("ZeroPadding1D: padding", "at least 0")),
    "bilinear": (lambda: layers.UpSampling2D(2, interpolation="bilinear"), NotImplementedError, ("bilinear", "'nearest'")),
    "groups of a norm": (lambda: layers.GroupNormalization(3)(x(7, 4)), ValueError, ("4 channels", "groups=3", "axis -1")),
    "shared axis": (lambda: layers.PReLU(shared_axes=[3])(x(7, 4)), ValueError, ("axis 3", "1 to 2")),
    "time of a slope": (lambda: layers.PReLU()(x(None, 4)), ValueError, ("axis 1",)),
    "noise too strong": (lambda: layers.GaussianNoise(2.0), ValueError, ("GaussianNoise: stddev", "0 to 1")),
    "noise over rows": (lambda: layers.SpatialDropout1D(0.5)(x(4)), ValueError, ("3 are wanted", "layers.Dropout")),
    "no function": (lambda: layers.Lambda(3), TypeError, ("Lambda: function", "unroll.ops.tanh")),  # type: ignore[arg-type]
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_with_the_axis_and_the_way_out(name: str) -> None:
    action, builtin, said = WRONG[name]
    refused(action, builtin, *said)


def test_a_size_that_only_a_run_knows_is_refused_when_it_is_fed_too_small() -> None:
    time = unroll.placeholder([None, "time", 1], "x")
    graph = unroll.Graph([time], {"y": layers.MaxPooling1D(3)(time)})
    assert graph.run({"x": [[[1.0], [2.0], [3.0]]]})["y"].tolist() == [[[3.0]]]
    refused(lambda: graph.run({"x": [[[1.0], [2.0]]]}), ValueError, "at least 3 is wanted")


@pytest.mark.parametrize("made", [lambda: layers.Flatten(), lambda: layers.Conv1D(2, 1), lambda: layers.Lambda(abs)])
def test_a_layer_that_destroys_a_mask_says_so(made: Callable[[], Any]) -> None:
    masked = layers.Masking()(x(4, 3))
    with pytest.warns(unroll.UnrollWarning, match="mask of its input ends here"):
        made()(masked)


def test_a_mask_goes_through_activations_and_merges_to_the_layer_that_heeds_it() -> None:
    fed = x(4, 3)
    masked = layers.Masking()(fed)
    through = layers.Add()([layers.ReLU()(masked), layers.GaussianNoise(0.1)(masked)])
    graph = unroll.Graph([fed], {"y": layers.GlobalAveragePooling1D()(through)})
    rows = [[[1.0, 3.0, 5.0], [3.0, 5.0, 7.0], [0.0] * 3, [0.0] * 3]]
    assert graph.run({"x": rows})["y"].tolist() == [[4.0, 8.0, 12.0]]
