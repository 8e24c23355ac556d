"""A graph of fixed sizes whose only loops are Scans, for which alone C is written.

Preserves the inputs, but for the sizes given, and the names of inputs and outputs; the values of the outputs but for rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unroll.dimensions import Dimension
from unroll.errors import ArgumentError, ShapeError, UnsupportedError
from unroll.export.c.composites import COMPOSITES
from unroll.export.c.natives import write_native
from unroll.garbage_collection import collector_paused
from unroll.graph import Graph
from unroll.ops.branches import If
from unroll.ops.loop import Loop
from unroll.ops.operator import Operator, made
from unroll.ops.recurrent import GRU, LSTM, RNN
from unroll.ops.scan import Scan
from unroll.passes.rerolling.planner import reroll
from unroll.passes.tools.drafting import Draft
from unroll.passes.unrolling.binding import bound
from unroll.passes.unrolling.branches import write_if
from unroll.passes.unrolling.flattening import Flattening, Inputs, Writer
from unroll.passes.unrolling.loops import write_loop
from unroll.scopes import Origin
from unroll.sizes import checked_dims, symbols_of
from unroll.structure import Structure
from unroll.tensor import Constant, Node, Placeholder, Tensor

#: How many nodes a graph may become.
MOST_NODES = 1_000_000


def settled(graph: Graph, dims: Mapping[str, int] | None, rolled: bool, what: str, check: bool = True) -> Graph:
    """Return a graph as this module says.

    Args:
        graph: any graph.
        dims: numbers for all symbols of its inputs.
        rolled: whether steps that repeat become loops.
        what: who asks, for messages.
        check: whether a graph with loops is proven to compute the same; where it is not, steps stay as they are.

    Raises:
        ArgumentTypeError, ArgumentError: `dims` leave a size open, or hold what is no symbol.
        ShapeError: a size is 0, or the graph does not allow these sizes.
        UnsupportedError: only a run knows how often a loop runs.
    """
    sizes = checked_dims(dims, symbols_of(graph), what)
    for name, size in sizes.items():
        if not size:
            raise ShapeError(f"{what}: {name} = 0: C is written for sizes of at least 1; graph.run takes 0 too")
    inside = bound(graph, sizes)
    _check_decided(inside.inputs, what)
    if rolled:
        graph, _ = reroll(graph, native=False, check=check, dims=sizes)
        inside = bound(graph, sizes)
    with collector_paused():
        flattening = Flattening(graph, inside.sizes, _WRITERS, MOST_NODES, settled=False)
        pairs = zip(graph.inputs, inside.inputs, strict=True)
        new: dict[Tensor, Tensor] = {old: made_of_it for old, made_of_it in pairs if made_of_it is not old}
        flattening.walk(graph.nodes, new)
        outputs = [new.get(tensor, tensor) for tensor in graph.outputs]
        found = Draft(graph, outputs, flattening.copied, {}, inside.inputs, inside.requirements)
    for node in found.nodes:
        _check_written(node, what)
    return found


def _check_decided(inputs: Sequence[Placeholder], what: str) -> None:
    for tensor in inputs:
        free = sorted({name for dim in tensor.shape if isinstance(dim, Dimension) for name in dim.symbols})
        if free:
            wanted = ", ".join(f'"{name}": 1' for name in free)
            raise ArgumentError(
                f"{what}: {tensor.described()}: C has fixed sizes, and {' and '.join(free)} is open; give dims={{{wanted}}}"
            )


def _check_written(node: Node, what: str) -> None:
    if isinstance(node.op, (If, Loop)):
        raise UnsupportedError(
            f"{what}: {node!r}: only a run knows how often it runs, or which branch, and C here has loops of fixed length; "
            "unroll.unroll(graph) says what would settle it"
        )
    if any(isinstance(dim, Dimension) for tensor in node.outputs for dim in tensor.shape):
        raise UnsupportedError(f"{what}: {node!r}: only a run knows the size of its output, and C here has fixed sizes")
    for body in node.op.bodies:
        for inner in body.nodes:
            _check_written(inner, what)


def _write_scan(
    flat: Flattening, node: Node, op: Operator, inputs: Inputs, provenance: frozenset[Origin]
) -> tuple[Sequence[Tensor], int]:
    """Write a Scan again, with a body of fixed sizes; weights that it reads are read inside."""
    assert isinstance(op, Scan)
    outer = [tensor for tensor in inputs if tensor is not None]
    first, second = op.num_states, op.num_states + op.num_scan_inputs
    fresh: list[Tensor] = []
    for place, (inner, tensor) in enumerate(zip(op.body.inputs, outer, strict=True)):
        if place >= second and isinstance(tensor, Constant):
            fresh.append(tensor)
            continue
        shape = tensor.shape[1:] if first <= place < second else tensor.shape
        fresh.append(Placeholder(shape, inner.dtype, f"in{place}"))
    new: dict[Tensor, Tensor] = dict(zip(op.body.inputs, fresh, strict=True))
    flat.walk(op.body.nodes, new)
    kept = [place for place, tensor in enumerate(fresh) if isinstance(tensor, Placeholder)]
    body = Structure(
        [tensor for tensor in fresh if isinstance(tensor, Placeholder)],
        [new.get(tensor, tensor) for tensor in op.body.outputs],
    )
    again = Scan(
        body,
        op.num_scan_inputs,
        len(kept) - second,
        op.scan_input_directions,
        op.scan_output_directions,
    )
    outputs = made(again, [outer[place] for place in kept], provenance)
    for old, tensor in zip(node.outputs, outputs, strict=True):
        tensor.hint = old.hint
    return outputs, 1


_WRITERS: dict[type[Operator], Writer] = {
    **dict.fromkeys((GRU, LSTM, RNN), write_native),
    **COMPOSITES,
    If: write_if,
    Loop: write_loop,
    Scan: _write_scan,
}
