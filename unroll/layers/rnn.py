"""The layer that walks a cell over time; every recurrent layer is this one around its cell."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import numpy.typing as npt

from unroll import nest, scopes
from unroll.cells.contract import as_cell
from unroll.cells.rnn_cell import TensorShape, dims_of
from unroll.checks import check_size
from unroll.dimensions import Dim, Dimension
from unroll.drivers.steps import RolledSteps, steps_of
from unroll.drivers.valid_rows import Past, mask_over
from unroll.drivers.walk import Walked, walk
from unroll.dtypes import DType
from unroll.errors import ArgumentError, ShapeError, StructureError, UnsupportedError
from unroll.layers.arguments import Regularizer, keep
from unroll.layers.cell import Cell
from unroll.layers.input_checks import check_floats, check_steps
from unroll.layers.layer import Layer
from unroll.layers.stacked import StackedRNNCells, state_names
from unroll.layers.sublayers import KerasShape, described_shape, keras_shape
from unroll.tensor import Placeholder, Tensor, constant


class RNN(Layer):
    """A cell over a sequence: Keras 3's ``RNN``; unrolled where the time is a number, and else a loop of any length from 1 on.

    Inputs ``(batch, time, ...)``. The call takes `initial_state`, a list of tensors as the cell's
    states, and `mask`, bool ``(batch, time)``, true where a step counts; at other steps the state stays as it was.

    Args:
        cell: a cell, or a list of cells to stack: those of `unroll.layers`, of TensorFlow's contract, or your own: a `Layer`
            with `state_size` and ``call(inputs, states) -> (output, new_states)``.
        return_sequences: return the output of every step, ``(batch, time, ...)``, instead of the last, ``(batch, ...)``.
        return_state: return the last states as well: ``output, *states``.
        go_backwards: walk from the last step to the first; the outputs are in the order walked.
        stateful: the state is an input and an output of the graph, so that it goes on from one run to the next; see
            `states`. The batch size must be known.
        unroll: kept; steps of a known time are unrolled whatever its value, and True refuses `rolled` and a time that is not
            known.
        zero_output_for_mask: the output of a step that is masked is zero, instead of the last output again.
        activity_regularizer: kept; it acts in training only.
        time_major: inputs, outputs and masks are ``(time, batch, ...)``; not in Keras 3.
        rolled: trace one step as the body of a loop, where the time is known too, see `unroll.dynamic_rnn`; not in Keras 3.
        name: the layer's scope; ``rnn`` by default.
        dtype: of the weights, to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.

    Attributes:
        states: of a stateful layer, each state's placeholder with the tensor that is its next value, as the last call made
            them: ``unroll.Graph(inputs, outputs, states=layer.states)``. Empty otherwise.

    Raises:
        ArgumentError: `cell` is no cell, and the message names what it lacks; or both `unroll` and `rolled` are asked for.

    Example:
        >>> layer = layers.RNN([layers.LSTMCell(13), layers.GRUCell(5)])
        >>> layer(unroll.placeholder([None, 7, 28], name="x")).shape
        (batch, 5)
    """

    SCHEDULING: ClassVar[tuple[str, ...]] = ("unroll",)
    REFUSED = Cell.REFUSED
    supports_masking = True
    input_rank: int | None = None
    cell: Any
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    unroll: bool
    zero_output_for_mask: bool
    time_major: bool
    rolled: bool

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        *,
        activity_regularizer: Regularizer = None,
        time_major: bool = False,
        rolled: bool = False,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        keep(self, locals())
        if self.unroll and self.rolled:
            raise ArgumentError(
                f"{type(self).__name__}: unroll=True and rolled=True ask for every step and for a loop; leave one out"
            )
        self.cell = StackedRNNCells(cell) if isinstance(cell, (list, tuple)) else cell
        self._contract = as_cell(self.cell, type(self).__name__)
        self.states: dict[Placeholder, Tensor] = {}

    @property
    def state_size(self) -> list[Any]:
        """The cell's state sizes, as a list."""
        size = self._contract.state_size
        return list(size) if nest.is_nested(size) else [size]

    _of_calls = ("states", *Layer._of_calls)

    def _entered(self) -> AbstractContextManager[None]:
        return scopes.bearing(self._bearer)

    def _check(self, inputs: Any) -> None:
        check_floats(inputs, self.described())
        node = inputs.node
        self._check_rank(inputs.rank, inputs.described(), node is not None and node.origin.step is not None)

    def _check_rank(self, rank: int, seen: str, below: bool | None = None) -> None:
        """Check the rank of an input, of which it may be known whether it is the last step of a layer below."""
        if rank < 3 or self.input_rank not in (None, rank):
            axes = "time, batch" if self.time_major else "batch, time"
            rest = "features" if self.input_rank in (None, 3) else "..."
            wanted = f"({axes}, {rest})" + (f" of rank {self.input_rank}" if self.input_rank else "")
            fix = _missing_axis(rest, below) if rank == (self.input_rank or 3) - 1 else ""
            raise ShapeError(f"{self.described()}: the input {seen} must be {wanted}{fix}")

    def build(self, input_shape: Any) -> None:
        """Build the cell."""
        self._check_rank(len(input_shape), described_shape(input_shape))
        self._build_part(self.cell, self.step_shape(input_shape))
        for size in nest.flatten(self._contract.state_size):
            if not isinstance(size, TensorShape):
                check_size(size, f"{self.described()}: the state_size of {self.cell!r}")

    def step_shape(self, input_shape: KerasShape) -> KerasShape:
        """Return the shape of one step of an input."""
        batch = input_shape[1 if self.time_major else 0]
        return (batch, *input_shape[2:])

    def call(self, inputs: Tensor, initial_state: Any = None, mask: Any = None) -> Any:
        """Trace the cell over the steps.

        Args:
            inputs: ``(batch, time, ...)``.
            initial_state: a list of tensors, as the cell's states; zeros by default.
            mask: bool ``(batch, time)``, true where a step counts; by default the one that the input carries.

        Returns:
            The output, or the output and the states.
        """
        walked = self.walk(inputs, initial_state, mask)
        if self.return_sequences:
            outputs = walked.outputs.reversed() if self.go_backwards else walked.outputs
            output = outputs.joined(self._axis)
        else:
            output = walked.last
        return (output, *self.listed(walked.state)) if self.return_state else output

    def walk(self, inputs: Tensor, initial_state: Any, mask: Any) -> Walked:
        """Return what a walk over the steps makes; the outputs are in their order, whichever way they were walked.

        Raises:
            UnsupportedError: ``unroll=True`` over a time that is not known.
        """
        check_steps(inputs, self._axis, self.rolled, self.described())
        steps = steps_of(inputs, self._axis, self.described(), rolled=self.rolled)
        if self.unroll and isinstance(steps, RolledSteps):
            raise UnsupportedError(
                f"{self.described()}: unroll=True: {inputs.described()} has time {steps.time} on axis {self._axis}, which only "
                "a run knows: there are no steps to unroll. Say how many, as in layers.Input((28, 5)), or leave unroll out"
            )
        batch = inputs.shape[1 - self._axis]
        valid = None if mask is None else mask_over(mask, steps, (batch,), self._axis, self.described())
        state = self._first_state(initial_state, batch, inputs.dtype)
        past: Past = "zero" if self.zero_output_for_mask else "previous"
        walked = walk(
            self._contract, steps, state, valid=valid, past=past, backward=self.go_backwards, what=self.described()
        )
        if self.stateful:
            self.states = dict(zip(nest.flatten(state), nest.flatten(walked.state), strict=True))
        return walked

    def listed(self, state: Any) -> list[Any]:
        """Return a state as Keras returns it: a list, in a stack of cells one list a cell."""
        states = list(state) if nest.is_nested(state) else [state]
        stacked = isinstance(self.cell, StackedRNNCells)
        return [part if nest.is_nested(part) or not stacked else [part] for part in states]

    @property
    def _axis(self) -> int:
        return 0 if self.time_major else 1

    def _first_state(self, given: Any, batch: Dim, dtype: DType) -> Any:
        """Return the state before the first step; None for the cell's own."""
        size = self._contract.state_size
        if self.stateful:
            if given is not None:
                raise UnsupportedError(
                    f"{self.described()}: initial_state does not go with stateful=True: the state is fed with every run. Give "
                    "the first one to the stream, or make the layer without stateful"
                )
            return nest.pack(size, self._fed_states(batch, dtype))
        if given is None:
            return None
        leaves, places = nest.flatten(given), len(nest.flatten(size))
        if len(leaves) != places:
            raise StructureError(
                f"{self.described()}: initial_state holds {len(leaves)} tensors, and the cell has {places} states: "
                + ", ".join(state_names(self.cell))
            )
        return nest.pack(size, [leaf if isinstance(leaf, Tensor) else constant(leaf, dtype) for leaf in leaves])

    def _fed_states(self, batch: Dim, dtype: DType) -> list[Placeholder]:
        if isinstance(batch, Dimension):
            raise ShapeError(
                f"{self.described()}: stateful=True needs a known batch size, and the input has {batch}; make the placeholder "
                "with one, or give Input a batch_size"
            )
        now = scopes.current()
        sizes = nest.flatten(self._contract.state_size)
        return [
            Placeholder((batch, *dims_of(size)), dtype, scopes.join(now.variables, name), now.bearers)
            for size, name in zip(sizes, state_names(self.cell), strict=True)
        ]

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        kept = mask if self.return_sequences else None
        return [kept] if self.return_state else kept

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, and those of the states where they are returned.

        Raises:
            ArgumentTypeError: `input_shape` is no shape.
            ShapeError: it has no time axis.
        """
        shape = keras_shape(input_shape)
        if len(shape) < 2:
            raise ShapeError(
                f"{self.described()}: the input shape {shape} lacks a time axis; (batch, time, ...) is wanted"
            )
        batch = shape[1 if self.time_major else 0]
        output = (batch, *self.output_dims(shape))
        if self.return_sequences:
            output = (shape[0], shape[1], *output[1:])
        if not self.return_state:
            return output
        return (output, *(nest.map_leaves(lambda size: (batch, *dims_of(size)), part) for part in self.state_size))

    def output_dims(self, input_shape: KerasShape) -> tuple[int, ...]:
        """Return the axes of an output beyond the batch, for an input of this shape."""
        return dims_of(self._contract.output_size)


def _missing_axis(rest: str, below: bool | None) -> str:
    """Say how an input of one axis too few comes to have a time: by the layer below, by itself, or by either."""
    sequences = "make the recurrent layer below it with return_sequences=True"
    declared = f"the time axis is missing: declare it, as in layers.Input((28, {rest})) or placeholder([None, 28, {rest}], 'x')"
    if below is None:
        return f"; {declared}; or {sequences}"
    return f"; {sequences if below else declared}"


def around(layer: RNN, cell_class: type[Layer], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `RNN` for a layer whose constructor takes those of its cell too.

    Args:
        layer: the layer under construction; it keeps all arguments as attributes, as Keras's layers do.
        cell_class: the class of its cell.
        given: the constructor's ``locals()``.
    """
    keep(layer, given)
    own = inspect.signature(RNN.__init__).parameters
    inner = [name for name in inspect.signature(cell_class.__init__).parameters if name in given and name not in own]
    kept = {name: getattr(layer, name) for name in inner}
    cell = cell_class(**kept, dtype=given["dtype"], trainable=given["trainable"])
    return {"cell": cell, **{name: value for name, value in given.items() if name in own and name != "self"}}
