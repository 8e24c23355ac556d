"""The order of the columns of a joint tensor.

Where a tensor of each lane is one gate, their joint tensor has the lanes side by side. Where it is several gates, which a
Split will cut apart, the lanes stand side by side within each of them: ``i0 i1 f0 f1``, so that the Split gives ``i0 i1`` and
``f0 f1``. So a tensor is cut into *blocks* wherever anything that is made of it, or that it is made of, is cut.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import NamedTuple

Block = tuple[int, int]


class _Rule(NamedTuple):
    """Tensors whose cuts depend on one another: a whole and its pieces of some sizes, or, without sizes, tensors cut
    alike.
    """

    keys: Sequence[Hashable]
    sizes: Sequence[int]


class ColumnOrder:
    """The blocks that the columns of each tensor lie in: where it is cut, by any key."""

    def __init__(self) -> None:
        self._places: dict[Hashable, frozenset[int]] = {}
        self._rules: dict[Hashable, list[_Rule]] = {}
        self._waiting: list[_Rule] = []

    def __getitem__(self, key: Hashable) -> frozenset[int]:
        """Return where a tensor is cut."""
        return self._places.get(key, frozenset())

    def blocks(self, key: Hashable, width: int) -> list[Block]:
        """Return the blocks of a tensor of some width, in order."""
        return list(pairwise([0, *sorted(self[key]), width]))

    def alike(self, keys: Sequence[Hashable]) -> None:
        """Note that tensors are cut at the same places, as functions of each element require."""
        self._remember(_Rule(keys, ()))

    def apart(self, whole: Hashable, pieces: Sequence[Hashable], sizes: Sequence[int]) -> None:
        """Note that a Split cuts one tensor into others."""
        rule = _Rule([whole, *pieces], sizes)
        self._remember(rule)
        self._waiting.append(rule)

    def settle(self) -> None:
        """Carry cuts from tensor to tensor until all that was noted holds."""
        while self._waiting:
            keys, sizes = self._waiting.pop()
            if not sizes:
                places = frozenset[int]().union(*[self[key] for key in keys])
                for key in keys:
                    self._add(key, places)
            at = 0
            for piece, size in zip(keys[1:], sizes, strict=False):
                self._add(keys[0], frozenset([at]) - {0} | {at + place for place in self[piece]})
                self._add(piece, frozenset(place - at for place in self[keys[0]] if at < place < at + size))
                at += size

    def _remember(self, rule: _Rule) -> None:
        for key in rule.keys:
            self._rules.setdefault(key, []).append(rule)

    def _add(self, key: Hashable, places: frozenset[int]) -> None:
        if not places <= self[key]:
            self._places[key] = self[key] | places
            self._waiting += self._rules[key]
