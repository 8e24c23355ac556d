"""Cells written by hand: right ones, and ones that look like an LSTM, GRU or RNN and are none.

A recipe is a function of the material, the layer's name, what may change from step to step, x, h and c; it returns the new
h and c, and tensors that the program may read as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from programs import parts
from programs.material import Material
from unroll import ops
from unroll.tensor import Tensor


class Now(NamedTuple):
    """One step of a layer.

    Attributes:
        x: the input.
        h: the state that products read.
        c: the cell of an LSTM.
        kept: the state that is blended in, where that is not `h`.
        twin: see `parts.products`.
    """

    x: Tensor
    h: Tensor
    c: Tensor
    kept: Tensor
    twin: str


class Made(NamedTuple):
    """What a step made: the new states, and what lies within."""

    h: Tensor
    c: Tensor
    inner: tuple[Tensor, ...] = ()


LSTM_TWISTS = {
    "none": 8, "o before": 1, "i twice": 1, "f twice": 1, "coupled": 1, "coupled the other way": 0.5, "no i": 0.5, "no o": 0.5,
    "minus": 0.5, "h of j": 0.5, "scaled c": 0.5, "c of h": 0.5, "o sees i": 0.5, "i and f exchanged in c": 0.5,
    "tanh missing": 0.5, "clipped c": 0.5, "projected": 0.7, "forget bias": 3, "output plus x": 0.3,
}  # fmt: skip
PEEPHOLES = {
    "none": 6, "right": 2, "o of the old c": 0.7, "h instead of c": 0.5, "only o": 0.5, "only f": 0.5, "matrix": 0.4,
    "one for all": 0.5, "i of f's": 0.3, "scalar": 0.3,
}  # fmt: skip


def lstm(m: Material, name: str, now: Now) -> Made:
    """An LSTM, or what differs from one in a single place."""
    z = parts.gates(m, name, now.x, now.h, ("i", "j", "f", "o"), now.twin)
    sigma = parts.gate(m, f"{name}/gates")
    sigma_o = parts.gate(m, f"{name}/gate o") if m.choices.flag(f"{name}/o differs", 0.1) else sigma
    act = parts.activation(m, f"{name}/activation")
    out = parts.activation(m, f"{name}/output activation") if m.choices.flag(f"{name}/output differs", 0.15) else act
    twist = m.choices.quirk(f"{name}/twist", LSTM_TWISTS)
    peep = m.choices.quirk(f"{name}/peepholes", PEEPHOLES)
    units = int(now.h.shape[-1])

    def seen(key: str, c: Tensor) -> Tensor:
        """Return what a peephole adds to a gate."""
        if peep == "matrix":
            return z[key] + c @ m.weight(f"{name}/peep_{key}", units, units)
        shape = (1,) if peep == "scalar" else (units,)
        own = "all" if peep == "one for all" else "f" if peep == "i of f's" else key
        return z[key] + c * m.weight(f"{name}/peep_{own}{now.twin.strip('=~')}", *shape)

    watched = now.h if peep == "h instead of c" else now.c
    for key in ("i", "f"):
        if peep not in ("none", "only o") and (key == "f" or peep != "only f"):
            z[key] = seen(key, watched)
    i, f = sigma(z["i"]), sigma(z["f"] + 1.0 if twist == "forget bias" else z["f"])
    j = act(z["i"] if twist == "i twice" else z["j"])
    if twist == "f twice":
        i = f
    if twist == "coupled":
        f = 1.0 - i
    if twist == "coupled the other way":
        i = 1.0 - f
    if twist == "i and f exchanged in c":
        i, f = f, i
    new = j if twist == "no i" else i * j
    kept = (now.h if twist == "c of h" else now.c) * f
    c = kept - new if twist == "minus" else m_sum(m, f"{name}/sum", kept, new)
    if twist == "scaled c":
        c = c * 0.5
    if twist == "clipped c":
        c = ops.clip(c, -0.4, 0.4)
    if peep not in ("none", "only f", "h instead of c"):
        z["o"] = seen("o", now.c if peep == "o of the old c" else c)
    o = sigma_o(z["o"] * i if twist == "o sees i" else z["o"])
    read = now.c if twist == "o before" else j if twist == "h of j" else c
    h = read if twist == "tanh missing" else out(read)
    if twist != "no o":
        h = h * o if m.choices.flag(f"{name}/h order") else o * h
    if twist == "projected":
        h = h @ m.weight(f"{name}/projection", units, units)
    if twist == "output plus x" and now.x.shape[-1] == units:
        h = h + now.x
    return Made(h, c, (i, j, f, o))


def m_sum(m: Material, name: str, a: Tensor, b: Tensor) -> Tensor:
    """Return a sum, in one order or the other."""
    return b + a if m.choices.flag(name) else a + b


CANDIDATES = {
    "before": 5, "after": 5, "both": 1, "both turned": 1, "after twice": 1, "after, half": 1, "before, half": 0.7, "none": 0.5,
    "z for r": 0.5, "x as well": 0.5, "r of r": 0.3, "before twice": 0.7, "after with bias": 3, "after with x": 0.4,
    "before minus": 0.3,
}  # fmt: skip
BLENDS = {
    "z*h + (1-z)*n": 5, "(1-z)*h + z*n": 3, "(1-z)*n + z*h": 2, "h + z*(n-h)": 1, "n + z*(h-n)": 1, "z*h + z*n": 0.5,
    "z*h + (1-r)*n": 0.5, "z*h + n": 0.5, "z*h + (1-z)*n + n/4": 0.4, "z*h - (z-1)*n": 0.4, "z*h + (2-z)*n": 0.4,
    "z*h + (1-z)*n, scaled": 0.3,
}  # fmt: skip


def gru(m: Material, name: str, now: Now) -> Made:
    """A GRU, or what differs from one in a single place."""
    units = int(now.h.shape[-1])
    z_r = parts.gates(m, name, now.x, now.h, ("z", "r"), now.twin)
    sigma = parts.gate(m, f"{name}/gates")
    z, r = sigma(z_r["z"]), sigma(z_r["r"])
    twin = now.twin.strip("=~")

    def u(number: int) -> Tensor:
        return m.weight(f"{name}/u{number}{twin}", units, units)

    way = m.choices.quirk(f"{name}/candidate", CANDIDATES)
    h = now.h
    bias = m.choices.flag(f"{name}/candidate bias", 0.6)
    x = now.x @ m.weight(f"{name}/wn{twin}", int(now.x.shape[-1]), units)
    x = x + m.weight(f"{name}/bn", units) if bias else x
    reset = {
        "before": lambda: (r * h) @ u(1),
        "after": lambda: r * (h @ u(1)),
        "after with bias": lambda: r * (h @ u(1) + m.weight(f"{name}/bu", units)),
        "after with x": lambda: r * (h @ u(1) + x),
        "both": lambda: (r * h) @ u(1) + r * (h @ u(2)),
        "both turned": lambda: r * (h @ u(2)) + (r * h) @ u(1),
        "after twice": lambda: r * (h @ u(1)) + r * (h @ u(2)),
        "before twice": lambda: (r * h) @ u(1) + (r * h) @ u(2),
        "after, half": lambda: r * (h @ u(1)) + h @ u(2),
        "before, half": lambda: (r * h) @ u(1) + h @ u(2),
        "before minus": lambda: (r * h) @ u(1) - h @ u(2),
        "none": lambda: h @ u(1),
        "z for r": lambda: (z * h) @ u(1),
        "x as well": lambda: (r * h) @ u(1) + r * x,
        "r of r": lambda: (r * (r * h)) @ u(1),
    }[way]()
    n = parts.activation(m, f"{name}/activation")(m_sum(m, f"{name}/candidate sum", x, reset))
    k = now.kept
    new = {
        "z*h + (1-z)*n": lambda: z * k + (1.0 - z) * n,
        "(1-z)*h + z*n": lambda: (1.0 - z) * k + z * n,
        "(1-z)*n + z*h": lambda: n * (1.0 - z) + k * z,
        "h + z*(n-h)": lambda: k + z * (n - k),
        "n + z*(h-n)": lambda: n + z * (k - n),
        "z*h + z*n": lambda: z * k + z * n,
        "z*h + (1-r)*n": lambda: z * k + (1.0 - r) * n,
        "z*h + n": lambda: z * k + n,
        "z*h + (1-z)*n + n/4": lambda: z * k + (1.0 - z) * n + n * 0.25,
        "z*h - (z-1)*n": lambda: z * k - (z - 1.0) * n,
        "z*h + (2-z)*n": lambda: z * k + (2.0 - z) * n,
        "z*h + (1-z)*n, scaled": lambda: (z * k + (1.0 - z) * n) * 0.8,
    }[m.choices.quirk(f"{name}/blend", BLENDS)]()
    return Made(new, now.c, (z, r, n))


RNN_TWISTS = {
    "none": 6, "residual": 2, "scaled residual": 2, "scaled": 1, "times": 0.5, "two activations": 0.5, "plus x": 0.5,
    "negated": 0.4, "decayed": 0.7, "two products": 1, "squared": 0.3, "gated": 1, "highway": 0.7, "no activation": 0.4,
    "softmax": 0.3, "layer norm": 0.4,
}  # fmt: skip


def rnn(m: Material, name: str, now: Now) -> Made:
    """An RNN, or a cell near to one: residual, decayed, gated by one gate."""
    units = int(now.h.shape[-1])
    z = parts.products(m, name, now.x, now.h, units, now.twin)
    act = parts.activation(m, f"{name}/activation")
    twist = m.choices.quirk(f"{name}/twist", RNN_TWISTS)
    k = now.kept
    if twist == "two products":
        z = m_sum(m, f"{name}/sum", z, parts.products(m, f"{name}/second", now.x, now.h, units, now.twin))
    a = z * 0.5 if twist == "no activation" else act(z)
    if twist in ("gated", "highway"):
        gate = parts.gate(m, f"{name}/gates")
        s = gate(parts.products(m, f"{name}/gate", now.x, now.h, units, now.twin))
        return Made(s * k + (1.0 - s) * a if twist == "gated" else k + s * a, now.c, (s, a))
    if twist == "softmax":
        return Made(ops.softmax(a, -1), now.c, (z, a))
    if twist == "layer norm":
        scale, shift = m.weight(f"{name}/gamma", units), m.weight(f"{name}/beta", units)
        return Made(act(ops.layer_normalization(z, scale, shift, epsilon=0.1)), now.c, (z,))
    new = {
        "residual": lambda: k + a,
        "scaled residual": lambda: k + a * 0.3,
        "scaled": lambda: a * 0.5,
        "times": lambda: a * k + a,
        "two activations": lambda: act(a) + a,
        "plus x": lambda: a + now.x[:, :1],
        "negated": lambda: -a,
        "decayed": lambda: 0.9 * k + 0.1 * a,
        "squared": lambda: a * a,
    }.get(twist, lambda: a)()
    return Made(new, now.c, (z, a))


WITHOUT_WEIGHTS = ("decay", "running sum", "running product", "running maximum", "difference", "counter")


def no_weights(m: Material, name: str, now: Now) -> Made:
    """A recurrence that has no weights of its own: sums, products and maxima that run along."""
    units = int(now.h.shape[-1])
    x = now.x if now.x.shape[-1] == units else now.x @ m.weight(f"{name}/in", int(now.x.shape[-1]), units)
    k = now.kept
    new = {
        "decay": lambda: 0.9 * k + 0.1 * x,
        "running sum": lambda: k + x,
        "running product": lambda: k * ops.sigmoid(x) + x,
        "running maximum": lambda: ops.maximum(k, x),
        "difference": lambda: x - k,
        "counter": lambda: k + 0.25,
    }[m.choices.pick(f"{name}/running", WITHOUT_WEIGHTS)]()
    return Made(new, now.c, (x,))


Recipe = Callable[[Material, str, Now], Made]
RECIPES: dict[str, tuple[float, Recipe]] = {
    "rnn": (3, rnn),
    "lstm": (4, lstm),
    "gru": (4, gru),
    "no weights": (0.6, no_weights),
}
