"""What Keras's cells share: the contract of states as a list, and weights in two kernels and a bias."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

from unroll import nest
from unroll.cells.rnn_cell import agreed_state, check_state, zero_state
from unroll.initializers import Draw
from unroll.layers.arguments import OLD_ARGUMENTS
from unroll.layers.layer import Layer
from unroll.layers.sublayers import keras_shape, width
from unroll.ops import matmul
from unroll.parameter import Parameter
from unroll.tensor import Tensor

Function: TypeAlias = Callable[[Tensor], Tensor]


class Cell(Layer):
    """Base class of the cells that make up Keras's recurrent layers: a class defines `gates` and `step`.

    Attributes:
        gates: the gates of the kernels' column blocks, left to right.
        note: why the recurrent kernel stands apart in the block table.
        state_names: what the states are called in a graph that streams.
    """

    TRAINING_ONLY = (
        "kernel_regularizer",
        "recurrent_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "recurrent_constraint",
        "bias_constraint",
        "dropout",
        "recurrent_dropout",
        "seed",
        *Layer.TRAINING_ONLY,
    )
    REFUSED: ClassVar[Mapping[str, str]] = {
        **Layer.REFUSED,
        "implementation": OLD_ARGUMENTS["implementation"],
    }
    gates: ClassVar[tuple[str, ...]]
    note: str = ""
    state_names: tuple[str, ...] = ("h",)
    fixed_axes: tuple[int, ...] = (-1,)
    units: int
    use_bias: bool
    activation: Function
    kernel_initializer: Draw
    recurrent_initializer: Draw
    bias_initializer: Draw
    kernel: Parameter
    recurrent_kernel: Parameter
    bias: Parameter | None

    def build(self, input_shape: Any) -> None:
        """Make kernel ``(input, gates * units)``, recurrent_kernel ``(units, gates * units)``, bias ``(gates * units,)``."""
        self.build_kernels(width(input_shape, -1, self.described()), self.units)

    def build_kernels(self, inputs: int, units: int, window: tuple[int, ...] = ()) -> None:
        """Make the weights of a cell, whose kernels have a window before their two axes where it convolves."""
        columns, rows = dict.fromkeys(self.gates, units), ({"x": inputs}, {"h": units})
        shapes = [(*window, size, len(columns) * units) for size in (inputs, units)]
        self.kernel = self.add_weight(shapes[0], self.kernel_initializer, name="kernel", rows=rows[0], columns=columns)
        self.recurrent_kernel = self.add_weight(
            shapes[1],
            self.recurrent_initializer,
            name="recurrent_kernel",
            rows=rows[1],
            columns=columns,
            note=self.note,
        )
        self.bias = self.build_bias(columns) if self.use_bias else None

    def build_bias(self, columns: dict[str, int]) -> Parameter:
        """Make the bias, one element a column, and return it."""
        return self.add_weight(name="bias", columns=columns, initializer=self.bias_initializer)

    def step(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Return the new states; the first is the output too."""
        raise NotImplementedError(f"{type(self).__name__}.step")

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        """Trace one step.

        Args:
            inputs: ``(batch, features)``.
            states: a list of ``(batch, units)``; one state may be given without the list, and is returned so.
            training: False.

        Returns:
            The output and the new states.

        Raises:
            StructureError, ShapeError, DTypeError: the states do not fit.
        """
        listed = nest.is_nested(states)
        what, sizes = f"{self.described()}: the states", nest.flatten(self.state_size)
        given = agreed_state(what, sizes, list(states) if listed else [states], inputs.shape[:1])
        check_state(what, sizes, given, inputs.shape[:1], inputs.dtype)
        new = self.step(inputs, *given)
        return new[0], list(new) if listed else new[0]

    def mixed(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the preactivations of all gates."""
        z = matmul(x, self.kernel) + matmul(h, self.recurrent_kernel)
        return z if self.bias is None else z + self.bias

    @property
    def state_size(self) -> Any:
        """An int, or a list with one entry a state."""
        return self.units

    @property
    def output_size(self) -> Any:
        """The width of the output."""
        return self.units

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Return a list of zeros.

        Args:
            batch_size: an int, or an int64 tensor such as ``unroll.ops.shape(x)[0]``.

        Returns:
            One tensor of zeros a state, ``(batch_size, units)``.
        """
        sizes = dict(zip(self.state_names, nest.flatten(self.state_size), strict=True))
        zeros = zero_state(sizes, batch_size, self.dtype)
        return [zeros[name] for name in self.state_names]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*keras_shape(input_shape)[:-1], self.output_size)
