"""The bytes of a file that is not believed: read where they are, each way through them bounded."""

from __future__ import annotations

#: An address that says that there is none.
UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF
#: How often all of a file may be read: more than anything honest, where strings share no bytes.
_MOST_OFTEN, _FREELY = 8, 2**20


class BrokenError(Exception):
    """What is wrong with a file."""


class Bytes:
    """The bytes of a file, by address; how many are read in all is bounded.

    Args:
        data: the bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._left = memoryview(data), _MOST_OFTEN * len(data) + _FREELY

    def __len__(self) -> int:
        return len(self._data)

    def read(self, address: int, count: int) -> bytes:
        """Return `count` bytes from an address on.

        Raises:
            BrokenError: they are not there, or the file says the same bytes again and again.
        """
        if address < 0 or count < 0 or address + count > len(self._data):
            raise BrokenError("it ends before what it says is in it")
        self._left -= count
        if self._left < 0:
            raise BrokenError("it names the same bytes over and over")
        return bytes(self._data[address : address + count])


class Cursor:
    """Bytes that are read from front to back.

    Args:
        data: the bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    @property
    def left(self) -> int:
        """How many bytes there are from here on."""
        return len(self._data) - self.at

    def take(self, count: int) -> bytes:
        """Return the next bytes.

        Raises:
            BrokenError: there are fewer.
        """
        if count > self.left:
            raise BrokenError("a part of it ends too early")
        self.at += count
        return self._data[self.at - count : self.at]

    def skip(self, count: int) -> None:
        """Pass over bytes."""
        self.take(count)

    def number(self, size: int) -> int:
        """Return the next bytes as a number."""
        return int.from_bytes(self.take(size), "little")
