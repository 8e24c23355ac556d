"""Loop operators, run by run: their conditions are computed as they are unrolled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unroll.ops.loop import Loop, goes_on
from unroll.ops.operator import Operator
from unroll.passes.unrolling.flattening import Flattening, Inputs, LeftError
from unroll.passes.unrolling.runs import Runs
from unroll.passes.unrolling.step_places import at_step
from unroll.scopes import Origin
from unroll.structure import Structure
from unroll.tensor import Constant, Node, Tensor


def write_loop(
    flat: Flattening, node: Node, op: Operator, inputs: Inputs, provenance: frozenset[Origin]
) -> tuple[Sequence[Tensor], int]:
    """Write a Loop as the nodes of its runs.

    Args:
        flat: the graph in the making.
        node: the old node.
        op: its operator.
        inputs: what it reads in the new graph.
        provenance: where it comes from.

    Returns:
        The last states, then the stacks, and the number of runs.

    Raises:
        LeftError: only a run knows the count or a condition, or there are no runs to stack.
    """
    assert isinstance(op, Loop)
    body, changing = op.body, 2 + op.num_states
    limit, go = _number(flat, inputs[0], "count"), _truth(flat, inputs[1])
    states = [tensor for tensor in inputs[2:changing] if tensor is not None]
    if limit is not None and goes_on(body):
        flat.check_room(limit, _least_nodes(body, flat.most))
    runs = Runs(flat, body, inputs[changing:], len(body.outputs) - 1 - op.num_states, provenance)
    step = 0
    while go and (limit is None or step < limit):
        flat.count(1)
        given = [_filled(body.inputs[0], step), _filled(body.inputs[1], True), *states]
        goes, *states = runs.run(given, at_step(provenance, step))
        go = _truth(flat, goes)
        step += 1
    stacks = [_nothing(op, place) if stack is None else stack for place, stack in enumerate(runs.stacks(node))]
    return [*states, *stacks], step


def _least_nodes(body: Structure, most: int) -> int:
    """Return at least how many nodes a run of a body is, with the loops in it whose counts it says; `most` is enough."""
    total = len(body.nodes)
    for node in body.nodes:
        count = node.inputs[0] if isinstance(node.op, Loop) else None
        if isinstance(node.op, Loop) and isinstance(count, Constant) and count.value.size == 1 and total <= most:
            total += int(count.value.item()) * _least_nodes(node.op.body, most) if goes_on(node.op.body) else 0
    return total


def _number(flat: Flattening, tensor: Tensor | None, what: str) -> int | None:
    """Return the number that a tensor holds; None where there is none.

    Raises:
        LeftError: only a run knows it.
    """
    if tensor is None:
        return None
    known = tensor.known[0] if isinstance(tensor.known, tuple) and len(tensor.known) == 1 else tensor.known
    if isinstance(known, int):
        return known
    if isinstance(tensor, Constant) and tensor.value.size == 1:
        return int(tensor.value.item())
    raise LeftError(f"only a run knows its {what}; {flat.deciders(tensor)}")


def _truth(flat: Flattening, tensor: Tensor | None) -> bool:
    """Return whether a condition is true; one that is left out is.

    Raises:
        LeftError: only a run knows it.
    """
    if tensor is None:
        return True
    if isinstance(tensor, Constant) and tensor.value.size == 1:
        return bool(tensor.value.item())
    raise LeftError(f"only a run knows when it ends; {flat.deciders(tensor)}")


def _filled(inner: Tensor, value: int | bool) -> Constant:
    """Return the number of the run, or the condition, as the body takes it."""
    return Constant(np.full([1] * inner.rank, value, inner.dtype))


def _nothing(op: Loop, place: int) -> Constant:
    """Return a stack of no runs.

    Raises:
        LeftError: its sizes are not known.
    """
    tensor = op.body.outputs[1 + op.num_states + place]
    sizes = op.body.shape(tensor)
    if not all(isinstance(size, int) for size in sizes):
        raise LeftError("it runs not once, and only a run knows the sizes of what it would stack")
    return Constant(np.zeros((0, *(int(size) for size in sizes)), tensor.dtype))
