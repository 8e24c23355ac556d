"""Writing the graph anew with an operator in the place of each recurrence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from unroll.graph import Graph
from unroll.ops.joining import Concat
from unroll.ops.shaping import Unsqueeze
from unroll.passes.rerolling.finding import Inner, Recurrence, Uses, View
from unroll.passes.rerolling.writing.stacking import Stacker
from unroll.passes.tools.making import Maker
from unroll.passes.tools.rewriting import Rewriting
from unroll.tensor import Node, Tensor
from unroll.topological_order import CircleError, in_order


class Plan(Protocol):
    """How recurrences become one operator."""

    @property
    def name(self) -> str:
        """The operator's name."""

    @property
    def reason(self) -> str:
        """Why it is not a more specialised one."""

    @property
    def recurrences(self) -> Sequence[Recurrence]:
        """The recurrences that it is for."""

    def write(self, emission: Emission) -> None:
        """Write the operator, and say which tensors stand for those that were read of the recurrences."""


class Emission(Rewriting):
    """The new graph in the making.

    Attributes:
        view: the old graph.
        stacker: makes the stacks of steps.
        owner: the plan that each node of a recurrence belongs to.
    """

    def __init__(self, view: View, plans: Sequence[Plan]) -> None:
        super().__init__(view.graph)
        self.view = view
        self.stacker = Stacker(view, self.new)
        self.owner: dict[Node, Plan] = {}
        for plan in plans:
            for recurrence in plan.recurrences:
                self.owner |= dict.fromkeys(recurrence.members, plan)
        self._cuts: dict[Tensor, list[Tensor]] = {}
        self._lone: set[Tensor] = set()

    def new(self, tensor: Tensor) -> Tensor:
        """Return what stands for a tensor of the old graph: a step of a loop is cut from its stack when first asked for."""
        tensor = self.view.same(tensor)
        inside = self.stacker.of_loop(tensor)
        if inside is not None and tensor not in self._new:
            stack, place = inside
            maker = Maker(tensor.node.provenance) if tensor.node is not None else Maker(frozenset())
            self.stand_in(tensor, self._step(stack, place, maker))
        return self[tensor]

    def _step(self, stack: Tensor, place: int, maker: Maker) -> Tensor:
        """Return one step of a stack, cut out alone where it is the only one."""
        if stack in self._lone:
            return maker.at(stack, place)
        if stack not in self._cuts:
            whole = Maker(stack.node.provenance) if stack.node is not None else maker
            self._cuts[stack] = whole.pieces(stack, int(stack.shape[0]))
        return self._cuts[stack][place]

    def add_loop(self, recurrence: Recurrence, inner: Inner, stack: Tensor, uses: Uses, backward: bool = False) -> None:
        """Say that `stack` holds an output of the pattern at all steps, the first one first, or last if `backward`."""
        column, last = recurrence.column(inner), len(recurrence.steps) - 1
        self.stacker.add_loop(column.values(), stack, [last - at if backward else at for at in column])
        if sum(map(uses.alone, column.values())) <= 1:
            self._lone.add(stack)

    def write(self, order: Sequence[Node | Plan]) -> None:
        """Write everything, in an order in which nothing comes before what it needs."""
        for unit in order:
            if not isinstance(unit, Node):
                unit.write(self)
            elif not self._write_stack(unit):
                inputs = tuple([None if tensor is None else self.new(tensor) for tensor in self.view.inputs[unit]])
                if inputs != unit.inputs:
                    self.keep(unit, inputs)

    def finish(self) -> Graph:
        """Return the new graph; see `Rewriting.finish`."""
        for tensor in self.graph.outputs:
            same = self.view.same(tensor)
            new = self.new(same)
            if new is not tensor:
                self._new[tensor] = new
        return super().finish()

    def _write_stack(self, node: Node) -> bool:
        """Write a Concat of a tensor of every step as one stack, where there is one to take it from."""
        column = stacked_column(self.view, node)
        if column is None or not any(self._comes_from_loop(tensor) for tensor in column):
            return False
        maker = Maker(node.provenance)
        found = self.stacker.early(column, maker)
        if found is None or not isinstance(node.op, Concat):
            return False
        stack, backward = found
        if backward:
            return False
        axis = node.op.axis % node.outputs[0].rank
        result = maker.moved(stack, 0, axis)
        if result.shape != node.outputs[0].shape:
            result = maker.reshape(result, node.outputs[0].shape)
        self.stand_in(node.outputs[0], result)
        return True

    def _comes_from_loop(self, tensor: Tensor) -> bool:
        """Say whether a loop makes a tensor, or something just above it."""
        waiting, seen = [tensor], 0
        while waiting and seen < 64:
            one = waiting.pop()
            seen += 1
            if one.node in self.owner:
                return True
            if one.node is not None:
                waiting += [item for item in self.view.inputs.get(one.node, ()) if item is not None]
        return False


def stacked_column(view: View, node: Node) -> tuple[Tensor, ...] | None:
    """Return the tensors that a Concat joins as steps: unsqueezed ones along the new axis, or others of one shape."""
    if not isinstance(node.op, Concat) or len(node.inputs) < 2:
        return None
    rank = node.outputs[0].rank
    axis = node.op.axis % rank
    column = []
    for tensor in view.inputs[node]:
        source = None if tensor is None else tensor.node
        if source is None or not isinstance(source.op, Unsqueeze) or view.inputs[source][0] is None:
            break
        axes = view.inputs[source][1].known  # type: ignore[union-attr]
        if not isinstance(axes, tuple) or len(axes) != 1 or int(axes[0]) % rank != axis:
            break
        column.append(view.inputs[source][0])
    if len(column) < len(node.inputs):
        column = list(view.inputs[node])
    first = column[0]
    alike = all(tensor is not None and first is not None and tensor.shape == first.shape for tensor in column)
    return tuple(tensor for tensor in column if tensor is not None) if alike else None


def ordered(view: View, owner: Mapping[Node, Plan]) -> tuple[list[Node | Plan], Plan | None]:
    """Return nodes and plans in an order in which nothing comes before what it needs.

    Where there is none, because a recurrence needs what is computed from its own steps outside, return that plan.
    """

    def needs(unit: Node | Plan) -> Iterable[Tensor | None]:
        if isinstance(unit, Node):
            return view.inputs[unit]
        return [view.same(tensor) for recurrence in unit.recurrences for tensor in recurrence.read()]

    ends = (view.same(output).node for output in view.graph.outputs)
    try:
        return in_order((node for node in ends if node is not None), owner, needs), None
    except CircleError as error:
        return [], next(unit for unit in reversed(error.circle) if not isinstance(unit, Node))
