"""Unrolling an ONNX file: read with sizes and values bound, unroll, write, and prove the result against the original."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from onnx import ModelProto

from unroll.arguments import checked
from unroll.errors import UnsupportedError, warn
from unroll.export.file_proof import Given, Proof, compared
from unroll.export.file_rerolling import operators, opset_of
from unroll.export.lowering import to_onnx
from unroll.export.reading.binding import bound_model
from unroll.export.reading.loading import load_model
from unroll.export.reading.reader import read_model_graph
from unroll.export.saving import save
from unroll.export.verifying.verification import check_seed, check_tolerance
from unroll.files import as_path
from unroll.passes.unrolling.planner import MOST_NODES, unroll
from unroll.passes.unrolling.report import Unrolled


class UnrolledFile(NamedTuple):
    """A file that was unrolled.

    Attributes:
        path: where it was written.
        report: the loops, and how many steps of each were written out.
        before: how many nodes of each operator the original has.
        after: how many the result has.
        proof: how it was compared with the original.
    """

    path: Path
    report: Unrolled
    before: dict[str, int]
    after: dict[str, int]
    proof: Proof

    def __str__(self) -> str:
        return f"{self.report}\n{sum(self.before.values())} nodes became {sum(self.after.values())}; {self.proof}"


@checked()
def unroll_file(
    source: ModelProto | str | Path,
    target: object,
    *,
    dims: Mapping[str, int] | None = None,
    values: Mapping[str, Any] | None = None,
    opset: int | None = None,
    most_nodes: int = MOST_NODES,
    tolerance: float | None = None,
    seed: int = 0,
    feeds: Given | None = None,
) -> UnrolledFile:
    """Write an ONNX model without LSTM, GRU, RNN, Scan, Loop and If, and save it once it is proven.

    Args:
        source: the model, or its path.
        target: the ``.onnx`` file to write; an existing one (the source among them) is replaced only by a whole, proven one.
        dims: sizes of symbols of the inputs by name, such as ``{"time": 28}``; the file that is written takes no others.
        values: inputs by name that are fixed, such as ``{"sr": 16000}``; the file that is written has them no more.
        opset: of the model written; by default the source's, or 13 where that is older.
        most_nodes: how many nodes may be made at most.
        tolerance: original and result agree where ``|a - b| <= tolerance * max(1, |b|)``; by default 1e-5 for float32.
        seed: of the feeds on which both are run in onnxruntime.
        feeds: the feeds, ``{input: array}`` or a list of such dicts, without the inputs in `values`; by default they are made
            (see `unroll.trials.trial_feeds`).

    Returns:
        What became of each loop, and the proof.

    Raises:
        FileError, ModelError, UnsupportedError: the source cannot be read (see `from_onnx`) or the target not be written.
        UnsupportedError: a loop stays; the message says why, and what would settle it.
        ArgumentError: an invalid tolerance or seed, or `dims` or `values` that name no symbol or input.
        FeedError, ShapeError, DTypeError: the feeds or values given do not fit the inputs.
        VerificationError: the result differs from the original; nothing is written.
        NoWitnessError: nothing can be said; nothing is written.
    """
    check_tolerance(tolerance, "unroll")
    check_seed(seed, "unroll")
    path = as_path(target, "unroll")
    original = load_model(source)
    graph, broken = read_model_graph(bound_model(original, dims, values, "unroll"), bool(dims or values))
    if broken:
        warn(broken)
    new, report = unroll(graph, most_nodes=most_nodes, check=False)  # it is compared with the file's own bytes
    if report.left:
        raise UnsupportedError(f"nothing was written: {'; '.join(map(str, report.left))}")
    if not report and not dims and not values:
        raise UnsupportedError(f"nothing was written: {report}")
    model = to_onnx(new, opset=opset_of(original) if opset is None else opset, fold_weights=True)
    both = compared(
        original, model, graph, tolerance=tolerance, seed=seed, feeds=feeds, dims=None, values=values, what="unroll"
    )
    return UnrolledFile(save(model, path), report, operators(original), operators(model), both.proof())
