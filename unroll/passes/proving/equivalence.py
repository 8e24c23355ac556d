"""Whether two graphs compute the same: by canonical form, then by numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.arguments import checked
from unroll.checks import check_size, plain
from unroll.comparison import array_difference
from unroll.dimensions import Dimension, Shape, shape_text
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ArgumentTypeError, UnrollError
from unroll.graph import Graph, check_graph
from unroll.passes.canonical import canonical
from unroll.passes.proving.first_difference import form_difference, weight_difference
from unroll.randomness import random_operators, why_random
from unroll.sizes import checked_dims, symbols_of
from unroll.tensor import Tensor
from unroll.trials.trial_feeds import ALIKE, trials
from unroll.trials.trial_runs import none_runs, sizes_text

#: Up to how many rows feeds have, and how many feeds are added, so that every length and every row of a table comes up.
_ROWS, _EXTRA = 64, 12
#: The share of an output that must be finite on some feed for a comparison to count.
_LEAST_FINITE = 0.25


#: How many feeds, or the feeds.
Feeds = int | Mapping[Any, Any] | Sequence[Mapping[Any, Any]]


class _Pairs(NamedTuple):
    """Which inputs and outputs of two graphs correspond, by their names."""

    inputs: list[tuple[str, str]]
    outputs: list[tuple[str, str]]


class Equivalence(NamedTuple):
    """What `equivalent` found; true where the graphs compute the same.

    Attributes:
        equal: whether they do.
        means: how that was found. ``"structure"``: the canonical forms are the same, and Parameters of one name have
            the same values; ``"weights"``: the canonical forms are the same with the current values of Parameters in
            their place; ``"numbers"``: feeds that are made to tell them apart give the same outputs, or do not;
            ``"interface"``: inputs or outputs are not alike.
        difference: where inputs or outputs first differ, in words; empty for equal graphs.
        structural: where the canonical forms first differ, in words: the operator, attribute, constant or Parameter, and
            both values; empty where they do not.
    """

    equal: bool
    means: str
    difference: str = ""
    structural: str = ""

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        said = {
            "structure": "the canonical forms are the same",
            "weights": "the canonical forms are the same with the values that the weights have now",
            "numbers": "the outputs are the same on every feed that was tried",
        }
        if self.equal:
            return f"equal: {said[self.means]}"
        return f"not equal: {self.difference}" + (f"; first apart at {self.structural}" if self.structural else "")


@checked()
def equivalent(
    a: Graph, b: Graph, *, feeds: Feeds = 3, seed: int = 0, dims: Mapping[str, int] | None = None
) -> Equivalence:
    """Say whether two graphs compute the same outputs from the same inputs.

    Inputs and outputs correspond by name where both graphs have the same names, else by their order. The canonical
    forms are compared first (see `unroll.passes.canonical`): with Parameters known by name, then with the current
    values of the weights in their place. Where these differ, both graphs run in NumPy on feeds that are made to tell
    them apart (see `unroll.trials.trial_feeds`): lengths from 0 to the last step, indices over the whole of a table.

    Equal by form means: for all inputs and Parameters that are finite numbers, as long as sums and products of them are
    finite too, but for rounding and the sign of a zero.

    Args:
        a: a graph.
        b: another.
        feeds: how many feeds to try, at least 1; or the feeds: ``{input of a: array}``, or a list of such dicts.
        seed: of the feeds that are made; at least 0.
        dims: sizes of symbols of the inputs by name, for the feeds that are made; others are chosen.

    Returns:
        An `Equivalence`: true or false, how that was found, and where the graphs first differ. Equality that is found
        by numbers is very likely, not proven.

    Raises:
        ArgumentTypeError: not two graphs, or `feeds`, `seed` or `dims` are of another type.
        ArgumentError: `feeds` or `seed` is too small, `dims` names no symbol of `a` or sizes that it does not allow.
        FeedError, ShapeError, DTypeError: the feeds given do not fit the inputs of `a`.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> print(unroll.equivalent(unroll.Graph([x], {"y": x + x}), unroll.Graph([x], {"y": 2 * x})))
        equal: the outputs are the same on every feed that was tried
        >>> bool(unroll.equivalent(unroll.Graph([x], {"y": x + x}), unroll.Graph([x], {"y": 3 * x})))
        False
    """
    for graph in (a, b):
        check_graph(graph, "equivalent")
    given = _checked(a, feeds, seed, dims)
    difference = _interface(a, b)
    if difference:
        return Equivalence(False, "interface", difference)
    pairs = _Pairs(_paired(_inputs(a), _inputs(b)), _paired(_outputs(a), _outputs(b)))
    structural, weights = _forms(a, b, pairs, values=False), ""
    if not structural:
        structural = weights = weight_difference(a, b)
        if not structural:
            return Equivalence(True, "structure")
    else:
        structural = _forms(a, b, pairs, values=True)
        if not structural:
            return Equivalence(True, "weights")
    sets = _made(a, feeds, seed, dims) if given is None else [[("those given", item) for item in given]]
    difference = _Numbers(a, b, pairs).difference(sets)
    if weights and not difference:  # such as a row of a large table
        difference = f"{weights}, though the outputs are the same on every feed that was tried"
    return Equivalence(not difference, "numbers", difference, structural)


def _checked(a: Graph, feeds: Feeds, seed: int, dims: Mapping[str, int] | None) -> list[dict[str, Array]] | None:
    """Check the arguments; return the feeds that are given, None where they are to be made."""
    given = None
    check_size(seed, "equivalent: seed", least=0)
    if isinstance(feeds, Mapping):
        given = [a.check_feeds(feeds)]
    elif isinstance(feeds, (list, tuple)) and feeds and all(isinstance(item, Mapping) for item in feeds):
        given = [a.check_feeds(item) for item in feeds]
    else:
        count = plain(feeds)
        if isinstance(count, bool) or not isinstance(count, int):
            raise ArgumentTypeError(
                f"equivalent: feeds {feeds!r} is not an int, nor a dict {{input: array}} or a list of them"
            )
        check_size(count, "equivalent: feeds")
    if given is not None and dims:
        raise ArgumentError("equivalent: feeds are given, so dims say nothing; leave one of them out")
    checked_dims(dims, symbols_of(a), "equivalent")
    return given


# -- inputs and outputs ------------------------------------------------------------------------------------------------


def _paired(first: list[str], second: list[str]) -> list[tuple[str, str]]:
    """Pair names: each with itself where both have the same ones, else in order."""
    return [(name, name) for name in first] if set(first) == set(second) else list(zip(first, second, strict=True))


def _inputs(graph: Graph) -> list[str]:
    return [tensor.name for tensor in graph.inputs]


def _outputs(graph: Graph) -> list[str]:
    return list(graph.output_names)


def _interface(a: Graph, b: Graph) -> str:
    for what, first, second in (("inputs", _inputs(a), _inputs(b)), ("outputs", _outputs(a), _outputs(b))):
        if len(first) != len(second):
            return f"{len(first)} {what} ({', '.join(first)}) and {len(second)} ({', '.join(second)})"
        tensors = [_by_name(graph, what) for graph in (a, b)]
        for one, other in _paired(first, second):
            left, right = tensors[0][one], tensors[1][other]
            if left.dtype != right.dtype or left.rank != right.rank or not _fit(a.shape(left), b.shape(right)):
                seen = f"{shape_text(a.shape(left))} {left.dtype} and {shape_text(b.shape(right))} {right.dtype}"
                return f"{what[:-1]} {one} is {seen}"
    return ""


def _by_name(graph: Graph, what: str) -> Mapping[str, Tensor]:
    if what == "inputs":
        return {tensor.name: tensor for tensor in graph.inputs}
    return dict(zip(graph.output_names, graph.outputs, strict=True))


def _fit(left: Shape, right: Shape) -> bool:
    return all(
        one == other or isinstance(one, Dimension) or isinstance(other, Dimension)
        for one, other in zip(left, right, strict=True)
    )


# -- structure ---------------------------------------------------------------------------------------------------------


def _forms(a: Graph, b: Graph, pairs: _Pairs, values: bool) -> str:
    """Return where the canonical forms first differ, in words; empty where they do not."""
    sides = [_form(graph, [pair[side] for pair in pairs.inputs], values) for side, graph in enumerate((a, b))]
    (first, order), (second, other) = sides
    made = [_by_name(form, "outputs") for form in (first, second)]
    outputs = [[made[side][pair[side]] for pair in pairs.outputs] for side in (0, 1)]
    return form_difference(first, second, [order, other], outputs)


def _form(graph: Graph, names: Sequence[str], values: bool) -> tuple[Graph, list[Tensor]]:
    """Return the canonical form of a graph, and its inputs in the order of `names`."""
    mine = _by_name(graph, "inputs")
    order = [mine[name] for name in names]
    return canonical(graph, values=values, inputs=order), order


# -- numbers -----------------------------------------------------------------------------------------------------------


def _made(
    a: Graph, count: Any, seed: int, dims: Mapping[str, int] | None
) -> Iterator[list[tuple[str, dict[str, Array]]]]:
    """Yield feeds made for a graph: of sizes that differ, then, where none of those run, of some that are alike."""
    options: dict[str, Any] = {"count": count, "rows": _ROWS, "extra": _EXTRA, "what": "equivalent"}
    for alike in ALIKE:
        drawn = trials(a, seed=seed, dims=dims, alike=alike, **options)
        yield [(sizes_text(trial.sizes), trial.feeds) for trial in drawn]


class _Numbers:
    """Runs both graphs on the same feeds."""

    def __init__(self, a: Graph, b: Graph, pairs: _Pairs) -> None:
        self._a, self._b, self._pairs = a, b, pairs
        self._refused: list[str] = []
        self._one_sided = ""
        self._finite: dict[str, float] = {}

    def difference(self, sets: Iterable[list[tuple[str, dict[str, Array]]]]) -> str:
        """Return where the outputs first differ, in words; the sets after one that runs are not tried."""
        for feeds in sets:
            ran = False
            for sizes, arrays in feeds:
                found = self._run(arrays, sizes)
                if found is None:
                    continue
                ran = True
                if found:
                    drawn = why_random([*random_operators(self._a), *random_operators(self._b)])
                    return drawn or found
            if self._one_sided and ran:
                break
            if ran:
                return self._says_nothing()
        return self._one_sided or f"neither runs, so that numbers cannot tell: {none_runs(self._a, self._refused)}"

    def _says_nothing(self) -> str:
        """Return which output held hardly any numbers to compare, in words; empty where all held some."""
        name, share = min(self._finite.items(), key=lambda item: item[1], default=("", 1.0))
        if share >= _LEAST_FINITE:
            return ""
        return (
            f"numbers cannot tell: {share:.0%} of output {name} were finite numbers; give feeds on which it is computed, or "
            "other sizes"
        )

    def _run(self, arrays: dict[str, Array], sizes: str) -> str | None:
        """Return how the outputs differ on some feeds; None where not both graphs run on them."""
        outcomes = [
            _outcome(self._a, arrays),
            _outcome(self._b, {other: arrays[one] for one, other in self._pairs.inputs}),
        ]
        errors = [item for item in outcomes if isinstance(item, UnrollError)]
        if errors:
            self._refused.append(f"{sizes}: {errors[0]}")
            if len(errors) == 1 and not self._one_sided:
                self._one_sided = f"on feeds ({sizes}) one runs and the other does not: {errors[0]}"
            return None
        left, right = outcomes
        for one, other in self._pairs.outputs:
            seen = array_difference(left[one], right[other])  # type: ignore[index]
            share = float(np.isfinite(left[one]).mean()) if left[one].size else 0.0  # type: ignore[index]
            self._finite[one] = max(self._finite.get(one, 0.0), share)
            if seen:
                return f"output {one}: {seen}"
        return ""


def _outcome(graph: Graph, feeds: dict[str, Array]) -> dict[str, Array] | UnrollError:
    try:
        return graph.run(feeds)
    except UnrollError as error:
        return error
