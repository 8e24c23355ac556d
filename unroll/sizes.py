"""A number for each symbol of a graph's inputs: those that are given by name, and others that the graph allows.

`dims` has one meaning everywhere, ``{"time": 28}``: the size of the symbol that is called so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from unroll.dimensions import Dim, Dimension, Least, Requirement, shape_text, solve, substitute, symbol
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError
from unroll.graph import Graph
from unroll.tensor import Constant, Node, Tensor
from unroll.words import closest

#: A longer axis is not taken for one that is unrolled over.
_LONG = 1 << 16
#: Numbers of attempts: to find sizes that requirements allow, and to make them large enough for all that is cut off.
_ATTEMPTS, _LARGER = 2000, 40


def symbols_of(graph: Graph) -> dict[str, Dim]:
    """Return the symbols of a graph's inputs, as they were declared, and the dimension that each is equal to in the
    graph.
    """
    found: dict[str, Dim] = {}
    for tensor in graph.inputs:
        for declared, dim in zip(tensor.shape, graph.shape(tensor), strict=True):
            names = declared.symbols if isinstance(declared, Dimension) else ()
            for name in names:
                lone = declared == symbol(name)
                found[name] = dim if lone else found.get(name, symbol(name))
    free = {name for dim in found.values() if isinstance(dim, Dimension) for name in dim.symbols}
    shown = (dim for tensor in graph.inputs for dim in graph.shape(tensor) if isinstance(dim, Dimension))
    free |= {name for dim in shown for name in dim.symbols}
    return found | {name: symbol(name) for name in sorted(free) if name not in found}


def checked_dims(dims: object, names: Iterable[str], what: str) -> dict[str, int]:
    """Return sizes given by name, checked.

    Args:
        dims: ``{symbol: size}``; None for none.
        names: the symbols there are.
        what: who asks, for messages.

    Raises:
        ArgumentTypeError: not a dict of ints.
        ArgumentError: a size below 0, or a name that no symbol has; the message lists those there are.
    """
    if dims is None:
        return {}
    if not isinstance(dims, Mapping):
        raise ArgumentTypeError(f"{what}: dims: a dict {{symbol: size}} is wanted, not {type(dims).__name__}")
    known = list(names)
    found: dict[str, int] = {}
    for name, size in dims.items():
        if not isinstance(name, str) or name not in known:
            there = f"{closest(str(name), known)}" if known else "every size of its inputs is fixed"
            raise ArgumentError(f"{what}: dims hold {name!r}, which is no symbol of the inputs; {there}")
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
            raise ArgumentTypeError(f"{what}: dims: {name} = {size!r} is not an int")
        if size < 0:
            raise ArgumentError(f"{what}: dims: {name} = {size}; at least 0 is wanted")
        found[name] = int(size)
    return found


class Sizes:
    """Finds numbers for the symbols of one graph's inputs.

    Args:
        graph: the graph.
        dims: sizes that are asked for; checked.
        what: who asks, for messages.
    """

    def __init__(self, graph: Graph, dims: Mapping[str, int], what: str) -> None:
        self._what, self._dims = what, dims
        self._symbols = symbols_of(graph)
        self.free = free_symbols(graph)
        self._fixed = {name: size for name, size in dims.items() if name in self.free}
        given = [Requirement(self._symbols[name], size, f"dims: {name} = {size}") for name, size in dims.items()]
        self._needs = [
            item._replace(left=substitute(item.left, self._fixed), right=substitute(item.right, self._fixed))
            for item in (*graph.residual_requirements, *given)
            if isinstance(item, Requirement)
        ]
        self._open = [name for name in self.free if name not in self._fixed]
        self._inner = _dimensions(graph, self._symbols)
        self._asked: dict[Dim, int] = {}
        for item in graph.residual_requirements:
            if isinstance(item, Least):
                self._asked[item.size] = max(item.least, self._asked.get(item.size, 0))
        self._read = _least_read(graph)

    def undecided(self) -> list[str]:
        """Return the symbols that neither `dims` nor what the graph requires gives a number."""
        try:
            values = solve(self._needs).values
        except ShapeError:
            return []  # there are no sizes at all, which is said when they are looked for
        return [name for name in self._open if not isinstance(values.get(name), int)]

    def near(self, wish: Mapping[str, int]) -> dict[str, int]:
        """Return a number for each symbol of the inputs, as near to a wish as what the graph requires allows.

        Args:
            wish: a number of at least 1 for each of `free`.

        Raises:
            ArgumentError: there are none; the message says what is required, and to give `dims`.
        """
        none = {name for name, size in self._fixed.items() if size == 0}
        least = {d: 0 if d.symbols <= self._fixed.keys() or d.symbols & none else 1 for d in self._inner}
        least |= {d: max(size, self._asked.get(d, 0)) for d, size in least.items() if size}
        for read in (self._read, {}):  # what is cut off must leave something, where that can be
            for more in range(_LARGER if self._open else 1):
                open_ = {name: max(wish[name], self._asked.get(symbol(name), 0)) + more for name in self._open}
                sizes = self._fixed | _solved(self._needs, open_, self._what)
                numbers = ((dim, substitute(dim, sizes)) for dim in self._inner)
                short = [d for d, size in numbers if isinstance(size, int) and size < max(least[d], read.get(d, 0))]
                if not short:
                    return {name: _number(dim, sizes, self._what) for name, dim in self._symbols.items()}
        given = "; give other dims" if self._dims else '; give their sizes as dims={"name": size}, or feeds'
        wanted = f"{short[0]} is at least {least[short[0]]}"
        raise ArgumentError(f"{self._what}: no sizes of {', '.join(self.free)} were found at which {wanted}{given}")


def free_symbols(graph: Graph) -> list[str]:
    """Return the symbols of a graph's inputs that are not known by others, in order."""
    dims = (dim for tensor in graph.inputs for dim in graph.shape(tensor) if isinstance(dim, Dimension))
    return sorted({name for dim in dims for name in dim.symbols})


def read_out(graph: Graph) -> dict[str, int]:
    """Return the symbols of which every position is read by a number of its own, and how many there are.

    An axis that is unrolled over: its name says nothing, and only that many steps run.
    """
    read: dict[str, set[int]] = {}
    for dim, places in _places(graph):
        if len(places) < _LONG and dim == symbol(str(dim)):
            read.setdefault(str(dim), set()).update(places)
    return {name: len(seen) for name, seen in read.items() if len(seen) > 1 and seen == set(range(len(seen)))}


def _least_read(graph: Graph) -> dict[Dimension, int]:
    """Return by dimension how large it must be for every fixed position that is read to be there."""
    least: dict[Dimension, int] = {}
    for dim, places in _places(graph):
        need = _reach(places[0]) if len(places) >= _LONG else max(map(_reach, places), default=0)
        least[dim] = max(least.get(dim, 0), need)
    return least


def _reach(place: int) -> int:
    return place + 1 if place >= 0 else -place


def _places(graph: Graph) -> Iterator[tuple[Dimension, Sequence[int]]]:
    """Yield the dimensions of which fixed positions are read, and these."""
    free = free_symbols(graph)
    for node in graph.nodes if free else ():
        first = node.inputs[0] if node.inputs else None
        if first is None or node.op.name not in ("Gather", "Slice"):
            continue
        for axis, places in _positions(node):
            if isinstance(first.shape[axis], Dimension):
                dim = graph.shape(first)[axis]
                if isinstance(dim, Dimension):
                    yield dim, places


def _positions(node: Node) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield the axes of which a node reads fixed positions, and which: a range that is `_LONG` has no end."""
    values = [_ints(tensor) for tensor in node.inputs[1:]]
    if node.op.name == "Gather":
        if values[0] is not None:
            yield node.op.attributes.get("axis", 0), values[0]
        return
    starts, ends, axes, steps = (*values, None, None)[:4]
    if starts is None or ends is None or (len(values) > 2 and axes is None) or (len(values) > 3 and steps is None):
        return
    for start, end, axis, step in zip(
        starts, ends, axes or range(len(starts)), steps or [1] * len(starts), strict=False
    ):
        if step == 1 and -_LONG < start < _LONG:
            whole = end >= _LONG or end < 0
            yield axis, range(start, start + _LONG) if whole else range(start, end)


def _ints(tensor: Tensor | None) -> list[int] | None:
    if isinstance(tensor, Constant) and tensor.dtype.kind == "i":
        return [int(value) for value in tensor.value.ravel()]
    return None


def _dimensions(graph: Graph, symbols: Mapping[str, Dim]) -> list[Dimension]:
    """Return every polynomial among the shapes of a graph."""
    shapes = {tensor.shape for node in graph.nodes for tensor in node.outputs}
    shapes.update(tensor.shape for tensor in graph.inputs)
    found = sorted({dim for shape in shapes for dim in shape if isinstance(dim, Dimension)}, key=str)
    values = {name: dim for name, dim in symbols.items() if dim != symbol(name)}
    return [dim for dim in (substitute(dim, values) for dim in found) if isinstance(dim, Dimension)]


def _number(dim: Dim, sizes: Mapping[str, int], what: str) -> int:
    value = substitute(dim, sizes)
    if not isinstance(value, int) or value < 0:
        raise ArgumentError(f"{what}: an input would have size {value} ({dim}); give dims of which it has one")
    return value


def _solved(needs: list[Requirement], wish: Mapping[str, int], what: str) -> dict[str, int]:
    """Return numbers near `wish` that satisfy equalities: tried one symbol after the other, each next to its wish first."""
    attempts = itertools.count()

    def extended(given: list[Requirement], names: list[str]) -> dict[str, Dim] | None:
        if next(attempts) > _ATTEMPTS:
            return None
        try:
            values = solve([*given, *needs]).values
        except ShapeError:
            return None
        if any(isinstance(values.get(name), int) and int(values[name]) < 0 for name in wish):
            return None
        open_ = [name for name in names if not isinstance(values.get(name), int)]
        if not open_:
            return values
        name = open_[0]
        for size in _near(wish[name]):
            found = extended([*given, Requirement(symbol(name), size, name)], open_[1:])
            if found is not None:
                return found
        return None

    tied = {name for item in needs for dim in item[:2] if isinstance(dim, Dimension) for name in dim.symbols}
    found = extended([], [name for name in wish if name in tied])
    if found is None:
        wanted = "; ".join(f"{item.left} = {item.right} ({item.where})" for item in needs[:4])
        raise ArgumentError(
            f"{what}: no sizes of {', '.join(sorted(tied))} were found at which {wanted}; give them as dims"
        )
    return {name: int(value) if isinstance(value := found.get(name, wish[name]), int) else wish[name] for name in wish}


def _near(size: int) -> Iterator[int]:
    """Yield sizes of at least 1, those near to `size` first."""
    yield size
    for far in range(1, 25):
        yield size + far
        if size - far >= 1:
            yield size - far


def shown(graph: Graph) -> str:
    """Return the inputs with their shapes, for messages."""
    return ", ".join(f"{spec.name} {shape_text(spec.shape)}" for spec in graph.input_specs)
