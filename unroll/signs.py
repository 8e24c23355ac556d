"""Python's signs, such as ``a + b`` and ``a[0]``, for what stands for an array before there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar

from unroll.errors import ArgumentTypeError

T = TypeVar("T")


def _no_sign(sign: str, fix: str) -> Callable[..., NoReturn]:
    """Return the method of a sign of Python's that has no operator here: it says what to write."""

    def refuse(self: object, *others: object) -> NoReturn:
        raise ArgumentTypeError(f"{self!r}: there is no operator for {sign}; {fix}")

    return refuse


class Signs(Generic[T]):
    """A base class: every sign becomes a call of `_compute`, with the name of the function in `unroll.ops`."""

    __slots__ = ()

    @staticmethod
    def _compute(name: str, *operands: Any) -> T:
        """Return what the function `name` of `unroll.ops` makes of the operands."""
        raise NotImplementedError(name)

    def __add__(self, other: Any) -> T:
        return self._compute("add", self, other)

    def __radd__(self, other: Any) -> T:
        return self._compute("add", other, self)

    def __sub__(self, other: Any) -> T:
        return self._compute("sub", self, other)

    def __rsub__(self, other: Any) -> T:
        return self._compute("sub", other, self)

    def __mul__(self, other: Any) -> T:
        return self._compute("mul", self, other)

    def __rmul__(self, other: Any) -> T:
        return self._compute("mul", other, self)

    def __truediv__(self, other: Any) -> T:
        return self._compute("div", self, other)

    def __rtruediv__(self, other: Any) -> T:
        return self._compute("div", other, self)

    def __floordiv__(self, other: Any) -> T:
        return self._compute("floordiv", self, other)

    def __rfloordiv__(self, other: Any) -> T:
        return self._compute("floordiv", other, self)

    def __mod__(self, other: Any) -> T:
        return self._compute("mod", self, other)

    def __rmod__(self, other: Any) -> T:
        return self._compute("mod", other, self)

    def __matmul__(self, other: Any) -> T:
        return self._compute("matmul", self, other)

    def __rmatmul__(self, other: Any) -> T:
        return self._compute("matmul", other, self)

    def __pow__(self, exponent: Any, modulus: object = None) -> T:
        """Return ``self ** exponent``.

        Raises:
            ArgumentTypeError: a modulus, as of ``pow(x, 2, 3)``.
        """
        if modulus is not None:
            raise ArgumentTypeError(
                f"pow({self!r}, ..., {modulus!r}): there is no operator with a modulus; leave it out"
            )
        return self._compute("pow", self, exponent)

    def __rpow__(self, other: Any) -> T:
        return self._compute("pow", other, self)

    def __lt__(self, other: Any) -> T:
        return self._compute("less", self, other)

    def __le__(self, other: Any) -> T:
        return self._compute("less_equal", self, other)

    def __gt__(self, other: Any) -> T:
        return self._compute("greater", self, other)

    def __ge__(self, other: Any) -> T:
        return self._compute("greater_equal", self, other)

    def __and__(self, other: Any) -> T:
        return self._compute("logical_and", self, other)

    def __or__(self, other: Any) -> T:
        return self._compute("logical_or", self, other)

    def __neg__(self) -> T:
        return self._compute("neg", self)

    def __abs__(self) -> T:
        return self._compute("abs", self)

    def __invert__(self) -> T:
        return self._compute("logical_not", self)

    def __getitem__(self, index: Any) -> T:
        return self._compute("getitem", self, index)

    __divmod__ = __rdivmod__ = _no_sign("divmod", "write (a // b, a % b)")
    __xor__ = __rxor__ = _no_sign("^", "of booleans write unroll.ops.not_equal(a, b); a power is a ** b")
    __lshift__ = __rlshift__ = _no_sign("<<", "multiply by a power of two")
    __rshift__ = __rrshift__ = _no_sign(">>", "divide by a power of two")
    __round__ = _no_sign("round()", "write unroll.ops.floor(x + 0.5), which rounds halves up")
    __floor__, __ceil__, __trunc__ = (
        _no_sign(name, f"write {fix}")
        for name, fix in (
            ("math.floor", "unroll.ops.floor(x)"),
            ("math.ceil", "-unroll.ops.floor(-x)"),
            ("math.trunc", "unroll.ops.cast(x, 'int64')"),
        )
    )
