"""PyTorch's modules over a time that is a symbol, case by case: PyTorch's numbers at its length, and another length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from any_length import check_any_length
from helpers import Array, golden_arrays, golden_json

import unroll
from unroll import nn

CASES = [case for case in golden_json("torch_modules.json")["cases"] if case["T"] is not None]


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_module_of_any_length_gives_pytorchs_numbers(case: dict[str, Any]) -> None:
    arrays, keys, dtype = golden_arrays("torch_modules.npz"), case["arrays"], case["dtype"]
    axis = 1 if case["kwargs"].get("batch_first") and case["batch"] is not None else 0
    feeds: dict[str, Array] = {"input": arrays[keys["input"]]}
    feeds |= {f"state{place}": arrays[key] for place, key in enumerate(keys["state0"])}
    if case["lengths"] is not None:
        feeds["lengths"] = np.array(case["lengths"])

    def make(time: int | str) -> unroll.Graph:
        module = getattr(nn, case["module"])(case["input_size"], case["hidden_size"], **case["kwargs"], dtype=dtype)
        module.load_state_dict({item["name"]: arrays[item["key"]] for item in case["state_dict"]})
        shape: list[int | str] = list(feeds["input"].shape)
        shape[axis] = time
        x = unroll.placeholder(shape, "input", dtype)
        states = [unroll.placeholder(feeds[f"state{i}"].shape, f"state{i}", dtype) for i in range(len(keys["state0"]))]
        hx: Any = tuple(states) if len(states) > 1 else states[0] if states else None
        lengths = [unroll.placeholder([case["batch"]], "lengths", "int64")] if "lengths" in feeds else []
        output, last = module(x, hx, lengths=lengths[0] if lengths else None)
        return unroll.Graph([x, *states, *lengths], [output, last])

    wanted = [arrays[key] for key in (keys["output"], *keys["state"])]
    check_any_length(make, case["T"], feeds, {"input": axis}, wanted, dtype)
