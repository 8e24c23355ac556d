"""How much of a graph a picture of its operators shows: everything where that fits on a page, else less, in steps."""

from __future__ import annotations

import math
from typing import NamedTuple

#: The page that a picture with every operator is to fit on, in points: wider or higher, and its text is too small on a slide.
WIDEST, HIGHEST = 2150.0, 1270.0


class Detail(NamedTuple):
    """What a picture of operators draws.

    Attributes:
        every: each operator has a box of its own. Else those share one that one formula says, and what only adds an axis of 1,
            or takes it away, has none.
        steps: every step that is shown is opened. Else each cell is at one step, and a box at the others.
        layers: the operators of layers without steps are drawn. Else each such layer is a box.
        alike: cells of the same operators are each opened. Else one of them is.
        few: only the first and the last step of each loop are shown.
    """

    every: bool = True
    steps: bool = True
    layers: bool = True
    alike: bool = True
    few: bool = False


WHOLE = Detail()
_SHARED = Detail(every=False)
_ONE_STEP = _SHARED._replace(steps=False)
_BOXED = _ONE_STEP._replace(layers=False)
_ONE_CELL = _BOXED._replace(alike=False)
#: From everything to the least; the first that fits is drawn, or else the one that fits best.
LADDER = (WHOLE, _SHARED, _ONE_STEP, _BOXED, _ONE_CELL, _ONE_CELL._replace(few=True))


def excess(width: float, height: float) -> float:
    """Return how many times larger than a page a picture is; at most 1 where it fits. One that is only a little too high fills
    a slide as well as others do where it is narrow.
    """
    return (max(width / WIDEST, height / HIGHEST) + math.sqrt(width * height / (WIDEST * HIGHEST))) / 2
