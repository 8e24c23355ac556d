"""Random numbers: drawn anew in every run of a session, and an input of the graph that `Session.graph_of` gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from unroll import initializers
from unroll.dtypes import Array, DType
from unroll.errors import ArgumentError
from unroll.ops.given_sizes import sizes_of
from unroll.tensor import Tensor as Core
from unroll.tensor import placeholder as core_placeholder
from unroll.tf1.dtypes import as_dtype
from unroll.tf1.graphs import get_default_graph
from unroll.tf1.signatures import takes
from unroll.tf1.tensors import Tensor, unwrap

#: Of a generator, sizes and a name, an array: what the core's initialisers do.
Draw = Callable[[np.random.Generator, list[int], str], Array]


class Random(NamedTuple):
    """How a tensor of random numbers is drawn."""

    sizes: Core | list[int]  #: its shape, or a tensor of that
    draw: Draw
    dtype: DType
    seed: int | None


def drawn_tensor(shape: Any, draw: Draw, dtype: Any, seed: int | None, name: str) -> Tensor:
    """Return a tensor that is drawn in every run, of a shape that may be a tensor too."""
    graph, sizes = get_default_graph(), sizes_of(unwrap(shape))
    base = graph.scoped_name(name)
    known = (sizes.known or [None] * int(sizes.shape[0])) if isinstance(sizes, Core) else sizes
    core = core_placeholder(list(known), base, as_dtype(dtype).dtype)  # type: ignore[arg-type]
    graph.drawn[core] = Random(sizes, draw, core.dtype, seed)
    return Tensor(core, f"{base}:0", graph)


_NORMAL = "shape, mean=0.0, stddev=1.0, dtype='float32', seed=None, name=None"


@takes("random_normal", _NORMAL)
def random_normal(shape: Any, mean: Any, stddev: Any, dtype: Any, seed: Any, name: Any) -> Tensor:
    """Return normal numbers of a mean and a standard deviation."""
    return drawn_tensor(shape, initializers.RandomNormal(mean, stddev).draw, dtype, seed, name or "random_normal")


@takes("truncated_normal", _NORMAL)
def truncated_normal(shape: Any, mean: Any, stddev: Any, dtype: Any, seed: Any, name: Any) -> Tensor:
    """Return normal numbers, with what lies beyond two standard deviations drawn again."""
    return drawn_tensor(shape, initializers.TruncatedNormal(mean, stddev).draw, dtype, seed, name or "truncated_normal")


@takes("random_uniform", "shape, minval=0, maxval=None, dtype='float32', seed=None, name=None")
def random_uniform(shape: Any, minval: Any, maxval: Any, dtype: Any, seed: Any, name: Any) -> Tensor:
    """Return uniform numbers from `minval` on, below `maxval`: below 1 unless it is given.

    Raises:
        ArgumentError: no integer lies between them.
    """
    floats = initializers.RandomUniform(minval, 1.0 if maxval is None else maxval)
    low, high = int(floats.minval), int(floats.maxval)
    if as_dtype(dtype).is_integer and low >= high:
        raise ArgumentError(f"random_uniform: no {dtype} lies from minval {minval!r} on below maxval {maxval!r}")

    def whole(random: np.random.Generator, sizes: list[int], name: str) -> Array:
        return random.integers(low, high, sizes)

    draw = whole if as_dtype(dtype).is_integer else floats.draw
    return drawn_tensor(shape, draw, dtype, seed, name or "random_uniform")
