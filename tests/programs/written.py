"""Networks written by hand: layers of a recipe's cell, with what people do between and around the steps."""

from __future__ import annotations

import numpy as np

import unroll
from programs import parts
from programs.choices import Choices
from programs.material import Material
from programs.recipes import RECIPES, Made, Now
from unroll import ops
from unroll.tensor import Tensor

#: How a first state comes about.
FIRST = {
    "zeros": 6, "zeros of x": 1, "expanded": 0.7, "input": 2, "row of zeros": 1, "row": 0.7, "learned": 0.7, "ones": 0.5,
    "of x": 0.5, "input, projected": 0.4, "minus zero": 0.4, "one column": 0.3,
}  # fmt: skip
#: What one step, or all of them, have that a recurrence has not.
ODD = {
    "nothing": 12, "other weights": 1, "equal weights": 1, "h two ago": 1, "h two ago once": 0.7, "gates of h two ago": 0.7,
    "blend of h two ago": 0.7, "feedback from step 1": 1.5, "feedback": 0.5, "the input before": 0.5, "no input": 0.4,
    "scaled once": 0.5, "scaled": 0.4, "one times": 0.3, "plus zero": 0.3, "divided by a zero": 0.3, "activated once": 0.5,
    "reset once": 0.4, "tiny once": 0.3, "c two ago": 0.4, "first again": 0.4, "h read again": 0.4, "weights in turn": 0.7,
}  # fmt: skip
MASKS = {
    "none": 8, "lengths": 2, "lengths, also outputs": 1, "lengths the other way": 0.7, "at most": 0.4, "product": 0.7,
    "input": 0.8, "only h": 0.4, "only outputs": 0.5, "one step late": 0.4, "row input": 0.3, "product of c": 0.2,
}  # fmt: skip
BETWEEN = {
    "nothing": 8, "tanh": 0.5, "scaled": 0.5, "bias": 0.5, "dense": 0.7, "identity": 0.3, "stack and unstack": 0.7,
    "negated": 0.3, "row": 0.3, "columns": 0.3,
}  # fmt: skip


class Layer:
    """One layer: a cell along the steps in one direction.

    Attributes:
        outputs: of each step, in the order of the inputs.
        last: h after the last step, and c.
        inner: tensors within the steps.
    """

    def __init__(self, m: Material, name: str, xs: list[Tensor], units: int, weights: str = "") -> None:
        self.m, self.name, self.units = m, name, units
        self.weights = weights or name
        self.kind = m.choices.pick(f"{self.weights}/cell", {key: share for key, (share, _) in RECIPES.items()})
        self.odd = m.choices.quirk(f"{name}/odd", ODD)
        self.odd_step = int(m.choices.rng(f"{name}/odd").integers(0, max(1, len(xs))))
        self.mask = m.choices.quirk(f"{name}/mask", MASKS)
        self.outputs: list[Tensor] = []
        self.inner: list[Tensor] = []
        self.last = self._run(xs)

    def _run(self, xs: list[Tensor]) -> tuple[Tensor, Tensor]:
        m, name = self.m, self.name
        h = self._first("h", m.choices.quirk(f"{name}/first h", FIRST), xs)
        alike = m.choices.flag(f"{name}/first c differs", 0.2)
        c = self._first("c", m.choices.pick(f"{name}/first c", FIRST), xs) if alike and self.kind == "lstm" else h
        before = [(h, c)]
        for step, x in enumerate(xs):
            made = self._step(step, self._input(step, x, xs, before), before)
            self.inner += made.inner
            new = self._afterwards(step, made, before)
            output, new = self._masked(step, x, new, before[-1])
            before.append(new)
            self.outputs.append(output)
        return before[-1]

    def _first(self, what: str, way: str, xs: list[Tensor]) -> Tensor:
        """Return the state before step 0."""
        m, units, x = self.m, self.units, xs[0]
        name = f"{self.name}/{what}0"
        shape = ops.concat([ops.shape(x)[:1], [units]], 0)
        value = {"ones": 0.5, "minus zero": -0.0}.get(way, 0.0)
        if way == "zeros of x":
            return (x * 0.0) @ m.weight(f"{name}/in", int(x.shape[-1]), units)
        if way == "expanded":
            return ops.expand(unroll.constant(0.0, m.dtype), shape)
        if way == "input":
            return m.placeholder(name, [m.rows(), units])
        if way == "input, projected":
            return ops.tanh(m.placeholder(f"{name}/z", [m.rows(), 2]) @ m.weight(f"{name}/in", 2, units))
        if way == "row of zeros":
            return unroll.constant(np.zeros((1, units), m.dtype))
        if way == "row":
            return m.weight(f"{name}/row", 1, units)
        if way == "learned":
            return ops.expand(m.weight(f"{name}/row", 1, units), shape)
        if way == "of x":
            return x @ m.weight(f"{name}/in", int(x.shape[-1]), units)
        if way == "one column":
            return ops.expand(x[:, :1], shape)
        return ops.constant_of_shape(shape, value, m.dtype)

    def _input(self, step: int, x: Tensor, xs: list[Tensor], before: list[tuple[Tensor, Tensor]]) -> Tensor:
        once = step == self.odd_step
        if self.odd == "feedback" or (self.odd == "feedback from step 1" and step):
            return x + before[-1][0] @ self.m.weight(f"{self.name}/feedback", self.units, int(x.shape[-1]))
        if self.odd == "the input before" and once:
            return xs[step - 1]
        if self.odd == "no input" and once:
            return x * 0.0
        return x

    def _step(self, step: int, x: Tensor, before: list[tuple[Tensor, Tensor]]) -> Made:
        h, c = before[-1]
        once, twin, kept = step == self.odd_step, "", h
        far = before[max(0, len(before) - 2)]
        if self.odd in ("other weights", "equal weights") and once:
            twin = "=" if self.odd == "equal weights" else "/other"
        if self.odd == "other gate order once" and once:
            twin = "~"
        if self.odd == "weights in turn" and step % 2:
            twin = "/other"
        if self.odd == "h two ago" or (self.odd == "h two ago once" and once):
            h = kept = far[0]
        if self.odd == "gates of h two ago":
            h = far[0]
        if self.odd == "blend of h two ago":
            kept = far[0]
        if self.odd == "c two ago":
            c = far[1]
        return RECIPES[self.kind][1](self.m, self.weights, Now(x, h, c, kept, twin))

    def _afterwards(self, step: int, made: Made, before: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        h, c, once = made.h, made.c, step == self.odd_step
        always = {
            "scaled": lambda: h * 0.9,
            "one times": lambda: h * 1.0,
            "plus zero": lambda: h + 0.0,
        }
        just_once = {
            "scaled once": lambda: h * 0.5,
            "divided by a zero": lambda: h + ops.tanh((h + 3.0) / -0.0),
            "activated once": lambda: ops.tanh(h),
            "reset once": lambda: h * 0.0,
            "tiny once": lambda: h + float(np.finfo(self.m.dtype).smallest_subnormal),
            "first again": lambda: before[0][0] + h * 0.0,
            "h read again": lambda: h + before[-1][0],
        }
        if self.odd in always:
            h = always[self.odd]()
        elif self.odd in just_once and once:
            h = just_once[self.odd]()
        elif self.odd == "divided by a zero":
            h = h + ops.tanh((h + 3.0) / 0.0)
        return h, c if self.kind == "lstm" else h

    def _masked(
        self, step: int, x: Tensor, new: tuple[Tensor, Tensor], old: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Hold a row's state, or its output, where the row is over."""
        m, way = self.m, self.mask
        if way == "none":
            return new[0], new
        if way in ("input", "row input"):
            rows = m.rows() if way == "input" else 1
            mask = m.placeholder(f"mask{step}", [rows, 1], "bool")
        else:
            lengths = m.lengths()
            at = unroll.constant(step - (way == "one step late"), dtype=lengths.dtype)
            valid = {
                "lengths the other way": lambda: ops.greater(lengths, at),
                "at most": lambda: ops.less_equal(at, lengths),
            }
            mask = ops.unsqueeze(valid.get(way, lambda: ops.less(at, lengths))(), [1])
        if way == "lengths the other way":
            over = ops.logical_not(mask)
            held = [ops.where(over, b, a) for a, b in zip(new, old, strict=True)]
        elif way in ("product", "product of c"):
            number = ops.cast(mask, m.dtype)
            held = [number * a + (1.0 - number) * b for a, b in zip(new, old, strict=True)]
            if way == "product of c":
                held[0] = number * new[0]
        elif way == "only outputs":
            held = list(new)
        else:
            held = [ops.where(mask, a, b) for a, b in zip(new, old, strict=True)]
            if way == "only h":
                held[1] = new[1]
        if self.kind != "lstm":
            held[1] = held[0]
        output = held[0]
        if way in ("lengths, also outputs", "only outputs"):
            output = ops.where(mask, new[0], ops.constant_of_shape(ops.shape(new[0]), 0.0, m.dtype))
        return output, (held[0], held[1])


def between(m: Material, name: str, xs: list[Tensor]) -> list[Tensor]:
    """Return what a layer reads of what the one below made."""
    way = m.choices.quirk(f"{name}/between", BETWEEN)
    width = int(xs[0].shape[-1])
    if way == "stack and unstack":
        axis = m.choices.whole(f"{name}/axis", 0, 1)
        return ops.unstack(ops.stack(xs, axis), axis)
    one = {
        "tanh": ops.tanh,
        "scaled": lambda x: x * 0.5,
        "bias": lambda x: x + m.weight(f"{name}/between/bias", width),
        "dense": lambda x: ops.tanh(x @ m.weight(f"{name}/between/dense", width, width)),
        "identity": ops.identity,
        "negated": ops.neg,
        "row": lambda x: x * m.weight(f"{name}/between/row", 1, width),
        "columns": lambda x: ops.concat([x[:, 1:], x[:, :1]], -1),
    }
    return [one[way](x) for x in xs] if way in one else xs


DIRECTIONS = {
    "forward": 8,
    "backward": 1.5,
    "both": 1.5,
    "both, added": 0.7,
    "both, one set of weights": 0.5,
    "twice": 0.5,
}


def layer_of(
    m: Material, name: str, xs: list[Tensor], units: int, weights: str = ""
) -> tuple[list[Tensor], list[Layer]]:
    """Return what a layer makes of each step in the directions that are chosen, and the layers themselves."""
    way = m.choices.quirk(f"{name}/direction", DIRECTIONS)
    if way in ("forward", "twice"):
        one = Layer(m, name, xs, units, weights)
        if way == "twice":  # the same weights over its own outputs, where they fit
            other = Layer(m, f"{name}b", xs if xs[0].shape[-1] != units else one.outputs, units, one.weights)
            return other.outputs, [one, other]
        return one.outputs, [one]
    back = Layer(m, f"{name}b", xs[::-1], units, weights if way == "backward" else f"{name}b")
    if way == "backward":
        return back.outputs[::-1], [back]
    ahead = Layer(m, name, xs, units, f"{name}b" if way == "both, one set of weights" else weights)
    pairs = list(zip(ahead.outputs, back.outputs[::-1], strict=True))
    if way == "both, added":
        return [a + b for a, b in pairs], [ahead, back]
    return [ops.concat(pair, -1) for pair in pairs], [ahead, back]


SECOND = {
    "none": 6, "stacked": 4, "stacked, skipped": 1, "stacked, same weights": 1, "beside": 1, "beside, same weights": 1,
    "decoder": 1, "decoder, reading itself": 0.7,
}  # fmt: skip


def written(choices: Choices) -> unroll.Graph:
    """Return a network of one or two layers written by hand."""
    m = Material(choices)
    units = m.units()
    width = units if choices.flag("width of units") else 5 - units + 1
    xs = m.sequence("x", width)
    ys, layers = layer_of(m, "l0", between(m, "in", xs), units)
    second = choices.quirk("second", SECOND)
    more: list[Tensor] = []
    if second.startswith("stacked"):
        below = between(m, "l1", ys)
        if second == "stacked, cast":
            m.dtype = "float32" if m.dtype == "float64" else "float64"
            below = [ops.cast(y, m.dtype) for y in below]
        weights = "l0" if second.endswith("same weights") and below[0].shape[-1] == width else ""
        upper, others = layer_of(m, "l1", below, units, weights)
        fits = second == "stacked, skipped" and upper[0].shape == ys[0].shape
        ys = [a + b for a, b in zip(upper, ys, strict=True)] if fits else upper
        layers = others + layers[:0]
    elif second.startswith("beside"):
        if second == "beside, of another dtype":
            m.dtype = "float32" if m.dtype == "float64" else "float64"
            xs = [ops.cast(x, m.dtype) for x in xs]
        other = m.sequence("v", width) if choices.flag("beside/own input") else xs
        more, others = layer_of(m, "l1", other, units, "l0" if second.endswith("same weights") else "")
        layers += others
    elif second.startswith("decoder"):
        more = _decoded(m, layers[0], units, second.endswith("itself"))
    return unroll.Graph(m.inputs, _outputs(m, ys, more, layers))


def _decoded(m: Material, encoder: Layer, units: int, reading_itself: bool) -> list[Tensor]:
    """Return what a plain RNN says that starts where the encoder ended."""
    h, said, found = encoder.last[0], encoder.last[1], []
    act = parts.activation(m, "decoder/activation")
    for _ in range(m.steps):
        read = said if reading_itself else encoder.last[0]
        h = act(read @ m.weight("decoder/wx", units, units) + h @ m.weight("decoder/wh", units, units))
        said = h @ m.weight("decoder/out", units, units) + m.weight("decoder/bias", units)
        found.append(said)
    return found


OUTPUTS = {
    "stacked": 4, "each": 2, "last": 2, "every other": 1, "stacked on axis 1": 2, "backwards": 0.7, "middle": 0.7,
    "concatenated": 0.5, "mean": 0.4, "states": 1.5,
}  # fmt: skip
READ = {"nothing": 8, "c": 1, "last c": 1.5, "within": 1, "within, all": 0.5, "h before": 0.5}


def _outputs(m: Material, ys: list[Tensor], more: list[Tensor], layers: list[Layer]) -> dict[str, Tensor]:
    way, read = m.choices.pick("outputs", OUTPUTS), m.choices.quirk("also read", READ)
    found: dict[str, Tensor] = {}
    for key, steps in (("y", ys), ("more", more)):
        if steps:
            found |= {f"{key}{name}": tensor for name, tensor in _of_steps(way, steps).items()}
    rng = m.choices.rng("also read")
    if way == "states" or read == "last c":
        found |= {f"{layer.name}/last/{place}": t for layer in layers for place, t in enumerate(layer.last)}
    for layer in layers:
        if read == "within, all":
            found |= {f"{layer.name}/inner{place}": tensor for place, tensor in enumerate(layer.inner)}
        elif read in ("within", "c", "h before") and layer.inner:
            chosen = layer.inner[int(rng.integers(len(layer.inner)))]
            found[f"{layer.name}/inner"] = ops.neg(chosen)
            if read == "h before":
                found[f"{layer.name}/before"] = layer.outputs[int(rng.integers(len(layer.outputs)))] * 2.0
    return found


def _of_steps(way: str, ys: list[Tensor]) -> dict[str, Tensor]:
    if way == "each":
        return {f"/{step}": y for step, y in enumerate(ys)}
    if way in ("last", "states"):
        return {"/last": ys[-1]}
    if way == "every other":
        return {f"/{step}": y for step, y in enumerate(ys) if step % 2 == 0}
    if way == "middle":
        return {"/middle": ys[len(ys) // 2], "/last": ys[-1]}
    if way == "concatenated":
        return {"/joined": ops.concat(ys, -1)}
    if way == "mean":
        return {"/mean": ops.reduce_mean(ops.stack(ys, 0), [0])}
    if way == "backwards":
        return {"/stacked": ops.stack(ys[::-1], 0)}
    return {"/stacked": ops.stack(ys, 1 if way.endswith("1") else 0)}
