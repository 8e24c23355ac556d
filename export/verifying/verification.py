"""Proving that NumPy, onnx's own reference evaluator and onnxruntime compute the same from one graph or one model file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto

from unroll.arguments import checked
from unroll.checks import check_choice, check_size
from unroll.comparison import gaps
from unroll.dtypes import Array
from unroll.errors import ArgumentError, EvaluationError, NoWitnessError, UnsupportedError, VerificationError
from unroll.export.lowering import to_onnx
from unroll.export.verifying.foreign_operators import foreign_nodes
from unroll.export.verifying.known_faults import ONNXRUNTIME, REFERENCE
from unroll.export.verifying.random_nodes import random_nodes
from unroll.export.verifying.rounding import check_rounding
from unroll.export.verifying.verification_report import Difference, Verification, compare, listed
from unroll.export.verifying.witnesses import NUMPY, OF_THE_GRAPH, Subject, Witness, subject_of, witnesses_of
from unroll.graph import Graph
from unroll.randomness import random_operators, why_random
from unroll.trials.trial_feeds import ALIKE, Trial, trials
from unroll.trials.trial_runs import attempted, ladder, none_runs, sizes_text

#: What tells how to give sizes, in messages that the command line shows too.
#: On how many feeds, of different sizes and magnitudes, runners are compared; and on how many where a graph has few
#: nodes, so that runs cost little: a ReLU unit is active on few of them.
_FEEDS, _MORE_FEEDS, _FEW_NODES = 3, 8, 300


@checked(options=to_onnx)
def verify(
    graph: Graph | ModelProto | str | Path,
    feeds: Mapping[Any, Any] | None = None,
    *,
    tolerance: float | None = None,
    seed: int = 0,
    dims: Mapping[str, int] | None = None,
    nonfinite: bool = False,
    runners: str | None = None,
    values: Mapping[str, Any] | None = None,
    **options: Any,
) -> Verification:
    """Run a graph in NumPy, and its ONNX model in onnx's ReferenceEvaluator and in onnxruntime, on the same feeds.

    For a model file, the other runners run the file itself, byte for byte, and NumPy what unroll reads in it; what
    unroll would write of it takes part as one more runner. A node that is none of unroll's operators is computed with
    onnx's reference implementation of it, and the report names it.

    Args:
        graph: a Graph; or a model, or the path of an ``.onnx`` file.
        feeds: arrays by placeholder or name; by default generated: integers from what the graph does with them, lengths from
            0 to the last step among them, and every symbolic dimension a different small number (`unroll.trials.trial_feeds`).
        tolerance: agree where ``|a - b| <= tolerance * max(1, |b|)``; by default 1e-5 for float32, 1e-9 for float64 and
            1e-2 for float16 outputs.
        seed: of the generated feeds.
        dims: sizes of symbols by name, for the generated feeds; others are chosen. A model that cannot be read without them
            is read with them, as `from_onnx` does, and so is one with `values`.
        nonfinite: run feeds with NaN, infinity and minus infinity in places as well, and report where runners differ on
            them. That raises nothing: runners follow no common rule there, and onnxruntime's LSTM hides NaN.
        runners: ``"c"`` for the graph as C as well, compiled by the machine's compiler for the sizes of each of the feeds.
        values: inputs of a model by name that are fixed, such as ``{"sr": 16000}``; the feeds are of the others.
        options: those of `to_onnx`, for a Graph.

    Returns:
        The worst absolute and relative difference of each output and runner, and who took part. A runner is left out, and why
        is said, where it cannot run the model, or is known to get one of its operators wrong
        (`unroll.export.verifying.known_faults`).

    Raises:
        VerificationError: a runner differs by more than the tolerance; the message names the output and both values.
        NoWitnessError: nothing is proven: NumPy, or every other runner, is left out; or onnxruntime is, and NumPy
            computes a node with onnx's reference implementation; or the graph draws random numbers, or runs on none of
            the generated feeds.
        ArgumentError: an invalid tolerance or seed; `dims` that name no symbol of the inputs, or that are given beside
            feeds of a graph that needs none; `values` that name no input.
        ArgumentTypeError: neither a Graph nor a model, or values of a Graph.
        FileError, ModelError, UnsupportedError: the model cannot be read; see `unroll.from_onnx`.
        FeedError, ShapeError, DTypeError: the feeds do not fit.

    Example:
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> found = unroll.verify(unroll.Graph([x], {"y": 2 * x + 1}))
        >>> found.runners
        ('NumPy', 'onnx reference', 'onnxruntime')
    """
    check_tolerance(tolerance, "verify")
    check_seed(seed, "verify")
    if runners is not None:
        check_choice(runners, ("c",), "verify: runners")
    subject = subject_of(graph, options, dims, values)
    if subject.bound:
        dims = None  # the graph has them
    check_given(feeds, dims, "verify")
    return verified(subject, feeds, tolerance=tolerance, seed=seed, dims=dims, nonfinite=nonfinite, runners=runners)


def verified(
    subject: Subject,
    feeds: Mapping[Any, Any] | None = None,
    *,
    tolerance: float | None = None,
    seed: int = 0,
    dims: Mapping[str, int] | None = None,
    nonfinite: bool = False,
    runners: str | None = None,
) -> Verification:
    """Compare the model of a subject with its graph; see `verify`, which calls this.

    Args:
        subject: what is verified.
        feeds: as `verify`, and so the rest.
        tolerance: as `verify`.
        seed: as `verify`.
        dims: as `verify`.
        nonfinite: as `verify`.
        runners: as `verify`.

    Returns:
        As `verify`.

    Raises:
        VerificationError: a runner differs by more than the tolerance.
        NoWitnessError: nothing can be proven; see `verify`.
    """
    nonfinite_seed = seed if nonfinite else None
    if feeds is not None:
        given_feeds = [subject.graph.check_feeds(feeds)]
        return _verified_on(subject, given_feeds, tolerance, nonfinite_seed, last=True, in_c=runners == "c")
    refused: list[str] = []
    rungs = ladder(subject.graph, dims)
    for alike in rungs:
        given = _generated(subject.graph, seed, dims, alike)
        try:  # a file may not say which sizes must be equal, or which are fixed
            runs = attempted(given, subject.graph.run, (EvaluationError,))
        except UnsupportedError as error:
            raise NoWitnessError(f"there is no witness: NumPy cannot compute {subject}: {error}") from None
        refused += runs.refused
        if not runs.ran:
            continue
        fed, outputs = [item.trial.feeds for item in runs.ran], [item.outputs for item in runs.ran]
        try:
            last = alike is rungs[-1]
            return _verified_on(subject, fed, tolerance, nonfinite_seed, outputs, last=last, in_c=runners == "c")
        except EvaluationError as error:
            refused.append(f"{sizes_text(given[0].sizes)}: {error}")
    raise NoWitnessError(f"nothing can be proven: {none_runs(subject.graph, refused)}")


def _generated(graph: Graph, seed: int, dims: Mapping[str, int] | None, alike: str = ALIKE[0]) -> list[Trial]:
    """Return feeds to try, as many as a graph of its size is verified on; see `unroll.trials.trial_feeds.trials`."""
    count = _MORE_FEEDS if len(graph.nodes) <= _FEW_NODES else _FEEDS
    return trials(graph, seed=seed, dims=dims, count=count, alike=alike, what="verify")


def _verified_on(
    subject: Subject,
    fed: Sequence[dict[str, Array]],
    tolerance: float | None,
    nonfinite_seed: int | None,
    outputs: Sequence[dict[str, Array]] | None = None,
    last: bool = False,
    in_c: bool = False,
) -> Verification:
    """Compare all runners on the same feeds, and, where there is a seed for that, with NaN and infinities in the first.

    What NumPy gives on the feeds is `outputs`, where that is known already.

    Raises:
        EvaluationError: NumPy fails on the feeds; another runner does, and these are not the last feeds to try.
    """
    graph = subject.graph
    foreign = tuple(foreign_nodes(graph))
    try:
        expected = _numbered(map(graph.run, fed) if outputs is None else outputs)
    except UnsupportedError as error:
        raise NoWitnessError(f"there is no witness: NumPy cannot compute {subject}: {error}") from None
    witnesses, left_out = witnesses_of(subject, in_c)
    results, refused = _run(witnesses, list(graph.output_names), fed, last)
    left_out |= refused | _asides(witnesses, expected, results, tolerance)
    witnesses = [item for item in witnesses if item.name in results]
    _check_witnesses(results, left_out, foreign)
    if not any(array.size for array in expected.values()):
        raise NoWitnessError("nothing was compared: the outputs have no elements; give other sizes or feeds")
    rows = _worst(expected, results, tolerance)
    found = Verification(tuple(row for row, _ in rows), (NUMPY, *results), left_out, str(subject), foreign)
    if not all(row.agrees for row in found.differences):
        drawn = why_random([*random_operators(graph), *random_nodes(subject.model)][:1])
        if drawn:
            raise NoWitnessError(f"nothing can be proven: {drawn}")
        if tolerance is None:  # who gives one asks for no less
            check_rounding(graph, fed, rows, expected)
        _raise_disagreement(found, rows, expected, results)
    if nonfinite_seed is not None:
        found = found._replace(nonfinite=_with_nonfinite(graph, fed[0], witnesses, tolerance, nonfinite_seed))
    return found._replace(
        asides={item.name: item.aside for item in witnesses if item.aside and item.name not in OF_THE_GRAPH}
    )


#: Which feed, and which output.
Key = tuple[int, str]


def _numbered(outputs: Iterable[Mapping[str, Array]]) -> dict[Key, Array]:
    return {(place, name): array for place, item in enumerate(outputs) for name, array in item.items()}


def _run(
    witnesses: list[Witness], names: Sequence[str], fed: Sequence[Mapping[str, Array]], last: bool = True
) -> tuple[dict[str, dict[Key, Array]], dict[str, str]]:
    """Return the outputs of each runner that could compute the model, by the names of the graph's outputs, and why the
    others could not.

    An output that is an input has a name of its own in the graph.
    """
    results: dict[str, dict[Key, Array]] = {}
    left_out: dict[str, str] = {}
    for witness in witnesses:
        try:
            results[witness.name] = _numbered(dict(zip(names, witness.run(item).values(), strict=True)) for item in fed)
        except UnsupportedError as error:
            left_out[witness.name] = str(error)
        except EvaluationError as error:
            if not last:
                raise
            left_out[witness.name] = str(error)
    return results, left_out


def _asides(
    witnesses: list[Witness],
    expected: Mapping[Key, Array],
    results: dict[str, dict[Key, Array]],
    tolerance: float | None,
) -> dict[str, str]:
    """Leave out the runners that differ only in NaN and infinities, where they are known to, and return why."""
    left_out: dict[str, str] = {}
    for witness in witnesses:
        outputs = results.get(witness.name, {})
        if outputs and witness.aside and _differs_in_finiteness_alone(expected, outputs, tolerance):
            left_out[witness.name] = (
                f"it differs from NumPy where one of them is not finite, and is known to: {witness.aside}"
            )
            del results[witness.name]
    return left_out


def _differs_in_finiteness_alone(
    expected: Mapping[Key, Array], outputs: Mapping[Key, Array], tolerance: float | None
) -> bool:
    """Say whether two runners differ, and only from where one of them has a number that is not finite."""
    differs = False
    for key, array in expected.items():
        seen, name = outputs[key], key[1]
        if compare(name, "", array, seen, tolerance).agrees:
            continue
        if array.dtype.kind != "f" or seen.dtype != array.dtype or seen.shape != array.shape:
            return False
        finite = np.isfinite(array) & np.isfinite(seen)
        if not compare(name, "", array[finite], seen[finite], tolerance).agrees:
            return False
        differs = True
    return differs


def _check_witnesses(results: Mapping[str, Any], left_out: Mapping[str, str], foreign: tuple[str, ...]) -> None:
    """Refuse to call proven what nobody but NumPy computed.

    Raises:
        NoWitnessError: there is no other runner, or only the one with which NumPy computed a node.
    """
    reasons = "; ".join(f"{runner}: {reason}" for runner, reason in left_out.items())
    ran = set(results) - OF_THE_GRAPH  # what unroll writes says nothing of what it read
    if not ran:
        raise NoWitnessError(f"there is no witness: no other runner could take part ({reasons})")
    if foreign and ran == {REFERENCE}:
        raise NoWitnessError(
            f"there is no witness of {listed(foreign)}, which NumPy computes with onnx's reference implementation: "
            f"{ONNXRUNTIME} could not take part ({reasons})"
        )


def _worst(
    expected: Mapping[Key, Array], results: Mapping[str, Mapping[Key, Array]], tolerance: float | None
) -> list[tuple[Difference, Key]]:
    """Return, for each output and runner, the feed on which the runner is farthest from NumPy."""
    found: dict[tuple[str, str], tuple[Difference, Key]] = {}
    for runner, outputs in results.items():
        for key, array in expected.items():
            row = compare(key[1], runner, array, outputs[key], tolerance)
            other = found.get((runner, key[1]))
            if other is None or (row.agrees, -row.scaled) < (other[0].agrees, -other[0].scaled):
                found[runner, key[1]] = (row, key)
    return list(found.values())


# -- NaN and infinities -----------------------------------------------------------------------------------------------


def _with_nonfinite(
    graph: Graph, arrays: Mapping[str, Array], witnesses: list[Witness], tolerance: float | None, seed: int
) -> tuple[Difference, ...]:
    """Compare the runners on the same feeds with NaN, infinity and minus infinity in one place of each floating input."""
    generator = np.random.default_rng(seed)
    rows: list[Difference] = []
    if not any(array.dtype.kind == "f" and array.size for array in arrays.values()):
        return ()
    for value in (np.nan, np.inf, -np.inf):
        fed = {name: _with_one(array, value, generator) for name, array in arrays.items()}
        results, _ = _run(witnesses, list(graph.output_names), [fed])
        rows += (row for row, _ in _worst(_numbered([graph.run(fed)]), results, tolerance))
    return tuple(rows)


def _with_one(array: Array, value: float, generator: np.random.Generator) -> Array:
    if array.dtype.kind != "f" or not array.size:
        return array
    found = array.copy()
    found.flat[int(generator.integers(array.size))] = value
    return found


# -- arguments and feeds ----------------------------------------------------------------------------------------------


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
        ArgumentTypeError, ArgumentError: it is not.
    """
    check_size(seed, f"{what}: seed", least=0)


def check_given(feeds: object, dims: object, what: str) -> None:
    """Refuse sizes beside feeds, which have sizes of their own.

    Raises:
        ArgumentError: both are given.
    """
    if feeds is not None and dims:
        raise ArgumentError(f"{what}: feeds are given, so dims say nothing; leave one of them out")


def generate_feeds(graph: Graph, seed: int = 0, dims: Mapping[str, int] | None = None) -> dict[str, Array]:
    """Return feeds for every input that tell runners apart, every symbol of another size; see `unroll.trials.trial_feeds`.

    Args:
        graph: the graph.
        seed: of what is drawn.
        dims: sizes of symbols by name; others are chosen.

    Raises:
        ArgumentError, ArgumentTypeError: an invalid seed, `dims` that name no symbol or sizes that the graph does not
            allow, or the graph requires equalities of dimensions that none of the sizes tried satisfies.
    """
    check_seed(seed, "verify")
    return _generated(graph, seed, dims)[0].feeds


# -- disagreement ----------------------------------------------------------------------------------------------------


def _raise_disagreement(
    found: Verification,
    rows: Sequence[tuple[Difference, Key]],
    expected: Mapping[Key, Array],
    results: Mapping[str, Mapping[Key, Array]],
) -> None:
    row = found.worst
    key = next(key for other, key in rows if other is row)
    a, b = results[row.runner][key], expected[key]
    if a.shape != b.shape or a.dtype != b.dtype:
        detail = f"{row.runner} gives {a.dtype}{list(a.shape)}, NumPy {b.dtype}{list(b.shape)}"
    else:
        at = np.unravel_index(np.argmax(gaps(a, b)[1]), a.shape)
        detail = f"at {tuple(map(int, at))} {row.runner} gives {a[at]!s}, NumPy {b[at]!s}"
    raise VerificationError(
        f"output {row.output!r}: {detail}; more than the tolerance {row.tolerance:g} apart\n{found}"
    )
