"""Re-rolling a flat ONNX file: read, re-roll, write, and prove the result against the original before it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import onnxruntime
from onnx import ModelProto

from unroll.arguments import checked
from unroll.checks import shown
from unroll.dtypes import Array
from unroll.errors import (
    ArgumentTypeError,
    EvaluationError,
    FeedError,
    NoWitnessError,
    ShapeError,
    UnsupportedError,
    VerificationError,
)
from unroll.export.lowering import DEFAULT_OPSET, to_onnx
from unroll.export.reading.opaque_nodes import ONNX_DOMAIN
from unroll.export.reading.reader import from_onnx, load_model
from unroll.export.running.session import Session
from unroll.export.saving import save
from unroll.export.tuning import measured_seconds
from unroll.export.verifying.random_nodes import random_nodes
from unroll.export.verifying.verification import DIMS_FIX, check_given, check_seed, check_tolerance
from unroll.export.verifying.verification_report import Difference, compare
from unroll.files import as_path
from unroll.graph import Graph
from unroll.passes.rerolling import Rerolled, reroll
from unroll.progress import busy
from unroll.randomness import why_random
from unroll.trials.trial_runs import none_runs, run_trials

#: What a run raises on sizes, indices or values that the original does not allow; a native operator takes no empty
#: feeds.
_NOT_ALLOWED = (EvaluationError, ShapeError, FeedError, UnsupportedError)
#: Operators whose kernels in onnxruntime give a number where a gate is NaN; see `unroll.export.verifying.known_faults`.
_HIDE_NAN = ("GRU", "LSTM")
#: How many feeds are made, the last of batch 1.
_FEEDS = 4
#: Up to how many rows the first feeds have, so that every length and every row of a table comes up.
_ROWS = 32
#: Feeds that are given: one set, or several.
Given = Mapping[Any, Any] | Sequence[Mapping[Any, Any]]


class Proof(NamedTuple):
    """What showed that two models compute the same.

    Attributes:
        differences: one row an output and feed.
        feeds: the shapes of each feed that both were run on.
    """

    differences: tuple[Difference, ...]
    feeds: tuple[str, ...]

    @property
    def worst(self) -> Difference:
        """The row with the largest difference."""
        return max(self.differences, key=lambda row: (not row.agrees, row.scaled))

    def __str__(self) -> str:
        row = self.worst
        count = len(self.feeds)
        return (
            f"the same in onnxruntime on {count} feed{'s' if count != 1 else ''}: worst difference {row.far} "
            f"(tolerance {row.tolerance:g}), on {row.output}"
        )


class Times(NamedTuple):
    """How long a run of two models takes on one machine.

    Attributes:
        before: the median of the original, in seconds.
        after: the median of the new one.
        feeds: the shapes of what both were run on.
    """

    before: float
    after: float
    feeds: str

    def __str__(self) -> str:
        ratio = self.before / self.after
        gain = f"{ratio:.2g} times as fast" if ratio >= 1 else f"{1 / ratio:.2g} times as slow"
        return (
            f"a run took {self.before * 1e6:.4g} us and takes {self.after * 1e6:.4g} us, {gain}: medians in onnxruntime on "
            f"this machine, both in turns, on {self.feeds}"
        )


class RerolledFile(NamedTuple):
    """A file that was re-rolled.

    Attributes:
        path: where it was written.
        report: the recurrences found, and what each became.
        before: how many nodes of each operator the original has.
        after: how many the result has.
        proof: how it was compared with the original.
        times: how long both take, where that was asked for.
    """

    path: Path
    report: Rerolled
    before: dict[str, int]
    after: dict[str, int]
    proof: Proof
    times: Times | None = None

    def __str__(self) -> str:
        nodes = f"{sum(self.before.values())} nodes became {sum(self.after.values())}"
        hidden = [name for name in _HIDE_NAN if name in self.after and name not in self.before]
        more = (
            f". NaN was not fed: onnxruntime's {' and '.join(hidden)} hides it where the original does not"
            if hidden
            else ""
        )
        gained = "" if self.times is None else f"\n{self.times}"
        return f"{self.report}\n{nodes}; {self.proof}{more}{gained}"


@checked()
def reroll_file(
    source: ModelProto | str | Path,
    target: object,
    *,
    opset: int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    feeds: Given | None = None,
    dims: Mapping[str, int] | None = None,
    measure: bool = False,
) -> RerolledFile:
    """Write a flat ONNX model's repeated steps as native recurrent operators, or loops, and save it once it is proven.

    Args:
        source: the model, or its path.
        target: the ``.onnx`` file to write; an existing one (the source among them) is replaced only by a whole, proven one.
        opset: of the model written; by default the source's, or 13 where that is older.
        tolerance: original and result agree where ``|a - b| <= tolerance * max(1, |b|)``; by default 1e-5 for float32.
        seed: of the feeds on which both are run in onnxruntime.
        feeds: the feeds, ``{input: array}`` or a list of such dicts; by default they are made (see
            `unroll.trials.trial_feeds`).
        dims: sizes of symbols by name, for the feeds that are made; others are chosen. A file that has 12 steps baked
            in, though its axis is called ``time``, needs ``dims={"time": 12}``.
        measure: also say how long a run of both takes, on the last of the feeds; those that are made end in a batch of 1.

    Returns:
        What was found, what became of it, the proof, and the times where they are asked for.

    Raises:
        FileError, ModelError, UnsupportedError: the source cannot be read (see `from_onnx`) or the target not be written.
        UnsupportedError: nothing was re-rolled; the message says which node prevents it.
        ArgumentError: an invalid tolerance or seed, or `dims` that name no symbol of the inputs.
        FeedError, ShapeError, DTypeError: the feeds given do not fit the inputs.
        VerificationError: the result differs from the original; nothing is written.
        NoWitnessError: nothing can be said: no feeds could be made that the original takes, or it draws random numbers;
            nothing is written.
    """
    check_tolerance(tolerance, "reroll")
    check_seed(seed, "reroll")
    path = as_path(target, "reroll")
    original = load_model(source)
    graph = from_onnx(original)
    _, report = reroll(graph, dims=dims)
    if (
        report.proof is not None and report.proof.holds is None
    ):  # onnxruntime may tell, with the original beside the result
        _, report = reroll(graph, check=False)
    if not report:
        raise UnsupportedError(f"nothing was re-rolled, and nothing written: {report}")
    its_own = next((item.version for item in original.opset_import if item.domain in ONNX_DOMAIN), DEFAULT_OPSET)
    written = max(its_own, DEFAULT_OPSET) if opset is None else opset
    model = to_onnx(graph, form="rerolled", opset=written, check=False)  # it is compared with the file's own bytes
    both = _compared(original, model, graph, tolerance=tolerance, seed=seed, feeds=feeds, dims=dims)
    times = both.times() if measure else None
    return RerolledFile(save(model, path), report, _operators(original), _operators(model), both.proof(), times)


def rewrite_file(
    source: ModelProto | str | Path,
    target: object,
    make: Callable[[Graph], ModelProto],
    *,
    feeds: Given | None = None,
    dims: Mapping[str, int] | None = None,
) -> tuple[Path, Proof]:
    """Write an ONNX model anew, and save it once it is proven.

    Args:
        source: the model, or its path.
        target: the ``.onnx`` file to write; an existing one is replaced only by a whole, proven one.
        make: makes the new model of the old one's graph.
        feeds: see `reroll_file`.
        dims: see `reroll_file`.

    Returns:
        The path, and the proof.

    Raises:
        FileError, ModelError, UnsupportedError: the source cannot be read (see `from_onnx`) or run in onnxruntime, or the
            target not be written; and whatever `make` raises.
        VerificationError, NoWitnessError: the result differs from the original, or nothing can be said; nothing is written.
    """
    path = as_path(target, "export")
    original = load_model(source)
    graph = from_onnx(original)
    model = make(graph)
    proof = prove(original, model, graph, feeds=feeds, dims=dims)
    return save(model, path), proof


def prove(
    original: ModelProto,
    model: ModelProto,
    graph: Graph,
    *,
    tolerance: float | None = None,
    seed: int = 0,
    feeds: Given | None = None,
    dims: Mapping[str, int] | None = None,
) -> Proof:
    """Run two models in onnxruntime on feeds that are made to tell them apart, and compare every output.

    Args:
        original: the model to compare with.
        model: the model that should compute the same.
        graph: the original as a graph, which says what can be fed.
        tolerance: see `reroll_file`.
        seed: of the feeds.
        feeds: see `reroll_file`.
        dims: see `reroll_file`.

    Raises:
        VerificationError: an output differs.
        NoWitnessError: the original runs on none of the feeds, or draws random numbers; the message says which.
        ArgumentError, ArgumentTypeError, FeedError, ShapeError, DTypeError: `feeds` or `dims` do not fit.
    """
    return _compared(original, model, graph, tolerance=tolerance, seed=seed, feeds=feeds, dims=dims).proof()


def _compared(
    original: ModelProto,
    model: ModelProto,
    graph: Graph,
    *,
    tolerance: float | None,
    seed: int,
    feeds: Given | None,
    dims: Mapping[str, int] | None,
) -> _Both:
    """Run two models side by side; see `prove`, and what it raises."""
    both = _Both(original, model, graph, tolerance)
    if feeds is None:
        drawing = {"seed": seed, "dims": dims, "count": _FEEDS, "rows": _ROWS, "what": "reroll"}
        refused = run_trials(graph, both.run, refusals=_NOT_ALLOWED, **drawing).refused
        why = none_runs(graph, refused, DIMS_FIX) if not both.tried else ""
    else:
        check_given(feeds, dims, "reroll")
        if not isinstance(feeds, (Mapping, list, tuple)):
            raise ArgumentTypeError(
                f"feeds are {shown(feeds)}; a dict {{input: array}}, or a list of such dicts, is wanted"
            )
        for given in [feeds] if isinstance(feeds, Mapping) else feeds:
            both.run(graph.check_feeds(given))
        why = "" if both.tried else "no feeds were given"
    if why:
        raise NoWitnessError(f"nothing can be proven, and nothing was written: {why}")
    proof = both.proof()
    if not proof.worst.agrees:
        row, drawn = proof.worst, why_random(random_nodes(original))
        if drawn:
            raise NoWitnessError(f"nothing can be proven, and nothing was written: {drawn}")
        raise VerificationError(
            f"the model in its new form differs from the original on output {row.output!r} by {row.absolute:.3g}, "
            f"more than the tolerance {row.tolerance:g}; nothing was written"
        )
    return both


class _Both:
    """Runs two models on the same feeds, and keeps how far they were apart."""

    def __init__(self, original: ModelProto, model: ModelProto, graph: Graph, tolerance: float | None) -> None:
        quiet = onnxruntime.SessionOptions()
        quiet.log_severity_level = 4  # that the original refuses a feed is not worth a message
        self._old, self._new = Session(original, quiet), Session(model, quiet)
        self._models = original, model
        self._graph, self._tolerance = graph, tolerance
        self._last: dict[str, Array] = {}
        self.rows: list[Difference] = []
        self.tried: list[str] = []

    def run(self, feeds: dict[str, Array]) -> dict[str, Array]:
        """Compare the outputs on some feeds, and return those of the original.

        Raises:
            EvaluationError, ShapeError, FeedError, UnsupportedError: the feeds are not allowed.
            VerificationError: they are, and the new model fails on them.
        """
        expected = self._old.run(self._graph.check_feeds(feeds))
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in feeds.items())
        try:
            found = self._new.run(feeds)
        except (EvaluationError, ShapeError, FeedError) as error:
            raise VerificationError(
                f"the model in its new form fails on feeds that the original takes, {shapes}; nothing was written: {error}"
            ) from None
        self.rows += [
            compare(name, "the re-rolled model", expected[name], found[name], self._tolerance) for name in expected
        ]
        self.tried.append(shapes)
        self._last = feeds
        return expected

    def proof(self) -> Proof:
        """Return what was found."""
        return Proof(tuple(self.rows), tuple(self.tried))

    def times(self) -> Times:
        """Measure both on the last feeds, as each runs by itself.

        Raises:
            EvaluationError: one of them, which ran before, fails.
        """
        sessions = [Session(model) for model in self._models]
        with busy("measuring"):
            found = measured_seconds(
                {place: partial(session.run, self._last) for place, session in enumerate(sessions)}
            )
        medians = []
        for item in found.values():
            if isinstance(item, Exception):
                raise EvaluationError(f"the times cannot be measured: {item}")
            medians.append(item[0])
        before, after = medians
        return Times(before, after, self.tried[-1])


def _operators(model: ModelProto) -> dict[str, int]:
    return dict(Counter(node.op_type for node in model.graph.node))
