"""Rows of a table by id, as every embedding reads them: ids that the table does not have are refused."""

from __future__ import annotations

from unroll.dimensions import Limit
from unroll.errors import ArgumentError, ArgumentTypeError, DTypeError
from unroll.ops import apply_one
from unroll.ops.slicing import Gather
from unroll.parameter import Parameter
from unroll.tensor import Constant, Placeholder, Tensor, named

#: Operators that cut or rearrange their first input and leave nothing of it out.
_KEEPING = frozenset(["Identity", "Reshape", "Split", "Squeeze", "Transpose", "Unsqueeze"])


def look_up(table: Parameter, ids: Tensor, what: str, hint: str = "output") -> Tensor:
    """Return the rows of `table` ``(count, width)`` that `ids` ``(...)`` name: ``(..., width)``.

    Fixed ids are checked now, those that come from a placeholder when it is fed: runtimes read -1 as the last row, or
    whatever lies behind the table.

    Args:
        table: the rows.
        ids: int32 or int64.
        what: who asks, for messages.
        hint: what the result is called.

    Raises:
        ArgumentTypeError, DTypeError: the ids are not a tensor of integers.
        ArgumentError: fixed ids outside the table.
    """
    if not isinstance(ids, Tensor):
        raise ArgumentTypeError(f"{what} {ids!r} of type {type(ids).__name__} is no tensor")
    if ids.dtype.kind != "i":
        raise DTypeError(f"{what} {ids.described()} must be integers, int32 or int64; convert with unroll.ops.cast")
    last, source = int(table.shape[0]) - 1, _source(ids)
    if isinstance(source, Constant) and source.value.size and not 0 <= source.value.min() <= source.value.max() <= last:
        raise ArgumentError(f"{what} {source.described()} holds ids outside 0 to {last}")
    limits = [Limit(source.name, 0, last, what)] if isinstance(source, Placeholder) else []
    return named(apply_one(Gather(0), table, ids, requirements=limits), hint)


def _source(ids: Tensor) -> Tensor:
    """Return the tensor that ids were cut from, such as the steps of a sequence."""
    while ids.node is not None and ids.node.op.name in _KEEPING and ids.node.inputs[0] is not None:
        ids = ids.node.inputs[0]
    return ids
