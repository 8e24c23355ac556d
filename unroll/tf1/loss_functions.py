"""``tf.losses``: means of losses by element over those whose weight is not zero, in the collection of losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll.tf1 import operators
from unroll.tf1.graphs import GraphKeys, add_to_collection, get_collection
from unroll.tf1.neural_networks import TABLE as NN
from unroll.tf1.tensors import takes

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
    text = f"{arguments}, scope=None, loss_collection='losses', reduction=None"
    elements, rest = (
        takes(name, text)(body),
        takes(name, text)(lambda weights, loss_collection: (weights, loss_collection)),
    )
    return lambda *args, **kwargs: mean_loss(elements(*args, **kwargs), *rest(*args, **kwargs))


def _smoothed(labels: Any, smoothing: float, count: Any) -> Any:
    return labels if not smoothing else labels * (1 - smoothing) + smoothing / int(count)


def _huber(labels: Any, predictions: Any, delta: float) -> Any:
    error = _TF["abs"](_TF["subtract"](predictions, labels))
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
    ("hinge_loss", "labels, logits, weights=1.0",
     lambda labels, logits: NN["relu"](1 - (2 * _TF["cast"](labels, logits.dtype) - 1) * logits)),
    ("huber_loss", f"{_PREDICTED}, delta=1.0", _huber),
    ("log_loss", f"{_PREDICTED}, epsilon=1e-07", lambda labels, predictions, epsilon: -(
        labels * _TF["log"](predictions + epsilon) + (1 - labels) * _TF["log"](1 - predictions + epsilon))),
    ("mean_squared_error", _PREDICTED, lambda labels, predictions: _TF["squared_difference"](predictions, labels)),
    ("sigmoid_cross_entropy", "multi_class_labels, logits, weights=1.0, label_smoothing=0",
     lambda labels, logits, label_smoothing: NN["sigmoid_cross_entropy_with_logits"](
         labels=_smoothed(labels, label_smoothing, 2), logits=logits)),
    ("softmax_cross_entropy", "onehot_labels, logits, weights=1.0, label_smoothing=0",
     lambda labels, logits, label_smoothing: NN["softmax_cross_entropy_with_logits"](
         labels=_smoothed(labels, label_smoothing, logits.shape[-1]), logits=logits)),
    ("sparse_softmax_cross_entropy", "labels, logits, weights=1.0",
     lambda labels, logits: NN["sparse_softmax_cross_entropy_with_logits"](labels=labels, logits=logits)),
]  # fmt: skip
TABLE: dict[str, Callable[..., Any]] = {
    **{name: _loss(name, arguments, body) for name, arguments, body in _ROWS},
    "add_loss": lambda loss, loss_collection=GraphKeys.LOSSES: add_to_collection(loss_collection, loss),
    "get_losses": get_losses,
    "get_total_loss": get_total_loss,
}
