"""Cutting columns and rows out of terms: what is cut goes down to the weights, whose blocks have names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from unroll.dimensions import Shape
from unroll.viz.explaining.terms import Call, Columns, Found, Infix, Joined, Name, Number, Region, Symbol, Term

#: Names a part of a weight.
Naming = Callable[[Region, bool], Symbol]


class Cutting:
    """Cuts columns and rows out of terms: what is cut goes down to the weights, whose blocks have names.

    Args:
        naming: names a part of a weight.
    """

    def __init__(self, naming: Naming) -> None:
        self._naming = naming

    def columns(self, term: Term, start: int, stop: int) -> Term | None:
        """Return columns of a term; None where they cannot be told."""
        width = term.width
        if width is None:
            return None
        if (start, stop) == (0, width):
            return term
        cut = self._columns(term, start, stop, width)
        if cut is None or term.found is None:
            return cut
        first = term.found.columns[0] if term.found.columns else 0
        return replace(cut, found=Found(term.found.tensor, (first + start, first + stop)))

    def _columns(self, term: Term, start: int, stop: int, width: int) -> Term | None:
        shape = (*term.shape[:-1], stop - start)
        if isinstance(term, Name):
            if term.region is not None:
                return self._region(term, start, stop, -1)
            return Columns(shape, None, term, start, stop)
        if isinstance(term, Columns):
            return Columns(shape, None, term.name, term.start + start, term.start + stop)
        if isinstance(term, Number):
            return Number(shape, None, term.value[..., start:stop]) if term.value.ndim else term
        if isinstance(term, Joined):
            return self._of_joined(term, start, stop, shape)
        if isinstance(term, Infix) and term.sign == "@":
            right = self.columns(term.inner[1], start, stop) if len(term.inner[1].shape) == 2 else None
            return None if right is None else Infix(shape, None, "@", (term.inner[0], right))
        if isinstance(term, Infix) or (isinstance(term, Call) and term.by_element):
            parts = [
                part if part.width == 1 or not part.shape else self.columns(part, start, stop) for part in term.parts
            ]
            kept = [part for part in parts if part is not None]
            if len(kept) < len(parts):
                return None
            if isinstance(term, Infix):
                return simple(Infix(shape, None, term.sign, (kept[0], kept[1])))
            return replace(term, shape=shape, found=None, inner=tuple(kept))
        return None

    def _of_joined(self, term: Joined, start: int, stop: int, shape: Shape) -> Term | None:
        found, first = [], 0
        for part in term.inner:
            if part.width is None:
                return None
            begin, end = max(start - first, 0), min(stop - first, part.width)
            first += part.width
            if begin < end:
                cut = self.columns(part, begin, end)
                if cut is None:
                    return None
                found.append(cut)
        return found[0] if len(found) == 1 else Joined(shape, None, tuple(found))

    def rows(self, term: Term, start: int, stop: int) -> Term | None:
        """Return rows of a weight, or of what is made of weights element by element; None where they cannot be told."""
        if len(term.shape) != 2:
            return None
        if (start, stop) == (0, term.shape[0]):
            return term
        shape = (stop - start, term.shape[1])
        if isinstance(term, Name) and term.region is not None:
            return self._region(term, start, stop, -2)
        if isinstance(term, Number) and term.value.ndim == 2:
            return Number(shape, None, term.value[start:stop])
        if isinstance(term, Joined):
            parts = [self.rows(part, start, stop) for part in term.inner]
            kept = tuple(part for part in parts if part is not None)
            return Joined(shape, None, kept) if len(kept) == len(parts) else None
        return None

    def turned(self, term: Term) -> Term | None:
        """Return a matrix of weights with rows and columns exchanged; None where it is none."""
        if not isinstance(term, Name) or term.region is None or len(term.shape) != 2 or term.region.rows is None:
            return None
        turned = not term.turned
        return replace(term, shape=term.shape[::-1], found=None, turned=turned)

    def _region(self, term: Name, start: int, stop: int, axis: int) -> Term | None:
        """Return a part of a weight, cut along one of its two axes as they are shown."""
        region = term.region
        if region is None:
            return None
        in_columns = (axis == -1) != term.turned
        if in_columns:
            first = region.columns[0]
            region = region._replace(columns=(first + start, first + stop))
        elif region.rows is None:
            return None
        else:
            first = region.rows[0]
            region = region._replace(rows=(first + start, first + stop))
        shape = list(term.shape)
        shape[axis] = stop - start
        return Name(tuple(shape), None, self._naming(region, term.turned), region, term.turned)


def simple(term: Infix) -> Term:
    """Return a sum without a zero in it."""
    if term.sign == "+":
        for place, part in enumerate(term.inner):
            other = term.inner[1 - place]
            if isinstance(part, Number) and not np.any(part.value) and _fills(other.shape, term.shape):
                return other
    return term


def _fills(shape: Shape, whole: Shape) -> bool:
    return len(shape) == len(whole) and all(one == other for one, other in zip(shape, whole, strict=True))
