"""Which operator of one graph is which of another: by what it computes, by what becomes of it, by its neighbours and its name.

An operator whose inputs are computed alike is matched by a digest from the inputs down; one whose outputs are used alike, by a
digest from the outputs up. So all but the changed one are matched where one operator is added, removed or changed. What lies
between several changes is matched step by step from what is, and at last by names.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from unroll.graph import Graph
from unroll.ops.opaque import Opaque
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Placeholder, Tensor

#: An operator that reads a tensor, and as which of its inputs.
Reader = tuple[Node, int]


class Side:
    """One of two graphs.

    Args:
        graph: the graph.

    Attributes:
        graph: the graph.
        labels: for each node its operator with its attributes, as a digest.
        readers: what reads each tensor.
        given: what outputs each tensor is, by name.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        known: dict[int, bytes] = {}
        self.labels: dict[Node, bytes] = {}
        self.readers: dict[Tensor, list[Reader]] = {}
        for node in graph.nodes:
            if id(node.op) not in known:
                known[id(node.op)] = op_label(node)
            self.labels[node] = known[id(node.op)]
            for place, tensor in enumerate(node.inputs):
                if tensor is not None:
                    self.readers.setdefault(tensor, []).append((node, place))
        self.given: dict[Tensor, list[str]] = {}
        for name, tensor in zip(graph.output_names, graph.outputs, strict=True):
            self.given.setdefault(tensor, []).append(name)

    def from_inputs(self, named: bool) -> dict[Node, bytes]:
        """Return a digest of how each node is computed; Parameters, inputs and constants count by their name and value, or by
        their shape alone.
        """
        found: dict[Node, bytes] = {}
        for node in self.graph.nodes:
            read = [self._source(tensor, found, named) for tensor in node.inputs]
            found[node] = _digest(self.labels[node], *read)
        return found

    def from_outputs(self) -> dict[Node, bytes]:
        """Return a digest of what becomes of each node's outputs."""
        found: dict[Node, bytes] = {}
        for node in reversed(self.graph.nodes):
            pieces = [self.labels[node]]
            for tensor in node.outputs:
                uses = [_digest(found[reader], place) for reader, place in self.readers.get(tensor, ())]
                pieces.append(_digest(*sorted(uses), *sorted(self.given.get(tensor, ()))))
            found[node] = _digest(*pieces)
        return found

    def _source(self, tensor: Tensor | None, found: Mapping[Node, bytes], named: bool) -> bytes:
        if tensor is None:
            return b"-"
        if tensor.node is not None:
            return _digest(found[tensor.node], tensor.index)
        if not named:
            return _digest(type(tensor).__name__, tensor.shape, tensor.dtype)
        if isinstance(tensor, Constant):
            return _digest(tensor.dtype, tensor.shape, tensor.value.tobytes())
        return _digest(type(tensor).__name__, self.graph.name(tensor))


class Matching:
    """Which nodes, Parameters and inputs of two graphs correspond.

    Args:
        a: a graph.
        b: another.

    Attributes:
        a: the first, with what reads what.
        b: the second.
        nodes: the node of `b` that each node of `a` is; changed ones too.
        leaves: the same of Parameters and inputs.
    """

    def __init__(self, a: Graph, b: Graph) -> None:
        self.a, self.b = Side(a), Side(b)
        self.nodes: dict[Node, Node] = {}
        self.leaves: dict[Tensor, Tensor] = {}
        self._taken: set[Node] = set()
        self._open: deque[tuple[Node, Node]] = deque()
        names = {b.name(tensor): tensor for tensor in (*b.inputs, *b.parameters.values())}
        for tensor in (*a.inputs, *a.parameters.values()):
            other = names.get(a.name(tensor))
            if other is not None and isinstance(other, Parameter) == isinstance(tensor, Parameter):
                self.leaves[tensor] = other
        self._taken_leaves = set(self.leaves.values())
        downwards = [side.from_inputs(named=True) for side in (self.a, self.b)]
        upwards = [side.from_outputs() for side in (self.a, self.b)]
        both = [
            {node: _digest(down[node], up[node]) for node in down} for down, up in zip(downwards, upwards, strict=True)
        ]
        for digests in (
            both,
            downwards,
            upwards,
        ):  # of several that are computed alike, those first that are used alike
            self._match_groups(*digests)
        self._spread()
        self._match_groups(*(self._called(side) for side in (self.a, self.b)))
        self._spread()
        self._match_groups(self.a.from_inputs(named=False), self.b.from_inputs(named=False))
        self._spread()
        self._match_changed()

    def _free(self, side: Side) -> list[Node]:
        taken: Any = self.nodes if side is self.a else self._taken
        return [node for node in side.graph.nodes if node not in taken]

    def _called(self, side: Side) -> dict[Node, bytes]:
        return {
            node: _digest(side.graph.name(node), side.labels[node], *(tensor.shape for tensor in node.outputs))
            for node in side.graph.nodes
        }

    def _match(self, one: Node, other: Node) -> None:
        if one not in self.nodes and other not in self._taken:
            self.nodes[one] = other
            self._taken.add(other)
            self._open.append((one, other))

    def _match_groups(self, ours: Mapping[Node, bytes], theirs: Mapping[Node, bytes]) -> None:
        """Match nodes of equal digests: of several those of a name, then in their order."""
        groups: dict[bytes, list[Node]] = {}
        for node in self._free(self.b):
            groups.setdefault(theirs[node], []).append(node)
        waiting: dict[bytes, list[Node]] = {}
        for node in self._free(self.a):
            if ours[node] in groups:
                waiting.setdefault(ours[node], []).append(node)
        for digest, nodes in waiting.items():
            names = {self.b.graph.name(node): node for node in groups[digest]}
            for node in nodes:
                other = names.pop(self.a.graph.name(node), None)
                if other is not None:
                    self._match(node, other)
            rest = [node for node in groups[digest] if node not in self._taken]
            for node, other in zip((node for node in nodes if node not in self.nodes), rest, strict=False):
                self._match(node, other)

    def _spread(self) -> None:
        """Match what stands at the same place beside what is matched, and is the same operator."""
        while self._open:
            one, other = self._open.popleft()
            for ours, theirs in zip(one.inputs, other.inputs, strict=False):
                self._match_sources(ours, theirs)
            for ours, theirs in zip(one.outputs, other.outputs, strict=False):
                self._match_readers(ours, theirs)

    def _match_sources(self, ours: Tensor | None, theirs: Tensor | None) -> None:
        if ours is None or theirs is None:
            return
        if ours.node is not None and theirs.node is not None:
            if ours.index == theirs.index and self.a.labels[ours.node] == self.b.labels[theirs.node]:
                self._match(ours.node, theirs.node)
        elif type(ours) is type(theirs) and isinstance(ours, (Parameter, Placeholder)):
            self._match_leaves(ours, theirs)

    def _match_leaves(self, ours: Tensor, theirs: Tensor) -> None:
        if ours not in self.leaves and theirs not in self._taken_leaves:
            self.leaves[ours] = theirs
            self._taken_leaves.add(theirs)

    def _match_readers(self, ours: Tensor, theirs: Tensor) -> None:
        found: dict[tuple[bytes, int], list[Node]] = {}
        for node, place in self.b.readers.get(theirs, ()):
            if node not in self._taken:
                found.setdefault((self.b.labels[node], place), []).append(node)
        wanted: dict[tuple[bytes, int], list[Node]] = {}
        for node, place in self.a.readers.get(ours, ()):
            if node not in self.nodes:
                wanted.setdefault((self.a.labels[node], place), []).append(node)
        for key, nodes in wanted.items():
            if len(nodes) == 1 and len(found.get(key, ())) == 1:
                self._match(nodes[0], found[key][0])

    def _match_changed(self) -> None:
        """Match operators that were changed in their place: read alike, or of one name, and of the same inputs or kind."""
        names = {self.b.graph.name(node): node for node in self._free(self.b)}
        for node in self._free(self.a):
            beside = [other for tensor in node.outputs for other in self._beside(tensor)]
            named = names.get(self.a.graph.name(node))
            for other in dict.fromkeys([*beside, *([named] if named is not None else [])]):
                if other not in self._taken and node not in self.nodes and self._is_changed(node, other):
                    self._match(node, other)
                    self._spread()

    def _beside(self, tensor: Tensor) -> Iterable[Node]:
        """Yield what stands where a tensor's maker stood: before a matched reader, or as an output of the same name."""
        for reader, place in self.a.readers.get(tensor, ()):
            other = self.nodes.get(reader)
            source = other.inputs[place] if other is not None and place < len(other.inputs) else None
            if source is not None and source.node is not None:
                yield source.node
        for name in self.a.given.get(tensor, ()):
            if name in self.b.graph.output_names:
                source = self.b.graph.outputs[self.b.graph.output_names.index(name)]
                if source.node is not None:
                    yield source.node

    def _is_changed(self, node: Node, other: Node) -> bool:
        if len(node.outputs) != len(other.outputs):
            return False
        if node.op.name == other.op.name:
            return True
        pairs = list(zip(node.inputs, other.inputs, strict=False))
        return len(node.inputs) == len(other.inputs) and all(self.same(ours, theirs) for ours, theirs in pairs)

    def is_added(self, node: Node | None) -> bool:
        """Say whether a node is of the second graph alone."""
        return node is not None and node not in self._taken

    def is_removed(self, node: Node | None) -> bool:
        """Say whether a node is of the first graph alone."""
        return node is not None and node not in self.nodes

    def same(self, ours: Tensor | None, theirs: Tensor | None) -> bool:
        """Say whether two tensors correspond; constants do where they are equal."""
        if ours is None or theirs is None:
            return ours is theirs
        if ours.node is not None:
            return theirs.node is not None and self.nodes.get(ours.node) is theirs.node and ours.index == theirs.index
        if isinstance(ours, Constant):
            return isinstance(theirs, Constant) and equal_constants(ours, theirs)
        return self.leaves.get(ours) is theirs


def equal_constants(ours: Constant, theirs: Constant) -> bool:
    """Say whether two constants hold the same, NaN and all."""
    return ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.value.tobytes() == theirs.value.tobytes()


def op_label(node: Node) -> bytes:
    """Return a digest of an operator with its attributes, and of the graphs that these hold."""
    if isinstance(node.op, Opaque):
        return _digest(node.op.name, node.op.payload)
    return _digest(
        node.op.name, node.op.domain, *(f"{key}={_told(value)}" for key, value in node.op.attributes.items())
    )


def _told(value: Any) -> str:
    if isinstance(value, Graph):
        side = Side(value)
        digests = side.from_inputs(named=True)
        outputs = [side._source(tensor, digests, named=True) for tensor in value.outputs]
        return _digest(*outputs, *digests.values()).hex()
    return value.tobytes().hex() if isinstance(value, np.ndarray) else repr(value)


def _digest(*pieces: Any) -> bytes:
    found = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        data = piece if isinstance(piece, bytes) else str(piece).encode("utf-8", "surrogatepass")
        found.update(len(data).to_bytes(8, "little") + data)
    return found.digest()


def reaches(start: Iterable[Tensor], goal: Callable[[Tensor], bool], through: Callable[[Node], bool]) -> bool:
    """Say whether a tensor is made of another by nodes of a kind alone."""
    waiting, seen = list(start), set(start)
    while waiting:
        tensor = waiting.pop()
        if goal(tensor):
            return True
        node = tensor.node
        before: Sequence[Tensor | None] = node.inputs if node is not None and through(node) else ()
        new = [item for item in before if item is not None and item not in seen]
        seen.update(new)
        waiting += new
    return False
