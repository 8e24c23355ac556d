"""Proof of a rewriting: the old graph and the new one are run in NumPy, on feeds made to tell them apart.

A pass reads no Parameter's value, so what it claims holds for any: Parameters are drawn like feeds, for a bias of zeros would
hide that a bias was lost. Everything of a floating dtype is computed in float64, where two ways of writing one formula differ
by 1e-15 and a lost term by 1e-2; so the bar lies far from both.

A long network is not run from end to end: the rewriting is done once more to stretches of it, its beginning and its end, and
what becomes of these is proven. A pass works by structure, and the structure of the steps between is the same. Where the
stretches do not show every kind of operator that the whole was given, the whole is run after all.

This shows numbers only. A proof by structure, for what can be written back, will stand before `_by_numbers`, and
`Proof.means` says which it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from unroll.collection import paused
from unroll.comparison import array_difference
from unroll.dtypes import Array
from unroll.errors import UnrollError
from unroll.evaluator import evaluate
from unroll.feeds import bound_sizes
from unroll.graph import Graph, leaves_of
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.recurrence import Recurrent
from unroll.ops.scan import Scan
from unroll.parameter import Parameter
from unroll.passes.stretches import Depths
from unroll.sizes import checked_dims, symbols_of
from unroll.tensor import Node
from unroll.trial_feeds import ALIKE, Trial, trials

#: How far numbers may differ in float64, relative to the largest of a tensor, or to 1 where that is less.
TOLERANCE = 1e-7
#: The same where an operator of another model's file rounds what it is given to float32.
NARROW_TOLERANCE = 1e-5
#: How many nodes are run at most from end to end, of both graphs together; each takes about 7 microseconds.
_WHOLE = 2_500
#: About how many nodes a stretch has; and how many floating-point operations take as long as a node.
_STRETCH, _FLOPS_A_NODE = 400, 35_000
#: Feeds that a whole graph is run on, and a stretch, or a whole one that is long.
_FEEDS, _FEW_FEEDS = 3, 2
#: Of how many steps a loop of the old graph is run at most; those of a stretch are fewer.
_STEPS = 200
#: What a size is taken for that is a symbol, to say what a run costs.
_SYMBOL = 3

#: Does a rewriting once more, to a stretch.
Rewriting = Callable[[Graph], Graph]


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


def prove(
    before: Graph,
    after: Graph,
    again: Rewriting,
    *,
    dims: Mapping[str, int] | None = None,
    feeds: Mapping[Any, Any] | None = None,
) -> Proof:
    """Hold a rewritten graph against the one that it came from.

    Args:
        before: the old graph.
        after: the new one, with inputs and outputs of the same names.
        again: does the same rewriting to another graph.
        dims: sizes of symbols by name; others are chosen.
        feeds: an array for each input; by default they are drawn.

    Raises:
        ArgumentTypeError, ArgumentError: `dims` are no sizes of the old graph's symbols.
        FeedError, ShapeError, DTypeError: `feeds` do not fit the old graph.

    Returns:
        The proof. Finite numbers alone are compared: what becomes of NaN and infinities is not.
    """
    with paused():
        given = Given(
            checked_dims(dims, symbols_of(before), "proof") if dims else {},
            None if feeds is None else before.check_feeds(feeds),
        )
        size = _size(before)
        if feeds is not None or size + _size(after) <= _WHOLE:
            return _by_numbers(before, after, _FEEDS, "from end to end", given)
        said = []
        shown: set[tuple[str, int]] = set()
        depths = Depths(before)
        for cut in (depths.beginning, depths.ending):
            part = cut(min(0.5, _STRETCH / size))
            new = None if part is None else _rewritten(again, part)
            if part is None or new is None:
                continue
            what = f"on a stretch of {len(part.nodes)} of {len(before.nodes)} nodes"
            proof = _by_numbers(part, new, _FEW_FEEDS, what, given)
            if proof.holds is False:
                return proof
            if proof.holds:
                said.append(proof.said)
                shown |= _loops(new)
        if said and _loops(after) - _loops(before) <= shown:
            return Proof(True, "; ".join(said))
        return _by_numbers(before, after, _FEW_FEEDS, "from end to end", given)


def _rewritten(again: Rewriting, part: Graph) -> Graph | None:
    """Return what becomes of a stretch; None where it is too short for anything."""
    try:
        return again(part)
    except UnrollError:
        return None


def _loops(graph: Graph) -> set[tuple[str, int]]:
    """Return the kinds of loops in a graph: the operator, and how wide or how large it is."""
    return {
        (node.op.name, node.op.hidden_size if isinstance(node.op, Recurrent) else len(node.op.body.nodes))
        for node in graph.nodes
        if isinstance(node.op, (Recurrent, Scan))
    }


def _size(graph: Graph) -> float:
    """Return what a run costs, in nodes that are next to nothing but the call."""
    size = float(len(graph.nodes))
    for node in graph.nodes:
        if isinstance(node.op, (MatMul, Gemm)):
            size += _product(node) / _FLOPS_A_NODE
        elif isinstance(node.op, (Recurrent, Scan)):
            size += _loop(node)
    return size


def _loop(node: Node) -> float:
    op = node.op
    if isinstance(op, Scan):
        scanned = node.inputs[op.num_states]
        return min(_STEPS, _sizes(scanned.shape)[0]) * _size(op.body) if scanned is not None else 0.0
    assert isinstance(op, Recurrent) and node.inputs[0] is not None
    time, batch, features = _sizes(node.inputs[0].shape)
    flops = 2 * batch * op.gates * op.hidden_size * (features + op.hidden_size)
    return min(_STEPS, time) * op.directions * (8 + flops / _FLOPS_A_NODE)


def _product(node: Node) -> float:
    """Return the floating-point operations of a product, about."""
    left, right = node.inputs[:2]
    if left is None or right is None:
        return 0.0
    return 2.0 * float(np.prod(_sizes(left.shape))) * (_sizes(right.shape) or [1])[-1]


def _sizes(shape: tuple[object, ...]) -> list[int]:
    return [dim if isinstance(dim, int) else _SYMBOL for dim in shape]


# -- numbers -----------------------------------------------------------------------------------------------------------


def _by_numbers(before: Graph, after: Graph, count: int, what: str, given: Given) -> Proof:
    """Run both graphs, on Parameters drawn at random, and on those of now where the others give no finite numbers."""
    why = ""
    most_steps = _STEPS if _loops(before) else None  # else the steps of a flat graph could not be told from a loop's
    tolerance = NARROW_TOLERANCE if any(node.op.narrow for node in before.nodes) else TOLERANCE
    drawn = _drawn_parameters(before)
    for alike in ALIKE:  # a file may not say which of its sizes must be equal
        told: list[str] = []
        try:
            feeds = _trials(before, count, alike, given)
        except UnrollError as error:
            why = why or str(error)
            continue
        for trial in feeds:
            for values in (drawn, {}):
                found = _on_one_feed(before, after, trial, values, most_steps, tolerance)
                if found.holds is False:
                    return found
                if found.holds:
                    told.append(found.said)
                    break
                why = why or found.said
        if told:
            sizes = f" ({'; '.join(dict.fromkeys(told))})" if any(told) else ""
            return Proof(True, f"the same in NumPy {what}, on {len(told)} feed{'s' * (len(told) > 1)}{sizes}")
    return Proof(None, why)


def _trials(graph: Graph, count: int, alike: str, given: Given) -> list[Trial]:
    if given.feeds is not None:
        return [Trial(given.feeds, bound_sizes(graph.input_specs, given.feeds))]
    names = symbols_of(graph) if given.dims else {}  # those of a stretch may be fewer
    dims = {name: size for name, size in given.dims.items() if name in names}
    return trials(graph, count=count, alike=alike, dims=dims)


def _on_one_feed(
    before: Graph,
    after: Graph,
    trial: Trial,
    values: Mapping[Parameter, Array],
    most_steps: int | None,
    tolerance: float,
) -> Proof:
    try:
        wanted = _run(before, trial.feeds, values, most_steps)
    except UnrollError as error:  # this feed is not allowed, or NumPy does not know an operator
        return Proof(None, str(error))
    sizes = ", ".join(f"{name} {size}" for name, size in trial.sizes.items())
    try:
        seen = _run(after, trial.feeds, values, most_steps)
    except UnrollError as error:
        return Proof(False, f"the old graph runs{sizes and ' with '}{sizes} and the new one does not: {error}")
    finite = False
    for name, left in wanted.items():
        difference = array_difference(left, seen[name], tolerance)
        if difference:
            return Proof(False, f"output {name}{sizes and ' with '}{sizes}: {difference}")
        finite = finite or bool(np.isfinite(left).any()) or not left.size
    return Proof(True, sizes) if finite else Proof(None, "the outputs hold no finite number")


def _run(
    graph: Graph, fed: Mapping[str, Array], values: Mapping[Parameter, Array], most_steps: int | None
) -> dict[str, Array]:
    arrays = graph.check_feeds(fed)
    outputs = evaluate(graph, arrays, graph.outputs, wide=True, parameters=values, most_steps=most_steps)
    return dict(zip(graph.output_names, outputs, strict=True))


def _drawn_parameters(graph: Graph) -> dict[Parameter, Array]:
    """Draw a value for each Parameter: no zeros, both signs, and no so large that activations are saturated."""
    rng = np.random.default_rng(0)
    drawn: dict[Parameter, Array] = {}
    for parameter in leaves_of(graph.nodes):
        if not isinstance(parameter, Parameter) or parameter.dtype.kind != "f":
            continue
        shape = parameter.value.shape
        most = 2 / max(4, max(shape[-2:], default=4)) ** 0.5
        drawn[parameter] = rng.uniform(0.1 * most, most, shape) * rng.choice([-1.0, 1.0], shape)
    return drawn
