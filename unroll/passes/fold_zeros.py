"""Leave out what a state of zeros makes useless at step 0.

Preserves the inputs, all names, and the values of the outputs but for the sign of a zero, for inputs and Parameters that are
finite numbers, as long as sums and products of such are finite too. ``0 * x`` is 0 only where `x` is then a finite number
(`unroll.passes.tools.finite_numbers`): what is multiplied with an exponential or a quotient, which may be infinite, stays.
So does a sum of a zero that something is divided by (`unroll.passes.tools.zero_signs`): it makes 0.0 of -0.0.
Never adds more than one Slice a Parameter, and a Split of a bias in the place of one of its repetition, which a runtime
computes once when it loads the model; never changes a Parameter.

``[x, 0] @ kernel`` becomes ``x @ kernel[:rows of x]``; ``0 * f``, ``0 @ W`` and a convolution of 0 are 0; ``y + 0`` is y;
``0 @ W + b`` is b in every row, and what adds or multiplies that reads b alone; a choice of y or 0 reads the number 0. Nodes
that nothing reads any more are gone with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import copysign, isfinite

import numpy as np

from unroll import scopes
from unroll.graph import Graph, check_graph
from unroll.ops.filling import ConstantOfShape
from unroll.ops.joining import Concat, Split
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.operator import Operator, made
from unroll.ops.slicing import Slice
from unroll.parameter import Parameter
from unroll.passes.tools.finite_numbers import FiniteNumbers, reduces_some
from unroll.passes.tools.rewriting import Rewriting, in_place, ints
from unroll.passes.tools.zero_signs import is_unsigned, tensors_with_signs
from unroll.structure import leaves_of
from unroll.tensor import Constant, Node, Tensor

#: Operators whose output is zero where their first input is.
_PRESERVE_ZERO = frozenset(
    """Abs Cast Elu Expand Gather Identity LeakyRelu Neg ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape ReverseSequence
    Slice Softsign Split Sqrt Squeeze Tanh Tile Transpose Unsqueeze""".split()  # noqa: SIM905 (a list of words, to be read as one)
)
#: Those, and others, that make no -0.0 of 0.0.
_KEEP_SIGN = _PRESERVE_ZERO - {"Elu", "LeakyRelu", "Neg"} | {"Add", "Concat", "Sub", "Where"}


@in_place
def fold_zeros(graph: Graph) -> Graph:
    """Return `graph` without the work that tensors of zeros make useless; see this module for what is preserved.

    Raises:
        ArgumentTypeError: not a Graph.
    """
    folding = _Folding(check_graph(graph, "fold_zeros"))
    if not folding.may_find():
        return graph
    for node in graph.nodes:
        folding.visit(node)
    return folding.finish()


class _Folding(Rewriting):
    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        #: The tensors of the new graph that are known to hold only zeros, and those of them without a -0.0.
        self._zero: set[Tensor] = set(_zero_constants(graph))
        self._unsigned: set[Tensor] = {item for item in _zero_constants(graph) if not np.signbit(item.value).any()}
        self._finite = FiniteNumbers()
        #: The tensors of the old graph whose zeros keep their signs: a sum with zeros makes 0.0 of -0.0.
        self._signed = tensors_with_signs(graph) if self.may_find() else set()
        self._slices: dict[Tensor, tuple[int, int, Tensor]] = {}
        #: Tensors of the new graph that repeat a smaller one, such as a bias in every row.
        self._spread: dict[Tensor, Tensor] = {}

    def may_find(self) -> bool:
        """Say whether the graph has zeros to begin with."""
        return bool(self._zero) or any(isinstance(node.op, ConstantOfShape) for node in self.graph.nodes)

    def visit(self, node: Node) -> None:
        """Carry one node over: kept, replaced, or marked as zero."""
        inputs, op = self._unspread(node, self.inputs(node)), node.op
        any_zero = not self._zero.isdisjoint(inputs)
        found, signed = None, node.outputs[0] in self._signed
        if isinstance(op, (MatMul, Gemm)) and not signed and not self._any_zero(inputs[:2]):
            found = self._without_zero_columns(node, inputs)
        if found is None and any_zero and op.name in _RULES and not (signed and self._changes_sign(op, inputs)):
            found = _RULES[op.name](self, node, inputs)
        if found is not None:
            self.replace(node.outputs[0], found)
            return
        kept = self.keep(node, inputs)
        if (any_zero or isinstance(op, ConstantOfShape)) and self._makes_zero(node, inputs):
            self._zero.update(kept.outputs)
            if self._keeps_sign(op, inputs):
                self._unsigned.update(kept.outputs)
        elif not signed:
            self._spread.update(self._repeats(kept, inputs))

    def _unspread(self, node: Node, inputs: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        """Return the operands of a node, in which a tensor stands for what repeats it beside an operand of full size."""
        if not self._spread or node.op.name not in ("Add", "Div", "Mul", "Sub"):
            return inputs
        full = [tensor is not None and tensor.shape == node.outputs[0].shape for tensor in inputs]
        if not all(full):
            return inputs
        left, right = inputs
        if right in self._spread:
            return left, self._spread[right]
        return (self._spread[left], right) if left in self._spread else inputs

    def _repeats(self, node: Node, inputs: tuple[Tensor | None, ...]) -> dict[Tensor, Tensor]:
        """Return which outputs of a node of the new graph repeat a smaller tensor, each with that."""
        op, output, smaller = node.op, node.outputs[0], None
        if isinstance(op, Gemm) and len(inputs) > 2 and op.beta == 1.0 and self.is_zero_product(op, inputs[:2]):
            smaller = inputs[2]
        elif op.name == "Add" and self._any_zero(inputs):
            smaller = next(tensor for tensor in inputs if not self.is_zero(tensor))
        elif isinstance(op, Split) and inputs[0] in self._spread and op.axis in (-1, output.rank - 1):
            source = self._spread[inputs[0]]
            if source.rank and source.shape[-1] == node.inputs[0].shape[-1]:  # type: ignore[union-attr]
                cut = made(replace(op, axis=source.rank - 1), (source, *inputs[1:]), node.provenance)
                return dict(zip(node.outputs, cut, strict=True))
        return {} if smaller is None else {output: smaller}

    def is_zero(self, tensor: Tensor | None) -> bool:
        """Say whether a tensor of the new graph is known to hold only zeros."""
        return tensor in self._zero

    def has_no_sign(self, tensor: Tensor | None) -> bool:
        """Say whether a tensor of zeros is known to hold no -0.0."""
        return tensor in self._unsigned

    def _changes_sign(self, op: Operator, inputs: Sequence[Tensor | None]) -> bool:
        """Say whether what is added to zeros may hold a -0.0, of which the sum makes 0.0."""
        others = [tensor for tensor in inputs if not self.is_zero(tensor)]
        return op.name != "Where" and not (others and all(map(is_unsigned, others)))

    def is_zero_product(self, op: Operator, inputs: Sequence[Tensor | None]) -> bool:
        """Say whether a product is zero: one factor is, and the others are finite numbers."""
        if not self._any_zero(inputs) or (isinstance(op, Gemm) and not isfinite(op.alpha)):
            return False
        return all(self.is_zero(tensor) or tensor in self._finite for tensor in inputs)

    def _any_zero(self, inputs: Sequence[Tensor | None]) -> bool:
        return not self._zero.isdisjoint(inputs)

    def _makes_zero(self, node: Node, inputs: tuple[Tensor | None, ...]) -> bool:
        op, name = node.op, node.op.name
        if isinstance(op, ConstantOfShape):
            return op.value == 0
        if name in _PRESERVE_ZERO:
            return self.is_zero(inputs[0]) and (name != "ReduceMean" or reduces_some(node))
        if name in ("Mul", "MatMul") or (name in ("Conv", "Gemm") and len(inputs) == 2):
            return self.is_zero_product(op, inputs)
        if name in ("Add", "Concat", "Sub"):
            return all(self.is_zero(tensor) for tensor in inputs)
        return name == "Where" and self.is_zero(inputs[1]) and self.is_zero(inputs[2])

    def _keeps_sign(self, op: Operator, inputs: tuple[Tensor | None, ...]) -> bool:
        """Say whether a tensor of zeros that is made of `inputs` holds no -0.0."""
        if isinstance(op, ConstantOfShape):
            return copysign(1, op.value) > 0
        sources = [tensor for tensor in inputs if tensor is not None and tensor.dtype.kind == "f"]
        return op.name in _KEEP_SIGN and all(map(self.has_no_sign, sources))

    def _without_zero_columns(self, node: Node, inputs: tuple[Tensor | None, ...]) -> Tensor | None:
        """Return the product without the columns of a concatenated left side that are zero, and the rows they meet."""
        left, right = inputs[0], inputs[1]
        joined = left.node if left is not None else None
        if joined is None or right is None or not isinstance(joined.op, Concat) or right.rank != 2:
            return None
        if not self._any_zero(joined.inputs) or right not in self._finite:
            return None
        transposed = isinstance(node.op, Gemm) and (node.op.transA or node.op.transB)
        if transposed or left is None or joined.op.axis != left.rank - 1:
            return None
        kept = [place for place, part in enumerate(joined.inputs) if not self.is_zero(part)]
        if len(kept) != 1 or len(joined.inputs) == 1:
            return None
        widths = [part.shape[-1] if part is not None else 0 for part in joined.inputs]
        if not all(isinstance(width, int) for width in widths):
            return None
        ends = np.cumsum([int(width) for width in widths])
        rows = self._rows(right, int(ends[kept[0]] - int(widths[kept[0]])), int(ends[kept[0]]), node)
        if rows is None:
            return None
        return self.copy(node, (joined.inputs[kept[0]], rows, *inputs[2:])).outputs[0]

    def _rows(self, weight: Tensor, start: int, end: int, node: Node) -> Tensor | None:
        """Return rows of a weight: one Slice for all products that want the same ones; None for a product that wants
        others.
        """
        if weight not in self._slices:
            name = weight.name if isinstance(weight, Parameter) else weight.label
            origin = scopes.Origin(name, None, node.origin.cell, None)
            inputs = (weight, ints(start), ints(end), ints(0))
            (piece,) = made(Slice(), inputs, frozenset({origin}), f"rows_{start}_to_{end}")
            self._slices[weight] = (start, end, piece)
        found_start, found_end, piece = self._slices[weight]
        return piece if (found_start, found_end) == (start, end) else None


def _zero_constants(graph: Graph) -> list[Constant]:
    constants = [leaf for leaf in leaves_of(graph.nodes) if isinstance(leaf, Constant)]
    return [tensor for tensor in constants if tensor.dtype.kind == "f" and not np.any(tensor.value)]


def _fold_add(folding: _Folding, node: Node, inputs: tuple[Tensor | None, ...]) -> Tensor | None:
    return _other(folding, node, inputs, (0, 1))


def _fold_sub(folding: _Folding, node: Node, inputs: tuple[Tensor | None, ...]) -> Tensor | None:
    return _other(folding, node, inputs, (1,))


def _fold_gemm(folding: _Folding, node: Node, inputs: tuple[Tensor | None, ...]) -> Tensor | None:
    """Return C where the product is zero and C is added as it is."""
    added = inputs[2] if len(inputs) > 2 else None
    if not isinstance(node.op, Gemm) or added is None or node.op.beta != 1.0:
        return None
    return added if folding.is_zero_product(node.op, inputs[:2]) and added.shape == node.outputs[0].shape else None


def _other(folding: _Folding, node: Node, inputs: tuple[Tensor | None, ...], zero_at: tuple[int, ...]) -> Tensor | None:
    """Return the operand beside a zero, where it has the shape of the result."""
    for place in zero_at:
        other = inputs[1 - place]
        if folding.is_zero(inputs[place]) and other is not None and other.shape == node.outputs[0].shape:
            return other
    return None


def _fold_where(folding: _Folding, node: Node, inputs: tuple[Tensor | None, ...]) -> Tensor | None:
    """Return the choice with the number 0 for a tensor of zeros, where another operand has the shape of the result."""
    output = node.outputs[0]
    zeros = [part for part in inputs[1:] if part is not None and part.rank and folding.has_no_sign(part)]
    full = [part for part in inputs if part not in zeros and part is not None and part.shape == output.shape]
    if not zeros or not full:
        return None
    number = Constant(np.zeros((), output.dtype))
    return folding.copy(node, tuple(number if part in zeros else part for part in inputs)).outputs[0]


_RULES: dict[str, Callable[[_Folding, Node, tuple[Tensor | None, ...]], Tensor | None]] = {
    "Add": _fold_add,
    "Gemm": _fold_gemm,
    "Sub": _fold_sub,
    "Where": _fold_where,
}
