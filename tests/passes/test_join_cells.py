"""Cells that do not wait for one another are computed as one, where that pays: both directions, and layers a step apart."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from joined_cells import (
    SEPARATE,
    STEPS,
    UNITS,
    WIDTH,
    check_joined,
    counts,
    directions,
    feeds_of,
    is_joined,
    stack_of,
    unstacked,
)

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, LSTMCell, ops
from unroll.passes.join_parts import join_parts
from unroll.passes.pipeline import optimize
from unroll.passes.tools.weight_expressions import weight_values

# -- counted by hand ---------------------------------------------------------------------------------------------------


LSTM_STEP = Counter({"Gemm": 1, "Split": 2, "Sigmoid": 1, "Tanh": 2, "Mul": 3, "Add": 1})
#: The first step has no state: no product with it, and nothing to forget.
LSTM_FIRST = Counter({"Split": 2, "Sigmoid": 1, "Tanh": 2, "Mul": 2})


def times(step: Counter[str], count: int) -> Counter[str]:
    return Counter({name: number * count for name, number in step.items()})


@pytest.mark.slow
def test_both_directions_of_an_lstm_take_the_nodes_of_one() -> None:
    before, after = check_joined(directions(BasicLSTMCell(UNITS), BasicLSTMCell(UNITS)))
    firsts = times(LSTM_FIRST, 2)  # they stay apart
    assert before == firsts + times(LSTM_STEP, 2 * (STEPS - 1)) + Counter(
        {"Reshape": 2, "Gemm": 2, "Split": 2, "Concat": 3}
    )
    # The input products of the first steps: a step picked and multiplied, each.
    ends = Counter({"Gather": 2, "Gemm": 2})
    # Those of all others: each direction's steps picked and flattened, both joined, multiplied and cut.
    ends += Counter({"Gather": 2, "Reshape": 2, "Concat": 1, "Gemm": 1, "Split": 1})
    # h and c of both first steps joined. Outputs joined, a direction cut out, the first step put to it, both joined, stacked.
    ends += Counter({"Concat": 2}) + Counter({"Concat": 5, "Slice": 2, "Reshape": 1})
    assert after == firsts + times(LSTM_STEP, STEPS - 1) + ends


@pytest.mark.slow
def test_layers_a_step_apart_take_the_nodes_of_one() -> None:
    before, after = check_joined(stack_of([BasicLSTMCell(UNITS), BasicLSTMCell(UNITS)], 28))
    assert before["Sigmoid"] == 2 * 28
    # Both layers' first steps have no state; after them, the first layer is alone for one step, and at the end the second.
    firsts, alone, together = 2, 2, 27 - 1
    assert after["Sigmoid"] == firsts + alone + together
    assert after["Tanh"] == 2 * after["Sigmoid"]
    assert after["Add"] == alone + together
    # One product a step, with all inputs' before it; alone, layers multiply inputs and states by themselves.
    assert after["Gemm"] == together + 1 + alone + (firsts + alone)


@pytest.mark.slow
def test_three_layers_run_two_steps_apart() -> None:
    before, after = check_joined(stack_of([BasicRNNCell(UNITS) for _ in range(3)], 28))
    assert before["Tanh"] == 3 * 28
    firsts, together = 3, 27 - 2
    alone = 3 * 27 - 3 * together
    assert after["Tanh"] == firsts + alone + together == 34


@pytest.mark.slow
def test_both_kernels_of_a_gru_are_joined() -> None:
    before, after = check_joined(directions(GRUCell(UNITS), GRUCell(UNITS)))
    assert (before["Sigmoid"], before["Tanh"], before["Sub"]) == (16, 16, 16)
    assert (after["Sigmoid"], after["Tanh"], after["Sub"]) == (9, 9, 9)


@pytest.mark.slow
def test_layers_above_a_gru_multiply_its_output_once_for_the_gates_and_once_for_the_candidate() -> None:
    before, after = check_joined(stack_of([GRUCell(UNITS), GRUCell(UNITS)], 28))
    together = 27 - 1
    assert before["Gemm"] == 4 + 2 * 2 * 27
    # Gates, candidate, and the candidate's input: the state of the layer below is no part of what the candidate multiplies.
    assert after["Gemm"] == 3 * together + 2 + (2 + 2) + (4 + 4)


# -- the kernel --------------------------------------------------------------------------------------------------------


def test_the_kernel_of_two_layers_holds_the_input_kernel_of_the_second_beside_zeros() -> None:
    graph = stack_of([BasicRNNCell(2), BasicRNNCell(2)], 10)
    first, second = (item for name, item in graph.parameters.items() if name.endswith("kernel"))
    first.assign(np.arange(10).reshape(5, 2))  # x: 0 to 5, h: 6 to 9
    second.assign(np.arange(10, 18).reshape(4, 2))  # x: 10 to 13, h: 14 to 17
    found = optimize(graph)
    kernels = [array for array in weight_values(found).values() if array.shape == (4, 4)]
    wanted = [[6, 7, 10, 11], [8, 9, 12, 13], [0, 0, 14, 15], [0, 0, 16, 17]]
    np.testing.assert_array_equal(kernels, [wanted])


def test_gates_of_both_directions_lie_side_by_side() -> None:
    forward, backward = LSTMCell(1, forget_bias=0.0), LSTMCell(1, forget_bias=0.0)
    graph = directions(forward, backward)
    # Columns i, j, f, o; the last row is h's.
    forward.kernel.assign([[0, 0, 0, 0]] * WIDTH + [[1, 2, 3, 4]])
    backward.kernel.assign([[0, 0, 0, 0]] * WIDTH + [[5, 6, 7, 8]])
    kernels = [array for array in weight_values(optimize(graph)).values() if array.shape == (2, 8)]
    # i, f and o go through one Sigmoid.
    np.testing.assert_array_equal(kernels, [[[1, 0, 3, 0, 4, 0, 2, 0], [0, 5, 0, 7, 0, 8, 0, 6]]])


def test_a_value_assigned_afterwards_counts() -> None:
    graph = stack_of([GRUCell(UNITS), GRUCell(UNITS)])
    found, feeds = optimize(graph), feeds_of(graph)
    before = found.run(feeds)["y"]
    rng = np.random.default_rng(3)
    graph.assign({name: rng.uniform(-1, 1, item.shape) for name, item in graph.parameters.items()})
    after = found.run(feeds)["y"]
    assert np.abs(after - before).max() > 0.01
    np.testing.assert_allclose(after, graph.run(feeds)["y"], atol=1e-5)


def test_a_joint_node_comes_from_both_cells_and_their_steps() -> None:
    found = optimize(directions(BasicRNNCell(UNITS), BasicRNNCell(UNITS)))
    tanhs = [node.provenance for node in found.nodes if node.op.name == "Tanh"]
    seen = {frozenset((origin.cell, origin.step) for origin in provenance) for provenance in tanhs}
    forward, backward = "bidirectional_rnn/fw/basic_rnn_cell", "bidirectional_rnn/bw/basic_rnn_cell"
    together = {frozenset([(forward, step), (backward, 7 - step)]) for step in range(1, 8)}
    assert seen == {frozenset([(forward, 0)]), frozenset([(backward, 7)])} | together


# -- where it pays -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("units", "batch", "pays"), [(13, 1, True), (64, 1, True), (128, 1, False), (13, 50, True), (64, 32, False)]
)
def test_directions_are_joined_where_that_was_measured_to_be_faster(units: int, batch: int, pays: bool) -> None:
    assert is_joined(directions(BasicLSTMCell(units), BasicLSTMCell(units), 28), batch) is pays


@pytest.mark.slow
def test_of_three_large_layers_two_are_joined() -> None:
    graph = stack_of([BasicLSTMCell(96) for _ in range(3)], 28)
    found = counts(optimize(graph))
    assert found["Sigmoid"] == 28 + (26 + 2 + 2)


# -- parts -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_outputs_of_both_directions_are_joined_once_for_each_direction() -> None:
    graph = directions(BasicRNNCell(UNITS), BasicRNNCell(UNITS + 1))
    assert counts(optimize(graph, [name for name in SEPARATE if name != "join_parts"]))["Concat"] == STEPS + 1
    assert check_joined(graph)[1]["Concat"] == 3


@pytest.mark.parametrize("case", ["read elsewhere", "two steps", "other sizes", "one axis"])
def test_steps_are_joined_as_they_were_where_that_would_take_more_nodes(case: str) -> None:
    a = [unroll.placeholder([2, 3], f"a{step}") for step in range(4)]
    b = [unroll.placeholder([2, 3], f"b{step}") for step in range(4)]
    axis = 0 if case == "one axis" else 1
    steps = [ops.concat([x, y], axis) for x, y in zip(a, b, strict=True)]
    extra = {"z": steps[2]} if case == "read elsewhere" else {}
    if case == "other sizes":
        steps[1] = ops.concat([ops.concat([a[1], a[1]], 1)[:, :2], ops.concat([b[1], b[1]], 1)[:, :4]], 1)
    if case == "two steps":
        steps = steps[:2]
    graph = Graph([*a, *b], {"y": ops.concat(steps, 0), **extra})
    assert join_parts(graph) is graph


@pytest.mark.parametrize("shape", [(1,), (UNITS,), (1, UNITS), (1, 1), ()])
@pytest.mark.parametrize("added_to", ["the input's product", "the state's product"])
def test_a_bias_is_added_to_the_columns_of_its_own_cell_whatever_its_shape(
    shape: tuple[int, ...], added_to: str
) -> None:
    x, xs = unstacked()
    rng, made = np.random.default_rng(5), []
    for number, steps in enumerate((xs, xs[::-1])):
        sizes = {"w": (WIDTH, UNITS), "u": (UNITS, UNITS), "b": shape}
        w, u, b = (
            unroll.Parameter(rng.normal(size=size).astype("float32"), f"{name}{number}") for name, size in sizes.items()
        )
        h, outputs = ops.constant_of_shape(ops.concat([ops.shape(x)[1:2], [UNITS]], 0), 0.0), []
        for v in steps:
            of_input, of_state = (v @ w, ops.gemm(h, u, b)) if "state" in added_to else (ops.gemm(v, w, b), h @ u)
            h = ops.tanh(of_input + of_state)
            outputs.append(h)
        made.append(ops.stack(outputs))
    check_joined(Graph([x], {"forward": made[0], "backward": made[1]}))
