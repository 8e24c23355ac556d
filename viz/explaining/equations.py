"""The equations of one unit: what has a name stands on a line of its own, the rest within what reads it."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.ops.joining import Split
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Placeholder, Tensor
from unroll.viz.explaining.operators import operator_key, output_of, pieces_of, term_of
from unroll.viz.explaining.symbols import Symbols
from unroll.viz.explaining.terms import (
    Call,
    Cutting,
    Found,
    Infix,
    Joined,
    Name,
    Number,
    Symbol,
    Term,
    is_atom,
    leaves,
    names_in,
)
from unroll.viz.explaining.units import MOVING, Unit, Units, computes
from unroll.viz.explaining.weight_names import WeightNames, whole
from unroll.viz.explaining.writing import MOST_NUMBERS, Text, is_short, same
from unroll.viz.zero_states import is_zero

#: A term of more names and numbers than this stands on a line of its own.
_MOST = 10
_CUTTING = ("Slice", "Split")
#: What is cut into pieces may be larger: each piece is smaller.
_MOST_CUT = 64


class Equation(NamedTuple):
    """One line: what a name is.

    Attributes:
        symbol: the name.
        term: what it is.
        tensor: the tensor of the graph that it is.
    """

    symbol: Symbol
    term: Term
    tensor: Tensor


class Source(NamedTuple):
    """What a name in equations stands for that no line of them says.

    Attributes:
        symbol: the name.
        tensor: the tensor of the graph.
        is_state: whether it is what the cell has handed on.
        read_at: the place of the operator in its unit that reads it, and which of its inputs it is.
    """

    symbol: Symbol
    tensor: Tensor
    is_state: bool
    read_at: tuple[int, int]

    def in_unit(self, unit: Unit) -> Tensor | None:
        """Return what is read at that place in a unit that is explained in the same way."""
        node, place = self.read_at
        return unit.nodes[node].inputs[place]


class Block(NamedTuple):
    """The equations of one unit.

    Attributes:
        unit: the unit.
        equations: its lines, in order.
        sources: what is read from outside.
    """

    unit: Unit
    equations: list[Equation]
    sources: list[Source]


class Reading(NamedTuple):
    """Which input of which operator of a cell, whatever the step."""

    path: str
    role: str
    place: int


class Explainer:
    """Writes the equations of the units of a graph.

    Args:
        graph: the graph.
        units: its units.
        symbols: what their tensors are called.
    """

    def __init__(self, graph: Graph, units: Units, symbols: Symbols) -> None:
        self.graph, self.units, self.symbols = graph, units, symbols
        symbols.handed_on(self._handed_on())
        self._readers = _readers(graph, units)
        self.weights = WeightNames(self._readers, symbols.taken)
        self.cutting = Cutting(self.weights.symbol)
        self.constants: dict[str, str] = {}
        self._text = Text()
        self.numbers: list[Array] = []
        self._fixed: dict[Tensor, Term] = {}
        self._outside = self._read_outside()
        self._states = self._state_readings()

    def block(self, unit: Unit) -> Block:
        """Return the equations of a unit."""
        return _Writing(self, unit).block()

    def read_by(self, path: str) -> list[Parameter]:
        """Return the weights that the units of a path read, those of kernels before those of biases."""
        found = [item for item, paths in self._readers.items() if path in paths]
        return sorted(found, key=lambda item: item.rank < 2)

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

    def fixed(self, tensor: Tensor) -> Term:
        """Return a weight, a constant, or what is made of them, as a term."""
        waiting = [tensor]
        while waiting:
            item = waiting[-1]
            node = item.node
            if item not in self._fixed:
                before = [
                    other for other in (node.inputs if node else ()) if other is not None and other not in self._fixed
                ]
                if before:
                    waiting.extend(before)
                    continue
                self._fixed[item] = self._fixed_term(item)
            waiting.pop()
        return self._fixed[tensor]

    def _fixed_term(self, tensor: Tensor) -> Term:
        node = tensor.node
        if isinstance(tensor, Parameter):
            region = whole(tensor)
            return Name(tensor.shape, Found(tensor), self.weights.symbol(region, False), region)
        if isinstance(tensor, Constant):
            return Number(tensor.shape, Found(tensor), tensor.value)
        if node is None:
            return self._named_constant(tensor)
        operands = [None if item is None else self._fixed[item] for item in node.inputs]
        if len(node.outputs) > 1 or isinstance(node.op, Split):
            pieces = pieces_of(node, operands[0], self.cutting) if operands and operands[0] is not None else None
            return self._named_constant(tensor) if pieces is None else pieces[tensor.index]
        term = term_of(node, operands, self.cutting)
        return term if leaves(term) <= _MOST_CUT and _is_plain(term) else self._named_constant(tensor)

    def written(self, term: Term) -> Term:
        """Return a term with names for constants that are too large to be written."""
        parts = tuple(self.written(part) for part in term.parts)
        if isinstance(term, Number) and not is_short(term.value):
            place = next((at for at, known in enumerate(self.numbers) if same(known, term.value)), len(self.numbers))
            self.numbers[place:] = self.numbers[place:] or [term.value]
            return Name(term.shape, term.found, Symbol(f"C{place + 1}"))
        if isinstance(term, (Joined, Call)):
            return replace(term, inner=parts)
        return replace(term, inner=(parts[0], parts[1])) if isinstance(term, Infix) else term

    def _named_constant(self, tensor: Tensor) -> Name:
        """Return a weight that is made of others by a name of its own; what is made in the same way has one name."""
        node = tensor.node
        operands = [None if item is None else self._fixed[item] for item in node.inputs] if node is not None else []
        if node is None:
            text = tensor.label
        else:
            several = len(node.outputs) > 1
            made = output_of(node, tensor.index, operands) if several else term_of(node, operands, self.cutting)
            text = self._text.term(self.written(made))
        name = self.constants.setdefault(text, f"M{len(self.constants) + 1}")
        return Name(tensor.shape, Found(tensor), Symbol(name))

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


def _only_moves(term: Term) -> bool:
    """Say whether a term only moves elements."""
    waiting = [term]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Infix) or (isinstance(item, Call) and item.function not in MOVING):
            return False
        waiting.extend(item.parts)
    return True


def _is_plain(term: Term) -> bool:
    """Say whether a weight that is made of others can be read in a formula: no zeros without a size, no other operators."""
    waiting = [term]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Call) and not item.by_element:
            return False
        if isinstance(item, Joined) and any(isinstance(part, Number) for part in item.inner):
            return False
        waiting.extend(item.parts)
    return True


def _readers(graph: Graph, units: Units) -> dict[Parameter, dict[str, None]]:
    """Return for each weight the paths of the units that read it, or what is made of it."""
    found: dict[Parameter, dict[str, None]] = {item: {} for item in graph.parameters.values()}
    bases: dict[Tensor, dict[Parameter, None]] = {item: {item: None} for item in found}
    for node in graph.nodes:
        unit = units.of.get(node)
        read = {item: None for tensor in node.inputs if tensor in bases for item in bases[tensor]}
        if unit is None:
            bases |= dict.fromkeys((tensor for tensor in node.outputs if tensor in units.fixed), read)
        else:
            for item in read:
                found[item][unit.path] = None
    return found


def in_order(lines: Sequence[Equation], gates: Sequence[str]) -> list[Equation]:
    """Return lines with the gates in their order first, and each line behind those that it reads."""
    place = {line.symbol: at for at, line in enumerate(lines)}
    rank = {gate: at for at, gate in enumerate(gates)}
    reads = [
        {place[name.symbol] for name in names_in([line.term]) if name.symbol in place} - {at}
        for at, line in enumerate(lines)
    ]
    read_by: dict[int, list[int]] = {}
    for at, before in enumerate(reads):
        for other in before:
            read_by.setdefault(other, []).append(at)
    waiting = [len(before) for before in reads]
    # By name: in which order the operators of a step stand may differ from step to step.
    key = [(rank.get(line.symbol.base, len(gates)), line.symbol.base, at) for at, line in enumerate(lines)]
    ready = [key[at] for at, count in enumerate(waiting) if not count]
    heapq.heapify(ready)
    found = []
    while ready:
        *_, at = heapq.heappop(ready)
        found.append(lines[at])
        for other in read_by.get(at, ()):
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, key[other])
    return found if len(found) == len(lines) else list(lines)


class _Writing:
    """Writes the equations of one unit."""

    def __init__(self, explainer: Explainer, unit: Unit) -> None:
        self._of, self._unit = explainer, unit
        self._at = 0
        self._terms: dict[Tensor, Term] = {}
        self._equations: list[Equation] = []
        self._sources: dict[Symbol, Source] = {}
        self._inside = set(unit.nodes)
        self._readers: dict[Tensor, list[Node]] = {}
        for node in unit.nodes:
            for tensor in node.inputs:
                if tensor is not None:
                    self._readers.setdefault(tensor, []).append(node)
        self._inputs = self._outer_inputs()

    def block(self) -> Block:
        for at, node in enumerate(self._unit.nodes):
            self._at = at
            self._add(node)
        lines = in_order(self._needed(), self._gates())
        read = {name.symbol for name in names_in([line.term for line in lines])}
        return Block(self._unit, lines, [source for source in self._sources.values() if source.symbol in read])

    def _gates(self) -> list[str]:
        """Return the gates of the cell in the order of its weights."""
        read = (item for name in self._of.read_by(self._unit.path) for item in [name.blocks] if item is not None)
        return list(dict.fromkeys(gate for blocks in read for gate, _ in blocks.columns))

    def _add(self, node: Node) -> None:
        operands = [
            None if tensor is None else self._operand(tensor, node, place) for place, tensor in enumerate(node.inputs)
        ]
        most = _MOST_CUT if all(self._is_cut(tensor) for tensor in node.outputs) else _MOST
        while sum(leaves(term) for term in operands if term is not None) > most:
            inner = [
                (leaves(term), -place, tensor, term)
                for place, (tensor, term) in enumerate(zip(node.inputs, operands, strict=True))
                if tensor is not None and term is not None and tensor in self._terms and term.parts
            ]
            if not inner:
                break
            _, place, tensor, term = max(inner, key=lambda item: item[:2])
            operands[-place] = self._named(tensor, term)
        several = len(node.outputs) > 1 or isinstance(node.op, Split)
        terms = self._pieces(node, operands) if several else [term_of(node, operands, self._of.cutting)]
        for tensor, term in zip(node.outputs, terms, strict=True):
            self._terms[tensor] = self._named(tensor, term) if self._stands_alone(tensor, term) else term

    def _pieces(self, node: Node, operands: Sequence[Term | None]) -> list[Term]:
        """Return what the outputs of an operator of several are; by their names where no formula says it."""
        first = operands[0] if operands else None
        pieces = pieces_of(node, first, self._of.cutting) if first is not None else None
        if pieces is None and first is not None and node.inputs[0] is not None and not isinstance(first, Name):
            pieces = pieces_of(node, self._named(node.inputs[0], first), self._of.cutting)
        if pieces is not None:
            return pieces
        return [output_of(node, place, operands) for place in range(len(node.outputs))]

    def _stands_alone(self, tensor: Tensor, term: Term) -> bool:
        symbols = self._of.symbols
        if isinstance(term, Name) and term.symbol.base == symbols.own(tensor):
            return False  # it has its name already
        if symbols.own(tensor) or self._of.is_read_outside(tensor):
            return True
        return len(self._readers.get(tensor, ())) > 1 and not is_atom(term) and not self._is_cut(tensor)

    def _is_cut(self, tensor: Tensor) -> bool:
        """Say whether all that reads a tensor cuts pieces of it."""
        return bool(self._readers.get(tensor)) and all(node.op.name in _CUTTING for node in self._readers[tensor])

    def _named(self, tensor: Tensor, term: Term) -> Name:
        """Write a line for a tensor, and return its name."""
        symbol = self._symbol(self._of.symbols.of(tensor))
        self._equations.append(Equation(symbol, self._of.written(term), tensor))
        name = Name(tensor.shape, Found(tensor), symbol)
        self._terms[tensor] = name
        return name

    def _symbol(self, base: str, time: int = 0) -> Symbol:
        return Symbol(base, "", time, None) if self._unit.step is not None else Symbol(base)

    # -- what is read from outside ------------------------------------------------------------------------------------

    def _operand(self, tensor: Tensor, node: Node, place: int) -> Term:
        if tensor in self._terms:
            return self._terms[tensor]
        if tensor in self._of.units.fixed:
            return self._of.fixed(tensor)
        units, unit = self._of.units, self._unit
        made = units.of.get(tensor.node) if tensor.node is not None else None
        state = self._of.state_at(unit, node, place)
        if (
            made is not None
            and made.path == unit.path
            and unit.is_cell
            and made.step is not None
            and unit.step is not None
        ):
            symbol = self._symbol(self._of.symbols.of(tensor), made.step - unit.step)
            return self._source(tensor, symbol, True, (self._at, place))
        if state is None and isinstance(tensor, Placeholder) and tensor.name in self._of.graph.states:
            after = self._of.graph.tensor(self._of.graph.states[tensor.name])
            state = Symbol(self._of.symbols.of(after), "", -1)
        if state is not None:
            return self._source(tensor, state, True, (self._at, place))
        if tensor.node is not None and is_zero(tensor.node):
            return Number(tensor.shape, Found(tensor), np.zeros((), tensor.dtype))
        return self._source(tensor, self._symbol(self._inputs[tensor]), False, (self._at, place))

    def _source(self, tensor: Tensor, symbol: Symbol, is_state: bool, read_at: tuple[int, int]) -> Name:
        known = self._sources.get(symbol)
        if known is not None and known.tensor is not tensor:  # two of one name, such as zeros of two states
            symbol = self._free(symbol, tensor)
        self._sources[symbol] = Source(symbol, tensor, is_state, read_at)
        name = Name(tensor.shape, Found(tensor), symbol)
        if not is_state:
            self._terms[tensor] = name
        return name

    def _free(self, symbol: Symbol, tensor: Tensor) -> Symbol:
        count, other = 2, symbol
        while other in self._sources and self._sources[other].tensor is not tensor:
            other = symbol._replace(base=f"{symbol.base}{count}")
            count += 1
        return other

    def _outer_inputs(self) -> dict[Tensor, str]:
        """Return what the inputs of a unit are called that are no states: x, or x1, x2 and so on."""
        found: dict[Tensor, None] = {}
        for node in self._unit.nodes:
            for tensor in node.inputs:
                if tensor is None or tensor in self._of.units.fixed or tensor.node in self._inside:
                    continue
                found[tensor] = None
        inputs = [tensor for tensor in found if not self._may_be_state(tensor)]
        names, taken = {}, set(self._of.symbols.taken(self._unit.path))
        for tensor in [*inputs, *(tensor for tensor in found if tensor not in set(inputs))]:
            own = self._of.symbols.own(tensor)
            if len(inputs) > 1 and own and own not in taken:
                names[tensor] = own
            else:
                count = 1
                base = "x" if len(inputs) == 1 and tensor in inputs and "x" not in taken else ""
                while not base or base in taken:
                    base, count = f"x{count}", count + 1
                names[tensor] = base
            taken.add(names[tensor])
        return names

    def _may_be_state(self, tensor: Tensor) -> bool:
        """Say whether a tensor is a state wherever this unit reads it."""
        units, unit = self._of.units, self._unit
        kept = isinstance(tensor, Placeholder) and tensor.name in self._of.graph.states
        if kept or (tensor.node is not None and is_zero(tensor.node)):
            return True
        made = units.of.get(tensor.node) if tensor.node is not None else None
        if made is not None and made.path == unit.path and made.is_cell:
            return True
        places = [(node, place) for node in unit.nodes for place, item in enumerate(node.inputs) if item is tensor]
        return all(self._of.state_at(unit, node, place) is not None for node, place in places)

    def _needed(self) -> list[Equation]:
        """Return the lines that say something: not those of moved elements that nothing here reads."""
        read = {name.symbol for line in self._equations for name in names_in([line.term])}
        shown = set(self._of.graph.outputs)
        return [
            line
            for line in self._equations
            if line.symbol in read
            or (line.tensor.node is not None and computes(line.tensor.node))
            or (self._of.is_read_outside(line.tensor) and (self._unit.is_cell or not _only_moves(line.term)))
            or line.tensor in shown
        ]
