"""Comparing two graphs by numbers: both are run in NumPy on the same feeds.

A pass reads no Parameter's value, so its result must hold for any value. Parameters are drawn like feeds: a bias of
zeros would hide that a bias was lost. Everything of a floating dtype is computed in float64, where two ways of writing
one formula differ by 1e-15 and a lost term by 1e-2; so the limit lies far from both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from unroll.comparison import array_difference
from unroll.dtypes import Array
from unroll.errors import UnrollError, UnsupportedError
from unroll.evaluator import evaluate
from unroll.feeds import bound_sizes
from unroll.graph import Graph
from unroll.ops.recurrent_loop import Recurrent
from unroll.ops.scan import Scan
from unroll.parameter import Parameter
from unroll.passes.tools.weight_expressions import weight_values
from unroll.randomness import random_operators, why_random
from unroll.sizes import symbols_of
from unroll.structure import leaves_of
from unroll.trials.trial_feeds import Trial
from unroll.trials.trial_numbers import RANGES
from unroll.trials.trial_runs import Ran, Runs, none_runs, run_trials

#: How far a number may differ in float64, relative to the largest of its row, or to 1 where that is less, by the bytes
#: of the narrowest floating dtype in the graph: what a pass folds or multiplies is rounded to its own dtype.
TOLERANCES = {2: 1e-2, 4: 1e-6, 8: 1e-9}
#: How far numbers may differ, relative to the largest, where an operator of another model's file rounds to float32.
NARROW_TOLERANCE = 1e-5
#: How many feeds there are, each of a batch of its own, of a graph of few nodes and of others; and up to how many are added
#: for lengths, places in a table and booleans that have not come up.
_MORE_FEEDS, _FEEDS, _EXTRA, _FEW_NODES = 4, 2, 3, 500
#: Up to how many rows the first feed has; and above how many elements of one row there is but one feed.
_ROWS, _LARGE_INPUTS = 32, 1_000_000
#: The share of an output that must be finite for a comparison to count.
_SHARE = 0.25
#: Of how many steps a loop of the old graph is run at most; flat steps that become a loop are fewer (see `prove`).
MOST_STEPS = 200


class Proof(NamedTuple):
    """What showed that a rewriting computes the same; true where it does.

    Attributes:
        holds: whether old and new agree; None where no proof could be made.
        said: what was compared, in words; or what differs, or why no proof could be made.
        means: how it was shown: ``"numbers"``, or ``"structure"``.
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
    """What a user adds to a proof: sizes and feeds that cannot be guessed.

    Attributes:
        dims: sizes of symbols by name.
        feeds: an array for each input, checked; None where they are to be drawn.
    """

    dims: Mapping[str, int]
    feeds: dict[str, Array] | None


def by_numbers(before: Graph, after: Graph, what: str, given: Given, *, stretch: bool = False) -> Proof:
    """Run both graphs, on Parameters drawn at random, and on their current values where random ones give no finite
    numbers.

    Args:
        before: the old graph, which says which feeds there can be.
        after: the new one.
        what: what part of a network this is, for the proof's words.
        given: sizes, or feeds, to use.
        stretch: whether this is one of several parts, each of which has fewer feeds.
    """
    most_steps = MOST_STEPS if loops(before) else None  # else the steps of a flat graph could not be told from a loop's
    drawn = _drawn_parameters(before)
    old, new = (_Side(graph, drawn, most_steps) for graph in (before, after))
    settings: list[_Setting] = []

    def run(fed: dict[str, Array]) -> dict[str, Array]:
        outputs, setting = old.outputs(fed)
        settings.append(setting)
        return outputs

    try:
        runs = _runs(before, run, given, stretch)
    except UnrollError as error:  # no sizes are allowed, or NumPy cannot compute an operator
        return Proof(None, str(error))
    if not runs.ran:
        return Proof(None, none_runs(before, runs.refused))
    pairs = list(zip(runs.ran, settings, strict=True))
    telling = [pair for pair in pairs if _finite_share(pair[0].outputs) > 0] or pairs
    if not any(array.size for ran, _ in telling for array in ran.outputs.values()):
        sizes = _all_sizes(telling)
        return Proof(None, "the outputs have no elements" + (f" ({sizes})" if sizes else ""))
    for ran, setting in telling:
        difference = _difference(ran, new, setting, old)
        if difference:
            random = why_random(random_operators(before))
            return Proof(None, random) if random else Proof(False, difference)
    sizes = _all_sizes(telling)
    feeds = f"{len(telling)} feed{'s' * (len(telling) > 1)}" + (f" ({sizes})" if sizes else "")
    finite = "" if _finite_share(telling[0][0].outputs) > 0 else "; an output holds no finite number, in either"
    return Proof(True, f"the same in NumPy {what}, on {feeds}{finite}")


def _runs(before: Graph, run: Callable[[dict[str, Array]], dict[str, Array]], given: Given, stretch: bool) -> Runs:
    if given.feeds is not None:
        trial = Trial(given.feeds, bound_sizes(before.input_specs, given.feeds))
        return Runs([Ran(trial, run(trial.feeds))], [])
    names = symbols_of(before) if given.dims else {}  # those of a stretch may be fewer
    dims = {name: size for name, size in given.dims.items() if name in names}
    count = _MORE_FEEDS if len(before.nodes) <= _FEW_NODES and not stretch else _FEEDS
    if sum(prod(dim for dim in tensor.shape if isinstance(dim, int)) for tensor in before.inputs) > _LARGE_INPUTS:
        count = 1
    return run_trials(before, run, count=count, dims=dims, rows=_ROWS, extra=_EXTRA)


class _Setting(NamedTuple):
    """How a graph was run on feeds.

    Attributes:
        now: whether Parameters had their current values.
        change: how the floating feeds were changed.
    """

    now: bool
    change: Callable[[Array], Array]


def _difference(ran: Ran, new: _Side, setting: _Setting, old: _Side) -> str:
    """Return what the new graph gives that differs, in words; empty where nothing does."""
    sizes = _sizes(ran)
    try:
        seen = new.run(ran.trial.feeds, setting)
    except UnrollError as error:
        return f"the old graph runs{sizes and ' with '}{sizes} and the new one does not: {error}"
    for name, left in ran.outputs.items():
        if old.narrow:
            difference = array_difference(left, seen[name], max(NARROW_TOLERANCE, old.tolerance))
        else:
            difference = _apart(left, seen[name], old.tolerance)
        if difference:
            return f"output {name}{sizes and ' with '}{sizes}: {difference}"
    return ""


def _apart(left: Array, right: Array, tolerance: float) -> str:
    """Return where two outputs first differ by more than rounding in float64 explains, in words."""
    if left.shape != right.shape or left.dtype != right.dtype or left.dtype.kind != "f" or not left.ndim:
        return array_difference(left, right, tolerance)
    row = np.max(np.abs(left), axis=-1, keepdims=True, initial=1.0, where=np.isfinite(left))
    apart = ~np.isclose(left, right, rtol=0, atol=tolerance * row, equal_nan=True)
    if not apart.any():
        return ""
    at = np.unravel_index(int(np.argmax(apart)), apart.shape)
    return f"{left[at]} and {right[at]} at {[int(place) for place in at]}"


def _sizes(ran: Ran) -> str:
    return ", ".join(f"{name} = {size}" for name, size in ran.trial.sizes.items())


def _all_sizes(pairs: Sequence[tuple[Ran, _Setting]]) -> str:
    return "; ".join(dict.fromkeys(filter(None, (_sizes(ran) for ran, _ in pairs))))


class _Side:
    """A graph that is run repeatedly: what depends on weights alone is computed once."""

    def __init__(self, graph: Graph, drawn: Mapping[Parameter, Array], most_steps: int | None) -> None:
        self.narrow = any(node.op.narrow for node in graph.nodes)
        floats = {tensor.dtype.itemsize for node in graph.nodes for tensor in node.outputs if tensor.dtype.kind == "f"}
        self.tolerance = TOLERANCES[min(floats, default=8)]
        self._graph, self._drawn, self._most_steps = graph, drawn, most_steps
        self._weights: dict[bool, dict[Any, Array]] = {}  # by Parameter and Tensor

    def outputs(self, fed: dict[str, Array]) -> tuple[dict[str, Array], _Setting]:
        """Return the outputs, with finite numbers where possible, and how the graph was run for them.

        Random numbers may not do as weights, such as an index into a table, and numbers of both signs not for a
        logarithm or a root.

        Raises:
            UnrollError: the graph does not take the feeds.
        """
        best: tuple[float, dict[str, Array], _Setting] | None = None
        refused: UnrollError | None = None
        for change in RANGES:
            for now in (False, True):
                setting = _Setting(now, change)
                try:
                    outputs = self.run(fed, setting)
                except UnsupportedError:  # whatever is fed
                    raise
                except UnrollError as error:
                    refused = refused or error
                    continue
                share = _finite_share(outputs)
                if best is None or share > best[0]:
                    best = (share, outputs, setting)
                if share >= _SHARE:
                    return outputs, setting
            if best is None and refused is not None:
                raise refused  # it would not run on other numbers either
        assert best is not None
        return best[1:]

    def run(self, fed: dict[str, Array], setting: _Setting) -> dict[str, Array]:
        """Return the outputs, in float64."""
        changed = {name: setting.change(array) if array.dtype.kind == "f" else array for name, array in fed.items()}
        arrays = self._graph.check_feeds(changed)
        if setting.now not in self._weights:
            values: Mapping[Parameter, Array] = {} if setting.now else self._drawn
            self._weights[setting.now] = weight_values(self._graph, wide=True, given=values)
            self._weights[setting.now].update(values)
        given = self._weights[setting.now]
        outputs = evaluate(
            self._graph, arrays, self._graph.outputs, wide=True, given=given, most_steps=self._most_steps
        )
        return dict(zip(self._graph.output_names, outputs, strict=True))


def _finite_share(outputs: Mapping[str, Array]) -> float:
    """Return the smallest share of finite numbers in any output; 0 where no output has elements."""
    shares = [
        float(np.isfinite(array).mean()) if array.dtype.kind == "f" else 1.0 for array in outputs.values() if array.size
    ]
    return min(shares, default=0.0)


def loops(graph: Graph) -> Counter[Hashable]:
    """Return the loops of a graph: the operator, how wide or how large it is, and which of its inputs there are."""
    return Counter(
        (
            node.op.name,
            node.op.hidden_size if isinstance(node.op, Recurrent) else len(node.op.body.nodes),
            tuple(tensor is not None for tensor in node.inputs) if isinstance(node.op, Recurrent) else (),
        )
        for node in graph.nodes
        if isinstance(node.op, (Recurrent, Scan))
    )


def _drawn_parameters(graph: Graph) -> dict[Parameter, Array]:
    """Draw a value for each Parameter: no zeros, both signs, and none so large that activations are saturated."""
    rng = np.random.default_rng(0)
    drawn: dict[Parameter, Array] = {}
    for parameter in leaves_of(graph.nodes):
        if not isinstance(parameter, Parameter):
            continue
        shape = parameter.value.shape
        if parameter.dtype.kind != "f":  # such as places in a table, which must stay in it
            drawn[parameter] = rng.permutation(parameter.value.reshape(-1)).reshape(shape)
            continue
        most = 2 / max(4, max(shape[-2:], default=4)) ** 0.5
        drawn[parameter] = rng.uniform(0.1 * most, most, shape) * rng.choice([-1.0, 1.0], shape)
    return drawn
