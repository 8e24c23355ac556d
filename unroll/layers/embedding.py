"""Ids as rows of a matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from unroll import ops
from unroll.dtypes import BOOL, as_array, cast_array
from unroll.errors import DTypeError, ShapeError
from unroll.initializers import Draw, InitializerLike
from unroll.layers.arguments import Constraint, Regularizer, keep
from unroll.layers.dense import LORA, QUANTIZED
from unroll.layers.layer import Layer
from unroll.layers.sublayers import keras_shape
from unroll.look_up import look_up
from unroll.parameter import Parameter
from unroll.tensor import Tensor, named


class Embedding(Layer):
    """The row of a matrix for each id: Keras 3's ``Embedding``.

    Inputs are ids ``(batch, time)``, and floats that stand for them are cast as Keras casts them. Weights: embeddings
    ``(input_dim, output_dim)``.

    Args:
        input_dim: the number of ids, 0 to ``input_dim - 1``.
        output_dim: the width of a row.
        embeddings_initializer: draws the matrix; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        embeddings_regularizer: kept; it acts in training only.
        embeddings_constraint: kept; it acts in training only.
        mask_zero: id 0 is padding: the output carries a mask, which later layers follow by themselves.
        weights: the matrix's first value, instead of a drawn one; an array, or a list of that one array.
        lora_rank: refused.
        lora_alpha: refused.
        quantization_config: refused.
        name: the layer's scope; ``embedding`` by default.
        dtype: of the matrix; float32 by default.
        trainable: kept; it acts in training only.
        activity_regularizer: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        ShapeError: `weights` are not ``(input_dim, output_dim)``.
        UnsupportedError: an argument that is refused is given.

    Example:
        >>> ids = unroll.placeholder([None, 7], name="ids", dtype="int64")
        >>> layers.Embedding(input_dim=1000, output_dim=64)(ids).shape
        (batch, 7, 64)
    """

    TRAINING_ONLY = ("embeddings_regularizer", "embeddings_constraint", *Layer.TRAINING_ONLY)
    REFUSED: ClassVar[Mapping[str, str]] = {
        **{name: reason for name, reason in Layer.REFUSED.items() if name != "input_dim"},
        "lora_rank": LORA,
        "lora_alpha": LORA,
        "quantization_config": QUANTIZED,
    }
    input_dim: int
    output_dim: int
    mask_zero: bool
    embeddings_initializer: Draw
    embeddings: Parameter

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: InitializerLike = "uniform",
        embeddings_regularizer: Regularizer = None,
        embeddings_constraint: Constraint = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: None = None,
        lora_alpha: None = None,
        quantization_config: None = None,
        *,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
        activity_regularizer: Regularizer = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        keep(self, locals())
        if weights is not None:
            array = weights[0] if isinstance(weights, (list, tuple)) and len(weights) == 1 else weights
            self.embeddings_initializer = lambda shape, dtype, name, seed: np.array(cast_array(array, dtype, name))
            wanted = (self.input_dim, self.output_dim)
            found = as_array(array, "Embedding: weights").shape
            if found != wanted:
                raise ShapeError(f"Embedding: weights of shape {found} were given, {wanted} is wanted")

    def build(self, input_shape: Any = None) -> None:
        """Make the matrix."""
        shape = (self.input_dim, self.output_dim)
        self.embeddings = self.add_weight(name="embeddings", shape=shape, initializer=self.embeddings_initializer)

    def call(self, inputs: Tensor) -> Tensor:
        """Return ``(batch, time, output_dim)`` for ids ``(batch, time)``.

        Raises:
            DTypeError: the ids are booleans.
        """
        if inputs.dtype == BOOL:
            raise DTypeError(f"{self.described()}: the input {inputs.described()} must be ids, of dtype int32 or int64")
        ids = inputs if inputs.dtype.kind == "i" else ops.cast(inputs, "int32")
        return look_up(self.embeddings, ids, f"{self.described()}: the input", "embedded")

    def compute_mask(self, inputs: Tensor, mask: Any) -> Any:
        if not self.mask_zero:
            return None
        return named(ops.logical_not(ops.equal(inputs, 0)), "mask")

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*keras_shape(input_shape), self.output_dim)
