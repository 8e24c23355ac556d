"""The DOT text of a chart, whose boxes Graphviz's `dot` places."""

from __future__ import annotations

from unroll.viz import palette
from unroll.viz.captions import Captions, title_label
from unroll.viz.charts import Chart
from unroll.viz.dot_text import cell, escaped, html_label, table, tooltip
from unroll.viz.formats import Direction
from unroll.viz.sheet_writer import LOOKS
from unroll.viz.statements import start

_RANKS: dict[Direction, str] = {"up": "BT", "right": "LR"}
# Lines bend: text keeps clear of them.
_AROUND = 4
_ARROWS = {"data": {}, "state": {"color": palette.STATE, "penwidth": "1.4"}}


def write_chart(chart: Chart, direction: Direction, captions: Captions) -> str:
    """Return the DOT source of a chart."""
    above = {}
    if captions.title:
        above = {"label": html_label(title_label(captions.title)), "labelloc": "t", "labeljust": "l"}
    dot = start(layout="dot", rankdir=_RANKS[direction], nodesep="0.35", ranksep="0.45", pad="0.15", **above)
    for item in chart.items:
        size = {"width": f"{item.box.width / 72:.3f}", "height": f"{item.box.height / 72:.3f}"}
        looks = LOOKS[item.kind]
        if looks.get("shape") == "plain":
            looks = looks | {"shape": "none"}  # which keeps its size, so that arrows end beside the text
        dot.node(item.id, html_label(item.box.label), tooltip=tooltip(item.told), **size, **looks)
    for arrow in chart.arrows:
        text = {"label": html_label(table([cell(escaped(arrow.text))], cellpadding=_AROUND))} if arrow.text else {}
        dot.edge(arrow.source, arrow.target, **text, **_ARROWS[arrow.kind])
    return str(dot.source)
