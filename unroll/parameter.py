"""Parameters: named, mutable arrays that a graph shares by identity, and the block table that says what their blocks are."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy.typing as npt

from unroll import scopes
from unroll.arguments import check_methods
from unroll.checks import shown
from unroll.dimensions import shape_text
from unroll.dtypes import Array, DType, as_dtype, cast_array, held_array
from unroll.errors import ArgumentTypeError, DTypeError, ShapeError, warn
from unroll.foreign_names import PARAMETER
from unroll.tensor import Tensor, array_dtype


class BlockTable(NamedTuple):
    """How the axes of a weight divide into named blocks, such as rows of x over rows of h and one column block a gate.

    Attributes:
        rows: (source, size) from top to bottom; empty for a bias.
        columns: (gate, size) from left to right.
        transposed: the array itself is stored with gates by sources, as PyTorch has it.
        note: why these blocks stand apart from the others of their cell; empty where they do not.
        window: the axes before the two, of a convolution's kernel; empty for a matrix.
        part: which of several cells under one scope it belongs to, such as ``l1_reverse``.
    """

    rows: tuple[tuple[str, int], ...]
    columns: tuple[tuple[str, int], ...]
    transposed: bool = False
    note: str = ""
    window: tuple[int, ...] = ()
    part: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the whole weight as it is stored."""
        sizes = (*([sum(size for _, size in self.rows)] if self.rows else []), sum(size for _, size in self.columns))
        return (*self.window, *(sizes[::-1] if self.transposed else sizes))

    def __str__(self) -> str:
        """Return the decomposition as text: ``[x 28 + h 13] x [i|j|f|o 13]``; with the gates first where it is stored so."""
        sizes = {size for _, size in self.columns}
        names = "|".join(name for name, _ in self.columns)
        columns = f"{names} {sizes.pop()}" if len(sizes) == 1 else "|".join(f"{n} {size}" for n, size in self.columns)
        rows = " + ".join(f"{name} {size}" for name, size in self.rows)
        sides = [f"[{rows}]", f"[{columns}]"] if rows else [f"[{columns}]"]
        return " x ".join([*map(str, self.window), *(sides[::-1] if self.transposed else sides)])


class VariableName(str):
    """The name of a Parameter: a string, which warns where it is compared with itself and TensorFlow's ``:0``.

    TensorFlow's variables end in ``:0``, and Parameters do not: ``name == "rnn/kernel:0"`` is false of ``rnn/kernel``, and
    a program that looks for its weights so would pass over them in silence. Look-ups take both.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        self._compared(other)
        return str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        self._compared(other)
        return str.__ne__(self, other)

    def _compared(self, other: object) -> None:
        if isinstance(other, str) and len(other) == len(self) + 2 and other.endswith(":0") and other.startswith(self):
            warn(
                f"{str(self)!r} is the name of a Parameter, and {other!r} is what TensorFlow calls it: they are not equal; "
                "leave ':0' out, or look it up: graph.parameters takes both",
            )

    __hash__ = str.__hash__

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


_assigning = threading.Lock()


@check_methods("assign", "cast")
class Parameter(Tensor):
    """A named, mutable array shared by every node that reads it: 28 timesteps, one kernel.

    Args:
        value: the first value.
        name: its name under the current scope; fixed from here on.
        dtype: by default that of an array, float32 for Python floats.
        blocks: what the blocks of the array are, shown in summaries and pictures.

    Attributes:
        name: the full variable name, such as ``rnn/basic_lstm_cell/kernel``.
        version: counts the assignments, so that a snapshot knows when it is out of date.

    Raises:
        ArgumentError: the name is not valid.
        DTypeError: the value is not an array of numbers.
        ArgumentTypeError: `blocks` are no BlockTable.
        ShapeError: `blocks` do not add up to the value's shape.

    Example:
        >>> w = unroll.Parameter(np.ones((3, 5)), name="w", dtype="float32")
        >>> w.assign(np.zeros((3, 5)))
        >>> w.value.sum(), w.version
        (np.float32(0.0), 1)
    """

    __slots__ = ("_draw", "_name", "_read", "_value", "bearers", "blocks", "version")
    _foreign = PARAMETER

    def __init__(
        self, value: Any, name: str, dtype: npt.DTypeLike | None = None, *, blocks: BlockTable | None = None
    ) -> None:
        self._name: str = VariableName(scopes.join(scopes.current().variables, scopes.check_name(name, "Parameter")))
        wanted = array_dtype(value, dtype, f"Parameter {self._name!r}")
        array = cast_array(value, wanted, f"Parameter {self._name!r}")
        super().__init__(array.shape, array.dtype, hint=str(self._name))
        if blocks is not None and not isinstance(blocks, BlockTable):
            raise ArgumentTypeError(f"Parameter {self._name!r}: blocks are {shown(blocks)}; a BlockTable is wanted")
        if blocks is not None and blocks.shape != array.shape:
            raise ShapeError(f"Parameter {self._name!r}: shape {array.shape} is not the {blocks.shape} of {blocks}")
        self.blocks = blocks
        self.bearers = scopes.current().bearers
        self.version = 0
        self._draw: Callable[[str], Array] | None = None
        self._read = False
        self._store(array)

    def with_blocks(self, blocks: BlockTable | None) -> Parameter:
        """Return another Parameter of this name and value, with `blocks`: to show, while this one stays as it is."""
        other = Parameter.__new__(Parameter)
        Tensor.__init__(other, self.shape, self.dtype, hint=self.hint)
        for field in Parameter.__slots__:
            object.__setattr__(other, field, blocks if field == "blocks" else getattr(self, field))
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """Return another Parameter of this name and value, as the copy of a layer has it."""
        other = memo[id(self)] = self.with_blocks(self.blocks)
        other.bearers = copy.deepcopy(self.bearers, memo)
        other.version, other._draw, other._read = 0, None, False
        return other

    @property
    def name(self) -> str:
        """The full variable name."""
        for place in self.bearers:
            place.bearer.shown()
        return self._name

    @property
    def value(self) -> Array:
        """The current value, read-only; change it with `assign`."""
        self._read = True
        return self._value

    @property
    def _changed_by(self) -> str:
        return "a Parameter takes a whole new value: w.assign(array), where array is a changed w.value.copy()"

    def assign(self, value: Any) -> None:
        """Give the Parameter a new value of the same shape, cast to its dtype under the ``same_kind`` rule.

        Raises:
            ShapeError: another shape (nothing is broadcast), or a ragged list.
            DTypeError: not an array of numbers, or the cast would change the kind of number or overflow.
        """
        array = self.cast(value)
        with _assigning:  # a lost count would let a session's old snapshot pass for a new one
            self._store(array)
            self.version += 1

    def cast(self, value: Any) -> Array:
        """Return `value` as `assign` would store it, and store nothing.

        Raises:
            ShapeError: another shape (nothing is broadcast), or a ragged list.
            DTypeError: not an array of numbers, or the cast would change the kind of number or overflow.
        """
        array = cast_array(value, self.dtype, f"assign to {self._name!r}")
        if array.shape != self.shape:
            raise ShapeError(
                f"assign to {self._name!r}: shape {shape_text(array.shape)} was given, {shape_text(self.shape)} is wanted"
                + (f" = {self.blocks}" if self.blocks else "")
                + ("; transpose it with .T" if array.T.shape == self.shape and array.ndim == 2 else "")
            )
        return array

    def drawn_by(self, draw: Callable[[str], Array]) -> None:
        """Say how the first value is drawn from the name, should a graph still number the layer that the Parameter is of."""
        self._draw = draw

    @property
    def shown(self) -> bool:
        """Whether somebody has read the value that was drawn from the name, so that both must stay."""
        return self._read and self._draw is not None and self.version == 0

    def rename(self, name: str) -> None:
        """Take a final name, and a first value drawn from that, unless one was assigned, or the first was read."""
        self.hint = self._name = VariableName(name)
        if self._draw is not None and self.version == 0 and not self._read:
            self._store(cast_array(self._draw(name), self.dtype, f"Parameter {name!r}"))

    def _store(self, array: Array) -> None:
        self._value = held_array(array)


def block_tables(parameters: Iterable[Parameter]) -> list[list[Parameter]]:
    """Put the Parameters together that make one block table: those of one scope with equal columns, such as ``kernel``,
    ``recurrent_kernel`` and ``bias``. A Parameter with a note, or without blocks, is a table of its own.
    """
    tables: dict[object, list[Parameter]] = {}
    for item in parameters:
        scope, blocks = item.name.rpartition("/")[0], item.blocks
        key = (scope, None, item) if blocks is None else (scope, blocks.part, blocks.columns, blocks.note)
        tables.setdefault(key, []).append(item)
    return list(tables.values())


def parameter_dtype(dtype: npt.DTypeLike) -> DType:
    """Return `dtype` where a trainable weight can have it: any floating one.

    Raises:
        DTypeError: not a floating dtype.
    """
    found = as_dtype(dtype, "weights")
    if found.kind != "f":
        raise DTypeError(f"weights of dtype {found}: weights are floating-point; give inputs of float32 or float64")
    return found
