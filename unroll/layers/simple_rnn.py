"""The fully connected recurrent network."""

from __future__ import annotations

import numpy.typing as npt

from unroll.activations import Activation
from unroll.initializers import InitializerLike
from unroll.layers.arguments import Constraint, Regularizer, keep
from unroll.layers.cell import Cell
from unroll.layers.rnn import RNN, around
from unroll.tensor import Tensor, named


class SimpleRNNCell(Cell):
    """One step of `SimpleRNN`: ``h' = activation(x @ kernel + h @ recurrent_kernel + bias)``; Elman 1990.

    kernel ``(input, units)``, recurrent_kernel ``(units, units)``, bias ``(units,)``. The arguments are those of
    `SimpleRNN`.

    Example:
        >>> layer = layers.RNN(layers.SimpleRNNCell(13))
        >>> layer(unroll.placeholder([None, 7, 28], name="x")).shape
        (batch, 13)
    """

    gates = ("h",)

    def __init__(
        self,
        units: int,
        activation: Activation | None = "tanh",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
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

    def step(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        (h,) = states
        return (named(self.activation(self.mixed(x, h)), "h"),)


class SimpleRNN(RNN):
    """The fully connected recurrent network, ``h' = activation(x @ kernel + h @ recurrent_kernel + bias)``; Elman 1990.

    Keras 3's layer. Inputs ``(batch, time, features)``; the output is that of the last step, ``(batch, units)``, or
    ``(batch, time, units)``. Weights: kernel ``(features, units)``, recurrent_kernel ``(units, units)``, bias ``(units,)``.

    Args:
        units: the width of the state and the output.
        activation: a name of `unroll.activations`, a function of a tensor, or None for none.
        use_bias: add the bias.
        kernel_initializer: draws the kernel; a name, an object of `unroll.initializers`, an array, or a function of
            (shape, dtype).
        recurrent_initializer: draws the recurrent kernel.
        bias_initializer: draws the bias.
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
        return_state: return the last state as well: ``output, h``.
        go_backwards: walk from the last step to the first; the outputs are in the order walked.
        stateful: the state is an input and an output of the graph, so that it goes on from one run to the next; see
            `RNN.states`. The batch size must be known.
        unroll: kept; steps of a known time are unrolled whatever its value, and True refuses `rolled` and a time that is not
            known.
        zero_output_for_mask: the output of a step that is masked is zero, instead of the last output again.
        time_major: inputs, outputs and masks are ``(time, batch, ...)``; not in Keras 3.
        rolled: trace one step as the body of a loop, where the time is known too, see `unroll.dynamic_rnn`; not in Keras 3.
        name: the layer's scope; ``simple_rnn`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take; the message says which it takes.

    Example:
        >>> layer = layers.SimpleRNN(13)
        >>> layer(unroll.placeholder([None, 7, 28], name="x")).shape
        (batch, 13)
        >>> [weight.shape for weight in layer.get_weights()]
        [(28, 13), (13, 13), (13,)]
    """

    TRAINING_ONLY = Cell.TRAINING_ONLY
    input_rank = 3
    cell: SimpleRNNCell
    units: int

    def __init__(
        self,
        units: int,
        activation: Activation | None = "tanh",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        *,
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        rolled: bool = False,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(**around(self, SimpleRNNCell, locals()))
