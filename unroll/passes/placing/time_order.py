"""Which timestep each step of a recurrence is: that of what it reads, where this tells, else its place in the chain."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from unroll.ops.joining import Split
from unroll.ops.slicing import Gather
from unroll.passes.rerolling.finding import Recurrence, View
from unroll.passes.tools.time_slices import bounds_of
from unroll.tensor import Constant, Node, Placeholder, Tensor

#: How far up from an input of a step the tensor is looked for that it was cut from.
_FARTHEST = 12


def timesteps(view: View, recurrence: Recurrence, steps: Mapping[Node, int]) -> list[int]:
    """Return the timestep of each step of a recurrence; `steps` are those of nodes that are placed already.

    A loop that reads rows n, n + 1, ... of a sequence is at these steps; one that reads anything in the opposite order walks
    backward from its last step.
    """
    count = len(recurrence.steps)
    order: dict[Tensor, int] = {tensor: place for place, tensor in enumerate(view.graph.inputs)}
    for number in range(recurrence.pattern.input_count):
        found = [_place(view, tensor, steps, order) for tensor in recurrence.input(number)]
        rows = [place for place in found if place is not None]
        if len(rows) < count or len({source for source, _ in rows}) > 1:
            continue
        times = [time for _, time in rows]
        source = rows[0][0]
        if _rises(times):
            exact = source is not None and times[-1] - times[0] == count - 1 and 0 <= times[0] <= count
            return times if exact else list(range(count))
        if _rises(times[::-1]):
            return list(range(count))[::-1]
    return list(range(count))


def _rises(times: Sequence[int]) -> bool:
    return len(times) > 1 and all(one < other for one, other in itertools.pairwise(times))


def _place(
    view: View, tensor: Tensor, steps: Mapping[Node, int], inputs: Mapping[Tensor, int]
) -> tuple[Tensor | None, int] | None:
    """Return what a step's input was cut from and its place there; None and its place where it is an input of the graph."""
    for _ in range(_FARTHEST):
        node = tensor.node
        if node is None:
            return (None, inputs[tensor]) if isinstance(tensor, Placeholder) and tensor in inputs else None
        if node in steps:
            return None, steps[node]
        cut = _cut(view, node, tensor)
        if cut is not None:
            return cut
        read = [source for source in view.inputs.get(node, node.inputs) if source is not None]
        moving = [source for source in read if not view.is_fixed(source)]
        if len(moving) != 1:
            return None
        (tensor,) = moving
    return None


def _cut(view: View, node: Node, tensor: Tensor) -> tuple[Tensor, int] | None:
    source = view.inputs.get(node, node.inputs)[0] if node.inputs else None
    if source is None:
        return None
    if isinstance(node.op, Split):
        return source, tensor.index
    if isinstance(node.op, Gather) and isinstance(node.inputs[1], Constant) and node.inputs[1].value.size == 1:
        at = int(node.inputs[1].value.item())
        size = source.shape[node.op.axis]
        return source, at + size if at < 0 and isinstance(size, int) else at
    bounds = bounds_of(node)
    for first, last in (bounds or {}).values():
        if isinstance(first, int) and isinstance(last, int) and 0 <= first < last and first % (last - first) == 0:
            return source, first // (last - first)
    return None
