"""What dtypes and numbers are called in C."""

from __future__ import annotations

import math

import numpy as np

from unroll.dtypes import DType

#: The C type of each dtype; a bool is one byte, 0 or 1.
C_TYPES: dict[str, str] = {
    "float32": "float",
    "float64": "double",
    "int32": "int32_t",
    "int64": "int64_t",
    "bool": "unsigned char",
}
#: The C type of what weights of fewer bits are held in.
_HELD_TYPES: dict[str, str] = {"float16": "uint16_t", "int8": "int8_t"}
#: What the names of functions for a dtype end in.
SUFFIXES: dict[str, str] = {"float32": "f32", "float64": "f64", "int32": "i32", "int64": "i64", "bool": "u8"}


def c_type(dtype: DType) -> str:
    """Return the C type of a dtype."""
    return C_TYPES.get(dtype.name) or _HELD_TYPES[dtype.name]


def suffix(dtype: DType) -> str:
    """Return what the names of functions for a dtype end in."""
    return SUFFIXES[dtype.name]


def number(value: object, dtype: DType) -> str:
    """Return a number in C, exactly: the shortest decimal that reads back as it is."""
    exact = np.asarray(value).astype(dtype)
    if dtype.kind == "b":
        return str(int(exact))
    if dtype.kind == "i":
        whole = int(exact)
        if dtype.itemsize == 4:
            return str(whole) if whole != -(2**31) else "(-2147483647 - 1)"
        return f"INT64_C({whole})" if whole != -(2**63) else "(-INT64_C(9223372036854775807) - 1)"
    single = dtype.itemsize == 4
    if math.isnan(float(exact)):
        return "NAN"
    if math.isinf(float(exact)):
        return "-INFINITY" if float(exact) < 0 else "INFINITY"
    return f"{np.float32(exact)}f" if single else repr(float(exact))
