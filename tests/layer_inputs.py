"""What tests of bad input to layers share."""

from __future__ import annotations

from typing import Any

import unroll

layers: Any = unroll.layers  # wrong arguments are given on purpose, which a type checker would refuse


def x(*shape: int | None, dtype: str = "float32", name: str = "x") -> Any:
    return unroll.placeholder(shape or (None, 7, 4), name, dtype)


RECURRENT = ("SimpleRNN", "LSTM", "GRU")
