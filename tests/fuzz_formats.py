"""Ways to mutate JSON, archives of arrays and programs that know the format."""

from __future__ import annotations

import io
import json
import re
import zipfile
from random import Random
from typing import Any

from fuzz_bytes import FLOATS, INTEGERS, TEXTS, flipped, truncated

# -- JSON -------------------------------------------------------------------------------------------------------------


def changed_json(text: str, draw: Random) -> str:
    """Return JSON with one value replaced, removed, doubled or renamed; rarely one nested deep or that is none."""
    rare = draw.random()
    if rare < 0.06:
        return draw.choice(
            ("[" * 100_000, '{"a":' * 100_000, "", "null", "[]", "3", '"x"', "1e999", "9" * 5000, text[:-1], text * 2)
        )
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # it was made none before
        return text
    holder: list[Any] = [value]
    _change_json(holder, draw)
    return json.dumps(holder[0]).replace('"<huge>"', "1" + "0" * 400)


def _change_json(inside: Any, draw: Random) -> None:
    keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
    key = draw.choice(keys)
    if isinstance(inside[key], (dict, list)) and inside[key] and draw.random() < 0.8:
        _change_json(inside[key], draw)
        return
    how = draw.random()
    if how < 0.15 and len(keys) > 1:
        del inside[key]
    elif how < 0.25 and isinstance(inside, dict):
        inside[draw.choice(TEXTS)] = inside.pop(key)
    elif how < 0.3 and isinstance(inside, list):
        inside.append(inside[key])
    else:
        odd = (
            None,
            True,
            {},
            [],
            [[]],
            {"a": 1},
            "<huge>",
            draw.choice(INTEGERS),
            draw.choice(FLOATS),
            draw.choice(TEXTS),
        )
        inside[key] = draw.choice(odd)


def json_text(data: bytes, _: bytes, draw: Random) -> bytes:
    """A JSON file changed."""
    try:
        return changed_json(data.decode(), draw).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data


# -- arrays -----------------------------------------------------------------------------------------------------------

_HEADERS = (
    "((((" * 50, "{[]: 1}", "", "\0", "'descr'", "{" * 500, "1" * 5000,
    "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "{'descr': '<f4', 'fortran_order': 1, 'shape': [2]}",
)  # fmt: skip
_DTYPES = (b"<f2", b"|O", b">f4", b"<c8", b"<M8[s]", b"|S4", b"<U9", b"|b1", b"<i8", b"<f16", b"<q9", b"|V4")
_IN_HEADERS = (
    (rb"\d+", lambda draw: str(draw.choice((*INTEGERS, 10**15, 10**200))).encode()),
    (rb"<f4|<f8", lambda draw: draw.choice(_DTYPES)),
    (rb"False|True", lambda draw: draw.choice((b"True", b"False", b"None", b"3"))),
    (rb"'\w+'", lambda draw: draw.choice((b"'shape'", b"'descr'", b"'x'", b"[]"))),
    (rb"\(.*\)", lambda draw: draw.choice((b"()", b"(-1,)", b"(0,)", b"(2.5,)", b"[2]", b"(2, 3, 4)", b"(1,)" , b"3"))),
)  # fmt: skip


def npy_header(data: bytes, _: bytes, draw: Random) -> bytes:
    """The header of an array changed: what it says of dtype, order and shape, its version or its length."""
    if data[:6] != b"\x93NUMPY" or len(data) < 12:
        return data
    long = int.from_bytes(data[8:10], "little")
    header, body = data[10 : 10 + long], data[10 + long :]
    how = draw.randrange(10)
    if how == 0:
        return data[:6] + bytes((draw.choice((0, 2, 3, 9)), 0)) + data[8:]
    if how == 1:
        return data[:8] + draw.choice((0, 1, 2**16 - 1)).to_bytes(2, "little") + data[10:]
    if how == 2:
        header = draw.choice(_HEADERS).encode() + b"\n"
    else:
        pattern, put = draw.choice(_IN_HEADERS)
        found = list(re.finditer(pattern, header))
        if found:
            at = draw.choice(found)
            header = header[: at.start()] + put(draw) + header[at.end() :]
    return data[:8] + len(header).to_bytes(2, "little") + header + body


_DIRECTORY = b"PK\x01\x02"
#: Offsets in a zip's central directory and local headers, and how many bytes stand there: flags, method, sums, sizes, offset.
_IN_DIRECTORY = ((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (42, 4))
_IN_LOCAL = ((6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))


def zip_directory(data: bytes, _: bytes, draw: Random) -> bytes:
    """An entry of a zip changed: flags such as encryption, the method, sums, sizes, lengths, offsets."""
    marks, table = draw.choice(
        (
            (_DIRECTORY, _IN_DIRECTORY),
            (b"PK\x03\x04", _IN_LOCAL),
            (b"PK\x05\x06", ((8, 2), (10, 2), (12, 4), (16, 4), (20, 2))),
        )
    )
    places = [item.start() for item in re.finditer(re.escape(marks), data)]
    if not places:
        return data
    at, (offset, size) = draw.choice(places), draw.choice(table)
    old = int.from_bytes(data[at + offset : at + offset + size], "little")
    new = draw.choice(
        (0, 1, 8, 9, 12, 14, 93, 99, old + 1, old - 1, old ^ 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1))
    ) % 2 ** (8 * size)
    return data[: at + offset] + new.to_bytes(size, "little") + data[at + offset + size :]


def zip_members(data: bytes, other: bytes, draw: Random) -> bytes:
    """The arrays of an archive changed, doubled, renamed or removed, and packed again."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except Exception:  # of a file mutated before: what zipfile and its decompressors raise shares no base class
        return flipped(data, other, draw)
    if not members:
        return data
    at = draw.randrange(len(members))
    name, body = members[at]
    how = draw.randrange(8)
    if how < 4:
        members[at] = name, draw.choice((npy_header, npy_header, npy_header, flipped, truncated))(body, body, draw)
    elif how == 4:
        members.append(
            (
                draw.choice(
                    (name, name.replace(".npy", ":0.npy"), "x", "", "../x.npy", "\udcff.npy", "a" * 300 + ".npy")
                ),
                body,
            )
        )
    elif how == 5:
        del members[at]
    elif how == 6:
        members[at] = draw.choice(TEXTS).replace("\0", "_") + ".npy", body
    else:
        members[at] = name, b"\0" * draw.choice((0, 10, 10**6))
    buffer = io.BytesIO()
    try:
        with zipfile.ZipFile(
            buffer, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
        ) as archive:
            for name, body in members:
                archive.writestr(name, body)
    except (ValueError, IndexError):  # a name that zipfile cannot write
        return data
    return buffer.getvalue()


def safetensors_header(data: bytes, _: bytes, draw: Random) -> bytes:
    """The header of a safetensors file changed: its JSON, or how long it says that is."""
    long = int.from_bytes(data[:8], "little")
    header, body = data[8 : 8 + long], data[8 + long :]
    if draw.random() < 0.15:
        return draw.choice((0, 1, max(long - 1, 0), (long + 1) % 2**64, 2**32, 2**63)).to_bytes(8, "little") + data[8:]
    try:
        header = changed_json(header.decode(), draw).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data
    return len(header).to_bytes(8, "little") + header + body


# -- programs ---------------------------------------------------------------------------------------------------------


def words(data: bytes, other: bytes, draw: Random) -> bytes:
    """A word, a number or a line of a program changed, removed, doubled, or another's."""
    text, donor = data.decode("utf-8", "replace"), other.decode("utf-8", "replace")
    pattern = draw.choice((r"\w+", r"\b\d+\b", r"\b\d+\b", r"[^\w\s]", r".*\n"))
    mine = list(re.finditer(pattern, text))
    theirs = re.findall(pattern, donor)
    if not mine:
        return data
    at = draw.choice(mine)
    odd = (
        "",
        "None",
        "0",
        "-1",
        "'x'",
        "float('nan')",
        "g",
        "()",
        "raise SystemExit(3)\n",
        "raise KeyError\n",
        "lambda: g",
    )
    put = draw.choice((at[0] * 2, draw.choice(theirs or [""]), draw.choice(odd)))
    return (text[: at.start()] + put + text[at.end() :]).encode("utf-8", "surrogatepass")
