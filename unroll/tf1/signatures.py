"""TensorFlow's arguments: a function is called with those it has there, checked by their names, and gets those it uses."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from unroll.checks import check_flag, check_function, check_text, shown
from unroll.errors import ArgumentTypeError, UnsupportedError
from unroll.layers.arguments import bind
from unroll.ops.spelling import WORDS


def _listed(value: Any, what: str) -> Any:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ArgumentTypeError(f"{what} is {shown(value)}; a list of names, such as tf.GraphKeys.LOSSES, is wanted")
    return value


def _left_out(value: Any, what: str) -> None:
    if shown(value) not in ("0", "False", "'weighted_sum_by_nonzero_weights'"):
        raise UnsupportedError(f"{what} = {shown(value)} would change what is computed, and is not here; leave it out")


_FLAGS = """adjoint_a adjoint_b alignment_history auxiliary_name_scope average_across_batch average_across_timesteps
    impute_finished keep_dims keepdims normalize output_attention output_time_major time_major trainable transpose_a transpose_b
    uniform use_bias"""
_FUNCTIONS = (
    "activation attention_layer cell_input_fn false_fn fn fn1 fn2 loop_fn probability_fn softmax_loss_function true_fn"
)
#: What an argument may be besides None, by its name, wherever it is taken.
_CHECKS: dict[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(_FLAGS.split(), check_flag),
    **dict.fromkeys(("data_format", "key", "latest_filename", "loss_collection", "mode", "name"), check_text),
    **dict.fromkeys(_FUNCTIONS.split(), check_function),
    **dict.fromkeys(("batch_dims", "custom_getter", "normalizer_fn", "reduction", "reverse"), _left_out),
    "collections": _listed,
}


def _own(name: str, taken: Iterable[str]) -> str | None:
    """Return what a function calls an argument of TensorFlow's; None where it does not take it."""
    return name if name in taken else next((mine for mine in taken if name in WORDS.get(mine, ())), None)


def takes(
    called: str, arguments: str, prepared: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: a function is called with TensorFlow's arguments, of which it gets those that it has.

    They are handed on by name, or by the core's word for one (`unroll.ops.spelling.WORDS`). Of two that mean the same the
    later one counts where it is given; one that is None, as it is by default, is left out where the function has a default.

    Args:
        called: TensorFlow's name of it, for messages.
        arguments: its arguments and their defaults as they stand there: ``"input, axis=None, name=None"``. A constructor has
            ``self`` before them.
        prepared: makes what the function gets of what is handed on.
    """
    kind, parameters = inspect.Parameter.POSITIONAL_OR_KEYWORD, []
    for item in arguments.split(", "):
        name, _, default = item.partition("=")
        found = ast.literal_eval(default) if default else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, kind, default=found))
    signature = inspect.Signature(parameters)
    needed = {item.name for item in parameters if item.default is inspect.Parameter.empty}
    unsaid = {item.name for item in parameters if item.default is None}
    checks = [(name, _CHECKS[name]) for name in signature.parameters if name in _CHECKS]

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        taken = inspect.signature(body).parameters
        optional = {item.name for item in taken.values() if item.default is not inspect.Parameter.empty}
        places = [(name, mine) for name in signature.parameters if (mine := _own(name, taken)) is not None]

        @functools.wraps(body)
        def call(*args: Any, **kwargs: Any) -> Any:
            bound = bind(signature, args, kwargs, called)
            bound.apply_defaults()
            given, handed = bound.arguments, {}
            for name, check in checks:
                if given[name] is not None or name in needed:
                    given[name] = check(given[name], f"{called}: {name}")
            for name, mine in places:
                if given[name] is not None or not (mine in handed or (mine in optional and name in unsaid)):
                    handed[mine] = given[name]
            return body(**prepared(handed))

        call.__name__ = call.__qualname__ = called.rpartition(".")[2]
        call.__doc__ = body.__doc__ or f"Return TensorFlow 1's ``{called}({arguments})``."
        call.__signature__ = signature  # type: ignore[attr-defined]
        return call

    return decorate
