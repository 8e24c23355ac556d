"""The forms in which a graph is written to ONNX: which graph is written for each of them, and how `auto` decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from unroll.export.form_cost import estimated_seconds

from unroll.errors import ArgumentError, UnsupportedError
from unroll.graph import Graph
from unroll.ops.scan import Scan
from unroll.passes.pipeline import optimize
from unroll.passes.rerolling import Rerolled, reroll
from unroll.passes.rerolling.scans import native_scans

#: What a graph is cleaned of once steps of it have become an operator.
_CLEANING = ("fold_constants", "fold_zeros", "cancel_shapes", "merge_equal", "remove_dead")


class Formed(NamedTuple):
    """A graph made ready to be written in a form.

    Attributes:
        form: its name; `auto` has become the one that was chosen.
        graph: what to write.
        fold_weights: whether what depends on weights alone is written as its value.
    """

    form: str
    graph: Graph
    fold_weights: bool


def checked_form(form: object, extra: tuple[str, ...] = ()) -> str:
    """Return `form` where there is such a one.

    Raises:
        ArgumentError: there is not; the message lists those there are.
    """
    known = (*FORMS, *extra)
    if not isinstance(form, str) or form not in known:
        raise ArgumentError(f"form {form!r}: there are {', '.join(map(repr, known))}")
    return form


def in_form(
    graph: Graph, form: str, *, optimized: bool = False, batch: int = 1, steps_per_iteration: int = 1
) -> Formed:
    """Return what to write for `graph` in a form.

    Args:
        graph: the graph; it is not changed.
        form: a name in `FORMS`.
        optimized: of `unrolled`, run `unroll.passes.pipeline.optimize` first.
        batch: what symbolic dimensions are taken for when asking what pays.
        steps_per_iteration: of `scan`, how many steps its body is.

    Raises:
        ArgumentError: there is no such form.
        UnsupportedError: the graph cannot take the form (the message names the node that prevents it), or the form has
            no use for an argument that was given.
    """
    checked_form(form)
    if optimized and form not in ("unrolled", "auto"):
        raise UnsupportedError(
            f"form {form!r} is not optimised: that is for 'unrolled', and 'auto' does it where it pays"
        )
    if steps_per_iteration != 1 and form != "scan":
        raise UnsupportedError(f"steps_per_iteration={steps_per_iteration!r} goes with form='scan', not {form!r}")
    return FORMS[form](graph, optimized, batch, steps_per_iteration)


def _unrolled(graph: Graph, optimized: bool, batch: int, steps: int) -> Formed:
    return Formed("unrolled", optimize(graph, batch=batch) if optimized else graph, optimized)


def _functions(graph: Graph, optimized: bool, batch: int, steps: int) -> Formed:
    return Formed("functions", graph, False)


def _scan(graph: Graph, optimized: bool, batch: int, steps: int) -> Formed:
    found, report = reroll(graph, native=False, steps_per_iteration=steps)
    return Formed("scan", _rerolled_graph(graph, "scan", found, report, _has_loop(graph) and steps == 1), True)


def _rerolled(graph: Graph, optimized: bool, batch: int, steps: int) -> Formed:
    found, report = reroll(native_scans(graph))
    return Formed("rerolled", _rerolled_graph(graph, "rerolled", found, report, _has_loop(graph)), True)


def _has_loop(graph: Graph) -> bool:
    """Say whether steps of a graph are a loop already."""
    return any(isinstance(node.op, Scan) for node in graph.nodes)


def _rerolled_graph(graph: Graph, form: str, found: Graph, report: Rerolled, looped: bool) -> Graph:
    if not report and not looped:
        reasons = "; ".join(map(str, report.left)) or report.note
        raise UnsupportedError(
            f"form {form!r}: no steps of the graph can become one operator: {reasons}. Use form='unrolled'"
        )
    return optimize(found, _CLEANING)


def _auto(graph: Graph, optimized: bool, batch: int, steps: int) -> Formed:
    """Return the form that `estimated_seconds` finds fastest, of those that the graph can take."""
    formed = [_unrolled(graph, True, batch, steps)]
    for form in ("rerolled", "scan"):
        try:
            formed.append(FORMS[form](graph, False, batch, 1))
        except UnsupportedError:
            continue
    return min(formed, key=lambda item: estimated_seconds(item.graph, batch))


FORMS: dict[str, Callable[[Graph, bool, int, int], Formed]] = {
    "unrolled": _unrolled,
    "functions": _functions,
    "scan": _scan,
    "rerolled": _rerolled,
    "auto": _auto,
}
