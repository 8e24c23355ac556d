"""TensorFlow 1's initialisers: the core's under TensorFlow's names, arguments and defaults; called, they give tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from unroll import initializers
from unroll.checks import check_flag, check_number
from unroll.dtypes import Array, cast_array
from unroll.errors import ShapeError
from unroll.tf1.dtypes import as_dtype
from unroll.tf1.operators import constant
from unroll.tf1.random_numbers import drawn_tensor
from unroll.tf1.signatures import takes
from unroll.tf1.tensors import Stand, unwrap


class Initializer(Stand):
    """An initialiser of the core's: called with a shape it gives a tensor; a variable draws from its own name."""

    def __init__(self, core: Any, dtype: Any) -> None:
        self.core, self.dtype = core, as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        """Return a tensor of a shape."""
        kind, draw = (self.dtype if dtype is None else as_dtype(dtype)).dtype, self.core
        sizes = tuple(map(int, unwrap(shape)))
        if not isinstance(draw, initializers.RandomInitializer):
            return constant(draw(sizes, kind, "", None))
        return drawn_tensor(sizes, draw.draw, kind, draw.seed, "initializer")


def _filled(value: Any) -> Callable[..., Array]:
    """Return the initialiser of one value, or of an array's in order."""

    def fill(shape: Any, dtype: Any, name: str, seed: Any) -> Array:
        found = cast_array(unwrap(value), np.dtype(dtype), f"{name}: the value of constant_initializer")
        if found.size not in (1, np.prod(shape)):
            raise ShapeError(f"{name}: constant_initializer has {found.size} values for the shape {list(shape)}")
        return found.reshape(shape) if found.size == np.prod(shape) else np.full(shape, found.ravel()[0])

    return fill


def _scaled(scale: Any, mode: Any, distribution: Any, seed: Any) -> Any:
    kind: Any = "truncated_normal" if isinstance(distribution, str) and distribution == "normal" else distribution
    return initializers.VarianceScaling(scale, mode, kind, seed)


def _unit_scaled(factor: Any, seed: Any) -> Any:
    return _scaled(check_number(factor, "uniform_unit_scaling_initializer: factor") ** 2, "fan_in", "uniform", seed)


def _xavier(uniform: Any, seed: Any) -> Any:
    kind = "uniform" if check_flag(uniform, "xavier_initializer: uniform") else "normal"
    return _scaled(1.0, "fan_avg", kind, seed)


#: The arguments, and the core's initialiser, by name.
_ROWS: dict[str, tuple[str, Callable[..., Any]]] = {
    "constant_initializer": ("value=0, dtype='float32', verify_shape=False", lambda value: _filled(value)),
    "glorot_normal_initializer": ("seed=None, dtype='float32'", initializers.GlorotNormal),
    "glorot_uniform_initializer": ("seed=None, dtype='float32'", initializers.GlorotUniform),
    "ones_initializer": ("dtype='float32'", lambda: _filled(1)),
    "orthogonal_initializer": ("gain=1.0, seed=None, dtype='float32'", initializers.Orthogonal),
    "random_normal_initializer": ("mean=0.0, stddev=1.0, seed=None, dtype='float32'", initializers.RandomNormal),
    "random_uniform_initializer": ("minval=0, maxval=1.0, seed=None, dtype='float32'", initializers.RandomUniform),
    "truncated_normal_initializer": ("mean=0.0, stddev=1.0, seed=None, dtype='float32'", initializers.TruncatedNormal),
    "uniform_unit_scaling_initializer": ("factor=1.0, seed=None, dtype='float32'", _unit_scaled),
    "variance_scaling_initializer": (
        "scale=1.0, mode='fan_in', distribution='truncated_normal', seed=None, dtype='float32'", _scaled),
    "xavier_initializer": ("uniform=True, seed=None, dtype='float32'", _xavier),
    "zeros_initializer": ("dtype='float32'", lambda: _filled(0)),
}  # fmt: skip


def _initializer(name: str, arguments: str, draw: Callable[..., Any]) -> Callable[..., Initializer]:
    core, dtype = takes(name, arguments)(draw), takes(name, arguments)(lambda dtype: dtype)
    return functools.wraps(core)(lambda *args, **kwargs: Initializer(core(*args, **kwargs), dtype(*args, **kwargs)))


TABLE = {name: _initializer(name, arguments, draw) for name, (arguments, draw) in _ROWS.items()}
