"""ONNX's Scan: a loop over the first axis of tensors, whose body is a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unroll import scopes
from unroll.checks import check_flag
from unroll.dimensions import Shape
from unroll.dtypes import ALL, Array, DType
from unroll.errors import ArgumentError, ShapeError
from unroll.ops.bodies import (
    WithBodies,
    check_dtypes,
    checked_body,
    checked_tensors,
    flops_of,
    require_alike,
    run_body,
)
from unroll.ops.operator import Requirements, Signature, listed, made
from unroll.ops.spread import Spread
from unroll.structure import Structure
from unroll.tensor import Tensor


@dataclass(frozen=True, repr=False, eq=False)
class Scan(WithBodies):
    """Runs `body` once for each slice of the scan inputs along axis 0, handing the states on.

    The node's inputs are the states before the first run, the scan inputs, and what every run reads (ONNX writes those as
    names of the graph outside). The body's inputs are the same three groups, of which a scan input has lost its axis 0; its
    outputs are the new states, then what is stacked along a new axis 0. The node's outputs are the last states and the stacks.

    Args:
        body: what runs; its Parameters come in through the node's inputs.
        num_scan_inputs: how many scan inputs there are.
        num_shared: how many of the last inputs every run reads as they are.
        scan_input_directions: 1 for each scan input read from its end, else 0; None for none.
        scan_output_directions: 1 for each stack written from its end, else 0; None for none.
    """

    signature = Signature("initial_state_and_scan_inputs: V* -> final_state_and_scan_outputs: V", V=ALL)
    body: Structure
    num_scan_inputs: int
    num_shared: int = 0
    scan_input_directions: tuple[int, ...] | None = None
    scan_output_directions: tuple[int, ...] | None = None

    @property
    def num_states(self) -> int:
        """How many states are handed on."""
        return len(self.body.inputs) - self.num_scan_inputs - self.num_shared

    def __repr__(self) -> str:
        return f"Scan({self.num_states} states, {self.num_scan_inputs} scan inputs, {len(self.body.nodes)} nodes)"

    def shapes(self, require: Requirements, *inputs: Tensor) -> list[Shape]:
        states, scanned, shared = self._parted(inputs)
        time = scanned[0].shape[0] if scanned[0].shape else 0
        for tensor in scanned:
            if not tensor.shape:
                raise ShapeError("a scan input must have an axis to scan along")
            time = require.equal(time, tensor.shape[0], "axis 0 of the scan inputs")
        require.at_least(time, 1, "a loop over time takes a step")
        rows = [Tensor(tensor.shape[1:], tensor.dtype, hint=tensor.label) for tensor in scanned]
        require_alike(require, self.body, (*states, *rows, *shared), 0, "the body")
        for inner, new in zip(self.body.inputs[: len(states)], self.body.outputs[: len(states)], strict=True):
            if len(inner.shape) != len(new.shape):
                raise ShapeError(f"the body takes {inner.described()} and makes {new.described()} of it")
            for axis, (left, right) in enumerate(zip(inner.shape, self.body.shape(new), strict=True)):
                require.equal(left, right, f"axis {axis} of {inner.name!r} before and after a run of the body")
        last = [tensor.shape for tensor in states]
        return last + [(time, *self.body.shape(tensor)) for tensor in self.body.outputs[len(states) :]]

    def dtypes(self, types: Mapping[str, DType]) -> list[DType]:
        return [tensor.dtype for tensor in self.body.outputs]

    def evaluate(self, *arrays: Array) -> list[Array]:
        return self._walked(arrays)

    def evaluate_wide(self, *arrays: Array, most_steps: int | None = None) -> list[Array]:
        states, scanned, shared = self._parted(arrays)
        few = Spread.over(len(scanned[0]), most_steps)
        if few is None:
            return self._walked(arrays, wide=True)
        found = self._walked([*states, *(array[few.places] for array in scanned), *shared], wide=True)
        return [*found[: len(states)], *(stack[few.nearest] for stack in found[len(states) :])]

    def _walked(self, arrays: Sequence[Array], wide: bool = False) -> list[Array]:
        states, scanned, shared = self._parted(arrays)
        backward = self.scan_input_directions or (0,) * len(scanned)
        time, now = len(scanned[0]), list(states)
        if not time:
            raise ValueError(
                "there is nothing to scan: axis 0 of the scan inputs has no rows, and onnxruntime takes none"
            )
        stacks: list[list[Array]] = [[] for _ in self.body.outputs[len(states) :]]
        for step in range(time):
            rows = [array[time - 1 - step if back else step] for array, back in zip(scanned, backward, strict=True)]
            found = run_body(self.body, (*now, *rows, *shared), wide)
            now = found[: len(states)]
            for stack, array in zip(stacks, found[len(states) :], strict=True):
                stack.append(array)
        return [*now, *self._stacked(stacks)]

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        """Count the operations of the body, once for each slice."""
        states, scanned, shared = self._parted(inputs)
        return int(scanned[0][0]) * flops_of(self.body, (*states, *(item[1:] for item in scanned), *shared))

    def _stacked(self, stacks: Sequence[list[Array]]) -> list[Array]:
        backward = self.scan_output_directions or (0,) * len(stacks)
        return [np.stack(stack[::-1] if back else stack) for stack, back in zip(stacks, backward, strict=True)]

    def _parted(self, items: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
        """Cut the inputs into states, scan inputs and what is shared."""
        first, second = self.num_states, self.num_states + self.num_scan_inputs
        return items[:first], items[first:second], items[second:]


def scan(
    body: Structure,
    states: Sequence[Tensor],
    inputs: Sequence[Tensor],
    shared: Sequence[Tensor] = (),
    *,
    input_directions: Sequence[bool] | None = None,
    output_directions: Sequence[bool] | None = None,
    provenance: frozenset[scopes.Origin] | None = None,
) -> tuple[Tensor, ...]:
    """Run `body` over axis 0 of `inputs`; see `Scan`.

    Args:
        body: its inputs are the states, a slice of each scan input, and what is shared.
        states: the states before the first run.
        inputs: what is scanned, ``(time, ...)`` each.
        shared: what every run reads.
        input_directions: whether each scan input is read from its end.
        output_directions: whether each stack is written from its end.
        provenance: where the node came from; the scope in force by default.

    Returns:
        The last states, then the stacks, ``(time, ...)`` each.

    Raises:
        ArgumentError: the body does not take these inputs or does not return a state for each one it takes, or nothing
            is scanned.
        ArgumentTypeError: the body is no Graph, or what it is given are no lists of tensors.
        ShapeError, DTypeError: a tensor does not fit the body's input, or the body makes another shape of a state.

    Example:
        A running sum:

        >>> total, x = unroll.placeholder([1], name="total"), unroll.placeholder([1], name="x")
        >>> body = unroll.Graph([total, x], [total + x, total + x])
        >>> steps = unroll.placeholder([3, 1], name="steps")
        >>> last, sums = ops.scan(body, [unroll.constant([0.0])], [steps])
        >>> unroll.Graph([steps], sums).run({steps: [[1], [2], [3]]}, sums).tolist()
        [[1.0], [3.0], [6.0]]
    """
    body = checked_body(body, "Scan: the body")
    first, scanned, others = checked_tensors({"states": states, "inputs": inputs, "shared": shared}, "Scan")
    given = (*first, *scanned, *others)
    if len(given) != len(body.inputs) or len(body.outputs) < len(first) or not scanned:
        raise ArgumentError(
            f"Scan: {len(first)} states, {len(scanned)} scan inputs and {len(others)} shared tensors do not fit {body!r}"
        )
    check_dtypes(zip((*body.inputs, *body.outputs[: len(first)]), (*given, *first), strict=True), "Scan")
    directions = _flags(input_directions, "input_directions"), _flags(output_directions, "output_directions")
    op = Scan(body, len(scanned), len(others), *directions)
    return made(op, given, scopes.current().provenance if provenance is None else provenance)


def _flags(values: Sequence[bool] | None, what: str) -> tuple[int, ...] | None:
    if values is None:
        return None
    flags = tuple(int(check_flag(value, f"Scan: {what}")) for value in listed(values, f"Scan: {what}"))
    return flags if any(flags) else None
