"""Boxes that would feed themselves through others, and cells of which a loop has taken only some steps."""

from __future__ import annotations

from collections.abc import Iterable

import networkx

from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.tensor import Node
from unroll.viz.units import Unit


def circles(edges: Iterable[tuple[Unit, Unit]]) -> list[set[Unit]]:
    """Return the units that feed themselves through others, each with those others."""
    reads: networkx.DiGraph[Unit] = networkx.DiGraph()  # given the edges at once, networkx 3.2 asks for pandas
    reads.add_edges_from(edges)
    return [part for part in networkx.strongly_connected_components(reads) if len(part) > 1]


def outer_cells(found: Iterable[set[Unit]]) -> dict[str, str]:
    """Return the cell around each cell that cannot be a box of its own, because it feeds the cell around it.

    Args:
        found: the circles.
    """
    outer: dict[str, str] = {}
    for part in found:
        rows = {unit.row for unit in part}
        around = min((row for row in rows if row is not None), key=len, default="")
        if all(row is not None and f"{row}/".startswith(f"{around}/") for row in rows):
            outer |= {row: around for row in rows if row is not None}
    return outer


def rows_around_loops(units: Iterable[Unit], edges: Iterable[tuple[Unit, Unit]]) -> set[str]:
    """Return the cells of which something makes what a loop reads, and something else reads what it makes."""
    loops = {unit for unit in units if unit.kind == "loop"}
    reads: networkx.DiGraph[object] = networkx.DiGraph()
    reads.add_edges_from((one.row or one, other.row or other) for one, other in edges)
    parts = (part for part in networkx.strongly_connected_components(reads) if loops & part)
    return {row for part in parts for row in part if isinstance(row, str)}


def looped_paths(loops: Iterable[Node]) -> set[str]:
    """Return the paths of the cells that are inside loops, and all that they lie in."""
    ends = [origin.cell or origin.scope for node in loops for origin in node.provenance]
    parts = [end.split("/") for end in dict.fromkeys(ends)]
    return {"/".join(names[:count]) for names in parts for count in range(1, len(names) + 1)}


def is_whole(unit: Unit, graph: Graph) -> bool:
    """Say whether a step of a cell reads weights and computes every gate: another unit is a part of a step."""
    within = f"{unit.row}/"
    found = (origin for node in graph.nodes for origin in node.provenance if f"{origin.cell}/".startswith(within))
    gates = {(origin.cell, origin.gate) for origin in found if origin.gate is not None}
    own = {(origin.cell, origin.gate) for node in unit.nodes for origin in node.provenance}
    return own >= gates and any(isinstance(tensor, Parameter) for node in unit.nodes for tensor in node.inputs)


def reads_weights_twice(unit: Unit) -> bool:
    """Say whether a unit is several calls."""
    read = [tensor for node in unit.nodes for tensor in node.inputs if isinstance(tensor, Parameter)]
    return len(read) > len(set(read))
