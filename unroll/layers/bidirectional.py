"""A recurrent layer from both ends of a sequence."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy.typing as npt

from unroll import nest, ops
from unroll.checks import shown
from unroll.drivers.walk import Walked
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError, StructureError, UnsupportedError
from unroll.layers.arguments import Regularizer, check_call, keep
from unroll.layers.layer import Layer
from unroll.layers.rnn import RNN
from unroll.layers.sublayers import name_parts, weights_of
from unroll.tensor import Placeholder, Tensor, named
from unroll.weights import WeightOwner

_MERGES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": lambda forward, backward: ops.concat([forward, backward], axis=-1),
    "sum": lambda forward, backward: forward + backward,
    "mul": lambda forward, backward: forward * backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
}


class Bidirectional(Layer):
    """Two copies of a recurrent layer, one from each end: Schuster and Paliwal 1997, as Keras 3's ``Bidirectional``.

    The outputs are merged step by step, the backward layer's in reverse. The call takes `initial_state`, the forward
    layer's states and then the backward layer's, and `mask`. With sequences, the outputs of masked steps are zero.

    Args:
        layer: an `RNN` layer, such as ``LSTM(3)``; it is copied with its arguments, and its weights are not used. The copies
            are called ``forward_<name>`` and ``backward_<name>``.
        merge_mode: ``"concat"`` on the last axis, ``"sum"``, ``"mul"``, ``"ave"``, or None: both outputs, forward first.
        weights: first values, as `set_weights` takes them: the forward layer's, then the backward layer's.
        backward_layer: the layer that walks backward, in place of a copy; used as it is. Of the two, one has `go_backwards`.
        name: the layer's scope; ``bidirectional`` by default.
        dtype: to which inputs are cast; that of the inputs by default.
        trainable: kept; it acts in training only.
        activity_regularizer: kept; it acts in training only.

    Raises:
        ArgumentTypeError: `layer` or `backward_layer` is no recurrent layer.
        ArgumentError: the two layers walk the same way, or differ in what they return; or there is no such merge.
        UnsupportedError: the layer goes around a cell of TensorFlow's that has weights already.

    Example:
        >>> x = unroll.placeholder([None, 7, 28], name="x")
        >>> layers.Bidirectional(layers.LSTM(13))(x).shape  # both directions side by side
        (batch, 26)
        >>> layers.Bidirectional(layers.LSTM(13, return_sequences=True), merge_mode="sum")(x).shape
        (batch, 7, 13)
    """

    supports_masking = True
    merge_mode: Literal["concat", "sum", "mul", "ave"] | None

    def __init__(
        self,
        layer: RNN,
        merge_mode: Literal["concat", "sum", "mul", "ave"] | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: RNN | None = None,
        *,
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        trainable: bool = True,
        activity_regularizer: Regularizer = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable, activity_regularizer=activity_regularizer)
        for what, given in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(given, RNN) and not (what == "backward_layer" and given is None):
                raise ArgumentTypeError(
                    f"Bidirectional: {what} {given!r} is no recurrent layer; give an RNN layer, such as layers.LSTM(3)"
                )
        keep(self, {"merge_mode": merge_mode})
        plain = layer._called.removeprefix("forward_").removeprefix("backward_")
        self.forward_layer: RNN = fresh(layer, name=f"forward_{plain}")
        self.backward_layer: RNN = backward_layer or fresh(layer, name=f"backward_{plain}", go_backwards=True)
        if backward_layer is not None:
            name_parts([layer, backward_layer], "Bidirectional")
        self._check_pair()
        for part in (self.forward_layer, self.backward_layer):
            part.zero_output_for_mask = part.return_sequences  # as in Keras, whatever the layer's own setting
        if weights is not None and not isinstance(weights, (list, tuple)):
            raise ArgumentTypeError(f"Bidirectional: weights is {shown(weights)}; a list of arrays is wanted")
        self._first_weights = None if weights is None else list(weights)

    def _check_pair(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ArgumentError(
                f"Bidirectional: both layers have go_backwards={forward.go_backwards}; one is to walk forward and one backward"
            )
        for name in ("stateful", "return_sequences", "return_state", "time_major", "rolled"):
            pair = getattr(forward, name), getattr(backward, name)
            if pair[0] != pair[1]:
                raise ArgumentError(
                    f"Bidirectional: the layers differ in {name}: {pair[0]} forward and {pair[1]} backward; make them alike"
                )

    @property
    def stateful(self) -> bool:
        """Whether the two layers are."""
        return self.forward_layer.stateful

    @property
    def return_sequences(self) -> bool:
        """Whether the two layers do."""
        return self.forward_layer.return_sequences

    @property
    def return_state(self) -> bool:
        """Whether the two layers do."""
        return self.forward_layer.return_state

    @property
    def states(self) -> dict[Placeholder, Tensor]:
        """Of stateful layers, each state's placeholder with its next value; see `RNN.states`."""
        return {**self.forward_layer.states, **self.backward_layer.states}

    def build(self, input_shape: Any) -> None:
        """Build both layers."""
        self._build_part(self.forward_layer, input_shape)
        self._build_part(self.backward_layer, input_shape)
        if self._first_weights is not None:
            self.built = True
            self.set_weights(self._first_weights)

    def call(self, inputs: Tensor, initial_state: Any = None, mask: Any = None) -> Any:
        """Trace both layers over the steps.

        Args:
            inputs: ``(batch, time, ...)``.
            initial_state: a list: the forward layer's states, then the backward layer's; zeros by default.
            mask: bool ``(batch, time)``, true where a step counts; by default the one that the input carries.

        Returns:
            The merged output (or both); with `return_state`, the forward and then the backward layer's states too.

        Raises:
            StructureError: `initial_state` does not divide into two halves.
        """
        halves = self._halves(initial_state)
        walks: list[Walked] = []
        states: list[Any] = []
        for part, state in zip((self.forward_layer, self.backward_layer), halves, strict=True):
            ready = part._ready(inputs)
            with part._entered():
                walks.append(part.walk(ready, state, mask))
            states += part.listed(walks[-1].state)
        output = self._sequences(*walks) if self.return_sequences else self._last_outputs(*walks)
        if not self.return_state:
            return output
        return (*output, *states) if self.merge_mode is None else (output, *states)

    def _halves(self, initial_state: Any) -> tuple[Any, Any]:
        if initial_state is None:
            return None, None
        listed = list(initial_state) if nest.is_nested(initial_state) else [initial_state]
        wanted = len(self.forward_layer.state_size) + len(self.backward_layer.state_size)
        if len(listed) != wanted:
            raise StructureError(
                f"{self.described()}: initial_state holds {len(listed)} states; {wanted} are wanted, the forward "
                "layer's and then the backward layer's"
            )
        half = len(self.forward_layer.state_size)
        return listed[:half], listed[half:]

    def _last_outputs(self, forward: Walked, backward: Walked) -> Any:
        if self.merge_mode is None:
            return forward.last, backward.last
        return named(self._merge(forward.last, backward.last)(forward.last, backward.last), "output")

    def _sequences(self, forward: Walked, backward: Walked) -> Any:
        axis = 0 if self.forward_layer.time_major else 1
        # In the order walked; and Keras reverses the second layer's outputs, whichever way it walked.
        first = forward.outputs.reversed() if self.forward_layer.go_backwards else forward.outputs
        second = backward.outputs if self.backward_layer.go_backwards else backward.outputs.reversed()
        if self.merge_mode is None:
            return first.joined(axis), second.joined(axis)
        merge = self._merge(forward.last, backward.last)
        return first.beside(second, lambda left, right: named(merge(left, right), "output")).joined(axis)

    def _merge(self, forward: Tensor, backward: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
        """Return how outputs of these widths are merged."""
        merge = _MERGES[str(self.merge_mode)]
        widths = forward.shape[-1], backward.shape[-1]
        if self.merge_mode != "concat" and widths[0] != widths[1]:
            raise ShapeError(
                f"{self.described()}: merge_mode {self.merge_mode!r} is element by element, and the outputs are "
                f"{widths[0]} and {widths[1]} wide; make the layers alike, or use 'concat' or None"
            )
        return merge

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        kept = mask if self.return_sequences else None
        return [kept] * (2 if self.merge_mode is None else 1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        found = self.forward_layer.compute_output_shape(input_shape)
        output, states = (found[0], found[1:]) if self.return_state else (found, ())
        if self.merge_mode == "concat":
            other = self.backward_layer.compute_output_shape(input_shape)
            other = other[0] if self.return_state else other
            output = (*output[:-1], output[-1] + other[-1])
        if self.merge_mode is None:
            return (output, output, *states, *states)
        return (output, *states, *states) if self.return_state else output


def fresh(layer: Layer, **changes: Any) -> Any:
    """Return a new layer made with the arguments of `layer`, save for the changes; it shares no weights with it."""
    args, kwargs = layer._given
    bound = check_call(type(layer), args, {**kwargs, **changes})
    return type(layer)(*map(_fresh, bound.args[1:]), **{name: _fresh(value) for name, value in bound.kwargs.items()})


def _fresh(value: Any) -> Any:
    if isinstance(value, Layer):
        return fresh(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(_fresh, value))
    if not hasattr(value, "state_size"):
        return value
    if isinstance(value, WeightOwner) and weights_of(value):
        raise UnsupportedError(
            f"Bidirectional: the cell {value!r} has weights already, and the copy for each direction is to have its own; give "
            "a cell that was not called yet, or the second direction as backward_layer="
        )
    return copy.deepcopy(value)
