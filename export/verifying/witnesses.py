"""Who computes a model beside NumPy, and who does not and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import ModelProto
from onnx.reference import ReferenceEvaluator

from unroll.dtypes import Array
from unroll.errors import ArgumentTypeError, EvaluationError, ModelError, UnrollError, UnsupportedError, first_line
from unroll.export import support
from unroll.export.c.building import compiler
from unroll.export.c.session import CSession
from unroll.export.lowering import to_onnx
from unroll.export.reading.binding import checked_values
from unroll.export.reading.reader import read_bound, read_graph
from unroll.export.running.session import Session
from unroll.export.running.session_options import options_for
from unroll.export.verifying.known_faults import ONNXRUNTIME, REFERENCE, why_aside
from unroll.files import as_path
from unroll.graph import Graph
from unroll.progress import busy
from unroll.sizes import symbols_of

NUMPY = "NumPy"
#: What is run of a Graph.
OWN = "the model that unroll writes"
#: Who runs what unroll writes, where the model verified is another program's.
REWRITTEN = "onnxruntime (rewritten by unroll)"
#: The graph as C, compiled by the machine's compiler; it runs where it is asked for.
COMPILED = "C"
#: Who computes what unroll reads or writes, and so says nothing of the model itself.
OF_THE_GRAPH = frozenset((REWRITTEN, COMPILED))
#: What onnxruntime says of a dtype for which a kernel is there and does nothing.
_NO_KERNEL = ("does not support", "NOT_IMPLEMENTED", "not implemented")

Run = Callable[[Mapping[str, Array]], dict[str, Array]]


class Subject(NamedTuple):
    """What is verified.

    Attributes:
        graph: what NumPy computes.
        model: what the others run; of a file, as it was read, without what lies beside it.
        path: the file that they run; None where there is none.
        written: whether unroll wrote `model` from the graph.
        bound: whether sizes were fixed before the graph was read.
        values: inputs of the model that the graph has fixed, by name.
    """

    graph: Graph
    model: ModelProto
    path: Path | None
    written: bool
    bound: bool = False
    values: Mapping[str, Array] = {}

    def __str__(self) -> str:
        if self.written:
            return OWN
        return "the model itself" if self.path is None else f"{self.path} itself"


class Witness(NamedTuple):
    """A runner that can compute the model.

    Attributes:
        name: who.
        run: ``arrays by input name -> arrays by output name``; raises UnsupportedError where it cannot, and
            EvaluationError where it fails on these arrays.
        aside: what it is known to get wrong of this model where NaN or infinities come in; empty for nothing.
    """

    name: str
    run: Run
    aside: str


def subject_of(
    what: Graph | ModelProto | str | Path,
    options: Mapping[str, Any],
    dims: Mapping[str, int] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Subject:
    """Return what is to be verified.

    Args:
        what: a Graph, which is written as a model; or a model, or its path, which is read as a Graph.
        options: those of `to_onnx`, for a Graph.
        dims: sizes that are fixed before a model is read, where it cannot be read without, or values are given, or the file
            has a symbol that the graph does not have.
        values: inputs of a model that are fixed.

    Raises:
        ArgumentTypeError: it is none of these, or a model with options, or a Graph with values.
        FileError, ModelError, UnsupportedError: the model cannot be read (see `from_onnx`), or breaks ONNX's rules.
    """
    if isinstance(what, Graph):
        if values is not None:
            raise ArgumentTypeError("verify: values are inputs of a model that are fixed; feed those of a Graph")
        return Subject(what, to_onnx(what, **{"runtime": None, **options}), None, True)
    if not isinstance(what, (ModelProto, str, Path)):
        raise ArgumentTypeError(
            f"verify: a Graph, an onnx.ModelProto or a path is wanted, not {type(what).__name__}; "
            "make a Graph with unroll.Graph(...), or model.trace()"
        )
    if options:
        raise ArgumentTypeError(f"verify: {', '.join(options)} go with a Graph; this is a model already")
    bound = values is not None
    try:
        graph, broken = read_bound(what, dims, values, "verify") if bound else read_graph(what)
    except UnrollError:
        if bound or not dims:
            raise
        (graph, broken), bound = read_bound(what, dims, None, "verify"), True
    if not bound and isinstance(dims, Mapping) and not dims.keys() <= set(symbols_of(graph)):
        # a symbol of the file that operators need to be equal to another one: the graph has that one alone
        (graph, broken), bound = read_bound(what, dims, None, "verify"), True
    if broken:
        raise ModelError(broken if isinstance(what, ModelProto) else f"{what}: {broken}")
    path = None if isinstance(what, ModelProto) else as_path(what, "verify")
    model = what if isinstance(what, ModelProto) else onnx.load_model(what, load_external_data=False)
    return Subject(graph, model, path, False, bound, checked_values(model, values or {}, {}, "verify"))


def witnesses_of(subject: Subject, in_c: bool = False) -> tuple[list[Witness], dict[str, str]]:
    """Return the runners that can compute a model beside NumPy, C among them where that is asked for, and of the others, why
    not.
    """
    ways: dict[str, Callable[[Subject], Run]] = {REFERENCE: _reference, ONNXRUNTIME: _onnxruntime}
    if not subject.written:
        ways[REWRITTEN] = _rewritten
    if in_c:
        ways[COMPILED] = _compiled
    found: list[Witness] = []
    left_out: dict[str, str] = {}
    for name, way in ways.items():
        runner = ONNXRUNTIME if name == REWRITTEN else name
        wrong = "" if name == COMPILED else why_aside(subject.model, runner)
        if wrong:
            left_out[name] = f"it is known to be wrong here: {wrong}"
            continue
        try:
            aside = "" if name == COMPILED else why_aside(subject.model, runner, nonfinite=True)
            found.append(Witness(name, way(subject), aside))
        except UnsupportedError as error:
            left_out[name] = str(error)
    return found, left_out


def _reference(subject: Subject) -> Run:
    """Return onnx's own evaluator, which fails on some valid models with errors of every kind."""
    try:
        evaluator = ReferenceEvaluator(str(subject.path) if subject.path is not None else subject.model)
    except Exception as error:
        raise UnsupportedError(_raised(error)) from None

    def run(arrays: Mapping[str, Array]) -> dict[str, Array]:
        try:
            with busy("running onnx's reference evaluator"), np.errstate(all="ignore"):
                results = evaluator.run(None, {**arrays, **subject.values})
        except Exception as error:
            raise UnsupportedError(_raised(error)) from None
        names = [item.name for item in subject.model.graph.output]
        return dict(zip(names, map(np.asarray, results), strict=True))

    return run


def _raised(error: Exception) -> str:
    return f"it raised {type(error).__name__}: {first_line(error)}"


def _onnxruntime(subject: Subject) -> Run:
    if subject.written:
        support.check(subject.graph, "onnxruntime")
    return _in_session(subject.model if subject.path is None else subject.path, subject.model, subject.values)


def _rewritten(subject: Subject) -> Run:
    try:
        model = to_onnx(subject.graph)
    except UnrollError as error:
        raise UnsupportedError(f"unroll cannot write it: {error}") from None
    return _in_session(model, model)


def _compiled(subject: Subject) -> Run:
    compiler()
    session = CSession(subject.graph, cache=False)

    def run(arrays: Mapping[str, Array]) -> dict[str, Array]:
        try:
            found: dict[str, Array] = session.run(arrays)
        except ModelError as error:
            raise UnsupportedError(str(error)) from None
        return found

    return run


def _in_session(source: ModelProto | Path, model: ModelProto, values: Mapping[str, Array] = {}) -> Run:
    quiet = options_for(model)
    quiet.log_severity_level = 4  # what it refuses is said in the report
    try:
        session = Session(source, quiet)
    except ModelError as error:
        raise UnsupportedError(str(error)) from None

    def run(arrays: Mapping[str, Array]) -> dict[str, Array]:
        try:
            found: dict[str, Array] = session.run({**arrays, **values})
        except EvaluationError as error:
            if any(words in str(error) for words in _NO_KERNEL):
                raise UnsupportedError(str(error)) from None
            raise
        return found

    return run
