"""DOT to SVG, PNG or PDF, in this process: no ``dot`` on the PATH is needed."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from unroll.viz import fonts

from unroll.errors import MissingPackageError, UnsupportedError
from unroll.progress import busy

# Twice the 72 dots an inch of the layout: sharp on today's screens.
_PNG_DPI = "144"
_COMPLAINT = re.compile(r"(Error|Warning): ")
# What is said of a picture that is right all the same: a bitmap scaled down to fit, text that touches the edge of its cell
# because the machine's font is wider than the one that sizes were computed with.
_HARMLESS = re.compile(r"graph is too large for .*bitmaps|size too small for content")
# Fontconfig tells every program that somebody else's configuration is newer than it is.
_NOISE = re.compile(r"Fontconfig warning: ")
# Graphviz is not safe for threads, and file descriptor 2 belongs to the whole process.
_LOCK = threading.Lock()


class _Heard(NamedTuple):
    """What was written to stderr: complaints of Graphviz, and what others wrote meanwhile."""

    complaints: list[str]
    others: list[str]


def render(dot: str, format: str) -> bytes:
    """Return `dot`, in which everything has its place, as `format`.

    Raises:
        MissingPackageError: pygraphviz cannot be imported.
        UnsupportedError: Graphviz complained; a picture it complains of is not the one that was meant.
    """
    pygraphviz = _pygraphviz()
    heard: list[str] = []
    failure: Exception | None = None
    data: bytes | None = None
    with _LOCK, busy("laying out the picture"), fonts.available(), _listening(heard):
        try:
            picture = pygraphviz.AGraph(string=dot)
            if format == "png":
                picture.graph_attr["dpi"] = _PNG_DPI
            picture.has_layout = True  # pygraphviz then draws what stands there, with the engine nop2
            data = picture.draw(format=format)
        except (ValueError, OSError, RuntimeError, AttributeError) as error:
            failure = error
    said = _sorted_out("".join(heard))
    if said.others:
        sys.stderr.write("".join(f"{line}\n" for line in said.others))
    if said.complaints or failure is not None or not data:
        reasons = "; ".join([*said.complaints, *([str(failure)] if failure is not None else [])])
        raise UnsupportedError(
            f"Graphviz could not draw the graph as {format}: {reasons or 'it returned nothing'}. "
            "Write a .dot file to see what it was given, or draw fewer steps"
        )
    return data


def _pygraphviz() -> Any:
    try:
        import pygraphviz
    except ImportError as error:
        raise MissingPackageError(
            f"pygraphviz cannot be imported ({error}), and pictures other than .dot need it: pip install 'pygraphviz>=2.0.4'"
        ) from None
    return pygraphviz


@contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """Add to `heard` what is written to file descriptor 2 inside; Graphviz writes there, not to sys.stderr."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, AttributeError, ValueError):  # no stderr, as in a program without a console
        yield
        return
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            log.seek(0)
            heard.append(log.read().decode("utf-8", "replace"))


def _sorted_out(text: str) -> _Heard:
    """Tell Graphviz's complaints, with the lines that continue them, from what else was written meanwhile."""
    said = _Heard([], [])
    inside = False
    for line in text.splitlines():
        if _NOISE.match(line) or _HARMLESS.search(line):
            inside = False
        elif _COMPLAINT.match(line):
            said.complaints.append(line.strip())
            inside = True
        elif inside and (line.startswith(("...", "in ")) or line.endswith("...")):
            said.complaints[-1] += f" {line.strip()}"
        elif line.strip():
            said.others.append(line)
            inside = False
    return said
