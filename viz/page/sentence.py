"""The graph in one sentence: inputs, operators, loops and outputs, in the order in which data goes through them."""

from __future__ import annotations

from typing import Any

from unroll.viz.page.steps import Loops
from unroll.viz.pipeline import Pipeline

# How many parts a sentence has at most.
_MOST = 18


def sentence(loops: Loops) -> list[dict[str, Any]]:
    """Return the parts of the sentence.

    Each has a ``kind`` (input, op, loop or output), a ``label``, perhaps a ``note``, whether it reads the part ``before`` it,
    and what a click on it opens: a ``row``, or an operator by its ``name``.
    """
    pipeline = Pipeline(loops.contraction)
    rows = {(row.path, row.phase): number for number, row in enumerate(loops.rows)}
    parts: list[dict[str, Any]] = []
    for place, part in enumerate(pipeline.parts):
        said: dict[str, Any] = {"kind": part.kind, "label": part.label, "note": part.note}
        unit = part.units[0]
        if part.kind == "loop":
            said["row"] = rows[unit.row or "", unit.phase]
        elif part.kind == "op":
            said["name"] = loops.graph.name(unit.nodes[0])
        said["before"] = place > 0 and ((place - 1, place) in pipeline.wires or part.kind == "output")
        parts.append(said)
    if len(parts) > _MOST:
        left = len(parts) - _MOST + 1
        rest = {"kind": "more", "label": f"… {left:,} more", "before": True}
        parts = [*parts[: _MOST // 2], rest, *parts[len(parts) - _MOST // 2 + 1 :]]
    return parts
