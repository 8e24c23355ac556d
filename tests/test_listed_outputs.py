"""Each output that is listed is an output, however often its tensor is: for every runner, pass, form, file and picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest

import unroll
from unroll import Graph, layers, nn, ops, placeholder


def steps(count: int = 4) -> list[Any]:
    return [placeholder([2, 3], f"x{step}") for step in range(count)]


def gru_with_its_state() -> tuple[list[Any], Any]:
    x = steps()
    outputs, state = unroll.static_rnn(unroll.GRUCell(5), x)
    return x, [*outputs, state]  # the state is the last output


def lstm_layer() -> tuple[list[Any], Any]:
    x = placeholder([2, 4, 3], "x")
    return [x], list(layers.LSTM(5, return_state=True)(x))  # the output is the first state


def module() -> tuple[list[Any], Any]:
    x = placeholder([4, 2, 3], "x")
    output, state = nn.RNN(3, 5)(x)
    return [x], [output, state, output, state, output]


def inputs_as_they_are() -> tuple[list[Any], Any]:
    x = placeholder([2, 3], "x")
    return [x], [x, ops.relu(x), x, x]


def weights_and_constants() -> tuple[list[Any], Any]:
    x, w, c = placeholder([2, 3], "x"), unroll.Parameter([1.0, 2.0], "w"), unroll.constant([3.0], name="c")
    return [x], [w, c, x + c, w, c]


def names_of_the_user() -> tuple[list[Any], Any]:
    x = placeholder([2, 3], "x")
    y = ops.relu(x)
    return [x], {"x/identity": x, "x": x, "y": y, "z": y, "more": [y, y]}


def a_name_that_is_taken() -> tuple[list[Any], Any]:
    x = placeholder([2, 3], "x")
    y, other = ops.relu(x), ops.relu(ops.neg(x))  # called Relu and Relu_1
    return [x], [y, other, y, other]


PROGRAMS: list[Callable[[], tuple[list[Any], Any]]] = [
    gru_with_its_state,
    lstm_layer,
    module,
    inputs_as_they_are,
    weights_and_constants,
    names_of_the_user,
    a_name_that_is_taken,
]
every_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)


def feeds_of(graph: Graph) -> dict[Any, Any]:
    random = np.random.default_rng(0)
    return {tensor: random.standard_normal([int(dim) for dim in tensor.shape]) for tensor in graph.inputs}


def values(graph: Graph, listed: list[Any]) -> list[Any]:
    """The values of the tensors that were listed, each computed as the only output of a graph."""
    feeds = feeds_of(graph)
    return [Graph(graph.inputs, tensor).run(feeds, [tensor])[0] for tensor in listed]


@every_program
def test_every_runner_returns_as_many_as_are_listed_in_that_order(program: Any) -> None:
    inputs, listed = program()
    graph = Graph(inputs, listed)
    wanted = values(graph, unroll.nest.flatten(list(listed.values()) if isinstance(listed, dict) else listed))
    feeds = feeds_of(graph)
    assert len(wanted) == len(graph.outputs) == len(set(graph.output_names))
    for runner in (graph, unroll.Session(graph)):
        found = runner.run(feeds)
        assert tuple(found) == graph.output_names
        for array, value in zip(found.values(), wanted, strict=True):
            np.testing.assert_allclose(array, value, rtol=1e-5, atol=1e-6)
    assert len(unroll.verify(graph).differences) >= len(wanted)


@every_program
def test_a_name_finds_the_tensor_that_is_listed(program: Any) -> None:
    inputs, listed = program()
    graph = Graph(inputs, listed)
    assert tuple(map(graph.tensor, graph.output_names)) == graph.outputs
    feeds = feeds_of(graph)
    for array, value in zip(graph.run(feeds, list(graph.output_names)), graph.run(feeds).values(), strict=True):
        np.testing.assert_array_equal(array, value)


@every_program
def test_passes_forms_files_and_pictures_keep_every_output(program: Any) -> None:
    graph = Graph(*program())
    names = graph.output_names
    optimised = unroll.optimize(graph)
    assert optimised.output_names == unroll.reroll(graph)[0].output_names == names
    assert unroll.equivalent(graph, optimised)
    model = unroll.to_onnx(graph)
    onnx.checker.check_model(model, full_check=True)
    assert tuple(item.name for item in model.graph.output) == names
    read = unroll.from_onnx(model)
    assert read.output_names == names
    assert unroll.equivalent(graph, read)
    assert unroll.draw(graph).dot.count("output_") >= len(names)
    for name in names:
        assert name in graph.summary()


@pytest.mark.parametrize("form", ["functions", "scan", "rerolled"])
@pytest.mark.parametrize("program", PROGRAMS[:3], ids=lambda program: program.__name__)
def test_each_form_of_a_recurrence_has_every_output(program: Any, form: Any) -> None:
    graph = Graph(*program())
    session = unroll.Session(unroll.to_onnx(graph, form=form))
    feeds = feeds_of(graph)
    found = session.run({tensor.name: array for tensor, array in feeds.items()})
    assert tuple(found) == graph.output_names
    for name, value in graph.run(feeds).items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6)


def test_what_is_listed_again_has_a_number_behind_its_name() -> None:
    x = placeholder([2, 3], "x")
    y, other = ops.relu(x), ops.relu(ops.neg(x))
    assert Graph([x], [y, y, y]).output_names == ("Relu", "Relu_1", "Relu_2")
    assert Graph([x], [y, other, y]).output_names == ("Relu", "Relu_1", "Relu_2")
    assert Graph([x], [x, x]).output_names == ("x/identity", "x/identity_1")


def test_a_state_that_is_an_output_too_is_both() -> None:
    x, h = placeholder([2, 3], "x"), placeholder([2, 3], "h")
    new = ops.tanh(x + h)
    graph = Graph([x, h], [new, new], states={h: new})
    assert graph.output_names == ("Tanh", "Tanh_1", "h/next")
    stream = graph.stream()
    first = stream.run({"x": np.ones((2, 3))})
    assert list(first) == ["Tanh", "Tanh_1"]
