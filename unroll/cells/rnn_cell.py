"""The contract of a recurrent cell, ``cell(input_t, state) -> (output_t, new_state)``, and what cells share.

A cell knows nothing of time; the drivers in `unroll.drivers` know nothing of gates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, Protocol, TypeAlias, runtime_checkable

import numpy.typing as npt

from unroll import nest, ops, scopes
from unroll.arguments import check_constructor
from unroll.checks import check_size, shown
from unroll.dimensions import Dim, Dimension, Requirement, Shape, is_never_zero, shape_text
from unroll.dtypes import Array, DType
from unroll.errors import ArgumentTypeError, DTypeError, ShapeError, StructureError
from unroll.initializers import InitializerLike
from unroll.ops.functions import Identity
from unroll.ops.operator import apply_one
from unroll.parameter import Parameter, parameter_dtype
from unroll.tensor import Tensor, named
from unroll.weights import WeightOwner

#: A nest of tensors, built as the cell's `state_size` is.
State: TypeAlias = Any


@runtime_checkable
class RNNCellLike(Protocol):
    """What a driver needs of a cell; subclassing `RNNCell` gives weights, names and checks besides.

    Example:
        >>> isinstance(unroll.GRUCell(5), unroll.cells.RNNCellLike)
        True
        >>> isinstance(len, unroll.cells.RNNCellLike)  # can be called, and has no sizes
        False
    """

    @property
    def state_size(self) -> Any:
        """An int, or a nest of ints: the size of each part of the state."""

    @property
    def output_size(self) -> Any:
        """An int, or a nest of ints: the size of the output."""

    def __call__(self, inputs: Any, state: State) -> tuple[Any, State]:
        """Trace one step: ``(input_t, state) -> (output_t, new_state)``."""


class LSTMStateTuple(NamedTuple):
    """The state of an LSTM: the cell `c` before the hidden state `h`, as TensorFlow has it.

    Attributes:
        c: the cell state, ``(batch, num_units)``.
        h: the hidden state, ``(batch, num_units)``, or ``(batch, num_proj)`` where the cell has a projection.

    Example:
        >>> unroll.BasicLSTMCell(13).state_size
        LSTMStateTuple(c=13, h=13)
        >>> c, h = unroll.BasicLSTMCell(13).zero_state(2)
        >>> h.shape
        (2, 13)
    """

    c: Any
    h: Any


class TensorShape:
    """The size of a state or output of more than one axis beyond the batch, such as an image's; a leaf of `state_size`.

    Args:
        dims: the sizes: ``TensorShape([8, 8, 16])``; one that only a run knows is a symbol.

    Raises:
        ArgumentTypeError, ArgumentError: no list, or a size that is not an int of at least 1.

    Example:
        >>> cell = unroll.cells.Conv2DLSTMCell(input_shape=[8, 8, 3], output_channels=16, kernel_shape=[3, 3])
        >>> cell.output_size  # rows, columns, channels
        TensorShape([8, 8, 16])
    """

    def __init__(self, dims: Sequence[Dim]) -> None:
        if not isinstance(dims, (list, tuple)):
            raise ArgumentTypeError(f"TensorShape: {shown(dims)} is no list of sizes; TensorShape([8, 8, 16])")
        self.dims: tuple[Any, ...] = tuple(
            dim if isinstance(dim, Dimension) else check_size(dim, "TensorShape") for dim in dims
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorShape) and self.dims == other.dims

    def __hash__(self) -> int:
        return hash(self.dims)

    def __repr__(self) -> str:
        return f"TensorShape({list(self.dims)})"


def dims_of(size: Any) -> tuple[Any, ...]:
    """Return a leaf of a `state_size` or `output_size` as the axes beyond the batch: 5 is ``(5,)``.

    Raises:
        ArgumentTypeError, ArgumentError: neither a TensorShape nor an int of at least 1.
    """
    return size.dims if isinstance(size, TensorShape) else (check_size(size, "a size in state_size or output_size"),)


class RNNCell(WeightOwner):
    """Base class of cells: define `state_size`, `output_size` and `call`, and make weights with `add_weight`.

    Args:
        name: the cell's scope; by default its class name in snake case.
        dtype: the dtype of weights; by default that of the inputs.
        trainable: kept on the object; it acts in training only.

    Attributes:
        TRAINING_ONLY: the arguments that are kept and act in training only.
        REFUSED: the arguments that are refused unless they have their default, with the reason.

    Example:
        A cell that adds its input to its state:

        >>> class Adder(unroll.RNNCell):
        ...     state_size = output_size = property(lambda self: 1)
        ...
        ...     def call(self, inputs, state):
        ...         return inputs + state, inputs + state
        >>> x = [unroll.placeholder([1, 1], name=f"x{t}") for t in range(3)]
        >>> outputs, total = unroll.static_rnn(Adder(), x)
        >>> unroll.Graph(x, total).run({"x0": [[1]], "x1": [[2]], "x2": [[3]]}, total)  # 1 + 2 + 3
        array([[6.]], dtype=float32)
    """

    TRAINING_ONLY: ClassVar[tuple[str, ...]] = ("trainable",)
    REFUSED: ClassVar[Mapping[str, str]] = {}
    # What `call_checked` stands for: these two methods; None where a class overrides one of them alone.
    _stood_for: ClassVar[tuple[Any, Any] | None] = None
    _name: str | None = None
    _dtype: DType | None = None
    _dtype_of_step: DType | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)

        def definer(method: str) -> type:
            return next(base for base in cls.__mro__ if method in vars(base))

        alike = all(issubclass(definer("call_checked"), definer(method)) for method in ("__call__", "check"))
        cls._stood_for = (cls.__call__, cls.check) if alike else None
        check_constructor(cls)

    def __init__(self, *, name: str | None = None, dtype: npt.DTypeLike | None = None, trainable: bool = True) -> None:
        self.trainable = trainable
        self._name = None if name is None else scopes.check_name(name, type(self).__name__)
        self._dtype = None if dtype is None else parameter_dtype(dtype)

    @property
    def _takes_checked(self) -> bool:
        """Whether drivers use `call_checked`: not where `__call__` or `check` is another one, of the class or of the cell."""
        kind = type(self)
        return kind._stood_for == (kind.__call__, kind.check) and "check" not in vars(self)

    @property
    def name(self) -> str:
        """The cell's scope, such as ``basic_lstm_cell``."""
        return self._name or snake_case(type(self).__name__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._called!r})"

    @property
    def state_size(self) -> Any:
        """An int, or a nest of ints: the size of each part of the state.

        Raises:
            StructureError: the cell does not define it.
        """
        return self._said_size("state_size")

    @property
    def output_size(self) -> Any:
        """An int, or a nest of ints: the size of the output.

        Raises:
            StructureError: the cell does not define it.
        """
        return self._said_size("output_size")

    def _said_size(self, which: str) -> Any:
        """Return a size that the cell's constructor set as an attribute, where the class has no property of that name."""
        if which not in vars(self):
            raise StructureError(
                f"{type(self).__name__} does not say its {which}; set self.{which} in its constructor, or define the property"
            )
        return vars(self)[which]

    if not TYPE_CHECKING:  # for which a class with a __setattr__ has every attribute

        def __setattr__(self, name: str, value: object) -> None:
            if name in ("state_size", "output_size") and getattr(type(self), name) is getattr(RNNCell, name):
                vars(self)[name] = value
            else:
                super().__setattr__(name, value)

    def call(self, inputs: Any, state: State) -> tuple[Any, State]:
        """Trace one step; `inputs` and `state` are checked already.

        Args:
            inputs: ``(batch, features)`` or ``(features,)``.
            state: a nest as `state_size`, each part ``(batch, size)`` or ``(size,)``.

        Returns:
            The output and the new state.

        Raises:
            StructureError: the cell does not define it.
        """
        raise StructureError(f"{type(self).__name__} has no call(inputs, state); define it")

    def __call__(self, inputs: Any, state: State, scope: str | None = None) -> tuple[Any, State]:
        """Trace one step under the cell's own scope (or `scope`).

        A plain tuple or list may stand for the named tuple that the state is, ``(c, h)`` for an LSTM's.

        Args:
            inputs: ``(batch, features)`` or ``(features,)``, where the cell does not say otherwise.
            state: a nest as `state_size`, each part ``(batch, size)`` or ``(size,)``.
            scope: the scope of variables and nodes instead of the cell's name.

        Returns:
            The output and the new state, which is built as `state_size`.

        Raises:
            ArgumentTypeError: the input is not a tensor.
            ShapeError, DTypeError: the input or state has a shape or dtype the cell does not take.
            StructureError: the state is not built as `state_size`.
        """
        if scope is not None:
            scopes.check_name(scope, f"{type(self).__name__}: scope")
        state = nest.coerced(self.state_size, state)
        if isinstance(inputs, Tensor):
            with scopes.beside_steps("state"):
                what = f"{type(self).__name__} {self._called!r}: the state"
                state = agreed_state(what, self.state_size, state, batch_of(inputs))
        self.check(inputs, state)
        return self._traced(inputs, state, scope)

    def call_checked(self, inputs: Any, state: State) -> tuple[Any, State]:
        """Trace one step from a state that the caller has checked: what drivers do (`unroll.cells.contract.call_step`).

        A cell whose class overrides `__call__` or `check`, and not this too, is called in full by drivers.

        Args:
            inputs: a tensor; it is checked as a call checks it.
            state: built as `state_size`, of the batch and dtype of `inputs`.

        Returns:
            The output and the new state.

        Raises:
            ArgumentTypeError, ShapeError, DTypeError, StructureError: the input does not fit; see `check_input`.
        """
        self.check_input(inputs)
        return self._traced(inputs, state, None)

    def _traced(self, inputs: Any, state: State, scope: str | None) -> tuple[Any, State]:
        with self._entered(scope):
            if self._dtype is None:
                self._dtype_of_step = _floating_dtype(inputs, state)
            result = self.call(inputs, state)
            if isinstance(result, tuple) and len(result) == 2:
                _name_results(*result)
            return result

    def _entered(self, scope: str | None = None) -> AbstractContextManager[None]:
        """Return a context inside the cell's scope, or inside `scope` instead."""
        return scopes.in_cell(scope or self._called)

    def check(self, inputs: Any, state: State) -> None:
        """Check the input and the state of a step, as a call does.

        Raises:
            ArgumentTypeError: the input is not a tensor.
            ShapeError: the input or a part of the state has another shape than the cell takes.
            DTypeError: the input is not of floats, or of another dtype than the cell's weights or state.
            StructureError: the state is not built as `state_size`, or the input as the cell takes it.
        """
        main = self.check_input(inputs)
        if main is not None:
            what = f"{type(self).__name__} {self._called!r}: the state"
            check_state(what, self.state_size, state, batch_of(main), main.dtype)

    def check_input(self, inputs: Any) -> Tensor | None:
        """Check the input of a step; cells whose input is not a vector a row override this.

        Returns:
            The tensor whose batch and dtype the state has; None where a cell inside checks the state.

        Raises:
            ArgumentTypeError: the input is not a tensor.
            ShapeError: the input has another shape than the cell takes.
            DTypeError: the input is not of floats, or of another dtype than the cell's weights.
            StructureError: the input is not built as the cell takes it.
        """
        what = f"{type(self).__name__} {self._called!r}"
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
        made = next(iter(self.weights.values()), None)
        if made is not None and made.dtype != inputs.dtype:
            raise DTypeError(f"{what}: weights are {made.dtype}, the input {inputs.described()}; make a second cell")
        return inputs

    @property
    def variables(self) -> list[Parameter]:
        """The Parameters made so far, by TensorFlow's name."""
        return list(self._weights.values())

    @property
    def weights(self) -> dict[str, Parameter]:
        """The Parameters made so far, by their name within the cell."""
        return self._weights

    def add_weight(
        self,
        name: str,
        shape: Sequence[int] | None = None,
        initializer: InitializerLike | None = None,
        *,
        rows: Mapping[str, Dim] | None = None,
        columns: Mapping[str, Dim] | None = None,
        transposed: bool = False,
        note: str = "",
        dtype: npt.DTypeLike | None = None,
        value: Array | None = None,
    ) -> Parameter:
        """Return the cell's Parameter `name`, made when first asked for; see `unroll.weights.WeightOwner` for the arguments.

        Its dtype is the one given here, else the cell's, else that of the inputs of the step that is traced, as in TensorFlow.

        Returns:
            The Parameter, the same one at every step.

        Raises:
            ArgumentError: neither `shape` nor `columns` is given.
            ShapeError: the weight is there already with another shape: the cell is reused with an input of another width.
            DTypeError: the dtype is not a floating one.
        """
        return self._add_weight(
            name,
            shape,
            initializer,
            rows=rows,
            columns=columns,
            transposed=transposed,
            note=note,
            dtype=(self._dtype or self._dtype_of_step) if dtype is None else dtype,
            value=value,
        )

    def zero_state(self, batch_size: int | Tensor | None, dtype: npt.DTypeLike = "float32") -> State:
        """Return a state of zeros, built as `state_size`.

        Args:
            batch_size: an int, an int64 tensor (such as ``unroll.ops.shape(x)[0]``), or None for a state without a
                batch axis.
            dtype: the dtype of the state.

        Returns:
            A nest as `state_size` of tensors ``(batch, size)``, or ``(size,)`` without a batch.

        Raises:
            ArgumentError: a negative batch size.
            ArgumentTypeError: a batch size that is neither int, tensor nor None.
        """
        return zero_state(self.state_size, batch_size, dtype)


def _floating_dtype(*nests: Any) -> DType | None:
    """Return the dtype of the first tensor of floats: of the inputs or, where those are indices, of the state."""
    leaves = (leaf for item in nests for leaf in nest.flatten(item))
    return next((leaf.dtype for leaf in leaves if isinstance(leaf, Tensor) and leaf.dtype.kind == "f"), None)


def _name_results(output: Any, state: State) -> None:
    """Name what a cell returns where the cell itself made it and gave it no name: states by their place in the state."""
    leaves = [*nest.flatten(state), *nest.flatten(output)]
    if not any(_is_nameless(leaf) for leaf in leaves):
        return  # as of most cells, so their places need not be told
    places = [("", path or "h", leaf) for path, leaf in nest.flatten_with_paths(state)]
    places += [("output", path, leaf) for path, leaf in nest.flatten_with_paths(output)]
    for within, path, tensor in places:
        if _is_nameless(tensor) and tensor.node.origin.scope == scopes.current().nodes:
            named(tensor, scopes.join(within, path))


def _is_nameless(tensor: Any) -> bool:
    """Say whether a node made a tensor that has no name yet."""
    return isinstance(tensor, Tensor) and tensor.hint is None and tensor.node is not None


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

        def zeros(size: Any, part: str) -> Tensor:
            dims = list(dims_of(size))
            shape = ops.concat([batch, dims], axis=0) if isinstance(batch, Tensor) else [*batch, *dims]
            return named(ops.constant_of_shape(shape, 0, dtype), part or "state")

        return nest.pack(state_size, [zeros(size, part) for part, size in nest.flatten_with_paths(state_size)])


def initial_state(cell: RNNCellLike, batch_size: int | Tensor | None, dtype: npt.DTypeLike) -> State:
    """Return the state `cell` starts from: its own `zero_state`, or zeros."""
    make = getattr(cell, "zero_state", None)
    return zero_state(cell.state_size, batch_size, dtype) if make is None else make(batch_size, dtype)


def batch_of(first: Tensor) -> Shape:
    """Return the batch axis of a step's input as a shape: none for features alone, or for one integer id."""
    return first.shape[:1] if first.rank > (1 if first.dtype.kind == "f" else 0) else ()


def check_state(what: str, state_size: Any, state: State, batch: Shape, dtype: DType) -> None:
    """Check a state against a cell's `state_size`.

    Raises:
        StructureError: it is built otherwise, or holds something that is no tensor.
        ShapeError, DTypeError: a part has another shape or dtype.
    """
    nest.check_same_structure(state_size, state, what)
    for place, (part, size) in enumerate(zip(nest.flatten(state), nest.flatten(state_size), strict=True)):
        if not isinstance(part, Tensor) or part.shape != (*batch, *dims_of(size)) or part.dtype != dtype:
            path = [path for path, _ in nest.flatten_with_paths(state)][place]
            _refuse_part(f"{what}{f' {path}' if path else ''}", part, batch, dims_of(size), dtype)


def agreed_state(what: str, state_size: Any, state: State, batch: Shape) -> State:
    """Return a state whose sizes that are not known are required to be those of the batch; as it is where it does not fit,
    which `check_state` then says.
    """
    try:
        nest.check_same_structure(state_size, state, what)
    except StructureError:
        return state
    return nest.map_leaves(
        lambda size, part: agreed(part, (*batch, *dims_of(size)), what) if isinstance(part, Tensor) else part,
        state_size,
        state,
    )


def agreed(tensor: Tensor, wanted: Shape, where: str) -> Tensor:
    """Return a tensor as one of the shape that is wanted, where sizes of it that are not known may be those: they must be then.

    Known sizes come first: a tensor of which one differs, or is known where the one that is wanted is not, stays as it is.
    """
    differ = [(seen, size) for seen, size in zip(tensor.shape, wanted, strict=False) if seen != size]
    may_be = all(isinstance(seen, Dimension) and not is_never_zero(seen - size) for seen, size in differ)
    if tensor.rank != len(wanted) or not differ or not may_be:
        return tensor
    same = apply_one(Identity(), tensor, requirements=[Requirement(*pair, where) for pair in differ])
    same.take_shape(wanted)  # which the sizes that differ are required to be
    return named(same, tensor.hint.rpartition("/")[2] if tensor.hint else "state")


def _refuse_part(where: str, part: Any, batch: Shape, dims: Shape, dtype: DType) -> NoReturn:
    """Raise the error that says what is wrong with a part of a state."""
    if not isinstance(part, Tensor):
        raise StructureError(f"{where}: {part!r} is no tensor; make it one with unroll.constant or unroll.placeholder")
    wanted = (*batch, *dims)
    if part.shape != wanted:
        symbolic = any(isinstance(dim, Dimension) for dim in batch) and part.shape[len(batch) :] == dims
        fix = "; make it for as many rows as the input has: of a placeholder the batch is None, and zero_state takes "
        fix = f"{fix}unroll.ops.shape(x)[0]" if symbolic else ""
        raise ShapeError(f"{where}: {part.described()} was given, shape {shape_text(wanted)} is wanted{fix}")
    raise DTypeError(f"{where}: {part.described()} was given, dtype {dtype} is wanted; convert it with unroll.ops.cast")


@lru_cache(maxsize=1024)
def snake_case(name: str) -> str:
    """Return a class name as TensorFlow names its scope: ``BasicLSTMCell`` gives ``basic_lstm_cell``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
