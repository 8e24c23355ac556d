"""Small random recurrent networks: cells written in many ways, steps that come and go in many ways."""

from __future__ import annotations

from typing import Any

import numpy as np
from helpers import Array

import unroll
from unroll import ops

UNITS = 3


def random_network(seed: int, steps: int = 5) -> tuple[unroll.Graph, dict[str, Array]]:
    """Draw a network of one or two layers and feeds for it; the same seed always gives the same."""
    rng = np.random.default_rng([11, seed])
    width = int(rng.integers(2, 5))
    inputs, xs = _steps(rng, steps, width)
    batch = int(rng.integers(1, 4))
    layers = int(rng.integers(1, 3))
    for layer in range(layers):
        with unroll.scope(f"layer{layer}"):
            xs = _layer(rng, xs, width if layer == 0 else UNITS)
        if layer + 1 < layers and rng.random() < 0.5:  # the next layer unstacks what this one stacked
            axis = int(rng.integers(0, 2))
            xs = ops.unstack(ops.stack(xs, axis), axis)
    outputs = _outputs(rng, xs)
    feeds = {
        tensor.name: rng.uniform(-1, 1, [size if isinstance(size, int) else batch for size in tensor.shape]).astype(
            "float32"
        )
        for tensor in inputs
    }
    return unroll.Graph(inputs, outputs), feeds


def _steps(rng: np.random.Generator, steps: int, width: int) -> tuple[list[Any], list[Any]]:
    """Return placeholders, and the input of each step made from them."""
    kind = rng.integers(0, 5)
    if kind == 0:
        xs = [unroll.placeholder([None, width], f"X{step}") for step in range(steps)]
        return xs, xs
    axis = int(rng.integers(0, 2))
    batch = None if rng.random() < 0.7 else 1
    x = unroll.placeholder([batch, steps, width] if axis else [steps, "batch", width], "x")
    if kind == 1:
        return [x], [ops.gather(x, step, axis) for step in range(steps)]
    if kind == 2:
        return [x], [ops.squeeze(ops.slice_(x, [step], [step + 1], [axis]), [axis]) for step in range(steps)]
    return [x], ops.unstack(x, axis)


def _layer(rng: np.random.Generator, xs: list[Any], width: int) -> list[Any]:
    """Return h of each step of a cell written at random."""

    def weight(name: str, *shape: int) -> Any:
        return unroll.Parameter(rng.uniform(-0.5, 0.5, shape).astype("float32"), name)

    gates = int(rng.integers(1, 5))
    columns = gates * UNITS
    kernel, wx, wh = (
        weight("kernel", width + UNITS, columns),
        weight("wx", width, columns),
        weight("wh", UNITS, columns),
    )
    turned_x, turned_h, b, b2 = (
        weight("wxt", columns, width),
        weight("wht", columns, UNITS),
        weight("b", columns),
        weight("b2", columns),
    )
    product, bias = int(rng.integers(0, 6)), int(rng.integers(0, 4))
    functions = [
        [ops.sigmoid, ops.tanh, ops.relu, ops.identity][int(kind)] for kind in rng.choice([0, 0, 0, 1, 1, 2, 3], gates)
    ]
    extra = [float(kind) for kind in rng.choice([0, 0, 1, -0.5], gates)]
    backward, zero = rng.random() < 0.3, rng.random() < 0.7
    first = xs[-1] if backward else xs[0]
    shape = ops.concat([ops.shape(first)[:1], [UNITS]], 0)
    h = c = ops.constant_of_shape(shape, 0.0 if zero else 0.5)
    found = []
    for x in reversed(xs) if backward else xs:
        if product == 0:
            z = ops.concat([x, h], -1) @ kernel
        elif product == 1:
            z = x @ wx + h @ wh
        elif product == 2:
            z = h @ wh + x @ wx
        elif product == 3:
            z = ops.gemm(ops.concat([x, h], -1), kernel, b)
        elif product == 4:
            z = ops.gemm(x, turned_x, b, transB=True) + ops.gemm(h, turned_h, b2, transB=True)
        else:
            z = ops.gemm(x, wx) + (h @ wh + b2)
        z = [z, z + b, b + z, (z + b) + b2][bias]
        pieces = ops.split(z, gates, -1) if gates > 1 else [z]
        values = [
            function(piece + more if more else piece)
            for function, piece, more in zip(functions, pieces, extra, strict=True)
        ]
        c = c * ops.sigmoid(values[0]) + values[-1] if gates > 1 else values[0]
        h = ops.tanh(c * values[len(values) // 2])
        found.append(h)
    return found[::-1] if backward else found


def _outputs(rng: np.random.Generator, xs: list[Any]) -> dict[str, Any]:
    kind = rng.integers(0, 4)
    if kind == 0:
        return {"last": xs[-1]}
    if kind == 1:
        return {"all": ops.stack(xs, int(rng.integers(0, 2)))}
    if kind == 2:
        return {"middle": xs[len(xs) // 2], "last": xs[-1]}
    return {f"h/{step}": x for step, x in enumerate(xs)}
