"""One layer written by hand: a cell along the steps, with what people do to states, masks and single steps."""

from __future__ import annotations

import numpy as np

import unroll
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
