"""Leaving out what a zero state makes useless: the same values and names, with less to compute, and nothing else touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import Array
from random_graphs import random_graph

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, MultiRNNCell, RNNCell, dynamic_rnn, ops, static_rnn
from unroll.passes import fold_zeros as fold

UNITS, WIDTH, STEPS, BATCH = 4, 3, 3, 2


class UsersCell(RNNCell):
    """A cell with weights of its own for input and state, combined as `combine` says."""

    state_size = output_size = property(lambda self: UNITS)

    def __init__(self, combine: Callable[..., Any]) -> None:
        super().__init__(name="users_cell")
        self.combine = combine

    def call(self, inputs: Any, state: Any) -> Any:
        wx, wh = self.add_weight("wx", [WIDTH, UNITS]), self.add_weight("wh", [UNITS, UNITS])
        h = ops.tanh(self.combine(inputs, state, wx, wh, self.add_weight("b", [UNITS])))
        return h, h


CELLS: dict[str, Callable[[], Any]] = {
    "rnn": lambda: BasicRNNCell(UNITS),
    "lstm": lambda: BasicLSTMCell(UNITS),
    "lstm, state in one": lambda: BasicLSTMCell(UNITS, state_is_tuple=False),
    "gru": lambda: GRUCell(UNITS),
    "multi": lambda: MultiRNNCell([BasicLSTMCell(5), GRUCell(UNITS)]),
    "multi, state in one": lambda: MultiRNNCell([GRUCell(5), BasicRNNCell(UNITS)], state_is_tuple=False),
    "two products": lambda: UsersCell(lambda x, h, wx, wh, b: x @ wx + h @ wh + b),
    "two products, h first": lambda: UsersCell(lambda x, h, wx, wh, b: h @ wh + x @ wx + b),
    "bias on h": lambda: UsersCell(lambda x, h, wx, wh, b: x @ wx + (h @ wh + b)),
    "gemm of both": lambda: UsersCell(
        lambda x, h, wx, wh, b: ops.gemm(ops.concat([x, h], 1), ops.concat([wx, wh], 0), b)
    ),
    "two gemms": lambda: UsersCell(lambda x, h, wx, wh, b: ops.gemm(x, wx, b) + ops.gemm(h, wh)),
    "gemm on gemm": lambda: UsersCell(lambda x, h, wx, wh, b: ops.gemm(h, wh, ops.gemm(x, wx, b))),
    "gemm, turned": lambda: UsersCell(
        lambda x, h, wx, wh, b: ops.gemm(ops.concat([h, x], 1), ops.transpose(ops.concat([wh, wx], 0)), b, transB=True)
    ),
    "h before x": lambda: UsersCell(lambda x, h, wx, wh, b: ops.concat([h, x], -1) @ ops.concat([wh, wx], 0) + b),
}
#: What the zero state costs here, folding does not find out.
NOT_FOLDED = ("gemm, turned",)


def steps_of(batch: int | None = None, count: int = STEPS) -> list[Any]:
    return [unroll.placeholder([batch, WIDTH], f"X{step}") for step in range(count)]


def graph_of(kind: str, batch: int | None = None, outputs: str = "all") -> Graph:
    inputs = steps_of(batch)
    made, state = static_rnn(CELLS[kind](), inputs)
    return Graph(inputs, {"all": [made, state], "last": made[-1], "state": state}[outputs])


def feeds_of(graph: Graph, seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {
        spec.name: rng.standard_normal([dim if isinstance(dim, int) else BATCH for dim in spec.shape])
        for spec in graph.input_specs
    }


def operators(graph: Graph) -> Counter[str]:
    return Counter(node.op.name for node in graph.nodes)


def slices_of_weights(graph: Graph) -> Counter[str]:
    return Counter(
        graph.name(node.inputs[0])
        for node in graph.nodes
        if node.op.name == "Slice" and isinstance(node.inputs[0], unroll.Parameter)
    )


def check(graph: Graph, feeds: dict[str, Array] | None = None) -> Graph:
    """Fold, and check everything that is promised of any graph; returns the folded one."""
    feeds = feeds_of(graph) if feeds is None else feeds
    before = graph.tensor_names(), graph.nodes, graph.output_names, [(n.inputs, n.outputs) for n in graph.nodes]
    wanted = graph.run(feeds)
    folded = fold(graph)
    assert before == (
        graph.tensor_names(),
        graph.nodes,
        graph.output_names,
        [(n.inputs, n.outputs) for n in graph.nodes],
    )
    assert all(np.array_equal(array, wanted[name]) for name, array in graph.run(feeds).items())
    assert folded.input_specs == graph.input_specs
    assert list(folded.output_names) == list(graph.output_names)
    assert [
        (graph.shape(item), item.dtype) for item in dict(zip(graph.output_names, graph.outputs, strict=True)).values()
    ] == [(folded.shape(item), item.dtype) for item in folded.outputs]
    found = folded.run(feeds)
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-6, err_msg=name)
    assert all(node.provenance for node in folded.nodes)
    assert set(folded.parameters.values()) <= set(graph.parameters.values())
    added = operators(folded) - operators(graph)
    assert set(added) <= {"Slice"}, f"folding adds {added}"
    return folded


# -- values, names, provenance ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("outputs", ["all", "last", "state"])
@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("kind", CELLS)
def test_values_inputs_and_output_names_are_kept_and_the_graph_itself_is_untouched(
    kind: str, batch: int | None, outputs: str
) -> None:
    check(graph_of(kind, batch, outputs))


@pytest.mark.parametrize("kind", [kind for kind in CELLS if "gemm" not in kind])  # which takes matrices
def test_values_are_kept_without_a_batch_axis(kind: str) -> None:
    inputs = [unroll.placeholder([WIDTH], f"X{step}") for step in range(STEPS)]
    check(Graph(inputs, static_rnn(CELLS[kind](), inputs)[0]))


@pytest.mark.parametrize("time_major", [False, True])
def test_values_are_kept_for_dynamic_rnn(time_major: bool) -> None:
    x = unroll.placeholder([None, STEPS, WIDTH] if not time_major else [STEPS, None, WIDTH], "x")
    outputs, state = dynamic_rnn(BasicLSTMCell(UNITS), x, time_major=time_major)
    graph = Graph([x], {"outputs": outputs, "state": state})
    assert "ConstantOfShape" not in operators(check(graph))


@pytest.mark.slow
def test_values_are_kept_for_random_graphs() -> None:
    for seed in range(60):
        graph, feeds = random_graph(seed)
        check(graph, feeds)


def test_the_folded_graph_computes_the_formula_without_a_state() -> None:
    """Step 0 is tanh(x @ Wx + b), and nothing else."""
    inputs = steps_of(count=1)
    cell = BasicRNNCell(UNITS)
    folded = fold(Graph(inputs, {"h": static_rnn(cell, inputs)[0][0]}))
    cell.bias.assign([0.1, 0.2, 0.3, 0.4])
    assert operators(folded) == {"Slice": 1, "MatMul": 1, "Add": 1, "Tanh": 1}
    x = np.array([[1, -2, 0.5]])
    wanted = np.tanh(x @ cell.kernel.value[:WIDTH].astype(float) + [0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(folded.run({"X0": x})["h"], wanted, rtol=1e-5)


@pytest.mark.parametrize("kind", CELLS)
def test_values_assigned_after_folding_count(kind: str) -> None:
    graph = graph_of(kind)
    folded = fold(graph)
    feeds = feeds_of(graph)
    before = folded.run(feeds)
    rng = np.random.default_rng(9)
    graph.assign({name: rng.standard_normal(item.shape) for name, item in graph.parameters.items()})
    wanted = graph.run(feeds)
    for name, array in folded.run(feeds).items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-5, atol=1e-6)
        assert not np.allclose(array, before[name])


def test_every_node_says_where_it_comes_from() -> None:
    graph = graph_of("lstm")
    (piece,) = [node for node in fold(graph).nodes if node.op.name == "Slice"]
    (origin,) = piece.provenance
    assert (origin.step, origin.cell) == (None, "rnn/basic_lstm_cell"), "the rows of a weight belong to no step"
    steps = {origin.step for node in fold(graph).nodes for origin in node.provenance}
    assert steps == {None, 0, 1, 2}


def test_inner_tensors_keep_the_names_of_the_users_program() -> None:
    graph = graph_of("lstm", outputs="last")
    names = set(fold(graph).tensor_names())
    assert {f"rnn/t0/basic_lstm_cell/{name}" for name in ("i", "j", "f", "o", "c", "h")} - names <= {
        "rnn/t0/basic_lstm_cell/f"  # what a state of zeros is multiplied with
    }


# -- what is left out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in CELLS if kind not in NOT_FOLDED])
def test_a_zero_state_is_not_even_made(kind: str) -> None:
    graph = graph_of(kind)
    left = operators(check(graph))
    assert operators(graph)["ConstantOfShape"] >= 1
    assert not {"ConstantOfShape", "Shape"} & left.keys()


@pytest.mark.parametrize("kind", CELLS)
def test_a_weight_is_sliced_once_at_most(kind: str) -> None:
    assert all(count == 1 for count in slices_of_weights(fold(graph_of(kind))).values())


def test_a_weight_is_sliced_once_for_two_runs_of_one_cell() -> None:
    cell, inputs = BasicRNNCell(UNITS), steps_of()
    first, _ = static_rnn(cell, inputs, scope="a")
    second, _ = static_rnn(cell, inputs[::-1], scope="b")
    folded = check(Graph(inputs, [first, second]))
    assert slices_of_weights(folded) == {"a/basic_rnn_cell/kernel": 1}


def test_a_weight_is_sliced_once_even_where_an_input_is_zero_as_well() -> None:
    """A decoder's first input may be zeros, with a state that is not."""
    inputs = [unroll.placeholder([BATCH, WIDTH], "X0"), unroll.constant(np.zeros((BATCH, WIDTH), "float32"))]
    graph = Graph(inputs[:1], static_rnn(BasicRNNCell(UNITS), inputs)[0])
    assert slices_of_weights(check(graph)) == {"rnn/basic_rnn_cell/kernel": 1}


@pytest.mark.parametrize("kind", CELLS)
def test_folding_twice_is_folding_once(kind: str) -> None:
    folded = fold(graph_of(kind))
    again = fold(folded)
    assert [again.name(node) for node in again.nodes] == [folded.name(node) for node in folded.nodes]


@pytest.mark.parametrize("kind", [kind for kind in CELLS if kind not in NOT_FOLDED])
def test_an_initial_state_given_as_constant_zeros_is_folded_too(kind: str) -> None:
    inputs, cell = steps_of(BATCH), CELLS[kind]()
    zeros = unroll.nest.map_leaves(lambda n: unroll.constant(np.zeros((BATCH, n), "float32")), cell.state_size)
    given = check(Graph(inputs, static_rnn(cell, inputs, zeros)[0]))
    by_default = fold(Graph(inputs, static_rnn(cell, inputs)[0]))
    assert operators(given) == operators(by_default)


@pytest.mark.parametrize("state", ["placeholder", "constant", "almost zero"])
@pytest.mark.parametrize("kind", CELLS)
def test_nothing_is_folded_where_the_initial_state_is_not_known_to_be_zero(kind: str, state: str) -> None:
    inputs, cell = steps_of(BATCH), CELLS[kind]()
    almost = np.zeros((BATCH, UNITS + 5), "float32")
    almost[0, 0] = 1e-30
    made: list[Any] = []

    def initial(size: int) -> Any:
        if state == "placeholder":
            made.append(unroll.placeholder([BATCH, size], f"state{len(made)}"))
            return made[-1]
        return unroll.constant(np.ones((BATCH, size), "float32") if state == "constant" else almost[:, :size])

    given = unroll.nest.map_leaves(initial, cell.state_size)
    graph = Graph([*inputs, *made], static_rnn(cell, inputs, given)[0])
    assert fold(graph).nodes == graph.nodes
    check(graph)


def test_a_parameter_that_happens_to_be_zero_is_not_taken_for_zeros() -> None:
    x = unroll.placeholder([BATCH, WIDTH], "x")
    bias = unroll.Parameter(np.zeros((BATCH, WIDTH), "float32"), "bias")
    graph = Graph([x], {"y": x + bias})
    assert fold(graph).nodes == graph.nodes
    bias.assign(np.ones((BATCH, WIDTH)))
    assert fold(graph).run({"x": np.zeros((BATCH, WIDTH))})["y"].tolist() == [[1, 1, 1], [1, 1, 1]]


# -- small programs ---------------------------------------------------------------------------------------------------


def folded_operators(program: Callable[[Any, Any], Any], zeros_shape: tuple[int, ...] = (2, 3)) -> Counter[str]:
    x = unroll.placeholder([2, 3], "x")
    return operators(check(Graph([x], program(x, ops.constant_of_shape(list(zeros_shape))))))


@pytest.mark.parametrize(
    "program",
    [
        lambda x, z: x + z,
        lambda x, z: z + x,
        lambda x, z: x - z,
        lambda x, z: x + z * 5,
        lambda x, z: x - ops.tanh(-z),
        lambda x, z: x + ops.transpose(ops.transpose(z)),
        lambda x, z: x + ops.split(z, 3, 1)[1],
        lambda x, z: x + (z + z),
        lambda x, z: x + (z - z),
    ],
)
def test_adding_zeros_leaves_the_tensor_itself(program: Callable[[Any, Any], Any]) -> None:
    y = lambda x, z: {"y": ops.exp(program(x, z))}  # noqa: E731
    assert folded_operators(y, (2, 3)) == {"Exp": 1}


@pytest.mark.parametrize(
    ("program", "wanted"),
    [
        (lambda x, z: {"y": z - x}, {"ConstantOfShape": 1, "Sub": 1}),
        (lambda x, z: {"y": x / ops.exp(z)}, {"ConstantOfShape": 1, "Exp": 1, "Div": 1}),
        (lambda x, z: {"y": ops.relu(z + 1)}, {"ConstantOfShape": 1, "Add": 1, "Relu": 1}),
        (lambda x, z: {"y": x + ops.exp(z)}, {"ConstantOfShape": 1, "Exp": 1, "Add": 1}),
        (lambda x, z: {"y": x + ops.sigmoid(z)}, {"ConstantOfShape": 1, "Sigmoid": 1, "Add": 1}),
    ],
)
def test_what_zeros_do_change_stays(program: Callable[[Any, Any], Any], wanted: dict[str, int]) -> None:
    assert folded_operators(program) == wanted


def test_zeros_that_widen_the_result_stay() -> None:
    assert folded_operators(lambda x, z: {"y": x + z}, (4, 2, 3)) == {"ConstantOfShape": 1, "Add": 1}
    assert folded_operators(lambda x, z: {"y": x + z}, (1, 3)) == {}


def test_zeros_that_are_outputs_stay_outputs() -> None:
    assert folded_operators(lambda x, z: {"zeros": z, "y": x + z, "none": x * z})["ConstantOfShape"] == 1


def test_a_sum_and_its_operand_can_both_be_outputs() -> None:
    assert folded_operators(lambda x, z: {"a": ops.exp(x) + z, "b": ops.exp(x)})["Exp"] == 2
    folded_operators(lambda x, z: [x, x + z, x + z])


def test_a_tensor_read_elsewhere_too_is_not_computed_twice() -> None:
    def program(x: Any, z: Any) -> Any:
        y = ops.exp(x)
        return {"a": ops.tanh(y + z), "b": y * 2}

    assert folded_operators(program) == {"Exp": 1, "Tanh": 1, "Mul": 1}


def test_what_dimensions_must_be_equal_is_not_forgotten() -> None:
    """The zeros have as many rows as `y`, so `x` must have them, folded or not."""
    x, y = unroll.placeholder([None, WIDTH], "x"), unroll.placeholder(["n", WIDTH], "y")
    zeros = ops.constant_of_shape(ops.concat([ops.shape(y)[:1], [UNITS]], 0))
    weight = unroll.Parameter(np.ones((WIDTH + UNITS, 1), "float32"), "weight")
    graph = Graph([x, y], {"a": ops.concat([x, zeros], 1) @ weight, "b": y * 2})
    folded = check(graph)
    for one in (graph, folded):
        with pytest.raises(unroll.UnrollError, match="batch"):
            one.run({"x": np.ones((2, WIDTH)), "y": np.ones((3, WIDTH))})


@pytest.mark.slow
def test_a_long_sequence_is_folded_without_recursion() -> None:
    inputs = steps_of(count=3000)
    graph = Graph(inputs, static_rnn(BasicRNNCell(UNITS), inputs)[0][-1])
    # Shape, Slice, Concat and ConstantOfShape of the state and step 0's Concat go; a Slice of the kernel comes.
    assert len(graph.nodes) - len(fold(graph).nodes) == 4


@pytest.mark.parametrize("kind", CELLS)
def test_every_node_that_is_kept_is_called_as_in_the_users_graph(kind: str) -> None:
    """A node's name in the ONNX file is the one that the summary and the picture show."""
    graph = graph_of(kind)
    operators_by_name = {graph.name(node): node.op.name for node in graph.nodes}
    folded = check(graph)
    kept = {folded.name(node): node.op.name for node in folded.nodes if node.op.name != "Slice"}
    assert kept.items() <= operators_by_name.items()
    computed = [name for name in folded.tensor_names() if name in graph.names.by_name and "/t0/" in name]
    feeds = feeds_of(graph)
    for name, seen, wanted in zip(computed, folded.run(feeds, computed), graph.run(feeds, computed), strict=True):
        np.testing.assert_allclose(seen, wanted, atol=1e-6, err_msg=name)
