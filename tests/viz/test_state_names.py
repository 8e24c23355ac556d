"""What pictures call the states of cells: as the cell that has them does, whether rows have ended or not."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
from picture_boxes import boxes
from picture_networks import NETWORKS

import unroll
from unroll import ops
from unroll.viz import drawing


class Memory(NamedTuple):
    fast: Any
    slow: Any


class OwnCell(unroll.RNNCell):
    """A user's own cell of two states, which names nothing."""

    output_size = 3

    def __init__(self, size: Any) -> None:
        super().__init__()
        self._size = size

    @property
    def state_size(self) -> Any:
        return self._size

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        first, second = state.values() if isinstance(state, dict) else state
        kernel = self.add_weight("kernel", (4, 3))
        new = ops.tanh(inputs @ kernel + first - second), second * 0.5 + first
        if isinstance(state, dict):
            return new[0], dict(zip(state, new, strict=True))
        return new[0], type(state)(*new) if isinstance(state, Memory) else new


class Plain:
    """A cell that is none of ours: it has the attributes of one."""

    state_size, output_size = 3, 3

    def __call__(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        new = inputs[:, :3] + state
        return new, new


def states_of(graph: unroll.Graph) -> set[str]:
    """Return what stands beside the wires from one step to the next."""
    dot = unroll.draw(graph, format="dot").dot
    return set(re.findall(r"cell_\w+ -> cell_\w+ \[label=<([^<(]*) \(", dot))


def over(cell: Any) -> unroll.Graph:
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(3)]
    outputs, _ = unroll.static_rnn(cell, inputs, dtype="float32")
    return unroll.Graph(inputs, [outputs[-1]])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("layers LSTM", {"c", "h"}),
        ("layers masked LSTM", {"c", "h"}),
        ("layers GRU, reset before", {"h"}),
        ("lengths", {"c", "h"}),
        ("cell Intersection", {"h"}),
        ("stateful", {"c", "h"}),
        ("four states", {"c", "h", "m", "n"}),
        ("attention", {"c", "h", "attns", "state"}),
    ],
)
def test_a_state_is_called_as_its_cell_calls_it(name: str, wanted: set[str]) -> None:
    assert states_of(NETWORKS[name]()) == wanted


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ({"fast": 3, "slow": 3}, {"fast", "slow"}),
        (Memory(3, 3), {"fast", "slow"}),
        ((3, 3), {"state 0", "state 1"}),
    ],
)
def test_states_of_a_cell_of_the_users_own_are_called_by_their_fields_or_by_number(size: Any, wanted: set[str]) -> None:
    assert states_of(over(OwnCell(size))) == wanted


def test_a_state_that_nothing_names_is_not_called_after_an_operator() -> None:
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(3)]
    cell, state = Plain(), ops.constant_of_shape([2, 3])
    with unroll.scope("own"):
        for step, x in enumerate(inputs):
            with unroll.step(step):
                _, state = cell(x, state)
    assert "Add" not in states_of(unroll.Graph(inputs, [state]))
    assert states_of(over(Plain())) <= {"state"}


@pytest.mark.parametrize("level", ["cell", "op"])
def test_an_output_that_is_listed_twice_is_drawn_twice_and_its_copy_is_no_operator(level: drawing.Level) -> None:
    graph = NETWORKS["read back LSTM"]()
    shown = boxes(unroll.draw(graph, level=level))
    assert len([name for name in shown if name.startswith("output_")]) == len(graph.outputs)
    said = [box.lines for box in shown.values()]
    assert said.count(["h3"]) == 2 and ["c3"] in said and not any("Identity" in lines for lines in said)
