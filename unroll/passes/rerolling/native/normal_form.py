"""The normal form of what a step computes: sums of products of activations, states and inputs, times weights.

All ways of writing one formula have one form, whatever the order of gates, summands and factors, and however weights are
cut and joined. ``(1 - z) * n + z * h``, ``n + z * (h - n)`` and ``z * h + n - n * z`` are all ``n - z n + z h``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from unroll.ops.functions import Elu, HardSigmoid, LeakyRelu, Relu, Sigmoid, Softplus, Softsign, Tanh
from unroll.passes.rerolling.finding import Input, State
from unroll.tensor import Tensor

#: A product of atoms by their numbers, in order; () is the constant 1.
Monomial: TypeAlias = tuple[int, ...]
#: What multiplies a monomial: a number alone, a vector element by element, or a matrix from the right.
Kind = Literal["number", "vector", "matrix"]


class UnmatchedError(Exception):
    """Raised where what a step computes has no such form; it says at which node that shows."""


class Term(NamedTuple):
    """A monomial and the weight that multiplies it."""

    monomial: Monomial
    kind: Kind = "number"
    weight: Tensor | None = None


#: A sum: each term times a number.
Form: TypeAlias = Mapping[Term, float]


class FrozenForm(dict[Term, float]):
    """A form within an atom: equal to another whatever the order of their terms, which stays that in which it was made.

    A frozenset has an order of its own in each process, and weights would be added in that.
    """

    def __hash__(self) -> int:  # type: ignore[override]  # it is changed by nobody
        return hash(frozenset(self.items()))


@dataclass(frozen=True)
class Next:
    """A state as the step makes it."""

    number: int


class Activation(NamedTuple):
    """An activation of a form; ``Affine`` is the form itself, kept together as one atom."""

    name: str
    parameters: tuple[float, ...]
    form: FrozenForm


Atom: TypeAlias = State | Next | Input | Activation

#: The operators that are activations of ONNX's recurrent operators, and their attributes.
ACTIVATIONS: dict[type, tuple[str, ...]] = {
    Elu: ("alpha",),
    HardSigmoid: ("alpha", "beta"),
    LeakyRelu: ("alpha",),
    Relu: (),
    Sigmoid: (),
    Softplus: (),
    Softsign: (),
    Tanh: (),
}

CONSTANT = Term(())
_ONES = {np.float32(1): 1.0, np.float32(-1): -1.0}

#: Numbers beyond these are refused: float32 could overflow or vanish on the way to a result that does neither.
_LEAST, _MOST = 2.0**-40, 2.0**40
#: Where larger numbers cancel one another, what is left is how float32 rounded them, not what algebra says.
_LEAST_CANCELLED = 2.0**10
#: A form beyond these is part of no cell: how many terms, how many factors of a term, how many activations of one another.
_MOST_TERMS, _MOST_FACTORS, _DEEPEST = 256, 8, 32


class Atoms:
    """Numbers atoms, so that equal ones have one number."""

    def __init__(self) -> None:
        self._numbers: dict[Atom, int] = {}
        self._depths: list[int] = []
        self.all: list[Atom] = []

    def form(self, atom: Atom) -> Form:
        """Return an atom as a form."""
        number = self._numbers.setdefault(atom, len(self._numbers))
        if number == len(self.all):
            self.all.append(atom)
            self._depths.append(self._depth(atom.form) if isinstance(atom, Activation) else 0)
        return {Term((number,)): 1.0}

    def _depth(self, form: Form) -> int:
        return 1 + max((self._depths[number] for term in form for number in term.monomial), default=0)

    def __getitem__(self, number: int) -> Atom:
        return self.all[number]

    def activated(self, name: str, parameters: tuple[float, ...], form: Form) -> Form:
        """Return an activation of a form.

        Raises:
            UnmatchedError: too many are of one another.
        """
        if self._depth(form) > _DEEPEST:
            raise UnmatchedError(f"more than {_DEEPEST} activations of one another")
        return self.form(Activation(name, parameters, FrozenForm(form)))

    def product(self, left: Form, right: Form) -> Form:
        """Return the product of two forms, element by element.

        Raises:
            UnmatchedError: two weights would multiply one another, or the product is larger than any cell's.
        """
        if _is_number(left) or _is_number(right):
            factor, form = (left, right) if _is_number(left) else (right, left)
            return scaled(form, factor.get(CONSTANT, 0.0))
        left, right = self._whole(left), self._whole(right)
        found: dict[Term, float] = {}
        for one, a in left.items():
            for two, b in right.items():
                if one.kind != "number" and two.kind != "number":
                    raise UnmatchedError("two weights multiply one another")
                kind, weight = one[1:] if one.kind != "number" else two[1:]
                term = Term(tuple(sorted(one.monomial + two.monomial)), kind, weight)
                if len(term.monomial) > _MOST_FACTORS:
                    raise UnmatchedError(f"a product of more than {_MOST_FACTORS} factors")
                found[term] = found.get(term, 0.0) + a * b
        return _cleaned(found)

    def _whole(self, form: Form) -> Form:
        """Return a form with a matrix in it as one atom: ``h @ R + b``, which a reset gate multiplies."""
        if not any(term.kind == "matrix" for term in form):
            return form
        return self.activated("Affine", (), form)


def constant(number: float) -> Form:
    """Return a number as a form.

    Raises:
        UnmatchedError: it is not finite, or too large or small to reckon with.
    """
    return _cleaned({CONSTANT: number})


def total(left: Form, right: Form, sign: float = 1.0) -> Form:
    """Return ``left + sign * right``.

    Raises:
        UnmatchedError: large numbers cancel one another, or the sum is larger than any cell's.
    """
    found = dict(left)
    for term, factor in right.items():
        before, added = found.get(term, 0.0), sign * factor
        if before * added < 0 and max(abs(before), abs(added)) > _LEAST_CANCELLED:
            raise UnmatchedError(f"{before:g} and {added:g} cancel one another")
        found[term] = before + added
    return _cleaned(found)


def scaled(form: Form, factor: float) -> Form:
    """Return a form times a number; a product that float32 cannot tell from 1 or -1, such as 6 times its sixth, is that.

    Raises:
        UnmatchedError: the numbers become too large or small to reckon with.
    """
    products = {term: value * factor for term, value in form.items()}
    return _cleaned({term: _ONES.get(np.float32(value), value) for term, value in products.items()})


def weighed(form: Form, matrix: Tensor) -> Form:
    """Return ``form @ matrix``.

    Raises:
        UnmatchedError: the form has weights of its own.
    """
    if any(term.kind != "number" or not term.monomial for term in form):
        raise UnmatchedError("a product with a weight is weighed again")
    return {Term(term.monomial, "matrix", matrix): factor for term, factor in form.items()}


def reweighed(form: Form, change: Callable[[Tensor], Tensor], atom: Callable[[int], Form]) -> Form:
    """Return a form with every weight and every atom changed, such as cut to some columns.

    Raises:
        UnmatchedError: an atom with its weight is a product of several.
    """
    found: Form = {}
    for term, factor in form.items():
        if term.weight is not None:
            part: Form = {Term(term.monomial, term.kind, change(term.weight)): factor}
            if term.kind == "vector" and term.monomial:
                raise UnmatchedError("an element-wise weight is cut apart")
        elif len(term.monomial) > 1:
            raise UnmatchedError("a product of gates is cut apart")
        else:
            part = scaled(atom(term.monomial[0]), factor) if term.monomial else {term: factor}
        found = total(found, part)
    return found


def _is_number(form: Form) -> bool:
    return all(term == CONSTANT for term in form)


def _cleaned(form: Mapping[Term, float]) -> Form:
    found = {term: factor for term, factor in form.items() if factor != 0}
    if len(found) > _MOST_TERMS:
        raise UnmatchedError(f"a sum of more than {_MOST_TERMS} terms")
    for factor in found.values():
        if not _LEAST <= abs(factor) <= _MOST:  # and so no NaN
            raise UnmatchedError(f"a number of {factor:g}, with which float32 may overflow or vanish")
    return found
