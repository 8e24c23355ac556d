"""Proof of a rewriting: the old graph and the new one are run in NumPy, on feeds made to tell them apart.

`unroll.passes.proving.numeric_proof` compares two graphs; this module decides which graphs are run.

A long network is not run from end to end: its beginning and its end are rewritten once more, as stretches, and the results
are proven. A pass works by structure, and the structure of the steps between is the same. Where the stretches do not show
every kind of operator of the whole result, the whole is run after all.

Where loops can be written out again, the two graphs are compared by structure first, and run only where that does not say
equal; `Proof.means` says which it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from math import prod
from typing import Any

from unroll.errors import UnrollError
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.loop import Loop
from unroll.ops.recurrent_loop import Recurrent
from unroll.ops.scan import Scan
from unroll.passes.proving.by_structure.comparing import same_forms
from unroll.passes.proving.numeric_proof import MOST_STEPS, Given, Proof, by_numbers, loops
from unroll.passes.proving.stretches import Depths
from unroll.sizes import checked_dims, symbols_of
from unroll.structure import Structure
from unroll.tensor import Node

#: How many nodes are run at most from end to end, of both graphs together; each takes about 7 microseconds.
MOST_WHOLE = 2_500
#: About how many nodes a stretch has; and how many floating-point operations take as long as a node.
_STRETCH, _FLOPS_A_NODE = 200, 35_000
#: How many tensors deep a stretch is at least, so that there are some steps of it however large they are.
_LEAST_DEPTH = 64
#: The most that a run may cost, in nodes, about 7 seconds; above that no proof is made.
_MOST = 1_000_000
#: How many elements are written in the time of a node.
_ELEMENTS_A_NODE = 10_000
#: The size that a symbol is taken for when the cost of a run is estimated.
_SYMBOL = 3
#: How often a Loop is taken to run.
_RUNS = 100

#: How many nodes a graph has at most that is compared by structure as a whole.
_FORMS = 500
_SAME = "with its loops written out again, it is the graph that it came from, for all finite inputs and weights"

#: Rewrites a stretch as the whole graph was rewritten.
Rewriting = Callable[[Graph], Graph]


def prove(
    before: Graph,
    after: Graph,
    again: Rewriting,
    *,
    dims: Mapping[str, int] | None = None,
    feeds: Mapping[Any, Any] | None = None,
    whole: bool = False,
    flat: Callable[[Graph], Graph] | None = None,
) -> Proof:
    """Compare a rewritten graph with the one that it came from.

    Args:
        before: the old graph.
        after: the new one, with inputs and outputs of the same names.
        again: does the same rewriting to another graph.
        dims: sizes of symbols by name; others are chosen.
        feeds: an array for each input; by default they are drawn.
        whole: whether the graphs are run from end to end however long they are.
        flat: writes loops out, so that both can be compared by structure first: where that says equal, nothing is run.

    Raises:
        ArgumentTypeError, ArgumentError: `dims` are not sizes of the old graph's symbols.
        FeedError, ShapeError, DTypeError: `feeds` do not fit the old graph.

    Returns:
        The proof. Only finite numbers are compared, not NaN and infinities.
    """
    with collector_paused():
        given = Given(
            checked_dims(dims, symbols_of(before), "reroll") if dims else {},
            None if feeds is None else before.check_feeds(feeds),
        )
        changed = _interface(before, after)
        if changed:
            return Proof(False, changed)
        by_form = flat if feeds is None else None
        short = len(before.nodes) <= _FORMS
        if by_form is not None and short and same_forms(before, after, by_form):
            return Proof(True, _SAME, "structure")
        size = cost_of_run(before)
        both = size + cost_of_run(after)
        if whole or feeds is not None or (both <= MOST_WHOLE and (by_form is None or short)):
            return _bounded(before, after, both, "from end to end", given)
        said: list[str] = []
        means: list[str] = []
        shown: Counter[Hashable] = Counter()
        kinds = _kinds(before)
        depths = Depths(before)
        share = min(0.5, max(_STRETCH / size, _LEAST_DEPTH / max(1, depths.deepest)))
        for cut in (depths.beginning, depths.ending):
            part = cut(share)
            new = None if part is None else _rewritten(again, part)
            if part is None or new is None:
                continue
            what = f"on a stretch of {len(part.nodes)} of {len(before.nodes)} nodes"
            if by_form is not None and same_forms(part, new, by_form):
                proof = Proof(True, f"{_SAME}, {what}", "structure")
            elif both <= MOST_WHOLE:
                said.clear()
                break
            else:
                proof = _bounded(part, new, cost_of_run(part) + cost_of_run(new), what, given, stretch=True)
            if proof.holds is False:
                return proof
            if proof.holds:
                said.append(proof.said)
                means.append(proof.means)
                shown += loops(new)
                kinds -= _kinds(part)
        if said and not kinds and loops(after) - loops(before) <= shown:
            return Proof(True, "; ".join(said), "structure" if set(means) == {"structure"} else "numbers")
        return _bounded(before, after, both, "from end to end", given)


def _interface(before: Graph, after: Graph) -> str:
    """Return how the outputs of two graphs differ before anything is run, in words; empty where they do not."""
    old, new = (
        dict(zip(graph.output_names, graph.outputs, strict=True)) for graph in (before, after)
    )  # each name once
    if list(old) != list(new):
        return f"the outputs were {', '.join(old)} and are {', '.join(new)}"
    for name, tensor in old.items():
        if tensor.dtype != new[name].dtype or tensor.rank != new[name].rank:
            return f"output {name} was {tensor.described()} and is {new[name].described()}"
    return ""


def _kinds(graph: Graph) -> set[Hashable]:
    """Return what kinds of nodes there are: the operator with its attributes, and the shape that it makes."""
    return {(type(node.op), tuple(vars(node.op).values()), node.outputs[0].shape) for node in graph.nodes}


def _bounded(before: Graph, after: Graph, size: float, what: str, given: Given, *, stretch: bool = False) -> Proof:
    """Compare two graphs, unless that would take very long. `size` is that of both."""
    if size > _MOST:
        return Proof(
            None, f"a run in NumPy {what} would take about {7e-6 * size:.0f} s; check=False leaves the proof out"
        )
    return by_numbers(before, after, what, given, stretch=stretch)


def _rewritten(again: Rewriting, part: Graph) -> Graph | None:
    """Return what becomes of a stretch; None where it is too short for anything."""
    try:
        return again(part)
    except UnrollError:
        return None


def cost_of_run(graph: Structure) -> float:
    """Return what a run costs, in nodes that are next to nothing but the call."""
    size = float(len(graph.nodes))
    for node in graph.nodes:
        if isinstance(node.op, (MatMul, Gemm)):
            size += _product(node) / _FLOPS_A_NODE
        elif isinstance(node.op, (Recurrent, Scan)):
            size += _loop(node)
        elif node.op.bodies:
            size += (_RUNS if isinstance(node.op, Loop) else 1) * sum(map(cost_of_run, node.op.bodies))
        elif (made := prod(_sizes(node.outputs[0].shape))) > _ELEMENTS_A_NODE:
            size += len(node.outputs) * made / _ELEMENTS_A_NODE
    return size


def _loop(node: Node) -> float:
    op = node.op
    if isinstance(op, Scan):
        scanned = node.inputs[op.num_states]
        return min(MOST_STEPS, _sizes(scanned.shape)[0]) * cost_of_run(op.body) if scanned is not None else 0.0
    assert isinstance(op, Recurrent) and node.inputs[0] is not None
    time, batch, features = _sizes(node.inputs[0].shape)
    flops = 2 * batch * op.gates * op.hidden_size * (features + op.hidden_size)
    return min(MOST_STEPS, time) * op.directions * (8 + flops / _FLOPS_A_NODE)


def _product(node: Node) -> float:
    """Return the floating-point operations of a product, about."""
    left, right = node.inputs[:2]
    if left is None or right is None:
        return 0.0
    return 2.0 * prod(_sizes(left.shape)) * (_sizes(right.shape) or [1])[-1]


def _sizes(shape: tuple[object, ...]) -> list[int]:
    return [dim if isinstance(dim, int) else _SYMBOL for dim in shape]
