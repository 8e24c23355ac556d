"""Weights, constants, and what is made of them once, as terms."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace

from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.ops.joining import Split
from unroll.parameter import Parameter
from unroll.tensor import Constant, Tensor
from unroll.viz.explaining.cutting import Cutting
from unroll.viz.explaining.operators import output_of, pieces_of, term_of
from unroll.viz.explaining.terms import Call, Found, Infix, Joined, Name, Number, Symbol, Term, leaves
from unroll.viz.explaining.units import Units
from unroll.viz.explaining.weight_names import WeightNames, whole
from unroll.viz.explaining.writing import TEXT, is_short, same

#: What is made of weights is written as a formula of at most so many names and numbers, else by a name.
_MOST = 64


class WeightTerms:
    """What every run finds the same, as terms.

    Args:
        graph: the graph.
        units: its units.
        taken: for the path of a unit, the names that stand for something else there.

    Attributes:
        cutting: cuts terms at the blocks of the weights.
        made: for what is made of weights, as text, the name that it has.
        numbers: the constants that have names, C1 and so on.
    """

    def __init__(self, graph: Graph, units: Units, taken: Callable[[str], Container[str]]) -> None:
        self._readers = _readers(graph, units)
        self._names = WeightNames(self._readers, taken)
        self.cutting = Cutting(self._names.symbol)
        self.made: dict[str, str] = {}
        self.numbers: list[Array] = []
        self._fixed: dict[Tensor, Term] = {}

    def read_by(self, path: str) -> list[Parameter]:
        """Return the weights that the units of a path read, those of kernels before those of biases."""
        found = [item for item, paths in self._readers.items() if path in paths]
        return sorted(found, key=lambda item: item.rank < 2)

    def term(self, tensor: Tensor) -> Term:
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
            return Name(tensor.shape, Found(tensor), self._names.symbol(region, False), region)
        if isinstance(tensor, Constant):
            return Number(tensor.shape, Found(tensor), tensor.value)
        if node is None:
            return self._named_constant(tensor)
        operands = [None if item is None else self._fixed[item] for item in node.inputs]
        if len(node.outputs) > 1 or isinstance(node.op, Split):
            pieces = pieces_of(node, operands[0], self.cutting) if operands and operands[0] is not None else None
            return self._named_constant(tensor) if pieces is None else pieces[tensor.index]
        term = term_of(node, operands, self.cutting)
        return term if leaves(term) <= _MOST and _is_plain(term) else self._named_constant(tensor)

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
            text = TEXT.term(self.written(made))
        name = self.made.setdefault(text, f"M{len(self.made) + 1}")
        return Name(tensor.shape, Found(tensor), Symbol(name))


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
