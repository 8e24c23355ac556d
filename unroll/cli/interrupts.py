"""Ctrl-C ends a command within half a second, whatever it is doing.

Python raises KeyboardInterrupt in the main thread, and that is how a command ends as a rule: files stay whole, the process
that draws is ended. But a user's program may catch it, an import may make an ImportError of it, and a long call into
another library keeps it waiting. So the signal is noted as well, and a thread ends the process where it has not ended
by itself.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from unroll.cli.statuses import INTERRUPTED

#: How long a command may take to clean up, in seconds.
_GRACE = 0.4


class Interrupts:
    """Whether the user has pressed Ctrl-C.

    Attributes:
        seen: whether the signal came.
        told: whether that was said.
        command: what is interrupted, for the message.
    """

    def __init__(self) -> None:
        self.seen = self.told = False
        self.command = "unroll"

    def note(self, number: int, frame: Any) -> None:
        """Handle the signal."""
        self.seen = True
        raise KeyboardInterrupt


_listening: Interrupts | None = None


@contextmanager
def listening(*, to_the_end: bool = False) -> Iterator[Interrupts]:
    """Listen for Ctrl-C, where nobody else does; inside such a context, give the same again.

    Args:
        to_the_end: the process ends after the context: it is watched until then, and a Ctrl-C ends it without a word.
    """
    global _listening
    if _listening is not None:
        yield _listening
        return
    interrupts = Interrupts()
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupts
        return
    watch = _Watch(interrupts)
    _listening = interrupts
    signal.signal(signal.SIGINT, interrupts.note)
    try:
        yield interrupts
    finally:
        _listening = None
        signal.signal(signal.SIGINT, signal.SIG_DFL if to_the_end else signal.default_int_handler)
        if not (to_the_end and interrupts.seen):  # what runs when the interpreter ends may take long, too
            watch.end()


class _Watch:
    """A thread that ends the process some time after the signal came."""

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts, self._ended = interrupts, threading.Event()
        self._source, self._sink = os.pipe()
        os.set_blocking(self._sink, False)
        self._before = signal.set_wakeup_fd(self._sink, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while came := os.read(self._source, 64):  # the numbers of signals that Python handles
            if signal.SIGINT in came and not self._ended.wait(_GRACE):
                if not self._interrupts.told:
                    with suppress(OSError):
                        os.write(2, f"{self._interrupts.command}: interrupted\n".encode())
                os._exit(INTERRUPTED)
        os.close(self._source)

    def end(self) -> None:
        """Watch no longer."""
        self._ended.set()
        signal.set_wakeup_fd(self._before)
        os.close(self._sink)  # the thread reads the end
