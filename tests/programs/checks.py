"""What is checked of a random program: all that is made of it computes what NumPy makes of it as it was written."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import onnxruntime as ort
from hashed_choices import chosen
from helpers import Array
from onnx import ModelProto

import unroll
from unroll.errors import UnsupportedError
from unroll.export.forms import FORMS
from unroll.ops.opaque import Opaque
from unroll.ops.scan import Scan
from unroll.passes.pipeline import PASSES, optimize
from unroll.passes.rerolling.native_scans import native_scans

#: How far results may be apart, relative to the largest of the tensor and at least 1.
TOLERANCE = {"float16": 3e-2, "float32": 1e-4, "float64": 1e-9}
#: The forms that are written without re-rolling.
PLAIN = ("unrolled", "functions")


class Fault(NamedTuple):
    """Something wrong.

    Attributes:
        kind: ``wrong`` numbers, an ``interface`` that differs, a ``crash`` (an error that is not ours), or ``refused``: an
            error of ours where the program is valid; or an ``alarm``: a proof that does not hold.
        where: which pass, form or reader, and which runner.
        text: what was seen.
    """

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.where}: {self.text}"


class _AlarmError(Exception):
    """A proof that does not hold: what it was asked about is wrong, or it is."""


class Result(NamedTuple):
    """What became of a program: what is wrong, and what its loops were re-rolled to."""

    faults: list[Fault]
    became: Counter[str]


class _Checker:
    def __init__(self, graph: unroll.Graph, feeds: Sequence[Mapping[str, Array]]) -> None:
        self.graph, self.feeds = graph, feeds
        self.faults: list[Fault] = []
        self.became: Counter[str] = Counter()
        with np.errstate(all="ignore"):
            self.wanted = [graph.run(item) for item in feeds]

    def attempt(self, where: str, make: Callable[[], unroll.Graph | ModelProto], supported: bool = False) -> None:
        """Make another graph or model of the program, run it, and compare."""
        try:
            with np.errstate(all="ignore"):
                made = make()
                found = self._run(made)
        except UnsupportedError as error:
            if not supported:
                self.faults.append(Fault("refused", where, f"{type(error).__name__}: {error}"))
            return
        except _AlarmError as alarm:
            self.faults.append(Fault("alarm", where, str(alarm)))
            return
        except unroll.UnrollError as error:
            self.faults.append(Fault("refused", where, f"{type(error).__name__}: {error}"))
            return
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno}"
            self.faults.append(Fault("crash", where, f"{type(error).__name__}: {str(error)[:300]} at {place}"))
            return
        if isinstance(made, unroll.Graph) and _inputs(made) != _inputs(self.graph):
            self.faults.append(Fault("interface", where, f"inputs are {_inputs(made)}, not {_inputs(self.graph)}"))
        for wanted, seen in zip(self.wanted, found, strict=True):
            if text := difference(seen, wanted):
                self.faults.append(Fault("wrong", where, text))
                return

    def _run(self, made: unroll.Graph | ModelProto) -> list[dict[str, Array]]:
        if isinstance(made, unroll.Graph) and not any(isinstance(node.op, Opaque) for node in made.nodes):
            return [made.run(item) for item in self.feeds]
        model = (
            unroll.to_onnx(made) if isinstance(made, unroll.Graph) else made
        )  # a Scan that was read is for a Session
        session = unroll.Session(model, _one_thread())
        return [session.run(item) for item in self.feeds]


def _one_thread() -> ort.SessionOptions:
    """Return options for small models in a process of several: threads of theirs would wait for one another."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    return options


def _inputs(graph: unroll.Graph) -> list[tuple[object, ...]]:
    """Return what a graph takes: names, shapes, dtypes, and the least and most of each."""
    return [(s.name, s.shape, s.dtype, [(item.least, item.most) for item in s.limits]) for s in graph.input_specs]


def difference(seen: Mapping[str, Array], wanted: Mapping[str, Array]) -> str:
    """Return how results differ from those that are wanted, in words; what is not finite is not compared."""
    if list(seen) != list(wanted):
        return f"outputs {list(seen)}, wanted {list(wanted)}"
    for name, right in wanted.items():
        one = seen[name]
        if one.shape != right.shape or one.dtype != right.dtype:
            return f"{name} is {one.dtype} {one.shape}, wanted {right.dtype} {right.shape}"
        exact = right.astype(float)
        if not np.all(np.isfinite(exact)):
            continue
        limit = TOLERANCE.get(str(right.dtype), 0.0) * max(1.0, float(np.max(np.abs(exact), initial=0)))
        apart = np.abs(one.astype(float) - exact)
        if not np.all(apart <= limit):
            return f"{name} is {float(np.max(np.nan_to_num(apart, nan=np.inf))):.3g} apart"
    return ""


def check(graph: unroll.Graph, feeds: Sequence[Mapping[str, Array]], *, every: int = 1, first: int = 0) -> Result:
    """Check one program.

    Args:
        graph: the program.
        feeds: what it is fed in turn.
        every: do one of so many checks; for a suite, where another program has the others.
        first: which of them; and the number from which an order of passes is drawn.
    """
    checker = _Checker(graph, feeds)
    rewritten = _Rewritten(graph)
    for place, (where, make, supported) in enumerate(_attempts(rewritten, first)):
        if place % every == first % every:
            checker.attempt(where, make, supported)
    return Result(checker.faults, rewritten.became)


class _Rewritten:
    """A program rewritten without a proof, which would leave out what is wrong in place of showing it; each way once."""

    def __init__(self, graph: unroll.Graph) -> None:
        self.graph = graph
        self.became: Counter[str] = Counter()

    @cached_property
    def optimized(self) -> unroll.Graph:
        return optimize(self.graph, check=False)

    @cached_property
    def read(self) -> unroll.Graph:
        return unroll.from_onnx(unroll.to_onnx(self.graph))

    @cached_property
    def rerolled(self) -> unroll.Graph:
        found, report = unroll.reroll(native_scans(self.graph), check=False)
        loops = ("LSTM", "GRU", "RNN", "Scan")
        self.became.update(node.op.name for node in found.nodes if node.op.name in loops)
        self.became.update("left" for _ in report.left)
        return found

    @cached_property
    def scans(self) -> unroll.Graph:
        return unroll.reroll(self.graph, native=False, check=False)[0]


def _proven_rerolling(graph: unroll.Graph) -> unroll.Graph:
    found, report = unroll.reroll(graph)
    if report.proof is not None and not report.proof:
        raise _AlarmError(str(report.proof))
    return found


def _proven_optimizing(graph: unroll.Graph) -> unroll.Graph:
    found, report = optimize(graph, report=True)
    if report.left_out:
        raise _AlarmError("; ".join(f"{name} was left out: {why}" for name, why in report.left_out))
    return found


#: What is made of a program: what it is called, how, and whether it may be unsupported.
Attempt = tuple[str, Callable[[], "unroll.Graph | ModelProto"], bool]


def _attempts(it: _Rewritten, number: int) -> Iterator[Attempt]:
    """Yield each form, pass and reader."""
    graph = it.graph
    for form in PLAIN:
        yield f"to_onnx(form={form!r})", lambda form=form: unroll.to_onnx(graph, form=form), True
    yield "reroll", lambda: it.rerolled, False
    yield "reroll to Scan", lambda: it.scans, False
    yield "optimize, reroll", lambda: unroll.reroll(it.optimized, check=False)[0], False
    for name, run in PASSES.items():
        yield name, lambda run=run: run(graph), False
    order = [chosen(PASSES, "order", number, place) for place in range(5)]
    yield ", ".join(order), lambda: optimize(graph, order, check=False), False
    yield "optimize", lambda: it.optimized, False
    yield "reroll, proven", lambda: _proven_rerolling(graph), False
    yield "optimize, proven", lambda: _proven_optimizing(graph), False
    yield "from_onnx", lambda: it.read, True
    yield "from_onnx, reroll", lambda: unroll.reroll(it.read, check=False)[0], True
    yield "reroll, optimize", lambda: optimize(it.rerolled, check=False), False
    yield "reroll, to_onnx", lambda: unroll.to_onnx(it.rerolled), True
    yield "reroll to Scan, to_onnx", lambda: unroll.to_onnx(it.scans), True
    yield "optimize, to_onnx", lambda: unroll.to_onnx(it.optimized), True
    if any(isinstance(node.op, Scan) for node in graph.nodes):
        yield "native_scans", lambda: native_scans(graph), False


def check_as_asked(graph: unroll.Graph, feeds: Sequence[Mapping[str, Array]]) -> Result:
    """Check what `check` leaves out: the forms as a user asks for them, and a Scan whose body is two steps."""
    checker = _Checker(graph, feeds)
    for form in sorted(set(FORMS).difference(PLAIN)):
        checker.attempt(f"to_onnx(form={form!r})", lambda form=form: unroll.to_onnx(graph, form=form), True)  # type: ignore[misc]
    checker.attempt("to_onnx(optimized=True)", lambda: unroll.to_onnx(graph, optimized=True), True)
    checker.attempt("reroll by two", lambda: unroll.reroll(graph, native=False, steps_per_iteration=2, check=False)[0])
    return Result(checker.faults, Counter())
