"""Real Keras's layers, case by case: weights, shapes and numbers, in NumPy and in both runners of the exported model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import check_three_runners
from keras_programs import (
    CASES,
    MANIFEST,
    cases,
    check_calls,
    is_sequential,
    is_stateful,
    program,
    weights_of,
)


def sketch(value: Any) -> Any:
    return [sketch(item) for item in value] if isinstance(value, (list, tuple)) else "*"


def test_the_golden_file_holds_what_is_promised() -> None:
    assert MANIFEST["keras"].startswith("3.")
    assert len(CASES) >= 220
    assert len({case["id"] for case in CASES}) == len(CASES)
    for short in ("simple", "lstm", "gru", "gru-before"):
        ids = {case["id"] for case in CASES}
        assert {f"{short}-seq-state-b{batch}-t{steps}" for batch in (1, 3) for steps in (1, 2, 7)} <= ids


# -- layers and cells on their own -------------------------------------------------------------------------------------


@pytest.mark.slow
@cases(lambda case: not is_sequential(case) and not is_stateful(case))
def test_a_layer_gives_keras_numbers(case: dict[str, Any]) -> None:
    made = program(case)
    check_three_runners(made.graph, made.feeds[0], made.expected[0], case["dtype"])


@pytest.mark.slow
@cases(lambda case: not is_sequential(case) and is_stateful(case))
def test_a_stateful_layer_gives_keras_numbers_call_after_call(case: dict[str, Any]) -> None:
    made = program(case)
    check_calls(made.graph, case, made.feeds, made.expected)


@cases(lambda case: not is_sequential(case))
def test_a_layer_returns_what_keras_returns_and_has_its_weights(case: dict[str, Any]) -> None:
    made = program(case)
    assert sketch(made.returned) == case["calls"][0]["returned"]
    assert [list(parameter.shape) for parameter in made.layer.weights] == [item["shape"] for item in case["weights"]]
    assert made.layer.count_params() == case["count_params"]
    for found, given in zip(made.layer.get_weights(), weights_of(case), strict=True):
        np.testing.assert_array_equal(found, given, strict=True)


@cases(lambda case: not is_sequential(case))
def test_a_layer_on_its_own_names_its_weights_as_keras_does(case: dict[str, Any]) -> None:
    assert [parameter.name for parameter in program(case).layer.weights] == [item["path"] for item in case["weights"]]
