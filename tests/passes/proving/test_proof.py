"""No rewritten graph leaves unproven: a rewriting that computes something else is not done, and what was seen is said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from changed_networks import FEATURES, UNITS, changed, network, planner_rerolled, with_last

import unroll
from unroll import layers, ops
from unroll.errors import UnrollWarning, UnsupportedError
from unroll.evaluator import evaluate
from unroll.graph import Graph
from unroll.passes.proving.proof import prove
from unroll.passes.rerolling import planner
from unroll.passes.rerolling.report import Rerolled
from unroll.tensor import Constant, Node, Tensor


def without_biases(graph: Graph) -> Graph:
    """Drop every bias: nothing changes as long as biases are zeros."""
    biases = {item for name, item in graph.parameters.items() if "bias" in name}

    def change(node: Node, inputs: list[Tensor | None]) -> Tensor | None:
        return inputs[0] if node.op.name == "Add" and inputs[1] in biases else None

    return changed(graph, change)


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


def wrong_reroll(part: Graph, **options: object) -> tuple[Graph, Rerolled]:
    """Re-rolling as it is, and then with every output twice as large."""
    new, report = planner_rerolled(part, **options)  # type: ignore[arg-type]
    outputs = {name: ops.add(item, item) for name, item in zip(new.output_names, new.outputs, strict=True)}
    return Graph(new.inputs, outputs, new.requirements), report


@pytest.mark.slow
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
    assert "time = 4" in str(report.proof)
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


@pytest.mark.slow
def test_outputs_that_are_lost_renamed_or_exchanged_are_seen() -> None:
    x = unroll.placeholder([None, 200, FEATURES], "x")
    outputs, state = unroll.static_rnn(unroll.GRUCell(UNITS), ops.unstack(x, axis=1), dtype=np.float32)
    graph = Graph([x], {"a": outputs[-2], "b": state})
    for outputs_of in (
        lambda g: {"a": g.outputs[0]},
        lambda g: {"a": g.outputs[0], "c": g.outputs[1]},
        lambda g: {"a": g.outputs[1], "b": g.outputs[0]},
    ):

        def rewrite(part: Graph, outputs_of: Callable[[Graph], dict[str, Tensor]] = outputs_of) -> Graph:
            return Graph(part.inputs, outputs_of(part))

        with pytest.warns(UnrollWarning, match="rewrite was left out: what it makes differs: (the outputs|output a)"):
            assert unroll.optimize(graph, [rewrite]) is graph


@pytest.mark.slow
def test_a_pass_of_ones_own_is_only_given_the_graph_that_it_was_written_for() -> None:
    x = unroll.placeholder([None, 200, FEATURES], "x")
    outputs, state = unroll.static_rnn(unroll.GRUCell(UNITS), ops.unstack(x, axis=1), dtype=np.float32)
    graph = Graph([x], {"y": outputs[-1], "c": state})

    def by_name(part: Graph) -> Graph:
        return Graph(part.inputs, {name: part.outputs[part.output_names.index(name)] for name in ("y", "c")})

    assert unroll.optimize(graph, [by_name]) is not graph


@pytest.mark.slow
@pytest.mark.parametrize("function", ["log", "sqrt", "beyond"])
def test_what_is_no_number_for_half_of_all_feeds_is_proven_on_the_others(function: str) -> None:
    """A logarithm, a root, and the root of what lies beyond 5; and a wrong rewriting of it is seen."""
    made: dict[str, Callable[[Tensor], Tensor]] = {
        "log": ops.log,
        "sqrt": ops.sqrt,
        "beyond": lambda v: ops.sqrt(v - np.float32(5)),
    }
    x = unroll.placeholder([None, 5, FEATURES], "x")
    steps = [made[function](step) for step in ops.unstack(x, axis=1)]
    outputs, _ = unroll.static_rnn(unroll.GRUCell(UNITS), steps, dtype=np.float32)
    graph = Graph([x], {"y": outputs[-1]})
    _, report = unroll.reroll(graph)
    assert report.operators == ["GRU"]
    assert "no finite number" not in str(report.proof)
    rewrite = with_last("Tanh", lambda inputs: ops.mul(inputs[0], np.float32(0.99)))  # type: ignore[arg-type]
    assert prove(graph, rewrite(graph), rewrite).holds is False


def test_a_wrong_step_is_not_hidden_by_later_ones_that_are_larger() -> None:
    x = unroll.placeholder([None, 60, 1], "x")
    h, outputs = unroll.constant(np.zeros((1, 1), "float32")), []
    for step in ops.unstack(x, axis=1):
        h = ops.add(ops.mul(h, np.float32(3)), step)
        outputs.append(h)
    graph = Graph([x], {"y": ops.stack(outputs, 0)})
    wrong = list(outputs)
    wrong[3] = ops.add(outputs[3], np.float32(0.1))
    new = Graph([x], {"y": ops.stack(wrong, 0)})
    assert prove(graph, new, lambda part: part, whole=True).holds is False


def test_places_in_a_table_that_are_a_parameter_are_not_taken_for_constants() -> None:
    x = unroll.placeholder([None, 4], "x")
    places = unroll.Parameter(np.array([3, 0, 1], "int32"), "places", dtype="int32")
    graph = Graph([x], {"y": ops.gather(x, places, axis=1)})
    baked = Graph([x], {"y": ops.gather(x, np.array([3, 0, 1], "int32"), axis=1)})
    assert prove(graph, baked, lambda part: part).holds is False


def test_a_batch_of_none_proves_nothing() -> None:
    x = unroll.placeholder([None, 3], "x")
    one, other = (Graph([x], {"y": ops.tanh(factor * x)}) for factor in (1.0, 2.0))
    proof = prove(one, other, lambda part: other, dims={"batch": 0})
    assert proof.holds is None
    assert "no elements" in proof.said


def test_what_a_pass_rounds_to_float16_is_no_difference() -> None:
    x = unroll.placeholder([None, 3], "x", "float16")
    scale = unroll.constant(np.array([0.3, 0.7, 1.3], "float16"))
    graph = Graph([x], {"y": ops.mul(x, ops.mul(ops.mul(scale, scale), scale))})
    _, report = unroll.optimize(graph, report=True)  # a warning would be an error
    assert report.proof


def test_a_cut_of_weights_of_which_only_a_later_part_is_read_by_steps_is_computed() -> None:
    """Two cuts one after the other: one part is read at once, the other is cut again, and a part of that read."""
    x = unroll.placeholder([None, 2], "x")
    weights = unroll.Parameter(np.arange(12, dtype="float32").reshape(6, 2), "weights")
    first, rest = ops.split(weights, [2, 4])
    _, last = ops.split(rest, [2, 2])
    graph = Graph([x], {"y": ops.add(ops.matmul(x, first), ops.matmul(x, last))})
    other = Graph([x], {"y": ops.matmul(x, ops.add(weights[:2], weights[4:]))})
    assert prove(graph, other, lambda part: part).holds
    np.testing.assert_allclose(graph.run({"x": [[1, 0]]}, last), [[8, 9], [10, 11]])
