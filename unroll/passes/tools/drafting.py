"""A Graph between two passes: its nodes are known, and its names are given when somebody asks for them.

Naming takes longer than many a pass, and in a pipeline nobody reads the names of the graphs between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from unroll.dimensions import Condition
from unroll.graph import Graph
from unroll.naming import Lineage
from unroll.structure import Structure, nodes_before
from unroll.tensor import Node, Placeholder, Tensor

T = TypeVar("T")


class Draft(Graph):
    """What a pass makes of a graph: a Graph like any other, named when first asked.

    Args:
        graph: what it was made from.
        outputs: the tensors that stand for its outputs, in order.
        copied: the old node that each new one was copied from.
        called: the names of tensors that took the place of others.
        inputs: the inputs, where their sizes are others than those of the graph.
        requirements: what must hold besides, where that are others.

    Attributes:
        lasting: None where nodes must stay as they are; see `hand_on`.
    """

    lasting: frozenset[Node] | None = None
    _handed_on = False
    _studies: dict[Callable[[Graph], Any], Any]

    def __init__(
        self,
        graph: Graph,
        outputs: Sequence[Tensor],
        copied: Mapping[Node, Node],
        called: Mapping[Tensor, str],
        inputs: tuple[Placeholder, ...] | None = None,
        requirements: tuple[Condition, ...] | None = None,
    ) -> None:
        # What Graph sets besides (names, parameters, and what sizes were solved for) is made by `__getattr__`.
        self.inputs = graph.inputs if inputs is None else inputs
        self.structure = dict(zip(graph.output_names, outputs, strict=True))
        self.outputs = tuple(self.structure.values())
        self.output_names = tuple(self.structure)
        self.states = graph.states
        self.requirements = graph.requirements if requirements is None else requirements
        self.nodes = nodes_before(self.outputs)
        self._lineage = _composed(graph, copied, called)
        self._studies = {}

    def study(self, make: Callable[[Graph], T]) -> T:
        """Return what `make` finds out about the graph; found once, however many passes are handed it unchanged."""
        if not self._handed_on:
            return make(self)
        if make not in self._studies:
            self._studies[make] = make(self)
        found: T = self._studies[make]
        return found

    def hand_on(self, lasting: frozenset[Node], in_place: bool) -> None:
        """Hand the graph from one pass of a pipeline to the next; nobody else will read it.

        Args:
            lasting: the nodes that are another graph's too.
            in_place: whether the next pass says that it puts the other nodes on new inputs as they are; see
                `unroll.passes.tools.rewriting.in_place`.
        """
        self._handed_on = True
        self.lasting = lasting if in_place else None

    def release(self) -> None:
        """Leave the graph to the caller of the pipeline: nothing of it is changed from here on, or kept for passes."""
        self._handed_on, self.lasting = False, None
        self._studies.clear()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_lineage" not in self.__dict__:
            raise AttributeError(name)
        if name == "_solution":  # what sizes are is asked between passes, too, by proofs; it names nothing
            self._solve()
            return self._solution
        lineage = self.__dict__.pop("_lineage")
        Structure.__init__(
            self, self.inputs, self.structure, self.requirements, lineage, states=self.states, nodes=self.nodes
        )
        return getattr(self, name)


def studied(graph: Graph, make: Callable[[Graph], T]) -> T:
    """Return what `make` finds out about a graph; see `Draft.study`."""
    return graph.study(make) if isinstance(graph, Draft) else make(graph)


def lasting_nodes(graph: Graph) -> frozenset[Node] | None:
    """Return the nodes that a pass must not change; None where it must change none."""
    return graph.lasting if isinstance(graph, Draft) else None


def lineage_of(graph: Graph) -> Lineage:
    """Return what a graph came from: for one that has names, those."""
    found: Lineage | None = graph.__dict__.get("_lineage")
    return found if found is not None else Lineage(graph.names, {}, {})


def name_in(lineage: Lineage, tensor: Tensor) -> str | None:
    """Return what a tensor will be called for sure; None for a new node's that nobody named."""
    found = lineage.tensors.get(tensor)
    if found is not None or tensor.node is None:
        return found if found is not None else lineage.names.tensors.get(tensor)
    old = lineage.nodes.get(tensor.node, tensor.node)
    return lineage.names.tensors.get(old.outputs[tensor.index])


def _composed(graph: Graph, copied: Mapping[Node, Node], called: Mapping[Tensor, str]) -> Lineage:
    """Return the lineage back to the last graph that has names."""
    before = lineage_of(graph)
    nodes, names = dict(before.nodes), dict(before.tensors)
    nodes.update([(new, nodes.get(old, old)) for new, old in copied.items()] if nodes else copied.items())
    for new, old in copied.items() if names else ():
        for tensor, was in zip(new.outputs, old.outputs, strict=True):
            if was in before.tensors:
                names[tensor] = before.tensors[was]
    return Lineage(before.names, nodes, {**names, **called})
