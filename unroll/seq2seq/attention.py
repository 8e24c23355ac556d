"""What is attended to: a memory, such as the outputs of an encoder, and how well each of its steps fits a query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unroll import ops, scopes
from unroll.cells.building_blocks import linear
from unroll.cells.rnn_cell import snake_case
from unroll.checks import check_flag, check_function, check_size
from unroll.errors import DTypeError, ShapeError
from unroll.initializers import ONES, ZEROS, Constant
from unroll.ops.composed import sequence_mask
from unroll.ops.operator import as_tensor
from unroll.parameter import Parameter
from unroll.seq2seq.helpers import lengths_of
from unroll.tensor import Tensor, named
from unroll.weights import WeightOwner


class AttentionMechanism(WeightOwner):
    """Base class: a subclass defines `score`.

    Attributes:
        values: the memory ``(batch, steps, depth)``, zeros past its lengths.
        keys: ``values @ memory_layer/kernel``, ``(batch, steps, num_units)``.

    Raises:
        ArgumentError, ArgumentTypeError: `num_units` is not an int of at least 1, or `probability_fn` is no function.
        ShapeError, DTypeError: the memory is not ``(batch, steps, depth)`` of floats, or the lengths are not one a row.
    """

    def __init__(self, num_units: int, memory: Tensor, memory_sequence_length: Any, probability_fn: Any) -> None:
        what = type(self).__name__
        self.num_units = check_size(num_units, f"{what}: num_units")
        chosen = ops.softmax if probability_fn is None else probability_fn
        self.probability_fn: Callable[[Tensor], Tensor] = check_function(chosen, f"{what}: probability_fn")
        self.values, self._mask = as_tensor(memory, f"{what}: memory"), None
        if self.values.rank != 3 or not isinstance(self.values.shape[2], int):
            raise ShapeError(
                f"{what}: memory {self.values.described()} must be (batch, steps, depth), of a known depth"
            )
        if self.values.dtype.kind != "f":
            raise DTypeError(f"{what}: memory {self.values.described()} must be of floats")
        if memory_sequence_length is not None:
            lengths = lengths_of(memory_sequence_length, self.values.shape[0], f"{what}: memory_sequence_length")
            self._mask = sequence_mask(lengths, ops.shape(self.values)[1])
            self.values = self.values * ops.unsqueeze(ops.cast(self._mask, self.values.dtype), [2])
        (self.keys,) = linear(self, {"memory": self.values}, ("keys",), num_units, "memory_layer", bias=False)

    @property
    def name(self) -> str:
        """The scope of what it makes for a query, such as ``bahdanau_attention``."""
        return snake_case(type(self).__name__)

    @property
    def weights(self) -> dict[str, Parameter]:
        """The Parameters made so far, by their name within it."""
        return self._weights

    def add_weight(self, name: str, *args: Any, **options: Any) -> Parameter:
        """Return the weight of a name, made when it is first asked for; see `unroll.weights.WeightOwner`."""
        return self._add_weight(name, *args, **options)

    def score(self, query: Tensor) -> Tensor:
        """Return how well each step of the memory fits a query, before it is made a probability: ``(batch, steps)``."""
        raise NotImplementedError(type(self).__name__)

    def __call__(self, query: Tensor) -> Tensor:
        """Return the share of each step of the memory.

        Args:
            query: ``(batch, features)``.

        Returns:
            ``(batch, steps)``; 0 past the lengths of the memory.
        """
        with scopes.scope(self.name):
            score = self.score(query)
            score = score if self._mask is None else ops.where(self._mask, score, -np.inf)
            return named(self.probability_fn(score), "alignments")


class BahdanauAttention(AttentionMechanism):
    """Attention by a layer over keys and query: Bahdanau et al. 2014 (arXiv:1409.0473).

    ``softmax(sum(attention_v * tanh(keys + query @ query_layer/kernel)))``, with ``keys = memory @ memory_layer/kernel``.

    Args:
        num_units: the width of keys and query.
        memory: ``(batch, steps, depth)``, such as the outputs of an encoder.
        memory_sequence_length: how many steps of each row count, ``(batch,)``; all by default.
        normalize: scale attention_v to a length that is learned, attention_g, and add attention_b: Salimans and Kingma 2016
            (arXiv:1602.07868).
        probability_fn: makes shares of scores; softmax by default.

    Raises:
        ArgumentError, ArgumentTypeError: `num_units` is not an int of at least 1, or another argument is not what it must be.
        ShapeError, DTypeError: the memory is not ``(batch, steps, depth)`` of floats, or the lengths are not one a row.

    Example:
        >>> memory = unroll.placeholder([None, 7, 4], name="memory")
        >>> mechanism = unroll.seq2seq.BahdanauAttention(5, memory)
        >>> mechanism(unroll.placeholder([None, 3], name="query")).shape
        (batch, 7)
    """

    def __init__(
        self,
        num_units: int,
        memory: Tensor,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        probability_fn: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(num_units, memory, memory_sequence_length, probability_fn)
        self.normalize = check_flag(normalize, "BahdanauAttention: normalize")

    def score(self, query: Tensor) -> Tensor:
        """Return how well each step of the memory fits a query."""
        units, kind = self.num_units, query.dtype
        (asked,) = linear(self, {"query": query}, ("query",), units, "query_layer", bias=False)
        mixed: Tensor = self.keys + ops.unsqueeze(asked, [1])
        v: Tensor = self.add_weight("attention_v", [units], dtype=kind)
        if self.normalize:
            g = self.add_weight("attention_g", [], Constant(units**-0.5), dtype=kind)
            mixed = mixed + self.add_weight("attention_b", [units], ZEROS, dtype=kind)
            v = g * v / ops.sqrt(ops.reduce_sum(v * v))
        return ops.reduce_sum(v * ops.tanh(mixed), [2])


class LuongAttention(AttentionMechanism):
    """Attention by products of keys and query: Luong et al. 2015 (arXiv:1508.04025).

    ``softmax(query @ keys)``, with ``keys = memory @ memory_layer/kernel``.

    Args:
        num_units: the width of keys, which must be the query's.
        memory: ``(batch, steps, depth)``, such as the outputs of an encoder.
        memory_sequence_length: how many steps of each row count, ``(batch,)``; all by default.
        scale: multiply the scores with a number that is learned, attention_g.
        probability_fn: makes shares of scores; softmax by default.

    Raises:
        ArgumentError, ArgumentTypeError: `num_units` is not an int of at least 1, or another argument is not what it must be.
        ShapeError, DTypeError: the memory is not ``(batch, steps, depth)`` of floats, or the lengths are not one a row.

    Example:
        >>> memory = unroll.placeholder([None, 7, 4], name="memory")
        >>> mechanism = unroll.seq2seq.LuongAttention(3, memory)
        >>> mechanism(unroll.placeholder([None, 3], name="query")).shape
        (batch, 7)
    """

    def __init__(
        self,
        num_units: int,
        memory: Tensor,
        memory_sequence_length: Any = None,
        scale: bool = False,
        probability_fn: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(num_units, memory, memory_sequence_length, probability_fn)
        self.scale = check_flag(scale, "LuongAttention: scale")

    def score(self, query: Tensor) -> Tensor:
        """Return how well each step of the memory fits a query."""
        found = ops.squeeze(ops.matmul(ops.unsqueeze(query, [1]), ops.transpose(self.keys, [0, 2, 1])), [1])
        return self.add_weight("attention_g", [], ONES, dtype=query.dtype) * found if self.scale else found
