"""Lines of C: indented, with loops and comments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_WIDTH = 110


class Text:
    """Lines in the making."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._level = 0

    def line(self, text: str = "") -> None:
        """Add a line."""
        self.lines.append("    " * self._level + text if text else "")

    @contextmanager
    def block(self, head: str, tail: str = "}") -> Iterator[None]:
        """Add a line that opens a brace, then what follows further in, then what closes it."""
        self.line(f"{head} {{" if head else "{")
        self._level += 1
        yield
        self._level -= 1
        self.line(tail)

    @contextmanager
    def loop(self, var: str, count: int, step: int | str = 1) -> Iterator[None]:
        """Add a loop of a counter."""
        by = f"++{var}" if step == 1 else f"{var} += {step}"
        with self.block(f"for (int {var} = 0; {var} < {count}; {by})"):
            yield

    def comment(self, text: str) -> None:
        """Add a comment, in which nothing ends it early."""
        said = printable(text)
        self.line(f"/* {said} */")


def printable(text: str) -> str:
    """Return a text as a comment may hold it: of plain characters, on one line, and no longer than a line."""
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    plain = plain.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")
    return plain if len(plain) <= _WIDTH else plain[: _WIDTH - 3] + "..."
