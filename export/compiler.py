"""`compile`: the fastest form of a graph for this machine, measured once and remembered."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, overload

import numpy as np
import onnxruntime as ort
from onnx import ModelProto

from unroll.arguments import checked
from unroll.checks import check_size
from unroll.comparison import tolerance_for, worst_difference
from unroll.dtypes import Array
from unroll.errors import (
    ArgumentError,
    EvaluationError,
    ModelError,
    UnsupportedError,
    first_line,
)
from unroll.export import tuning
from unroll.export.c.session import CSession
from unroll.export.choice import Candidate, Choice
from unroll.export.compile_reduced import reduction
from unroll.export.forms import checked_form, in_form
from unroll.export.lowering import to_onnx
from unroll.export.running.session import Session
from unroll.export.running.session_options import MANY_NODES, threads_for
from unroll.graph import Graph, check_graph
from unroll.progress import busy
from unroll.randomness import random_operators, why_random
from unroll.sizes import Sizes, checked_dims, free_symbols, read_out, shown, symbols_of
from unroll.trials.trial_feeds import trials
from unroll.trials.trial_runs import none_runs
from unroll.version import __version__

TARGETS = ("onnxruntime", "c")
#: The ways that are tried, by what a table calls them: how `to_onnx` writes each.
WAYS: dict[str, dict[str, Any]] = {
    "unrolled": {"form": "unrolled"},
    "unrolled, optimized": {"form": "unrolled", "optimized": True},
    "rerolled": {"form": "rerolled"},
    "scan": {"form": "scan"},
    "functions": {"form": "functions"},
}
#: A flat graph of more nodes takes long to load, and is only measured where it is all there is.
MOST_NODES = 40_000


class CompiledSession(Session):
    """A Session that runs the form that `compile` chose.

    Attributes:
        choice: which form it is, and why; prints as a table.
        size: how many nodes and bytes the model has.
    """

    def __init__(self, graph: Graph, writer: Writer, choice: Choice) -> None:
        self._writer, self._compiled = writer, graph
        self.choice = choice
        super().__init__(graph)

    def model(self) -> ModelProto:
        """Return the model in the form that was chosen, with the values that the weights have now, to be saved."""
        return self._writer.write(self._compiled, self.choice.form, check=False)  # it was proven when it was chosen

    def _written(self, graph: Graph, check: bool) -> ModelProto:
        model = self._writer.write(graph, self.choice.form, check)
        self.size = len(model.graph.node), model.ByteSize()
        return model

    def _threads(self, graph: Graph) -> int | None:
        return self.choice.threads


class Writer(NamedTuple):
    """How the forms of a graph are written: for which batch, and in which bits."""

    batch: int
    dtype: str | None
    quantize: str | None

    def write(self, graph: Graph, way: str, check: bool = True) -> ModelProto:
        """Return the model of `graph` written in one of `WAYS`; with `check`, proven where it is a rewritten one."""
        reduce = reduction(self.dtype, self.quantize)
        model = to_onnx(graph, batch=self.batch, check=check, **WAYS[way])
        return model if reduce is None else reduce(model)


@overload
def compile(
    graph: Graph,
    target: Literal["onnxruntime"] = "onnxruntime",
    *,
    batch: int | None = None,
    dims: Mapping[str, int] | None = None,
    tune: bool = True,
    form: str | None = None,
    dtype: str | None = None,
    quantize: str | None = None,
    cache: Any = True,
) -> CompiledSession: ...
@overload
def compile(
    graph: Graph,
    target: Literal["c"],
    *,
    batch: int | None = None,
    dims: Mapping[str, int] | None = None,
    cache: Any = True,
) -> CSession: ...


@checked()
def compile(
    graph: Graph,
    target: str = "onnxruntime",
    *,
    batch: int | None = None,
    dims: Mapping[str, int] | None = None,
    tune: bool = True,
    form: str | None = None,
    dtype: str | None = None,
    quantize: str | None = None,
    cache: Any = True,
) -> CompiledSession | CSession:
    """Return a Session on the fastest form of `graph` that agrees with NumPy.

    Every form the graph can take is run on this machine, in turns, on random feeds: flat as it was traced, flat and
    optimised, as native operators, as Scan, each on one thread and on all. What was found is kept on disk by content:
    the weights and structure, onnxruntime's version, the processor and the settings. So a second call measures nothing,
    and other weights are measured again. The fastest form is the one with the smallest lower quartile, which other work
    on the machine disturbs least; two forms that are about equally fast may change places.

    Args:
        graph: the graph.
        target: what runs it: ``"onnxruntime"``, or ``"c"``, for which it is written as C and compiled by the machine's compiler
            (``CC``, else cc, gcc or clang), once for each batch and other size; see `unroll.export.c.session.CSession`.
        batch: the number of rows to be fast at, 1 by default: the size of the symbol ``batch``, or, in a graph without
            one, of the symbols on the first axis of its inputs. The session takes any number of rows.
        dims: the sizes of other symbols to be fast at, by name, such as ``{"time": 28}``.
        tune: measure; False chooses by an estimate (see `unroll.export.form_cost`).
        form: only this form: one of those of `unroll.to_onnx`.
        dtype: ``"float16"`` computes in float16 instead of float32, with inputs and outputs as they were; the choice
            says what is lost.
        quantize: ``"int8"`` multiplies by int8 weights where onnxruntime's tool can (see
            `unroll.export.compile_reduced`); the choice says what is lost.
        cache: whether to remember on disk; or a folder to remember in, by default ``unroll/tuning`` in the user's cache, and
            ``unroll/c`` for compiled C.

    Returns:
        The session. ``session.choice`` says what was chosen and why; print it. With ``target="c"`` there is nothing to choose.

    Raises:
        ArgumentTypeError: `graph` is not a Graph, or `dims` is not a dict of ints.
        ArgumentError: an unknown target, form, dtype or quantisation, a batch below 1, or `dims` that name what is not
            a symbol, or sizes below 0; or a symbol that is neither the batch nor in `dims`, and what is measured
            depends on it.
        UnsupportedError: the graph cannot take the form, no form runs in onnxruntime, or in none there is anything to convert
            to `dtype` or to quantise; with ``target="c"`` there is no C compiler, or the graph cannot be written as C.
        ModelError: with ``target="c"``, the compiler fails, or takes more than five minutes.
        EvaluationError: NumPy cannot compute the graph on feeds of these sizes.

    Example:
        >>> x = unroll.placeholder([None, 4, 3], name="x")
        >>> outputs, state = unroll.dynamic_rnn(unroll.BasicLSTMCell(5), x)
        >>> session = unroll.compile(unroll.Graph([x], {"y": outputs}), batch=1, tune=False)
        >>> session.run({"x": np.zeros((2, 4, 3))})["y"].shape
        (2, 4, 5)
    """
    check_graph(graph, "compile")
    if not isinstance(target, str) or target not in TARGETS:
        raise ArgumentError(f"compile: target {target!r}: there is {', '.join(map(repr, TARGETS))}")
    batch = None if batch is None else check_size(batch, "compile: batch")
    if target == "c":
        others = {"tune": not tune, "form": form, "dtype": dtype, "quantize": quantize}
        return _as_c(graph, batch, dims, cache, [name for name, said in others.items() if said])
    reduction(dtype, quantize)
    size = 1 if batch is None else batch
    given = checked_dims(dims, symbols_of(graph), "compile")
    if batch is not None and given.get("batch", batch) != batch:
        raise ArgumentError(f"compile: batch is {batch}, and dims say batch = {given['batch']}; give one of them")
    writer = Writer(given.get("batch", size), dtype, quantize)
    ways = _ways(graph, form, writer.batch, given, tune)
    if not tune:
        return _estimated(graph, writer, given, ways, "asked for" if form not in (None, "auto") else "estimated")
    sizes = sizes_for(graph, size, given)
    folder = tuning.folder_of(cache)
    if folder is None:
        return _measured(graph, writer, sizes, ways)
    model = to_onnx(graph).SerializeToString(deterministic=True)
    settings = {"ways": ways, **writer._asdict(), "dims": sizes, "threads": _cores()}
    key = tuning.cache_key(model, versions=(__version__, ort.__version__), **settings)
    known = tuning.remembered(folder, key, ways, writer.batch, partial(CompiledSession, graph, writer))
    if known is not None:
        return known
    session = _measured(graph, writer, sizes, ways)
    tuning.remember(folder, key, session.choice)
    return session


def _as_c(
    graph: Graph, batch: int | None, dims: Mapping[str, int] | None, cache: object, besides: Sequence[str]
) -> CSession:
    """Return a session on compiled C; compiled at once where its sizes are known."""
    if besides:
        raise ArgumentError(f"compile: {besides[0]} says how onnxruntime runs a graph; leave it out with target='c'")
    symbols = symbols_of(graph)
    given = checked_dims(dims, symbols, "compile")
    if batch is not None and "batch" in symbols:
        given.setdefault("batch", batch)
    return CSession(graph, cache, given)


def _ways(graph: Graph, form: str | None, batch: int, dims: Mapping[str, int], tune: bool) -> list[str]:
    """Return which of `WAYS` are to be tried."""
    if form is not None:
        checked_form(form)
    if form not in (None, "auto"):
        return ["unrolled", "unrolled, optimized"] if form == "unrolled" else [str(form)]
    if tune:
        return ["rerolled", "scan", "unrolled", "unrolled, optimized"]
    chosen = in_form(graph, "auto", batch=batch, dims=dims).form
    return ["unrolled, optimized" if chosen == "unrolled" else chosen]


def _estimated(graph: Graph, writer: Writer, dims: Mapping[str, int], ways: list[str], how: str) -> CompiledSession:
    way = ways[-1]  # of the two flat ways, the optimised one
    threads = threads_for(graph, writer.batch)
    session = CompiledSession(graph, writer, Choice(way, threads, how, writer.batch, ()))
    lost = None
    if writer.dtype is not None or writer.quantize is not None:
        feeds = feeds_for(graph, sizes_for(graph, writer.batch, dims))[0]
        lost = worst_difference(graph.run(feeds), session.run(feeds))
    row = Candidate(way, threads, None, None, *session.size, lost)
    session.choice = session.choice._replace(candidates=(row,), lost=lost)
    return session


def _measured(graph: Graph, writer: Writer, sizes: Mapping[str, int], ways: list[str]) -> CompiledSession:
    """Measure the ways on one thread and on all; a large graph only on as many threads as suit it."""
    usual = threads_for(graph, writer.batch)
    both = _cores() > 1 and len(graph.nodes) < MANY_NODES
    with busy("measuring forms"):
        trial = _Trial(graph, writer, feeds_for(graph, sizes))
        for way in ways:
            for threads in (1, None) if both else (usual,):
                trial.add(way, threads)
        trial.measure()
    return trial.chosen()


class _Trial:
    """Sessions of one graph that are measured against each other."""

    def __init__(self, graph: Graph, writer: Writer, feeds: Sequence[Mapping[str, Array]]) -> None:
        self.graph, self.writer, self.feeds = graph, writer, feeds[0]
        self.expected = _expected(graph, feeds)
        self.reduced = writer.dtype is not None or writer.quantize is not None
        self.rows: dict[tuple[str, int | None], Candidate] = {}
        self.sessions: dict[tuple[str, int | None], CompiledSession] = {}

    def add(self, way: str, threads: int | None) -> None:
        """Make a session of a way, or note why there cannot be one."""
        row = Candidate(way, threads)
        if len(self.graph.nodes) > MOST_NODES and way.startswith("unrolled") and self.sessions:
            note = f"not measured: {len(self.graph.nodes)} nodes take long to load"
            self.rows[way, threads] = row._replace(note=note)
            return
        try:
            session = CompiledSession(self.graph, self.writer, Choice(way, threads, "", self.writer.batch, ()))
            difference = max(worst_difference(wanted, session.run(fed)) for fed, wanted in self.expected)
        except (UnsupportedError, ModelError, EvaluationError) as error:
            self.rows[way, threads] = row._replace(note=str(error))
            return
        self.sessions[way, threads] = session
        row = Candidate(way, threads, None, None, *session.size, difference)
        self.rows[way, threads] = row._replace(note=self._doubt(difference))

    def _doubt(self, difference: float) -> str:
        """Return why a session may not be chosen; empty where it may."""
        if self.reduced:
            return "" if np.isfinite(difference) else "does not give finite numbers"
        limit = max(tolerance_for(array.dtype) for array in self.expected[0][1].values())
        drawn = "" if difference <= limit else why_random(random_operators(self.graph))
        return drawn or ("" if difference <= limit else f"differs from NumPy by more than {limit:g}")

    def measure(self) -> None:
        """Measure all sessions that may be chosen, in turns; one that fails may not be chosen."""
        runs = {
            key: partial(session._session.run, None, dict(self.feeds))
            for key, session in self.sessions.items()
            if not self.rows[key].note
        }
        for key, found in tuning.measured_seconds(runs).items():
            if isinstance(found, Exception):
                note = f"onnxruntime failed while running: {first_line(found)}"
                self.rows[key] = self.rows[key]._replace(note=note)
            else:
                self.rows[key] = self.rows[key]._replace(seconds=found[0], quick=found[1])

    def fastest(self) -> Candidate:
        """Return the fastest of those that may be chosen.

        Raises:
            UnsupportedError: no session may be chosen.
        """
        fit = [row for row in self.rows.values() if row.seconds is not None]
        if not fit:
            forms: dict[str, dict[str, None]] = {}
            for row in self.rows.values():
                forms.setdefault(row.note, {})[row.form] = None
            reasons = "; ".join(f"{', '.join(names)}: {note}" for note, names in forms.items())
            raise UnsupportedError(f"compile: no form of the graph can be run in onnxruntime as was asked: {reasons}")
        return min(fit, key=lambda row: row.quick or 0.0)

    def chosen(self) -> CompiledSession:
        """Return the session of the fastest, with its choice."""
        best = self.fastest()
        session = self.sessions[best.form, best.threads]
        lost = best.difference if self.reduced else None
        rows = tuple(self.rows.values())
        session.choice = Choice(best.form, best.threads, "measured", self.writer.batch, rows, lost)
        return session


def _expected(graph: Graph, feeds: Sequence[Mapping[str, Array]]) -> list[tuple[Mapping[str, Array], dict[str, Array]]]:
    """Return feeds with what NumPy makes of them; those after the first only where the graph allows their sizes.

    Raises:
        EvaluationError: it does not allow the sizes of the first feeds.
    """
    found: list[tuple[Mapping[str, Array], dict[str, Array]]] = []
    for fed in feeds:
        try:
            found.append((fed, graph.run(fed)))
        except EvaluationError as error:
            if not found:
                tried = ", ".join(f"{name} {list(array.shape)}" for name, array in fed.items())
                raise EvaluationError(f"compile: {none_runs(graph, [f'{tried}: {error}'])}") from None
    return found


def sizes_for(graph: Graph, batch: int, dims: Mapping[str, int] | None) -> dict[str, int]:
    """Return the sizes of symbols that `compile` measures at.

    Args:
        graph: the graph.
        batch: the size of the symbol ``batch``; where there is none, of the symbols on the first axis of the inputs.
        dims: the sizes of others, by name.

    Raises:
        ArgumentError: a symbol has no size: it is not the batch, no other size decides it, and `dims` does not give it;
            or `dims` names a symbol that the graph does not have.
    """
    given = checked_dims(dims, symbols_of(graph), "compile")
    free = free_symbols(graph)
    first = [str(spec.shape[0]) for spec in graph.input_specs if spec.shape and str(spec.shape[0]) in free]
    rows = ["batch"] if "batch" in free else first
    sizes = dict.fromkeys((name for name in rows if name not in given), batch) | given
    asked = [name for name in Sizes(graph, sizes, "compile").undecided() if name not in read_out(graph)]
    if asked:
        raise ArgumentError(
            f"compile: {shown(graph)}: the size of {', '.join(asked)} is not known, and how fast a form is depends on it; "
            f"give it as dims={{{', '.join(f'{name!r}: size' for name in asked)}}}"
        )
    return sizes


def feeds_for(graph: Graph, sizes: Mapping[str, int]) -> list[dict[str, Array]]:
    """Return the feeds to measure on, with lengths as long as possible; and, where integers or booleans are fed, more
    feeds on which the forms must agree.

    Raises:
        ArgumentError: the graph does not allow such sizes.
    """
    found = trials(graph, dims=sizes, count=1, rows=1, what="compile")
    if any(spec.dtype.kind != "f" for spec in graph.input_specs):
        rows = {name: size for name, size in sizes.items() if name != "batch"}
        found += trials(graph, seed=1, dims=rows, count=1, what="compile")
    return [trial.feeds for trial in found]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
