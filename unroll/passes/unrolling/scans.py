"""Scan operators, step by step."""

from __future__ import annotations

from collections.abc import Sequence

from unroll.ops.joining import Split
from unroll.ops.operator import Operator
from unroll.ops.scan import Scan
from unroll.passes.tools.making import Maker
from unroll.passes.unrolling.flattening import Flattening, Inputs
from unroll.passes.unrolling.runs import Runs
from unroll.passes.unrolling.step_places import at_step
from unroll.scopes import Origin
from unroll.tensor import Node, Tensor


def write_scan(
    flat: Flattening, node: Node, op: Operator, inputs: Inputs, provenance: frozenset[Origin]
) -> tuple[Sequence[Tensor], int]:
    """Write a Scan as the nodes of its steps.

    Args:
        flat: the graph in the making.
        node: the old node.
        op: its operator.
        inputs: what it reads in the new graph.
        provenance: where it comes from.

    Returns:
        The last states, then the stacks, and the number of steps.

    Raises:
        LeftError: only a run knows how many steps there are, or there are none.
    """
    assert isinstance(op, Scan)
    outer = [tensor for tensor in inputs if tensor is not None]
    changing = op.num_states + op.num_scan_inputs
    states, rows = outer[: op.num_states], outer[op.num_states : changing]
    steps, maker, body = flat.steps(rows[0].shape[0]), Maker(provenance), op.body
    flat.check_room(steps, len(body.nodes))
    backward = op.scan_input_directions or (0,) * len(rows)
    pieces = [[tensor] if steps == 1 else list(maker.node(Split(0, steps), tensor)) for tensor in rows]
    cut = [items[:: -1 if back else 1] for items, back in zip(pieces, backward, strict=True)]
    runs = Runs(flat, body, outer[changing:], len(body.outputs) - len(states), provenance)
    for number in range(steps):
        place = at_step(provenance, steps - 1 - number if all(backward) else number)
        here = Maker(place(provenance))
        states = runs.run([*states, *(here.squeeze(row[number], 0) for row in cut)], place)
    stacks = runs.stacks(node, op.scan_output_directions)
    return [*states, *(stack for stack in stacks if stack is not None)], steps
