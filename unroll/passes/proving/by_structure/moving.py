"""Cutting and turning values: each move is carried inwards, to what the value is made of."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np

from unroll.dimensions import Dim, Shape, total
from unroll.dtypes import Array
from unroll.passes.proving.by_structure.atoms import Atom, Atoms, Form, Joined, Monomial, Value


class UnlikeError(Exception):
    """A value that has no form here."""


class At(NamedTuple):
    """One position along an axis, which is dropped."""

    axis: int
    place: int


class Cut(NamedTuple):
    """Positions from one to another along an axis."""

    axis: int
    start: Dim
    end: Dim


class Turn(NamedTuple):
    """The axes in another order."""

    order: tuple[int, ...]


class New(NamedTuple):
    """A new axis of size 1."""

    axis: int


class Back(NamedTuple):
    """An axis from its end."""

    axis: int


Move: TypeAlias = At | Cut | Turn | New | Back


class View(NamedTuple):
    """Part of an atom that cannot be moved into.

    Attributes:
        base: the atom.
        picks: for each of its axes what is left of it: all (None), a position, or a range.
        order: which axis of it each axis is; -1 for a new one.
    """

    base: int
    picks: tuple[int | tuple[Dim, Dim] | None, ...]
    order: tuple[int, ...]


def moved_shape(shape: Shape, move: Move) -> Shape:
    """Return the shape of a value that was moved."""
    sizes = list(shape)
    if isinstance(move, At):
        del sizes[move.axis]
    elif isinstance(move, Cut):
        sizes[move.axis] = move.end - move.start
    elif isinstance(move, Turn):
        sizes = [shape[axis] for axis in move.order]
    elif isinstance(move, New):
        sizes.insert(move.axis, 1)
    return tuple(sizes)


@dataclass
class Moving:
    """Moves values.

    Args:
        atoms: every atom.
    """

    atoms: Atoms
    _moved: dict[tuple[int, Move], int] = field(default_factory=dict)
    _cut: dict[tuple[int, Cut], tuple[Array, Array]] = field(default_factory=dict)
    _starts: dict[int, tuple[Joined, list[int]]] = field(default_factory=dict)

    def move(self, value: Value, move: Move) -> Value:
        """Return a value cut or turned.

        Raises:
            UnlikeError: a cut of nothing, or one beyond what is known of the value, or through what is joined.
        """
        if isinstance(move, Cut) and move.start == move.end:
            raise UnlikeError("a cut of nothing")
        if isinstance(value, Joined):
            return self._joined(value, move)
        return self._form(value, move)

    # -- joined values ------------------------------------------------------------------------------------------------

    def _joined(self, value: Joined, move: Move) -> Value:
        axis = value.axis
        if isinstance(move, At) and move.axis == axis:
            return self._at(value, move)
        if isinstance(move, Cut) and move.axis == axis:
            return self._between(value, move)
        parts = [self.move(part, move) for part in value.parts]
        if isinstance(move, Back) and move.axis == axis:
            parts.reverse()
        elif isinstance(move, At):
            axis -= move.axis < axis
        elif isinstance(move, New):
            axis += move.axis <= axis
        elif isinstance(move, Turn):
            axis = move.order.index(axis)
        return joined(parts, axis)

    def _at(self, value: Joined, move: At) -> Value:
        starts = self._starts_of(value)
        place = bisect_right(starts, move.place) - 1
        if not 0 <= place < len(value.parts) or len(starts) <= len(value.parts):
            raise UnlikeError("a position beyond what is known")
        return self.move(value.parts[place], At(move.axis, move.place - starts[place]))

    def _between(self, value: Joined, move: Cut) -> Value:
        starts = self._starts_of(value)
        if len(starts) <= len(value.parts) or not isinstance(move.start, int) or not isinstance(move.end, int):
            return self._between_sizes(value, move)
        found: list[Value] = []
        for place in range(bisect_right(starts, move.start) - 1, len(value.parts)):
            low, high = max(starts[place], move.start), min(starts[place + 1], move.end)
            if low >= high:
                break
            part, at = value.parts[place], starts[place]
            whole = (low, high) == (at, starts[place + 1])
            found.append(part if whole else self.move(part, Cut(move.axis, low - at, high - at)))
        if not found:
            raise UnlikeError("a cut beyond what is joined")
        return joined(found, value.axis)

    def _between_sizes(self, value: Joined, move: Cut) -> Value:
        """Return whole parts between two sizes of which one is not known."""
        at: Dim = 0
        found: list[Value] = []
        for part in value.parts:
            end = at + part.shape[value.axis]
            if found or at == move.start:
                found.append(part)
                if end == move.end:
                    return joined(found, value.axis)
            at = end
        raise UnlikeError("a cut through what is joined")

    def _starts_of(self, value: Joined) -> list[int]:
        """Return where each part begins, and where the last one ends; fewer where a size is not known."""
        known = self._starts.get(id(value))
        if known is None or known[0] is not value:
            starts = [0]
            for part in value.parts:
                size = part.shape[value.axis]
                if not isinstance(size, int):
                    break
                starts.append(starts[-1] + size)
            known = self._starts[id(value)] = (value, starts)
        return known[1]

    # -- forms --------------------------------------------------------------------------------------------------------

    def _form(self, value: Form, move: Move) -> Form:
        terms: dict[Monomial, Array] = {}
        for monomial, numbers in value.terms.items():
            key = tuple(sorted(self.atom(number, move, value.shape) for number in monomial))
            new = _moved_numbers(numbers, move)
            terms[key] = terms[key] + new if key in terms else new
        return Form(moved_shape(value.shape, move), terms)

    def atom(self, number: int, move: Move, outer: Shape) -> int:
        """Return an atom of a value of shape `outer` moved: it may be of size 1 where the value is not."""
        atom = self.atoms[number]
        if isinstance(move, (At, Cut, Back)) and atom.shape[move.axis] == 1 and outer[move.axis] != 1:
            if not isinstance(move, At):
                return number
            move = At(move.axis, 0)
        if isinstance(move, Cut) and (move.start, move.end) == (0, atom.shape[move.axis]):
            return number
        key = (number, move)
        if key not in self._moved:
            self._moved[key] = self._moved_atom(number, atom, move)
        return self._moved[key]

    def _moved_atom(self, number: int, atom: Atom, move: Move) -> int:
        shape = moved_shape(atom.shape, move)
        if atom.kind == "function":
            forms = tuple(self._inner(form, move, atom.shape) for form in atom.inside)
            return function(self.atoms, atom.name, forms, shape)
        if atom.kind == "sum":
            return closed(self.atoms, self._inner(atom.inside, move, atom.shape))
        if atom.kind == "product":
            found = self._product(atom, move, shape)
            if found is not None:
                return found
        if atom.kind == "back":
            return self._turned_back(atom, move)
        return self._view(number, atom, move, shape)

    def _turned_back(self, atom: Atom, move: Move) -> int:
        """Return an atom from its end, moved: the move is carried to what is turned."""
        number, axis = atom.inside
        inner = self.atoms[number].shape
        size = inner[axis]
        if isinstance(move, Back) and move.axis == axis:
            return int(number)
        if isinstance(move, (At, Cut)) and move.axis == axis:
            if not isinstance(size, int):
                raise UnlikeError("an axis from an end that is not known")
            if isinstance(move, At):
                return self.atom(number, At(axis, size - 1 - move.place), inner)
            number, move = self.atom(number, Cut(axis, size - move.end, size - move.start), inner), Back(axis)
            return self.atom(number, move, self.atoms[number].shape)
        moved = self.atom(number, move, inner)
        if isinstance(move, At):
            axis -= move.axis < axis
        elif isinstance(move, New):
            axis += move.axis <= axis
        elif isinstance(move, Turn):
            axis = move.order.index(axis)
        return self._back(moved, axis)

    def _back(self, number: int, axis: int) -> int:
        """Return an atom from its end along an axis."""
        shape = self.atoms[number].shape
        if shape[axis] == 1:
            return number
        return self.atoms.add(("back", number, axis), Atom(shape, "back", (number, axis)))

    def _inner(self, value: Value, move: Move, outer: Shape) -> Value:
        """Return what a function is of, moved: it may be of size 1 where the function is not."""
        if isinstance(move, (At, Cut, Back)) and value.shape[move.axis] == 1 and outer[move.axis] != 1:
            return self.move(value, At(move.axis, 0)) if isinstance(move, At) else value
        return self.move(value, move)

    def _product(self, atom: Atom, move: Move, shape: Shape) -> int | None:
        """Return a product with a matrix moved: its rows are those of what is on the left."""
        factors, matrix = atom.inside
        last = len(atom.shape) - 1
        if isinstance(move, Cut) and move.axis == last:
            if not isinstance(move.start, int) or not isinstance(move.end, int):
                return None
            return product(self.atoms, factors, self.columns(matrix, move), shape, self.rows_of(factors))
        kept = not (isinstance(move, (At, Back)) and move.axis == last)
        kept = kept and not (isinstance(move, New) and move.axis > last)
        kept = kept and not (isinstance(move, Turn) and move.order[-1] != last)
        if not kept:
            return None
        outer = self.rows_of(factors)
        new = tuple(sorted(self.atom(number, move, outer) for number in factors))
        return product(self.atoms, new, matrix, shape, moved_shape(outer, move))

    def rows_of(self, factors: Monomial) -> Shape:
        """Return the shape of a product of atoms."""
        return broadcast([self.atoms[number].shape for number in factors])

    def columns(self, matrix: Array, cut: Cut) -> Array:
        """Return columns of a matrix: the same array each time."""
        key = (id(matrix), cut._replace(axis=1))
        known = self._cut.get(key)
        if known is None or known[0] is not matrix:
            known = self._cut[key] = (matrix, np.ascontiguousarray(matrix[:, cut.start : cut.end]))
        return known[1]

    def _view(self, number: int, atom: Atom, move: Move, shape: Shape) -> int:
        view = atom.inside if atom.kind == "view" else _whole(number, atom.shape)
        if isinstance(move, Back):
            return self._back(number, move.axis)
        picks, order = list(view.picks), list(view.order)
        if isinstance(move, Turn):
            order = [order[axis] for axis in move.order]
        elif isinstance(move, New):
            order.insert(move.axis, -1)
        else:
            axis = order[move.axis]
            if axis != -1:
                before = picks[axis]
                low = before[0] if isinstance(before, tuple) else 0
                if isinstance(move, Cut) and move.end - move.start == 1 and isinstance(low, int):
                    picks[axis], order[move.axis] = low + move.start, -1  # as a new axis is
                elif isinstance(move, Cut):
                    picks[axis] = (low + move.start, low + move.end)
                elif isinstance(low, int):
                    picks[axis] = low + move.place
                else:
                    raise UnlikeError("a position behind a size that is not known")
            if isinstance(move, At):
                del order[move.axis]
        found = View(view.base, tuple(picks), tuple(order))
        if found == _whole(found.base, self.atoms[found.base].shape):
            return found.base
        return self.atoms.add(found, Atom(shape, "view", found))


def _whole(number: int, shape: Shape) -> View:
    """Return an atom as a view of all of it: an axis of size 1 is no other than a new one."""
    picks = tuple([0 if size == 1 else None for size in shape])
    return View(number, picks, tuple([-1 if size == 1 else axis for axis, size in enumerate(shape)]))


def _moved_numbers(numbers: Array, move: Move) -> Array:
    if isinstance(move, At):
        return np.asarray(np.take(numbers, min(move.place, numbers.shape[move.axis] - 1), move.axis))
    if isinstance(move, Cut):
        if numbers.shape[move.axis] == 1:
            return numbers
        if not isinstance(move.start, int) or not isinstance(move.end, int):
            raise UnlikeError("a cut of numbers at a size that is not known")
        return np.take(numbers, range(move.start, move.end), move.axis)
    if isinstance(move, Turn):
        return np.transpose(numbers, move.order)
    if isinstance(move, New):
        return np.expand_dims(numbers, move.axis)
    return np.flip(numbers, move.axis)


def joined(parts: Sequence[Value], axis: int) -> Value:
    """Return values one after another along an axis; those that are joined themselves are taken apart."""
    flat: list[Value] = []
    for part in parts:
        flat += part.parts if isinstance(part, Joined) and part.axis == axis else [part]
    if len(flat) == 1:
        return flat[0]
    sizes = list(flat[0].shape)
    sizes[axis] = total(part.shape[axis] for part in flat)
    grid = _grid(flat, axis)
    if grid is not None:
        return joined(
            [joined(column, axis) for column in zip(*(part.parts for part in grid), strict=True)], grid[0].axis
        )
    return Joined(tuple(sizes), axis, tuple(flat))


def _grid(parts: Sequence[Value], axis: int) -> list[Joined] | None:
    """Return parts that are joined along an axis before this one, all of pieces of the same sizes; None where they are not so.

    Such parts are rows of a grid, which is joined along its earlier axis last: steps that are joined of two directions are
    the two directions joined of steps.
    """
    rows = [part for part in parts if isinstance(part, Joined) and part.axis < axis]
    if len(rows) < max(len(parts), 2):
        return None
    sizes = {(row.axis, *(piece.shape[row.axis] for piece in row.parts)) for row in rows}
    return rows if len(sizes) == 1 else None


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """Return the shape that shapes of one rank broadcast to."""
    return tuple([next((size for size in sizes if size != 1), 1) for sizes in zip(*shapes, strict=True)])


def function(atoms: Atoms, name: Hashable, forms: tuple[Value, ...], shape: Shape) -> int:
    """Return the atom of a function, element by element."""
    return atoms.add(("function", name, *map(atoms.key, forms)), Atom(shape, "function", forms, name))


def closed(atoms: Atoms, form: Value) -> int:
    """Return the atom that is a whole sum."""
    return atoms.add(("sum", atoms.key(form)), Atom(form.shape, "sum", form))


def product(atoms: Atoms, factors: Monomial, matrix: Array, shape: Shape, rows: Shape) -> int:
    """Return the atom of a product with a matrix."""
    return atoms.add(("product", factors, len(rows), atoms.digest(matrix)), Atom(shape, "product", (factors, matrix)))
