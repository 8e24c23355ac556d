"""What a picture is drawn from: its DOT text, which is written when somebody asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from unroll.viz import palette, render, statements
from unroll.viz.formats import DPI, Theme
from unroll.viz.repeats import Repeats
from unroll.viz.sheet import Sheet

#: A sheet of more characters of DOT is drawn with what repeats drawn once. Other SVG is plain, which every program reads.
LARGE = 500_000


@dataclass(frozen=True)
class Source:
    """DOT text, or the sheet that it is written of.

    Attributes:
        written: the text of a picture that Graphviz lays out, or the sheet of one in which everything has its place.
        theme: in which colours it is drawn.
    """

    written: str | Sheet
    theme: Theme = "light"

    @cached_property
    def dot(self) -> str:
        """The DOT text."""
        return self._colored(self.written if isinstance(self.written, str) else statements.write(self.written))

    def drawn(self, format: str, advice: str = render.ADVICE, dpi: int = DPI) -> bytes:
        """Return the picture in a format; see `unroll.viz.render.render` for the rest."""
        if format == "dot":
            return self.dot.encode("utf-8")
        if format == "svg" and isinstance(self.written, Sheet) and self.written.length() > LARGE:
            repeats = Repeats(self.written)
            return repeats.whole(render.render(self._colored(repeats.dot), format, advice, dpi))
        return render.render(self.dot, format, advice, dpi)

    def _colored(self, dot: str) -> str:
        return palette.darkened(dot) if self.theme == "dark" else dot
