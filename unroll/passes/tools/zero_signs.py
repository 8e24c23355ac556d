"""Where the sign of a zero tells: in what something is divided by, for ``1 / 0.0`` is inf and ``1 / -0.0`` is -inf."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unroll.passes.tools.finite_numbers import FiniteNumbers, Least, is_parameter
from unroll.passes.tools.rewriting import is_known
from unroll.structure import Structure
from unroll.tensor import Constant, Node, Tensor

#: Operators that give one number for 0.0 and -0.0, and never make a -0.0.
_UNSIGNED = frozenset(["Abs", "Exp", "Sigmoid", "Softmax", "Softplus"])


def is_unsigned(tensor: Tensor | None) -> bool:
    """Say whether a tensor is seen to hold no -0.0."""
    return tensor is not None and tensor.node is not None and tensor.node.op.name in _UNSIGNED


def tensors_with_signs(graph: Structure) -> set[Tensor]:
    """Return the tensors whose zeros have a sign that another number than a zero comes of: all that divisors are made of."""
    found: set[Tensor] = set()
    numbers = FiniteNumbers()
    for node in reversed(graph.nodes):
        found.update(_divisors(node, numbers))
        if node.op.name not in _UNSIGNED and not found.isdisjoint(node.outputs):
            found.update(tensor for tensor in node.inputs if tensor is not None and tensor.dtype.kind == "f")
    return found


def _divisors(node: Node, numbers: FiniteNumbers) -> Iterator[Tensor]:
    """Yield the inputs of a node in which 0.0 and -0.0 are not the same; of an operator that is not known, all."""
    name, inputs = node.op.name, [tensor for tensor in node.inputs if tensor is not None]
    if not is_known(node.op) or any(map(_divides, node.op.bodies)):
        yield from inputs
    elif name == "Div" and node.outputs[0].dtype.kind == "f":
        divisor = inputs[1]
        if not is_parameter(divisor) and numbers.held(divisor).least is not Least.POSITIVE:
            yield divisor
    elif name == "Pow" and not (isinstance(inputs[1], Constant) and bool(np.all(inputs[1].value >= 0))):
        yield inputs[0]


def _divides(body: Structure) -> bool:
    numbers = FiniteNumbers()
    return any(True for node in body.nodes for _ in _divisors(node, numbers))
