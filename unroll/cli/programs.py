"""Finding a Graph in a user's program, ``path/to/program.py:name``, or in an ONNX model.

The program is run in this process, and may do anything. One boundary stands around it: whatever it raises becomes one
error that names its line, and what it changes in the process is put back.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FunctionType, MappingProxyType, ModuleType, TracebackType
from typing import Any, Self

import numpy as np

from unroll.cli.interrupts import listening
from unroll.cli.offers import name_of, usable
from unroll.cli.output import one_line
from unroll.cli.targets import is_keras, is_model
from unroll.errors import ArgumentError, FileError, GraphError, NameNotFoundError, UnrollError
from unroll.files import as_path, read_bytes
from unroll.graph import Graph
from unroll.progress import busy
from unroll.words import closest

_MODULE = "unroll_program"
_MISSING = object()
#: How many names of a program are offered.
_MOST_NAMES = 8
#: What writes another framework's file as ONNX.
_WRITERS = {
    ".pb": "tf2onnx",
    ".pt": "torch.onnx.export",
    ".pth": "torch.onnx.export",
    ".tflite": "tf2onnx",
}
#: How many bytes a program may have: more than anybody writes.
_LARGEST = 64 * 2**20


def load_graph(target: str, dims: Mapping[str, int] = MappingProxyType({}), taken: set[str] | None = None) -> Graph:
    """Return the Graph that ``path/to/program.py:name`` names, or that an ``.onnx`` file holds.

    Args:
        target: a Python file and, in it, a Graph, a model, a module, or a function without arguments that returns one; or an
            ONNX model; or a model that Keras saved.
        dims: sizes by name; a model that leaves its time open takes ``time``.
        taken: gets the names of the sizes that were taken.

    Raises:
        ArgumentError: `target` is not of that form.
        FileError: there is no such file.
        NameNotFoundError: the program has no such name; the message offers those that it has.
        GraphError: the program or the function raises, or does not give a Graph.
        ModelError, UnsupportedError: the model cannot be read.
    """
    path, separator, name = target.rpartition(":")
    if is_model(target):
        with busy("reading the file"):
            from unroll.export.reading.reader import from_onnx  # loads onnx

            return from_onnx(target)
    if is_keras(target):
        with busy("reading the file"):
            return _of_keras(target, dims, set() if taken is None else taken)
    if target.removesuffix(":").endswith(".py"):
        path, name = target.removesuffix(":"), ""  # which is answered with the names that it has
    elif Path(target).suffix in _WRITERS:
        raise ArgumentError(
            f"{target!r} is read once it is written as ONNX, by {_WRITERS[Path(target).suffix]}; give the .onnx file"
        )
    elif not separator or not path.endswith(".py") or not name.isidentifier():
        raise ArgumentError(
            f"{target!r}: name a Graph, a model or a function returning one as path/to/program.py:name, or give an .onnx, "
            ".keras or .h5 file"
        )
    file = as_path(path, "program")
    if not os.path.lexists(file):
        raise FileError(f"{path}: there is no such program")
    source = read_bytes(file, _LARGEST)
    with _put_back(), _Boundary(_absolute(file)) as boundary:
        return _graph_of(boundary, source, path, name, dims, set() if taken is None else taken)


def _of_keras(target: str, dims: Mapping[str, int], taken: set[str]) -> Graph:
    """Return the graph of a model that Keras saved."""
    from unroll.cli.traced import traced  # loads every layer and module
    from unroll.keras.models import load_model  # loads every layer

    graph = traced(load_model(target), target, dims, taken)
    assert graph is not None  # of every model
    return graph


def _absolute(file: Path) -> Path:
    try:
        return file.absolute()
    except OSError as error:
        raise FileError(f"{file}: the current folder is gone ({error.strerror}); change to another") from None


def _graph_of(
    boundary: _Boundary, source: bytes, path: str, name: str, dims: Mapping[str, int], taken: set[str]
) -> Graph:
    boundary.doing = path
    module = _run(source, boundary.file)
    boundary.doing = target = f"{path}:{name}"
    if not name:
        there = ", ".join(f"{path}:{item}" for item in usable(vars(module))[:_MOST_NAMES])
        raise _Refusal(ArgumentError(f"{path}: say which graph of it: {there or 'it has none'}"))
    found: Any = getattr(module, name, _MISSING)
    if found is _MISSING:
        raise _Refusal(NameNotFoundError(f"{path} has no {name!r}; {closest(name, usable(vars(module)))}"))
    if type(found) is FunctionType:
        found = found()
    if issubclass(type(found), Graph):  # isinstance would ask the object, which may raise
        graph: Graph = found
        return graph
    from unroll.cli.traced import NOT_CALLED, traced  # loads every layer and module

    if callable(found) and not issubclass(type(found), NOT_CALLED):
        found = found()
    try:
        model = traced(found, target, dims, taken)
    except ArgumentError as error:
        raise _Refusal(error) from None
    if model is None:
        raise _Refusal(
            GraphError(
                f"{target} is {name_of(type(found))}, not a Graph; name a Graph, a model of layers, a module of unroll.nn, or "
                "a function returning one"
            )
        )
    return model


def _run(source: bytes, file: Path) -> ModuleType:
    """Return the module that a program is; it may import what lies beside it."""
    spec = importlib.util.spec_from_file_location(_MODULE, file)
    if spec is None:
        raise _Refusal(FileError(f"{file}: cannot be read as a Python program"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    sys.path.insert(0, str(file.parent))
    exec(compile(source, str(file), "exec", dont_inherit=True), vars(module))
    return module


def raised_later(error: Exception) -> str | None:
    """Return the message for an error that a loaded program raised, such as one in a method of its own subclass of
    Graph.

    Returns:
        One line, or None where no line of the program took part.
    """
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == _MODULE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"the program raised at line {line}: {_said(type(error), error)}" if line else None


# -- the boundary -----------------------------------------------------------------------------------------------------


class _Refusal(BaseException):
    """Carries an error of our own through the boundary."""

    def __init__(self, error: UnrollError) -> None:
        self.error = error


class _Boundary:
    """Stands around a user's program: whatever it raises becomes a GraphError of one line; only the user's own Ctrl-C
    passes.

    Attributes:
        file: the program.
        doing: what runs, for messages.
    """

    def __init__(self, file: Path) -> None:
        self.file, self.doing = file, str(file)

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            # A program may raise KeyboardInterrupt itself; the signal tells which one is the user's.
            self._interrupts = opened.enter_context(listening())
            self._handler = signal.getsignal(signal.SIGINT)
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if threading.current_thread() is threading.main_thread() and self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)  # whatever the program has made of it
        self._opened.close()
        if kind is None or error is None:
            return
        if kind is _Refusal:
            raise error.error from None  # type: ignore[attr-defined]
        if self._interrupts.seen:
            if issubclass(kind, KeyboardInterrupt):
                return
            raise KeyboardInterrupt from None  # which became something else on its way
        raise GraphError(f"{self.doing} raised{self._line(kind, error, trace)}: {_said(kind, error)}") from None

    def _line(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> str:
        """Return the innermost line of the program that took part."""
        name = str(self.file)
        if kind in (SyntaxError, IndentationError, TabError) and error.filename == name:  # type: ignore[attr-defined]
            return f", line {error.lineno}"  # type: ignore[attr-defined]
        line = 0
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == name:
                line = trace.tb_lineno
            trace = trace.tb_next
        return f" at line {line}" if line else ""


def _said(kind: type[BaseException], error: BaseException) -> str:
    """Return an exception's message, in one line; asking for it runs the user's code again."""
    name = name_of(kind)
    try:
        text = one_line(str(error))
    except BaseException as again:
        return f"{name}, which cannot say why: its __str__ raised {name_of(type(again))}"
    if issubclass(kind, UnrollError):
        return text
    return f"{name}: {text}" if text else name


@contextmanager
def _put_back() -> Iterator[None]:
    """Give the process back as it was: its folder, paths, modules, streams, NumPy's error handling, the recursion limit."""
    folder = _current_folder()
    path, entries = sys.path, list(sys.path)
    modules, loaded = sys.modules, dict(sys.modules)
    streams = sys.stdin, sys.stdout, sys.stderr
    limit = sys.getrecursionlimit()
    try:
        with np.errstate():
            yield
    finally:
        sys.modules = modules
        modules.update(loaded)
        sys.path = path
        path[:] = entries
        sys.stdin, sys.stdout, sys.stderr = streams
        sys.setrecursionlimit(limit)
        if folder is not None:
            with suppress(OSError):  # it was removed
                os.chdir(folder)


def _current_folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  # a text, which a program cannot change
    except OSError:
        return None
