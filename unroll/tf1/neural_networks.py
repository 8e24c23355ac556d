"""``tf.nn``: activations, losses by element, lookups and convolutions, as a table like that of `unroll.tf1.operators`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll import activations, nest, ops
from unroll.cells.wrappers import dropped
from unroll.errors import ArgumentError
from unroll.keras import ops as keras_ops
from unroll.look_up import look_up
from unroll.ops import composed, losses
from unroll.ops.given_sizes import plain_size
from unroll.tensor import Tensor as Core
from unroll.tf1 import operators
from unroll.tf1.tables import Row, alike, table_of
from unroll.tf1.tensors import tensor_of


def _labelled(_sentinel: Any, labels: Any, logits: Any) -> tuple[Core, Core]:
    if _sentinel is not None or labels is None or logits is None:
        raise ArgumentError("Only call it with named arguments (labels=..., logits=...): their order changed once")
    truth, scores = alike(labels, logits)
    return truth, scores


def _embedding_lookup(params: Any, ids: Core, max_norm: Any) -> Core:
    tables = params if nest.is_nested(params) else [params]
    if len(tables) > 1 or max_norm is not None:
        raise ArgumentError("embedding_lookup: one table is wanted, without max_norm; join parts of one with tf.concat")
    table: Any = tensor_of(tables[0])
    is_known = isinstance(table.shape[0], int)
    return look_up(table, ids, "embedding_lookup: ids") if is_known else ops.gather(table, ids, 0)


def _dropout(x: Core, keep_prob: Any, rate: Any) -> Core:
    if isinstance(rate, Core):
        fix = "give keep_prob, a placeholder of its own, in the place of rate; it is fed as 1 here"
        raise ArgumentError(f"dropout: {fix}")
    found = dropped(x, keep_prob)
    return ops.identity(x) if found is x else found


def _l2_normalize(x: Core, axis: Any, epsilon: float) -> Core:
    return x / ops.sqrt(ops.maximum(ops.reduce_sum(x * x, axis, True), epsilon))


def _moments(x: Core, axes: Any, keepdims: bool = False) -> tuple[Core, Core]:
    along = list(axes) if nest.is_nested(axes) else axes
    return composed.mean(x, along, keepdims), keras_ops.var(x, along, keepdims)


def _batch_normalization(x: Core, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any) -> Any:
    factor = 1 / ops.sqrt(tensor_of(variance) + variance_epsilon)
    found = (x - mean) * (factor if scale is None else factor * scale)
    return found if offset is None else found + offset


def _is_first(data_format: Any) -> bool:
    """Return whether channels are the first axis after the batch, as of ``"NCHW"``."""
    return data_format is not None and str(data_format).upper().startswith("NC")


def _bias_add(x: Core, bias: Core, data_format: Any) -> Core:
    return ops.add(x, ops.reshape(bias, [-1, *([1] * (x.rank - 2))]) if _is_first(data_format) else bias)


def _layout(x: Core, data_format: Any, *sizes: Any) -> list[Any]:
    """Return where channels are, in Keras's words, and sizes of a window without those of batch and channels."""

    def inner(size: Any) -> Any:
        found: Any = [plain_size(item) for item in size] if nest.is_nested(size) else 1 if size is None else size
        whole = isinstance(found, list) and len(found) == x.rank
        return found if not whole else found[2:] if _is_first(data_format) else found[1:-1]

    return ["channels_first" if _is_first(data_format) else "channels_last", *map(inner, sizes)]


def _conv(x: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilations: Any) -> Any:
    if x is None or kernel is None:
        raise ArgumentError(
            "a convolution: an input and a kernel (*window, channels, filters) are wanted; one is missing"
        )
    layout, steps, spread = _layout(x, data_format, strides, dilations)
    return keras_ops.conv(x, kernel, steps, padding, layout, spread)


def _pooling(function: Callable[..., Core]) -> Callable[..., Core]:
    def pool(x: Any, ksize: Any, strides: Any, padding: Any, data_format: Any) -> Core:
        layout, size, steps = _layout(tensor_of(x), data_format, ksize, strides)
        return function(x, size, steps, padding, layout)

    return pool


_POOL = "value, ksize=None, strides=None, padding='VALID', data_format='NHWC', name=None, input=None"
#: Of one tensor, ``features``: what the result is called, and the function.
_ACTIVATIONS: dict[str, tuple[str, Callable[[Core], Core]]] = {
    "elu": ("Elu", ops.elu), "relu": ("Relu", ops.relu), "relu6": ("Relu6", activations.relu6),
    "selu": ("Selu", activations.selu), "softplus": ("Softplus", ops.softplus), "softsign": ("Softsign", ops.softsign),
    "swish": ("swish", activations.silu),
}  # fmt: skip
_LABELLED, _LOGITS = "_sentinel=None, labels=None, logits=None", "logits, axis=None, name=None, dim=None"
_ROWS: dict[str, Row] = {
    "avg_pool": ("AvgPool", _POOL, _pooling(keras_ops.average_pool)),
    "batch_normalization": ("batchnorm/add_1", "x, mean, variance, offset, scale, variance_epsilon, name=None",
                            _batch_normalization),
    "bias_add": ("BiasAdd", "value, bias, data_format=None, name=None", _bias_add),
    "conv1d": ("conv1d", "value=None, filters=None, stride=None, padding='VALID', use_cudnn_on_gpu=None, data_format=None, "
               "name=None, input=None, dilations=None", _conv),
    "conv2d": ("Conv2D", "input, filter=None, strides=None, padding='VALID', use_cudnn_on_gpu=True, data_format='NHWC', "
               "dilations=None, name=None, filters=None", _conv),
    "dropout": ("dropout/mul", "x, keep_prob=None, noise_shape=None, seed=None, name=None, rate=None", _dropout),
    "embedding_lookup": (
        "embedding_lookup/Identity", "params, ids, partition_strategy='mod', name=None, validate_indices=True, max_norm=None",
        _embedding_lookup),
    "l2_loss": ("L2Loss", "t, name=None", lambda x: ops.reduce_sum(keras_ops.square(x)) / 2),
    "l2_normalize": ("l2_normalize", "x, axis=None, epsilon=1e-12, name=None, dim=None", _l2_normalize),
    "leaky_relu": ("LeakyRelu", "features, alpha=0.2, name=None", ops.leaky_relu),
    "log_softmax": ("LogSoftmax", _LOGITS, ops.log_softmax),
    "max_pool": ("MaxPool", _POOL, _pooling(keras_ops.max_pool)),
    "moments": ("moments/Squeeze", "x, axes, shift=None, name=None, keep_dims=None, keepdims=None", _moments),
    "sigmoid_cross_entropy_with_logits": (
        "logistic_loss", f"{_LABELLED}, name=None",
        lambda _sentinel, labels, logits: losses.sigmoid_cross_entropy(*_labelled(_sentinel, labels, logits))),
    "softmax": ("Softmax", _LOGITS, ops.softmax),
    "softmax_cross_entropy_with_logits": (
        "softmax_cross_entropy_with_logits_sg/Reshape_2", f"{_LABELLED}, dim=-1, name=None, axis=None",
        lambda _sentinel, labels, logits, axis: losses.softmax_cross_entropy(*_labelled(_sentinel, labels, logits), axis)),
    "softmax_cross_entropy_with_logits_v2": (
        "softmax_cross_entropy_with_logits/Reshape_2", "labels, logits, axis=None, name=None, dim=None",
        lambda labels, logits, axis=-1: losses.softmax_cross_entropy(*_labelled(None, labels, logits), axis)),
    "sparse_softmax_cross_entropy_with_logits": (
        "SparseSoftmaxCrossEntropyWithLogits/SparseSoftmaxCrossEntropyWithLogits", f"{_LABELLED}, name=None",
        lambda _sentinel, labels, logits: losses.sparse_cross_entropy(labels, _labelled(_sentinel, logits, logits)[1])),
    "weighted_cross_entropy_with_logits": (
        "logistic_loss", "labels=None, logits=None, pos_weight=None, name=None, targets=None",
        lambda labels, logits, pos_weight, targets: losses.weighted_cross_entropy(
            *_labelled(None, targets if labels is None else labels, logits), pos_weight)),
    "xw_plus_b": ("xw_plus_b", "x, weights, biases, name=None", lambda x, weights, biases: x @ weights + biases),
}  # fmt: skip
TABLE: dict[str, Any] = {
    **table_of({name: (result, "features, name=None", body) for name, (result, body) in _ACTIVATIONS.items()}),
    **table_of(_ROWS),
    **{name: operators.TABLE[name] for name in ("sigmoid", "tanh", "log_sigmoid")},
}
