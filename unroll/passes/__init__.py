"""Passes: Graph -> Graph, one file each, each saying what it preserves.

`pipeline` has them all by name and runs them, as `unroll.optimize` does; `canonical` runs some of them to write graphs alike.
The others import no pass (`join_cells` runs `cancel_shapes` on what it has written): what they share is in `tools`.

- `tools`: what passes are written with. `rewriting` walks a graph and replaces tensors, `drafting` is the graph between two
  passes, `making` makes nodes of one provenance. `weight_expressions`, `products`, `hoisted`, `time_slices`, `digests` and
  `cost` answer what passes ask about a graph.
- `joining`: what `join_cells` is made of.
- `proving`: whether two graphs compute the same, by canonical form and by numbers.
- `rerolling`: finding steps that repeat and writing them as one operator.
"""

from unroll.passes.fold_zeros import fold_zeros

__all__ = ["fold_zeros"]
