"""Compiled C against the other ways of running a graph, called from Python, in one run: ratios, for a machine may be busy.

    python benchmarks/c_target.py [--seconds 0.5] [--only LSTM] [--cores]

Each row is a network; each column a compiler, in turns with onnxruntime running the same graph in each of its forms, with bound
inputs and outputs. The peer is the fastest of those forms. All run on one core: --cores leaves the choice to onnxruntime.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import unroll
from unroll import ops

COMPILERS = ("gcc", "clang")


class Row(NamedTuple):
    """A network: a cell over `steps` rows of `features` numbers; two of them, where `kind` says layers or directions."""

    cell: type[Any]
    steps: int
    batch: int
    features: int
    units: int
    kind: str = ""

    def graph(self) -> unroll.Graph:
        x = unroll.placeholder([None, self.steps, self.features], "x")
        cells = [self.cell(self.units) for _ in range(2)]
        if self.kind == "directions":
            both, _ = unroll.bidirectional_dynamic_rnn(*cells, x)
            return unroll.Graph([x], {"y": ops.concat(both, -1)})
        outputs, _ = unroll.dynamic_rnn(unroll.MultiRNNCell(cells) if self.kind else cells[0], x)
        return unroll.Graph([x], {"y": outputs})

    def feeds(self) -> dict[str, Any]:
        shape = (self.batch, self.steps, self.features)
        return {"x": np.random.default_rng(0).normal(size=shape).astype("float32")}

    def __str__(self) -> str:
        sizes = ", ".join(map(str, (self.steps, self.batch, self.features, self.units)))
        return f"{self.cell.__name__}, {sizes}{', two ' if self.kind else ''}{self.kind}"


LSTM = unroll.BasicLSTMCell
ROWS = (
    Row(LSTM, 28, 1, 28, 13),
    Row(LSTM, 28, 1, 28, 13, "layers"),
    Row(LSTM, 28, 1, 28, 13, "directions"),
    Row(unroll.GRUCell, 28, 1, 28, 13),
    Row(unroll.BasicRNNCell, 28, 1, 28, 13),
    Row(LSTM, 1000, 1, 28, 13),
    Row(LSTM, 28, 50, 28, 13),
    Row(LSTM, 100, 1, 64, 64),
    Row(LSTM, 28, 1, 28, 128),
    Row(LSTM, 100, 1, 256, 512),
    Row(LSTM, 28, 32, 28, 128),
    Row(LSTM, 1, 1, 1, 40),
)


@contextmanager
def compiler(name: str) -> Iterator[None]:
    """Let a compiler be the machine's."""
    before = os.environ.get("CC")
    os.environ["CC"] = name
    yield
    if before is None:
        del os.environ["CC"]
    else:
        os.environ["CC"] = before


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


def ways(row: Row, compilers: list[str]) -> dict[str, Callable[[], object]]:
    """Bound runs of a row, by what a column calls them."""
    graph, feeds = row.graph(), row.feeds()
    sessions: dict[str, Any] = {}
    for name in compilers:
        with compiler(name):
            sessions[name] = unroll.compile(graph, "c", batch=row.batch)
    sessions["flat"] = unroll.Session(graph, form="unrolled")
    for form in ("rerolled", "scan") if row.steps > 1 else ():
        sessions[form] = unroll.Session(graph, form=form)
    return {name: session.bind(feeds).run for name, session in sessions.items()}


def print_row(row: Row, compilers: list[str], seconds: float) -> None:
    """Print a row of the table."""
    found = measured(ways(row, compilers), seconds)
    compiled = {name: found.pop(name) for name in compilers}
    peer = min(found, key=lambda way: found[way])
    times = [f"{compiled[name]:.1f} ({compiled[name] / found[peer]:.2f} x)" for name in compilers]
    print(f"| {row} | {' | '.join(times)} | {peer} {found[peer]:.1f} |", flush=True)


def lasts(run: Callable[[], object]) -> float:
    """The shortest of three, in seconds."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def print_making(compilers: list[str]) -> None:
    """Print how long C takes to write, and to compile and load without what is kept."""
    long, small, large = Row(LSTM, 1000, 1, 28, 13), ROWS[0], Row(LSTM, 28, 1, 256, 512)
    x = large.graph()
    graphs = {row: row.graph() for row in (long, small)}
    print("\n| making C | s |\n| --- | --- |")
    print(f"| to_c, {long} | {lasts(lambda: unroll.to_c(graphs[long], dims={'batch': 1})):.2f} |")
    for name in compilers:
        with compiler(name):
            for what, graph in ((small, graphs[small]), (large, x)):
                seconds = lasts(lambda graph=graph: unroll.compile(graph, "c", batch=1, cache=False))
                print(f"| compile, {name}, {what} | {seconds:.2f} |", flush=True)


def print_machine(compilers: list[str], cores: int) -> None:
    """Print what the figures are of."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        model = next((line.partition(": ")[2].strip() for line in file if line.startswith("model name")), "a processor")
    said = [
        subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout for name in compilers
    ]
    print(f"{model}, {cores} core{'s' * (cores > 1)}; {'; '.join(text.splitlines()[0] for text in said)}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each way of each row (default: %(default)s)")
    parser.add_argument("--only", default="", help="only rows whose title holds this")
    parser.add_argument("--cores", action="store_true", help="do not keep to one core")
    options = parser.parse_args()
    allowed = sorted(os.sched_getaffinity(0))
    if not options.cores:
        allowed = allowed[-1:]
        os.sched_setaffinity(0, allowed)
    compilers = [name for name in COMPILERS if shutil.which(name)]
    print_machine(compilers, len(allowed))
    titles = " | ".join(f"{name}, us" for name in compilers)
    print(f"| cell, steps, batch, features, units | {titles} | fastest peer, us |")
    print(f"| --- |{' --- |' * (len(compilers) + 1)}")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        for row in ROWS:
            if options.only in str(row):
                print_row(row, compilers, options.seconds)
        if not options.only:
            print_making(compilers)


if __name__ == "__main__":
    main()
