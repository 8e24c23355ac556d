"""Models: layers put together, from the shapes of their inputs to a graph; Keras 3's functional models and subclasses."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy.typing as npt

from unroll import nest
from unroll.bearers import Bearer
from unroll.checks import check_size, shown
from unroll.dimensions import TIME
from unroll.dtypes import INTEGERS, DType, as_array
from unroll.errors import ArgumentError, ArgumentTypeError, FeedError, ShapeError, StructureError, UnsupportedError
from unroll.graph import Graph
from unroll.layers.input import Input
from unroll.layers.layer import Layer
from unroll.layers.sublayers import described_shape, keras_shape, name_parts, weights_of
from unroll.layers.symbolic import Call, KerasTensor, calls_between, in_keras_order, replayed
from unroll.numbering import number_names
from unroll.parameter import Parameter
from unroll.tables import table
from unroll.tensor import Placeholder, Tensor
from unroll.weights import WeightOwner
from unroll.words import closest

#: Of a model's inputs each with its size of axis 1: one number for all that leave it open, or numbers by name.
Timesteps = int | Mapping[str, int] | None


class Model(Layer):
    """Layers as one model: Keras 3's ``Model``, of inputs and outputs, or a class of your own with a `call`.

    A model is a layer too: it can be called on tensors, or on the symbolic tensors of another model.

    Args:
        inputs: an `Input`, or a nest of them (a list, a dict); or symbolic tensors within another model.
        outputs: what layers made of them, a symbolic tensor or a nest of them.
        name: the model's scope; the class name in snake case by default, ``functional`` of one with inputs and outputs.
        trainable: kept; it acts in training only.
        dtype: to which inputs are cast; that of the inputs by default.

    Raises:
        ArgumentError: outputs depend on an input that is not among `inputs`, or two layers were given one name.
        ArgumentTypeError: something else than symbolic tensors.

    Example:
        >>> x = layers.Input((None, 5))
        >>> sequence = layers.LSTM(13, return_sequences=True)(x)
        >>> model = layers.Model(x, layers.Dense(2)(sequence))
        >>> model.output_shape
        (None, None, 2)
        >>> model.trace(timesteps=7).outputs[0].shape
        (batch, 7, 2)
    """

    TRAINING_ONLY = ("trainable",)
    supports_masking = True
    _of_calls = ("_traced", *Layer._of_calls)
    _inputs: Any = None
    _outputs: Any = None
    _first: Any = None  # the inputs of a class of its own, as its first call had them
    _timesteps: int | None = None  # their time in that call
    _calls: Sequence[Call] = ()
    _order: Sequence[Any] = ()  # what is called, in Keras's order

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        if (inputs is None) != (outputs is None):
            raise ArgumentError(f"{type(self).__name__}: give inputs and outputs, or neither and define call(inputs)")
        if inputs is not None:
            if name is None and type(self) is Model:
                self._borne = Bearer("Model", "functional", given=False)
            self._connect(_symbolic(inputs, "inputs"), _symbolic(outputs, "outputs"))

    def _connect(self, inputs: Any, outputs: Any) -> None:
        """Become the model of what leads from inputs to outputs."""
        self._inputs, self._outputs = inputs, outputs
        self._calls = calls_between(nest.flatten(inputs), nest.flatten(outputs))
        self._order = in_keras_order(self._calls)
        number_names(self.weights)
        name_parts([layer for layer in self._order if isinstance(layer, Layer)], self.described())
        self.built = True

    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        """Return a model with layers and weights of its own, which start with the values of these."""
        made = super().__deepcopy__(memo)
        if self._inputs is not None:
            given = {
                item: Input(batch_shape=item.shape, dtype=item.dtype, name=_given_name(item)) for item in self.inputs
            }
            calls = [call.of(copy.deepcopy(call.function, memo)) for call in self._calls]
            outputs = replayed(calls, given, self._outputs)
            made._connect(nest.map_leaves(given.__getitem__, self._inputs), outputs)
        return made

    # -- its parts ------------------------------------------------------------------------------------------------

    @property
    def _graphs(self) -> dict[Any, Any]:
        """What `predict` has traced, by the shapes of its arrays (a class of your own need not call ``__init__``)."""
        made: dict[Any, Any] = self.__dict__.setdefault("_traced", {})
        return made

    @property
    def layers(self) -> list[Any]:
        """The layers, in Keras's order, the inputs of a functional model among them."""
        if self._inputs is not None:
            return [part for part in self._order if isinstance(part, (Layer, Input))]
        found: dict[int, Any] = {}
        for value in vars(self).values():
            found |= {id(part): part for part in nest.flatten(value) if isinstance(part, Layer)}
        return [*found.values()]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return a layer by its name, or by its place in `layers`.

        Raises:
            ArgumentError: there is none, or both or neither are given.
        """
        parts = self.layers
        if (name is None) == (index is None):
            raise ArgumentError(f"{self.described()}: get_layer: give name= or index=")
        if index is not None:
            check_size(index, f"{self.described()}: get_layer: index", least=0)
            if index >= len(parts):
                raise ArgumentError(
                    f"{self.described()}: get_layer: there are {len(parts)} layers; index={index} is beyond"
                )
            return parts[index]
        names = {part._called if isinstance(part, Layer) else part.name: part for part in parts}
        if not isinstance(name, str) or name not in names:
            raise ArgumentError(f"{self.described()}: no layer is called {shown(name)}; {closest(str(name), names)}")
        return names[name]

    @property
    def weights(self) -> list[Parameter]:
        """The Parameters made so far, in Keras's order."""
        return [*dict.fromkeys(item for part in self.layers if isinstance(part, Layer) for item in weights_of(part))]

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, in order.

        Raises:
            ArgumentError: the model is not put together from symbolic tensors.
        """
        return nest.flatten(self._connected()._inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, in order; see `inputs`."""
        return nest.flatten(self._connected()._outputs)

    @property
    def input(self) -> Any:
        """The symbolic inputs in their nest; see `inputs`."""
        return self._connected()._inputs

    @property
    def output(self) -> Any:
        """The symbolic outputs in their nest; see `inputs`."""
        return self._connected()._outputs

    @property
    def input_shape(self) -> Any:
        """The shapes of the inputs in their nest, None for what is not known."""
        return nest.map_leaves(lambda item: item.shape, self._declared())

    @property
    def output_shape(self) -> Any:
        """The shapes of the outputs in their nest, None for what is not known."""
        if self._inputs is None:
            return self.compute_output_shape(self.input_shape)
        return nest.map_leaves(lambda item: item.shape, self._outputs)

    def _connected(self) -> Model:
        """Return the model, where it is one of symbolic tensors.

        Raises:
            ArgumentError: it is not.
        """
        if self._inputs is None:
            raise ArgumentError(
                f"{self.described()} has no symbolic inputs and outputs: they are those of layers.Model(inputs, outputs); "
                "model.trace() gives a graph, which has its own"
            )
        return self

    @property
    def stateful(self) -> bool:
        """Whether a layer is."""
        return any(getattr(layer, "stateful", False) for layer in self.layers)

    @property
    def states(self) -> dict[Placeholder, Tensor]:
        """Of stateful layers, each state's placeholder with its next value, as the last call made them."""
        return {key: value for layer in self.layers for key, value in getattr(layer, "states", {}).items()}

    # -- calling --------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Trace the model on tensors in the nest of its inputs; a class of your own defines it.

        Returns:
            What the model makes of them, in the nest of its outputs.

        Raises:
            StructureError: it is no functional model and does not define `call`; or the nest is another one.
        """
        if self._inputs is None:
            raise StructureError(f"{type(self).__name__} has no call(inputs); define it, or give inputs= and outputs=")
        given = zip(nest.flatten(self._inputs), self._matched(inputs, self._inputs, "the call"), strict=True)
        return replayed(self._calls, dict(given), self._outputs)

    def _check(self, inputs: Any) -> None:
        if self._inputs is not None:
            for item, tensor in zip(
                nest.flatten(self._inputs), self._matched(inputs, self._inputs, "the call"), strict=True
            ):
                self._check_shape(item, keras_shape(tensor.shape), tensor.described())

    def _ready(self, inputs: Any) -> Any:
        inputs = super()._ready(inputs)
        if self._inputs is None and self._first is None:
            self._first = nest.map_leaves(self._opened, inputs)
            times = {leaf.shape[1] for leaf in nest.flatten(inputs) if leaf.rank > 1}
            self._timesteps = next(iter(times)) if len(times) == 1 and isinstance(next(iter(times)), int) else None
        return inputs

    def _opened(self, tensor: Tensor) -> Input:
        """Return the input that a tensor of the first call is one value of: of any batch and any time."""
        batch, *rest = keras_shape(tensor.shape)
        if len(rest) > 1 or (rest and tensor.dtype in INTEGERS):
            rest[0] = None
        return Input(batch_shape=(batch if self.stateful else None, *rest), dtype=tensor.dtype)

    def build(self, input_shape: Any = None) -> None:
        """Build every layer, by tracing the model once.

        Args:
            input_shape: the shape of the input, None for what is not known; a list or dict of shapes for several inputs.

        Raises:
            ArgumentTypeError: `input_shape` is no shape.
        """
        if self._inputs is None and self._first is None:
            inputs = _inputs_of(input_shape, self.dtype, self.described())
            tensors = nest.map_leaves(lambda item: item.tensor, inputs)
            self._first = nest.map_leaves(self._opened, tensors)
            self.call(tensors)

    def _build_for(self, input_shape: Any) -> None:
        """Mark the model as built: each layer builds itself when it is called."""
        if type(self).build is not Model.build:
            self.build(input_shape)
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        return None  # the layers have given the outputs their masks

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
        given = [_given_name(item) for item in symbols]
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

    # -- for people -----------------------------------------------------------------------------------------------

    def summary(self) -> str:
        """Return a table of the layers, their output shapes, the number of their weights' elements, and what each is called on.

        Raises:
            ArgumentError: the shapes of the inputs are not known yet.
        """
        rows: dict[Any, list[str]] = {}
        for part in self.layers:
            count = f"{part.count_params():,}" if isinstance(part, Layer) and part.built else "0"
            rows[part] = [f"{_name_of(part)} ({type(part).__name__})", "", count, ""]
        for call in self._calls:
            if call.function in rows:
                row = rows[call.function]
                row[1] = row[1] or _shapes_text([item.shape for item in call.outputs])
                row[3] = ", ".join(
                    filter(None, (row[3], *(_name_of(item.call.function) for item in call.inputs if item.call)))
                )
        heads = ("layer", "output shape", "params", "called on")
        columns = 4 if self._calls else 3
        body = table(heads[:columns], [tuple(row[:columns]) for row in rows.values()], True)
        return f"Model {self._called!r}: {self.count_params():,} params\n\n{body}"


def as_input(item: KerasTensor) -> Input:
    """Return the `Input` of a model's input, where another model's tensor may stand as well."""
    return item if isinstance(item, Input) else Input(batch_shape=item.shape, dtype=item.dtype)


def _given_name(item: KerasTensor) -> str | None:
    return item._name if isinstance(item, Input) else None


def _open_time(shape: tuple[int | None, ...]) -> bool:
    return len(shape) > 1 and shape[1] is None


def _inputs_of(shapes: Any, dtype: DType, what: str) -> Any:
    """Return an input for each shape: of one, or of a list or dict of shapes."""
    if isinstance(shapes, dict):
        return {name: Input(batch_shape=shape, dtype=dtype, name=name) for name, shape in shapes.items()}
    if not isinstance(shapes, (list, tuple)):
        raise ArgumentTypeError(f"{what}: build: {shown(shapes)} is no shape; give a tuple such as (None, 28, 5)")
    if any(map(nest.is_nested, shapes)):
        return [Input(batch_shape=shape, dtype=dtype) for shape in shapes]
    return Input(batch_shape=shapes, dtype=dtype)


def _name_of(part: Any) -> str:
    return str(part._called if isinstance(part, WeightOwner) else getattr(part, "name", None) or part.__name__)


def _shapes_text(shapes: Sequence[tuple[int | None, ...]]) -> str:
    return ", ".join(map(described_shape, shapes))


def _symbolic(items: Any, what: str) -> Any:
    for leaf in nest.flatten(items):
        if not isinstance(leaf, KerasTensor):
            raise ArgumentTypeError(
                f"Model: {what}: {shown(leaf)} is no symbolic tensor; inputs are layers.Input(shape), and outputs what layers "
                "return for them. Of tensors of a graph unroll.Graph(inputs, outputs) is the model"
            )
    if not nest.flatten(items):
        raise ArgumentError(f"Model: {what} is empty; give at least one symbolic tensor")
    return items
