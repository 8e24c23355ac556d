"""The forms in which a graph is written to ONNX: which graph is written for each of them, and how `auto` decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from unroll.checks import is_same
from unroll.errors import ArgumentError, UnsupportedError
from unroll.export.form_cost import estimated_seconds
from unroll.graph import Graph
from unroll.ops.scan import Scan
from unroll.passes.pipeline import optimize
from unroll.passes.proving.proof import prove
from unroll.passes.rerolling.native_scans import native_scans
from unroll.passes.rerolling.planner import reroll
from unroll.passes.rerolling.report import Rerolled
from unroll.passes.unrolling.planner import unroll, unrolled_again

#: The passes that clean a graph up once some of its steps have become an operator.
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


def checked_form(form: object, extra: tuple[str, ...] = ()) -> str | None:
    """Return `form`, checked; None stands for the graph as it was traced.

    Raises:
        ArgumentError: there is no such form; the message lists the known ones.
    """
    if form is None:
        return None
    known = (*FORMS, *extra)
    if not isinstance(form, str) or form not in known:
        raise ArgumentError(f"form {form!r}: there are {', '.join(map(repr, known))}")
    return form


def in_form(
    graph: Graph,
    form: str | None,
    *,
    optimized: bool = False,
    batch: int = 1,
    dims: Mapping[str, int] | None = None,
    steps_per_iteration: int = 1,
    check: bool = True,
) -> Formed:
    """Return what to write for `graph` in a form.

    Args:
        graph: the graph; it is not changed.
        form: a name in `FORMS`; None for every node as it was traced, loops among them.
        optimized: of `unrolled` and None, run `unroll.passes.pipeline.optimize` first.
        batch: what symbolic dimensions are taken for when asking what pays.
        dims: what some of them are taken for instead, by name.
        steps_per_iteration: of `scan`, how many steps its body is.
        check: whether a graph that was rewritten is proven; see `unroll.passes.proving.proof`.

    Raises:
        ArgumentError: there is no such form.
        UnsupportedError: the graph cannot take the form (the message names the node that prevents it), or the form does
            not take an argument that was given; or what was written differs from the graph, and so is not handed out.
    """
    checked_form(form)
    if optimized and form not in (None, "unrolled", "auto"):
        raise UnsupportedError(
            f"form {form!r} is not optimised: that is for 'unrolled', and 'auto' does it where it pays"
        )
    if form != "scan" and not is_same(steps_per_iteration, 1):
        raise UnsupportedError(f"steps_per_iteration={steps_per_iteration!r} goes with form='scan', not {form!r}")
    asked = _Asked(optimized, batch, steps_per_iteration, check, dims or {})
    return _traced(graph, asked) if form is None else FORMS[form](graph, asked)


class _Asked(NamedTuple):
    """The arguments that a form is made with."""

    optimized: bool
    batch: int
    steps: int
    check: bool
    dims: Mapping[str, int]


def _unrolled(graph: Graph, asked: _Asked) -> Formed:
    new, report = unroll(graph, check=asked.check)
    if report.left or (report.found and not report):
        reasons = "; ".join(map(str, report.left))
        raise UnsupportedError(
            f"form 'unrolled': {reasons}. unroll.unroll(graph, dims=...) takes sizes by name; or use form='rerolled', "
            "'scan' or 'auto'"
        )
    formed = _traced(new, asked)
    return formed._replace(fold_weights=formed.fold_weights or bool(report))


def _traced(graph: Graph, asked: _Asked) -> Formed:
    """Return the graph as it was traced, optimised where that is asked for."""
    new = optimize(graph, batch=asked.batch, check=asked.check) if asked.optimized else graph
    return Formed("scan" if _has_loop(graph) else "unrolled", new, asked.optimized)


def _functions(graph: Graph, asked: _Asked) -> Formed:
    return Formed("functions", graph, False)


def _scan(graph: Graph, asked: _Asked) -> Formed:
    def write(part: Graph) -> Graph:
        found, report = reroll(part, native=False, steps_per_iteration=asked.steps, check=False)
        return _rerolled_graph("scan", found, report, _has_loop(part) and asked.steps == 1)

    return _proven(Formed("scan", write(graph), True), graph, write, asked)


def _rerolled(graph: Graph, asked: _Asked) -> Formed:
    def write(part: Graph) -> Graph:
        found, report = reroll(native_scans(part), check=False)
        return _rerolled_graph("rerolled", found, report, _has_loop(part))

    return _proven(Formed("rerolled", write(graph), True), graph, write, asked)


def _proven(formed: Formed, graph: Graph, write: Callable[[Graph], Graph], asked: _Asked) -> Formed:
    """Return a form once it is proven to compute what its graph does.

    Raises:
        UnsupportedError: it differs from the graph, or no proof can be made.
    """
    if asked.check:
        proof = prove(graph, formed.graph, write, flat=unrolled_again)
        if not proof:
            raise UnsupportedError(f"form {formed.form!r}: what was written {proof}. Use form='unrolled'")
    return formed


def _has_loop(graph: Graph) -> bool:
    """Say whether steps of a graph are a loop already."""
    return any(isinstance(node.op, Scan) for node in graph.nodes)


def _rerolled_graph(form: str, found: Graph, report: Rerolled, looped: bool) -> Graph:
    if not report and not looped:
        reasons = "; ".join(map(str, report.left)) or report.note
        raise UnsupportedError(
            f"form {form!r}: no steps of the graph can become one operator: {reasons}. Use form='unrolled'"
        )
    return optimize(found, _CLEANING, check=False)


def _auto(graph: Graph, asked: _Asked) -> Formed:
    """Return the form that `estimated_seconds` finds fastest, of those that the graph can take."""
    formed = []
    for form in ("rerolled", "scan"):
        try:
            formed.append(FORMS[form](graph, asked._replace(optimized=False, steps=1)))
        except UnsupportedError:
            continue
    formed.append(_traced(graph, asked._replace(optimized=True)))
    return min(formed, key=lambda item: estimated_seconds(item.graph, asked.batch, asked.dims))


FORMS: dict[str, Callable[[Graph, _Asked], Formed]] = {
    "unrolled": _unrolled,
    "functions": _functions,
    "scan": _scan,
    "rerolled": _rerolled,
    "auto": _auto,
}
