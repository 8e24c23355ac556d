"""Losses by element, as scores of what a graph gives: of labels and what a model made of them. Nothing trains by them here."""

from __future__ import annotations

from typing import Any

import numpy as np

from unroll.checks import check_number
from unroll.errors import ShapeError
from unroll.ops.choices import equal, maximum, minimum, not_equal
from unroll.ops.filling import shape
from unroll.ops.functions import abs_, cast, exp, log, neg, relu
from unroll.ops.operator import as_tensor
from unroll.ops.reduction import log_softmax, reduce_sum
from unroll.ops.shaping import unsqueeze
from unroll.ops.synonyms import zeros
from unroll.tensor import Tensor, constant


def _alike(labels: Any, made: Any) -> tuple[Tensor, Tensor]:
    """Return labels and what was made of them as tensors of the dtype of the latter."""
    other = as_tensor(made, "predictions")
    return (labels if isinstance(labels, Tensor) else constant(labels, other.dtype)), other


def _smoothed(labels: Tensor, smoothing: float, count: Any) -> Tensor:
    share = check_number(smoothing, "label_smoothing")
    if share and not isinstance(count, int):
        raise ShapeError(f"label_smoothing: the number of classes of {labels.described()} must be known")
    return labels * (1 - share) + share / count if share else labels


def softmax_cross_entropy(labels: Any, logits: Any, axis: int = -1, label_smoothing: float = 0) -> Tensor:
    """Return the cross-entropy of a distribution over an axis, and the softmax of logits."""
    truth, scores = _alike(labels, logits)
    truth = _smoothed(truth, label_smoothing, scores.shape[axis] if scores.rank else 1)
    return neg(reduce_sum(truth * log_softmax(scores, axis), [axis]))


def sparse_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return the cross-entropy of one class each, by its number, and the softmax of logits over the last axis.

    Raises:
        ShapeError: the number of classes is not known.
    """
    scores, ids = as_tensor(logits, "logits"), as_tensor(labels, "labels")
    if not scores.rank or not isinstance(scores.shape[-1], int):
        raise ShapeError(f"logits {scores.described()} must have a known number of classes, along the last axis")
    classes = constant(np.arange(scores.shape[-1]), ids.dtype, name="classes")
    return softmax_cross_entropy(cast(equal(unsqueeze(ids, [-1]), classes), scores.dtype), scores)


def sigmoid_cross_entropy(labels: Any, logits: Any, label_smoothing: float = 0) -> Tensor:
    """Return the cross-entropy of each label by itself, and the sigmoid of its logit."""
    truth, x = _alike(labels, logits)
    return relu(x) - x * _smoothed(truth, label_smoothing, 2) + log(1 + exp(neg(abs_(x))))


def weighted_cross_entropy(labels: Any, logits: Any, weight: Any) -> Tensor:
    """Return the cross-entropy of each label by itself, in which those that are 1 count `weight` times."""
    truth, x = _alike(labels, logits)
    found: Tensor = (1 - truth) * x + (1 + (weight - 1) * truth) * (log(1 + exp(neg(abs_(x)))) + relu(neg(x)))
    return found


def absolute_difference(labels: Any, predictions: Any) -> Tensor:
    """Return how far predictions are from labels."""
    truth, found = _alike(labels, predictions)
    return abs_(found - truth)


def squared_error(labels: Any, predictions: Any) -> Tensor:
    """Return the square of how far predictions are from labels."""
    away = absolute_difference(labels, predictions)
    return away * away


def huber(labels: Any, predictions: Any, delta: float = 1.0) -> Tensor:
    """Return half the square of how far predictions are from labels, and what grows evenly beyond `delta`: Huber 1964."""
    error, most = absolute_difference(labels, predictions), check_number(delta, "delta")
    inner = minimum(error, most)
    return 0.5 * inner * inner + most * (error - inner)


def log_loss(labels: Any, predictions: Any, epsilon: float = 1e-7) -> Tensor:
    """Return the cross-entropy of each label by itself, and the probability that was predicted."""
    truth, chance = _alike(labels, predictions)
    return neg(truth * log(chance + epsilon) + (1 - truth) * log(1 - chance + epsilon))


def hinge(labels: Any, logits: Any) -> Tensor:
    """Return how far each logit is from its side of 1, of labels that are 0 or 1."""
    scores = as_tensor(logits, "logits")
    return relu(1 - (2 * cast(as_tensor(labels, "labels"), scores.dtype) - 1) * scores)


def weighted_mean(losses: Tensor, weights: Any) -> Tensor:
    """Return the sum of weighted losses over the number of those whose weight is not 0."""
    scale = cast(as_tensor(weights, "weights"), losses.dtype)
    counts = cast(not_equal(scale + zeros(shape(losses), losses.dtype), 0), losses.dtype)
    return reduce_sum(losses * scale) / maximum(reduce_sum(counts), 1)
