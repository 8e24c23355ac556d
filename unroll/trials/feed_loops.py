"""What the body of a loop does with the numbers that come into it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unroll.ops.scan import Scan
from unroll.structure import Structure
from unroll.tensor import Tensor
from unroll.trials.feed_uses import Moved, Uses


class Loop:
    """The body of a loop, whose inputs have elements of their own; what is seen of these holds for all the elements
    that they stand for, step by step.

    Args:
        op: the loop.
        time: how many steps it runs; None where that is not known.
        inputs: the elements in each input of the node; None where there are none.
        shapes: of the inputs; None where one is not known.
        uses: where to note what is seen.

    Attributes:
        sizes: of the symbols of the body, as far as its inputs decide them.
        moved: the elements in the inputs of the body.
        seen: where to note what the body does with them.
    """

    def __init__(
        self,
        op: Scan,
        time: int | None,
        inputs: Sequence[Moved | None],
        shapes: Sequence[list[int] | None],
        uses: Uses,
    ) -> None:
        scanned = range(op.num_states, op.num_states + op.num_scan_inputs)
        self._time, self._uses = time, uses
        self._outer: list[Moved] = []
        self.sizes = _bound(op.body, shapes, scanned)
        self.moved: dict[Tensor, Moved] = {}
        count = 0
        for place, (moved, tensor) in enumerate(zip(inputs, op.body.inputs, strict=True)):
            if moved is None:
                continue
            shape = moved.ids.shape[1:] if place in scanned else moved.ids.shape
            size = int(np.prod(shape))
            ids = np.arange(count, count + size).reshape(shape)
            self.moved[tensor] = Moved(ids, np.ones(shape), np.zeros(shape))
            self._outer.append(moved.shaped((-1, size) if place in scanned else (1, size)))
            count += size
            if place < op.num_states and time is not None:
                uses.tell(moved, 0, time)  # the number of steps left, or done
        self.seen = Uses(count)

    def take_over(self) -> None:
        """Note what was seen of the elements in the body of those that they stand for."""
        self._count_steps()
        starts = np.cumsum([0, *(moved.ids.shape[1] for moved in self._outer)])
        for start, moved in zip(starts, self._outer, strict=False):
            width = moved.ids.shape[1]
            own = slice(start, start + width)
            for least, most in {
                (low, high) for low, high in zip(self.seen.least[own], self.seen.most[own], strict=True)
            }:
                if np.isfinite(least) or np.isfinite(most):
                    these = np.flatnonzero((self.seen.least[own] == least) & (self.seen.most[own] == most))
                    self._uses.allow(moved.columns(these), least, most)
            for flags, theirs in ((self._uses.unknown, self.seen.unknown), (self._uses.whole, self.seen.whole)):
                these = np.flatnonzero(theirs[own])
                self._uses.note(moved.columns(these), flags)
            for ids, values in self.seen.values:
                here = (ids >= start) & (ids < start + width)
                if here.any():
                    self._uses.tell(moved.columns(ids[here] - start), values[here])

    def _count_steps(self) -> None:
        """Take elements that are compared with something inside the loop for numbers of steps."""
        if self._time is not None:
            odd = np.flatnonzero(self.seen.unknown & np.isinf(self.seen.most) & np.isnan(self.seen.high))
            steps = Moved(odd.astype(np.int64), np.ones(len(odd)), np.zeros(len(odd)))
            self.seen.tell(steps, *range(self._time + 1))
            self.seen.settle()


def _bound(body: Structure, shapes: Sequence[list[int] | None], scanned: range) -> dict[str, int]:
    """Return the sizes of the symbols of a body, as far as what comes in says them."""
    found: dict[str, int] = {}
    for place, (tensor, shape) in enumerate(zip(body.inputs, shapes, strict=True)):
        inner = shape[1:] if shape is not None and place in scanned else shape
        for dim, size in zip(tensor.shape, inner or (), strict=False):
            if not isinstance(dim, int) and len(dim.symbols) == 1 and str(dim) in dim.symbols:
                found[str(dim)] = size
    return found
