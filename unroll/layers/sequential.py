"""A stack of layers as one model, from its input's shape to its graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unroll import nest
from unroll.checks import shown
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ArgumentTypeError, StructureError
from unroll.layers.configs.functional_reading import layer_of
from unroll.layers.configs.names import reading
from unroll.layers.configs.writing import serialized_object
from unroll.layers.input import Input
from unroll.layers.layer import Layer
from unroll.layers.model import Model
from unroll.layers.sublayers import described_shape, keras_shape, name_parts
from unroll.tables import table
from unroll.tensor import Tensor


class Sequential(Model):
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

    def __init__(
        self, layers: Sequence[Layer | Input] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self._input: Input | None = None
        self._stack: list[Layer] = []
        if not isinstance(layers, (list, tuple, type(None))):
            raise ArgumentTypeError(f"Sequential: layers is {layers!r}; a list of layers is wanted")
        for layer in layers or ():
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        """The layers from the first to the last."""
        return [*self._stack]

    def add(self, layer: Layer | Input) -> None:
        """Put a layer on top, or the `Input` below all layers.

        Raises:
            ArgumentTypeError, ArgumentError: as the class.
        """
        if isinstance(layer, Input):
            if self._stack or self._input is not None:
                raise ArgumentError(
                    f"{self.described()}: {layer!r} is not the first; a model has one Input, below its layers"
                )
            self._input = layer
            return
        if not isinstance(layer, Layer):
            hint = f"; make one: {layer.__name__}(...)" if isinstance(layer, type) else ""
            raise ArgumentTypeError(f"{self.described()}: {layer!r} is no layer{hint}")
        name_parts([*self._stack, layer], self.described())
        self._stack.append(layer)
        self.built = False
        self._graphs.clear()

    def pop(self) -> Layer:
        """Take the last layer off, and return it.

        Raises:
            ArgumentError: the model has no layers.
        """
        if not self._stack:
            raise ArgumentError(f"{self.described()}: pop: the model has no layers")
        self._graphs.clear()
        return self._stack.pop()

    # -- as data --------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "layers": []}
        if type(self).__init__ is not Sequential.__init__:
            return config
        known = self._input is not None or self._first is not None
        parts = [*([self._declared()] if known else []), *self._stack]
        config["layers"] = [serialized_object(part) for part in parts]
        return {**config, "build_input_shape": list(self._declared().shape)} if known else config

    @classmethod
    def from_config(cls, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        if isinstance(config, (list, tuple)):  # as Keras 2.0 and 2.1 write it
            config = {"layers": config}
        if not isinstance(config, Mapping) or not isinstance(config.get("layers"), (list, tuple)):
            return super().from_config(config, custom_objects)
        model = cls(name=config.get("name"))
        with reading(custom_objects):
            for place, entry in enumerate(config["layers"]):
                layer = layer_of(entry, f"layer {place} of the model {config.get('name')!r}")
                first = entry["config"].get("batch_input_shape")
                if not place and first is not None and isinstance(layer, Layer):
                    model.add(Input(batch_shape=first, dtype=layer.dtype))
                model.add(layer)
        if config.get("build_input_shape") and model._input is None:
            model.build(config["build_input_shape"])
        return model

    # -- shapes and weights ---------------------------------------------------------------------------------------

    def build(self, input_shape: Any = None) -> None:
        """Build every layer.

        Args:
            input_shape: the input's shape, None for what is not known; by default that of the `Input`.

        Raises:
            ArgumentTypeError: `input_shape` is no shape.
        """
        shape = self._declared().shape if input_shape is None else input_shape
        if not isinstance(shape, (list, tuple)):
            raise ArgumentTypeError(
                f"{self.described()}: build: {shown(shape)} is no shape; give a tuple such as (None, 28, 5)"
            )
        if len(shape) > 1 and isinstance(shape[1], int):
            self._timesteps = self._timesteps or shape[1]
        for layer in self._stack:
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
        for layer in self._stack:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    @property
    def output_shape(self) -> Any:
        """The shape of the output, None for what is not known."""
        self._build_ahead()
        return self.compute_output_shape(self._declared().shape)

    def _declared(self) -> Input:
        found: Input | None = self._first if self._input is None else self._input
        if found is not None:
            return found
        if self._built_for is None:
            raise ArgumentError(
                f"{self.described()}: the shape of the input is not known yet; put layers.Input(shape) first, such as "
                "layers.Input((28, 3)) for 28 steps of 3 features, call the model on a tensor, or call build((None, 28, 3))"
            )
        return self._opened(Input(batch_shape=self._built_for, dtype=self.dtype).tensor)

    def _connected(self) -> Model:
        """Return the same layers as a model of symbolic tensors."""
        x = self._declared()
        return Model(x, self(x), name=self._called)

    def _build_ahead(self) -> None:
        """Build before the first call, where an `Input` says the shape."""
        if not self.built and self._input is not None:
            self._seen = self._seen or (self._input.dtype if self._input.dtype.kind == "f" else None)
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
        shape: Any = self._declared().shape
        rows = []
        for layer in self._stack:
            shape = layer.compute_output_shape(shape)
            rows.append((f"{layer._called} ({type(layer).__name__})", _shapes_text(shape), f"{layer.count_params():,}"))
        body = table(("layer", "output shape", "params"), rows, True)
        return f"Model {self._called!r}: {self.count_params():,} params\n\n{body}"

    # -- tracing and running --------------------------------------------------------------------------------------

    def _check(self, inputs: Any) -> None:
        if not self._stack:
            raise ArgumentError(f"{self.described()} has no layers; add some")
        if self._input is not None and not nest.is_nested(inputs):
            self._check_shape(self._input, keras_shape(inputs.shape), inputs.described())

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
        for place, layer in enumerate(self._stack):
            self._check_single(layer, place > 0 and nest.is_nested(outputs))
            outputs = layer(outputs, mask=mask) if place == 0 else layer(outputs)
        return outputs


def _shapes_text(shape: Any) -> str:
    """Return a shape, or the first of several and how many."""
    nested = any(nest.is_nested(item) for item in shape)
    return ", ".join(_shapes_text(item) for item in shape) if nested else described_shape(shape)
