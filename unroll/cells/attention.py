"""A wrapper that lets a cell attend to its own last outputs."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unroll import nest, scopes
from unroll.cells.building_blocks import linear
from unroll.cells.contract import inner_step
from unroll.cells.projection import WeightedWrapper, check_vectors
from unroll.cells.rnn_cell import RNNCell, RNNCellLike, State, batch_of, zero_state
from unroll.checks import check_size
from unroll.errors import ArgumentError
from unroll.ops import concat, reduce_sum, reshape, softmax, split, squeeze, tanh, unsqueeze
from unroll.tensor import Tensor, named


class AttentionCellWrapper(WeightedWrapper):
    """A cell that attends to its last outputs: Cheng et al. 2016 (arXiv:1601.06733), TensorFlow 1's contrib wrapper.

    ``x' = [x, attns] @ kernel + bias``; ``output, state' = cell(x', state)``. With the last `attn_length` outputs as
    ``past``, ``y = [state'] @ attention/kernel + attention/bias`` and
    ``a = softmax(sum(attn_v * tanh(past @ attn_w + y)))``, ``attns' = sum(a * past)``; and
    ``output' = [output, attns'] @ attn_output_projection/kernel + attn_output_projection/bias``, which takes the place of
    the oldest of past. attention/attn_w ``(1, 1, attn_size, attn_vec_size)``, attention/attn_v ``(attn_vec_size,)``. The
    state is ``(state, attns, past)``, past flattened to ``(batch, attn_length * attn_size)``.

    Args:
        cell: the cell inside.
        attn_length: how many outputs it attends to.
        attn_size: how wide attns and the output are; ``cell.output_size`` by default.
        attn_vec_size: how wide the layer is in which past and state meet; `attn_size` by default.
        input_size: how wide the cell's input is; by default as wide as the wrapper's.
        state_is_tuple: if False, the state is one tensor, its three parts joined on the last axis.
        reuse: TensorFlow's; only None and False are taken.
        name: the wrapper's scope; ``attention_cell_wrapper`` by default.

    Raises:
        ArgumentTypeError, ArgumentError: no cell, one whose state or output is not vectors, or whose state is a nest with
            ``state_is_tuple=False``; a size that is not an int of at least 1.

    Example:
        >>> cell = unroll.cells.AttentionCellWrapper(unroll.GRUCell(5), attn_length=4)
        >>> cell.state_size  # the cell's, attns, and 4 outputs of 5
        (5, 5, 20)
    """

    def __init__(
        self,
        cell: RNNCellLike,
        attn_length: int,
        attn_size: int | None = None,
        attn_vec_size: int | None = None,
        input_size: int | None = None,
        state_is_tuple: bool = True,
        reuse: bool | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(cell, reuse, name)
        what, inner = "AttentionCellWrapper", self.cell
        check_vectors(inner.state_size, f"{what}: the cell's state_size", nested=True)
        check_vectors(inner.output_size, f"{what}: the cell's output_size")
        if nest.is_nested(inner.state_size) and not state_is_tuple:
            raise ArgumentError(f"{what}: state_is_tuple=False needs a cell whose state is one tensor")
        self.attn_length = check_size(attn_length, f"{what}: attn_length")
        self.attn_size = check_size(inner.output_size if attn_size is None else attn_size, f"{what}: attn_size")
        vectors = self.attn_size if attn_vec_size is None else attn_vec_size
        self.attn_vec_size = check_size(vectors, f"{what}: attn_vec_size")
        self.input_size = None if input_size is None else check_size(input_size, f"{what}: input_size")
        self.state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        sizes = (self.cell.state_size, self.attn_size, self.attn_size * self.attn_length)
        return sizes if self.state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> int:
        return self.attn_size

    def check_input(self, inputs: Any) -> Tensor | None:
        return RNNCell.check_input(self, inputs)

    def zero_state(self, batch_size: int | Tensor | None, dtype: npt.DTypeLike = "float32") -> State:
        inner, own = super().zero_state(batch_size, dtype), (self.attn_size, self.attn_size * self.attn_length)
        parts = (inner, *zero_state(own, batch_size, dtype))
        return parts if self.state_is_tuple else named(concat(parts, axis=-1), "state")

    def call(self, inputs: Tensor, state: Any) -> tuple[Tensor, Any]:
        size, kept = self.attn_size, self.attn_size * (self.attn_length - 1)
        inner, attns, past = (
            state if self.state_is_tuple else split(state, [self.cell.state_size, size, kept + size], -1)
        )
        (x,) = linear(self, {"x": inputs, "attns": attns}, ("x",), self.input_size or int(inputs.shape[-1]))
        output, new_inner = inner_step(self.cell, x, inner, batch_of(inputs), inputs.dtype)
        with scopes.in_gate("attention"):
            attns = named(_attended(self, new_inner, past), "attns")
        sources = {"output": output, "attns": attns}
        (output,) = linear(self, sources, ("output",), size, "attn_output_projection")
        named(output, "output")
        younger = [split(past, [size, kept], axis=-1)[1]] if kept else []
        past = concat([*younger, output], axis=-1) if younger else output
        parts = (new_inner, attns, past)
        return output, parts if self.state_is_tuple else named(concat(parts, axis=-1), "state")


def _attended(cell: AttentionCellWrapper, state: State, past: Tensor) -> Tensor:
    """Return what the state attends to in the past, ``(batch, attn_size)``."""
    size, depth, dtype = cell.attn_size, cell.attn_vec_size, past.dtype
    w = cell.add_weight("attention/attn_w", (1, 1, size, depth), dtype=dtype)
    v = cell.add_weight("attention/attn_v", (depth,), dtype=dtype)
    sources = {path or "state": part for path, part in nest.flatten_with_paths(state)}
    (y,) = linear(cell, sources, ("y",), depth, "attention")
    apart = reshape(past, [0] * (past.rank - 1) + [cell.attn_length, size])
    mixed = tanh(apart @ squeeze(w, [0, 1]) + unsqueeze(y, [-2]))
    share = softmax(reduce_sum(v * mixed, [-1]), axis=-1)
    return reduce_sum(unsqueeze(share, [-1]) * apart, [-2])
