"""DOT to SVG, PNG or PDF; no ``dot`` on the PATH is needed."""

from __future__ import annotations

import importlib.util
import re
import tempfile

from unroll.errors import FileError, UnsupportedError, warn
from unroll.progress import busy
from unroll.viz import process
from unroll.viz.formats import DPI
from unroll.viz.process import missing

_COMPLAINT = re.compile(r"(Error|Warning): ")
# Messages about pictures that are right all the same: a bitmap scaled down to fit; text that touches the edge of its
# cell because the machine's font is wider than the one that sizes were computed with; and fontconfig's warnings about
# the machine's configuration.
_HARMLESS = re.compile(r"graph is too large for .*bitmaps|size too small for content|Fontconfig warning: ")
#: Cairo draws bitmaps of at most so many points a side; text in a picture scaled down to less than a quarter cannot be
#: read.
_MOST_PIXELS, _POINTS_AN_INCH, _READABLE = 32_767, 72, 0.25
_NO_MEMORY = re.compile(r"out of memory|memory allocation failure|MemoryError|failed to allocate|bad_alloc")
_AT = re.compile(r'pos="(-?[\d.]+),(-?[\d.]+)"')
ADVICE = 'level="cell" and fewer steps make a picture smaller; a .dot file shows what Graphviz was given'


def render(dot: str, format: str, advice: str = ADVICE, dpi: int = DPI) -> bytes:
    """Return `dot`, in which everything has its place, as `format`.

    Args:
        dot: the DOT text.
        format: svg, png or pdf.
        advice: what makes the picture smaller, or what else to try, for an error.
        dpi: dots an inch of a PNG.

    A PNG that is larger than a bitmap can be is scaled down, with a warning; if nobody could read it, it is refused.

    Raises:
        MissingPackageError: pygraphviz cannot be imported.
        FileError: the picture is too large: as a bitmap, or for the memory there is; or no temporary file can be written.
        UnsupportedError: Graphviz complained, so that its picture may be wrong, took too long, or cannot be started; what it
            was given is kept in a file.
    """
    if importlib.util.find_spec("pygraphviz") is None:
        raise missing("it is not installed")
    if format == "png":
        _check_bitmap(dot, advice, dpi)
    with busy("laying out the picture"):
        answer = process.ask(dot, format, dpi)
    aborted = "SIGABRT" in answer.problem and not any("Assertion" in line for line in answer.said)
    if answer.kind == "MemoryError" or aborted or any(_NO_MEMORY.search(line) for line in answer.said):
        # a library that can get no memory may abort without a word
        raise FileError(f"Graphviz ran out of memory while it drew the graph as {format}; {advice}")
    reasons = [*_complaints(answer.said), *([answer.problem] if answer.problem else [])]
    if reasons or not answer.data:
        why = "; ".join(reasons) or "it returned nothing"
        raise UnsupportedError(f"Graphviz could not draw the graph as {format}: {why}; {_kept(dot)}{advice}")
    return answer.data


def _kept(dot: str) -> str:
    """Write what Graphviz could not draw to a file, and say where that is; nothing where it cannot be written."""
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="unroll-", suffix=".dot", delete=False) as file:
            file.write(dot)
    except OSError:
        return ""
    return f"what it was given is in {file.name}; "


def _check_bitmap(dot: str, advice: str, dpi: int) -> None:
    """Refuse a bitmap whose text could not be read, and say so where it is made smaller."""
    points = [float(number) for place in _AT.findall(dot) for number in place]
    pixels = dpi / _POINTS_AN_INCH * max(points, default=0.0)
    if pixels * _READABLE > _MOST_PIXELS:
        raise FileError(
            f"as PNG the picture would have {pixels:,.0f} pixels a side and a bitmap may have {_MOST_PIXELS:,}; scaled down to "
            f"{_MOST_PIXELS / pixels:.0%} nobody could read it. SVG has no such limit; {advice}"
        )
    if pixels > _MOST_PIXELS:
        warn(
            f"as PNG the picture would have {pixels:,.0f} pixels a side and a bitmap may have {_MOST_PIXELS:,}; it is scaled "
            f"down to {_MOST_PIXELS / pixels:.0%}. SVG and PDF have no such limit; {advice}"
        )


def _complaints(said: list[str]) -> list[str]:
    """Return Graphviz's complaints, each with the lines that continue it."""
    found: list[str] = []
    inside = False
    for line in said:
        if _HARMLESS.search(line):
            inside = False
        elif _COMPLAINT.match(line):
            found.append(line.strip())
            inside = True
        elif inside and (line.startswith(("...", "in ")) or line.endswith("...")):
            found[-1] += f" {line.strip()}"
        else:
            inside = False
    return found
