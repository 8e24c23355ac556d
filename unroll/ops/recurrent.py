"""ONNX's recurrent operators: a whole sequence in one node.

Shapes, with ``dirs`` 2 where `direction` is ``bidirectional`` and 1 elsewhere, and ``gates`` 1, 3 or 4: X ``(time, batch,
input)``; W ``(dirs, gates * hidden, input)``; R ``(dirs, gates * hidden, hidden)``; B ``(dirs, 2 * gates * hidden)``, the bias
of the inputs before that of the state; sequence_lens ``(batch,)`` int32; initial_h and initial_c ``(dirs, batch, hidden)``;
P ``(dirs, 3 * hidden)``. Outputs: Y ``(time, dirs, batch, hidden)``; Y_h and Y_c ``(dirs, batch, hidden)``.

Past a row's length Y is zero, and Y_h and Y_c are those at its end; the reverse direction starts there. ONNX does not
define the last states of a row of length 0: they are zero here, as in onnxruntime. These are the shapes of layout 0; for
those of layout 1 see `unroll.ops.recurrent_loop.Recurrent`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unroll.dtypes import FLOATS, Array
from unroll.errors import ArgumentTypeError
from unroll.ops.operator import Signature, apply, flag_attribute
from unroll.ops.recurrent_loop import Function, Recurrent
from unroll.tensor import Tensor, TensorLike
from unroll.words import closest

__all__ = ["GRU", "LSTM", "RNN", "Recurrent", "gru", "lstm", "rnn"]


class RNN(Recurrent):
    """``h' = f(x @ W.T + h @ R.T + Wb + Rb)``, by default with tanh."""

    signature = Signature("X: T, W: T, R: T, B: T?, sequence_lens: int32?, initial_h: T? -> Y: T, Y_h: T", T=FLOATS)
    gates = 1
    default_activations = ("Tanh",)

    def evaluate(
        self,
        x: Array,
        w: Array,
        r: Array,
        b: Array | None = None,
        sequence_lens: Array | None = None,
        initial_h: Array | None = None,
    ) -> list[Array]:
        steps = []
        for way, (f,) in enumerate(self.functions()):
            wx, rh, wb, rb = self.weights(w, r, b, way)
            steps.append(lambda x_t, h, f=f, wx=wx, rh=rh, bias=wb + rb: [f(self.clipped(x_t @ wx + h @ rh + bias))])
        return self.walk(x, sequence_lens, [initial_h], steps)


@dataclass(frozen=True, repr=False)
class GRU(Recurrent):
    """``z, r = f(x @ W.T + h @ R.T + Wb + Rb)``, ``h' = (1 - z) * n + z * h``, by default with sigmoid and tanh.

    ``n = g(x @ W.T + (r * h) @ R.T + Rb + Wb)``, or with `linear_before_reset` ``g(x @ W.T + r * (h @ R.T + Rb) + Wb)``. The
    gates' order is z, r, n (ONNX calls the last one h).
    """

    signature = RNN.signature
    gates = 3
    default_activations = ("Sigmoid", "Tanh")
    linear_before_reset: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        flag_attribute(self, "linear_before_reset")

    def elementwise(self, given: Sequence[bool]) -> int:
        reset = 1 + (given[3] and self.linear_before_reset)  # a bias of its own before the reset gate
        return super().elementwise(given) + reset + 4

    def evaluate(
        self,
        x: Array,
        w: Array,
        r: Array,
        b: Array | None = None,
        sequence_lens: Array | None = None,
        initial_h: Array | None = None,
    ) -> list[Array]:
        steps = [self._step(f, g, *self.weights(w, r, b, way)) for way, (f, g) in enumerate(self.functions())]
        return self.walk(x, sequence_lens, [initial_h], steps)

    def _step(
        self, f: Function, g: Function, of_x: Array, of_h: Array, b_x: Array, b_h: Array
    ) -> Callable[[Array, Array], list[Array]]:
        last, cut = 2 * self.hidden_size, self.clipped  # where the columns of n begin

        def step(x: Array, h: Array) -> list[Array]:
            x_z, x_r, x_n = self.parted(x @ of_x + b_x)
            if self.linear_before_reset:
                h_z, h_r, h_n = self.parted(h @ of_h + b_h)
                z, reset = f(cut(x_z + h_z)), f(cut(x_r + h_r))
                n = g(cut(x_n + reset * h_n))
            else:
                h_z, h_r = self.parted(h @ of_h[:, :last] + b_h[:last])
                z, reset = f(cut(x_z + h_z)), f(cut(x_r + h_r))
                n = g(cut(x_n + (reset * h) @ of_h[:, last:] + b_h[last:]))
            return [((1 - z) * n + z * h).astype(x.dtype)]

        return step


@dataclass(frozen=True, repr=False)
class LSTM(Recurrent):
    """``c' = f * c + i * n``, ``h' = o * h_(c')``, by default with sigmoid, tanh and tanh as f, g and h_.

    ``i = f(x @ W.T + h @ R.T + P_i * c + Wb + Rb)``, f likewise, ``n = g(x @ W.T + h @ R.T + Wb + Rb)``, and
    ``o = f(x @ W.T + h @ R.T + P_o * c' + Wb + Rb)``. The gates' order is i, o, f, n (ONNX calls the last one c), that of the
    peepholes i, o, f. With `input_forget` the gates i and f are coupled: ``f = 1 - i``.
    """

    signature = Signature(
        "X: T, W: T, R: T, B: T?, sequence_lens: int32?, initial_h: T?, initial_c: T?, P: T? -> Y: T, Y_h: T, Y_c: T",
        T=FLOATS,
    )
    gates = 4
    default_activations = ("Sigmoid", "Tanh", "Tanh")
    input_forget: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        flag_attribute(self, "input_forget")

    def elementwise(self, given: Sequence[bool]) -> int:
        peepholes = 6 if given[7] else 0
        return super().elementwise(given) + peepholes + 5

    def evaluate(
        self,
        x: Array,
        w: Array,
        r: Array,
        b: Array | None = None,
        sequence_lens: Array | None = None,
        initial_h: Array | None = None,
        initial_c: Array | None = None,
        p: Array | None = None,
    ) -> list[Array]:
        steps = []
        for way, functions in enumerate(self.functions()):
            steps.append(self._step(functions, None if p is None else p[way], *self.weights(w, r, b, way)))
        return self.walk(x, sequence_lens, [initial_h, initial_c], steps)

    def _step(
        self, functions: list[Function], p: Array | None, of_x: Array, of_h: Array, b_x: Array, b_h: Array
    ) -> Callable[[Array, Array, Array], list[Array]]:
        f, g, out = functions
        p_i, p_o, p_f = (None, None, None) if p is None else np.split(p, 3)

        def seen(gate: Array, peephole: Array | None, c: Array) -> Array:
            return self.clipped(gate if peephole is None else gate + peephole * c)

        def step(x: Array, h: Array, c: Array) -> list[Array]:
            i, o, forget, n = self.parted(x @ of_x + h @ of_h + b_x + b_h)
            enters = f(seen(i, p_i, c))
            stays = 1 - enters if self.input_forget else f(seen(forget, p_f, c))
            new = stays * c + enters * g(self.clipped(n))
            return [(f(seen(o, p_o, new)) * out(new)).astype(x.dtype), new.astype(x.dtype)]

        return step


def _operator(kind: type[Recurrent], attributes: Mapping[str, Any]) -> Recurrent:
    """Return an operator of these attributes.

    Raises:
        ArgumentTypeError: one that the operator does not have, or ``hidden_size`` is missing.
    """
    known = list(kind.__dataclass_fields__)
    unknown = next((name for name in attributes if name not in known), None)
    if unknown is not None:
        raise ArgumentTypeError(f"{kind.name} has no attribute {unknown!r}; {closest(unknown, known)}")
    if "hidden_size" not in attributes:
        raise ArgumentTypeError(
            f"{kind.name}: hidden_size is missing; give the number of units, hidden_size=r.shape[-1]"
        )
    return kind(**attributes)


def rnn(
    x: TensorLike,
    w: TensorLike,
    r: TensorLike,
    b: TensorLike | None = None,
    sequence_lens: TensorLike | None = None,
    initial_h: TensorLike | None = None,
    **attributes: Any,
) -> tuple[Tensor, Tensor]:
    """ONNX's RNN; see this module for the shapes and `RNN` for the attributes.

    Args:
        x: X; floats.
        w: W, of the dtype of X, as all but the lengths.
        r: R.
        b: B; zeros where left out.
        sequence_lens: int32; all steps of every row where left out.
        initial_h: zeros where left out.
        attributes: those of `RNN`, by name; ``hidden_size`` must be given.

    Returns:
        Y ``(time, dirs, batch, hidden)`` and Y_h ``(dirs, batch, hidden)``.

    Raises:
        ArgumentError: no such direction, or not as many activations as the directions need.
        DTypeError: not floats, or dtypes that differ.
        ShapeError: the shapes do not fit.
        UnsupportedError: an activation that ONNX does not have.

    Example:
        >>> x = unroll.placeholder([7, 2, 28], name="x")
        >>> w, r = np.zeros((1, 13, 28)), np.zeros((1, 13, 13))
        >>> y, y_h = ops.rnn(x, w, r, hidden_size=13)
        >>> y.shape, y_h.shape
        ((7, 1, 2, 13), (1, 2, 13))
    """
    y, y_h = apply(_operator(RNN, attributes), x, w, r, b, sequence_lens, initial_h)
    return y, y_h


def gru(
    x: TensorLike,
    w: TensorLike,
    r: TensorLike,
    b: TensorLike | None = None,
    sequence_lens: TensorLike | None = None,
    initial_h: TensorLike | None = None,
    **attributes: Any,
) -> tuple[Tensor, Tensor]:
    """ONNX's GRU; see this module for the shapes and `GRU` for the attributes.

    Args:
        x: X; floats.
        w: W, of the dtype of X, as all but the lengths.
        r: R.
        b: B; zeros where left out.
        sequence_lens: int32; all steps of every row where left out.
        initial_h: zeros where left out.
        attributes: those of `GRU`, by name; ``hidden_size`` must be given.

    Returns:
        Y ``(time, dirs, batch, hidden)`` and Y_h ``(dirs, batch, hidden)``.

    Raises:
        ArgumentError: no such direction, or not as many activations as the directions need.
        DTypeError: not floats, or dtypes that differ.
        ShapeError: the shapes do not fit.
        UnsupportedError: an activation that ONNX does not have.

    Example:
        >>> x = unroll.placeholder([7, 2, 28], name="x")
        >>> w, r = np.zeros((1, 39, 28)), np.zeros((1, 39, 13))  # rows of z, r and n
        >>> y, y_h = ops.gru(x, w, r, hidden_size=13)
        >>> y.shape, y_h.shape
        ((7, 1, 2, 13), (1, 2, 13))
    """
    y, y_h = apply(_operator(GRU, attributes), x, w, r, b, sequence_lens, initial_h)
    return y, y_h


def lstm(
    x: TensorLike,
    w: TensorLike,
    r: TensorLike,
    b: TensorLike | None = None,
    sequence_lens: TensorLike | None = None,
    initial_h: TensorLike | None = None,
    initial_c: TensorLike | None = None,
    p: TensorLike | None = None,
    **attributes: Any,
) -> tuple[Tensor, Tensor, Tensor]:
    """ONNX's LSTM; see this module for the shapes and `LSTM` for the attributes.

    Args:
        x: X; floats.
        w: W, of the dtype of X, as all but the lengths.
        r: R.
        b: B; zeros where left out.
        sequence_lens: int32; all steps of every row where left out.
        initial_h: zeros where left out.
        initial_c: zeros where left out.
        p: P, the peepholes; none where left out.
        attributes: those of `LSTM`, by name; ``hidden_size`` must be given.

    Returns:
        Y ``(time, dirs, batch, hidden)``, Y_h and Y_c ``(dirs, batch, hidden)``.

    Raises:
        ArgumentError: no such direction, or not as many activations as the directions need.
        DTypeError: not floats, or dtypes that differ.
        ShapeError: the shapes do not fit.
        UnsupportedError: an activation that ONNX does not have.

    Example:
        >>> x = unroll.placeholder([7, 2, 28], name="x")
        >>> w, r = np.zeros((1, 52, 28)), np.zeros((1, 52, 13))  # rows of i, o, f and n
        >>> y, y_h, y_c = ops.lstm(x, w, r, hidden_size=13)
        >>> y.shape, y_h.shape
        ((7, 1, 2, 13), (1, 2, 13))
    """
    y, y_h, y_c = apply(_operator(LSTM, attributes), x, w, r, b, sequence_lens, initial_h, initial_c, p)
    return y, y_h, y_c
