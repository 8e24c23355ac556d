"""Ten random graphs for every operator, 600 and more: NumPy, onnx's reference evaluator and onnxruntime agree."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
from helpers import Array, has_kernel, reference_has, run_reference
from random_graphs import BUILDERS, Drawer, random_graph

import unroll
from unroll.dimensions import substitute_shape
from unroll.ops import OPERATORS

GRAPHS = 10  #: that begin with each operator
DTYPES = ("float32", "float64", "float32", "float16", "float32")
#: Runners agree where ``|a - b| <= tolerance * max(1, |b|)``; integers and booleans are equal. onnxruntime computes
#: some float16 operators in float32, so a few float16 roundings (5e-4 each) add up over ten operators.
TOLERANCE = {"float16": 2e-2, "float32": 2e-5, "float64": 1e-11}


each_operator = pytest.mark.parametrize("op", sorted(name for _, name in OPERATORS))


@cache
def drawn(op: str, number: int) -> tuple[unroll.Graph, dict[str, Array]]:
    return random_graph(number, DTYPES[number % len(DTYPES)], has_kernel, first=op)


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


@each_operator
def test_the_random_graphs_hold_every_operator_in_graphs_of_at_least_two_dtypes(op: str) -> None:
    seen = {
        DTYPES[number % len(DTYPES)]
        for number in range(GRAPHS)
        if any(node.op.name == op for node in drawn(op, number)[0].nodes)
    }
    assert "float32" in seen and len(seen) >= 2, seen


def test_there_is_a_builder_for_every_operator() -> None:
    assert set(BUILDERS) == {name for _, name in OPERATORS}


@each_operator
def test_hardly_a_graph_is_trivial(op: str) -> None:
    sizes = [len(drawn(op, number)[0].nodes) for number in range(GRAPHS)]
    assert sum(size >= 5 for size in sizes) >= 8


def told(graph: unroll.Graph, feeds: dict[str, Array]) -> tuple[object, ...]:
    """All of a drawing but the values of its weights."""
    fed = {name: (str(array.dtype), array.tolist()) for name, array in feeds.items()}
    return [(str(node.op), graph.name(node)) for node in graph.nodes], graph.tensor_names(), graph.output_names, fed


def test_the_same_seed_draws_the_same_graph() -> None:
    assert told(*random_graph(7)) == told(*random_graph(7))
    assert told(*random_graph(7, first="Tanh")) == told(*random_graph(7, first="Tanh"))
    assert len({str(told(*random_graph(seed, first=op))) for seed in range(5) for op in ("", "Tanh", "Exp")}) == 15


@pytest.mark.slow
def test_another_builder_redraws_no_graph_in_which_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [told(*random_graph(seed)) for seed in range(200)]
    called = []

    def build(drawer: Drawer) -> list[unroll.Tensor]:
        called.append(seed)
        return [unroll.ops.sqrt(abs(drawer.pick("f")))]

    monkeypatch.setitem(BUILDERS, "Another", build)
    after = []
    for seed in range(200):
        after.append(told(*random_graph(seed)))
    assert [seed for seed in range(200) if before[seed] != after[seed]] == sorted(set(called))
    assert 10 < len(set(called)) < 50, "one draw in 64 falls on it, and nine are made for each graph"


@each_operator
def test_shapes_and_dtypes_inferred_while_tracing_are_those_of_the_run(op: str) -> None:
    for number in range(GRAPHS):
        graph, feeds = drawn(op, number)
        tensors = [tensor for node in graph.nodes for tensor in node.outputs]
        for tensor, array in zip(tensors, graph.run(feeds, tensors), strict=True):
            assert (real_shape(tensor, graph, feeds), tensor.dtype) == (array.shape, array.dtype), (
                number,
                graph.name(tensor),
            )


@pytest.mark.slow
@each_operator
def test_numpy_the_reference_evaluator_and_onnxruntime_agree(op: str) -> None:
    problems = []
    for number in range(GRAPHS):
        graph, feeds = drawn(op, number)
        wanted = graph.run(feeds)
        model = unroll.to_onnx(graph)
        runs = {"onnxruntime": unroll.Session(model).run(feeds)}
        if reference_has(graph):
            names = [item.name for item in model.graph.output]
            runs["reference"] = dict(zip(names, run_reference(model, feeds), strict=True))
        for runner, outputs in runs.items():
            assert outputs.keys() == wanted.keys()
            for name, array in outputs.items():
                if found := disagreement(array, wanted[name]):
                    problems.append(f"{op} {number}, {runner}, {name}: {found}")
    assert not problems, "\n".join(problems)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", sorted(set(DTYPES)))
def test_verify_finds_agreement_and_says_who_took_part(dtype: str) -> None:
    for seed in range(8):
        graph, feeds = random_graph(seed, dtype, has_kernel)
        loosest = max(TOLERANCE[dtype] for dtype in DTYPES)
        found = unroll.verify(graph, feeds, tolerance=loosest)
        assert len(found.runners) == 3 or not reference_has(graph)
        assert {row.output for row in found.differences} == set(graph.output_names)


def test_verify_names_a_runner_that_cannot_run_a_graph_instead_of_passing_its_error_on() -> None:
    """Softsign of a scalar is valid, but onnx's evaluator raises a bare TypeError on it."""
    x = unroll.placeholder([], "x")
    graph = unroll.Graph([x], unroll.ops.softsign(x))
    found = unroll.verify(graph, {x: -3.0})
    assert found.runners[-1] == "onnxruntime" and all(row.agrees for row in found.differences)
    assert found.left_out or len(found.runners) == 3
