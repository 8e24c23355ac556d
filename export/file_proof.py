"""The proof of a file that was written anew: it is run in onnxruntime beside the file that it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import onnxruntime
from onnx import ModelProto

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
from unroll.export.choice import in_milliseconds
from unroll.export.running.session import Session
from unroll.export.tuning import measured_seconds
from unroll.export.verifying.random_nodes import random_nodes
from unroll.export.verifying.verification import check_given
from unroll.export.verifying.verification_report import Difference, compare
from unroll.graph import Graph
from unroll.progress import busy
from unroll.randomness import why_random
from unroll.trials.trial_runs import none_runs, run_trials

#: What a run raises on sizes, indices or values that the original does not allow; a native operator takes no empty
#: feeds.
_NOT_ALLOWED = (EvaluationError, ShapeError, FeedError, UnsupportedError)
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
            f"a run took {in_milliseconds(self.before)} ms and takes {in_milliseconds(self.after)} ms, {gain}: "
            f"medians in onnxruntime on this machine, both in turns, on {self.feeds}"
        )


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
        tolerance: see `unroll.export.file_rerolling.reroll_file`.
        seed: of the feeds.
        feeds: see there.
        dims: see there.

    Raises:
        VerificationError: an output differs.
        NoWitnessError: the original runs on none of the feeds, or draws random numbers; the message says which.
        ArgumentError, ArgumentTypeError, FeedError, ShapeError, DTypeError: `feeds` or `dims` do not fit.
    """
    return compared(original, model, graph, tolerance=tolerance, seed=seed, feeds=feeds, dims=dims).proof()


def compared(
    original: ModelProto,
    model: ModelProto,
    graph: Graph,
    *,
    tolerance: float | None,
    seed: int,
    feeds: Given | None,
    dims: Mapping[str, int] | None,
    values: Mapping[str, Any] | None = None,
    what: str = "reroll",
) -> Both:
    """Run two models side by side; see `prove`.

    Args:
        original: see there.
        model: see there.
        graph: what can be fed to both.
        tolerance: see there.
        seed: see there.
        feeds: see there.
        dims: see there.
        values: what the original is fed besides, and the model has fixed.
        what: who asks, for messages.

    Raises:
        VerificationError: an output differs.
        NoWitnessError: the original runs on none of the feeds, or draws random numbers.
        ArgumentTypeError: `feeds` is neither a dict nor a list of such; and what `prove` says of feeds and sizes.
    """
    both = Both(original, model, graph, tolerance, values or {})
    if feeds is None:
        drawing = {"seed": seed, "dims": dims, "count": _FEEDS, "rows": _ROWS, "what": what}
        refused = run_trials(graph, both.run, refusals=_NOT_ALLOWED, **drawing).refused
        why = none_runs(graph, refused) if not both.tried else ""
    else:
        check_given(feeds, dims, what)
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


class Both:
    """Runs two models on the same feeds, and keeps how far they were apart."""

    def __init__(
        self,
        original: ModelProto,
        model: ModelProto,
        graph: Graph,
        tolerance: float | None,
        values: Mapping[str, Any],
    ) -> None:
        quiet = onnxruntime.SessionOptions()
        quiet.log_severity_level = 4  # that the original refuses a feed is not worth a message
        self._old, self._new = Session(original, quiet), Session(model, quiet)
        self._models = original, model
        self._graph, self._tolerance, self._values = graph, tolerance, values
        self._last: dict[str, Array] = {}
        self.rows: list[Difference] = []
        self.tried: list[str] = []

    def run(self, feeds: dict[str, Array]) -> dict[str, Array]:
        """Compare the outputs on some feeds, and return those of the original.

        Raises:
            EvaluationError, ShapeError, FeedError, UnsupportedError: the feeds are not allowed.
            VerificationError: they are, and the new model fails on them.
        """
        expected = self._old.run({**self._graph.check_feeds(feeds), **self._values})
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in feeds.items())
        try:
            found = self._new.run(feeds)
        except (EvaluationError, ShapeError, FeedError) as error:
            raise VerificationError(
                f"the model in its new form fails on feeds that the original takes, {shapes}; nothing was written: {error}"
            ) from None
        self.rows += [
            compare(name, "the model in its new form", expected[name], found[name], self._tolerance)
            for name in expected
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
