"""Convolution, pooling and padding as C: all their cases, NaN and infinities, and pads that depend on sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from c_running import Case, needs_compiler, run_all, worst
from operator_cases import cases_of

import unroll
from unroll import ops
from unroll.ops.operator import apply_one
from unroll.ops.pooling import AveragePool, MaxPool


def odd_image(*shape: int) -> np.ndarray:
    numbers = np.random.default_rng(5).normal(size=shape).astype("float32")
    numbers.reshape(-1)[::7] = np.nan
    numbers.reshape(-1)[3::11] = np.inf
    numbers.reshape(-1)[5::13] = -np.inf
    return numbers


def every_case() -> list[Case]:
    found = []
    for op, dtype in (("AveragePool", "float64"), ("MaxPool", "float32"), ("Pad", "float32"), ("Pad", "int64")):
        for one in cases_of(op, dtype):
            inputs = [unroll.placeholder(array.shape, f"x{at}", array.dtype) for at, array in enumerate(one.arrays)]
            feeds = {f"x{at}": array for at, array in enumerate(one.arrays)}
            found.append(Case(unroll.Graph(inputs, one.call(*inputs)), feeds))
    return found


def odd_cases() -> list[Case]:
    """A window over sizes that are not known, of two axes; a value to pad with that is fed; nothing but what is padded."""
    x = unroll.placeholder([1, 2, None, None], "x")
    value, empty = unroll.placeholder([1], "value"), unroll.placeholder([1, 1, 0], "empty")
    options: dict[str, object] = {"window": (3, 2), "strides": (2, 1)}
    outputs = {
        f"{name}_{padding}": function(x, padding=padding, **options)  # type: ignore[operator]
        for name, function in (("max", ops.max_pool), ("mean", ops.average_pool))
        for padding in ("same", "valid")
    }
    for padding in ("same", "valid"):  # a kernel with infinities gives NaN where it lies over what is padded
        outputs[f"conv_{padding}"] = ops.conv(x, odd_image(3, 2, 3, 2), strides=(2, 1), padding=padding)
    outputs["padded"] = ops.pad(x, [0, 1, 2, 0, 0, 0, 1, 3], value)
    pooled = unroll.Graph([x, value], outputs)
    nothing = unroll.Graph(
        [empty], {kind.__name__: apply_one(kind((2,), (1,), (1, 1)), empty) for kind in (MaxPool, AveragePool)}
    )
    fed = {"value": np.array([np.nan], "float32")}
    return [
        Case(pooled, {"x": odd_image(1, 2, 7, 5), **fed}),
        Case(pooled, {"x": odd_image(1, 2, 6, 8), **fed}),
        Case(nothing, {"empty": np.zeros((1, 1, 0), "float32")}),
    ]


@needs_compiler
def test_windows_and_padding_give_numpys_numbers(tmp_path: Path) -> None:
    cases = [*every_case(), *odd_cases()]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = run_all(cases, tmp_path)
        assert [worst(case, arrays) <= 1 for case, arrays in zip(cases, found, strict=True)] == [True] * len(cases)
