"""What differs between two graphs, once it is known which node of one is which of the other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sized
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from unroll.comparison import gaps
from unroll.dimensions import shape_text
from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.dot_text import MINUS, TIMES, visible
from unroll.viz.numbers.matching import Matching, reaches
from unroll.viz.values import inline, number

ARROW = "\u2192"
PLUS, UNLIKE = "+", "\u2260"
_NUMBERS, _COUNT = re.compile(r"\d+"), re.compile(r"_\d+$")
# So many lines of each kind are printed, and so long a list of names or values is written out.
_MOST = 40


@dataclass
class Found:
    """What differs.

    Attributes:
        matching: which node is which.
        added: nodes of the second graph alone.
        removed: nodes of the first alone.
        changed: nodes of both, by that of the second, with what changed.
        weights: Parameters that were added, removed or changed, with how; names of the second graph, or of the first.
        ports: the same of inputs and outputs.
    """

    matching: Matching
    added: list[Node] = field(default_factory=list)
    removed: list[Node] = field(default_factory=list)
    changed: dict[Node, list[str]] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)
    ports: dict[str, str] = field(default_factory=dict)


def differences(a: Graph, b: Graph) -> Found:
    """Return what differs between two graphs."""
    matching = Matching(a, b)
    back = {other: one for one, other in matching.nodes.items()}
    found = Found(matching)
    found.added = [node for node in b.nodes if node not in back]
    found.removed = [node for node in a.nodes if node not in matching.nodes]
    for node in b.nodes:
        if node in back:
            said = [*_operator(back[node], node), *_inputs(back[node], node, matching)]
            if said:
                found.changed[node] = said
    found.weights = dict(_weights(a, b, matching))
    found.ports = dict(_ports(a, b, matching))
    return found


def _operator(ours: Node, theirs: Node) -> Iterator[str]:
    if ours.op.name != theirs.op.name:
        yield f"{ours.op.name} {ARROW} {theirs.op.name}"
        return
    one, other = ours.op.attributes, theirs.op.attributes
    for key in dict.fromkeys([*one, *other]):
        before, after = (repr(item[key]) if key in item else "none" for item in (one, other))
        if before != after:
            yield f"{key} {visible(before)} {ARROW} {visible(after)}"


def _inputs(ours: Node, theirs: Node, matching: Matching) -> Iterator[str]:
    if len(ours.inputs) != len(theirs.inputs):
        yield f"{len(ours.inputs)} {ARROW} {len(theirs.inputs)} inputs"
    for place, (one, other) in enumerate(zip(ours.inputs, theirs.inputs, strict=False)):
        if not matching.same(one, other) and not _is_explained(one, other, matching):
            yield f"input {place}: {_told(one, matching.a.graph)} {ARROW} {_told(other, matching.b.graph)}"


def _is_explained(one: Tensor | None, other: Tensor | None, matching: Matching) -> bool:
    """Say whether what an operator reads is another tensor only because operators before it were added or removed."""
    if one is None or other is None:
        return False
    added, removed = matching.is_added(other.node), matching.is_removed(one.node)
    if added and not removed:
        return reaches([other], lambda tensor: matching.same(one, tensor), matching.is_added)
    if removed and not added:
        return reaches([one], lambda tensor: matching.same(tensor, other), matching.is_removed)
    return added and removed


def _told(tensor: Tensor | None, graph: Graph) -> str:
    if tensor is None:
        return "none"
    return inline(tensor) if isinstance(tensor, Constant) else visible(graph.name(tensor))


def _weights(a: Graph, b: Graph, matching: Matching) -> Iterator[tuple[str, str]]:
    pairs = {other: one for one, other in matching.leaves.items()}
    for item in b.parameters.values():
        before = pairs.get(item)
        if before is None:
            yield item.name, f"added {shape_text(item.shape)}"
        elif isinstance(before, Parameter):
            said = list(_weight(before, item))
            if said:
                yield item.name, ", ".join(said)
    for item in a.parameters.values():
        if item not in matching.leaves:
            yield item.name, f"removed {shape_text(item.shape)}"


def _weight(before: Parameter, after: Parameter) -> Iterator[str]:
    if before.name != after.name:
        yield f"was called {visible(before.name)}"
    if before.shape != after.shape:
        yield f"{shape_text(before.shape)} {ARROW} {shape_text(after.shape)}"
    if before.dtype != after.dtype:
        yield f"{before.dtype} {ARROW} {after.dtype}"
    if before.shape == after.shape and before.value.size:
        away, _ = gaps(after.value, before.value.astype(after.dtype))
        if away.max() > 0:
            count = int(np.count_nonzero(away))
            yield f"max |difference| {number(away.max())}, {count:,} of {away.size:,} numbers"


def _ports(a: Graph, b: Graph, matching: Matching) -> Iterator[tuple[str, str]]:
    pairs = {other: one for one, other in matching.leaves.items()}
    for item in b.inputs:
        before = pairs.get(item)
        if before is None:
            yield f"input {b.name(item)}", f"added {shape_text(b.shape(item))}"
            continue
        said = [f"was called {visible(a.name(before))}"] if a.name(before) != b.name(item) else []
        if a.shape(before) != b.shape(item):
            said.append(f"{shape_text(a.shape(before))} {ARROW} {shape_text(b.shape(item))}")
        if before.dtype != item.dtype:
            said.append(f"{before.dtype} {ARROW} {item.dtype}")
        if said:
            yield f"input {b.name(item)}", ", ".join(said)
    for item in a.inputs:
        if item not in matching.leaves:
            yield f"input {a.name(item)}", f"removed {shape_text(a.shape(item))}"
    ours = dict(zip(a.output_names, a.outputs, strict=True))
    theirs = dict(zip(b.output_names, b.outputs, strict=True))
    for name, tensor in theirs.items():
        if name not in ours:
            yield f"output {name}", f"added {shape_text(b.shape(tensor))}"
        elif not matching.same(ours[name], tensor) and not _is_explained(ours[name], tensor, matching):
            yield f"output {name}", f"{_told(ours[name], a)} {ARROW} {_told(tensor, b)}"
    for name, tensor in ours.items():
        if name not in theirs:
            yield f"output {name}", f"removed {shape_text(a.shape(tensor))}"


class Group(NamedTuple):
    """Operators that differ alike, such as those of all steps.

    Attributes:
        sign: plus for added ones, minus for removed ones, a sign of inequality for changed ones.
        op: what the operators are called.
        name: the name of the first, with the number of the others.
        said: what changed.
        nodes: the operators.
    """

    sign: str
    op: str
    name: str
    said: tuple[str, ...]
    nodes: list[Node]


def alike(node: Node, name: str) -> object:
    """Return what is equal for the same operator at every step: its name without numbers, and the operators that it reads."""
    read = tuple(
        tensor.node.op.name if tensor is not None and tensor.node is not None else "" for tensor in node.inputs
    )
    return node.op.name, _NUMBERS.sub("#", _COUNT.sub("", name)), read


def groups(found: Found) -> list[Group]:
    """Return the operators that differ, those together whose names differ by numbers alone."""
    held: dict[object, Group] = {}
    a, b = found.matching.a.graph, found.matching.b.graph
    listed: list[tuple[str, Graph, Node, tuple[str, ...]]] = [(PLUS, b, node, ()) for node in found.added]
    listed += [(MINUS, a, node, ()) for node in found.removed]
    listed += [(UNLIKE, b, node, tuple(said)) for node, said in found.changed.items()]
    for sign, graph, node, said in listed:
        name = graph.name(node)
        key = (sign, alike(node, name), tuple(_NUMBERS.sub("#", text) for text in said))
        held.setdefault(key, Group(sign, node.op.name, name, said, [])).nodes.append(node)
    return list(held.values())


def lines(found: Found) -> Iterator[str]:
    """Yield what differs, a line each; long lists are cut."""
    same = len(found.matching.b.graph.nodes) - len(found.added) - len(found.changed)
    counts = [f"{len(items):,} {word}" for items, word in _counted(found)]
    yield f"{', '.join(counts)}, {same:,} operator{'s' * (same != 1)} the same"
    yield from _cut([group_line(group) for group in groups(found)])
    yield from _cut([f"weight {visible(name)}: {said}" for name, said in found.weights.items()])
    yield from _cut([f"{visible(name)}: {said}" for name, said in found.ports.items()])


def _counted(found: Found) -> list[tuple[Sized, str]]:
    return [(found.added, "added"), (found.removed, "removed"), (found.changed, "changed")]


def group_line(group: Group) -> str:
    """Return a group in a line of text."""
    count = f"{len(group.nodes):,} {TIMES} " if len(group.nodes) > 1 else ""
    such = ", such as" if len(group.nodes) > 1 else ""
    said = f": {'; '.join(group.said)}" if group.said else ""
    return f"{group.sign} {count}{group.op}{such} {visible(group.name)}{said}"


def _cut(items: list[str]) -> list[str]:
    return items if len(items) <= _MOST else [*items[: _MOST - 1], f"{len(items) - _MOST + 1:,} more"]
