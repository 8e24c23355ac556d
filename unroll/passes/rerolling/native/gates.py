"""A recognised cell and its gates, each by the weights that it reads."""

from __future__ import annotations

from dataclasses import dataclass, field

from unroll.passes.rerolling.finding import Column
from unroll.tensor import Tensor

#: A sum of weights, each times a number.
Sum = list[tuple[Tensor, float]]


@dataclass
class Gate:
    """The preactivation of a gate.

    Attributes:
        inputs: the matrices that multiply each input, by its number.
        state: the matrices that multiply h.
        bias: the vectors that are added.
        number: a number added to the bias, such as TensorFlow's forget bias.
        state_bias: the vectors that are added to the product of the state before a reset gate multiplies it.
        state_number: a number that is added there.
        peephole: the vectors that multiply c element by element.
    """

    inputs: dict[int, Sum] = field(default_factory=dict)
    state: Sum = field(default_factory=list)
    bias: Sum = field(default_factory=list)
    number: float = 0.0
    state_bias: Sum = field(default_factory=list)
    state_number: float = 0.0
    peephole: Sum = field(default_factory=list)

    def negated(self) -> Gate:
        """Return the gate whose sigmoid is one minus the sigmoid of this one."""

        def turned(weights: Sum) -> Sum:
            return [(tensor, -factor) for tensor, factor in weights]

        inputs = {number: turned(weights) for number, weights in self.inputs.items()}
        return Gate(inputs, turned(self.state), turned(self.bias), -self.number, peephole=turned(self.peephole))


@dataclass(frozen=True)
class Cell:
    """A recognised cell.

    Attributes:
        op: ONNX's name of its operator.
        gates: in ONNX's order.
        activations: ONNX's name and the parameters of each.
        states: the number of the pattern's state that is h, and for an LSTM of the one that is c.
        inputs: the inputs that its gates read, each at all steps.
        reset_after: for a GRU, whether the reset gate acts after the product.
    """

    op: str
    gates: tuple[Gate, ...]
    activations: tuple[tuple[str, tuple[float, ...]], ...]
    states: tuple[int, ...]
    inputs: tuple[Column, ...]
    reset_after: bool = False
