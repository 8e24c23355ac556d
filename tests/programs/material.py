"""What a program is made from: its inputs, cut into steps in many ways, and its weights, written in many ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import unroll
from programs.choices import Choices
from unroll import ops
from unroll.tensor import Placeholder, Tensor

DTYPES = {"float32": 8.0, "float64": 1.0, "float16": 1.0}
#: What the axis of rows is called: None is ``batch`` on axis 0 and ``x_1`` on axis 1, so that one batch has two names.
BATCHES = {"named": 4.0, "two names": 4.0, "fixed": 1.0, "one": 0.5}
SOURCES = (
    "separate", "time first", "batch first", "time first gather", "batch first gather", "time first slice",
    "batch first slice", "time first split", "batch first split", "flat", "ids",
)  # fmt: skip
ID_ROWS = 9


class Material:
    """The inputs and weights of one program.

    Attributes:
        choices: what is chosen.
        dtype: of its floats.
        steps: how many there are.
        inputs: the placeholders so far.
    """

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.dtype = choices.quirk("dtype", DTYPES)
        self.steps = int(choices.pick("steps", {"4": 3, "3": 3, "1": 0.5, "2": 1, "5": 1.5, "6": 0.4, "7": 0.3}))
        self.batch = choices.pick("batch", BATCHES)
        self.inputs: list[Placeholder] = []
        self._weights: dict[str, Tensor] = {}

    def units(self) -> int:
        """Return how many numbers a state has; one number broadcasts where others do not."""
        return int(self.choices.pick("units", {"3": 3, "2": 3, "4": 2, "1": 1}))

    def rows(self) -> Any:
        """Return what stands for the batch in a shape."""
        return {"named": "batch", "two names": None, "fixed": 2, "one": 1}[self.batch]

    def placeholder(self, name: str, shape: Sequence[Any], dtype: str | None = None) -> Placeholder:
        """Return a new input, or the one there is of the name."""
        for known in self.inputs:
            if known.name == name:
                return known
        made = unroll.placeholder(shape, name, dtype or self.dtype)
        self.inputs.append(made)
        return made

    def lengths(self) -> Placeholder:
        """Return how many steps of each row count."""
        return self.placeholder("lengths", [self.rows()], self.choices.pick("lengths/dtype", ("int32", "int64")))

    # -- steps ---------------------------------------------------------------------------------------------------------

    def sequence(self, name: str, width: int) -> list[Tensor]:
        """Return the input of each step, ``(batch, width)``, cut from placeholders in one of many ways."""
        how = self.choices.pick(f"{name}/source", SOURCES)
        count, rows = self.steps, self.rows()
        if how == "separate":
            return [self.placeholder(f"{name}{step}", [rows, width]) for step in range(count)]
        if how == "flat":
            x = self.placeholder(name, [rows, count * width])
            return list(ops.split(x, count, 1)) if count > 1 else [ops.identity(x)]
        if how == "ids":
            table = self.values(f"{name}/table", (ID_ROWS, width))
            ids = self.placeholder(f"{name}_ids", [rows, count], "int64")
            return ops.unstack(ops.gather(self._leaf(f"{name}/table", table), ids, 0), 1)
        axis = 0 if how.startswith("time") else 1
        x = self.placeholder(name, [count, rows, width] if axis == 0 else [rows, count, width])
        way = how.split()[-1]
        if way == "gather":
            return [ops.gather(x, step, axis) for step in range(count)]
        if way == "slice":
            return [ops.squeeze(ops.slice_(x, [step], [step + 1], [axis]), [axis]) for step in range(count)]
        if way == "split" and count > 1:
            return [ops.squeeze(piece, [axis]) for piece in ops.split(x, count, axis)]
        return ops.unstack(x, axis)

    # -- weights -------------------------------------------------------------------------------------------------------

    def values(self, name: str, shape: tuple[int, ...], scale: float = 0.6) -> Any:
        """Return values for a weight: none so large that steps grow, some of them awkward."""
        rng = self.choices.rng(name)
        found = rng.uniform(-scale, scale, shape)
        awkward = self.choices.quirk(
            "values", {"tame": 8, "zeros of both signs": 1, "denormals": 1, "all equal": 1, "zero": 0.5}
        )
        part = rng.random(shape) < 0.3
        if awkward == "zeros of both signs":
            found = np.where(part, np.copysign(0.0, found), found)
        elif awkward == "denormals":
            tiny = np.finfo(self.dtype).smallest_subnormal
            found = np.where(part, np.sign(found) * tiny, found)
        elif awkward == "all equal":
            found = np.full(shape, found.flat[0] if found.size else 0.0)
        elif awkward == "zero" and name.endswith("bias"):
            found = np.zeros(shape)
        return found.astype(self.dtype)

    def with_values(self, graph: unroll.Graph) -> unroll.Graph:
        """Give every Parameter values of ours: the library starts biases with zeros, which hide what is wrong with them."""
        graph.assign({name: self.values(name, item.value.shape, 0.7) for name, item in graph.parameters.items()})
        return graph

    def weight(self, name: str, *shape: int) -> Tensor:
        """Return a weight; the same name gives the same tensor. How it is written is chosen for each group of weights."""
        if name not in self._weights:
            self._weights[name] = self._written(name, shape)
        return self._weights[name]

    def equal_weight(self, name: str, like: str, *shape: int) -> Tensor:
        """Return another weight of the values that the weight `like` has."""
        if name not in self._weights:
            self._weights[name] = self._leaf(name, self.values(like, shape))
        return self._weights[name]

    def _leaf(self, name: str, values: Any) -> Tensor:
        if self.choices.quirk("leaves", {"Parameters": 4, "constants": 1}) == "constants":
            return unroll.constant(values)
        return unroll.Parameter(values, name)

    def _written(self, name: str, shape: tuple[int, ...]) -> Tensor:
        ways = {"as it is": 8, "transposed": 1, "cut from a larger one": 1, "sum": 0.5, "scaled": 0.5}
        way = self.choices.quirk("weights", ways)
        values = self.values(name, shape)
        if way == "transposed" and len(shape) == 2:
            return ops.transpose(self._leaf(name, np.ascontiguousarray(values.T)))
        if way == "cut from a larger one" and shape:
            more = self.values(f"{name}/more", (*shape[:-1], 2))
            return self._leaf(name, np.concatenate([more, values], -1))[..., 2:]
        if way == "sum":
            return self._leaf(name, values) + self._leaf(f"{name}/more", self.values(f"{name}/more", shape, 0.3))
        if way == "scaled":
            return self._leaf(name, values) * 0.75
        return self._leaf(name, values)
