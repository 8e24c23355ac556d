"""``tf.layers`` and ``tf.contrib.layers``: layers made of this face's operators, whose variables are named as there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll import dimensions, nest
from unroll.checks import check_size
from unroll.errors import ShapeError
from unroll.tf1 import operators
from unroll.tf1.first_values import TABLE as INITIALIZERS
from unroll.tf1.neural_networks import TABLE as NN
from unroll.tf1.tensors import Tensor, takes
from unroll.tf1.variables import entered, get_variable

_TF = operators.TABLE


class Dense:
    """A dense layer, ``activation(x @ kernel + bias)``; called again it has the same variables."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        takes("layers.Dense", _DENSE.removeprefix("inputs, "))(self._kept)(*args, **kwargs)

    def _kept(
        self, units: Any, activation: Any, use_bias: Any, kernel_initializer: Any, bias_initializer: Any, name: Any
    ) -> None:
        self.units, self.activation, self.use_bias, self.name = (
            check_size(units, "layers.Dense: units"),
            activation,
            use_bias,
            name,
        )
        self._initializers = (kernel_initializer, bias_initializer)
        self._scope: Any = None

    def __call__(self, inputs: Any, scope: Any = None) -> Any:
        """Return the layer's output for a tensor whose last axis is known."""
        x, is_first = operators.convert_to_tensor(inputs), self._scope is None
        reuse = None if is_first else True
        with entered(scope or self._scope or self.name, "dense", reuse=reuse) as self._scope:
            return affine(x, self.units, self._initializers, self.use_bias, self.activation)

    apply = __call__


def affine(
    x: Tensor, units: int, initializers: Any, use_bias: Any, activation: Any, names: Any = ("kernel", "bias")
) -> Any:
    """Return ``activation(x @ kernel + bias)`` over the last axis, whose variables are under the scope in force.

    Raises:
        ShapeError: there is no axis but that of features.
    """
    rank = x.core.rank
    if rank < 2:
        raise ShapeError(f"a dense layer of {x}: (batch, features) is wanted")
    kernel = get_variable(names[0], [x.shape[-1], units], x.dtype, initializers[0])
    found = _TF["matmul"](x, kernel) if rank == 2 else _TF["tensordot"](x, kernel, [[rank - 1], [0]])
    if use_bias:
        first = INITIALIZERS["zeros_initializer"]() if initializers[1] is None else initializers[1]
        found = NN["bias_add"](found, get_variable(names[1], [units], x.dtype, first))
    return found if activation is None else activation(found)


_DENSE = (
    "inputs, units, activation=None, use_bias=True, kernel_initializer=None, bias_initializer=None, "
    "kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, "
    "bias_constraint=None, trainable=True, name=None, reuse=None, dtype=None"
)


@takes("layers.dense", _DENSE)
def dense(
    inputs: Any,
    units: Any,
    activation: Any,
    use_bias: Any,
    kernel_initializer: Any,
    bias_initializer: Any,
    name: Any,
    reuse: Any,
) -> Any:
    """Return ``activation(inputs @ kernel + bias)`` over the last axis."""
    x = operators.convert_to_tensor(inputs)
    with entered(name, "dense", reuse=reuse):
        return affine(
            x, check_size(units, "layers.dense: units"), (kernel_initializer, bias_initializer), use_bias, activation
        )


@takes(
    "contrib.layers.fully_connected",
    "inputs, num_outputs, activation_fn='relu', normalizer_fn=None, normalizer_params=None, weights_initializer=None, "
    "weights_regularizer=None, biases_initializer='zeros', biases_regularizer=None, reuse=None, variables_collections=None, "
    "outputs_collections=None, trainable=True, scope=None",
)
def fully_connected(
    inputs: Any,
    num_outputs: Any,
    activation_fn: Any,
    weights_initializer: Any,
    biases_initializer: Any,
    reuse: Any,
    scope: Any,
) -> Any:
    """Return a dense layer, with relu unless another activation, or None, is given."""
    x = operators.convert_to_tensor(inputs)
    activation = NN["relu"] if activation_fn == "relu" else activation_fn
    first = None if biases_initializer == "zeros" else biases_initializer
    with entered(scope, "fully_connected", reuse=reuse):
        use_bias = biases_initializer is not None
        units = check_size(num_outputs, "contrib.layers.fully_connected: num_outputs")
        return affine(x, units, (weights_initializer, first), use_bias, activation, ("weights", "biases"))


def _convolution(name: str, axes: int) -> Callable[..., Any]:
    def body(
        inputs: Any, filters: Any, kernel_size: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any,
        activation: Any,
        use_bias: Any, kernel_initializer: Any, bias_initializer: Any, name: Any, reuse: Any,
    ) -> Any:  # fmt: skip
        x = operators.convert_to_tensor(inputs)
        order = "NCHW" if data_format == "channels_first" else "NHWC"
        window = list(kernel_size) if nest.is_nested(kernel_size) else [kernel_size] * axes
        channels = x.shape[1 if order == "NCHW" else -1]
        with entered(name, f"conv{axes}d", reuse=reuse):
            kernel = get_variable("kernel", [*window, channels, filters], x.dtype, kernel_initializer)
            found = NN["conv2d"](x, kernel, strides, padding, data_format=order, dilations=dilation_rate)
            if use_bias:
                first = bias_initializer or INITIALIZERS["zeros_initializer"]()
                found = NN["bias_add"](found, get_variable("bias", [filters], x.dtype, first), data_format=order)
            return found if activation is None else activation(found)

    return takes(
        f"layers.{name}",
        "inputs, filters, kernel_size, strides=1, padding='valid', data_format='channels_last', dilation_rate=1, "
        "activation=None, use_bias=True, kernel_initializer=None, bias_initializer=None, kernel_regularizer=None, "
        "bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, bias_constraint=None, trainable=True, "
        "name=None, reuse=None",
    )(body)


def _pooling(name: str, pool: str, axes: int) -> Callable[..., Any]:
    def body(inputs: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any) -> Any:
        order = "NCHW" if data_format == "channels_first" else "NHWC"
        window, steps = (list(item) if nest.is_nested(item) else [item] * axes for item in (pool_size, strides))
        return NN[pool](inputs, window, steps, padding, data_format=order)

    return takes(
        f"layers.{name}", "inputs, pool_size, strides, padding='valid', data_format='channels_last', name=None"
    )(body)


def flatten(inputs: Any, *args: Any, **unused: Any) -> Any:
    """Return a tensor as rows, one for each of the batch."""
    x = operators.convert_to_tensor(inputs)
    return _TF["reshape"](x, [-1, dimensions.known_size(x.core.shape[1:])])


def dropout(inputs: Any, *args: Any, name: str | None = None, **unused: Any) -> Any:
    """Return a tensor as it is: dropout acts in training only."""
    return _TF["identity"](inputs, name=name or "dropout")


@takes(
    "contrib.layers.embed_sequence",
    "ids, vocab_size=None, embed_dim=None, unique=False, initializer=None, regularizer=None, trainable=True, scope=None, "
    "reuse=None",
)
def embed_sequence(ids: Any, vocab_size: Any, embed_dim: Any, initializer: Any, scope: Any, reuse: Any) -> Any:
    """Return rows of a table of embeddings."""
    with entered(scope, "EmbedSequence", reuse=reuse):
        return NN["embedding_lookup"](get_variable("embeddings", [vocab_size, embed_dim], initializer=initializer), ids)


def regularizer(scale: float, scope: str | None = None) -> Callable[[Any], Any]:
    """Return a function of weights that acts in training only."""
    return lambda weights: _TF["multiply"](float(scale), NN["l2_loss"](weights))


def one_hot_encoding(labels: Any, num_classes: Any, **unused: Any) -> Any:
    """Return a row of zeros with a one at each id's place."""
    return _TF["one_hot"](labels, num_classes)


LAYERS = {
    "Dense": Dense, "conv1d": _convolution("conv1d", 1), "conv2d": _convolution("conv2d", 2), "dense": dense,
    "dropout": dropout, "flatten": flatten,
    **{f"{name}_pooling{axes}d": _pooling(f"{name}_pooling{axes}d", pool, axes)
       for name, pool in (("max", "max_pool"), ("average", "avg_pool")) for axes in (1, 2)},
}  # fmt: skip
CONTRIB = {
    "dropout": dropout, "embed_sequence": embed_sequence, "flatten": flatten, "fully_connected": fully_connected,
    "l2_regularizer": regularizer, "one_hot_encoding": one_hot_encoding,
    **{name: INITIALIZERS[name] for name in ("variance_scaling_initializer", "xavier_initializer")},
}  # fmt: skip
