"""Some steps of a long loop, spread over all of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unroll.dtypes import Array


class Spread(NamedTuple):
    """Which steps a loop goes over.

    Attributes:
        places: the steps, int64, the first and the last among them.
        nearest: for each step of the whole loop, which of `places` stands for it.
    """

    places: Array
    nearest: Array

    @classmethod
    def over(cls, steps: int, most: int | None) -> Spread | None:
        """Return `most` of `steps` steps; None where the loop runs over all of them."""
        if most is None or steps <= most:
            return None
        places = np.linspace(0, steps - 1, most).round().astype(np.int64)
        return cls(places, np.searchsorted(places, np.arange(steps)))
