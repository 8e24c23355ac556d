"""What stands inside each box: an HTML-like label and the size it needs."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from unroll.graph import Graph
from unroll.tensor import Constant, Node, Tensor
from unroll.viz import palette
from unroll.viz.cell_widths import gate_columns, units_text
from unroll.viz.contraction import Contraction
from unroll.viz.dot_text import TIMES, cell, escaped, font, table, text_width, visible
from unroll.viz.gates import Gates, Mark
from unroll.viz.node_formulas import SEVERAL, Formulas, in_two
from unroll.viz.settings import WIDEST, op_detail, rest, wrapped
from unroll.viz.shapes import shape_text
from unroll.viz.states import EARLIER
from unroll.viz.tensor_names import short_names
from unroll.viz.units import Unit
from unroll.viz.values import Values, value_lines
from unroll.viz.weight_names import cell_titles, without_port

_NONLINEAR = ("Tanh", "Sigmoid", "Relu", "Elu", "LeakyRelu", "HardSigmoid", "Softplus", "Softsign", "Softmax", "Clip")
_PRODUCTS = ("MatMul", "Gemm")
# What is done only so that others can compute, and is said of a layer that does nothing else.
_MOVING = ("Reshape", "Squeeze", "Transpose", "Unsqueeze")
_TITLE, _TEXT, _SMALL, _CHIP = 12, 10, 9, 10
# How much of the name of an input or output is shown.
_LONGEST_NAME = 24
# Graphviz sets text a little above the middle of its line.
_DOWN = 4


class Line(NamedTuple):
    """A line of text in a box."""

    text: str
    size: float = _TEXT
    color: str = palette.INK
    bold: bool = False


class Box(NamedTuple):
    """The content of a box and the room it takes, in points."""

    label: str
    width: float
    height: float


def text_box(lines: Sequence[Line], pad: float = 8) -> Box:
    """Return lines of text under one another."""
    rows = [
        cell("", height=_DOWN),
        *map(_text_cell, lines),
    ]
    width = max((text_width(line.text, line.size, line.bold) for line in lines), default=0)
    return Box(table(rows), width + 2 * pad, sum(line.size * 1.4 for line in lines) + pad + _DOWN)


def chips(marks: Sequence[Mark]) -> Box:
    """Return small coloured fields side by side, such as the gates of a cell."""
    fields = [
        cell(
            font(escaped(text), _CHIP),
            bgcolor=color or "#FFFFFF",
            width=18,
            height=17,
            color=palette.CELL_LINE,
            border=1,
        )
        for text, color in marks
    ]
    width = sum(max(18, text_width(text, _CHIP)) + 5 for text, _ in marks)
    return Box(table(["".join(fields)], cellspacing=3), width, 25)


def under_one_another(*boxes: Box) -> Box:
    """Return boxes as one, from top to bottom."""
    rows = [cell(box.label) for box in boxes]
    return Box(table(rows), max(box.width for box in boxes), sum(box.height for box in boxes))


class Boxes:
    """Makes the boxes of one picture.

    Args:
        contraction: the units.
        values: numbers to print.
        timed: tell at which step an output is made.
    """

    def __init__(self, contraction: Contraction, values: Values, timed: bool = True) -> None:
        self._graph: Graph = contraction.graph
        self._values = values
        self._timed = timed
        self._opened = contraction.opened
        self._unrolled = contraction.unrolled
        self._title = contraction.title
        self._given = contraction.folding.given if contraction.folding is not None else {}
        cells = dict.fromkeys(unit.cell for unit in contraction.units if unit.cell is not None)
        self._titles = cell_titles(short_names(cells))
        self._columns = gate_columns(contraction)
        self.gates = Gates(contraction.graph, contraction.natives.values())
        self._states = contraction.states
        self._joint = contraction.joint
        into_loops = Counter(wire.source for wire in contraction.wires if wire.target.kind == "loop")
        #: What a loop begins with as more than one of its states.
        self._of_several = {unit for unit, count in into_loops.items() if count > 1}
        self._copies = contraction.copies
        # What a closed cell or layer holds has no names to read.
        closed = (unit.nodes for unit in contraction.units if self._opened and (unit.is_closed or unit.name))
        self._formulas = Formulas(contraction.states.tensors, never={node for nodes in closed for node in nodes})
        self._short_outputs = short_names(self._graph.output_names)

    def title(self, path: str, nodes: Collection[Node] = ()) -> str:
        """Return the name of a cell, or of another scope, in the picture; of a joint cell, of what some nodes of it are."""
        return self._joint.title(path, nodes) or self._titles.get(path, path.rpartition("/")[2])

    def box(self, unit: Unit) -> Box:
        """Return what stands in a unit's box."""
        if unit.kind == "cell":
            return self._cell(unit)
        if unit.kind == "op":
            if unit.name:
                return self._layer(unit)
            return self._operator(unit.nodes) if self._opened else self._op(unit.nodes[0])
        if unit.kind == "zero":
            if self._opened and unit.tensor is not None:  # else it stands for all states of a closed cell
                shape = shape_text(self._graph.shape(unit.tensor))
                named = unit.tensor.hint is not None and unit.tensor.node is not None and unit not in self._of_several
                name = self._states.called(unit.tensor) if named else ""
                shape = f"{name} {shape}" if name not in ("", "state") else shape
                return text_box([Line("0", 11, palette.INK, True), Line(shape, 8, palette.MUTED)], 5)
            return Box(table([cell("", height=2), cell(font("0", 11, palette.INK, True))]), 24, 24)
        if unit.tensor is None:  # the gap that stands for steps left out
            return text_box([Line(unit.name, _TEXT, palette.MUTED)], 4)
        return self._tensor(unit, unit.tensor)

    def _tensor(self, unit: Unit, tensor: Tensor) -> Box:
        name, step = self._tensor_name(unit, tensor)
        lines = [Line(name, _TITLE, palette.INK, True)]
        if unit.kind in ("constant", "weight"):
            lines.append(Line(shape_text(self._graph.shape(tensor)), _SMALL, palette.MUTED))
        if isinstance(tensor, Constant):
            lines += [Line(text, _SMALL, palette.STATE) for text in value_lines(tensor.value)]
        else:
            lines += self._value_lines(tensor)
        box = text_box(lines, 7)
        if not step:
            return box
        plain = f"<B>{escaped(name)}</B>"
        indexed = f"{plain}{font(f'<SUB>{escaped(step)}</SUB>', _SMALL)}"
        return box._replace(label=box.label.replace(plain, indexed, 1), width=box.width + text_width(step, _SMALL))

    def _tensor_name(self, unit: Unit, tensor: Tensor) -> tuple[str, str]:
        """Return the name of a tensor and the timestep to set as its index: ``h`` and ``1`` for ``rnn/t1/cell/h``."""
        names, path = self._states.tensors, self._states.tensors.path(tensor)
        if self._timed and unit.kind == "output" and tensor.node is not None and _is_own_name(unit.name, path):
            tensor = self._copies.get(tensor, tensor)
            made, path = names.made_by(tensor), names.path(tensor)
            is_named = names.own(tensor) or self._states.makes(unit.cell or (made.cell if made else "") or "", tensor)
            *around, last = path.split("/")
            # What only its operator names is called after its layer: ``dense``, not ``Softmax``.
            operator = "" if tensor.node is None else tensor.node.op.name
            unnamed = around[-1] if around and operator and last.startswith(operator) else last
            # A number is a place in a nest of states, and no name.
            called = self._states.called(tensor) if is_named or unnamed.isdigit() else unnamed
            if called == "state" and last.isdigit() and around[-1:] == ["state"]:  # one of several of a nest
                called = f"state/{last}"
            return called, "" if made is None or made.step is None else str(made.step)
        if unit.kind == "constant":
            return unit.name or tensor.hint or "constant", ""
        name = unit.name or self._graph.name(tensor)
        if unit.kind == "weight":
            name = "/".join(name.split("/")[-2:])
        if len(name) > _LONGEST_NAME:
            name = self._short_outputs.get(name, name)
        if without_port(name) not in self._graph.names.by_name:
            name = without_port(name)
        if unit.kind == "input" and name.endswith(EARLIER):
            return visible(name.removesuffix(EARLIER), _LONGEST_NAME), EARLIER.strip("[]")
        return visible(name, _LONGEST_NAME), ""

    def _value_lines(self, tensor: Tensor, prefix: str = "") -> list[Line]:
        return [Line(text, _SMALL, palette.STATE) for text in self._values.lines(tensor, prefix)]

    def _op(self, node: Node) -> Box:
        lines = [Line(self._title(node), 11, palette.INK, True)]
        lines += [Line(text, _SMALL, palette.MUTED) for text in op_detail(node)]
        return text_box([*lines, *self._only_value(node)], 6)

    def _layer(self, unit: Unit) -> Box:
        """Return a layer with what it computes: its functions, or else its operators."""
        names = dict.fromkeys(node.op.name for node in unit.nodes)
        functions = [name.lower() for name in names if name in _NONLINEAR]
        width = unit.nodes[-1].outputs[0].shape[-1:] if any(name in _PRODUCTS for name in names) else ()
        said = [f"{width[0]} unit{'s' * (width[0] != 1)}"] if width else []
        said += functions or ([] if width else [name for name in names if name not in _MOVING] or list(names))
        told, shown = wrapped(said, 1)
        lines = [Line(unit.name.rpartition("/")[2], _TITLE, palette.INK, True)]
        lines += [Line(text, _SMALL, palette.MUTED) for text in [*told, *rest(len(said) - shown, "operator")]]
        return text_box([*lines, *self._only_value(unit.nodes[-1])], 6)

    def _only_value(self, node: Node) -> list[Line]:
        """Return the value of a node of one output; the value of one among several would look like that of all."""
        return self._value_lines(node.outputs[0]) if len(node.outputs) == 1 else []

    def _operator(self, nodes: Sequence[Node]) -> Box:
        """Return an operator, or several that one formula says, the last one first, with what is computed and its shape."""
        node = nodes[0]
        formulas = self._formulas if len(nodes) == 1 else Formulas(self._states.tensors, SEVERAL, nodes[1:], nodes)
        said, whole = formulas.of(node)
        told = in_two(said) if len(node.outputs) == 1 or not said else [said]
        names = dict.fromkeys(self._title(one) for one in (*reversed(nodes[1:]), node))
        lines = [Line(", ".join(names), 11, palette.INK, True), *(Line(part, _SMALL) for part in told)]
        lines += [Line(text, _SMALL, palette.MUTED) for text in ([] if whole else op_detail(node))]
        lines += [Line(text, 8, palette.MUTED) for text in self._shapes(node)]
        box = text_box([*lines, *self._only_value(node)], 7)
        held = self.gates.held(node)
        return under_one_another(box, chips(held)) if held else box

    def condition(self, node: Node) -> tuple[str, list[Line]]:
        """Return the condition of an If as a formula, and the lines on what comes of it: names, shapes and values."""
        said, _ = self._formulas.of(node)
        lines = [Line(said, _SMALL)] if said else []
        lines += [Line(text, 8, palette.MUTED) for text in self._shapes(node)]
        return self._formulas.operand(node, 0), [*lines, *self._only_value(node)]

    def _shapes(self, node: Node) -> list[str]:
        """Return the shapes of an operator's outputs in few lines, runs of equal ones counted."""
        shapes = [shape_text(self._graph.shape(self._given.get(tensor, tensor))) for tensor in node.outputs]
        runs = [list(group) for _, group in itertools.groupby(shapes)]
        counted = [run[0] if len(run) == 1 else f"{len(run)} x {run[0]}" for run in runs]
        lines, shown = wrapped([visible(text, WIDEST) for text in counted], 2)
        return lines + rest(sum(map(len, runs[shown:])), "output")

    def loop(self, unit: Unit, steps: int) -> Box:
        """Return the box of a cell that stands for all its steps."""
        return self._cell(unit, f"{steps:,} {TIMES} ")

    def _cell(self, unit: Unit, times: str = "") -> Box:
        row = unit.row or unit.cell or ""
        title, marks = f"{times}{self.title(row, unit.nodes)}", self._marks(unit)
        columns = self._columns.get(row, ())
        results = self._named_results(unit) if self._values.given or not columns else []
        told = [line for tensor, name in results for line in self._value_lines(tensor, f"{name} = ")]
        if unit.is_closed and unit.name:
            told = [Line(unit.name, _SMALL, palette.MUTED), *told]
        lanes = 26 * len(self._states.names.get(row, ())) + 8
        size = units_text(columns, results)
        if unit in self._unrolled:  # no column says at which step
            size = ", ".join([f"t = {unit.nodes[0].origin.step}", *([size] if size else [])])
        return _cell_box(title, size, tuple(marks), tuple(told), lanes)

    def _marks(self, unit: Unit) -> list[Mark]:
        """Return the gates of a cell, or, where it has none to tell apart, its functions."""
        inside = dict.fromkeys(node.origin.cell for node in unit.nodes if node.origin.cell is not None)
        gates = self.gates.marks(sorted(inside, key=lambda cell: (-cell.count("/"), cell)))
        if gates:
            return gates
        found = dict.fromkeys(node.op.name for node in unit.nodes if node.op.name in _NONLINEAR)
        return [(name.lower(), None) for name in list(found)[:2]]

    def _named_results(self, unit: Unit) -> list[tuple[Tensor, str]]:
        """Return the states that a cell makes, each with its name; where it is a joint cell, and a state is of one of its cells
        alone, with the name of that cell too.
        """
        row, states = unit.row or unit.cell or "", self._states
        found = [
            (tensor, states.called(tensor))
            for node in unit.nodes
            for tensor in node.outputs
            if states.tensors.own(tensor)
            or states.tensors.is_found(tensor)
            or tensor in states.handed
            or states.is_joined(tensor)
        ]
        made = [item for item in found if states.makes(row, item[0])]
        made = made or [item for item in found if item[1] in ("c", "h", "state")]
        # A candidate may be called as the state that is made of it: what is handed on is the state, or else the last.
        made.sort(key=lambda item: item[0] in states.handed)
        results = {(name, self._part(row, tensor)): tensor for tensor, name in made}
        order = states.names.get(row, [])
        whole = self._joint.title(row, unit.nodes)
        return [
            (tensor, name if part == whole else f"{part} {name}")
            for (name, part), tensor in sorted(
                results.items(), key=lambda item: order.index(item[0][0]) if item[0][0] in order else len(order)
            )
        ]

    def _part(self, row: str, tensor: Tensor) -> str:
        """Return which cells of a joint cell make a tensor; nothing for another cell."""
        return self._joint.title(row, [] if tensor.node is None else [tensor.node])


@lru_cache(maxsize=256)
def _cell_box(title: str, units: str, marks: tuple[Mark, ...], told: tuple[Line, ...], lanes: float) -> Box:
    """Return a cell with its width, its gates or functions, and its values; it is as high as the lanes of its states."""
    lines = [Line(title, _TITLE, palette.INK, True), *([Line(units, _SMALL, palette.MUTED)] if units else [])]
    rows = [_text_cell(line) for line in lines]
    width = max(text_width(line.text, line.size, line.bold) for line in (*lines, *told))
    height = sum(line.size * 1.4 for line in (*lines, *told)) + 14
    if marks:
        row_of_chips = chips(marks)
        rows.append(cell(row_of_chips.label))
        width = max(width, row_of_chips.width)
        height += row_of_chips.height
    return Box(table([*rows, *map(_text_cell, told)]), max(width + 16, 64), max(height, 58, lanes))


def _text_cell(line: Line) -> str:
    return cell(font(escaped(line.text), line.size, line.color, line.bold))


def _is_own_name(name: str, path: str) -> bool:
    """Say whether an output has the name of its tensor, perhaps with a number that tells it from another one."""
    return name == path or re.fullmatch(r"_\d+", name.removeprefix(path)) is not None
