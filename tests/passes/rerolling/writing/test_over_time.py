"""What a cell does with its input, or its output, beside the recurrence: done to all steps at once, whatever their number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import unroll
from unroll import Graph, nest, ops
from unroll.tensor import Tensor

#: Of a step ``(batch, 2, 6)``, what enters the cell: ``(batch, n)``.
BEFORE: dict[str, Callable[[Tensor], Tensor]] = {
    "ArgMax": lambda x: ops.cast(ops.argmax(x, 2), "float32"),
    "Clip": lambda x: ops.clip(x, -0.5, 0.5)[:, 1],
    "Gather": lambda x: ops.gather(x, 1, axis=1),
    "Gather of several": lambda x: ops.squeeze(ops.gather(x, [0, 2, 5], axis=-1)[:, 1:], [1]),
    "Gather from a table": lambda x: ops.gather(np.eye(6, 4, dtype=np.float32), ops.argmax(x[:, 0], -1)),
    "LayerNormalization": lambda x: ops.layer_normalization(x, np.ones(6, "float32"))[:, 0],
    "Pow": lambda x: (x**2)[:, 0],
    "ReduceMax": lambda x: ops.reduce_max(x, [-2], keepdims=False),
    "ReduceSum of all": lambda x: ops.unsqueeze(ops.reduce_sum(x, [1, 2], keepdims=False), [1]),
    "Reshape": lambda x: ops.reshape(x, [-1, 12]),
    "Reshape twice": lambda x: ops.reshape(ops.reshape(x, [-1, 3, 4]), [-1, 12]),
    "Slice": lambda x: ops.squeeze(x[:, -1:, 1:5:2], [1]),
    "Softmax": lambda x: ops.softmax(x, 1)[:, 0],
    "Transpose": lambda x: ops.transpose(x, [0, 2, 1])[:, :, 0],
}


class Before:
    """A cell that does something with its input first, and adds that to its output."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        self.change, self.cell = change, unroll.BasicLSTMCell(4)
        self.state_size, self.output_size = self.cell.state_size, self.cell.output_size

    def zero_state(self, batch_size: object, dtype: object = "float32") -> object:
        return self.cell.zero_state(batch_size, dtype)  # type: ignore[arg-type]

    def __call__(self, inputs: Tensor, state: object) -> tuple[Tensor, object]:
        x = self.change(inputs)
        output, new = self.cell(x, state)  # type: ignore[arg-type]
        return ops.concat([output, x], axis=-1), new


def traced(change: Callable[[Tensor], Tensor], time: int | str) -> Graph:
    x = unroll.placeholder([None, time, 2, 6], "x")
    with unroll.scope("model", seed=3):
        cell = Before(change)
        width = change(unroll.placeholder([None, 2, 6], "one")).shape[-1]
        cell.output_size = 4 + int(width)  # type: ignore[assignment]
        outputs, state = unroll.dynamic_rnn(cell, x)
    return Graph([x], {"outputs": outputs, "h": nest.flatten(state)[1]})


@pytest.mark.parametrize("name", BEFORE)
def test_what_a_cell_does_with_its_input_is_done_to_all_steps_at_once(name: str) -> None:
    flat, symbolic = traced(BEFORE[name], 4), traced(BEFORE[name], "time")
    rolled, report = unroll.reroll(flat)
    assert report.operators == ["LSTM"]
    assert bool(report.proof), report.proof
    longer = unroll.reroll(traced(BEFORE[name], 9))[0]
    assert len(longer.nodes) == len(rolled.nodes)  # nothing is left that is done step by step
    model = unroll.to_onnx(symbolic, form="rerolled")
    assert [node.op_type for node in model.graph.node if node.op_type in ("LSTM", "Scan")] == ["LSTM"]
    session = unroll.Session(model)
    for time in (1, 4, 9):
        x = np.random.default_rng(time).standard_normal((3, time, 2, 6)).astype("float32")
        wanted = traced(BEFORE[name], time).run({"x": x})
        for found in (session.run({"x": x}), symbolic.run({"x": x})):
            for key, array in wanted.items():
                np.testing.assert_allclose(found[key], array, rtol=1e-5, atol=1e-5)
