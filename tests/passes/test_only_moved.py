"""A pass that only puts nodes of its own graph on other inputs has made a new graph, whose order lists all that they read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import unroll
from unroll import Graph, Tensor, ops
from unroll.passes.pipeline import DEFAULT
from unroll.passes.tools.drafting import Draft
from unroll.passes.tools.rewriting import Rewriting

MADE: dict[str, Callable[[Tensor, Tensor, Tensor], list[Tensor]]] = {
    "add and multiply": lambda x, a, c: [a + x, c * x],
    "subtract and divide": lambda x, a, c: [x - a, x / (c + x)],
    "one half": lambda x, a, c: [ops.tanh(x * a)],
    "both in one": lambda x, a, c: [a * x + c * x],
}


def split_bias(make: Callable[[Tensor, Tensor, Tensor], list[Tensor]]) -> Graph:
    """What reads halves of biases that are added to a product of zeros: both are the same in every row."""
    rng = np.random.default_rng(3)
    shapes = {"W": (3, 6), "b1": (1, 6), "b2": (1, 6)}
    weight, one, other = (
        unroll.Parameter(rng.uniform(0.5, 1, shape).astype(np.float32), name) for name, shape in shapes.items()
    )
    x = unroll.placeholder([None, 3], "x")
    zeros = ops.constant_of_shape(ops.shape(x), 0.0, "float32")
    return Graph([x], make(x, *ops.split(zeros @ weight + one + other, 2, -1)))


def wanted(name: str, x: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
    a, c = np.split(bias, 2, axis=-1)
    return {
        "add and multiply": [a + x, c * x],
        "subtract and divide": [x - a, x / (c + x)],
        "one half": [np.tanh(x * a)],
        "both in one": [a * x + c * x],
    }[name]


@pytest.mark.parametrize("passes", [None, ["fold_biases", "fold_zeros"], ["fold_biases", *DEFAULT]])
@pytest.mark.parametrize("name", MADE)
def test_halves_of_biases_that_zeros_leave_are_read_in_place(name: str, passes: list[str] | None) -> None:
    graph = split_bias(MADE[name])
    small = unroll.optimize(graph, passes)
    listed = set(small.nodes)
    assert all(t is None or t.node is None or t.node in listed for node in small.nodes for t in node.inputs)
    x = np.linspace(1, 2, 6, dtype=np.float32).reshape(2, 3)
    values = {parameter.name: parameter.value for parameter in graph.parameters.values()}
    for value, right in zip(small.run({"x": x}).values(), wanted(name, x, values["b1"] + values["b2"]), strict=True):
        np.testing.assert_allclose(value, right, rtol=1e-5)


def test_halves_of_biases_are_written_optimised() -> None:
    model = unroll.to_onnx(split_bias(MADE["add and multiply"]), optimized=True)
    assert "ConstantOfShape" not in [node.op_type for node in model.graph.node]


def test_a_node_put_on_a_new_one_makes_a_new_graph() -> None:
    x = unroll.placeholder([2, 3], "x")
    graph = Graph([x], {"y": ops.tanh(ops.exp(x))})
    copying = Rewriting(graph)
    for node in graph.nodes:
        copy = copying.copy(node, copying.inputs(node))
        copying.redirect(node.outputs[0], copy.outputs[0])
    handed = copying.finish()
    assert isinstance(handed, Draft)
    handed.hand_on(frozenset(graph.nodes), in_place=True)
    moving, new = Rewriting(handed), ops.sigmoid(x)
    tanh = moving.keep(handed.nodes[-1], (new,))
    assert tanh is handed.nodes[-1]
    assert moving.finish().nodes == (new.node, tanh)
