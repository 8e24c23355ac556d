"""Recurrent operators that read one sequence from both ends, as one operator of two directions: see `join_directions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from unroll.graph import Graph
from unroll.ops.recurrent_loop import ACTIVATIONS, Recurrent
from unroll.ops.shaping import Squeeze
from unroll.passes.join_slices import with_slices_joined
from unroll.passes.tools.making import Maker
from unroll.passes.tools.rewriting import Readers, Rewriting, merged
from unroll.tensor import Constant, Node, Tensor
from unroll.topological_order import CircleError, Together, in_order

Pair = Together[Node]
#: Where X and the lengths stand among the inputs of a recurrent operator: those that both directions share.
_SHARED = (0, 4)


def join_directions(graph: Graph) -> Graph:
    """Return `graph` with each LSTM, GRU or RNN that reads a sequence forward, and one like it that reads it backward, as one.

    Preserves the names of what is kept and the values of the outputs to the bit. Two that depend on one another stay apart.
    """
    units = _pairs(graph)
    ends = [tensor.node for tensor in graph.outputs if tensor.node is not None]
    while units:
        try:
            order = in_order(ends, units)
        except CircleError as error:
            waiting = next(unit for unit in error.circle if isinstance(unit, Together))
            units = {node: unit for node, unit in units.items() if unit is not waiting}
        else:
            return _joined(graph, order)
    return graph


def _pairs(graph: Graph) -> Mapping[Node, Pair]:
    """Return the pair that each node of one is part of."""
    units: dict[Node, Pair] = {}
    alone: list[Node] = []
    for node in graph.nodes:
        if not isinstance(node.op, Recurrent) or node.op.direction == "bidirectional":
            continue
        other = next((item for item in alone if _is_pair(item, node)), None)
        if other is None:
            alone.append(node)
            continue
        alone.remove(other)
        forward, backward = (other, node) if other.op.direction == "forward" else (node, other)  # type: ignore[attr-defined]
        pair = Together([forward, backward], [item for item in (*other.inputs, *node.inputs) if item is not None])
        units |= {forward: pair, backward: pair}
    return units


def _is_pair(one: Node, other: Node) -> bool:
    """Say whether two nodes are the directions of one operator: alike but for their weights and first states."""
    if one.op.direction == other.op.direction:  # type: ignore[attr-defined]
        return False
    if replace(one.op, direction="forward") != replace(other.op, direction="forward"):  # type: ignore[type-var]
        return False
    if not _says_each(one.op):  # type: ignore[arg-type]
        return False
    inputs = list(zip(_padded(one), _padded(other), strict=True))
    shared = all(inputs[place][0] is inputs[place][1] for place in _SHARED)
    return shared and all((left is None) == (right is None) for left, right in inputs)


def _says_each(op: Recurrent) -> bool:
    """Say whether each activation that has parameters is given them: one that is left out would be the other direction's."""
    counts = [ACTIVATIONS[name].parameters for name in op.activations or op.default_activations]
    given = op.activation_alpha, op.activation_beta
    return all(len(values or ()) in (0, sum(count > at for count in counts)) for at, values in enumerate(given))


def _padded(node: Node) -> list[Tensor | None]:
    return [*node.inputs, *[None] * (8 - len(node.inputs))]


def _joined(graph: Graph, order: list[Node | Pair]) -> Graph:
    readers, rewriting = Readers(graph), Rewriting(graph)
    cut: set[Node] = set()
    for item in order:
        if isinstance(item, Together):
            cut |= _write(rewriting, readers, *item.members)
        elif item not in cut:
            rewriting.keep(item, rewriting.inputs(item))
    return with_slices_joined(rewriting.finish())


def _write(rewriting: Rewriting, readers: Readers, forward: Node, backward: Node) -> set[Node]:
    """Write two directions as one operator; return the nodes behind it that are no longer needed."""
    maker = Maker(merged([forward, backward]))
    inputs: list[Tensor | None] = []
    for place, (left, right) in enumerate(zip(_padded(forward), _padded(backward), strict=True)):
        if left is None or right is None or place in _SHARED:
            inputs.append(None if left is None else rewriting[left])
        else:
            inputs.append(maker.joined([rewriting[left], rewriting[right]], 0))
    while inputs[-1] is None:
        inputs.pop()
    results = maker.node(_both_ways(forward.op), *inputs)  # type: ignore[arg-type]
    cut: set[Node] = set()
    for way, node in enumerate((forward, backward)):
        for number, (old, result) in enumerate(zip(node.outputs, results, strict=True)):
            result.hint = ("Y", "Y_h", "Y_c")[number]
            axis = 1 if number == 0 else 0
            squeezed = [reader for reader in readers.all(old) if _drops(reader, axis)]
            if readers.unread(old):
                continue
            one = maker.at(result, way, axis)
            for reader in squeezed:
                rewriting.redirect(reader.outputs[0], one)
            cut |= set(squeezed)
            if len(squeezed) < len(readers.all(old)) or old in rewriting.graph.outputs:
                rewriting.stand_in(old, maker.unsqueeze(one, axis))
    return cut


def _drops(node: Node, axis: int) -> bool:
    """Say whether a node drops the axis of the directions, and nothing else."""
    if not isinstance(node.op, Squeeze) or len(node.inputs) < 2:
        return False
    axes = node.inputs[1]
    return isinstance(axes, Constant) and axes.value.tolist() == [axis]


def _both_ways(op: Recurrent) -> Recurrent:
    """Return the operator of both directions."""
    twice = {
        name: None if value is None else value * 2
        for name in ("activations", "activation_alpha", "activation_beta")
        for value in [getattr(op, name)]
    }
    return replace(op, direction="bidirectional", **twice)  # type: ignore[arg-type]
