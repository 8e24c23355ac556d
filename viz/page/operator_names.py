"""The names of operators at every step: one pattern for all steps, where there is one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from unroll.graph import Graph
from unroll.tensor import Node
from unroll.viz.page.steps import Row, Template


def operator_names(row: Row, number: int) -> list[Any]:
    """Return the names of a template's operators: each as a pattern with ``{t}`` in it, or a list of one for each step."""
    steps = [step for run in row.runs if run.template == number for step in range(run.first, run.last + 1)]
    template: Template = row.templates[number]
    return [_pattern([(step, row.steps[step][at]) for step in steps], row.graph) for at in range(len(template.nodes))]


def _pattern(nodes: Sequence[tuple[int, Node]], graph: Graph) -> Any:
    names = [graph.name(node) for _, node in nodes]
    if len(set(names)) == 1 and len(names) > 1:
        return names[0].replace("{", "{{")
    step = nodes[0][0]
    for found in re.finditer(rf"(?<!\d){step}(?!\d)", names[0]):
        before, after = names[0][: found.start()], names[0][found.end() :]
        if all(name == f"{before}{at}{after}" for name, (at, _) in zip(names, nodes, strict=True)):
            return {"before": before, "after": after}
    return names
