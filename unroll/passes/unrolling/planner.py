"""Writing the loops of a graph step by step, and the proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from unroll.arguments import checked
from unroll.checks import check_size
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph, check_graph
from unroll.ops.branches import If
from unroll.ops.loop import Loop
from unroll.ops.operator import Operator
from unroll.ops.recurrent import GRU, LSTM, RNN
from unroll.ops.scan import Scan
from unroll.passes.cancel_shapes import cancel_shapes
from unroll.passes.tools.drafting import Draft
from unroll.passes.unrolling.binding import bound
from unroll.passes.unrolling.branches import write_if
from unroll.passes.unrolling.flattening import Flattening, Writer
from unroll.passes.unrolling.loops import write_loop
from unroll.passes.unrolling.natives import write_native
from unroll.passes.unrolling.report import Unrolled
from unroll.passes.unrolling.scans import write_scan
from unroll.passes.unrolling.step_proof import prove
from unroll.sizes import checked_dims, symbols_of
from unroll.tensor import Node, Tensor

WRITERS: dict[type[Operator], Writer] = {
    **dict.fromkeys((GRU, LSTM, RNN), write_native),
    If: write_if,
    Loop: write_loop,
    Scan: write_scan,
}
#: How many nodes are made at most by default.
MOST_NODES = 1_000_000
#: Up to how many nodes loops are written out to be compared.
_COMPARED = 3_000


@checked()
def unroll(
    graph: Graph, *, dims: Mapping[str, int] | None = None, most_nodes: int = MOST_NODES, check: bool = True
) -> tuple[Graph, Unrolled]:
    """Write every loop as the nodes of its steps: the inverse of `reroll`.

    An RNN, GRU or LSTM, with all attributes that ONNX gives them, becomes the formula of its cell, step by step, with the
    kernel ``(input + hidden, gates * hidden)``: where the operator reads its weights from Parameters without a block table,
    as those of a file are, a new Parameter with one, which holds the values that they have now. A Scan becomes its body, step
    by step; so does a Loop, whose count and condition are computed meanwhile; an If becomes the branch that is chosen. Every
    node knows its step, and those of a cell their cell and gate; the two directions of a cell are called ``fw`` and ``bw``.
    Every other node is made again by its own shape rule, and computed where constants and sizes decide it.

    Preserves the inputs, but for the sizes given, the names of inputs and outputs, dtypes, states and requirements; the
    values of the outputs but for rounding.

    Args:
        graph: any graph.
        dims: sizes of symbols of the inputs, by name, such as ``{"time": 28}``: the new graph takes no others.
        most_nodes: how many nodes may be made at most. A loop that would become more is left as it was.
        check: whether the new graph is proven to compute the same: both are run in NumPy on feeds made to tell them apart; of
            a long loop, the loop alone over a few steps.

    Returns:
        The new graph (the old one where nothing changes), and what became of each loop. One that cannot be unrolled is left
        as it was; the report says why, and what would settle it.

    Raises:
        ArgumentTypeError: `graph` is no Graph, or `dims` are no sizes by name.
        ArgumentError: `dims` hold what is no symbol of the inputs, or `most_nodes` is below 1.
        ShapeError: the graph does not allow these sizes.

    Example:
        >>> x, w, r = unroll.placeholder(["time", 2, 28], name="x"), np.ones((1, 52, 28)), np.ones((1, 52, 13))
        >>> y, y_h, y_c = ops.lstm(x, w, r, hidden_size=13)
        >>> flat, report = unroll.unroll(unroll.Graph([x], {"last": y_h}), dims={"time": 3})
        >>> print(report.found[0])
        lstm: LSTM: 3 steps written out
        >>> [node.op.name for node in flat.nodes].count("MatMul")
        3
    """
    check_graph(graph, "unroll")
    sizes = checked_dims(dims, symbols_of(graph), "unroll")
    most = check_size(most_nodes, "unroll: most_nodes")
    with collector_paused():
        new, report, loops = _flat(graph, sizes, most)
        if not report or not check:
            return new, report
        proof = prove(graph, new, sizes, report, loops, lambda part, own: _flat(part, own, most, settled=False)[0])
    return (new, replace(report, proof=proof)) if proof else (graph, report.withdrawn(proof))


def _flat(
    graph: Graph,
    sizes: Mapping[str, int],
    most: int,
    settled: bool = True,
) -> tuple[Graph, Unrolled, Sequence[Node]]:
    """Return a graph with its loops written out, what became of them, and the loops."""
    inside = bound(graph, sizes)
    flattening = Flattening(graph, inside.sizes, WRITERS, most, settled)
    pairs = zip(graph.inputs, inside.inputs, strict=True)
    new: dict[Tensor, Tensor] = {old: made for old, made in pairs if made is not old}
    flattening.walk(graph.nodes, new)
    report = Unrolled(tuple(flattening.found))
    if not sizes and not report:
        return graph, report, []
    outputs = [new.get(tensor, tensor) for tensor in graph.outputs]
    found = Draft(graph, outputs, flattening.copied, {}, inside.inputs, inside.requirements)
    return cancel_shapes(found), report, flattening.loops


def folded(graph: Graph) -> Graph:
    """Return a graph with what constants and sizes decide computed, and the branches of an If chosen where they decide it."""
    flattening = Flattening(graph, {}, {If: write_if}, MOST_NODES)
    new: dict[Tensor, Tensor] = {}
    flattening.walk(graph.nodes, new)
    if not new:
        return graph
    return Draft(graph, [new.get(tensor, tensor) for tensor in graph.outputs], flattening.copied, {})


def unrolled_again(graph: Graph) -> Graph:
    """Return a graph with its loops written out over the weights that it has, to be compared; long ones are left."""
    return _flat(graph, {}, _COMPARED, settled=False)[0]
