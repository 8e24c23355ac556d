"""Computing with values: sums, products, functions, and products with matrices, each in one form however they are written."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import numpy as np

from unroll.dimensions import Dim, Shape
from unroll.dtypes import Array
from unroll.passes.proving.by_structure.atoms import Atom, Form, Joined, Monomial, Value, reduced
from unroll.passes.proving.by_structure.moving import (
    At,
    Cut,
    Moving,
    New,
    UnlikeError,
    broadcast,
    closed,
    function,
    joined,
    product,
)

#: How many products a sum is multiplied out to at most; above that, its factors stay whole.
_MOST_TERMS = 24
#: A product of more factors is one as well: a value that is squared again and again has 2, 4, 8, ... of them.
_MOST_FACTORS = 16
_START: Dim = 0


def _factors(form: Form) -> int:
    """Return how many factors the longest product of a form has."""
    return max(map(len, form.terms), default=0)


@dataclass
class Values(Moving):
    """Computes with values."""

    _scaled: dict[tuple[int, bytes], tuple[Array, Array]] = field(default_factory=dict)
    _parts: dict[tuple[int, int, int], tuple[Array, Array]] = field(default_factory=dict)

    # -- making ---------------------------------------------------------------------------------------------------

    def number(self, array: Array, shape: Shape | None = None) -> Form:
        """Return numbers as a value; of another shape, where they repeat."""
        return Form(array.shape if shape is None else shape, {(): array})

    def atomic(self, key: Hashable, shape: Shape, kind: str = "other") -> Form:
        """Return an atom as a value."""
        return self.of(self.atoms.add((kind, key), Atom(shape, kind)))

    def of(self, number: int) -> Form:
        """Return the atom of a number as a value."""
        shape = self.atoms[number].shape
        return Form(shape, {(number,): np.ones([1] * len(shape))})

    def full(self, value: Value) -> Array | None:
        """Return the numbers that a value is, in its shape; None where something else is in it, or its shape is not known."""
        if not all(isinstance(size, int) for size in value.shape):
            return None
        sizes = [int(size) for size in value.shape]
        if isinstance(value, Joined):
            parts = [self.full(part) for part in value.parts]
            found = [part for part in parts if part is not None]
            return np.concatenate(found, value.axis) if len(found) == len(parts) else None
        numbers = value.constant
        return (
            None if numbers is None else numbers if numbers.shape == tuple(sizes) else np.broadcast_to(numbers, sizes)
        )

    # -- element by element ---------------------------------------------------------------------------------------

    def each(self, make: Callable[..., Form], *values: Value) -> Value:
        """Return what a function of forms makes of values, part by part where one is joined of parts.

        Args:
            make: takes forms of one rank.
            values: broadcast as NumPy does.
        """
        rank = max(len(value.shape) for value in values)
        level = [self._ranked(value, rank) for value in values]
        first = next((value for value in level if isinstance(value, Joined)), None)
        if first is None:
            return make(*level)
        axis, start = first.axis, _START
        parts: list[Value] = []
        for part in first.parts:
            end = start + part.shape[axis]
            inside = [value if value.shape[axis] == 1 else self.move(value, Cut(axis, start, end)) for value in level]
            parts.append(self.each(make, *inside))
            start = end
        return joined(parts, axis)

    def _ranked(self, value: Value, rank: int) -> Value:
        for _ in range(rank - len(value.shape)):
            value = self.move(value, New(0))
        return value

    def add(self, one: Value, other: Value) -> Value:
        """Return a sum."""
        return self.each(self._sum, one, other)

    def _sum(self, one: Form, other: Form) -> Form:
        terms = dict(one.terms)
        for monomial, numbers in other.terms.items():
            terms[monomial] = terms[monomial] + numbers if monomial in terms else numbers
        return Form(broadcast([one.shape, other.shape]), _without_zeros(terms))

    def multiply(self, one: Value, other: Value) -> Value:
        """Return a product, element by element."""
        return self.each(self._multiplied, one, other)

    def _multiplied(self, one: Form, other: Form) -> Form:
        if _factors(one) + _factors(other) > _MOST_FACTORS:
            one, other = (
                self.of(closed(self.atoms, self.settled(form))) if _factors(form) > 1 else form for form in (one, other)
            )
        if len(one.terms) * len(other.terms) > _MOST_TERMS:
            one, other = self._as_one(one), self._as_one(other)
        if one.constant is None and other.constant is None:
            one, other = self.settled(one), self.settled(other)
        terms: dict[Monomial, Array] = {}
        for left, a in one.terms.items():
            for right, b in other.terms.items():
                monomial = tuple(sorted(left + right))
                new = a * b
                terms[monomial] = terms[monomial] + new if monomial in terms else new
        return Form(broadcast([one.shape, other.shape]), _without_zeros(terms))

    def scaled(self, value: Value, factor: float) -> Value:
        """Return a value times a number."""
        return self.each(lambda form: Form(form.shape, {key: a * factor for key, a in form.terms.items()}), value)

    def applied(self, name: Hashable, *values: Value) -> Value:
        """Return a function of values, element by element; of a sigmoid and tanh, of each column
        or of its opposite.
        """

        def make(*forms: Form) -> Form:
            given = [self.settled(form) for form in forms]
            shape = broadcast([form.shape for form in given])
            signs = self._signs(given[0]) if name in ("Sigmoid", "Tanh") else None
            if signs is None or (signs > 0).all():
                return self.of(function(self.atoms, name, tuple(given), shape))
            inner = self.settled(Form(shape, {key: numbers * signs for key, numbers in given[0].terms.items()}))
            (atom,) = self.of(function(self.atoms, name, (inner,), shape)).terms
            rest: dict[Monomial, Array] = {(): (1 - signs) / 2} if name == "Sigmoid" else {}
            return Form(shape, {atom: signs, **rest})

        return self.each(make, *values)

    def _signs(self, form: Form) -> Array | None:
        """Return for each column whether the value (1) or its opposite (-1) stands for both: that of which the first number, of
        its least product, is positive. A column that is cut out has the same.
        """
        if not form.terms:
            return None
        least = min(form.terms, key=lambda monomial: tuple(map(self._neutral, monomial)))
        numbers = form.terms[least]
        matrix = self.atoms[least[0]].inside[1] if len(least) == 1 and self.atoms[least[0]].kind == "product" else None
        if matrix is not None and len(matrix):  # a product over nothing has no first number
            first = np.take_along_axis(matrix, np.argmax(matrix != 0, axis=0)[None], 0)[0]
            numbers = numbers * first.reshape([1] * (numbers.ndim - 1) + [-1])
        return reduced(np.where(numbers < 0, -1.0, 1.0))

    def _neutral(self, number: int) -> int:
        """Return a number that an atom has whatever the matrix in it."""
        atom = self.atoms[number]
        return self.atoms.number_of(("left", atom.inside[0])) if atom.kind == "product" else number

    # -- wholes -------------------------------------------------------------------------------------------------------

    def settled(self, form: Form) -> Form:
        """Return a form in which the numbers before a product with a matrix are in the matrix."""
        groups: dict[Monomial, list[Monomial]] = {}
        for monomial in form.terms:
            if len(monomial) == 1 and self.atoms[monomial[0]].kind == "product":
                groups.setdefault(self.atoms[monomial[0]].inside[0], []).append(monomial)
        terms: dict[Monomial, Array] = dict(form.terms)
        for factors, keys in groups.items():  # the products of one left side
            if len(keys) == 1 and (form.terms[keys[0]] == 1).all():
                continue
            if any(any(size != 1 for size in form.terms[key].shape[:-1]) for key in keys):
                continue
            total: Array | None = None
            for key in keys:
                atom, numbers = self.atoms[key[0]], terms.pop(key)
                matrix = self._times(atom.inside[1], numbers.reshape(1, -1))
                total = matrix if total is None else total + matrix
            assert total is not None
            shape = self.atoms[keys[0][0]].shape
            if np.any(total):
                number = product(self.atoms, factors, total, shape, self.rows_of(factors))
                terms[number,] = np.ones([1] * len(shape))
        return Form(form.shape, terms)

    def _times(self, matrix: Array, numbers: Array) -> Array:
        """Return a matrix with each column, or each row, times a number: the same array each time."""
        key = (id(matrix), self.atoms.digest(numbers))
        known = self._scaled.get(key)
        if known is None or known[0] is not matrix:
            known = self._scaled[key] = (matrix, matrix * numbers)
        return known[1]

    def whole(self, value: Value) -> Value:
        """Return a value whose sums stand as one atom each."""
        return self.each(self._as_one, value)

    def _as_one(self, form: Form) -> Form:
        return form if len(form.terms) < 2 else self.of(closed(self.atoms, self.settled(form)))

    # -- matrices -----------------------------------------------------------------------------------------------------

    def times_matrix(self, value: Value, matrix: Array) -> Value:
        """Return ``value @ matrix``, with the rows of the matrix along the last axis of the value.

        Raises:
            UnlikeError: a part of the value has a size along that axis that is not known.
        """
        last = len(value.shape) - 1
        if isinstance(value, Joined):
            if value.axis != last:
                return joined([self.times_matrix(part, matrix) for part in value.parts], value.axis)
            start, total = 0, None
            for part in value.parts:
                size = part.shape[last]
                if not isinstance(size, int):
                    raise UnlikeError("a product over a size that is not known")
                term = self.times_matrix(part, self._rows(matrix, start, start + size))
                total, start = term if total is None else self.add(total, term), start + size
            assert total is not None
            return total
        return self._product_of(value, matrix)

    def _rows(self, matrix: Array, start: int, end: int) -> Array:
        """Return rows of a matrix: the same array each time."""
        key = (id(matrix), start, end)
        known = self._parts.get(key)
        if known is None or known[0] is not matrix:
            known = self._parts[key] = (matrix, np.ascontiguousarray(matrix[start:end]))
        return known[1]

    def _product_of(self, form: Form, matrix: Array) -> Form:
        """Return ``form @ matrix``: the sum of the products of its terms. What differs from row to row stands as one atom."""
        uneven = {key: numbers for key, numbers in form.terms.items() if key and self._is_uneven(form, key)}
        if uneven:
            rest = {key: numbers for key, numbers in form.terms.items() if key not in uneven}
            whole = self.of(closed(self.atoms, Form(form.shape, uneven)))
            return self._product_of(Form(form.shape, {**rest, **whole.terms}), matrix)
        shape = (*form.shape[:-1], matrix.shape[1])
        terms: dict[Monomial, Array] = {}
        for monomial, numbers in form.terms.items():
            if not monomial:
                numbers = reduced(numbers)
                terms[()] = np.broadcast_to(numbers, (*numbers.shape[:-1], len(matrix))) @ matrix
                continue
            rows = self.rows_of(monomial)
            scaled = matrix if (numbers == 1).all() else self._times(matrix, numbers.reshape(-1, 1))
            number = product(self.atoms, monomial, scaled, (*rows[:-1], matrix.shape[1]), rows)
            terms[(number,)] = np.ones([1] * len(shape))
        return Form(shape, terms)

    def _is_uneven(self, form: Form, monomial: Monomial) -> bool:
        """Say whether a term has other numbers in each row, or repeats along the last axis."""
        numbers = form.terms[monomial]
        return any(size != 1 for size in numbers.shape[:-1]) or self.rows_of(monomial)[-1] != form.shape[-1]

    # -- shapes -------------------------------------------------------------------------------------------------------

    def reshaped(self, value: Value, shape: Shape) -> Value:
        """Return a value in another shape.

        Raises:
            UnlikeError: it has no form in it.
        """
        if value.shape == shape:
            return value
        numbers = self.full(value)
        if numbers is not None and all(isinstance(size, int) for size in shape):
            return self.number(numbers.reshape([int(size) for size in shape]))
        for axis in reversed([axis for axis, size in enumerate(value.shape) if size == 1]):
            value = self.move(value, At(axis, 0))
        wanted = tuple(size for size in shape if size != 1)
        if value.shape != wanted:
            value = self._regrouped(value, wanted)
        for axis, size in enumerate(shape):
            if size == 1:
                value = self.move(value, New(axis))
        return value

    def _regrouped(self, value: Value, wanted: Shape) -> Value:
        """Return a value of which one axis becomes two, or two become one."""
        seen = value.shape
        axis = next((place for place, pair in enumerate(zip(seen, wanted, strict=False)) if pair[0] != pair[1]), None)
        if axis is None:
            raise UnlikeError("a change of the shape")
        if len(wanted) == len(seen) + 1 and seen[axis + 1 :] == wanted[axis + 2 :]:
            count, size = wanted[axis : axis + 2]
            if isinstance(count, int) and count * size == seen[axis]:
                cuts = [Cut(axis, place * size, (place + 1) * size) for place in range(count)]
                return joined([self.move(self.move(value, cut), New(axis)) for cut in cuts], axis)
        if len(wanted) == len(seen) - 1 and seen[axis + 2 :] == wanted[axis + 1 :]:
            count, size = seen[axis : axis + 2]
            if isinstance(count, int) and count * size == wanted[axis]:
                return joined([self.move(value, At(axis, place)) for place in range(count)], axis)
        raise UnlikeError("a change of the shape")


def _without_zeros(terms: dict[Monomial, Array]) -> dict[Monomial, Array]:
    return {key: numbers for key, numbers in terms.items() if np.any(numbers)}
