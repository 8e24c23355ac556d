"""A picture as a reader has it: its boxes with their lines of text, where they stand, and what each name in it leads to."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

import numpy as np
import pygraphviz
from formula_parser import Formula, formula_of
from helpers import Array

import unroll
from unroll.display import placed
from unroll.sizes import symbols_of
from unroll.tensor import Node, Tensor
from unroll.trials.trial_feeds import trials
from unroll.viz.drawing import Picture

# Formulas stand in ink, settings are muted.
_FORMULA = 'POINT-SIZE="9" COLOR="#222222"'
_DIM = re.compile(r"^[\w*+-]+$|^\?$")


@dataclass
class Box:
    """A box of a picture.

    Attributes:
        id: its name in DOT.
        lines: the lines of text in it, from the top.
        tip: the text under a pointer.
        cell: the cell in whose frame it stands.
        step: the timestep that its name says.
    """

    id: str
    lines: list[str]
    tip: str
    cell: str | None = None
    step: int | None = None
    node: Node | None = None
    formula: Formula = field(default_factory=lambda: Formula([], ""))


class Reading:
    """A picture read, and the run that it is held against.

    Args:
        graph: the graph.
        picture: its picture.
        feeds: what the graph is run on.
        sizes: the number that each symbol stands for.
    """

    def __init__(self, graph: unroll.Graph, picture: Picture, feeds: dict[str, Array], sizes: dict[str, int]) -> None:
        self.graph, self.sizes = graph, sizes
        self.dot = pygraphviz.AGraph(string=picture.dot)
        tensors = list(dict.fromkeys(graph.names.by_name.values()))
        self.values: dict[Tensor, Array] = dict(zip(tensors, graph.run(feeds, tensors), strict=True))
        frames = sorted({_plain(item.graph_attr["tooltip"]) for item in self.dot.subgraphs()}, key=len)
        headings = [node for node in self.dot.nodes() if str(node).startswith("step_")]
        self._headings = {float(node.attr["pos"].split(",")[0]): _lines(node.attr["label"])[0] for node in headings}
        self.nodes = {graph.name(node): node for node in graph.nodes}
        self.boxes = [self._box(node, frames) for node in self.dot.nodes()]
        self.named: dict[str, list[tuple[Box, Tensor]]] = {}
        for box in self.boxes:
            for place, name in enumerate(box.formula.names if box.node is not None else ()):
                if name != "\u00b7":
                    self.named.setdefault(name, []).append((box, box.node.outputs[place]))  # type: ignore[union-attr]
        self._name_lines()
        self.given = {tensor.name: tensor for tensor in graph.inputs}
        self.weights = dict(graph.parameters)

    def _name_lines(self) -> None:
        """Take the names beside lines: of what a closed cell makes, and of what arrives at an operator; and the cells and
        steps of closed cells that make what has no name beside a line, for want of room.
        """
        self.unsaid: set[tuple[str | None, int | None]] = set()
        said: dict[tuple[str, str], bool] = {}
        boxes = {box.id: box for box in self.boxes}
        for edge in self.dot.edges():
            name, told = (
                _plain(edge.attr["label"] or "").strip("<>").partition(" (")[0],
                _plain(edge.attr["tooltip"] or ""),
            )
            tensor = self.graph.names.by_name.get(told.partition(" (")[0])
            source, target = boxes.get(str(edge[0])), boxes.get(str(edge[1]))
            said[str(edge[0]), told] = said.get((str(edge[0]), told), False) or bool(name)
            if not name or tensor is None or tensor.node is None or source is None or target is None:
                continue
            closed = re.fullmatch(r"(.*), t = (\d+)[ |\d]*", source.tip) if source.id.startswith("cell_") else None
            if closed is not None:
                steps = re.findall(r"(?:^|/)t(\d+)/", told) or [closed[2]]  # cells that are one walk two ways
                source = Box(source.id, [], source.tip, closed[1], int(steps[-1]))
                self.named.setdefault(name, []).append((source, tensor))
            elif target.node is not None and name.isidentifier():
                self.named.setdefault(name, []).append((target, tensor))
        for (box, _), named in said.items():
            closed = re.fullmatch(r"(.*), t = (\d+)[ |\d]*", boxes[box].tip) if box.startswith("cell_") else None
            if closed is not None and not named:
                self.unsaid.add((closed[1], int(closed[2])))

    def _box(self, node: pygraphviz.Node, frames: list[str]) -> Box:
        box = Box(str(node), _lines(node.attr["label"] or ""), _plain(node.attr["tooltip"] or ""))
        if box.id.startswith("op_") and box.tip in self.nodes:
            box.node = self.nodes[box.tip]
            parts = box.tip.split("/")[:-1]
            steps = [part for part in parts if re.fullmatch(r"t\d+", part)]
            box.step = int(steps[-1][1:]) if steps else None
            scope = "/".join(part for part in parts if part not in steps[-1:])
            within = [frame for frame in frames if f"{scope}/".startswith(f"{frame}/")]
            box.cell = within[-1] if within else None
            places = {(origin.step, origin.cell) for origin in box.node.provenance}
            if len(places) == 1:  # of files and of loops without a step, places say it
                box.step, box.cell = places.pop()
            elif len({origin.cell for origin in box.node.provenance}) > 1 and self._headings:
                box.step, box.cell = self._joint(node)
            lines = _lines(node.attr["label"], _FORMULA)
            # A long formula stands in two lines.
            written = [" ".join(lines)] if lines and len(box.node.outputs) == 1 else lines
            if written and (box.node.op.name == "Identity" or not re.fullmatch(r"[\w./:]+(\[t-1\])?", written[0])):
                box.formula = formula_of(written[0], len(box.node.outputs))
            elif written:
                box.formula = Formula(written, "")  # a name alone
        return box

    def _joint(self, node: pygraphviz.Node) -> tuple[int | None, str | None]:
        """Return the first of the steps over the column of a box of several cells, and the frame around it."""
        x, y = map(float, node.attr["pos"].split(","))
        heading = self._headings[min(self._headings, key=lambda at: abs(at - x))]
        around = []
        for frame in self.dot.subgraphs():
            left, low, right, high = map(float, frame.graph_attr["bb"].split(","))
            if left < x < right and low < y < high:
                around.append(_plain(frame.graph_attr["tooltip"]))
        step = int(re.findall(r"t = (\d+)", heading)[0]) if around else None
        return step, max(around, key=len, default=None)

    def look_up(self, reader: Box, name: str) -> Array:
        """Return the value of the one tensor that a name in the formula of a box leads to.

        It stands in the box's own frame and column, or in the column that an index says, in the frame of the loop that a word
        before it says; else it is an input or a weight.
        """
        if name.endswith("^T"):
            return self.look_up(reader, name.removesuffix("^T")).T
        if name.endswith("[t-1]"):  # in the body of a loop: what a step begins with
            return self._only({tensor for full, tensor in self.given.items() if _ends(full, name)}, name, reader)
        whose, _, short = name.rpartition(" ")
        short, _, index = short.partition("[")
        step = int(index[:-1]) if index else reader.step
        if whose not in ("input", "weight"):
            there = [(box, tensor) for box, tensor in self.named.get(short, []) if box.step in (step, None)]
            if not index and not whose:  # of what stands in the reader's own column
                there = [pair for pair in there if not pair[0].id.startswith("cell_")] or there
            if whose:
                there = [pair for pair in there if (pair[0].cell or "").split("/")[0] == whose]
            else:
                own = [pair for pair in there if pair[0].cell == reader.cell]
                there = own or there
            if index and not there and not whose and any(_ends(full, short) for full in self.weights):
                return np.asarray(self.look_up(reader, f"weight {short}")[step])
            if there or whose or index:
                return self._only({tensor for _, tensor in there}, name, reader)
        found: set[Tensor] = set()
        if whose != "weight":
            found |= {tensor for full, tensor in self.given.items() if _ends(full, short)}
        if whose != "input":
            weights = {full: tensor for full, tensor in self.weights.items() if _ends(full, short)}
            exact = f"{reader.cell}/{short}"
            own = {tensor for full, tensor in weights.items() if exact in _names(full)}
            own = own or self._lettered(short, reader.cell)
            found |= own or set(weights.values())
        return self._only(found, name, reader)

    def _lettered(self, letter: str, cell: str | None) -> set[Tensor]:
        """Return the weights that only operators name, called as the blocks of their cards: ``W_x`` of the blocks ``W_xi``."""
        rows = {"W_x": ("x",), "W_h": ("h",), "W": ("x", "h"), "b": ()}.get(letter)
        read = {tensor for node in self.graph.nodes if node.origin.cell == cell for tensor in node.inputs}
        tables = {item: item.blocks for item in self.weights.values() if item.blocks is not None and item in read}
        return {item for item, table in tables.items() if tuple(source for source, _ in table.rows) == rows}

    def _only(self, found: set[Tensor], name: str, reader: Box) -> Array:
        assert len(found) == 1, f"{name!r} in {reader.lines} of {reader.tip} leads to {len(found)} tensors: {found}"
        return self.values[found.pop()]

    def agrees(self, text: str, shape: tuple[int, ...]) -> bool:
        """Say whether a text such as ``(batch, 3)`` is a shape; a symbol that no input has is the same number throughout."""
        parts = [part.strip() for part in text.strip()[1:-1].split(",") if part.strip()]
        assert all(_DIM.match(part) for part in parts), text
        for part, size in zip(parts, shape, strict=False):
            if part.isidentifier():
                self.sizes.setdefault(part, size)
        # A question mark is a size that nobody has named.
        said = [eval(part, {"__builtins__": {}}, dict(self.sizes)) if part != "?" else None for part in parts]
        return len(said) == len(shape) and all(one in (size, None) for one, size in zip(said, shape, strict=True))


def read(graph: unroll.Graph, with_values: bool = False, **options: object) -> Reading:
    """Draw a graph whose weights are all different, and read the picture."""
    rng = np.random.default_rng(5)
    for parameter in graph.parameters.values():
        if parameter.dtype.kind == "f":
            parameter.assign(rng.uniform(-0.9, 0.9, [int(size) for size in parameter.shape]))
    # Of more rows, most values are too large to print; and a branch that is not taken still has to fit.
    one = dict.fromkeys(symbols_of(graph), 1) if with_values or any(map(_chooses, graph.nodes)) else None
    drawn = trials(graph, seed=3, count=1, rows=3, dims=one)[0]
    feeds = dict(drawn.feeds)
    graph = placed(graph)
    picture = unroll.draw(graph, format="dot", feeds=feeds if with_values else None, **options)  # type: ignore[arg-type]
    return Reading(graph, picture, feeds, drawn.sizes)


def _chooses(node: Node) -> bool:
    return node.op.name == "If"


def _ends(full: str, short: str) -> bool:
    return any(name == short or name.endswith(f"/{short}") for name in _names(full))


def _names(full: str) -> tuple[str, ...]:
    """The ways to write a name: without what TensorFlow adds to it, and with slashes for PyTorch's dots."""
    return full, full.removesuffix(":0"), _without_reading(full), full.replace(".", "/")


def _without_reading(name: str) -> str:
    """A weight's name without the operators with which TensorFlow reads it: ``kernel`` for ``kernel/Read/Identity:0``."""
    return re.sub(r"/(Read/Identity|ReadVariableOp)(:\d+)?$", "", name)


def _plain(text: str) -> str:
    return html.unescape(html.unescape(text)).removeprefix("\\N")


def _lines(label: str, having: str = "") -> list[str]:
    """Return the text of each row of a label that has some markup in it."""
    rows = [row for row in re.split(r"</TR>", label) if having in row]
    found = [html.unescape(re.sub(r"<[^>]*>", "", row)) for row in rows]
    return [line for line in found if line]
