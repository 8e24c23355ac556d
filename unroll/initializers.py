"""How the first value of a Parameter is drawn.

Each Parameter has a generator of its own, seeded by its variable name (and the user's seed): the same program always
gives the same values, and two layers of one shape do not get equal ones. Distributions are TensorFlow's, the numbers are not.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np

from unroll.dimensions import Shape
from unroll.dtypes import Array, DType
from unroll.errors import ArgumentTypeError


def generator(name: str, seed: int | None) -> np.random.Generator:
    """Return the generator for a Parameter: seeded by the SHA-256 of its name and the user's seed."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
        raise ArgumentTypeError(f"seed {seed!r} is not an int")
    text = name if seed is None else f"{name}\n{seed}"
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest(), "big"))


def zeros(shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
    """All zeros."""
    return np.zeros([int(dim) for dim in shape], dtype)


def ones(shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
    """All ones."""
    return np.ones([int(dim) for dim in shape], dtype)


def glorot_uniform(shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
    """Uniform in ``+-sqrt(6 / (rows + columns))``: Glorot and Bengio 2010, TensorFlow 1's default for kernels."""
    sizes = [int(dim) for dim in shape]
    fan_in, fan_out = (sizes[0], sizes[-1]) if sizes else (1, 1)
    limit = math.sqrt(6.0 / (fan_in + fan_out))
    return generator(name, seed).uniform(-limit, limit, sizes).astype(dtype)
