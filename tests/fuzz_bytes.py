"""Ways to mutate the bytes of a file; every choice is drawn from a generator, so that a seed says all."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Mutation = Callable[[bytes, bytes, Random], bytes]

#: Numbers that sizes, dtypes, axes, versions and offsets are replaced with.
INTEGERS = (
    0,
    1,
    2,
    3,
    5,
    7,
    16,
    17,
    255,
    2**16,
    2**31 - 1,
    2**31,
    2**32,
    2**40,
    2**62,
    2**63 - 1,
    -1,
    -2,
    -(2**31),
    -(2**63),
)
FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 3.4e38, float("inf"), float("-inf"), float("nan"))
TEXTS = (
    "", "x", "batch", "LSTM", "GRU", "RNN", "Loop", "If", "Scan", "Split", "Reshape", "Concat", "ai.onnx", "com.microsoft",
    "a" * 300, "a" * 20_000, "9" * 5000, "../x", "/dev/zero", "/dev/null", "\0", "\n", "%s", "{0}", "<b>", "é", "\U0001f600",
    "rnn/t1/h", "-1", "2*batch", "batch + ", "unroll.states", "unroll.limits",
)  # fmt: skip


def flipped(data: bytes, _: bytes, draw: Random) -> bytes:
    """A few bits the other way round."""
    changed = bytearray(data or b"\0")
    for _ in range(draw.choice((1, 1, 2, 8, 64))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def overwritten(data: bytes, _: bytes, draw: Random) -> bytes:
    """A stretch of other bytes."""
    at, long = _stretch(data, draw)
    filling = draw.choice((b"\0", b"\xff", b"\x80", None))
    return data[:at] + (draw.randbytes(long) if filling is None else filling * long) + data[at + long :]


def truncated(data: bytes, _: bytes, draw: Random) -> bytes:
    """The end is gone."""
    return data[: draw.randrange(len(data) + 1)]


def shortened(data: bytes, _: bytes, draw: Random) -> bytes:
    """A stretch is gone."""
    at, long = _stretch(data, draw)
    return data[:at] + data[at + long :]


def inserted(data: bytes, _: bytes, draw: Random) -> bytes:
    """Bytes are put in between."""
    at = draw.randrange(len(data) + 1)
    return data[:at] + draw.randbytes(draw.choice((1, 1, 4, 40))) + data[at:]


def duplicated(data: bytes, _: bytes, draw: Random) -> bytes:
    """A stretch stands there twice."""
    at, long = _stretch(data, draw)
    return data[: at + long] + data[at:]


def spliced(data: bytes, other: bytes, draw: Random) -> bytes:
    """The beginning of one file and the end of another."""
    return data[: draw.randrange(len(data) + 1)] + other[draw.randrange(len(other) + 1) :]


def _stretch(data: bytes, draw: Random) -> tuple[int, int]:
    at = draw.randrange(len(data) + 1)
    return at, min(len(data) - at, draw.choice((1, 2, 8, 64, 512)))


BYTES: tuple[Mutation, ...] = (flipped, overwritten, truncated, shortened, inserted, duplicated, spliced)
