"""Atoms, forms and joined tensors: what a value is written as.

A form is a sum of products of atoms, each product times numbers: ``f * c + i * j``, or ``x @ W + 0.5``. Atoms are kept once, by
what they are, so that two values are equal where their forms are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from unroll.dimensions import Shape
from unroll.dtypes import Array

#: The numbers of atoms that are multiplied, in order.
Monomial: TypeAlias = tuple[int, ...]
#: To how many digits numbers count as equal: both sides multiply the same ones in another order.
_DIGITS = 12


@dataclass(frozen=True, eq=False)
class Form:
    """A sum of products of atoms.

    Attributes:
        shape: the shape of the value.
        terms: by product, the numbers that it is multiplied with: an array of the rank of the value, of size 1 along axes along
            which they do not differ.
    """

    shape: Shape
    terms: Mapping[Monomial, Array]

    @property
    def constant(self) -> Array | None:
        """The numbers, where nothing else is in it."""
        if not self.terms:
            return np.zeros([1] * len(self.shape))
        return self.terms[()] if self.terms.keys() == {()} else None


@dataclass(frozen=True, eq=False)
class Joined:
    """Values that lie one after another along an axis."""

    shape: Shape
    axis: int
    parts: tuple[Value, ...]


Value: TypeAlias = "Form | Joined"


class Atom(NamedTuple):
    """What is not taken apart.

    Attributes:
        shape: its shape.
        kind: ``input``, ``function``, ``product``, ``sum``, ``view`` or ``other``.
        inside: what it is made of: of a ``function`` its forms, of a ``product`` the factors on the left and the matrix, of a
            ``sum`` its form, of a ``view`` a `View`.
        name: of a function and another: the operator with its attributes.
    """

    shape: Shape
    kind: str
    inside: Any = None
    name: Hashable = None


@dataclass
class Atoms:
    """Every atom, once."""

    _all: list[Atom] = field(default_factory=list)
    _numbers: dict[Hashable, int] = field(default_factory=dict)
    _keys: dict[int, tuple[Form, int]] = field(default_factory=dict)
    _digests: dict[int, tuple[Array, bytes]] = field(default_factory=dict)

    def __getitem__(self, number: int) -> Atom:
        return self._all[number]

    def add(self, key: Hashable, atom: Atom) -> int:
        """Return the number of an atom, which is known by `key`."""
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._all)
            self._all.append(atom)
        return number

    def number_of(self, key: Hashable) -> int:
        """Return a number for a key that is no atom's."""
        return self.add(("key", key), Atom((), "other"))

    def digest(self, array: Array) -> bytes:
        """Return a digest of numbers; an array is looked at once."""
        if array.size == 1:
            return f"{array.ndim} {array.item():.{_DIGITS}g}".encode()
        known = self._digests.get(id(array))
        if known is None or known[0] is not array:
            known = self._digests[id(array)] = (array, _digest(array))
        return known[1]

    def key(self, value: Value | None) -> Hashable:
        """Return what a value is known by: equal for equal ones."""
        if value is None:
            return None
        if isinstance(value, Joined):
            return ("joined", value.axis, *(self.key(part) for part in value.parts))
        known = self._keys.get(id(value))
        if known is None or known[0] is not value:
            terms = tuple(sorted((monomial, self.digest(reduced(array))) for monomial, array in value.terms.items()))
            known = self._keys[id(value)] = (value, self.number_of((len(value.shape), terms)))
        return known[1]


def reduced(array: Array) -> Array:
    """Return numbers with size 1 along each axis along which they do not differ."""
    if array.size == 1:
        return array
    for axis, size in enumerate(array.shape):
        if size > 1:
            first = np.take(array, [0], axis)
            if (array == first).all():
                array = first
    return array


def _digest(array: Array) -> bytes:
    if array.dtype.kind == "f" and not (array == np.rint(array)).all():
        mantissa, exponent = np.frexp(array)
        array = np.ldexp(np.round(mantissa, _DIGITS), exponent)
    if array.dtype.kind == "f":
        array = array + 0.0  # without -0.0
    return hashlib.blake2b(f"{array.dtype.kind} {array.shape} ".encode() + array.tobytes(), digest_size=16).digest()
