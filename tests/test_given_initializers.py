"""Initialisers that users give: every kind, to every cell, layer, module and scope; wrong ones are refused by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers import Array, refused
from right_calls import CELL_INPUTS, Call, called_layer, cell_calls, layer_calls, module_calls, step_of, x

import unroll
from unroll.initializers import get_initializer
from unroll.parameter import Parameter

CALLS = {**cell_calls(), **layer_calls(), **module_calls()}


def _takers() -> list[tuple[str, str]]:
    """Every argument of a cell or layer that takes an initialiser."""
    found = []
    for name, call in CALLS.items():
        for argument in inspect.signature(call.function).parameters:
            if argument.endswith("initializer"):
                found.append((name, argument))
    return found


TAKERS = _takers()


class FunctionObject:
    """TensorFlow 1's initialisers are objects that are called."""

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None, verify_shape: Any = None) -> Array:
        return np.full(shape, 0.25, dtype)


def by_rng(shape: Any, dtype: Any, rng: np.random.Generator) -> Array:
    return rng.uniform(0.25, 0.25, shape).astype(dtype)


def by_seed(shape: Any, dtype: Any, seed: int) -> Array:
    assert isinstance(seed, int)
    return np.full(shape, 0.25, dtype)


#: Each gives a weight whose elements are all 0.25.
KINDS: dict[str, Any] = {
    "config": {"class_name": "Constant", "config": {"value": 0.25}},
    "object": unroll.initializers.Constant(0.25),
    "number": 0.25,
    "NumPy number": np.float64(0.25),
    "one argument": lambda shape: np.full(shape, 0.25),
    "two arguments": lambda shape, dtype: np.full(shape, 0.25, dtype),
    "dtype by name": lambda shape, dtype=None: np.full(shape, 0.25, dtype),
    "another default": lambda shape, scale=0.25: np.full(shape, scale),
    "three: a generator": by_rng,
    "three: a seed": by_seed,
    "three: by place": lambda s, d, r: np.full(s, r.uniform(0.25, 0.25), d),
    "four: TensorFlow's": lambda shape, dtype, partition_info, verify_shape: np.full(shape, 0.25, dtype),
    "four: ours": lambda shape, dtype, name, seed: np.full(shape, 0.25 if name else 0, dtype),
    "any arguments": lambda *args: np.full(args[0], 0.25),
    "an object that is called": FunctionObject(),
    "partial": partial(np.full, fill_value=0.25),
}
#: What is wrong, and what the message says of it; the name of the Parameter is in it as well, where it is known by then.
WRONG: dict[str, tuple[Any, tuple[str, ...]]] = {
    "raises": (lambda shape: 1 / 0, ("ZeroDivisionError", "division by zero")),
    "another shape": (lambda shape: np.ones((1, 2, 3, 4, 5, 6, 7)), ("(1, 2, 3, 4, 5, 6, 7)",)),
    "an array of another shape": (np.ones((7, 1, 7, 1, 7)), ("(7, 1, 7, 1, 7)",)),
    "complex": (lambda shape: np.ones(shape, complex), ("complex128",)),
    "text": (lambda shape: "abc", ("abc", "<U3")),
    "nothing": (lambda shape: None, ("object",)),
}
WRONG_AT_ONCE: dict[str, tuple[Any, tuple[str, ...]]] = {
    "an unknown name": ("gloriot_uniform", ("'gloriot_uniform'", "glorot_uniform")),
    "a flag": (True, ("True",)),
    "an object": (object(), ("object",)),
    "no arguments": (lambda: 0.25, ("(shape)", "(shape, dtype)")),
    "JAX's key": (lambda key, shape, dtype: 0.25, ("(key, shape, dtype)", "(shape, dtype, rng)")),
    "five arguments": (lambda a, b, c, d, e: 0.25, ("(a, b, c, d, e)",)),
    "a wrong config": ({"class_name": "Constant", "config": {"valeu": 1}}, ("Constant", "valeu")),
}


def made(name: str, argument: str, value: Any) -> tuple[Any, list[Parameter]]:
    """A cell or layer made with an initialiser and called, and the Parameters that it has then."""
    call = CALLS[name]
    options = dict(call.kwargs)
    if name == "cells.LSTMCell":
        options |= {"use_peepholes": True, "num_proj": 2}
    if argument in ("kernel_initializer", "bias_initializer", "recurrent_initializer") and name.startswith("layers."):
        options |= (
            {"unit_forget_bias": False} if "unit_forget_bias" in inspect.signature(call.function).parameters else {}
        )
    owner = call.function(*call.args, **{**options, argument: value})
    where, _, kind = name.partition(".")
    if where == "cells":
        step_of(kind)(owner)
        return owner, list(owner.weights.values())
    if kind == "ConvLSTMCell":
        layer = unroll.layers.RNN(owner)
        layer(x(2, 3, 4, 3))
        return owner, list(owner.weights)
    called_layer(kind)(owner)
    return owner, list(owner.weights)


def drawn_by(name: str, argument: str) -> list[str]:
    """The names of the Parameters that an argument draws: those that one number and another make differ."""
    low, high = (made(name, argument, number)[1] for number in (0.125, 0.375))
    return [a.name for a, b in zip(low, high, strict=True) if not np.array_equal(a.value, b.value)]


@pytest.mark.parametrize(("name", "argument"), TAKERS, ids=lambda value: str(value))
def test_every_initializer_takes_every_kind(name: str, argument: str) -> None:
    drawn = drawn_by(name, argument)
    assert drawn
    for kind, value in KINDS.items():
        found = {item.name: item.value for item in made(name, argument, value)[1]}
        for weight in drawn:
            assert np.all(found[weight] == 0.25), kind


@pytest.mark.parametrize(("name", "argument"), TAKERS, ids=lambda value: str(value))
def test_an_array_is_the_weight_where_its_shape_is_the_weights(name: str, argument: str) -> None:
    drawn = drawn_by(name, argument)
    shapes = {item.name: item.shape for item in made(name, argument, 0.25)[1]}
    wanted = {shapes[weight] for weight in drawn}
    array = np.arange(float(np.prod(min(wanted)))).reshape(min(wanted))
    if len(wanted) == 1:
        found = {item.name: item.value for item in made(name, argument, array)[1]}
        assert np.array_equal(found[drawn[0]], array.astype("float32"))
        listed = {item.name: item.value for item in made(name, argument, array.tolist())[1]}
        assert np.array_equal(listed[drawn[0]], array.astype("float32"))
    else:  # one array cannot be weights of two shapes
        refused(lambda: made(name, argument, array), ValueError, "is wanted", argument)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(("name", "argument"), TAKERS, ids=lambda value: str(value))
def test_what_cannot_draw_names_the_parameter(name: str, argument: str, wrong: str) -> None:
    value, fragments = WRONG[wrong]
    with pytest.raises(unroll.UnrollError) as caught:
        made(name, argument, value)
    message = str(caught.value)
    assert argument in message
    assert any(message.startswith(f"{weight}: ") for weight in drawn_by(name, argument)), message
    assert any(fragment in message for fragment in fragments), message


@pytest.mark.parametrize("wrong", WRONG_AT_ONCE)
@pytest.mark.parametrize(("name", "argument"), TAKERS, ids=lambda value: str(value))
def test_what_is_no_initializer_is_refused_when_it_is_given(name: str, argument: str, wrong: str) -> None:
    value, fragments = WRONG_AT_ONCE[wrong]
    call = CALLS[name]
    with pytest.raises(unroll.UnrollError) as caught:
        call.function(*call.args, **{**call.kwargs, argument: value})
    for fragment in (argument, *fragments):
        assert fragment in str(caught.value)


#: Cells that draw no weight by the scope's initialiser: all of theirs have one of their own.
MADE: dict[str, Callable[[], list[Parameter]]] = {
    "cells.BasicLSTMCell": lambda: _weights_of_cell("BasicLSTMCell"),
    "cells.GRUCell": lambda: _weights_of_cell("GRUCell"),
    "cells.LSTMCell": lambda: _weights_of_cell("LSTMCell"),
    "cells.NASCell": lambda: _weights_of_cell("NASCell"),
    "cells.SRUCell": lambda: _weights_of_cell("SRUCell"),
    "cells.UGRNNCell": lambda: _weights_of_cell("UGRNNCell"),
    "cells.Conv1DLSTMCell": lambda: _weights_of_cell("Conv1DLSTMCell"),
    "cells.EmbeddingWrapper": lambda: _weights_of_cell("EmbeddingWrapper"),
    **{name: lambda call=call: list(call.function(*call.args).parameters()) for name, call in module_calls().items()},  # type: ignore[misc]
    "add_weight": lambda: [unroll.GRUCell(2).add_weight("w", (2, 3))],
}


def _weights_of_cell(name: str) -> list[Parameter]:
    call = cell_calls()[f"cells.{name}"]
    cell = call.function(*call.args, **call.kwargs)
    cell(CELL_INPUTS.get(name, x)(), cell.zero_state(2))
    return list(cell.weights.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MADE)
def test_the_initializer_of_a_scope_draws_what_has_none_of_its_own(name: str, kind: str) -> None:
    with unroll.scope("model", initializer=KINDS[kind]):
        found = MADE[name]()
    assert np.all(found[0].value == 0.25)
    assert found[0].name.startswith("model/")


@pytest.mark.parametrize("wrong", WRONG_AT_ONCE)
def test_a_scope_refuses_what_is_no_initializer(wrong: str) -> None:
    value, fragments = WRONG_AT_ONCE[wrong]
    with pytest.raises(unroll.UnrollError) as caught:
        unroll.scope("model", initializer=value)
    for fragment in ("scope 'model': initializer", *fragments):
        assert fragment in str(caught.value)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", MADE)
def test_what_a_scope_cannot_draw_names_the_parameter(name: str, wrong: str) -> None:
    value, _ = WRONG[wrong]
    with pytest.raises(unroll.UnrollError, match=r"^model/"), unroll.scope("model", initializer=value):
        MADE[name]()


def test_functions_of_a_generator_or_a_seed_draw_each_weight_from_its_own_name() -> None:
    for function in (
        lambda shape, dtype, rng: rng.normal(size=shape),
        lambda shape, dtype, seed: np.random.default_rng(seed).normal(size=shape),
        lambda shape, seed=None: np.random.default_rng(seed).normal(size=shape),
    ):
        draw = get_initializer(function, "test")
        first, again, other, seeded = (
            draw((3, 3), np.dtype("float64"), name, seed)
            for name, seed in (("a", None), ("a", None), ("b", None), ("a", 1))
        )
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
        assert not np.array_equal(first, seeded)


def test_an_array_that_is_changed_later_does_not_change_what_is_drawn() -> None:
    array = np.ones((2, 3))
    draw = get_initializer(array, "test")
    array[:] = 7
    assert draw((2, 3), np.dtype("float32"), "w", None).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_the_table_of_calls_has_what_takes_initializers() -> None:
    assert len(TAKERS) > 40
    assert isinstance(CALLS["cells.LSTMCell"], Call)
