"""The drivers over a list of steps: TensorFlow 1's ``static_rnn``, and with a state that lives between runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from unroll import nest, scopes
from unroll.arguments import check_methods, checked
from unroll.cells.contract import as_cell
from unroll.cells.rnn_cell import RNNCellLike, State, TensorShape, batch_of, dims_of
from unroll.checks import check_size, check_text, shown
from unroll.drivers.steps import Steps, listed_steps
from unroll.drivers.structure_checks import checked_steps, main_input
from unroll.drivers.valid_rows import Valid, lengths_over
from unroll.drivers.walk import walk
from unroll.errors import ArgumentError, ArgumentTypeError, NameNotFoundError
from unroll.garbage_collection import collector_paused
from unroll.tensor import Placeholder, Tensor, placeholder
from unroll.words import closest


@checked()
def static_rnn(
    cell: RNNCellLike,
    inputs: Sequence[Any],
    initial_state: State = None,
    dtype: npt.DTypeLike | None = None,
    sequence_length: Any = None,
    scope: str | None = None,
    *,
    rolled: bool = False,
) -> tuple[list[Any], State]:
    """Trace `cell` over a list of timestep inputs, as TensorFlow 1's ``static_rnn``.

    Args:
        cell: the cell, called once a step and sharing its weights; of TensorFlow's contract or Keras's.
        inputs: one tensor ``(batch, features)`` a step, or ``(features,)`` without a batch, or a nest of tensors that
            the cell takes; all steps alike.
        initial_state: the state before step 0, a nest as ``cell.state_size``; zeros by default.
        dtype: the dtype of the zero state; that of the inputs by default.
        sequence_length: how many steps each row has: an int32 or int64 tensor ``(batch,)``, or a list of ints. Past its
            end a row's output is zero and its state stays what it was.
        scope: the scope of variables and nodes; ``rnn`` by default.
        rolled: trace one step as the body of a loop over the steps, joined; see `unroll.dynamic_rnn`.

    Returns:
        The list of the cell's outputs, one a step, and the last state.

    Raises:
        ArgumentError: an empty list of inputs, something that is no cell, or a length outside 0 to the number of steps.
        ShapeError, DTypeError: inputs that differ from step to step, or do not fit the cell, the state or the lengths.
        StructureError: a state, given or returned by the cell, that is not built as ``cell.state_size``.

    Example:
        >>> X0 = unroll.placeholder([None, 3], name="X0")
        >>> X1 = unroll.placeholder([None, 3], name="X1")
        >>> (Y0, Y1), state = unroll.static_rnn(unroll.BasicRNNCell(num_units=5), [X0, X1])
        >>> graph = unroll.Graph([X0, X1], [Y0, Y1])
        >>> graph.parameters
        rnn/basic_rnn_cell/kernel (8, 5)
        rnn/basic_rnn_cell/bias (5,)
        >>> graph.name(Y1)
        'rnn/t1/basic_rnn_cell/h'
    """
    cell = as_cell(cell, "static_rnn")
    items = checked_steps(inputs)
    with collector_paused(), scopes.scope(scope or "rnn"):
        steps = listed_steps(items, rolled=rolled)
        valid = row_lengths(sequence_length, items, steps, "static_rnn")
        walked = walk(cell, steps, initial_state, valid=valid, dtype=dtype, what="static_rnn")
        return walked.outputs.listed(), walked.state


def row_lengths(sequence_length: Any, items: Sequence[Any], steps: Steps, what: str) -> Valid | None:
    """Return at which steps each row is valid; None where no lengths are given."""
    if sequence_length is None:
        return None
    return lengths_over(sequence_length, steps, batch_of(main_input(items[0])), what)


@check_methods("state", "save_state")
class StateSaver:
    """Keeps named states between the runs of a graph: each is an input, and its next value is an output.

    Hand it to `static_state_saving_rnn`, then its `states` to the graph: ``Graph(inputs, outputs, states=saver.states)``.

    Args:
        sizes: the size of each state by name: ``{"c": 13, "h": 13}``.
        batch_size: the number of rows; None leaves it open.
        dtype: the dtype of the states.

    Raises:
        ArgumentError: `sizes` is not a dict of at least one size, or a size or `batch_size` is below 1.
        ArgumentTypeError: a size, or `batch_size`, is not an int.
        DTypeError: not a dtype of tensors.

    Example:
        >>> saver = unroll.StateSaver({"h": 13})
        >>> saver.state("h").shape
        (batch, 13)
    """

    def __init__(
        self,
        sizes: Mapping[str, int | TensorShape],
        batch_size: int | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        if not isinstance(sizes, Mapping) or not sizes:
            raise ArgumentError(f"StateSaver: sizes {sizes!r}: a dict such as {{'c': 13, 'h': 13}} is wanted")
        rows = None if batch_size is None else check_size(batch_size, "StateSaver: batch_size")
        dims = {
            name: dims_of(size) if isinstance(size, TensorShape) else (check_size(size, f"StateSaver: {name}"),)
            for name, size in sizes.items()
        }
        self._inputs = {name: placeholder([rows, *size], name, dtype) for name, size in dims.items()}
        self._next: dict[str, Tensor] = {}

    def state(self, name: str) -> Placeholder:
        """Return the placeholder of the state `name`: its value before a run.

        Raises:
            NameNotFoundError: there is no state of that name.
        """
        if not isinstance(name, str) or name not in self._inputs:
            raise NameNotFoundError(f"StateSaver: no state is called {name!r}; {closest(str(name), self._inputs)}")
        return self._inputs[name]

    def save_state(self, name: str, value: Tensor) -> None:
        """Make `value` the next value of the state `name`.

        Raises:
            NameNotFoundError: there is no state of that name.
            ArgumentError: it is saved already.
            ArgumentTypeError: `value` is no tensor.
        """
        if not isinstance(value, Tensor):
            raise ArgumentTypeError(f"StateSaver: {shown(value)} is no tensor; the next value of a state is one")
        if self.state(name).name in self._next:
            raise ArgumentError(f"StateSaver: the state {name!r} is saved already; two RNNs need a state each")
        self._next[name] = value

    @property
    def states(self) -> dict[Placeholder, Tensor]:
        """The next value of each state; states that were never saved stay as they are."""
        return {tensor: self._next.get(name, tensor) for name, tensor in self._inputs.items()}


@checked()
def static_state_saving_rnn(
    cell: RNNCellLike,
    inputs: Sequence[Any],
    state_saver: Any,
    state_name: Any,
    sequence_length: Any = None,
    scope: str | None = None,
    *,
    rolled: bool = False,
) -> tuple[list[Any], State]:
    """Trace `cell` over a list of steps from the state that `state_saver` has, and save the last one there.

    TensorFlow 1's ``static_state_saving_rnn``: a long stream is run chunk by chunk.

    Args:
        cell: as `static_rnn`.
        inputs: as `static_rnn`.
        state_saver: an object with ``state(name)`` and ``save_state(name, value)``, such as `StateSaver`.
        state_name: the name of the state, or a tuple of names, one for each part of ``cell.state_size`` in order.
        sequence_length: as `static_rnn`.
        scope: as `static_rnn`.
        rolled: as `static_rnn`.

    Returns:
        The list of outputs and the last state.

    Raises:
        ArgumentError: not one name for each part of the state; and as `static_rnn`.
        ArgumentTypeError: `state_saver` has no ``state`` or no ``save_state``.

    Example:
        >>> saver = unroll.StateSaver({"h": 5})
        >>> chunk = [unroll.placeholder([None, 3], name=f"x{t}") for t in range(2)]
        >>> outputs, state = unroll.static_state_saving_rnn(unroll.GRUCell(5), chunk, saver, "h")
        >>> graph = unroll.Graph(chunk, outputs, states=saver.states)
        >>> graph.states  # run chunk by chunk with graph.stream()
        {'h': 'h/next'}
    """
    cell = as_cell(cell, "static_state_saving_rnn")
    names = [check_text(name, "static_state_saving_rnn: state_name") for name in nest.flatten(state_name)]
    if len(names) != len(nest.flatten(cell.state_size)) or nest.is_nested(state_name) != nest.is_nested(
        cell.state_size
    ):
        raise ArgumentError(
            f"static_state_saving_rnn: state_name {state_name!r} does not name the parts of the state {cell.state_size}; "
            "give one name for each, in a tuple where the state is one"
        )
    if len(set(names)) < len(names):
        raise ArgumentError(
            f"static_state_saving_rnn: state_name {state_name!r} names one state twice; each part needs its own"
        )
    missing = [part for part in ("state", "save_state") if not callable(getattr(state_saver, part, None))]
    if missing:
        raise ArgumentTypeError(
            f"static_state_saving_rnn: state_saver {state_saver!r} lacks {', '.join(missing)}; give an unroll.StateSaver"
        )
    initial = nest.pack(cell.state_size, [state_saver.state(name) for name in names])
    outputs, state = static_rnn(cell, inputs, initial, sequence_length=sequence_length, scope=scope, rolled=rolled)
    for name, value in zip(names, nest.flatten(state), strict=True):
        state_saver.save_state(name, value)
    return outputs, state
