"""What would settle a number that only a run knows: the sizes and inputs that it follows from, and how these are given."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from unroll.dimensions import Dimension
from unroll.tensor import Placeholder, Tensor


def deciders(tensor: Tensor | None, symbols: Collection[str]) -> str:
    """Return what a tensor follows from, and how that is given, in words.

    Args:
        tensor: the tensor.
        symbols: those of the inputs.
    """
    waiting: list[tuple[Tensor | None, bool]] = [(tensor, False)]
    seen: set[tuple[Tensor, bool]] = set()
    sizes: dict[str, None] = {}
    fed: dict[str, None] = {}
    while waiting:
        one, by_size = waiting.pop()
        if one is None or (one, by_size) in seen:
            continue
        seen.add((one, by_size))
        names = _names(one.shape) if by_size else _names(one.known if isinstance(one.known, tuple) else (one.known,))
        if names and names.issubset(symbols):
            sizes.update(dict.fromkeys(sorted(names)))
        elif isinstance(one, Placeholder) and not by_size:
            fed[one.name] = None
        elif one.node is not None:  # a size that has a name of its own follows from those of what its tensor is made of
            waiting += [(before, by_size or bool(names)) for before in one.node.inputs]
    if sizes and not fed:
        return knob(sizes, symbols)
    if fed:
        values = ", ".join(f'"{name}": ...' for name in fed)
        return f"it follows from {', '.join(map(repr, fed))}; give values={{{values}}} when it is read"
    return "it follows from weights, or from an operator of which no value is computed here"


def _names(dims: Iterable[object]) -> set[str]:
    return {name for dim in dims if isinstance(dim, Dimension) for name in dim.symbols}


def knob(names: Iterable[str], symbols: Collection[str]) -> str:
    """Return how sizes are given, in words."""
    known = sorted(set(symbols).intersection(names))
    if known:
        return "give dims={" + ", ".join(f'"{name}": 28' for name in known) + "}"
    return "it follows from no size of the inputs"
