"""TensorFlow 1's initialisers, and tensors that they draw: the core's under TensorFlow's names, arguments and defaults.

A tensor of random numbers is drawn anew in every run of a session, and an input of the graph that `Session.graph_of` gives.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from unroll import initializers
from unroll.checks import check_number
from unroll.dtypes import Array, DType, cast_array
from unroll.errors import ArgumentError, ShapeError
from unroll.ops.given_sizes import sizes_of
from unroll.tensor import Tensor as Core
from unroll.tensor import placeholder
from unroll.tf1.dtypes import as_dtype
from unroll.tf1.graphs import get_default_graph
from unroll.tf1.operators import constant
from unroll.tf1.signatures import takes
from unroll.tf1.tensors import Stand, Tensor, unwrap


class Drawn(NamedTuple):
    """How a tensor of random numbers is drawn."""

    sizes: Core | list[int]  #: its shape, or a tensor of that
    core: initializers.RandomInitializer
    dtype: DType


class Initializer(Stand):
    """An initialiser of the core's: called with a shape it gives a tensor; a variable draws from its own name."""

    def __init__(self, core: Any, dtype: Any) -> None:
        self.core, self.dtype = core, as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None, name: str = "initializer") -> Any:
        """Return a tensor of a shape, which may be a tensor too where numbers are drawn."""
        graph, kind = get_default_graph(), (self.dtype if dtype is None else as_dtype(dtype)).dtype
        if not isinstance(self.core, initializers.RandomInitializer):
            return constant(self.core(tuple(map(int, unwrap(shape))), kind, "", None))
        sizes, base = sizes_of(unwrap(shape)), graph.scoped_name(name)
        known = (sizes.known or [None] * int(sizes.shape[0])) if isinstance(sizes, Core) else sizes
        made = placeholder(list(known), base, kind)  # type: ignore[arg-type]
        graph.drawn[made] = Drawn(sizes, self.core, kind)
        return Tensor(made, f"{base}:0", graph)


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


class _Whole(initializers.RandomUniform):
    """Whole numbers from `minval` on, below `maxval`."""

    def draw(self, random: np.random.Generator, sizes: list[int], name: str) -> Array:
        return random.integers(int(self.minval), int(self.maxval), sizes)


def _uniform(minval: Any, maxval: Any, dtype: Any, seed: Any) -> initializers.RandomUniform:
    kind = _Whole if as_dtype(dtype).is_integer else initializers.RandomUniform
    found = kind(minval, 1.0 if maxval is None else maxval, seed)
    if kind is _Whole and int(found.minval) >= int(found.maxval):
        raise ArgumentError(f"random_uniform: no {dtype} lies from minval {minval!r} on below maxval {maxval!r}")
    return found


_SEED = "seed=None, dtype='float32'"
_NORMAL = f"mean=0.0, stddev=1.0, {_SEED}"
_DRAWN = "shape, mean=0.0, stddev=1.0, dtype='float32', seed=None, name=None"
#: The arguments, and the core's initialiser, by name.
_ROWS: dict[str, tuple[str, Callable[..., Any]]] = {
    "constant_initializer": ("value=0, dtype='float32', verify_shape=False", _filled),
    "glorot_normal_initializer": (_SEED, initializers.GlorotNormal),
    "glorot_uniform_initializer": (_SEED, initializers.GlorotUniform),
    "ones_initializer": ("dtype='float32'", lambda: _filled(1)),
    "orthogonal_initializer": (f"gain=1.0, {_SEED}", initializers.Orthogonal),
    "random_normal": (_DRAWN, initializers.RandomNormal),
    "random_normal_initializer": (_NORMAL, initializers.RandomNormal),
    "random_uniform": ("shape, minval=0, maxval=None, dtype='float32', seed=None, name=None", _uniform),
    "random_uniform_initializer": (f"minval=0, maxval=None, {_SEED}", _uniform),
    "truncated_normal": (_DRAWN, initializers.TruncatedNormal),
    "truncated_normal_initializer": (_NORMAL, initializers.TruncatedNormal),
    "uniform_unit_scaling_initializer": (
        f"factor=1.0, {_SEED}", lambda factor, seed: _scaled(check_number(factor, "factor") ** 2, "fan_in", "uniform", seed)),
    "variance_scaling_initializer": (f"scale=1.0, mode='fan_in', distribution='truncated_normal', {_SEED}", _scaled),
    "xavier_initializer": (
        f"uniform=True, {_SEED}", lambda uniform, seed: _scaled(1.0, "fan_avg", "uniform" if uniform else "normal", seed)),
    "zeros_initializer": ("dtype='float32'", lambda: _filled(0)),
}  # fmt: skip


def _made(called: str, arguments: str, make: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes an initialiser, or what it draws of a shape where it takes one."""
    core = takes(called, arguments)(make)
    rest = takes(called, arguments)(lambda dtype, shape=None, name=None: (dtype, shape, name))

    def begin(*args: Any, **kwargs: Any) -> Any:
        dtype, shape, name = rest(*args, **kwargs)
        made = Initializer(core(*args, **kwargs), dtype)
        return made if called.endswith("_initializer") else made(shape, name=name or called)

    return functools.wraps(core)(begin)


TABLE = {name: _made(name, arguments, make) for name, (arguments, make) in _ROWS.items()}
