"""Choices decided by a hash of names: another option leaves every choice as it is that does not fall on it.

So a new operator redraws none of the random graphs in which it is not, and a new pass none of the orders of passes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def number_of(*key: object) -> int:
    """A number of 64 bits, the same in every process."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, key)).encode()).digest()[:8])


def chosen(options: Iterable[str], *key: object) -> str:
    """One of the options: the one whose hash with `key` is the largest."""
    return max(options, key=lambda option: number_of(*key, option))
