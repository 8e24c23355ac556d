"""Writing HDF5: arrays by their paths, in the oldest form, which every reader of HDF5 reads.

Source: the HDF5 File Format Specification, version 3.0. A group is a table of symbols with one leaf, which is made as large
as the largest group needs; an array lies in one piece. Equal arrays give equal bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from unroll.dtypes import Array
from unroll.hdf5.cursor import UNDEFINED

#: Of a float of so many bytes: where its sign is, the bits of its exponent and its mantissa, and the exponent's bias.
_FLOATS = {2: (15, 5, 10, 15), 4: (31, 8, 23, 127), 8: (63, 11, 52, 1023)}
#: How many children a node of a tree has room for, halved; each group here has one.
_HALF_NODE = 16
_SUPERBLOCK = 96


def written(arrays: Mapping[str, Array]) -> bytes:
    """Return the bytes of an HDF5 file.

    Args:
        arrays: floats and integers by their paths, such as ``"layers/lstm/cell/vars/0"``; an empty group is a path with None
            in the place of an array.
    """
    tree: dict[str, Any] = {}
    for path, array in arrays.items():
        *groups, name = path.split("/")
        group = tree
        for part in groups:
            group = group.setdefault(part, {})
        group[name] = array
    half_leaf = max(4, -(-_largest(tree) // 2))
    file = bytearray(_SUPERBLOCK)
    root, symbols, heap = _group(file, tree, half_leaf)
    start = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", half_leaf, _HALF_NODE, 0)
    ends = struct.pack("<4Q", 0, UNDEFINED, len(file), UNDEFINED)
    file[:_SUPERBLOCK] = start + ends + struct.pack("<2Q2I2Q", 0, root, 1, 0, symbols, heap)
    return bytes(file)


def _largest(tree: dict[str, Any]) -> int:
    """Return how many members the largest group has."""
    largest, waiting = 0, [tree]
    while waiting:
        group = waiting.pop()
        largest = max(largest, len(group))
        waiting += [item for item in group.values() if isinstance(item, dict)]
    return largest


def _placed(file: bytearray, content: bytes) -> int:
    """Put bytes at the end of the file, padded to eight, and return their address."""
    address = len(file)
    file += content + bytes(-len(content) % 8)
    return address


def _header(file: bytearray, messages: list[tuple[int, bytes]]) -> int:
    """Write the header of an object, and return its address."""
    body = b""
    for kind, content in messages:
        content += bytes(-len(content) % 8)
        body += struct.pack("<2HI", kind, len(content), 0) + content
    return _placed(file, struct.pack("<2BH3I", 1, 0, len(messages), 1, len(body), 0) + body)


def _group(file: bytearray, members: dict[str, Any], half_leaf: int) -> tuple[int, int, int]:
    """Write a group after all that is in it, and return the addresses of its header, its tree and its names."""
    names, entries, last = bytearray(8), b"", 0
    for name, item in sorted(members.items(), key=lambda pair: pair[0].encode()):
        if isinstance(item, dict):
            header, symbols, heap = _group(file, item, half_leaf)
            kind = struct.pack("<2I2Q", 1, 0, symbols, heap)
        else:
            header, kind = _array(file, item), bytes(24)
        last = len(names)
        entries += struct.pack("<2Q", last, header) + kind
        names += name.encode() + b"\0"
        names += bytes(-len(names) % 8)
    content = _placed(file, bytes(names))
    heap = _placed(file, b"HEAP" + bytes(4) + struct.pack("<3Q", len(names), 1, content))
    leaf = _placed(file, (b"SNOD\1\0" + struct.pack("<H", len(members)) + entries).ljust(8 + 80 * half_leaf, b"\0"))
    node = b"TREE\0\0" + struct.pack("<H2Q", bool(members), UNDEFINED, UNDEFINED)
    node += struct.pack("<3Q", 0, leaf, last) if members else b""
    tree = _placed(file, node.ljust(24 + 8 * (4 * _HALF_NODE + 1), b"\0"))
    return _header(file, [(17, struct.pack("<2Q", tree, heap))]), tree, heap


def _array(file: bytearray, array: Array) -> int:
    """Write an array, and return the address of its header."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    raw = little.tobytes()
    place = _placed(file, raw) if raw else UNDEFINED
    shape = struct.pack("<4BI", 1, array.ndim, 0, 0, 0) + struct.pack(f"<{array.ndim}Q", *array.shape)
    fill, layout = struct.pack("<4BI", 2, 2, 2, 1, 0), struct.pack("<2B2Q", 3, 1, place, len(raw))
    return _header(file, [(1, shape), (3, _datatype(little.dtype)), (5, fill), (8, layout)])


def _datatype(dtype: np.dtype[Any]) -> bytes:
    size = dtype.itemsize
    if dtype.kind == "f":
        sign, exponent, mantissa, bias = _FLOATS[size]
        return struct.pack("<4BI2H4BI", 0x11, 0x20, sign, 0, size, 0, 8 * size, mantissa, exponent, 0, mantissa, bias)
    return struct.pack("<4BI2H", 0x10, 8 * (dtype.kind == "i"), 0, 0, size, 0, 8 * size)
