"""No rewritten graph leaves unproven: a rewriting that computes something else is not done, and what was seen is said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import unroll
from unroll import layers, ops
from unroll.errors import UnrollWarning, UnsupportedError
from unroll.evaluator import evaluate
from unroll.graph import Graph
from unroll.passes.proof import prove
from unroll.passes.rerolling import planner
from unroll.passes.rerolling.report import Rerolled
from unroll.tensor import Constant, Node, Tensor

FEATURES, UNITS = 3, 2


def network(steps: int, cell: unroll.RNNCell | None = None) -> Graph:
    """A cell over `steps` steps; its biases are zeros, as they are when made."""
    x = unroll.placeholder([None, steps, FEATURES], "x")
    outputs, _ = unroll.static_rnn(cell or unroll.GRUCell(UNITS), ops.unstack(x, axis=1), dtype=np.float32)
    return Graph([x], {"y": outputs[-1]})


def changed(graph: Graph, change: Callable[[Node, list[Tensor | None]], Tensor | None]) -> Graph:
    """Return a graph with some single outputs replaced by other tensors."""
    new: dict[Tensor | None, Tensor | None] = {None: None}
    for node in graph.nodes:
        inputs = [new.get(tensor, tensor) for tensor in node.inputs]
        other = change(node, inputs)
        if other is not None:
            new[node.outputs[0]] = other
            continue
        copy = node.copied(tuple(inputs), node.provenance)
        new |= dict(zip(node.outputs, copy.outputs, strict=True))
    outputs = {name: new.get(tensor, tensor) for name, tensor in zip(graph.output_names, graph.outputs, strict=True)}
    return Graph(graph.inputs, outputs, graph.requirements)


def without_biases(graph: Graph) -> Graph:
    """Drop every bias: nothing changes as long as biases are zeros."""
    biases = {item for name, item in graph.parameters.items() if "bias" in name}

    def change(node: Node, inputs: list[Tensor | None]) -> Tensor | None:
        return inputs[0] if node.op.name == "Add" and inputs[1] in biases else None

    return changed(graph, change)


def with_last(name: str, other: Callable[[list[Tensor | None]], Tensor]) -> Callable[[Graph], Graph]:
    """Return a rewriting of the last operator of a name."""

    def rewrite(graph: Graph) -> Graph:
        last = [node for node in graph.nodes if node.op.name == name][-1]
        return changed(graph, lambda node, inputs: other(inputs) if node is last else None)

    return rewrite


def test_a_bias_of_zeros_that_is_lost_is_seen() -> None:
    graph = network(3, unroll.BasicLSTMCell(UNITS))
    feeds = {"x": np.ones((2, 3, FEATURES), "float32")}
    assert not any(np.any(item.value) for name, item in graph.parameters.items() if "bias" in name)
    new = without_biases(graph)
    assert np.array_equal(graph.run(feeds)["y"], new.run(feeds)["y"])  # with the values of now nobody sees it
    proof = prove(graph, new, without_biases)
    assert proof.holds is False
    assert "output y" in proof.said


def test_a_pass_that_computes_something_else_is_left_out_with_a_warning_and_the_others_are_run() -> None:
    graph = network(3, unroll.BasicLSTMCell(UNITS))
    with pytest.warns(UnrollWarning, match="the pass without_biases was left out: what it makes differs: output y"):
        new, report = unroll.optimize(graph, ["merge_equal", without_biases, "hoist_inputs"], report=True)
    assert [step.name for step in report.steps] == ["merge_equal", "hoist_inputs"]
    assert [name for name, _ in report.left_out] == ["without_biases"]
    feeds = {"x": np.linspace(-1, 1, 2 * 3 * FEATURES).reshape(2, 3, FEATURES)}
    for item in graph.parameters.values():
        item.assign(np.full(item.shape, 0.5))
    np.testing.assert_allclose(new.run(feeds)["y"], graph.run(feeds)["y"], rtol=1e-6)


def test_what_is_only_wrong_for_larger_batches_is_seen() -> None:
    x = unroll.placeholder([None, FEATURES], "x")
    graph = Graph([x], {"y": ops.add(x, x)})

    def first_row(part: Graph) -> Graph:
        (inner,) = part.inputs
        return Graph([inner], {"y": ops.add(inner, ops.gather(inner, [0], axis=0))})

    assert prove(graph, first_row(graph), first_row).holds is False


@pytest.mark.parametrize("step", range(7))
def test_a_length_that_counts_one_step_too_many_is_seen_at_every_step(step: int) -> None:
    x = unroll.placeholder([None, 7, FEATURES], "x")
    lengths = unroll.placeholder([None], "lengths", "int32")
    outputs, _ = unroll.static_rnn(
        unroll.BasicRNNCell(UNITS), ops.unstack(x, axis=1), sequence_length=lengths, dtype=np.float32
    )
    graph = Graph([x, lengths], {"y": ops.stack(outputs)})
    compared = [node for node in graph.nodes if node.op.name in ("Less", "Greater", "LessOrEqual", "GreaterOrEqual")]
    chosen = compared[step]

    def later(node: Node, inputs: list[Tensor | None]) -> Tensor | None:
        if node is not chosen:
            return None
        moved = [
            Constant(np.asarray(item.value - 1, item.dtype)) if isinstance(item, Constant) else item for item in inputs
        ]
        return node.copied(tuple(moved), node.provenance).outputs[0]

    assert len(compared) == 7
    assert prove(graph, changed(graph, later), lambda part: part).holds is False


@pytest.mark.parametrize("steps", [4, 400])
@pytest.mark.parametrize("operator", ["Mul", "Sub", "Tanh"])
def test_a_change_at_the_last_step_is_seen_in_a_short_network_and_in_a_long_one(steps: int, operator: str) -> None:
    graph = network(steps)
    rewrite = with_last(operator, lambda inputs: ops.mul(inputs[0], np.float32(0.99)))  # type: ignore[arg-type]
    proof = prove(graph, rewrite(graph), rewrite)
    assert proof.holds is False


def test_a_long_network_is_proven_on_its_beginning_and_its_end_and_the_report_says_so() -> None:
    _, report = unroll.reroll(network(400))
    assert report.operators == ["GRU"]
    assert report.proof is not None
    assert report.proof.holds
    assert report.proof.said.count("on a stretch of") == 2
    assert "proven by numbers" in str(report)


def test_an_encoder_and_a_decoder_of_other_cells_are_both_shown_by_stretches() -> None:
    x = unroll.placeholder([None, 300, FEATURES], "x")
    y = unroll.placeholder([None, 300, FEATURES], "y")
    _, state = unroll.static_rnn(unroll.BasicRNNCell(5), ops.unstack(x, axis=1), dtype=np.float32, scope="encoder")
    outputs, _ = unroll.static_rnn(unroll.GRUCell(5), ops.unstack(y, axis=1), initial_state=state, scope="decoder")
    _, report = unroll.reroll(Graph([x, y], {"out": outputs[-1]}))
    assert sorted(report.operators) == ["GRU", "RNN"]
    assert report.proof is not None
    assert "on a stretch of" in report.proof.said


def wrong_reroll(part: Graph, **options: object) -> tuple[Graph, Rerolled]:
    """Re-rolling as it is, and then with every output twice as large."""
    new, report = planner_rerolled(part, **options)  # type: ignore[arg-type]
    outputs = {name: ops.add(item, item) for name, item in zip(new.output_names, new.outputs, strict=True)}
    return Graph(new.inputs, outputs, new.requirements), report


planner_rerolled = planner._rerolled


def test_a_wrong_rerolling_is_not_done_by_any_way_that_leads_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network(5)
    monkeypatch.setattr(planner, "_rerolled", wrong_reroll)
    same, report = unroll.reroll(graph)
    assert same is graph
    assert not report
    assert report.proof is not None
    assert report.proof.holds is False
    assert "left as it was (as GRU it differs: output y with batch " in str(report)
    for ask in (unroll.to_onnx, unroll.Session):
        for form in ("rerolled", "scan"):
            with pytest.raises(UnsupportedError, match=rf"form '{form}': what was written differs: output y"):
                ask(graph, form=form)
    assert unroll.to_onnx(graph, form="auto").graph.node[-1].op_type not in ("GRU", "Scan")
    assert "GRU" in {node.op.name for node in unroll.reroll(graph, check=False)[0].nodes}


def test_check_switches_the_proof_off() -> None:
    graph = network(5)
    _, report = unroll.reroll(graph, check=False)
    assert report.proof is None
    assert report.operators == ["GRU"]
    _, table = unroll.optimize(graph, report=True, check=False)
    assert table.proof is None


def test_a_loop_of_very_many_steps_goes_over_some_of_them_in_a_proof() -> None:
    x = unroll.placeholder([None, 30_000, FEATURES], "x")
    outputs, state = unroll.dynamic_rnn(unroll.GRUCell(UNITS), x, rolled=True, dtype=np.float32)
    model = unroll.to_onnx(Graph([x], {"y": outputs, "state": state}), form="rerolled")
    assert "GRU" in {node.op_type for node in model.graph.node}


def test_in_float64_two_ways_of_writing_one_formula_differ_by_next_to_nothing() -> None:
    model = layers.Sequential([layers.Input((6, FEATURES)), layers.Bidirectional(layers.GRU(UNITS))])
    graph = model.trace()
    new, _ = unroll.reroll(graph, check=False)
    feeds = {graph.inputs[0].name: np.random.default_rng(0).standard_normal((4, 6, FEATURES)).astype("float32")}
    narrow = evaluate(graph, feeds, graph.outputs)[0]
    one, other = (evaluate(item, feeds, item.outputs, wide=True)[0] for item in (graph, new))
    assert one.dtype == other.dtype == np.float64
    assert np.abs(one - other).max() < 1e-14
    np.testing.assert_allclose(one, narrow, rtol=0, atol=1e-6)


def baked() -> Graph:
    """A network that takes a symbol for time, and works for 4 alone: the sizes of a Reshape do not say so."""
    x = unroll.placeholder([None, "time", FEATURES], "x")
    flat = ops.reshape(x, [-1, 4 * FEATURES])
    rows = ops.unstack(ops.reshape(flat, [-1, 4, FEATURES]), axis=1)
    outputs, _ = unroll.static_rnn(unroll.BasicRNNCell(UNITS), rows, dtype=np.float32)
    return Graph([x], {"y": outputs[-1]})


def test_sizes_and_feeds_that_cannot_be_guessed_are_given_by_name() -> None:
    graph = baked()
    _, report = unroll.reroll(graph, dims={"time": 4})
    assert report.operators == ["RNN"]
    assert "time 4" in str(report.proof)
    _, report = unroll.reroll(graph, feeds={"x": np.ones((2, 4, FEATURES))})
    assert report.operators == ["RNN"]
    assert "on 1 feed" in str(report.proof)
    with pytest.raises(unroll.errors.ArgumentError, match=r"'tiem'.*did you mean 'time'"):
        unroll.reroll(graph, dims={"tiem": 4})
    with pytest.raises(unroll.errors.ShapeError, match="feed 'x'"):
        unroll.reroll(graph, feeds={"x": np.ones((2, 4))})


def test_where_no_proof_can_be_made_nothing_is_rewritten_and_the_reason_is_said() -> None:
    graph = baked()
    same, report = unroll.reroll(graph, dims={"time": 5, "batch": 3})
    assert same is graph
    assert report.proof is not None
    assert report.proof.holds is None
    assert "cannot be proven" in str(report)
    assert "dims: time = 5" in str(report)
    assert unroll.reroll(graph, dims={"time": 5, "batch": 3}, check=False)[1].operators == ["RNN"]


def test_a_run_that_would_take_very_long_is_no_proof_and_says_so() -> None:
    x = unroll.placeholder([40_000, 50_000], "x")
    graph = Graph([x], {"y": ops.tanh(ops.tanh(x)) + 0})
    proof = prove(graph, graph, lambda part: part)
    assert proof.holds is None
    assert "would take about" in proof.said
    assert "check=False" in proof.said


def test_wide_steps_are_shown_by_a_stretch_that_has_some_of_them() -> None:
    _, report = unroll.reroll(network(60, unroll.BasicLSTMCell(300)))
    assert report.operators == ["LSTM"]
    assert "on a stretch of" in str(report.proof)
