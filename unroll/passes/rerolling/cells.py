"""Recognising LSTM, GRU and RNN by the forms of their new states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from unroll.passes.rerolling.algebra import Algebra
from unroll.passes.rerolling.forms import CONSTANT, Activation, Form, Input, Next, State, Term, UnmatchedError
from unroll.passes.rerolling.recurrence import Column
from unroll.tensor import Tensor

#: Weights to be added up, each times a number.
Sum = list[tuple[Tensor, float]]


@dataclass
class Gate:
    """The preactivation of a gate.

    Attributes:
        inputs: by input, the matrices that weigh it.
        state: the matrices that weigh h.
        bias: the vectors.
        number: a number added to the bias, such as TensorFlow's forget bias.
        state_bias: the vectors that a reset gate multiplies with the state's product.
        state_number: a number likewise.
        peephole: the vectors that weigh c element by element.
    """

    inputs: dict[int, Sum] = field(default_factory=dict)
    state: Sum = field(default_factory=list)
    bias: Sum = field(default_factory=list)
    number: float = 0.0
    state_bias: Sum = field(default_factory=list)
    state_number: float = 0.0
    peephole: Sum = field(default_factory=list)

    def negated(self) -> Gate:
        """Return the gate of which the sigmoid is one minus that of this one."""

        def turned(weights: Sum) -> Sum:
            return [(tensor, -factor) for tensor, factor in weights]

        inputs = {number: turned(weights) for number, weights in self.inputs.items()}
        return Gate(inputs, turned(self.state), turned(self.bias), -self.number, peephole=turned(self.peephole))


@dataclass(frozen=True)
class Cell:
    """A recognised cell.

    Attributes:
        op: ONNX's name of its operator.
        gates: in ONNX's order.
        activations: ONNX's name and the parameters of each.
        states: which of the pattern's states h is, and of an LSTM c.
        inputs: the tensors of each step's own that its gates read.
        reset_after: of a GRU, whether the reset gate acts after the product.
    """

    op: str
    gates: tuple[Gate, ...]
    activations: tuple[tuple[str, tuple[float, ...]], ...]
    states: tuple[int, ...]
    inputs: tuple[Column, ...]
    reset_after: bool = False


def recognised(algebra: Algebra) -> Cell:
    """Return the cell that a pattern is.

    Raises:
        UnmatchedError: it is none; says where that shows.
    """
    try:
        return _recognised(algebra)
    except UnmatchedError as reason:
        raise algebra.at(algebra.heads[0], reason) from None


def _recognised(algebra: Algebra) -> Cell:
    count = len(algebra.heads)
    if count == 1:
        try:
            return _rnn(algebra)
        except UnmatchedError as reason:
            if _monomials(algebra.head(0)) == 1:
                raise reason from None
        return _gru(algebra)
    if count != 2:
        raise UnmatchedError(f"{count} states are handed on; an LSTM has 2, a GRU and an RNN have 1")
    try:
        return _lstm(algebra, c=0, h=1)
    except UnmatchedError:
        return _lstm(algebra, c=1, h=0)


def _monomials(form: Form) -> int:
    return len({term.monomial for term in form})


def _rnn(algebra: Algebra) -> Cell:
    form = algebra.head(0)
    activation = _activation_of(algebra, form)
    gate = _gate(algebra, activation.form, h=0)
    return Cell("RNN", (gate,), (_call(activation),), (0,), tuple(algebra.inputs))


def _activation_of(algebra: Algebra, form: Form) -> Activation:
    """Return the one activation that a form is; a form with matrices is its own."""
    if any(term.kind == "matrix" for term in form):
        return Activation("Affine", (), frozenset(form.items()))
    term, factor = next(iter(form.items()), (CONSTANT, 0.0))
    atom = algebra.atoms[term.monomial[0]] if len(term.monomial) == 1 else None
    if len(form) != 1 or term.kind != "number" or factor != 1 or not isinstance(atom, Activation):
        raise UnmatchedError("a new state that is no activation of products with weights")
    return atom


def _call(activation: Activation) -> tuple[str, tuple[float, ...]]:
    return (activation.name, (1.0, 0.0) if activation.name == "Affine" else activation.parameters)


def _gate(algebra: Algebra, form: Form, h: int, peephole: State | Next | None = None) -> Gate:
    gate = Gate()
    for term, factor in form.items():
        atom = algebra.atoms[term.monomial[0]] if len(term.monomial) == 1 else None
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


def _lstm(algebra: Algebra, c: int, h: int) -> Cell:
    """``c' = f * c + i * g``, ``h' = o * activation(c')``."""
    kept, added = None, None
    for term, factor in algebra.head(c).items():
        atoms = [algebra.atoms[number] for number in term.monomial]
        if term.kind != "number" or factor != 1 or len(atoms) != 2:
            raise UnmatchedError("c' is not f * c + i * g")
        if State(c) in atoms:
            kept = atoms[1 - atoms.index(State(c))]
        else:
            added = atoms
    if not isinstance(kept, Activation) or added is None or len(algebra.head(c)) != 2:
        raise UnmatchedError("c' is not f * c + i * g")
    out, shown = _output_gate(algebra, algebra.head(h), c, kept)
    f = _gate(algebra, kept.form, h, State(c))
    o = _gate(algebra, out.form, h, Next(c))
    for one, two in (added, added[::-1]):
        if not isinstance(one, Activation) or not isinstance(two, Activation) or not _alike([one, kept, out]):
            continue
        try:
            i, g = _gate(algebra, one.form, h, State(c)), _gate(algebra, two.form, h)
        except UnmatchedError:
            continue
        calls = (_call(kept), _call(two), shown)
        return Cell("LSTM", (i, o, f, g), calls, (h, c), tuple(algebra.inputs))
    raise UnmatchedError("the gates i, f and o have different activations, or read something of their own")


def _output_gate(
    algebra: Algebra, form: Form, c: int, kept: Activation
) -> tuple[Activation, tuple[str, tuple[float, ...]]]:
    """Return the output gate, and the activation of c'."""
    ((term, factor),) = form.items() if len(form) == 1 else ((CONSTANT, 0.0),)
    atoms = [algebra.atoms[number] for number in term.monomial]
    if term.kind != "number" or factor != 1 or len(atoms) != 2:
        raise UnmatchedError("h' is not o * activation(c')")
    new = frozenset(algebra.atoms.form(Next(c)).items())
    for gate, shown in (atoms, atoms[::-1]):
        if not isinstance(gate, Activation) or not _alike([gate, kept]):
            continue
        if shown == Next(c):
            return gate, ("Affine", (1.0, 0.0))
        if isinstance(shown, Activation) and shown.of == new:
            return gate, _call(shown)
    raise UnmatchedError("h' is not o * activation(c')")


def _alike(activations: Iterable[Activation]) -> bool:
    return len({(item.name, item.parameters) for item in activations}) == 1


def _gru(algebra: Algebra) -> Cell:
    """``h' = z * h + n - z * n``; with the other gate ``z' = 1 - z`` it is ``h + z' * n - z' * h``."""
    form = algebra.head(0)
    (h,) = algebra.atoms.form(State(0))
    old = h.monomial[0]
    for number, atom in enumerate(list(algebra.atoms.all)):
        if not isinstance(atom, Activation):
            continue
        for other, candidate in enumerate(list(algebra.atoms.all)):
            if other == number or not isinstance(candidate, Activation):
                continue
            pairs = {"zh": tuple(sorted((number, old))), "zn": tuple(sorted((number, other)))}
            if form == {Term(pairs["zh"]): 1.0, Term((other,)): 1.0, Term(pairs["zn"]): -1.0}:
                return _gru_of(algebra, atom, candidate, negated=False)
            if form == {Term((old,)): 1.0, Term(pairs["zn"]): 1.0, Term(pairs["zh"]): -1.0} and atom.name == "Sigmoid":
                return _gru_of(algebra, atom, candidate, negated=True)
    raise UnmatchedError("h' is neither an activation nor z * h + (1 - z) * n")


def _gru_of(algebra: Algebra, update: Activation, candidate: Activation, negated: bool) -> Cell:
    z = _gate(algebra, update.form, h=0)
    n, rest, reset, after = Gate(), dict(candidate.form), None, False
    for term, factor in candidate.form.items():
        atoms = [algebra.atoms[number] for number in term.monomial]
        if len(atoms) != 2:
            continue
        del rest[term]
        if term.kind == "matrix" and State(0) in atoms and term.weight is not None:
            gate = atoms[1 - atoms.index(State(0))]
            n.state.append((term.weight, factor))
        elif term.kind == "number" and factor == 1:
            whole = [atom for atom in atoms if isinstance(atom, Activation) and atom.name == "Affine"]
            if len(whole) != 1:
                raise UnmatchedError("the candidate is not of the input and of the state by a reset gate")
            gate, after = atoms[1 - atoms.index(whole[0])], True
            read = _gate(algebra, whole[0].form, h=0)
            if read.inputs:
                raise UnmatchedError("the reset gate acts on the input")
            n.state, n.state_bias, n.state_number = read.state, read.bias, read.number
        else:
            raise UnmatchedError("the candidate is not of the input and of the state by a reset gate")
        if reset not in (None, gate):
            raise UnmatchedError("two reset gates")
        reset = gate
    own = _gate(algebra, rest, h=0)
    if not isinstance(reset, Activation) or own.state or not _alike([update, reset]):
        raise UnmatchedError("the candidate is not of the input and of the state by a reset gate")
    n.inputs, n.bias, n.number = own.inputs, own.bias, own.number
    r = _gate(algebra, reset.form, h=0)
    gates: Sequence[Gate] = (z.negated() if negated else z, r, n)
    return Cell("GRU", tuple(gates), (_call(update), _call(candidate)), (0,), tuple(algebra.inputs), after)
