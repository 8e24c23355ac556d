"""What the equations of a unit depend on besides its own operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from unroll.graph import Graph
from unroll.tensor import Constant, Node, Placeholder, Tensor
from unroll.viz.explaining.operators import operator_key
from unroll.viz.explaining.symbols import Symbols
from unroll.viz.explaining.terms import Symbol
from unroll.viz.explaining.units import Unit, Units
from unroll.viz.explaining.weight_terms import WeightTerms
from unroll.viz.explaining.writing import MOST_NUMBERS
from unroll.viz.zero_states import is_zero


class Reading(NamedTuple):
    """Which input of which operator of a cell, whatever the step."""

    path: str
    role: str
    place: int


class Context:
    """A graph with its units and their names, and who reads what.

    Args:
        graph: the graph.
        units: its units.
        symbols: what their tensors are called.

    Attributes:
        weights: what every run finds the same, as terms.
    """

    def __init__(self, graph: Graph, units: Units, symbols: Symbols) -> None:
        self.graph, self.units, self.symbols = graph, units, symbols
        symbols.handed_on(self._handed_on())
        self.weights = WeightTerms(graph, units, symbols.taken)
        self._outside = self._read_outside()
        self._states = self._state_readings()

    def is_read_outside(self, tensor: Tensor) -> bool:
        """Say whether something outside of its own unit reads a tensor."""
        return tensor in self._outside

    def state_at(self, unit: Unit, node: Node, place: int) -> Symbol | None:
        """Return what a cell calls the state that it reads in one place at other steps; None where it reads none there."""
        found = self._states.get(Reading(unit.path, self.symbols.role(node), place), set()) if unit.is_cell else set()
        return next(iter(found)) if len(found) == 1 else None

    def alike(self, unit: Unit) -> object:
        """Return a key that is equal for units whose equations are the same."""
        places = {node: place for place, node in enumerate(unit.nodes)}
        outer: dict[Tensor, int] = {}

        def key(node: Node, place: int, tensor: Tensor | None) -> object:
            if tensor is None:
                return None
            if tensor.node is not None and tensor.node in places:
                return places[tensor.node], tensor.index
            if isinstance(tensor, Constant) and tensor.value.size <= MOST_NUMBERS:
                return tensor.dtype.str, tensor.shape, tensor.value.tobytes()
            if tensor in self.units.fixed:
                return tensor
            made = self.units.of.get(tensor.node) if tensor.node is not None else None
            if made is not None and made.path == unit.path and unit.is_cell and made.step is not None:
                return self.symbols.of(tensor), None if unit.step is None else made.step - unit.step
            zero = tensor.node is not None and is_zero(tensor.node)
            kept = tensor if isinstance(tensor, Placeholder) and tensor.name in self.graph.states else None
            number = outer.setdefault(tensor, len(outer))
            return self.state_at(unit, node, place), zero, kept, number, self.symbols.own(tensor)

        return tuple(
            (
                operator_key(node),
                tuple(key(node, place, tensor) for place, tensor in enumerate(node.inputs)),
                tuple(
                    (self.symbols.of(tensor) if tensor in self._outside else self.symbols.own(tensor), tensor.shape)
                    for tensor in node.outputs
                ),
            )
            for node in unit.nodes
        )

    def _handed_on(self) -> list[Tensor]:
        """Return what cells read that they have made at another step, or in another run."""
        found = [self.graph.tensor(name) for name in self.graph.states.values()]
        for node, unit in self.units.of.items():
            for tensor in node.inputs:
                made = self.units.of.get(tensor.node) if tensor is not None and tensor.node is not None else None
                if (
                    tensor is not None
                    and made is not None
                    and made is not unit
                    and made.path == unit.path
                    and unit.is_cell
                ):
                    found.append(tensor)
        return found

    def _read_outside(self) -> set[Tensor]:
        found = set(self.graph.outputs)
        for node in self.graph.nodes:
            here = self.units.of.get(node)
            for tensor in node.inputs:
                if tensor is not None and tensor.node is not None and self.units.of.get(tensor.node) is not here:
                    found.add(tensor)
        return found

    def _state_readings(self) -> Mapping[Reading, set[Symbol]]:
        """Return in which places cells read what they themselves have made at another step."""
        found: dict[Reading, set[Symbol]] = {}
        for node, unit in self.units.of.items():
            for place, tensor in enumerate(node.inputs):
                made = self.units.of.get(tensor.node) if tensor is not None and tensor.node is not None else None
                if tensor is None or made is None or not unit.is_cell or made.path != unit.path or made is unit:
                    continue
                if unit.step is not None and made.step is not None:
                    symbol = Symbol(self.symbols.of(tensor), "", made.step - unit.step)
                    found.setdefault(Reading(unit.path, self.symbols.role(node), place), set()).add(symbol)
        return found
