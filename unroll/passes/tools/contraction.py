"""An order of nodes in which some nodes are made together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from unroll.tensor import Node, Tensor

T = TypeVar("T")


class CircleError(Exception):
    """Units wait for one another in a circle."""


class Together(Generic[T]):
    """Nodes that one new node stands for.

    Attributes:
        members: what is known of each.
        sources: the tensors that must be there before.
    """

    def __init__(self, members: Sequence[T], sources: Iterable[Tensor]) -> None:
        self.members = members
        self.sources = tuple(dict.fromkeys(sources))


def contracted_order(nodes: Sequence[Node], units: Mapping[Node, Together[T]]) -> list[Node | Together[T]]:
    """Return nodes and units in an order in which each comes after all it reads, without recursion.

    Args:
        nodes: in topological order.
        units: the unit that a node is part of.

    Raises:
        CircleError: units depend on one another in a circle.
    """
    order: list[Node | Together[T]] = []
    done: set[Node | Together[T]] = set()
    opened: set[Node | Together[T]] = set()  # they wait, each for the one after it
    for node in nodes:
        stack: list[Node | Together[T]] = [units.get(node, node)]
        while stack:
            item = stack[-1]
            if item in done:
                stack.pop()
                continue
            read = item.sources if isinstance(item, Together) else item.inputs
            pending = []
            for tensor in read:
                if tensor is not None and tensor.node is not None:
                    before = units.get(tensor.node, tensor.node)
                    if before not in done:
                        pending.append(before)
            if not opened.isdisjoint(pending) or item in pending:
                raise CircleError
            if pending:
                opened.add(item)
                stack.extend(reversed(pending))
            else:
                opened.discard(item)
                done.add(item)
                order.append(item)
                stack.pop()
    return order
