"""``tf.layers`` and ``tf.contrib.layers``: the core's layers, whose weights are variables of the scope in force."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from unroll import layers
from unroll.checks import check_number
from unroll.layers.sublayers import keras_name
from unroll.tf1 import operators
from unroll.tf1.first_values import TABLE as INITIALIZERS
from unroll.tf1.graphs import get_default_graph
from unroll.tf1.neural_networks import TABLE as NN
from unroll.tf1.signatures import takes
from unroll.tf1.tensors import named, translated
from unroll.tf1.variables import VariableScope, entered, get_variable
from unroll.words import spelled

_TF = operators.TABLE


class _Layer:
    """What every layer of this face does besides what its class in the core does; called again it has the same variables."""

    _called, _result, _names = "", "", dict[str, str]()
    _then: Any = None
    _reuse: Any = None
    _scope: VariableScope | None = None

    @translated
    def __call__(self: Any, inputs: Any, scope: Any = None) -> Any:
        """Return the layer's output."""
        x, reuse = operators.convert_to_tensor(inputs), self._reuse if self._scope is None else True
        with entered(scope or self._scope or self._name, self._called, reuse=reuse) as self._scope:
            core = super().__call__(x.core)  # type: ignore[misc]  # of the core's class
            plain = "Tensordot" if self._result == "MatMul" and core.rank > 2 else self._result
            made = plain if getattr(self, "bias", None) is None else "BiasAdd"
            found = named(core, get_default_graph().scoped_name(made))
            return found if self._then is None else self._then(found)

    apply = __call__

    @contextmanager
    def _entered(self) -> Iterator[None]:
        yield  # its scope was entered when it was called

    def add_weight(self: Any, *, name: str, shape: Any, initializer: Any, **more: Any) -> Any:
        """Return a variable that is there where the scope in force finds those, else a new one."""
        is_scopes = isinstance(initializer, str) and initializer == "glorot_uniform"  # where that has one
        first, trainable = None if is_scopes else initializer, self.trainable and more.get("trainable", True)
        return get_variable(self._names.get(name, name), shape, self.dtype, first, trainable=trainable).core


def _layer(kind: str, result: str, arguments: str, called: str = "", **names: str) -> type:
    """Return a layer of the core as one of this face.

    Args:
        kind: the class.
        result: what TensorFlow calls what it makes, where that has no bias.
        arguments: TensorFlow's.
        called: its scope, by default the class in snake case.
        names: TensorFlow's names of its variables, by the core's.
    """
    core, taking = getattr(layers, kind), takes(f"layers.{kind}", f"self, {arguments}")
    begin, rest = taking(core.__init__), taking(lambda self, activation=None, reuse=None: (activation, reuse))

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        begin(self, *args, **kwargs)
        self._then, self._reuse = rest(self, *args, **kwargs)
        self.activation = lambda x: x

    __init__.__signature__ = signature = inspect.signature(begin)  # type: ignore[attr-defined]
    own = [name for name in signature.parameters if name.endswith(("_initializer", "activation", "rate"))]
    checks = {**getattr(core, "CHECKS", {}), **dict.fromkeys(own, lambda value, what: value)}
    texts = {"_called": called or keras_name(kind), "_result": result, "_names": names, "__doc__": core.__doc__}
    return type(kind, (_Layer, core), {"__init__": __init__, "CHECKS": checks, "__module__": __name__, **texts})


_MORE = (
    "activation=None, use_bias=True, kernel_initializer=None, bias_initializer=None, kernel_regularizer=None, "
    "bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, bias_constraint=None, trainable=True, "
    "name=None, reuse=None, dtype=None"
)
_CONV = f"filters, kernel_size, strides=1, padding='valid', data_format='channels_last', dilation_rate=1, {_MORE}"
_POOL = "pool_size, strides, padding='valid', data_format='channels_last', name=None"
_CLASSES = {
    "Dense": _layer("Dense", "MatMul", f"units, {_MORE}"),
    "Dropout": _layer("Dropout", "Identity", "rate=0.5, noise_shape=None, seed=None, training=False, name=None"),
    "Flatten": _layer("Flatten", "Reshape", "name=None, data_format=None"),
    **{f"Conv{axes}D": _layer(f"Conv{axes}D", "Conv2D", _CONV) for axes in (1, 2, 3)},
    **{f"{name}Pooling{axes}D": _layer(f"{name}Pooling{axes}D", result, _POOL)
       for name, result in (("Max", "MaxPool"), ("Average", "AvgPool")) for axes in (1, 2)},
}  # fmt: skip
Dense = _CLASSES["Dense"]
_Connected = _layer("Dense", "MatMul", f"units, {_MORE}", "fully_connected", kernel="weights", bias="biases")


def _at_once(kind: Any) -> Callable[..., Any]:
    """Return a function that makes a layer and calls it."""

    def call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return kind(*args, **kwargs)(inputs)

    own = [*inspect.signature(kind.__init__).parameters.values()][1:]
    first = inspect.Parameter("inputs", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    call.__signature__, call.__qualname__ = inspect.Signature([first, *own]), f"layers.{kind._called}"  # type: ignore[attr-defined]
    return spelled()(call)


@takes(
    "contrib.layers.fully_connected",
    "inputs, num_outputs, activation_fn='relu', normalizer_fn=None, normalizer_params=None, weights_initializer=None, "
    "weights_regularizer=None, biases_initializer='zeros', biases_regularizer=None, reuse=None, variables_collections=None, "
    "outputs_collections=None, trainable=True, scope=None",
)
def fully_connected(
    inputs: Any, num_outputs: Any, activation_fn: Any, weights_initializer: Any, biases_initializer: Any, reuse: Any, scope: Any
) -> Any:  # fmt: skip
    """Return a dense layer, with relu unless another activation, or None, is given."""
    activation = NN["relu"] if isinstance(activation_fn, str) and activation_fn == "relu" else activation_fn
    first, has_bias = (weights_initializer, biases_initializer), biases_initializer is not None
    return _Connected(num_outputs, activation, has_bias, *first, name=scope, reuse=reuse)(inputs)


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


LAYERS: dict[str, Any] = {**_CLASSES, **{keras_name(name): _at_once(kind) for name, kind in _CLASSES.items()}}
_OF_CONTRIB: dict[str, tuple[str, Callable[..., Any]]] = {
    "dropout": ("inputs, keep_prob=0.5, noise_shape=None, is_training=True, outputs_collections=None, scope=None, seed=None",
                LAYERS["dropout"]),
    "flatten": ("inputs, outputs_collections=None, scope=None", LAYERS["flatten"]),
    "one_hot_encoding": ("labels, num_classes, outputs_collections=None, scope=None",
                         lambda labels, num_classes: _TF["one_hot"](labels, num_classes)),
}  # fmt: skip
CONTRIB = {
    **{name: takes(f"contrib.layers.{name}", arguments)(body) for name, (arguments, body) in _OF_CONTRIB.items()},
    "embed_sequence": embed_sequence, "fully_connected": fully_connected, "l2_regularizer": regularizer,
    **{name: INITIALIZERS[name] for name in ("variance_scaling_initializer", "xavier_initializer")},
}  # fmt: skip
