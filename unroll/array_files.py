"""NumPy's files of arrays, ``.npy`` and ``.npz``: one reader for both, which believes no size before it has seen the bytes.

Sources: NumPy's "NPY format" (``numpy.lib.format``) and PKWARE's APPNOTE.TXT. What NumPy writes is read: arrays of numbers, in
archives whose members are stored or deflated. Nothing is unpickled.
"""

from __future__ import annotations

import ast
import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

import numpy as np

from unroll.dtypes import Array, DType
from unroll.errors import FileError

#: Compressed arrays of up to so many bytes in all are read, and larger ones where they are no more than so many times the
#: archive: weights shrink by a tenth, and 4 MB that swell to 4 GB are no weights. Archives that are not compressed always pass.
MOST_SWOLLEN, MOST_RATIO = 256 * 2**20, 100
#: The header of an array of numbers has about 100 bytes; NumPy, too, evaluates no more than this of one that it did not write.
_LONGEST_HEADER = 10_000
_MAGIC = b"\x93NUMPY"
#: Version of the format: bytes of the header's length, encoding of the header.
_VERSIONS = {1: (2, "latin1"), 2: (4, "latin1"), 3: (4, "utf-8")}
#: What a header may hold: a dict of texts, numbers and tuples; no operators, which nest without brackets.
_LITERAL = re.compile(r"[\w\s'\"<>|=,:(){}\[\]]*")
_NUMBERS = re.compile(r"[<>|=]?[biufc]\d{1,2}")
_PIECE = 2**18
#: Other ways to compress that are met in zip archives, by PKWARE's numbers.
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_ADVICE = "write it with numpy.savez, which does not compress"
#: What `zipfile` raises somewhere for a file that is not a zip archive.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
)


class _Header(NamedTuple):
    """What an array's header says, and how many bytes it has itself."""

    dtype: DType
    shape: tuple[int, ...]
    fortran_order: bool
    length: int


def read_npy(data: bytes, what: str) -> Array:
    """Return the array that a ``.npy`` file holds.

    Args:
        data: the bytes of the file.
        what: the file, for messages.

    Raises:
        FileError: it is something else, holds objects or texts, or does not have the bytes that its header promises.
    """
    if data.startswith((b"PK\3\4", b"PK\5\6")):
        raise FileError(f"{what}: holds several arrays, as .npz files do, where a .npy file of one is wanted")
    try:
        return _read_array(io.BytesIO(data), len(data))
    except ValueError as error:
        raise FileError(f"{what}: is not a .npy file of plain numbers: {error}") from None
    except MemoryError:
        raise FileError(f"{what}: there is too little memory for the array that it holds") from None


def read_npz(data: bytes, what: str) -> dict[str, Array]:
    """Return the arrays that a ``.npz`` file holds, by name.

    Args:
        data: the bytes of the file.
        what: the file, for messages.

    Raises:
        FileError: it is something else; an array does not hold plain numbers, does not have the bytes that its header
            promises, or has another one's name; or together they are too large beside the file (see `MOST_RATIO`).
    """
    if data.startswith(_MAGIC):
        raise FileError(f"{what}: is not a .npz file of plain arrays: it holds one array, not several by name")
    where = ""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = members_of(archive, len(data), ".npy", _ADVICE)
            arrays: dict[str, Array] = {}
            for name, member in members.items():
                where = f"{name!r}: "
                with archive.open(member) as stream:
                    arrays[name] = _read_array(stream, member.file_size)
            return arrays
    except BROKEN as error:
        said = str(error) or type(error).__name__
        raise FileError(f"{what}: is not a .npz file of plain arrays: {where}{said}") from None
    except MemoryError:
        raise FileError(f"{what}: there is too little memory for the arrays that it holds") from None


def write_npz(file: IO[bytes], arrays: Mapping[str, Array]) -> None:
    """Write arrays by name as a ``.npz`` file, not compressed; equal arrays always give the same bytes.

    Raises:
        ValueError: an array of objects, or a name that an archive cannot hold.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = f"{name}.npy"
            if "\0" in name or len(member.encode()) > 0xFFFF:
                raise ValueError(f"{name[:80]!r} cannot be the name of an array in a .npz file")
            with archive.open(zipfile.ZipInfo(member), "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)


def members_of(archive: zipfile.ZipFile, size: int, suffix: str, advice: str) -> dict[str, zipfile.ZipInfo]:
    """Return the members of an archive by their names, where it is safe to read them.

    Args:
        archive: a zip archive of `size` bytes.
        size: see `archive`.
        suffix: left out of the names.
        advice: how it is written so that it can be read.

    Raises:
        ValueError: it is not.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(suffix)
        if name in members:
            raise ValueError(
                f"it holds {name!r} twice, as {members[name].filename!r} and {member.filename!r}; keep one"
            )
        if member.flag_bits & 1:
            raise ValueError(f"{name!r} is encrypted; write it without a password")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            method = _METHODS.get(member.compress_type, f"method {member.compress_type}")
            raise ValueError(f"{name!r} is compressed by {method}; {advice}")
        members[name] = member
    swollen = sum(member.file_size for member in members.values())
    most = max(MOST_SWOLLEN, MOST_RATIO * size)
    if swollen > most:
        raise ValueError(
            f"its {size:,} bytes would swell to {swollen:,}, and more than {most:,} are not read of such a file; if they are "
            f"what they should be, {advice}"
        )
    return members


def _read_array(stream: IO[bytes], total: int) -> Array:
    """Return the array that a stream of `total` bytes holds, as far as the stream can be believed.

    Raises:
        ValueError: it holds none, or one of another size; the stream may raise errors of its own.
    """
    header = _read_header(stream)
    wanted, there = math.prod(header.shape) * header.dtype.itemsize, total - header.length
    if wanted != there:
        raise ValueError(
            f"its header says {header.dtype} of shape {str(header.shape)[:80]}, {str(wanted)[:40]} bytes, and {there} are there"
        )
    data = np.empty(wanted, np.uint8)
    for start in range(0, wanted, _PIECE):
        piece = _exactly(stream, min(_PIECE, wanted - start))
        data[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
    if stream.read(1):  # an archive's member is compared with its checksum where it ends
        raise ValueError("it is longer than it says")
    return data.view(header.dtype).reshape(header.shape, order="F" if header.fortran_order else "C")


def _read_header(stream: IO[bytes]) -> _Header:
    """Read what comes before an array's numbers.

    Raises:
        ValueError: it is not a header, or that of an array of something other than numbers.
    """
    start = stream.read(8)
    if len(start) < 8 or not start.startswith(_MAGIC):
        raise ValueError("it is something else, perhaps Python objects, which are never loaded")
    if start[6] not in _VERSIONS:
        raise ValueError(f"version {start[6]}.{start[7]} of the format is not known")
    width, encoding = _VERSIONS[start[6]]
    length = int.from_bytes(_exactly(stream, width), "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"its header has {length:,} bytes, and no more than {_LONGEST_HEADER:,} are read of one")
    said = _literal(_exactly(stream, length).decode(encoding))
    if not isinstance(said, dict) or said.keys() != {"descr", "fortran_order", "shape"}:
        raise ValueError("its header is no dict of descr, fortran_order and shape")
    descr, order, shape = said["descr"], said["fortran_order"], said["shape"]
    if not isinstance(descr, str) or not _NUMBERS.fullmatch(descr):
        raise ValueError(f"it holds {str(descr)[:40]!r}, which are no plain numbers (Python objects are never loaded)")
    if not isinstance(order, bool) or not isinstance(shape, tuple) or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError("its header has no valid shape or order")
    try:
        dtype = np.dtype(descr)
    except TypeError:
        raise ValueError(f"it holds {descr!r}, which is no dtype of numbers") from None
    return _Header(dtype, shape, order, len(start) + width + length)


def _literal(text: str) -> Any:
    """Return the Python literal that a header consists of.

    Raises:
        ValueError: it is not a literal of such parts.
    """
    if not _LITERAL.fullmatch(text):
        raise ValueError("its header is no dict of descr, fortran_order and shape")
    try:
        return ast.literal_eval(re.sub(r"(?<=\d)L\b", "", text.strip()))  # Python 2 wrote 3L for some numbers
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # the last two for deep brackets
        raise ValueError("its header is no dict of descr, fortran_order and shape") from None


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise ValueError("it ends too early")
    return data
