"""Cells around cells that have no weights of their own: TensorFlow 1's ``ResidualWrapper`` and its kin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy.typing as npt

from unroll import nest
from unroll.cells.contract import as_cell, inner_step, returned
from unroll.cells.rnn_cell import RNNCell, RNNCellLike, State, batch_of, initial_state
from unroll.checks import check_number
from unroll.dimensions import Limit
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError, UnsupportedError
from unroll.ops.arithmetic import Div
from unroll.ops.operator import apply_one
from unroll.tensor import Placeholder, Tensor, named


class CellWrapper(RNNCell):
    """A cell that hands everything on to another, under the other's scope: variables are named as without it.

    Args:
        cell: the cell inside, of TensorFlow's contract or Keras's.
    """

    def __init__(self, cell: RNNCellLike) -> None:
        super().__init__()
        self.cell = as_cell(cell, type(self).__name__)

    @property
    def name(self) -> str:
        return str(getattr(self.cell, "name", type(self.cell).__name__))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.cell!r})"

    @property
    def wrapped_cell(self) -> RNNCellLike:
        """The cell inside, by TensorFlow's name."""
        return self.cell

    @property
    def state_size(self) -> Any:
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        return self.cell.output_size

    def zero_state(self, batch_size: int | Tensor | None, dtype: npt.DTypeLike = "float32") -> State:
        return initial_state(self.cell, batch_size, dtype)

    def __call__(self, inputs: Any, state: State, scope: str | None = None) -> tuple[Any, State]:
        """Trace one step of the cell inside; see `RNNCell.__call__`."""
        result = self.cell(inputs, state) if scope is None else self.cell(inputs, state, scope)  # type: ignore[call-arg]
        return self._handed_on(inputs, returned(self.cell, result))

    def call_checked(self, inputs: Any, state: State) -> tuple[Any, State]:
        """Trace one step of the cell inside, and return the output and the new state; see `RNNCell.call_checked`."""
        return self._handed_on(inputs, inner_step(self.cell, inputs, state, batch_of(inputs), inputs.dtype))

    def _handed_on(self, inputs: Any, result: tuple[Any, State]) -> tuple[Any, State]:
        """Return what the wrapper makes of what the cell inside returned for `inputs`."""
        return result


class ResidualWrapper(CellWrapper):
    """Adds a cell's input to its output: Wu et al. 2016 (arXiv:1609.08144), as TensorFlow 1's ``ResidualWrapper``.

    Args:
        cell: the cell inside.
        residual_fn: ``(inputs, outputs) -> outputs``; by default their sum, which needs equal shapes.

    Raises:
        ArgumentTypeError: `residual_fn` is not a function.
        ShapeError: when called, input and output differ in shape and `residual_fn` is not given.
        StructureError: when called, they are not built alike, likewise.

    Example:
        >>> cell = unroll.cells.ResidualWrapper(unroll.GRUCell(3))  # as wide as the input, which is added to the output
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> outputs, state = unroll.static_rnn(cell, [x])
        >>> outputs[0].node.op.name
        'Add'
    """

    def __init__(self, cell: RNNCellLike, residual_fn: Callable[[Any, Any], Any] | None = None) -> None:
        super().__init__(cell)
        if residual_fn is not None and not callable(residual_fn):
            raise ArgumentTypeError(
                f"ResidualWrapper: residual_fn {residual_fn!r} is not a function of inputs and outputs"
            )
        self.residual_fn = residual_fn

    def _handed_on(self, inputs: Any, result: tuple[Any, State]) -> tuple[Any, State]:
        outputs, new_state = result
        if self.residual_fn is not None:
            return self.residual_fn(inputs, outputs), new_state
        nest.check_same_structure(inputs, outputs, "ResidualWrapper: the output of the cell")
        return nest.map_leaves(self._sum, inputs, outputs), new_state

    def _sum(self, x: Tensor, y: Tensor) -> Tensor:
        if x.shape != y.shape:
            raise ShapeError(
                f"ResidualWrapper: the input {x.described()} and the output {y.described()} must have one shape; give the "
                f"cell {self.name!r} as many units as the input has features, or pass residual_fn"
            )
        return named(x + y, "residual")


class DropoutWrapper(CellWrapper):
    """Drops inputs, outputs and states of a cell in training (Gal and Ghahramani 2015, arXiv:1512.05287).

    TensorFlow 1's ``DropoutWrapper``. Dropout acts in training only, and a traced graph infers: all arguments are kept on
    the object, none changes the graph but a placeholder.

    Args:
        cell: the cell inside.
        input_keep_prob: the probability of keeping an element of the input, above 0 and up to 1; a tensor where programs
            feed it: a placeholder must be fed as 1 then.
        output_keep_prob: likewise of the output.
        state_keep_prob: likewise of the state.
        variational_recurrent: one choice for all steps.
        input_size: the size of the input, which `variational_recurrent` needs in TensorFlow.
        dtype: the dtype of the cell's tensors, likewise.
        seed: of the choice.
        dropout_state_filter_visitor: which parts of the state are dropped.

    Raises:
        ArgumentError: a probability outside 0 to 1, or `variational_recurrent` without `dtype`.

    Example:
        >>> cell = unroll.cells.DropoutWrapper(unroll.GRUCell(5), output_keep_prob=0.5)
        >>> x = unroll.placeholder([None, 3], name="x")
        >>> outputs, state = unroll.static_rnn(cell, [x])
        >>> {"Dropout", "Mul"} & {outputs[0].node.op.name}  # nothing is dropped, and nothing scaled
        set()
    """

    TRAINING_ONLY: ClassVar[tuple[str, ...]] = (
        "input_keep_prob",
        "output_keep_prob",
        "state_keep_prob",
        "variational_recurrent",
        "input_size",
        "dtype",
        "seed",
        "dropout_state_filter_visitor",
    )

    def __init__(
        self,
        cell: RNNCellLike,
        input_keep_prob: float | Tensor = 1.0,
        output_keep_prob: float | Tensor = 1.0,
        state_keep_prob: float | Tensor = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: npt.DTypeLike | None = None,
        seed: int | None = None,
        dropout_state_filter_visitor: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(cell)
        self.input_keep_prob = _probability(input_keep_prob, "input_keep_prob")
        self.output_keep_prob = _probability(output_keep_prob, "output_keep_prob")
        self.state_keep_prob = _probability(state_keep_prob, "state_keep_prob")
        if variational_recurrent and dtype is None:
            raise ArgumentError("DropoutWrapper: variational_recurrent=True needs dtype, as in TensorFlow")
        self.variational_recurrent = variational_recurrent
        self.input_size = input_size
        self.dtype = dtype
        self.seed = seed
        self.dropout_state_filter_visitor = dropout_state_filter_visitor

    def __call__(self, inputs: Any, state: State, scope: str | None = None) -> tuple[Any, State]:
        """Trace one step of the cell inside; see `RNNCell.__call__`."""
        return super().__call__(dropped(inputs, self.input_keep_prob), state, scope)

    def call_checked(self, inputs: Any, state: State) -> tuple[Any, State]:
        """Trace one step of the cell inside, and return the output and the new state; see `RNNCell.call_checked`."""
        return super().call_checked(dropped(inputs, self.input_keep_prob), state)

    def _handed_on(self, inputs: Any, result: tuple[Any, State]) -> tuple[Any, State]:
        return dropped(result[0], self.output_keep_prob), dropped(result[1], self.state_keep_prob)


class DeviceWrapper(CellWrapper):
    """Says where a cell is computed: TensorFlow 1's ``DeviceWrapper``. Here, that is for the runtime to say.

    Args:
        cell: the cell inside.
        device: a device of TensorFlow's naming; only a CPU is taken.

    Raises:
        UnsupportedError: another device.

    Example:
        >>> cell = unroll.cells.DeviceWrapper(unroll.GRUCell(5), "/cpu:0")
        >>> cell.output_size
        5
    """

    REFUSED: ClassVar[Mapping[str, str]] = {"device": "only a CPU is taken: the runtime says where a graph is computed"}

    def __init__(self, cell: RNNCellLike, device: str) -> None:
        super().__init__(cell)
        if "cpu" not in str(device).lower():
            raise UnsupportedError(
                f"DeviceWrapper: device {device!r}: a graph does not say where it is computed, the runtime does; leave the "
                "wrapper out"
            )
        self.device = device


def _probability(value: float | Tensor, what: str) -> float | Tensor:
    if isinstance(value, Tensor):
        return value
    found = check_number(value, f"DropoutWrapper: {what}")
    if not 0 < found <= 1:
        raise ArgumentError(f"DropoutWrapper: {what} is {value}; a number above 0 and up to 1 is wanted")
    return found


def dropped(value: Any, keep_prob: Any) -> Any:
    """Return what dropout does to a nest of tensors here: nothing. A probability that is fed must be fed as 1, to predict."""
    if not isinstance(keep_prob, Placeholder):
        return value
    limits = [Limit(keep_prob.name, 1, 1, "dropout acts in training only")]
    return nest.map_leaves(lambda x: apply_one(Div(), x, keep_prob, requirements=limits), value)
