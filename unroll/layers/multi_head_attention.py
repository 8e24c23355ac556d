"""Attention of several heads side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from unroll import ops
from unroll.checks import check_flag, check_size, shown
from unroll.errors import ArgumentError, ShapeError, UnsupportedError
from unroll.initializers import Draw, InitializerLike
from unroll.layers.activation import masked_score
from unroll.layers.arguments import Constraint, Regularizer, ints_of, or_none
from unroll.layers.attention import both, causal_mask
from unroll.layers.declared import Declared, declared
from unroll.layers.input_checks import check_floats
from unroll.layers.layer import Layer
from unroll.layers.mask_tracking import mask_of
from unroll.layers.merging import OfSeveral
from unroll.layers.sublayers import width
from unroll.layers.symbolic import called, symbolic_among
from unroll.parameter import Parameter
from unroll.tensor import Tensor, constant, named

#: What Keras's fused attention puts in the place of a score that does not count.
_FUSED = -0.7


class Projection(Layer):
    """A product over some axes of the input and a kernel of several axes; the heads and their features are flattened for it.

    Args:
        before: the axes of the kernel that are summed over.
        after: its other axes, which are the bias's too.
        use_bias: add a bias.
        kernel_initializer: draws the kernel.
        bias_initializer: draws the bias.
        name: the part's scope.
    """

    def __init__(
        self,
        before: Sequence[int],
        after: Sequence[int],
        use_bias: bool,
        kernel_initializer: Draw,
        bias_initializer: Draw,
        name: str,
    ) -> None:
        super().__init__(name=name)
        self._before, self._after, self._use_bias = tuple(before), tuple(after), use_bias
        self._draws = kernel_initializer, bias_initializer

    def build(self, input_shape: Any = None) -> None:
        """Make kernel and bias."""
        kernel, bias = self._draws
        self.kernel: Parameter = self.add_weight(name="kernel", shape=(*self._before, *self._after), initializer=kernel)
        self.bias: Parameter | None = (
            self.add_weight(name="bias", shape=self._after, initializer=bias) if self._use_bias else None
        )

    def of(self, inputs: Tensor) -> Tensor:
        """Return ``(batch, steps, after)`` for ``(batch, steps, before)``, the axes of either flattened.

        It is traced under the scope of the layer that the projection is part of, so that a picture has one box for all.
        """
        rows, columns = math.prod(self._before), math.prod(self._after)
        kernel = ops.reshape(self.kernel, [rows, columns]) if self.kernel.rank != 2 else self.kernel
        product = ops.matmul(inputs, kernel)
        if self.bias is None:
            return product
        return product + (ops.reshape(self.bias, [columns]) if self.bias.rank != 1 else self.bias)


@declared
class MultiHeadAttention(OfSeveral):
    """Attention of several heads, each with projections of its own: Vaswani et al. 2017 (arXiv:1706.03762).

    Keras 3's ``MultiHeadAttention``, called on a query, a value, and a key where it is not the value. Weights: kernel and bias
    of query and key ``(features, num_heads, key_dim)``, of value ``(features, num_heads, value_dim)``, and of attention_output
    ``(num_heads, value_dim, features)``.

    Args:
        num_heads: how many heads.
        key_dim: the features of a head's queries and keys.
        value_dim: the features of a head's values; `key_dim` by default.
        dropout: kept; it acts in training only.
        use_bias: add biases.
        output_shape: the features of the result, one int; those of the query by default.
        attention_axes: the axis of the steps, 1; others are refused.
        sliding_window: how far a query sees to either side, itself among them; None for everywhere.
        flash_attention: how Keras computes it; the numbers are the same.
        kernel_initializer: draws the kernels; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        bias_initializer: draws the biases.
        kernel_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        bias_regularizer: see `kernel_regularizer`.
        kernel_constraint: see `kernel_regularizer`.
        bias_constraint: see `kernel_regularizer`.
        use_gate: multiply the heads' results with a sigmoid of one more projection of the query.
        seed: kept; it acts in training only.

    The other arguments are those of `Layer`.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take.
        UnsupportedError: other axes than that of the steps.
        ShapeError: the inputs are not ``(batch, steps, features)``, or do not go together.

    Example:
        >>> query, value = unroll.placeholder([None, 2, 4], name="q"), unroll.placeholder([None, None, 6], name="v")
        >>> layers.MultiHeadAttention(num_heads=2, key_dim=3)(query, value).shape
        (batch, 2, 4)
    """

    TRAINING_ONLY = (
        "dropout",
        "kernel_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "bias_constraint",
        "seed",
        *Declared.TRAINING_ONLY,
    )
    SCHEDULING = ("flash_attention",)
    CHECKS: ClassVar[dict[str, Callable[[Any, str], Any]]] = {
        "output_shape": or_none(ints_of),
        "attention_axes": or_none(ints_of),
        "sliding_window": or_none(check_size),
        "use_gate": check_flag,
    }
    REFUSED: ClassVar[Mapping[str, str]] = Declared.REFUSED
    num_heads: int
    key_dim: int
    value_dim: int | None = None
    dropout: float = 0.0
    use_bias: bool = True
    output_shape: int | Sequence[int] | None = None
    attention_axes: int | Sequence[int] | None = None
    sliding_window: int | None = None
    flash_attention: bool | None = None
    kernel_initializer: InitializerLike = "glorot_uniform"
    bias_initializer: InitializerLike = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None
    use_gate: bool = False
    seed: int | None = None

    def _settle(self) -> None:
        self.value_dim = self.value_dim or self.key_dim
        axes = [self.attention_axes] if isinstance(self.attention_axes, int) else self.attention_axes
        if axes is not None and list(axes) not in ([1], [-2]):
            raise UnsupportedError(
                f"MultiHeadAttention: attention_axes={shown(self.attention_axes)} is not supported: it attends over the "
                "steps of (batch, steps, features), axis 1; fold other axes into the batch with unroll.ops.reshape, or "
                "leave it out"
            )
        if not isinstance(self.output_shape, int) and self.output_shape is not None and len(self.output_shape) != 1:
            raise ArgumentError(
                f"MultiHeadAttention: output_shape is {shown(self.output_shape)}; one number of features is wanted"
            )

    def __call__(self, query: Any, value: Any = None, key: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """Trace the layer on a query, a value and a key; see `call` for the other arguments.

        Args:
            query: ``(batch, steps of queries, features)``.
            value: ``(batch, steps, features)``.
            key: ``(batch, steps, features)``; the value by default.
            kwargs: handed on to `call`.

        Returns:
            What `call` returns.
        """
        given = [query, value, *([] if key is None else [key])]
        if symbolic_among(given, kwargs):
            return called(self, (query, value) if key is None else (query, value, key), kwargs)
        return super().__call__(given, **kwargs)

    def _check(self, inputs: Any) -> None:
        for name, item in zip(("query", "value", "key"), inputs, strict=False):
            check_floats(item, f"{self.described()}: the {name}")
            if item.rank != 3:
                raise ShapeError(f"{self.described()}: the {name} {item.described()} must be (batch, steps, features)")
        value, key = inputs[1], inputs[-1]
        if isinstance(value.shape[1], int) and isinstance(key.shape[1], int) and value.shape[1] != key.shape[1]:
            raise ShapeError(
                f"{self.described()}: the value {value.described()} and the key {key.described()} have {value.shape[1]} and "
                f"{key.shape[1]} steps; they must be equally many"
            )

    def build(self, input_shape: Any) -> None:
        """Make the projections."""
        query, value, key = (
            width(shape, -1, self.described()) for shape in (input_shape[0], input_shape[1], input_shape[-1])
        )
        features = self.output_shape if isinstance(self.output_shape, int) else (self.output_shape or [query])[0]
        values = int(self.value_dim or self.key_dim)
        self.query_dense = self._projection("query", [query], [self.num_heads, self.key_dim])
        self.key_dense = self._projection("key", [key], [self.num_heads, self.key_dim])
        self.gate_dense = self._projection("gate", [query], [self.num_heads, values]) if self.use_gate else None
        self.value_dense = self._projection("value", [value], [self.num_heads, values])
        self.output_dense = self._projection("attention_output", [self.num_heads, values], [features])

    def _projection(self, name: str, before: Sequence[int], after: Sequence[int]) -> Projection:
        draws = cast("Draw", self.kernel_initializer), cast("Draw", self.bias_initializer)
        made = Projection(before, after, self.use_bias, *draws, name)
        self._build_part(made, None)
        return made

    def call(
        self,
        inputs: Sequence[Tensor],
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return the heads' results, projected.

        Args:
            inputs: query, value, and key where it is not the value.
            query_mask: bool ``(batch, steps of queries)``; that of the query by default.
            value_mask: bool ``(batch, steps)``; that of the value by default.
            key_mask: bool ``(batch, steps)``; that of the key by default.
            attention_mask: bool ``(batch, steps of queries, steps)``, or with the heads between: which query sees which value.
            return_attention_scores: return the weights too, ``(batch, num_heads, steps of queries, steps)``.
            use_causal_mask: no query sees values of later steps.

        Returns:
            ``(batch, steps of queries, features)``, or a tuple of that and the weights.
        """
        query, value, key = inputs[0], inputs[1], inputs[-1]
        masks = [query_mask, value_mask, key_mask]
        carried = [mask_of(query), mask_of(value), mask_of(key) if len(inputs) > 2 else None]
        masks = [_mask(other if mask is None else mask) for mask, other in zip(masks, carried, strict=True)]
        seen = self._visible(query, value, masks, use_causal_mask)
        if attention_mask is not None:
            seen = both(_with_heads(_mask(attention_mask)), seen)
        q, k, v = (
            self._heads(part.of(item), size)
            for part, item, size in (
                (self.query_dense, query, self.key_dim),
                (self.key_dense, key, self.key_dim),
                (self.value_dense, value, int(self.value_dim or self.key_dim)),
            )
        )
        scores = ops.matmul(q * (1 / math.sqrt(self.key_dim)), ops.transpose(k, (0, 1, 3, 2)))
        weights = named(self._softmax(scores, seen, return_attention_scores), "weights")
        joined = ops.reshape(
            ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3)), [0, 0, self.num_heads * int(self.value_dim or 1)]
        )
        if self.gate_dense is not None:
            joined = joined * ops.sigmoid(self.gate_dense.of(query))
        result = self.output_dense.of(joined)
        return (result, weights) if return_attention_scores else result

    def _softmax(self, scores: Tensor, seen: Tensor | None, wanted: bool) -> Tensor:
        """Return the softmax of the scores; Keras masks by other numbers where it returns the weights, or could drop some."""
        if seen is None:
            return ops.softmax(scores)
        if wanted or self.dropout > 0:
            weights = ops.softmax(ops.where(seen, scores, masked_score(scores)))
            return ops.where(seen, weights, 0)
        least = (65500.0 if scores.dtype.itemsize == 2 else 3.38953e38) * _FUSED
        return ops.softmax(ops.where(seen, scores, least))

    def _heads(self, x: Tensor, size: int) -> Tensor:
        """Return ``(batch, heads, steps, size)`` for ``(batch, steps, heads * size)``."""
        return ops.transpose(ops.reshape(x, [0, 0, self.num_heads, size]), (0, 2, 1, 3))

    def _visible(self, query: Tensor, value: Tensor, masks: Sequence[Tensor | None], causal: bool) -> Tensor | None:
        """Return which query sees which value, ``(batch, 1, queries, values)``, or None where each sees all."""
        places = ([1, 3], [1, 2], [1, 2])
        found: Tensor | None = None
        for mask, at in zip(masks, places, strict=True):
            found = found if mask is None else both(found, ops.unsqueeze(ops.cast(mask, "bool"), at))
        if check_flag(causal, f"{self.described()}: use_causal_mask"):
            found = both(found, causal_mask(query, value))
        if self.sliding_window is not None:
            rows, columns = (ops.range(0, ops.shape(item)[1]) for item in (query, value))
            away = ops.abs(ops.unsqueeze(rows, [1]) - columns)
            found = both(found, ops.less(away, self.sliding_window))
        return found

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        return mask[0] if isinstance(mask, (list, tuple)) else mask


def _mask(mask: Any) -> Tensor | None:
    return mask if mask is None or isinstance(mask, Tensor) else constant(mask, name="mask")


def _with_heads(mask: Tensor | None) -> Tensor | None:
    if mask is None or mask.rank == 4:
        return mask if mask is None or mask.dtype == bool else ops.cast(mask, "bool")
    return ops.unsqueeze(ops.cast(mask, "bool"), [1])
