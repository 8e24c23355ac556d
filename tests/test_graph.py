"""What a Graph promises: names, fetches, assignment, summary, networkx, provenance."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from helpers import Array, refused, step_inputs

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, ops, placeholder, static_rnn

X0 = np.array([[0.0, 0.1, 0.2]], "float32")


def two_steps() -> Graph:
    """The program of the design: 3 inputs, 5 units, 2 steps, a kernel of ones."""
    inputs = step_inputs(2, 3)
    cell = BasicRNNCell(num_units=5)
    outputs, _ = static_rnn(cell, inputs)
    graph = Graph(inputs, outputs)
    cell.kernel.assign(np.ones((8, 5)))
    return graph


def image_rows() -> Graph:
    """The second program: 28 rows of 28 pixels through an LSTM of 13 units."""
    x = placeholder([None, 784], "X")
    rows = ops.reshape(ops.transpose(ops.reshape(x, [-1, 28, 28]), [1, 0, 2]), [-1, 28])
    outputs, state = static_rnn(BasicLSTMCell(13), ops.split(rows, 28))
    return Graph([x], {"outputs": outputs, "state": state})


def test_two_steps_of_ones_give_the_numbers_of_the_textbook() -> None:
    found = two_steps().run({"X0": X0, "X1": X0})
    assert list(found) == ["rnn/t0/basic_rnn_cell/h", "rnn/t1/basic_rnn_cell/h"]
    first, second = found.values()
    assert first.shape == second.shape == (1, 5)
    assert first == pytest.approx(np.full((1, 5), 0.2913126), abs=1e-6)
    assert second == pytest.approx(np.full((1, 5), 0.94211787), abs=1e-6)


def test_shapes_of_the_image_example_are_followed_through_reshape_and_split() -> None:
    graph = image_rows()
    assert [str(dim) for dim in graph.tensor("Reshape_1").shape] == ["28*batch", "28"]
    assert [str(graph.shape(tensor)) for tensor in graph.outputs] == ["(batch, 13)"] * 30
    assert {name: item.value.shape for name, item in graph.parameters.items()} == {
        "rnn/basic_lstm_cell/kernel": (41, 52),
        "rnn/basic_lstm_cell/bias": (52,),
    }
    found = graph.run({"X": np.random.default_rng(0).normal(size=(2, 784))})
    assert [array.shape for array in found.values()] == [(2, 13)] * 30
    assert np.array_equal(found["outputs/27"], found["state/h"])


# -- run --------------------------------------------------------------------------------------------------------------


def test_a_list_of_fetches_gives_a_list_in_its_order_and_one_fetch_gives_an_array() -> None:
    graph = two_steps()
    feeds = {graph.inputs[0]: X0, "X1": X0}
    whole = list(graph.run(feeds).values())
    listed = graph.run(feeds, [graph.outputs[1], "rnn/t0/basic_rnn_cell/h", "X0", "rnn/basic_rnn_cell/kernel"])
    assert isinstance(listed, list)
    assert np.array_equal(listed[0], whole[1]) and np.array_equal(listed[1], whole[0])
    assert np.array_equal(listed[2], X0)
    assert np.array_equal(listed[3], np.ones((8, 5)))
    assert np.array_equal(graph.run(feeds, graph.outputs[0]), whole[0])
    assert np.array_equal(graph.run(feeds, "rnn/t1/basic_rnn_cell/h:0"), whole[1])
    assert graph.run(feeds, []) == []


def test_inner_tensors_are_fetched_by_name_or_tensor() -> None:
    graph = two_steps()
    name = "rnn/t0/basic_rnn_cell/MatMul"
    by_name = graph.run({"X0": X0, "X1": X0}, name)
    assert by_name == pytest.approx(np.full((1, 5), 0.3), abs=1e-6)
    assert np.array_equal(graph.run({"X0": X0, "X1": X0}, [graph.tensor(name)])[0], by_name)
    for tensor_name in graph.tensor_names():
        assert graph.name(graph.tensor(tensor_name)) == tensor_name


def test_results_are_the_users_own_and_cannot_change_the_graph() -> None:
    graph = two_steps()
    kernel = graph.run({"X0": X0, "X1": X0}, "rnn/basic_rnn_cell/kernel")
    kernel[:] = 7.0
    fed = X0.copy()
    echo = graph.run({"X0": fed, "X1": X0}, "X0")
    echo[:] = 7.0
    assert np.array_equal(fed, X0)
    assert np.all(graph.parameters["rnn/basic_rnn_cell/kernel"].value == 1.0)


def test_outputs_that_are_inputs_parameters_or_listed_twice_are_given() -> None:
    x, w = placeholder([2], "x"), unroll.Parameter([1.0, 2.0], "w")
    y = x + w
    graph = Graph([x], [x, w, y, y])
    assert [array.tolist() for array in graph.run({x: [3.0, 4.0]}, graph.outputs)] == [[3, 4], [1, 2], [4, 6], [4, 6]]
    named = Graph([x], {"first": y, "second": y, "in": x}).run({x: [3.0, 4.0]})
    assert {name: array.tolist() for name, array in named.items()} == {"first": [4, 6], "second": [4, 6], "in": [3, 4]}


def test_a_graph_may_have_no_inputs() -> None:
    assert Graph([], unroll.constant([1.0, 2.0]) * 2.0).run({}, "Mul").tolist() == [2.0, 4.0]


def test_an_input_that_nothing_reads_is_still_fed() -> None:
    x, unused = placeholder([2], "x"), placeholder([3], "unused")
    graph = Graph([x, unused], x + 1.0)
    refused(lambda: graph.run({x: [1.0, 2.0]}), ValueError, "'unused'")
    assert graph.run({x: [1.0, 2.0], unused: [0.0] * 3}, "Add").tolist() == [2.0, 3.0]


def test_two_traces_of_one_program_never_see_each_other() -> None:
    one, two = two_steps(), two_steps()
    one.assign({"rnn/basic_rnn_cell/bias": np.ones(5)})
    assert not two.parameters["rnn/basic_rnn_cell/bias"].value.any()
    assert one.tensor_names() == two.tensor_names()
    assert [one.name(node) for node in one.nodes] == [two.name(node) for node in two.nodes]
    refused(lambda: one.run({"X0": X0, "X1": X0}, two.outputs[0]), KeyError, "not part of this graph")


# -- names ------------------------------------------------------------------------------------------------------------


def test_the_keys_of_a_dict_name_the_outputs() -> None:
    x = placeholder([2], "x")
    graph = Graph([x], {"b": x + 1.0, "a": [x * 2.0, unroll.LSTMStateTuple(x - 1.0, x / 2.0)]})
    assert sorted(graph.run({x: [2.0, 4.0]})) == ["a/0", "a/1/c", "a/1/h", "b"]
    assert graph.run({x: [2.0, 4.0]})["a/1/h"].tolist() == [1.0, 2.0]
    traced = unroll.trace(lambda t: {"twice": t * 2.0}, x)
    assert traced.output_names == ("twice",)


def test_names_are_unique_and_follow_the_scopes() -> None:
    x = placeholder([2], "x")
    with unroll.scope("outer"):
        y = x + 1.0
        with unroll.scope("inner"):
            y = (y + 1.0) + 1.0
    graph = Graph([x], y + 1.0)
    assert [graph.name(node) for node in graph.nodes] == ["outer/Add", "outer/inner/Add", "outer/inner/Add_1", "Add"]
    names = image_rows().tensor_names()
    assert len(names) == len(set(names))


def test_gates_are_named_after_their_letters() -> None:
    inputs = step_inputs(2, 2)
    graph = Graph(inputs, static_rnn(BasicLSTMCell(3), inputs))
    for letter in "ijfo":
        assert graph.tensor(f"rnn/t1/basic_lstm_cell/{letter}").shape == (*inputs[0].shape[:1], 3)
        assert graph.tensor(f"rnn/t1/basic_lstm_cell/{letter}/preactivation").node is not None
    assert graph.tensor("rnn/t0/basic_lstm_cell/c").node is not None


# -- assign -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", ":0"])
def test_assign_takes_names_with_and_without_colon_0(suffix: str) -> None:
    graph = two_steps()
    bias = graph.parameters[f"rnn/basic_rnn_cell/bias{suffix}"]
    graph.assign({f"rnn/basic_rnn_cell/bias{suffix}": [1, 2, 3, 4, 5]})
    assert bias.value.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert bias.value.dtype == "float32"
    assert bias.version == 1


def test_a_parameter_is_shared_by_every_step_and_every_graph() -> None:
    inputs = step_inputs(3, 4)
    cell = BasicRNNCell(2)
    outputs, _ = static_rnn(cell, inputs)
    short, whole = Graph(inputs[:1], outputs[0]), Graph(inputs, outputs)
    assert short.parameters["rnn/basic_rnn_cell/kernel"] is whole.parameters["rnn/basic_rnn_cell/kernel"] is cell.kernel
    cell.set_weights(np.zeros((6, 2)), np.ones(2))
    feeds = {tensor.name: np.ones((1, 4)) for tensor in inputs}
    for array in whole.run(feeds).values():
        assert array == pytest.approx(np.full((1, 2), np.tanh(1.0)))


# -- summary ----------------------------------------------------------------------------------------------------------


def test_the_summary_shows_kernels_with_their_blocks_and_counts() -> None:
    text = image_rows().summary()
    for fragment in ("(41, 52)", "[x 28 + h 13] x [i|j|f|o 13]", "rnn/basic_lstm_cell/kernel", "2,184", "28 timesteps"):
        assert fragment in text
    assert "(batch, 784)" in text and "state/c" in text
    assert "[x 3 + h 5] x [h 5]" in two_steps().summary()


def test_the_summary_of_a_gru_shows_both_kernels() -> None:
    inputs = step_inputs(2, 4)
    text = Graph(inputs, static_rnn(GRUCell(3), inputs)).summary()
    assert "(7, 6) = [x 4 + h 3] x [r|u 3]" in text
    assert "(7, 3) = [x 4 + h 3] x [c 3]" in text


def test_a_summary_lists_what_is_computed_at_a_run_and_names_the_weights_that_others_are_made_of() -> None:
    x = [unroll.placeholder([None, 3], f"x{step}") for step in range(4)]
    traced = unroll.Graph(x, unroll.static_rnn(unroll.BasicLSTMCell(5), x)[0])
    rolled, _ = unroll.reroll(traced)
    short, full = rolled.summary(), rolled.summary(full=True)
    listed = [line.split()[1] for line in short.partition("output shapes")[2].splitlines() if "rnn/" in line]
    assert "LSTM" in listed and not {"Slice", "Transpose", "Unsqueeze"} & set(listed)
    assert "from rnn/basic_lstm_cell/kernel, from rnn/basic_lstm_cell/kernel, from rnn/basic_lstm_cell/bias" in short
    left_out = sum(
        line.split()[1:2] in (["Slice"], ["Transpose"], ["Unsqueeze"], ["Add"]) for line in full.splitlines()
    )
    left_out += 3  # the joined W, R and B
    assert f"; {left_out} nodes of weights alone are not listed" in short and "not listed" not in full
    assert "not listed" not in traced.summary()


def test_a_long_summary_is_cut_in_the_middle_unless_asked_for_in_full() -> None:
    graph = image_rows()
    assert "more ..." in graph.summary() and "more ..." not in graph.summary(full=True)
    full = graph.summary(full=True)
    assert all(graph.name(node) in full for node in graph.nodes)
    assert len(graph.summary().splitlines()) < 100


# -- networkx and provenance ------------------------------------------------------------------------------------------


def test_networkx_has_every_node_input_and_parameter_and_one_edge_an_input() -> None:
    graph = image_rows()
    view = graph.to_networkx()
    kinds = networkx.get_node_attributes(view, "kind")
    assert sum(kind == "node" for kind in kinds.values()) == len(graph.nodes)
    assert {key for key, kind in kinds.items() if kind == "parameter"} == set(graph.parameters)
    assert {key for key, kind in kinds.items() if kind == "input"} == {"X"}
    assert view.number_of_edges() == sum(item is not None for node in graph.nodes for item in node.inputs)
    assert networkx.is_directed_acyclic_graph(view)
    assert view.out_degree("rnn/basic_lstm_cell/kernel") == 28
    assert networkx.has_path(view, "X", "rnn/t27/basic_lstm_cell/Mul_2")
    node = view.nodes["rnn/t3/basic_lstm_cell/f/Sigmoid"]
    assert (node["op"], node["step"], node["cell"], node["gate"]) == ("Sigmoid", 3, "rnn/basic_lstm_cell", "f")


def test_networkx_edges_say_which_tensor_goes_into_which_place() -> None:
    x = placeholder([2], "x")
    view = Graph([x], x - (x * x)).to_networkx()
    assert sorted(data["input"] for data in view.get_edge_data("x", "Mul").values()) == [0, 1]
    assert [data["input"] for data in view.get_edge_data("x", "Sub").values()] == [0]
    (edge,) = view.get_edge_data("Mul", "Sub").values()
    assert (edge["tensor"], edge["shape"], edge["dtype"], edge["input"]) == ("Mul", (2,), "float32", 1)


def test_the_longest_path_grows_with_the_steps() -> None:
    def depth(steps: int) -> int:
        inputs = step_inputs(steps, 3)
        return len(networkx.dag_longest_path(Graph(inputs, static_rnn(BasicRNNCell(2), inputs)).to_networkx()))

    assert depth(5) - depth(4) == depth(4) - depth(3) == 4  # Concat, MatMul, Add, Tanh


@pytest.mark.parametrize("cell", [BasicRNNCell, BasicLSTMCell, GRUCell])
def test_every_node_says_where_it_came_from(cell: type) -> None:
    inputs = step_inputs(4, 3)
    graph = Graph(inputs, static_rnn(cell(2), inputs))
    assert {node.origin.step for node in graph.nodes} == {0, 1, 2, 3}
    for node in graph.nodes:
        (origin,) = node.provenance
        assert origin.scope.startswith(f"rnn/t{origin.step}/")
        assert graph.name(node).startswith(f"{origin.scope}/{node.op.name}")
        if "zero_state" not in origin.scope:
            assert origin.cell is not None and origin.cell.startswith("rnn/")
    gates = {node.origin.gate for node in graph.nodes} - {None}
    assert gates == {BasicRNNCell: set(), BasicLSTMCell: set("ijfo"), GRUCell: {"gates", "c"}}[cell]


def test_the_nodes_are_in_topological_order() -> None:
    seen: set[object] = set()
    for node in image_rows().nodes:
        assert all(item.node is None or item.node in seen for item in node.inputs if item is not None)
        seen.add(node)


def test_the_repr_of_a_graph_and_its_parameters_is_short_and_says_what_they_are() -> None:
    graph = two_steps()
    assert repr(graph).startswith("Graph(X0 (batch, 3), X1 (batch, 3) -> ")
    assert repr(graph.parameters).splitlines() == ["rnn/basic_rnn_cell/kernel (8, 5)", "rnn/basic_rnn_cell/bias (5,)"]
    assert len(repr(image_rows())) < 300


def test_a_fetch_computes_only_what_it_needs() -> None:
    x, i = placeholder([3], "x"), placeholder([], "i", "int64")
    good, bad = x + 1.0, ops.gather(x, i)
    graph = Graph([x, i], [good, bad])
    feeds: dict[str, Array] = {"x": np.zeros(3), "i": np.asarray(9)}
    assert graph.run(feeds, good).tolist() == [1.0, 1.0, 1.0]
    refused(lambda: graph.run(feeds), ValueError, "Gather")


def test_an_output_named_by_the_user_is_still_found_by_its_place_in_the_program() -> None:
    x = unroll.placeholder([None, 3], "x")
    (y,), _ = unroll.static_rnn(unroll.BasicRNNCell(2), [x])
    graph = unroll.Graph([x], {"y": y})
    assert graph.output_names == ("y",)
    assert graph.tensor("rnn/t0/basic_rnn_cell/h") is graph.tensor("y") is y


@pytest.mark.parametrize(
    ("cut", "size"), [(slice(None, None, -1), "batch"), (slice(1, None), "batch-1"), (slice(-1, None), 1)]
)
def test_slices_of_a_symbolic_axis_have_the_size_they_must(cut: slice, size: str | int) -> None:
    x = unroll.placeholder([None, 3], "x")
    assert str(x[cut].shape[0]) == str(size)


@pytest.mark.parametrize("cut", [slice(2, None), slice(1, -1), slice(0, 2)])
def test_a_size_that_could_come_out_negative_is_left_open(cut: slice) -> None:
    x = unroll.placeholder([None, 3], "x")
    assert not str(x[cut].shape[0]).startswith("batch-")
    assert unroll.Graph([x], {"y": x[cut]}).run({x: np.zeros((1, 3))})["y"].shape == (len(range(1)[cut]), 3)
