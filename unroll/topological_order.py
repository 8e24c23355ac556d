"""Nodes in an order in which each comes after all it reads, some of them made together.

One walk serves a Graph, the passes that write many nodes as one, and re-rolling, which writes a loop for many steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from unroll.tensor import Node, Tensor

T = TypeVar("T")
Unit = TypeVar("Unit")


class Together(Generic[T]):
    """Nodes that one new node stands for.

    Attributes:
        members: what is known of each.
        inputs: the tensors that must be there before.
    """

    def __init__(self, members: Sequence[T], inputs: Iterable[Tensor]) -> None:
        self.members = members
        self.inputs = tuple(dict.fromkeys(inputs))


class CircleError(Exception):
    """Units wait for one another in a circle.

    Attributes:
        circle: the nodes and units of it, each of which waits for the next.
    """

    def __init__(self, circle: Sequence[Any]) -> None:
        super().__init__(circle)
        self.circle = circle


def in_order(
    roots: Iterable[Node],
    units: Mapping[Node, Unit] | None = None,
    reads: Callable[[Any], Iterable[Tensor | None]] | None = None,
) -> list[Node | Unit]:
    """Return nodes and all they depend on, each after what it reads, without recursion.

    Args:
        roots: the nodes that are wanted.
        units: the unit that a node is part of, which comes in the place of all its nodes.
        reads: what a node or a unit reads; its `inputs`, unless others are to be looked at.

    Raises:
        CircleError: units depend on one another in a circle, which nodes by themselves cannot.
    """
    order: list[Node | Unit] = []
    done: set[Node | Unit] = set()
    opened: set[Node | Unit] = set()
    before: Any  # a node, or a unit
    for root in roots:
        start: Any = units.get(root, root) if units else root
        if start in done:
            continue
        path, unread = [start], [iter(start.inputs if reads is None else reads(start))]
        if units:
            opened.add(start)
        while path:
            for tensor in unread[-1]:
                if tensor is not None and (before := tensor.node) is not None and before not in done:
                    if units:
                        before = units.get(before, before)
                        if before in opened:
                            raise CircleError(path[path.index(before) :])
                        if before in done:
                            continue
                        opened.add(before)
                    path.append(before)
                    unread.append(iter(before.inputs if reads is None else reads(before)))
                    break
            else:
                unread.pop()
                item = path.pop()
                done.add(item)
                order.append(item)
                if opened:
                    opened.discard(item)
    return order
