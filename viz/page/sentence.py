"""The graph in one sentence: inputs, operators, loops and outputs, in the order in which data goes through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unroll.dimensions import shape_text
from unroll.tensor import Tensor
from unroll.viz.contraction import Contraction
from unroll.viz.dot_text import TIMES
from unroll.viz.page.steps import Loops
from unroll.viz.units import Unit

# How many parts a sentence has at most.
_MOST = 18


def sentence(loops: Loops) -> list[dict[str, Any]]:
    """Return the parts of the sentence.

    Each has a ``kind`` (input, op, loop or output), a ``label``, perhaps a ``note``, whether it reads the part ``before`` it,
    and what a click on it opens: a ``row``, or an operator by its ``name``.
    """
    contraction = loops.contraction
    groups: dict[object, list[Unit]] = {}
    for unit in [*(u for u in contraction.units if u.kind == "input"), *contraction.in_order()]:
        if unit.kind != "zero":
            groups.setdefault(_key(unit), []).append(unit)
    for unit in contraction.units:
        if unit.kind == "output":
            groups.setdefault("output", []).append(unit)
    rows = {(row.path, row.phase): number for number, row in enumerate(loops.rows)}
    reads: dict[object, set[object]] = {}
    of = {unit: key for key, units in groups.items() for unit in units}
    for wire in contraction.wires:
        if wire.source in of and wire.target in of:
            reads.setdefault(of[wire.target], set()).add(of[wire.source])
    parts, before = [], None
    for key, units in groups.items():
        part = _part(units, loops, rows)
        part["before"] = before is not None and (before in reads.get(key, ()) or key == "output")
        parts.append(part)
        before = key
    if len(parts) > _MOST:
        left = len(parts) - _MOST + 1
        rest = {"kind": "more", "label": f"… {left:,} more", "before": True}
        parts = [*parts[: _MOST // 2], rest, *parts[len(parts) - _MOST // 2 + 1 :]]
    return parts


def _key(unit: Unit) -> object:
    """Return a key that is equal for what the sentence names once: all steps of a loop, and all inputs of one shape."""
    if unit.kind == "cell" and unit.step is not None:
        return ("loop", unit.row, unit.phase)
    if unit.kind == "input" and unit.tensor is not None:
        return ("input", _stem(unit.tensor.label), unit.tensor.shape)
    if unit.kind == "op" and unit.step is not None and unit.nodes:
        return ("op", unit.nodes[0].op.name, unit.phase)
    return unit


def _part(units: Sequence[Unit], loops: Loops, rows: dict[tuple[str, int], int]) -> dict[str, Any]:
    unit, contraction = units[0], loops.contraction
    if unit.kind == "cell" and unit.step is not None:
        path = unit.row or ""
        return {
            "kind": "loop",
            "label": path.rpartition("/")[0],
            "note": f"{len(units)} {TIMES} {path.rpartition('/')[2]}",
            "row": rows[path, unit.phase],
        }
    if unit.kind in ("input", "output"):
        tensors = [one.tensor for one in units if one.tensor is not None]
        names = [one.name or one.tensor.label for one in units if one.tensor is not None]
        return {"kind": unit.kind, "label": _listed(names), "note": _shapes(tensors, loops)}
    return {
        "kind": "op",
        "label": unit.name.rpartition("/")[2] or _title(unit, contraction),
        "note": _operator_note(units, loops),
        "name": loops.graph.name(unit.nodes[0]),
    }


def _title(unit: Unit, contraction: Contraction) -> str:
    node = unit.nodes[0]
    return unit.row.rpartition("/")[2] if unit.row is not None else contraction.title(node)


def _operator_note(units: Sequence[Unit], loops: Loops) -> str:
    node = units[0].nodes[-1]
    if len(node.outputs) > 1 and node.op.name == "Split":
        return f"{len(node.outputs)} {TIMES} {shape_text(loops.graph.shape(node.outputs[0]))}"
    count = len(units)
    return f"{count} {TIMES}" if count > 1 else ""


def _shapes(tensors: Sequence[Tensor], loops: Loops) -> str:
    shapes = list(dict.fromkeys(shape_text(loops.graph.shape(tensor)) for tensor in tensors))
    return shapes[0] if len(shapes) == 1 else ""


def _stem(name: str) -> str:
    return name.removesuffix(":0").rstrip("0123456789")


def _listed(names: Sequence[str]) -> str:
    """Return names as one text: those that differ by a number as a range, those of one name at many steps once."""
    stems: dict[str, list[str]] = {}
    for name in names:
        last = name.rpartition("/")[2]
        stems.setdefault(_stem(name) if last.removesuffix(":0").isdigit() or "/" not in name else last, []).append(name)
    texts = [_range(stem, found) for stem, found in stems.items()]
    return ", ".join(texts) if len(texts) <= 4 else f"{', '.join(texts[:3])} and {len(texts) - 3:,} more"


def _range(stem: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0] if _stem(names[0]) == stem else stem
    if all(_stem(name) == stem for name in names):
        return f"{names[0]} … {names[-1].removeprefix(stem)}"
    return f"{len(names):,} {TIMES} {stem}"
