"""Who bears a name in a path: a layer or module. One that was given no name is numbered by the first graph that needs it.

Names are made while a program is traced, and nothing counts there. So a layer without a name is called by its class, and
everything made under that name knows whose it is: `unroll.numbering` tells two such layers apart in a graph of both.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

_made = itertools.count()


class Bearer:
    """A layer or module, as it stands in the paths of what is made under its name.

    Args:
        kind: its class, for messages.
        name: the name that it was given, else that of its class in snake case.
        given: whether the user, or the model that it is part of, gave the name.

    Attributes:
        base: the name without a number.
        given: it was given.
        settled: the name is final: it was given, or a graph has used it.
        made: counts the bearers as they are made; it orders two that clash, and stands in no name.
        read: somebody has read the name before a graph made it final.
    """

    __slots__ = ("base", "given", "kind", "made", "name", "read", "settled")

    def __init__(self, kind: str, name: str, given: bool) -> None:
        self.kind, self.base, self.name = kind, name, name
        self.given = self.settled = given
        self.made = next(_made)
        self.read = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Bearer:
        """Return the bearer of a copied layer: another one of this name, made now."""
        other = memo[id(self)] = Bearer(self.kind, self.base, self.given)
        other.name = self.name
        return other

    def free(self) -> None:
        """Let graphs number the name, though it may have been given: it is that of a copy."""
        self.given = self.settled = False

    def shown(self) -> str:
        """Return the name to a user, who may look for things under it from now on."""
        self.read = self.read or not self.settled
        return self.name


class Place(NamedTuple):
    """Which component of two paths is a bearer's name, counted from 0."""

    bearer: Bearer
    variables: int
    nodes: int


def renamed(path: str, place: int, name: str) -> str:
    """Return a path with another name in one place; as it is where it does not reach so far."""
    parts = path.split("/")
    return "/".join([*parts[:place], name, *parts[place + 1 :]]) if place < len(parts) else path
