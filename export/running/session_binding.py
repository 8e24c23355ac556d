"""Running again and again without copies: inputs and outputs that onnxruntime reads and writes in place."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from threading import get_ident
from types import MappingProxyType
from typing import Any

import numpy as np

from unroll.checks import shown
from unroll.dimensions import shape_text
from unroll.dtypes import Array
from unroll.errors import ArgumentTypeError, EvaluationError, ShapeError, UnsupportedError
from unroll.export.guards.empty_tensors import why_failed
from unroll.export.running.session_like import SessionLike
from unroll.feeds import check_feeds, check_is_mapping, fed_names


class Bound:
    """A session with feeds bound to it: the arrays it reads and writes are made once.

    Made by `Session.bind`. Write into ``bound.inputs[name][:]``, call `run`, read ``bound.outputs[name]``: nothing is copied,
    checked or made in between, so an output is overwritten by the next run. It keeps one array an input and output, and the
    session; after ``session.refresh()`` it runs with the new values.

    Threads: it belongs to one thread, the first that asks for `inputs` or `outputs`, feeds or runs. Two would write and read
    the same arrays, and one be handed what the other computed, so any other thread is refused; it may take over once that
    thread has ended. Bind in every thread instead: the session may be shared. Nothing can see who writes or reads an array that
    was got from `inputs` or `outputs` before: hand copies to other threads.

    Args:
        session: the session.
        feeds: an array for every input; they are copied.

    Raises:
        ArgumentTypeError: not a session.
        UnsupportedError: another thread uses it; everything but the constructor may raise this.
        FeedError, ShapeError, DTypeError: the feeds do not fit.
        EvaluationError: onnxruntime failed in the first run, which finds the shapes of the outputs.
    """

    def __init__(self, session: SessionLike, feeds: Mapping[Any, Any]) -> None:
        if not callable(getattr(session, "bind", None)):
            raise ArgumentTypeError(f"Bound: a Session is wanted, not {shown(session)}; session.bind(feeds) makes one")
        self._session = session
        self._user = 0  # the thread that uses it, by a number that is quickly compared
        self._claiming = threading.Lock()
        found = session.run(feeds)
        arrays = check_feeds(session.inputs, feeds)
        self._inputs = MappingProxyType({name: np.array(array, order="C") for name, array in arrays.items()})
        self._outputs = MappingProxyType({name: np.array(array, order="C") for name, array in found.items()})
        self._bind()

    def __repr__(self) -> str:
        sides = (self._inputs, self._outputs)  # without claiming the arrays for this thread
        takes, gives = (", ".join(f"{name} {shape_text(item.shape)}" for name, item in side.items()) for side in sides)
        return f"Bound({takes} -> {gives})"

    @property
    def inputs(self) -> Mapping[str, Array]:
        """The array of each input, by name: to be written into, not replaced."""
        if get_ident() != self._user:
            self._claim()
        return self._inputs

    @property
    def outputs(self) -> Mapping[str, Array]:
        """The array of each output, by name."""
        if get_ident() != self._user:
            self._claim()
        return self._outputs

    def _claim(self) -> None:
        """Let this thread use the arrays from now on, if no other does.

        Raises:
            UnsupportedError: another thread does.
        """
        with self._claiming:
            mine = threading.current_thread()
            # A thread that began after the first has ended may have its number, and so be the one that uses it now.
            users = [thread for thread in threading.enumerate() if thread.ident == self._user]
            if users:
                raise UnsupportedError(
                    f"this Bound is used by the thread {users[0].name!r}, and {mine.name!r} would write and read the same "
                    "arrays; call session.bind(feeds) in every thread, the session may be shared"
                )
            self._user = get_ident()

    def _bind(self) -> None:
        self._runner = self._session._session
        self._binding = self._runner.io_binding()
        for name, array in self._inputs.items():
            self._binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for name, array in self._outputs.items():
            self._binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)

    def feed(self, feeds: Mapping[Any, Any]) -> None:
        """Copy new values into some of the inputs.

        Args:
            feeds: arrays by placeholder or name, of the shapes that were bound.

        Raises:
            ArgumentTypeError: not a dict.
            FeedError, DTypeError: they do not fit.
            ShapeError: another shape than was bound; bind again for another batch size.
            UnsupportedError: another thread uses this Bound.
        """
        bound = self.inputs
        check_is_mapping(feeds)
        given = {name: feeds[key] for name, key in fed_names(feeds, bound).items()}
        for name, value in given.items():
            if name in bound and np.shape(value) != bound[name].shape:
                raise ShapeError(
                    f"feed {name!r}: shape {np.shape(value)} was given, {bound[name].shape} is bound; "
                    "call session.bind again for other shapes"
                )
        arrays = check_feeds(self._session.inputs, {**bound, **given})
        for name in given:
            bound[name][...] = arrays[name]

    def run(self) -> Mapping[str, Array]:
        """Compute `outputs` from `inputs` as they are now, and return them: the same arrays in every run.

        Raises:
            EvaluationError: onnxruntime failed while running.
            UnsupportedError: another thread uses this Bound.
        """
        if get_ident() != self._user:
            self._claim()
        self._session._warn_if_stale()
        if self._runner is not self._session._session:
            self._bind()
        try:
            self._runner.run_with_iobinding(self._binding)
        except Exception as error:  # onnxruntime's errors share no base class
            raise EvaluationError(why_failed(error)) from None
        return self._outputs
