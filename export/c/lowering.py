"""From nodes to statements: what is computed element by element stays an expression until somebody needs its numbers.

What a node needs of loops around it decides where it is computed: what every run of a loop would compute again comes before the
loop, and what depends on weights alone is computed now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import TypeAlias

import numpy as np

from unroll.dtypes import Array
from unroll.errors import UnrollError, UnsupportedError
from unroll.export.c.expressions import LARGEST, Expr, literal, load
from unroll.export.c.held import Held
from unroll.export.c.layout import View
from unroll.export.c.making import Making
from unroll.export.c.narrowing import Narrowed, narrowed, numbers_of, weight_of
from unroll.export.c.products import Pending
from unroll.export.c.statements import Elementwise
from unroll.export.c.types import number
from unroll.ops.operator import Operator
from unroll.ops.shaping import Transpose
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor

#: What stands for a tensor: an array that is known now, an expression, a product in the making, or pieces of a last axis.
Value: TypeAlias = "Array | Expr | Pending | Pieces"
#: Writes a node: takes its values (None for one left out) and returns one for each output.
Entry: TypeAlias = "Callable[[Lowering, Node, list[Value | None]], Sequence[Value]]"
#: Arrays with more elements, that are cheap to compute, are not written down.
_MOST_FOLDED = 1 << 16


class Pieces(tuple[Expr, ...]):
    """Tensors joined along their last axis, before anybody needs them in one place."""


class Lowering(Making):
    """Statements in the making.

    Args:
        what: who asks, for messages.
        entry_of: finds how an operator is lowered; None for one that cannot be.
        taken: names that nothing may have.
        bits: in which dtype of fewer bits weights are held, where they can be.

    Attributes:
        narrowed: the weights that are held in fewer bits. The others are those of `Making`.
    """

    def __init__(
        self,
        what: str,
        entry_of: Callable[[Operator], Entry | None],
        taken: Sequence[str] = (),
        bits: str | None = None,
    ) -> None:
        super().__init__(what, taken)
        self._entry_of, self._bits = entry_of, bits
        self.narrowed: Narrowed = {}

    # -- walking --------------------------------------------------------------------------------------------------

    def walk(self, nodes: Sequence[Node], values: dict[Tensor, Value], outputs: Sequence[Tensor]) -> list[Value]:
        """Lower nodes in order, and return what stands for the outputs.

        Args:
            nodes: the nodes of the graph or of a body.
            values: what stands for its inputs, which is added to.
            outputs: the tensors wanted.
        """
        for node in nodes:
            for tensor in node.inputs:
                if tensor is not None:
                    self.note(tensor, node)
        for tensor in outputs:
            self.read[tensor] = self.read.get(tensor, 0) + 1
        self._want_behind(nodes)
        for node in nodes:
            given = [None if tensor is None else self._value(tensor, values) for tensor in node.inputs]
            for tensor, value in zip(node.outputs, self._lowered(node, given), strict=True):
                values[tensor] = self._settled(tensor, value)
        return [self._value(tensor, values) for tensor in outputs]

    def _want_behind(self, nodes: Sequence[Node]) -> None:
        """Say of what is only looked at otherwise where it is wanted, so that it is put there at once."""
        for node in reversed(nodes):
            source = node.inputs[0] if node.inputs else None
            wanted = self.wanted.get(node.outputs[0])
            if wanted is None or source is None or self.read.get(source, 0) != 1:
                continue
            view: View | None = None
            if isinstance(node.op, Transpose):
                view = wanted.permuted([node.op.perm.index(axis) for axis in range(len(node.op.perm))])
            elif node.op.name in ("Identity", "Reshape", "Squeeze", "Unsqueeze"):
                view = wanted.reshaped(tuple(int(dim) for dim in source.shape))
            if view is not None:
                self.want(source, view)

    def _value(self, tensor: Tensor, values: Mapping[Tensor, Value]) -> Value:
        if tensor in values:
            return values[tensor]
        assert isinstance(tensor, (Constant, Parameter))
        self.check_dtype(tensor)
        return tensor.value if isinstance(tensor, Constant) else Held.of(tensor.value, tensor)

    def _lowered(self, node: Node, given: list[Value | None]) -> Sequence[Value]:
        for tensor in node.outputs:
            self.check_dtype(tensor)
        if not any(_size_of(tensor) for tensor in node.outputs):
            return [np.zeros([int(dim) for dim in tensor.shape], tensor.dtype) for tensor in node.outputs]
        known = self._computed(node, given)
        if known is not None:
            return known
        entry = self._entry_of(node.op)
        if entry is None:
            raise UnsupportedError(
                f"{self.what}: {node!r} cannot be written as C: {node.op.name} is none of unroll's operators, or has no entry"
            )
        return entry(self, node, self._in_fewer_bits(node, given))

    def _in_fewer_bits(self, node: Node, given: list[Value | None]) -> list[Value | None]:
        """Return what a node reads, its weight in fewer bits where that is asked for."""
        place = None if self._bits is None else weight_of(node, self._bits)
        if self._bits is None or place is None or not isinstance(given[place], np.ndarray):
            return given
        tensor, array = node.inputs[place], given[place]
        assert tensor is not None and isinstance(array, np.ndarray)
        weight = narrowed(array, tensor, self._bits, node, self.what)
        self.narrowed[node] = (place, numbers_of(weight))
        return [weight if at == place else value for at, value in enumerate(given)]

    def _computed(self, node: Node, given: list[Value | None]) -> list[Array] | None:
        """Return the arrays that a node gives where all it reads is known."""
        if any(value is not None and not isinstance(value, np.ndarray) for value in given) or not given:
            return None
        if node.op.bodies:
            return None
        size = sum(map(_size_of, node.outputs))
        if size > max(_MOST_FOLDED, *(value.size for value in given if isinstance(value, np.ndarray))):
            return None
        try:
            with np.errstate(all="ignore"):
                found = node.op.evaluate(*given)
        except (ValueError, IndexError, ZeroDivisionError, UnrollError):
            return None
        listed = list(found) if isinstance(found, (list, tuple)) else [found]
        arrays = [np.array(array, tensor.dtype) for array, tensor in zip(listed, node.outputs, strict=True)]
        if not any(isinstance(value, Held) for value in given):
            return arrays
        return [Held.of(array, tensor) for array, tensor in zip(arrays, node.outputs, strict=True)]

    def _settled(self, tensor: Tensor, value: Value) -> Value:
        """Return what stands for a tensor: computed now where several read it, and left for later where one does."""
        if isinstance(value, np.ndarray):
            return value
        wanted = self.wanted.get(tensor)
        if (
            wanted is not None
            and isinstance(value, Expr)
            and value.view is not None
            and value.view.place == wanted.place
        ):
            del self.wanted[tensor]
            return value
        many = self.read.get(tensor, 0) > 1 or tensor in self.wanted
        if isinstance(value, Expr) and value.view is not None and value.index is None and tensor not in self.wanted:
            return value
        if many or (isinstance(value, Expr) and value.size > LARGEST):
            return load(self.stored(value, tensor))
        return value

    # -- values ---------------------------------------------------------------------------------------------------

    def expr(self, value: Value | None) -> Expr:
        """Return a value as an expression."""
        assert value is not None
        if isinstance(value, Expr):
            return value
        if isinstance(value, np.ndarray):
            return self._constant(value)
        return load(self.stored(value))

    def view(self, value: Value | None) -> View:
        """Return where a value is, computed now if it is nowhere yet."""
        expression = self.expr(value)
        if expression.view is not None and expression.index is None:
            return expression.view
        return self.stored(expression)

    def _constant(self, array: Array) -> Expr:
        flat = np.ascontiguousarray(array).reshape(-1)
        if flat.size and not isinstance(array, Held):
            first = flat[:1]
            if flat.tobytes() == first.tobytes() * flat.size:
                return literal(number(first[0], array.dtype), array.shape, array.dtype)
        return load(self.weight(array))

    def stored(self, value: Value, tensor: Tensor | None = None) -> View:
        """Return a view with a value's numbers, which are computed now."""
        if isinstance(value, Pending):
            return value.stored(self, tensor)
        name = "joined" if tensor is None else tensor.label
        if isinstance(value, Pieces):
            return self.joined(list(value), len(value[0].shape) - 1, tensor)
        expression = self.expr(value)
        if tensor is None:
            name = _title(expression)
        spread = any(leaf.view is None or _is_spread(leaf.view) for leaf in expression.leaves())
        out = self.place(name, expression.dtype, expression.shape, expression.depth, tensor, spread)
        self.emit(Elementwise([(out, expression)], name), expression.depth)
        return out

    def joined(self, parts: Sequence[Expr], axis: int, tensor: Tensor | None = None) -> View:
        """Return tensors in one place, joined along an axis."""
        first = parts[0]
        total = sum(part.shape[axis] for part in parts)
        shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
        depth = max(part.depth for part in parts)
        name = "joined" if tensor is None else tensor.label
        wanted = None if tensor is None else self.wanted.get(tensor)
        if wanted is not None and wanted.depth <= depth:
            del self.wanted[tensor]  # type: ignore[arg-type]
            out = replace(wanted, depth=depth, born=depth)
        else:
            out = self.scratch(name, first.dtype, shape, depth, exact=True)
        start = 0
        for part in parts:
            piece = out.cut(axis, start, part.shape[axis])
            assert piece is not None
            start += part.shape[axis]
            if piece.size:
                self.emit(Elementwise([(piece, part)], name), depth)
        return out

    def copied(self, out: View, value: Value, about: str) -> None:
        """Fill a view with a value."""
        self.filled(out, self.expr(value), about)


def _is_spread(view: View) -> bool:
    """Say whether a view has no blocks for its last axis."""
    return bool(view.shape and view.shape[-1] > 1 and view.strides[-1] and view.block is None)


def _size_of(tensor: Tensor) -> int:
    """Return how many elements a tensor of fixed sizes has."""
    return prod(int(dim) for dim in tensor.shape)


def _title(expression: Expr) -> str:
    found = expression.template.split("_")[0].strip("({") if expression.template else "copy"
    return found if found.isidentifier() else "value"
