"""What the tensors of a graph are called in equations: by one name, the same at every step."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

from unroll.graph import Graph
from unroll.ops.operator import OPERATORS
from unroll.scopes import without_step
from unroll.tensor import Node, Tensor
from unroll.viz.explaining.operators import BY_ELEMENT
from unroll.viz.explaining.units import Unit, Units
from unroll.viz.states import node_role
from unroll.viz.tensor_names import TensorNames

_OPERATORS = {name.lower() for _, name in OPERATORS}
_READABLE = re.compile(r"[^\W\d][\w.']*")
#: What the search for steps calls the states of a cell.
_STATES = ("h", "c")
_NUMBERED = re.compile(r"_\d+$")
_LONGEST = 24
_WORDS = {"and", "or", "not", "inf", "nan", "true", "false"}


class Symbols:
    """The names of what units make.

    Args:
        graph: the graph.
        units: its units.
        names: what its tensors are called in pictures.
    """

    def __init__(self, graph: Graph, units: Units, names: TensorNames) -> None:
        self._graph, self._units, self._names = graph, units, names
        self._own: dict[Tensor, str] = {}
        self._generated: dict[tuple[str, str, int], str] = {}
        self._taken: dict[str, dict[str, object]] = {}
        self._handed_on: set[Tensor] = set()
        self._places: dict[Node, int] = {}
        self._counts: dict[str, Iterator[int]] = {}
        for unit in units.all:
            self._name_own(unit)

    def own(self, tensor: Tensor) -> str:
        """Return the name that a tensor has by its program; nothing where only its operator names it."""
        return self._own.get(tensor, "")

    def of(self, tensor: Tensor) -> str:
        """Return the name of a tensor that a unit makes; one is made up where it has none, the same at every step."""
        if self.own(tensor):
            return self._own[tensor]
        node = tensor.node
        unit = self._units.of.get(node) if node is not None else None
        path = unit.path if unit is not None else ""
        role = self._graph.name(tensor) if node is None else self._own_role(node)
        key = (path, role, tensor.index)
        if key not in self._generated:
            taken = self._taken.setdefault(path, {})
            name = next(name for name in self._made_up(unit, tensor) if name not in taken)
            taken[name] = key
            self._generated[key] = name
        return self._generated[key]

    def _own_role(self, node: Node) -> str:
        """Return what a node is in its step, whatever the step: its name, else its place among those of its operator."""
        name, step = self._graph.name(node), node.origin.step
        unit = self._units.of.get(node)
        if step is None or unit is None or f"/t{step}/" in f"/{name}":
            return without_step(name, step)
        if node not in self._places:
            counts: dict[str, int] = {}
            for other in unit.nodes:
                self._places[other] = counts[other.op.name] = counts.get(other.op.name, -1) + 1
        return f"{node.op.name} {self._places[node]}"

    def handed_on(self, tensors: Iterable[Tensor]) -> None:
        """Say which tensors cells hand on: their states, h where they have no name."""
        self._handed_on.update(tensors)

    def _made_up(self, unit: Unit | None, tensor: Tensor) -> Iterator[str]:
        """Yield names for what has none: h for the state of a cell, v1 and so on for the rest."""
        if unit is not None and tensor in self._handed_on:
            yield "h"
        for count in self._counts.setdefault(unit.path if unit is not None else "", itertools.count(1)):
            yield f"v{count}"

    def role(self, node: Node) -> str:
        """Return a node's name without its step."""
        return node_role(self._graph, node, self._units.joint)

    def taken(self, path: str) -> Mapping[str, object]:
        """Return the names that stand for something in the units of a path."""
        return self._taken.setdefault(path, {})

    def _name_own(self, unit: Unit) -> None:
        """Give the tensors of a unit their own names, where these tell them apart."""
        found: dict[str, list[Tensor]] = {}
        for node in unit.nodes:
            for tensor in node.outputs:
                name = self._called(tensor)
                if name:
                    found.setdefault(name, []).append(tensor)
        taken = self._taken.setdefault(unit.path, {})
        chosen: dict[str, dict[str, Tensor]] = {}
        for name, tensors in found.items():
            depths = [self._names.path(tensor).count("/") for tensor in tensors]
            if depths.count(min(depths)) == 1:  # what the cell itself calls so, and not a part of a gate
                base = _NUMBERED.sub("", name)
                chosen.setdefault(base if base in found else name, {})[name] = tensors[depths.index(min(depths))]
        for base, numbered in chosen.items():
            # Which of two is h and which h_1 differs from step to step: the one that reads the more is h.
            order = sorted(numbered, key=lambda name: -self._reads(numbered[name]))
            for count, name in enumerate(order):
                called = f"{base}_{count}" if count else base
                self._own[numbered[name]] = called
                taken[called] = numbered[name]

    def _reads(self, tensor: Tensor) -> int:
        """Return how many tensors that differ from run to run make a tensor."""
        inputs = tensor.node.inputs if tensor.node is not None else ()
        return sum(item is not None and item not in self._units.fixed for item in inputs)

    def _found(self, tensor: Tensor) -> str:
        """Return what the search for steps has found a tensor of a file to be: a gate, or a state."""
        node = tensor.node
        if node is None or len(node.provenance) > 1 or len(node.outputs) > 1 or node.origin.cell is None:
            return ""
        if node.origin.gate is not None:
            return node.origin.gate if node.op.name in BY_ELEMENT else ""  # not what comes before its activation
        part = node.origin.scope.rpartition("/")[2]
        return part if part in _STATES else ""

    def _called(self, tensor: Tensor) -> str:
        name = self._names.own(tensor) if self._names.is_placed(tensor) else self._found(tensor)
        if not name or name.startswith("z_") or len(name) > _LONGEST or not _READABLE.fullmatch(name):
            return ""
        bare = re.sub(r"(_\d+)?(:\d+)?$", "", name)
        if bare.lower() in _OPERATORS or name in _WORDS or (tensor.node and bare.startswith(tensor.node.op.name)):
            return ""
        return name
