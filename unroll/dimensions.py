"""Symbolic dimensions: integer polynomials over named symbols, such as ``28*batch``.

A dimension that is known is a plain int; `Dimension` is only ever a polynomial that is not a constant. Symbols stand
for integers of at least 1. Equalities that operators require are collected as `Requirement`s and solved by `solve`.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from unroll.errors import ArgumentError, ShapeError

# A monomial is the sorted names of its symbols, repeated for powers; () is the constant term.
Monomial: TypeAlias = tuple[str, ...]
BATCH = "batch"
#: What a model calls a time that it does not know.
TIME = "time"
#: A polynomial is no larger than this: a few operators are enough to make one without end.
_MOST_TERMS, _HIGHEST_POWER, _LARGEST = 1024, 256, 2**63
_LONGEST_POLYNOMIAL = 1000
_AXIS_BITS = 32
_GIVE_NAMES = "give the sizes names of their own where they are declared"


class Dimension:
    """A dimension that is not known yet: an integer polynomial over named symbols, such as ``28*batch``.

    Raises:
        ShapeError: it has too many terms, too high powers or too large numbers; it is divided by what it is not a multiple
            of, or taken for an int.
    """

    __slots__ = ("_hash", "_text", "terms")
    terms: dict[Monomial, int]

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        self.terms = {monomial: terms[monomial] for monomial in sorted(terms)}
        self._hash = hash(tuple(self.terms.items()))
        if len(terms) > _MOST_TERMS or any(
            len(monomial) > _HIGHEST_POWER or abs(factor) > _LARGEST for monomial, factor in terms.items()
        ):
            raise ShapeError(
                f"a size has more terms, higher powers or larger numbers than any that is known; {_GIVE_NAMES}"
            )
        self._text = _text(self.terms)

    @property
    def symbols(self) -> frozenset[str]:
        """The names of the symbols in it."""
        return frozenset(symbol for monomial in self.terms for symbol in monomial)

    def __add__(self, other: Dim) -> Dim:
        terms = dict(self.terms)
        for monomial, factor in terms_of(other).items():
            terms[monomial] = terms.get(monomial, 0) + factor
        return from_terms(terms)

    __radd__ = __add__

    def __neg__(self) -> Dim:
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        return self + -other

    def __rsub__(self, other: Dim) -> Dim:
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        terms: dict[Monomial, int] = {}
        factors = terms_of(other)
        if len(self.terms) * len(factors) > _MOST_TERMS:
            raise ShapeError(f"a size has more than {_MOST_TERMS} terms once it is multiplied out; {_GIVE_NAMES}")
        for left, a in self.terms.items():
            for right, b in factors.items():
                monomial = tuple(sorted(left + right))
                terms[monomial] = terms.get(monomial, 0) + a * b
        return from_terms(terms)

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        quotient = divide(self, other)
        if quotient is None:
            raise ShapeError(f"dimension {self} is not divisible by {other}; only exact division has a known result")
        return quotient

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dimension) and self._hash == other._hash and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    def __int__(self) -> int:
        raise ShapeError(f"dimension {self} has no value before a run; make the placeholder with a fixed size instead")

    __index__ = __int__

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__


def _text(terms: Mapping[Monomial, int]) -> str:
    """Return terms as people write a polynomial, highest powers first."""
    parts: list[str] = []
    for monomial, factor in sorted(terms.items(), key=lambda term: (-len(term[0]), term[0])):
        name = "*".join(monomial)
        sign = "-" if factor < 0 else "+" if parts else ""
        size = str(abs(factor)) if not name else name if abs(factor) == 1 else f"{abs(factor)}*{name}"
        parts.append(f"{sign}{size}")
    return "".join(parts)


Dim: TypeAlias = int | Dimension
Shape: TypeAlias = tuple[Dim, ...]


def symbol(name: str) -> Dimension:
    """Return the dimension that is the symbol `name`."""
    return Dimension({(name,): 1})


def parse_dimension(text: str) -> Dim:
    """Return the dimension that `str` wrote as `text`, such as ``28*batch``; any other text is one symbol.

    So is a number that cannot be a size: one below 0, or of more than 64 bits. Text of more than `_LONGEST_POLYNOMIAL`
    characters is not taken apart, because that would take long for what anyone may have written into a file.
    """
    if len(text) > _LONGEST_POLYNOMIAL:
        return symbol(text)
    dim: Dim = 0
    for sign, body in re.findall(r"([+-]?)([^+-]+)", text):
        factors = body.split("*")
        if not all(_is_size(factor) if factor.isdecimal() else factor.isidentifier() for factor in factors):
            return symbol(text)
        term = product(int(factor) if factor.isdecimal() else symbol(factor) for factor in factors)
        dim = dim - term if sign == "-" else dim + term
    whole = isinstance(dim, Dimension) or 0 <= dim < _LARGEST
    return dim if whole and str(dim) == text else symbol(text)


def _is_size(digits: str) -> bool:
    return len(digits) <= len(str(_LARGEST)) and int(digits) < _LARGEST


def terms_of(dim: Dim) -> dict[Monomial, int]:
    """Return the terms of a dimension, ints included."""
    return dim.terms if isinstance(dim, Dimension) else {(): dim} if dim else {}


def from_terms(terms: Mapping[Monomial, int]) -> Dim:
    """Return the dimension with these terms: an int when it is a constant."""
    kept = {monomial: factor for monomial, factor in terms.items() if factor}
    if not kept.keys() - {()}:
        return kept.get((), 0)
    return Dimension(kept)


def fits(dim: Dim, bits: int) -> bool:
    """Say whether integers of so many bits hold a dimension, whatever the sizes of its symbols.

    The size of an axis is taken to be one that int32 holds, and what is counted with int64 to be no more than memory holds. So
    int32 may wrap ``1000000*batch`` round, and ``batch + 1``, but not ``batch``.
    """
    least, most = 0, 0
    for monomial, factor in terms_of(dim).items():
        if monomial and bits > _AXIS_BITS:
            return True
        largest = (1 << (_AXIS_BITS - 1) * len(monomial)) - bool(monomial)
        least, most = least + min(0, factor * largest), most + max(0, factor * largest)
    return least >= -(1 << bits - 1) and most < 1 << bits - 1


def product(dims: Iterable[Dim]) -> Dim:
    """Return the product of dimensions: the size of a tensor of that shape."""
    result: Dim = 1
    for dim in dims:
        result = result * dim
    return result


def total(dims: Iterable[Dim]) -> Dim:
    """Return the sum of dimensions."""
    terms: dict[Monomial, int] = {}
    for dim in dims:
        for monomial, factor in terms_of(dim).items():
            terms[monomial] = terms.get(monomial, 0) + factor
    return from_terms(terms)


def known_size(shape: Shape) -> int:
    """Return the product of the sizes that are known: a tensor of that shape has a multiple of so many elements."""
    result = 1
    for dim in shape:
        if type(dim) is int:
            result *= dim
    return result


def divide(dividend: Dim, divisor: Dim) -> Dim | None:
    """Return the exact quotient of two dimensions, or None where there is none (or the divisor is 0)."""
    if isinstance(dividend, int) and isinstance(divisor, int):
        return dividend // divisor if divisor and dividend % divisor == 0 else None
    lead = _leading(divisor)
    if lead is None:
        return None
    rest, quotient = dividend, from_terms({})
    while rest != 0:
        top = _leading(rest)
        term = _divide_term(top, lead) if top else None
        if term is None:
            return None
        quotient = quotient + term
        rest = rest - term * divisor
    return quotient


def floor_divide(dim: Dim, divisor: int) -> Dim:
    """Return a dimension divided by a number and rounded down: a polynomial where it can be, else one with a symbol of its own,
    such as ``floor(time/2)``. Equal dimensions give equal symbols.
    """
    whole, rest = dict[Monomial, int](), dict[Monomial, int]()
    for monomial, factor in terms_of(dim).items():
        whole[monomial], left = divmod(factor, divisor) if monomial else (0, factor)
        rest[monomial] = left
    open_ = from_terms({monomial: factor for monomial, factor in rest.items() if monomial})
    whole[()], left = divmod(rest.get((), 0), divisor)
    exact = from_terms(whole)
    if open_ == 0:
        return exact
    inner = open_ + left
    rounded = f"({inner})/{divisor}" if len(terms_of(inner)) > 1 else f"{inner}/{divisor}"
    return exact + symbol(f"floor({rounded})")


def _leading(dim: Dim) -> tuple[Monomial, int] | None:
    terms = terms_of(dim)
    return max(terms.items(), key=lambda term: (len(term[0]), term[0])) if terms else None


def _divide_term(top: tuple[Monomial, int], lead: tuple[Monomial, int]) -> Dim | None:
    left = list(top[0])
    for name in lead[0]:
        if name not in left:
            return None
        left.remove(name)
    return from_terms({tuple(left): top[1] // lead[1]}) if top[1] % lead[1] == 0 else None


def is_never_zero(dim: Dim) -> bool:
    """Say whether a polynomial provably has no root where every symbol is an integer of at least 1."""
    if isinstance(dim, int):
        return dim != 0
    factors = list(dim.terms.values())
    if all(factor > 0 for factor in factors) or all(factor < 0 for factor in factors):
        return True
    constant = dim.terms.get((), 0)
    others = [(monomial, factor) for monomial, factor in dim.terms.items() if monomial]
    if len(others) == 1 and constant:
        (_, factor) = others[0]
        return constant % factor != 0 or -constant // factor < 1
    return False


def substitute(dim: Dim, values: Mapping[str, Dim]) -> Dim:
    """Return `dim` with symbols replaced by other dimensions or by numbers."""
    if isinstance(dim, int) or not values:
        return dim
    result: Dim = 0
    for monomial, factor in dim.terms.items():
        result = result + product([factor, *(values.get(name, symbol(name)) for name in monomial)])
    return result


def substitute_shape(shape: Shape, values: Mapping[str, Dim]) -> Shape:
    """Return `shape` with symbols replaced in every dimension."""
    return tuple(substitute(dim, values) for dim in shape) if values else shape


def shape_text(shape: Sequence[Dim]) -> str:
    """Return a shape as people write it: ``(batch, 5)``, ``(5,)``, ``()``."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def shapes_text(shapes: Iterable[Sequence[Dim]]) -> str:
    """Return several shapes as text, runs of equal ones counted: ``28 x (batch, 28)``."""
    runs = [(text, len(list(group))) for text, group in itertools.groupby(map(shape_text, shapes))]
    return ", ".join(text if count == 1 else f"{count} x {text}" for text, count in runs)


def parse_shape(shape: Sequence[Dim | str | None], name: str) -> Shape:
    """Return the shape a placeholder was declared with.

    None on axis 0 is the shared symbol ``batch``; any other None is a symbol of its own, ``<name>_<axis>``; a string
    names a symbol.

    Raises:
        ArgumentError: an entry is none of int >= 0, None, str, Dimension.
    """
    if isinstance(shape, (str, int)) or not isinstance(shape, Sequence):
        raise ArgumentError(f"placeholder {name!r}: shape {shape!r} is not a list of dimensions; write [None, 3]")
    dims: list[Dim] = []
    for axis, entry in enumerate(shape):
        if entry is None:
            dims.append(symbol(BATCH if axis == 0 else f"{name}_{axis}"))
        elif isinstance(entry, str) and entry.strip(" +-").isdecimal():
            raise ArgumentError(
                f"placeholder {name!r}: dimension {entry!r} on axis {axis} is a string, which would name a symbol; write the "
                f"number, {entry.strip()}"
            )
        elif isinstance(entry, str) and entry:
            dims.append(symbol(entry))
        elif isinstance(entry, Dimension):
            dims.append(entry)
        elif hasattr(type(entry), "__index__") and not isinstance(entry, (bool, str)) and int(entry) >= 0:
            dims.append(int(entry))
        else:
            raise ArgumentError(
                f"placeholder {name!r}: dimension {entry!r} on axis {axis} is not an int >= 0, None or a symbol's name"
            )
    return tuple(dims)


class Requirement(NamedTuple):
    """An equality of two dimensions that an operator needs, and where in the user's program it came from."""

    left: Dim
    right: Dim
    where: str


class Limit(NamedTuple):
    """Bounds that the values fed to an integer placeholder must keep, such as lengths of rows; the upper one may be a size
    that other feeds decide.
    """

    name: str
    least: int
    most: Dim
    where: str


class Least(NamedTuple):
    """A size that only a run knows, and how large it must be at least, such as the number of steps of a loop."""

    size: Dim
    least: int
    where: str


#: What must hold of sizes and values besides shapes.
Condition: TypeAlias = Requirement | Limit | Least


class Solution(NamedTuple):
    """What the requirements of a graph say: symbols that are known by others, and equalities left to check."""

    values: dict[str, Dim]
    residual: tuple[Requirement, ...]


def solve(requirements: Iterable[Requirement]) -> Solution:
    """Solve equalities between dimensions by substitution.

    Returns:
        A value for every symbol that the equalities fix, and those that only numbers can decide.

    Raises:
        ShapeError: the equalities contradict one another; the message names the line of the second one.
    """
    solved = _Solved()
    pending = list(requirements)
    progress = True
    while progress:
        progress, left = False, []
        for item in pending:
            difference = solved.substitute(item.left) - solved.substitute(item.right)
            if difference == 0:
                continue
            if is_never_zero(difference):
                known = ", ".join(f"{name} = {value}" for name, value in sorted(solved.finish().items()))
                why = f"the rest of the graph says {known}" if known else "no sizes of at least 1 make them so"
                raise ShapeError(
                    f"{item.where}: dimensions {item.left} and {item.right} must be equal, but {why}; feed tensors whose "
                    "shapes agree"
                )
            found = _isolate(difference)
            if found is None:
                left.append(item)
                continue
            name, value = found
            solved.values[name] = value
            progress = True
        pending = left
    return Solution(solved.finish(), tuple(pending))


class _Solved:
    """Values of symbols, each in terms of symbols that were not solved when it was found.

    They are brought up to date when they are looked up, and the path there gets shorter each time (as in a union-find):
    rewriting all of them whenever one is found would take quadratic time.
    """

    def __init__(self) -> None:
        self.values: dict[str, Dim] = {}

    def substitute(self, dim: Dim) -> Dim:
        """Return `dim` with every symbol replaced that has a value, until none has."""
        if isinstance(dim, int) or not self.values:
            return dim
        for name in dim.symbols & self.values.keys():
            self._update(name)
        return substitute(dim, self.values)

    def _update(self, name: str) -> None:
        """Bring the value of a symbol up to date, after those that it depends on."""
        waiting, current = [name], set[str]()
        while waiting:
            value = self.values[waiting[-1]]
            solved = () if isinstance(value, int) else value.symbols & self.values.keys()
            behind = [item for item in solved if item not in current]
            if behind:
                waiting += behind
                continue
            top = waiting.pop()
            current.add(top)
            if solved:
                self.values[top] = substitute(value, self.values)

    def finish(self) -> dict[str, Dim]:
        """Return every value in terms of symbols that have none."""
        for name in reversed(self.values):  # a value depends on those that were found later
            self.values[name] = substitute(self.values[name], self.values)
        return dict(self.values)


def _isolate(difference: Dim) -> tuple[str, Dim] | None:
    """Solve ``difference == 0`` for one symbol that stands alone in it; `batch` is the last one to be replaced."""
    if isinstance(difference, int):
        return None
    places = Counter(name for monomial in difference.terms for name in set(monomial))
    for name in sorted(places, key=lambda name: (name == BATCH, name)):
        factor = difference.terms.get((name,), 0)
        if factor and places[name] == 1 and not any(other % factor for other in difference.terms.values()):
            rest = {monomial: -other // factor for monomial, other in difference.terms.items() if monomial != (name,)}
            return name, from_terms(rest)
    return None


def bind(sizes: Iterable[tuple[Dim, int, str]], residual: Iterable[Requirement | Least] = ()) -> dict[str, int]:
    """Find the number each symbol stands for from the sizes of the arrays fed.

    Args:
        sizes: (declared dimension, size seen, where) for every axis of every feed.
        residual: equalities and least sizes that could not be decided without numbers.

    Returns:
        ``{symbol: number}``.

    Raises:
        ShapeError: two sizes disagree, and the message names both places; or one is too small.
    """
    known: dict[str, int] = {}
    source: dict[str, str] = {}
    waiting = list(sizes)
    while waiting:
        left = []
        for dim, size, where in waiting:
            value = substitute(dim, known)
            if isinstance(value, int):
                if value != size:
                    why = ", ".join(f"{name} = {known[name]} from {source[name]}" for name in sorted(_names(dim)))
                    raise ShapeError(f"{where}: size {size}, but {dim} is wanted{f' ({why})' if why else ''}")
                continue
            found = _isolate(value - size)
            if found is None or not isinstance(found[1], int):
                if len(value.symbols) == 1 and is_never_zero(value - size):
                    raise ShapeError(f"{where}: size {size} cannot be {dim} for any whole {sorted(value.symbols)[0]}")
                left.append((dim, size, where))
                continue
            name, number = found[0], int(found[1])
            if number < 0:
                raise ShapeError(f"{where}: size {size} cannot be {dim} for any {name} >= 0")
            known[name], source[name] = number, where
        if len(left) == len(waiting):
            break
        waiting = left
    for item in residual:
        if isinstance(item, Least):
            seen = substitute(item.size, known)
            if isinstance(seen, int) and seen < item.least:
                places = ", ".join(source[name] for name in sorted(_names(item.size)) if name in source)
                raise ShapeError(f"{places}: {item.size} is {seen}, and at least {item.least} is wanted ({item.where})")
            continue
        difference = substitute(item.left, known) - substitute(item.right, known)
        if is_never_zero(difference):
            raise ShapeError(
                f"{item.where}: {item.left} must equal {item.right}, which fails for "
                + ", ".join(f"{name} = {known[name]}" for name in sorted(known))
            )
    return known


def _names(dim: Dim) -> frozenset[str]:
    return dim.symbols if isinstance(dim, Dimension) else frozenset()
