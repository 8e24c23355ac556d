"""Re-rolling a flat ONNX file: read, re-roll, write, and prove the result against the original before it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from onnx import ModelProto
from unroll.export.lowering import DEFAULT_OPSET, to_onnx
from unroll.export.reading import from_onnx, load_model
from unroll.export.reading_opaque import ONNX_DOMAIN
from unroll.export.saving import save
from unroll.export.session import Session
from unroll.export.verification import Difference, check_seed, check_tolerance, compare

from unroll.dimensions import substitute
from unroll.dtypes import Array
from unroll.errors import EvaluationError, FeedError, ShapeError, UnsupportedError, VerificationError
from unroll.files import as_path
from unroll.graph import Graph
from unroll.passes.rerolling import Rerolled, reroll

#: What is fed in turn: the first symbolic size, how much larger each further one is (a file may not say which must be equal),
#: and the largest integer (an index or a length may allow no more than the first).
_FEEDS = ((1, 0, 1), (3, 0, 4), (2, 1, 1), (7, 0, 40))
#: What a feed raises of a size, an index or a value that the original does not allow.
_NOT_ALLOWED = (EvaluationError, ShapeError, FeedError, UnsupportedError)
#: How many rows of floating inputs are zeros: a mask may be what is not.
_ZEROS = 0.2


class Proof(NamedTuple):
    """What showed that two models compute the same.

    Attributes:
        differences: one row an output and feed.
        feeds: the shapes of each feed that both were run on.
    """

    differences: tuple[Difference, ...]
    feeds: tuple[str, ...]

    @property
    def worst(self) -> Difference:
        """The row with the largest difference."""
        return max(self.differences, key=lambda row: (not row.agrees, row.scaled))

    def __str__(self) -> str:
        row = self.worst
        count = len(self.feeds)
        return (
            f"the same in onnxruntime on {count} feed{'s' if count != 1 else ''}: worst difference {row.absolute:.3g}, "
            f"{row.scaled:.3g} of max(1, |value|) (tolerance {row.tolerance:g}), on {row.output}"
        )


class RerolledFile(NamedTuple):
    """A file that was re-rolled.

    Attributes:
        path: where it was written.
        report: the recurrences found, and what each became.
        before: how many nodes of each operator the original has.
        after: how many the result has.
        proof: how it was held against the original.
    """

    path: Path
    report: Rerolled
    before: dict[str, int]
    after: dict[str, int]
    proof: Proof

    def __str__(self) -> str:
        nodes = f"{sum(self.before.values())} nodes became {sum(self.after.values())}"
        return f"{self.report}\n{nodes}; {self.proof}"


def reroll_file(
    source: ModelProto | str | Path,
    target: object,
    *,
    opset: int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> RerolledFile:
    """Write a flat ONNX model's repeated steps as native recurrent operators, or loops, and save it once it is proven.

    Args:
        source: the model, or its path.
        target: the ``.onnx`` file to write; an existing one (the source among them) is replaced only by a whole, proven one.
        opset: of the model written; by default the source's, or 13 where that is older.
        tolerance: original and result agree where ``|a - b| <= tolerance * max(1, |b|)``; by default 1e-5 for float32.
        seed: of the feeds on which both are run in onnxruntime.

    Returns:
        What was found and became of it, and the proof.

    Raises:
        FileError, ModelError, UnsupportedError: the source cannot be read (see `from_onnx`) or the target not be written.
        UnsupportedError: nothing was re-rolled; the message says which node prevents it.
        ArgumentError: a tolerance or seed that is none.
        VerificationError: the result differs from the original; nothing is written.
    """
    check_tolerance(tolerance, "reroll")
    check_seed(seed, "reroll")
    path = as_path(target, "reroll")
    original = load_model(source)
    graph = from_onnx(original)
    _, report = reroll(graph)
    if not report:
        raise UnsupportedError(f"nothing was re-rolled, and nothing written: {report}")
    its_own = next((item.version for item in original.opset_import if item.domain in ONNX_DOMAIN), DEFAULT_OPSET)
    model = to_onnx(graph, form="rerolled", opset=max(its_own, DEFAULT_OPSET) if opset is None else opset)
    proof = prove(original, model, graph, tolerance=tolerance, seed=seed)
    return RerolledFile(save(model, path), report, _operators(original), _operators(model), proof)


def export_file(source: ModelProto | str | Path, target: object, *, form: str, **writing: Any) -> tuple[Path, Proof]:
    """Write an ONNX model in another form, and save it once it is proven.

    Args:
        source: the model, or its path.
        target: the ``.onnx`` file to write; an existing one is replaced only by a whole, proven one.
        form: one of those of `to_onnx`.
        writing: the other options of `to_onnx`.

    Returns:
        The path, and the proof.

    Raises:
        FileError, ModelError, UnsupportedError: the source cannot be read (see `from_onnx`) or run in onnxruntime, or the
            target not be written.
        UnsupportedError: the graph cannot take the form; the message says which node prevents it.
        VerificationError: the result differs from the original; nothing is written.
    """
    path = as_path(target, "export")
    original = load_model(source)
    graph = from_onnx(original)
    model = to_onnx(graph, form=form, **writing)
    proof = prove(original, model, graph)
    return save(model, path), proof


def prove(
    original: ModelProto, model: ModelProto, graph: Graph, *, tolerance: float | None = None, seed: int = 0
) -> Proof:
    """Run two models in onnxruntime on random feeds of several sizes, and compare every output.

    Args:
        original: the one that is right.
        model: the one that is to be the same.
        graph: the original as a graph, which says what can be fed.
        tolerance: see `reroll_file`.
        seed: of the feeds.

    Raises:
        VerificationError: an output differs, or the original runs on none of the feeds.
    """
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 4  # a feed that the original refuses is no news
    old, new = Session(original, quiet), Session(model, quiet)
    rows: list[Difference] = []
    tried: list[str] = []
    refusals: list[str] = []
    for feeds in _feeds(graph, seed):
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in feeds.items())
        try:
            expected = old.run(graph.check_feeds(feeds))
        except _NOT_ALLOWED as error:
            refusals.append(f"{shapes}: {error}")
            continue
        try:
            found = new.run(feeds)
        except UnsupportedError as error:  # a native operator takes no empty feeds
            refusals.append(f"{shapes}: {error}")
            continue
        rows += [compare(name, "the re-rolled model", expected[name], found[name], tolerance) for name in expected]
        tried.append(shapes)
    if not tried:
        raise VerificationError(f"there is no feed on which both models run: {'; '.join(refusals)}")
    proof = Proof(tuple(rows), tuple(tried))
    if not proof.worst.agrees:
        row = proof.worst
        raise VerificationError(
            f"the model in its new form differs from the original on output {row.output!r} by {row.absolute:.3g}, "
            f"more than the tolerance {row.tolerance:g}; nothing was written"
        )
    return proof


def _feeds(graph: Graph, seed: int) -> Iterator[dict[str, Array]]:
    """Yield random feeds of several sizes."""
    specs = graph.input_specs
    symbols = sorted({name for spec in specs for dim in spec.shape if not isinstance(dim, int) for name in dim.symbols})
    generator = np.random.default_rng(seed)
    for base, step, most in _FEEDS:
        sizes = {name: base + step * place for place, name in enumerate(symbols)}
        feeds: dict[str, Array] = {}
        shapes = [[int(substitute(dim, sizes)) for dim in spec.shape] for spec in specs]
        if any(size < 0 for shape in shapes for size in shape):
            continue
        for spec, shape in zip(specs, shapes, strict=True):
            if spec.dtype.kind == "f":
                drawn = generator.standard_normal(shape)
                if shape:
                    drawn[generator.random(shape[:-1]) < _ZEROS] = 0
                feeds[spec.name] = drawn.astype(spec.dtype)
            else:
                least, top = (spec.limits[0].least, spec.limits[0].most) if spec.limits else (0, most)
                feeds[spec.name] = generator.integers(least, top + 1, shape).astype(spec.dtype)
        yield feeds


def _operators(model: ModelProto) -> dict[str, int]:
    return dict(Counter(node.op_type for node in model.graph.node))
