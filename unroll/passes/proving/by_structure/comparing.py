"""Two graphs held against each other by their forms: no feeds, and no values of Parameters.

A Parameter stands for whole numbers that are drawn for it, so that what is cut, joined and added of weights is exact,
however it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unroll.dimensions import Dim, Limit, Shape
from unroll.dtypes import Array
from unroll.graph import Graph
from unroll.ops.functions import Cast
from unroll.parameter import Parameter
from unroll.passes.proving.by_structure.atoms import Atom, Atoms, Form, Value
from unroll.passes.proving.by_structure.moving import UnlikeError
from unroll.passes.proving.by_structure.operators import RULES, made_by
from unroll.passes.proving.by_structure.values import Values
from unroll.passes.tools.rewriting import is_known, op_key
from unroll.tensor import Constant, Node, Tensor

#: The whole numbers that a weight is drawn from, and their opposites.
_LEAST, _MOST = 1, 2**10
#: The largest number of the narrowest dtype of integers.
_INT32 = int(np.iinfo(np.int32).max)
#: Operators that only move what they read.
_MOVING = frozenset("Concat Gather Identity Reshape Slice Split Squeeze Transpose Unsqueeze".split())  # noqa: SIM905 (a list of words, to be read as one)


def same_forms(a: Graph, b: Graph, flat: Callable[[Graph], Graph]) -> bool:
    """Say whether two graphs are known to compute the same, by their forms alone.

    Args:
        a: a graph.
        b: another of the same Parameters, whose inputs and outputs go by the same names.
        flat: writes the loops of a graph out.
    """
    values = Values(Atoms())
    weights: dict[Parameter, Array] = {}
    try:
        left, right = (_outputs(flat(graph), values, weights) for graph in (a, b))
    except RecursionError:  # a move that is carried through more steps than there can be calls
        return False
    return list(left) == list(right) and all(
        value is not None and values.atoms.key(value) == values.atoms.key(right[name]) for name, value in left.items()
    )


def _outputs(graph: Graph, values: Values, weights: dict[Parameter, Array]) -> dict[str, Value]:
    """Return what the outputs of a graph are, by their names."""
    reading = _Reading(graph, values, weights)
    for node in graph.nodes:
        reading.add(node)
    found = {name: reading.of(tensor) for name, tensor in zip(graph.output_names, graph.outputs, strict=True)}
    return {name: values.each(values.settled, value) for name, value in found.items()}


class _Reading:
    """Finds what each tensor of a graph is."""

    def __init__(self, graph: Graph, values: Values, weights: dict[Parameter, Array]) -> None:
        self._graph, self._values, self._weights = graph, values, weights
        self._found: dict[Tensor, Value] = {}
        self._states = _states(graph)
        self._counts: dict[object, int] = {}
        limits = [item for item in graph.requirements if isinstance(item, Limit)]
        #: Inputs that are fed whole numbers so small that every dtype of integers holds them, as lengths are.
        self._small = {
            tensor
            for tensor in graph.inputs
            for item in limits
            if item.name == tensor.name and item.least >= 0 and isinstance(item.most, int) and item.most <= _INT32
        }
        for place, tensor in enumerate(graph.inputs):
            key = ("input", tensor.name, str(tensor.dtype))
            self._found[tensor] = values.of(values.atoms.add(key, Atom(graph.shape(tensor), "input", place)))

    def of(self, tensor: Tensor) -> Value:
        """Return what a tensor is."""
        found = self._found.get(tensor)
        if found is None:
            found = self._found[tensor] = self._leaf(tensor)
        return found

    def _leaf(self, tensor: Tensor) -> Form:
        if isinstance(tensor, Constant):
            value = tensor.value
            return self._values.number(value.astype(np.float64) if value.dtype.kind == "f" else value)
        assert isinstance(tensor, Parameter)
        if tensor.dtype.kind != "f":
            return self._values.atomic(("Parameter", id(tensor)), tensor.shape)
        if tensor not in self._weights:
            rng = np.random.default_rng([len(self._weights), 7])
            whole = rng.integers(_LEAST, _MOST, tensor.value.shape) * rng.choice([-1, 1], tensor.value.shape)
            self._weights[tensor] = whole.astype(np.float64)
        return self._values.number(self._weights[tensor])

    def add(self, node: Node) -> None:
        """Take up a node whose inputs were taken up before."""
        read = [None if tensor is None else self.of(tensor) for tensor in node.inputs]
        for tensor, value in zip(node.outputs, self._made(node, read), strict=True):
            self._found[tensor] = self._values.whole(value) if tensor in self._states else value

    def _made(self, node: Node, read: Sequence[Value | None]) -> Sequence[Value]:
        known = _known(node.outputs[0])
        if known is not None:
            return [self._values.number(known)]
        if isinstance(node.op, Cast) and node.inputs[0] in self._small and node.op.to.kind == "i":
            return [value for value in read if value is not None]
        if is_known(node.op):
            found = self._computed(node, read)
            if found is not None:
                return found
            given = [value for value in read if value is not None]
            try:
                if len(given) == len(read) or node.op.name in RULES:
                    return made_by(self._values, node, given, self._graph.shape(node.outputs[0]))
            except UnlikeError:
                pass
        return self._atoms(node, read)

    def _computed(self, node: Node, read: Sequence[Value | None]) -> list[Value] | None:
        """Return the numbers that a node makes of numbers."""
        if not read or any(not isinstance(size, int) for tensor in node.outputs for size in tensor.shape):
            return None
        arrays = [None if value is None else self._values.full(value) for value in read]
        if any(array is None and value is not None for array, value in zip(arrays, read, strict=True)):
            return None
        try:
            with np.errstate(all="ignore"):
                results = node.op.evaluate_wide(*arrays)
        except (ValueError, IndexError, ZeroDivisionError):
            return None
        listed = list(results) if isinstance(results, (list, tuple)) else [results]
        return [self._values.number(np.asarray(array)) for array in listed]

    def _atoms(self, node: Node, read: Sequence[Value | None]) -> list[Value]:
        """Return an atom for each output, known by the operator and what it reads."""
        settled = [None if value is None else self._values.each(self._values.settled, value) for value in read]
        key: tuple[object, ...] = (_operator(node), *map(self._values.atoms.key, settled))
        if not is_known(node.op):  # it may draw random numbers: each is itself
            self._counts[key] = self._counts.get(key, 0) + 1
            key = (*key, self._counts[key])
        return [
            self._values.atomic((key, tensor.index, str(tensor.dtype)), self._graph.shape(tensor))
            for tensor in node.outputs
        ]


def _operator(node: Node) -> object:
    return op_key(node) if is_known(node.op) else node.op


def _known(tensor: Tensor) -> Array | None:
    """Return the numbers of a tensor that are known while tracing."""
    if tensor.known is None:
        return None
    dims: tuple[Dim, ...] = tensor.known if isinstance(tensor.known, tuple) else (tensor.known,)
    if not all(isinstance(dim, int) for dim in dims):
        return None
    shape: Shape = tensor.shape
    return np.array([int(dim) for dim in dims], tensor.dtype).reshape([int(size) for size in shape])


def _states(graph: Graph) -> set[Tensor]:
    """Return the tensors that stand as a whole: those that are multiplied with a matrix, and those that a function is of and
    something else reads as well. Else a state would be multiplied out over all steps before it.
    """
    readers: dict[Tensor, int] = {}
    for node in graph.nodes:
        for tensor in node.inputs:
            if tensor is not None:
                readers[tensor] = readers.get(tensor, 0) + 1
    found: set[Tensor] = set()
    for node in graph.nodes:
        first = node.inputs[0] if node.inputs else None
        if first is None:
            continue
        if node.op.name in ("MatMul", "Gemm"):
            _mark(first, found)
        elif node.op.name in ("Tanh", "Sigmoid", "Relu") and readers[first] > 1:
            found.add(first)
    return found


def _mark(tensor: Tensor, found: set[Tensor]) -> None:
    """Mark a tensor, and what it is moved from."""
    waiting = [tensor]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        if one.node is not None and one.node.op.name in _MOVING:
            waiting += [source for source in one.node.inputs if source is not None]
