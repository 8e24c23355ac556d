"""Recognising a cell takes every term of it exactly once: cells that nearly are an LSTM, GRU or RNN, and some in disguise.

The numbers to meet are those of the same formula in NumPy's float64.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import unroll
from unroll import ops
from unroll.passes.rerolling.planner import reroll

STEPS, BATCH, UNITS = 4, 2, 3
NUMPY = SimpleNamespace(tanh=np.tanh, sigmoid=lambda x: 1 / (1 + np.exp(-x)))
#: Every name below is a matrix, but for those of vectors.
VECTORS = "b", "d", "p"


class Weights:
    """Weights that are drawn when first read, by their names: Parameters of a graph, or the same values as arrays."""

    def __init__(self) -> None:
        self.made: dict[str, unroll.Parameter] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in self.made:
            shape = (UNITS,) if name[0] in VECTORS else (UNITS, UNITS)
            rng = np.random.default_rng([ord(letter) for letter in name])
            self.made[name] = unroll.Parameter(rng.uniform(-0.9, 0.9, shape).astype("float32"), name)
        return self.made[name]


class Values(Weights):
    def __getattr__(self, name: str) -> Any:
        return super().__getattr__(name).value.astype("float64")


Step = Callable[[Any, Any, Any, tuple[Any, ...]], "tuple[Any, ...]"]


def traced(step: Step, states: int) -> unroll.Graph:
    x = unroll.placeholder([STEPS, None, UNITS], "x")
    zero = ops.constant_of_shape(ops.concat([ops.shape(x)[1:2], [UNITS]], 0), 0.0)
    held: tuple[Any, ...] = (zero,) * states
    weights, outputs = Weights(), []
    for v in ops.unstack(x, 0):
        held = step(ops, weights, v, held)
        outputs.append(held[0])
    return unroll.Graph([x], {"h": ops.stack(outputs, 0)})


def checked(step: Step, states: int) -> str:
    """What a cell becomes, if anything; its numbers are those of the formula, by NumPy and by onnxruntime."""
    x = np.random.default_rng(7).uniform(-1, 1, (STEPS, BATCH, UNITS)).astype("float32")
    held: tuple[Any, ...] = (np.zeros((BATCH, UNITS)),) * states
    wanted = []
    for v in x.astype("float64"):
        held = step(NUMPY, Values(), v, held)
        wanted.append(held[0])
    graph = traced(step, states)
    operators = []
    for prepared in (graph, unroll.optimize(graph)):
        found, report = reroll(prepared)
        for outputs in (found.run({"x": x}), unroll.Session(found).run({"x": x})):
            np.testing.assert_allclose(outputs["h"], np.stack(wanted), rtol=2e-5, atol=2e-5, err_msg=str(report))
        operators.append(report.operators)
    return "".join(operators[0])


def gate(m: Any, w: Any, name: str, v: Any, h: Any) -> Any:
    return m.sigmoid(v @ getattr(w, f"w{name}") + h @ getattr(w, f"u{name}"))


def gru(candidate: Callable[..., Any], mix: Callable[..., Any] = lambda z, h, n: z * h + (1 - z) * n) -> Step:
    def step(m: Any, w: Any, v: Any, held: tuple[Any, ...]) -> tuple[Any, ...]:
        (h,) = held
        z, r, q = (gate(m, w, name, v, h) for name in "zrq")
        given = {"z": z, "r": r, "q": q, "h": h, "v": v, "m": m, "w": w}
        n = candidate(SimpleNamespace(**given))
        return (mix(z, h, m.tanh(v @ w.wn + n)),)

    return step


GRUS: dict[str, tuple[Step, str]] = {
    "a reset before the product": (gru(lambda s: (s.r * s.h) @ s.w.u1), "GRU"),
    "a reset after the product": (gru(lambda s: s.r * (s.h @ s.w.u1 + s.w.b)), "GRU"),
    "a reset before and after": (gru(lambda s: (s.r * s.h) @ s.w.u1 + s.r * (s.h @ s.w.u2)), "Scan"),
    "a reset after and before": (gru(lambda s: s.r * (s.h @ s.w.u2) + (s.r * s.h) @ s.w.u1), "Scan"),
    "two products reset after": (gru(lambda s: s.r * (s.h @ s.w.u1 + s.w.b1) + s.r * (s.h @ s.w.u2 + s.w.b2)), "GRU"),
    "two products reset before": (gru(lambda s: (s.r * s.h) @ s.w.u1 + (s.r * s.h) @ s.w.u2), "GRU"),
    "two gates that reset": (gru(lambda s: s.r * (s.h @ s.w.u1) + s.q * (s.h @ s.w.u2)), "Scan"),
    "two gates that reset before": (gru(lambda s: (s.r * s.h) @ s.w.u1 + (s.q * s.h) @ s.w.u2), "Scan"),
    "two gates that reset one product": (gru(lambda s: s.r * s.q * (s.h @ s.w.u1)), "Scan"),
    "a reset twice": (gru(lambda s: s.r * s.r * (s.h @ s.w.u1)), "Scan"),
    "half a product": (gru(lambda s: 0.5 * (s.r * (s.h @ s.w.u1 + s.w.b))), "GRU"),
    "three of two products less a half": (
        gru(lambda s: 3 * (s.r * (s.h @ s.w.u1)) - 0.5 * (s.r * (s.h @ s.w.u2))),
        "GRU",
    ),
    "twice what is reset": (gru(lambda s: (2 * (s.r * s.h)) @ s.w.u1), "GRU"),
    "a product that is not reset": (gru(lambda s: s.r * (s.h @ s.w.u1) + s.h @ s.w.u2), "Scan"),
    "a bias that is reset": (gru(lambda s: s.r * (s.h @ s.w.u1) + s.r * s.w.b), "Scan"),
    "an input that is reset": (gru(lambda s: s.r * (s.h @ s.w.u1 + s.v @ s.w.w2)), "Scan"),
    "a reset without a state": (gru(lambda s: s.r * (s.v @ s.w.w2)), "Scan"),
    "the other way round": (gru(lambda s: (s.r * s.h) @ s.w.u1, lambda z, h, n: h + z * (n - h)), "GRU"),
    "some of the state beside": (
        gru(lambda s: (s.r * s.h) @ s.w.u1, lambda z, h, n: z * h + (1 - z) * n + 0.1 * h),
        "Scan",
    ),
    "the candidate twice": (gru(lambda s: (s.r * s.h) @ s.w.u1, lambda z, h, n: z * h + (2 - z) * n), "Scan"),
    "a mix of less than one": (gru(lambda s: (s.r * s.h) @ s.w.u1, lambda z, h, n: z * h + (0.5 - z) * n), "Scan"),
    "the update gate as the reset": (gru(lambda s: (s.z * s.h) @ s.w.u1), "GRU"),
}


def lstm(change: Callable[..., tuple[Any, Any]], **pre: Callable[..., Any]) -> Step:
    """``change`` makes (h', c') of the gates; ``pre`` adds to a gate of that name."""

    def step(m: Any, w: Any, v: Any, held: tuple[Any, ...]) -> tuple[Any, ...]:
        h, c = held
        raw = {name: v @ getattr(w, f"w{name}") + h @ getattr(w, f"u{name}") for name in "ifog"}
        raw |= {name: raw[name] + add(w, c, h) for name, add in pre.items()}
        gates = {name: m.sigmoid(raw[name]) for name in "ifo"} | {"g": m.tanh(raw["g"])}
        return change(SimpleNamespace(**gates, c=c, h=h, m=m, w=w, raw=raw))

    return step


def made(s: Any, c: Any) -> tuple[Any, Any]:
    return s.o * s.m.tanh(c), c


def late(s: Any, c: Any, weigh: Any) -> tuple[Any, Any]:
    return s.m.sigmoid(s.raw["o"] + weigh * c) * s.m.tanh(c), c


LSTMS: dict[str, tuple[Step, str]] = {
    "as it is": (lstm(lambda s: made(s, s.f * s.c + s.i * s.g)), "LSTM"),
    "peepholes": (lstm(lambda s: late(s, s.f * s.c + s.i * s.g, s.w.p1), f=lambda w, c, h: w.p2 * c), "LSTM"),
    "a peephole of o on the old c": (
        lstm(lambda s: made(s, s.f * s.c + s.i * s.g), o=lambda w, c, h: w.p1 * c),
        "Scan",
    ),
    "a peephole of g": (lstm(lambda s: made(s, s.f * s.c + s.i * s.g), g=lambda w, c, h: w.p1 * c), "Scan"),
    "a peephole on h": (lstm(lambda s: made(s, s.f * s.c + s.i * s.g), i=lambda w, c, h: w.p1 * h), "Scan"),
    "two peepholes of one gate": (
        lstm(lambda s: made(s, s.f * s.c + s.i * s.g), i=lambda w, c, h: w.p1 * c + w.p2 * c),
        "Scan",
    ),
    "a peephole through a matrix": (lstm(lambda s: made(s, s.f * s.c + s.i * s.g), i=lambda w, c, h: c @ w.u9), "Scan"),
    "one product more": (lstm(lambda s: made(s, s.f * s.c + s.i * s.g + s.o * s.g)), "Scan"),
    "some of c beside": (lstm(lambda s: made(s, s.f * s.c + s.i * s.g + 0.1 * s.c)), "Scan"),
    "c forgotten twice": (lstm(lambda s: made(s, s.f * s.c + s.o * s.c + s.i * s.g)), "Scan"),
    "twice as much": (lstm(lambda s: made(s, 2 * (s.f * s.c) + s.i * s.g)), "Scan"),
    "less instead of more": (lstm(lambda s: made(s, s.f * s.c - s.i * s.g)), "Scan"),
    "one gate for f and i": (lstm(lambda s: made(s, s.f * s.c + s.f * s.g)), "LSTM"),
    "f and one less f": (lstm(lambda s: made(s, s.f * s.c + (1 - s.f) * s.g)), "Scan"),
    "a gate times itself": (lstm(lambda s: made(s, s.f * s.c + s.i * s.i)), "LSTM"),  # whose g is a sigmoid as well
    "h twice": (lstm(lambda s: (2 * (s.o * s.m.tanh(s.f * s.c + s.i * s.g)), s.f * s.c + s.i * s.g)), "Scan"),
    "h and the h before": (
        lstm(lambda s: (s.o * s.m.tanh(s.f * s.c + s.i * s.g) + 0.5 * s.h, s.f * s.c + s.i * s.g)),
        "Scan",
    ),
    "h of the old c": (lstm(lambda s: (s.o * s.m.tanh(s.c), s.f * s.c + s.i * s.g)), ""),
    "gates in another order": (lstm(lambda s: (s.i * s.m.tanh(s.o * s.c + s.f * s.g), s.o * s.c + s.f * s.g)), "LSTM"),
}

RNNS: dict[str, tuple[Step, str]] = {
    "two products": (lambda m, w, v, s: (m.tanh(v @ w.w1 + s[0] @ w.u1 + s[0] @ w.u2 - w.b),), "RNN"),
    "one weight of both": (lambda m, w, v, s: (m.tanh((2 * v - s[0]) @ w.w1),), "Scan"),
    "a third of a sum": (lambda m, w, v, s: (m.tanh((v @ w.w1 + s[0] @ w.u1 + w.b) / 3),), "RNN"),
    "the state beside": (lambda m, w, v, s: (m.tanh(v @ w.w1 + s[0] @ w.u1) + 0.1 * s[0],), "Scan"),
    "a square of the state": (lambda m, w, v, s: (m.tanh(v @ w.w1 + (s[0] * s[0]) @ w.u1),), "Scan"),
    "a state weighed by a vector": (lambda m, w, v, s: (m.tanh(v @ w.w1 + s[0] @ w.u1 + w.d * s[0]),), "Scan"),
    "a product weighed by a vector": (lambda m, w, v, s: (m.tanh(v @ w.w1 + w.d * (s[0] @ w.u1)),), "Scan"),
    "twice the activation": (lambda m, w, v, s: (2 * m.tanh(v @ w.w1 + s[0] @ w.u1),), "Scan"),
    "the input by itself": (lambda m, w, v, s: (m.tanh(v + s[0] @ w.u1),), "Scan"),
    "a product of products": (lambda m, w, v, s: (m.tanh((v @ w.w1) * (s[0] @ w.u1)),), "Scan"),
    "two activations": (lambda m, w, v, s: (m.tanh(v @ w.w1 + s[0] @ w.u1) - m.tanh(s[0] @ w.u2),), "Scan"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GRUS)
def test_a_gru_is_what_its_formula_says_and_nothing_else(name: str) -> None:
    step, operator = GRUS[name]
    assert checked(step, 1) == operator


@pytest.mark.slow
@pytest.mark.parametrize("name", LSTMS)
def test_an_lstm_is_what_its_formula_says_and_nothing_else(name: str) -> None:
    step, operator = LSTMS[name]
    assert checked(step, 2) == operator


@pytest.mark.parametrize("name", RNNS)
def test_an_rnn_is_what_its_formula_says_and_nothing_else(name: str) -> None:
    step, operator = RNNS[name]
    assert checked(step, 1) == operator


# -- numbers ----------------------------------------------------------------------------------------------------------

NUMBERS: dict[str, Callable[[Any], Any]] = {
    "divided by 0": lambda z: z / 0.0,
    "divided by -0": lambda z: z / -0.0,
    "divided by a difference of 0": lambda z: z / (ops.add(unroll.constant(1.0), unroll.constant(-1.0))),
    "divided by infinity": lambda z: z / np.inf,
    "times infinity": lambda z: z * np.inf,
    "times NaN": lambda z: z * np.nan,
    "and infinity": lambda z: z + np.inf,
    "infinity, less infinity": lambda z: (z + np.inf) - np.inf,
    "times 0": lambda z: z * 0.0 + 0.5,
    "times -0": lambda z: z * -0.0 + 0.5,
    "beyond float32 and back": lambda z: z * 1e30 * 1e30 * 1e-30 * 1e-30,
    "below float32 and back": lambda z: z * 1e-30 * 1e-30 * 1e30 * 1e30,
    "a large number, and back": lambda z: (z + 1e8) - 1e8,
    "the smallest there is": lambda z: z * 1e-45 * 1e30,
    "divided by the smallest": lambda z: z / 1e-45,
    "the largest": lambda z: z + 3.4e38,
    "less a mask": lambda z: z - 1e9,
    "a large power": lambda z: repeated(z, 40, lambda y: y * y),
    "a large product of sums": lambda z: product([ops.tanh(z * (k + 1)) + 1.5 for k in range(24)]),
    "a long sum": lambda z: repeated(z, 600, lambda y: y + 0.001),
    "a lattice of activations that is cut": lambda z: lattice(ops.concat([z, z], 1)),
    "many activations of one another": lambda z: repeated(z, 300, ops.tanh),
}


def repeated(x: Any, times: int, change: Callable[[Any], Any]) -> Any:
    for _ in range(times):
        x = change(x)
    return x


def lattice(x: Any) -> Any:
    """Two activations of the sum of the two before, many times: in one formula, without names, two to that power."""
    one, two = ops.tanh(x), ops.sigmoid(x)
    for _ in range(28):
        one, two = ops.tanh(one + two), ops.sigmoid(one + two)
    first, second = ops.split(one + two, 2, 1)
    return first + second


def product(factors: list[Any]) -> Any:
    found = factors[0]
    for factor in factors[1:]:
        found = found * factor
    return found


@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_in_a_cell_is_reckoned_with_as_float32_would_not(name: str) -> None:
    change = NUMBERS[name]
    graph = traced(lambda m, w, v, s: (m.tanh(change(v @ w.w1 + s[0] @ w.u1)),), 1)
    x = {"x": np.random.default_rng(3).uniform(-1, 1, (STEPS, BATCH, UNITS)).astype("float32")}
    with np.errstate(all="ignore"):
        wanted = graph.run(x)["h"]
        for prepared in (graph, unroll.optimize(graph)):
            found, report = reroll(prepared)
            np.testing.assert_allclose(found.run(x)["h"], wanted, rtol=2e-5, atol=2e-5, err_msg=str(report))
    if name == "less a mask":
        assert report.operators == ["RNN"]


@pytest.mark.slow
def test_a_long_chain_of_nodes_outside_of_a_loop_does_not_recurse() -> None:
    x = unroll.placeholder([STEPS, None, UNITS], "x")
    w, h, outputs = Weights(), ops.constant_of_shape(ops.concat([ops.shape(x)[1:2], [UNITS]], 0), 0.0), []
    for v in ops.unstack(x, 0):
        read = repeated(v, 600, lambda y: y + 0.001)
        h = ops.tanh(read @ w.w1 + h @ w.u1)
        outputs.append(repeated(h, 600, lambda y: y * 1.001))
    graph = unroll.Graph([x], {"h": ops.stack(outputs, 0)})
    fed = {"x": np.random.default_rng(3).uniform(-1, 1, (STEPS, BATCH, UNITS)).astype("float32")}
    found, report = reroll(graph)
    assert report
    np.testing.assert_allclose(found.run(fed)["h"], graph.run(fed)["h"], rtol=1e-4, atol=1e-4)
