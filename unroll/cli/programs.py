"""Finding a Graph in a user's program, ``path/to/program.py:name``, or in an ONNX model."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from unroll.errors import ArgumentError, FileError, GraphError, NameNotFoundError, UnrollError
from unroll.feeds import closest
from unroll.graph import Graph

_MODULE = "unroll_program"


def load_graph(target: str) -> Graph:
    """Return the Graph that ``path/to/program.py:name`` names, or that an ``.onnx`` file holds.

    Args:
        target: a Python file and, in it, a Graph or a function without arguments that returns one; or an ONNX model.

    Raises:
        ArgumentError: `target` is not of that form.
        FileError: there is no such file.
        NameNotFoundError: the program has no such name; the message offers those that it has.
        GraphError: the program or the function raises, or what it gives is no Graph.
        ModelError, UnsupportedError: the model cannot be read.
    """
    path, separator, name = target.rpartition(":")
    if target.endswith(".onnx"):
        from unroll.export.reading import from_onnx  # loads onnx

        return from_onnx(target)
    if not separator or not path.endswith(".py") or not name.isidentifier():
        raise ArgumentError(
            f"{target!r}: name a Graph, or a function returning one, as path/to/program.py:name, or give an .onnx file"
        )
    module = _imported(Path(path))
    if not hasattr(module, name):
        usable = [
            key for key, value in vars(module).items() if isinstance(value, Graph) or _is_own_function(module, value)
        ]
        raise NameNotFoundError(f"{path} has no {name!r}; {closest(name, usable)}")
    found = getattr(module, name)
    if callable(found) and not isinstance(found, Graph):
        try:
            found = found()
        except (Exception, SystemExit) as error:
            _raise_program_error(f"{target} raised", error, Path(path))
    if not isinstance(found, Graph):
        raise GraphError(f"{target} is {type(found).__name__}, not a Graph; name a Graph, or a function returning one")
    return found


def _is_own_function(module: ModuleType, value: object) -> bool:
    return callable(value) and getattr(value, "__module__", None) == module.__name__


def _imported(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileError(f"{path}: there is no such program")
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise FileError(f"{path}: cannot be read as a Python program")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    sys.path.insert(0, str(path.resolve().parent))  # a program may import what lies beside it
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        _raise_program_error(f"{path} raised", error, path)
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def _raise_program_error(what: str, error: BaseException, path: Path) -> NoReturn:
    """Say what a user's program raised, and at which of its lines."""
    if isinstance(error, SyntaxError):
        where = f", line {error.lineno}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == path.resolve()]
        where = f" at line {lines[-1]}" if lines else ""
    kind = "" if isinstance(error, UnrollError) else f"{type(error).__name__}: "
    raise GraphError(f"{what}{where}: {kind}{error}") from None
