"""The base class of layers: Keras 3's contract of build, call and compute_mask, on unroll's scopes and Parameters."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import numpy.typing as npt

from unroll import nest, ops, scopes
from unroll.bearers import Bearer
from unroll.checks import check_flag
from unroll.dimensions import Dim, shape_text
from unroll.dtypes import FLOAT32, Array, DType
from unroll.errors import (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    StructureError,
    UnsupportedError,
    warn,
)
from unroll.garbage_collection import collector_paused
from unroll.initializers import InitializerLike, get_initializer
from unroll.layers.arguments import Constraint, Recorded, Regularizer, bind, keep
from unroll.layers.configs.names import current
from unroll.layers.configs.reading import made_from
from unroll.layers.configs.writing import config_of
from unroll.layers.input_checks import check_floats, check_sizes, check_tensors
from unroll.layers.mask_tracking import mask_of, set_masks
from unroll.layers.sublayers import KerasShape, keras_name, keras_shape, weights_of
from unroll.layers.symbolic import Call, called, symbolic_among
from unroll.parameter import Parameter, parameter_dtype
from unroll.tensor import Tensor, constant, placeholder
from unroll.weights import WeightOwner


def _in_own_scope(build: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Let `build` run under the layer's own scope, once; ``super().build`` within it is a plain call."""

    @functools.wraps(build)
    def built(self: Any, input_shape: Any = None) -> None:
        if self._building:
            build(self, input_shape)
            return
        if input_shape is not None and not nest.is_nested(nest.flatten(input_shape)):
            input_shape = keras_shape(input_shape)
        self._building = True
        try:
            with self._entered():
                build(self, input_shape)
        finally:
            self._building = False
        self.built, self._built_for = True, input_shape

    return built


class _unless_set:  # noqa: N801  # a decorator, as `property`
    """A property that an attribute of a user's own class may have the name of."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function, self.__doc__ = function, function.__doc__

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else self._function(instance)


class Layer(Recorded, WeightOwner):
    """Base class of layers; a layer of your own defines `call`, and `build` where it has weights, as in Keras 3.

    The first call builds the layer: it makes the weights under the layer's own scope, and later calls share them.

    Args:
        name: the layer's scope; its class name in snake case by default.
        dtype: the dtype of weights and results, to which inputs of another floating dtype are cast; by default that of
            the inputs.
        trainable: kept; it acts in training only.
        activity_regularizer: kept; it acts in training only.

    Attributes:
        TRAINING_ONLY: the arguments that are kept and act in training only.
        SCHEDULING: the arguments that say how Keras computes, never what; the trace is the same for each value.
        REFUSED: the arguments of Keras that are refused, with the reason.
        fixed_axes: the axes of the input whose size the weights depend on.
        supports_masking: the mask of the input is that of the output too, where `compute_mask` does not say otherwise.
        built: the weights are made.

    Example:
        >>> class Scale(layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
        ...
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> layer = Scale()
        >>> layer(unroll.placeholder([None, 3], name="x")).shape, layer.factor.name
        ((batch, 3), 'scale/factor')
    """

    TRAINING_ONLY: ClassVar[tuple[str, ...]] = ("trainable", "activity_regularizer")
    SCHEDULING: ClassVar[tuple[str, ...]] = ()
    REFUSED: ClassVar[Mapping[str, str]] = {
        "autocast": "inputs are cast where dtype= says so, and nowhere else; leave it out",
        "input_dim": "a layer learns the shape of its input when it is called; put layers.Input(shape) first in Sequential",
        "input_shape": "a layer learns the shape of its input when it is called; put layers.Input(shape) first in Sequential",
    }
    _of_calls: ClassVar[tuple[str, ...]] = ("_symbolic_calls",)
    fixed_axes: tuple[int, ...] = ()
    supports_masking: bool = False
    built: bool = False
    trainable: bool
    _name: str | None = None
    _borne: Bearer | None = None
    _dtype: DType | None = None
    _seen: DType | None = None  # the dtype of the first inputs
    _built_for: KerasShape | None = None
    _building: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "build" in vars(cls):
            setattr(cls, "build", _in_own_scope(vars(cls)["build"]))  # noqa: B010
        super().__init_subclass__(**kwargs)

    def __init__(
        self,
        *,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
        activity_regularizer: Regularizer = None,
    ) -> None:
        keep(self, locals())
        self._name = None if name is None else scopes.check_name(name, type(self).__name__)
        self._dtype = None if dtype is None else parameter_dtype(dtype)

    # -- what a layer of your own defines -------------------------------------------------------------------------

    @_in_own_scope
    def build(self, input_shape: Any = None) -> None:
        """Make the weights; it runs once, before the first call, under the layer's own scope.

        Args:
            input_shape: the shape of the input, None where a size is not known.
        """

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Trace the layer on tensors; it runs under the layer's own scope.

        Where it has an argument `mask`, it is handed the mask of the input; `training` is always False.

        Raises:
            StructureError: the layer does not define it.
        """
        raise StructureError(f"{type(self).__name__} has no call(inputs); define it")

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """Return the mask of the output (or a list, one for each output); by default that of the input."""
        return mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output for an input of this shape; by default it is found by tracing."""
        shape = [f"axis_{axis}" if dim is None else dim for axis, dim in enumerate(keras_shape(input_shape))]
        return nest.map_leaves(lambda output: keras_shape(output.shape), self(placeholder(shape, "shape")))

    # -- as data --------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made with as plain data, by Keras's names.

        A class of your own that adds to it calls ``super().get_config()``, which is name, dtype and trainable; without one, the
        arguments of its constructor are taken.

        Raises:
            UnsupportedError, ArgumentTypeError: an argument has no such form, such as a lambda.
        """
        return config_of(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Return a layer made with what `get_config` gave, here or in Keras.

        Args:
            config: the arguments of the constructor by name; layers and functions among them as Keras's dictionaries.

        Returns:
            A layer of the class, not built yet.

        Raises:
            UnsupportedError, NameNotFoundError: an argument, class or function that there is not.
            ArgumentError, ArgumentTypeError: a value that an argument does not take.
        """
        return made_from(cls, config)

    # -- calling --------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Trace the layer on a tensor, or a nest of tensors; arguments are those of `call`.

        Args:
            inputs: the tensors; those of a model that is put together before it is fed (`layers.Input`) are taken as well.
            args: handed on to `call`.
            kwargs: handed on to `call`; besides, `mask` says which steps count, in place of the mask that the inputs
                carry, and `training` may be False.

        Returns:
            What `call` returns: a tensor, or a nest of tensors.

        Raises:
            ShapeError, DTypeError, ArgumentTypeError: the inputs do not fit.
            UnsupportedError: ``training=True``.
        """
        if symbolic_among(inputs, args, kwargs):
            return called(self, (inputs, *args), kwargs)
        if kwargs.pop("training", None):
            raise UnsupportedError(f"{self.described()}: training=True: unroll traces inference; leave it out")
        mask, kwargs = self._mask_among(inputs, args, kwargs)
        if (room := current().room) is not None:
            room.spend(1, self.described())
        with collector_paused():
            inputs = self._ready(inputs)
            with self._entered():
                outputs = self.call(inputs, *args, **kwargs)
                return self._with_masks(inputs, outputs, mask)

    def _mask_among(self, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the mask of a call, given or carried by the inputs, and the keywords that `call` is to have."""
        cls: Any = type(self)
        signature = _call_signature(cls)
        given = kwargs.pop("mask", None)
        bound = bind(signature, (self, inputs, *args), kwargs, self.described()).arguments
        mask = bound.get("mask", given)
        if mask is None:
            mask = self._carried_mask(inputs)
        elif isinstance(inputs, Tensor) and not isinstance(mask, Tensor):
            mask = constant(mask, name="mask")
        wanted = "mask" in signature.parameters and "mask" not in bound
        return mask, kwargs | {"mask": mask} if wanted else kwargs

    def _carried_mask(self, inputs: Any) -> Any:
        """Return the mask that the inputs carry: that of the first of several."""
        return mask_of(inputs)

    def _ready(self, inputs: Any) -> Any:
        """Check and cast the inputs, build the layer for them where it is not built yet, and return them."""
        check_tensors(inputs, self.described())
        first = next((leaf.dtype for leaf in nest.flatten(inputs) if leaf.dtype.kind == "f"), None)
        if self._seen is None:
            self._seen = self._dtype or first
        inputs = nest.map_leaves(self._cast, inputs)
        self._check(inputs)
        if not self.built:
            self._build_for(nest.map_leaves(lambda leaf: keras_shape(leaf.shape), inputs))
        return inputs

    def _build_for(self, input_shape: Any) -> None:
        """Build the layer before its first call."""
        self.build(input_shape)

    def _check(self, inputs: Any) -> None:
        """Check the inputs' ranks and shapes; by default the sizes that the weights depend on.

        Raises:
            ShapeError: a size is not known, or another than that of the first call.
            StructureError, DTypeError: not one tensor of floats, where there are weights.
            ArgumentError: a model has no layers.
        """
        if self.fixed_axes:
            check_floats(inputs, self.described())
            check_sizes(inputs, self.fixed_axes, self._built_for, self.described())

    def _entered(self) -> AbstractContextManager[None]:
        """Return a context inside the layer's scope; a cell's is the same at every step."""
        cell = hasattr(type(self), "state_size") or "state_size" in vars(self)
        return scopes.bearing(self._bearer, cell)

    def _cast(self, tensor: Tensor) -> Tensor:
        if tensor.dtype.kind != "f" or self._seen is None or self._seen == tensor.dtype:
            return tensor
        if self._dtype is None:
            raise DTypeError(
                f"{self.described()}: the layer's weights are {self._seen}, the input is {tensor.described()}; give the "
                "layer a dtype, to which inputs are cast, or make a second layer"
            )
        return ops.cast(tensor, self._dtype)

    def _with_masks(self, inputs: Any, outputs: Any, mask: Any) -> Any:
        """Return the outputs with their masks set; an output that is the input itself gets its mask on a copy."""
        computed = type(self).compute_mask is not Layer.compute_mask and "supports_masking" not in vars(self)
        if self.supports_masking or computed:
            if outputs is not inputs and mask_of(outputs) is not None:
                return outputs  # `call` has set them
            masks = self.compute_mask(inputs, mask)
            if outputs is inputs and masks is not None and masks is not mask_of(inputs):
                outputs = ops.identity(outputs)
            set_masks(outputs, masks)
        elif mask is not None:
            warn(
                f"{self.described()} does not support masking: the mask of its input ends here, and later layers count every "
                "step. Set supports_masking = True in its class where each output step belongs to its input step",
            )
        return outputs

    # -- what it was called on in a model ---------------------------------------------------------------------------

    @_unless_set
    def input(self) -> Any:
        """The symbolic tensors that the layer was called on, in their nest.

        Raises:
            ArgumentError: it was called on none, or more than once.
        """
        call, _ = self._only_call()
        return call.args[0]

    @_unless_set
    def output(self) -> Any:
        """The symbolic tensors that the layer gave, in their nest; see `input`."""
        return self._only_call()[1]

    def _only_call(self) -> tuple[Call, Any]:
        calls: list[tuple[Call, Any]] = vars(self).get("_symbolic_calls", [])
        if len(calls) != 1:
            raise ArgumentError(
                f"{self.described()} was called {len(calls)} times on symbolic tensors, and its input and output are those of "
                "one call; keep what the call returns"
            )
        return calls[0]

    # -- names, dtypes, weights -----------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The layer's scope, such as ``lstm``."""
        return self._bearer.shown()

    @property
    def _called(self) -> str:
        return self._bearer.name

    def _named_anew(self) -> None:
        self._bearer.free()
        self._name = None

    @property
    def _bearer(self) -> Bearer:
        """The layer in the paths of what it makes; a new one once a model has given it a name (a class of your own need not
        call ``__init__``).
        """
        known, kind = self._borne, type(self).__name__
        if known is None or (self._name is not None and (self._name != known.name or not known.settled)):
            known = self._borne = Bearer(kind, self._name or keras_name(kind), given=self._name is not None)
        return known

    @property
    def dtype(self) -> DType:
        """The dtype of weights and results: the one given, else that of the first inputs, else float32."""
        return self._dtype or self._seen or FLOAT32

    #: Keras's name for the dtype of results, which is here that of the weights.
    compute_dtype = dtype

    def described(self) -> str:
        """Return class and name, for messages."""
        return f"{type(self).__name__} {self._called!r}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self._called}, built={self.built}>"

    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: InitializerLike | None = "glorot_uniform",
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
        regularizer: Regularizer = None,
        constraint: Constraint = None,
        name: str | None = None,
        *,
        rows: Mapping[str, Dim] | None = None,
        columns: Mapping[str, Dim] | None = None,
        note: str = "",
    ) -> Parameter:
        """Return a new weight of the layer.

        Args:
            shape: its shape, unless `columns` gives it.
            initializer: a name, an object of `unroll.initializers`, an array, or a function of (shape, dtype).
            dtype: the layer's by default.
            trainable: acts in training only, as do `regularizer` and `constraint`.
            regularizer: see `trainable`.
            constraint: see `trainable`.
            name: its name within the layer; ``weight_<count>`` by default.
            rows: sources and their sizes, top to bottom, for the block table: ``{"x": 28}``.
            columns: gates and their sizes, left to right.
            note: why the blocks stand apart from the others of the layer.

        Returns:
            The Parameter, under the layer's scope.

        Raises:
            ArgumentError: neither `shape` nor `columns` is given, or no initialiser has that name.
            ArgumentTypeError: `initializer` is none of these.
            ShapeError: the weight is there already with another shape.
            DTypeError: the dtype is not a floating one.
        """
        name = f"weight_{len(self._weights)}" if name is None else name
        room = current().room
        what = f"{self.described()}: {name}"
        draw = room or get_initializer("glorot_uniform" if initializer is None else initializer, what)
        kind = self.dtype if dtype is None else dtype
        if not check_flag(trainable, f"{what}: trainable"):
            vars(self).setdefault("_untrained", []).append(name)
        return self._add_weight(name, shape, draw, rows=rows, columns=columns, note=note, dtype=kind)

    def _build_part(self, part: Any, input_shape: Any) -> None:
        """Build a layer that is part of this one, under this one's scope, for weights of its dtype."""
        if isinstance(part, Layer) and not part.built:
            part._seen = part._seen or part._dtype or self.dtype
            part.build(input_shape)

    @property
    def weights(self) -> list[Parameter]:
        """The Parameters made so far: the layer's own, then those of its parts, in Keras's order."""
        return weights_of(self)

    def get_weights(self) -> list[Array]:
        """Return the values of `weights` as arrays, in Keras's order and layout."""
        return [parameter.value.copy() for parameter in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Give every weight a value, all or none.

        Args:
            weights: arrays in the order and layout of `get_weights`, which are Keras's.

        Raises:
            ArgumentTypeError: `weights` is not a list.
            ArgumentError: the layer is not built, or there are more or fewer arrays than weights.
            ShapeError, DTypeError: an array does not fit.
        """
        self._check_built("set_weights")
        if not isinstance(weights, (list, tuple)):
            raise ArgumentTypeError(
                f"{self.described()}: set_weights takes a list with one array a weight, not {weights!r}"
            )
        parameters, values = self.weights, list(weights)
        if len(values) != len(parameters):
            raise ArgumentError(
                f"{self.described()}: set_weights was given {len(values)} arrays for {len(parameters)} weights: "
                + ", ".join(f"{item.name} {shape_text(item.shape)}" for item in parameters)
            )
        for parameter, value in zip(parameters, values, strict=True):
            parameter.cast(value)
        for parameter, value in zip(parameters, values, strict=True):
            parameter.assign(value)

    def count_params(self) -> int:
        """Return the number of elements of all weights.

        Raises:
            ArgumentError: the layer is not built.
        """
        self._check_built("count_params")
        return sum(math.prod(map(int, parameter.shape)) for parameter in self.weights)

    def _check_built(self, what: str) -> None:
        if not self.built:
            raise ArgumentError(
                f"{self.described()}: {what}: the layer has no weights yet, for it does not know its input; call it on a "
                "tensor first, or call build(input_shape) with the shape of a batch, such as build((None, 28, 3)) for 28 steps "
                "of 3 features"
            )


@functools.cache
def _call_signature(cls: Any) -> inspect.Signature:
    return inspect.signature(cls.call)
