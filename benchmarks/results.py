"""What was measured, as it is kept in a JSON file, and the bars that it is held against."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cases import PAIRS, ROWS, Row
from timing import Spread

#: A contestant's samples in seconds, a round each; or why there are none.
Samples: TypeAlias = "list[float] | str"

OURS = {
    "unrolled": "unroll, unrolled as traced",
    "optimised": "unroll, unrolled and optimised",
    "rerolled": "unroll, rerolled",
    "scan": "unroll, scan",
    "auto": "unroll, auto",
    "auto-torch": "unroll, auto, of torch's program",
    "compiled": "unroll.compile, through Session.run",
    "bound": "unroll.compile, through Session.bind",
}
PEERS = {
    "tf2onnx": "tf2onnx of static_rnn",
    "torch": "torch.onnx of nn.LSTM",
    "torch-eager": "torch eager, nn.LSTM",
    "jax-scan": "JAX jit, scan",
    "jax-unrolled": "JAX jit, unrolled",
}
ONNX_PEERS = ("tf2onnx", "torch")
#: What auto chooses among, for the question how often the cost model is right.
CHOICES = ("unrolled", "optimised", "rerolled", "scan")


@dataclass
class Results:
    """All figures of one run of the benchmark."""

    about: dict[str, str] = field(default_factory=dict)
    #: By threads ("one" or "default"), row and contestant.
    times: dict[str, dict[str, dict[str, Samples]]] = field(default_factory=dict)
    #: By threads and row: the form that `unroll.compile` chose by measuring.
    chosen: dict[str, dict[str, str]] = field(default_factory=dict)
    #: By job and case: what each process found, or {"missing": why}.
    costs: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)

    def spread(self, threads: str, row: Row, name: str) -> Spread | None:
        """Return a contestant's median and quartiles, or None where it is missing."""
        samples = self.times.get(threads, {}).get(row.key, {}).get(name, "not measured")
        return None if isinstance(samples, str) else Spread.of(samples)

    def cost(self, job: str, case: object, what: str) -> float | None:
        """Return the median of a figure over its processes, or None where it is missing."""
        found = [run[what] for run in self.costs.get(job, {}).get(str(case), []) if what in run]
        return statistics.median(found) if found else None


@dataclass(frozen=True)
class Bar:
    """One line of the table of bars."""

    what: str
    at_most: float
    reached: float | None
    unit: str = ""
    #: The peer's own upper quartile over its median: what the bar allows beyond its figure.
    allowed: float | None = None

    @property
    def verdict(self) -> str:
        if self.reached is None:
            return "not measured"
        return "holds" if self.reached <= max(self.at_most, self.allowed or 0.0) else "does not hold"


def bars(results: Results) -> list[Bar]:
    """Return every bar, in the order of the issue that set them; run times are those on one core."""
    return [
        *(_against_fastest(results, name, row) for name in ("auto", "compiled") for row in ROWS),
        _against_flat(results, "auto", ROWS[0], 0.12),
        _against_flat(results, "auto", ROWS[-1], 0.03),
        *(_against_flat(results, "optimised", row, 0.75) for row in ROWS if row.batch == 1),
        *(_against_flat(results, "optimised", row, 1.0) for row in ROWS if row.batch != 1),
        *(_against_flat(results, "optimised", row, 0.75) for row in PAIRS),
        *(_against_fastest(results, "auto", row) for row in PAIRS),
        *_cost_bars(results),
    ]


def _against_fastest(results: Results, name: str, row: Row) -> Bar:
    peers = {peer: results.spread("one", row, peer) for peer in ONNX_PEERS}
    found = {peer: spread for peer, spread in peers.items() if spread is not None}
    fastest = min(found, key=lambda peer: found[peer].median, default=None)
    what = f"{OURS[name]} / fastest ONNX peer, at {row}"
    # Each peer is held against its own program: torch's gives h and c with an axis more.
    ours = results.spread("one", row, "auto-torch" if (name, fastest) == ("auto", "torch") else name)
    if fastest is None or ours is None or len(found) < len(ONNX_PEERS):
        return Bar(what, 1.0, None)
    peer = found[fastest]
    return Bar(f"{what} ({fastest})", 1.0, ours.median / peer.median, allowed=peer.high / peer.median)


def _against_flat(results: Results, name: str, row: Row, at_most: float) -> Bar:
    reached = _ratio(_median(results, name, row), _median(results, "tf2onnx", row))
    return Bar(f"{OURS[name]} / tf2onnx, at {row}", at_most, reached)


def _median(results: Results, name: str, row: Row) -> float | None:
    spread = results.spread("one", row, name)
    return None if spread is None else spread.median


def _cost_bars(results: Results) -> list[Bar]:
    short, long = (results.cost("build optimised", steps, "seconds") for steps in (1000, 10_000))
    memory = results.cost("build optimised", 10_000, "peak")
    loaded = [results.cost("load ours", steps, "seconds") for steps in (1000, 4000)]
    peaks = [results.cost(f"load {whose}", 4000, "peak") for whose in ("ours", "plain")]
    made = "trace + optimise + export"
    return [
        Bar(
            f"{made}, T = 1,000, / TensorFlow + tf2onnx", 0.01, _ratio(short, results.cost("tf2onnx", 1000, "seconds"))
        ),
        Bar(f"{made}, T = 10,000 / T = 1,000", 12, _ratio(long, short)),
        Bar("session of the unrolled form, T = 4,000 / T = 1,000", 5, _ratio(loaded[1], loaded[0])),
        Bar("the same, peak memory at T = 4,000 / onnxruntime's own settings", 2, _ratio(*peaks)),
        Bar(f"peak memory of {made} at T = 10,000", 600, None if memory is None else memory / 1e6, "MB"),
        *(
            Bar(f"T = 100,000 to the first result, {form}", 20, results.cost("first", f"{form} 100000", "seconds"), "s")
            for form in ("rerolled", "scan")
        ),
    ]


def _ratio(ours: float | None, other: float | None) -> float | None:
    return None if ours is None or other is None else ours / other


@dataclass(frozen=True)
class Choice:
    """What the cost model's choice costs at one row, beside the fastest form measured there."""

    row: Row
    auto: Spread
    fastest: str
    best: Spread

    @property
    def right(self) -> bool:
        """Whether auto's median lies within the fastest form's quartiles, or a twentieth above its median."""
        return self.auto.median <= max(self.best.high, 1.05 * self.best.median)


def choices(results: Results, rows: tuple[Row, ...] = ROWS) -> list[Choice]:
    """Return a line for each row at which auto and at least two forms were measured."""
    lines = []
    for row in rows:
        auto = results.spread("one", row, "auto")
        forms = {name: spread for name in CHOICES if (spread := results.spread("one", row, name)) is not None}
        if auto is None or len(forms) < 2:
            continue
        fastest = min(forms, key=lambda name: forms[name].median)
        lines.append(Choice(row, auto, fastest, forms[fastest]))
    return lines
