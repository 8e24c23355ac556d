"""Equations with the numbers of a run put in: those of one unit, in one row of the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.tensor import Tensor
from unroll.viz.explaining.equations import Equation
from unroll.viz.explaining.terms import Call, Columns, Found, Infix, Name, Number, Term


class Numbers:
    """The values of a run in one row and unit.

    Args:
        graph: the graph.
        feeds: an array for every input.
        equations: those whose numbers are wanted.
        row: the row of the batch.
        unit: the place in the last axis.
    """

    def __init__(
        self, graph: Graph, feeds: Mapping[str, Array], equations: Sequence[Equation], row: int, unit: int
    ) -> None:
        wanted: dict[Tensor, None] = {line.tensor: None for line in equations}
        for line in equations:
            waiting = [line.term]
            while waiting:
                term = waiting.pop()
                if term.found is not None:
                    wanted[term.found.tensor] = None
                waiting.extend(term.parts)
        self._values = dict(zip(wanted, graph.run(feeds, list(wanted)), strict=True)) if wanted else {}
        self._row, self._unit = row, unit

    def line(self, line: Equation) -> tuple[Term | None, Number | None]:
        """Return an equation's right side with numbers in it, and its value; None where it has no such unit."""
        value = self._at(Found(line.tensor))
        if value is None:
            return None, None
        put = self._put(line.term)
        return (None if isinstance(put, Number) else put), value

    def _put(self, term: Term) -> Term | None:
        if isinstance(term, Number):
            return _number(term.value, self._row, self._unit)
        if isinstance(term, Infix) and term.sign != "@":
            left, right = (self._put(part) for part in term.inner)
            if left is not None and right is not None:
                return replace(term, inner=(left, right))
        if isinstance(term, Call) and term.by_element:
            parts = [self._put(part) for part in term.inner]
            kept = tuple(part for part in parts if part is not None)
            if len(kept) == len(parts):
                return replace(term, inner=kept)
        if isinstance(term, Name) and term.region is not None:
            region, value = term.region, term.region.parameter.value
            if value.ndim == 0 or len(term.shape) > 1:
                return None
            value = value[..., region.columns[0] : region.columns[1]]
            value = value if region.rows is None or value.ndim < 2 else value[..., region.rows[0], :]
            return _number(value, self._row, self._unit)
        if isinstance(term, Columns) and term.name.found is not None:
            return self._at(Found(term.name.found.tensor, (term.start, term.stop)))
        return None if term.found is None else self._at(term.found)

    def _at(self, found: Found) -> Number | None:
        value = self._values[found.tensor]
        if found.columns is not None:
            value = value[..., found.columns[0] : found.columns[1]]
        return _number(value, self._row, self._unit)


def _number(value: Array, row: int, unit: int) -> Number | None:
    """Return one element of an array: of its row, and its unit; None where it has no such."""
    place = [0] * value.ndim
    for axis, index in ((0, row if value.ndim > 1 else None), (value.ndim - 1, unit)):
        if index is not None and value.ndim:
            size = value.shape[axis]
            if size != 1 and index >= size:
                return None
            place[axis] = 0 if size == 1 else index
    return Number((), None, np.asarray(value[tuple(place)])) if value.size else None
