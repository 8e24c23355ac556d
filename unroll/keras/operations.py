"""Functions that models call, as Keras's files name them: classes of ``keras.ops``, and TensorFlow's functions in Keras 2."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from unroll.checks import shown
from unroll.errors import NameNotFoundError, UnsupportedError
from unroll.keras import ops
from unroll.layers.configs.operations import Operations, set_operations
from unroll.layers.sublayers import keras_name
from unroll.layers.symbolic import Call
from unroll.words import closest

#: Classes whose function has another name.
_FUNCTIONS = {"Absolute": "abs", "GetItem": "get_item"}
#: Functions of `unroll.ops`, which signs such as ``a - b`` call, by the class in Keras's files.
_SIGNS = {
    "abs": "Absolute", "sub": "Subtract", "mul": "Multiply", "div": "TrueDivide", "pow": "Power", "neg": "Negative",
    "getitem": "GetItem",
}  # fmt: skip
#: What a call is given; other arguments are those of the operation itself.
_OF_THE_CALL = ("x", "x1", "x2", "xs", "condition", "indices", "key", "a", "b")
_MODULES = {
    "nn": "relu relu6 sigmoid silu softplus softsign elu selu leaky_relu gelu softmax log_softmax log_sigmoid hard_sigmoid "
    "one_hot conv max_pool average_pool categorical_crossentropy sparse_categorical_crossentropy binary_crossentropy",
    "core": "cast stop_gradient shape unstack",
    "math": "erf logsumexp rsqrt",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}


def get_item(x: Any, key: Any) -> Any:
    """Return ``x[key]``, of a key that a file lists."""
    return x[tuple(key) if isinstance(key, list) else key]


# -- Keras 3 ----------------------------------------------------------------------------------------------------------


def read(entry: Mapping[str, Any], where: str) -> Callable[..., Any] | None:
    """Return the function that an entry of a model's list of layers is; None of a layer.

    Raises:
        NameNotFoundError, UnsupportedError: a function that there is not.
    """
    kind, module, config = entry.get("class_name"), entry.get("module"), dict(entry["config"])
    if kind in ("TFOpLambda", "SlicingOpLambda"):
        return _of_tensorflow(config.get("function"), where)
    if not isinstance(kind, str):
        return None
    name = _FUNCTIONS.get(kind, keras_name(kind))
    if isinstance(module, str):
        if not module.startswith("keras.src.ops."):
            return None
    elif "trainable" in config or kind == "InputLayer" or not (name in ops.__all__ or name == "get_item"):
        return None
    if name == "get_item":
        return get_item
    if name not in ops.__all__:
        raise NameNotFoundError(f"{where}: there is no keras.ops.{name} here; {closest(name, ops.__all__)}")
    return _with(
        getattr(ops, name),
        {
            key: value
            for key, value in config.items()
            if key not in ("name", "dtype") or (name == "cast" and key == "dtype")
        },
    )


def _with(function: Callable[..., Any], fixed: Mapping[str, Any]) -> Callable[..., Any]:
    """Return a function with some arguments that its file says once for all calls."""
    given = {key: value for key, value in fixed.items() if value is not None}
    return lambda *args, **kwargs: function(*args, **{**given, **kwargs})


def write(call: Call) -> tuple[dict[str, Any], tuple[Any, ...], dict[str, Any]]:
    """Return Keras's dictionary of the function of a call, and what the call itself is given.

    Raises:
        UnsupportedError: Keras has no such operation.
    """
    function = call.function
    name = getattr(function, "__name__", "")
    kind = _SIGNS.get(name) or "".join(part.title() for part in name.split("_"))
    if name not in _SIGNS and name not in ops.__all__:
        raise UnsupportedError(
            f"{shown(function)} is no function of keras.ops, which files can name; call it in a layer of your own"
        )
    try:
        bound = inspect.signature(function).bind(*call.args, **call.kwargs)
    except (TypeError, ValueError):
        return _entry(name, kind, {}), call.args, call.kwargs
    bound.apply_defaults()
    args: list[Any] = []
    fixed: dict[str, Any] = {}
    for argument, value in bound.arguments.items():
        if argument in _OF_THE_CALL or name in _SIGNS:
            args.append(value)
        else:
            fixed[argument] = value
    return _entry(name, kind, fixed), tuple(args), {}


def _entry(name: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    module = f"keras.src.ops.{_MODULE_OF.get(name, 'numpy')}"
    return {"module": module, "class_name": kind, "config": config, "registered_name": kind}


# -- Keras 2 ----------------------------------------------------------------------------------------------------------


def _of_tensorflow(name: Any, where: str) -> Callable[..., Any]:
    if not isinstance(name, str) or name not in _TENSORFLOW:
        said = name if isinstance(name, str) else shown(name)
        raise NameNotFoundError(
            f"{where}: there is no function tf.{said} of Keras 2's files here; {closest(str(name), _TENSORFLOW)}"
        )
    return _TENSORFLOW[name]


def _product(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    return ops.matmul(a, ops.swapaxes(b, -1, -2) if transpose_b else b)


def _named(function: Callable[..., Any], *names: str) -> Callable[..., Any]:
    """Return a function of these arguments in their order, which a file may give by name."""

    def call(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        return function(*(given[name] for name in names if name in given))

    return call


_OF_TWO = (
    "add", "subtract", "multiply", "divide", "maximum", "minimum", "equal", "not_equal", "greater", "less", "logical_and",
    "logical_or",
)  # fmt: skip
_TENSORFLOW: dict[str, Callable[..., Any]] = {
    "__operators__.getitem": _named(get_item, "x", "slice_spec"),
    "__operators__.add": _named(ops.add, "x", "y"),
    "math.truediv": _named(ops.divide, "x", "y"),
    "math.pow": _named(ops.power, "x", "y"),
    **{
        f"math.{name}": _named(getattr(ops, name), "x", "y")
        for name in (
            [
                "add",
                "subtract",
                "multiply",
                "divide",
                "maximum",
                "minimum",
                "equal",
                "not_equal",
                "greater",
                "less",
                "logical_and",
                "logical_or",
            ]
        )
    },
    **{
        f"math.{name}": _named(getattr(ops, name), "x")
        for name in [
            "logical_not",
            "negative",
            "abs",
            "exp",
            "log",
            "sqrt",
            "square",
            "tanh",
            "sigmoid",
            "sign",
            "floor",
        ]
    },
    **{
        f"math.reduce_{name}": _named(getattr(ops, name), "input_tensor", "axis", "keepdims")
        for name in ["sum", "mean", "max", "min"]
    },
    "nn.relu": _named(ops.relu, "features"),
    "nn.softmax": _named(ops.softmax, "logits", "axis"),
    "linalg.matmul": _product,
    "concat": _named(ops.concatenate, "values", "axis"),
    "stack": _named(ops.stack, "values", "axis"),
    "transpose": _named(ops.transpose, "a", "perm"),
    "reshape": _named(ops.reshape, "tensor", "shape"),
    "expand_dims": _named(ops.expand_dims, "input", "axis"),
    "reverse": _named(ops.flip, "tensor", "axis"),
    "squeeze": _named(ops.squeeze, "input", "axis"),
    "compat.v1.squeeze": _named(ops.squeeze, "input", "axis"),
    "cast": _named(ops.cast, "x", "dtype"),
    "tile": _named(ops.tile, "input", "multiples"),
}

set_operations(Operations(read, write))
