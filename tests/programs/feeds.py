"""What random programs are fed: several batches, lengths from 0 to all steps, every row of a table; floats are no 0 or 1."""

from __future__ import annotations

import numpy as np
from helpers import Array

import unroll
from unroll.dimensions import substitute
from unroll.feeds import InputSpec

#: Sizes of a batch: one more than another, and neither is 1, which would broadcast.
BATCHES = (2, 3)


def feeds_of(graph: unroll.Graph, number: int, steps: int) -> list[dict[str, Array]]:
    """Return feeds for a graph, one dict a batch; one where its batch is fixed."""
    symbols = {s for spec in graph.input_specs for dim in spec.shape if not isinstance(dim, int) for s in dim.symbols}
    rng = np.random.default_rng([5, number])
    masking = any(node.op.name in ("Equal", "NotEqual", "Not") for node in graph.nodes)
    found = []
    for batch in BATCHES if symbols else BATCHES[:1]:
        sizes = dict.fromkeys(symbols, batch)
        found.append(
            {
                spec.name: _fed(spec, [int(substitute(dim, sizes)) for dim in spec.shape], steps, rng, masking)
                for spec in graph.input_specs
            }
        )
    return found


def _fed(spec: InputSpec, shape: list[int], steps: int, rng: np.random.Generator, masking: bool) -> Array:
    if spec.dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.6)
    if spec.dtype.kind == "i":
        most = steps if "lengths" in spec.name or not spec.limits else spec.limits[0].most
        drawn = np.asarray(rng.integers(0, most + 1, shape))
        if "lengths" in spec.name and drawn.size > 1:
            drawn[rng.permutation(drawn.size)[:2]] = (0, steps)
        return drawn.astype(spec.dtype)
    drawn = rng.uniform(0.1, 0.95, shape) * rng.choice([-1, 1], shape)
    if masking and len(shape) == 3:  # a step of zeros is one that Keras's Masking leaves out
        drawn *= rng.random((*shape[:2], 1)) < 0.7
    return np.asarray(drawn).astype(spec.dtype)
