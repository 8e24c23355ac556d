"""Keras's symbolic tensors: each knows the call that made it, so that a model can make the calls again on other tensors.

A symbolic tensor holds a traced tensor too, of a trial with every size open that is: it says the shape, and a call that does
not fit fails where it is written. The trial is never part of a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, Self

from unroll import nest
from unroll.dtypes import DType
from unroll.errors import ArgumentError, ArgumentTypeError
from unroll.layers.sublayers import KerasShape, described_shape, keras_shape
from unroll.operation_table import OPERATIONS
from unroll.signs import Signs
from unroll.tensor import Tensor
from unroll.weights import WeightOwner

#: How calls are taken in a nest of arguments: what is no symbolic tensor stays as it is.
Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class Call:
    """One call of a layer or a function on symbolic tensors.

    Attributes:
        function: what was called; of a model's input, the input itself, which nothing made.
        args: its arguments.
        kwargs: its keywords.
        inputs: the symbolic tensors among them, in order.
        outputs: the symbolic tensors that it gave, in order.
    """

    __slots__ = ("args", "function", "inputs", "kwargs", "outputs")

    def __init__(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.inputs = symbolic_among(args, kwargs)
        self.outputs: list[KerasTensor] = []

    def of(self, function: Any) -> Call:
        """Return the same call of another function."""
        other = Call(function, self.args, self.kwargs)
        other.outputs = self.outputs
        return other


class KerasTensor(Signs["KerasTensor"]):
    """A tensor of a model that is put together before it is fed: Keras 3's ``KerasTensor``.

    Args:
        tensor: what stands for it in the trial.
        call: the call that made it.
        place: which leaf it is of the nest that the call gave.

    Example:
        >>> x = layers.Input((None, 5))
        >>> layers.LSTM(4, return_sequences=True)(x).shape
        (None, None, 4)
    """

    __slots__ = ("__weakref__", "call", "place", "tensor")

    def __init__(self, tensor: Tensor, call: Call | None = None, place: int = 0) -> None:
        self.tensor, self.call, self.place = tensor, call, place

    @staticmethod
    def _compute(name: str, *operands: Any) -> KerasTensor:
        made: KerasTensor = called(OPERATIONS[name], operands, {})
        return made

    @staticmethod
    def noted(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return what a function of the core gives for symbolic tensors, and note its call; see `called`."""
        return called(function, args, kwargs)

    @property
    def shape(self) -> KerasShape:
        """The shape, None for each size that is not known."""
        return keras_shape(self.tensor.shape)

    @property
    def dtype(self) -> DType:
        """The dtype; it equals its name, ``"float32"``."""
        return self.tensor.dtype

    @property
    def rank(self) -> int:
        """The number of axes."""
        return self.tensor.rank

    ndim = rank

    @property
    def name(self) -> str:
        """The name of what it stands for in the trial."""
        return self.tensor.label

    def described(self) -> str:
        """Return ``name (shape) dtype`` for messages."""
        return f"{self.name} {described_shape(self.shape)} {self.dtype}"

    def __repr__(self) -> str:
        return f"<KerasTensor shape={described_shape(self.shape)}, dtype={self.dtype}, name={self.name}>"

    def __deepcopy__(self, memo: object) -> Self:
        return self  # it never changes; a model that is copied makes its calls again

    def __bool__(self) -> NoReturn:
        self._no_value("its truth is not known; choose with keras.ops.where(condition, a, b)")

    def __iter__(self) -> Iterator[KerasTensor]:
        size = self.shape[0] if self.shape else None
        if size is None:
            self._no_value("its first size is not known, so it cannot be unpacked or looped over")
        return iter([self[place] for place in range(size)])

    def __len__(self) -> int:
        size = self.shape[0] if self.shape else None
        if size is None:
            self._no_value("its first size is not known, so it has no len(); read its shape")
        return size

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        self._no_value("NumPy cannot compute with it; make a model of it, and use model.predict(array)")

    def __float__(self) -> NoReturn:
        self._no_value("it is not a number; make a model of it, and use model.predict(array)")

    __int__ = __index__ = __float__

    def _no_value(self, why: str) -> NoReturn:
        raise ArgumentTypeError(f"{self!r} has no value before a model is fed: {why}")


def symbolic_among(*nests: Any) -> list[KerasTensor]:
    """Return the symbolic tensors among arguments, in order."""
    return [leaf for leaf in nest.flatten(nests) if isinstance(leaf, KerasTensor)]


def called(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call a layer or a function on symbolic tensors, and note it.

    Args:
        function: it is given tensors in the place of symbolic ones.
        args: its arguments, symbolic tensors among them.
        kwargs: its keywords.

    Returns:
        What it returns, a symbolic tensor in the place of each tensor.
    """
    call = Call(function, tuple(args), dict(kwargs))
    args, kwargs = _put_in((call.args, call.kwargs), lambda item: item.tensor)
    made = function(*args, **kwargs)
    leaves = [
        KerasTensor(leaf, call, place) if isinstance(leaf, Tensor) else leaf
        for place, leaf in enumerate(nest.flatten(made))
    ]
    call.outputs += [leaf for leaf in leaves if isinstance(leaf, KerasTensor)]
    outputs = nest.pack(made, leaves)
    if isinstance(function, WeightOwner):
        vars(function).setdefault("_symbolic_calls", []).append((call, outputs))
    return outputs


def calls_between(inputs: Iterable[KerasTensor], outputs: Sequence[KerasTensor]) -> list[Call]:
    """Return the calls that lead from inputs to outputs, each after those whose results it takes; inputs' own among them.

    Raises:
        ArgumentError: a tensor is needed that comes from an input that is not among `inputs`.
    """
    given, done, open_ = {*inputs}, dict[Call, None](), dict[Call, None]()
    waiting = [*reversed(outputs)]
    while waiting:
        tensor = waiting[-1]
        call = tensor.call
        inner = [] if call is None or tensor in given else [item for item in call.inputs if item.call not in done]
        if call is None or (not call.inputs and tensor not in given):
            raise ArgumentError(
                f"the outputs depend on {tensor!r}, which is not among the model's inputs; add it to inputs="
            )
        if inner and call not in open_:
            open_[call] = None
            waiting += reversed(inner)
        else:
            waiting.pop()
            if tensor not in given or not call.inputs:
                done[call] = None
    return [*done]


def in_keras_order(calls: Sequence[Call]) -> list[Any]:
    """Return what is called, each once, in the order in which Keras lists a model's layers.

    That is by the longest way to an output, the farthest first, and among equals by where a walk from the outputs, depth
    first, meets them.

    Args:
        calls: as `calls_between` gives them.
    """
    among = {*calls}
    depths: dict[Any, int] = {}
    of_call: dict[Call, int] = {}
    for call in reversed(calls):
        what = _operation(call)
        of_call[call] = depths[what] = max(of_call.get(call, 0), depths.get(what, 0))
        for item in call.inputs:
            if item.call in among:
                of_call[item.call] = max(of_call[call] + 1, of_call.get(item.call, 0))
    met: dict[Any, Any] = {}
    read = {item for call in calls for item in call.inputs}
    waiting = [call for call in reversed(calls) if not read.intersection(call.outputs)]
    while waiting:
        call = waiting.pop()
        met.setdefault(_operation(call), call.function)
        waiting += [
            item.call for item in reversed(call.inputs) if item.call in among and _operation(item.call) not in met
        ]
    return [met[what] for what in sorted(met, key=lambda what: -depths[what])]


def _operation(call: Call) -> object:
    """Return what Keras makes one operation of: a layer whatever it is called on, and each call of a function."""
    return call.function if isinstance(call.function, WeightOwner) else call


def replayed(calls: Iterable[Call], given: Mapping[KerasTensor, Any], outputs: Any) -> Any:
    """Make calls again on other tensors, and return what stands in the place of `outputs` then.

    Args:
        calls: each after all whose results it takes; see `calls_between`.
        given: the tensors in the place of the inputs.
        outputs: a nest of symbolic tensors.
    """
    values: dict[KerasTensor, Any] = dict(given)
    for call in calls:
        if all(output in values for output in call.outputs):
            continue
        args, kwargs = _put_in((call.args, call.kwargs), values.__getitem__)
        function = call.function
        made = called(function, args, kwargs) if symbolic_among(args, kwargs) else function(*args, **kwargs)
        found = nest.flatten(made)
        values |= {output: found[output.place] for output in call.outputs if output not in given}
    return nest.map_leaves(values.__getitem__, outputs)


def _put_in(arguments: Arguments, value_of: Callable[[KerasTensor], Any]) -> Arguments:
    found: Arguments = nest.map_leaves(
        lambda leaf: value_of(leaf) if isinstance(leaf, KerasTensor) else leaf, arguments
    )
    return found
