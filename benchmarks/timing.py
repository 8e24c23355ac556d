"""Times that can be compared: contestants in turn, round after round, in a new order each, with the collector off."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

#: Makes a number of calls and returns the seconds of each.
Contestant: TypeAlias = Callable[[int], list[float]]


@dataclass(frozen=True)
class Spread:
    """The median and the quartiles of some samples."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: list[float]) -> Spread:
        if len(samples) == 1:
            return cls(samples[0], samples[0], samples[0])
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, low, high)


def contestant(call: Callable[[], Any]) -> Contestant:
    """Time a function of this process."""

    def times(calls: int) -> list[float]:
        clock = time.perf_counter
        found = []
        for _ in range(calls):
            start = clock()
            call()
            found.append(clock() - start)
        return found

    return times


def measure(contestants: Mapping[str, Contestant], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Return a sample a round for each contestant: the median of its calls, which take about `seconds`."""
    # At least three calls, since the first finds the caches as the contestant before left them.
    calls = {name: max(3, min(1000, int(seconds / statistics.median(run(5)[1:])))) for name, run in contestants.items()}
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    shuffle = random.Random(0).shuffle
    with _no_collector():
        for _ in range(rounds):
            shuffle(order)
            for name in order:
                samples[name].append(statistics.median(contestants[name](calls[name])))
    return samples


@contextmanager
def _no_collector() -> Any:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
