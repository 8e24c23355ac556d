"""CRC-32C, the checksum of TensorFlow's files, over arrays: many stretches at once, which are then put together."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]
_POLYNOMIAL = 0x82F63B78


def _table() -> Words:
    found = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        found = np.where(found & 1, found >> 1 ^ np.uint32(_POLYNOMIAL), found >> 1)
    return found


_TABLE = _table()
_LISTED = _TABLE.tolist()


def _step(crc: Words, byte: npt.NDArray[np.uint8] | int = 0) -> Words:
    """Return checksums after one more byte each."""
    found: Words = _TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return found


def _applied(matrix: Words, values: Words) -> Words:
    """Return what a map of bits, given by what it makes of each, makes of values."""
    found = np.zeros_like(values)
    for bit in range(32):
        found ^= np.where(values >> np.uint32(bit) & 1, matrix[bit], np.uint32(0))
    return found


@functools.lru_cache(maxsize=64)
def _zeros(count: int) -> Words:
    """Return the map that so many zero bytes are."""
    power: Words = _step(np.uint32(1) << np.arange(32, dtype=np.uint32))
    found: Words = np.uint32(1) << np.arange(32, dtype=np.uint32)
    while count:
        found = _applied(power, found) if count & 1 else found
        power, count = _applied(power, power), count >> 1
    return found


def crc32c(data: bytes) -> int:
    """Return the checksum of bytes, which begins and ends with all bits turned."""
    if len(data) <= 2048:  # too few to be worth a vector
        plain = 0xFFFFFFFF
        for byte in data:
            plain = _LISTED[(plain ^ byte) & 255] ^ plain >> 8
        return plain ^ 0xFFFFFFFF
    lanes = 1 << len(data).bit_length() // 2 + 2
    length = -(-len(data) // lanes)
    padded = np.zeros(
        lanes * length, np.uint8
    )  # zeros before all others change nothing where the checksum begins with 0
    padded[len(padded) - len(data) :] = np.frombuffer(data, np.uint8)
    crc = np.zeros(lanes, np.uint32)
    for column in padded.reshape(lanes, length).T:
        crc = _step(crc, column)
    while len(crc) > 1:
        crc, length = _applied(_zeros(length), crc[::2]) ^ crc[1::2], 2 * length
    begun = _applied(_zeros(len(data)), np.array([0xFFFFFFFF], np.uint32))
    return int(crc[0] ^ begun[0]) ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    """Return the checksum as TensorFlow's files hold it."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
