"""Sizes that are not known and meet one another: they must be equal, whatever their names, and a run checks that they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import Graph, layers, nn, placeholder
from unroll.errors import ShapeError

UNITS = 5


def x(rows: Any = "n") -> Any:
    return placeholder([rows, 4, 3], "x")


def row(name: str, rows: Any) -> Any:
    return placeholder([rows, 3], name)


def h(rows: Any = "m", units: int = UNITS) -> Any:
    return placeholder([rows, units], "h")


def h0(rows: Any = "m", units: int = UNITS) -> Any:
    return placeholder([1, rows, units], "h")


def gru() -> Any:
    return unroll.GRUCell(UNITS)


#: What the batch of an input meets: its name, the input, the state, and the program.
STATES: dict[str, tuple[Callable[[], Any], Callable[..., Any], Callable[[Any, Any], Any]]] = {
    "static_rnn": (lambda: row("x", "n"), h, lambda x, h: unroll.static_rnn(gru(), [x, x], initial_state=h)[1]),
    "dynamic_rnn": (x, h, lambda x, h: unroll.dynamic_rnn(gru(), x, initial_state=h)[1]),
    "rolled": (x, h, lambda x, h: unroll.dynamic_rnn(gru(), x, initial_state=h, rolled=True)[1]),
    "both ways": (
        x,
        h,
        lambda x, h: unroll.bidirectional_dynamic_rnn(gru(), gru(), x, initial_state_fw=h)[1],
    ),
    "a cell": (lambda: row("x", "n"), h, lambda x, h: gru()(x, h)[0]),
    "a stack": (lambda: row("x", "n"), h, lambda x, h: unroll.MultiRNNCell([gru()])(x, (h,))[0]),
    "a cell of Keras": (lambda: row("x", "n"), h, lambda x, h: layers.GRUCell(UNITS)(x, [h])[0]),
    "a layer": (x, h, lambda x, h: layers.GRU(UNITS)(x, initial_state=[h])),
    "a layer of two states": (x, h, lambda x, h: layers.LSTM(UNITS)(x, initial_state=[h, h])),
    "Bidirectional": (x, h, lambda x, h: layers.Bidirectional(layers.GRU(UNITS))(x, initial_state=[h, h])),
    "a module": (x, h0, lambda x, h: nn.GRU(3, UNITS, batch_first=True)(x, h)[0]),
    "a module of two states": (x, h0, lambda x, h: nn.LSTM(3, UNITS, batch_first=True)(x, (h, h))[0]),
    "a cell of PyTorch": (lambda: row("x", "n"), h, lambda x, h: nn.GRUCell(3, UNITS)(x, h)),
}
every_state = pytest.mark.parametrize("kind", STATES)


def fed(tensor: Any, rows: int) -> Any:
    sizes = [dim if isinstance(dim, int) else rows for dim in tensor.shape]
    return np.random.default_rng(rows).standard_normal(sizes).astype("float32")


@every_state
def test_a_state_of_another_unknown_batch_must_have_the_inputs(kind: str) -> None:
    first, state, make = STATES[kind]
    x, h = first(), state()
    graph = Graph([x, h], unroll.nest.flatten(make(x, h)))
    found = graph.run({x: fed(x, 2), h: fed(h, 2)})
    one = first(), state("n")
    for name, parameter in Graph([*one], unroll.nest.flatten(make(*one))).parameters.items():
        np.testing.assert_array_equal(parameter.value, graph.parameters[name].value)
    known = Graph([*one], unroll.nest.flatten(make(*one))).run({one[0]: fed(x, 2), one[1]: fed(h, 2)})
    for array, wanted in zip(found.values(), known.values(), strict=True):
        np.testing.assert_array_equal(array, wanted)
    with pytest.raises(ShapeError):
        graph.run({x: fed(x, 2), h: fed(h, 3)})
    with pytest.raises(ShapeError):
        graph.run({x: fed(x, 2), h: fed(h, 1)})
    unroll.verify(graph)
    assert "Identity" not in {node.op_type for node in unroll.to_onnx(graph).graph.node}


@every_state
def test_a_state_of_an_unknown_batch_takes_the_one_that_is_known(kind: str) -> None:
    first, state, make = STATES[kind]
    x, h = placeholder([2, *first().shape[1:]], "x"), state()
    graph = Graph([x, h], unroll.nest.flatten(make(x, h)))
    batch = 1 if h.rank == 3 else 0
    assert graph.shape(h)[batch] == 2


@every_state
def test_a_known_size_that_does_not_fit_is_what_is_said(kind: str) -> None:
    first, state, make = STATES[kind]
    said = refused(lambda: make(first(), state("m", UNITS + 1)), ValueError, str(UNITS + 1), f"{UNITS}) is wanted")
    assert "zero_state" not in said and "name" not in said.split("is wanted")[1]


def test_a_state_of_a_known_batch_does_not_fix_one_that_is_not() -> None:
    for kind, (first, state, make) in STATES.items():
        said = refused(lambda first=first, state=state, make=make: make(first(), state(2)), ValueError, "is wanted")
        assert "2, 5)" in said, kind


@pytest.mark.parametrize(
    ("make", "who"),
    [
        (lambda x, h: unroll.static_rnn(gru(), [x[:, 0], x[:, 1]], initial_state=h), "static_rnn: initial_state"),
        (lambda x, h: unroll.dynamic_rnn(gru(), x, initial_state=h), "dynamic_rnn: initial_state"),
        (lambda x, h: layers.GRU(UNITS, name="enc")(x, initial_state=[h]), "GRU 'enc': initial_state"),
        (lambda x, h: nn.GRU(3, UNITS, batch_first=True, name="enc")(x, h), "GRU 'enc': hx"),
    ],
)
def test_a_message_begins_with_what_the_user_called(make: Any, who: str) -> None:
    assert refused(lambda: make(x(), h("m", 7)), ValueError, who).startswith(who)


def test_steps_of_batches_that_are_not_known_are_of_one() -> None:
    steps = [row("a", "n"), row("b", "m"), row("c", None)]
    graph = Graph(steps, unroll.static_rnn(gru(), steps)[0])
    assert graph.run({item: fed(item, 2) for item in steps})
    with pytest.raises(ShapeError):
        graph.run({item: fed(item, rows) for item, rows in zip(steps, (2, 2, 1), strict=True)})
    refused(lambda: unroll.static_rnn(gru(), [row("a", 2), row("b", 3)]), ValueError, "same batch size")


@pytest.mark.parametrize(
    "make",
    [
        lambda x, m: layers.LSTM(UNITS)(x, mask=m),
        lambda x, m: layers.Bidirectional(layers.GRU(UNITS))(x, mask=m),
        lambda x, m: layers.LSTM(UNITS)(layers.TimeDistributed(layers.Dense(2))(x, mask=m)),
    ],
)
def test_a_mask_of_another_unknown_batch_is_the_inputs(make: Any) -> None:
    mask, inputs = placeholder(["q", 4], "m", "bool"), x()
    graph = Graph([inputs, mask], make(inputs, mask))
    assert graph.shape(inputs)[0] == graph.shape(mask)[0]
    refused(lambda: make(x(), placeholder(["q", 7], "m", "bool")), ValueError, "mask", "4)")


def test_an_encoders_states_start_a_decoder_of_another_batch() -> None:
    e, d = placeholder(["n", 7, 3], "e"), placeholder(["m", 5, 3], "d")
    _, *states = layers.LSTM(4, return_state=True, name="enc")(e)
    graph = Graph([e, d], layers.LSTM(4, name="dec")(d, initial_state=states))
    assert graph.shape(e)[0] == graph.shape(d)[0]
