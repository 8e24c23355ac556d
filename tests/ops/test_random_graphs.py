"""Five hundred random graphs over every operator: NumPy, onnx's reference evaluator and onnxruntime agree."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
from helpers import Array, run_reference
from random_graphs import BUILDERS, random_graph

import unroll
from unroll.dimensions import substitute_shape
from unroll.export.support import is_supported
from unroll.ops import OPERATORS

GRAPHS = 600
CHUNK = 20
DTYPES = ("float32", "float64", "float32", "float16", "float32")
#: Runners agree where ``|a - b| <= tolerance * max(1, |b|)``; integers and booleans are equal. onnxruntime computes
#: some float16 operators in float32, so a few float16 roundings (5e-4 each) add up over ten operators.
TOLERANCE = {"float16": 2e-2, "float32": 2e-5, "float64": 1e-11}


@cache
def drawn(seed: int) -> tuple[unroll.Graph, dict[str, Array]]:
    return random_graph(seed, DTYPES[seed % len(DTYPES)], is_supported)


def disagreement(seen: Array, wanted: Array) -> str:
    """How two runners' values differ, or nothing."""
    if seen.shape != wanted.shape or seen.dtype != wanted.dtype:
        return f"{seen.dtype}{seen.shape}, NumPy {wanted.dtype}{wanted.shape}"
    if not np.all(np.isfinite(wanted.astype(float))):
        return f"NumPy's value is not finite: {wanted.tolist()}"
    limit = TOLERANCE.get(str(wanted.dtype), 0.0) * np.maximum(1, np.abs(wanted.astype(float)))
    agree = np.all(np.abs(seen.astype(float) - wanted.astype(float)) <= limit)
    return "" if agree else f"{seen.tolist()}, NumPy {wanted.tolist()}"


def real_shape(tensor: unroll.Tensor, graph: unroll.Graph, feeds: Mapping[str, Array]) -> tuple[object, ...]:
    return substitute_shape(graph.shape(tensor), {"batch": feeds["in0"].shape[0]})


def chunks(count: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("start", range(0, count, CHUNK))


def test_the_random_graphs_hold_every_operator_in_graphs_of_at_least_two_dtypes() -> None:
    seen: dict[str, set[str]] = {name: set() for _, name in OPERATORS}
    assert set(BUILDERS) == set(seen)
    for seed in range(GRAPHS):
        graph, _ = drawn(seed)
        for node in graph.nodes:
            seen[node.op.name].add(DTYPES[seed % len(DTYPES)])
    missing = {
        name: set(DTYPES) - dtypes for name, dtypes in seen.items() if "float32" not in dtypes or len(dtypes) < 2
    }
    assert not missing


def test_at_least_five_hundred_graphs_are_drawn_and_none_is_trivial() -> None:
    sizes = [len(drawn(seed)[0].nodes) for seed in range(GRAPHS)]
    assert GRAPHS >= 500
    assert sum(size >= 5 for size in sizes) >= 500


def test_the_same_seed_draws_the_same_graph() -> None:
    one, two = random_graph(7), random_graph(7)
    assert one[0].tensor_names() == two[0].tensor_names()
    for name, array in one[1].items():
        assert np.array_equal(array, two[1][name])
    assert random_graph(8)[0].tensor_names() != one[0].tensor_names()


@chunks(GRAPHS)
def test_shapes_and_dtypes_inferred_while_tracing_are_those_of_the_run(start: int) -> None:
    for seed in range(start, start + CHUNK):
        graph, feeds = drawn(seed)
        tensors = [tensor for node in graph.nodes for tensor in node.outputs]
        for tensor, array in zip(tensors, graph.run(feeds, tensors), strict=True):
            assert (real_shape(tensor, graph, feeds), tensor.dtype) == (array.shape, array.dtype), (
                seed,
                graph.name(tensor),
            )


@chunks(GRAPHS)
def test_numpy_the_reference_evaluator_and_onnxruntime_agree(start: int) -> None:
    problems = []
    for seed in range(start, start + CHUNK):
        graph, feeds = drawn(seed)
        wanted = graph.run(feeds)
        model = unroll.to_onnx(graph)
        reference = dict(zip((item.name for item in model.graph.output), run_reference(model, feeds), strict=True))
        for runner, outputs in (("reference", reference), ("onnxruntime", unroll.Session(model).run(feeds))):
            assert outputs.keys() == wanted.keys()
            for name, array in outputs.items():
                if found := disagreement(array, wanted[name]):
                    problems.append(f"seed {seed}, {runner}, {name}: {found}")
    assert not problems, "\n".join(problems)


@chunks(100)
def test_verify_finds_agreement_and_says_who_took_part(start: int) -> None:
    for seed in range(start, start + CHUNK, 4):
        graph, feeds = drawn(seed)
        loosest = max(TOLERANCE[dtype] for dtype in DTYPES)
        found = unroll.verify(graph, feeds, tolerance=loosest)
        assert len(found.runners) == 3
        assert {row.output for row in found.differences} == set(graph.output_names)


def test_verify_names_a_runner_that_cannot_run_a_graph_instead_of_passing_its_error_on() -> None:
    """Softsign of a scalar is valid, but onnx's evaluator raises a bare TypeError on it."""
    x = unroll.placeholder([], "x")
    graph = unroll.Graph([x], unroll.ops.softsign(x))
    found = unroll.verify(graph, {x: -3.0})
    assert found.runners[-1] == "onnxruntime" and all(row.agrees for row in found.differences)
    assert found.left_out or len(found.runners) == 3
