"""Which tensors hold finite numbers, whatever is fed: where ``0 * x`` is 0, and neither NaN nor lost.

Inputs and Parameters count as finite numbers, and so do sums and products of such: no pass keeps the place at which a sum
overflows, as it may add in another order. A Parameter that something is divided by does not count as 0. What an exponential,
another quotient, a logarithm, a root or an operator that is not known makes counts only where it is seen to be bounded:
ordinary feeds make infinities and NaN of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from math import isfinite
from typing import NamedTuple

import numpy as np

from unroll.parameter import Parameter
from unroll.passes.tools.rewriting import is_known
from unroll.tensor import Constant, Node, Tensor
from unroll.topological_order import in_order


class Least(IntEnum):
    """What the least element of a tensor can be, NaN left aside."""

    ANY = 0
    ZERO = 1
    #: A number above 0 that no feed gets nearer to 0.
    POSITIVE = 2


class Holds(NamedTuple):
    """What the elements of a tensor can be.

    Attributes:
        nan: whether NaN.
        infinite: whether infinite.
        least: how small.
    """

    nan: bool
    infinite: bool
    least: Least = Least.ANY

    @property
    def finite(self) -> bool:
        """Whether all are finite numbers."""
        return not (self.nan or self.infinite)


_ANYTHING = Holds(True, True)

#: Operators whose outputs hold elements of their inputs: they move or choose them.
_MOVING = frozenset(
    """Cast Concat Expand Gather Identity Max MaxPool Min ReduceMax ReduceMin Reshape ReverseSequence Slice Split Squeeze Tile
    Transpose Unsqueeze Where""".split()  # noqa: SIM905 (a list of words, to be read as one)
)
#: Operators that sum and multiply, or are bounded by sums: they make finite numbers of finite numbers.
_SUMMING = frozenset(
    """Abs Add AveragePool Conv Elu Floor GRU Gemm HardSigmoid LSTM LeakyRelu LogSoftmax MatMul Mul Neg RNN ReduceSum Relu
    Softmax Softplus Softsign Sub""".split()  # noqa: SIM905
)
#: Operators that are bounded on all numbers, infinities among them.
_BOUNDED = frozenset(["Erf", "Sigmoid", "Sign", "Tanh"])
#: Operators that never make a number below 0, and those that make none of numbers that are not.
_NEVER_NEGATIVE = frozenset(["Abs", "Exp", "HardSigmoid", "Relu", "Sigmoid", "Softmax", "Softplus"])
_NO_MORE_NEGATIVE = frozenset(["Add", "AveragePool", "MatMul", "Mul", "ReduceMean", "ReduceSum", "Sqrt"])


class FiniteNumbers:
    """What tensors hold, found on demand and once."""

    def __init__(self) -> None:
        self._known: dict[Tensor, Holds] = {}

    def __contains__(self, tensor: object) -> bool:
        """Say whether a tensor holds finite numbers only."""
        return isinstance(tensor, Tensor) and self.held(tensor).finite

    def held(self, tensor: Tensor) -> Holds:
        """Return what a tensor holds."""
        if tensor.node is None:
            return _leaf(tensor)
        if tensor not in self._known:
            for node in in_order([tensor.node], reads=self._unknown):
                self._known.update(dict.fromkeys(node.outputs, self._made(node)))
        return self._known[tensor]

    def _unknown(self, node: Node) -> list[Tensor]:
        return [source for source in node.inputs if source is not None and source not in self._known]

    def _made(self, node: Node) -> Holds:
        name = node.op.name
        if node.outputs[0].dtype.kind != "f":
            return Holds(False, False)
        if not is_known(node.op) or not _has_finite_attributes(node):
            return _ANYTHING
        inputs = [tensor for tensor in node.inputs if tensor is not None and tensor.dtype.kind == "f"]
        held = [_leaf(tensor) if tensor.node is None else self._known[tensor] for tensor in inputs]
        nan, infinite = any(item.nan for item in held), any(item.infinite for item in held)
        least = min((item.least for item in held), default=Least.ANY)
        if name in _MOVING:
            return Holds(nan, infinite, max(item.least for item in held) if name == "Max" else least)
        if name in _RULES:
            return _RULES[name](node, held)
        if name in _BOUNDED:
            found = Holds(nan, False)
        elif name in _SUMMING:
            mixed = nan or (infinite and not (name == "Add" and least >= Least.ZERO))  # inf - inf, 0 * inf
            found = Holds(mixed, infinite)
        else:
            return _ANYTHING
        return found._replace(least=_least(node, held))


def _has_finite_attributes(node: Node) -> bool:
    return all(isfinite(value) for value in node.op.attributes.values() if isinstance(value, float))


def _leaf(tensor: Tensor) -> Holds:
    if not isinstance(tensor, Constant) or tensor.dtype.kind != "f" or not tensor.value.size:
        return Holds(False, False)
    smallest = np.nanmin(tensor.value) if not np.isnan(tensor.value).all() else -1
    least = Least.POSITIVE if smallest > 0 else Least.ZERO if smallest == 0 else Least.ANY
    return Holds(bool(np.isnan(tensor.value).any()), bool(np.isinf(tensor.value).any()), least)


def _least(node: Node, held: Sequence[Holds]) -> Least:
    name, inputs = node.op.name, node.inputs
    if name == "Add" and all(item.least >= Least.ZERO for item in held):
        return max(item.least for item in held)
    if name in _NEVER_NEGATIVE or (name == "Mul" and inputs[0] is inputs[1]):
        return Least.ZERO
    return Least.ZERO if name in _NO_MORE_NEGATIVE and all(item.least >= Least.ZERO for item in held) else Least.ANY


def _padded(node: Node, held: Sequence[Holds]) -> Holds:
    """It holds the elements of its input, and what stands around them, which is 0 by default."""
    around = held[1] if len(held) > 1 else Holds(False, False, Least.ZERO)
    return Holds(held[0].nan or around.nan, held[0].infinite or around.infinite, min(held[0].least, around.least))


def _filled(node: Node, held: Sequence[Holds]) -> Holds:
    return _leaf(Constant(np.array(node.op.attributes["value"])))


def _exponential(node: Node, held: Sequence[Holds]) -> Holds:
    """It is finite of what is at most 0, as ``exp(x - max(x, y))`` is."""
    finite = held[0].finite and _is_at_most_zero(node.inputs[0])
    return Holds(held[0].nan, not finite, Least.ZERO)


def _is_at_most_zero(tensor: Tensor | None) -> bool:
    node = tensor.node if tensor is not None else None
    if node is None or node.op.name != "Sub" or node.inputs[1] is None:
        return False
    largest = node.inputs[1].node
    if largest is None or node.inputs[0] not in largest.inputs:
        return False
    return largest.op.name == "Max" or (largest.op.name == "ReduceMax" and largest.op.attributes["keepdims"] == 1)


def _quotient(node: Node, held: Sequence[Holds]) -> Holds:
    divisor, (above, below) = node.inputs[1], held
    fixed = is_parameter(divisor) or (isinstance(divisor, Constant) and bool(np.all(divisor.value != 0)))
    apart = (below.finite and fixed) or (below.least is Least.POSITIVE and not below.nan)
    return Holds(False, False, min(above.least, Least.ZERO, below.least)) if above.finite and apart else _ANYTHING


def is_parameter(tensor: Tensor | None) -> bool:
    """Say whether a tensor is a Parameter, in another dtype or shape perhaps."""
    while tensor is not None and tensor.node is not None and tensor.node.op.name in _MOVING:
        tensor = tensor.node.inputs[0]
    return isinstance(tensor, Parameter)


def _root(node: Node, held: Sequence[Holds]) -> Holds:
    return held[0] if held[0].least >= Least.ZERO else _ANYTHING


def _power(node: Node, held: Sequence[Holds]) -> Holds:
    exponent = node.inputs[1]
    if not isinstance(exponent, Constant) or not held[0].finite:
        return _ANYTHING
    whole, even = (bool(np.all((exponent.value >= 0) & (exponent.value % by == 0))) for by in (1, 2))
    return Holds(False, False, Least.ZERO if even else Least.ANY) if whole else _ANYTHING


def _clipped(node: Node, held: Sequence[Holds]) -> Holds:
    bounds = [item for item in node.inputs[1:] if item is not None]
    both = len(bounds) == 2 and all(item.node is None and _leaf(item).finite for item in bounds)
    return Holds(any(item.nan for item in held), not both and any(item.infinite for item in held))


def _normalized(node: Node, held: Sequence[Holds]) -> Holds:
    finite = all(item.finite for item in held) and node.op.attributes["epsilon"] > 0
    return Holds(False, False) if finite else _ANYTHING


def _mean(node: Node, held: Sequence[Holds]) -> Holds:
    return Holds(False, False, _least(node, held)) if held[0].finite and reduces_some(node) else _ANYTHING


def reduces_some(node: Node) -> bool:
    """Say whether each of the axes that a node reduces is known to have elements: the mean of none is NaN."""
    source, axes = node.inputs[0], node.inputs[1] if len(node.inputs) > 1 else None
    if source is None or (axes is not None and not isinstance(axes.known, tuple)):
        return False
    along = axes.known if axes is not None and axes.known else range(source.rank)
    sizes = [source.shape[axis] for axis in along if isinstance(axis, int)]  # type: ignore[union-attr]
    return all(isinstance(size, int) and size > 0 for size in sizes)


def _of_bodies(node: Node, held: Sequence[Holds]) -> Holds:
    """What runs graphs holds finite numbers where these make such of such."""
    found = FiniteNumbers()
    finite = all(item.finite for item in held)
    return (
        Holds(False, False)
        if finite and all(t in found for body in node.op.bodies for t in body.outputs)
        else _ANYTHING
    )


_RULES: dict[str, Callable[[Node, Sequence[Holds]], Holds]] = {
    "Clip": _clipped,
    "ConstantOfShape": _filled,
    "Div": _quotient,
    "Exp": _exponential,
    "If": _of_bodies,
    "LayerNormalization": _normalized,
    "Loop": _of_bodies,
    "Pad": _padded,
    "Pow": _power,
    "ReduceMean": _mean,
    "Scan": _of_bodies,
    "Sqrt": _root,
}
