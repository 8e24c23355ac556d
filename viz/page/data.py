"""Everything that the page shows, as JSON and as numbers: laid out once a template, whatever T is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from unroll.dimensions import Shape
from unroll.display import placed
from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.tensor import Node
from unroll.viz.gates import Gates
from unroll.viz.page.activations import sign_of
from unroll.viz.page.attention import find_attention
from unroll.viz.page.cell_boxes import CellBox, cell_boxes
from unroll.viz.page.expected import Over, differences, order_that_fits, over_steps
from unroll.viz.page.gate_outputs import find_gates
from unroll.viz.page.inner_loops import InnerLoop, inner_loops, shown_flat
from unroll.viz.page.kernels import gate_weights, parameter_data
from unroll.viz.page.opened_cells import OpenedCell
from unroll.viz.page.operands import OperandFormulas
from unroll.viz.page.operator_names import operator_names
from unroll.viz.page.planes import Planes
from unroll.viz.page.row_gates import RowGates
from unroll.viz.page.rows import Row
from unroll.viz.page.sentence import outside, sentence
from unroll.viz.page.slots import Slot, Slots
from unroll.viz.page.steps import Loops
from unroll.viz.page.tracks import Track, mask_of, told, tracks_of
from unroll.viz.page.values import Run, pack, run_of
from unroll.viz.pipeline import Pipeline, cell_title
from unroll.viz.scan_bodies import scan_bodies
from unroll.viz.values import number as shown_number

FORMAT = 1
# Of a loop whose steps all differ, so many have their operators in the page.
_MOST_TEMPLATES = 48
# Outputs that are nearer than this to what is expected are not asked for another order of gates.
_CLOSE = 1e-5


class Shown(NamedTuple):
    """A track with its numbers.

    Attributes:
        track: the track.
        color: which colour its gate has, if any.
        shape: that of the tensor at one step.
        steps: the steps that have it.
        array: its values, ``(batch or 1, steps, elements)``; None where there are none.
    """

    track: Track
    color: int | None
    shape: Shape
    steps: list[int]
    array: Array | None


class PageData:
    """A graph made ready for the page.

    Args:
        graph: the graph.
        feeds: an array for every input, or None.
        title: what the page is called.
        expected: arrays by the names of outputs, or None.
        within: it is the body of a Scan, one step for all.

    Attributes:
        planes: the numbers.

    Raises:
        FeedError, ShapeError, DTypeError: the feeds do not fit the inputs.
    """

    def __init__(
        self,
        graph: Graph,
        feeds: Mapping[Any, Any] | None,
        title: str,
        expected: Mapping[str, Any] | None = None,
        within: bool = False,
    ) -> None:
        self._title = title
        whole = placed(graph)
        self._inner = [] if within else inner_loops(whole)
        # By name: a graph whose loops are written out has inputs of its own.
        arrays = whole.check_feeds(feeds) if self._inner and feeds is not None else feeds
        self.graph = shown_flat(whole, self._inner, arrays) if self._inner else whole
        self._loops = Loops(self.graph)
        if not self._loops.rows and self.graph is not whole:
            self.graph, self._loops = whole, Loops(whole)
        outer = self._loops if self.graph is whole else Loops(whole)
        self._pipeline = Pipeline(outer.contraction)
        if within or not self._loops.rows:
            self._rows = [self._loops.whole()]
        else:
            self._rows = [*self._loops.rows, outer.around(outside(self._pipeline))]
        self._whole = whole
        self._gates = Gates(self.graph, self._loops.contraction.natives.values())
        self._row_gates = RowGates(self._gates, self.graph is not whole)
        self._formulas = OperandFormulas()
        held = dict.fromkeys([*self.graph.parameters.values(), *whole.parameters.values()])
        self._parameters = {item: at for at, item in enumerate(held)}
        self._boxes = [self._boxed(row) for row in self._rows]
        self._slots: list[Slots] = []
        for row in self._rows:
            batch = self._slots[0].batch if row.around else None
            self._slots.append(Slots(row, row.graph.shape, batch))
        self._tracks = [
            tracks_of(row, slots, self._row_gates.names(row))
            for row, slots in zip(self._rows, self._slots, strict=True)
        ]
        self._cells = self._opened_cells()
        self._attention = {found.row: found for found in find_attention(self._loops, self._rows, self._slots)}
        self.planes = Planes()
        self._run: Run | None = None
        if arrays is not None:
            needed = [self._needed(number) for number in range(len(self._rows))]
            self._run = run_of(arrays, self._rows, self._slots, needed)
        self._compared = [] if expected is None else differences(self.graph, arrays, expected)
        self._order = ""
        if expected is not None and arrays is not None and any(not one.largest <= _CLOSE for one in self._compared):
            self._order = order_that_fits(self.graph, arrays, expected)
        if self._run is not None:
            for over in over_steps(self._compared, self._rows, self._slots):
                self._add_difference(self._run, over)
            pack(self._run, self.planes)

    def json(self) -> dict[str, Any]:
        """Return what the page is told, without the numbers."""
        short = self._run is not None and self._run.kept.short
        bodies = list(self._bodies())  # which may read weights of their own
        parameters = [parameter_data(item, self.planes, short) for item in self._parameters]
        return {
            "format": FORMAT,
            "title": self._title,
            "operators": len(self._whole.nodes),
            "size": sum(int(item.value.size) for item in self._whole.parameters.values()),
            "loops": [self._loop(item) for item in self._inner],
            "flat": self.graph is not self._whole,
            "parameters": parameters,
            "sentence": self._sentence(),
            "rows": [*(self._row(number, row) for number, row in enumerate(self._rows)), *bodies],
            "values": None if self._run is None else vars(self._run.kept),
            "expected": self._expected(),
        }

    def _loop(self, item: InnerLoop) -> dict[str, Any]:
        """Return what is said of an operator that holds a loop."""
        units = None if item.units is None else str(item.units)
        return {"op": item.node.op.name, "steps": str(item.steps), "units": units}

    def _sentence(self) -> list[dict[str, Any]]:
        looped: dict[tuple[str, int], int] = {}
        for number, row in enumerate(self._rows):
            if row.path:
                looped.setdefault((row.path, row.phase), number)
        inner: dict[Node, int] = {}
        if self.graph is not self._whole and sum(item.directions for item in self._inner) == len(looped):
            begins = itertools.accumulate((item.directions for item in self._inner), initial=0)
            inner = {item.node: at for item, at in zip(self._inner, begins, strict=False)}
        alone = next((row for row in self._rows if not row.path), None)
        place = {} if alone is None else {node: at for at, node in enumerate(alone.templates[0].nodes)}
        parts = sentence(self._pipeline, looped, inner, place)
        for part in parts:
            called = max((row.call for row in self._rows if row.path and row.path == self._path_of(part)), default=0)
            if called:
                part["note"] += ", called twice" if called == 2 else f", called {called} times"
        return parts

    def _path_of(self, part: Mapping[str, Any]) -> str | None:
        return self._rows[part["row"]].path if part["kind"] == "loop" else None

    def _bodies(self) -> Iterator[dict[str, Any]]:
        """Yield what the Scans of the graph do at each step, as rows of their own."""
        for node, body in scan_bodies(self.graph).items():
            inner = PageData(body.graph, None, "", within=True)
            for item in inner._parameters:
                self._parameters.setdefault(item, len(self._parameters))
            inner._parameters = self._parameters
            inner._cells = inner._opened_cells()
            yield inner._row(0, inner._rows[0]) | {"body": self.graph.name(node)}

    def _expected(self) -> dict[str, str] | None:
        """Return the largest difference from what was expected, and of which output it is."""
        if not self._compared:
            return None
        worst = max(self._compared, key=lambda one: np.inf if np.isnan(one.largest) else one.largest)
        return {"largest": shown_number(worst.largest), "output": worst.name, "order": self._order}

    def _add_difference(self, run: Run, over: Over) -> None:
        """Add differences as one more track of their loop."""
        slots = self._slots[over.row].slots
        slots.append(Slot(batched=True, tensors=over.steps, size=over.array.shape[-1]))
        key = (over.row, len(slots) - 1)
        run.arrays[key] = over.array
        run.needed.add(key)
        steps = list(self._rows[over.row].steps)
        if len(over.steps) < len(steps):
            run.steps[key] = [step - steps[0] for step in over.steps]
        self._tracks[over.row].append(Track("difference", "|\u0394|", "from expected", key[1]))

    def rows(self) -> Iterator[tuple[Row, list[Shown], Shown | None]]:
        """Yield each loop with its tracks, in order, and the one that says at which steps a row of the batch is at its end."""
        for number, row in enumerate(self._rows):
            steps = list(row.steps)

            def shown(track: Track, color: int | None = None, number: int = number, steps: list[int] = steps) -> Shown:
                slot = self._slots[number].slots[track.slot]
                whole = slot if slot.within is None else self._slots[number].slots[slot.within[0]]
                array = self._array(number, track.slot)
                shape = self._rows[number].graph.shape(next(iter(slot.tensors.values()))) if slot.tensors else ()
                return Shown(track, color, shape, list(whole.tensors or steps), array)

            tracks = [
                shown(track, self._row_gates.color(row, track.name) if track.kind == "gate" else None)
                for track in self._tracks[number]
            ]
            mask = mask_of(row, self._slots[number])
            ended = (
                None
                if mask is None
                else shown(Track("input", "active" if mask["active"] else "ended", "", mask["slot"]))
            )
            yield row, tracks, ended

    def _boxed(self, row: Row) -> list[list[CellBox]]:
        """Return the boxes of each template of a row, and note the gates among what they make."""
        names, found = self._row_gates.names(row), []
        for template in row.templates:
            boxes = cell_boxes(template, names, self._gates)
            find_gates(template, boxes, self._gates, names)
            found.append(boxes)
        return found

    def _opened_cells(self) -> list[list[dict[str, Any]]]:
        return [
            [self._opened(row, number, slots, boxes) for number, boxes in enumerate(all_boxes)]
            for row, slots, all_boxes in zip(self._rows, self._slots, self._boxes, strict=True)
        ]

    def _opened(self, row: Row, number: int, slots: Slots, boxes: Sequence[CellBox]) -> dict[str, Any]:
        if number >= _MOST_TEMPLATES:
            return {"w": 0, "h": 0} | {part: [] for part in ("ops", "sources", "boxes", "ports", "wires")}
        cell = OpenedCell(
            row.graph, row, number, slots, boxes, self._formulas, self._parameters,
            lambda gate: self._row_gates.color(row, gate), self._gates,
        )  # fmt: skip
        return cell.data()

    def _needed(self, number: int) -> set[int]:
        """Return the slots of a row that are shown first: its tracks, and what the formulas of its boxes read."""
        found = {track.slot for track in self._tracks[number]}
        mask = mask_of(self._rows[number], self._slots[number])
        found |= {mask["slot"]} if mask is not None else set()
        found |= {self._attention[number].slot} if number in self._attention else set()
        for template in self._cells[number]:
            for box in (part for whole in template["boxes"] for part in whole.get("parts", (whole,))):
                if box["kind"] in ("gate", "named"):
                    found |= {slot for piece in box.get("formula", ()) if (slot := _slot(template, piece)) is not None}
        slots = self._slots[number].slots
        found |= {part for at in found for part in slots[at].parts or ()}
        whole = {slots[at].within[0] for at in found if slots[at].within is not None}  # type: ignore[index]
        return found | whole

    def _row(self, number: int, row: Row) -> dict[str, Any]:
        slots = self._slots[number].slots
        steps = list(row.steps)
        weights = dict.fromkeys(
            weight for template in row.templates for source in template.sources.values() for weight in source.weights
        )
        kinds = ("state", "gate", "output")
        made = next((t for kind in kinds for t in self._tracks[number] if t.kind == kind), None)
        attention = self._attention.get(number)
        units = 0 if made is None else self._units(number, made)
        return {
            "path": row.path,
            "cell": row.path.rpartition("/")[2],
            "title": cell_title(row.path),
            "call": row.call,
            "scope": row.path.rpartition("/")[0],
            "phase": row.phase,
            "backward": row.backward,
            "reads": [
                at for at, other in enumerate(self._rows) if other.path in row.reads and other.phase == row.phase
            ],
            "units": units,
            "first": steps[0],
            "steps": len(steps),
            "states": list(row.states),
            "left_out": row.left_out,
            "around": row.around,
            "runs": [list(run) for run in row.runs],
            "templates": [
                cell | {"names": operator_names(row, at) if cell["ops"] else []}
                for at, cell in enumerate(self._cells[number])
            ],
            "gates": self._row_gates.told(row),
            "weights": [self._parameters[item] for item in weights],
            "mask": mask_of(row, self._slots[number]),
            "attention": attention and {"to": attention.to, "slot": attention.slot, "past": attention.past},
            "tracks": [self._track(number, track) for track in self._tracks[number]],
            "slots": [self._slot(number, at) for at in range(len(slots))],
        }

    def _units(self, number: int, track: Track) -> int:
        tensor = next(iter(self._slots[number].slots[track.slot].tensors.values()))
        last = self._rows[number].graph.shape(tensor)[-1:] or (1,)
        return last[0] if isinstance(last[0], int) else 0

    def _track(self, number: int, track: Track) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": track.kind, "name": track.name, "title": track.title, "slot": track.slot}
        if track.kind == "gate":
            found |= {
                "activation": sign_of(track.activation),
                "color": self._row_gates.color(self._rows[number], track.name),
            }
            names = [track.name, *self._row_gates.also(self._rows[number], track.name)]
            found |= gate_weights(self._rows[number], names)
        array = None if self._run is None else self._array(number, track.slot)
        if array is not None and self._run is not None:
            found |= told(track, array[: self._run.kept.rows])
        return found

    def _array(self, number: int, at: int) -> Any:
        """Return the values of a slot, cut from those that it is a piece of or joined of; None where the page has none."""
        if self._run is None:
            return None
        slot = self._slots[number].slots[at]
        if slot.parts is not None:
            parts = [self._array(number, part) for part in slot.parts]
            held = [part for part in parts if part is not None]
            batch = max((len(part) for part in held), default=0)
            alike = [np.broadcast_to(part, (batch, *part.shape[1:])) for part in held]
            return np.concatenate(alike, axis=-1) if len(held) == len(parts) else None
        if slot.within is None:
            return self._run.arrays.get((number, at))
        whole = self._run.arrays.get((number, slot.within[0]))
        return None if whole is None else whole[..., slot.within[1] : slot.within[1] + slot.width]

    def _slot(self, number: int, at: int) -> dict[str, Any] | None:
        slot = self._slots[number].slots[at]
        if self._run is None or not slot.tensors:
            return None
        if slot.within is not None:
            return {"within": slot.within[0], "from": slot.within[1], "n": slot.width}
        if slot.parts is not None:
            return {"parts": slot.parts}
        return self._run.data.get((number, at))


def _slot(template: Mapping[str, Any], piece: Any) -> int | None:
    if isinstance(piece, str) or not piece:
        return None
    if piece[0] == "v":
        return int(piece[1])
    if piece[0] == "n":
        found: int | None = template["ops"][piece[1]]["slots"][piece[2]]
        return found
    return template["sources"][piece[1]].get("slot") if piece[0] == "s" else None
