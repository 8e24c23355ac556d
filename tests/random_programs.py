"""Random recurrent programs, through every pass, form and reader: ``python tests/random_programs.py --count 10000``.

A program is a function of its number. What was chosen in it is said where it fails, and made smaller first: each choice is
put back to its plainest option where the fault stays. ``--show NUMBER`` says all of one program, and what became of it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from typing import NamedTuple

from programs.checks import Fault, check, check_as_asked
from programs.choices import Choices, option_names
from programs.families import of_cells
from programs.feeds import feeds_of
from programs.models import of_attention, of_keras, of_others, of_torch
from programs.written import written

import unroll

KINDS: dict[str, tuple[float, Callable[[Choices], unroll.Graph]]] = {
    "written": (6, written),
    "cells": (3, of_cells),
    "keras": (1, of_keras),
    "torch": (1, of_torch),
    "attention": (0.5, of_attention),
    "others": (0.7, of_others),
}


class Outcome(NamedTuple):
    """One program that ran: its choices, its faults, what its loops became, and how long it took."""

    choices: Choices
    faults: list[Fault]
    became: Counter[str]
    seconds: float


def program(number: int, given: Mapping[str, str] | None = None) -> tuple[unroll.Graph, Choices]:
    """Return a program and what was chosen in it; `given` puts some choices in the place of those drawn."""
    choices = Choices(number, given)
    kind = choices.pick("kind", {name: share for name, (share, _) in KINDS.items()})
    with unroll.scope("net", seed=number):
        return KINDS[kind][1](choices), choices


def outcome(number: int, given: Mapping[str, str] | None = None, every: int = 1) -> Outcome:
    """Run one program through everything, one in eight in every way that the same can be asked for; see `check`."""
    start = time.process_time()
    graph, choices = program(number, given)
    steps = int(choices.made["steps"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numbers that leave the range of a dtype: they are not compared
        feeds = feeds_of(graph, number, steps)
        result = check(graph, feeds, every=every, first=number)
        if every == 1 and number % 8 == 0:
            result.faults.extend(check_as_asked(graph, feeds).faults)
    return Outcome(choices, result.faults, result.became, time.process_time() - start)


def smaller(found: Outcome) -> Outcome:
    """Return the plainest program that has the first fault of another: the same kind, at the same place."""
    wanted = {(fault.kind, fault.where) for fault in found.faults[:1]}
    given: dict[str, str] = {}
    for name, plain in found.choices.plain.items():
        if found.choices.made.get(name) == plain or name == "kind":
            continue
        try:
            tried = outcome(found.choices.number, given | {name: plain})
        except unroll.UnrollError:
            continue
        if wanted <= {(fault.kind, fault.where) for fault in tried.faults}:
            given, found = given | {name: plain}, tried
    return found


class Tally:
    """What a run has seen: how often each option occurs and what its programs were re-rolled to, and every fault."""

    def __init__(self) -> None:
        self.options: dict[tuple[str, str], Counter[str]] = {}
        self.became: Counter[str] = Counter()
        self.faults: list[tuple[str, list[Fault]]] = []
        self.count, self.seconds = 0, 0.0

    def add(
        self,
        choices: str,
        options: Sequence[tuple[str, str]],
        faults: list[Fault],
        became: Counter[str],
        seconds: float,
    ) -> None:
        """Count one program."""
        self.count += 1
        self.seconds += seconds
        self.became.update(became)
        kinds = Counter(dict.fromkeys(became, 1)) or Counter({"nothing": 1})
        for option in dict.fromkeys(options):
            self.options.setdefault(option, Counter()).update(kinds | Counter({"programs": 1}))
        if faults:
            self.faults.append((choices, faults))

    def __str__(self) -> str:
        kinds = ("LSTM", "GRU", "RNN", "Scan", "left", "nothing")
        lines = [f"{'option':52s}{'programs':>9s}" + "".join(f"{kind:>8s}" for kind in kinds)]
        for (name, option), seen in sorted(self.options.items()):
            row = "".join(f"{seen[kind]:8d}" for kind in kinds)
            lines.append(f"{name + ' = ' + option:52s}{seen['programs']:9d}{row}")
        what = Counter((fault.kind, fault.where) for _, faults in self.faults for fault in faults)
        lines += [f"{count:6d}  {kind} in {where}" for (kind, where), count in what.most_common()]
        loops = ", ".join(f"{count} {kind}" for kind, count in self.became.most_common())
        lines.append(f"{self.count} programs, {self.seconds:.0f} s of processor time; loops became: {loops}")
        lines.append(f"{len(self.faults)} programs are wrong")
        return "\n".join(lines)


def _ran(number: int, every: int = 1) -> tuple[str, list[tuple[str, str]], list[Fault], Counter[str], float]:
    """Run one program in a process of its own kind; an error while tracing is a fault as well."""
    try:
        found = outcome(number, every=every)
    except Exception as error:
        fault = Fault(
            "no program" if isinstance(error, unroll.UnrollError) else "crash",
            "tracing",
            f"{type(error).__name__}: {error}",
        )
        return f"program {number}", [], [fault], Counter(), 0.0
    small = smaller(found) if found.faults else found
    return str(small.choices), option_names(found.choices), small.faults, found.became, found.seconds


def _nice() -> None:
    os.nice(5)


def run(numbers: Sequence[int], processes: int, every: int = 1) -> Tally:
    """Run programs, print each that is wrong as it is found, and how far it is on stderr."""
    tally = Tally()
    with ProcessPoolExecutor(processes, initializer=_nice) as pool:
        for text, options, faults, became, seconds in pool.map(_ran, numbers, repeat(every), chunksize=8):
            tally.add(text, options, faults, became, seconds)
            if tally.count % 100 == 0:
                print(f"{tally.count} programs, {tally.seconds:.0f} s of processor time", file=sys.stderr, flush=True)
            if faults:
                print(text, *faults, sep="\n    ", flush=True)
    return tally


def show(number: int, given: Mapping[str, str]) -> None:
    """Print one program, its nodes, what is wrong with it and what its loops became."""
    graph, choices = program(number, given)
    print(graph.summary())
    print(choices, json.dumps(choices.made), unroll.reroll(graph)[1], *outcome(number, given).faults, sep="\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=1000, help="how many programs")
    parser.add_argument("--start", type=int, default=0, help="the number of the first")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="do one of so many checks of each program")
    parser.add_argument("--show", type=int, help="print one program instead")
    parser.add_argument("--given", default="{}", help='of --show: choices to put in, as JSON: {"steps": "2"}')
    asked = parser.parse_args()
    if asked.show is not None:
        show(asked.show, json.loads(asked.given))
        return 0
    tally = run(range(asked.start, asked.start + asked.count), asked.processes, asked.every)
    print(tally)
    return bool(tally.faults)


if __name__ == "__main__":
    sys.exit(main())
