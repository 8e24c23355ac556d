"""The library's own cells with their options, and what wraps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import unroll
from programs.choices import Choices
from programs.material import Material
from unroll import cells, layers, nest, ops
from unroll.tensor import Tensor

ACTIVATIONS = {"tanh": 6.0, "relu": 1, "sigmoid": 0.7, "softsign": 0.4, "elu": 0.3, "linear": 0.3}


class _Options:
    """The options of a cell, each drawn when it is asked for."""

    def __init__(self, choices: Choices, name: str) -> None:
        self.choices, self.name = choices, name

    def some(self, option: str, share: float = 0.3) -> bool:
        return self.choices.flag(f"{self.name}/{option}", share)

    def activation(self) -> Any:
        found = self.choices.quirk(f"{self.name}/activation", ACTIVATIONS)
        return ops.identity if found == "linear" else getattr(ops, found)

    def forget_bias(self) -> float:
        return float(self.choices.pick(f"{self.name}/forget bias", {"1.0": 3, "0.0": 1, "-0.0": 0.3, "0.4": 1}))

    def num_proj(self) -> int | None:
        return 2 if self.some("projection", 0.25) else None


def _basic_lstm(o: _Options, units: int) -> Any:
    joined = o.some("joined state", 0.15)
    return unroll.BasicLSTMCell(units, o.forget_bias(), state_is_tuple=not joined, activation=o.activation())


def _lstm(o: _Options, units: int) -> Any:
    clip = 0.3 if o.some("cell_clip", 0.2) else None
    options = {"num_proj": o.num_proj(), "forget_bias": o.forget_bias(), "activation": o.activation()}
    return unroll.LSTMCell(units, o.some("peepholes", 0.5), clip, **options)


def _coupled(o: _Options, units: int) -> Any:
    options = {"num_proj": o.num_proj(), "layer_norm": o.some("layer norm", 0.2), "activation": o.activation()}
    return cells.CoupledInputForgetGateLSTMCell(units, o.some("peepholes"), **options)


def _layer_norm_lstm(o: _Options, units: int) -> Any:
    norm = o.some("layer norm", 0.6)
    return cells.LayerNormBasicLSTMCell(units, o.forget_bias(), layer_norm=norm, activation=o.activation())


def _keras_lstm(o: _Options, units: int) -> Any:
    gates = o.choices.pick(f"{o.name}/gates", ("sigmoid", "hard_sigmoid"))
    return layers.LSTMCell(units, dtype=o.choices.made["dtype"], recurrent_activation=gates)


def _keras_gru(o: _Options, units: int) -> Any:
    return layers.GRUCell(units, dtype=o.choices.made["dtype"], reset_after=not o.some("reset before", 0.5))


def _slstm(o: _Options, units: int) -> Any:
    return cells.SLSTMCell(units, forget_activation="exp" if o.some("exp") else "sigmoid")


#: How often each cell is taken, and how it is made.
CELLS: dict[str, tuple[float, Callable[[_Options, int], Any]]] = {
    "BasicRNNCell": (2, lambda o, n: unroll.BasicRNNCell(n, activation=o.activation())),
    "BasicLSTMCell": (3, _basic_lstm),
    "GRUCell": (3, lambda o, n: unroll.GRUCell(n, activation=o.activation())),
    "LSTMCell": (3, _lstm),
    "CoupledInputForgetGateLSTMCell": (1, _coupled),
    "UGRNNCell": (0.7, lambda o, n: cells.UGRNNCell(n, forget_bias=o.forget_bias(), activation=o.activation())),
    "NASCell": (0.5, lambda o, n: cells.NASCell(n, num_proj=o.num_proj(), use_bias=o.some("bias"))),
    "SRUCell": (0.5, lambda o, n: cells.SRUCell(n, activation=o.activation())),
    "IndRNNCell": (0.7, lambda o, n: cells.IndRNNCell(n, activation=o.activation())),
    "IndyGRUCell": (0.7, lambda o, n: cells.IndyGRUCell(n, activation=o.activation())),
    "IndyLSTMCell": (0.7, lambda o, n: cells.IndyLSTMCell(n, o.forget_bias(), activation=o.activation())),
    "MinimalRNNCell": (0.5, lambda o, n: cells.MinimalRNNCell(n)),
    "IntersectionRNNCell": (0.4, lambda o, n: cells.IntersectionRNNCell(n, num_in_proj=n)),
    "LayerNormBasicLSTMCell": (0.7, _layer_norm_lstm),
    "SLSTMCell": (0.6, _slstm),
    "Keras's LSTMCell": (0.7, _keras_lstm),
    "Keras's GRUCell": (0.7, _keras_gru),
    "Keras's SimpleRNNCell": (0.4, lambda o, n: layers.SimpleRNNCell(n, dtype=o.choices.made["dtype"])),
    "own": (0.7, lambda o, n: _Own(n)),
}


class _Own(unroll.RNNCell):
    """A user's cell: a dict of two states, of which one is blended and one counts."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    state_size = property(lambda self: {"a": self.units, "b": self.units})
    output_size = property(lambda self: self.units)

    def call(self, inputs: Any, state: Any) -> Any:
        w = self.add_weight("w", (int(inputs.shape[-1]), self.units))
        f = ops.sigmoid(inputs @ w + state["a"])
        a = f * state["a"] + (1 - f) * ops.tanh(state["b"])
        return a, {"a": a, "b": 0.5 * state["b"] + f}


WRAPPERS = {
    "none": 8.0, "residual": 1, "stack": 2, "stack of other cells": 1, "one cell twice": 0.7, "output projection": 0.6,
    "input projection": 0.6, "attention": 0.8, "residual stack": 0.4, "dropout": 0.2,
}  # fmt: skip


def cell_of(c: Choices, name: str, units: int) -> Any:
    """Return a cell, wrapped or not."""
    kind = c.pick(f"{name}/cell", {key: share for key, (share, _) in CELLS.items()})
    options = _Options(c, name)
    keras = kind.startswith("Keras")
    wrapper = c.quirk(f"{name}/wrapper", WRAPPERS)
    one = CELLS[kind][1](options, units)
    if wrapper == "none" or keras:
        return one
    if wrapper.startswith("residual") and kind in ("IntersectionRNNCell",):
        return one
    if wrapper == "residual":
        return cells.ResidualWrapper(one, _added)
    if wrapper == "residual stack":
        return unroll.MultiRNNCell([one, cells.ResidualWrapper(CELLS[kind][1](options, units), _added)])
    if wrapper == "stack":
        return unroll.MultiRNNCell([one, CELLS[kind][1](options, units)])
    if wrapper == "stack of other cells":
        return unroll.MultiRNNCell(
            [one, unroll.GRUCell(units), unroll.BasicLSTMCell(units)][: c.whole(f"{name}/layers", 2, 3)]
        )
    if wrapper == "one cell twice":
        first = cells.OutputProjectionWrapper(one, units) if one.output_size != units else one
        return unroll.MultiRNNCell([unroll.BasicRNNCell(units), first, first])
    if wrapper == "output projection":
        return cells.OutputProjectionWrapper(one, 2)
    if wrapper == "input projection":
        return cells.InputProjectionWrapper(one, 3)
    if wrapper == "dropout":
        return cells.DropoutWrapper(one)
    if nest.is_nested(one.state_size) and kind not in ("BasicLSTMCell", "LSTMCell", "IndyLSTMCell"):
        return one
    return cells.AttentionCellWrapper(one, c.whole(f"{name}/attn_length", 1, 3))


def _added(inputs: Tensor, outputs: Tensor) -> Tensor:
    """Add the input to the output, or its first column where they are not as wide."""
    return outputs + (inputs if inputs.shape[-1] == outputs.shape[-1] else inputs[:, :1])


def zero_state(m: Material, cell: Any, x: Tensor) -> Any:
    """Return a state of zeros for a cell, of as many rows as `x`."""
    sizes = nest.flatten(cell.state_size)
    zeros = [ops.constant_of_shape(ops.concat([ops.shape(x)[:1], [n]], 0), 0.0, m.dtype) for n in sizes]
    return nest.pack(cell.state_size, zeros)
