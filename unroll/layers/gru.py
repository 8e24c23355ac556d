"""The gated recurrent unit."""

from __future__ import annotations

import numpy.typing as npt

from unroll.activations import Activation
from unroll.cells.step_formulas import gru_step
from unroll.initializers import InitializerLike
from unroll.layers.arguments import Constraint, Regularizer, keep
from unroll.layers.cell import Cell, Function
from unroll.layers.rnn import RNN, around
from unroll.ops import matmul, split
from unroll.parameter import Parameter
from unroll.tensor import Tensor


class GRUCell(Cell):
    """One step of `GRU`; the state is ``[h]``. The arguments are those of `GRU`.

    Example:
        >>> layer = layers.RNN(layers.GRUCell(13))
        >>> layer(unroll.placeholder([None, 7, 28], name="x")).shape
        (batch, 13)
    """

    gates = ("z", "r", "h")
    recurrent_activation: Function
    reset_after: bool

    def __init__(
        self,
        units: int,
        activation: Activation | None = "tanh",
        recurrent_activation: Activation | None = "sigmoid",
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
        reset_after: bool = True,
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
    def note(self) -> str:  # type: ignore[override]
        """Why the recurrent kernel is not one block with the kernel."""
        order = "after" if self.reset_after else "before"
        return f"the reset gate acts {order} the product of h with block h"

    def build_bias(self, columns: dict[str, int]) -> Parameter:
        rows = {"x bias": 1, "h bias": 1} if self.reset_after else None
        return self.add_weight(name="bias", rows=rows, columns=columns, initializer=self.bias_initializer)

    def step(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        (h,) = states
        gates = {"activation": self.activation, "recurrent_activation": self.recurrent_activation}
        of_x, of_h = self._biased(matmul(x, self.kernel), 0), self.recurrent_kernel
        x_z, x_r, x_h = split(of_x, 3, axis=-1)
        if self.reset_after:
            h_z, h_r, h_h = split(self._biased(matmul(h, of_h), 1), 3, axis=-1)
            return (gru_step(x_z + h_z, x_r + h_r, x_h, lambda r: r * h_h, h, candidate="h", **gates),)
        h_z, h_r = split(matmul(h, of_h[:, : 2 * self.units]), 2, axis=-1)
        candidate = of_h[:, 2 * self.units :]
        return (gru_step(x_z + h_z, x_r + h_r, x_h, lambda r: matmul(r * h, candidate), h, candidate="h", **gates),)

    def _biased(self, product: Tensor, row: int) -> Tensor:
        """Add the bias: with reset_after there are two, of x and of h."""
        if self.bias is None:
            return product
        return product + (self.bias[row] if self.reset_after else self.bias)


class GRU(RNN):
    """The gated recurrent unit, Cho et al. 2014 (arXiv:1406.1078), as Keras 3's layer.

    ``z, r = recurrent_activation(x @ kernel + h @ recurrent_kernel + bias)`` of their columns;
    ``h~ = activation(x @ kernel + r * (h @ recurrent_kernel + bias_h) + bias_x)`` with `reset_after`, else
    ``activation(x @ kernel + (r * h) @ recurrent_kernel + bias)``; ``h' = z * h + (1 - z) * h~``.

    Inputs ``(batch, time, features)``; the output is that of the last step, ``(batch, units)``, or ``(batch, time, units)``.
    Weights: kernel ``(features, 3 * units)``, recurrent_kernel ``(units, 3 * units)``, bias ``(2, 3 * units)``, its rows of x
    and of h, or ``(3 * units,)`` without `reset_after`; columns z, r, h.

    Args:
        units: the width of the state and the output.
        activation: of the candidate; a name of `unroll.activations`, a function of a tensor, or None for none.
        recurrent_activation: of the gates z and r.
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
        reset_after: the reset gate acts after the product with the recurrent kernel, not before it.
        use_cudnn: kept; there are no kernels to choose from.
        zero_output_for_mask: the output of a step that is masked is zero, instead of the last output again.
        time_major: inputs, outputs and masks are ``(time, batch, ...)``; not in Keras 3.
        rolled: trace one step as the body of a loop, where the time is known too, see `unroll.dynamic_rnn`; not in Keras 3.
        name: the layer's scope; ``gru`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Raises:
        ArgumentError, ArgumentTypeError: an argument has a value that it does not take; the message says which it takes.

    Example:
        >>> layer = layers.GRU(13, return_sequences=True)
        >>> layer(unroll.placeholder([None, 7, 28], name="x")).shape
        (batch, 7, 13)
        >>> [weight.shape for weight in layer.get_weights()]  # columns of z, r and h
        [(28, 39), (13, 39), (2, 39)]
    """

    TRAINING_ONLY = Cell.TRAINING_ONLY
    SCHEDULING = ("unroll", "use_cudnn")
    input_rank = 3
    cell: GRUCell
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
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        *,
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        rolled: bool = False,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(**around(self, GRUCell, locals()))
