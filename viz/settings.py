"""What a box says of an operator besides its name: its small constant operands and its attributes, in few lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unroll.ops.opaque import HeldGraph
from unroll.ops.slicing import Slice
from unroll.structure import Structure
from unroll.tensor import Constant, Node
from unroll.viz.dot_text import visible
from unroll.viz.values import inline, number

#: How long a line of settings is, and how many there are.
WIDEST, _MOST_LINES = 32, 3
# How much of a value is shown, however long its name is.
_NARROWEST = 12
# Files write the end of an axis as any number that no axis is as long as.
_END = 2**31 - 1


def op_detail(node: Node) -> list[str]:
    """Return the settings of an operator in few lines: its small constant operands and its attributes.

    A value that is long is cut in its middle; what has no room is counted.
    """
    operands = [inline(tensor) for tensor in node.inputs if isinstance(tensor, Constant) and tensor.value.size <= 8]
    if isinstance(node.op, Slice) and all(tensor is None or isinstance(tensor, Constant) for tensor in node.inputs[1:]):
        operands = [_indices(node)]
    settings = [
        f"{name} {visible(_setting(value), max(WIDEST - len(name) - 1, _NARROWEST))}"
        for name, value in node.op.attributes.items()
        if _worth_saying(name, value)
    ]
    told = [*(visible(text, WIDEST) for text in operands), *settings]
    lines, shown = wrapped(told, _MOST_LINES)
    return lines + rest(len(told) - shown, "attribute" if shown >= len(operands) else "setting")


def _indices(node: Node) -> str:
    """Return what a Slice of constant places takes, as Python writes it: ``[:, ::-1]``."""
    given = [tensor.value.tolist() if isinstance(tensor, Constant) else [] for tensor in node.inputs[1:]]
    starts, ends, axes, steps = [*given, [], []][:4]
    taken = [":"] * node.outputs[0].rank
    for start, end, axis, step in zip(
        starts, ends, axes or range(len(starts)), steps or [1] * len(starts), strict=True
    ):
        first, last = (start == 0, end >= _END) if step > 0 else (start >= _END or start == -1, end <= -_END)
        by = "" if step == 1 else f":{step}"
        taken[axis] = f"{'' if first else start}:{'' if last else end}{by}"
    while len(taken) > 1 and taken[-1] == ":":
        taken.pop()
    return f"[{', '.join(taken)}]"


def wrapped(items: Sequence[str], most: int) -> tuple[list[str], int]:
    """Return items in lines, none of them broken, and how many have room."""
    lines: list[str] = []
    for place, text in enumerate(items):
        longer = f"{lines[-1]}, {text}" if lines else text
        if lines and len(longer) <= WIDEST:
            lines[-1] = longer
        elif len(lines) == most:
            return lines, place
        else:
            lines.append(text)
    return lines, len(items)


def rest(count: int, what: str) -> list[str]:
    """Return a line that counts what has no room."""
    return [f"and {count} more {what}{'s' * (count != 1)}"] if count else []


def _setting(value: object) -> str:
    if isinstance(value, np.ndarray):
        return ", ".join(map(number, value.flat))
    if isinstance(value, Structure):
        return repr(HeldGraph(len(value.nodes)))
    return (
        ", ".join(map(str, value))
        if isinstance(value, (tuple, list)) and not isinstance(value, HeldGraph)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _worth_saying(name: str, value: object) -> bool:
    defaults = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0, "keepdims": 0, "noop_with_empty_axes": 0}
    return name != "num_outputs" and not (name in defaults and defaults[name] == value)
