"""The modules of unroll.nn that tests go over, and their inputs."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import Array, golden_arrays, golden_json

import unroll
from unroll import nn

SEQUENCES: tuple[Any, ...] = (nn.RNN, nn.LSTM, nn.GRU)
CELLS: tuple[Any, ...] = (nn.RNNCell, nn.LSTMCell, nn.GRUCell)

every_module = pytest.mark.parametrize("module", [*SEQUENCES, *CELLS], ids=lambda module: module.__name__)
every_sequence = pytest.mark.parametrize("module", SEQUENCES, ids=lambda module: module.__name__)
every_cell = pytest.mark.parametrize("module", CELLS, ids=lambda module: module.__name__)


def sequence(steps: int = 4, features: int = 3, dtype: str = "float32") -> Any:
    return unroll.placeholder([steps, "batch", features], "x", dtype)


def golden(case_id: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """A case of PyTorch's, and its arrays by the end of their keys."""
    case = next(case for case in golden_json("torch_modules.json")["cases"] if case["id"] == case_id)
    arrays = golden_arrays("torch_modules.npz")
    return case, {key.removeprefix(f"{case_id}/"): arrays[key] for key in arrays if key.startswith(f"{case_id}/")}


def state_dict(arrays: dict[str, Array]) -> dict[str, Array]:
    return {k.removeprefix("state_dict/"): v for k, v in arrays.items() if k.startswith("state_dict/")}
