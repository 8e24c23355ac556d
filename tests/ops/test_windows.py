"""What walks with a window: over sizes that only a run knows it gives what it gives over those that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import ops
from unroll.errors import UnrollError

KERNEL = np.random.default_rng(0).normal(size=(2, 3, 3)).astype("float32")
WALKS: dict[str, Any] = {
    "conv": lambda x, **options: ops.conv(x, unroll.constant(KERNEL), **options),
    "max_pool": lambda x, **options: ops.max_pool(x, 3, **options),
    "average_pool": lambda x, **options: ops.average_pool(x, 3, **options),
}


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("name", WALKS)
def test_a_size_that_is_not_known_gives_the_same_numbers(name: str, padding: str, stride: int) -> None:
    walk = WALKS[name]
    x = unroll.placeholder(["n", 3, "time"], "x")
    if name != "conv" and (padding, stride) == ("same", 4):  # windows with gaps between them
        refused(lambda: walk(x, strides=4, padding="same"), NotImplementedError, "onnxruntime", "Give the size")
        return
    graph = unroll.Graph([x], {"y": walk(x, strides=stride, padding=padding)})
    session = unroll.Session(unroll.to_onnx(graph))
    read = unroll.from_onnx(unroll.to_onnx(graph))
    assert read.shape(read.outputs[0]) == graph.shape(graph.outputs[0])
    for size in range(3, 10):
        fed = np.random.default_rng(size).normal(size=(2, 3, size)).astype("float32")
        known = unroll.placeholder(fed.shape, "x")
        (wanted,) = unroll.Graph([known], walk(known, strides=stride, padding=padding)).run({"x": fed}).values()
        for runner in (graph, session, read):
            np.testing.assert_allclose(runner.run({"x": fed})["y"], wanted, rtol=1e-5, atol=1e-6)


def test_a_causal_convolution_sees_nothing_that_comes_later() -> None:
    x = unroll.placeholder([1, 1, "time"], "x")
    graph = unroll.Graph([x], {"y": ops.conv(x, [[[1.0, 10.0, 100.0]]], padding="causal")})
    assert graph.run({"x": [[[1, 2, 3, 4]]]})["y"].tolist() == [[[100.0, 210.0, 321.0, 432.0]]]


def test_pooling_leaves_out_what_is_padded() -> None:
    x = unroll.placeholder([1, 1, 3], "x")
    outputs = {"most": ops.max_pool(x, 2, padding="same"), "mean": ops.average_pool(x, 2, padding="same")}
    found = unroll.Graph([x], outputs).run({"x": [[[-4, -2, -6]]]})
    assert found["most"].tolist() == [[[-2.0, -6.0]]]
    assert found["mean"].tolist() == [[[-3.0, -6.0]]]


def test_what_does_not_fit_is_refused() -> None:
    x = unroll.placeholder([1, 2, 3], "x")
    refused(lambda: ops.max_pool(x, 4), ValueError, "window of 4", "3 on axis 2")
    refused(lambda: ops.max_pool(x, [2, 2]), ValueError, "max_pool: window")
    refused(lambda: ops.average_pool(x, 2, padding="causal"), ValueError, "average_pool: padding")  # type: ignore[arg-type]
    refused(lambda: ops.average_pool(unroll.placeholder([2, 3], "y"), 2), ValueError, "axes to walk over")
    refused(lambda: ops.pad(x, [1, 2]), ValueError, "6 numbers", "two an axis")
    with pytest.raises(UnrollError, match="at least 0"):
        ops.pad(x, [0, 0, -1, 0, 0, 0])
