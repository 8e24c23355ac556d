"""Random numbers: drawn anew in every run of a session, and an input of the graph that `Session.graph_of` gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from unroll import initializers
from unroll.dtypes import Array, DType
from unroll.tensor import Tensor as Core
from unroll.tensor import placeholder as core_placeholder
from unroll.tf1.dtypes import as_dtype
from unroll.tf1.graphs import get_default_graph
from unroll.tf1.operators import sizes_of
from unroll.tf1.tensors import Tensor, takes, unwrap

#: Of a generator and sizes, an array.
Draw = Callable[[np.random.Generator, list[int]], Array]


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


@takes("random_normal", "shape, mean=0.0, stddev=1.0, dtype='float32', seed=None, name=None")
def random_normal(shape: Any, mean: float, stddev: float, dtype: Any, seed: Any, name: Any) -> Tensor:
    """Return normal numbers of a mean and a standard deviation."""
    draw = initializers.RandomNormal(mean, stddev)
    return drawn_tensor(shape, lambda random, sizes: draw.draw(random, sizes, ""), dtype, seed, name or "random_normal")


@takes("truncated_normal", "shape, mean=0.0, stddev=1.0, dtype='float32', seed=None, name=None")
def truncated_normal(shape: Any, mean: float, stddev: float, dtype: Any, seed: Any, name: Any) -> Tensor:
    """Return normal numbers, with what lies beyond two standard deviations drawn again."""
    draw = initializers.TruncatedNormal(mean, stddev)
    return drawn_tensor(
        shape, lambda random, sizes: draw.draw(random, sizes, ""), dtype, seed, name or "truncated_normal"
    )


@takes("random_uniform", "shape, minval=0, maxval=None, dtype='float32', seed=None, name=None")
def random_uniform(shape: Any, minval: Any, maxval: Any, dtype: Any, seed: Any, name: Any) -> Tensor:
    """Return uniform numbers from `minval` on, below `maxval`: below 1 unless it is given."""
    whole, high = as_dtype(dtype).is_integer, maxval
    high = 1.0 if high is None else high

    def draw(random: np.random.Generator, sizes: list[int]) -> Array:
        return random.integers(int(minval), int(high), sizes) if whole else random.uniform(minval, high, sizes)

    return drawn_tensor(shape, draw, dtype, seed, name or "random_uniform")
