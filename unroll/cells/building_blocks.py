"""What cells are made of, beside the kernels of `GatedCell`: states, affine maps, peepholes, checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy.typing as npt

from unroll import scopes
from unroll.cells.rnn_cell import LSTMStateTuple, RNNCell
from unroll.checks import check_number, check_size
from unroll.dimensions import Dim
from unroll.errors import ArgumentError, UnsupportedError
from unroll.initializers import ZEROS, Draw, get_initializer
from unroll.ops import clip, concat, split
from unroll.parameter import Parameter
from unroll.tensor import Tensor, named

#: Why TensorFlow's ``reuse=True`` is refused.
REUSE = "finds weights by name; to share them, call the same cell object"
#: Why an argument that TensorFlow takes and does not read is refused.
NOT_READ = "TensorFlow takes it and does not read it"


class UnitCell(RNNCell):
    """A cell of `num_units` units; state and output are that wide by default."""

    REFUSED: ClassVar[Mapping[str, str]] = {"reuse": REUSE}

    def __init__(
        self, num_units: int, reuse: bool | None = None, name: str | None = None, dtype: npt.DTypeLike | None = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_units = check_size(num_units, f"{type(self).__name__}: num_units")
        refuse_reuse(reuse, type(self).__name__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.num_units}, name={self.name!r})"

    @property
    def state_size(self) -> Any:
        return self.num_units

    @property
    def output_size(self) -> Any:
        return self.num_units


class LSTMState(UnitCell):
    """A cell whose state is c, `num_units` wide, and h, the output, which may be projected to `num_proj`."""

    num_proj: int | None = None
    state_is_tuple: bool = True

    @property
    def output_size(self) -> int:
        return self.num_proj or self.num_units

    @property
    def state_size(self) -> Any:
        sizes = LSTMStateTuple(self.num_units, self.output_size)
        return sizes if self.state_is_tuple else sum(sizes)

    def parted(self, state: Any) -> tuple[Tensor, Tensor]:
        """Return c and h of a state."""
        c, h = state if self.state_is_tuple else split(state, [self.num_units, self.output_size], axis=-1)
        return c, h

    def whole(self, c: Tensor, h: Tensor) -> Any:
        """Return the state of this c and h."""
        return LSTMStateTuple(c, h) if self.state_is_tuple else named(concat([c, h], axis=-1), "state")


class LSTMLikeCell(LSTMState):
    """A cell with the state of an LSTM that makes its weights with `linear`."""

    def __init__(
        self,
        num_units: int,
        reuse: bool | None = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        *,
        num_proj: int | None = None,
        state_is_tuple: bool = True,
    ) -> None:
        super().__init__(num_units, reuse, name, dtype)
        self.num_proj = check_projection(num_proj, type(self).__name__)
        self.state_is_tuple = state_is_tuple


class MakesWeights(Protocol):
    """What makes weights by name: a cell, or a mechanism of attention."""

    def add_weight(self, name: str, *args: Any, **options: Any) -> Parameter:
        """Return the weight of a name, made when it is first asked for."""


def linear(
    cell: MakesWeights,
    sources: Mapping[str, Tensor],
    gates: Sequence[str],
    size: int,
    scope: str = "",
    *,
    kernel: str = "kernel",
    bias: bool = True,
    kernel_initializer: Draw | None = None,
    bias_initializer: Draw = ZEROS,
    note: str = "",
) -> tuple[Tensor, ...]:
    """Return ``[sources] @ kernel + bias``, cut into one tensor ``(batch, size)`` a gate.

    Args:
        cell: whose Parameters the kernel ``(sources, gates * size)`` and the bias ``(gates * size,)`` are.
        sources: the inputs of the map by their names in the block table, ``(batch, any)`` each.
        gates: the names of the column blocks, left to right.
        size: the width of each block.
        scope: the path of the two variables within the cell.
        kernel: the kernel's name there; the bias is called ``bias``.
        bias: whether there is one.
        kernel_initializer: draws the kernel first; glorot uniform by default.
        bias_initializer: draws the bias first.
        note: why the kernel's blocks stand apart from the cell's others.
    """
    parts = list(sources.values())
    x = parts[0] if len(parts) == 1 else concat(parts, axis=-1)
    columns = dict.fromkeys(gates, size)
    rows = {name: part.shape[-1] for name, part in sources.items()}
    weight = cell.add_weight(
        scopes.join(scope, kernel), None, kernel_initializer, rows=rows, columns=columns, note=note, dtype=x.dtype
    )
    z = x @ weight
    if bias:
        z = z + cell.add_weight(scopes.join(scope, "bias"), None, bias_initializer, columns=columns, dtype=x.dtype)
    return split(z, len(gates), axis=-1) if len(gates) > 1 else (z,)


def sharded(
    cell: RNNCell,
    name: str,
    rows: Mapping[str, Dim],
    columns: Mapping[str, Dim],
    shards: int,
    initializer: Draw | None,
    dtype: npt.DTypeLike,
) -> Tensor:
    """Return a weight that TensorFlow stores in pieces of rows, the larger ones first: ``W_0``, ``W_1``, and so on.

    Raises:
        ArgumentError: more pieces than rows.
    """
    total = sum(int(size) for size in rows.values())
    if shards > total:
        raise ArgumentError(f"{cell.name}: {name} of {total} rows cannot be stored in {shards} pieces")
    pieces = []
    for piece in range(shards):
        part = rows if shards == 1 else {f"piece {piece}": total // shards + (piece < total % shards)}
        pieces.append(cell.add_weight(f"{name}_{piece}", None, initializer, rows=part, columns=columns, dtype=dtype))
    return pieces[0] if shards == 1 else concat(pieces, axis=0)


def peephole(cell: RNNCell, name: str, gate: str, c: Tensor, initializer: Draw | None = None) -> Tensor:
    """Return what a gate sees of `c`: it times the Parameter `name` ``(units,)``, element by element."""
    note = "multiplies c element by element"
    return cell.add_weight(name, None, initializer, columns={gate: c.shape[-1]}, note=note, dtype=c.dtype) * c


def blend(gate: Tensor, old: Tensor, new: Tensor) -> Tensor:
    """Return ``gate * old + (1 - gate) * new``."""
    return gate * old + (1 - gate) * new


def refuse_reuse(reuse: bool | None, what: str) -> None:
    """Refuse TensorFlow's ``reuse=True``.

    Raises:
        UnsupportedError: it is asked for.
    """
    if reuse:  # TensorFlow would find the variables by name, in global state that is not here
        raise UnsupportedError(f"{what}: reuse=True {REUSE}")


def refuse_unused(value: object, what: str) -> None:
    """Refuse an argument that TensorFlow takes and does not read.

    Raises:
        UnsupportedError: it is given.
    """
    if value is not None:
        raise UnsupportedError(f"{what} {value!r}: {NOT_READ}; leave it out")


def check_projection(num_proj: int | None, what: str) -> int | None:
    """Return the width of a projection, checked; None stands for no projection."""
    return None if num_proj is None else check_size(num_proj, f"{what}: num_proj")


def check_limit(limit: float | None, what: str) -> float | None:
    """Return the limit of a clip as a float; None stands for no limit.

    Raises:
        ArgumentError: not above 0.
    """
    if limit is None:
        return None
    found = check_number(limit, what)
    if not found > 0:
        raise ArgumentError(f"{what} is {limit}; a number above 0 is wanted, or None for no clipping")
    return found


def clipped(x: Tensor, limit: float | None) -> Tensor:
    """Return `x` limited to ``-limit .. limit``; None does not limit."""
    return x if limit is None else clip(x, -limit, limit)


def check_share(value: float, what: str) -> float:
    """Return `value` where it is a number from 0 to 1.

    Raises:
        ArgumentTypeError, ArgumentError: it is not.
    """
    found = check_number(value, what)
    if not 0 <= found <= 1:
        raise ArgumentError(f"{what} is {value}; a number from 0 to 1 is wanted")
    return found


def check_initializer(initializer: Any, what: str) -> Draw | None:
    """Return an initialiser by its name or as it is; None stays None, for the default."""
    return None if initializer is None else get_initializer(initializer, what)
