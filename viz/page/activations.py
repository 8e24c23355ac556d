"""Activations of gates: which one makes a gate, between which numbers it lies, how it is written, and when it is saturated."""

from __future__ import annotations

import numpy as np

from unroll.dtypes import Array
from unroll.tensor import Node
from unroll.viz.dot_text import SIGMA
from unroll.viz.page.rows import Template

#: Of an activation, the numbers that it lies between.
BOUNDS = {"Sigmoid": (0.0, 1.0), "HardSigmoid": (0.0, 1.0), "Tanh": (-1.0, 1.0)}
#: How near to the end of its range a gate is saturated.
NEAR = 0.05
_SIGNS = {"Sigmoid": SIGMA, "Tanh": "tanh", "HardSigmoid": f"hard {SIGMA}", "Relu": "relu", "Softmax": "softmax"}
_PASSING = ("Split", "Slice", "Identity", "Reshape", "Squeeze")


def activation(template: Template, number: int) -> str:
    """Return the operator that makes a gate, before what only cuts it."""
    node: Node | None = template.nodes[number]
    while node is not None and node.op.name in _PASSING:
        node = node.inputs[0].node if node.inputs[0] is not None else None
    return node.op.name if node is not None else template.nodes[number].op.name


def sign_of(activation: str) -> str:
    """Return how an activation is written."""
    return _SIGNS.get(activation, activation)


def saturated(array: Array, activation: str) -> Array | None:
    """Return where numbers of an activation are within 0.05 of an end of its range; None where it has no ends."""
    bounds = BOUNDS.get(activation)
    if bounds is None:
        return None
    wide = np.asarray(array, np.float64)
    with np.errstate(invalid="ignore"):
        near: Array = (wide > bounds[1] - NEAR) | (wide < bounds[0] + NEAR)
    return near


def percent(share: float) -> str:
    """Return a share as text that does not call some of it nothing, nor nearly all of it all."""
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"
