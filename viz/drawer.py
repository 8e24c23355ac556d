"""The process that draws: Graphviz lives in it and not in the user's program (see `unroll.viz.process`).

It takes requests from standard input, ``{"format": ..., "size": ..., "dpi": ...}`` on a line and then so many bytes of DOT, and
answers on standard output, ``{"size": ..., "problem": ..., "kind": ...}`` on a line and then so many bytes of picture.
Graphviz's messages go to standard error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, BinaryIO

_FIRST = 'digraph {a [label="a" pos="0,0"]}'


def main() -> None:
    """Draw what is asked for until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the program that asks
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        import pygraphviz  # whose absence is an answer, too

        _drawn(pygraphviz, _FIRST, "svg", 72)  # fontconfig has read its configuration now, which may be removed
    except ImportError as error:
        _answer(answers, b"", str(error))
        return
    _answer(answers, b"", "")
    requests = sys.stdin.buffer
    while line := requests.readline():
        request = json.loads(line)
        dot = requests.read(request["size"]).decode("utf-8")
        try:
            data, problem, kind = _drawn(pygraphviz, dot, request["format"], request["dpi"]), "", ""
        except (ValueError, OSError, RuntimeError, AttributeError, MemoryError) as error:
            data, problem, kind = b"", str(error) or type(error).__name__, type(error).__name__
        _answer(answers, data, problem, kind)


def _drawn(pygraphviz: Any, dot: str, format: str, dpi: int) -> bytes:
    picture = pygraphviz.AGraph(string=dot)
    if format == "png":
        picture.graph_attr["dpi"] = str(dpi)
    # Few pictures are laid out here: most have all their places already, and pygraphviz draws them with the engine nop2.
    is_placed = picture.graph_attr.get("layout") != "dot"
    picture.has_layout = is_placed
    data = picture.draw(format=format, prog=None if is_placed else "dot")
    picture.close()
    return data or b""


def _answer(answers: BinaryIO, data: bytes, problem: str, kind: str = "") -> None:
    answers.write(json.dumps({"size": len(data), "problem": problem, "kind": kind}).encode() + b"\n" + data)
    answers.flush()
