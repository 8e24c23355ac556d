"""Rows of a batch that end before the others, and directions side by side: alike step by step and in a Scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unroll.ops.choices import Greater, Where
from unroll.passes.tools.making import Maker
from unroll.tensor import Constant, Tensor


def kept(maker: Maker, valid: Tensor, new: Sequence[Tensor], old: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Return h, and the states, of the rows that reach so far: zeros, and the old states, in the others.

    Args:
        maker: makes the nodes.
        valid: bool ``(batch, 1)``, true in rows that reach so far.
        new: the states after the step, h first.
        old: those before it.
    """
    output = maker.one(Where(), valid, new[0], Constant(np.zeros((), new[0].dtype)))
    states = [maker.one(Where(), valid, *pair) for pair in zip(new, old, strict=True)]
    for made, state in zip((output, *states), (new[0], *new), strict=True):
        made.hint = f"{state.hint}_kept"
    return output, states


def begun(maker: Maker, lengths: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
    """Return the last states: zeros in rows of no steps, as onnxruntime has them where ONNX says nothing.

    Args:
        maker: makes the nodes.
        lengths: integers ``(batch, 1)``.
        states: the states at the ends of the rows.
    """
    some = maker.one(Greater(), lengths, Constant(np.zeros((), lengths.dtype)))
    return [maker.one(Where(), some, state, Constant(np.zeros((), state.dtype))) for state in states]


def side_by_side(maker: Maker, sides: Sequence[tuple[Tensor, Sequence[Tensor]]], axis: int) -> list[Tensor]:
    """Return Y and the last states of all directions.

    Args:
        maker: makes the nodes.
        sides: of each direction, h at each step as a stack, and its last states.
        axis: where the time is in a stack; directions come after it in Y, and there in the states.
    """
    ys = maker.joined([maker.unsqueeze(stack, axis + 1) for stack, _ in sides], axis + 1)
    last = zip(*(states for _, states in sides), strict=True)
    return [ys, *(maker.joined([maker.unsqueeze(state, axis) for state in states], axis) for states in last)]


def call_outputs(outputs: Sequence[Tensor]) -> None:
    """Call Y and the last states as ONNX does."""
    for tensor, hint in zip(outputs, ("Y", "Y_h", "Y_c"), strict=False):
        tensor.hint = hint
