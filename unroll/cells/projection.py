"""Wrappers that put an affine map before a cell or after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from unroll import nest
from unroll.activations import Activation, get_activation
from unroll.cells.building_blocks import NOT_READ, REUSE, linear, refuse_reuse, refuse_unused
from unroll.cells.contract import inner_step, returned
from unroll.cells.rnn_cell import RNNCell, RNNCellLike, State, batch_of, snake_case
from unroll.cells.wrappers import CellWrapper
from unroll.checks import check_size
from unroll.errors import ArgumentError
from unroll.tensor import Tensor, named


class WeightedWrapper(CellWrapper):
    """A cell around another that has weights of its own, and so a scope, in which the other's scope lies.

    It does not check an input that the cell inside reads, and checks, itself.
    """

    REFUSED: ClassVar[Mapping[str, str]] = {"reuse": REUSE}

    def __init__(self, cell: RNNCellLike, reuse: bool | None = None, name: str | None = None) -> None:
        super().__init__(cell)
        RNNCell.__init__(self, name=name)
        refuse_reuse(reuse, type(self).__name__)

    @property
    def name(self) -> str:
        return self._name or snake_case(type(self).__name__)

    def check_input(self, inputs: Any) -> Tensor | None:
        return None

    def __call__(self, inputs: Any, state: State, scope: str | None = None) -> tuple[Any, State]:
        """Trace one step; see `RNNCell.__call__`."""
        return RNNCell.__call__(self, inputs, state, scope)

    def call_checked(self, inputs: Any, state: State) -> tuple[Any, State]:
        """Trace one step, and return the output and the new state; see `RNNCell.call_checked`."""
        return RNNCell.call_checked(self, inputs, state)


class InputProjectionWrapper(WeightedWrapper):
    """The cell over ``activation(x @ kernel + bias)``, as TensorFlow 1's contrib ``InputProjectionWrapper``.

    kernel ``(input, num_proj)``; bias ``(num_proj,)``, zeros at first.

    Args:
        cell: the cell inside, whose input is `num_proj` wide.
        num_proj: the width to project to.
        activation: a name or a function of a tensor; none by default.
        input_size: only None is taken: TensorFlow does not read it.
        reuse: TensorFlow's; only None and False are taken.
        name: the wrapper's scope; ``input_projection_wrapper`` by default.

    Raises:
        ArgumentTypeError, ArgumentError: no cell, `num_proj` is not an int of at least 1, or there is no such activation.
        UnsupportedError: an `input_size`.

    Example:
        >>> cell = unroll.cells.InputProjectionWrapper(unroll.GRUCell(5), num_proj=8)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> cell.weights["kernel"].shape
        (3, 8)
    """

    REFUSED: ClassVar[Mapping[str, str]] = {**WeightedWrapper.REFUSED, "input_size": NOT_READ}

    def __init__(
        self,
        cell: RNNCellLike,
        num_proj: int,
        activation: Activation | None = None,
        input_size: None = None,
        reuse: bool | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(cell, reuse, name)
        self.num_proj = check_size(num_proj, "InputProjectionWrapper: num_proj")
        self.activation = get_activation(activation, "linear", "InputProjectionWrapper")
        refuse_unused(input_size, "InputProjectionWrapper: input_size")

    def check_input(self, inputs: Any) -> Tensor | None:
        return RNNCell.check_input(self, inputs)

    def call(self, inputs: Tensor, state: State) -> tuple[Any, State]:
        (projected,) = linear(self, {"x": inputs}, ("p",), self.num_proj)
        return inner_step(
            self.cell, named(self.activation(projected), "projected"), state, batch_of(inputs), inputs.dtype
        )


class OutputProjectionWrapper(WeightedWrapper):
    """The cell, its output turned into ``activation(output @ kernel + bias)``: TensorFlow 1's ``OutputProjectionWrapper``.

    kernel ``(cell.output_size, output_size)``; bias ``(output_size,)``, zeros at first.

    Args:
        cell: the cell inside, whose output is a vector a row.
        output_size: the width to project to.
        activation: a name or a function of a tensor; none by default.
        reuse: TensorFlow's; only None and False are taken.
        name: the wrapper's scope; ``output_projection_wrapper`` by default.

    Raises:
        ArgumentTypeError, ArgumentError: no cell or one whose output is no vector, `output_size` is not an int of at least
            1, or there is no such activation.

    Example:
        >>> cell = unroll.cells.OutputProjectionWrapper(unroll.GRUCell(5), output_size=2)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> outputs[0].shape, state.shape
        ((batch, 2), (batch, 5))
    """

    def __init__(
        self,
        cell: RNNCellLike,
        output_size: int,
        activation: Activation | None = None,
        reuse: bool | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(cell, reuse, name)
        check_vectors(self.cell.output_size, "OutputProjectionWrapper: the cell's output_size")
        self._output_size = check_size(output_size, "OutputProjectionWrapper: output_size")
        self.activation = get_activation(activation, "linear", "OutputProjectionWrapper")

    @property
    def output_size(self) -> int:
        return self._output_size

    def call(self, inputs: Any, state: State) -> tuple[Tensor, State]:
        output, new_state = returned(self.cell, self.cell(inputs, state))
        (projected,) = linear(self, {"output": output}, ("p",), self._output_size)
        return named(self.activation(projected), "output"), new_state


def check_vectors(size: Any, what: str, nested: bool = False) -> None:
    """Check that a size is an int, or where `nested` a nest of them: no images.

    Raises:
        ArgumentError: it is not.
    """
    if (nest.is_nested(size) and not nested) or not all(isinstance(leaf, int) for leaf in nest.flatten(size)):
        raise ArgumentError(f"{what} is {size!r}; vectors are wanted, {'a nest of ints' if nested else 'an int'}")
