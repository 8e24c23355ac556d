"""A chart as Mermaid text, which Markdown shows on GitHub, GitLab and in notebooks."""

from __future__ import annotations

import html
import re

from unroll.viz.charts import Chart, Item
from unroll.viz.dot_text import MINUS, SIGMA, TIMES, visible
from unroll.viz.formats import Direction

_FLOWS: dict[Direction, str] = {"up": "BT", "right": "LR"}
_BOXES = {
    "cell": '["{}"]',
    "loop": '["{}"]',
    "op": '["{}"]',
    "input": '(["{}"])',
    "output": '(["{}"])',
    "zero": '(("{}"))',
    "weight": '[/"{}"/]',
    "constant": '[/"{}"/]',
    "gap": '["{}"]',
}
_ARROWS = {"data": "-->", "state": "==>", "weight": "-.->"}
# Mermaid reads markup, Markdown and its own words in quoted text; as numbers of characters they are text.
_SPOKEN = re.compile(rf"[^\w\s(),.:+=/{TIMES}{MINUS}{SIGMA}…-]")
_ROW, _CELL, _INDEX, _TAG = re.compile(r"</TR>"), re.compile(r"</TD>"), re.compile(r"<SUB>"), re.compile(r"<[^>]*>")


def write_mermaid(chart: Chart, direction: Direction, title: str | None) -> str:
    """Return the Mermaid text of a chart."""
    lines = ["---", f'title: "{_quoted_title(title)}"', "---"] if title else []
    lines.append(f"flowchart {_FLOWS[direction]}")
    names = {item.id: f"n{place}" for place, item in enumerate(chart.items)}
    for item in chart.items:
        lines.append(f"    {names[item.id]}{_BOXES[item.kind].format(_text(item))}")
    for arrow in chart.arrows:
        text = f'|"{escaped(arrow.text)}"|' if arrow.text else ""
        lines.append(f"    {names[arrow.source]} {_ARROWS[arrow.kind]}{text} {names[arrow.target]}")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text that Mermaid shows to the letter, wherever it stands between quotes."""
    return _SPOKEN.sub(lambda found: f"#{ord(found[0])};", visible(text))


def _text(item: Item) -> str:
    """Return the text of a box, a line for each of its rows."""
    marked = _CELL.sub(" ", _ROW.sub("\n", _INDEX.sub("_", item.box.label)))
    plain = html.unescape(_TAG.sub("", marked)).replace("\\\\", "\\")
    lines = [" ".join(line.split()) for line in plain.split("\n")]
    return "<br/>".join(escaped(line) for line in lines if line) or " "


def _quoted_title(title: str) -> str:
    """Return a title between the quotes of YAML; Mermaid takes what follows a ``<`` for markup, however it is written."""
    return visible(title).replace("<", "\u2039").replace("\\", "\\\\").replace('"', '\\"')
