"""What operators that treat every element alike share."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from textwrap import indent

from unroll.dimensions import Dim, Shape
from unroll.dtypes import ALL, FLOATS, NUMBERS
from unroll.ops.operator import (
    Operator,
    Requirements,
    Signature,
    apply_one,
)
from unroll.tensor import Known, Tensor, TensorLike


class Unary(Operator, abstract=True):
    """An operator of one input whose output has its shape."""

    signature = Signature("X: T -> Y: T", T=FLOATS)

    def shapes(self, require: Requirements, *inputs: Tensor) -> list[Shape]:
        return [inputs[0].shape]


class Binary(Operator, abstract=True):
    """An operator of two inputs that broadcast to the output's shape."""

    signature = Signature("A: T, B: T -> C: T", T=NUMBERS)

    def shapes(self, require: Requirements, *inputs: Tensor) -> list[Shape]:
        return [require.broadcast(inputs[0].shape, inputs[1].shape)]

    def known(self, *inputs: Tensor) -> Known:
        a, b = inputs[0].known, inputs[1].known
        if a is None or b is None:
            return None
        if not isinstance(a, tuple) and not isinstance(b, tuple):
            return self.combine(a, b)
        left, right = (value if isinstance(value, tuple) else (value,) for value in (a, b))
        wide = max(len(left), len(right)) if left and right else 0
        pairs = zip(*(row * wide if len(row) == 1 else row for row in (left, right)), strict=True)
        parts = [self.combine(x, y) for x, y in pairs]
        return tuple(part for part in parts if part is not None) if None not in parts else None

    def combine(self, a: Dim, b: Dim) -> Dim | None:
        """Return the dimension this operator makes of two, where it is one."""
        return None


def unary(op: type[Operator], name: str) -> Callable[[TensorLike], Tensor]:
    """Return the function called `name` that applies an operator of one input and no attributes."""
    operator = op()

    def function(x: TensorLike) -> Tensor:
        return apply_one(operator, x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = _documented(
        op,
        Args=f"x: a tensor of {_dtypes(op)}; anything else becomes a constant.",
        Returns=f"A tensor of the shape of `x`, of {_result(op, 'its dtype')}.",
        Raises="DTypeError: `x` is of another dtype.",
    )
    return function


def binary(op: type[Operator], name: str) -> Callable[[TensorLike, TensorLike], Tensor]:
    """Return the function called `name` that applies an operator of two inputs and no attributes."""
    operator = op()

    def function(a: TensorLike, b: TensorLike) -> Tensor:
        return apply_one(operator, a, b)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = _documented(
        op,
        Args=f"a: a tensor of {_dtypes(op)}; anything else becomes a constant of the dtype of `b`.\n"
        "b: another, of the same dtype.",
        Returns=f"A tensor of the shape that `a` and `b` broadcast to, of {_result(op, 'their dtype')}.",
        Raises="DTypeError: other dtypes, or two that differ.\nShapeError: the shapes do not broadcast.",
    )
    return function


def _documented(op: type[Operator], **sections: str) -> str:
    """Return the docstring of an operator's function: the operator's own, with sections before its example."""
    summary, mark, example = cleandoc(op.__doc__ or "").partition("\n\nExample:\n")
    written = [f"{title}:\n{indent(text, '    ')}" for title, text in sections.items()]
    return "\n\n".join([summary, *written]) + mark + example


def _dtypes(op: type[Operator]) -> str:
    """Return the dtypes that an operator takes, as text."""
    kinds = op.signature.types[op.signature.slots[0].type]
    *others, last = map(str, kinds)
    listed = f"{', '.join(others)} or {last}" if others else last
    return "any dtype" if kinds == ALL else listed


def _result(op: type[Operator], same: str) -> str:
    """Return the dtype that an operator's output has, as text; `same` where it is that of its inputs."""
    kind = op.signature.outputs[0]
    return same if kind in {slot.type for slot in op.signature.slots} else f"dtype {kind}"
