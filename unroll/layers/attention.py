"""Attention: a mean of values for each query, weighted by how well their keys fit it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from unroll import ops
from unroll.checks import check_flag
from unroll.errors import ShapeError
from unroll.layers.activation import masked_score
from unroll.layers.arguments import one_of
from unroll.layers.declared import declared
from unroll.layers.input_checks import check_floats
from unroll.layers.merging import OfSeveral
from unroll.layers.sublayers import width
from unroll.parameter import Parameter
from unroll.tensor import Tensor, constant, named


def causal_mask(queries: Tensor, values: Tensor) -> Tensor:
    """Return bool ``(steps of queries, steps of values)``: true where a value does not come after the query.

    Args:
        queries: ``(batch, steps, ...)``.
        values: likewise.
    """
    many, others = queries.shape[1], values.shape[1]
    if isinstance(many, int) and isinstance(others, int):
        return constant(np.tri(many, others, dtype=bool), name="causal")
    rows = ops.range(0, ops.shape(queries)[1])
    columns = ops.range(0, ops.shape(values)[1])
    return named(ops.greater_equal(ops.unsqueeze(rows, [1]), columns), "causal")


def both(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """Return what is true in two masks, either of which may be None."""
    return second if first is None else first if second is None else ops.logical_and(first, second)


class Attending(OfSeveral):
    """What is called on ``[query, value]``, or ``[query, value, key]``; keys are the values where they are left out."""

    least = 2
    most = 3

    def _check(self, inputs: Any) -> None:
        super()._check(inputs)
        for name, item in zip(("query", "value", "key"), inputs, strict=False):
            check_floats(item, f"{self.described()}: the {name}")
            if item.rank != 3:
                raise ShapeError(
                    f"{self.described()}: the {name} {item.described()} must be (batch, steps, features); give a state "
                    "(batch, features) a step of its own with layers.Reshape((1, features))"
                )
        query, value, key = inputs[0], inputs[1], inputs[-1]
        for what, other, axis, one in (
            ("features of the query and the key", key, 2, query),
            ("steps of the value and the key", value, 1, key),
        ):
            sizes = one.shape[axis], other.shape[axis]
            if all(isinstance(size, int) for size in sizes) and sizes[0] != sizes[1]:
                raise ShapeError(
                    f"{self.described()}: the {what} must be equally many: {one.described()} and {other.described()} have "
                    f"{sizes[0]} and {sizes[1]} on axis {axis}; bring one to the other's with layers.Dense"
                    if axis == 2
                    else f"{self.described()}: the {what} must be equally many: {one.described()} and {other.described()} have "
                    f"{sizes[0]} and {sizes[1]} on axis 1"
                )

    def call(
        self,
        inputs: Sequence[Tensor],
        mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return the attention's results.

        Args:
            inputs: ``[query, value]`` or ``[query, value, key]``, each ``(batch, steps, features)``.
            mask: a list with the masks of query and value, bool ``(batch, steps)`` or None: results of masked queries are
                0, and masked values have no weight.
            return_attention_scores: return the weights too, ``(batch, steps of queries, steps of values)``.
            use_causal_mask: no query sees values of later steps.

        Returns:
            ``(batch, steps of queries, features of values)``, or a tuple of that and the weights.
        """
        query, value, key = inputs[0], inputs[1], inputs[-1]
        masks = [None, None] if mask is None else self._masks(inputs, mask)
        scores = self._scores(query, key)
        counts = None if masks[1] is None else ops.unsqueeze(masks[1], [1])
        if check_flag(use_causal_mask, f"{self.described()}: use_causal_mask"):
            counts = both(counts, causal_mask(query, value))
        if counts is not None:
            # As Keras has it, which adds: what does not count keeps its rank among what does not.
            scores = ops.where(counts, scores, scores + _much(scores))
        weights = named(ops.softmax(scores), "weights")
        result = ops.matmul(weights, value)
        if masks[0] is not None:
            result = ops.where(ops.unsqueeze(masks[0], [2]), result, 0)
        return (result, weights) if return_attention_scores else result

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        """Return how well each key fits each query, ``(batch, steps of queries, steps of keys)``."""
        raise NotImplementedError

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        return None if mask is None else self._masks(inputs, mask)[0]


def _much(scores: Tensor) -> float:
    return -65504.0 if scores.dtype == np.float16 else masked_score(scores)


def _pairs(query: Tensor, key: Tensor) -> Tensor:
    """Return the sum of each query and each key, ``(batch, queries, keys, features)``."""
    return ops.unsqueeze(query, [2]) + ops.unsqueeze(key, [1])


@declared
class Attention(Attending):
    """Attention by the product of query and key: Luong et al. 2015 (arXiv:1508.04025). Keras 3's ``Attention``.

    It is called on ``[query, value]`` or ``[query, value, key]``. Weights: scale, a number, with `use_scale`; and
    concat_score_weight, a number, with ``score_mode="concat"``.

    Args:
        use_scale: multiply the scores with a learned number.
        score_mode: ``"dot"`` for ``query @ key``; ``"concat"`` for the sum of ``tanh(query + key)``.
        dropout: kept; it acts in training only.
        seed: kept; it acts in training only.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        StructureError: the input is no list of 2 or 3 tensors.
        ShapeError: they are not ``(batch, steps, features)``, or do not go together.

    Example:
        >>> query, value = unroll.placeholder([None, 2, 4], name="q"), unroll.placeholder([None, 7, 4], name="v")
        >>> layers.Attention()([query, value]).shape
        (batch, 2, 4)
    """

    TRAINING_ONLY = ("dropout", "seed", *Attending.TRAINING_ONLY)
    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {"score_mode": one_of("dot", "concat")}
    use_scale: bool = False
    score_mode: Literal["dot", "concat"] = "dot"
    dropout: float = 0.0
    seed: int | None = None

    def build(self, input_shape: Any) -> None:
        """Make the numbers that scores are multiplied with."""
        concat = self.score_mode == "concat"
        self.scale = self.add_weight(name="scale", shape=[], initializer="ones") if self.use_scale else None
        self.concat_score_weight: Parameter | None = (
            self.add_weight(name="concat_score_weight", shape=[], initializer="ones") if concat else None
        )

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        if self.concat_score_weight is None:
            scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
            return scores if self.scale is None else scores * self.scale
        pairs = _pairs(query, key)
        bent = ops.tanh(pairs if self.scale is None else self.scale * pairs)
        return self.concat_score_weight * ops.reduce_sum(bent, -1)


@declared
class AdditiveAttention(Attending):
    """Attention by the sum of ``scale * tanh(query + key)``: Bahdanau et al. 2014 (arXiv:1409.0473).

    Keras 3's ``AdditiveAttention``, called on ``[query, value]`` or ``[query, value, key]``. Weights: scale ``(features,)``.

    Args:
        use_scale: weigh the features by learned numbers.
        dropout: kept; it acts in training only.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        StructureError: the input is no list of 2 or 3 tensors.
        ShapeError: they are not ``(batch, steps, features)``, or do not go together.

    Example:
        >>> query, value = unroll.placeholder([None, 2, 4], name="q"), unroll.placeholder([None, 7, 4], name="v")
        >>> layers.AdditiveAttention()([query, value]).shape
        (batch, 2, 4)
    """

    TRAINING_ONLY = ("dropout", *Attending.TRAINING_ONLY)
    use_scale: bool = True
    dropout: float = 0.0

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        size = width(input_shape[0], -1, self.described())
        self.scale = self.add_weight(name="scale", shape=[size]) if self.use_scale else None

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        bent = ops.tanh(_pairs(query, key))
        return ops.reduce_sum(bent if self.scale is None else self.scale * bent, -1)
