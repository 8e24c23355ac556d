"""Sessions of one graph measured against each other: the forms that onnxruntime runs, and compiled C."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from unroll.comparison import tolerance_for, worst_difference
from unroll.dtypes import Array
from unroll.errors import EvaluationError, ModelError, UnsupportedError, first_line
from unroll.export import tuning
from unroll.export.c.session import CSession
from unroll.export.choice import C, Candidate, Choice
from unroll.export.compiled import CompiledSession, Writer
from unroll.feeds import bound_sizes
from unroll.graph import Graph
from unroll.randomness import random_operators, why_random
from unroll.trials.trial_runs import none_runs

#: A flat graph of more nodes takes long to load, and is only measured where it is all there is.
MOST_NODES = 40_000
#: C of more lines takes ten seconds to compile, and is not measured.
MOST_LINES = 2_000


class Trial:
    """Sessions of one graph that are measured against each other.

    Args:
        graph: the graph.
        writer: how its forms are written.
        feeds: what is measured on, first, and others on which all must agree.
        cache: where compiled C is kept.
    """

    def __init__(
        self, graph: Graph, writer: Writer, feeds: Sequence[Mapping[str, Array]], cache: object = True
    ) -> None:
        self.graph, self.writer, self.feeds, self._cache = graph, writer, feeds[0], cache
        self.expected = _expected(graph, feeds)
        self.reduced = writer.dtype is not None or writer.quantize is not None
        self.rows: dict[tuple[str, int | None], Candidate] = {}
        self.sessions: dict[tuple[str, int | None], CompiledSession | CSession] = {}

    def add(self, way: str, threads: int | None) -> None:
        """Make a session of a way, or note why there cannot be one."""
        row = Candidate(way, threads)
        if len(self.graph.nodes) > MOST_NODES and way.startswith("unrolled") and self.sessions:
            note = f"not measured: {len(self.graph.nodes)} nodes take long to load"
            self.rows[way, threads] = row._replace(note=note)
            return
        try:
            session = self._session(way, threads)
            difference = max(worst_difference(wanted, session.run(fed)) for fed, wanted in self.expected)
        except (UnsupportedError, ModelError, EvaluationError) as error:
            self.rows[way, threads] = row._replace(note=str(error))
            return
        self.sessions[way, threads] = session
        if isinstance(session, CompiledSession):
            row = row._replace(nodes=session.size[0], bytes=session.size[1])
        self.rows[way, threads] = row._replace(difference=difference, note=self._doubt(difference))

    def _session(self, way: str, threads: int | None) -> CompiledSession | CSession:
        choice = Choice(way, threads, "", self.writer.batch, ())
        if way == C:
            sizes = bound_sizes(self.graph.input_specs, self.feeds)
            return CSession(self.graph, self._cache, sizes, self.writer.bits, choice, MOST_LINES)
        return CompiledSession(self.graph, self.writer, choice)

    def _doubt(self, difference: float) -> str:
        """Return why a session may not be chosen; empty where it may."""
        if self.reduced:
            return "" if np.isfinite(difference) else "does not give finite numbers"
        limit = max(tolerance_for(array.dtype) for array in self.expected[0][1].values())
        drawn = "" if difference <= limit else why_random(random_operators(self.graph))
        return drawn or ("" if difference <= limit else f"differs from NumPy by more than {limit:g}")

    def measure(self) -> None:
        """Measure all sessions that may be chosen, in turns; one that fails may not be chosen."""
        runs = {key: self._run_of(session) for key, session in self.sessions.items() if not self.rows[key].note}
        for key, found in tuning.measured_seconds(runs).items():
            if isinstance(found, Exception):
                note = f"{'C' if key[0] == C else 'onnxruntime'} failed while running: {first_line(found)}"
                self.rows[key] = self.rows[key]._replace(note=note)
            else:
                self.rows[key] = self.rows[key]._replace(seconds=found[0], quick=found[1])

    def _run_of(self, session: CompiledSession | CSession) -> Callable[[], object]:
        """Return what computes all outputs of the feeds, which are not checked again."""
        if isinstance(session, CSession):
            return partial(session.compiled(self.feeds).run, self.feeds)
        return partial(session._session.run, None, dict(self.feeds))

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

    def chosen(self) -> CompiledSession | CSession:
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
