"""Formulas as trees: what an equation says, before it is written as text, LaTeX or HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from unroll.dimensions import Shape
from unroll.dtypes import Array
from unroll.parameter import Parameter
from unroll.tensor import Tensor

#: How tightly a sign binds what stands beside it.
BINDS = {
    "or": 0, "and": 0, "==": 1, "<": 1, ">": 1, "<=": 1, ">=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "@": 3, "^": 4,
}  # fmt: skip


class Symbol(NamedTuple):
    """A name in a formula.

    Attributes:
        base: the name itself.
        sub: what stands below it: the block of a weight.
        time: at which step it is meant: so many steps after this one; None where it has no step.
        step: the step itself, where equations are of one step.
    """

    base: str
    sub: str = ""
    time: int | None = None
    step: int | None = None


class Found(NamedTuple):
    """Where a run has the value of a term: columns of a tensor; all of them where there are none."""

    tensor: Tensor
    columns: tuple[int, int] | None = None


class Region(NamedTuple):
    """Rows and columns of a Parameter, as it is stored."""

    parameter: Parameter
    rows: tuple[int, int] | None
    columns: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Term:
    """What stands in a formula.

    Attributes:
        shape: of what it stands for.
        found: where a run has its value; None where it is part of what one operator computes.
    """

    shape: Shape
    found: Found | None

    @property
    def parts(self) -> tuple[Term, ...]:
        """The terms that it is made of."""
        return ()

    @property
    def width(self) -> int | None:
        """The size of the last axis; None where that is no number."""
        last = self.shape[-1] if self.shape else 1
        return last if isinstance(last, int) else None


@dataclass(frozen=True, eq=False)
class Name(Term):
    """A tensor by its name, or a block of a weight.

    Attributes:
        symbol: its name.
        region: of a weight, which part of which Parameter it is.
        turned: whether a weight is meant with rows and columns exchanged.
    """

    symbol: Symbol
    region: Region | None = None
    turned: bool = False


@dataclass(frozen=True, eq=False)
class Number(Term):
    """A constant."""

    value: Array


@dataclass(frozen=True, eq=False)
class Joined(Term):
    """Terms side by side, along the last axis."""

    inner: tuple[Term, ...]

    @property
    def parts(self) -> tuple[Term, ...]:
        return self.inner


@dataclass(frozen=True, eq=False)
class Infix(Term):
    """Two terms with a sign between them."""

    sign: str
    inner: tuple[Term, Term]

    @property
    def parts(self) -> tuple[Term, ...]:
        return self.inner


@dataclass(frozen=True, eq=False)
class Call(Term):
    """A function of terms.

    Attributes:
        function: its name.
        inner: what it is given.
        settings: the operator's attributes, as ``name=value``.
        by_element: whether each element of it comes of one element of each term.
    """

    function: str
    inner: tuple[Term, ...]
    settings: tuple[str, ...] = ()
    by_element: bool = field(default=False)

    @property
    def parts(self) -> tuple[Term, ...]:
        return self.inner


@dataclass(frozen=True, eq=False)
class Columns(Term):
    """Some columns of what has a name."""

    name: Name
    start: int
    stop: int


def leaves(term: Term) -> int:
    """Return how many names and numbers a term holds."""
    count, waiting = 0, [term]
    while waiting:
        parts = waiting.pop().parts
        count += not parts
        waiting.extend(parts)
    return count


def is_atom(term: Term) -> bool:
    """Say whether a term is one name or number, or a few of them side by side."""
    if isinstance(term, Joined):
        return len(term.inner) <= 4 and not any(part.parts for part in term.inner)
    return not term.parts


def needs_brackets(inner: Term, outer: Infix, place: int) -> bool:
    """Say whether a term would be read in another way without brackets around it."""
    if not isinstance(inner, Infix):
        return False
    here, around = BINDS[inner.sign], BINDS[outer.sign]
    if here != around:
        return here < around
    if place:
        return not (inner.sign == outer.sign and inner.sign in "+*")
    return inner.sign != outer.sign and around == BINDS["*"]


# -- columns and rows --------------------------------------------------------------------------------------------------

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


def names_in(terms: Sequence[Term]) -> list[Name]:
    """Return the names that stand in terms, in order."""
    found: list[Name] = []
    waiting = list(terms)[::-1]
    while waiting:
        term = waiting.pop()
        if isinstance(term, Name):
            found.append(term)
        elif isinstance(term, Columns):
            found.append(term.name)
        waiting.extend(term.parts[::-1])
    return found
