"""Re-rolling a flat ONNX file: read, re-roll, write, and prove the result against the original before it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from onnx import ModelProto

from unroll.arguments import checked
from unroll.errors import UnsupportedError
from unroll.export.file_proof import Given, Proof, Times, compared, prove
from unroll.export.lowering import DEFAULT_OPSET, to_onnx
from unroll.export.reading.loading import load_model
from unroll.export.reading.opaque_nodes import ONNX_DOMAIN
from unroll.export.reading.reader import from_onnx
from unroll.export.saving import save
from unroll.export.verifying.verification import check_seed, check_tolerance
from unroll.files import as_path
from unroll.graph import Graph
from unroll.passes.rerolling.planner import reroll
from unroll.passes.rerolling.report import Rerolled

#: Operators whose kernels in onnxruntime give a number where a gate is NaN; see `unroll.export.verifying.known_faults`.
_HIDE_NAN = ("GRU", "LSTM")


class RerolledFile(NamedTuple):
    """A file that was re-rolled.

    Attributes:
        path: where it was written.
        report: the recurrences found, and what each became.
        before: how many nodes of each operator the original has.
        after: how many the result has.
        proof: how it was compared with the original.
        times: how long both take, where that was asked for.
    """

    path: Path
    report: Rerolled
    before: dict[str, int]
    after: dict[str, int]
    proof: Proof
    times: Times | None = None

    def __str__(self) -> str:
        nodes = f"{sum(self.before.values())} nodes became {sum(self.after.values())}"
        hidden = [name for name in _HIDE_NAN if name in self.after and name not in self.before]
        more = (
            f". NaN was not fed: onnxruntime's {' and '.join(hidden)} hides it where the original does not"
            if hidden
            else ""
        )
        gained = "" if self.times is None else f"\n{self.times}"
        return f"{self.report}\n{nodes}; {self.proof}{more}{gained}"


@checked()
def reroll_file(
    source: ModelProto | str | Path,
    target: object,
    *,
    opset: int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    feeds: Given | None = None,
    dims: Mapping[str, int] | None = None,
    measure: bool = False,
) -> RerolledFile:
    """Write a flat ONNX model's repeated steps as native recurrent operators, or loops, and save it once it is proven.

    Args:
        source: the model, or its path.
        target: the ``.onnx`` file to write; an existing one (the source among them) is replaced only by a whole, proven one.
        opset: of the model written; by default the source's, or 13 where that is older.
        tolerance: original and result agree where ``|a - b| <= tolerance * max(1, |b|)``; by default 1e-5 for float32.
        seed: of the feeds on which both are run in onnxruntime.
        feeds: the feeds, ``{input: array}`` or a list of such dicts; by default they are made (see
            `unroll.trials.trial_feeds`).
        dims: sizes of symbols by name, for the feeds that are made; others are chosen. A file that has 12 steps baked
            in, though its axis is called ``time``, needs ``dims={"time": 12}``.
        measure: also say how long a run of both takes, on the last of the feeds; those that are made end in a batch of 1.

    Returns:
        What was found, what became of it, the proof, and the times where they are asked for.

    Raises:
        FileError, ModelError, UnsupportedError: the source cannot be read (see `from_onnx`) or the target not be written.
        UnsupportedError: nothing was re-rolled; the message says which node prevents it.
        ArgumentError: an invalid tolerance or seed, or `dims` that name no symbol of the inputs.
        FeedError, ShapeError, DTypeError: the feeds given do not fit the inputs.
        VerificationError: the result differs from the original; nothing is written.
        NoWitnessError: nothing can be said: no feeds could be made that the original takes, or it draws random numbers;
            nothing is written.
    """
    check_tolerance(tolerance, "reroll")
    check_seed(seed, "reroll")
    path = as_path(target, "reroll")
    original = load_model(source)
    graph = from_onnx(original)
    _, report = reroll(graph, dims=dims)
    if (
        report.proof is not None and report.proof.holds is None
    ):  # onnxruntime may tell, with the original beside the result
        _, report = reroll(graph, check=False)
    if not report:
        raise UnsupportedError(f"nothing was re-rolled, and nothing written: {report}")
    written = opset_of(original) if opset is None else opset
    model = to_onnx(graph, form="rerolled", opset=written, check=False)  # it is compared with the file's own bytes
    both = compared(original, model, graph, tolerance=tolerance, seed=seed, feeds=feeds, dims=dims)
    times = both.times() if measure else None
    return RerolledFile(save(model, path), report, operators(original), operators(model), both.proof(), times)


def rewrite_file(
    source: ModelProto | str | Path,
    target: object,
    make: Callable[[Graph], ModelProto],
    *,
    feeds: Given | None = None,
    dims: Mapping[str, int] | None = None,
) -> tuple[Path, Proof]:
    """Write an ONNX model anew, and save it once it is proven.

    Args:
        source: the model, or its path.
        target: the ``.onnx`` file to write; an existing one is replaced only by a whole, proven one.
        make: makes the new model of the old one's graph.
        feeds: see `reroll_file`.
        dims: see `reroll_file`.

    Returns:
        The path, and the proof.

    Raises:
        FileError, ModelError, UnsupportedError: the source cannot be read (see `from_onnx`) or run in onnxruntime, or the
            target not be written; and whatever `make` raises.
        VerificationError, NoWitnessError: the result differs from the original, or nothing can be said; nothing is written.
    """
    path = as_path(target, "export")
    original = load_model(source)
    graph = from_onnx(original)
    model = make(graph)
    proof = prove(original, model, graph, feeds=feeds, dims=dims)
    return save(model, path), proof


def opset_of(model: ModelProto) -> int:
    """Return the opset in which a model is written anew: its own, or the oldest that is written."""
    its_own = next((item.version for item in model.opset_import if item.domain in ONNX_DOMAIN), DEFAULT_OPSET)
    return max(its_own, DEFAULT_OPSET)


def operators(model: ModelProto) -> dict[str, int]:
    """Return how many nodes of each operator a model has."""
    return dict(Counter(node.op_type for node in model.graph.node))
