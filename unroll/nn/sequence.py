"""What PyTorch's modules over whole sequences share: layers, directions, and the axes of inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy.typing as npt

from unroll import nest, ops, scopes
from unroll.cells.rnn_cell import State, agreed_state, check_state
from unroll.checks import check_flag, check_size, plain, shown
from unroll.dimensions import Shape
from unroll.drivers.steps import steps_of
from unroll.drivers.valid_rows import lengths_over
from unroll.drivers.walk import walk
from unroll.errors import ArgumentError, ShapeError, warn
from unroll.garbage_collection import collector_paused
from unroll.nn.direction_weights import RecurrentModule, parts_of
from unroll.tensor import Tensor, named


class SequenceModule(RecurrentModule):
    """A module over a whole sequence; its subclasses say which.

    Raises:
        ArgumentError: a size below 1, `proj_size` not smaller than `hidden_size`, or `dropout` outside 0 to 1.
        ArgumentTypeError: a size is not an int, or a flag not a bool.
        DTypeError: `dtype` is not a floating one.
        UnsupportedError: another device than the CPU.
    """

    TRAINING_ONLY: ClassVar[tuple[str, ...]] = ("dropout",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        device: Any,
        dtype: npt.DTypeLike | None,
        name: str | None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype, name)
        self.num_layers = check_size(num_layers, f"{self._what}: num_layers")
        self.batch_first = check_flag(batch_first, f"{self._what}: batch_first")
        self.bidirectional = check_flag(bidirectional, f"{self._what}: bidirectional")
        self.dropout = self._checked_dropout(dropout)
        self.proj_size = check_size(proj_size, f"{self._what}: proj_size", least=0)
        if self.proj_size >= self.hidden_size:
            raise ArgumentError(f"{self._what}: proj_size {proj_size} must be smaller than hidden_size {hidden_size}")
        directions = ("", "_reverse") if self.bidirectional else ("",)
        width = self.proj_size or self.hidden_size
        self._layers = [
            [
                self._step_cell(
                    f"l{layer}{direction}",
                    width * len(directions) if layer else self.input_size,
                    f"_l{layer}{direction}",
                    self.proj_size,
                )
                for direction in directions
            ]
            for layer in range(self.num_layers)
        ]

    def _checked_dropout(self, dropout: float) -> float:
        share = plain(dropout)
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise ArgumentError(f"{self._what}: dropout {shown(dropout)}: a number from 0 to 1 is wanted")
        if share and self.num_layers == 1:
            warn(
                f"{self._what}: dropout={dropout} acts between layers, and num_layers is 1: it has nothing to act on",
            )
        return float(share)

    def __call__(
        self, input: Tensor, hx: Any = None, *, lengths: Any = None, rolled: bool = False
    ) -> tuple[Tensor, Any]:
        """Trace the module over a sequence.

        Args:
            input: ``(time, batch, input_size)``, ``(batch, time, input_size)`` if `batch_first`, or ``(time, input_size)``
                without a batch.
            hx: the first states, ``(layers * directions, batch, size)``, without a batch ``(layers * directions, size)``;
                an LSTM's as a tuple ``(h_0, c_0)``. The directions of a layer follow one another. Zeros by default.
            lengths: how many steps of each row count: an int32 or int64 tensor or a list of ints ``(batch,)``, in any
                order (a scalar without a batch). As PyTorch's `pack_padded_sequence` with ``enforce_sorted=False`` before
                the module and `pad_packed_sequence` with the whole time as ``total_length`` after it: outputs past a
                row's end are zero, its last states are those at its end, and the backward direction starts there. A
                length of 0, which PyTorch refuses, leaves a row's states as they were.
            rolled: trace one step as the body of a loop, as is done where the time is not known; see `unroll.dynamic_rnn`.

        Returns:
            The last layer's outputs, with the directions side by side: as `input` but for the last axis. And the last
            states, as `hx`.

        Raises:
            ShapeError, DTypeError, ArgumentTypeError: the input, a state or the lengths do not fit.
            StructureError: `hx` is not as the module's state.
            ArgumentError: a length below 0 or beyond the time.
        """
        rolled = check_flag(rolled, f"{self._what}: rolled")
        self._check_input(input, self.input_size)
        if input.rank not in (2, 3):
            wanted = "(batch, time, features)" if self.batch_first else "(time, batch, features)"
            raise ShapeError(f"{self._what}: the input {input.described()} must be {wanted} or (time, features)")
        batched = input.rank == 3
        axis = 1 if self.batch_first and batched else 0
        batch = (input.shape[1 - axis],) if batched else ()
        with collector_paused(), scopes.bearing(self._bearer):
            steps = steps_of(input, axis, self._what, batched=batched, rolled=rolled)
            valid = None if lengths is None else lengths_over(lengths, steps, batch, self._what, "lengths")
            first = self._first_states(hx, batch)
            last: list[State] = []
            for layer, cells in enumerate(self._layers):
                sides: list[Any] = []
                for cell in cells:
                    walked = walk(cell, steps, first[len(last)], valid=valid, backward=cell is not cells[0])
                    sides.append(walked.outputs)
                    last.append(walked.state)
                steps = sides[0] if len(sides) == 1 else sides[0].beside(sides[1], _side_by_side(f"l{layer}_both"))
            output = named(steps.joined(axis), "output")
            return output, self._last_states(last)

    def _first_states(self, hx: Any, batch: Shape) -> Sequence[State]:
        """Return the state of each layer and direction before its first step; None for zeros."""
        count = sum(map(len, self._layers))
        if hx is None:
            return [None] * count
        given = self._state(hx)
        size = self._layers[0][0].state_size
        given = agreed_state(f"{self._what}: hx", size, given, (count, *batch))
        check_state(f"{self._what}: hx", size, given, (count, *batch), self.dtype)
        with scopes.beside_steps("hx"):
            cut = [ops.unstack(part, 0) for part in nest.flatten(given)]
        return [nest.pack(given, list(parts)) for parts in zip(*cut, strict=True)]

    def _last_states(self, last: Sequence[State]) -> Any:
        columns = zip(*map(parts_of, last), strict=True)
        return self._torch_state(
            [
                named(ops.stack(list(column), 0), f"{name}_n")
                for name, column in zip(self.state_parts, columns, strict=True)
            ]
        )


def _side_by_side(hint: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Return what joins the outputs of both directions."""
    return lambda forward, backward: named(ops.concat([forward, backward], axis=-1), hint)
