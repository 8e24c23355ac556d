"""Running a model: its layers traced over inputs into a graph, and that graph run with NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from unroll import display, nest
from unroll.checks import check_size
from unroll.dimensions import TIME
from unroll.dtypes import INTEGERS, as_array
from unroll.errors import ArgumentError, FeedError, ShapeError, UnrollError, UnsupportedError
from unroll.graph import Graph
from unroll.layers.input import Input
from unroll.layers.layer import Layer
from unroll.layers.sublayers import described_shape
from unroll.layers.symbolic import KerasTensor
from unroll.tensor import Placeholder, Tensor

#: Of a model's inputs each with its size of axis 1: one number for all that leave it open, or numbers by name.
Timesteps = int | Mapping[str, int] | None


class Traced(Layer):
    """A layer of layers that knows what its inputs are, so that it can be traced and run by itself."""

    _inputs: Any = None
    _first: Any = None  # the inputs of a class of its own, as its first call had them
    _timesteps: int | None = None  # their time in that call

    @property
    def layers(self) -> list[Any]:
        """The layers."""
        raise NotImplementedError(f"{type(self).__name__}.layers")

    @property
    def stateful(self) -> bool:
        """Whether a layer is."""
        return any(getattr(layer, "stateful", False) for layer in self.layers)

    @property
    def states(self) -> dict[Placeholder, Tensor]:
        """Of stateful layers, each state's placeholder with its next value, as the last call made them."""
        return {key: value for layer in self.layers for key, value in getattr(layer, "states", {}).items()}

    @property
    def _graphs(self) -> dict[Any, Any]:
        """What `predict` has traced, by the shapes of its arrays (a class of your own need not call ``__init__``)."""
        made: dict[Any, Any] = self.__dict__.setdefault("_traced", {})
        return made

    def _matched(self, given: Any, declared: Any, what: str) -> list[Any]:
        """Return what was given for each input, in order: a nest like that of the inputs, a list of them, or a dict by name.

        Raises:
            FeedError: something is missing, or there is more.
        """
        symbols = nest.flatten(declared)
        if isinstance(given, dict) and not isinstance(declared, dict):
            names = self._input_names(symbols)
            if sorted(map(str, given)) != sorted(names):
                raise FeedError(
                    f"{self.described()}: {what}: {', '.join(map(str, sorted(given, key=str)))} were given, and the inputs are "
                    f"called {', '.join(names)}"
                )
            return [given[name] for name in names]
        if isinstance(declared, dict) and isinstance(given, dict) and declared.keys() != given.keys():
            raise FeedError(
                f"{self.described()}: {what}: {', '.join(map(str, given))} were given, {', '.join(declared)} are wanted"
            )
        found = nest.flatten(given) if nest.is_nested(given) else [given]
        if len(found) != len(symbols):
            raise FeedError(f"{self.described()}: {what}: {len(found)} inputs were given, and it has {len(symbols)}")
        return found

    def _check_shape(self, declared: KerasTensor, seen: tuple[int | None, ...], described: str) -> None:
        wanted = declared.shape
        clash = any(None not in pair and pair[0] != pair[1] for pair in zip(wanted, seen, strict=False))
        if len(wanted) != len(seen) or clash:
            raise ShapeError(
                f"{self.described()}: the input {described} was given, and the model's Input has shape "
                f"{described_shape(wanted)}"
            )

    # -- tracing and running --------------------------------------------------------------------------------------

    def _declared(self) -> Any:
        """Return the inputs in their nest: those that the model was put together from, else those of its first call.

        Raises:
            ArgumentError: neither is known.
        """
        if self._inputs is not None:
            return self._inputs
        if self._first is None:
            raise ArgumentError(
                f"{self.described()}: the shapes of the inputs are not known yet; call the model on tensors, or on "
                "layers.Input(shape), or call build((None, 28, 3))"
            )
        return self._first

    def _input_names(self, symbols: Sequence[Any]) -> list[str]:
        """Return what the inputs are called in a graph: by their names, those without one numbered as layers are."""
        given = [given_name(item) for item in symbols]
        free = (f"input_layer_{count}" if count else "input_layer" for count in itertools.count())
        unused = (name for name in free if name not in given)
        return [next(unused) if name is None else name for name in given]

    def trace(self, timesteps: Timesteps = None, batch_size: int | None = None) -> Graph:
        """Return the model's graph, the states of stateful layers among its inputs and outputs.

        Args:
            timesteps: the time of the inputs that leave it open: a number, or numbers by the names of inputs; by default
                it stays open, and the graph takes sequences of any length from 1 on.
            batch_size: the batch size; by default that of the inputs, or any.

        Returns:
            A graph of the model's inputs and outputs.

        Raises:
            ShapeError: `timesteps` or `batch_size` is not that of an input.
            ArgumentError: the shapes of the inputs are not known, or a number is below 1.
            ArgumentTypeError: a number is not an int.
        """
        symbols = nest.flatten(self._declared())
        names = self._input_names(symbols)
        timesteps = self._timesteps if timesteps is None else timesteps
        times = self._times(symbols, names, timesteps)
        if batch_size is not None:
            check_size(batch_size, f"{self.described()}: batch_size")
            for item in symbols:
                if item.shape[:1] not in ((None,), (batch_size,)):
                    raise ShapeError(
                        f"{self.described()}: batch_size={batch_size} was given, and the input has shape "
                        f"{described_shape(item.shape)}; leave it out"
                    )
        given = [
            as_input(item).placeholder(name, batch_size, time)
            for item, name, time in zip(symbols, names, times, strict=True)
        ]
        return self._graph(given)

    def _graph(self, given: list[Placeholder]) -> Graph:
        outputs = self(nest.pack(self._declared(), given))
        states = self.states
        return Graph(given, outputs, states=states) if states else Graph(given, outputs)

    def _times(self, symbols: Sequence[Any], names: Sequence[str], timesteps: Timesteps) -> list[int | str | None]:
        """Return the size of axis 1 of each input that leaves it open: a number, or a symbol."""
        open_ = [name for name, item in zip(names, symbols, strict=True) if _open_time(item.shape)]
        if isinstance(timesteps, Mapping):
            strange = [name for name in timesteps if name not in open_]
            if strange:
                raise ShapeError(
                    f"{self.described()}: timesteps: the input {strange[0]!r} leaves no time open; these do: "
                    f"{', '.join(open_) or 'none'}"
                )
            given: dict[str, int] = {
                name: check_size(size, f"{self.described()}: timesteps") for name, size in timesteps.items()
            }
        elif timesteps is None:
            given = {}
        else:
            check_size(timesteps, f"{self.described()}: timesteps")
            fixed = [item.shape for item in symbols if len(item.shape) > 1]
            if not open_ and all(shape[1] != timesteps for shape in fixed):
                raise ShapeError(
                    f"{self.described()}: timesteps={timesteps} was given, and the input has shape "
                    f"{described_shape(fixed[0] if fixed else symbols[0].shape)}; leave it out"
                )
            given = dict.fromkeys(open_, timesteps)
        return [
            given.get(name, TIME if len(open_) == 1 else f"{name}_{TIME}") if name in open_ else None for name in names
        ]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Return what a notebook shows: the picture of the model's graph; its name alone while it cannot be traced."""
        try:
            shown = display.mimebundle(self.trace())
        except UnrollError:
            shown = {}
        return {**shown, "text/plain": repr(self)}

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = "auto") -> Any:
        """Return the model's outputs for arrays, as arrays, computed with NumPy.

        Args:
            x: arrays in the nest of the model's inputs, or by their names; their time is that of their shape.
            batch_size: how many rows Keras computes at a time; the numbers are the same, and here it is all of them.
            verbose: how Keras shows its progress; nothing is shown here.

        Returns:
            The outputs in their nest, the first axis the rows of `x`.

        Raises:
            UnsupportedError: a layer is stateful, and there is nowhere to keep the state.
            FeedError, ShapeError, DTypeError: the arrays do not fit.
        """
        if self.stateful:
            raise UnsupportedError(
                f"{self.described()}: predict: a layer is stateful, and its state goes on in a stream: use "
                "model.trace(timesteps).stream()"
            )
        declared = self._declared_for(x)
        arrays = [as_array(array, f"{self.described()}: predict") for array in self._matched(x, declared, "predict")]
        symbols = nest.flatten(declared)
        for item, array in zip(symbols, arrays, strict=True):
            self._check_shape(item, array.shape, f"an array {described_shape(array.shape)}")
        key = tuple(array.shape[1:] for array in arrays)
        made = self._graphs
        if key not in made:
            names = self._input_names(symbols)
            given = [
                Input(batch_shape=(None, *array.shape[1:]), dtype=item.dtype).placeholder(name)
                for item, array, name in zip(symbols, arrays, names, strict=True)
            ]
            outputs = self(nest.pack(declared, given))
            made[key] = Graph(given, nest.flatten(outputs)), nest.map_leaves(lambda _: None, outputs)
        graph, structure = made[key]
        found = graph.run(dict(zip(graph.inputs, arrays, strict=True)), list(graph.outputs))
        return nest.pack(structure, found)

    def _declared_for(self, x: Any) -> Any:
        """Return the inputs in their nest; those of a model that was never called are as these arrays."""
        if self._inputs is not None or self._first is not None:
            return self._declared()

        def like(leaf: Any) -> Input:
            array = as_array(leaf, f"{self.described()}: predict")
            return Input(
                batch_shape=(None, *array.shape[1:]), dtype=array.dtype if array.dtype in INTEGERS else self.dtype
            )

        return nest.map_leaves(like, x) if isinstance(x, (dict, tuple)) else like(x)


def as_input(item: KerasTensor) -> Input:
    """Return the `Input` of a model's input, where another model's tensor may stand as well."""
    return item if isinstance(item, Input) else Input(batch_shape=item.shape, dtype=item.dtype)


def given_name(item: KerasTensor) -> str | None:
    """Return the name that a user gave an input; None where it has none."""
    return item._name if isinstance(item, Input) else None


def _open_time(shape: tuple[int | None, ...]) -> bool:
    return len(shape) > 1 and shape[1] is None
