"""The one walk of a cell over a sequence, behind every driver, layer and module."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from unroll.cells.rnn_cell import RNNCellLike, State
from unroll.drivers.loop import run_cell
from unroll.drivers.rolled import roll_cell
from unroll.drivers.steps import ListedSteps, RolledSteps, Steps
from unroll.drivers.valid_rows import Past, Valid


class Walked(NamedTuple):
    """What a walk makes.

    Attributes:
        outputs: those of each step, in the order of the steps, whichever way they were walked.
        last: the output of the last step walked.
        state: the state after it.
    """

    outputs: Any
    last: Any
    state: State


def walk(
    cell: RNNCellLike,
    steps: Steps,
    state: State = None,
    *,
    valid: Valid | None = None,
    past: Past = "zero",
    backward: bool = False,
    dtype: npt.DTypeLike | None = None,
    what: str = "",
) -> Walked:
    """Call `cell` on each step of a list, or trace it once into a loop over tensors; the caller has entered the scope.

    See `unroll.drivers.loop.run_cell` for the arguments and the errors; `valid` is of the same kind as the steps.
    """
    more: dict[str, Any] = {"past": past, "backward": backward, "dtype": dtype, "what": what}
    if isinstance(steps, RolledSteps):
        return Walked(*roll_cell(cell, steps, state, valid=valid, **more))  # type: ignore[arg-type]
    columns = valid.items if isinstance(valid, ListedSteps) else None
    outputs, last = run_cell(cell, steps.items, state, valid=columns, **more)
    return Walked(ListedSteps(outputs), outputs[0 if backward else -1], last)
