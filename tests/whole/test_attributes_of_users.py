"""What a user calls an attribute of a cell or layer of their own is theirs: none of ours is in the way, or it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import layers, nn

#: What people call things; none of it is documented to be ours.
PLAUSIBLE = (
    "bearer", "check", "ready", "entered", "made", "given", "seen", "kind", "scope", "step", "steps", "cell", "gate", "hidden",
    "hidden_size", "units", "kernel", "bias", "mask", "place", "shape", "size", "input", "output", "index", "state", "time",
    "batch", "label", "hint", "origin", "parts", "rate", "config", "args", "kwargs", "initializer", "activation", "built_for",
    "takes_checked", "build_part", "build_for", "seed", "draw", "rename", "settled", "borne", "contract",
)  # fmt: skip


class OwnLayer(layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        for name in PLAUSIBLE:
            setattr(self, name, 3.0)

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight((input_shape[-1],), "ones")

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor * self.bearer


class OwnCell(unroll.RNNCell):
    def __init__(self) -> None:
        super().__init__()
        self.state_size = self.output_size = 2
        for name in set(PLAUSIBLE) - {"check"}:  # which a cell may define
            setattr(self, name, 3.0)

    def call(self, inputs: Any, state: Any) -> Any:
        total = state + self.add_weight("factor", (2,), "ones") * inputs * self.bearer
        return total, total


def test_a_layer_of_ones_own_computes_with_attributes_of_any_name() -> None:
    x = unroll.placeholder([1, 2], "x")
    model = layers.Sequential([layers.Input((2,)), OwnLayer(), OwnLayer()])
    assert unroll.Graph([x], {"y": OwnLayer()(x)}).run({x: [[1, 2]]})["y"].tolist() == [[3, 6]]
    assert np.asarray(model.predict(np.ones((1, 2), "float32"))).tolist() == [[9, 9]]


def test_a_cell_of_ones_own_computes_with_attributes_of_any_name_and_sets_its_sizes() -> None:
    xs = [unroll.placeholder([1, 2], f"x{t}") for t in range(3)]
    cell = OwnCell()
    assert (cell.state_size, cell.output_size) == (2, 2)
    outputs, _ = unroll.static_rnn(cell, xs)
    feeds = {x: np.ones((1, 2), "float32") for x in xs}
    assert unroll.Graph(xs, outputs[-1]).run(feeds, outputs[-1]).tolist() == [[9, 9]]
    refused(lambda: unroll.RNNCell().state_size, ValueError, "self.state_size", "constructor")


@pytest.mark.parametrize("owner", [layers.LSTM(2), unroll.GRUCell(2), nn.LSTM(3, 2), OwnCell(), OwnLayer()], ids=repr)
def test_what_is_ours_takes_a_value_or_says_that_it_is_a_property(owner: Any) -> None:
    kept = {name: value for name, value in vars(owner).items() if not name.startswith("_")}
    for name in (name for name in dir(owner) if not name.startswith("_")):
        try:
            setattr(owner, name, 3)
        except unroll.UnrollError as error:
            assert name in str(error) or name.replace("_", "/") in str(error)
        else:
            assert getattr(owner, name) == 3
            vars(owner).pop(name)
    vars(owner).update(kept)
