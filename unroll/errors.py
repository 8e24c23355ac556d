"""Every error a user can cause, as a subclass of `UnrollError` and of the built-in error that fits it.

A message names the thing, what was seen, what was wanted and the fix.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable


class UnrollError(Exception):
    """Base class of every error that a user of unroll can cause.

    Example:
        >>> try:
        ...     unroll.placeholder([2, 3], name="a") @ unroll.placeholder([4, 5], name="b")
        ... except unroll.UnrollError as error:
        ...     print(error)
        MatMul: the columns of A and the rows of B: 3 and 4 must be equal (seen: A = a (2, 3) float32, B = b (4, 5) float32)
    """

    def __str__(self) -> str:
        # KeyError would show the repr of its argument; a message is for reading.
        return str(self.args[0]) if self.args else self.__class__.__name__


class ShapeError(UnrollError, ValueError):
    """A tensor, array or dimension has a shape that its use does not allow."""


class DTypeError(UnrollError, TypeError):
    """A tensor or array has a dtype that its use does not allow, or a cast would lose what it means."""


class ArgumentError(UnrollError, ValueError):
    """An argument has a value outside what the function takes."""


class ArgumentTypeError(UnrollError, TypeError):
    """An argument is of a type the function does not take."""


class NotMadeError(ArgumentError, AttributeError):
    """A weight that a cell makes at its first call is asked for before that; to ``hasattr`` it is not there yet."""


class StructureError(UnrollError, ValueError):
    """A nest of tensors (a state, the inputs of a step) is not built as the other side expects."""


class NameClashError(UnrollError, ValueError):
    """Two different Parameters or placeholders of one Graph have one name."""


class NameNotFoundError(UnrollError, KeyError):
    """No tensor, Parameter, placeholder or output goes by that name."""


class NoAttributeError(UnrollError, AttributeError):
    """A module or object has no attribute of that name; the message says what there is.

    Args:
        said: what is missing.
        advice: finds out what there is, when the message is read: ``hasattr`` asks often, and reads none.
    """

    def __init__(self, said: str, advice: Callable[[], str] | None = None) -> None:
        super().__init__(said)
        self._advice = advice

    def __str__(self) -> str:
        said = super().__str__()
        return said if self._advice is None else f"{said}; {self._advice()}"

    def __reduce__(self) -> tuple[type[NoAttributeError], tuple[str]]:
        return NoAttributeError, (str(self),)


class NotImportedError(UnrollError, ImportError):
    """A module has no such name to import from it; the message says what there is."""


class GraphError(UnrollError, ValueError):
    """Inputs and outputs do not make a graph."""


class FeedError(UnrollError, ValueError):
    """The arrays given to a run do not fit the inputs."""


class EvaluationError(UnrollError, ValueError):
    """An operator failed on the values it met while running."""


class FileError(UnrollError, OSError):
    """A file cannot be read or written, or does not hold what its name says."""


class ModelError(UnrollError, ValueError):
    """An ONNX model is not valid, or cannot be run."""


class UnsupportedError(UnrollError, NotImplementedError):
    """Asked for something that is valid, but that unroll or the chosen runtime does not do."""


class MissingPackageError(UnrollError, ImportError):
    """An optional package is needed for this; the message says which to install."""


class VerificationError(UnrollError, ArithmeticError):
    """Two runners disagree on a graph by more than the tolerance."""


class NoWitnessError(VerificationError):
    """There is no other runner to compare NumPy with, or NumPy itself is left out: a graph may be right, and is not
    proven.
    """


class UnrollWarning(UserWarning):
    """Something legal that probably is not what was meant.

    Example:
        A Session computes with the values that the weights had when it was made:

        >>> import warnings
        >>> w = unroll.Parameter([2.0], name="w")
        >>> x = unroll.placeholder([1], name="x")
        >>> session = unroll.Session(unroll.Graph([x], {"y": w * x}))
        >>> w.assign([3.0])
        >>> with warnings.catch_warnings(record=True, action="always") as caught:
        ...     session.run({"x": [5]})
        {'y': array([10.], dtype=float32)}
        >>> caught[0].category is unroll.UnrollWarning
        True
    """


def warn(message: str) -> None:
    """Warn with an `UnrollWarning` at the line of the user's program, however deep in the package it is found out."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "unroll":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UnrollWarning, stacklevel=level)


def first_line(error: Exception) -> str:
    """Return what another package's error says, in one line, for a message of ours."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
