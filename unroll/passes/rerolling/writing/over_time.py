"""What does for a stack of all steps, time first, what an operator does for each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from unroll.ops.arithmetic import Add, Pow
from unroll.ops.choices import Clip, Where
from unroll.ops.elementwise import Binary, Unary
from unroll.ops.functions import Cast
from unroll.ops.joining import Concat, Split
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.normalization import LayerNormalization
from unroll.ops.operator import Operator
from unroll.ops.reduction import ArgMax, Reduction, Softmax
from unroll.ops.shaping import Reshape, Squeeze, Transpose, Unsqueeze
from unroll.ops.slicing import Gather, Slice
from unroll.passes.tools.making import Maker
from unroll.passes.tools.rewriting import ints
from unroll.tensor import Tensor

#: Operators for whose elements their axes mean nothing.
LIKE_EACH_ELEMENT = (Unary, Binary, Cast, Clip, Pow, Where)


def over_time(op: Operator, rank: int) -> Operator | None:
    """Return the operator that does for stacks what `op` does for steps of `rank` axes; None where there is none."""
    if isinstance(op, Concat):
        return Concat(op.axis % rank + 1)
    if isinstance(op, Split):
        return Split(op.axis % rank + 1, op.num_outputs)
    if isinstance(op, Softmax):
        return type(op)(op.axis % rank + 1)
    if isinstance(op, Gemm):
        return op if op.alpha == op.beta == 1 and not op.transA else None
    return op if isinstance(op, (*LIKE_EACH_ELEMENT, MatMul)) else None


def may_be_shared(op: Operator, place: int, tensor: Tensor, rank: int) -> bool:
    """Say whether `op` over stacks may read at a place what every step reads."""
    if isinstance(op, (MatMul, Gemm)):
        return (place == 1 and tensor.rank == 2 and rank == 2) or (place == 2 and tensor.rank <= 1)
    return isinstance(op, LIKE_EACH_ELEMENT) and tensor.rank <= rank


def applied(maker: Maker, op: Operator, inputs: Sequence[Tensor]) -> Tensor:
    """Return the result of an operator of `over_time` on stacks."""
    if not isinstance(op, Gemm):
        return maker.one(op, *inputs)
    weight = maker.transpose(inputs[1], (1, 0)) if op.transB else inputs[1]
    product = maker.one(MatMul(), inputs[0], weight)
    return maker.one(Add(), product, inputs[2]) if len(inputs) > 2 else product


# -- operators that read one tensor of a step along its axes ----------------------------------------------------------


def along_axes(op: Operator, x: Tensor, shared: Sequence[Tensor], like: Tensor, maker: Maker) -> Tensor | None:
    """Return what an operator makes of a stack along the axes of a step; None where that cannot be told.

    Args:
        op: an operator of `ALONG_AXES`.
        x: the stack of what each step has as the first input.
        shared: the other inputs, the same for all steps.
        like: what a step makes.
        maker: makes the nodes.
    """
    rule = next(rule for kind, rule in ALONG_AXES.items() if isinstance(op, kind))
    return rule(op, x, shared, like, maker)


def _shifted(axes: Tensor | None, rank: int) -> list[int] | None:
    """Return axes of a step of `rank` axes as those of a stack; all where none are given, None where they are not known."""
    if axes is None:
        return list(range(1, rank + 1))
    if not isinstance(axes.known, tuple) or not all(isinstance(axis, int) for axis in axes.known):
        return None
    return [int(axis) % rank + 1 for axis in axes.known]


def _squeeze(op: Squeeze, x: Tensor, shared: Sequence[Tensor], like: Tensor, maker: Maker) -> Tensor | None:
    axes = _shifted(shared[0], x.rank - 1) if shared else None  # which axes have size 1 is said by none but the step
    return None if axes is None else maker.squeeze(x, *axes)


def _unsqueeze(op: Unsqueeze, x: Tensor, shared: Sequence[Tensor], like: Tensor, maker: Maker) -> Tensor | None:
    axes = _shifted(shared[0], like.rank)
    return None if axes is None else maker.unsqueeze(x, *axes)


def _reshape(op: Reshape, x: Tensor, shared: Sequence[Tensor], like: Tensor, maker: Maker) -> Tensor | None:
    """Reshape each step: sizes that stay are copied, and one at most is inferred, so that no size need be known."""
    sizes: list[int] = []
    for old, new in zip_longest(x.shape, (x.shape[0], *like.shape)):
        if new is not None:
            sizes.append(0 if new == old else new if isinstance(new, int) else -1)
    if sizes.count(-1) > 1 or 0 in like.shape:
        return None
    result = maker.one(op, x, ints(*sizes))
    result.take_shape((x.shape[0], *like.shape))
    return result


def _slice(op: Slice, x: Tensor, shared: Sequence[Tensor], like: Tensor, maker: Maker) -> Tensor | None:
    starts, ends, *more = shared
    axes = _shifted(more[0], like.rank) if more else list(range(1, starts.shape[0] + 1))
    return None if axes is None else maker.one(op, x, starts, ends, ints(*axes), *more[1:])


def _transpose(op: Transpose, x: Tensor, shared: Sequence[Tensor], like: Tensor, maker: Maker) -> Tensor:
    return maker.transpose(x, (0, *(axis + 1 for axis in op.perm)))


def _gather(op: Gather, x: Tensor, shared: Sequence[Tensor], like: Tensor, maker: Maker) -> Tensor:
    return maker.one(Gather(op.axis % (x.rank - 1) + 1), x, *shared)


def _normalised(op: LayerNormalization, x: Tensor, shared: Sequence[Tensor], like: Tensor, maker: Maker) -> Tensor:
    return maker.one(replace(op, axis=op.axis % like.rank + 1), x, *shared)


def _largest(op: ArgMax, x: Tensor, shared: Sequence[Tensor], like: Tensor, maker: Maker) -> Tensor:
    return maker.one(replace(op, axis=op.axis % (x.rank - 1) + 1), x)


def _reduced(op: Reduction, x: Tensor, shared: Sequence[Tensor], like: Tensor, maker: Maker) -> Tensor | None:
    axes = _shifted(shared[0] if shared else None, x.rank - 1)
    if not axes:  # what no axes mean is for the operator to say
        return None
    return maker.one(op, x, ints(*axes))


#: Their rules; see `along_axes`.
ALONG_AXES: dict[type[Operator], Callable[[Any, Tensor, Sequence[Tensor], Tensor, Maker], Tensor | None]] = {
    ArgMax: _largest,
    Gather: _gather,
    LayerNormalization: _normalised,
    Reduction: _reduced,
    Reshape: _reshape,
    Slice: _slice,
    Squeeze: _squeeze,
    Transpose: _transpose,
    Unsqueeze: _unsqueeze,
}
