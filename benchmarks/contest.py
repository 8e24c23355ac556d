"""One row's contest: every form of ours and every peer, checked against the textbook, then timed in turn."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import onnxruntime as ort
import ours
from cases import Array, Row, check
from environment import PeerError, Peers
from results import ONNX_PEERS, OURS, PEERS, Samples
from timing import Contestant, contestant, measure

#: JAX compiles an unrolled program for minutes beyond this.
LONGEST_UNROLLED_JAX = 100


def contest(row: Row, peers: Peers, threads: int | None, rounds: int, seconds: float) -> tuple[dict[str, Samples], str]:
    """Return each contestant's samples at a row, or why it has none, and the form that `unroll.compile` chose.

    `threads` is 1, or None for everyone's default.
    """
    with suppress(PeerError):  # it is said below
        for tool in ONNX_PEERS:  # what converting takes is kept as a figure too: not to be taken on one core
            peers.converted(tool, row)
    missing: dict[str, Samples] = {}
    entered: dict[str, Contestant] = {}
    with ExitStack() as stack:
        stack.enter_context(on_one_core() if threads == 1 else ExitStack())
        for name in (*OURS, *PEERS):
            try:
                outputs, timed = _enter(name, row, peers, threads, stack)
                check(row, outputs)
            except Exception as error:  # whatever it is, it costs this contestant its place and not the others theirs
                missing[name] = reason(error)
                print(f"  {name} is missing: {missing[name]}", file=sys.stderr)
            else:
                entered[name] = timed
        chosen = str(ours.compiled(row, threads).choice.form) if "compiled" in entered else ""
        return {**missing, **measure(entered, rounds, seconds)}, chosen


def reason(error: Exception) -> str:
    """Return an error in one line, with its kind unless it is one that was foreseen."""
    text = (str(error).splitlines() or [""])[0]
    return text if isinstance(error, (ours.MissingError, PeerError)) else f"{type(error).__name__}: {text}"


def _enter(name: str, row: Row, peers: Peers, threads: int | None, stack: ExitStack) -> tuple[list[Array], Contestant]:
    """Return a contestant's outputs and what times it."""
    feeds = {"X": row.arrays()["X"]}
    if name in ("compiled", "bound"):
        session = ours.compiled(row, threads)
        run: Callable[[], Any] = session.bind(feeds).run if name == "bound" else partial(session.run, feeds)
        found = run()
        return [found[output] for output in row.output_names], contestant(run)
    if name == "auto-torch":
        return _loaded(
            ours.in_form(ours.torch_program(row), "auto", row.batch).SerializeToString(), feeds["X"], threads
        )
    if name in OURS:
        return _loaded(ours.in_form(ours.program(row), name, row.batch).SerializeToString(), feeds["X"], threads)
    if name in ONNX_PEERS:
        return _loaded(peers.converted(name, row)[0], feeds["X"], threads)
    if name == "jax-unrolled" and row.steps > LONGEST_UNROLLED_JAX:
        raise PeerError(f"not tried beyond T = {LONGEST_UNROLLED_JAX}, where XLA takes minutes")
    served = stack.enter_context(peers.serving(name, row, threads))
    return served.outputs, served.times


def _loaded(model: bytes | Path, x: Array, threads: int | None) -> tuple[list[Array], Contestant]:
    """Load a model as it is into onnxruntime; everyone's models get the same settings."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    run: Callable[[], Any] = partial(session.run, None, {session.get_inputs()[0].name: x})
    return run(), contestant(run)


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this process on its last processor; the contestants run in turn, so it has one at a time."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
