"""Rows of a table by their numbers, as PyTorch's Embedding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from unroll import scopes
from unroll.checks import check_flag, check_size, is_same
from unroll.dimensions import Shape
from unroll.dtypes import Array, DType
from unroll.errors import ArgumentError, UnsupportedError
from unroll.initializers import Draw, RandomNormal
from unroll.look_up import look_up
from unroll.nn.module import Module
from unroll.tensor import Tensor

_RENORMALISED = "PyTorch then changes the weight at every call, and a graph reads its weights only"


class Embedding(Module):
    """Rows of a table chosen by integers, as ``torch.nn.Embedding``.

    Parameter: weight ``(num_embeddings, embedding_dim)``, standard normal at first, with zeros in row `padding_idx`.

    Args:
        num_embeddings: how many rows the table has; ids are from 0 to one less.
        embedding_dim: how wide they are.
        padding_idx: a row of zeros at first, which training leaves alone; negative numbers count from the end.
        max_norm: refused: a graph does not change its weights.
        norm_type: the norm that `max_norm` is of; refused with it.
        scale_grad_by_freq: kept; it acts in training only.
        sparse: likewise.
        device: None or ``"cpu"``.
        dtype: of the weight and the output; float32 by default.
        name: the module's scope; ``embedding`` by default.

    Raises:
        ArgumentError, ArgumentTypeError, DTypeError, UnsupportedError: an argument out of its range.

    Example:
        >>> ids = unroll.placeholder([None, 7], name="ids", dtype="int64")
        >>> nn.Embedding(1000, 64)(ids).shape
        (batch, 7, 64)
    """

    TRAINING_ONLY: ClassVar[tuple[str, ...]] = ("scale_grad_by_freq", "sparse")
    REFUSED: ClassVar[Mapping[str, str]] = {
        **Module.REFUSED,
        "max_norm": _RENORMALISED,
        "norm_type": _RENORMALISED,
    }

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        device: Any = None,
        dtype: npt.DTypeLike | None = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name, device, dtype)
        for argument, value, default in (("max_norm", max_norm, None), ("norm_type", norm_type, 2.0)):
            if not is_same(value, default):
                raise UnsupportedError(f"{self._what}: {argument}={value!r}: {self.REFUSED[argument]}; leave it out")
        self.num_embeddings = check_size(num_embeddings, f"{self._what}: num_embeddings")
        self.embedding_dim = check_size(embedding_dim, f"{self._what}: embedding_dim")
        self.scale_grad_by_freq = check_flag(scale_grad_by_freq, f"{self._what}: scale_grad_by_freq")
        self.sparse = check_flag(sparse, f"{self._what}: sparse")
        self.padding_idx = None if padding_idx is None else self._row(padding_idx)
        with scopes.bearing(self._bearer):
            draw, shape = (
                _without_row(scopes.current().initializer or RandomNormal(0.0, 1.0), self.padding_idx),
                (self.num_embeddings, self.embedding_dim),
            )
            self._add_weight("weight", shape, draw, dtype=self.dtype)

    def _row(self, padding_idx: int) -> int:
        count = self.num_embeddings
        row = check_size(padding_idx, f"{self._what}: padding_idx", least=-count)
        if row >= count:
            raise ArgumentError(f"{self._what}: padding_idx {row} is outside the {count} rows of the table")
        return row % count

    def __call__(self, input: Tensor) -> Tensor:
        """Return the rows ``(..., embedding_dim)`` of ids ``(...)``, int32 or int64.

        Raises:
            ArgumentTypeError, DTypeError: the ids are not a tensor of integers.
            ArgumentError: fixed ids that the table does not have; those of a placeholder are checked when it is fed.
        """
        with scopes.bearing(self._bearer):
            return look_up(self._weights["weight"], input, f"{self._what}: the input")


def _without_row(draw: Draw, row: int | None) -> Draw:
    """Return an initialiser whose array has zeros in one row."""

    def drawn(shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
        first = np.array(draw(shape, dtype, name, seed))
        first[row] = 0
        return first

    return draw if row is None else drawn
