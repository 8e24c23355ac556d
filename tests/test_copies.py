"""Deep copies of cells, layers, modules and models have weights of their own; what cannot be pickled says so."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from helpers import refused
from right_calls import GRAPH, STATEFUL

import unroll
from unroll import Graph, layers, nest, nn, placeholder

F = 3


def model() -> Any:
    return layers.Sequential(
        [layers.Input((2, F)), layers.LSTM(F, return_sequences=True), layers.LSTM(F), layers.Dense(2)]
    )


def called(owner: Any, x: Any) -> Any:
    return nest.flatten(owner(x))[0]


def step(cell: Any, x: Any) -> Any:
    return cell(x[:, 0], cell.zero_state(2))[0]


def keras_step(cell: Any, x: Any) -> Any:
    return cell(x[:, 0], cell.get_initial_state(2))[0]


#: What is copied, by how it is made and called on ``(2, 2, 3)``.
OWNERS: dict[str, tuple[Any, Any]] = {
    "layers.LSTM": (lambda: layers.LSTM(F), called),
    "layers.LSTM, named": (lambda: layers.LSTM(F, name="encoder"), called),
    "layers.Bidirectional": (lambda: layers.Bidirectional(layers.GRU(F)), called),
    "layers.RNN of a stack": (lambda: layers.RNN([layers.LSTMCell(F), layers.GRUCell(F)]), called),
    "layers.RNN of a TensorFlow cell": (lambda: layers.RNN(unroll.GRUCell(F)), called),
    "layers.TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(F)), called),
    "layers.LSTMCell": (lambda: layers.LSTMCell(F), keras_step),
    "layers.Sequential": (model, called),
    "layers.LSTM, lambda": (lambda: layers.LSTM(F, activation=lambda x: x * 0.5), called),
    "nn.LSTM": (lambda: nn.LSTM(F, F, 2, batch_first=True, bidirectional=True), called),
    "nn.GRU, named": (lambda: nn.GRU(F, F, batch_first=True, name="encoder"), called),
    "nn.Linear": (lambda: nn.Linear(F, F), called),
    "unroll.GRUCell": (lambda: unroll.GRUCell(F), step),
    "MultiRNNCell": (lambda: unroll.MultiRNNCell([unroll.GRUCell(F), unroll.BasicLSTMCell(F)]), step),
}
BATCH = np.random.default_rng(0).normal(size=(2, 2, F)).astype("float32")
every_owner = pytest.mark.parametrize("kind", OWNERS)


def run(owner: Any, call: Any) -> Any:
    x = placeholder([2, 2, F], "x")
    return Graph([x], {"y": call(owner, x)}).run({x: BATCH})["y"]


@every_owner
def test_a_copy_of_one_that_has_weights_computes_the_same_with_weights_of_its_own(kind: str) -> None:
    make, call = OWNERS[kind]
    owner = make()
    wanted = run(owner, call)
    other = copy.deepcopy(owner)
    np.testing.assert_array_equal(run(other, call), wanted)
    x = placeholder([2, 2, F], "x")
    for parameter in Graph([x], call(other, x)).parameters.values():
        parameter.assign(parameter.value * 0 + 0.25)
    assert not np.allclose(run(other, call), wanted)
    np.testing.assert_array_equal(run(owner, call), wanted)


@every_owner
def test_a_copy_of_one_without_weights_is_as_one_made_anew(kind: str) -> None:
    make, call = OWNERS[kind]
    np.testing.assert_array_equal(run(copy.deepcopy(make()), call), run(make(), call))


@pytest.mark.parametrize("kind", [kind for kind in OWNERS if kind.startswith(("layers", "nn"))])
def test_a_copy_stands_beside_the_original_in_a_graph_under_a_number(kind: str) -> None:
    make, call = OWNERS[kind]
    owner, x = make(), placeholder([2, 2, F], "x")
    run(owner, call)
    other, third = copy.deepcopy([owner, owner])[0], copy.deepcopy(owner)
    graph = Graph([x], {"one": call(owner, x), "two": call(other, x), "three": call(third, x)})
    found = graph.run({x: BATCH})
    np.testing.assert_array_equal(found["one"], found["two"])
    np.testing.assert_array_equal(found["one"], found["three"])
    assert [owner.name, other.name, third.name] == [owner.name, f"{owner.name}_1", f"{owner.name}_2"]
    names = {name.split("/")[0] for name in graph.parameters}
    assert names == {owner.name, other.name, third.name}
    assert unroll.verify(graph, {"x": BATCH})


def test_a_copy_of_a_stateful_layer_has_states_of_its_own() -> None:
    layer = layers.GRU(F, stateful=True)
    x = placeholder([2, 2, F], "x")
    layer(x)
    other = copy.deepcopy(layer)
    assert other.states == {} and layer.states
    y = other(x)
    assert len(Graph([x], y, states=other.states).states) == 1


def test_shallow_copies_share_their_weights() -> None:
    for kind, (make, call) in OWNERS.items():
        owner = make()
        wanted = run(owner, call)
        other = copy.copy(owner)
        assert type(other) is type(owner), kind
        np.testing.assert_array_equal(run(other, call), wanted)


@every_owner
def test_nothing_that_owns_weights_is_pickled_with_or_without_them(kind: str) -> None:
    make, call = OWNERS[kind]
    owner = make()
    refused(lambda: pickle.dumps(owner), NotImplementedError, "cannot be pickled", "get_weights", "state_dict")
    run(owner, call)
    refused(lambda: pickle.dumps([owner]), NotImplementedError, "cannot be pickled")


def test_a_parameter_is_copied_with_its_value() -> None:
    w = unroll.Parameter([1.0, 2.0], "w")
    other = copy.deepcopy({"w": w})["w"]
    other.assign([3.0, 4.0])
    assert (w.value.tolist(), other.value.tolist(), other.name) == ([1.0, 2.0], [3.0, 4.0], "w")
    refused(lambda: Graph([], w + other), ValueError, "both called 'w'")
    refused(lambda: pickle.dumps(w), NotImplementedError, "cannot be copied or pickled")


@pytest.mark.parametrize(
    "thing",
    [GRAPH, STATEFUL, unroll.Session(GRAPH), STATEFUL.stream(), unroll.StateSaver({"h": 2}, 2)],
    ids=["graph", "graph with states", "session", "stream", "state saver"],
)
def test_graphs_and_what_runs_them_are_neither_copied_nor_pickled(thing: Any) -> None:
    refused(lambda: copy.deepcopy(thing), NotImplementedError, "cannot be copied")
    refused(lambda: pickle.dumps(thing), NotImplementedError, "cannot be copied")
