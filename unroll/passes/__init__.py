"""Passes: Graph -> Graph, one file each, each saying what it preserves."""

from unroll.passes.fold_zeros import fold_zeros

__all__ = ["fold_zeros"]
