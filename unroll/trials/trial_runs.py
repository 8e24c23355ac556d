"""Running on trial feeds: which of them a graph takes, and why it refuses the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from unroll.dtypes import Array
from unroll.errors import EvaluationError, FeedError, ShapeError, UnrollError
from unroll.graph import Graph
from unroll.sizes import free_symbols, shown
from unroll.trials.trial_feeds import ALIKE, Trial, trials

#: What a run raises on a size, an index or a value that a graph does not allow.
REFUSALS: tuple[type[UnrollError], ...] = (EvaluationError, ShapeError, FeedError)


class Ran(NamedTuple):
    """Feeds that a graph took.

    Attributes:
        trial: the feeds.
        outputs: the outputs on them.
    """

    trial: Trial
    outputs: dict[str, Array]


class Runs(NamedTuple):
    """The results of trial feeds.

    Attributes:
        ran: the feeds that the graph took.
        refused: the sizes of the others, and why not, in words.
    """

    ran: list[Ran]
    refused: list[str]


def run_trials(
    graph: Graph,
    run: Callable[[dict[str, Array]], dict[str, Array]],
    *,
    refusals: tuple[type[UnrollError], ...] = REFUSALS,
    **drawing: Any,
) -> Runs:
    """Run on feeds made for a graph: with sizes that all differ, and only where it takes none of these, with some that
    are alike.

    Args:
        graph: the graph that the feeds are made for.
        run: runs it, or a model of it, on ``{input name: array}``.
        refusals: the errors that say that feeds are not allowed; others are raised.
        drawing: options of `unroll.trials.trial_feeds.trials`.

    Raises:
        ArgumentError, ArgumentTypeError: the options are not right, or there are no sizes that the graph allows.
    """
    refused: list[str] = []
    for alike in ladder(graph, drawing.get("dims")):
        runs = attempted(trials(graph, alike=alike, **drawing), run, refusals)
        refused += runs.refused
        if runs.ran:
            return Runs(runs.ran, refused)
    return Runs([], refused)


def ladder(graph: Graph, dims: Mapping[str, int] | None) -> tuple[str, ...]:
    """Return what to try in turn, as `trials` takes it: sizes that differ; then, where several are open, some alike."""
    several = len(set(free_symbols(graph)) - set(dims or ())) > 1
    return ALIKE if several else ALIKE[:1]


def attempted(
    given: Iterable[Trial],
    run: Callable[[dict[str, Array]], dict[str, Array]],
    refusals: tuple[type[UnrollError], ...] = REFUSALS,
) -> Runs:
    """Run on each of some trial feeds; see `run_trials` for the arguments."""
    ran: list[Ran] = []
    refused: list[str] = []
    for trial in given:
        try:
            ran.append(Ran(trial, run(trial.feeds)))
        except refusals as error:
            refused.append(f"{sizes_text(trial.sizes)}: {error}")
    return Runs(ran, refused)


def none_runs(graph: Graph, refused: list[str]) -> str:
    """Return why nothing could be run, in words: of which inputs, what was tried, what each attempt met, and what to do."""
    tried = "; ".join(dict.fromkeys(refused[:3]))
    return (
        f"no feeds could be made on which it runs: the inputs are {shown(graph)}; tried {tried}. Give the sizes that belong "
        'together as dims={"name": size}, or feeds'
    )


def sizes_text(sizes: Mapping[str, int]) -> str:
    """Return sizes in words."""
    return ", ".join(f"{name} = {size}" for name, size in sizes.items()) or "sizes as fixed"
