"""exp, sigmoid and tanh of C, over all floats there are: small, large, and none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_running import SANITIZED, Case, needs_compiler, run_all
from helpers import Array

import unroll
from unroll import ops

#: Every so many of the bit patterns of float32, and what is special.
EVERY = 40_009
SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 88.72, 88.73, -87.4, -103.9, -104.1, 7.904, 7.906, -7.906)
FLAGS = {
    "sanitized": SANITIZED,
    "fast": ("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
}


def floats() -> Array:
    bits = np.arange(0, 2**32, EVERY, dtype=np.uint64).astype(np.uint32)
    found: Array = np.concatenate([bits.view(np.float32), np.array(SPECIAL, "float32")])
    return found


@needs_compiler
@pytest.mark.parametrize("flags", FLAGS)
def test_functions_are_as_exact_as_they_say_for_every_float(flags: str, tmp_path: Path) -> None:
    values = floats()
    x = unroll.placeholder([len(values)], "x")
    outputs = {"exp": ops.exp(x), "sigmoid": ops.sigmoid(x), "tanh": ops.tanh(x)}
    (found,) = run_all([Case(unroll.Graph([x], outputs), {"x": values})], tmp_path, FLAGS[flags])
    for array in found.values():
        assert np.array_equal(np.isnan(array), np.isnan(values))
    with np.errstate(all="ignore"):
        wide = values.astype("float64")
        true = {"exp": np.exp(wide), "sigmoid": 1 / (1 + np.exp(-wide)), "tanh": np.tanh(wide)}
        far = {name: np.abs(array.astype("float64") - true[name]) for name, array in found.items()}
        infinite = true["exp"] > np.finfo("float32").max
    least = 1.5e-45  # a float next to zero
    for name, share, some in (("tanh", 3.1e-7, True), ("sigmoid", 3.1e-7, True), ("exp", 2e-7, ~infinite)):
        left = (far[name] - share * np.abs(true[name]))[~np.isnan(values) & some]
        assert np.max(left) <= least, name
    assert np.all(np.isinf(found["exp"][infinite]))
    ends = {name: [float(array[values == end][0]) for end in (np.inf, -np.inf)] for name, array in found.items()}
    assert ends == {"exp": [np.inf, 0], "sigmoid": [1, 0], "tanh": [1, -1]}
    assert np.nanmax(np.abs(found["tanh"])) == 1
    assert np.array_equal(np.signbit(found["tanh"][values == 0]), np.signbit(values[values == 0]))
