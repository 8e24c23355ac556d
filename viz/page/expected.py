"""How far the outputs of a graph are from those that were expected: as a number, and over the steps of its loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.dimensions import shape_text
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ArgumentTypeError, NameNotFoundError, ShapeError
from unroll.graph import Graph
from unroll.tensor import Tensor
from unroll.viz.page.slots import Slots
from unroll.viz.page.steps import Row
from unroll.words import closest


class Difference(NamedTuple):
    """One output beside what was expected of it.

    Attributes:
        name: the output's name.
        tensor: the output.
        array: how far apart they are, of the output's shape.
    """

    name: str
    tensor: Tensor
    array: Array

    @property
    def largest(self) -> float:
        """The largest of it; NaN where one of the two is not a number and the other is."""
        return float(self.array.max()) if self.array.size else 0.0


class Over(NamedTuple):
    """Differences over the steps of a loop.

    Attributes:
        row: the number of the loop.
        steps: for each of its steps that have some, the output.
        array: ``(batch or 1, steps, elements)``.
    """

    row: int
    steps: dict[int, Tensor]
    array: Array


def differences(graph: Graph, feeds: Mapping[Any, Any] | None, expected: Mapping[str, Any]) -> list[Difference]:
    """Return how far outputs are from what was expected.

    Args:
        graph: the graph.
        feeds: an array for every input.
        expected: arrays by the names of outputs.

    Raises:
        ArgumentTypeError: `expected` is no dict.
        ArgumentError: there are no feeds.
        NameNotFoundError: no output has a name.
        ShapeError: an array is of another shape than its output.
    """
    if not isinstance(expected, Mapping):
        raise ArgumentTypeError(
            f"view: expected: a dict {{output name: array}} is wanted, not {type(expected).__name__}"
        )
    if feeds is None:
        raise ArgumentError(
            "view: expected outputs are given without feeds to compute the graph's own; pass feeds as well"
        )
    outputs = dict(zip(graph.output_names, graph.outputs, strict=True))
    found = graph.run(feeds)
    compared = []
    for name, wanted in expected.items():
        if name not in outputs:
            raise NameNotFoundError(f"view: expected holds {name!r}, which is no output; {closest(str(name), outputs)}")
        array, own = np.asarray(wanted), found[name]
        if array.shape != own.shape:
            raise ShapeError(
                f"view: expected {name!r}: shape {shape_text(array.shape)} was given, {shape_text(own.shape)} is wanted"
            )
        with np.errstate(all="ignore"):
            apart = np.abs(own.astype(np.float64) - array.astype(np.float64))
        same = (own == array) | (
            np.isnan(apart) & np.isnan(own.astype(np.float64)) & np.isnan(array.astype(np.float64))
        )
        compared.append(Difference(name, outputs[name], np.where(same, 0.0, apart)))
    return compared


def over_steps(compared: Sequence[Difference], rows: Sequence[Row], slots: Sequence[Slots]) -> Iterator[Over]:
    """Yield the differences of each loop over its steps: of outputs that are made at one step, and of stacks of all steps."""
    for number, row in enumerate(rows):
        places = {tensor: step for slot in slots[number].slots for step, tensor in slot.tensors.items()}
        single = [one for one in compared if one.tensor in places and one.array.ndim < 3 and row.path]
        shapes = [one.array.shape for one in single]
        kept = {places[one.tensor]: one for one in single if one.array.shape == max(shapes, key=shapes.count)}
        if len(kept) > 1 or (kept and len(row.steps) == 1):
            steps = sorted(kept)
            array = np.stack([kept[step].array for step in steps])
            flat = array.reshape(len(steps), -1, array.shape[-1] if array.ndim > 1 else 1)
            yield Over(number, {step: kept[step].tensor for step in steps}, flat.transpose(1, 0, 2))
            continue
        whole = [one for one in compared if one.array.ndim == 3 and len(row.steps) in one.array.shape[:2]]
        if (
            whole
            and row.path
            and number == max(at for at, other in enumerate(rows) if len(other.steps) == len(row.steps))
        ):
            axis = 1 if whole[0].array.shape[1] == len(row.steps) else 0
            array = np.moveaxis(whole[0].array, axis, 1)
            yield Over(number, dict.fromkeys(row.steps, whole[0].tensor), array)
