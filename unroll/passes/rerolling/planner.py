"""Writing the repeated steps of a flat graph as one operator again: what each recurrence becomes, and the proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from unroll.arguments import checked
from unroll.checks import check_size
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph, check_graph
from unroll.passes.cancel_shapes import cancel_shapes
from unroll.passes.choose_by_masks import choose_by_masks
from unroll.passes.drop_unit_axes import drop_unit_axes
from unroll.passes.join_slices import with_slices_joined
from unroll.passes.merge_equal import merge_equal
from unroll.passes.proving.proof import prove
from unroll.passes.rerolling.finding import Recurrence, View, find
from unroll.passes.rerolling.native import Direction, Reading, UnmatchedError, direction_of
from unroll.passes.rerolling.reasons import circular, missed, nothing_repeats
from unroll.passes.rerolling.report import Found, Rerolled
from unroll.passes.rerolling.writing import Emission, NativePlan, Plan, ordered, scan_plan_of
from unroll.passes.slice_inputs import slice_inputs
from unroll.passes.tools.weight_expressions import Weights
from unroll.passes.unhoist_inputs import unhoist_inputs
from unroll.passes.unrolling.planner import unrolled_again
from unroll.tensor import Node, Tensor


@checked()
def reroll(
    graph: Graph,
    *,
    scan: bool = True,
    native: bool = True,
    steps_per_iteration: int = 1,
    check: bool = True,
    dims: Mapping[str, int] | None = None,
    feeds: Mapping[Any, Any] | None = None,
) -> tuple[Graph, Rerolled]:
    """Find steps that repeat and write each run of them as one operator: LSTM, GRU, RNN, or else Scan.

    Works from structure alone: operators, attributes, constants, and which weights are read. Every step is compared in full
    before anything is claimed, and then both graphs are run in NumPy on feeds made to tell them apart (see
    `unroll.passes.proving.proof`). Where they differ, or where that cannot be found out, nothing is re-rolled, and the report
    says what was seen.

    Preserves the inputs, the names of inputs and outputs, their shapes and dtypes, states and requirements; the values of
    the outputs but for rounding, for finite inputs. Reads no Parameter's value.

    Args:
        graph: any graph.
        scan: whether a recurrence that no native operator computes may become a Scan.
        native: whether one may become an LSTM, GRU or RNN.
        steps_per_iteration: how many steps the body of a Scan is; steps that are left over stay as they are.
        check: whether the new graph is proven to compute the same; that takes about a third of the time again.
        dims: for the proof, sizes of symbols by name, such as ``{"time": 12}``, where the graph runs with no others.
        feeds: for the proof, an array for each input, by placeholder or name; by default they are drawn.

    Returns:
        The new graph (the old one where nothing was re-rolled), and what was found, with the proof.

    Raises:
        ArgumentTypeError: `graph` is no Graph.
        ArgumentError: `steps_per_iteration` is not an int of at least 1, or `dims` hold what is no symbol of the inputs.
        FeedError, ShapeError, DTypeError: `feeds` do not fit the graph.

    Example:
        >>> X = [unroll.placeholder([None, 3], name=f"X{t}") for t in range(4)]
        >>> outputs, state = unroll.static_rnn(unroll.BasicLSTMCell(5), X)
        >>> small, report = unroll.reroll(unroll.Graph(X, outputs))
        >>> [node.op.name for node in small.nodes].count("LSTM"), bool(report.proof)
        (1, True)
    """
    check_graph(graph, "reroll")
    per_run = check_size(steps_per_iteration, "reroll: steps_per_iteration")
    plan = partial(_rerolled, scan=scan, native=native, per_run=per_run)
    with collector_paused():
        new, found = plan(graph)
        if new is graph or not check:
            return new, found
        proof = prove(graph, new, lambda part: plan(part)[0], dims=dims, feeds=feeds, flat=unrolled_again)
    return (new, replace(found, proof=proof)) if proof else (graph, found.withdrawn(proof))


def _rerolled(graph: Graph, scan: bool, native: bool, per_run: int) -> tuple[Graph, Rerolled]:
    """Re-roll a graph without a proof."""
    separate = merge_equal(unhoist_inputs(graph))
    written = _written(separate, scan, native, per_run)
    choosing = choose_by_masks(separate) if native else separate
    if choosing is not separate:
        chosen = _written(merge_equal(choosing), scan, native, per_run)
        if _rank(chosen.report) > _rank(written.report):
            written = chosen
        else:
            written = written._replace(report=written.report.explained(chosen.report))
    if native and written.of_rank_3:
        flat = _written(merge_equal(drop_unit_axes(slice_inputs(separate))), scan, native, per_run)
        if _natives(flat.report) > _natives(written.report):
            written = flat
    if written.emission is None:
        return graph, written.report
    # a loop hands out pieces of states, of which what reads it makes the whole again
    return merge_equal(cancel_shapes(with_slices_joined(written.emission.finish()))), written.report


class _Written(NamedTuple):
    """A graph with its recurrences written as operators; None for the writing where there are none."""

    emission: Emission | None
    report: Rerolled
    of_rank_3: bool  #: whether a recurrence has states with a first axis of size 1


def _written(graph: Graph, scan: bool, native: bool, per_run: int) -> _Written:
    view = View(cancel_shapes(graph))
    recurrences = find(view)
    planner = _Planner(view, scan, native, per_run)
    order, plans = planner.ordered(recurrences)
    report = planner.report(recurrences, order)
    states = [tensor for recurrence in recurrences for tensor in recurrence.steps[-1].after]
    of_rank_3 = any(tensor.rank == 3 and tensor.shape[0] == 1 for tensor in states)
    if not plans:
        return _Written(None, report, of_rank_3)
    emission = Emission(view, plans)
    emission.write(order)
    return _Written(emission, report, of_rank_3)


def _natives(report: Rerolled) -> int:
    return sum(name != "Scan" for name in report.operators)


def _rank(report: Rerolled) -> tuple[int, int, int, int]:
    """Return what makes the better of two writings: native operators, few loops left, few operators, and many steps."""
    steps = sum(item.steps for item in report if item.became)
    return _natives(report), -len(report.left), -len(report.operators), steps


class _Planner:
    """Decides what each recurrence becomes."""

    def __init__(self, view: View, scan: bool, native: bool, per_run: int) -> None:
        self.view, self.scan, self.native, self.per_run = view, scan, native, per_run
        self.weights = Weights(view.graph)
        self.paired = True
        self.reasons: dict[Recurrence, str] = {}

    def ordered(self, recurrences: Sequence[Recurrence]) -> tuple[list[Node | Plan], list[Plan]]:
        """Return nodes and plans in an order to write them in, and the plans; a recurrence that fits in no order has none."""
        kept = list(recurrences)
        while True:
            plans = self._plans(kept)
            order, closing = ordered(self.view, Emission(self.view, plans).owner)
            if closing is None:
                return order, plans
            if len(closing.recurrences) > 1:  # each direction may still find a place alone
                self.paired = False
                continue
            kept = [
                recurrence
                for recurrence in kept
                if recurrence.members.keys().isdisjoint(closing.recurrences[0].members)
            ]
            for recurrence in recurrences:
                if recurrence not in kept:
                    self.reasons[recurrence] = circular(self.view, recurrence)

    def _plans(self, recurrences: Sequence[Recurrence]) -> list[Plan]:
        """Return a plan for each recurrence that can have one.

        The last come first: an operator that is told lengths does not read its inputs past them, and so an earlier one may
        give anything there.
        """
        plans: list[Plan] = []
        sides: list[Direction] = []
        blind: dict[Reading, Tensor] = {}
        for recurrence in sorted(recurrences, key=lambda item: -self.view.place[item.steps[-1].nodes[0]]):
            if self.native:
                try:
                    side = direction_of(self.view, recurrence, self.weights, blind)
                except UnmatchedError as unmatched:
                    self.reasons[recurrence] = str(unmatched)
                else:
                    sides.append(side)
                    blind |= side.blind(self.view)
                    continue
            reason = self.reasons.get(recurrence, "")
            plan = scan_plan_of(self.view, recurrence, self.per_run, reason) if self.scan else "Scan was not asked for"
            if isinstance(plan, str):
                self.reasons[recurrence] = "; ".join(filter(None, [reason, plan]))
            else:
                plans.append(plan)
        return plans + self._paired(sides)

    def _paired(self, sides: list[Direction]) -> list[Plan]:
        """Return a plan for each side, and one for two that are the directions of one cell."""
        plans: list[Plan] = []
        while sides:
            side = sides.pop(0)
            other = next((item for item in sides if self.paired and side.pairs_with(item, self.view)), None)
            if other is not None:
                sides.remove(other)
            plans.append(NativePlan((side,) if other is None else (side, other)))
        return plans

    def report(self, recurrences: Sequence[Recurrence], order: Sequence[Node | Plan]) -> Rerolled:
        """Return what became of each recurrence, in the order in which they are written."""
        found: list[Found] = []
        written: set[Node] = set()
        for plan in order:
            if isinstance(plan, Node):
                continue
            for recurrence in plan.recurrences:
                written.update(recurrence.members)
                found.append(Found(recurrence.scope, len(recurrence.steps), plan.name, plan.reason))
        left = [item for item in recurrences if not written.intersection(item.members)]
        found += [Found(rec.scope, len(rec.steps), "", self.reasons.get(rec, "")) for rec in left]
        found += missed(self.view, recurrences)
        return Rerolled(tuple(found), "" if found else nothing_repeats(self.view))
