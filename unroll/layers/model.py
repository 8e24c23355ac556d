"""Models: layers put together, from the shapes of their inputs to a graph; Keras 3's functional models and subclasses."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy.typing as npt

from unroll import nest
from unroll.bearers import Bearer
from unroll.checks import check_size, shown
from unroll.dtypes import INTEGERS, DType
from unroll.errors import ArgumentError, ArgumentTypeError, StructureError
from unroll.layers.configs.functional_reading import connected
from unroll.layers.configs.functional_writing import functional_config
from unroll.layers.configs.names import reading
from unroll.layers.configs.writing import serialized_object
from unroll.layers.files.loading import load_weights
from unroll.layers.files.writing import save_model, save_weights
from unroll.layers.input import Input
from unroll.layers.layer import Layer
from unroll.layers.sublayers import described_shape, keras_shape, name_parts, weights_of
from unroll.layers.symbolic import Call, KerasTensor, calls_between, in_keras_order, replayed
from unroll.layers.traced import Traced, given_name
from unroll.numbering import number_names
from unroll.parameter import Parameter
from unroll.tables import table
from unroll.tensor import Tensor
from unroll.weights import WeightOwner
from unroll.words import closest


class Model(Traced):
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
    _outputs: Any = None
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
                item: Input(batch_shape=item.shape, dtype=item.dtype, name=given_name(item)) for item in self.inputs
            }
            calls = [call.of(copy.deepcopy(call.function, memo)) for call in self._calls]
            outputs = replayed(calls, given, self._outputs)
            made._connect(nest.map_leaves(given.__getitem__, self._inputs), outputs)
        return made

    # -- as data --------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return what the model is made of as plain data, as Keras 3 writes it: layers, and what each is called on.

        Of a class of your own it is what `Layer.get_config` says.

        Raises:
            UnsupportedError, ArgumentTypeError: a layer or a function has no such form, such as a lambda.
        """
        if self._inputs is not None and type(self).__init__ is Model.__init__:
            return functional_config(self)
        return super().get_config()

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Return a model made with what `get_config` gave, here or in Keras of version 2 or 3; its weights are new.

        Args:
            config: the config.
            custom_objects: classes and functions of your own, by the names that the config has for them.

        Returns:
            A model of the class.

        Raises:
            UnsupportedError, NameNotFoundError: a layer, argument or function that there is not.
            ArgumentError, ArgumentTypeError: the config contradicts itself.
        """
        with reading(custom_objects):
            if not isinstance(config, Mapping) or "input_layers" not in config:
                return super().from_config(config)
            inputs, outputs = connected(config)
            return cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable") is not False)

    def to_json(self) -> str:
        """Return the model's class and config as JSON, without its weights; ``keras.models.model_from_json`` reads it."""
        return json.dumps(serialized_object(self))

    # -- files ----------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model with its weights as a ``.keras`` file, which Keras 3 and ``keras.models.load_model`` read.

        Raises:
            FileError: the name does not end in ``.keras``, or the file cannot be written.
            ArgumentError: the model is not built.
            UnsupportedError, ArgumentTypeError: a layer or a function has no form in a file, such as a lambda.
        """
        save_model(self, path)

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Write the weights as a ``.weights.h5`` file, which Keras 3's and this `load_weights` read.

        Raises:
            FileError: the name does not end in ``.weights.h5``, or the file cannot be written.
            ArgumentError: the model is not built.
        """
        save_weights(self, path)

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Give every weight the value that a file of Keras has for it: ``.weights.h5``, ``.keras`` or ``.h5``, of Keras 2 or 3.

        All weights get theirs, or none. The file is read as data, and Keras need not be there.

        Raises:
            FileError: there is no such file, it is broken, or its weights are others.
            ArgumentError: the model is not built.
        """
        load_weights(self, path)

    # -- its parts ------------------------------------------------------------------------------------------------

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

    # -- calling --------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Trace the model on tensors in the nest of its inputs; a class of your own defines it.

        Returns:
            What the model makes of them, in the nest of its outputs.

        Raises:
            StructureError: it is no functional model and does not define `call`.
        """
        if self._inputs is None:
            raise StructureError(f"{type(self).__name__} has no call(inputs); define it, or give inputs= and outputs=")
        given = zip(nest.flatten(self._inputs), nest.flatten(inputs), strict=True)
        return replayed(self._calls, dict(given), self._outputs)

    def _check(self, inputs: Any) -> None:
        if self._inputs is not None:
            for item, tensor in zip(nest.flatten(self._inputs), nest.flatten(inputs), strict=True):
                self._check_shape(item, keras_shape(tensor.shape), tensor.described())

    def _ready(self, inputs: Any) -> Any:
        if self._inputs is not None:
            inputs = nest.pack(self._inputs, self._matched(inputs, self._inputs, "the call"))
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

    def _shapes(self) -> dict[Any, list[tuple[int | None, ...]]]:
        """Return the shapes that the layers of a class of its own give, by calling it once more."""
        before = {part: len(vars(part).get("_symbolic_calls", ())) for part in self.layers if isinstance(part, Layer)}
        self.call(self._first)
        found: dict[Any, list[tuple[int | None, ...]]] = {}
        for part, count in before.items():
            calls = vars(part).get("_symbolic_calls", [])
            if len(calls) > count:
                found[part] = [item.shape for item in nest.flatten(calls[count][1]) if isinstance(item, KerasTensor)]
            del calls[count:]
        return found

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
        if self._inputs is None and self._first is not None:
            for part, shape in self._shapes().items():
                rows[part][1] = _shapes_text(shape)
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
