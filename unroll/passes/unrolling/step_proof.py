"""The proof of an unrolled graph: it is run in NumPy beside the graph that it came from.

A long loop is not run from end to end: each loop alone is unrolled over a few steps once more, and that is proven. It is
written by the same formula at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from unroll.dimensions import Dim, Limit
from unroll.graph import Graph
from unroll.ops.operator import Operator, made
from unroll.ops.recurrent_loop import Recurrent
from unroll.ops.scan import Scan
from unroll.parameter import Parameter
from unroll.passes.proving.numeric_proof import MOST_STEPS, Given, Proof, by_numbers
from unroll.passes.proving.proof import MOST_WHOLE, cost_of_run
from unroll.passes.tools.rewriting import op_key
from unroll.passes.tools.weight_expressions import weight_expressions
from unroll.passes.unrolling.report import Unrolled
from unroll.tensor import Constant, Node, Placeholder, Tensor

#: Unrolls a graph with sizes by name, without new Parameters.
Again = Callable[[Graph, Mapping[str, int]], Graph]
#: Over how many steps a long loop is unrolled once more, and of how many units a cell is then.
_FEW, _UNITS = 4, 6


def prove(
    graph: Graph, new: Graph, sizes: Mapping[str, int], report: Unrolled, loops: Sequence[Node], again: Again
) -> Proof:
    """Compare an unrolled graph with the one that it came from.

    Args:
        graph: the old graph.
        new: the new one.
        sizes: what was given by name.
        report: what became of each loop.
        loops: the loops of the old graph that were unrolled.
        again: unrolls a graph.

    Returns:
        The proof.
    """
    longest = max((item.steps for item in report), default=0)
    if (
        longest <= MOST_STEPS and 2 * cost_of_run(new) <= MOST_WHOLE
    ):  # the steps that are written out are those that run
        found = by_numbers(graph, again(graph, sizes), "from end to end", Given(sizes, None))
        if found.holds is not None:
            return found
    weights = set(weight_expressions(graph))
    parts = {(op_key(node), *map(_kind, node.inputs)): node for node in loops}
    for node in parts.values():
        part = _alone(node, weights)
        proof = by_numbers(part, again(part, {}), "", Given({}, None))
        if not proof:
            return proof
    count = "the loop" if len(parts) == 1 else f"each of {len(parts)} kinds of loops"
    return Proof(True, f"the same in NumPy, {count} alone over {_FEW} steps and fewer")


def _kind(tensor: Tensor | None) -> object:
    return None if tensor is None else (tensor.shape, tensor.dtype)


def _alone(node: Node, weights: set[Node]) -> Graph:
    """Return a graph of a loop alone, over a few steps."""
    if isinstance(node.op, Recurrent):
        return _native_alone(node, node.op)
    return _scan_alone(node, weights) if isinstance(node.op, Scan) else _as_it_is(node, weights)


def _native_alone(node: Node, op: Recurrent) -> Graph:
    """Return a recurrent operator of a few units, which is fed its weights."""
    first = node.inputs[0]
    assert first is not None
    time, hidden = int(bool(op.attributes.get("layout"))), min(op.hidden_size, _UNITS)
    features, rows = min(int(first.shape[2]), _UNITS), op.gates * hidden
    widths = {0: features, 1: features, 2: hidden, 3: 2 * rows, 5: hidden, 6: hidden, 7: 3 * hidden}
    inputs: list[Tensor | None] = []
    for place, tensor in enumerate(node.inputs):
        shape = [] if tensor is None else list(tensor.shape)
        if place in widths and shape:
            shape[-1] = widths[place]
        if place == 0:
            shape[time] = _few(shape[time])
        elif place in (1, 2) and shape:
            shape[1] = rows
        inputs.append(None if tensor is None else Placeholder(tuple(shape), tensor.dtype, f"input{place}"))
    lengths = [Limit(f"input{_LENGTHS}", 0, inputs[0].shape[time], "")] if _has(inputs, _LENGTHS) else []  # type: ignore[union-attr]  # X is there
    return _graph(node, replace(op, hidden_size=hidden), inputs, lengths)


def _scan_alone(node: Node, weights: set[Node]) -> Graph:
    """Return a Scan over a few steps, which reads the same weights."""
    op = node.op
    assert isinstance(op, Scan)
    inputs: list[Tensor | None] = []
    for place, tensor in enumerate(node.inputs):
        scanned = op.num_states <= place < op.num_states + op.num_scan_inputs
        if tensor is None or (not scanned and (tensor.node in weights or isinstance(tensor, (Constant, Parameter)))):
            inputs.append(tensor)
        elif isinstance(tensor, Constant):  # such as the number of each step
            inputs.append(Constant(tensor.value[:_FEW].copy()))
        else:
            shape = (_few(tensor.shape[0]), *tensor.shape[1:]) if scanned else tensor.shape
            inputs.append(Placeholder(shape, tensor.dtype, f"input{place}"))
    return _graph(node, op, inputs, [])


def _as_it_is(node: Node, weights: set[Node]) -> Graph:
    """Return a Loop or an If alone, with the numbers and weights that it reads."""
    inputs: list[Tensor | None] = []
    for place, tensor in enumerate(node.inputs):
        given = tensor is None or tensor.node in weights or isinstance(tensor, (Constant, Parameter))
        inputs.append(tensor if given or tensor is None else Placeholder(tensor.shape, tensor.dtype, f"input{place}"))
    return _graph(node, node.op, inputs, [])


def _graph(node: Node, op: Operator, inputs: Sequence[Tensor | None], limits: Sequence[Limit]) -> Graph:
    outputs = made(op, inputs, node.provenance)
    named = {f"output{place}": tensor for place, tensor in enumerate(outputs)}
    return Graph([item for item in inputs if isinstance(item, Placeholder)], named, limits)


def _few(size: Dim) -> int:
    return min(size, _FEW) if isinstance(size, int) else _FEW


def _has(inputs: Sequence[Tensor | None], place: int) -> bool:
    return len(inputs) > place and inputs[place] is not None


#: The place of the lengths among the inputs of a recurrent operator.
_LENGTHS = 4
