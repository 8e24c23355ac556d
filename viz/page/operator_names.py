"""The names of operators at every step: one pattern for all steps, where numbers in them grow evenly from step to step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from unroll.graph import Graph
from unroll.tensor import Node
from unroll.viz.page.rows import Row, Template

_NUMBER = re.compile(r"\d{1,15}")


def operator_names(row: Row, number: int) -> list[Any]:
    """Return the names of a template's operators.

    Each is a pattern, with what stands before and after a number that is ``by`` times the step ``and`` something; or a list of
    one name for each step.
    """
    steps = [step for run in row.runs if run.template == number for step in range(run.first, run.last + 1)]
    template: Template = row.templates[number]
    return [_pattern([(step, row.steps[step][at]) for step in steps], row.graph) for at in range(len(template.nodes))]


def _pattern(nodes: Sequence[tuple[int, Node]], graph: Graph) -> Any:
    names = [graph.name(node) for _, node in nodes]
    if len(set(names)) == 1 and len(names) > 1:
        return names[0]
    if len(names) == 1:
        return names
    (first, _), (second, _) = nodes[:2]
    for one, other in zip(_NUMBER.finditer(names[0]), _NUMBER.finditer(names[1]), strict=False):
        before, after = names[0][: one.start()], names[0][one.end() :]
        by, left = divmod(int(other[0]) - int(one[0]), second - first)
        base = int(one[0]) - by * first
        if (
            by
            and not left
            and all(name == f"{before}{base + by * at}{after}" for name, (at, _) in zip(names, nodes, strict=True))
        ):
            return {"before": before, "after": after} | ({} if (by, base) == (1, 0) else {"by": by, "and": base})
    return names
