"""Colours as people see them: contrast, differences, and what is left of them for those who see fewer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Machado, Oliveira and Fernandes 2009, severity 1; each row times linear RGB.
SEEN_BY: dict[str, Any] = {
    "all": np.eye(3),
    "protanopes": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopes": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopes": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
_WHITE = np.array([0.95047, 1, 1.08883])


def linear(color: str) -> Array:
    """Return ``#RRGGBB`` or ``rgb(r, g, b)`` as linear light, 0 to 1."""
    if color.startswith("#"):
        wide = color if len(color) == 7 else "#" + "".join(digit * 2 for digit in color[1:])
        rgb = np.array([int(wide[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    else:
        rgb = np.array([float(part) for part in color[color.index("(") + 1 : -1].split(",")[:3]]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21, as WCAG 2 has it."""
    lights = sorted(float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def lab(color: str, seen_by: str = "all") -> Array:
    """Return a colour in CIELAB (D65), as somebody sees it."""
    seen = np.clip(np.array(SEEN_BY[seen_by]) @ linear(color), 0, 1)
    part = _TO_XYZ @ seen / _WHITE
    x, y, z = np.where(part > 216 / 24389, np.cbrt(part), (24389 / 27 * part + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one: Array, other: Array) -> float:
    """Return how different two colours of CIELAB look: CIEDE2000, by Sharma, Wu and Dalal 2005."""
    l1, a1, b1 = one
    l2, a2, b2 = other
    middle = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(middle**7 / (middle**7 + 25.0**7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, (1 + g) * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn, whole = h2 - h1, h1 + h2
    if c1 * c2 == 0:
        turn, hue = 0.0, whole
    else:
        turn = turn - 360 if turn > 180 else turn + 360 if turn < -180 else turn
        hue = whole / 2 if abs(h1 - h2) <= 180 else (whole + (360 if whole < 360 else -360)) / 2
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    t = 1 - 0.17 * _cos(hue - 30) + 0.24 * _cos(2 * hue) + 0.32 * _cos(3 * hue + 6) - 0.2 * _cos(4 * hue - 63)
    s_l = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    bent = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    d_l, d_c = (l2 - l1) / s_l, (c2 - c1) / s_c
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / s_h
    return float(np.sqrt(d_l**2 + d_c**2 + d_h**2 + bent * d_c * d_h))


def _cos(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))


def apart(one: str, other: str, seen_by: str = "all") -> float:
    """Return how different two colours look to somebody."""
    return difference(lab(one, seen_by), lab(other, seen_by))
