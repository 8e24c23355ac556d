"""What re-rolling says where it finds nothing: the node at which steps differ, or what there is instead of steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import refused
from onnx import TensorProto, helper, numpy_helper
from reroll_checks import BATCH, FEATURES, UNITS, Graph

import unroll
from unroll import cells, ops
from unroll.export.file_rerolling import reroll_file
from unroll.export.reading.reader import from_onnx
from unroll.passes.rerolling.planner import reroll


def weight(name: str, *shape: int) -> unroll.Parameter:
    return unroll.Parameter(np.ones(shape, "float32"), name)


def looped(step: Callable[[int, Any], Any], steps: int = 4) -> Graph:
    """``h = step(t, x_t @ w + h @ r)``."""
    w, r = weight("w", FEATURES, UNITS), weight("r", UNITS, UNITS)
    inputs = [unroll.placeholder([BATCH, FEATURES], f"x{place}") for place in range(steps)]
    h: Any = unroll.placeholder([BATCH, UNITS], "h0")
    fed = [*inputs, h]
    for place, x in enumerate(inputs):
        with unroll.scope(f"t{place}"):
            h = step(place, x @ w + h @ r)
    return Graph(fed, {"h": h})


def left(graph: Graph) -> str:
    """The reason given for the one chain of steps that was left as it was."""
    found, report = reroll(graph)
    assert found is graph and not report and not report.note
    (item,) = report.left
    assert item.reason and str(report).endswith(f"left as it was ({item.reason})")
    return item.reason


def note(graph: Graph) -> str:
    """What is said where nothing looks like a step."""
    found, report = reroll(graph)
    assert found is graph and not report.found
    assert str(report) == f"no recurrence was found: {report.note}"
    return report.note


def foreign(op_type: str, steps: int = 3, **attributes: Any) -> Any:
    """An ONNX model of ``h = op(x_t @ w + h @ r)``."""
    nodes, h = [], "h0"
    for step in range(steps):
        nodes += [
            helper.make_node("MatMul", [f"x{step}", "w"], [f"xw{step}"], name=f"input/{step}"),
            helper.make_node("MatMul", [h, "r"], [f"hr{step}"], name=f"state/{step}"),
            helper.make_node("Add", [f"xw{step}", f"hr{step}"], [f"a{step}"], name=f"sum/{step}"),
            helper.make_node(op_type, [f"a{step}"], [f"h{step + 1}"], name=f"act/{step}", **attributes),
        ]
        h = f"h{step + 1}"
    fed = {f"x{step}": [2, FEATURES] for step in range(steps)} | {"h0": [2, UNITS]}
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in fed.items()]
    result = helper.make_tensor_value_info(h, TensorProto.FLOAT, [2, UNITS])
    weights = [
        numpy_helper.from_array(np.ones((n, UNITS), "float32"), k) for k, n in {"w": FEATURES, "r": UNITS}.items()
    ]
    graph = helper.make_graph(nodes, "loop", infos, [result], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


# -- steps that differ ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_operator_that_is_not_known_is_named_with_its_node(tmp_path: Path) -> None:
    model = foreign("HardSwish")
    reason = left(from_onnx(model))
    assert reason.startswith("act/0: HardSwish is none of unroll's operators")
    assert "export the model with it written out" in reason
    target = tmp_path / "fast.onnx"
    refused(lambda: reroll_file(model, target), NotImplementedError, "nothing was re-rolled", "act/0", "HardSwish")
    assert not target.exists()
    assert reroll(from_onnx(foreign("Tanh")))[1].operators == ["RNN"]


def test_another_operator_in_each_step_is_named_with_both_nodes() -> None:
    calls = (ops.tanh, ops.relu, ops.sigmoid, ops.softsign)
    assert left(looped(lambda step, a: calls[step](a))) == "t1/Relu: Relu, and a step before Tanh (t0/Tanh)"


def test_another_attribute_in_each_step_is_named() -> None:
    reason = left(looped(lambda step, a: ops.elu(a, 0.5 + step)))
    assert reason == "t1/Elu: Elu(alpha=1.5), and a step before Elu(alpha=0.5) (t0/Elu)"


def test_another_matrix_in_each_step_is_named() -> None:
    reason = left(looped(lambda step, a: ops.tanh(a) @ weight(f"v{step}", UNITS, UNITS)))
    assert reason.startswith("t1/MatMul") and "reads t1/v1 (4, 4)" in reason and "reads t0/v0 (4, 4)" in reason


def test_a_step_that_does_more_than_the_one_before_is_named() -> None:
    reason = left(looped(lambda step, a: ops.tanh(a) if step % 2 else ops.tanh(ops.abs(a))))
    assert reason == "t1/Add: Add, and a step before Abs (t0/Abs)"


def test_two_steps_that_differ_name_what_the_second_has_not() -> None:
    reason = left(looped(lambda step, a: ops.relu(a) if step else ops.tanh(a), steps=2))
    assert reason == "t0/Tanh: nothing after t1/MatMul_1 does what this does after t0/MatMul_1"


def test_an_input_that_is_computed_outside_from_the_steps_before_is_named() -> None:
    """Each step reads what another network makes of the state two steps before."""
    cell = unroll.BasicRNNCell(UNITS)
    fed = [unroll.placeholder([None, FEATURES], name) for name in ("x0", "x1")]
    h: Any = unroll.placeholder([None, UNITS], "h0")
    graph_inputs, xs = [*fed, h], list(fed)
    for step in range(6):
        _, h = cell(xs[step], h)
        with unroll.scope(f"feed{step}"):
            xs.append(ops.tanh(h @ weight(f"w{step}", UNITS, FEATURES)))
    reason = left(Graph(graph_inputs, {"h": h}))
    assert reason == "feed0/Tanh: a step reads this, which is computed outside from the steps before it"


def test_layers_that_share_a_weight_are_said_to_be_that() -> None:
    x, w = unroll.placeholder([None, UNITS], "x"), weight("w", UNITS, UNITS)
    reason = left(Graph([x], ops.tanh(ops.tanh(ops.tanh(x @ w) @ w) @ w)))
    assert "layers that share a weight" in reason and reason.startswith("MatMul")


# -- nothing that looks like steps ------------------------------------------------------------------------------------


def test_a_convolutional_network_uses_no_weight_twice() -> None:
    x = unroll.placeholder([None, 2, 6, 6], "x")
    h = ops.relu(ops.conv(x, weight("k", 3, 2, 3, 3)))
    h = ops.relu(ops.conv(h, weight("l", 2, 3, 3, 3)))
    y = ops.reshape(h, [-1, 8]) @ weight("w", 8, 4)
    assert note(Graph([x], y)).startswith("no weight is used by two products")


def test_two_branches_that_share_a_weight_are_no_steps() -> None:
    w = weight("w", FEATURES, UNITS)
    a, b = unroll.placeholder([None, FEATURES], "a"), unroll.placeholder([None, FEATURES], "b")
    text = note(Graph([a, b], ops.tanh(a @ w) - ops.tanh(b @ w)))
    assert text == "products with one weight, such as MatMul and MatMul_1, do not depend on one another"


def test_an_operator_that_is_a_loop_already_is_named() -> None:
    x = unroll.placeholder([5, None, FEATURES], "x")
    _, state = ops.rnn(x, weight("w", 1, UNITS, FEATURES), weight("r", 1, UNITS, UNITS), hidden_size=UNITS)
    assert note(Graph([x], state)).startswith("RNN is a loop in one node already (RNN)")


def test_a_branch_that_is_not_looked_into_is_named() -> None:
    inner = [helper.make_node("Neg", ["x"], ["y0"]), helper.make_node("Abs", ["x"], ["y1"])]
    kind = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    branches = [
        helper.make_graph([node], "branch", [], [helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, [2])])
        for node in inner
    ]
    choice = helper.make_node("If", ["flag"], ["y"], name="choose", then_branch=branches[0], else_branch=branches[1])
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    graph = helper.make_graph([choice], "g", [flag, kind], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    assert "choose: what is inside this If is not looked at; export the model without it" in note(from_onnx(model))


@pytest.mark.parametrize("cell", [cells.SRUCell, cells.IndRNNCell])
def test_few_steps_without_a_product_of_the_state_are_left_as_no_loop_is_worth_it(cell: Any) -> None:
    inputs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(3)]
    outputs, _ = unroll.static_rnn(cell(UNITS), inputs)
    assert "3 steps repeat, but no product of a state with a weight; they are left as they are below 4" in note(
        Graph(inputs, outputs)
    )


def test_one_whole_step_beside_a_simplified_one_is_said_to_be_too_few() -> None:
    """Two steps from zeros, of which the first has no product with r."""
    w, r = weight("w", FEATURES, UNITS), weight("r", UNITS, UNITS)
    a, b = unroll.placeholder([None, FEATURES], "a"), unroll.placeholder([None, FEATURES], "b")
    text = note(Graph([a, b], ops.tanh(b @ w + ops.tanh(a @ w) @ r)))
    assert text.startswith("Add: joins what comes of MatMul_1 by MatMul_2 with MatMul") or "by MatMul" in text
    assert "export three steps or more, or a model that is fed its first state" in text


def test_fewer_steps_than_an_iteration_is_to_have_are_counted() -> None:
    xs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(6)]
    outputs, _ = unroll.static_rnn(unroll.GRUCell(UNITS), xs)
    graph = Graph(xs, outputs)
    found, report = reroll(graph, native=False, steps_per_iteration=100)
    assert found is graph
    assert report.left[0].reason == "there are 6 steps, and an iteration is to be 100 of them"
