"""Recognising LSTM, GRU and RNN by the forms of their new states.

Which term is which gate is a guess; `unroll.passes.rerolling.native.onnx_formulas` proves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unroll.passes.rerolling.finding import Input, State
from unroll.passes.rerolling.native.gates import Cell, Gate
from unroll.passes.rerolling.native.normal_form import (
    CONSTANT,
    Activation,
    Atom,
    Form,
    FrozenForm,
    Next,
    Term,
    UnmatchedError,
    scaled,
)
from unroll.passes.rerolling.native.onnx_formulas import computes
from unroll.passes.rerolling.native.pattern_reading import PatternForms

_NO_CANDIDATE = "the candidate is not of the input and of the state by a reset gate"


def recognised(forms: PatternForms) -> Cell:
    """Return the cell that a pattern is.

    Raises:
        UnmatchedError: it is none; says where that shows.
    """
    try:
        return _recognised(forms)
    except UnmatchedError as reason:
        raise forms.at(forms.heads[0], reason) from None


def _recognised(forms: PatternForms) -> Cell:
    count = len(forms.heads)
    if count == 1:
        try:
            return _rnn(forms)
        except UnmatchedError as reason:
            if _monomials(forms.head(0)) == 1:
                raise reason from None
        return _gru(forms)
    if count != 2:
        raise UnmatchedError(f"{count} states are handed on; an LSTM has 2, a GRU and an RNN have 1")
    try:
        return _lstm(forms, c=0, h=1)
    except UnmatchedError:
        return _lstm(forms, c=1, h=0)


def _monomials(form: Form) -> int:
    return len({term.monomial for term in form})


def _rnn(forms: PatternForms) -> Cell:
    form = forms.head(0)
    activation = _activation_of(forms, form)
    gate = _gate(forms, activation.form, h=0)
    return _proven(forms, Cell("RNN", (gate,), (_call(activation),), (0,), tuple(forms.inputs)))


def _activation_of(forms: PatternForms, form: Form) -> Activation:
    """Return the one activation that a form is; a form with matrices is an ``Affine`` one."""
    if any(term.kind == "matrix" for term in form):
        return Activation("Affine", (), FrozenForm(form))
    term, factor = next(iter(form.items()), (CONSTANT, 0.0))
    atom = forms.atoms[term.monomial[0]] if len(term.monomial) == 1 else None
    if len(form) != 1 or term.kind != "number" or factor != 1 or not isinstance(atom, Activation):
        raise UnmatchedError("a new state that is no activation of products with weights")
    return atom


def _call(activation: Activation) -> tuple[str, tuple[float, ...]]:
    return (activation.name, (1.0, 0.0) if activation.name == "Affine" else activation.parameters)


def _gate(forms: PatternForms, form: Form, h: int, peephole: State | Next | None = None) -> Gate:
    gate = Gate()
    for term, factor in form.items():
        atom = forms.atoms[term.monomial[0]] if len(term.monomial) == 1 else None
        if term == CONSTANT:
            gate.number += factor
        elif term.kind == "vector" and term.weight is not None and not term.monomial:
            gate.bias.append((term.weight, factor))
        elif term.kind == "vector" and term.weight is not None and atom == peephole and peephole is not None:
            gate.peephole.append((term.weight, factor))
        elif term.kind == "matrix" and term.weight is not None and atom == State(h):
            gate.state.append((term.weight, factor))
        elif term.kind == "matrix" and term.weight is not None and isinstance(atom, Input):
            gate.inputs.setdefault(atom.number, []).append((term.weight, factor))
        else:
            raise UnmatchedError("a gate reads something other than the input, the state and its bias")
    return gate


def _lstm(forms: PatternForms, c: int, h: int) -> Cell:
    """``c' = f * c + i * g``, ``h' = o * activation(c')``."""
    kept, added = None, None
    for term, factor in forms.head(c).items():
        atoms = [forms.atoms[number] for number in term.monomial]
        if term.kind != "number" or factor != 1 or len(atoms) != 2:
            raise UnmatchedError("c' is not f * c + i * g")
        if State(c) in atoms:
            kept = atoms[1 - atoms.index(State(c))]
        else:
            added = atoms
    if not isinstance(kept, Activation) or added is None or len(forms.head(c)) != 2:
        raise UnmatchedError("c' is not f * c + i * g")
    out, shown = _output_gate(forms, forms.head(h), c, kept)
    f = _gate(forms, kept.form, h, State(c))
    o = _gate(forms, out.form, h, Next(c))
    for one, two in (added, added[::-1]):
        if not isinstance(one, Activation) or not isinstance(two, Activation) or not _alike([one, kept, out]):
            continue
        try:
            i, g = _gate(forms, one.form, h, State(c)), _gate(forms, two.form, h)
        except UnmatchedError:
            continue
        calls = (_call(kept), _call(two), shown)
        return _proven(forms, Cell("LSTM", (i, o, f, g), calls, (h, c), tuple(forms.inputs)))
    raise UnmatchedError("the gates i, f and o have different activations, or read something of their own")


def _output_gate(
    forms: PatternForms, form: Form, c: int, kept: Activation
) -> tuple[Activation, tuple[str, tuple[float, ...]]]:
    """Return the output gate, and the activation of c'."""
    ((term, factor),) = form.items() if len(form) == 1 else ((CONSTANT, 0.0),)
    atoms = [forms.atoms[number] for number in term.monomial]
    if term.kind != "number" or factor != 1 or len(atoms) != 2:
        raise UnmatchedError("h' is not o * activation(c')")
    new = forms.atoms.form(Next(c))
    for gate, shown in (atoms, atoms[::-1]):
        if not isinstance(gate, Activation) or not _alike([gate, kept]):
            continue
        if shown == Next(c):
            return gate, ("Affine", (1.0, 0.0))
        if isinstance(shown, Activation) and shown.form == new:
            return gate, _call(shown)
    raise UnmatchedError("h' is not o * activation(c')")


def _alike(activations: Iterable[Activation]) -> bool:
    return len({(item.name, item.parameters) for item in activations}) == 1


def _gru(forms: PatternForms) -> Cell:
    """``h' = z * h + n - z * n``; with the other gate ``z' = 1 - z`` it is ``h + z' * n - z' * h``."""
    form = forms.head(0)
    (h,) = forms.atoms.form(State(0))
    old = h.monomial[0]
    for number, atom in enumerate(list(forms.atoms.all)):
        if not isinstance(atom, Activation):
            continue
        for other, candidate in enumerate(list(forms.atoms.all)):
            if other == number or not isinstance(candidate, Activation):
                continue
            pairs = {"zh": tuple(sorted((number, old))), "zn": tuple(sorted((number, other)))}
            if form == {Term(pairs["zh"]): 1.0, Term((other,)): 1.0, Term(pairs["zn"]): -1.0}:
                return _gru_of(forms, atom, candidate, negated=False)
            if form == {Term((old,)): 1.0, Term(pairs["zn"]): 1.0, Term(pairs["zh"]): -1.0} and atom.name == "Sigmoid":
                return _gru_of(forms, atom, candidate, negated=True)
    raise UnmatchedError("h' is neither an activation nor z * h + (1 - z) * n")


def _gru_of(forms: PatternForms, update: Activation, candidate: Activation, negated: bool) -> Cell:
    z, n = _gate(forms, update.form, h=0), Gate()
    own: dict[Term, float] = {}
    resets: set[tuple[Atom, bool]] = set()
    for term, factor in candidate.form.items():
        if len(term.monomial) == 2:
            resets.add(_of_reset(forms, term, factor, n))
        else:
            own[term] = factor
    if len(resets) > 1:
        raise UnmatchedError(
            "the candidate has two reset gates, or one that acts before the product as well as after it"
        )
    ((reset, after),) = resets or {(State(0), False)}
    rest = _gate(forms, own, h=0)
    if not isinstance(reset, Activation) or rest.state or not _alike([update, reset]):
        raise UnmatchedError(_NO_CANDIDATE)
    n.inputs, n.bias, n.number = rest.inputs, rest.bias, rest.number
    r = _gate(forms, reset.form, h=0)
    gates: Sequence[Gate] = (z.negated() if negated else z, r, n)
    calls = (_call(update), _call(candidate))
    return _proven(forms, Cell("GRU", tuple(gates), calls, (0,), tuple(forms.inputs), after))


def _of_reset(forms: PatternForms, term: Term, factor: float, n: Gate) -> tuple[Atom, bool]:
    """Add to the candidate `n` what a reset gate acts on; return the gate, and whether it acts after the product."""
    atoms = [forms.atoms[number] for number in term.monomial]
    if term.kind == "matrix" and term.weight is not None and State(0) in atoms:
        n.state.append((term.weight, factor))
        return atoms[1 - atoms.index(State(0))], False
    whole = [atom for atom in atoms if isinstance(atom, Activation) and atom.name == "Affine"]
    if term.kind != "number" or len(whole) != 1:
        raise UnmatchedError(_NO_CANDIDATE)
    read = _gate(forms, scaled(whole[0].form, factor), h=0)
    if read.inputs:
        raise UnmatchedError("the reset gate acts on the input")
    n.state += read.state
    n.state_bias += read.bias
    n.state_number += read.number
    return atoms[1 - atoms.index(whole[0])], True


def _proven(forms: PatternForms, cell: Cell) -> Cell:
    """Return a cell that computes what the pattern does, term by term.

    Raises:
        UnmatchedError: it does not.
    """
    if not computes(forms.atoms, cell, {number: forms.head(number) for number in cell.states}):
        raise UnmatchedError(
            f"the new states look like those of {cell.op}, which computes something else of these terms"
        )
    return cell
