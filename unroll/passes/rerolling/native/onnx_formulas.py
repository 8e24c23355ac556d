"""ONNX's formulas of RNN, LSTM and GRU on the weights of a cell, held against what a pattern computes.

Recognising a cell is a guess. Here both sides are multiplied out in full and must be the same polynomial: whatever the guess
was, no term of the pattern is left out, counted twice or made up.

Source: the operators' specifications at https://onnx.ai/onnx/operators/ ("Equations").
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from unroll.passes.rerolling.finding import Input, State
from unroll.passes.rerolling.native.gates import Cell, Gate, Sum
from unroll.passes.rerolling.native.normal_form import (
    CONSTANT,
    Activation,
    Atoms,
    Form,
    Next,
    Term,
    UnmatchedError,
    scaled,
    total,
)

#: A sum of products, each the numbers of its factors in order, and each times a number.
Polynomial: TypeAlias = Mapping[tuple[int, ...], float]
_MOST_TERMS = 2**12


def computes(atoms: Atoms, cell: Cell, heads: Mapping[int, Form]) -> bool:
    """Say whether an operator with the weights of `cell` computes the new states `heads`, by the number of the state."""
    expanding = _Expanding(atoms)
    wanted = {number: expanding.polynomial(form) for number, form in heads.items()}
    return any(
        {number: expanding.polynomial(form) for number, form in zip(cell.states, found, strict=True)} == wanted
        for found in _FORMULAS[cell.op](_Formula(atoms, cell))
    )


def gate_forms(atoms: Atoms, cell: Cell) -> list[list[Form]]:
    """Return the forms of each gate of a cell, with its activation and without it; an RNN has no gates to tell apart."""
    formula = _Formula(atoms, cell)
    if cell.op == "LSTM":
        (i, o, f, g), c = cell.gates, formula.state(1)
        new = atoms.form(Next(cell.states[1]))
        made = [formula.gate(0, i, c), formula.gate(0, o, new), formula.gate(0, f, c), formula.gate(1, g)]
        return [_with_inner(atoms, [form]) for form in made]
    if cell.op == "GRU":
        z, r, n = cell.gates
        updates = [formula.gate(0, z), *([formula.gate(0, z.negated())] if cell.activations[0][0] == "Sigmoid" else [])]
        reset, h = formula.gate(0, r), formula.state(0)
        before, after = (h, reset) if cell.reset_after else (atoms.product(reset, h), {CONSTANT: 1.0})
        candidate = total(formula.of_input(n), atoms.product(after, formula.of_state(n, before)))
        return [_with_inner(atoms, forms) for forms in (updates, [reset], [formula.activated(1, candidate)])]
    return [[] for _ in cell.gates]


def _with_inner(atoms: Atoms, forms: list[Form]) -> list[Form]:
    """Return activations, and what each is of."""
    inner = [atoms[term.monomial[0]] for form in forms for term in form if len(form) == 1 and len(term.monomial) == 1]
    return [*forms, *(atom.form for atom in inner if isinstance(atom, Activation))]


@dataclass(frozen=True)
class _Formula:
    """The parts of the equations, in ONNX's names."""

    atoms: Atoms
    cell: Cell

    def state(self, place: int) -> Form:
        """Return h (0) or c (1) before the step."""
        return self.atoms.form(State(self.cell.states[place]))

    def activated(self, place: int, form: Form) -> Form:
        """Return one of the activations f, g and h of a form."""
        name, parameters = self.cell.activations[place]
        if name != "Affine":
            return self.atoms.activated(name, parameters, form)
        alpha, beta = parameters
        return total(scaled(form, alpha), {CONSTANT: beta})

    def of_input(self, gate: Gate) -> Form:
        """Return ``Xt*(W^T) + Wb``."""
        form = self._row(gate.bias, gate.number)
        for number, weights in gate.inputs.items():
            form = total(form, self._product(self.atoms.form(Input(number)), weights))
        return form

    def of_state(self, gate: Gate, h: Form) -> Form:
        """Return ``h*(R^T) + Rb``."""
        return total(self._product(h, gate.state), self._row(gate.state_bias, gate.state_number))

    def peephole(self, gate: Gate, c: Form) -> Form:
        """Return ``P (.) c``."""
        return self.atoms.product(self._row(gate.peephole, 0.0), c)

    def gate(self, place: int, gate: Gate, c: Form | None = None) -> Form:
        """Return a gate by an activation of all that it reads."""
        form = total(self.of_input(gate), self.of_state(gate, self.state(0)))
        return self.activated(place, form if c is None else total(form, self.peephole(gate, c)))

    def _product(self, x: Form, weights: Sum) -> Form:
        form: Form = {}
        for tensor, factor in weights:
            form = total(form, {Term(term.monomial, "matrix", tensor): number * factor for term, number in x.items()})
        return form

    def _row(self, weights: Sum, number: float) -> Form:
        form: Form = {CONSTANT: number} if number else {}
        for tensor, factor in weights:
            form = total(form, {Term((), "vector", tensor): factor})
        return form


def _rnn(formula: _Formula) -> Iterator[tuple[Form, ...]]:
    yield (formula.gate(0, formula.cell.gates[0]),)


def _lstm(formula: _Formula) -> Iterator[tuple[Form, ...]]:
    product, c = formula.atoms.product, formula.state(1)
    i, o, f, g = formula.cell.gates
    new = formula.atoms.form(Next(formula.cell.states[1]))
    kept = product(formula.gate(0, f, c), c)
    added = product(formula.gate(0, i, c), formula.gate(1, g))
    yield product(formula.gate(0, o, new), formula.activated(2, new)), total(kept, added)


def _gru(formula: _Formula) -> Iterator[tuple[Form, ...]]:
    """Yield the state by the update gate z, and where that is a sigmoid, by 1 - z as the sigmoid of the opposite."""
    product, h = formula.atoms.product, formula.state(0)
    z, r, n = formula.cell.gates
    one: Form = {CONSTANT: 1.0}
    reset = formula.gate(0, r)
    before, after = (h, reset) if formula.cell.reset_after else (product(reset, h), one)
    candidate = formula.activated(1, total(formula.of_input(n), product(after, formula.of_state(n, before))))
    update = formula.gate(0, z)
    yield (total(product(update, h), product(total(one, update, -1.0), candidate)),)
    if formula.cell.activations[0][0] == "Sigmoid":
        rest = formula.gate(0, z.negated())
        yield (total(product(total(one, rest, -1.0), h), product(rest, candidate)),)


_FORMULAS = {"RNN": _rnn, "LSTM": _lstm, "GRU": _gru}


@dataclass
class _Expanding:
    """Multiplies forms out: a sum that was kept together as one atom is opened, inside of activations as well."""

    atoms: Atoms
    _numbers: dict[Hashable, int] = field(default_factory=dict)
    _opened: dict[int, Polynomial] = field(default_factory=dict)

    def polynomial(self, form: Form) -> Polynomial:
        """Return a form as a sum of products of atoms, weights, and products with matrices."""
        found: dict[tuple[int, ...], float] = {}
        for term, number in form.items():
            product: Polynomial = {(): number}
            for atom in term.monomial:
                product = _times(product, self._atom(atom))
            if term.kind == "vector":
                product = _times(product, self._factor((term.kind, term.weight)))
            elif term.kind == "matrix":  # a product with a matrix of a sum is the sum of products
                product = {next(iter(self._factor((key, term.weight)))): value for key, value in product.items()}
            for key, value in product.items():
                found[key] = found.get(key, 0.0) + value
        return {key: _rounded(value) for key, value in found.items() if value}

    def _atom(self, number: int) -> Polynomial:
        if number not in self._opened:
            atom = self.atoms[number]
            if not isinstance(atom, Activation):
                self._opened[number] = self._factor(atom)
            elif atom.name == "Affine":
                self._opened[number] = self.polynomial(atom.form)
            else:
                of = frozenset(self.polynomial(atom.form).items())
                self._opened[number] = self._factor((atom.name, atom.parameters, of))
        return self._opened[number]

    def _factor(self, what: Hashable) -> Polynomial:
        return {(self._numbers.setdefault(what, len(self._numbers)),): 1.0}


def _times(left: Polynomial, right: Polynomial) -> Polynomial:
    if len(left) * len(right) > _MOST_TERMS:
        raise UnmatchedError(f"multiplied out, more than {_MOST_TERMS} terms")
    found: dict[tuple[int, ...], float] = {}
    for one, a in left.items():
        for two, b in right.items():
            key = tuple(sorted(one + two))
            found[key] = found.get(key, 0.0) + a * b
    return found


def _rounded(value: float) -> float:
    """Return a number to 12 digits, because the two sides multiply the same numbers in another order."""
    return float(f"{value:.12g}")
