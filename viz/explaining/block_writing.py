"""Writing the equations of one unit: what has a name stands on a line of its own, the rest within what reads it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from unroll.ops.joining import Split
from unroll.tensor import Node, Placeholder, Tensor
from unroll.viz.explaining.context import Context
from unroll.viz.explaining.equations import Block, Equation, Source, in_order
from unroll.viz.explaining.operators import output_of, pieces_of, term_of
from unroll.viz.explaining.terms import Call, Found, Infix, Name, Number, Symbol, Term, is_atom, leaves, names_in
from unroll.viz.explaining.units import MOVING, Unit, computes
from unroll.viz.zero_states import is_zero

#: A term of more names and numbers than this stands on a line of its own.
_MOST = 10
#: What is cut into pieces may be larger: each piece is smaller.
_MOST_CUT = 64
_CUTTING = ("Slice", "Split")


def block_of(context: Context, unit: Unit) -> Block:
    """Return the equations of a unit."""
    return _Writing(context, unit).block()


class _Writing:
    """Writes the equations of one unit."""

    def __init__(self, context: Context, unit: Unit) -> None:
        self._of, self._unit = context, unit
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
        read = (
            item for name in self._of.weights.read_by(self._unit.path) for item in [name.blocks] if item is not None
        )
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
        terms = self._pieces(node, operands) if several else [term_of(node, operands, self._of.weights.cutting)]
        for tensor, term in zip(node.outputs, terms, strict=True):
            self._terms[tensor] = self._named(tensor, term) if self._stands_alone(tensor, term) else term

    def _pieces(self, node: Node, operands: Sequence[Term | None]) -> list[Term]:
        """Return what the outputs of an operator of several are; by their names where no formula says it."""
        first = operands[0] if operands else None
        pieces = pieces_of(node, first, self._of.weights.cutting) if first is not None else None
        if pieces is None and first is not None and node.inputs[0] is not None and not isinstance(first, Name):
            pieces = pieces_of(node, self._named(node.inputs[0], first), self._of.weights.cutting)
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
        self._equations.append(Equation(symbol, self._of.weights.written(term), tensor))
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
            return self._of.weights.term(tensor)
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
        counts = itertools.count(1)
        for tensor in dict.fromkeys([*inputs, *found]):
            name = self._of.symbols.own(tensor) if len(inputs) > 1 else "x" if [tensor] == inputs else ""
            while not name or name in taken:
                name = f"x{next(counts)}"
            names[tensor] = name
            taken.add(name)
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
        readers = self._readers[tensor]
        places = [(node, place) for node in readers for place, item in enumerate(node.inputs) if item is tensor]
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


def _only_moves(term: Term) -> bool:
    """Say whether a term only moves elements."""
    waiting = [term]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Infix) or (isinstance(item, Call) and item.function not in MOVING):
            return False
        waiting.extend(item.parts)
    return True
