"""Loops that are written as Scan already, as LSTM, GRU and RNN operators: see `native_scans`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from unroll import ops, scopes
from unroll.dimensions import Dim, Limit, Shape
from unroll.dtypes import INT64, DType
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.filling import Range
from unroll.ops.functions import Cast
from unroll.ops.scan import Scan
from unroll.ops.shaping import Reshape, Unsqueeze
from unroll.passes.merge_equal import merge_equal
from unroll.passes.rerolling.finding import View
from unroll.passes.rerolling.joined_directions import join_directions
from unroll.passes.rerolling.planner import reroll
from unroll.passes.tools.digests import op_digest
from unroll.passes.tools.making import Maker, measured
from unroll.passes.tools.rewriting import Rewriting
from unroll.passes.tools.weight_expressions import weight_expressions
from unroll.scopes import Origin
from unroll.tensor import Constant, Node, Placeholder, Tensor

#: Over how many steps a body is unrolled to see what it is. What holds for both numbers of steps holds for any.
_FEW, _MORE = 3, 5
_NOWHERE = frozenset({Origin("", None, None, None)})


def native_scans(graph: Graph) -> Graph:
    """Return `graph` with every Scan whose body is the step of an LSTM, GRU or RNN, or holds such a step, written as those.

    A body is unrolled over a few steps and re-rolled, twice, with different numbers of steps. Where all of it became operators,
    native ones among them, and the two results are the same node by node, these are put in the place of the Scan. A long
    sequence takes no longer. Two that read one sequence from both ends become one operator.

    Preserves the inputs, the names of inputs and outputs, their shapes and dtypes, states and requirements; the values of the
    outputs but for rounding, for finite inputs. Reads no Parameter's value. A Scan that has no such form stays as it is.
    """
    if not any(isinstance(node.op, Scan) for node in graph.nodes):
        return graph
    with collector_paused():
        rewriting = _Rewriting(graph)
        for node in graph.nodes:
            rewriting.visit(node)
        found = rewriting.finish()
        return found if found is graph else join_directions(merge_equal(found))


class _Rewriting(Rewriting):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self._view = View(graph)
        self._specs = {spec.name: spec for spec in graph.input_specs}
        self._weights = set(weight_expressions(graph))
        self._read = {tensor for node in graph.nodes for tensor in node.inputs} | set(graph.outputs)

    def visit(self, node: Node) -> None:
        """Carry one node over, or write what stands for a Scan."""
        if not isinstance(node.op, Scan) or not self._native(node, node.op):
            self.keep(node, self.inputs(node))

    def _native(self, node: Node, op: Scan) -> bool:
        """Write a Scan as native operators where it can be; say whether it was."""
        outer = [tensor for tensor in node.inputs if tensor is not None]
        if outer[op.num_states].shape[0] == 0:  # of no steps onnxruntime's operators give zeros, not the first state
            return False
        wanted = [tensor for tensor in node.outputs if tensor in self._read]
        within = self._within(outer[op.num_states])
        few, more = (_Flat(node, op, count, wanted, self._view, self._weights, within) for count in (_FEW, _MORE))
        found = [_with_natives(flat.graph) for flat in (few, more)]
        if found[0] is None or found[1] is None:
            return False
        sizes = _sizes(found[0], found[1], outer[op.num_states].shape[0])
        if sizes is None:
            return False
        new: dict[Tensor, Tensor] = {inner: self[outer] for inner, outer in few.stands_for.items()}
        time = self[outer[op.num_states]]
        for inner in found[0].nodes:
            origins = inner.provenance if inner.provenance != _NOWHERE else node.provenance
            read = [
                tensor if (inner, place) not in sizes else _told(sizes[inner, place], time, Maker(origins))
                for place, tensor in enumerate(inner.inputs)
            ]
            inputs = [None if tensor is None else new.get(tensor, tensor) for tensor in read]
            for old, made in zip(inner.outputs, Maker(origins).node(inner.op, *inputs), strict=True):
                made.hint = old.hint
                new[old] = made
        results = tuple(new.get(tensor, tensor) for tensor in found[0].outputs)
        if any(new.shape != old.shape for new, old in zip(results, wanted, strict=True)):
            return False
        for old, result in zip(wanted, results, strict=True):
            self.stand_in(old, result)
        return True

    def _within(self, scanned: Tensor) -> set[Tensor]:
        """Return the inputs of the graph that are fed whole numbers from 0 to the number of steps alone, as lengths are."""
        time = self.graph.shape(scanned)[0]
        limits = ((tensor, limit) for tensor in self.graph.inputs for limit in self._specs[tensor.name].limits)
        return {tensor for tensor, limit in limits if limit.least >= 0 and limit.most == time}


class _Time(NamedTuple):
    """The number of steps, where only a run has it, as one number in a tensor."""

    shape: Shape
    dtype: DType


class _Numbers(NamedTuple):
    """The numbers of the steps, where only a run has them: 0, 1, 2, ..."""

    dtype: DType


#: What an input of a node holds that says how many steps there are.
_Held: TypeAlias = Constant | _Time | _Numbers


class _Flat:
    """A Scan over a few steps as a flat graph.

    Attributes:
        graph: the flat graph; its outputs are the outputs of the Scan that are wanted, in order.
        stands_for: by placeholder of it, the tensor outside that it stands for.
    """

    def __init__(
        self,
        node: Node,
        op: Scan,
        count: int,
        wanted: Sequence[Tensor],
        view: View,
        weights: set[Node],
        within: set[Tensor],
    ) -> None:
        self.stands_for: dict[Tensor, Tensor] = {}
        self._op, self._count, self._view, self._weights = op, count, view, weights
        outer = [tensor for tensor in node.inputs if tensor is not None]
        first, second = op.num_states, op.num_states + op.num_scan_inputs
        backward = op.scan_input_directions or (0,) * op.num_scan_inputs
        with scopes.beside(node.origin):
            rows = [self._rows(*pair) for pair in zip(outer[first:second], backward, strict=True)]
            shared = [self._shared(tensor) for tensor in outer[second:]]
            like = list(self.stands_for)
            states = [self._state(tensor, like) for tensor in outer[:first]]
            results = self._results(states, rows, shared)
        self.graph = Graph(
            [tensor for tensor in self.stands_for if isinstance(tensor, Placeholder)],
            [results[node.outputs.index(tensor)] for tensor in wanted],
            [
                Limit(inner.name, 0, count, "")
                for inner, outer in self.stands_for.items()
                if outer in within and isinstance(inner, Placeholder)
            ],
        )

    def _stand_in(self, tensor: Tensor, count: int | None = None) -> Placeholder:
        shape = tensor.shape if count is None else (count, *tensor.shape[1:])
        made = Placeholder(shape, tensor.dtype, f"outside{len(self.stands_for)}")
        self.stands_for[made] = tensor
        return made

    def _rows(self, tensor: Tensor, backward: int) -> list[Tensor]:
        """Return what each step reads, in the order of the steps; where that is the step's number, as a constant."""
        if _counts(tensor):
            numbers: list[Tensor] = [Constant(np.array(step, tensor.dtype)) for step in range(self._count)]
            return numbers[:: -1 if backward else 1]
        return ops.unstack(self._stand_in(tensor, self._count))[:: -1 if backward else 1]

    def _shared(self, tensor: Tensor) -> Tensor:
        """Return what every step reads: a weight as it is, a column such as lengths as the same node on a placeholder."""
        node = tensor.node
        if node in self._weights or (node is None and not isinstance(tensor, Placeholder)):
            return tensor
        if node is not None and isinstance(node.op, Unsqueeze):
            source, axes = node.inputs[:2]
            if source is not None and isinstance(axes, Constant):
                return node.copied((self._stand_in(source), axes), node.provenance).outputs[0]
        return self._stand_in(tensor)

    def _state(self, tensor: Tensor, like: Sequence[Tensor]) -> Tensor:
        """Return what a state is before the first step; zeros stay visible as zeros."""
        there = measured((item.shape, item) for item in like)
        if not self._view.is_zero(tensor) or not all(isinstance(dim, int) or dim in there for dim in tensor.shape):
            return self._stand_in(tensor)
        return Maker(scopes.current().provenance).zeros(tensor.shape, tensor.dtype, there)

    def _results(
        self, states: list[Tensor], rows: Sequence[Sequence[Tensor]], shared: Sequence[Tensor]
    ) -> list[Tensor]:
        body, count = self._op.body, len(states)
        backward = self._op.scan_output_directions or (0,) * (len(body.outputs) - count)
        stacks: list[list[Tensor]] = [[] for _ in backward]
        for step in range(self._count):
            given = [*states, *(row[step] for row in rows), *shared]
            new: dict[Tensor, Tensor] = dict(zip(body.inputs, given, strict=True))
            for node in body.nodes:
                inputs = tuple([None if tensor is None else new.get(tensor, tensor) for tensor in node.inputs])
                new.update(zip(node.outputs, node.copied(inputs, node.provenance).outputs, strict=True))
            found = [new.get(tensor, tensor) for tensor in body.outputs]
            states = found[:count]
            for stack, tensor in zip(stacks, found[count:], strict=True):
                stack.append(tensor)
        return [*states, *(ops.stack(s[:: -1 if back else 1]) for s, back in zip(stacks, backward, strict=True))]


def _counts(tensor: Tensor) -> bool:
    """Say whether a vector is 0, 1, 2, ..., as far as it goes."""
    node = tensor.node
    if node is not None and isinstance(node.op, Cast) and tensor.dtype.kind == "i":
        return node.inputs[0] is not None and _counts(node.inputs[0])
    if node is not None and isinstance(node.op, Range):
        start, _, delta = node.inputs
        return start is not None and delta is not None and start.known == 0 and delta.known == 1
    return (
        isinstance(tensor, Constant)
        and tensor.rank == 1
        and tensor.dtype.kind == "i"
        and bool((tensor.value == np.arange(tensor.value.size)).all())
    )


def _with_natives(graph: Graph) -> Graph | None:
    """Return a flat graph re-rolled, where each of its recurrences became an operator, and one at least a native one."""
    found, report = reroll(graph, check=False)  # what is written is proven as a whole
    return found if not report.left and any(name != "Scan" for name in report.operators) else None


def _sizes(few: Graph, more: Graph, time: Dim) -> dict[tuple[Node, int], _Held] | None:
    """Return the inputs of nodes that hold the number of steps, each with what it holds for `time` steps.

    None where the graphs differ in anything but that number and the shapes that follow from it.
    """
    sizes: dict[tuple[Node, int], _Held] = {}
    same: dict[Tensor, Tensor] = dict(_pairs(few.inputs, more.inputs))
    if len(few.nodes) != len(more.nodes):
        return None
    for left, right in zip(few.nodes, more.nodes, strict=True):
        if len(left.inputs) != len(right.inputs) or op_digest(left) != op_digest(right):
            return None
        for place, (one, other) in enumerate(zip(left.inputs, right.inputs, strict=True)):
            if one is other:
                continue
            if isinstance(one, Constant) and isinstance(other, Constant):
                held = _held(one, other, time, place == 1 and isinstance(left.op, Reshape))
                if held is None:
                    return None
                sizes[left, place] = held
            elif one is None or same.get(one) is not other:
                return None
        same.update(_pairs(left.outputs, right.outputs))
    given = all(one is other or same.get(one) is other for one, other in _pairs(few.outputs, more.outputs))
    return sizes if given else None


def _pairs(left: Sequence[Tensor], right: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    return zip(left, right, strict=True)


def _held(few: Constant, more: Constant, time: Dim, reshaped: bool) -> _Held | None:
    """Return what a constant is for `time` steps, from what it is for few and for more; None where these do not tell.

    A shape that something is `reshaped` to may leave one size open.
    """
    if few.dtype != more.dtype:
        return None
    if few.shape == (_FEW,) and more.shape == (_MORE,) and _counts(few) and _counts(more):
        return Constant(np.arange(time, dtype=few.dtype)) if isinstance(time, int) else _Numbers(few.dtype)
    if few.shape != more.shape:
        return None
    differs = few.value != more.value
    if not differs.any():
        return few
    numbers = (few.value[differs] == _FEW).all() and (more.value[differs] == _MORE).all()
    if few.dtype.kind != "i" or not numbers:
        return None
    if isinstance(time, int):
        return Constant(np.where(differs, np.array(time, few.dtype), few.value))
    if reshaped and differs.sum() == 1 and -1 not in few.value:
        return Constant(np.where(differs, -1, few.value))
    return _Time(few.shape, few.dtype) if few.value.size == 1 else None


def _told(held: _Held, scanned: Tensor, maker: Maker) -> Tensor:
    """Return a tensor with the number of steps that a scan input has, or their numbers."""
    if isinstance(held, Constant):
        return held
    size = maker.sizes(scanned.shape[:1], measured([(scanned.shape, scanned)]))
    if isinstance(held, _Numbers):
        bounds = (Constant(np.array(0, INT64)), maker.squeeze(size, 0), Constant(np.array(1, INT64)))
        return maker.cast(maker.one(Range(), *bounds), held.dtype)
    size = maker.cast(size, held.dtype)
    return size if held.shape else maker.squeeze(size, 0)
