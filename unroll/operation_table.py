"""What tensors are computed with, by name: the table that ``a + b``, ``a[0]`` and ``np.tanh(a)`` look in.

Operators are made of tensors, and tensors are added with operators: one of the two modules has to know the other. `unroll.ops`
knows `unroll.tensor`, and fills this table; it is imported when a tensor is first computed with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unroll.errors import UnsupportedError

_hook: Callable[[], object] | None = None


def set_hook(hook: Callable[[], object]) -> None:
    """Let `hook` fill the table when something is first looked up in it: the front imports `unroll.ops`."""
    global _hook
    _hook = hook


class OperationTable(dict[str, Callable[..., Any]]):
    """Functions of tensors by name, as they are called in `unroll.ops`."""

    def __missing__(self, name: str) -> Callable[..., Any]:
        """Return what the hook puts here.

        Raises:
            UnsupportedError: nobody did.
        """
        if _hook is not None:
            _hook()
        if name not in self:
            raise UnsupportedError(
                f"tensors are computed with the functions of unroll.ops, and {name!r} is not loaded; import unroll.ops"
            )
        return self[name]

    def find(self, name: str) -> Callable[..., Any] | None:
        """Return a function by its name; None where there is none."""
        if name not in self and _hook is not None:
            _hook()
        return self.get(name)


OPERATIONS = OperationTable()
