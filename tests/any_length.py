"""Golden cases of other frameworks with the time as a symbol, and what they are held against."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
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
    """

    make: Make
    time: int
    feeds: dict[str, Array]
    axes: dict[str, int]
    expected: list[Array]
    dtype: str

    def check(self) -> None:
        """Check it; see `check_any_length`."""
        check_any_length(self.make, self.time, self.feeds, self.axes, self.expected, self.dtype)


def native(model: onnx.ModelProto) -> set[str]:
    """The native operators of a model."""
    return {node.op_type for node in model.graph.node} & set(NATIVE)


def native_unrolled(graph: unroll.Graph) -> set[str]:
    """The native operators that re-rolling gives for a graph without loops."""
    try:
        return native(unroll.to_onnx(graph, form="rerolled", runtime=None, check=False))
    except UnsupportedError:
        return set()


def shortest_and_longest(cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of cases that differ in their rows and steps alone, as their names say (``lstm-last-b3-t7``), the shortest and the
    longest: over a symbol all of them are one graph.
    """
    of_name: dict[str, dict[tuple[int, int], dict[str, Any]]] = {}
    for case in cases:
        said = re.fullmatch(r"(.*)-b(\d+)-t(\d+)(.*)", case["id"])
        name, size = (said[1] + said[4], (int(said[3]), int(said[2]))) if said else (case["id"], (0, 0))
        of_name.setdefault(name, {})[size] = case
    return [sizes[size] for sizes in of_name.values() for size in sorted({min(sizes), max(sizes)})]


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
    """
    graph = make("time")
    check_three_runners(graph, feeds, list(wanted), dtype)
    if dtype == "float32":
        rerolled = unroll.to_onnx(graph, form="rerolled", check=False)  # its numbers are held here
        found = native(rerolled)
        assert found >= native_unrolled(make(time))
        for array, other in zip(unroll.Session(rerolled).run(feeds).values(), wanted, strict=True):
            np.testing.assert_allclose(array, other, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    more = longer(feeds, axes)
    runners = [graph] if lacks_kernels(graph, "onnxruntime") else [graph, unroll.Session(graph, runtime=None)]
    unrolled = make(time + 1).run(more)
    for array_of in (runner.run(more) for runner in runners):
        for array, other in zip(array_of.values(), unrolled.values(), strict=True):
            np.testing.assert_allclose(array, other, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
