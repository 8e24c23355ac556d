"""What PyTorch's recurrent modules and cells share: the weights of one layer and direction, and how states are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy.typing as npt

from unroll import nest
from unroll.cells.rnn_cell import LSTMStateTuple, State
from unroll.checks import check_flag, check_size
from unroll.errors import ArgumentError, StructureError
from unroll.nn.module import Module
from unroll.nn.step_cells import NONLINEARITIES, GRUStep, LSTMStep, RNNStep, StepCell
from unroll.tensor import Tensor


class RecurrentModule(Module):
    """A module whose weights are those of step cells.

    Attributes:
        step_class: what one step of a layer computes.
        state_parts: what a state consists of, in PyTorch's order.
    """

    step_class: ClassVar[type[StepCell]]
    state_parts: ClassVar[tuple[str, ...]] = ("h",)
    nonlinearity = "tanh"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        device: Any,
        dtype: npt.DTypeLike | None,
        name: str | None,
    ) -> None:
        super().__init__(name, device, dtype)
        self.input_size = check_size(input_size, f"{self._what}: input_size")
        self.hidden_size = check_size(hidden_size, f"{self._what}: hidden_size")
        self.bias = check_flag(bias, f"{self._what}: bias")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.input_size}, {self.hidden_size}, name={self._called!r})"

    def _step_cell(self, name: str, inputs: int, suffix: str = "", projection: int = 0) -> StepCell:
        """Make the Parameters of one layer and direction, in PyTorch's order, and the cell that computes with them."""
        hidden, output = self.hidden_size, projection or self.hidden_size
        gates = dict.fromkeys(self.step_class.gates, hidden)
        blocks: dict[str, tuple[Mapping[str, int] | None, Mapping[str, int], str]] = {
            "weight_ih": ({"x": inputs}, gates, ""),
            "weight_hh": ({"h": output}, gates, self.step_class.recurrent_note),
        }
        if self.bias:
            blocks |= {"bias_ih": (None, gates, ""), "bias_hh": (None, gates, self.step_class.recurrent_note)}
        if projection:
            blocks["weight_hr"] = ({"m": hidden}, {"h": projection}, "")
        made = {
            part: self._uniform(f"{part}{suffix}", hidden, rows, columns, note, suffix.removeprefix("_"))
            for part, (rows, columns, note) in blocks.items()
        }
        return self.step_class(name, made, self.nonlinearity)

    def _state(self, hx: Any) -> State:
        """Return a state given as PyTorch has it, ``h`` or ``(h, c)``, as the step cells have it."""
        if self.state_parts == ("h",):
            if nest.is_nested(hx):
                raise StructureError(f"{self._what}: hx is {nest.sketch(hx)}; one tensor is wanted")
            return hx
        if isinstance(hx, LSTMStateTuple):  # of other order, but it says which is which
            return hx
        if not isinstance(hx, (tuple, list)) or len(hx) != 2 or any(map(nest.is_nested, hx)):
            raise StructureError(f"{self._what}: hx is {nest.sketch(hx)}; a tuple (h, c) of two tensors is wanted")
        return LSTMStateTuple(c=hx[1], h=hx[0])

    def _torch_state(self, tensors: Sequence[Tensor]) -> Any:
        """Return the parts of a state, in PyTorch's order, as PyTorch returns them."""
        return tensors[0] if len(tensors) == 1 else tuple(tensors)


def parts_of(state: State) -> list[Tensor]:
    """Return the parts of a step cell's state in PyTorch's order, h first."""
    return [state.h, state.c] if isinstance(state, LSTMStateTuple) else [state]


class RNNKind(RecurrentModule):
    """Modules of the plain recurrence, which alone has a choice of `nonlinearity`."""

    step_class = RNNStep

    def _set_nonlinearity(self, nonlinearity: str) -> None:
        if nonlinearity not in NONLINEARITIES:
            raise ArgumentError(
                f"{type(self).__name__}: nonlinearity {nonlinearity!r}; PyTorch has {' and '.join(map(repr, NONLINEARITIES))}"
            )
        self.nonlinearity = nonlinearity


class LSTMKind(RecurrentModule):
    """Modules of the long short-term memory, whose state is ``(h, c)``."""

    step_class = LSTMStep
    state_parts = ("h", "c")


class GRUKind(RecurrentModule):
    """Modules of the gated recurrent unit that resets after the product."""

    step_class = GRUStep
