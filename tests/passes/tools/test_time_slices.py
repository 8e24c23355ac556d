"""Which step of a sequence a tensor is, by whichever operator it was cut out: what is read is what NumPy takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unroll
from unroll import Graph, ops
from unroll.ops.slicing import bounds_of
from unroll.passes.tools.making import Maker
from unroll.passes.tools.time_slices import TimeSlices, slice_of
from unroll.scopes import Origin
from unroll.tensor import Tensor

TIME, VALUES = 6, np.arange(2 * 6 * 4 * 3, dtype="float32").reshape(2, 6, 4, 3)


def whole() -> Any:
    return unroll.placeholder(VALUES.shape, "x")


#: How step `t` is cut from axis 1 of a tensor.
CUTS: dict[str, Callable[[Any, int], Tensor]] = {
    "gather": lambda x, t: ops.gather(x, unroll.constant(t, "int64"), axis=1),
    "gather from the end": lambda x, t: ops.gather(x, unroll.constant(t - TIME, "int64"), axis=1),
    "split": lambda x, t: ops.split(x, TIME, 1)[t],
    "split and squeeze": lambda x, t: ops.squeeze(ops.split(x, TIME, 1)[t], [1]),
    "slice": lambda x, t: ops.slice_(x, [t], [t + 1], [1]),
    "slice and squeeze": lambda x, t: ops.squeeze(ops.slice_(x, [t], [t + 1], [1]), [1]),
}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("kind", CUTS)
def test_steps_are_read_and_stacked_again_as_numpy_takes_them(kind: str, backward: bool) -> None:
    x = whole()
    column = [CUTS[kind](x, t) for t in range(1, 5)][:: -1 if backward else 1]
    pieces = TimeSlices().pieces_of(column)
    assert pieces is not None
    assert (pieces.first.source, pieces.first.axis, pieces.first.number) == (x, 1, 1)
    assert (pieces.total, pieces.backward) == (4, backward)
    stack = Maker(frozenset({Origin("", None, None, None)})).stacked(x, pieces)
    seen = Graph([x], {"stack": stack}).run({"x": VALUES})["stack"]
    steps = np.moveaxis(VALUES[:, 1:5], 1, 0)
    np.testing.assert_array_equal(seen, steps if "squeeze" in kind or "gather" in kind else steps[:, :, None])


def test_what_is_no_run_of_steps_of_one_tensor_is_none() -> None:
    x, y = whole(), unroll.placeholder(VALUES.shape, "y")
    gather = CUTS["gather"]
    for column in (
        [gather(x, 0), gather(x, 2)],
        [gather(x, 0), gather(y, 1)],
        [gather(x, 0), CUTS["slice"](x, 1)],
        [gather(x, 1), gather(x, 1)],
        [ops.slice_(x, [0], [4], [1]), ops.slice_(x, [4], [6], [1])],
        [x, gather(x, 1)],
    ):
        assert TimeSlices().pieces_of(column) is None


@pytest.mark.parametrize(
    ("taken", "bounds", "one"),
    [
        (lambda x: ops.slice_(x, [1], [3], [2]), {2: (1, 3)}, (1, 3, 2)),
        (lambda x: ops.slice_(x, [-2], [2**31], [-1]), {3: (-2, 2**31)}, (1, 3, 3)),
        (lambda x: ops.slice_(x, [1, 0], [2, 4]), {0: (1, 2), 1: (0, 4)}, None),
        (lambda x: ops.slice_(x, [4], [2], [1]), {1: (4, 2)}, (4, 4, 1)),
        (lambda x: ops.slice_(x, [0], [6], [1], [2]), None, None),
        (lambda x: ops.slice_(x, [0], [6], [1], [1]), {1: (0, 6)}, (0, 6, 1)),
        (ops.tanh, None, None),
    ],
)
def test_the_bounds_of_a_slice_by_steps_of_one(taken: Any, bounds: Any, one: Any) -> None:
    x = whole()
    node = taken(x).node
    assert bounds_of(node) == bounds
    assert slice_of(node) == (None if one is None else (x, *one))
    if one is not None:
        start, end, axis = one
        seen = Graph([x], {"y": node.outputs[0]}).run({"x": VALUES})["y"]
        np.testing.assert_array_equal(seen, VALUES[(slice(None),) * axis + (slice(start, end),)])
