"""A sequence over time: as a list with the tensors of each step, or as tensors whose first axis is the time.

Layers, modules and drivers talk of `Steps` and need not know which it is. A list is unrolled; tensors over time are walked by
a loop, which is the only way where the time is a symbol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from unroll import nest, ops, scopes
from unroll.dimensions import BATCH, TIME, Dim, symbol
from unroll.drivers.structure_checks import time_of
from unroll.tensor import Placeholder, Tensor, named


class ListedSteps:
    """Steps in a list: a tensor, or a nest of tensors, for each.

    Attributes:
        items: the steps.
        time: how many they are.
    """

    def __init__(self, items: Sequence[Any]) -> None:
        self.items, self.time = list(items), len(items)

    def beside(self, other: ListedSteps, function: Callable[[Any, Any], Any]) -> ListedSteps:
        """Return what a function makes of each step of the two; see `RolledSteps.beside`."""
        made = []
        for step, pair in enumerate(zip(self.items, other.items, strict=True)):
            with scopes.at_step(step):
                made.append(function(*pair))
        return ListedSteps(made)

    def reversed(self) -> ListedSteps:
        """Return the steps in the opposite order."""
        return ListedSteps(self.items[::-1])

    def listed(self) -> list[Any]:
        """Return the steps in a list."""
        return self.items

    def joined(self, axis: int) -> Any:
        """Return the steps as one tensor, or a nest of them, with the time on an axis."""
        return nest.map_leaves(lambda *parts: _stacked(parts, axis), *self.items)


class RolledSteps:
    """Steps in one tensor, ``(time, ...)``, or in a nest of such tensors.

    Attributes:
        whole: the tensors.
        time: how many steps they hold, which only a run may know.
    """

    def __init__(self, whole: Any, time: Dim) -> None:
        self.whole, self.time = whole, time

    def beside(self, other: RolledSteps, function: Callable[[Any, Any], Any]) -> RolledSteps:
        """Return what a function makes of each step of the two.

        It acts element by element or along the last axis, so that it can be given all steps at once.
        """
        return RolledSteps(function(self.whole, other.whole), self.time)

    def reversed(self) -> RolledSteps:
        """Return the steps in the opposite order."""
        return RolledSteps(nest.map_leaves(lambda tensor: named(tensor[::-1], "reversed"), self.whole), self.time)

    def listed(self) -> list[Any]:
        """Return the steps in a list; the time is known."""
        pieces = [cut(tensor, int(self.time), 0, "output") for tensor in nest.flatten(self.whole)]
        return [nest.pack(self.whole, list(parts)) for parts in zip(*pieces, strict=True)]

    def joined(self, axis: int) -> Any:
        """Return the steps as one tensor, or a nest of them, with the time on an axis."""
        return nest.map_leaves(lambda tensor: swapped(tensor, axis, "outputs"), self.whole)


#: A sequence over time: unrolled as a list, or to be walked by a loop.
Steps: TypeAlias = ListedSteps | RolledSteps


def steps_of(inputs: Any, axis: int, what: str, *, batched: bool = True, rolled: bool = False) -> Steps:
    """Return the steps of ``(batch, time, ...)`` tensors, or of a nest of them: in a list where the time is known.

    Args:
        inputs: the tensors; integers (ids) may be ``(batch, time)``.
        axis: where the time is: 1, or 0 for ``(time, batch, ...)``.
        what: who asks, for messages.
        batched: whether there is a batch axis.
        rolled: leave the steps in one tensor, where the time is known too.

    Raises:
        ShapeError: the time differs from tensor to tensor, is 0, or is missing.
    """
    for tensor in nest.flatten(inputs) if axis == 0 else ():
        _call_time_first(tensor)
    time = time_of(nest.flatten(inputs), axis, what, batched)
    if rolled or not isinstance(time, int):
        return RolledSteps(nest.map_leaves(lambda tensor: swapped(tensor, axis, "inputs"), inputs), time)
    pieces = [cut(tensor, time, axis, "x") for tensor in nest.flatten(inputs)]
    return ListedSteps([nest.pack(inputs, [piece[step] for piece in pieces]) for step in range(time)])


def _call_time_first(tensor: Any) -> None:
    """Give a placeholder whose first axis turns out to be the time another symbol for it than ``batch``, where that axis was
    left open; a name that its shape was given stays.
    """
    if not isinstance(tensor, Placeholder) or not tensor.left_open or tensor.shape[0] != symbol(BATCH):
        return
    first, *rest = tensor.shape
    if rest and rest[0] == symbol(TIME):  # that of an Input, to which the time is axis 1
        tensor.take_shape((rest[0], first, *rest[1:]))
    else:
        tensor.take_shape((symbol(f"{tensor.name}_0"), *rest))


def listed_steps(items: Sequence[Any], *, rolled: bool = False) -> Steps:
    """Return the steps of a list, checked to be alike; as one tensor over time where they are to be `rolled`."""
    if not rolled:
        return ListedSteps(items)
    with scopes.beside_steps("inputs"):
        return RolledSteps(ListedSteps(items).joined(0), len(items))


def cut(tensor: Tensor, time: int, axis: int, hint: str) -> list[Tensor]:
    """Cut a tensor along an axis into one piece a step, without that axis."""
    pieces = []
    for step, piece in enumerate(ops.split(tensor, time, axis)):
        with scopes.at_step(step):
            pieces.append(named(ops.squeeze(piece, [axis]), hint))
    return pieces


def swapped(tensor: Tensor, axis: int, name: str) -> Tensor:
    """Return a tensor with the time moved from `axis` to the front, or back again."""
    return tensor if axis == 0 else named(ops.transpose(tensor, [1, 0, *range(2, tensor.rank)]), name)


def _stacked(parts: Sequence[Tensor], axis: int) -> Tensor:
    wide = []
    for step, part in enumerate(parts):
        with scopes.at_step(step):
            wide.append(ops.unsqueeze(part, [axis]))
    return named(ops.concat(wide, axis), "outputs")
