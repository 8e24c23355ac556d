"""A function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from unroll.checks import shown
from unroll.errors import ArgumentTypeError
from unroll.layers.declared import Declared, declared
from unroll.tensor import Tensor, constant


def _function(value: Any, what: str) -> Any:
    if not callable(value) or isinstance(value, type):
        raise ArgumentTypeError(f"{what} is {shown(value)}; a function of tensors is wanted, such as unroll.ops.tanh")
    return value


def _mask(value: Any, what: str) -> Any:
    if isinstance(value, (str, type)):
        raise ArgumentTypeError(
            f"{what} is {shown(value)}; a bool tensor or array is wanted, or a function of inputs and their mask"
        )
    return value


def _given(value: Any, what: str) -> dict[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise ArgumentTypeError(f"{what} are {shown(value)}; a dict of further arguments by name is wanted")
    return dict(value or {})


@declared
class Lambda(Declared):
    """A function of tensors as a layer: Keras 3's ``Lambda``.

    Args:
        function: takes the inputs, and returns a tensor or a nest of them; it is written with `unroll.ops`, ``keras.ops`` or
            operators of tensors. Where it has an argument `mask`, it is given the mask of the inputs.
        output_shape: kept; the shape is that of what the function returns.
        mask: the mask of the output, or a function of inputs and their mask that returns it; the inputs' mask ends here by
            default.
        arguments: further arguments of the function, by name.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentTypeError: `function` is no function, or `arguments` are no dict.

    Example:
        >>> x = unroll.placeholder([2], name="x")
        >>> y = layers.Lambda(lambda x, power: x**power, arguments={"power": 2})(x)
        >>> unroll.Graph([x], y).run({x: [3, 4]}, y)
        array([ 9., 16.], dtype=float32)
    """

    SCHEDULING = ("output_shape",)
    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {"function": _function, "mask": _mask, "arguments": _given}
    function: Callable[..., Any]
    output_shape: Any = None
    mask: Any = None
    arguments: Mapping[str, Any] | None = None

    def _settle(self) -> None:
        self.supports_masking = self.mask is not None

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return what the function returns."""
        more = dict(self.arguments or {})
        try:
            names = inspect.signature(self.function).parameters
        except (TypeError, ValueError):  # a function of C has none
            names = {}  # type: ignore[assignment]
        more |= {name: value for name, value in (("mask", mask), ("training", False)) if name in names}
        return self.function(inputs, **more)

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        found = self.mask(inputs, mask) if callable(self.mask) else self.mask
        return found if found is None or isinstance(found, Tensor) else constant(found, name="mask")
