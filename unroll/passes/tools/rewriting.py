"""What passes share: walking a graph in order, with tensors replaced on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Container, Hashable, Iterable, Sequence
from functools import lru_cache
from operator import is_
from typing import TypeVar

import numpy as np

from unroll.dtypes import INT64
from unroll.graph import Graph
from unroll.ops.operator import OPERATORS, Operator
from unroll.passes.tools.drafting import Draft, lasting_nodes, lineage_of, name_in, studied
from unroll.scopes import Origin
from unroll.tensor import Constant, Node, Tensor


class Readers:
    """Who reads each tensor of a graph."""

    def __init__(self, graph: Graph) -> None:
        self._first: dict[Tensor, Node] = {}
        self._others: defaultdict[Tensor, list[Node]] = defaultdict(list)  # few: most tensors have one reader
        for node in graph.nodes:
            for tensor in node.inputs:
                if tensor in self._first:
                    self._others[tensor].append(node)
                elif tensor is not None:
                    self._first[tensor] = node
        self._outputs = frozenset(graph.outputs)

    def all(self, tensor: Tensor) -> Sequence[Node]:
        """Return the nodes that read a tensor, one twice that reads it twice."""
        return [self._first[tensor], *self._others.get(tensor, ())] if tensor in self._first else []

    def only(self, tensor: Tensor) -> Node | None:
        """Return the one node that reads a tensor; None where there are others, or the graph gives it as an output."""
        return None if tensor in self._others or tensor in self._outputs else self._first.get(tensor)

    def unread(self, tensor: Tensor) -> bool:
        """Say whether nothing reads a tensor and it is no output."""
        return tensor not in self._first and tensor not in self._outputs


def readers_of(graph: Graph) -> Readers:
    """Return who reads each tensor of a graph; found once while a pipeline hands it on."""
    return studied(graph, Readers)


def tensors_read(graph: Graph) -> set[Tensor | None]:
    """Return every tensor that a node reads or the graph gives as an output."""
    return {tensor for node in graph.nodes for tensor in node.inputs}.union(graph.outputs)


def nodes_called(graph: Graph, names: Container[str]) -> set[Node]:
    """Return the nodes whose operators have one of these names."""
    return {node for node in graph.nodes if node.op.name in names}


def is_known(op: Operator) -> bool:
    """Say whether an operator is one of ours, and all that it runs: what we do not know is never merged, moved or computed."""
    if OPERATORS.get((op.domain, op.name)) is not type(op):
        return False
    bodies = op.bodies
    return not bodies or all(is_known(node.op) for body in bodies for node in body.nodes)


def op_key(node: Node) -> Hashable:
    """Return operator and attributes, equal for equal ones; an operator that is not known equals only itself."""
    if not is_known(node.op):
        return node
    fields = getattr(node.op, "__dataclass_fields__", None)
    if not fields:
        return (type(node.op),)
    # to Python 0.0 equals -0.0 and False
    return (
        type(node.op),
        *[
            (type(value), repr(value) if isinstance(value, float) else value)
            for value in (getattr(node.op, name) for name in fields)
        ],
    )


@lru_cache(maxsize=1024)
def ints(*values: int) -> Constant:
    """Return a constant int64 vector: one for all who want the same, as every step does."""
    return Constant(np.array(values, INT64))


def merged(nodes: Iterable[Node]) -> frozenset[Origin]:
    """Return the provenance of what stands for several nodes."""
    return frozenset(origin for node in nodes for origin in node.provenance)


def hint_at(node: Node | None, old: Tensor) -> str | None:
    """Return the hint with which an output of `node` is called as `old` was, which was made in a scope of its own; None where
    it cannot be.
    """
    if node is None or old.node is None or old.hint is None:
        return None
    scope = node.origin.scope
    if old.node.origin.scope == scope:
        return old.hint
    return old.label.removeprefix(f"{scope}/") if not scope or old.label.startswith(f"{scope}/") else None


# -- rewriting in place ------------------------------------------------------------------------------------------------
#
# Nodes are immutable for all who read a graph. Between two of its passes `optimize` alone holds what the passes before have
# made, and to copy every node behind the first that changes, in each pass again, takes 1.2 to 1.4 times as long.

Pass = TypeVar("Pass", bound=Callable[..., Graph])

_IN_PLACE: set[Callable[..., Graph]] = set()


def in_place(run: Pass) -> Pass:
    """Say of a pass that it may put a node on other inputs as it is; see `unroll.passes.tools.drafting.Draft.hand_on`.

    Such a pass finds out all it wants to know of the old graph before it carries the first node over, and where it returns that
    graph itself it has changed none. A pass that does not say so is handed graphs of which it changes nothing.
    """
    _IN_PLACE.add(run)
    return run


def is_in_place(run: Callable[..., Graph]) -> bool:
    """Say whether a pass says that it puts nodes on other inputs as they are."""
    return run in _IN_PLACE


class Rewriting:
    """A new graph in the making: which tensor stands for which of the old one."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._lineage = lineage_of(graph)
        self._new: dict[Tensor, Tensor] = {}
        self._replaced = self._new.keys()
        self._copied_from: dict[Node, Node] = {}
        self._called: dict[Tensor, str] = {}
        self._lasting = lasting_nodes(graph)
        self._moved: set[Node] = set()

    def __getitem__(self, tensor: Tensor) -> Tensor:
        """Return what stands for an old tensor: itself, unless it was replaced."""
        return self._new.get(tensor, tensor)

    def inputs(self, node: Node) -> tuple[Tensor | None, ...]:
        """Return what stands for the inputs of an old node."""
        inputs, new = node.inputs, self._new
        if self._replaced.isdisjoint(inputs):
            return inputs
        return tuple([new.get(tensor, tensor) for tensor in inputs])  # type: ignore[arg-type]  # None stands for itself

    def carry(self, node: Node) -> Node:
        """Let the old node stand on what stands for its inputs; see `keep`."""
        return node if self._replaced.isdisjoint(node.inputs) else self._put(node, self.inputs(node))

    def replace(self, old: Tensor, new: Tensor) -> None:
        """Let `new` stand for `old` from here on, under its name where `new` is a copy that has none of its own."""
        self._new[old] = new
        if new.hint is None and old.hint is not None and (new.node in self._copied_from or self._is_ours(new.node)):
            self._name(old, new)

    def redirect(self, old: Tensor, new: Tensor) -> None:
        """Let `new` stand for `old` from here on, under its own name."""
        self._new[old] = new

    def stand_in(self, old: Tensor, new: Tensor) -> None:
        """Let `new` stand for `old` from here on, under the name of `old` where it is a new node's."""
        self._new[old] = new
        if new.node is None or new in self._called or new.node in self._copied_from or new.node in self._moved:
            return
        if name_in(self._lineage, new) is None:
            self._name(old, new)

    def _name(self, old: Tensor, new: Tensor) -> None:
        name = name_in(self._lineage, old)
        if name is not None:
            self._called[new] = name

    def keep(self, node: Node, inputs: tuple[Tensor | None, ...]) -> Node:
        """Let the old node stand, or where an input was replaced, a copy of it on `inputs`; return which it is.

        A node of a graph that only the pipeline has is put on `inputs` itself, so a pass that asks how a tensor was made
        asks before it carries nodes over.
        """
        return node if inputs is node.inputs or all(map(is_, inputs, node.inputs)) else self._put(node, inputs)

    def _put(self, node: Node, inputs: tuple[Tensor | None, ...]) -> Node:
        if self._is_ours(node) and not node.may_be_known:  # what is known of a value is told to those behind by copies
            node.inputs = inputs
            self._moved.add(node)
            return node
        copy = self.copy(node, inputs)
        for old, new in zip(node.outputs, copy.outputs, strict=True):
            self._new[old] = new
        return copy

    def walk(self, planned: Collection[Node], write: Callable[[Node], object]) -> Graph:
        """Return the new graph: of the `planned` nodes what `write` makes of each, in order, and all others carried over."""
        if not planned:
            return self.graph
        replaced = self._replaced
        for node in self.graph.nodes:
            if node in planned:
                write(node)
            elif not replaced.isdisjoint(node.inputs):
                self._put(node, self.inputs(node))
        return self.finish()

    def _is_ours(self, node: Node | None) -> bool:
        """Say whether a node is of no graph but one that the pipeline is done with."""
        return self._lasting is not None and node is not None and node not in self._lasting

    def copy(self, node: Node, inputs: tuple[Tensor | None, ...], provenance: frozenset[Origin] | None = None) -> Node:
        """Return a node like `node` on other inputs, which give it the same shapes; it is called as before.

        Args:
            node: the old node.
            inputs: of the new graph.
            provenance: where it came from, if not only from where the old one did.
        """
        copy = node.copied(inputs, node.provenance if provenance is None else provenance)
        self._copied_from[copy] = node
        return copy

    def finish(self) -> Graph:
        """Return the new graph: same inputs and output names, names of what was kept, and what must be equal stays so."""
        if not self._new and not self._moved:  # a node that was moved may read what the old graph does not list
            return self.graph
        outputs = [self[tensor] for tensor in self.graph.outputs]
        return Draft(self.graph, outputs, self._copied_from, self._called)
