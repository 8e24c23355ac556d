"""Variables of a TensorFlow checkpoint of version 2, an index and shards of data, read as data: nothing in it is believed.

The index is a sorted table as LevelDB has it: blocks of keys that share prefixes, each with its checksum, and a block of where
the blocks lie. What a variable's name leads to says its dtype, shape and place, and the checksum of its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unroll.checkpoints.checksums import masked
from unroll.dtypes import Array
from unroll.errors import FileError, NameNotFoundError
from unroll.files import as_path, read_bytes
from unroll.words import closest

_MAGIC = bytes.fromhex("57fb808b247547db")
#: NumPy's dtypes by TensorFlow's numbers; others hold text, or what NumPy does not have.
_DTYPES = {
    1: "<f4",
    2: "<f8",
    3: "<i4",
    4: "u1",
    5: "<i2",
    6: "i1",
    9: "<i8",
    10: "?",
    17: "<u2",
    19: "<f2",
    22: "<u4",
    23: "<u8",
}
_STRING, _LONGEST_KEY, _MOST_KEYS = 7, 4096, 1_000_000
#: What turns the first two bytes of a number in a key, by how many bytes it has.
_HEADERS = ["", "8000", "c000", "e000", "f000", "f800", "fc00", "fe00", "ff00", "ff80", "ffc0"]


class Entry(NamedTuple):
    """Where a variable lies, or of what slices it is."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    slices: list[tuple[tuple[int, int], ...]]  #: for each, (start, length) of each axis, length -1 for all of it


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte, at = data[at], at + 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number is too long")


def _taken(data: bytes, at: int, size: int) -> bytes:
    if not 0 <= at <= at + size <= len(data):
        raise ValueError(f"bytes {at} to {at + size} of {len(data)}: it is cut short")
    return data[at : at + size]


def _fields(data: bytes) -> list[tuple[int, Any]]:
    """Return the fields of a protobuf message: numbers, and ints or bytes."""
    at, found = 0, []
    while at < len(data):
        tag, at = _varint(data, at)
        value: Any
        if tag & 7 == 2:
            size, at = _varint(data, at)
            value, at = _taken(data, at, size), at + size
        elif tag & 7 in (1, 5):
            size = 8 if tag & 7 == 1 else 4
            value, at = int.from_bytes(_taken(data, at, size), "little"), at + size
        elif tag & 7 == 0:
            value, at = _varint(data, at)
        else:
            raise ValueError("an entry is no message")
        found.append((tag >> 3, value))
    return found


def _block(data: bytes, handle: bytes, at: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block of the table, which lies where a handle says."""
    offset, at = _varint(handle, at)
    size, _ = _varint(handle, at)
    block = _taken(data, offset, size + 5)
    if masked(block[:-4]) != int.from_bytes(block[-4:], "little"):
        raise ValueError(f"the checksum of the block at {offset} is another one: it was changed")
    if block[size]:
        raise ValueError("a block is compressed; save the checkpoint again")
    restarts = int.from_bytes(_taken(block, size - 4, 4), "little")
    place, end, key = 0, size - 4 * (restarts + 1), b""
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        length, place = _varint(block, place)
        key = _taken(key, 0, shared) + _taken(block, place, own)
        if len(key) > _LONGEST_KEY:
            raise ValueError(f"a name of {len(key)} bytes")
        yield key, _taken(block, place + own, length)
        place += own + length


def _entry(value: bytes) -> Entry:
    given: dict[int, Any] = dict(_fields(value))
    shape = tuple(dict(_fields(dim)).get(1, 0) for number, dim in _fields(given.get(2, b"")) if number == 2)
    slices = []
    for number, each in _fields(value):
        if number == 7:
            extents = [dict(_fields(extent)) for _, extent in _fields(each)]
            slices.append(tuple((extent.get(1, 0), extent.get(2, -1)) for extent in extents))
    return Entry(given.get(1, 0), shape, given.get(3, 0), given.get(4, 0), given.get(5, 0), given.get(6, 0), slices)


def _number(value: int) -> bytes:
    """Return a number as it stands in a key, in the order of numbers."""
    count = next(count for count in range(1, 11) if abs(value + (value < 0)) < 1 << 7 * count - 1)
    found = bytearray(value.to_bytes(11, "big", signed=True)[11 - count :])
    for place, turned in enumerate(bytes.fromhex(_HEADERS[count])[:count]):
        found[place] ^= turned
    return bytes(found)


def _slice_key(name: str, extents: tuple[tuple[int, int], ...]) -> bytes:
    """Return the key of a slice of a variable that is kept in parts."""
    escaped = name.encode().replace(b"\xff", b"\xff\x00").replace(b"\x00", b"\x00\xff")
    return (
        b"\0"
        + escaped
        + b"\0\1"
        + bytes([1, len(extents)])
        + b"".join(map(_number, (end for pair in extents for end in pair)))
    )


def _shards(header: bytes) -> int:
    """Return how many files of data there are."""
    found = dict(_fields(header))
    if found.get(2, 0):
        raise ValueError("its numbers are big-endian")
    return int(found.get(1, 0))


class Checkpoint:
    """The variables of a checkpoint, by name.

    Args:
        prefix: its path, without ``.index``.

    Raises:
        FileError: there is none, it is of version 1, or it is not what it says.
    """

    def __init__(self, prefix: object) -> None:
        self.prefix = as_path(prefix, "checkpoint")
        self._index = self.prefix.with_name(f"{self.prefix.name}.index")
        if not self._index.exists() and self.prefix.is_file():
            raise FileError(
                f"{self.prefix}: a checkpoint of version 1; restore it in TensorFlow, and save it with a new Saver"
            )
        data = read_bytes(self._index)
        self._shards: dict[int, bytes] = {}
        try:
            self._entries = dict(self._read(data))
            self._count = _shards(self._entries.pop(b""))
            #: The dtype and shape of each variable, by name.
            self.variables = {key.decode(): _entry(value) for key, value in self._entries.items() if key[:1] != b"\0"}
        except (ValueError, IndexError, KeyError, TypeError, OverflowError, struct.error) as error:
            raise FileError(f"{self._index}: not the index of a checkpoint: {error}") from None

    def _read(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        footer = _taken(data, len(data) - 48, 48)
        if footer[-8:] != _MAGIC:
            raise ValueError("it does not end as one does")
        _, at = _varint(footer, 0)
        _, at = _varint(footer, at)
        count = 0
        for _, handle in _block(data, footer, at):
            for pair in _block(data, handle):
                count += 1
                if count > _MOST_KEYS:
                    raise ValueError(f"more than {_MOST_KEYS} names")
                yield pair

    def arrays(self, names: Iterable[str]) -> dict[str, Array]:
        """Return variables by name.

        Raises:
            NameNotFoundError: it has none of a name.
            FileError: one holds text, or the data is cut short or changed.
        """
        found: dict[str, Array] = {}
        for name in names:
            if name not in self.variables:
                raise NameNotFoundError(
                    f"Key {name} not found in checkpoint {self.prefix}; {closest(name, self.variables)}"
                )
            try:
                found[name] = self._array(name, self.variables[name])
            except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
                raise FileError(f"{self.prefix}: the variable {name!r}: {error}") from None
        return found

    def _array(self, name: str, entry: Entry) -> Array:
        if entry.dtype not in _DTYPES:
            kind = "text, which tensors do not hold" if entry.dtype == _STRING else f"TensorFlow's dtype {entry.dtype}"
            raise ValueError(f"it holds {kind}; leave it out of the Saver's var_list")
        if not entry.slices:
            return self._whole(entry)
        if prod(entry.shape) > sum(map(len, self._all_shards())):
            raise ValueError(f"the shape {entry.shape} is larger than the data")
        whole, filled = np.empty(entry.shape, _DTYPES[entry.dtype]), 0
        for extents in entry.slices:
            part = self._whole(_entry(self._entries[_slice_key(name, extents)]))
            whole[tuple(slice(None) if length < 0 else slice(start, start + length) for start, length in extents)] = (
                part
            )
            filled += part.size
        if filled != whole.size:
            raise ValueError(f"its slices have {filled} elements of {whole.size}")
        return whole

    def _whole(self, entry: Entry) -> Array:
        dtype = np.dtype(_DTYPES[entry.dtype])
        if entry.size != prod(entry.shape) * dtype.itemsize:
            raise ValueError(f"{entry.size} bytes do not make {dtype} of shape {entry.shape}")
        data = _taken(self._shard(entry.shard), entry.offset, entry.size)
        if masked(data) != entry.checksum:
            raise ValueError("its checksum is another one: the data was changed")
        return np.frombuffer(data, dtype).reshape(entry.shape).astype(dtype.newbyteorder("="))

    def _all_shards(self) -> list[bytes]:
        return [self._shard(number) for number in range(self._count)]

    def _shard(self, number: int) -> bytes:
        if number not in self._shards:
            name = f"{self.prefix.name}.data-{number:05}-of-{self._count:05}"
            self._shards[number] = read_bytes(self.prefix.with_name(name))
        return self._shards[number]


def latest_checkpoint(checkpoint_dir: str, latest_filename: str | None = None) -> str | None:
    """Return the path of the newest checkpoint in a folder, as the file ``checkpoint`` there says; None without one."""
    name = "checkpoint" if latest_filename is None else latest_filename
    path = as_path(checkpoint_dir, "checkpoint_dir") / as_path(name, "latest_filename")
    if not path.exists():
        return None
    line = next(iter(read_bytes(path, 1_000_000).decode(errors="replace").splitlines()), "")
    name = line.partition('"')[2].rpartition('"')[0]
    return str(name if Path(name).is_absolute() else path.parent / name) if name else None
