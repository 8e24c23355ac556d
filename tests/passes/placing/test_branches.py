"""Steps that an If computes or leaves out have places, states and gates, found in the branch that computes them."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from picture_networks import FOREIGN

import unroll
from unroll.passes.places import places
from unroll.tensor import Node

WITH_LENGTHS = [
    ("tf2onnx-basic_lstm-lengths=fed-bn-t4-op15", 4, "rnn/basic_lstm_cell", "ch", "[x 3 + h 4] x [i|j|f|o 4]"),
    ("tf2onnx-basic_rnn-lengths=fed-bn-t4-op13", 4, "rnn/basic_rnn_cell", "h", "[x 3 + h 4] x [h 4]"),
    ("tf2onnx-gru-lengths=fed-b3-t3-op9", 3, "rnn/gru_cell", "h", "[x 3 + h 4] x [r|u 4]"),
]


def choices(graph: unroll.Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op.name == "If"]


@pytest.mark.parametrize(("name", "steps", "cell", "states", "table"), WITH_LENGTHS)
def test_each_if_of_a_file_with_lengths_is_a_step(name: str, steps: int, cell: str, states: str, table: str) -> None:
    placed = places(unroll.from_onnx(FOREIGN / f"{name}.onnx"))
    branches = choices(placed)
    assert [(node.origin.step, node.origin.cell) for node in branches] == [(step, cell) for step in range(steps)]
    assert [node.inputs[0].node.origin.step for node in branches] == [*range(steps)]  # what says whether a step is made
    assert table in [str(item.blocks) for item in placed.parameters.values()]
    for node, after in itertools.pairwise(branches):
        handed = [tensor.hint for tensor in node.outputs if tensor in after.inputs]
        assert sorted(handed) == list(states)
        assert Counter(tensor.hint for tensor in node.outputs) == Counter([*states, None])  # and the step's output


@pytest.mark.parametrize("name", [item[0] for item in WITH_LENGTHS])
def test_what_is_handed_on_last_is_told_from_the_output_that_is_zero_in_rows_that_have_ended(name: str) -> None:
    graph = unroll.from_onnx(FOREIGN / f"{name}.onnx")
    placed = places(graph)
    last = choices(placed)[-1]
    called = {tensor.hint: placed.name(tensor) for tensor in last.outputs}
    rows = next(tensor.shape[0] for tensor in graph.inputs if tensor.rank == 2)
    count = rows if isinstance(rows, int) else 1
    feeds = {tensor.name: np.full((count, 3), 0.5, tensor.dtype) for tensor in graph.inputs if tensor.rank == 2}
    found = graph.run({**feeds, "lengths:0": np.ones(count, np.int32)})  # the last step is after the end of each row
    assert found[called["h"]].all() and not found[called[None]].any()


def choosing(deep: int) -> onnx.ModelProto:
    """A file of Ifs inside Ifs, each of which adds 1 or 2."""
    sizes = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])

    def branch(level: int, name: str, by: str) -> onnx.GraphProto:
        nodes = [helper.make_node("Add", ["x", by], [f"{name}_sum"], name=f"{name}_add")]
        out = f"{name}_sum"
        if level:
            inner = [branch(level - 1, f"{name}{letter}", one) for letter, one in (("a", "one"), ("b", "two"))]
            nodes.append(helper.make_node("If", ["which"], [f"{name}_out"], then_branch=inner[0], else_branch=inner[1]))
            out = f"{name}_out"
        return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info(out, TensorProto.FLOAT, [2])])

    node = helper.make_node(
        "If", ["which"], ["y"], then_branch=branch(deep, "a", "one"), else_branch=branch(0, "b", "two")
    )
    held = [
        helper.make_tensor(name, TensorProto.FLOAT, [2], [value] * 2) for name, value in (("one", 1.0), ("two", 2.0))
    ]
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])]
    given.append(helper.make_tensor_value_info("which", TensorProto.BOOL, []))
    graph = helper.make_graph([node], "choosing", given, [sizes], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("deep", [0, 1, 5])
def test_ifs_that_are_no_steps_are_left_as_they_are(deep: int) -> None:
    graph = unroll.from_onnx(choosing(deep))
    placed = places(graph)
    assert [node.provenance for node in placed.nodes] == [node.provenance for node in graph.nodes]
    assert placed.tensor_names() == graph.tensor_names()
    assert "If" in graph.summary() and unroll.draw(graph, format="dot", level="op").dot
