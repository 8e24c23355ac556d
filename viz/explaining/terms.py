"""Formulas as trees: what an equation says, before it is written as text, LaTeX or HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

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
    """Return how many names and numbers a term holds; one of many functions within one another counts for more."""
    count, every, waiting = 0, 0, [term]
    while waiting:
        parts = waiting.pop().parts
        count += not parts
        every += 1
        waiting.extend(parts)
    return max(count, every // 4)


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
