"""Changing nodes of a copy of a model, and putting others before them: in graphs, bodies and functions, however deep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from onnx import ModelProto, NodeProto


class Change(NamedTuple):
    """What is to be done to one node.

    Attributes:
        holder: the graph or function that holds the node.
        depth: in how many bodies it lies.
        at: its place among the nodes of `holder`.
        make: changes the node it is given, a copy, and returns what to put before it.
    """

    holder: Any
    depth: int
    at: int
    make: Callable[[NodeProto], list[NodeProto]]


def changed(model: ModelProto, find: Callable[[ModelProto], Iterator[Change]]) -> ModelProto:
    """Return a copy of a model with the changes that `find` yields for it; the model itself where there are none."""
    if next(find(model), None) is None:
        return model
    found = ModelProto()
    found.CopyFrom(model)
    # The bodies of a node come before the nodes around it, which are copied with what was changed inside.
    changes = sorted(find(found), key=lambda change: (-change.depth, id(change.holder)))
    for _, group in groupby(changes, key=lambda change: id(change.holder)):
        _change(list(group))
    return found


def _change(changes: Sequence[Change]) -> None:
    """Make the changes of one graph or function."""
    holder = changes[0].holder
    by_place: defaultdict[int, list[Change]] = defaultdict(list)
    for change in changes:
        by_place[change.at].append(change)
    nodes: list[NodeProto] = []
    for at, node in enumerate(holder.node):
        copy = NodeProto()
        copy.CopyFrom(node)
        for change in by_place.get(at, ()):
            nodes += change.make(copy)
        nodes.append(copy)
    del holder.node[:]
    holder.node.extend(nodes)
