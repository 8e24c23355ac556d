"""What is written on the page stands out from what it stands on, by light and dark, whatever is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser import CHROMIUM, DRIVER, Browser
from page_reading import random_feeds
from picture_networks import NETWORKS
from seen_colours import contrast

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="Chromium or its driver is not installed on this machine: the page is not tested in a browser",
)
# Each text that is seen, its colour, and the colours of what lies under its middle, from the top down to what is not clear.
# What is dimmed is so because something else was chosen.
_TEXTS = """
const found = [], shapes = ["rect", "circle", "path", "polygon"];
const opaque = (color) => color && color !== "none" && color !== "transparent" && !/, 0\\)$/.test(color);
const dimmed = (part) => part && (Number(getComputedStyle(part).opacity) < 1 || dimmed(part.parentElement));
for (const part of document.querySelectorAll("body *")) part.style.pointerEvents = "auto"; // else it is not found under a point
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const own = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
  if (!text || !own.getClientRects().length || own.closest("script, style, noscript, [hidden]") || dimmed(own)) continue;
  const range = document.createRange();
  range.selectNodeContents(walker.currentNode);
  const box = range.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
  if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight || !box.width) continue;
  const drawn = own instanceof SVGElement;
  const all = document.elementsFromPoint(x, y), at = all.indexOf(own);
  if (at < 0) continue; // something else is over it
  const look = getComputedStyle(own), halo = look.paintOrder.startsWith("stroke") && parseFloat(look.strokeWidth) >= 2;
  if (halo && opaque(look.stroke)) { found.push([text.slice(0, 40), look.fill, look.stroke]); continue; }
  let ground = "rgb(255, 255, 255)";
  const under = all.slice(at);
  for (const part of under) {
    const style = getComputedStyle(part);
    const color = !(part instanceof SVGElement) ? style.backgroundColor : shapes.includes(part.tagName) ? style.fill : null;
    if (opaque(color)) { ground = color; break; }
  }
  found.push([text.slice(0, 40), drawn ? look.fill : look.color, ground]);
}
return found;
"""
_LOOKS: dict[str, Callable[[Browser], Any]] = {
    "as it opens": lambda browser: None,
    "an operator": lambda browser: browser.click("#open .box"),
    "a search": lambda browser: browser.key("/", *"op:tanh"),
    "keys": lambda browser: browser.key("?"),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["GRU", "cell NAS", "nn LSTM, two layers both ways"])
def test_text_is_at_least_4_and_a_half_to_one(name: str, theme: str, shown: Callable[..., Browser]) -> None:
    graph = NETWORKS[name]()
    for look, hands in _LOOKS.items():
        browser = shown(graph, random_feeds(graph), link=f"theme={theme}")
        hands(browser)
        texts = browser.run(_TEXTS)
        assert len(texts) > 40
        faint = {f"{text}: {color} on {ground}" for text, color, ground in texts if contrast(color, ground) < 4.5}
        assert not faint, (look, faint)


_MARKS = """
const style = getComputedStyle(document.documentElement);
return Object.fromEntries(arguments[0].map((name) => [name, style.getPropertyValue(name).trim()]));
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_marks_are_at_least_3_to_one(theme: str, shown: Callable[..., Browser]) -> None:
    browser = shown(NETWORKS["GRU"](), link=f"theme={theme}")
    marks = ["--line", "--state", "--weight", "--cellline", "--opline", "--play", "--odd", "--faint"]
    found = browser.run(_MARKS, [*marks, "--page", "--panel", "--scope", "--lens"])
    for mark in marks:
        for ground in ("--page", "--panel", "--scope", "--lens"):
            assert contrast(found[mark], found[ground]) >= 3, (mark, ground)
