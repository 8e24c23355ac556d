"""What weights, or all numbers, can be in fewer bits, as `compile` and `to_c` are asked for it."""

from __future__ import annotations

from unroll.errors import ArgumentError

#: What a graph's own dtype can be replaced by, and how weights can be quantised.
DTYPES = ("float16",)
QUANTIZATIONS = ("int8",)


def checked_bits(dtype: object, quantize: object, what: str) -> str | None:
    """Return which of them is asked for; None where neither is.

    Args:
        dtype: one of `DTYPES`, or None.
        quantize: one of `QUANTIZATIONS`, or None.
        what: who asks, for messages.

    Raises:
        ArgumentError: there is no such dtype or quantisation, or both are asked for.
    """
    if dtype is not None and (not isinstance(dtype, str) or dtype not in DTYPES):
        raise ArgumentError(f"{what}: dtype {dtype!r}: there is {_listed(DTYPES)}, or None for the graph's own")
    if quantize is not None and (not isinstance(quantize, str) or quantize not in QUANTIZATIONS):
        raise ArgumentError(f"{what}: quantize {quantize!r}: there is {_listed(QUANTIZATIONS)}, or None")
    if dtype is not None and quantize is not None:
        raise ArgumentError(f"{what}: dtype={dtype!r} and quantize={quantize!r} exclude one another; choose one")
    return dtype or quantize


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names))
