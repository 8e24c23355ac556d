"""What PyTorch's modules share: Parameters under PyTorch's names, made at once, and `state_dict` in and out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from unroll import nest, scopes
from unroll.arguments import check_constructor, checked
from unroll.bearers import Bearer
from unroll.cells.rnn_cell import snake_case
from unroll.dimensions import shape_text
from unroll.dtypes import Array
from unroll.errors import (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    NameNotFoundError,
    ShapeError,
    UnrollError,
    UnsupportedError,
)
from unroll.initializers import RandomUniform
from unroll.parameter import Parameter, parameter_dtype
from unroll.tensor import Tensor
from unroll.weights import WeightOwner


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` found: the names without an array, and the arrays under unknown names."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module(WeightOwner):
    """Base class of the modules: a scope, a dtype, and Parameters by PyTorch's names, which are attributes too.

    Parameters are made by the constructor, under the scope in force there. A graph has no training mode, so modules
    compute as PyTorch's do after ``eval()``.

    Args:
        name: the scope of Parameters and nodes; by default the class name in snake case, which a graph of two such modules
            numbers: ``lstm``, ``lstm_1``.
        device: None or ``"cpu"``.
        dtype: the dtype of the Parameters, and so of inputs and states; float32 by default.

    Raises:
        UnsupportedError: another device.
        DTypeError: not a floating dtype.

    Attributes:
        TRAINING_ONLY: arguments that act in training only, and are kept as they are given.
        REFUSED: arguments that are refused, with the reason.
    """

    TRAINING_ONLY: ClassVar[tuple[str, ...]] = ()
    REFUSED: ClassVar[Mapping[str, str]] = {
        "device": "arrays are NumPy's, in the machine's own memory, and where a model runs is chosen when it runs"
    }

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_constructor(cls)

    def __init__(self, name: str | None, device: Any, dtype: npt.DTypeLike | None) -> None:
        kind = type(self).__name__
        own = snake_case(kind) if name is None else scopes.check_name(name, kind)
        self._bearer = Bearer(kind, own, given=name is not None)
        if device is not None and str(device) != "cpu":
            raise UnsupportedError(
                f"{type(self).__name__}: device={device!r}: {self.REFUSED['device']}; leave it out, or give 'cpu'"
            )
        self.dtype = parameter_dtype("float32" if dtype is None else dtype)

    @property
    def name(self) -> str:
        """The module's scope, such as ``lstm``."""
        return self._bearer.shown()

    @property
    def _called(self) -> str:
        return self._bearer.name

    def _named_anew(self) -> None:
        self._bearer.free()

    @property
    def _what(self) -> str:
        """The module as messages name it: ``LSTM 'encoder'``."""
        return f"{type(self).__name__} {self._called!r}"

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("_made", {}):
            return self._weights[name]
        return super().__getattr__(name)  # type: ignore[misc]  # raises

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute that is no Parameter.

        Raises:
            ArgumentError: it is a Parameter, which graphs share.
        """
        if name in self.__dict__.get("_made", {}):
            raise ArgumentError(
                f"{self._what}: {name!r} is a Parameter, which graphs share; change its value with .assign(array), or use "
                "load_state_dict"
            )
        super().__setattr__(name, value)

    def _uniform(
        self,
        name: str,
        fan: int,
        rows: Mapping[str, int] | None,
        columns: Mapping[str, int],
        note: str = "",
        part: str = "",
    ) -> Parameter:
        """Make a Parameter stored gates by sources, drawn from ``+-1 / sqrt(fan)`` as PyTorch's `reset_parameters` does, or as
        the scope says.
        """
        bound = 1 / math.sqrt(fan)
        with scopes.bearing(self._bearer):
            return self._add_weight(
                name,
                initializer=scopes.current().initializer or RandomUniform(-bound, bound),
                rows=rows,
                columns=columns,
                transposed=True,
                note=note,
                part=part,
                dtype=self.dtype,
            )

    def _check_input(self, x: object, width: int, argument: str = "input_size") -> None:
        """Check that an input is a tensor of the module's dtype, as wide as its weights take.

        Raises:
            ArgumentTypeError, ShapeError, DTypeError: it is not.
        """
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(
                f"{self._what}: the input {nest.sketch(x)} of type {type(x).__name__} is no tensor; "
                "use unroll.placeholder or unroll.constant"
            )
        check_width(x, width, self._what, argument)
        if x.dtype != self.dtype:
            raise DTypeError(
                f"{self._what}: the input {x.described()} must be of dtype {self.dtype}; convert it with "
                f"unroll.ops.cast, or make the module with dtype={str(x.dtype)!r}"
            )

    def eval(self) -> Self:
        """Return the module: a traced graph infers, so there is nothing to switch off."""
        return self

    def parameters(self) -> Iterator[Parameter]:
        """Yield the Parameters, in PyTorch's order."""
        yield from self._weights.values()

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield (name, Parameter), in PyTorch's order."""
        yield from self._weights.items()

    def flatten_parameters(self) -> None:
        """Do nothing: it lays weights out for a GPU."""

    def state_dict(self) -> dict[str, Array]:
        """Return copies of the Parameters' values by PyTorch's names, in PyTorch's order and layouts."""
        return {name: np.array(parameter.value) for name, parameter in self._weights.items()}

    @checked()
    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Give the Parameters new values, all or none.

        Args:
            state_dict: arrays by PyTorch's names; anything that NumPy makes an array of, such as a tensor on the CPU.
                They are cast to the module's dtype under the ``same_kind`` rule.
            strict: whether a missing or an unexpected name is an error; wrong shapes always are.

        Returns:
            The missing names and the unexpected ones, in order.

        Raises:
            NameNotFoundError: names are missing or unexpected, and `strict`; the message lists them all.
            ShapeError: arrays of other shapes; the message lists them all.
            DTypeError: an array whose cast would change the kind of number, or overflow.
            ArgumentTypeError: no mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise ArgumentTypeError(
                f"{self._what}: load_state_dict takes a mapping of names to arrays, not {type(state_dict).__name__}"
            )
        missing = [name for name in self._weights if name not in state_dict]
        unexpected = [name for name in state_dict if name not in self._weights]
        arrays = {
            name: _array(state_dict[name], f"{self._what}: load_state_dict: {name!r}")
            for name in self._weights
            if name in state_dict
        }
        unfit = [
            f"{name} has shape {shape_text(array.shape)} where {shape_text(self._weights[name].shape)} is wanted"
            for name, array in arrays.items()
            if array.shape != self._weights[name].shape
        ]
        problems = [f"missing: {', '.join(missing)}"] if strict and missing else []
        problems += [f"unexpected: {', '.join(map(str, unexpected))}"] if strict and unexpected else []
        if problems or unfit:
            error = NameNotFoundError if problems else ShapeError
            fix = _prefix_fix(missing, unexpected) if problems else ""
            raise error(f"{self._what}: load_state_dict: {'; '.join([*problems, *unfit])}{fix}")
        for name, array in arrays.items():
            self._weights[name].cast(array)
        for name, array in arrays.items():
            self._weights[name].assign(array)
        return IncompatibleKeys(missing, unexpected)


def check_width(x: Tensor, width: int, what: str, argument: str = "input_size") -> None:
    """Check that the last axis of an input is as wide as the weights take.

    Raises:
        ShapeError: it is not.
    """
    if x.shape[-1:] != (width,):
        raise ShapeError(f"{what}: the input {x.described()} must end in {width} features, its {argument}")


def _array(value: Any, what: str) -> Array:
    """Return an entry of a state dict as an array, whatever framework's tensor it was."""
    try:
        return np.asarray(value)
    except UnrollError:
        raise
    except Exception as error:  # each framework says in its own way why a tensor cannot be read
        raise ArgumentTypeError(
            f"{what} of type {type(value).__name__} cannot become an array: {str(error).rstrip('.')}; "
            "give an array, or a tensor on the CPU that needs no gradient, as state_dict() returns them"
        ) from None


def _prefix_fix(missing: list[str], unexpected: list[Any]) -> str:
    """Say what to do where names are right but for a prefix, as in the state dict of a model that holds the module."""
    tails = {str(name): tail for name in unexpected for tail in missing if str(name).endswith(f".{tail}")}
    prefixes = {name.removesuffix(tail) for name, tail in tails.items()}
    if len(prefixes) != 1:
        return ""
    prefix = prefixes.pop()
    return f"; names begin with {prefix!r}: give {{name.removeprefix({prefix!r}): array for name, array in ...}}"
