"""The tracks of a loop: its inputs, gates, states and outputs over time, with what is said of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from unroll.dtypes import Array
from unroll.tensor import Tensor
from unroll.viz.page.activations import BOUNDS, activation, percent, saturated
from unroll.viz.page.rows import Row, Template
from unroll.viz.page.slots import Slots
from unroll.viz.values import number as shown_number

TrackKind = Literal["input", "gate", "state", "output", "difference"]
_GATES = {
    "i": "input gate",
    "f": "forget gate",
    "o": "output gate",
    "r": "reset gate",
    "u": "update gate",
    "z": "update gate",
}
_STATES = {"c": "cell state", "h": "hidden state"}
#: A signed range of colours ends where so many of a hundred numbers lie.
_PERCENTILE = 98
#: It is said to end there where the largest number is so many times larger.
_CLIPPED = 1.25


@dataclass(eq=False)
class Track:
    """One tensor of a loop over time.

    Attributes:
        kind: what it is to the cell.
        name: what the cell calls it.
        title: the same in words.
        slot: its numbers.
        activation: the operator that makes it, of a gate.
    """

    kind: TrackKind
    name: str
    title: str
    slot: int
    activation: str = ""


def tracks_of(row: Row, slots: Slots, names: Sequence[str]) -> list[Track]:
    """Return the tracks of a row, in the order in which they are shown: inputs, gates, states, other outputs.

    Args:
        row: the loop.
        slots: its tensors.
        names: its gates, in order.
    """
    if row.around:
        return []  # it stands on no axis
    steps = [
        sum(run.last - run.first + 1 for run in row.runs if run.template == at) for at in range(len(row.templates))
    ]
    order = sorted(range(len(row.templates)), key=lambda number: -steps[number])
    found: dict[tuple[str, str], Track] = {}
    for number in order:
        for track in _of_template(row, row.templates[number], slots, number):
            if all(track.slot != other.slot for other in found.values()):
                found.setdefault((track.kind, track.name), track)
    rank = {name: place for place, name in enumerate(names)}
    kinds = ("input", "gate", "state", "output")
    return sorted(found.values(), key=lambda track: (kinds.index(track.kind), _place(track, rank, row)))


def _place(track: Track, gates: dict[str, int], row: Row) -> int:
    if track.kind == "gate":
        return gates.get(track.name, len(gates))
    return row.states.index(track.name) if track.kind == "state" and track.name in row.states else 0


def _of_template(row: Row, template: Template, slots: Slots, number: int) -> Iterator[Track]:
    states = {at: name for at, name in template.handed.items() if name in row.states or not row.states}
    for tensor, source in template.sources.items():
        if source.kind == "input" and tensor in slots.sources[number] and _is_over_time(tensor, slots, number):
            yield Track("input", source.name, "input", slots.sources[number][tensor][0])
    at = slots.outputs[number]
    for (node, output), gate in template.gates.items():
        if (node, output) in states:
            continue
        op = activation(template, node)
        title = _GATES.get(gate, "gate") if op == "Sigmoid" else "candidate" if op == "Tanh" else op.lower()
        yield Track("gate", gate, title, at[node, output], op)
    for (node, output), name in states.items():
        yield Track("state", name, _STATES.get(name, "state"), at[node, output])
    for node, output in template.given:
        if (node, output) not in states:
            yield Track("output", template.labels.get((node, output), "output"), "output", at[node, output])


def _is_over_time(tensor: Tensor, slots: Slots, number: int) -> bool:
    """Say whether an input is a sequence: numbers, and no lengths or memory, which are the same tensor at every step."""
    read = slots.slots[slots.sources[number][tensor][0]].tensors.values()
    return tensor.dtype.kind in "fi" and (len(read) == 1 or len(set(read)) > 1)


def mask_of(row: Row, slots: Slots) -> dict[str, Any] | None:
    """Return the slot that says which rows of the batch are at an end at a step, and what it holds of those that are not.

    Such a step keeps the state of the step before, by a Where.
    """
    for number, template in enumerate(row.templates):
        for at, _ in template.handed:
            node = template.nodes[at]
            if node.op.name != "Where" or node.inputs[0] is None:
                continue
            condition, new, old = node.inputs
            kinds = [template.sources[t].kind if t in template.sources else "" for t in (new, old)]
            kept = [kind in ("state", "zero", "first") for kind in kinds]
            slot = _slot_of(condition, template, slots, number)
            if kept[0] != kept[1] and slot is not None:
                return {"slot": slot, "active": kept[1]}
    return None


def _slot_of(tensor: Tensor | None, template: Template, slots: Slots, number: int) -> int | None:
    if tensor in slots.sources[number]:
        return slots.sources[number][tensor][0]
    place = {node: at for at, node in enumerate(template.nodes)}
    if tensor is None or tensor.node not in place:
        return None
    return slots.outputs[number][place[tensor.node], tensor.index]


def told(track: Track, array: Array) -> dict[str, Any]:
    """Return what is said of a track: its range, and for each row of the batch its mean and how much of it is saturated.

    Args:
        track: the track.
        array: its values, ``(batch, steps, elements)``.
    """
    bounds = BOUNDS.get(track.activation)
    wide = np.asarray(array, np.float64)
    finite = np.isfinite(wide)
    kept = wide[finite]
    low, high = (float(kept.min()), float(kept.max())) if kept.size else (0.0, 0.0)
    with np.errstate(all="ignore"):
        count = finite.sum(axis=(1, 2))
        mean = np.where(finite, wide, 0).sum(axis=(1, 2)) / np.maximum(count, 1)
    near = saturated(wide, track.activation)
    shares = None if near is None else near.mean(axis=(1, 2)).tolist()
    if bounds is not None:
        scale: tuple[float, float] = bounds
    elif track.kind in ("input", "difference") and low >= 0:
        scale = (0.0, high)
    else:
        end = float(np.percentile(np.abs(kept), _PERCENTILE)) if kept.size else 1.0
        scale = (-end, end)
    outside = float((np.abs(kept) > scale[1]).mean()) if kept.size and bounds is None else 0.0
    clips = outside > 0 and max(high, -low) > _CLIPPED * scale[1]
    clipped = {"clipped": f"{scale[1]:.2g}", "outside": percent(outside)} if clips else {}
    return clipped | {
        "lo": low,
        "hi": high,
        "mean": mean.tolist(),
        "saturated": shares,
        "percent": None if shares is None else [percent(share) for share in shares],
        "scale": scale,
        "odd": int(finite.size - finite.sum()),
        "most": shown_number(high),
    }
