"""Cells that a pass has made one, and the column in which each of their steps is computed.

Two directions are one where the forward one computes its step 1 together with step 6 of the backward one, as are layers of a
stack, each a step behind the one before it. Time in the columns is that of the cell that leads.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import networkx

from unroll.graph import Graph
from unroll.scopes import Origin
from unroll.tensor import Node

#: The steps of the cells that one node is of.
_Steps: TypeAlias = Mapping[str, int]


class Place(NamedTuple):
    """Where a node stands.

    Attributes:
        cell: its cell, or its joint cell; None outside of cells.
        step: the step whose column it stands in; None where it has none, or several.
    """

    cell: str | None
    step: int | None


class _Walk(NamedTuple):
    """The column of each step of a cell, as a step of the leading cell: ``way * step + shift``."""

    way: int
    shift: int


class JointCells:
    """The joint cells of a graph.

    Args:
        graph: the graph.

    Attributes:
        names: what the joint cell of each cell is called, such as ``bidirectional_rnn/fw + bw``; a cell of its own has none.
    """

    def __init__(self, graph: Graph) -> None:
        several = (node for node in graph.nodes if len(node.provenance) > 1)
        joined = [steps for steps in map(_steps, several) if len(steps) > 1]
        cells: networkx.Graph[str] = networkx.Graph()
        cells.add_edges_from(dict.fromkeys(pair for steps in joined for pair in itertools.pairwise(steps)))
        self.names: dict[str, str] = {}
        self._parts: dict[str, str] = {}
        self._walks: dict[str, _Walk] = {}
        for part in networkx.connected_components(cells):
            walks = _walks([steps for steps in joined if part.issuperset(steps)])
            if walks:
                around, parts = _parts(list(walks), self.names.values())
                self._walks |= walks
                self._parts |= parts
                self.names |= dict.fromkeys(walks, "/".join([*around, " + ".join(parts.values())]))

    @property
    def cells(self) -> Collection[str]:
        """The names of the joint cells."""
        return self.names.values()

    def place(self, node: Node) -> Place:
        """Return the first cell of a node, and the step that all its origins agree on; cells that are one count as that."""
        first = self._place(node.origin)
        if len(node.provenance) == 1:
            return first
        return first if all(self._place(origin) == first for origin in node.provenance) else first._replace(step=None)

    def shared_by(self, node: Node) -> str | None:
        """Return the joint cell of a node that several of its cells share; None of another one."""
        if not self.names or len({origin.cell for origin in node.provenance}) < 2:
            return None
        cell = self.place(node).cell
        return cell if cell in self.cells else None

    def _place(self, origin: Origin) -> Place:
        cell, step = origin.cell, origin.step
        if cell is None or cell not in self._walks:
            return Place(cell, step)
        walk = self._walks[cell]
        return Place(self.names[cell], None if step is None else walk.way * step + walk.shift)

    def title(self, name: str, nodes: Iterable[Node]) -> str:
        """Return the end of a joint cell's name, of those of its cells alone that nodes are of; nothing for another cell."""
        cells = {origin.cell for node in nodes for origin in node.provenance}
        return " + ".join(part for cell, part in self._parts.items() if self.names[cell] == name and cell in cells)

    def renamed(self, name: str, cell: str | None) -> str:
        """Return the name of a node, without its step, with the joint cell in the place of its cell."""
        if cell is None or cell not in self.names:
            return name
        return f"/{name.lstrip('/')}".replace(f"/{cell}/", f"/{self.names[cell]}/", 1)

    def heading(self, at: int, nodes: Iterable[Node]) -> str:
        """Return the steps at which what stands in a column is computed: ``1 | 6`` where those are two, the leading cell's
        first.
        """
        if not self._walks:
            return str(at)
        found: dict[str | None, int] = {}
        for origin in (origin for node in nodes for origin in node.provenance):
            if origin.step is not None and self._place(origin).step == at:
                found[origin.cell if origin.cell in self._walks else None] = origin.step
        steps = [found[cell] for cell in (*self._walks, None) if cell in found]
        return " | ".join(map(str, dict.fromkeys(steps))) or str(at)


def _steps(node: Node) -> _Steps:
    """Return the step of each cell of a node; nothing where a part of it has no cell or step, or a cell has several steps."""
    pairs = {(origin.cell, origin.step) for origin in node.provenance}
    steps = {cell: step for cell, step in pairs if cell is not None and step is not None}
    return dict(sorted(steps.items())) if len(steps) == len(pairs) else {}


def _walks(joined: Sequence[_Steps]) -> dict[str, _Walk]:
    """Return how the cells of a joint one walk, the leading cell first; nothing where they do not walk in step.

    The cell leads that is the farthest of those that walk forward: not the backward one, and the first layer of a stack.
    """
    first, last = joined[0], joined[-1]
    forward = [cell for cell, step in first.items() if step < last.get(cell, step)]
    leader = max(forward or first, key=first.__getitem__)
    found = {leader: _Walk(1, 0)}
    for cell in dict.fromkeys(cell for steps in joined for cell in steps if cell != leader):
        pairs = {(steps[cell], steps[leader]) for steps in joined if cell in steps and leader in steps}
        ways = [way for way in (1, -1) if len({at - way * step for step, at in pairs}) == 1]
        if len(ways) != 1:  # computed with the leading cell never, once only, or not in step with it
            return {}
        step, at = min(pairs)
        found[cell] = _Walk(ways[0], at - ways[0] * step)
    return found


def _parts(cells: Sequence[str], taken: Collection[str]) -> tuple[Sequence[str], dict[str, str]]:
    """Return the scope around cells, and by which parts of its path each differs from the others; its whole path within the
    scope where cells of that name are taken.
    """
    paths = [cell.split("/") for cell in cells]
    differ = [len(set(parts)) > 1 for parts in itertools.zip_longest(*paths)]
    around = paths[0][: differ.index(True)]
    short = [".".join(itertools.compress(path, differ)) for path in paths]
    if "/".join([*around, " + ".join(short)]) in taken:
        short = [".".join(path[len(around) :]) for path in paths]
    return around, dict(zip(cells, short, strict=True))
