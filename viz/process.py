"""The process that Graphviz runs in: started with the first picture, used for all that follow, renewed now and then.

Graphviz loses memory with every picture (for each word in bold and each frame: about 17 KB for a network of four steps
at the level of operators), ends its process where memory runs out, writes to file descriptor 2, and is not safe for
threads. In a process of its own none of that does harm, and the memory comes back when the process is renewed.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

from unroll.errors import FileError, MissingPackageError, UnsupportedError
from unroll.viz import fonts
from unroll.viz.formats import DPI

#: A picture may take so many seconds, and so many more for each MB of its DOT text; then Graphviz is taken to hang.
LONGEST, LONGER = 300.0, 120.0
#: After so much DOT text the process is renewed: Graphviz loses about a third of it.
RENEWED_AFTER = 32 * 2**20
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from unroll.viz.drawer import main; main()"


def missing(why: object) -> MissingPackageError:
    """Return the error for a pygraphviz that cannot be imported."""
    return MissingPackageError(
        f"pygraphviz cannot be imported ({why}), and pictures other than .dot need it: pip install 'pygraphviz>=2.0.4'"
    )


class Answer(NamedTuple):
    """The answer to one request: the picture, or why there is none and which error was raised, and the lines on
    standard error.
    """

    data: bytes
    problem: str
    kind: str
    said: list[str]


class Drawer:
    """The process that draws.

    Raises:
        UnsupportedError: there is no Python to start, or it ended at once.
        FileError: no process can be started, or no temporary file written.
        MissingPackageError: it cannot import pygraphviz.
    """

    def __init__(self) -> None:
        if not sys.executable or getattr(sys, "frozen", False):
            raise UnsupportedError(
                "drawing starts a Python process, and there is no Python here to start; draw a .dot file"
            )
        self._heard = 0
        self.drawn = 0
        with contextlib.ExitStack() as undone:
            try:
                self._said = undone.enter_context(tempfile.TemporaryFile("a+b"))
                paths = json.dumps([str(path) or str(Path.cwd()) for path in sys.path])
                with fonts.available() as environment:
                    self._process = subprocess.Popen(
                        [sys.executable, "-c", _START, paths],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=self._said,
                        env=environment,
                        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                    )
                    undone.callback(self.end)
                    ready = self._answer()
            except OSError as error:
                raise FileError(
                    f"drawing takes a process of its own and a few temporary files, which failed: {error}; make room for "
                    "them (TMPDIR says where), or draw a .dot file"
                ) from None
            if ready.kind:
                raise UnsupportedError(
                    f"the process that draws {ready.problem}: {'; '.join(ready.said[-1:])}; draw a .dot file"
                )
            if ready.problem:
                raise missing(ready.problem)
            undone.pop_all()

    def ask(self, dot: str, format: str, dpi: int) -> Answer:
        """Return the answer to a request to draw `dot`."""
        data = dot.encode("utf-8")
        self.drawn += len(data)
        assert self._process.stdin is not None
        seconds = LONGEST + LONGER * len(data) / 2**20
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        alarm = threading.Timer(seconds, give_up)
        alarm.daemon = True
        alarm.start()
        try:
            with contextlib.suppress(OSError):  # where it has ended, the answer says so
                self._process.stdin.write(
                    json.dumps({"format": format, "size": len(data), "dpi": dpi}).encode() + b"\n" + data
                )
                self._process.stdin.flush()
            answer = self._answer()
        finally:
            alarm.cancel()
        if late.is_set() and answer.kind == "ended":
            return answer._replace(problem=f"took longer than {seconds:,.0f} s, and was ended")
        return answer

    def _answer(self) -> Answer:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        head: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
        data = self._process.stdout.read(head["size"]) if head else b""
        self._said.seek(self._heard)
        said = self._said.read()
        self._heard += len(said)
        lines = said.decode("utf-8", "replace").splitlines()
        if not head or len(data) < head["size"]:
            self.drawn = RENEWED_AFTER
            return Answer(b"", _ending(self._process.wait()), "ended", lines)
        return Answer(data, head["problem"], head["kind"], lines)

    @property
    def has_ended(self) -> bool:
        """Whether somebody else ended the process."""
        return self._process.poll() is not None

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._close()

    def forget(self) -> None:
        """Leave the process to the program that started it: this program was forked from that one."""
        self._process.returncode = 0
        self._close()

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was not yet written to a process that has ended
                    stream.close()


_lock = threading.Lock()
_drawer: Drawer | None = None


def ask(dot: str, format: str, dpi: int = DPI) -> Answer:
    """Return the answer to a request to draw `dot`, from a process that is started or renewed where needed; one thread
    after another.

    Raises:
        MissingPackageError: pygraphviz cannot be imported.
        FileError, UnsupportedError: the process cannot be started.
    """
    global _drawer
    with _lock:
        if _drawer is not None and _drawer.has_ended:
            _end()
        if _drawer is None:
            _drawer = Drawer()
        try:
            answer = _drawer.ask(dot, format, dpi)
        except BaseException:  # interrupted, perhaps in the middle of an answer
            _end()
            raise
        if _drawer.drawn >= RENEWED_AFTER:
            _end()
    return answer


def _end() -> None:
    global _drawer
    if _drawer is not None:
        _drawer.end()
        _drawer = None


def _forget() -> None:
    global _drawer, _lock
    _lock = threading.Lock()
    if _drawer is not None:
        _drawer.forget()
        _drawer = None


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(-status).name}"


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
