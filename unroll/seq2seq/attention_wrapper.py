"""A cell that attends to a memory, as decoders do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy.typing as npt

from unroll import ops
from unroll.cells.building_blocks import linear
from unroll.cells.contract import as_cell, inner_step
from unroll.cells.rnn_cell import RNNCell, RNNCellLike, State, TensorShape, batch_of, initial_state, zero_state
from unroll.checks import check_flag, check_function, check_size, shown
from unroll.errors import ArgumentTypeError, UnsupportedError
from unroll.ops.given_sizes import sizes_of
from unroll.seq2seq.attention import AttentionMechanism
from unroll.tensor import Tensor, named

_HISTORY = "is not kept: the state of each step holds its alignments; stack those"


class AttentionWrapperState(NamedTuple):
    """The state of an `AttentionWrapper`.

    Attributes:
        cell_state: that of the cell inside.
        attention: what was attended to last, ``(batch, attention_size)``.
        alignments: the share that each step of the memory had in it, ``(batch, steps)``.

    Example:
        >>> state = unroll.seq2seq.AttentionWrapperState(1, 2, 3)
        >>> state.clone(cell_state=0)
        AttentionWrapperState(cell_state=0, attention=2, alignments=3)
    """

    cell_state: Any
    attention: Any
    alignments: Any

    def clone(self, **given: Any) -> AttentionWrapperState:
        """Return the state with other parts."""
        return self._replace(**given)


class AttentionWrapper(RNNCell):
    """A cell that reads its input beside what it attended to last, and attends by its output: TensorFlow 1's contrib wrapper.

    ``output, cell_state = cell([x, attention])``; ``context = alignments @ memory`` with the alignments of ``output``; and
    ``attention = [output, context] @ attention_layer/kernel``, or the context itself without such a layer.

    Args:
        cell: the cell inside.
        attention_mechanism: a `BahdanauAttention` or `LuongAttention`.
        attention_layer_size: the width of attention; without it, attention is the context.
        alignment_history: refused: each state holds the alignments of its step.
        cell_input_fn: ``(inputs, attention) -> input of the cell``; by default the two side by side.
        output_attention: the output is the attention; else that of the cell.
        initial_cell_state: the first state of the cell, in place of its own.
        name: the wrapper's scope; ``attention_wrapper`` by default.
        attention_layer: a function of output and context side by side, in place of a layer of `attention_layer_size`.

    Raises:
        ArgumentTypeError: the mechanism is none, or a function is no function.
        ArgumentError: no cell, or a size that is not an int of at least 1.
        UnsupportedError: a history of alignments is asked for.

    Example:
        >>> memory = unroll.placeholder([None, 7, 4], name="memory")
        >>> attention = unroll.seq2seq.LuongAttention(5, memory)
        >>> cell = unroll.seq2seq.AttentionWrapper(unroll.GRUCell(5), attention, attention_layer_size=6)
        >>> outputs, state = unroll.static_rnn(cell, [unroll.placeholder([None, 3], name="x")])
        >>> outputs[0].shape, state.alignments.shape
        ((batch, 6), (batch, 7))
    """

    REFUSED: ClassVar[Mapping[str, str]] = {"alignment_history": _HISTORY}

    def __init__(
        self,
        cell: RNNCellLike,
        attention_mechanism: AttentionMechanism,
        attention_layer_size: int | None = None,
        alignment_history: bool = False,
        cell_input_fn: Callable[[Any, Tensor], Any] | None = None,
        output_attention: bool = True,
        initial_cell_state: State = None,
        name: str | None = None,
        attention_layer: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(name=name)
        self.cell = as_cell(cell, "AttentionWrapper")
        if check_flag(alignment_history, "AttentionWrapper: alignment_history"):
            raise UnsupportedError(f"AttentionWrapper: alignment_history=True {_HISTORY}")
        if not isinstance(attention_mechanism, AttentionMechanism):
            raise ArgumentTypeError(
                f"AttentionWrapper: attention_mechanism is {shown(attention_mechanism)}; one BahdanauAttention or "
                "LuongAttention is wanted"
            )
        for what, function in (("cell_input_fn", cell_input_fn), ("attention_layer", attention_layer)):
            if function is not None:
                check_function(function, f"AttentionWrapper: {what}")
        size = attention_layer_size
        self.attention_layer_size = None if size is None else check_size(size, "AttentionWrapper: attention_layer_size")
        self.attention_mechanism, self.cell_input_fn = attention_mechanism, cell_input_fn
        self.output_attention = check_flag(output_attention, "AttentionWrapper: output_attention")
        self.initial_cell_state, self.attention_layer = initial_cell_state, attention_layer
        widest = size or getattr(attention_layer, "units", None) or attention_mechanism.values.shape[2]
        #: How wide attention is.
        self.attention_size = check_size(widest, "AttentionWrapper: attention_size")

    @property
    def state_size(self) -> AttentionWrapperState:
        steps = TensorShape([self.attention_mechanism.values.shape[1]])
        return AttentionWrapperState(self.cell.state_size, self.attention_size, steps)

    @property
    def output_size(self) -> Any:
        return self.attention_size if self.output_attention else self.cell.output_size

    def zero_state(self, batch_size: int | Tensor | None, dtype: npt.DTypeLike = "float32") -> State:
        """Return the state before the first step: zeros, and the cell's first state where one was given.

        Args:
            batch_size: an int, or an int64 tensor.
            dtype: the dtype of the state.

        Returns:
            An `AttentionWrapperState`.

        Raises:
            ArgumentTypeError: no batch size.
        """
        if batch_size is None:
            raise ArgumentTypeError("AttentionWrapper.zero_state: batch_size is None; that of the memory is wanted")
        first, keys = self.initial_cell_state, self.attention_mechanism.keys
        inner = initial_state(self.cell, batch_size, dtype) if first is None else first
        attention = zero_state(self.attention_size, batch_size, dtype)
        alignments = ops.zeros(sizes_of([ops.shape(attention)[0], ops.shape(keys)[1]]), dtype)
        return AttentionWrapperState(inner, attention, alignments)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Trace one step, and return the output and the new state.

        Raises:
            ArgumentTypeError: what `cell_input_fn` gives is no tensor.
        """
        last, join = state.attention, self.cell_input_fn
        x = ops.concat([inputs, last], -1) if join is None else join(inputs, last)
        if not isinstance(x, Tensor):
            raise ArgumentTypeError(f"AttentionWrapper: cell_input_fn gave {shown(x)}; a tensor is wanted")
        output, inner = inner_step(self.cell, x, state.cell_state, batch_of(x), x.dtype)
        alignments = self.attention_mechanism(output)
        context = ops.matmul(ops.unsqueeze(alignments, [1]), self.attention_mechanism.values)
        attention = named(ops.squeeze(context, [1]), "context")
        if self.attention_layer is not None:
            attention = self.attention_layer(ops.concat([output, attention], 1))
        elif self.attention_layer_size is not None:
            sources = {"output": output, "context": attention}
            (attention,) = linear(
                self, sources, ("attention",), self.attention_layer_size, "attention_layer", bias=False
            )
        new = AttentionWrapperState(inner, attention, alignments)
        return (attention if self.output_attention else output), new
