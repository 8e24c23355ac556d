"""Two layers or modules without a name in one graph: each has a number, weights of its own, and the same name every time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import refused, run_python

import unroll
from unroll import Graph, layers, nn, ops, placeholder
from unroll.errors import NameClashError

B, T, F = 2, 4, 3


def sequence() -> Any:
    return placeholder([B, T, F], "x")


def image() -> Any:
    return placeholder([B, T, 6, F], "x")


def images() -> Any:
    return placeholder([B, T, 5, 5, F], "x")


def volumes() -> Any:
    return placeholder([B, T, 4, 4, 4, F], "x")


def rows() -> Any:
    return placeholder([B, F], "x")


def ids() -> Any:
    return placeholder([B, T], "x", "int64")


class Doubled(layers.Layer):
    """A layer of a user's own, with a weight."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="glorot_normal", name="factor")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor


def model() -> Any:
    inner = layers.Sequential([layers.Dense(5), layers.Dense(4)])
    return layers.Sequential([layers.LSTM(4, return_sequences=True), inner, layers.LSTM(4)])


#: A layer or module of each kind that has weights, its input, and what it is called.
KINDS: dict[str, tuple[Callable[[], Any], Callable[[], Any], str]] = {
    "SimpleRNN": (lambda: layers.SimpleRNN(4), sequence, "simple_rnn"),
    "LSTM": (lambda: layers.LSTM(4), sequence, "lstm"),
    "GRU": (lambda: layers.GRU(4), sequence, "gru"),
    "RNN of a Keras cell": (lambda: layers.RNN(layers.GRUCell(4)), sequence, "rnn"),
    "RNN of a TensorFlow cell": (lambda: layers.RNN(unroll.BasicLSTMCell(4)), sequence, "rnn"),
    "RNN of a stack": (lambda: layers.RNN([layers.LSTMCell(4), layers.LSTMCell(4)]), sequence, "rnn"),
    "ConvLSTM1D": (lambda: layers.ConvLSTM1D(2, 3), image, "conv_lstm1d"),
    "ConvLSTM2D": (lambda: layers.ConvLSTM2D(2, 3), images, "conv_lstm2d"),
    "ConvLSTM3D": (lambda: layers.ConvLSTM3D(2, 3), volumes, "conv_lstm3d"),
    "Bidirectional": (lambda: layers.Bidirectional(layers.LSTM(4)), sequence, "bidirectional"),
    "Dense": (lambda: layers.Dense(4), sequence, "dense"),
    "Embedding": (lambda: layers.Embedding(9, 4), ids, "embedding"),
    "LayerNormalization": (lambda: layers.LayerNormalization(), sequence, "layer_normalization"),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(4)), sequence, "time_distributed"),
    "Sequential": (model, sequence, "sequential"),
    "a layer of one's own": (Doubled, sequence, "doubled"),
    "nn.RNN": (lambda: nn.RNN(F, 4), sequence, "rnn"),
    "nn.LSTM": (lambda: nn.LSTM(F, 4, 2, bidirectional=True), sequence, "lstm"),
    "nn.GRU": (lambda: nn.GRU(F, 4), sequence, "gru"),
    "nn.RNNCell": (lambda: nn.RNNCell(F, 4), rows, "rnn_cell"),
    "nn.LSTMCell": (lambda: nn.LSTMCell(F, 4), rows, "lstm_cell"),
    "nn.GRUCell": (lambda: nn.GRUCell(F, 4), rows, "gru_cell"),
    "nn.Linear": (lambda: nn.Linear(F, 4), sequence, "linear"),
    "nn.Embedding": (lambda: nn.Embedding(9, 4, padding_idx=0), ids, "embedding"),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def first(result: Any) -> Any:
    return unroll.nest.flatten(result)[0]


def network(kind: str, count: int = 3) -> tuple[list[Any], Graph]:
    """Several of a kind on one input, side by side, the way a NameClashError once came of."""
    make, source, _ = KINDS[kind]
    made, x = [make() for _ in range(count)], source()
    return made, Graph([x], [first(item(x)) for item in made])


def is_drawn(value: Any) -> bool:
    """Whether the values of a weight are drawn at random: not the zeros and ones of biases."""
    return value.size > 3 and len(np.unique(value)) > 3


@every_kind
def test_they_are_numbered_in_the_order_of_use_as_keras_counts(kind: str) -> None:
    made, graph = network(kind)
    name = KINDS[kind][2]
    assert list(dict.fromkeys(path.split("/")[0] for path in graph.parameters)) == [name, f"{name}_1", f"{name}_2"]
    assert [item.name for item in made] == [name, f"{name}_1", f"{name}_2"]


@every_kind
def test_no_two_are_drawn_alike_and_the_first_as_it_is_alone(kind: str) -> None:
    _, graph = network(kind)
    values = [item.value for item in graph.parameters.values() if is_drawn(item.value)]
    for place, value in enumerate(values):
        for other in values[:place]:
            assert value.shape != other.shape or not np.array_equal(value, other)
    for name, parameter in network(kind, 1)[1].parameters.items():
        np.testing.assert_array_equal(parameter.value, graph.parameters[name].value)


@every_kind
def test_their_nodes_steps_and_cells_are_told_apart_too(kind: str) -> None:
    _, graph = network(kind)
    name = KINDS[kind][2]
    owners: dict[str, set[str]] = {}
    for parameter in graph.parameters.values():
        readers = [node for node in graph.nodes if parameter in node.inputs]
        owner = parameter.name.split("/")[0]
        for node in readers:
            assert owner in graph.name(node).split("/"), (parameter.name, graph.name(node))
            cells = {origin.cell for origin in node.provenance if origin.cell}
            owners.setdefault(owner, set()).update(cells)
    assert set(owners) == {name, f"{name}_1", f"{name}_2"}
    assert not owners[name] & owners[f"{name}_1"] and not owners[f"{name}_1"] & owners[f"{name}_2"]


@every_kind
def test_every_runner_form_and_pass_takes_the_graph(kind: str) -> None:
    _, graph = network(kind, 2)
    unroll.verify(graph)
    assert unroll.equivalent(graph, unroll.optimize(graph))
    read = unroll.from_onnx(unroll.to_onnx(graph, fold_zero_state=False))
    assert set(read.parameters) == set(graph.parameters)


PROGRAM = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import test_numbering, unroll
for kind in test_numbering.KINDS:
    made, graph = test_numbering.network(kind)
    print(kind, hashlib.sha256(unroll.to_onnx(graph, runtime=None).SerializeToString()).hexdigest())
    if len(sys.argv) > 2:
        graph.load_parameters(f"{sys.argv[2]}/{kind}.npz")
        print([float(item.value.sum()) for item in graph.parameters.values()])
"""


@pytest.mark.slow
def test_a_program_gives_the_same_bytes_in_every_process_and_again_in_one() -> None:
    from helpers import TESTS

    one, other = (run_python(PROGRAM, str(TESTS), PYTHONHASHSEED=seed) for seed in ("1", "4242"))
    assert one == other and len(one.splitlines()) == len(KINDS)
    for kind in KINDS:
        models = [unroll.to_onnx(network(kind)[1]).SerializeToString() for _ in range(2)]
        assert models[0] == models[1], kind


@pytest.mark.slow
def test_weights_that_are_saved_by_name_come_back_in_a_fresh_process(tmp_path: Any) -> None:
    from helpers import TESTS

    wanted = []
    for kind in KINDS:
        _, graph = network(kind)
        random = np.random.default_rng(1)
        for item in graph.parameters.values():
            item.assign(random.standard_normal(item.shape).astype("float32"))
        graph.save_parameters(str(tmp_path / f"{kind}.npz"))
        wanted.append(str([float(item.value.sum()) for item in graph.parameters.values()]))
    assert run_python(PROGRAM, str(TESTS), str(tmp_path)).splitlines()[1::2] == wanted


def test_weights_go_to_the_object_whatever_its_number_is() -> None:
    x = sequence()
    low, high = nn.LSTM(F, F), nn.LSTM(F, F)
    states = [
        {key: np.full_like(value, 0.1 + step) for key, value in nn.LSTM(F, F).state_dict().items()} for step in (1, 2)
    ]
    low.load_state_dict(states[0])
    graph = Graph([x], high(low(x)[0])[0])
    high.load_state_dict(states[1])
    for module, state in ((low, states[0]), (high, states[1])):
        for key, value in module.state_dict().items():
            np.testing.assert_array_equal(value, state[key])
    assert graph.parameters["lstm/weight_hh_l0"] is low.weight_hh_l0
    assert graph.parameters["lstm_1/weight_hh_l0"] is high.weight_hh_l0


def test_a_number_stays_in_every_later_graph() -> None:
    x = sequence()
    low, high = layers.LSTM(F, return_sequences=True), layers.LSTM(F)
    y = high(low(x))
    Graph([x], y)
    alone = Graph([x], high(x))
    assert {name.split("/")[0] for name in alone.parameters} == {"lstm_1"} and high.name == "lstm_1"
    assert all(graph_name.startswith("lstm_1") for graph_name in map(alone.name, alone.nodes))


def test_a_graph_that_is_there_is_never_changed() -> None:
    x = sequence()
    early, late = layers.LSTM(F), layers.LSTM(F)
    y, z = early(x), late(x)
    alone = Graph([x], z)  # it is the first here, so the other one takes the number
    value = alone.parameters["lstm/lstm_cell/kernel"].value
    both = Graph([x], [y, z])
    assert [name.split("/")[0] for name in both.parameters][:1] == ["lstm_1"] and late.name == "lstm"
    np.testing.assert_array_equal(both.parameters["lstm/lstm_cell/kernel"].value, value)


def test_weights_that_were_read_stay_and_the_other_layer_takes_the_number() -> None:
    x = sequence()
    low, high = nn.GRU(F, F), nn.GRU(F, F)
    seen = high.state_dict()
    graph = Graph([x], high(low(x)[0])[0])
    assert high.name == "gru" and low.name == "gru_1"
    np.testing.assert_array_equal(graph.parameters["gru/weight_hh_l0"].value, seen["weight_hh_l0"])
    assert not np.array_equal(graph.parameters["gru_1/weight_hh_l0"].value, seen["weight_hh_l0"])


def test_weights_that_were_assigned_are_kept_under_a_new_name() -> None:
    x = sequence()
    low, high = nn.GRU(F, F), nn.GRU(F, F)
    for module in (low, high):  # both were read: what was drawn alike is gone
        module.load_state_dict({key: value + 1 for key, value in module.state_dict().items()})
    kept = high.state_dict()
    graph = Graph([x], high(low(x)[0])[0])
    np.testing.assert_array_equal(graph.parameters["gru_1/weight_hh_l0"].value, kept["weight_hh_l0"])


def test_numbers_are_given_within_a_scope_and_pass_over_names_that_are_taken() -> None:
    x = sequence()
    with unroll.scope("encoder"):
        y = layers.Dense(F)(layers.Dense(F, name="dense_1")(layers.Dense(F)(x)))
    graph = Graph([x], layers.Dense(F)(y))
    assert list(graph.parameters)[::2] == [
        "encoder/dense/kernel",
        "encoder/dense_1/kernel",
        "encoder/dense_2/kernel",
        "dense/kernel",
    ]


def test_a_name_that_was_given_stays_and_the_other_layer_takes_a_number() -> None:
    x = sequence()
    y = layers.LSTM(F, name="lstm")(layers.LSTM(F, return_sequences=True)(x))
    assert list(Graph([x], y).parameters)[::3] == ["lstm_1/lstm_cell/kernel", "lstm/lstm_cell/kernel"]


def test_layers_within_a_layer_of_ones_own_are_numbered_there() -> None:
    class Two(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = layers.Dense(F), layers.Dense(F)

        def call(self, inputs: Any) -> Any:
            return self.b(self.a(inputs))

    x = sequence()
    names = list(Graph([x], Two()(Two()(x))).parameters)[::2]
    assert names == [f"{two}/{dense}/kernel" for two in ("two", "two_1") for dense in ("dense", "dense_1")]


def test_states_that_go_on_are_numbered_with_their_layer() -> None:
    x = sequence()
    low, high = layers.LSTM(F, stateful=True, return_sequences=True), layers.LSTM(F, stateful=True)
    y = high(low(x))
    graph = Graph([x], y, states={**low.states, **high.states})
    assert graph.states == {f"{name}/{s}": f"{name}/{s}/next" for name in ("lstm", "lstm_1") for s in ("h", "c")}
    graph.stream().run({"x": np.ones((B, T, F))})


@pytest.mark.parametrize("rolled", [False, True])
def test_cells_of_keras_and_pytorch_under_a_driver_are_numbered(rolled: bool) -> None:
    for make in (lambda: nn.LSTMCell(F, F), lambda: layers.LSTMCell(F)):
        x = sequence()
        outputs, _ = unroll.dynamic_rnn(make(), x, rolled=rolled)
        graph = Graph([x], unroll.dynamic_rnn(make(), outputs, rolled=rolled)[0])
        owners = list(dict.fromkeys(name.rpartition("/")[0].removeprefix("rnn/") for name in graph.parameters))
        assert owners == ["lstm_cell", "lstm_cell_1"]
        unroll.verify(graph)


# -- what still clashes, and what the message says --------------------------------------------------------------------


def chain(*made: Any) -> Callable[[], Any]:
    x = sequence()

    def graph() -> Any:
        y = x
        for item in made:
            y = first(item(y))
        return Graph([x], y)

    return graph


@pytest.mark.parametrize("kind", ["layers", "nn"])
def test_two_of_one_given_name_are_refused_in_the_words_of_their_framework(kind: str) -> None:
    pair = {
        "layers": [layers.LSTM(F, return_sequences=True, name="enc") for _ in range(2)],
        "nn": [nn.LSTM(F, F, name="enc") for _ in range(2)],
    }[kind]
    said = refused(chain(*pair), ValueError, "'enc'", "LSTM(..., name=", "call one object twice")
    assert "scope=" not in said and "static_rnn" not in said


def test_two_that_each_had_a_graph_of_their_own_are_refused_with_the_reason() -> None:
    pair = [layers.GRU(F, return_sequences=True) for _ in range(2)]
    for layer in pair:
        x = sequence()
        Graph([x], layer(x))
    refused(chain(*pair), ValueError, "'gru'", "in another graph", "name=")


def test_tensorflows_cells_still_clash_as_in_tensorflow() -> None:
    steps = [placeholder([B, F], f"x{step}") for step in range(2)]
    outputs, _ = unroll.static_rnn(unroll.GRUCell(F), steps)
    outputs, _ = unroll.static_rnn(unroll.GRUCell(F), outputs)
    with pytest.raises(NameClashError, match=r"rnn/gru_cell/gates/kernel.*scope="):
        Graph(steps, outputs)


def test_two_placeholders_of_one_name_are_told_apart_by_name_alone() -> None:
    one, two = placeholder([2], "x"), placeholder([2], "x")
    assert "scope" not in refused(lambda: Graph([one, two], one + two), ValueError, "'x'", "name=")


def test_what_does_not_clash_keeps_its_names() -> None:
    x = placeholder([None, F], "x")
    graph = Graph([x], ops.relu(nn.Linear(F, F)(layers.Dense(F)(x))))
    assert [name.split("/")[0] for name in graph.parameters] == ["dense", "dense", "linear", "linear"]


def test_numbers_follow_the_order_in_which_layers_were_made_whatever_is_listed_first() -> None:
    for turned in (False, True):
        x = unroll.placeholder([None, 4, 3], "x")
        first, second = layers.LSTM(3), layers.LSTM(3)
        outputs = [first(x), second(x)]
        unroll.Graph([x], outputs[::-1] if turned else outputs)
        assert first.weights[0].name == "lstm/lstm_cell/kernel"
        assert second.weights[0].name == "lstm_1/lstm_cell/kernel"


def test_nodes_that_were_traced_before_an_earlier_graph_gave_a_number_are_told_so() -> None:
    x, other = (unroll.placeholder([None, 2, 3], name) for name in ("x", "other"))
    first, second = layers.LSTM(3), layers.LSTM(3)
    one, two, again = first(x), second(x), second(other)
    unroll.Graph([x], [one, two])
    for graph, wanted in (
        (unroll.Graph([x, other], [one, again]), {"lstm/lstm_cell", "lstm_1/lstm_cell"}),
        (unroll.Graph([other], [again]), {"lstm_1/lstm_cell"}),
    ):
        assert {origin.cell for node in graph.nodes for origin in node.provenance if origin.cell} == wanted


def test_a_numbered_name_still_warns_where_it_is_compared_with_tensorflows() -> None:
    x = unroll.placeholder([None, 2, 3], "x")
    first, second = layers.LSTM(3), layers.LSTM(3)
    unroll.Graph([x], [first(x), second(x)])
    with pytest.warns(unroll.UnrollWarning, match="leave ':0' out"):
        assert second.weights[0].name != "lstm_1/lstm_cell/kernel:0"
