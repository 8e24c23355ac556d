"""What the elements of an array or an attribute are, and how many: HDF5's datatypes and dataspaces."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from unroll.dtypes import DType
from unroll.hdf5.cursor import UNDEFINED, BrokenError, Bytes, Cursor

_NUMBER, _FLOAT, _STRING, _VARIABLE = 0, 1, 3, 9
_CLASSES = {
    2: "times",
    4: "bit fields",
    5: "bytes of a kind of their own",
    6: "records",
    7: "references",
    8: "names",
    10: "arrays",
}
#: NumPy has no more axes.
_MOST_AXES = 32


class Kind(NamedTuple):
    """What one element is.

    Attributes:
        dtype: of numbers; None of what is none.
        size: its bytes.
        text: it is a text of so many bytes.
        variable: it is a text of any length, which lies elsewhere.
        said: in words.
    """

    dtype: DType | None
    size: int
    text: bool
    variable: bool
    said: str


def text(raw: bytes, what: str) -> str:
    """Return bytes as text.

    Raises:
        BrokenError: they are none.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BrokenError(f"{what} that is no text") from None


def shape_of(message: Cursor) -> tuple[int, ...]:
    """Return the shape that a dataspace says.

    Raises:
        BrokenError: it says none.
    """
    version, rank, _ = (message.number(1) for _ in range(3))
    if version not in (1, 2) or rank > _MOST_AXES:
        raise BrokenError("a shape that is none")
    null = version == 2 and message.number(1) == 2
    message.skip(5 if version == 1 else 0)
    sizes = tuple(message.number(8) for _ in range(rank))
    return (0,) if null else sizes


def kind_of(message: Cursor) -> Kind:
    """Return what a datatype says.

    Raises:
        BrokenError: it is none.
    """
    first = message.number(1)
    kind, bits, size = first & 15, message.number(3), message.number(4)
    order = ">" if bits & 1 else "<"
    if kind == _NUMBER and size in (1, 2, 4, 8):
        return Kind(np.dtype(f"{order}{'i' if bits & 8 else 'u'}{size}"), size, False, False, "numbers")
    if kind == _FLOAT and size in (2, 4, 8) and not bits & 0x40 and _is_ieee(message, size):
        return Kind(np.dtype(f"{order}f{size}"), size, False, False, "numbers")
    if kind == _STRING:
        return Kind(None, size, True, False, "texts")
    if kind == _VARIABLE and bits & 15 == 1 and size == 16:
        return Kind(None, size, False, True, "texts")
    return Kind(None, size, False, False, _CLASSES.get(kind, f"elements of class {kind} with {size} bytes"))


def _is_ieee(message: Cursor, size: int) -> bool:
    """Say whether a float is one of IEEE 754, as NumPy has them: bfloat16 is of two bytes, too."""
    message.skip(4)
    found = [message.number(1) for _ in range(4)]
    bits = {2: (10, 5), 4: (23, 8), 8: (52, 11)}[size]
    return found == [bits[0], bits[1], 0, bits[0]]


def value_of(data: Bytes, content: Cursor, shape: tuple[int, ...], kind: Kind) -> Any:
    """Return the value of an attribute: a number, a text, or a list of them; None of what is neither.

    Raises:
        BrokenError: the bytes are not there.
    """
    count = math.prod(shape)
    if count * kind.size > content.left:
        raise BrokenError("an attribute that ends too early")
    items: list[Any]
    if kind.dtype is not None:
        items = np.frombuffer(content.take(count * kind.size), kind.dtype).tolist()
    elif kind.text and kind.size:
        items = [text(content.take(kind.size).split(b"\0")[0], "an attribute") for _ in range(count)]
    elif kind.variable:
        items = [_elsewhere(data, content) for _ in range(count)]
    else:
        return None
    return items if shape else items[0]


def _elsewhere(data: Bytes, content: Cursor) -> str:
    """Return a text of any length, which lies in a heap of the file."""
    length, address, index = content.number(4), content.number(8), content.number(4)
    if not length or address in (0, UNDEFINED):
        return ""
    head = Cursor(data.read(address, 16))
    if head.take(4) != b"GCOL":
        raise BrokenError("a text that lies nowhere")
    head.skip(4)
    at, end = address + 16, address + head.number(8)
    while at + 16 <= end:
        item = Cursor(data.read(at, 16))
        number = item.number(2)
        item.skip(6)
        size = item.number(8)
        if number == index:
            return text(data.read(at + 16, min(size, length)).rstrip(b"\0"), "an attribute")
        if not number:
            break
        at += 16 + size + -size % 8
    raise BrokenError("a text that lies nowhere")
