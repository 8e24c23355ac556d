"""``tf.losses``: means of losses by element over those whose weight is not zero, in the collection of losses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from unroll import ops
from unroll.ops import losses
from unroll.tf1 import operators
from unroll.tf1.graphs import GraphKeys, add_to_collection, get_collection, get_default_graph
from unroll.tf1.signatures import takes
from unroll.tf1.tensors import named, tensor_of, unwrap


def _loss(name: str, arguments: str, body: Callable[..., Any]) -> Callable[..., Any]:
    called, text = f"losses.{name}", f"{arguments}, scope=None, loss_collection='losses', reduction=None"
    elements = takes(called, text, _prepared)(body)
    rest = takes(called, text)(lambda weights, loss_collection: (unwrap(weights), loss_collection))

    @functools.wraps(elements)
    def collected(*args: Any, **kwargs: Any) -> Any:
        core, (weights, key) = elements(*args, **kwargs), rest(*args, **kwargs)
        found = named(losses.weighted_mean(core, weights), f"{get_default_graph().scoped_name(name)}/value")
        if key:
            add_to_collection(key, found)
        return found

    return collected


def _prepared(given: dict[str, Any]) -> dict[str, Any]:
    """Return labels and what was made of them as floats, both of the dtype of the latter."""
    found, name = unwrap(given), "predictions" if "predictions" in given else "logits"
    made, labels = tensor_of(found[name]), tensor_of(found["labels"])
    made = made if made.dtype.kind == "f" else ops.cast(made, "float32")
    return {**found, name: made, "labels": labels if labels.dtype == made.dtype else ops.cast(labels, made.dtype)}


def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[Any]:
    """Return the losses that were collected."""
    return get_collection(loss_collection, scope)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None) -> Any:
    """Return the sum of the losses that were collected."""
    return operators.TABLE["add_n"](get_losses(scope), name=name)


_PREDICTED, _SCORED, _SMOOTH = "labels, predictions, weights=1.0", "labels, logits, weights=1.0", "label_smoothing=0"
_ROWS: list[tuple[str, str, Callable[..., Any]]] = [
    ("absolute_difference", _PREDICTED, losses.absolute_difference),
    ("hinge_loss", _SCORED, losses.hinge),
    ("huber_loss", f"{_PREDICTED}, delta=1.0", losses.huber),
    ("log_loss", f"{_PREDICTED}, epsilon=1e-07", losses.log_loss),
    ("mean_squared_error", _PREDICTED, losses.squared_error),
    ("sigmoid_cross_entropy", f"multi_class_labels, logits, weights=1.0, {_SMOOTH}", losses.sigmoid_cross_entropy),
    ("softmax_cross_entropy", f"onehot_labels, logits, weights=1.0, {_SMOOTH}", losses.softmax_cross_entropy),
    ("sparse_softmax_cross_entropy", _SCORED, losses.sparse_cross_entropy),
]
TABLE: dict[str, Callable[..., Any]] = {
    **{name: _loss(name, arguments, body) for name, arguments, body in _ROWS},
    "add_loss": lambda loss, loss_collection=GraphKeys.LOSSES: add_to_collection(loss_collection, loss),
    "get_losses": get_losses,
    "get_total_loss": get_total_loss,
}
