"""Functions of tensors that take the symbolic tensors of a model too."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

from unroll.layers.symbolic import called, symbolic_among
from unroll.words import spelled

P = ParamSpec("P")


def symbolic(function: Callable[P, Any]) -> Callable[P, Any]:
    """Return a function that takes symbolic tensors too: the call is noted, and a model makes it again."""
    checked = spelled()(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        return called(checked, args, kwargs) if symbolic_among(args, kwargs) else checked(*args, **kwargs)

    return call
