"""Compiled C against the other ways of running a graph, called from Python, in one run: ratios, for a machine may be busy.

    python benchmarks/c_target.py [--seconds 0.5]

Each row is a network; each column a way, in turns, with bound inputs and outputs. The peer is the fastest that is not C.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import unroll


class Row(NamedTuple):
    """A network: a cell over `steps` rows of `features` numbers."""

    cell: type[Any]
    steps: int
    batch: int
    features: int
    units: int

    def graph(self) -> unroll.Graph:
        x = unroll.placeholder([None, self.steps, self.features], "x")
        outputs, _ = unroll.dynamic_rnn(self.cell(self.units), x)
        return unroll.Graph([x], {"y": outputs})

    def feeds(self) -> dict[str, Any]:
        shape = (self.batch, self.steps, self.features)
        return {"x": np.random.default_rng(0).normal(size=shape).astype("float32")}


ROWS = (
    Row(unroll.BasicLSTMCell, 28, 1, 28, 13),
    Row(unroll.GRUCell, 28, 1, 28, 13),
    Row(unroll.BasicRNNCell, 28, 1, 28, 13),
    Row(unroll.BasicLSTMCell, 1000, 1, 28, 13),
    Row(unroll.BasicLSTMCell, 28, 50, 28, 13),
    Row(unroll.BasicLSTMCell, 100, 1, 64, 64),
    Row(unroll.BasicLSTMCell, 28, 1, 28, 128),
    Row(unroll.BasicLSTMCell, 100, 1, 256, 512),
    Row(unroll.BasicLSTMCell, 28, 32, 28, 128),
    Row(unroll.BasicLSTMCell, 1, 1, 1, 40),
)


def measured(runs: dict[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """The shortest time of each, in microseconds; they take turns. On a busy machine a quartile says who was interrupted."""
    counts = {}
    for name, run in runs.items():
        run()
        start = time.perf_counter()
        run()
        counts[name] = max(1, int(0.002 / max(time.perf_counter() - start, 1e-7)))
    found: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + seconds * len(runs)
    while time.perf_counter() < end or len(found[next(iter(runs))]) < 5:
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(counts[name]):
                run()
            found[name].append((time.perf_counter() - start) / counts[name] * 1e6)
    return {name: min(times) for name, times in found.items()}


def ways(row: Row) -> dict[str, Callable[[], object]]:
    """Bound runs of a row, by what a column calls them."""
    graph, feeds = row.graph(), row.feeds()
    sessions: dict[str, Any] = {
        "C": unroll.compile(graph, "c", batch=row.batch),
        "flat": unroll.Session(graph, form="unrolled"),
    }
    for form in ("rerolled", "scan") if row.steps > 1 else ():
        sessions[form] = unroll.Session(graph, form=form)
    return {name: session.bind(feeds).run for name, session in sessions.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each way of each row (default: %(default)s)")
    seconds = parser.parse_args().seconds
    print("| cell, steps, batch, features, units | C, us | fastest peer, us | ratio |\n| --- | --- | --- | --- |")
    for row in ROWS:
        found = measured(ways(row), seconds)
        compiled = found.pop("C")
        name = min(found, key=lambda way: found[way])
        title = f"{row.cell.__name__}, {row.steps}, {row.batch}, {row.features}, {row.units}"
        print(f"| {title} | {compiled:.1f} | {name} {found[name]:.1f} | {compiled / found[name]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
