"""Reading HDF5: the groups, arrays and attributes of a file that anybody may have written.

Source: the HDF5 File Format Specification, version 3.0. What h5py writes for Keras is read: groups as symbol tables or as
links in their header, arrays in one piece, attributes of numbers and texts. What Keras never writes is refused by its name:
arrays in chunks, links to other files, numbers in other files. No size is believed before the bytes are there, nothing is
visited twice on one way, and all that is read of a file is bounded by its own length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unroll.dtypes import Array
from unroll.errors import FileError
from unroll.hdf5 import types
from unroll.hdf5.cursor import UNDEFINED, BrokenError, Bytes, Cursor

#: Types of messages in the header of an object.
_DATASPACE, _LINK_INFO, _DATATYPE, _LINK, _ELSEWHERE, _LAYOUT, _FILTERS, _ATTRIBUTE = 1, 2, 3, 6, 7, 8, 11, 12
_CONTINUED, _SYMBOL_TABLE, _ATTRIBUTE_INFO = 16, 17, 21
#: Deeper groups than Keras's models have layers within layers.
_DEEPEST = 200


@dataclass
class Dataset:
    """An array of a file: what is known of it before its numbers are read."""

    shape: tuple[int, ...]
    kind: types.Kind
    layout: Cursor | None
    chunks: bool
    elsewhere: bool


@dataclass
class Group:
    """A group: the addresses of its members by name, and its attributes."""

    members: Mapping[str, int]
    attributes: Mapping[str, Any] = field(default_factory=dict)


class File:
    """The groups and arrays of an HDF5 file.

    Args:
        data: the bytes of the file.
        what: the file, for messages.

    Raises:
        FileError: it is no HDF5 file, or one that cannot be read.
    """

    def __init__(self, data: bytes, what: str) -> None:
        self._what, self._bytes, self._objects = what, Bytes(data), dict[int, Group | Dataset]()
        try:
            self._root = _root(self._bytes)
        except BrokenError as error:
            raise self._error("", error) from None
        if isinstance(self._object(self._root, ""), Dataset):
            raise self._error("", BrokenError("its root is no group"))

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return len(self._bytes)

    def attributes(self, path: str = "") -> Mapping[str, Any]:
        """Return the attributes of a group; of one that there is not, none."""
        found = self._find(path)
        return found.attributes if isinstance(found, Group) else {}

    def array(self, path: str) -> Array | None:
        """Return an array, or None where there is none of that path.

        Raises:
            FileError: it cannot be read.
        """
        found = self._find(path)
        if not isinstance(found, Dataset):
            return None
        try:
            return _numbers(self._bytes, found)
        except BrokenError as error:
            raise self._error(path, error) from None

    def shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Return the path and the shape of every array, group by group, in the order of their names.

        Raises:
            FileError: a group cannot be read.
        """
        waiting, seen = [("", self._root, 0)], set[int]()
        while waiting:
            path, address, depth = waiting.pop()
            if address in seen or depth > _DEEPEST:
                raise self._error(path, BrokenError("groups lie within each other without an end"))
            seen.add(address)
            found = self._object(address, path)
            if isinstance(found, Dataset):
                yield path, found.shape
                continue
            members = sorted(found.members.items(), reverse=True)
            waiting += [(f"{path}/{name}" if path else name, member, depth + 1) for name, member in members]

    def _find(self, path: str) -> Group | Dataset | None:
        found = self._object(self._root, path)
        for part in filter(None, path.split("/")):
            if not isinstance(found, Group) or part not in found.members:
                return None
            found = self._object(found.members[part], path)
        return found

    def _object(self, address: int, path: str) -> Group | Dataset:
        """Return what lies at an address, read once."""
        if address not in self._objects:
            try:
                self._objects[address] = _object(self._bytes, address)
            except BrokenError as error:
                raise self._error(path, error) from None
        return self._objects[address]

    def _error(self, path: str, error: BrokenError) -> FileError:
        where = f"{path!r}: " if path else ""
        return FileError(f"{self._what}: is not an HDF5 file as Keras writes them: {where}{error}")


def _root(data: Bytes) -> int:
    """Return the address of the root group, from the superblock."""
    start = Cursor(data.read(0, min(len(data), 96)))
    if start.take(8) != b"\x89HDF\r\n\x1a\n":
        raise BrokenError("it does not begin as one")
    version = start.number(1)
    if version in (0, 1):
        start.skip(4)
        sizes = start.number(1), start.number(1)
        start.skip(9 if version == 0 else 13)
        base, _, _, _, _, root = (start.number(8) for _ in range(6))
    elif version in (2, 3):
        sizes = start.number(1), start.number(1)
        start.skip(1)
        base, _, _, root = (start.number(8) for _ in range(4))
    else:
        raise BrokenError(f"its version {version} is not known")
    if sizes != (8, 8) or base:
        raise BrokenError(
            f"its addresses have {sizes[0]} and its lengths {sizes[1]} bytes from {base} on; 8 from 0 on are read"
        )
    return root


def _object(data: Bytes, address: int) -> Group | Dataset:
    """Return the group or the array whose header lies at an address."""
    members: dict[str, int] = {}
    attributes: dict[str, Any] = {}
    found: dict[int, Cursor] = {}
    for kind, shared, message in _messages(data, address):
        if shared and kind in (_DATASPACE, _DATATYPE, _ATTRIBUTE, _LAYOUT):
            raise BrokenError("what it is stands elsewhere in the file, which is not read")
        if kind == _SYMBOL_TABLE:
            members |= _symbols(data, message.number(8), message.number(8))
        elif kind == _LINK:
            name, target = _link(message)
            members[name] = target
        elif kind == _ATTRIBUTE:
            name, value = _attribute(data, message)
            attributes[name] = value
        elif (kind == _LINK_INFO and _is_dense(message, 8)) or (kind == _ATTRIBUTE_INFO and _is_dense(message, 2)):
            raise BrokenError(
                "it has more members or attributes than its header holds; write it by h5py's default, libver='earliest'"
            )
        else:
            found.setdefault(kind, message)
    if _DATATYPE not in found and _LAYOUT not in found:
        return Group(members, attributes)
    if _DATATYPE not in found or _DATASPACE not in found:
        raise BrokenError("an array without a shape or a dtype")
    shape, kind_of = types.shape_of(found[_DATASPACE]), types.kind_of(found[_DATATYPE])
    return Dataset(shape, kind_of, found.get(_LAYOUT), _FILTERS in found, _ELSEWHERE in found)


def _messages(data: Bytes, address: int) -> Iterator[tuple[int, bool, Cursor]]:
    """Return the messages of an object's header: type, whether it is shared, content."""
    start = Cursor(data.read(address, min(64, len(data) - address)))
    new = start.take(4) == b"OHDR"
    start.at, ordered = 0, False
    if new:
        start.skip(5)
        flags = start.number(1)
        start.skip(16 * bool(flags & 0x20) + 4 * bool(flags & 0x10))
        length, ordered = start.number(1 << (flags & 3)), bool(flags & 4)
    else:
        if start.number(1) != 1:
            raise BrokenError("the header of an object is none")
        start.skip(7)
        length = start.number(4)
        start.skip(4)
    waiting, seen = [(address + start.at, length)], set[int]()
    while waiting:
        place, length = waiting.pop(0)
        if place in seen:
            raise BrokenError("the header of an object goes on where it was already")
        seen.add(place)
        block = Cursor(data.read(place, length))
        while block.left >= (4 + 2 * ordered if new else 8):
            kind = block.number(1 if new else 2)
            size, flags = block.number(2), block.number(1)
            block.skip(2 * ordered if new else 3)
            message = Cursor(block.take(size))
            if kind == _CONTINUED:
                more, many = message.number(8), message.number(8)
                waiting.append((more + 4, max(0, many - 8)) if new else (more, many))
            else:
                yield kind, bool(flags & 2), message


def _symbols(data: Bytes, tree: int, heap: int) -> dict[str, int]:
    """Return the members of a group of the older kind: names in a heap, in the leaves of a tree."""
    head = Cursor(data.read(heap, 32))
    if head.take(4) != b"HEAP":
        raise BrokenError("a group without its names")
    head.skip(4)
    length, _, place = (head.number(8) for _ in range(3))
    names = data.read(place, length)
    members: dict[str, int] = {}
    waiting, seen = [tree], set[int]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            raise BrokenError("a group that holds itself")
        seen.add(address)
        node = Cursor(data.read(address, 8))
        sign = node.take(4)
        if sign == b"TREE":
            node.skip(2)
            pairs = Cursor(data.read(address + 24, 16 * node.number(2)))
            while pairs.left:
                pairs.skip(8)
                waiting.append(pairs.number(8))
        elif sign == b"SNOD":
            node.skip(2)
            entries = Cursor(data.read(address + 8, 40 * node.number(2)))
            while entries.left:
                name, target, cached = entries.number(8), entries.number(8), entries.number(4)
                entries.skip(20)
                if cached == 2:
                    raise BrokenError("a link to a path, which is not followed")
                members[types.text(names[name : names.find(b"\0", name)], "a name")] = target
        else:
            raise BrokenError("a group whose tree has a leaf that is none")
    return members


def _link(message: Cursor) -> tuple[str, int]:
    """Return the name and the address of a member of a group of the newer kind."""
    message.skip(1)
    flags = message.number(1)
    kind = message.number(1) if flags & 8 else 0
    message.skip(8 * bool(flags & 4) + bool(flags & 16))
    name = types.text(message.take(message.number(1 << (flags & 3))), "a name")
    if kind:
        raise BrokenError(f"{name!r} is a link to a path or to another file, which is not followed")
    return name, message.number(8)


def _is_dense(message: Cursor, index_size: int) -> bool:
    """Say whether members or attributes lie in a heap of their own."""
    message.skip(1)
    flags = message.number(1)
    message.skip(index_size * bool(flags & 1))
    return message.number(8) != UNDEFINED


def _attribute(data: Bytes, message: Cursor) -> tuple[str, Any]:
    """Return the name and the value of an attribute: a number, a text, or a list of them; None of what is neither."""
    version = message.number(1)
    if version not in (1, 2, 3):
        raise BrokenError(f"an attribute of version {version}, which is not known")
    message.skip(1)
    sizes = [message.number(2) for _ in range(3)]
    message.skip(version == 3)
    parts = []
    for size in sizes:
        parts.append(message.take(size))
        message.skip(min(message.left, -size % 8 if version == 1 else 0))
    name = types.text(parts[0].rstrip(b"\0"), "the name of an attribute")
    shape, kind = types.shape_of(Cursor(parts[2])), types.kind_of(Cursor(parts[1]))
    return name, types.value_of(data, message, shape, kind)


def _numbers(data: Bytes, found: Dataset) -> Array:
    """Return the numbers of an array."""
    dtype, layout = found.kind.dtype, found.layout
    if dtype is None:
        raise BrokenError(f"an array of {found.kind.said}, which are no numbers")
    if found.elsewhere:
        raise BrokenError("its numbers are in another file, which is never opened")
    if layout is None or layout.left < 2:
        raise BrokenError("an array without a place")
    wanted = math.prod(found.shape) * dtype.itemsize
    layout.at = 0
    version, kind = layout.number(1), layout.number(1)
    if version not in (3, 4) or kind not in (0, 1) or found.chunks:
        raise BrokenError(
            "an array in chunks or compressed, which Keras never writes; load it in Keras, and save it again"
        )
    if kind == 0:
        raw = layout.take(layout.number(2))
    else:
        address, length = layout.number(8), layout.number(8)
        if not wanted:
            raw = b""
        elif address == UNDEFINED:
            raise BrokenError("an array that was never written")
        else:
            raw = data.read(address, min(length, wanted))
    if len(raw) < wanted:
        raise BrokenError(f"an array of {found.shape}, {wanted:,} bytes, where {len(raw):,} are there")
    return np.frombuffer(raw, dtype, count=math.prod(found.shape)).reshape(found.shape).astype(dtype.newbyteorder("="))
