"""The colours of text and of lines in an SVG, each with the colour that it stands on."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import NamedTuple

from seen_colours import contrast

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Ground(NamedTuple):
    """A filled shape: the rectangle around it, and its colour."""

    left: float
    top: float
    right: float
    bottom: float
    color: str


def faint_text(svg: str | bytes, least: float = 4.5) -> list[str]:
    """Return each text whose contrast to what lies under it is less."""
    grounds: list[Ground] = []
    found = []
    for item in ElementTree.fromstring(svg).iter():
        kind = item.tag.partition("}")[2]
        color = item.get("fill", "")
        if kind == "text" and (item.text or "").strip():
            x, y = float(item.get("x", "0")), float(item.get("y", "0"))
            under = [one for one in grounds if one.left <= x + 1 <= one.right and one.top <= y - 3 <= one.bottom]
            ground = under[-1].color if under else "#FFFFFF"
            reached = contrast(color or "#000000", ground)
            if reached < least:
                found.append(f"{item.text!r} {color} on {ground}: {reached:.2f}")
        elif color.startswith("#") or color == "white":
            grounds += _ground(item, kind, "#FFFFFF" if color == "white" else color)
    return found


def faint_lines(svg: str | bytes, page: str, decorations: set[str], least: float = 3.0) -> set[str]:
    """Return the colours of lines and outlines whose contrast to the page is less, but for those that only decorate."""
    colors = {item.get("stroke", "none") for item in ElementTree.fromstring(svg).iter()} - {
        "none",
        "white",
        "transparent",
        "#FFFFFF",
    }
    return {color for color in colors - decorations if contrast(color, page) < least}


def _ground(item: ElementTree.Element, kind: str, color: str) -> list[Ground]:
    if kind == "rect":
        x, y, width, height = (float(item.get(name, "0").rstrip("%")) for name in ("x", "y", "width", "height"))
        return [Ground(x, y, x + width, y + height, color)]
    if kind == "ellipse":
        x, y, wide, high = (float(item.get(name, "0")) for name in ("cx", "cy", "rx", "ry"))
        return [Ground(x - wide, y - high, x + wide, y + high, color)]
    if kind in ("polygon", "path"):
        numbers = [float(number) for number in _NUMBER.findall(item.get("points") or item.get("d") or "")]
        xs, ys = numbers[::2], numbers[1::2]
        return [Ground(min(xs), min(ys), max(xs), max(ys), color)]
    return []
