"""Compiled C against the other ways of running a graph, called from Python, in one run: ratios, for a machine may be busy.

    python benchmarks/c_target.py [--seconds 0.5] [--only LSTM] [--cores] [--dry]

Each row is a network; each column a compiler, in turns with onnxruntime running the same graph in each of its forms, with bound
inputs and outputs. The peer is the fastest of those forms. All run on one core: --cores leaves the choice to onnxruntime. The
whole table becomes a section of docs/benchmarks.md.
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
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from report import table, write_section

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
    bar: float
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
#: What the section says below its table.
NOTES = """\
The shortest times of runs in turns, with bound inputs and outputs; the peer is the fastest form of the same graph in
onnxruntime: `flat`, `rerolled` (its LSTM, GRU or RNN) or `scan`. torch eager (2.13) takes 120 to 360 µs for one layer
of 13 units and for the last row. On two cores onnxruntime shares the products of the two largest networks, and is as
fast as C, or faster: C here is of one thread. What `compile(graph, "auto")` chose is held against the faster of C by gcc and
that peer; the bar is 1.03.

What is left to gain, on a Zen 3 core of 3.25 GHz: small networks are bound by how long one step waits for the one
before, 80 ns for a product, a sigmoid and two tanh. With a batch of 1 and 64 units or more each step reads its
weights anew: 128 units from the second cache at 32 bytes a cycle take 71 of the 94 µs; 512 units from the third at 82
GB/s 51 µs a step, where 55 are reached. The multiply-adds of batch 32 with 128 units take 1,375 µs at 16 a cycle,
those of batch 50 with 13 units 71 µs; the rest is sigmoid and tanh, about 65 cycles for 8 units of an LSTM.

Called in a C loop, one step of LSTM(40) with its state takes 0.27 µs, and 0.31 in RTNeural's Eigen backend (1fb1f07,
Eigen 3.4, g++ 12). What emx-onnx-cgen 1.4 makes of the flat files takes, by the better of the two compilers, 20.6 µs
for the first row, where the C loop of ours takes 3.1 (0.15 x); 13.4 for the GRU, ours 2.3 (0.17 x); 6.2 for the
SimpleRNN, ours 0.9 (0.15 x)."""
ROWS = (
    Row(LSTM, 28, 1, 28, 13, 0.3),
    Row(LSTM, 28, 1, 28, 13, 0.3, "layers"),
    Row(LSTM, 28, 1, 28, 13, 0.3, "directions"),
    Row(unroll.GRUCell, 28, 1, 28, 13, 0.3),
    Row(unroll.BasicRNNCell, 28, 1, 28, 13, 0.3),
    Row(LSTM, 1000, 1, 28, 13, 0.45),
    Row(LSTM, 28, 50, 28, 13, 0.5),
    Row(LSTM, 100, 1, 64, 64, 0.75),
    Row(LSTM, 28, 1, 28, 128, 0.75),
    Row(LSTM, 100, 1, 256, 512, 0.95),
    Row(LSTM, 28, 32, 28, 128, 1.0),
    Row(LSTM, 1, 1, 1, 40, 0.15),
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
    sessions["auto"] = unroll.compile(graph, "auto", batch=row.batch)
    sessions["flat"] = unroll.Session(graph, form="unrolled")
    for form in ("rerolled", "scan") if row.steps > 1 else ():
        sessions[form] = unroll.Session(graph, form=form)
    return {name: session.bind(feeds).run for name, session in sessions.items()}


def row_of(row: Row, compilers: list[str], seconds: float) -> list[str]:
    """Return a row of the table."""
    found = measured(ways(row, compilers), seconds)
    compiled, chosen = {name: found.pop(name) for name in compilers}, found.pop("auto")
    peer = min(found, key=lambda way: found[way])
    fastest = min(found[peer], compiled[compilers[0]])  # what it has to choose from
    times = [f"{compiled[name]:.1f} µs ({compiled[name] / found[peer]:.2f} x)" for name in compilers]
    line = [str(row), *times, f"{peer} {found[peer]:.1f} µs", f"{row.bar} x", f"{chosen / fastest:.2f} x"]
    print(*line, sep="  ", flush=True)
    return line


def worked() -> float:
    """How many seconds of a processor this process and those that it ran have taken."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def lasts(run: Callable[[], object]) -> float:
    """The shortest of three, in seconds of a processor: others may use it meanwhile."""
    taken = []
    for _ in range(3):
        begun = worked()
        run()
        taken.append(worked() - begun)
    return min(taken)


def making(compilers: list[str]) -> list[list[str]]:
    """Return how long C takes to write, and to compile and load without what is kept."""
    long, small, large = (Row(LSTM, *sizes, 1) for sizes in ((1000, 1, 28, 13), (28, 1, 28, 13), (28, 1, 256, 512)))
    graphs = {row: row.graph() for row in (long, small, large)}
    found = [[f"to_c, {long}", lasts(lambda: unroll.to_c(graphs[long], dims={"batch": 1})), "1 s"]]
    for name in compilers:
        for row, bar in ((small, "0.5 s"), (large, "1 s")):
            with compiler(name):
                compiled = partial(unroll.compile, graphs[row], "c", batch=1, cache=False)
                found.append([f"compile, {name}, {row}", lasts(compiled), bar])
    lines = [[what, f"{seconds:.2f} s", bar] for what, seconds, bar in found]
    for line in lines:
        print(*line, sep="  ")
    return lines


def machine(compilers: list[str], cores: int) -> str:
    """Return what the figures are of."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        model = next((line.partition(": ")[2].strip() for line in file if line.startswith("model name")), "a processor")
    said = [
        subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout for name in compilers
    ]
    load = os.getloadavg()[0]
    return (
        f"{model}, {cores} core{'s' * (cores > 1)}, load {load:.1f}; {'; '.join(text.splitlines()[0] for text in said)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each way of each row (default: %(default)s)")
    parser.add_argument("--only", default="", help="only rows whose title holds this")
    parser.add_argument("--cores", action="store_true", help="do not keep to one core")
    parser.add_argument("--dry", action="store_true", help="print, and leave docs/ alone")
    options = parser.parse_args()
    allowed = sorted(os.sched_getaffinity(0))
    if not options.cores:
        allowed = allowed[-1:]
        os.sched_setaffinity(0, allowed)
    compilers = [name for name in COMPILERS if shutil.which(name)]
    about = machine(compilers, len(allowed))
    print(about)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        lines = [row_of(row, compilers, options.seconds) for row in ROWS if options.only in str(row)]
        if options.only or options.cores or options.dry:
            return
        made = making(compilers)
    head = ("cell, T, batch, input, units", *compilers, "fastest peer", "at most", "auto / fastest")
    parts = [
        "## C",
        f'Written by `python benchmarks/c_target.py`: `unroll.compile(graph, "c")` on {about}.',
        table(head, lines),
    ]
    parts += [NOTES, table(("making C", "of a processor", "at most"), made)]
    write_section("c_target.md", "\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
