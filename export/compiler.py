"""`compile`: the fastest form of a graph for this machine, measured once and remembered."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

import onnxruntime as ort

from unroll.arguments import checked
from unroll.checks import check_size
from unroll.comparison import worst_difference
from unroll.dtypes import Array
from unroll.errors import (
    ArgumentError,
)
from unroll.export import tuning
from unroll.export.bits import checked_bits
from unroll.export.c.building import has_compiler, identity
from unroll.export.c.session import CSession
from unroll.export.choice import C, Candidate, Choice
from unroll.export.compiled import CompiledSession, Writer
from unroll.export.form_trial import Trial
from unroll.export.forms import checked_form, in_form
from unroll.export.lowering import to_onnx
from unroll.export.running.session_options import MANY_NODES, threads_for
from unroll.graph import Graph, check_graph
from unroll.progress import busy
from unroll.sizes import Sizes, checked_dims, free_symbols, read_out, shown, symbols_of
from unroll.trials.trial_feeds import trials
from unroll.version import __version__

TARGETS = ("onnxruntime", "c", "auto")


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
    dtype: str | None = None,
    quantize: str | None = None,
    cache: Any = True,
) -> CSession: ...


@overload
def compile(
    graph: Graph,
    target: Literal["auto"],
    *,
    batch: int | None = None,
    dims: Mapping[str, int] | None = None,
    tune: bool = True,
    form: str | None = None,
    dtype: str | None = None,
    quantize: str | None = None,
    cache: Any = True,
) -> CompiledSession | CSession: ...


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
            (``CC``, else cc, gcc or clang), once for each batch and other size; see `unroll.export.c.session.CSession`. With
            ``"auto"`` compiled C is measured beside the forms that onnxruntime runs, where a compiler is found, and the
            fastest of all is returned.
        batch: the number of rows to be fast at, 1 by default: the size of the symbol ``batch``, or, in a graph without
            one, of the symbols on the first axis of its inputs. The session takes any number of rows.
        dims: the sizes of other symbols to be fast at, by name, such as ``{"time": 28}``.
        tune: measure; False chooses by an estimate (see `unroll.export.form_cost`).
        form: only this form: one of those of `unroll.to_onnx`.
        dtype: ``"float16"`` computes in float16 instead of float32, with inputs and outputs as they were; in C it holds weights
            in float16, and computes in float32. The choice says what is lost.
        quantize: ``"int8"`` multiplies by int8 weights where onnxruntime's tool can (see `unroll.export.compile_reduced`); in
            C, by all of products. The choice says what is lost.
        cache: whether to remember on disk; or a folder to remember in, by default ``unroll/tuning`` in the user's cache, and
            ``unroll/c`` for compiled C.

    Returns:
        The session. ``session.choice`` says what was chosen and why; print it. Compiled C is one row of it.

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
    bits = checked_bits(dtype, quantize, "compile")
    if target == "c":
        others = {"tune": not tune, "form": form}
        return _as_c(graph, batch, dims, bits, cache, [name for name, said in others.items() if said])
    size = 1 if batch is None else batch
    given = checked_dims(dims, symbols_of(graph), "compile")
    if batch is not None and given.get("batch", batch) != batch:
        raise ArgumentError(f"compile: batch is {batch}, and dims say batch = {given['batch']}; give one of them")
    writer = Writer(given.get("batch", size), dtype, quantize)
    ways = _ways(graph, form, writer.batch, given, tune)
    if not tune:
        return _estimated(graph, writer, given, ways, "asked for" if form not in (None, "auto") else "estimated")
    with_c = target == "auto" and form in (None, "auto") and has_compiler()
    ways += [C] * with_c
    sizes = sizes_for(graph, size, given)
    folder = tuning.folder_of(cache)
    if folder is None:
        return _measured(graph, writer, sizes, ways, cache)
    model = to_onnx(graph).SerializeToString(deterministic=True)
    settings = {"ways": ways, **writer._asdict(), "dims": sizes, "threads": _cores()}
    if with_c:
        settings["compiler"] = identity()
    key = tuning.cache_key(model, versions=(__version__, ort.__version__), **settings)

    def remade(choice: Choice) -> CompiledSession | CSession:
        if choice.form == C:
            return CSession(graph, cache, sizes, bits, choice)
        return CompiledSession(graph, writer, choice)

    known = tuning.remembered(folder, key, ways, writer.batch, remade)
    if known is not None:
        return known
    session = _measured(graph, writer, sizes, ways, cache)
    tuning.remember(folder, key, session.choice)
    return session


def _as_c(
    graph: Graph,
    batch: int | None,
    dims: Mapping[str, int] | None,
    bits: str | None,
    cache: object,
    besides: Sequence[str],
) -> CSession:
    """Return a session on compiled C; compiled at once where its sizes are known."""
    if besides:
        raise ArgumentError(f"compile: {besides[0]} says how onnxruntime runs a graph; leave it out with target='c'")
    symbols = symbols_of(graph)
    given = checked_dims(dims, symbols, "compile")
    if batch is not None and "batch" in symbols:
        given.setdefault("batch", batch)
    feeds = None
    if bits is not None:  # what is lost is seen on feeds, whose sizes the C is then compiled for
        sizes = sizes_for(graph, given.get("batch", batch or 1), given)
        feeds = feeds_for(graph, sizes)[0]
    session = CSession(graph, cache, given, bits)
    lost = None if feeds is None else worst_difference(graph.run(feeds), session.run(feeds))
    row = Candidate(C, 1, difference=lost)
    session.choice = Choice(C, 1, "asked for", given.get("batch", batch or 1), (row,), lost)
    return session


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


def _measured(
    graph: Graph, writer: Writer, sizes: Mapping[str, int], ways: list[str], cache: object
) -> CompiledSession | CSession:
    """Measure the ways on one thread and on all; a large graph only on as many threads as suit it."""
    usual = threads_for(graph, writer.batch)
    both = _cores() > 1 and len(graph.nodes) < MANY_NODES
    with busy("measuring forms"):
        trial = Trial(graph, writer, feeds_for(graph, sizes), cache)
        for way in ways:
            for threads in (1,) if way == C else (1, None) if both else (usual,):
                trial.add(way, threads)
        trial.measure()
    return trial.chosen()


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
