"""What ONNX's recurrent operators share: the loop over time, its directions, and their activations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from unroll.checks import check_choice, check_number, check_size
from unroll.dimensions import Dim, Shape
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ShapeError, UnsupportedError
from unroll.ops.functions import Elu, HardSigmoid, LeakyRelu, Relu, Sigmoid, Softplus, Softsign, Tanh
from unroll.ops.operator import Operator, Requirements, flag_attribute, listed
from unroll.ops.spread import Spread
from unroll.tensor import Tensor


class Activation(NamedTuple):
    """An activation of ONNX's recurrent operators.

    Attributes:
        function: ``(x, alpha, beta) -> y``.
        parameters: how many of alpha and beta it has.
        defaults: their values where none are given; empty where ONNX does not say.
    """

    function: Callable[[Array, float, float], Array]
    parameters: int = 0
    defaults: tuple[float, ...] = ()


#: The attributes that hold parameters of activations.
_PARAMETERS = ("activation_alpha", "activation_beta")
#: ONNX's activations by name.
ACTIVATIONS: dict[str, Activation] = {
    "Affine": Activation(lambda x, alpha, beta: alpha * x + beta, 2),
    "Elu": Activation(lambda x, alpha, _: Elu(alpha).evaluate(x), 1, (1.0,)),
    "HardSigmoid": Activation(lambda x, alpha, beta: HardSigmoid(alpha, beta).evaluate(x), 2, (0.2, 0.5)),
    "LeakyRelu": Activation(lambda x, alpha, _: LeakyRelu(alpha).evaluate(x), 1, (0.01,)),
    "Relu": Activation(lambda x, *_: Relu().evaluate(x)),
    "ScaledTanh": Activation(lambda x, alpha, beta: np.asarray(alpha * np.tanh(beta * x)), 2),
    "Sigmoid": Activation(lambda x, *_: Sigmoid().evaluate(x)),
    "Softplus": Activation(lambda x, *_: Softplus().evaluate(x)),
    "Softsign": Activation(lambda x, *_: Softsign().evaluate(x)),
    "Tanh": Activation(lambda x, *_: Tanh().evaluate(x)),
    "ThresholdedRelu": Activation(lambda x, alpha, _: np.where(x > alpha, x, x.dtype.type(0)), 1),
}
DIRECTIONS = ("forward", "reverse", "bidirectional")

Function = Callable[[Array], Array]


class Gated(Operator, abstract=True):
    """What tells the three operators apart.

    Attributes:
        gates: how many blocks of `hidden_size` rows W and R have.
        default_activations: those of one direction.
    """

    gates: ClassVar[int]
    default_activations: ClassVar[tuple[str, ...]]


def _in_both_ways(values: tuple[float, ...], takers: Sequence[int]) -> tuple[float, ...]:
    """Return parameters of which each activation finds its own, whether it takes the next one or that of its place.

    Those that are given, where there are none such.
    """
    found: dict[int, float] = {}
    for taken, at in enumerate(takers):
        for place in (taken, at):
            if taken >= len(values) or found.setdefault(place, values[taken]) != values[taken]:
                return values
    return tuple(found.get(place, values[0]) for place in range(max(found) + 1)) if found else values


@dataclass(frozen=True, repr=False)
class Recurrent(Gated, abstract=True):
    """What the three operators share: a loop over time in one or two directions.

    Args:
        hidden_size: the width of the state.
        direction: one of `DIRECTIONS`.
        activations: names in `ACTIVATIONS`, those of one direction after those of the other; None for the operator's own.
        activation_alpha: the first parameters of those activations that have one, in their order; the rest have defaults.
        activation_beta: the second parameters, likewise.
        clip: what goes into an activation is cut off at this and at its negative; the state of an LSTM is not.
        layout: 1 where the batch comes first: X ``(batch, time, input)``, initial states, Y_h and Y_c ``(batch, dirs,
            hidden)``, and Y ``(batch, time, dirs, hidden)``.

    Raises:
        ArgumentError: there is no such direction, the activations are not as many as the directions need, one lacks a
            parameter for which ONNX has no default, or `clip` is no finite number above 0.
        UnsupportedError: an activation that ONNX does not have.
    """

    hidden_size: int
    direction: str = "forward"
    activations: tuple[str, ...] | None = None
    activation_alpha: tuple[float, ...] | None = None
    activation_beta: tuple[float, ...] | None = None
    clip: float | None = None
    layout: int = 0

    def __post_init__(self) -> None:
        check_size(self.hidden_size, f"{self.name}: hidden_size")
        check_choice(self.direction, DIRECTIONS, f"{self.name}: direction")
        for name in _PARAMETERS:
            given = getattr(self, name)
            if given is not None:
                what = f"{self.name}: {name}"
                numbers = (float(np.float32(check_number(value, what))) for value in listed(given, what))
                object.__setattr__(self, name, tuple(numbers) or None)
        names = () if self.activations is None else tuple(listed(self.activations, f"{self.name}: activations"))
        object.__setattr__(self, "activations", names or None)
        wanted = self.directions * len(self.default_activations)
        if names and len(names) != wanted:
            raise ArgumentError(f"{self.name}: {len(names)} activations; {wanted} are wanted")
        for name in names:
            if not isinstance(name, str) or name not in ACTIVATIONS:
                raise UnsupportedError(f"{self.name}: activation {name!r}; there are {', '.join(ACTIVATIONS)}")
        flag_attribute(self, "layout")
        if self.clip is not None:
            clip = check_number(self.clip, f"{self.name}: clip")
            if not 0 < clip < math.inf:
                raise ArgumentError(f"{self.name}: clip={self.clip!r}: a number above 0 is wanted")
            object.__setattr__(self, "clip", float(np.float32(clip)))
        self.functions()

    @property
    def attributes(self) -> dict[str, Any]:
        """ONNX's attributes; those that opset 14 brought, and that couple gates, only where they say something.

        Parameters of activations are repeated where that lets every runtime give each activation its own: see
        `open_meaning`.
        """
        found = super().attributes
        for place, attribute in enumerate(_PARAMETERS):
            if attribute in found:
                found[attribute] = _in_both_ways(found[attribute], self._takers(place))
        return {name: value for name, value in found.items() if value or name not in ("layout", "input_forget")}

    @property
    def open_meaning(self) -> str:
        """What ONNX's text leaves open of this operator, in words; empty where it says all.

        Runtimes take `activation_alpha` in two ways: the next one for each activation that has one, or that of its place
        for each activation.
        """
        names = self.activations or ()
        for place, attribute in enumerate(_PARAMETERS):
            given = dict(enumerate(getattr(self, attribute) or ()))
            for taken, at in enumerate(self._takers(place)):
                default = (ACTIVATIONS[names[at]].defaults or (None, None))[place]
                if given.get(taken, default) != given.get(at, default):
                    return f"{', '.join(names)}: ONNX does not say which of them takes which {attribute}"
        return ""

    def _takers(self, place: int) -> list[int]:
        """Return which activations have a first parameter (0), or a second (1)."""
        return [at for at, name in enumerate(self.activations or ()) if ACTIVATIONS[name].parameters > place]

    @property
    def directions(self) -> int:
        """How many directions there are."""
        return 2 if self.direction == "bidirectional" else 1

    def functions(self) -> list[list[Function]]:
        """Return the activations of each direction as functions of an array."""
        names = self.activations or self.default_activations * self.directions
        given = (iter(self.activation_alpha or ()), iter(self.activation_beta or ()))
        made = [self._function(name, given) for name in names]
        size = len(self.default_activations)
        return [made[start : start + size] for start in range(0, len(made), size)]

    def _function(self, name: str, given: tuple[Iterator[float], Iterator[float]]) -> Function:
        """Return an activation with its parameters, the next ones given."""
        function, count, defaults = ACTIVATIONS[name]
        values = [0.0, 0.0]
        for place in range(count):
            value = next(given[place], defaults[place] if defaults else None)
            if value is None:
                raise ArgumentError(
                    f"{self.name}: ONNX has no default for the parameters of {name}; give activation_alpha"
                )
            values[place] = value
        alpha, beta = values
        return lambda x: function(x, alpha, beta).astype(x.dtype)

    def clipped(self, x: Array) -> Array:
        """Return what goes into an activation."""
        return x if self.clip is None else np.clip(x, x.dtype.type(-self.clip), x.dtype.type(self.clip))

    def shapes(
        self,
        require: Requirements,
        x: Tensor,
        w: Tensor,
        r: Tensor,
        b: Tensor | None = None,
        sequence_lens: Tensor | None = None,
        *more: Tensor | None,
    ) -> list[Shape]:
        """Return the shapes of Y, Y_h and, of an LSTM, Y_c."""
        if len(x.shape) != 3:
            raise ShapeError(f"X must be {'(batch, time, input)' if self.layout else '(time, batch, input)'}")
        time, batch, features = self._turned(x.shape)
        dirs, hidden, rows = self.directions, self.hidden_size, self.gates * self.hidden_size
        wanted: list[tuple[str, Tensor | None, tuple[Dim, ...]]] = [
            ("W", w, (dirs, rows, features)),
            ("R", r, (dirs, rows, hidden)),
            ("B", b, (dirs, 2 * rows)),
            ("sequence_lens", sequence_lens, (batch,)),
        ]
        states = ("initial_h", "initial_c")
        last = self._turned((dirs, batch, hidden))
        wanted += [(name, state, last) for name, state in zip(states, more, strict=False)]
        wanted += [("P", p, (dirs, 3 * hidden)) for p in more[2:]]
        for name, tensor, shape in wanted:
            if tensor is None:
                continue
            if len(tensor.shape) != len(shape):
                raise ShapeError(f"{name} must have rank {len(shape)}")
            for axis, (seen, size) in enumerate(zip(tensor.shape, shape, strict=True)):
                require.equal(seen, size, f"axis {axis} of {name}")
        y = (batch, time, dirs, hidden) if self.layout else (time, dirs, batch, hidden)
        return [y] + [last] * (len(self.signature.outputs) - 1)

    def _turned(self, sizes: tuple[Dim, Dim, Dim]) -> tuple[Dim, Dim, Dim]:
        """Return three sizes with the first two in the order of the layout, or back from there."""
        first, second, third = sizes
        return (second, first, third) if self.layout else sizes

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        """Count two products a step and direction, of the inputs and of the state, and `elementwise` for each unit."""
        rows, others, features = inputs[0] or (0, 0, 0)
        products = 2 * self.gates * (features + self.hidden_size)
        given = [place < len(inputs) and inputs[place] is not None for place in range(len(self.signature.slots))]
        return rows * others * self.directions * self.hidden_size * (products + self.elementwise(given))

    def elementwise(self, given: Sequence[bool]) -> int:
        """Return how many operations there are a step for each unit besides the products.

        In each gate the products are added up, and a bias; the sum may be cut off, and an activation is taken.

        Args:
            given: which of the inputs there are.
        """
        return self.gates * (2 + given[3] + (self.clip is not None))

    def evaluate_wide(self, *arrays: Any, most_steps: int | None = None) -> Any:
        given: list[Any] = [*arrays, *[None] * (5 - len(arrays))]
        x, w, r, b, lengths, *states = given
        few = Spread.over(x.shape[self.layout], most_steps)
        if few is None:
            return super().evaluate_wide(*arrays)
        if lengths is not None:
            lengths = np.sum(few.places[:, None] < lengths, axis=0, dtype=lengths.dtype)
        y, *last = super().evaluate_wide(x.take(few.places, self.layout), w, r, b, lengths, *states)
        return [y.take(few.nearest, self.layout), *last]

    def walk(
        self, x: Array, sequence_lens: Array | None, states: Sequence[Array | None], steps: Sequence[Callable[..., Any]]
    ) -> list[Array]:
        """Run each direction's step, ``(x_t, *states) -> states`` with h first, and return Y and the last states."""
        if self.layout:
            x, states = x.swapaxes(0, 1), [None if state is None else state.swapaxes(0, 1) for state in states]
        time, batch = x.shape[:2]
        zero = np.zeros((batch, self.hidden_size), x.dtype)
        y = np.zeros((time, self.directions, batch, self.hidden_size), x.dtype)
        last: list[list[Array]] = []
        for way, step in enumerate(steps):
            now = [zero if state is None else state[way] for state in states]
            for at in self._order(time, way):
                new = step(x[at], *now)
                if sequence_lens is not None:
                    valid = (at < sequence_lens)[:, None]
                    y[at, way] = np.where(valid, new[0], 0)
                    new = [np.where(valid, ahead, behind) for ahead, behind in zip(new, now, strict=True)]
                else:
                    y[at, way] = new[0]
                now = new
            if sequence_lens is not None:
                now = [np.where(sequence_lens[:, None] > 0, state, 0).astype(x.dtype) for state in now]
            last.append(now)
        found = [y, *(np.stack(parts) for parts in zip(*last, strict=True))]
        return [y.transpose(2, 0, 1, 3), *(array.swapaxes(0, 1) for array in found[1:])] if self.layout else found

    def _order(self, time: int, way: int) -> Iterator[int]:
        backward = self.direction == "reverse" or way == 1
        return iter(range(time)[:: -1 if backward else 1])

    def weights(self, w: Array, r: Array, b: Array | None, way: int) -> tuple[Array, Array, Array, Array]:
        """Return W and R of a direction, transposed, and its two biases; each gate is a block of columns."""
        rows = self.gates * self.hidden_size
        both = np.zeros(2 * rows, w.dtype) if b is None else b[way]
        return w[way].T, r[way].T, both[:rows], both[rows:]

    def parted(self, columns: Array) -> Array:
        """Return the blocks of columns ``(batch, gates * hidden)`` one after another: ``(gates, batch, hidden)``."""
        batch, width = columns.shape
        return columns.reshape(batch, width // self.hidden_size, self.hidden_size).swapaxes(0, 1)
