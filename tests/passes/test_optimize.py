"""`optimize`: a pipeline of passes by name or function, what it reports, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused, two_step_graph

import unroll
from unroll import BasicLSTMCell, Graph, ops, static_rnn
from unroll.passes.pipeline import DEFAULT, PASSES, optimize
from unroll.passes.tools.cost import cost_of
from unroll.passes.tools.products import Products
from unroll.passes.tools.weight_expressions import Weights


def lstm(steps: int = 6) -> Graph:
    inputs = [unroll.placeholder([None, 3], f"X{step}") for step in range(steps)]
    outputs, _ = static_rnn(BasicLSTMCell(4), inputs)
    return Graph(inputs, outputs)


def test_the_graph_given_is_not_changed() -> None:
    graph = lstm()
    nodes, names = graph.nodes, graph.tensor_names()
    found = optimize(graph)
    assert (graph.nodes, graph.tensor_names()) == (nodes, names)
    assert len(found.nodes) < len(nodes)


def test_passes_run_in_the_order_given_by_name_or_as_functions() -> None:
    seen: list[int] = []

    def look(graph: Graph) -> Graph:
        seen.append(len(graph.nodes))
        return graph

    graph = lstm()
    optimize(graph, [look, "fold_zeros", look])
    assert seen == [len(graph.nodes), len(PASSES["fold_zeros"](graph).nodes)]


def test_passes_that_are_handed_one_graph_look_for_its_products_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Graph] = []
    plain = Products.__init__

    def counted(self: Products, graph: Graph, weights: Weights) -> None:
        seen.append(graph)
        plain(self, graph, weights)

    monkeypatch.setattr(Products, "__init__", counted)
    passes = ["fold_zeros", "split_kernels", "fold_biases", "join_kernels", "reorder_gates"]
    found = optimize(lstm(), passes)
    # Hoisting pays, so join_kernels leaves the graph as it is, and reorder_gates asks about the same one.
    assert len(seen) == len(set(map(id, seen))) == 3
    seen.clear()
    reorder = PASSES["reorder_gates"]
    reorder(found), reorder(found)  # the graph is the caller's: it keeps nothing for passes
    assert len(seen) == 2


def test_no_passes_change_nothing() -> None:
    graph = lstm()
    assert optimize(graph, []) is graph
    found, report = optimize(graph, [], report=True)
    assert (found, str(report)) == (graph, "no passes")


def test_the_report_follows_the_cost_from_pass_to_pass() -> None:
    graph = lstm()
    found, report = optimize(graph, report=True)
    assert [step.name for step in report.steps] == list(DEFAULT)
    assert report.steps[0].before == cost_of(graph)
    assert report.steps[-1].after == cost_of(found)
    assert all(one.after == two.before for one, two in zip(report.steps, report.steps[1:], strict=False))
    lines = str(report).splitlines()
    assert lines[0].split() == ["pass", "nodes", "of", "weights", "bytes", "written", "FLOPs"]
    assert [line.split()[0] for line in lines[1:-2]] == ["(before)", *DEFAULT]
    assert [int(lines[place].split()[1]) for place in (1, -3)] == [len(graph.nodes), len(found.nodes)]
    assert "batch 1" in lines[-2]
    assert lines[-1].startswith("proven by numbers: the same in NumPy")


def test_a_cost_is_what_the_formula_says() -> None:
    """tanh([x, h] @ kernel + bias): 2 * 3 * (3 + 5) * 5 for the product, 15 each for sum and tanh; 4 bytes an element."""
    x, h = unroll.placeholder([None, 3], "x"), unroll.placeholder([None, 5], "h")
    kernel, bias = (unroll.Parameter(np.ones(shape, "float32"), f"w{len(shape)}") for shape in ((8, 5), (5,)))
    graph = Graph([x, h], {"y": ops.tanh(ops.concat([x, h], 1) @ kernel + bias)})
    cost = cost_of(graph, batch=3)
    assert cost.nodes == 4
    assert cost.weight_nodes == 0
    assert cost.flops == 2 * 3 * 8 * 5 + 15 + 15
    assert cost.bytes == 4 * (3 * 8 + 3 * 15)


@pytest.mark.parametrize(
    ("program", "flops"),
    [
        (lambda x: ops.gemm(x, np.ones((6, 5)), np.ones(5)), 4 * 5 * (2 * 6 + 1)),
        (lambda x: ops.gemm(x, np.ones((4, 5)), transA=True), 6 * 5 * 2 * 4),
        (lambda x: ops.reduce_sum(x), 24),
        (lambda x: ops.argmax(x, 1), 24),
        (lambda x: ops.transpose(x), 0),
        (lambda x: ops.split(x, 2, 1)[0], 0),
        (lambda x: ops.sigmoid(x), 24),
        (lambda x: ops.conv(ops.unsqueeze(x, [1]), unroll.constant(np.ones((3, 1, 2), "float32"))), 4 * 3 * 5 * 2 * 2),
    ],
)
def test_floating_point_operations_of_an_operator(program: Any, flops: int) -> None:
    x = unroll.placeholder([4, 6], "x")
    assert cost_of(Graph([x], [program(x)])).flops == flops


def test_weights_are_counted_apart() -> None:
    cost = cost_of(optimize(lstm()))
    assert cost.nodes == 3 + 7 + 5 * 10
    assert cost.weight_nodes > 0


def test_a_state_between_runs_stays() -> None:
    x, state = unroll.placeholder([None, 3], "x"), unroll.placeholder([None, 4], "h")
    outputs, last = static_rnn(unroll.BasicRNNCell(4), [x], state)
    graph = Graph([x], outputs, states={state: last})
    found = optimize(graph)
    assert found.states == {"h": "h/next"}
    streams = [one.stream() for one in (graph, found)]
    for value in (0.5, -1.0):
        first, second = (next(iter(stream.run({"x": np.full((2, 3), value)}).values())) for stream in streams)
        np.testing.assert_allclose(first, second, rtol=1e-6)


def test_an_unknown_pass_is_refused_and_the_passes_named() -> None:
    refused(lambda: optimize(two_step_graph(), ["fold_everything"]), ValueError, "fold_everything", *PASSES)


@pytest.mark.parametrize(
    ("action", "builtin", "fragments"),
    [
        (lambda g: optimize(None), TypeError, ["Graph", "NoneType"]),
        (lambda g: optimize(g, "fold_zeros"), TypeError, ["['fold_zeros']"]),
        (lambda g: optimize(g, [3]), TypeError, ["3", "name"]),
        (lambda g: optimize(g, 3), TypeError, ["3", "a list of passes is wanted"]),
        (lambda g: optimize(g, {"fold_zeros"}), TypeError, ["set", "a list of passes is wanted"]),
        (lambda g: optimize(g, iter(["fold_zeros"])), TypeError, ["iterator", "a list of passes is wanted"]),
        (lambda g: optimize(g, PASSES["fold_zeros"]), TypeError, ["fold_zeros", "write ["]),
        (lambda g: optimize(g, [lambda graph: None]), TypeError, ["NoneType", "not a Graph"]),
        (lambda g: optimize(g, batch=0), ValueError, ["batch is 0"]),
        (lambda g: optimize(g, batch=2.0), TypeError, ["2.0"]),
    ],
)
def test_bad_arguments_are_refused(action: Any, builtin: type[Exception], fragments: list[str]) -> None:
    refused(lambda: action(two_step_graph()), builtin, *fragments)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("cell", ["BasicRNNCell", "BasicLSTMCell", "GRUCell", "LSTMCell"])
def test_a_pipeline_makes_what_its_passes_make_one_by_one_to_the_byte(cell: str, steps: int, batch: int) -> None:
    """Between passes of one pipeline nodes are changed in place, which none but the pipeline may see."""
    x = unroll.placeholder([steps, None, 5], "x")
    outputs, state = unroll.static_rnn(getattr(unroll, cell)(4), unroll.ops.unstack(x))
    graph = unroll.Graph([x], {"y": unroll.ops.stack(outputs), "state": state})
    before = unroll.to_onnx(graph).SerializeToString()
    for passes in (DEFAULT, DEFAULT[::-1], ("canonical", *DEFAULT)):
        one_by_one = graph
        for name in passes:
            one_by_one = unroll.optimize(one_by_one, [name], batch=batch)
        together = unroll.optimize(graph, passes, batch=batch)
        models = [unroll.to_onnx(item, ir_version=10, opset=21).SerializeToString() for item in (one_by_one, together)]
        assert models[0] == models[1]
    assert unroll.to_onnx(graph).SerializeToString() == before
