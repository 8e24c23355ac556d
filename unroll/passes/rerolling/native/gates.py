"""What is known of a recognised cell: its gates, each the weights that it reads, as ONNX has them."""

from __future__ import annotations

from dataclasses import dataclass, field

from unroll.passes.rerolling.finding import Column
from unroll.tensor import Tensor

#: Weights to be added up, each times a number.
Sum = list[tuple[Tensor, float]]


@dataclass
class Gate:
    """The preactivation of a gate.

    Attributes:
        inputs: by input, the matrices that weigh it.
        state: the matrices that weigh h.
        bias: the vectors.
        number: a number added to the bias, such as TensorFlow's forget bias.
        state_bias: the vectors that a reset gate multiplies with the state's product.
        state_number: a number likewise.
        peephole: the vectors that weigh c element by element.
    """

    inputs: dict[int, Sum] = field(default_factory=dict)
    state: Sum = field(default_factory=list)
    bias: Sum = field(default_factory=list)
    number: float = 0.0
    state_bias: Sum = field(default_factory=list)
    state_number: float = 0.0
    peephole: Sum = field(default_factory=list)

    def negated(self) -> Gate:
        """Return the gate of which the sigmoid is one minus that of this one."""

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
        states: which of the pattern's states h is, and of an LSTM c.
        inputs: the tensors of each step's own that its gates read.
        reset_after: of a GRU, whether the reset gate acts after the product.
    """

    op: str
    gates: tuple[Gate, ...]
    activations: tuple[tuple[str, tuple[float, ...]], ...]
    states: tuple[int, ...]
    inputs: tuple[Column, ...]
    reset_after: bool = False
