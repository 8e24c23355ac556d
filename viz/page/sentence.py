"""The graph in one sentence: inputs, operators, loops and outputs, in the order in which data goes through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unroll.tensor import Node
from unroll.viz.pipeline import Part, Pipeline

# How many parts a sentence has at most.
_MOST = 18


def outside(pipeline: Pipeline) -> list[Node]:
    """Return the operators that the sentence speaks of, in order: of those that are there several times, the first ones."""
    return list(
        dict.fromkeys(
            node for part in _shown(pipeline.parts) if part and part.kind == "op" for node in part.units[0].nodes
        )
    )


def sentence(
    pipeline: Pipeline, rows: Mapping[tuple[str, int], int], inner: Mapping[Node, int], place: Mapping[Node, int]
) -> list[dict[str, Any]]:
    """Return the parts of the sentence.

    Each has a ``kind`` (input, op, loop or output), a ``label``, perhaps a ``note``, whether it reads the part ``before`` it,
    and what a click on it opens: a ``row``, or operators, ``ops``, by their numbers in the row that has them.

    Args:
        pipeline: the graph in parts.
        rows: the number of each loop, by its path and phase.
        inner: that of the row which shows the steps of an operator that holds a loop.
        place: the number of each operator that can be opened by itself.
    """
    parts: list[dict[str, Any]] = []
    places = {id(part): number for number, part in enumerate(pipeline.parts)}
    for part in _shown(pipeline.parts):
        if part is None:
            left = len(pipeline.parts) - _MOST + 1
            parts.append({"kind": "more", "label": f"\u2026 {left:,} more", "before": True})
            continue
        said: dict[str, Any] = {"kind": part.kind, "label": part.label, "note": part.note}
        unit, at = part.units[0], places[id(part)]
        if part.kind == "loop":
            said["row"] = rows[unit.row or "", unit.phase]
        elif part.kind == "op":
            said["ops"] = [place[node] for node in unit.nodes if node in place]
            row = next((inner[node] for node in unit.nodes if node in inner), None)
            if row is not None:
                said["row"] = row
        said["before"] = at > 0 and ((at - 1, at) in pipeline.wires or part.kind == "output")
        parts.append(said)
    return parts


def _shown(parts: Sequence[Part]) -> list[Any]:
    """Return the parts of a sentence that is not too long; None stands for those that are left out."""
    if len(parts) <= _MOST:
        return list(parts)
    return [*parts[: _MOST // 2], None, *parts[len(parts) - _MOST // 2 + 1 :]]
