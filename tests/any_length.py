"""Golden cases of other frameworks with the time as a symbol, and what they are held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from helpers import TOLERANCE, Array, check_three_runners, lacks_kernels

import unroll
from unroll.errors import UnsupportedError

#: Operators that hold a recurrence.
NATIVE = ("RNN", "GRU", "LSTM")
#: Makes the graph of a case at a number of steps, or over a symbol; its weights are the same each time.
Make = Callable[[int | str], unroll.Graph]


class AnyLength(NamedTuple):
    """A golden case whose time is left open.

    Attributes:
        make: makes the graph.
        time: the length of the case.
        feeds: its inputs.
        axes: the axis of the time, of those inputs that have one.
        expected: its outputs.
        dtype: of its numbers.
        whole: whether its loop stays a Scan, though steps that are written out become a native operator: its cell looks up
            rows of a table, or cuts its input, beside the recurrence.
    """

    make: Make
    time: int
    feeds: dict[str, Array]
    axes: dict[str, int]
    expected: list[Array]
    dtype: str
    whole: bool = False

    def check(self) -> None:
        """Check it; see `check_any_length`."""
        check_any_length(self.make, self.time, self.feeds, self.axes, self.expected, self.dtype, self.whole)


def native(graph: unroll.Graph) -> set[str]:
    """The native operators that re-rolling gives."""
    try:
        model = unroll.to_onnx(graph, form="rerolled", runtime=None, check=False)
    except UnsupportedError:
        return set()
    return {node.op_type for node in model.graph.node} & set(NATIVE)


def longer(feeds: Mapping[str, Array], axes: Mapping[str, int]) -> dict[str, Array]:
    """Feeds of one step more: the first one comes again."""
    return {
        name: np.concatenate([array, array.take([0], axes[name])], axes[name]) if name in axes else array
        for name, array in feeds.items()
    }


def check_any_length(
    make: Make,
    time: int,
    feeds: Mapping[str, Array],
    axes: Mapping[str, int],
    wanted: Sequence[Array],
    dtype: str,
    whole: bool = False,
) -> None:
    """Check a case over a symbol: at its own length against the framework's numbers, at another against the unrolled graph,
    and that the native operator appears where it does unrolled.

    Args:
        make: makes the graph.
        time: the length of the case.
        feeds: its inputs.
        axes: the axis of the time, of those inputs that have one.
        wanted: its outputs.
        dtype: of its numbers.
        whole: as of `AnyLength`.
    """
    graph = make("time")
    check_three_runners(graph, feeds, list(wanted), dtype)
    if dtype == "float32":
        found = native(graph)
        assert not found if whole else found >= native(make(time))
        rerolled = unroll.Session(graph, form="rerolled", check=False)  # its numbers are held here
        for array, other in zip(rerolled.run(feeds).values(), wanted, strict=True):
            np.testing.assert_allclose(array, other, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    more = longer(feeds, axes)
    runners = [graph] if lacks_kernels(graph, "onnxruntime") else [graph, unroll.Session(graph, runtime=None)]
    for array_of in (runner.run(more) for runner in runners):
        for array, other in zip(array_of.values(), make(time + 1).run(more).values(), strict=True):
            np.testing.assert_allclose(array, other, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
