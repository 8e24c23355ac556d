"""Expressions over weights: what a pass writes instead of a changed Parameter.

A rewritten weight is a few Slice, Concat and Add nodes over the Parameter, which are computed from its current value: by
NumPy in every run, by an exporter once. So a value assigned after a pass still counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unroll import scopes
from unroll.dtypes import Array
from unroll.evaluator import evaluate
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.joining import Concat, Split
from unroll.ops.operator import made
from unroll.ops.shaping import Transpose
from unroll.ops.slicing import Slice
from unroll.parameter import Parameter
from unroll.passes.tools.rewriting import Rewriting, ints, is_known
from unroll.passes.tools.time_slices import slice_of
from unroll.structure import Structure
from unroll.tensor import Constant, Node, Placeholder, Tensor

#: How many joined and cut weights deep a cut is carried inwards.
_DEEPEST = 8


def weight_expressions(graph: Structure) -> list[Node]:
    """Return, in order, the nodes that depend on Parameters and Constants alone."""
    found: dict[Node, None] = {}
    for node in graph.nodes:
        for tensor in node.inputs:
            before = tensor.node if tensor is not None else None
            if (before not in found) if before is not None else isinstance(tensor, Placeholder):
                break
        else:
            if node.inputs and is_known(node.op):
                found[node] = None
    return list(found)


def folded_expressions(graph: Structure, before: Structure) -> list[Node]:
    """Return the `weight_expressions` that a file holds as values; `before` is the graph before zeros were left out of it.

    All but the pieces that the first step reads, since then, of a Parameter that the others read whole: such a piece would be
    in the file twice, and nothing would say that the steps have the same weights.
    """
    found = weight_expressions(graph)
    inside, old = set(found), set(before.nodes)
    read = {tensor for node in graph.nodes if node not in inside for tensor in node.inputs}
    pieces = {
        node
        for node in found
        if node not in old
        and isinstance(node.op, (Slice, Split))
        and isinstance(node.inputs[0], Parameter)
        and node.inputs[0] in read
        and not read.isdisjoint(node.outputs)
    }
    return [node for node in found if node not in pieces]


def weight_values(
    graph: Graph,
    *,
    nodes: Sequence[Node] | None = None,
    wide: bool = False,
    given: Mapping[Parameter, Array] | None = None,
) -> dict[Tensor, Array]:
    """Return what the weight expressions of a graph are worth: a value for each tensor of them that other nodes read or that
    is an output.

    An exporter writes these as initializers, under ``graph.name(tensor)``, and leaves the nodes of the expressions out.

    Args:
        graph: the graph.
        nodes: the nodes of the expressions; by default `weight_expressions`.
        wide: compute in float64; see `unroll.evaluator.evaluate`.
        given: values of Parameters, in place of their current ones.
    """
    fixed = set(weight_expressions(graph) if nodes is None else nodes)
    read = dict.fromkeys(
        tensor
        for inputs in (*(node.inputs for node in graph.nodes if node not in fixed), graph.outputs)
        for tensor in inputs
        if tensor is not None and tensor.node in fixed
    )
    with collector_paused():
        return dict(zip(read, evaluate(graph, {}, list(read), wide=wide, given=given), strict=True))


def with_values(graph: Graph) -> Graph:
    """Return `graph` with its weights, and what is computed from them alone, as Constants that hold their current values."""
    freezing, fixed = Rewriting(graph), set(weight_expressions(graph))
    for tensor, value in weight_values(graph).items():
        freezing.redirect(tensor, Constant(value))
    for parameter in graph.parameters.values():
        freezing.redirect(parameter, Constant(parameter.value))
    for node in graph.nodes:
        if node not in fixed:
            freezing.carry(node)
    return freezing.finish()


class Weights:
    """Builds expressions over the weights of one graph, each of them once.

    Cuts are carried inwards, rows before columns, so that the same block of a weight is the same tensor however it was asked
    for.
    """

    def __init__(self, graph: Graph) -> None:
        self._fixed = set(weight_expressions(graph))
        self._made: dict[tuple[object, ...], Tensor] = {}
        self._base: dict[Tensor, Tensor] = {}
        for node in graph.nodes:
            if node in self._fixed:
                self._remember(node)

    def holds(self, tensor: Tensor | None) -> bool:
        """Say whether a tensor is a Parameter, a Constant or an expression of them."""
        if tensor is None or tensor.node is None:
            return isinstance(tensor, (Constant, Parameter))
        return tensor.node in self._fixed

    def holds_row(self, tensor: Tensor | None) -> bool:
        """Say whether a tensor is a weight of one row, such as a bias, or a scalar."""
        return tensor is not None and self.holds(tensor) and all(size == 1 for size in tensor.shape[:-1])

    def base(self, weight: Tensor) -> Tensor:
        """Return the (first) Parameter or Constant that a weight is made of."""
        inner = weight
        while inner not in self._base and inner.node is not None and inner.node.inputs[0] is not None:
            inner = inner.node.inputs[0]
        found = self._base[weight] = self._base.get(inner, inner)
        return found

    def cut(self, weight: Tensor, start: int, end: int, axis: int, cell: str | None, level: int = 0) -> Tensor:
        """Return ``weight[start:end]`` along `axis`."""
        axis %= weight.rank
        node = weight.node
        if (start, end) == (0, weight.shape[axis]):
            return weight
        if level < _DEEPEST and node is not None and isinstance(node.op, Concat):
            return self._cut_joined(node, start, end, axis, cell, level + 1)
        inner = slice_of(node) if level < _DEEPEST else None
        if inner is not None and inner[3] == axis:
            return self.cut(inner[0], inner[1] + start, inner[1] + end, axis, cell, level + 1)
        if inner is not None and axis < inner[3]:
            return self.cut(self.cut(inner[0], start, end, axis, cell, level + 1), *inner[1:], cell, _DEEPEST)
        key = ("Slice", weight, start, end, axis)
        if key not in self._made:
            bounds = (ints(start), ints(end), ints(axis))
            what = "columns" if axis and axis == weight.rank - 1 else "rows"
            self._make(key, Slice(), (weight, *bounds), cell, f"{what}_{start}_to_{end}")
        return self._made[key]

    def _cut_joined(self, node: Node, start: int, end: int, axis: int, cell: str | None, level: int) -> Tensor:
        along = node.op.axis if isinstance(node.op, Concat) else 0
        parts = [tensor for tensor in node.inputs if tensor is not None]
        if axis != along:
            return self.joined([self.cut(part, start, end, axis, cell, level) for part in parts], along, cell)
        found, at = [], 0
        for part in parts:
            size = part.shape[axis]
            low, high = max(start - at, 0), min(end - at, size if isinstance(size, int) else 0)
            if low < high:
                found.append(self.cut(part, low, high, axis, cell, level))
            at += size if isinstance(size, int) else 0
        return self.joined(found, axis, cell)

    def ordered(self, weight: Tensor, ranges: Sequence[tuple[int, int]], cell: str | None) -> Tensor:
        """Return a weight with the given ranges of its last axis, in their order."""
        runs: list[tuple[int, int]] = []
        for start, end in ranges:
            if runs and runs[-1][1] == start:
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
        axis = weight.rank - 1
        return self.joined([self.cut(weight, start, end, axis, cell) for start, end in runs], axis, cell)

    def joined(self, parts: Sequence[Tensor], axis: int, cell: str | None) -> Tensor:
        """Return weights joined along `axis`."""
        if len(parts) == 1:
            return parts[0]
        key = ("Concat", *parts, axis)
        if key not in self._made:
            self._make(key, Concat(axis), parts, cell, "joined")
        return self._made[key]

    def total(self, terms: Sequence[Tensor], cell: str | None) -> Tensor:
        """Return the sum of weights."""
        result = terms[0]
        for term in terms[1:]:
            key = ("Add", result, term)
            if key not in self._made:
                self._make(key, Add(), (result, term), cell, "sum")
            result = self._made[key]
        return result

    def turned(self, weight: Tensor, cell: str | None) -> Tensor:
        """Return a matrix transposed."""
        if weight.node is not None and isinstance(weight.node.op, Transpose) and weight.node.op.perm == (1, 0):
            inner = weight.node.inputs[0]
            if inner is not None:
                return inner
        key = ("Transpose", weight)
        if key not in self._made:
            self._make(key, Transpose((1, 0)), (weight,), cell, "transposed")
        return self._made[key]

    def _make(
        self,
        key: tuple[object, ...],
        op: Slice | Concat | Add | Transpose,
        inputs: Sequence[Tensor],
        cell: str | None,
        hint: str,
    ) -> None:
        base = self.base(inputs[0])
        name = base.name if isinstance(base, Parameter) else base.label
        origin = scopes.Origin(name, None, cell, None)  # a weight belongs to no step
        (result,) = made(op, inputs, frozenset({origin}), hint)
        if result.node is not None:
            self._fixed.add(result.node)
        self._made[key] = result

    def _remember(self, node: Node) -> None:
        """Take up an expression that an earlier pass wrote."""
        inputs = tuple(tensor for tensor in node.inputs if tensor is not None)
        result = node.outputs[0]
        cut = slice_of(node)
        if cut is not None:
            self._made.setdefault(("Slice", *cut), result)
        elif isinstance(node.op, Concat):
            self._made.setdefault(("Concat", *inputs, node.op.axis), result)
        elif isinstance(node.op, Add):
            self._made.setdefault(("Add", *inputs), result)
        elif isinstance(node.op, Transpose) and node.op.perm == (1, 0):
            self._made.setdefault(("Transpose", *inputs), result)
