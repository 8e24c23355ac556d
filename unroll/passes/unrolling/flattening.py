"""The flat graph in the making: nodes replayed by their own shape rules, and what stands for each loop in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TypeAlias

from unroll.dimensions import Dim, Dimension, substitute_shape
from unroll.graph import Graph
from unroll.ops.opaque import Opaque
from unroll.ops.operator import Operator, made
from unroll.passes.fold_constants import constant_values
from unroll.passes.unrolling.deciders import deciders, knob
from unroll.passes.unrolling.gate_kernels import GateKernels
from unroll.passes.unrolling.report import Flat
from unroll.passes.unrolling.step_places import Place, base_of, unmoved
from unroll.scopes import Origin
from unroll.sizes import symbols_of
from unroll.structure import leaves_of, nodes_before
from unroll.tensor import Constant, Node, Tensor

Inputs: TypeAlias = tuple[Tensor | None, ...]


#: Operators that are loops, where a file has one that cannot be read as ours.
_LOOPS = frozenset(["GRU", "If", "LSTM", "Loop", "RNN", "Scan", "SequenceMap"])
_OPAQUE = "it says what the operators here cannot, and so passes through as it was read"


class LeftError(Exception):
    """A loop that cannot be unrolled; the message says why, and what would settle it."""


class TooManyError(LeftError):
    """More nodes than are allowed: the outermost loop is left."""


#: Writes what stands for a node, and says how many steps it took.
Writer: TypeAlias = "Callable[[Flattening, Node, Operator, Inputs, frozenset[Origin]], tuple[Sequence[Tensor], int]]"


class Flattening:
    """Replays nodes, and writes loops step by step.

    Args:
        graph: the graph.
        sizes: numbers for symbols of its inputs.
        writers: what writes each kind of loop.
        most_nodes: how many nodes may be made at most.
        settled: whether kernels are new Parameters, and not expressions over those of the graph.

    Attributes:
        most: how many nodes may be made at most.
        found: the loops, and what became of them.
        loops: those of the graph itself that were unrolled.
        copied: the old node that each new one was replayed from.
        kernels: the weights of each direction of each operator that was written.
    """

    def __init__(
        self,
        graph: Graph,
        sizes: Mapping[str, Dim],
        writers: Mapping[type[Operator], Writer],
        most_nodes: int,
        settled: bool = True,
    ) -> None:
        self.graph, self.settled = graph, settled
        self._sizes, self._writers, self.most = sizes, writers, most_nodes
        self.found: list[Flat] = []
        self.loops: list[Node] = []
        self.copied: dict[Node, Node] = {}
        self.kernels: dict[tuple[object, ...], GateKernels] = {}
        self._made = 0
        self._depth = 0
        self._names: dict[str, int] = {}

    # -- nodes ----------------------------------------------------------------------------------------------------

    def walk(self, nodes: Iterable[Node], new: dict[Tensor, Tensor], place: Place = unmoved) -> None:
        """Write nodes in order.

        Args:
            nodes: the nodes, of the graph or of a body.
            new: what stands for tensors, which is added to.
            place: where the nodes come from.
        """
        get = new.get
        for node in nodes:
            inputs = tuple([None if tensor is None else get(tensor, tensor) for tensor in node.inputs])
            outputs = self._write(node, inputs, place(node.provenance))
            for old, made_of_it in zip(node.outputs, outputs, strict=True):
                if made_of_it is not old:
                    new[old] = made_of_it

    def _write(self, node: Node, inputs: Inputs, provenance: frozenset[Origin]) -> Sequence[Tensor]:
        writer = self._writers.get(type(node.op))
        if writer is None:
            if isinstance(node.op, Opaque) and (node.op.holds_graphs or node.op.op_type in _LOOPS):
                name = base_of(node.op.op_type, provenance)
                self._add(Flat(name, node.op.op_type, reason=_OPAQUE), len(self.found))
            return self._again(node, inputs, provenance)
        before, self._depth = self._made, self._depth + 1
        at = len(self.found)
        title = base_of(node.op.name, provenance)
        try:
            outputs, steps = writer(self, node, node.op, inputs, provenance)
        except LeftError as why:
            if isinstance(why, TooManyError) and self._depth > 1:
                raise
            self._made = before
            del self.found[at:]
            self._add(Flat(title, node.op.name, reason=str(why)), at)
            return self._again(node, inputs, provenance)
        finally:
            self._depth -= 1
        self._add(Flat(title, node.op.name, steps), at)
        if not self._depth:
            self.loops.append(node)
        return outputs

    def _add(self, found: Flat, at: int) -> None:
        """Take down what became of a loop; what is in its body is told by it, but for what was left."""
        inside = [item for item in self.found[at:] if item.reason]
        self.found[at:] = [found, *dict.fromkeys(inside)]

    def _again(self, node: Node, inputs: Inputs, provenance: frozenset[Origin]) -> Sequence[Tensor]:
        """Return a node's outputs on new inputs: by its own shape rule, or as constants where these decide them."""
        if inputs == node.inputs and provenance is node.provenance:
            values = constant_values(node, inputs)
            return node.outputs if values is None else [Constant(value) for value in values]
        op = node.op
        if self._sizes and isinstance(op, Opaque):
            op = replace(op, declared=tuple((self.bound(shape), dtype) for shape, dtype in op.declared))
        elif self._sizes and op.told:
            op = op.with_told([self.bound(shape) for shape in op.told])
        outputs = made(op, inputs, provenance)
        copy = outputs[0].node
        assert copy is not None
        values = constant_values(copy, inputs)
        if values is not None:
            return [Constant(value) for value in values]
        self.count(1)
        if not self._depth:
            self.copied[copy] = node
        for old, new in zip(node.outputs, outputs, strict=True):
            new.hint = old.hint
        return outputs

    def count(self, nodes: int) -> None:
        """Count nodes that are made.

        Raises:
            TooManyError: there are more than are allowed.
        """
        self._made += nodes
        if self._made > self.most and self._depth:
            raise TooManyError(
                f"it would become more than {self.most} nodes; most_nodes={2 * self.most} allows twice as many"
            )

    def check_room(self, steps: int, nodes: int) -> None:
        """Check that there is room for so many steps of so many nodes, before any of them is made.

        Raises:
            TooManyError: there is not.
        """
        wanted = self._made + steps * max(1, nodes)
        if wanted > self.most:
            raise TooManyError(
                f"{steps} steps of {nodes} nodes are more than most_nodes={self.most}; allow them with "
                f"most_nodes={wanted}"
            )

    # -- names and sizes ------------------------------------------------------------------------------------------

    def cell_name(self, name: str, weights: Iterable[Tensor | None]) -> str:
        """Return a path for a cell's variables that no other cell of the graph has; its own where `weights` are these."""
        read = [tensor for tensor in weights if tensor is not None]
        leaves = leaves_of(nodes_before(read)) or read
        parameters = [leaf.label for leaf in leaves if not isinstance(leaf, Constant)]
        if parameters and all(label.startswith(f"{name}/") for label in parameters):
            return name
        taken = self._names
        while True:
            count = taken[name] = taken.get(name, 0) + 1
            found = name if count == 1 else f"{name}_{count - 1}"
            if not any(parameter.startswith(f"{found}/") for parameter in self.graph.parameters):
                return found

    def bound(self, shape: tuple[Dim, ...]) -> tuple[Dim, ...]:
        """Return a shape with the sizes that are given."""
        return substitute_shape(shape, self._sizes)

    def steps(self, dim: Dim) -> int:
        """Return the number of steps that a size is.

        Raises:
            LeftError: only a run knows it, or there are none.
        """
        if isinstance(dim, Dimension):
            raise LeftError(f"it takes {dim} steps, which only a run knows; {knob(dim.symbols, self.symbols)}")
        if dim == 0:
            raise LeftError("it takes no steps")
        return dim

    def deciders(self, tensor: Tensor | None) -> str:
        """Return what a tensor follows from, and how that is given, in words."""
        return deciders(tensor, self.symbols)

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Those of the graph's inputs."""
        return frozenset(symbols_of(self.graph))
