"""The long short-term memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unroll.activations import Activation
from unroll.cells.step_formulas import lstm_step
from unroll.dimensions import Shape
from unroll.dtypes import Array, DType
from unroll.initializers import ONES, Draw, InitializerLike
from unroll.layers.arguments import Constraint, Regularizer, keep
from unroll.layers.cell import Cell, Function
from unroll.layers.rnn import RNN, around
from unroll.ops import split
from unroll.parameter import Parameter
from unroll.tensor import Tensor


class LSTMCell(Cell):
    """One step of `LSTM`; the states are ``[h, c]``. The arguments are those of `LSTM`.

    Example:
        >>> layer = layers.RNN(layers.LSTMCell(13), return_sequences=True)
        >>> layer(unroll.placeholder([None, 7, 28], name="x")).shape
        (batch, 7, 13)
    """

    gates = ("i", "f", "c", "o")
    state_names = ("h", "c")
    recurrent_activation: Function
    unit_forget_bias: bool
    gate_axis: int = -1

    def __init__(
        self,
        units: int,
        activation: Activation | None = "tanh",
        recurrent_activation: Activation | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        activity_regularizer: Regularizer = None,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        keep(self, locals())

    @property
    def state_size(self) -> list[int]:
        return [self.units, self.units]

    def build_bias(self, columns: dict[str, int]) -> Parameter:
        draw = forget_ones(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer
        return self.add_weight(name="bias", columns=columns, initializer=draw)

    def step(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        h, c = states
        i, f, g, o = split(self.mixed(x, h), 4, axis=self.gate_axis)
        gates = {"activation": self.activation, "recurrent_activation": self.recurrent_activation}
        return lstm_step(i, f, g, o, c, candidate="c", **gates)


def forget_ones(draw: Draw) -> Draw:
    """Return the initialiser of a bias over i, f, c, o whose part f starts at one: Jozefowicz et al. 2015."""

    def drawn(shape: Shape, dtype: DType, name: str, seed: int | None) -> Array:
        units = int(shape[-1]) // 4
        i = draw((units,), dtype, f"{name}/i", seed)
        c_and_o = draw((2 * units,), dtype, f"{name}/c_o", seed)
        return np.concatenate([i, ONES((units,), dtype, name, seed), c_and_o])

    return drawn


class LSTM(RNN):
    """The long short-term memory, Hochreiter and Schmidhuber 1997, as Keras 3's layer.

    ``i, f, c~, o = split(x @ kernel + h @ recurrent_kernel + bias)``;
    ``c' = recurrent_activation(f) * c + recurrent_activation(i) * activation(c~)``;
    ``h' = recurrent_activation(o) * activation(c')``.

    Inputs ``(batch, time, features)``; the output is that of the last step, ``(batch, units)``, or ``(batch, time, units)``.
    Weights: kernel ``(features, 4 * units)``, recurrent_kernel ``(units, 4 * units)``, bias ``(4 * units,)``, columns i, f, c,
    o.

    Args:
        units: the width of the two states and of the output.
        activation: of the candidate and the new cell state; a name of `unroll.activations`, a function of a tensor, or None
            for none.
        recurrent_activation: of the gates i, f and o.
        use_bias: add the bias.
        kernel_initializer: draws the kernel; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        recurrent_initializer: draws the recurrent kernel.
        bias_initializer: draws the bias.
        unit_forget_bias: the bias of the forget gate is one at first.
        kernel_regularizer: kept; it acts in training only, as do all regularizers and constraints.
        recurrent_regularizer: see `kernel_regularizer`.
        bias_regularizer: see `kernel_regularizer`.
        activity_regularizer: see `kernel_regularizer`.
        kernel_constraint: see `kernel_regularizer`.
        recurrent_constraint: see `kernel_regularizer`.
        bias_constraint: see `kernel_regularizer`.
        dropout: kept; dropout acts in training only.
        recurrent_dropout: see `dropout`.
        seed: of the dropout; see there.
        return_sequences: return the output of every step instead of the last.
        return_state: return the last states as well: ``output, h, c``.
        go_backwards: walk from the last step to the first; the outputs are in the order walked.
        stateful: the state is an input and an output of the graph, so that it goes on from one run to the next; see
            `RNN.states`. The batch size must be known.
        unroll: kept; steps of a known time are unrolled whatever its value, and True refuses `rolled` and a time that is not
            known.
        use_cudnn: kept; there are no kernels to choose from.
        zero_output_for_mask: the output of a step that is masked is zero, instead of the last output again.
        time_major: inputs, outputs and masks are ``(time, batch, ...)``; not in Keras 3.
        rolled: trace one step as the body of a loop, where the time is known too, see `unroll.dynamic_rnn`; not in Keras 3.
        name: the layer's scope; ``lstm`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take; the message says which it takes.

    Example:
        >>> layer = layers.LSTM(13, return_state=True)
        >>> output, h, c = layer(unroll.placeholder([None, 7, 28], name="x"))
        >>> output.shape, c.shape
        ((batch, 13), (batch, 13))
        >>> [weight.shape for weight in layer.get_weights()]  # columns of i, f, c and o
        [(28, 52), (13, 52), (52,)]
    """

    TRAINING_ONLY = Cell.TRAINING_ONLY
    SCHEDULING = ("unroll", "use_cudnn")
    input_rank = 3
    cell: LSTMCell
    units: int

    def __init__(
        self,
        units: int,
        activation: Activation | None = "tanh",
        recurrent_activation: Activation | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: bool | str = "auto",
        *,
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        rolled: bool = False,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(**around(self, LSTMCell, locals()))
