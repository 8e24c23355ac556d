"""The process that draws: Graphviz lives in it and not in the user's program (see `unroll.viz.process`).

It takes requests from standard input, ``{"format": ..., "size": ...}`` on a line and then so many bytes of DOT, and
answers on standard output, ``{"size": ..., "problem": ..., "kind": ...}`` on a line and then so many bytes of picture.
Graphviz's messages go to standard error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, BinaryIO

# Twice the 72 dots an inch of the layout: sharp on today's screens.
_PNG_DPI = "144"
_FIRST = 'digraph {a [label="a" pos="0,0"]}'


def main() -> None:
    """Draw what is asked for until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the program that asks
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        import pygraphviz  # whose absence is an answer, too

        _drawn(pygraphviz, _FIRST, "svg")  # fontconfig has read its configuration now, which may be removed
    except ImportError as error:
        _answer(answers, b"", str(error))
        return
    _answer(answers, b"", "")
    requests = sys.stdin.buffer
    while line := requests.readline():
        request = json.loads(line)
        dot = requests.read(request["size"]).decode("utf-8")
        try:
            data, problem, kind = _drawn(pygraphviz, dot, request["format"]), "", ""
        except (ValueError, OSError, RuntimeError, AttributeError, MemoryError) as error:
            data, problem, kind = b"", str(error) or type(error).__name__, type(error).__name__
        _answer(answers, data, problem, kind)


def _drawn(pygraphviz: Any, dot: str, format: str) -> bytes:
    picture = pygraphviz.AGraph(string=dot)
    if format == "png":
        picture.graph_attr["dpi"] = _PNG_DPI
    picture.has_layout = True  # pygraphviz then draws what stands there, with the engine nop2
    data = picture.draw(format=format)
    picture.close()
    return data or b""


def _answer(answers: BinaryIO, data: bytes, problem: str, kind: str = "") -> None:
    answers.write(json.dumps({"size": len(data), "problem": problem, "kind": kind}).encode() + b"\n" + data)
    answers.flush()
