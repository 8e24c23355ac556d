"""How far the outputs of a graph are from those that were expected: as a number, and over the steps of its loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.dimensions import shape_text
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ArgumentTypeError, NameNotFoundError, ShapeError, UnrollError
from unroll.gate_order.checking import check_gate_order
from unroll.graph import Graph
from unroll.tensor import Tensor
from unroll.viz.page.rows import Row
from unroll.viz.page.slots import Slots
from unroll.viz.values import number
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


def order_that_fits(graph: Graph, feeds: Mapping[Any, Any], expected: Mapping[str, Any]) -> str:
    """Return a sentence about the order of gates with which a graph gives what is expected; nothing where there is none, or it
    is that of the graph.
    """
    try:
        found = check_gate_order(graph, feeds, expected)
    except UnrollError:  # there are no gates, or too many, or what is expected is not finite
        return ""
    if not found.fits or found:
        return ""
    bias = f", forget bias {number(found.best.forget_bias)}" if found.best.forget_bias is not None else ""
    error = f"off by at most {number(found.best.error)}"
    beside = f"; the next best, {number(found.runner_up.error)}" if found.runner_up is not None else ""
    return f"What is expected fits gate order {', '.join(found.best.order)}{bias}: {error}{beside}."


def over_steps(compared: Sequence[Difference], rows: Sequence[Row], slots: Sequence[Slots]) -> Iterator[Over]:
    """Yield the differences of each loop over its steps: of outputs that are made at one step, and of stacks of all steps."""
    last = {len(row.steps): at for at, row in enumerate(rows) if row.path}
    for at, row in enumerate(rows):
        single = _at_steps(compared, slots[at]) if row.path else {}
        if len(single) > 1 or (single and len(row.steps) == 1):
            steps = sorted(single)
            array = np.stack([single[step].array for step in steps])
            flat = array.reshape(len(steps), -1, array.shape[-1] if array.ndim > 1 else 1)
            yield Over(at, {step: single[step].tensor for step in steps}, flat.transpose(1, 0, 2))
            continue
        whole = [one for one in compared if one.array.ndim == 3 and len(row.steps) in one.array.shape[:2]]
        if whole and row.path and at == last[len(row.steps)]:
            axis = 1 if whole[0].array.shape[1] == len(row.steps) else 0
            yield Over(at, dict.fromkeys(row.steps, whole[0].tensor), np.moveaxis(whole[0].array, axis, 1))


def _at_steps(compared: Sequence[Difference], slots: Slots) -> dict[int, Difference]:
    """Return the differences of outputs that are made at one step each, by that step: those of the commonest shape."""
    places = {tensor: step for slot in slots.slots for step, tensor in slot.tensors.items()}
    single = [one for one in compared if one.tensor in places and one.array.ndim < 3]
    shapes = [one.array.shape for one in single]
    return {places[one.tensor]: one for one in single if one.array.shape == max(shapes, key=shapes.count)}
