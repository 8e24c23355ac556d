"""The equations of ONNX's LSTM, GRU and RNN, with the attributes of the node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unroll.dimensions import Shape, shape_text
from unroll.graph import Graph
from unroll.ops.gate_names import PEEPHOLES
from unroll.ops.recurrent_loop import ACTIVATIONS
from unroll.viz.explaining.equations import Equation
from unroll.viz.explaining.sections import Meaning, Section
from unroll.viz.explaining.terms import Call, Infix, Name, Number, Symbol, Term, names_in
from unroll.viz.native_nodes import Native, path_of, sources

_ANY: Shape = ()
#: The activations of one direction where none are given.
_OWN = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}
#: What ONNX's activations are called in formulas.
_CALLED = {
    "Affine": "affine", "Elu": "elu", "HardSigmoid": "hard_sigmoid", "LeakyRelu": "leaky_relu", "Relu": "relu",
    "ScaledTanh": "scaled_tanh", "Sigmoid": "sigmoid", "Softplus": "softplus", "Softsign": "softsign", "Tanh": "tanh",
    "ThresholdedRelu": "thresholded_relu",
}  # fmt: skip


def native_section(graph: Graph, native: Native, side: int) -> Section:
    """Return the equations of one direction of a recurrent node."""
    formulas = _Formulas(native, side)
    lines = {"LSTM": formulas.lstm, "GRU": formulas.gru, "RNN": formulas.rnn}[native.kind]()
    tensor = next(iter(native.outputs.values()))
    equations = [Equation(Symbol(name, "", 0), term, tensor) for name, term in lines]
    sides = f", {native.sides[side]}" if len(native.sides) > 1 else ""
    title = f"{path_of(native.node) or graph.name(native.node)}, {native.kind} operator{sides}, every step"
    return Section(title, [], equations, list(_meanings(graph, native, equations)), [], list(_notes(native, side)))


class _Formulas:
    """Writes the formulas of one direction."""

    def __init__(self, native: Native, side: int) -> None:
        self._native = native
        self._functions = _activations(native)[side]
        self._before = 1 if native.sides[side] == "reverse" else -1
        self._clip = native.attributes.get("clip")

    def lstm(self) -> Iterator[tuple[str, Term]]:
        """Yield the equations of ONNX's LSTM."""
        f, g, h = self._functions
        c = self._state("c")
        coupled = bool(self._native.attributes.get("input_forget", 0))
        yield "i", self._function(f, self._sum("i", self._peephole("i", c)))
        yield "g", self._function(g, self._sum("c"))
        one = Number(_ANY, None, np.ones((), np.float32))
        forget = self._function(f, self._sum("f", self._peephole("f", c)))
        yield "f", _sign("-", one, _name("i")) if coupled else forget
        yield "c", _sign("+", _sign("*", _name("f"), c), _sign("*", _name("i"), _name("g")))
        yield "o", self._function(f, self._sum("o", self._peephole("o", _name("c"))))
        yield "h", _sign("*", _name("o"), self._function(h, _name("c"), clipped=False))

    def gru(self) -> Iterator[tuple[str, Term]]:
        """Yield the equations of ONNX's GRU."""
        f, g = self._functions
        h = self._state("h")
        yield "z", self._function(f, self._sum("z"))
        yield "r", self._function(f, self._sum("r"))
        if self._native.attributes.get("linear_before_reset", 0):
            inner = _plus([_sign("@", h, _weight("R", "h")), *self._bias("Rb", "h")])
            parts = [_sign("@", _name("x"), _weight("W", "h")), *self._bias("Wb", "h"), _sign("*", _name("r"), inner)]
        else:
            state = _sign("@", _sign("*", _name("r"), h), _weight("R", "h"))
            parts = [_sign("@", _name("x"), _weight("W", "h")), *self._bias("Wb", "h"), state, *self._bias("Rb", "h")]
        yield "n", self._function(g, _plus(parts))
        one = Number(_ANY, None, np.ones((), np.float32))
        yield "h", _sign("+", _sign("*", _sign("-", one, _name("z")), _name("n")), _sign("*", _name("z"), h))

    def rnn(self) -> Iterator[tuple[str, Term]]:
        """Yield the equation of ONNX's RNN."""
        yield "h", self._function(self._functions[0], self._sum(""))

    def _sum(self, gate: str, *more: Term | None) -> Term:
        products = [_sign("@", _name("x"), _weight("W", gate)), _sign("@", self._state("h"), _weight("R", gate))]
        biases = [*self._bias("Wb", gate), *self._bias("Rb", gate)]
        return _plus([*products, *biases, *(term for term in more if term is not None)])

    def _bias(self, name: str, gate: str) -> list[Term]:
        return [Name(_ANY, None, Symbol(name, gate))] if "B" in self._native.inputs else []

    def _peephole(self, gate: str, state: Term) -> Term | None:
        return _sign("*", Name(_ANY, None, Symbol("P", gate)), state) if "P" in self._native.inputs else None

    def _state(self, name: str) -> Term:
        return Name(_ANY, None, Symbol(name, "", self._before))

    def _function(self, activation: tuple[str, Sequence[str]], inside: Term, clipped: bool = True) -> Term:
        name, settings = activation
        if self._clip is not None and clipped:
            limits = [Number(_ANY, None, np.asarray(sign * self._clip, np.float32)) for sign in (-1, 1)]
            inside = Call(_ANY, None, "clip", (inside, *limits), (), True)
        return Call(_ANY, None, name, (inside,), tuple(settings), True)


def _activations(native: Native) -> list[list[tuple[str, list[str]]]]:
    """Return for each direction the functions in ONNX's order, each with its parameters where it has some."""
    own = _OWN[native.kind]
    names = [*(native.attributes.get("activations") or own * len(native.sides))]
    given = {name: iter(native.attributes.get(f"activation_{name}") or ()) for name in ("alpha", "beta")}
    found = []
    for name in names:
        known = ACTIVATIONS.get(name)
        defaults = [*known.defaults] if known is not None else []
        settings = []
        for place, letter in enumerate(("alpha", "beta")[: known.parameters if known is not None else 0]):
            value = next(given[letter], defaults[place] if place < len(defaults) else None)
            settings += [] if value is None else [f"{letter}={value:.9g}"]
        found.append((_CALLED.get(name, name), settings))
    return [found[start : start + len(own)] for start in range(0, len(found), len(own))]


def _name(name: str) -> Name:
    return Name(_ANY, None, Symbol(name, "", 0))


def _weight(name: str, gate: str) -> Name:
    return Name(_ANY, None, Symbol(name, gate), None, True)


def _sign(sign: str, left: Term, right: Term) -> Infix:
    return Infix(_ANY, None, sign, (left, right))


def _plus(terms: Sequence[Term]) -> Term:
    total = terms[0]
    for term in terms[1:]:
        total = _sign("+", total, term)
    return total


def _meanings(graph: Graph, native: Native, equations: Sequence[Equation]) -> Iterator[Meaning]:
    used = list(dict.fromkeys(name.symbol for name in names_in([line.term for line in equations])))
    fed = native.inputs["X"]
    yield Meaning((Symbol("x", "", 0),), f"one step of {graph.name(fed)} {shape_text(graph.shape(fed))}")
    for bases, name in ((("W",), "W"), (("R",), "R"), (("Wb", "Rb"), "B"), (("P",), "P")):
        if name in native.inputs:
            weight = native.inputs[name]
            made = ", ".join(item.name for item in sources(weight)) or name
            order = ", ".join(PEEPHOLES if name == "P" else native.gates)
            halves = "; Wb is the first half, Rb the second" if name == "B" else ""
            symbols = tuple(symbol for symbol in used if symbol.base in bases)
            yield Meaning(symbols, f"{made} {shape_text(weight.shape)}, blocks {order}{halves}")


def _notes(native: Native, side: int) -> Iterator[str]:
    first = "T - 1" if native.sides[side] == "reverse" else "0"
    for name, given in (("h", "initial_h"), ("c", "initial_c")):
        if name == "h" or native.kind == "LSTM":
            before = "t+1" if native.sides[side] == "reverse" else "t-1"
            tensor = native.inputs.get(given)
            yield f"{name}[{before}] at t = {first}: {'zeros' if tensor is None else tensor.label}"
    if "sequence_lens" in native.inputs:
        yield f"past the length of a row ({native.inputs['sequence_lens'].label}) its state stays and its output is 0"
