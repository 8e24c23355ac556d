"""What an SVG shows that we wrote ourselves: its texts, rectangles, lines and bitmaps."""

from __future__ import annotations

import base64
import struct
import xml.etree.ElementTree as ET
import zlib
from typing import Any, NamedTuple

import numpy as np
from helpers import Array

SVG = "{http://www.w3.org/2000/svg}"


class Bitmap(NamedTuple):
    """A bitmap: its place, and its dots, ``(rows, columns, 3)``."""

    x: float
    y: float
    width: float
    height: float
    dots: Array


def bitmaps(svg: str) -> list[Bitmap]:
    """The bitmaps of a picture, in order."""
    found = []
    for item in ET.fromstring(svg).iter(f"{SVG}image"):
        data = item.attrib["{http://www.w3.org/1999/xlink}href"].removeprefix("data:image/png;base64,")
        place = [float(item.attrib[name]) for name in ("x", "y", "width", "height")]
        found.append(Bitmap(*place, png_dots(base64.b64decode(data))))
    return found


def png_dots(data: bytes) -> Array:
    """The dots of a PNG of 8 bits a colour whose rows have no filter; its checksums are held against its bytes."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(name + body)
        chunks[name], at = body, at + 12 + size
    columns, rows, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, kind) == (8, 2)
    raw = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, 1 + 3 * columns)
    assert not raw[:, 0].any()
    return raw[:, 1:].reshape(rows, columns, 3)


def texts(svg: str) -> list[str]:
    """Every line of text of a picture."""
    return [item.text or "" for item in ET.fromstring(svg).iter(f"{SVG}text")]


def frames(svg: str) -> list[tuple[float, float]]:
    """The width and height of every closed line of a picture."""
    found = []
    for item in ET.fromstring(svg).iter(f"{SVG}polyline"):
        points = [tuple(map(float, point.split(","))) for point in item.attrib["points"].split()]
        if len(points) == 5 and points[0] == points[-1]:
            found.append((points[2][0] - points[0][0], points[2][1] - points[0][1]))
    return found


def hexadecimal(dot: Any) -> str:
    """A dot as ``#RRGGBB``."""
    return "#" + "".join(f"{int(value):02X}" for value in dot)


def overlapping(svg: str, wide: Any) -> list[tuple[str, str]]:
    """Pairs of texts that stand in one another's place.

    Args:
        svg: the picture.
        wide: tells how wide a text is, of its letters, size and whether it is bold.
    """
    boxes = []
    for item in ET.fromstring(svg).iter(f"{SVG}text"):
        size, text = float(item.attrib["font-size"]), item.text or ""
        width = wide(text, size, item.attrib.get("font-weight") == "bold")
        left = (
            float(item.attrib["x"])
            - {"start": 0, "middle": width / 2, "end": width}[item.attrib.get("text-anchor", "start")]
        )
        base = float(item.attrib["y"])
        boxes.append((left, base - 0.75 * size, left + width, base + 0.1 * size, text))
    return [
        (a[4], b[4])
        for place, a in enumerate(boxes)
        for b in boxes[place + 1 :]
        if a[0] < b[2] - 0.5 and b[0] < a[2] - 0.5 and a[1] < b[3] - 0.5 and b[1] < a[3] - 0.5
    ]
