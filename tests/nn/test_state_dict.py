"""Weights of the modules of unroll.nn: in and out under PyTorch's names, all of them or none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from helpers import Array, check_three_runners, refused
from nn_modules import every_module, golden, state_dict

import unroll
from unroll import nn


@every_module
def test_what_state_dict_gives_load_state_dict_takes(module: Any) -> None:
    first, second = module(3, 5, name="a"), module(3, 5, name="b")
    assert any(
        not np.array_equal(x, y) for x, y in zip(*(m.state_dict().values() for m in (first, second)), strict=True)
    )
    assert second.load_state_dict(first.state_dict()) == ([], [])
    for name, array in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[name], array)


def test_state_dict_gives_copies_that_can_be_changed() -> None:
    lstm = nn.LSTM(3, 4)
    taken = lstm.state_dict()
    before = taken["bias_ih_l0"].copy()
    taken["bias_ih_l0"] += 1
    np.testing.assert_array_equal(lstm.state_dict()["bias_ih_l0"], before)


def test_loaded_arrays_are_copies_too() -> None:
    lstm = nn.LSTM(3, 4)
    given = lstm.state_dict()
    lstm.load_state_dict(given)
    given["bias_ih_l0"][:] = 7
    assert not np.any(lstm.state_dict()["bias_ih_l0"] == 7)


def test_a_missing_and_an_unexpected_name_are_said_together_and_nothing_is_loaded() -> None:
    gru = nn.GRU(3, 4)
    before = gru.state_dict()
    given = {name: np.zeros_like(array) for name, array in before.items() if name != "bias_hh_l0"} | {
        "scale": np.ones(2)
    }
    refused(lambda: gru.load_state_dict(given), KeyError, "GRU 'gru'", "missing: bias_hh_l0", "unexpected: scale")
    np.testing.assert_array_equal(gru.state_dict()["weight_ih_l0"], before["weight_ih_l0"])


def test_every_wrong_shape_is_said_even_where_names_may_differ() -> None:
    given = {name: array.T for name, array in nn.GRU(3, 4).state_dict().items()}
    for strict in (True, False):
        refused(
            lambda strict=strict: nn.GRU(3, 4).load_state_dict(given, strict=strict),  # type: ignore[misc]
            ValueError,
            "weight_ih_l0 has shape (3, 12) where (12, 3) is wanted",
            "weight_hh_l0 has shape (4, 12) where (12, 4) is wanted",
        )


def test_the_state_dict_of_a_model_around_the_module_is_refused_with_the_prefix_to_remove() -> None:
    given = {f"encoder.lstm.{name}": array for name, array in nn.LSTM(3, 4).state_dict().items()}
    refused(lambda: nn.LSTM(3, 4).load_state_dict(given), KeyError, "names begin with 'encoder.lstm.'", "removeprefix")


def test_a_value_that_would_overflow_leaves_every_parameter_as_it_was() -> None:
    gru = nn.GRU(3, 4)
    before = gru.state_dict()
    given = {name: np.ones(array.shape) for name, array in before.items()}
    given["bias_hh_l0"] = given["bias_hh_l0"] * 1e300
    refused(lambda: gru.load_state_dict(given), TypeError, "gru/bias_hh_l0", "overflows float32")
    for name, array in gru.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


class Foreign:
    """A tensor of some other framework, as NumPy sees it."""

    def __init__(self, array: Array, error: Exception | None = None) -> None:
        self.array, self.error = array, error

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self.error is not None:
            raise self.error
        return self.array


def test_whatever_numpy_makes_an_array_of_can_be_loaded() -> None:
    gru = nn.GRU(3, 4)
    arrays = {name: np.full(array.shape, 0.5) for name, array in gru.state_dict().items()}
    gru.load_state_dict({name: Foreign(array) for name, array in arrays.items()})
    assert all(np.all(array == 0.5) and array.dtype == np.float32 for array in gru.state_dict().values())


def test_a_tensor_that_numpy_cannot_read_is_refused_with_its_name_and_its_reason() -> None:
    given: dict[str, Any] = dict(nn.GRU(3, 4).state_dict())
    given["bias_ih_l0"] = Foreign(given["bias_ih_l0"], RuntimeError("it requires grad."))
    refused(
        lambda: nn.GRU(3, 4).load_state_dict(given),
        TypeError,
        "GRU 'gru'",
        "'bias_ih_l0'",
        "it requires grad;",
        "on the CPU",
    )


def test_load_state_dict_takes_a_mapping() -> None:
    refused(lambda: nn.GRU(3, 4).load_state_dict([1, 2]), TypeError, "a mapping of names to arrays, not list")  # type: ignore[arg-type]


@every_module
def test_parameters_are_there_at_once_uniform_between_the_bounds_that_pytorch_has(module: Any) -> None:
    bound = 1 / math.sqrt(16)
    values = np.concatenate([array.ravel() for array in module(9, 16).state_dict().values()])
    assert np.abs(values).max() <= bound
    assert np.abs(values).max() > 0.95 * bound
    assert abs(values.mean()) < 0.1 * bound
    assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)


@every_module
def test_first_values_follow_from_the_name_alone(module: Any) -> None:
    same, other = module(3, 4).state_dict(), module(3, 4, name="other").state_dict()
    for name, array in module(3, 4).state_dict().items():
        np.testing.assert_array_equal(array, same[name])
        assert not np.array_equal(array, other[name])


def test_parameters_are_attributes_and_are_changed_by_assign() -> None:
    lstm = nn.LSTM(3, 4)
    assert lstm.weight_hh_l0.name == "lstm/weight_hh_l0"
    lstm.bias_ih_l0.assign(np.ones(16))
    np.testing.assert_array_equal(lstm.state_dict()["bias_ih_l0"], np.ones(16))

    def replace() -> None:
        lstm.bias_ih_l0 = np.zeros(16)

    refused(replace, ValueError, "'bias_ih_l0' is a Parameter", ".assign(array)")
    with pytest.raises(AttributeError, match="weight_hr_l0"):
        _ = lstm.weight_hr_l0


@pytest.mark.slow
def test_a_loaded_value_counts_in_a_graph_made_before() -> None:
    _, arrays = golden("gru-b1-t2")
    gru, x = nn.GRU(3, 4), unroll.placeholder([2, 1, 3], "x")
    graph = unroll.Graph([x], [*gru(x)])
    gru.load_state_dict(state_dict(arrays))
    check_three_runners(graph, {"x": arrays["input"]}, [arrays["output"], arrays["state/0"]], "float32")
