"""Holding two graphs against each other by numbers: both are run in NumPy on the same feeds.

A pass reads no Parameter's value, so what it claims holds for any: Parameters are drawn like feeds, for a bias of zeros would
hide that a bias was lost. Everything of a floating dtype is computed in float64, where two ways of writing one formula differ
by 1e-15 and a lost term by 1e-2; so the bar lies far from both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.comparison import array_difference
from unroll.dtypes import Array
from unroll.errors import UnrollError
from unroll.evaluator import evaluate
from unroll.feeds import bound_sizes
from unroll.graph import Graph, leaves_of
from unroll.ops.recurrence import Recurrent
from unroll.ops.scan import Scan
from unroll.parameter import Parameter
from unroll.passes.weights import weight_values
from unroll.randomness import random_operators, why_random
from unroll.sizes import symbols_of
from unroll.trial_feeds import Trial
from unroll.trial_runs import Ran, Runs, none_runs, run_trials

#: How far numbers may differ in float64, relative to the largest of a tensor, or to 1 where that is less.
TOLERANCE = 1e-7
#: The same where an operator of another model's file rounds what it is given to float32.
NARROW_TOLERANCE = 1e-5
#: How many feeds there are, each of a batch of its own.
_FEEDS = 2
#: Of how many steps a loop of the old graph is run at most; flat steps that become a loop are fewer (see `prove`).
MOST_STEPS = 200


class Proof(NamedTuple):
    """What showed that a rewriting computes the same; true where it does.

    Attributes:
        holds: whether old and new agree; None where no proof could be made.
        said: in words what was compared; else what differs, or why no proof could be made.
        means: how: ``"numbers"``.
    """

    holds: bool | None
    said: str
    means: str = "numbers"

    def __bool__(self) -> bool:
        return self.holds is True

    def __str__(self) -> str:
        if self.holds:
            return f"proven by {self.means}: {self.said}"
        return f"{'differs' if self.holds is False else 'cannot be proven'}: {self.said}"


class Given(NamedTuple):
    """What a user gives to a proof, for what cannot be guessed.

    Attributes:
        dims: sizes of symbols by name.
        feeds: an array for each input, checked; None where they are to be drawn.
    """

    dims: Mapping[str, int]
    feeds: dict[str, Array] | None


def by_numbers(before: Graph, after: Graph, what: str, given: Given) -> Proof:
    """Run both graphs, on Parameters drawn at random, and on those of now where the others give no finite numbers.

    Args:
        before: the old graph, which says which feeds there can be.
        after: the new one.
        what: what part of a network this is, for the proof's words.
        given: sizes, or feeds, to use.
    """
    most_steps = MOST_STEPS if loops(before) else None  # else the steps of a flat graph could not be told from a loop's
    drawn = _drawn_parameters(before)
    old, new = (_Side(graph, drawn, most_steps) for graph in (before, after))
    now: list[bool] = []

    def run(fed: dict[str, Array]) -> dict[str, Array]:
        outputs, by_now = old.outputs(fed)
        now.append(by_now)
        return outputs

    try:
        runs = _runs(before, run, given)
    except UnrollError as error:  # no sizes are allowed
        return Proof(None, str(error))
    if not runs.ran:
        return Proof(None, none_runs(before, runs.refused))
    pairs = list(zip(runs.ran, now, strict=True))
    telling = [pair for pair in pairs if _any_finite(pair[0].outputs)] or pairs
    if not any(array.size for ran, _ in telling for array in ran.outputs.values()):
        return Proof(None, f"the outputs have no elements ({_all_sizes(telling)})")
    for ran, by_now in telling:
        difference = _difference(ran, new, by_now, NARROW_TOLERANCE if old.narrow else TOLERANCE)
        if difference:
            random = why_random(random_operators(before))
            return Proof(None, random) if random else Proof(False, difference)
    sizes = _all_sizes(telling)
    feeds = f"{len(telling)} feed{'s' * (len(telling) > 1)}" + (f" ({sizes})" if sizes else "")
    finite = "" if _any_finite(telling[0][0].outputs) else "; no output is a finite number, in either"
    return Proof(True, f"the same in NumPy {what}, on {feeds}{finite}")


def _runs(before: Graph, run: Callable[[dict[str, Array]], dict[str, Array]], given: Given) -> Runs:
    if given.feeds is not None:
        trial = Trial(given.feeds, bound_sizes(before.input_specs, given.feeds))
        return Runs([Ran(trial, run(trial.feeds))], [])
    names = symbols_of(before) if given.dims else {}  # those of a stretch may be fewer
    dims = {name: size for name, size in given.dims.items() if name in names}
    return run_trials(before, run, refusals=(UnrollError,), count=_FEEDS, dims=dims)


def _difference(ran: Ran, new: _Side, now: bool, tolerance: float) -> str:
    """Return what the new graph gives that differs, in words; empty where nothing does."""
    sizes = _sizes(ran)
    try:
        seen = new.run(ran.trial.feeds, now)
    except UnrollError as error:
        return f"the old graph runs{sizes and ' with '}{sizes} and the new one does not: {error}"
    for name, left in ran.outputs.items():
        difference = array_difference(left, seen[name], tolerance)
        if difference:
            return f"output {name}{sizes and ' with '}{sizes}: {difference}"
    return ""


def _sizes(ran: Ran) -> str:
    return ", ".join(f"{name} = {size}" for name, size in ran.trial.sizes.items())


def _all_sizes(pairs: Sequence[tuple[Ran, bool]]) -> str:
    return "; ".join(dict.fromkeys(filter(None, (_sizes(ran) for ran, _ in pairs))))


class _Side:
    """A graph that is run again and again: what depends on weights alone is computed once."""

    def __init__(self, graph: Graph, drawn: Mapping[Parameter, Array], most_steps: int | None) -> None:
        self.narrow = any(node.op.narrow for node in graph.nodes)
        self._graph, self._drawn, self._most_steps = graph, drawn, most_steps
        self._weights: dict[bool, dict[Any, Array]] = {}  # by Parameter and Tensor

    def outputs(self, fed: dict[str, Array]) -> tuple[dict[str, Array], bool]:
        """Return the outputs, with some finite numbers where there are any, and whether Parameters had their values of now.

        Raises:
            UnrollError: the graph does not take the feeds.
        """
        try:
            outputs = self.run(fed, now=False)
            if _any_finite(outputs):
                return outputs, False
        except UnrollError:
            pass  # numbers drawn at random may not do, such as for a place in a table
        return self.run(fed, now=True), True

    def run(self, fed: dict[str, Array], now: bool) -> dict[str, Array]:
        """Return the outputs, with Parameters as they are now or as they were drawn."""
        arrays = self._graph.check_feeds(fed)
        if now not in self._weights:
            values: Mapping[Parameter, Array] = {} if now else self._drawn
            self._weights[now] = weight_values(self._graph, wide=True, given=values)
            self._weights[now].update(values)
        given = self._weights[now]
        outputs = evaluate(
            self._graph, arrays, self._graph.outputs, wide=True, given=given, most_steps=self._most_steps
        )
        return dict(zip(self._graph.output_names, outputs, strict=True))


def _any_finite(outputs: Mapping[str, Array]) -> bool:
    return any(array.size and (array.dtype.kind != "f" or np.isfinite(array).any()) for array in outputs.values())


def loops(graph: Graph) -> set[tuple[str, int]]:
    """Return the kinds of loops in a graph: the operator, and how wide or how large it is."""
    return {
        (node.op.name, node.op.hidden_size if isinstance(node.op, Recurrent) else len(node.op.body.nodes))
        for node in graph.nodes
        if isinstance(node.op, (Recurrent, Scan))
    }


def _drawn_parameters(graph: Graph) -> dict[Parameter, Array]:
    """Draw a value for each Parameter: no zeros, both signs, and none so large that activations are saturated."""
    rng = np.random.default_rng(0)
    drawn: dict[Parameter, Array] = {}
    for parameter in leaves_of(graph.nodes):
        if not isinstance(parameter, Parameter) or parameter.dtype.kind != "f":
            continue
        shape = parameter.value.shape
        most = 2 / max(4, max(shape[-2:], default=4)) ** 0.5
        drawn[parameter] = rng.uniform(0.1 * most, most, shape) * rng.choice([-1.0, 1.0], shape)
    return drawn
