"""``tf.losses``: means of losses by element over those whose weight is not zero, in the collection of losses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from unroll.checks import check_number
from unroll.tf1 import operators
from unroll.tf1.graphs import GraphKeys, add_to_collection, get_collection
from unroll.tf1.neural_networks import TABLE as NN
from unroll.tf1.operators import convert_to_tensor
from unroll.tf1.signatures import takes

_TF = operators.TABLE


def mean_loss(losses: Any, weights: Any, loss_collection: Any) -> Any:
    """Return the sum of weighted losses over the number of those whose weight is not zero, and collect it."""
    scale = _TF["cast"](weights, losses.dtype)
    count = _TF["reduce_sum"](_TF["cast"](_TF["not_equal"](scale + _TF["zeros_like"](losses), 0.0), losses.dtype))
    found = _TF["reduce_sum"](losses * scale) / _TF["maximum"](count, 1.0)
    if loss_collection:
        add_to_collection(loss_collection, found)
    return found


def _loss(name: str, arguments: str, body: Callable[..., Any]) -> Callable[..., Any]:
    called, text = f"losses.{name}", f"{arguments}, scope=None, loss_collection='losses', reduction=None"
    elements = takes(called, text)(body)
    rest = takes(called, text)(lambda weights, loss_collection: (weights, loss_collection))
    return functools.wraps(elements)(
        lambda *args, **kwargs: mean_loss(convert_to_tensor(elements(*args, **kwargs)), *rest(*args, **kwargs))
    )


def _hinge(labels: Any, logits: Any) -> Any:
    scores = convert_to_tensor(logits)
    return NN["relu"](1 - (2 * _TF["cast"](labels, scores.dtype) - 1) * scores)


def _log_loss(labels: Any, predictions: Any, epsilon: float) -> Any:
    truth, chance = convert_to_tensor(labels), convert_to_tensor(predictions)
    return -(truth * _TF["log"](chance + epsilon) + (1 - truth) * _TF["log"](1 - chance + epsilon))


def _softmax(onehot_labels: Any, logits: Any, label_smoothing: float) -> Any:
    scores, entropy = convert_to_tensor(logits), NN["softmax_cross_entropy_with_logits"]
    return entropy(
        labels=_smoothed(onehot_labels, label_smoothing, scores.shape[-1] if scores.core.rank else 1), logits=scores
    )


def _sigmoid(multi_class_labels: Any, logits: Any, label_smoothing: float) -> Any:
    entropy = NN["sigmoid_cross_entropy_with_logits"]
    return entropy(labels=_smoothed(multi_class_labels, label_smoothing, 2), logits=logits)


def _smoothed(labels: Any, smoothing: float, count: Any) -> Any:
    share = check_number(smoothing, "label_smoothing")
    return convert_to_tensor(labels) * (1 - share) + share / int(count) if share else labels


def _huber(labels: Any, predictions: Any, delta: float) -> Any:
    error, delta = _TF["abs"](_TF["subtract"](predictions, labels)), check_number(delta, "losses.huber_loss: delta")
    inner = _TF["minimum"](error, delta)
    return 0.5 * inner * inner + delta * (error - inner)


def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[Any]:
    """Return the losses that were collected."""
    return get_collection(loss_collection, scope)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None) -> Any:
    """Return the sum of the losses that were collected."""
    return _TF["add_n"](get_losses(scope), name=name)


_PREDICTED = "labels, predictions, weights=1.0"
_ROWS: list[tuple[str, str, Callable[..., Any]]] = [
    ("absolute_difference", _PREDICTED, lambda labels, predictions: _TF["abs"](_TF["subtract"](predictions, labels))),
    ("hinge_loss", "labels, logits, weights=1.0", _hinge),
    ("huber_loss", f"{_PREDICTED}, delta=1.0", _huber),
    ("log_loss", f"{_PREDICTED}, epsilon=1e-07", _log_loss),
    ("mean_squared_error", _PREDICTED, lambda labels, predictions: _TF["squared_difference"](predictions, labels)),
    ("sigmoid_cross_entropy", "multi_class_labels, logits, weights=1.0, label_smoothing=0", _sigmoid),
    ("softmax_cross_entropy", "onehot_labels, logits, weights=1.0, label_smoothing=0", _softmax),
    ("sparse_softmax_cross_entropy", "labels, logits, weights=1.0",
     lambda labels, logits: NN["sparse_softmax_cross_entropy_with_logits"](labels=labels, logits=logits)),
]  # fmt: skip
TABLE: dict[str, Callable[..., Any]] = {
    **{name: _loss(name, arguments, body) for name, arguments, body in _ROWS},
    "add_loss": lambda loss, loss_collection=GraphKeys.LOSSES: add_to_collection(loss_collection, loss),
    "get_losses": get_losses,
    "get_total_loss": get_total_loss,
}
