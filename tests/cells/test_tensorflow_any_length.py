"""TensorFlow's cells over a time that is a symbol, case by case: TensorFlow's numbers at its length, and another length."""

from __future__ import annotations

from typing import Any

import pytest
from any_length import check_any_length, shortest_and_longest
from helpers import Array, golden_arrays, golden_json

import unroll
from unroll import nest

CASES = shortest_and_longest(golden_json("tensorflow_rnn.json")["cases"])


def cell_of(case: dict[str, Any]) -> Any:
    parts = [getattr(unroll, layer["cell"])(layer["num_units"], **layer["kwargs"]) for layer in case["layers"]]
    return parts[0] if case["cell"] != "MultiRNNCell" else unroll.MultiRNNCell(parts)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_cell_over_any_length_gives_tensorflows_numbers(case: dict[str, Any]) -> None:
    arrays, keys, dtype = golden_arrays("tensorflow_rnn.npz"), case["arrays"], case["dtype"]
    states = keys["state0"] if case["initial_state"] else []
    feeds: dict[str, Array] = {"X": arrays[keys["inputs"]]}  # the time comes first
    feeds |= {f"state{place}": arrays[key] for place, key in enumerate(states)}

    def make(time: int | str) -> unroll.Graph:
        cell = cell_of(case)
        inputs = [unroll.placeholder([time, "batch", case["input_size"]], "X", dtype)]
        inputs += [
            unroll.placeholder([None, arrays[key].shape[1]], f"state{place}", dtype) for place, key in enumerate(states)
        ]
        state = nest.pack(cell.state_size, inputs[1:]) if states else None
        graph = unroll.Graph(inputs, unroll.dynamic_rnn(cell, inputs[0], initial_state=state, time_major=True))
        graph.assign({item["name"]: arrays[item["key"]] for item in case["variables"]})
        return graph

    wanted = [arrays[key] for key in (keys["outputs"], *keys["state"])]
    check_any_length(make, case["T"], feeds, {"X": 0}, wanted, dtype)
