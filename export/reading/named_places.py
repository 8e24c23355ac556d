"""Where nodes of a file come from, by their names: what `unroll.naming` writes, read back as scope, step, cell and gate.

A node is called ``<scope>/<Operator>``, and a component ``t<k>`` of its scope is timestep k where those beside it count the
steps of a loop, and no weight lies there: people call layers ``t0`` and ``t1`` as well, and no path of a weight has a
timestep, because all steps share it. Of a loop within a loop, the inner one counts. Names do not say which component is a
cell and which a gate: a gate is a scope in which a tensor of the scope's own name is made, and a cell is what holds gates, or
weights that are read at steps. What names leave open stays open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from onnx import ModelProto, NodeProto
from onnx.defs import has

from unroll.export.lowering import PRODUCER
from unroll.export.metadata import STEP_NAME, merged_of
from unroll.scopes import Origin
from unroll.tensor import Node

#: How many components of one path may be timesteps; the others are not looked at.
_MOST_STEPS = 8
#: So many steps from 1 on are a loop whose first step was simplified away.
_LEAST_LATER = 3
_NUMBER = re.compile(r"_[0-9]+")
#: Operators that are a whole loop, whatever step they are named after.
_LOOPS = frozenset({"GRU", "LSTM", "Loop", "RNN", "Scan"})


_Path: TypeAlias = "tuple[str, ...]"


class _Loop(NamedTuple):
    """Timesteps beside one another: whether they count from 0, and whether they are several."""

    from_0: bool
    several: bool


class _Loops:
    """Which components of paths are timesteps.

    Args:
        scopes: the paths of nodes.
        weights: the names of weights.
    """

    def __init__(self, scopes: Iterable[str], weights: Iterable[str]) -> None:
        self._owned = {
            parts[:end] for name in weights if (parts := _written(name)) is not None for end in range(1, len(parts))
        }
        counted: dict[_Path, set[int]] = {}
        for scope in scopes:
            parts = tuple(scope.split("/"))
            for at, step in self._steps_in(parts):
                counted.setdefault(parts[:at], set()).add(step)
        self._found = {
            path: _Loop(min(steps) == 0, len(steps) > 1)
            for path, steps in counted.items()
            if max(steps) - min(steps) + 1 == len(steps)
            if min(steps) == 0 or (min(steps) == 1 and len(steps) >= _LEAST_LATER)
        }

    def _steps_in(self, parts: _Path) -> Iterator[tuple[int, int]]:
        """Yield each component that may be a timestep: where it stands, and its number.

        Of two alike beside one another, of which a weight's path has one, either may be: ``t0/t0`` is the layer ``t0`` at
        step 0, or step 0 of the cell ``t0``.
        """
        found, kept = 0, list[str]()
        for at, part in enumerate(parts):
            match = STEP_NAME.fullmatch(part) if found < _MOST_STEPS else None
            owned = match is None or (*kept, part) in self._owned
            twice = parts[at + 1 : at + 2] == (part,) and (*kept, part, part) not in self._owned
            if match is not None and (twice or not owned):
                found += 1
                yield at, int(match[1])
            if owned:
                kept.append(part)

    def place_of(self, scope: str) -> _Place | None:
        """Return the place of a scope: by the innermost loop of several steps, one that counts from 0 before one from 1."""
        parts = tuple(scope.split("/"))
        found = [(self._found[parts[:at]], at, step) for at, step in self._steps_in(parts) if parts[:at] in self._found]
        if not found:
            return None
        _, at, step = max(found, key=lambda item: (item[0], item[1]))
        return _Place(parts[:at], step, parts[at + 1 :])


class _Place(NamedTuple):
    """A scope by its timestep and the components before and after it."""

    before: _Path
    step: int
    after: _Path

    @property
    def variables(self) -> _Path:
        """The path without the timestep."""
        return self.before + self.after


def named_places(model: ModelProto) -> dict[str, Origin]:
    """Return where nodes come from, by their names; nothing for files that name nodes in another way.

    A node that a pass has merged from those of several steps has the name of one. The file says which those are; where it
    does not, such a node shows where it is read at steps far from its own, and is given no step.

    Raises:
        ModelError: what the file says of merged nodes is no list of names.
    """
    if model.producer_name != PRODUCER:
        return {}
    nodes = model.graph.node
    scopes = {node.name: scope for node in nodes if (scope := _scope_of(node)) is not None}
    distinct = dict.fromkeys(scopes.values())
    weights = [weight.name for weight in model.graph.initializer]
    loops = _Loops(distinct, weights)
    places = {scope: place for scope in distinct if (place := loops.place_of(scope)) is not None}
    if not places:
        return {}
    cells = _cells(nodes, scopes, places, weights)
    found = {name: _origin(scope, places.get(scope), cells) for name, scope in scopes.items()}
    origins = _unmerged(nodes, found, places, loops)
    makers = {output: node.name for node in nodes for output in node.output}
    for node in nodes:  # what carries a finished row's state on is called as that is, and chooses by what no cell makes
        if node.op_type == "Where" and node.input and (origin := origins.get(node.name)) is not None:
            chosen = origins.get(makers.get(node.input[0], ""))
            if chosen is None or chosen.cell != origin.cell:
                origins[node.name] = origin._replace(gate=None)
    apart = {name: Origin(origins[name].scope, None, None, None) for name in merged_of(model) if name in origins}
    return {**origins, **apart}


def hint_of(name: str, node: Node) -> str | None:
    """Return the hint by which a tensor of a node is called `name`; None where it has the name of its operator.

    A name that is not of the node's scope, such as one that the user gave to an output, stays away from hints.
    """
    scope = node.origin.scope
    if name == scope:
        return ""
    hint = name.removeprefix(f"{scope}/")
    number = hint.removeprefix(node.op.name)
    plain = hint.startswith(node.op.name) and (not number or _NUMBER.fullmatch(number))
    return None if hint == name or plain else hint


def _scope_of(node: NodeProto) -> str | None:
    """Return the scope in a node's name; None where its name does not end with its operator."""
    scope, _, last = node.name.rpartition("/")
    number = last.removeprefix(node.op_type)
    ours = last.startswith(node.op_type) and (not number or _NUMBER.fullmatch(number)) and all(scope.split("/"))
    return scope if ours and scope else None


def _written(name: str) -> _Path | None:
    """Return the path of a weight; None for what a pass computed from weights, which is called after an operator."""
    parts = tuple(name.split("/"))
    return None if has(_NUMBER.sub("", parts[-1])) else parts


def _cells(
    nodes: Sequence[NodeProto], scopes: Mapping[str, str], places: Mapping[str, _Place], weights: Iterable[str]
) -> set[_Path]:
    """Return the paths of cells, without their timestep."""
    gates = {
        place.variables
        for node in nodes
        if (place := places.get(scopes.get(node.name, ""))) is not None
        if len(place.after) > 1 and scopes[node.name] in node.output
    }
    cells = {gate[:-1] for gate in gates}
    owners = {tuple(name.split("/")[:-1]) for name in weights}
    walking = _walking(nodes, scopes, places)
    for place in places.values():
        path = place.variables
        inside = any(path[:end] in cells for end in range(len(place.before) + 1, len(path)))
        if place.after and path in owners and path in walking and not inside:
            cells.add(path)
    return cells


def _walking(nodes: Sequence[NodeProto], scopes: Mapping[str, str], places: Mapping[str, _Place]) -> set[_Path]:
    """Return the paths that hand something on from step to step, as cells do and layers that are applied at steps do not."""
    makers: dict[str, _Place | None] = {}
    found: set[_Path] = set()
    for node in nodes:
        place = places.get(scopes.get(node.name, ""))
        for name in node.input if place is not None else ():
            made = makers.get(name)
            if made is not None and place is not None and made.step != place.step and made.variables == place.variables:
                found.add(place.variables)
        makers.update(dict.fromkeys(node.output, place))
    return found


def _origin(scope: str, place: _Place | None, cells: set[_Path]) -> Origin:
    if place is None:
        return Origin(scope, None, None, None)
    path = place.variables
    for end in range(len(path), len(place.before), -1):
        if path[:end] in cells:
            return Origin(scope, place.step, "/".join(path[:end]), path[end] if len(path) > end else None)
    return Origin(scope, place.step, None, None)


def _unmerged(
    nodes: Sequence[NodeProto], found: Mapping[str, Origin], places: Mapping[str, _Place], loops: _Loops
) -> dict[str, Origin]:
    """Return the origins without the steps and gates of nodes that stand for those of several.

    A pass gives what it merges the name of one of them. That shows where a tensor is called otherwise than its node, where
    it is read at steps far from that of its node, and where a cell seems to walk both ways.
    """
    rolled = {
        place.before for node in nodes if node.op_type in _LOOPS if (place := _placed(node, found, places)) is not None
    }
    readers: dict[str, list[str]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name, []).append(node.name)
    origins, merged, torn = dict(found), set[str](), set[str | None]()
    for node in reversed(nodes):
        place = _placed(node, found, places)
        if place is None:
            continue
        read = [name for output in node.output for name in readers.get(output, ())]
        others = [other for name in read if (other := places.get(found[name].scope if name in found else ""))]
        scope = found[node.name].scope
        strange = [output for output in node.output if not output.startswith(scope)]  # most are called as their node is
        called = [other for output in strange if (other := loops.place_of(output)) is not None]
        far = any(abs(other.step - place.step) > 1 for other in others if other.before == place.before)
        elsewhere = any((other.before, other.step) != (place.before, place.step) for other in called)
        if any(other.before != place.before for other in called):  # cells of two loops were joined
            torn.add(origins[node.name].cell)
        if place.before in rolled or far or elsewhere or (read and merged.issuperset(read)):
            origins[node.name] = origins[node.name]._replace(step=None)
            merged.add(node.name)
        if origins[node.name].gate is not None:
            path = place.variables
            joint = scope in node.output and any(other.variables[:-1] == path[:-1] for other in called)
            inside = [origins[name] for name in read if name in found and found[name].scope == scope]
            if joint or any(one.gate is None for one in inside):
                origins[node.name] = origins[node.name]._replace(gate=None)
    return _one_way(nodes, origins, torn - {None})


def _placed(node: NodeProto, found: Mapping[str, Origin], places: Mapping[str, _Place]) -> _Place | None:
    origin = found.get(node.name)
    return None if origin is None else places.get(origin.scope)


def _one_way(nodes: Sequence[NodeProto], origins: dict[str, Origin], torn: set[str | None]) -> dict[str, Origin]:
    """Return the origins without the steps of `torn` cells, and of those that would walk forward as well as backward."""
    makers = {output: node.name for node in nodes for output in node.output}
    ways: dict[str, set[bool]] = {}
    between: set[tuple[str, str]] = set()
    for node in nodes:
        origin = origins.get(node.name)
        for name in node.input if origin is not None and origin.step is not None else ():
            made = origins.get(makers.get(name, ""))
            if made is not None and made.step is not None and origin is not None and origin.step is not None:
                if made.cell is None or origin.cell is None:
                    continue
                if made.cell != origin.cell:
                    between.add((made.cell, origin.cell))
                elif made.step != origin.step:
                    ways.setdefault(made.cell, set()).add(made.step < origin.step)
    torn |= {cell for cell, found in ways.items() if len(found) > 1}
    torn |= {cell for cell, other in between if (other, cell) in between and not _nested(cell, other)}
    return {
        name: origin._replace(step=None, gate=None) if origin.cell in torn else origin
        for name, origin in origins.items()
    }


def _nested(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
