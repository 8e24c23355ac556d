"""``tf.layers`` and ``tf.contrib.layers``: layers made of this face's operators, whose variables are named as there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll import dimensions
from unroll.checks import check_number, check_size
from unroll.errors import ShapeError
from unroll.layers.arguments import tuple_of
from unroll.tf1 import operators
from unroll.tf1.first_values import TABLE as INITIALIZERS
from unroll.tf1.neural_networks import TABLE as NN
from unroll.tf1.signatures import takes
from unroll.tf1.variables import entered, get_variable

_TF = operators.TABLE
_MORE = (
    "activation=None, use_bias=True, kernel_initializer=None, bias_initializer=None, kernel_regularizer=None, "
    "bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, bias_constraint=None, trainable=True, "
    "name=None, reuse=None"
)


def _finished(
    found: Any, size: int, first: Any, activation: Any, use_bias: Any, name: str = "bias", order: Any = None
) -> Any:
    """Return ``activation(found + bias)``, with a bias in the scope in force."""
    if use_bias:
        draw = INITIALIZERS["zeros_initializer"]() if first is None else first
        found = NN["bias_add"](found, get_variable(name, [size], found.dtype, draw), order)
    return found if activation is None else activation(found)


class Dense:
    """A dense layer, ``activation(x @ kernel + bias)``; called again it has the same variables."""

    _called, _names = "dense", ("kernel", "bias")

    @takes("layers.dense", f"self, units, {_MORE}, dtype=None")
    def __init__(
        self,
        units: Any,
        activation: Any,
        use_bias: Any,
        kernel_initializer: Any,
        bias_initializer: Any,
        name: Any,
        reuse: Any,
    ) -> None:
        self.units, self.name = check_size(units, f"layers.{self._called}: units"), name
        self._activation, self._uses_bias, self._reuse = activation, use_bias, reuse
        self._first = (kernel_initializer, bias_initializer)
        self._scope: Any = None

    def __call__(self, inputs: Any, scope: Any = None) -> Any:
        """Return the layer's output for a tensor whose last axis is known.

        Raises:
            ShapeError: there is no axis but that of features.
        """
        x, reuse = operators.convert_to_tensor(inputs), self._reuse if self._scope is None else True
        rank = x.core.rank
        if rank < 2:
            raise ShapeError(f"a dense layer of {x}: (batch, features) is wanted")
        with entered(scope or self._scope or self.name, self._called, reuse=reuse) as self._scope:
            kernel = get_variable(self._names[0], [x.shape[-1], self.units], x.dtype, self._first[0])
            found = _TF["matmul"](x, kernel) if rank == 2 else _TF["tensordot"](x, kernel, [[rank - 1], [0]])
            return _finished(found, self.units, self._first[1], self._activation, self._uses_bias, self._names[1])

    apply = __call__


class _FullyConnected(Dense):
    _called, _names = "fully_connected", ("weights", "biases")


def dense(inputs: Any, *args: Any, **kwargs: Any) -> Any:
    """Return ``activation(inputs @ kernel + bias)`` over the last axis; the arguments are those of `Dense`."""
    return Dense(*args, **kwargs)(inputs)


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
    activation = NN["relu"] if isinstance(activation_fn, str) and activation_fn == "relu" else activation_fn
    has_bias, is_plain = biases_initializer is not None, isinstance(biases_initializer, str)
    first = None if is_plain and biases_initializer == "zeros" else biases_initializer
    return _FullyConnected(num_outputs, activation, has_bias, weights_initializer, first, name=scope, reuse=reuse)(
        inputs
    )


def _convolution(name: str, axes: int) -> Callable[..., Any]:
    def body(
        inputs: Any, filters: Any, kernel_size: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any,
        activation: Any, use_bias: Any, kernel_initializer: Any, bias_initializer: Any, name: Any, reuse: Any,
    ) -> Any:  # fmt: skip
        x, what = operators.convert_to_tensor(inputs), f"layers.conv{axes}d"
        order, size = "NCHW" if data_format == "channels_first" else "NHWC", check_size(filters, f"{what}: filters")
        window = tuple_of(kernel_size, axes, f"{what}: kernel_size")
        if x.core.rank != axes + 2:
            raise ShapeError(f"{what} of {x}: {axes + 2} axes are wanted, the batch, {axes} of places and the channels")
        with entered(name, f"conv{axes}d", reuse=reuse):
            kernel = get_variable(
                "kernel", [*window, x.shape[1 if order == "NCHW" else -1], size], x.dtype, kernel_initializer
            )
            found = NN["conv2d"](x, kernel, strides, padding, data_format=order, dilations=dilation_rate)
            return _finished(found, size, bias_initializer, activation, use_bias, order=order)

    arguments = "inputs, filters, kernel_size, strides=1, padding='valid', data_format='channels_last', dilation_rate=1"
    return takes(f"layers.{name}", f"{arguments}, {_MORE}")(body)


def _pooling(name: str, pool: str, axes: int) -> Callable[..., Any]:
    def body(inputs: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any) -> Any:
        order = "NCHW" if data_format == "channels_first" else "NHWC"
        window, steps = (tuple_of(item, axes, f"layers.{name}: a size") for item in (pool_size, strides))
        return NN[pool](inputs, list(window), list(steps), padding, data_format=order)

    arguments = "inputs, pool_size, strides, padding='valid', data_format='channels_last', name=None"
    return takes(f"layers.{name}", arguments)(body)


@takes("layers.flatten", "inputs, name=None, data_format=None")
def flatten(inputs: Any) -> Any:
    """Return a tensor as rows, one for each of the batch."""
    x = operators.convert_to_tensor(inputs)
    return _TF["reshape"](x, [-1, dimensions.known_size(x.core.shape[1:])])


def dropout(inputs: Any, *args: Any, name: str | None = None, **unused: Any) -> Any:
    """Return a tensor as it is: dropout acts in training only."""
    return _TF["identity"](inputs, name="dropout" if name is None else name)


@takes(
    "contrib.layers.embed_sequence",
    "ids, vocab_size=None, embed_dim=None, unique=False, initializer=None, regularizer=None, trainable=True, scope=None, "
    "reuse=None",
)
def embed_sequence(ids: Any, vocab_size: Any, embed_dim: Any, initializer: Any, scope: Any, reuse: Any) -> Any:
    """Return rows of a table of embeddings."""
    with entered(scope, "EmbedSequence", reuse=reuse):
        return NN["embedding_lookup"](get_variable("embeddings", [vocab_size, embed_dim], None, initializer), ids)


def regularizer(scale: float, scope: str | None = None) -> Callable[[Any], Any]:
    """Return a function of weights that acts in training only."""
    factor = check_number(scale, "contrib.layers.l2_regularizer: scale")
    return lambda weights: _TF["multiply"](factor, NN["l2_loss"](weights))


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
