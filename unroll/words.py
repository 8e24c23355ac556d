"""Names that were not found: the nearest ones that there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(name: str, names: Iterable[str]) -> str:
    """Return a hint for a name that was not found: the nearest ones, or all of them where they are few."""
    listed = list(names)
    near = difflib.get_close_matches(name, listed, n=3, cutoff=0.4)
    shown = near or listed[:8]
    return (
        f"did you mean {', '.join(map(repr, shown))}?" if near else f"there are {', '.join(map(repr, shown)) or 'none'}"
    )
