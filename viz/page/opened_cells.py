"""What the page is told of an opened cell: its boxes with their places, its wires, its operators and its formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from unroll.dimensions import shape_text
from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.dot_text import SIGMA, text_width, visible
from unroll.viz.gates import Gates
from unroll.viz.page.activations import sign_of
from unroll.viz.page.cell_boxes import CellBox
from unroll.viz.page.cell_layout import Joint, Key, Place, Size, lay_out
from unroll.viz.page.colours import colour_of
from unroll.viz.page.operands import OperandFormulas, Piece
from unroll.viz.page.rows import MOST_BESIDE, Row, Source
from unroll.viz.page.slots import Slots
from unroll.viz.values import inline

#: Where something of an opened cell comes from: an operator's output, a source, a weight, or a constant's text.
Reference: TypeAlias = "list[Any] | None"

_KERNEL_WIDTH, _STRIP = 112.0, 98.0
_KERNEL_HEIGHTS = (132.0, 92.0, 64.0)
# A gate's box, and what is between two of one box.
_HIGH, _BETWEEN = 36.0, 8.0
# A cell that is wider than this is laid out anew, with names in its boxes and no formulas: the side has those.
_WIDEST = 1150.0
_TEXT, _SMALL = 12.0, 10.5
_LONGEST_ATTRIBUTE = 60
#: How long a label of the cell is; the page's script cuts it there, too.
LONGEST_LABEL = 24


class OpenedCell:
    """One template, made ready for the page.

    Args:
        graph: the graph.
        row: the loop.
        number: which of its templates.
        slots: its tensors.
        boxes: its boxes.
        formulas: writes formulas.
        parameters: the number of each Parameter of the graph.
        color: the number of a gate's colours.
        gates: the gates of the graph.
    """

    def __init__(
        self,
        graph: Graph,
        row: Row,
        number: int,
        slots: Slots,
        boxes: Sequence[CellBox],
        formulas: OperandFormulas,
        parameters: Mapping[Parameter, int],
        color: Callable[[str], int | None],
        gates: Gates,
    ) -> None:
        self._graph, self._row, self._color, self._gates = graph, row, color, gates
        self._template = row.templates[number]
        self._slots, self._number = slots, number
        self._parameters = parameters
        self._boxes = boxes
        self._place = {node: at for at, node in enumerate(self._template.nodes)}
        self._sources = list(self._template.sources.values())
        self._source_at = {source.tensor: at for at, source in enumerate(self._sources)}
        self._box_of = {at: place for place, box in enumerate(boxes) for at in box.nodes}
        nodes, labels = self._template.nodes, self._template.labels
        known = {*self._template.sources, *(nodes[at].outputs[output] for at, output in labels)}
        self._pieces = {at: formulas.of(node, known) for at, node in enumerate(nodes)}
        self._kernels = sum(box.kind == "kernel" for box in boxes)
        self._joint = {place: self._joint_gates(box) for place, box in enumerate(boxes) if box.kind == "gates"}
        self._narrow = False

    def data(self) -> dict[str, Any]:
        """Return the template as the page has it."""
        if self._row.around:
            return self._listed()
        sizes, first, last, ports = self._sizes()
        joints, wires = self._wires(ports)
        found = lay_out(sizes, joints, first, last)
        if found.width > _WIDEST:
            self._narrow = True
            sizes, first, last, ports = self._sizes()
            found = lay_out(sizes, joints, first, last)
        return {
            "w": _rounded(found.width),
            "h": _rounded(found.height),
            "narrow": self._narrow,
            "ops": [self._operator(at, node) for at, node in enumerate(self._template.nodes)],
            "sources": [self._source(at, source, found.places) for at, source in enumerate(self._sources)],
            "boxes": [self._box(place, box, found.places["box", place]) for place, box in enumerate(self._boxes)],
            "ports": [port | _corners(found.places["port", place]) for place, port in enumerate(ports)],
            "wires": [wire | {"d": _path(points)} for wire, points in zip(wires, found.wires, strict=True)],
        }

    def _listed(self) -> dict[str, Any]:
        """Return operators that are opened one by one, and stand nowhere."""
        return {
            "w": 0,
            "h": 0,
            "ops": [self._operator(at, node) for at, node in enumerate(self._template.nodes)],
            "sources": [self._source(at, source, {}) for at, source in enumerate(self._sources)],
        } | {part: [] for part in ("boxes", "ports", "wires")}

    def _sizes(self) -> tuple[dict[Key, Size], list[Key], list[Key], list[dict[str, Any]]]:
        """Return how large everything is, what stands at the left edge and at the right one, and what leaves the cell."""
        sizes: dict[Key, Size] = {}
        read = [at for at, source in enumerate(self._sources) if source.kind != "weight"]
        first: list[Key] = [("source", at) for at in sorted(read, key=lambda at: self._rank(self._sources[at]))]
        sizes |= {key: Size(_STRIP, 31) for key in first}
        for at, source in enumerate(self._sources):
            if source.kind == "weight" and self._is_apart(source):
                sizes["source", at] = Size(text_width(source.name, _SMALL) + 18, 22)
        for place, box in enumerate(self._boxes):
            sizes["box", place] = self._size(box)
        ports = self._ports()
        last: list[Key] = [("port", place) for place in range(len(ports))]
        sizes |= {key: Size(_port_width(port), 24) for key, port in zip(last, ports, strict=True)}
        return sizes, first, last, ports

    def _joint_gates(self, box: CellBox) -> list[dict[str, Any]]:
        """Return the gates that are pieces of one function of several gates: what makes each is that function of a piece."""
        found: list[dict[str, Any]] = []
        nodes, slots = self._template.nodes, self._slots.outputs[self._number]
        function, split = (nodes[number] for number in box.nodes)
        before = function.inputs[0]
        held = self._place.get(before.node) if before is not None and before.node is not None else None
        begin = 0
        for output, gate in enumerate(box.parts):
            size = split.outputs[output].shape[-1]
            line: dict[str, Any] = {"kind": "gate", "label": gate, "gate": gate, "color": self._color(gate)}
            line["slot"] = slots[box.last, output]
            if held is not None and before is not None and isinstance(size, int) and begin >= 0:
                piece = self._slots.cut(slots[held, before.index], begin, size)
                line["formula"] = [f"{sign_of(function.op.name)}(", ["v", piece, f"z_{gate}"], ")"]
            begin = begin + size if isinstance(size, int) else -1
            found.append(line)
        return found

    def _is_apart(self, source: Source) -> bool:
        """Say whether a weight is read by something else than a kernel's box."""
        return any(
            source.tensor in self._template.nodes[at].inputs
            for box in self._boxes
            if box.kind != "kernel"
            for at in box.nodes
        )

    def _rank(self, source: Source) -> tuple[int, int]:
        states = self._row.states
        return (0, states.index(source.name)) if source.name in states and source.kind != "input" else (1, 0)

    def _size(self, box: CellBox) -> Size:
        if box.kind == "kernel":
            return Size(84.0 if self._narrow else _KERNEL_WIDTH, _KERNEL_HEIGHTS[min(self._kernels, 3) - 1])
        if box.kind == "gates":
            count = len(box.parts)
            wide = max(text_width(f"{gate} = {SIGMA}(z_{gate})", _TEXT) for gate in box.parts)
            return Size(78.0 if self._narrow else max(112.0, wide + 52), count * _HIGH + (count - 1) * _BETWEEN)
        text = self._text(box)
        if box.kind == "sign":
            return Size(24, 24)
        if box.kind == "op":
            return Size(max(34.0, text_width(text, _TEXT, True) + 20), 26)
        return Size(max(78.0 if self._narrow else 112.0, text_width(text, _TEXT, self._narrow) + 56), _HIGH)

    def _text(self, box: CellBox) -> str:
        """Return about what stands in a box, to know how wide it is."""
        pieces = self._pieces[box.last]
        formula = "".join(piece if isinstance(piece, str) else self._shown(piece) for piece in pieces)
        if box.kind in ("gate", "named"):
            label = visible(box.label, LONGEST_LABEL)
            return f"{label} = {formula}" if formula and not self._narrow else label
        return formula if box.kind == "op" and self._says_more(box) else box.label

    def _says_more(self, box: CellBox) -> bool:
        """Say whether an operator is better shown by its formula: it joins, or has a constant beside its operand."""
        node = self._template.nodes[box.last]
        if node.op.name == "Concat":
            return bool(self._pieces[box.last])
        beside = [tensor for tensor in node.inputs if isinstance(tensor, Constant)]
        return bool(self._pieces[box.last]) and len(node.inputs) == 2 and bool(beside)

    def _shown(self, tensor: Tensor) -> str:
        if tensor in self._source_at:
            source = self._sources[self._source_at[tensor]]
            return f"{source.name}[{max(self._row.steps)}]" if source.kind == "state" else source.name
        return self._label(tensor)

    def _label(self, tensor: Tensor) -> str:
        at = self._place.get(tensor.node) if tensor.node is not None else None
        known = self._template.labels.get((at, tensor.index), "") if at is not None else ""
        return known or tensor.label.rpartition("/")[2]

    def _ports(self) -> list[dict[str, Any]]:
        """Return what leaves the cell: the states that it hands on, then what others read, a state once for both."""
        handed = dict(self._template.handed)
        order = {name: at for at, name in enumerate(self._row.states)}
        found: list[dict[str, Any]] = [
            {"kind": "handed", "name": name, "of": ["n", *at], "given": at in self._template.given}
            for at, name in sorted(handed.items(), key=lambda item: order.get(item[1], len(order)))
        ]
        outputs = [at for at in self._template.given if at not in handed]
        for node, output in outputs:
            tensor = self._template.nodes[node].outputs[output]
            found.append({"kind": "output", "name": self._label(tensor), "of": ["n", node, output], "given": True})
        return found

    def _wires(self, ports: Sequence[Mapping[str, Any]]) -> tuple[list[Joint], list[dict[str, Any]]]:
        joints: dict[tuple[Key, Key, tuple[int, int]], dict[str, Any]] = {}
        for place, box in enumerate(self._boxes):
            for at in box.nodes:
                for tensor in self._template.nodes[at].inputs:
                    start = self._start(tensor, ("box", place), box)
                    if start is not None:
                        look = self._look(tensor, box) | {"of": self._reference(tensor)}
                        joints.setdefault((start[0], ("box", place), start[1]), look)
        for place, port in enumerate(ports):
            _, node, output = port["of"]
            tensor = self._template.nodes[node].outputs[output]
            start = self._start(tensor, ("port", place), None)
            if start is not None:
                joints[start[0], ("port", place), start[1]] = {"state": port["kind"] == "handed", "of": port["of"]}
        listed = [Joint(source, target, port) for source, target, port in joints]
        wires = [
            look | {"from": list(joint.source), "to": list(joint.target)}  # type: ignore[call-overload]
            for joint, look in zip(listed, joints.values(), strict=True)
        ]
        return listed, wires

    def _start(self, tensor: Tensor | None, target: Key, box: CellBox | None) -> tuple[Key, tuple[int, int]] | None:
        """Return where the wire of a tensor to a box begins; None where none is drawn."""
        if tensor is None or isinstance(tensor, Constant):
            return None
        if tensor in self._source_at:
            at = self._source_at[tensor]
            held = self._sources[at].kind == "weight" and box is not None and box.kind == "kernel"
            return None if held else (("source", at), (0, 1))
        if tensor.node not in self._place:
            return None
        place = self._box_of[self._place[tensor.node]]
        if ("box", place) == target:
            return None
        count = len(tensor.node.outputs)
        if self._boxes[place].kind == "gates":
            return ("box", place), (2 * tensor.index, 2 * count - 1)  # at the middle of its part
        return ("box", place), (tensor.index, count)

    def _look(self, tensor: Tensor | None, box: CellBox) -> dict[str, Any]:
        """Return how a wire into a box looks: that of a gate has its colour, one that brings a state another."""
        made = tensor.node if tensor is not None else None
        at = self._place.get(made) if made is not None else None
        before = self._boxes[self._box_of[at]] if at is not None else None
        if before is not None and before.kind == "kernel" and box.kind == "gate" and box.gate is not None:
            return {"gate": box.gate, "color": self._color(box.gate)}
        gate = self._template.gates.get((at, tensor.index)) if at is not None and tensor is not None else None
        if gate is not None and before is not None and before.kind in ("op", "gates"):
            return {"gate": gate, "color": self._color(gate)}
        source = self._sources[self._source_at[tensor]] if tensor in self._source_at else None
        return {"state": source is not None and source.kind in ("state", "zero", "first")}

    def _box(self, place: int, box: CellBox, at: Place) -> dict[str, Any]:
        node = self._template.nodes[box.last]
        formula = self._formula(box.last)
        found: dict[str, Any] = {"kind": box.kind, "nodes": box.nodes, "label": box.label} | _corners(at)
        if formula and (box.kind in ("gate", "named") or self._says_more(box)):
            found["formula"] = formula
        if box.gate is not None:
            found |= {"gate": box.gate, "color": self._color(box.gate)}
        if len(node.outputs) == 1:
            found["slot"] = self._slots.outputs[self._number][box.last, 0]
        if box.kind == "gates":
            high = [at.y + number * (_HIGH + _BETWEEN) for number in range(len(box.parts))]
            found["parts"] = [
                part | _corners(Place(at.x, y, at.width, _HIGH))
                for part, y in zip(self._joint[place], high, strict=True)
            ]
        elif box.kind == "op" and self._follows_a_kernel(node):
            colors = [colour_of(fill) for _, fill in self._gates.held(node)]
            if any(color is not None for color in colors):
                found["colors"] = colors
        if box.kind == "kernel":
            weights = [w for at in box.nodes for t in self._template.nodes[at].inputs if t in self._source_at
                       for w in self._sources[self._source_at[t]].weights]  # fmt: skip
            found["weights"] = [self._parameters[item] for item in dict.fromkeys(weights)]
        return found

    def _follows_a_kernel(self, node: Node) -> bool:
        """Say whether an operator reads what a product makes, which may be for several gates."""
        made = [
            self._place.get(tensor.node) for tensor in node.inputs if tensor is not None and tensor.node is not None
        ]
        return any(at is not None and self._boxes[self._box_of[at]].kind == "kernel" for at in made)

    def _formula(self, at: int) -> list[Any]:
        """Return a formula in pieces: text, or what stands there."""
        return [piece if isinstance(piece, str) else self._operand(piece) for piece in self._pieces[at]]

    def _operand(self, piece: Piece) -> Any:
        return [*(self._reference(piece) or [])] if isinstance(piece, Tensor) else piece

    def _reference(self, tensor: Tensor | None) -> Reference:
        if tensor is None:
            return None
        if tensor in self._source_at:
            return ["s", self._source_at[tensor]]
        if isinstance(tensor, Constant):
            return ["c", inline(tensor)]
        if tensor.node in self._place:
            return ["n", self._place[tensor.node], tensor.index]
        return ["c", tensor.label]

    def _source(self, at: int, source: Source, places: Mapping[Key, Place]) -> dict[str, Any]:
        found: dict[str, Any] = {
            "kind": source.kind,
            "name": source.name,
            "shape": shape_text(self._graph.shape(source.tensor)),
            "dtype": str(source.tensor.dtype),
        }
        slot = self._slots.sources[self._number].get(source.tensor)
        if slot is not None:
            found |= {"slot": slot[0], "back": slot[1]}
        if source.kind == "weight":
            found["weights"] = [self._parameters[item] for item in source.weights]
        if ("source", at) in places:
            found |= _corners(places["source", at])
        if source.made:
            found["from"] = source.made
        return found

    def _operator(self, at: int, node: Node) -> dict[str, Any]:
        most = MOST_BESIDE if self._row.around else len(node.inputs) + len(node.outputs)
        outputs, more = node.outputs[:most], max(0, len(node.outputs) - most)
        found: dict[str, Any] = {
            "op": node.op.name,
            "shapes": [shape_text(self._graph.shape(tensor)) for tensor in outputs],
            "dtype": str(node.outputs[0].dtype),
            "in": [self._reference(tensor) for tensor in node.inputs[:most]],
            "box": self._box_of[at],
            "labels": [self._template.labels.get((at, output), "") for output in range(len(outputs))],
            "slots": [self._slots.outputs[self._number][at, output] for output in range(len(outputs))],
        }
        if more:
            found["more"] = more
        if len(node.inputs) > most:
            found["in"].append(["c", f"{len(node.inputs) - most:,} more"])
        attributes = {name: _cut(value) for name, value in node.op.attributes.items()}
        if attributes:
            found["attributes"] = attributes
        formula = self._formula(at)
        if formula:
            found["formula"] = formula
        gate = self._boxes[self._box_of[at]].gate
        if gate is not None:
            found["gate"] = gate
        return found


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_ATTRIBUTE else f"{text[:_LONGEST_ATTRIBUTE]}…"


def _port_width(port: Mapping[str, Any]) -> float:
    words = "output" if port["kind"] == "output" else "to t = 0000" + (", output" if port["given"] else "")
    return text_width(visible(port["name"], LONGEST_LABEL), _TEXT, True) + text_width(words, _SMALL) + 10


def _rounded(number: float) -> float:
    return round(number, 1)


def _corners(place: Place) -> dict[str, float]:
    return dict(zip("xywh", map(_rounded, place), strict=True))


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Return a wire as an SVG path: level where it leaves and enters, in smooth curves between."""
    x, y = points[0]
    text = f"M{_rounded(x):g} {_rounded(y):g}"
    for nx, ny in points[1:]:
        if abs(ny - y) < 0.5:
            text += f"H{_rounded(nx):g}"
        else:
            bend = min(40.0, (nx - x) / 2)
            middle = (x + nx) / 2
            text += f"H{_rounded(middle - bend):g}" if middle - bend > x + 1 else ""
            text += f"C{_rounded(middle):g} {_rounded(y):g} {_rounded(middle):g} {_rounded(ny):g}"
            text += f" {_rounded(middle + bend):g} {_rounded(ny):g}"
            text += f"H{_rounded(nx):g}" if middle + bend < nx - 1 else ""
        x, y = nx, ny
    return text
