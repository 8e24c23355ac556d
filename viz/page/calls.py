"""The calls of a layer that a graph has several times with the same weights: each is a loop of its own on the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import networkx

from unroll.parameter import Parameter
from unroll.tensor import Node
from unroll.viz.units import Unit

_NUMBERED = re.compile(r"_\d+$")


def calls_of(units: Mapping[int, Unit]) -> list[dict[int, Unit]]:
    """Return the steps of each call of a cell: all of them once where it is called once, or where calls read each other.

    Args:
        units: the steps of the cell, in order, each with the operators of all calls.
    """
    chains: list[set[Node]] = []
    found: list[dict[int, Unit]] = []
    for step, unit in units.items():
        pieces = _pieces(unit)
        if len(pieces) < 2 or (found and len(pieces) != len(found)):
            return [dict(units)]
        if not found:
            found, chains = [{} for _ in pieces], [set() for _ in pieces]
            order = list(range(len(pieces)))
        else:
            order = [_chain(piece, chains) for piece in pieces]
        if sorted(order) != list(range(len(found))):
            return [dict(units)]
        for piece, chain in zip(pieces, order, strict=True):
            found[chain][step] = replace(unit, nodes=piece)
            chains[chain].update(piece)
    return found


def own_name(name: str) -> str:
    """Return the name of a state of one call, without the number that tells it from those of others."""
    return _NUMBERED.sub("", name)


def _pieces(unit: Unit) -> list[list[Node]]:
    """Return the operators of a step in pieces that do not read each other, where all of them are made alike."""
    place = {node: number for number, node in enumerate(unit.nodes)}
    joined: networkx.Graph[int] = networkx.Graph()
    joined.add_nodes_from(place.values())
    for node, number in place.items():
        read = [tensor.node for tensor in node.inputs if tensor is not None and tensor.node in place]
        joined.add_edges_from((place[before], number) for before in read if before is not None)
    parts = sorted(sorted(part) for part in networkx.connected_components(joined))
    pieces = [[unit.nodes[number] for number in part] for part in parts]
    return pieces if len({_made_as(piece) for piece in pieces}) == 1 else [unit.nodes]


def _made_as(piece: list[Node]) -> object:
    """Return a key that is equal for pieces of the same operators with the same weights."""
    said = sorted((node.op.name, node.origin.gate or "", str(node.outputs[0].shape)) for node in piece)
    weights = {tensor for node in piece for tensor in node.inputs if isinstance(tensor, Parameter)}
    return tuple(said), frozenset(weights)


def _chain(piece: list[Node], chains: list[set[Node]]) -> int:
    """Return which call a piece goes on: the one whose operators it alone reads, or -1."""
    read = {tensor.node for node in piece for tensor in node.inputs if tensor is not None}
    of = [number for number, chain in enumerate(chains) if not chain.isdisjoint(read)]
    return of[0] if len(of) == 1 else -1
