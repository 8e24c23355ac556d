"""What the proof of a rewriting costs beside the rewriting itself: medians of runs in turns, and their ratio.

proofs.py [--rounds 9] [--steps 28 100 1000]

Networks of BasicLSTMCell over 28 features at batch 1, and GRUs in two directions; each line is one network.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

import unroll
from unroll import layers


def lstm(steps: int, units: int) -> unroll.Graph:
    """One LSTM, of which the last output is wanted."""
    x = unroll.placeholder([None, steps, 28], "x")
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(units), unroll.ops.unstack(x, axis=1), dtype=np.float32)
    return unroll.Graph([x], {"y": outputs[-1]})


def both_ways(steps: int, units: int) -> unroll.Graph:
    """A GRU in both directions, of which every output is wanted."""
    model = layers.Sequential(
        [layers.Input((steps, 28)), layers.Bidirectional(layers.GRU(units, return_sequences=True))]
    )
    return model.trace()


def in_turns(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median of the CPU seconds of each job, run in turns."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.process_time()
            job()
            taken[name].append(time.process_time() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, nargs="+", default=[28, 100, 1000])
    options = parser.parse_args()
    print("| network | steps | nodes | pass | by itself | with its proof | the proof / the pass |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for steps in options.steps:
        for name, graph in (
            ("LSTM(13)", lstm(steps, 13)),
            ("LSTM(512)", lstm(steps, 512)),
            ("GRU(13) both ways", both_ways(steps, 13)),
        ):
            for what, rewrite in (("reroll", unroll.reroll), ("optimize", unroll.optimize)):

                def job(check: bool, graph: unroll.Graph = graph, rewrite: Callable[..., object] = rewrite) -> None:
                    rewrite(graph, check=check)

                job(True)  # what is loaded or found out once
                found = in_turns(
                    {"without": lambda job=job: job(False), "with": lambda job=job: job(True)}, options.rounds
                )
                alone, proven = found["without"], found["with"]
                print(
                    f"| {name} | {steps} | {len(graph.nodes)} | {what} | {1e3 * alone:.0f} ms | {1e3 * proven:.0f} ms | "
                    f"{proven / alone - 1:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
