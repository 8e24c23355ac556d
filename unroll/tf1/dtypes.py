"""TensorFlow's dtypes: ``tf.float32`` prints as it does there, and NumPy and the core take it as their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from unroll import dtypes


class DType:
    """One of TensorFlow's dtypes, over NumPy's; that of a variable is a ``ref`` and prints as ``float32_ref``."""

    def __init__(self, dtype: Any, is_ref: bool = False) -> None:
        #: NumPy's dtype, by the name under which NumPy looks for it: ``np.dtype(tf.float32)``.
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.name = f"{self.dtype}_ref" if is_ref else str(self.dtype)
        self.as_numpy_dtype: Any = self.dtype.type
        self.is_floating, self.is_integer = self.dtype.kind == "f", self.dtype.kind in "iu"

    @property
    def base_dtype(self) -> DType:
        """The dtype of the values of a variable."""
        return DType(self.dtype)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self.name == other.name
        try:
            return other is not None and bool(np.dtype(other) == self.dtype)  # type: ignore[call-overload]
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"

    def __repr__(self) -> str:
        return f"tf.{self.name}"


def as_dtype(type_value: Any) -> DType:
    """Return what names a dtype as TensorFlow's: a name, NumPy's, Python's ``float``, ``int`` or ``bool``."""
    plain = {float: "float32", int: "int32", "float": "float32", "int": "int32"}
    found = plain.get(type_value, type_value) if isinstance(type_value, (type, str)) else type_value
    return DType(dtypes.as_dtype(found, "as_dtype"))


float16, half, float32, float64, double = (DType(name) for name in ("f2", "f2", "f4", "f8", "f8"))
int32, int64, bool_ = (DType(name) for name in ("i4", "i8", "?"))
