"""Proving that NumPy, onnx's own reference evaluator and onnxruntime compute the same from one graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto
from onnx.reference import ReferenceEvaluator
from unroll.export import support
from unroll.export.lowering import to_onnx
from unroll.export.session import Session

from unroll.dimensions import substitute
from unroll.dtypes import Array, DType
from unroll.errors import ArgumentError, ArgumentTypeError, UnsupportedError, VerificationError
from unroll.graph import Graph
from unroll.progress import busy

#: By dtype: two runners agree where ``|a - b| <= tolerance * max(1, |b|)``. Integers and booleans must be equal.
TOLERANCES: dict[str, float] = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-9}
REFERENCE = "NumPy"


class Difference(NamedTuple):
    """How far a runner is from NumPy on one output.

    Attributes:
        output: the output's name.
        runner: who is compared with NumPy.
        absolute: the worst ``|a - b|``.
        relative: the worst ``|a - b| / |b|``, where b is not 0.
        scaled: the worst ``|a - b| / max(1, |b|)``, which is what the tolerance bounds.
        tolerance: the largest `scaled` allowed.
        agrees: whether it is within the tolerance everywhere.
    """

    output: str
    runner: str
    absolute: float
    relative: float
    scaled: float
    tolerance: float
    agrees: bool


class Verification(NamedTuple):
    """What `verify` found.

    Attributes:
        differences: one row an output and runner.
        runners: who took part, NumPy first.
        left_out: who did not, and why.
    """

    differences: tuple[Difference, ...]
    runners: tuple[str, ...]
    left_out: dict[str, str]

    @property
    def worst(self) -> Difference:
        """The row with the largest absolute difference."""
        return max(self.differences, key=lambda row: (not row.agrees, row.absolute))

    def __str__(self) -> str:
        count = len({row.output for row in self.differences})
        lines = [f"{count} output{'s' if count != 1 else ''}; {', '.join(self.runners)} took part"]
        for runner in self.runners[1:]:
            row = max((row for row in self.differences if row.runner == runner), key=lambda row: row.scaled)
            lines.append(
                f"  {runner}: worst absolute difference {row.absolute:.3g}, {row.scaled:.3g} of max(1, |value|) "
                f"(tolerance {row.tolerance:g}), on {row.output}"
            )
        lines += [f"  {runner} left out: {reason}" for runner, reason in self.left_out.items()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def verify(
    graph: Graph,
    feeds: Mapping[Any, Any] | None = None,
    *,
    tolerance: float | None = None,
    seed: int = 0,
    **options: Any,
) -> Verification:
    """Run a graph in NumPy, and its ONNX model in onnx's ReferenceEvaluator and in onnxruntime, on the same feeds.

    Args:
        graph: the graph.
        feeds: arrays by placeholder or name; by default generated: normal floats, integers 0 and 1, every symbolic
            dimension a different small number.
        tolerance: agree where ``|a - b| <= tolerance * max(1, |b|)``; by default 1e-5 for float32, 1e-9 for float64 and
            1e-2 for float16 outputs.
        seed: of the generated feeds.
        options: those of `to_onnx`.

    Returns:
        The worst absolute and relative difference of each output and runner, and who took part. A runner is left out,
        and why is said, where it cannot run the model: onnxruntime lacks kernels for some dtypes, and the reference
        evaluator fails on a few valid models.

    Raises:
        VerificationError: a runner differs by more than the tolerance; the message names the output and both values.
        ArgumentError: a tolerance or seed that is none.
        FeedError, ShapeError, DTypeError: the feeds do not fit.
    """
    if not isinstance(graph, Graph):
        raise ArgumentTypeError(f"verify: a Graph is wanted, not {type(graph).__name__}")
    check_tolerance(tolerance, "verify")
    arrays = graph.check_feeds(generate_feeds(graph, seed) if feeds is None else feeds)
    expected = graph.run(arrays)
    left_out: dict[str, str] = {}
    results: dict[str, dict[str, Array]] = {}
    model = to_onnx(graph, **{"runtime": None, **options})
    try:
        with busy("running onnx's reference evaluator"):
            results["onnx reference"] = _run_reference(model, arrays)
    except Exception as error:  # it fails on some valid models, with errors of every kind
        left_out["onnx reference"] = (
            f"it raised {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        )
    try:
        support.check(graph, "onnxruntime")
        results["onnxruntime"] = Session(model).run(arrays)
    except UnsupportedError as error:
        left_out["onnxruntime"] = str(error)
    if not results:
        raise VerificationError(f"no other runner could take part: {left_out}")
    rows = [
        compare(name, runner, expected[name], outputs[name], tolerance)
        for runner, outputs in results.items()
        for name in expected
    ]
    found = Verification(tuple(rows), (REFERENCE, *results), left_out)
    if not all(row.agrees for row in rows):
        _raise_disagreement(found, expected, results)
    return found


def check_tolerance(tolerance: object, what: str) -> None:
    """Refuse a tolerance that is neither None nor a finite number of at least 0.

    Raises:
        ArgumentError: it is not.
    """
    if tolerance is not None and not (isinstance(tolerance, (int, float)) and 0 <= tolerance < float("inf")):
        raise ArgumentError(f"{what}: tolerance {tolerance!r} is not a finite number >= 0")


def check_seed(seed: object, what: str) -> None:
    """Refuse a seed that is not an int of at least 0.

    Raises:
        ArgumentError: it is not.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ArgumentError(f"{what}: seed {seed!r} is not an int >= 0")


def generate_feeds(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Return random feeds for every input: normal floats, integers and booleans 0 and 1; symbols are 2, 3, 4, ...

    Raises:
        ArgumentError: the graph's dimensions must satisfy equalities that no such choice does.
    """
    check_seed(seed, "verify")
    generator = np.random.default_rng(seed)
    names = sorted(
        {name for spec in graph.input_specs for dim in spec.shape if not isinstance(dim, int) for name in dim.symbols}
    )
    sizes = {name: 2 + place for place, name in enumerate(names)}
    feeds: dict[str, Array] = {}
    for spec in graph.input_specs:
        shape = [substitute(dim, sizes) for dim in spec.shape]
        if not all(isinstance(size, int) and size >= 0 for size in shape):
            raise ArgumentError(f"input {spec.name!r}: no feed can be generated for {spec.shape}; give feeds")
        feeds[spec.name] = _draw(generator, [int(size) for size in shape], spec.dtype)
    return feeds


def _draw(generator: np.random.Generator, shape: list[int], dtype: DType) -> Array:
    if dtype.kind == "f":
        return generator.standard_normal(shape).astype(dtype)
    return generator.integers(0, 2, shape).astype(dtype)


def _run_reference(model: ModelProto, arrays: dict[str, Array]) -> dict[str, Array]:
    names = [item.name for item in model.graph.output]
    with np.errstate(all="ignore"):
        return dict(zip(names, map(np.asarray, ReferenceEvaluator(model).run(None, arrays)), strict=True))


def compare(output: str, runner: str, expected: Array, seen: Array, tolerance: float | None) -> Difference:
    """Return how far an output of a runner is from what is expected; by default the tolerance is that of its dtype."""
    limit = _limit(expected.dtype, tolerance)
    if seen.shape != expected.shape or seen.dtype != expected.dtype:
        far = float("inf")
        return Difference(output, runner, far, far, far, limit, False)
    gap, scaled = _gaps(seen, expected)
    with np.errstate(all="ignore"):
        ratio = gap / np.abs(expected) if expected.dtype.kind == "f" else gap
    relative = np.where((gap == 0) | (expected == 0), 0.0, np.where(np.isnan(ratio), np.inf, ratio))
    bounded = float(scaled.max(initial=0.0))
    worst = float(relative.max(initial=0.0))
    return Difference(output, runner, float(gap.max(initial=0.0)), worst, bounded, limit, bounded <= limit)


def _limit(dtype: DType, tolerance: float | None) -> float:
    if dtype.kind != "f":
        return 0.0
    return TOLERANCES[str(dtype)] if tolerance is None else float(tolerance)


def _gaps(seen: Array, expected: Array) -> tuple[Array, Array]:
    """Return ``|a - b|`` and ``|a - b| / max(1, |b|)`` of every element.

    NaN in the same place, and equal infinities, differ by 0; in other places by infinity. Integers and booleans differ by
    1 where they are not equal.
    """
    if expected.dtype.kind != "f":
        differs = (seen != expected).astype(np.float64)
        return differs, differs
    a, b = seen.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        gap = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
        gap = np.where(np.isnan(gap), np.inf, gap)
        scale = np.maximum(1.0, np.where(np.isfinite(b), np.abs(b), 1.0))
    return gap, gap / scale


def _raise_disagreement(found: Verification, expected: dict[str, Array], results: dict[str, dict[str, Array]]) -> None:
    row = found.worst
    a, b = results[row.runner][row.output], expected[row.output]
    if a.shape != b.shape or a.dtype != b.dtype:
        detail = f"{row.runner} gives {a.dtype}{list(a.shape)}, NumPy {b.dtype}{list(b.shape)}"
    else:
        at = np.unravel_index(np.argmax(_gaps(a, b)[1]), a.shape)
        detail = f"at {tuple(map(int, at))} {row.runner} gives {a[at]!s}, NumPy {b[at]!s}"
    raise VerificationError(
        f"output {row.output!r}: {detail}; more than the tolerance {row.tolerance:g} apart\n{found}"
    )
