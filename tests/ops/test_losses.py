"""Losses by element: the formulas by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unroll
from unroll.ops import losses

RNG = np.random.default_rng(0)
MADE, TRUE = RNG.normal(size=(4, 3)), RNG.integers(2, size=(4, 3)).astype(float)
CHANCE = RNG.uniform(0.1, 0.9, (4, 3))
SIGMOID, AWAY = 1 / (1 + np.exp(-MADE)), np.abs(MADE - TRUE)
LOG_SOFTMAX = MADE - np.log(np.exp(MADE).sum(-1, keepdims=True))
IDS = np.array([2, 0, 1, 1])


def logistic(truth: Any, positive: float = 1.0) -> Any:
    return -(positive * truth * np.log(SIGMOID) + (1 - truth) * np.log(1 - SIGMOID))


#: A loss of labels and what a model made, and the formula.
CASES: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "absolute": (losses.absolute_difference, AWAY),
    "hinge": (losses.hinge, np.maximum(0, 1 - (2 * TRUE - 1) * MADE)),
    "huber": (lambda z, x: losses.huber(z, x, 0.5), np.where(AWAY < 0.5, AWAY**2 / 2, 0.5 * (AWAY - 0.25))),
    "sigmoid": (losses.sigmoid_cross_entropy, logistic(TRUE)),
    "sigmoid, smoothed": (lambda z, x: losses.sigmoid_cross_entropy(z, x, 0.2), logistic(TRUE * 0.8 + 0.1)),
    "softmax": (losses.softmax_cross_entropy, -(TRUE * LOG_SOFTMAX).sum(-1)),
    "softmax, smoothed": (
        lambda z, x: losses.softmax_cross_entropy(z, x, label_smoothing=0.3),
        -((TRUE * 0.7 + 0.1) * LOG_SOFTMAX).sum(-1),
    ),
    "sparse": (lambda z, x: losses.sparse_cross_entropy(IDS, x), -LOG_SOFTMAX[np.arange(4), IDS]),
    "squared": (losses.squared_error, AWAY**2),
    "weighted": (lambda z, x: losses.weighted_cross_entropy(z, x, 3.0), logistic(TRUE, 3.0)),
    "weighted mean": (
        lambda z, x: losses.weighted_mean(x, [[2.0], [0.0], [1.0], [0.0]]),
        (2 * MADE[0] + MADE[2]).sum() / 6,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_loss_is_its_formula(name: str) -> None:
    loss, wanted = CASES[name]
    labels, made = unroll.placeholder([None, 3], "labels", "float64"), unroll.placeholder([None, 3], "made", "float64")
    found = unroll.Graph([labels, made], {"loss": loss(labels, made)}).run({"labels": TRUE, "made": MADE})["loss"]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_the_loss_of_probabilities_is_the_logarithm_of_what_was_right() -> None:
    chance = unroll.placeholder([4, 3], "chance", "float64")
    found = unroll.Graph([chance], {"loss": losses.log_loss(TRUE, chance, 0.0)}).run({"chance": CHANCE})["loss"]
    np.testing.assert_allclose(found, -np.log(np.where(TRUE == 1, CHANCE, 1 - CHANCE)))


def test_classes_whose_number_is_not_known_are_refused() -> None:
    x = unroll.placeholder([2, "many"], "x")
    with pytest.raises(unroll.UnrollError, match="known number of classes"):
        losses.sparse_cross_entropy([0, 1], x)
    with pytest.raises(unroll.UnrollError, match="must be known"):
        losses.softmax_cross_entropy(x, x, label_smoothing=0.1)
