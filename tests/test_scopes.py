"""The path of a node tells its timestep from a layer of that name."""

from __future__ import annotations

import pytest

from unroll import layers
from unroll.passes.rerolling.finding import common_scope
from unroll.scopes import without_step
from unroll.viz.joint_cells import JointCells
from unroll.viz.states import node_role


@pytest.mark.parametrize(
    ("path", "step", "cell", "wanted"),
    [
        ("rnn/t3/cell/f", 3, "rnn/cell", "rnn/cell/f"),
        ("rnn/t3/cell/f", 4, "rnn/cell", "rnn/t3/cell/f"),
        ("rnn/cell", None, "rnn/cell", "rnn/cell"),
        ("t0/lstm/t0/cell/f", 0, "t0/lstm/cell", "t0/lstm/cell/f"),
        ("rnn/t0/t0/f", 0, "rnn/t0", "rnn/t0/f"),
        ("rnn/t0/out/t0", 0, "rnn/out/t0", "rnn/out/t0"),
        ("t1/lstm/t1/x", 1, None, "t1/lstm/x"),
    ],
)
def test_a_path_loses_its_timestep_and_no_layer(path: str, step: int | None, cell: str | None, wanted: str) -> None:
    assert without_step(path, step, cell) == wanted


@pytest.mark.parametrize("name", ["t0", "t1", "encoder"])
def test_steps_of_a_model_that_is_called_like_one_are_alike(name: str) -> None:
    model = layers.Sequential([layers.Input((3, 2)), layers.LSTM(4, name="lstm")], name=name)
    graph = model.trace()
    inside = [node for node in graph.nodes if node.origin.cell is not None]
    assert common_scope([node.origin for node in inside]) == f"{name}/lstm/lstm_cell"
    joint = JointCells(graph)
    roles = [{node_role(graph, node, joint) for node in inside if node.origin.step == step} for step in range(3)]
    assert roles[0] == roles[1] == roles[2]
