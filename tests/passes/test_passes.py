"""Every pass computes the same in no more nodes than it says, keeps names and provenance, and follows assignments."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from time import process_time
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import Array
from random_graphs import random_graph
from random_networks import random_network

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, MultiRNNCell, ops, static_bidirectional_rnn, static_rnn
from unroll.ops.joining import Concat
from unroll.ops.linear import Gemm, MatMul
from unroll.passes.pipeline import DEFAULT, PASSES, optimize
from unroll.passes.tools.weight_expressions import weight_expressions, weight_values

#: Passes that change no number: they move, leave out or merge, and never add in another order.
EXACT = ("cancel_shapes", "flatten_stacks", "fold_constants", "merge_equal", "remove_dead", "reorder_gates")
STEPS = 28
#: Each cell by itself, as it is counted below; tests/passes/test_join_cells.py counts those computed as one.
SEPARATE = [name for name in DEFAULT if name != "join_cells"]


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


def check(name: str, graph: Graph, feeds: dict[str, Array]) -> Graph:
    """Run one pass and check everything that is promised of all of them; returns the new graph."""
    wanted = graph.run(feeds)
    before = graph.tensor_names(), graph.nodes, [(node.inputs, node.outputs, node.provenance) for node in graph.nodes]
    found = PASSES[name](graph)
    assert before == (graph.tensor_names(), graph.nodes, [(n.inputs, n.outputs, n.provenance) for n in graph.nodes])
    assert found.input_specs == graph.input_specs
    assert list(found.output_names) == list(dict.fromkeys(graph.output_names))
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


# -- random graphs: 1,000 for every pass, of which 120 are recurrent networks -----------------------------------------


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_keeps_what_any_graph_computes(name: str) -> None:
    first = 1000 * list(PASSES).index(name)
    for seed in range(first, first + 880):
        check(name, *random_graph(seed))


@pytest.mark.parametrize("block", range(6))
def test_passes_keep_what_recurrent_networks_compute_one_after_another(block: int) -> None:
    for seed in range(20 * block, 20 * block + 20):
        graph, feeds = random_network(seed)
        check("canonical", graph, feeds)
        for name in DEFAULT:
            graph = check(name, graph, feeds)


def test_an_optimised_network_runs_in_onnxruntime_and_follows_assignments() -> None:
    changed = 0
    for seed in range(200, 230):
        graph, feeds = random_network(seed)
        found = optimize(graph)
        first = check_runs(graph, found, feeds)
        rng = np.random.default_rng(seed)
        graph.assign({name: rng.uniform(-0.5, 0.5, item.shape) for name, item in graph.parameters.items()})
        second = check_runs(graph, found, feeds)
        changed += any(not np.array_equal(first[name], array) for name, array in second.items())
    assert changed >= 28, "a network of relu may stay at zero"


def check_runs(graph: Graph, found: Graph, feeds: dict[str, Array]) -> dict[str, Array]:
    """Check an optimised graph and its model against the graph; returns what that computes."""
    model = unroll.to_onnx(found)
    onnx.checker.check_model(model, full_check=True)
    wanted = graph.run(feeds)
    for runs in (found.run(feeds), unroll.Session(model).run(feeds)):
        for name, array in wanted.items():
            np.testing.assert_allclose(runs[name], array, rtol=1e-5, atol=1e-5, err_msg=name)
    return wanted


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_run_twice_changes_no_more(name: str) -> None:
    for seed in range(5):
        graph, _ = random_network(seed)
        once = PASSES[name](graph)
        assert len(PASSES[name](once).nodes) == len(once.nodes)


# -- real cells, counted by hand --------------------------------------------------------------------------------------


def separate(width: int = 3, steps: int = STEPS) -> list[Any]:
    return [unroll.placeholder([None, width], f"X{step}") for step in range(steps)]


def feeds_of(graph: Graph, batch: int = 2) -> dict[str, Array]:
    rng = np.random.default_rng(0)
    return {
        spec.name: rng.standard_normal([dim if isinstance(dim, int) else batch for dim in spec.shape])
        for spec in graph.input_specs
    }


def optimised(graph: Graph, **extra: Array) -> Counter[str]:
    """Optimise, check the values, and count."""
    found = optimize(graph, SEPARATE)
    feeds = feeds_of(graph) | extra
    wanted = graph.run(feeds)
    for name, array in found.run(feeds).items():
        np.testing.assert_allclose(array, wanted[name], rtol=1e-5, atol=1e-5)
    return counts(found)


#: What each step after the first of an LSTM costs, and the first, which has no state.
LSTM_STEP = Counter({"Gemm": 1, "Split": 2, "Sigmoid": 1, "Tanh": 2, "Mul": 3, "Add": 1})
LSTM_FIRST = Counter({"Split": 2, "Sigmoid": 1, "Tanh": 2, "Mul": 2})


def times(step: Counter[str], count: int) -> Counter[str]:
    return Counter({name: number * count for name, number in step.items()})


def test_a_basic_lstm_of_28_steps_is_280_nodes() -> None:
    inputs = separate()
    outputs, _ = static_rnn(BasicLSTMCell(4), inputs)
    wanted = Counter({"Concat": 1, "Gemm": 1, "Split": 1}) + LSTM_FIRST + times(LSTM_STEP, 27)
    assert optimised(Graph(inputs, outputs)) == wanted
    assert wanted.total() == 3 + 7 + 27 * 10


def test_a_basic_rnn_of_28_steps_is_58_nodes() -> None:
    inputs = separate()
    outputs, _ = static_rnn(BasicRNNCell(4), inputs)
    assert optimised(Graph(inputs, outputs)) == {"Concat": 1, "Gemm": 28, "Split": 1, "Tanh": 28}


def test_a_gru_hoists_the_products_of_both_kernels_from_one_joined_input() -> None:
    inputs = separate()
    outputs, _ = static_rnn(GRUCell(4), inputs)
    first = Counter({"Sigmoid": 1, "Slice": 1, "Sub": 1, "Tanh": 1, "Mul": 1})
    step = Counter({"Gemm": 2, "Sigmoid": 1, "Split": 1, "Sub": 1, "Tanh": 1, "Mul": 3, "Add": 1})
    assert optimised(Graph(inputs, outputs)) == Counter({"Concat": 1, "Gemm": 2, "Split": 2}) + first + times(step, 27)


@pytest.mark.parametrize("axis", [0, 1])
def test_steps_cut_from_one_tensor_use_that_tensor(axis: int) -> None:
    x = unroll.placeholder([STEPS, "batch", 3] if axis == 0 else [None, STEPS, 3], "x")
    outputs, _ = static_rnn(BasicRNNCell(4), ops.unstack(x, axis))
    turning = {"Transpose": 1} if axis else {}
    assert optimised(Graph([x], outputs)) == turning | {"Reshape": 1, "Gemm": 28, "Split": 1, "Tanh": 28}


def test_a_batch_of_one_is_not_turned() -> None:
    x = unroll.placeholder([1, STEPS, 3], "x")
    outputs, _ = static_rnn(BasicRNNCell(4), ops.unstack(x, 1))
    assert "Transpose" not in optimised(Graph([x], outputs))


def test_stacked_outputs_are_joined_at_once() -> None:
    """28 Unsqueezes and a Concat become a Concat and a Reshape."""
    x = unroll.placeholder([None, STEPS, 3], "x")
    graph = Graph([x], [unroll.layers.LSTM(4, return_sequences=True)(x)])
    wanted = Counter({"Transpose": 1, "Reshape": 2, "Gemm": 1, "Split": 1, "Concat": 1})
    assert optimised(graph) == wanted + LSTM_FIRST + times(LSTM_STEP, 27)


def test_pytorchs_stacked_lstm_has_no_zero_state_and_one_bias_a_layer() -> None:
    """Two Gemms a step with a bias each; between the layers nothing is stacked."""
    x = unroll.placeholder([None, STEPS, 3], "x")
    y, _ = unroll.nn.LSTM(3, 4, 2, batch_first=True)(x)
    ends = Counter({"Transpose": 1, "Reshape": 2, "Concat": 2, "Gemm": 2, "Split": 2})
    assert optimised(Graph([x], [y])) == ends + times(LSTM_FIRST, 2) + times(LSTM_STEP, 54)


def test_both_directions_use_the_same_joined_inputs() -> None:
    inputs = separate()
    outputs, _, _ = static_bidirectional_rnn(BasicLSTMCell(4), BasicLSTMCell(5), inputs)
    both = Counter({"Concat": 1 + STEPS, "Gemm": 2, "Split": 2})  # each step's outputs are joined
    assert optimised(Graph(inputs, outputs)) == both + times(LSTM_FIRST, 2) + times(LSTM_STEP, 54)


def test_steps_past_the_length_are_still_chosen_one_by_one() -> None:
    x, n = unroll.placeholder([None, STEPS, 3], "x"), unroll.placeholder([None], "n", "int32")
    outputs, _ = unroll.dynamic_rnn(BasicLSTMCell(4), x, sequence_length=n)
    found = optimised(Graph([x, n], [outputs]), n=np.array([3, 28], np.int32))
    assert (found["Gemm"], found["Sigmoid"], found["Less"]) == (28, 28, 28)
    assert found["Squeeze"] == 0


def input_products(graph: Graph) -> list[Any]:
    """The products with as many rows as all steps together."""
    batch = unroll.dimensions.symbol("batch")
    return [
        node
        for node in graph.nodes
        if isinstance(node.op, (MatMul, Gemm)) and node.outputs[0].shape[0] == STEPS * batch
    ]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("framework", ["tensorflow", "torch"])
def test_after_hoisting_there_is_one_input_product_a_layer_and_direction(
    layers: int, directions: int, framework: str
) -> None:
    if framework == "tensorflow":
        inputs = separate()

        def cell() -> Any:
            return MultiRNNCell([BasicLSTMCell(4) for _ in range(layers)])

        outputs: Any = (
            static_rnn(cell(), inputs)[0] if directions == 1 else static_bidirectional_rnn(cell(), cell(), inputs)[0]
        )
    else:
        x = unroll.placeholder([None, STEPS, 3], "x")
        inputs, outputs = [x], unroll.nn.GRU(3, 4, layers, batch_first=True, bidirectional=directions == 2)(x)[0]
    graph = optimize(Graph(inputs, outputs), SEPARATE)
    assert len(input_products(graph)) == layers * directions
    weights = [node.inputs[1] for node in graph.nodes if isinstance(node.op, (MatMul, Gemm))]
    assert Counter(weights).most_common()[-1][1] == 1, "the hoisted weight is multiplied once"


@pytest.mark.parametrize("cell", [BasicLSTMCell, BasicRNNCell])
def test_an_initial_state_that_is_given_keeps_no_step_from_being_hoisted(cell: Any) -> None:
    inputs, made = separate(), cell(4)
    names = iter("ch")
    state = unroll.nest.map_leaves(lambda size: unroll.placeholder([None, size], next(names)), made.state_size)
    outputs, _ = static_rnn(made, inputs, state)
    found = optimize(Graph([*inputs, *unroll.nest.flatten(state)], outputs))
    assert len(input_products(found)) == 1
    assert counts(found)["Concat"] == 1


def test_a_hoisted_product_comes_from_every_step() -> None:
    inputs = separate()
    outputs, _ = static_rnn(BasicLSTMCell(4), inputs)
    (product,) = input_products(optimize(Graph(inputs, outputs)))
    assert {origin.step for origin in product.provenance} == set(range(STEPS))
    assert {origin.cell for origin in product.provenance} == {"rnn/basic_lstm_cell"}


def test_one_sigmoid_comes_from_three_gates_and_they_keep_their_names() -> None:
    inputs = separate(steps=3)
    outputs, _ = static_rnn(BasicLSTMCell(4), inputs)
    graph = Graph(inputs, outputs)
    found = optimize(graph)
    gates = [{origin.gate for origin in node.provenance} for node in found.nodes if node.op.name == "Sigmoid"]
    assert gates == [{"i", "o"}, {"i", "f", "o"}, {"i", "f", "o"}]
    feeds = feeds_of(graph)
    names = [f"rnn/t2/basic_lstm_cell/{name}" for name in ("i", "j", "f", "o", "c", "h")]
    for name, seen, wanted in zip(names, found.run(feeds, names), graph.run(feeds, names), strict=True):
        np.testing.assert_allclose(seen, wanted, atol=1e-6, err_msg=name)


# -- what each pass does and does not ---------------------------------------------------------------------------------


def operators_after(name: str, outputs: Any, *inputs: Any) -> Counter[str]:
    graph = Graph(list(inputs), outputs)
    return counts(check(name, graph, {k: v.astype("float32") for k, v in feeds_of(graph).items()}))


def test_parameters_are_not_constants() -> None:
    x, p = unroll.placeholder([2, 2], "x"), unroll.Parameter(np.ones((2, 2), "float32"), "p")
    graph = Graph([x], {"y": x + ops.exp(p) + ops.exp(unroll.constant(np.ones((2, 2), "float32")))})
    folded = PASSES["fold_constants"](graph)
    assert Counter(node.op.name for node in folded.nodes) == {"Exp": 1, "Add": 2}
    p.assign(np.zeros((2, 2)))
    np.testing.assert_allclose(folded.run({"x": np.zeros((2, 2))})["y"], 1 + np.exp(1), rtol=1e-6)


def test_a_large_constant_is_not_made_of_a_small_one() -> None:
    for size, kept in ((100, ["ConstantOfShape", "Add"]), (60, ["Add"])):
        x = unroll.placeholder([size, size], "x")
        graph = Graph([x], {"y": x + ops.constant_of_shape([size, size], 2.0)})
        assert [node.op.name for node in PASSES["fold_constants"](graph).nodes] == kept


def test_what_fails_on_constants_fails_in_the_run() -> None:
    x = unroll.placeholder([2], "x", "int32")
    graph = Graph([x], {"y": x + ops.div(unroll.constant([1, 2], "int32"), unroll.constant([1, 0], "int32"))})
    with pytest.raises(unroll.UnrollError, match="divided by zero"):
        PASSES["fold_constants"](graph).run({"x": np.zeros(2, np.int32)})


def test_equal_nodes_of_both_steps_are_one_and_come_from_both() -> None:
    x = unroll.placeholder([2, 3], "x")
    with unroll.scope("a"):
        first = ops.exp(x * 2.0)
    with unroll.scope("b"):
        second = ops.exp(x * 2.0)
    merged = PASSES["merge_equal"](Graph([x], {"first": first, "second": second, "other": ops.exp(x * -0.0)}))
    assert counts(merged) == {"Mul": 2, "Exp": 2}
    assert {frozenset(origin.scope for origin in node.provenance) for node in merged.nodes} == {
        frozenset("ab"),
        frozenset([""]),
    }
    assert merged.output_names == ("first", "second", "other")


def test_zero_and_minus_zero_are_not_equal() -> None:
    x = unroll.placeholder([2], "x")
    graph = Graph([x], {"a": 1 / ops.constant_of_shape([2], 0.0) + x, "b": 1 / ops.constant_of_shape([2], -0.0) + x})
    found = PASSES["merge_equal"](graph).run({"x": np.zeros(2)})
    assert (found["a"][0], found["b"][0]) == (np.inf, -np.inf)


def test_constants_of_the_same_bytes_and_other_dtypes_are_two() -> None:
    """Eight zeros of float32 are the bytes of four of float64: the blocks of two biases, in one graph."""
    rng = np.random.default_rng(0)
    outputs, inputs = {}, []
    for dtype, columns in (("float32", 8), ("float64", 4), ("float16", 16)):
        x = unroll.placeholder([None, 2], f"x_{dtype}", dtype)
        w, b = (
            unroll.Parameter(rng.uniform(-1, 1, s).astype(dtype), f"{dtype}{len(s)}")
            for s in ((2, columns), (columns,))
        )
        first, second = ops.split(x @ w + b, 2, 1)
        outputs[dtype] = ops.tanh(first + 0.0) * ops.sigmoid(second)
        inputs.append(x)
    graph = Graph(inputs, outputs)
    feeds = {spec.name: rng.uniform(-1, 1, (3, 2)).astype(spec.dtype) for spec in graph.input_specs}
    wanted = unroll.Session(graph).run(feeds)
    for name in PASSES:
        for output, array in PASSES[name](graph).run(feeds).items():
            assert array.dtype == output
            np.testing.assert_allclose(array, wanted[output], atol=2e-3 if output == "float16" else 1e-6, err_msg=name)


@pytest.mark.parametrize(
    "program",
    [
        ops.identity,
        lambda x: ops.cast(x, "float32"),
        lambda x: ops.transpose(x, [0, 1]),
        lambda x: ops.reshape(x, [2, 3]),
        lambda x: x[0:2],
        lambda x: ops.concat([x], 0),
        lambda x: ops.split(x, 1, 0)[0],
        lambda x: ops.expand(x, [1, 3]),
    ],
)
def test_what_does_nothing_is_left_out(program: Any) -> None:
    x = unroll.placeholder([2, 3], "x")
    assert operators_after("remove_dead", {"y": ops.exp(program(x))}, x) == {"Exp": 1}


def test_a_split_of_which_one_piece_is_read_is_a_slice() -> None:
    x = unroll.placeholder([2, 6], "x")
    assert operators_after("remove_dead", {"y": ops.split(x, [1, 3, 2], 1)[1]}, x) == {"Slice": 1}


@pytest.mark.parametrize(
    "program",
    [
        lambda x: ops.transpose(ops.transpose(x, [1, 2, 0]), [2, 0, 1]),
        lambda x: ops.squeeze(ops.unsqueeze(x, [1]), [1]),
        lambda x: ops.squeeze(ops.unsqueeze(x, [0]), [-4]),
        lambda x: ops.concat(ops.split(x, 3, 1), 1),
        lambda x: ops.split(ops.concat([x, x * 2], 1), 2, 1)[0],
        lambda x: ops.unstack(ops.stack([x, x * 2], 0), 0)[0],
        lambda x: ops.stack([x * 2, x], 1)[:, 1],
        lambda x: ops.gather(ops.stack([x * 2, x], 0), 1, 0),
        lambda x: ops.reshape(ops.reshape(x, [-1]), [2, 3, 4]),
    ],
)
def test_what_is_undone_is_left_out(program: Any) -> None:
    x = unroll.placeholder([2, 3, 4], "x")
    assert operators_after("cancel_shapes", {"y": ops.exp(program(x))}, x) == {"Exp": 1}


def test_kernels_are_split_for_batches_where_hoisting_pays() -> None:
    """Measured: joined inputs win at (28, batch 32, input 28, units 128), hoisting at batch 1."""
    inputs = separate(28)
    outputs, _ = static_rnn(BasicLSTMCell(128), inputs)
    graph = Graph(inputs, outputs[-1])
    assert len(input_products(optimize(graph, batch=1))) == 1
    assert len(input_products(optimize(graph, batch=32))) == 0


def test_separate_kernels_are_joined_for_batches_where_hoisting_does_not_pay() -> None:
    """Two products and two sums a step become a Concat, and a product with a sum."""
    x = unroll.placeholder([None, STEPS, 28], "x")
    graph = Graph([x], [unroll.layers.LSTM(128)(x)])
    found = optimize(graph, batch=32)
    assert input_products(found) == []
    first = LSTM_FIRST + Counter({"Gemm": 1})
    wanted = Counter({"Reshape": 1, "Split": 1}) + first + times(LSTM_STEP + Counter({"Concat": 1}), 27)
    assert counts(found) == wanted
    feeds = feeds_of(graph)
    np.testing.assert_allclose(*(next(iter(one.run(feeds).values())) for one in (graph, found)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("written", ["sum", "bias first", "bias last", "two biases", "turned"])
def test_two_products_of_one_step_are_joined_however_the_bias_is_added(written: str) -> None:
    def parameter(name: str, *shape: int) -> Any:
        return unroll.Parameter(np.random.default_rng(len(name)).uniform(-0.5, 0.5, shape).astype("float32"), name)

    wx, wh, b, c = parameter("x", 3, 4), parameter("hh", 4, 4), parameter("bbb", 4), parameter("cccc", 4)
    turned = parameter("turned", 4, 3), parameter("turned_h", 4, 4)
    xs = separate(steps=3)
    h: Any = unroll.placeholder([None, 4], "h")
    inputs = [*xs, h]
    for x in xs:
        h = ops.tanh(
            {
                "sum": lambda x, h: x @ wx + h @ wh,
                "bias first": lambda x, h: (x @ wx + b) + h @ wh,
                "bias last": lambda x, h: (x @ wx + h @ wh) + b,
                "two biases": lambda x, h: ops.gemm(x, wx, b) + ops.gemm(h, wh, c),
                "turned": lambda x, h: ops.gemm(x, turned[0], b, transB=True) + ops.gemm(h, turned[1], transB=True),
            }[written](x, h)
        )
    graph = PASSES["fold_biases"](Graph(inputs, {"y": h}))
    adds = {"sum": 0, "bias first": 3, "bias last": 3}.get(written, 0)
    product = "MatMul" if written in ("sum", "bias first", "bias last") else "Gemm"
    joined = counts(check("join_kernels", graph, {k: v.astype("float32") for k, v in feeds_of(graph).items()}))
    assert joined == Counter({"Concat": 3, product: 3, "Tanh": 3, "Add": adds}) - Counter()


def test_a_product_that_depends_on_the_step_before_is_not_hoisted() -> None:
    """Here the input of each step is the output of the one before."""
    x = unroll.placeholder([None, 4], "x")
    w = unroll.Parameter(np.eye(4, dtype="float32"), "w")
    y = x
    for _ in range(6):
        y = ops.tanh(y @ w)
    assert operators_after("hoist_inputs", {"y": y}, x) == {"MatMul": 6, "Tanh": 6}


def test_products_that_depend_on_one_another_both_ways_are_not_hoisted() -> None:
    """Half of the products with each weight come after one with the other: both at once would be a circle."""
    xs = separate(4, 8)
    a, b = (unroll.Parameter(np.eye(4, dtype="float32"), name) for name in "ab")
    first = [x @ a for x in xs[:2]] + [ops.tanh(x @ b) @ a for x in xs[2:4]]
    second = [x @ b for x in xs[4:6]] + [ops.tanh(x @ a) @ b for x in xs[6:]]
    total = first[0]
    for item in (*first[1:], *second):
        total = total + item
    assert operators_after("hoist_inputs", {"y": total}, *xs)["MatMul"] == 12


def test_a_forget_bias_joins_the_bias() -> None:
    inputs = separate(steps=2)
    cell = BasicLSTMCell(4, forget_bias=2.5)
    outputs, _ = static_rnn(cell, inputs)
    folded = optimize(Graph(inputs, outputs), ["fold_zeros", "fold_biases"])
    cell.bias.assign(np.arange(16))
    values = [array for array in weight_values(folded).values() if array.shape == (16,)]
    assert [array.tolist() for array in values] == [[0, 1, 2, 3, 4, 5, 6, 7, 10.5, 11.5, 12.5, 13.5, 12, 13, 14, 15]]


def test_weight_values_are_the_columns_in_their_new_order() -> None:
    inputs = separate(steps=5)
    cell = BasicLSTMCell(1, forget_bias=1.0)
    outputs, _ = static_rnn(cell, inputs)
    graph = optimize(Graph(inputs, outputs))
    cell.kernel.assign(np.arange(16).reshape(4, 4))
    cell.bias.assign([0, 10, 20, 30])
    values = {array.shape: array.tolist() for array in weight_values(graph).values()}
    assert values[3, 4] == [[0, 2, 3, 1], [4, 6, 7, 5], [8, 10, 11, 9]], "i, f, o, j of the rows of x"
    assert values[1, 4] == [[12, 14, 15, 13]], "of the row of h"
    assert values[4,] == [0, 21, 30, 10]
    assert all(
        set(node.inputs) & set(graph.parameters.values()) == set()
        for node in graph.nodes
        if node not in set(weight_expressions(graph))
    )


# -- size -------------------------------------------------------------------------------------------------------------


def test_every_pass_says_what_it_preserves_and_adds() -> None:
    for name, function in PASSES.items():
        text = import_module(f"unroll.passes.{name}").__doc__ or ""
        assert "reserves" in text and ("add" in text or "Add" in text), name
        assert function.__doc__, name


def test_ten_times_the_steps_take_about_ten_times_as_long_without_recursion() -> None:
    def seconds(steps: int) -> float:
        x = unroll.placeholder([None, steps, 3], "x")
        outputs, _ = static_rnn(BasicLSTMCell(2), ops.unstack(x, 1))
        graph = Graph([x], outputs[-1])
        start = process_time()
        optimize(graph)
        return process_time() - start

    short = min(seconds(150) for _ in range(3))
    assert min(seconds(1500) for _ in range(2)) < 20 * short
