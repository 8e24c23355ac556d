"""Random recurrent programs over one tensor, whose time is left open: ``python tests/random_sequences.py --count 500``.

A program is a function of its number. It is traced with its time open, and rolled and unrolled at each of three lengths; all of
it computes the same, in NumPy and in onnxruntime.
"""

from __future__ import annotations

import argparse
import sys
import time as clock
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from helpers import Array
from programs.checks import difference
from programs.choices import Choices
from programs.family_cells import ACTIVATIONS, cell_of
from programs.material import Material

import unroll
from unroll import layers, nest, nn, ops
from unroll.errors import UnsupportedError
from unroll.passes.rerolling.native_scans import native_scans

ROWS = 2
LENGTHS = {"1 2 5": 1.0, "1 3 4": 1, "2 6 9": 1, "1 4 12": 1}
KINDS: dict[str, tuple[float, Callable[[_Program], Any]]] = {}


class _Program:
    """One program at one time: what is chosen, and the inputs so far."""

    def __init__(self, choices: Choices, time: int | str, rolled: bool) -> None:
        self.choices, self.time, self.rolled = choices, time, rolled
        self.material = Material(choices)
        self.units, self.width = self.material.units(), choices.whole("width", 2, 3)
        self.major = choices.flag("time major")

    def sequence(self, *rest: int, major: bool = False) -> Any:
        return self.material.placeholder("x", [self.time, "batch", *rest] if major else ["batch", self.time, *rest])

    def lengths(self, share: float = 0.4) -> Any:
        if not self.choices.flag("lengths", share):
            return None
        return self.material.placeholder("lengths", ["batch"], self.choices.pick("lengths/dtype", ("int32", "int64")))

    def first(self, name: str, cell: Any) -> Any:
        """A first state that is fed, in some programs."""
        sizes = nest.flatten(cell.state_size)
        if not hasattr(cell, "zero_state") or not self.choices.flag("initial state", 0.3):
            return None
        return nest.pack(
            cell.state_size, [self.material.placeholder(f"{name}{k}", ["batch", n]) for k, n in enumerate(sizes)]
        )


def _driver(p: _Program) -> Any:
    cell, x = cell_of(p.choices, "cell", p.units), p.sequence(p.width, major=p.major)
    options: dict[str, Any] = {"time_major": p.major, "dtype": p.material.dtype, "rolled": p.rolled}
    lengths = p.lengths()
    y, state = unroll.dynamic_rnn(cell, x, lengths, p.first("start", cell), **options)
    if p.choices.flag("second loop", 0.3):
        y, _ = unroll.dynamic_rnn(unroll.GRUCell(2), ops.tanh(y), lengths, scope="second", **options)
    return {"y": y, "state": state}


def _both_ways(p: _Program) -> Any:
    forward, backward = cell_of(p.choices, "cell", p.units), cell_of(p.choices, "other", p.units)
    x = p.sequence(p.width, major=p.major)
    starts = p.first("fw", forward), p.first("bw", backward)
    options: dict[str, Any] = {"time_major": p.major, "dtype": p.material.dtype, "rolled": p.rolled}
    if p.choices.flag("stacked", 0.4):
        below = unroll.GRUCell(p.units), unroll.BasicLSTMCell(p.units)
        options["sequence_length"] = p.lengths()
        return unroll.stack_bidirectional_dynamic_rnn([below[0], forward], [below[1], backward], x, **options)
    return unroll.bidirectional_dynamic_rnn(forward, backward, x, p.lengths(), *starts, **options)


def _keras(p: _Program) -> Any:
    c, x = p.choices, p.sequence(p.width)
    mask = p.material.placeholder("mask", ["batch", p.time], "bool") if c.flag("mask", 0.3) else None
    dtype = p.material.dtype

    def layer(name: str, sequences: bool) -> Any:
        kind = c.pick(f"{name}/layer", {"SimpleRNN": 1.0, "LSTM": 2, "GRU": 2, "RNN of cells": 0.7})
        merge = c.pick(f"{name}/merge", {"no": 3, "concat": 1, "sum": 0.4, "mul": 0.3, "ave": 0.3})
        options: dict[str, Any] = {
            "dtype": dtype,
            "rolled": p.rolled,
            "return_sequences": sequences,
            "go_backwards": c.flag(f"{name}/go_backwards", 0.2) and merge == "no",
            "zero_output_for_mask": c.flag(f"{name}/zero_output_for_mask", 0.3),
        }
        if kind == "RNN of cells":
            cells = [layers.LSTMCell(p.units, dtype=dtype), layers.GRUCell(p.units, dtype=dtype)]
            one: Any = layers.RNN(cells, **options)
        else:
            options["activation"] = c.quirk(f"{name}/activation", ACTIVATIONS)
            one = getattr(layers, kind)(p.units, **options)
        return one if merge == "no" else layers.Bidirectional(one, merge_mode=merge)

    y = layer("first", True)(x, **({} if mask is None else {"mask": mask}))
    if c.flag("over time", 0.3):
        y = layers.TimeDistributed(layers.Dense(2, activation="tanh", dtype=dtype), rolled=p.rolled)(y)
    return {"y": y, "last": layer("second", c.flag("sequences"))(y)} if c.flag("second", 0.5) else {"y": y}


def _torch(p: _Program) -> Any:
    c = p.choices
    kind, deep, both = (
        c.pick("torch/module", ("LSTM", "GRU", "RNN")),
        c.whole("torch/layers", 1, 2),
        c.flag("both", 0.4),
    )
    options: dict[str, Any] = {"batch_first": not p.major, "bidirectional": both, "bias": c.flag("torch/bias", 0.8)}
    if kind == "LSTM" and c.flag("torch/proj_size", 0.2):
        options["proj_size"] = 1
    module = getattr(nn, kind)(p.width, p.units, deep, dtype=p.material.dtype, **options)
    return module(p.sequence(p.width, major=p.major), lengths=p.lengths(), rolled=p.rolled)


def _convolution(p: _Program) -> Any:
    options: dict[str, Any] = {"dtype": p.material.dtype, "rolled": p.rolled, "padding": "same"}
    options |= {name: p.choices.flag(f"conv/{name}") for name in ("return_sequences", "return_state", "go_backwards")}
    return layers.ConvLSTM1D(p.units, 2, **options)(p.sequence(4, p.width))


KINDS |= {
    "driver": (4, _driver),
    "both ways": (2, _both_ways),
    "keras": (4, _keras),
    "torch": (2, _torch),
    "convolution": (0.5, _convolution),
}


def sequence_program(number: int, time: int | str, rolled: bool = False) -> tuple[unroll.Graph, Choices]:
    """Return a program at a time, or over a symbol, and what was chosen in it."""
    choices = Choices(number)
    kind = choices.pick("kind", {name: share for name, (share, _) in KINDS.items()})
    with unroll.scope("net", seed=number):
        p = _Program(choices, time, rolled)
        outputs = KINDS[kind][1](p)
    return p.material.with_values(unroll.Graph(p.material.inputs, {"out": outputs})), choices


def _fed(graph: unroll.Graph, number: int, time: int) -> dict[str, Array]:
    """Feeds at a time: lengths of 0 and of all steps, steps that are masked and that are not, numbers of every sign."""
    rng = np.random.default_rng([number, time])
    feeds: dict[str, Array] = {}
    for spec in graph.input_specs:
        shape = [size if isinstance(size, int) else ROWS for size in spec.shape]
        if spec.dtype.kind == "b":
            feeds[spec.name] = rng.random(shape) < 0.6
        elif spec.dtype.kind == "i":
            feeds[spec.name] = np.array([time, rng.integers(0, time + 1)], spec.dtype)
        else:
            feeds[spec.name] = rng.standard_normal(shape).astype(spec.dtype)
    return feeds


def wrong_in(number: int) -> list[str]:
    """Return what is wrong in a program: at each of three lengths, all ways to trace and run it against the unrolled one."""
    open_, choices = sequence_program(number, "time")
    runners: dict[str, Any] = {"time left open, in NumPy": open_}
    for form in (None, "rerolled", "scan"):
        try:
            runners[f"time left open, form {form}"] = unroll.Session(open_, form=form, check=False)
        except UnsupportedError:  # a kernel that onnxruntime lacks
            continue
    wrong = []
    for time in map(int, choices.pick("lengths of runs", LENGTHS).split()):
        flat, _ = sequence_program(number, time)
        feeds = _fed(flat, number, time)
        with np.errstate(all="ignore"):
            wanted = flat.run(feeds)
            for where, runner in {**runners, "rolled": sequence_program(number, time, True)[0]}.items():
                if text := difference(runner.run(feeds), wanted):
                    wrong.append(f"{choices}: {where}, {time} steps: {text}")
    return wrong


def loops_of(number: int) -> list[str]:
    """What the loops of a program become where it is written with native operators."""
    graph = native_scans(sequence_program(number, "time")[0])
    return [node.op.name for node in graph.nodes if node.op.name in ("LSTM", "GRU", "RNN", "Scan")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=500, help="how many programs")
    parser.add_argument("--start", type=int, default=0, help="the number of the first")
    asked = parser.parse_args()
    start, kinds, faults = clock.process_time(), Counter[str](), 0
    for number in range(asked.start, asked.start + asked.count):
        found = wrong_in(number)
        faults += bool(found)
        kinds.update(loops_of(number))
        print(*found, sep="\n", end="\n" if found else "", flush=True)
    print(
        f"{asked.count} programs at three lengths each, {faults} wrong, {clock.process_time() - start:.0f} s of processor; "
        f"loops became: {', '.join(f'{count} {kind}' for kind, count in kinds.most_common())}"
    )
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
