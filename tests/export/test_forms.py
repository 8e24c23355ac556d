"""The forms a graph is written in: the same numbers from each, what the file looks like, and who is refused which."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import Array, refused, run_reference, step_inputs
from onnx import ModelProto

import unroll
from unroll import Graph, ops, scopes

FORMS = ("unrolled", "functions", "scan", "rerolled", "auto")


CELLS: dict[str, Callable[[], Any]] = {
    "lstm": lambda: unroll.BasicLSTMCell(4),
    "gru": lambda: unroll.GRUCell(4),
    "rnn": lambda: unroll.BasicRNNCell(4),
    "stack": lambda: unroll.MultiRNNCell([unroll.BasicLSTMCell(4), unroll.GRUCell(2)]),
    "clipped": lambda: unroll.LSTMCell(4, use_peepholes=True, cell_clip=0.5, num_proj=2),
    "residual": lambda: unroll.cells.ResidualWrapper(unroll.BasicRNNCell(3)),
}


def sequence_graph(cell: Any, steps: int = 6, features: int = 3) -> Graph:
    """A cell over one input ``x (batch, steps, features)``, with every output and the last."""
    x = unroll.placeholder([None, steps, features], "x")
    outputs, _ = unroll.dynamic_rnn(cell, x)
    return Graph([x], {"y": outputs, "last": outputs[:, -1]})


def feeds(steps: int = 6, features: int = 3, batch: int = 3) -> dict[str, Array]:
    return {"x": np.random.default_rng(7).standard_normal((batch, steps, features)).astype("float32")}


def checked(model: ModelProto, graph: Graph, fed: dict[str, Array]) -> None:
    """Check a model as ONNX does, and its numbers against NumPy's."""
    onnx.checker.check_model(model, full_check=True)
    expected = graph.run(fed)
    found = unroll.Session(model).run(fed)
    assert [item.name for item in model.graph.output] == list(graph.output_names)
    for name, wanted in expected.items():
        np.testing.assert_allclose(found[name], wanted, rtol=0, atol=1e-6, err_msg=name)


def names(model: ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


# -- every form -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", CELLS)
def test_every_form_of_every_cell_gives_numpys_numbers(form: str, kind: str) -> None:
    graph = sequence_graph(CELLS[kind]())
    checked(unroll.to_onnx(graph, form=form), graph, feeds())


@pytest.mark.parametrize("batch", [1, 5])
def test_the_optimised_flat_form_gives_numpys_numbers_at_any_batch(batch: int) -> None:
    graph = sequence_graph(unroll.BasicLSTMCell(4))
    model = unroll.to_onnx(graph, optimized=True, batch=32)
    checked(model, graph, feeds(batch=batch))
    assert len(model.graph.node) < len(unroll.to_onnx(graph).graph.node)


def test_the_default_is_the_flat_form_of_what_was_traced() -> None:
    graph = sequence_graph(unroll.BasicLSTMCell(4))
    plain = unroll.to_onnx(graph)
    assert plain.SerializeToString(deterministic=True) == unroll.to_onnx(graph, form="unrolled").SerializeToString(
        deterministic=True
    )
    assert [item.name for item in plain.graph.initializer][:2] == [
        "rnn/basic_lstm_cell/kernel",
        "rnn/basic_lstm_cell/bias",
    ]


@pytest.mark.parametrize("form", FORMS)
def test_a_value_assigned_after_tracing_counts_in_every_form(form: str) -> None:
    graph = sequence_graph(unroll.BasicLSTMCell(4))
    graph.assign({"rnn/basic_lstm_cell/kernel": np.full((7, 16), 0.25), "rnn/basic_lstm_cell/bias": np.arange(16) / 16})
    checked(unroll.to_onnx(graph, form=form), graph, feeds())


@pytest.mark.parametrize("form", ["scan", "rerolled"])
def test_forms_that_rewrite_weights_write_their_values(form: str) -> None:
    model = unroll.to_onnx(sequence_graph(unroll.BasicLSTMCell(4)), form=form)
    made = {name for node in model.graph.node for name in node.output}
    fixed = {item.name for item in model.graph.initializer}
    computed = [node.name for node in model.graph.node if node.input and all(name in fixed for name in node.input)]
    assert not computed
    assert not made & fixed


@pytest.mark.parametrize("form", ["unrolled", "functions", "scan"])
def test_a_float64_graph_takes_the_forms_without_native_operators(form: str) -> None:
    x = unroll.placeholder([None, 4, 3], "x", "float64")
    outputs, _ = unroll.dynamic_rnn(unroll.BasicLSTMCell(4), x)
    graph = Graph([x], {"y": outputs})
    fed = {"x": np.random.default_rng(3).standard_normal((2, 4, 3))}
    found = unroll.Session(unroll.to_onnx(graph, form=form)).run(fed, "y")
    np.testing.assert_allclose(found, graph.run(fed, "y"), rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", ["functions", "scan", "rerolled"])
def test_state_that_lives_between_runs_does_so_in_every_form(form: str) -> None:
    x, h = unroll.placeholder([None, 4, 3], "x"), unroll.placeholder([None, 4], "h")
    outputs, last = unroll.dynamic_rnn(unroll.BasicRNNCell(4), x, initial_state=h)
    graph = Graph([x], {"y": outputs}, states={h: last})
    fed = feeds(8)["x"]
    stream = unroll.Session(unroll.to_onnx(graph, form=form)).stream()
    found = np.concatenate([stream.run({"x": fed[:, start : start + 4]})["y"] for start in (0, 4)], axis=1)
    whole = graph.stream()
    wanted = np.concatenate([whole.run({"x": fed[:, start : start + 4]})["y"] for start in (0, 4)], axis=1)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


# -- functions --------------------------------------------------------------------------------------------------------


def test_functions_show_one_call_a_step_of_functions_that_all_steps_share() -> None:
    steps = step_inputs(28, 28)
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(13), steps)
    model = unroll.to_onnx(Graph(steps, {"h": outputs[-1]}), form="functions")
    calls = [node for node in model.graph.node if node.domain == "unroll.cells"]
    assert len(calls) == 28
    assert len(model.functions) == 2  # step 0 leaves out what its zero state makes useless
    assert len({node.op_type for node in calls[1:]}) == 1
    assert len(unroll.to_onnx(Graph(steps, {"h": outputs[-1]})).graph.node) > 380


def test_calls_are_named_after_steps_and_take_the_weights() -> None:
    model = unroll.to_onnx(sequence_graph(unroll.BasicLSTMCell(4)), form="functions")
    call = next(node for node in model.graph.node if node.name.startswith("rnn/t3/basic_lstm_cell/"))
    function = next(item for item in model.functions if item.name == call.op_type)
    assert call.name == f"rnn/t3/basic_lstm_cell/{call.op_type}"
    assert {"rnn/basic_lstm_cell/kernel", "rnn/basic_lstm_cell/bias"} <= set(call.input)
    assert {"kernel", "bias", "input", "state"} <= set(function.input)
    assert not any(attribute.HasField("t") for node in function.node for attribute in node.attribute)


def test_each_layer_of_a_stack_is_a_function_of_its_own() -> None:
    cells = [unroll.BasicLSTMCell(4), unroll.BasicLSTMCell(4)]
    model = unroll.to_onnx(sequence_graph(unroll.MultiRNNCell(cells), features=4), form="functions")
    calls = [node for node in model.graph.node if node.domain == "unroll.cells"]
    assert len(calls) == 12
    assert len(model.functions) == 4


def test_a_wrapper_and_the_cell_inside_it_are_one_call() -> None:
    model = unroll.to_onnx(sequence_graph(CELLS["residual"]()), form="functions")
    calls = [node for node in model.graph.node if node.domain == "unroll.cells"]
    assert len(calls) == 6
    assert "Tanh" not in names(model)


def test_a_cell_called_by_hand_under_one_path_is_a_call_each_time() -> None:
    x = step_inputs(3, 3)
    cell = unroll.BasicRNNCell(4)
    state = cell.zero_state(ops.shape(x[0])[0], "float32")
    outputs = []
    for item in x:
        output, state = cell(item, state)
        state = ops.sigmoid(state)  # between two calls of one path: they are not one call
        outputs.append(output)
    graph = Graph(x, outputs)
    fed = {item.name: np.random.default_rng(1).standard_normal((2, 3)).astype("float32") for item in x}
    model = unroll.to_onnx(graph, form="functions")
    checked(model, graph, fed)
    assert names(model).count("Sigmoid") == 2
    assert len([node for node in model.graph.node if node.domain == "unroll.cells"]) == 3


def test_functions_carry_provenance_where_the_file_format_has_it() -> None:
    model = unroll.to_onnx(sequence_graph(unroll.BasicLSTMCell(4)), form="functions", ir_version=10)
    call = next(node for node in model.graph.node if node.name.startswith("rnn/t3/basic_lstm_cell/"))
    assert {item.key: item.value for item in call.metadata_props} == {
        "unroll.scope": "rnn/t3/basic_lstm_cell",
        "unroll.step": "3",
        "unroll.cell": "rnn/basic_lstm_cell",
    }
    function = next(item for item in model.functions if item.name == call.op_type)
    gates = {item.value for node in function.node for item in node.metadata_props}
    assert gates == {"i", "j", "f", "o"}


def test_functions_need_the_file_format_that_has_them() -> None:
    graph = sequence_graph(unroll.BasicRNNCell(4))
    assert unroll.to_onnx(graph, form="functions").ir_version == 8
    assert unroll.to_onnx(graph).ir_version == 7
    refused(lambda: unroll.to_onnx(graph, form="functions", ir_version=7), ValueError, "ir_version 7", "8")


def test_functions_run_in_onnxs_own_evaluator() -> None:
    graph = sequence_graph(unroll.GRUCell(4))
    found = run_reference(unroll.to_onnx(graph, form="functions"), feeds())
    for array, wanted in zip(found, graph.run(feeds()).values(), strict=True):
        np.testing.assert_allclose(array, wanted, rtol=0, atol=1e-6)


def test_a_graph_without_cells_has_no_functions() -> None:
    x = unroll.placeholder([None, 3], "x")
    graph = Graph([x], {"y": ops.tanh(x)})
    refused(
        lambda: unroll.to_onnx(graph, form="functions"), NotImplementedError, "Tanh", "made by a cell", "'unrolled'"
    )


# -- scan and rerolled ------------------------------------------------------------------------------------------------


def test_scan_is_one_node_whatever_the_cell() -> None:
    model = unroll.to_onnx(sequence_graph(unroll.LSTMCell(4, cell_clip=0.5)), form="scan")
    assert names(model).count("Scan") == 1
    assert len(model.graph.node) < 15


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_scan_may_compute_several_steps_an_iteration(count: int) -> None:
    graph = sequence_graph(unroll.GRUCell(4), steps=13)
    one, several = (unroll.to_onnx(graph, form="scan", steps_per_iteration=size) for size in (1, count))
    checked(several, graph, feeds(13))
    bodies = [
        next(
            len(attribute.g.node)
            for node in model.graph.node
            for attribute in node.attribute
            if attribute.name == "body"
        )
        for model in (one, several)
    ]
    assert bodies[1] > bodies[0]


@pytest.mark.parametrize(("kind", "operator"), [("lstm", "LSTM"), ("gru", "GRU"), ("rnn", "RNN"), ("clipped", "Scan")])
def test_rerolled_is_the_native_operator_where_there_is_one(kind: str, operator: str) -> None:
    model = unroll.to_onnx(sequence_graph(CELLS[kind]()), form="rerolled")
    assert names(model).count(operator) == 1
    assert not {"MatMul", "Gemm", "Sigmoid", "Tanh"} & set(names(model))


def test_names_inside_a_loop_shadow_none_outside() -> None:
    model = unroll.to_onnx(sequence_graph(unroll.GRUCell(4)), form="scan")
    outside = {name for node in model.graph.node for name in node.output} | {
        item.name for item in model.graph.initializer
    }
    bodies = [attribute.g for node in model.graph.node for attribute in node.attribute if attribute.name == "body"]
    inside = {name for body in bodies for node in body.node for name in node.output}
    assert inside
    assert not inside & outside


@pytest.mark.parametrize("form", ["scan", "rerolled"])
def test_a_graph_that_repeats_nothing_cannot_be_rerolled(form: str) -> None:
    x = unroll.placeholder([None, 3], "x")
    graph = Graph([x], {"y": ops.tanh(x)})
    refused(
        lambda: unroll.to_onnx(graph, form=form),
        NotImplementedError,
        repr(form),
        "no weight is used by two products",
        "'unrolled'",
    )


# -- auto -------------------------------------------------------------------------------------------------------------


def test_auto_takes_the_native_lstm_and_falls_back_on_the_flat_form() -> None:
    assert "LSTM" in names(unroll.to_onnx(sequence_graph(unroll.BasicLSTMCell(4)), form="auto"))
    x = unroll.placeholder([None, 3], "x")
    assert names(unroll.to_onnx(Graph([x], {"y": ops.tanh(x)}), form="auto")) == ["Tanh"]


@pytest.mark.slow
def test_auto_knows_that_the_native_rnn_is_slow_on_large_batches() -> None:
    graph = sequence_graph(unroll.BasicRNNCell(13), 28, 28)
    assert "RNN" in names(unroll.to_onnx(graph, form="auto", batch=1))
    assert "RNN" not in names(unroll.to_onnx(graph, form="auto", batch=50))


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["flat", "", 3, "Unrolled"])
def test_an_unknown_form_is_refused_with_those_there_are(form: Any) -> None:
    graph = sequence_graph(unroll.BasicRNNCell(4))
    refused(lambda: unroll.to_onnx(graph, form=form), ValueError, repr(form), *map(repr, FORMS))


def test_arguments_that_a_form_has_no_use_for_are_refused() -> None:
    graph = sequence_graph(unroll.BasicRNNCell(4))
    for form in ("functions", "scan", "rerolled"):
        refused(partial(unroll.to_onnx, graph, form=form, optimized=True), NotImplementedError, form)
    refused(
        lambda: unroll.to_onnx(graph, steps_per_iteration=2), NotImplementedError, "steps_per_iteration=2", "'scan'"
    )
    refused(lambda: unroll.to_onnx(graph, form="scan", steps_per_iteration=0), ValueError, "steps_per_iteration is 0")


def test_nodes_under_a_scope_that_is_no_cell_stay_nodes() -> None:
    x = step_inputs(2, 3)
    with scopes.in_cell("mine"):
        y = ops.tanh(x[0])
    graph = Graph(x, [y, ops.sigmoid(x[1])])
    model = unroll.to_onnx(graph, form="functions")
    assert sorted(names(model)) == ["Sigmoid", "mine"]
