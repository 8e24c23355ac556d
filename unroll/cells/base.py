"""The contract of a recurrent cell, ``cell(input_t, state) -> (output_t, new_state)``, and what cells share.

A cell knows nothing of time; the drivers in `unroll.drivers` know nothing of gates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from unroll import nest, ops, scopes
from unroll.dimensions import Dim, Dimension, Shape, shape_text
from unroll.dtypes import Array, DType
from unroll.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError, StructureError
from unroll.initializers import glorot_uniform
from unroll.parameter import BlockTable, Parameter, parameter_dtype
from unroll.scopes import Initializer
from unroll.tensor import Tensor, named

#: A nest of tensors, built as the cell's `state_size` is.
State: TypeAlias = Any


@runtime_checkable
class RNNCellLike(Protocol):
    """What a driver needs of a cell; subclassing `RNNCell` gives weights, names and checks besides."""

    @property
    def state_size(self) -> Any:
        """An int, or a nest of ints: the size of each part of the state."""

    @property
    def output_size(self) -> Any:
        """An int, or a nest of ints: the size of the output."""

    def __call__(self, inputs: Any, state: State) -> tuple[Any, State]:
        """Trace one step: ``(input_t, state) -> (output_t, new_state)``."""


class LSTMStateTuple(NamedTuple):
    """The state of an LSTM: the cell `c` before the hidden state `h`, as TensorFlow has it."""

    c: Any
    h: Any


class RNNCell:
    """Base class of cells: define `state_size`, `output_size` and `call`, and make weights with `add_weight`.

    Args:
        name: the cell's scope; by default its class name in snake case.
        dtype: the dtype of weights; by default that of the inputs.
    """

    _name: str | None = None
    _dtype: DType | None = None

    def __init__(self, *, name: str | None = None, dtype: npt.DTypeLike | None = None) -> None:
        self._name = None if name is None else scopes.check_name(name, type(self).__name__)
        self._dtype = None if dtype is None else parameter_dtype(dtype)

    @property
    def name(self) -> str:
        """The cell's scope, such as ``basic_lstm_cell``."""
        return self._name or snake_case(type(self).__name__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"

    @property
    def state_size(self) -> Any:
        """An int, or a nest of ints: the size of each part of the state."""
        raise StructureError(f"{type(self).__name__} does not say its state_size; define the property")

    @property
    def output_size(self) -> Any:
        """An int, or a nest of ints: the size of the output."""
        raise StructureError(f"{type(self).__name__} does not say its output_size; define the property")

    def call(self, inputs: Any, state: State) -> tuple[Any, State]:
        """Trace one step; `inputs` and `state` are checked already.

        Args:
            inputs: ``(batch, features)`` or ``(features,)``.
            state: a nest as `state_size`, each part ``(batch, size)`` or ``(size,)``.

        Returns:
            The output and the new state.
        """
        raise StructureError(f"{type(self).__name__} has no call(inputs, state); define it")

    def __call__(self, inputs: Any, state: State, scope: str | None = None) -> tuple[Any, State]:
        """Trace one step under the cell's own scope (or `scope`).

        Raises:
            ShapeError, DTypeError: the input or state has a shape or dtype the cell does not take.
            StructureError: the state is not built as `state_size`.
        """
        self.check(inputs, state)
        with scopes.in_cell(scope or self.name):
            result = self.call(inputs, state)
            if isinstance(result, tuple) and len(result) == 2:
                _name_results(*result)
            return result

    def check(self, inputs: Any, state: State) -> None:
        """Check the input and the state of a step; cells whose input is not a vector a row override this."""
        what = f"{type(self).__name__} {self.name!r}"
        if not isinstance(inputs, Tensor):
            raise ArgumentTypeError(
                f"{what}: the input {nest.sketch(inputs)} of type {type(inputs).__name__} is no tensor"
            )
        if inputs.rank not in (1, 2):
            raise ShapeError(f"{what}: the input {inputs.described()} must be (batch, features) or (features,)")
        if isinstance(inputs.shape[-1], Dimension):
            raise ShapeError(f"{what}: the input {inputs.described()} must have a known number of features")
        if inputs.dtype.kind != "f" or (self._dtype or inputs.dtype) != inputs.dtype:
            raise DTypeError(
                f"{what}: the input {inputs.described()} must be of dtype {self._dtype or 'float32 or float64'}; "
                "convert it with unroll.ops.cast(x, dtype)"
            )
        check_state(f"{what}: the state", self.state_size, state, inputs.shape[:-1], inputs.dtype)

    @property
    def weights(self) -> dict[str, Parameter]:
        """The Parameters made so far, by their name within the cell."""
        made: dict[str, Parameter] = self.__dict__.setdefault("_weights", {})
        return made

    def add_weight(
        self,
        name: str,
        shape: Sequence[int] | None = None,
        initializer: Initializer | None = None,
        *,
        rows: Mapping[str, Dim] | None = None,
        columns: Mapping[str, Dim] | None = None,
        dtype: npt.DTypeLike | None = None,
        value: Array | None = None,
    ) -> Parameter:
        """Return the cell's Parameter `name`, made when first asked for.

        Args:
            name: its name within the cell, such as ``kernel``.
            shape: its shape, unless `columns` gives it.
            initializer: draws the first value; by default that of the scope, else glorot uniform.
            rows: sources and their sizes, top to bottom: ``{"x": 28, "h": 13}``.
            columns: gates and their sizes, left to right; with `rows`, they give the shape and the block table.
            dtype: by default the cell's, else float32.
            value: the first value, instead of a drawn one.

        Raises:
            ShapeError: the weight exists with another shape: the cell is reused with another input width.
        """
        blocks = None
        if columns is not None:
            blocks = BlockTable(_sizes(rows or {}), _sizes(columns))
            shape = blocks.shape
        if shape is None:
            raise ArgumentError(f"{self.name}: weight {name!r} needs a shape, or rows and columns")
        wanted = tuple(int(dim) for dim in shape)
        made = self.weights.get(name)
        if made is None:
            scope = scopes.current()
            full, kind = scopes.join(scope.variables, name), parameter_dtype(dtype or self._dtype or "float32")
            draw = initializer or scope.initializer or glorot_uniform
            first = draw(wanted, kind, full, scope.seed) if value is None else value
            made = self.weights[name] = Parameter(first, name, kind, blocks=blocks)
        elif made.shape != wanted:
            raise ShapeError(
                f"{self.name}: weight {made.name!r} has shape {shape_text(made.shape)}, and this call needs "
                f"{shape_text(wanted)}; a cell is reused only with inputs of one width. Make a second cell"
            )
        return made

    def zero_state(self, batch_size: int | Tensor | None, dtype: npt.DTypeLike = "float32") -> State:
        """Return a state of zeros, built as `state_size`.

        Args:
            batch_size: an int, an int64 tensor (such as ``unroll.ops.shape(x)[0]``), or None for a state without a
                batch axis.
            dtype: the dtype of the state.
        """
        return zero_state(self.state_size, batch_size, dtype)


def _name_results(output: Any, state: State) -> None:
    """Name what a cell returns where the cell itself made it and gave it no name: states by their place in the state."""
    names = [(path or "h", leaf) for path, leaf in nest.flatten_with_paths(state)]
    names += [(scopes.join("output", path), leaf) for path, leaf in nest.flatten_with_paths(output)]
    for name, tensor in names:
        nameless = isinstance(tensor, Tensor) and tensor.node is not None and tensor.hint is None
        if nameless and tensor.node.origin.scope == scopes.current().nodes:
            named(tensor, name)


def zero_state(state_size: Any, batch_size: int | Tensor | None, dtype: npt.DTypeLike) -> State:
    """Return a state of zeros, built as `state_size`; see `RNNCell.zero_state`.

    Raises:
        ArgumentError: a negative batch size.
        ArgumentTypeError: a batch size that is neither int, tensor nor None.
    """
    with scopes.beside_steps("zero_state"):
        batch: list[int] | Tensor
        if isinstance(batch_size, Tensor):
            batch = ops.unsqueeze(batch_size, [0]) if batch_size.rank == 0 else batch_size
        elif isinstance(batch_size, Dimension):
            raise ArgumentTypeError(
                f"zero_state: the batch size {batch_size} is symbolic; pass unroll.ops.shape(x)[0] of a tensor x that has it"
            )
        else:
            batch = [] if batch_size is None else [check_size(batch_size, "zero_state: batch_size", least=0)]

        def zeros(size: int, part: str) -> Tensor:
            shape = ops.concat([batch, [size]], axis=0) if isinstance(batch, Tensor) else [*batch, size]
            return named(ops.constant_of_shape(shape, 0, dtype), part or "state")

        return nest.pack(state_size, [zeros(size, part) for part, size in nest.flatten_with_paths(state_size)])


def check_state(what: str, state_size: Any, state: State, batch: Shape, dtype: DType) -> None:
    """Check a state against a cell's `state_size`.

    Raises:
        StructureError: it is built otherwise, or holds something that is no tensor.
        ShapeError, DTypeError: a part has another shape or dtype.
    """
    nest.check_same_structure(state_size, state, what)
    for (path, part), size in zip(nest.flatten_with_paths(state), nest.flatten(state_size), strict=True):
        where = f"{what}{f' {path}' if path else ''}"
        if not isinstance(part, Tensor):
            raise StructureError(
                f"{where}: {part!r} is no tensor; make it one with unroll.constant or unroll.placeholder"
            )
        if part.shape != (*batch, size):
            symbolic = any(isinstance(dim, Dimension) for dim in batch) and part.shape[-1:] == (size,)
            fix = "; for a batch that is not known yet, zero_state takes unroll.ops.shape(x)[0]" if symbolic else ""
            raise ShapeError(
                f"{where}: {part.described()} was given, shape {shape_text((*batch, size))} is wanted{fix}"
            )
        if part.dtype != dtype:
            raise DTypeError(
                f"{where}: {part.described()} was given, dtype {dtype} is wanted; convert it with unroll.ops.cast"
            )


def check_size(value: object, what: str, least: int = 1) -> int:
    """Return `value` where it is an int of at least `least`.

    Raises:
        ArgumentTypeError: not an int (a bool is none).
        ArgumentError: too small.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ArgumentTypeError(f"{what} is {value!r} of type {type(value).__name__}; an int is wanted")
    if value < least:
        raise ArgumentError(f"{what} is {value}; at least {least} is wanted")
    return int(value)


def snake_case(name: str) -> str:
    """Return a class name as TensorFlow names its scope: ``BasicLSTMCell`` gives ``basic_lstm_cell``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _sizes(blocks: Mapping[str, Dim]) -> tuple[tuple[str, int], ...]:
    return tuple((name, int(size)) for name, size in blocks.items())
