"""How much memory the machine has, so that what cannot be held is refused before it is asked for."""

from __future__ import annotations

import os
from functools import cache

from unroll.errors import EvaluationError, UnrollError

#: Where the system does not say.
_NOT_SAID = 2**40


@cache
def machine_bytes() -> int:
    """Return how many bytes of memory the machine has."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # there is no sysconf, or it has no answer
        return _NOT_SAID


def check_fits(size: int, what: str, error: type[UnrollError] = EvaluationError) -> None:
    """Refuse an array that is larger than the machine's memory: asking for it could end the process instead of raising.

    Args:
        size: in bytes.
        what: what would be made.
        error: what is raised; by default an EvaluationError.

    Raises:
        UnrollError: it is larger; of the class `error`.
    """
    if size > machine_bytes():
        raise error(f"{what} takes {size} bytes, and this machine has {machine_bytes()}; feed or write smaller sizes")
