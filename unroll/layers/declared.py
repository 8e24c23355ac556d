"""Layers whose constructor is their fields: each annotation is an argument, with Keras's name and default.

    @declared
    class ReLU(Declared):
        max_value: float | None = None
        negative_slope: float = 0.0

stands for a constructor ``ReLU(max_value=None, negative_slope=0.0, *, name=None, dtype=None, ...)`` that checks its arguments
as every other does (see `unroll.layers.arguments.keep`) and makes them attributes. Type checkers, `help` and
`inspect.signature` show it as one that is written out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, dataclass_transform

import numpy.typing as npt

from unroll.layers.arguments import Regularizer, keep
from unroll.layers.layer import Layer

LayerClass = TypeVar("LayerClass", bound=type[Layer])
#: The arguments that every layer has.
_COMMON = {name: item for name, item in inspect.signature(Layer.__init__).parameters.items() if name != "self"}
_EITHER = inspect.Parameter.POSITIONAL_OR_KEYWORD


def argument(*, default: Any, kw_only: bool, alias: str | None = None) -> Any:
    """Return the default of an argument that every layer has; type checkers read the rest."""
    return default


@dataclass_transform(field_specifiers=(argument,))
def declared(cls: LayerClass) -> LayerClass:
    """Give a class the constructor that its annotations say, and those of the declared classes that it is made of."""
    fields: dict[str, inspect.Parameter] = {}
    for base in reversed(cls.__mro__):
        for name, kind in inspect.get_annotations(base).items() if base is cls or "_is_declared" in vars(base) else ():
            if name not in _COMMON and not name.startswith("_") and "ClassVar" not in str(kind):
                default = getattr(cls, name, inspect.Parameter.empty)
                fields[name] = inspect.Parameter(name, _EITHER, default=default, annotation=kind)
    signature = inspect.Signature([inspect.Parameter("self", _EITHER), *fields.values(), *_COMMON.values()])

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  (it becomes one)
        given = signature.bind(self, *args, **kwargs)
        given.apply_defaults()
        Layer.__init__(self, **{name: given.arguments[name] for name in _COMMON})
        keep(self, {name: given.arguments[name] for name in fields})
        self._settle()

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    cls.__init__ = __init__  # type: ignore[method-assign]
    cls._is_declared = True  # type: ignore[attr-defined]
    return cls


@declared
class Declared(Layer):
    """Base class of layers that are declared.

    Attributes:
        CHECKS: what an argument takes whose name means something else on other layers.
    """

    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {}
    _given_name: str | None = argument(default=None, kw_only=True, alias="name")
    _given_dtype: npt.DTypeLike | None = argument(default=None, kw_only=True, alias="dtype")
    trainable: bool = argument(default=True, kw_only=True)
    activity_regularizer: Regularizer = argument(default=None, kw_only=True)

    def _settle(self) -> None:
        """Finish the constructor: what depends on several arguments."""
