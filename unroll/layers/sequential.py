"""A stack of layers as one model, from its input's shape to its graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unroll import nest
from unroll.checks import check_size, shown
from unroll.dimensions import TIME
from unroll.dtypes import INTEGERS, Array, DType, as_array
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError, StructureError, UnsupportedError
from unroll.graph import Graph
from unroll.layers.input import Input
from unroll.layers.layer import Layer
from unroll.layers.sublayers import KerasShape, described_shape, keras_shape, name_parts
from unroll.tables import table
from unroll.tensor import Placeholder, Tensor, placeholder


class Sequential(Layer):
    """Layers, each on the output of the one before: Keras 3's ``Sequential``. A model is a layer too.

    Args:
        layers: the layers, an `Input` before them where the shape is known ahead. Layers without a name are called by their
            class, a second one ``lstm_1``.
        trainable: kept; it acts in training only.
        name: the model's scope; ``sequential`` by default.

    Raises:
        ArgumentTypeError: something that is not a layer.
        ArgumentError: two layers of one name, or an `Input` that is not first.

    Example:
        >>> model = layers.Sequential([layers.Input((7, 5)), layers.LSTM(13), layers.Dense(3, activation="softmax")])
        >>> model.trace().outputs[0].shape
        (batch, 3)
        >>> [weight.shape for weight in model.get_weights()]
        [(5, 52), (13, 52), (52,), (13, 3), (3,)]
    """

    TRAINING_ONLY = ("trainable",)
    _of_calls = ("_traced",)
    supports_masking = True

    def __init__(
        self, layers: Sequence[Layer | Input] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self.input: Input | None = None
        self.layers: list[Layer] = []
        self._timesteps: int | None = None
        self._input_dtype: DType | None = None
        self._traced: dict[tuple[int | None, ...], Graph] = {}
        if not isinstance(layers, (list, tuple, type(None))):
            raise ArgumentTypeError(f"Sequential: layers is {layers!r}; a list of layers is wanted")
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Layer | Input) -> None:
        """Put a layer on top, or the `Input` below all layers.

        Raises:
            ArgumentTypeError, ArgumentError: as the class.
        """
        if isinstance(layer, Input):
            if self.layers or self.input:
                raise ArgumentError(
                    f"{self.described()}: {layer!r} is not the first; a model has one Input, below its layers"
                )
            self.input = layer
            return
        if not isinstance(layer, Layer):
            hint = f"; make one: {layer.__name__}(...)" if isinstance(layer, type) else ""
            raise ArgumentTypeError(f"{self.described()}: {layer!r} is no layer{hint}")
        name_parts([*self.layers, layer], self.described())
        self.layers.append(layer)
        self.built = False
        self._traced.clear()

    def pop(self) -> Layer:
        """Take the last layer off, and return it.

        Raises:
            ArgumentError: the model has no layers.
        """
        if not self.layers:
            raise ArgumentError(f"{self.described()}: pop: the model has no layers")
        self._traced.clear()
        return self.layers.pop()

    # -- shapes and weights ---------------------------------------------------------------------------------------

    def build(self, input_shape: Any = None) -> None:
        """Build every layer.

        Args:
            input_shape: the input's shape, None for what is not known; by default that of the `Input`.

        Raises:
            ArgumentTypeError: `input_shape` is no shape.
        """
        shape = self._shape() if input_shape is None else input_shape
        if not isinstance(shape, (list, tuple)):
            raise ArgumentTypeError(
                f"{self.described()}: build: {shown(shape)} is no shape; give a tuple such as (None, 28, 5)"
            )
        if len(shape) > 1 and isinstance(shape[1], int):
            self._timesteps = self._timesteps or shape[1]
        for layer in self.layers:
            self._check_single(layer, any(map(nest.is_nested, shape)))
            self._build_part(layer, shape)
            shape = layer.compute_output_shape(shape)

    def _check_single(self, layer: Layer, several: bool) -> None:
        if several:
            raise StructureError(
                f"{self.described()}: the layer below {layer._called!r} returns several tensors, and each layer takes one; "
                "leave out return_state, or merge_mode=None"
            )

    def _build_for(self, input_shape: Any) -> None:
        """Mark the model as built: each layer builds itself when it is called."""
        self.built, self._built_for = True, input_shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    @property
    def input_shape(self) -> KerasShape:
        """The shape of the input, None for what is not known."""
        return self._shape()

    @property
    def output_shape(self) -> Any:
        """The shape of the output, None for what is not known."""
        self._build_ahead()
        return self.compute_output_shape(self._shape())

    def _shape(self) -> KerasShape:
        if self.input is not None:
            return self.input.shape
        if self._built_for is None:
            raise ArgumentError(
                f"{self.described()}: the shape of the input is not known yet; put layers.Input(shape) first, such as "
                "layers.Input((28, 3)) for 28 steps of 3 features, call the model on a tensor, or call build((None, 28, 3))"
            )
        batch, *rest = self._built_for
        if len(rest) > 1 or (rest and self._input_dtype in INTEGERS):
            rest[0] = None  # any time
        return (batch if self.stateful else None, *rest)

    def _build_ahead(self) -> None:
        """Build before the first call, where an `Input` says the shape."""
        if not self.built and self.input is not None:
            self._seen = self._seen or (self.input.dtype if self.input.dtype.kind == "f" else None)
            self.build()

    def _check_built(self, what: str) -> None:
        self._build_ahead()
        super()._check_built(what)

    def get_weights(self) -> list[Array]:
        self._build_ahead()
        return super().get_weights()

    def summary(self) -> str:
        """Return a table of the layers, their output shapes and the number of their weights' elements.

        Raises:
            ArgumentError: the shape of the input is not known yet.
        """
        self._build_ahead()
        shape: Any = self._shape()
        rows = []
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
            rows.append((f"{layer._called} ({type(layer).__name__})", _shapes_text(shape), f"{layer.count_params():,}"))
        body = table(("layer", "output shape", "params"), rows, True)
        return f"Model {self._called!r}: {self.count_params():,} params\n\n{body}"

    # -- tracing and running --------------------------------------------------------------------------------------

    def _check(self, inputs: Any) -> None:
        if not self.layers:
            raise ArgumentError(f"{self.described()} has no layers; add some")
        if self.input is None or nest.is_nested(inputs):
            return
        wanted, seen = self.input.shape, keras_shape(inputs.shape)
        clash = any(None not in pair and pair[0] != pair[1] for pair in zip(wanted, seen, strict=False))
        if len(wanted) != len(seen) or clash:
            raise ShapeError(
                f"{self.described()}: the input {inputs.described()} was given, and the model's Input has shape "
                f"{described_shape(wanted)}"
            )

    def call(self, inputs: Tensor, mask: Any = None) -> Any:
        """Trace the layers one after another.

        Args:
            inputs: as the first layer takes them. A time that the `Input` leaves open is bound to theirs.
            mask: bool ``(batch, time)``, true where a step counts; by default the one that the input carries.

        Returns:
            What the last layer returns.

        Raises:
            StructureError: a layer returns several tensors, and another is above it.
        """
        outputs: Any = inputs
        for place, layer in enumerate(self.layers):
            self._check_single(layer, place > 0 and nest.is_nested(outputs))
            outputs = layer(outputs, mask=mask) if place == 0 else layer(outputs)
        if isinstance(inputs, Tensor):
            self._input_dtype = self._input_dtype or inputs.dtype
            if inputs.rank > 1 and isinstance(inputs.shape[1], int):
                self._timesteps = self._timesteps or inputs.shape[1]
        return outputs

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        return None  # the last layer has given the output its mask

    @property
    def stateful(self) -> bool:
        """Whether a layer is."""
        return any(getattr(layer, "stateful", False) for layer in self.layers)

    @property
    def states(self) -> dict[Placeholder, Tensor]:
        """Of stateful layers, each state's placeholder with its next value, as the last call made them."""
        return {key: value for layer in self.layers for key, value in getattr(layer, "states", {}).items()}

    def trace(self, timesteps: int | None = None, batch_size: int | None = None) -> Graph:
        """Return the model's graph, the states of stateful layers among its inputs and outputs.

        Args:
            timesteps: the time, where the `Input` leaves it open; by default that which the model was built or first called
                with, and where there is none the symbol ``time``: the graph takes sequences of any length from 1 on.
            batch_size: the batch size; by default that of the `Input`, or any.

        Returns:
            A graph of one input, the model's outputs, and the states of stateful layers.

        Raises:
            ShapeError: `timesteps` or `batch_size` is not that of the `Input`.
            ArgumentError: the shape of the input is not known, a number is below 1, or the model has no layers.
            ArgumentTypeError: a number is not an int.
        """
        shape: list[int | str | None] = list(self._shape())
        self._bind(shape, 1, timesteps, "timesteps")
        self._bind(shape, 0, batch_size, "batch_size")
        if len(shape) > 1 and shape[1] is None:
            shape[1] = self._timesteps or TIME
        return self._graph(shape, self._input_dtype or self.dtype)

    def _graph(self, shape: Sequence[int | str | None], dtype: DType) -> Graph:
        name, dtype = (self.input.name, self.input.dtype) if self.input else ("input_layer", dtype)
        x = placeholder(shape, name, dtype)
        outputs = self(x)
        states = self.states
        return Graph([x], outputs, states=states) if states else Graph([x], outputs)

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = "auto") -> Any:
        """Return the model's output for an array, as an array (or a list of arrays), computed with NumPy.

        Args:
            x: an array as the model's input, its time known by its shape.
            batch_size: how many rows Keras computes at a time; the numbers are the same, and here it is all of them.
            verbose: how Keras shows its progress; nothing is shown here.

        Returns:
            The output, its first axis the rows of `x`; a list of arrays where the last layer returns several.

        Raises:
            UnsupportedError: a layer is stateful, and there is nowhere to keep the state.
            FeedError, ShapeError, DTypeError: the array does not fit.
        """
        if self.stateful:
            raise UnsupportedError(
                f"{self.described()}: predict: a layer is stateful, and its state goes on in a stream: use "
                "model.trace(timesteps).stream()"
            )
        array = as_array(x, f"{self.described()}: predict")
        key = array.shape[1:]
        if key not in self._traced:
            self._traced[key] = self._graph([None, *key], array.dtype if array.dtype in INTEGERS else self.dtype)
        graph = self._traced[key]
        found = graph.run({graph.inputs[0]: array}, list(graph.outputs))
        return found[0] if len(found) == 1 else found

    def _bind(self, shape: list[int | str | None], axis: int, size: int | None, what: str) -> None:
        if size is None:
            return
        check_size(size, f"{self.described()}: {what}")
        if len(shape) <= axis or shape[axis] not in (None, size):
            raise ShapeError(
                f"{self.described()}: {what}={size} was given, and the input has shape "
                f"{described_shape(tuple(shape))}; leave it out"
            )
        shape[axis] = size


def _shapes_text(shape: Any) -> str:
    """Return a shape, or the first of several and how many."""
    nested = any(nest.is_nested(item) for item in shape)
    return ", ".join(_shapes_text(item) for item in shape) if nested else described_shape(shape)
