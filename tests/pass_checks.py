"""What tests of passes share: sequences, their feeds, and counts of operators."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from helpers import Array

import unroll
from unroll import Graph
from unroll.ops.joining import Concat
from unroll.ops.linear import Gemm, MatMul
from unroll.passes.pipeline import PASSES
from unroll.passes.tools.weight_expressions import weight_expressions

#: Passes that change no number: they move, leave out or merge, and never add in another order.
EXACT = ("cancel_shapes", "flatten_stacks", "fold_constants", "merge_equal", "remove_dead", "reorder_gates")
STEPS = 28


def counts(graph: Graph) -> Counter[str]:
    """How many nodes of each operator a run computes: all but those of weights alone."""
    once = set(weight_expressions(graph))
    return Counter(node.op.name for node in graph.nodes if node not in once)


def most_added(name: str, graph: Graph) -> int:
    """How many computed nodes a pass may add by its contract."""
    products = sum(isinstance(node.op, (MatMul, Gemm)) for node in graph.nodes)
    if name == "split_kernels":
        return 2 * products
    if name == "canonical":
        joined = sum(len(node.inputs) for node in graph.nodes if isinstance(node.op, Concat))
        return 5 * products + 2 * joined
    return 0


def most_weight_nodes(name: str, graph: Graph) -> int:
    """How many expressions over weights a pass may add by its contract."""
    weights = len(graph.parameters) + len(
        {t for n in graph.nodes for t in n.inputs if isinstance(t, unroll.tensor.Constant)}
    )
    if name in ("fold_zeros", "fold_biases", "join_kernels"):
        return weights
    if name in ("split_kernels", "reorder_gates", "join_cells", "canonical"):
        return 12 * weights + 8 * len(weight_expressions(graph))
    return 0


def check_pass(name: str, graph: Graph, feeds: dict[str, Array], wanted: dict[str, Array] | None = None) -> Graph:
    """Run one pass and check everything that is promised of all of them; returns the new graph.

    Args:
        name: of the pass.
        graph: what it is given.
        feeds: on which both graphs are run.
        wanted: what the graph computes from them, where that is known.
    """
    wanted = graph.run(feeds) if wanted is None else wanted
    before = graph.tensor_names(), graph.nodes, [(node.inputs, node.outputs, node.provenance) for node in graph.nodes]
    found = PASSES[name](graph)
    assert before == (graph.tensor_names(), graph.nodes, [(n.inputs, n.outputs, n.provenance) for n in graph.nodes])
    assert found.input_specs == graph.input_specs
    assert list(found.output_names) == list(graph.output_names)
    made = found.run(feeds)
    for output, array in wanted.items():
        assert made[output].dtype == array.dtype
        if name in EXACT:
            np.testing.assert_array_equal(made[output], array, err_msg=f"{name}: {output}")
        else:
            np.testing.assert_allclose(made[output], array, rtol=1e-5, atol=1e-5, err_msg=f"{name}: {output}")
    assert all(node.provenance for node in found.nodes)
    assert set(found.parameters.values()) <= set(graph.parameters.values())
    once, once_before = len(weight_expressions(found)), len(weight_expressions(graph))
    assert len(found.nodes) - once <= len(graph.nodes) - once_before + most_added(name, graph)
    assert len(found.nodes) <= len(graph.nodes) + most_added(name, graph) + most_weight_nodes(name, graph)
    return found


def separate(width: int = 3, steps: int = STEPS) -> list[Any]:
    return [unroll.placeholder([None, width], f"X{step}") for step in range(steps)]


def feeds_of(graph: Graph, batch: int = 2) -> dict[str, Array]:
    rng = np.random.default_rng(0)
    return {
        spec.name: rng.standard_normal([dim if isinstance(dim, int) else batch for dim in spec.shape])
        for spec in graph.input_specs
    }


#: What each step after the first of an LSTM costs, and the first, which has no state.
LSTM_STEP = Counter({"Gemm": 1, "Split": 2, "Sigmoid": 1, "Tanh": 2, "Mul": 3, "Add": 1})
LSTM_FIRST = Counter({"Split": 2, "Sigmoid": 1, "Tanh": 2, "Mul": 2})


def times(step: Counter[str], count: int) -> Counter[str]:
    return Counter({name: number * count for name, number in step.items()})


def input_products(graph: Graph) -> list[Any]:
    """The products with as many rows as all steps together."""
    batch = unroll.dimensions.symbol("batch")
    return [
        node
        for node in graph.nodes
        if isinstance(node.op, (MatMul, Gemm)) and node.outputs[0].shape[0] == STEPS * batch
    ]
