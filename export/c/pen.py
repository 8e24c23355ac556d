"""What statements are written with: lines, loops with counters of their own, and addresses."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from unroll.export.c.addresses import Addresses
from unroll.export.c.layout import Buffer, Sizes
from unroll.export.c.text import Text


class Pen(Addresses):
    """Writes lines and loops.

    Args:
        text: what is written to.
        refer: says how C names a buffer.

    Attributes:
        text: what is written to.
        steps: the counters of the loops over steps that are open.
    """

    def __init__(self, text: Text, refer: Callable[[Buffer], str]) -> None:
        super().__init__(refer)
        self.text = text
        self.steps: list[str] = []
        self._count = 0

    def counter(self, letter: str) -> str:
        """Return a name that no other counter has."""
        self._count += 1
        return f"{letter}{self._count}"

    def loops(self, stack: ExitStack, shape: Sizes, letter: str = "i") -> list[str]:
        """Open a loop for each axis of more than one element, and return the counters; ``""`` for those of one."""
        index = []
        for size in shape:
            if size == 1:
                index.append("")
                continue
            name = self.counter(letter)
            stack.enter_context(self.text.loop(name, size))
            index.append(name)
        return index
