"""Reading the normal form of what a step computes off its pattern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from unroll.ops.arithmetic import Add, Div, Mul, Sub
from unroll.ops.functions import Neg
from unroll.ops.joining import Concat, Split
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.operator import axis_of
from unroll.ops.slicing import Slice
from unroll.passes.rerolling.finding.pattern import Inner, Input, Shared, Source, State
from unroll.passes.rerolling.finding.recurrences import Column, Recurrence
from unroll.passes.rerolling.finding.view import View
from unroll.passes.rerolling.native.normal_form import (
    ACTIVATIONS,
    CONSTANT,
    Activation,
    Atoms,
    Form,
    Next,
    Term,
    UnmatchedError,
    constant,
    reweighed,
    scaled,
    total,
    weighed,
)
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Constant, Node, Tensor

#: A value cut along its last axis into blocks: the width and the form of each.
Value: TypeAlias = "list[tuple[int, Form]]"
#: What a node reads, whether within the pattern or step by step outside of it.
Operand: TypeAlias = "Source | Column"
#: How many nodes deep the way from a state to what it is made of may be: each is a call within a call.
_DEEPEST = 100


class Algebra:
    """The forms of one pattern.

    Args:
        view: the graph.
        recurrence: whose steps the pattern is of.
        weights: makes the parts of weights.
        heads: the outputs that are the new states, before any is kept back by a mask.

    Attributes:
        atoms: the atoms met.
        inputs: the tensors of each step's own that are atoms.
    """

    def __init__(self, view: View, recurrence: Recurrence, weights: Weights, heads: Sequence[Inner]) -> None:
        self.view, self.recurrence, self.weights, self.heads = view, recurrence, weights, list(heads)
        self.cell = recurrence.scope
        self.atoms = Atoms()
        self.inputs: list[Column] = []
        self._values: dict[Inner, Value] = {}
        self._cuts: dict[tuple[int, int, int], Form] = {}
        self._deep = 0

    def head(self, number: int) -> Form:
        """Return the form of a new state, in which the other new states are atoms.

        Raises:
            UnmatchedError: it has none.
        """
        return _only(self._output(self.heads[number]))

    def _output(self, inner: Inner) -> Value:
        if inner not in self._values:
            part = self.recurrence.pattern.parts[inner.place]
            try:
                results = self._applied(part.example, part.sources)
            except UnmatchedError as reason:
                raise self.at(inner, reason) from None
            for index, value in enumerate(results):
                self._values[Inner(inner.place, index)] = value
        return self._values[inner]

    def at(self, inner: Inner, reason: UnmatchedError) -> UnmatchedError:
        """Return a reason with the node at which it shows, where it does not name one yet."""
        text, node = str(reason), self.recurrence.pattern.parts[inner.place].example
        return UnmatchedError(text if ": " in text else f"{self.view.graph.name(node)}: {text}")

    def _value(self, operand: Operand, width: int, raw: bool = False) -> Value:
        """Return the value of an operand of `width` columns; `raw` takes a tensor of the step's own as it is.

        Raises:
            UnmatchedError: it has none, or another width: it would be spread over the columns.
        """
        if isinstance(operand, Input):
            operand = self.recurrence.input(operand.number)
        if isinstance(operand, Shared):
            return self._weight(operand.tensor, width)
        if operand is None:
            raise UnmatchedError("an input is left out")
        tensor = self._example(operand)
        if tensor.shape[-1:] != (width,):
            raise UnmatchedError(f"{tensor.described()} is spread over {width} columns")
        if isinstance(operand, State):
            return [(width, self.atoms.form(State(operand.number)))]
        if not isinstance(operand, Inner):
            return self._own(operand, width, raw)
        if operand in self.heads:
            return [(width, self.atoms.form(Next(self.heads.index(operand))))]
        return self._output(operand)

    def _example(self, operand: Inner | State | Column) -> Tensor:
        """Return the tensor that an operand is at one of the steps."""
        if isinstance(operand, Inner):
            return self.recurrence.pattern.parts[operand.place].example.outputs[operand.output]
        return self.recurrence.steps[-1].before[operand.number] if isinstance(operand, State) else operand[0]

    def _weight(self, tensor: Tensor, width: int) -> Value:
        if isinstance(tensor, Constant) and tensor.value.size == 1:
            return [(width, constant(float(tensor.value.reshape(()))))]
        row = tensor.shape[-1:] == (width,) and all(dim == 1 for dim in tensor.shape[:-1])
        if not row or not self.weights.holds(tensor):
            raise UnmatchedError(f"{tensor.described()} is no weight of {width} columns")
        return [(width, {Term((), "vector", tensor): 1.0})]

    def _own(self, column: Column, width: int, raw: bool) -> Value:
        """Return the value of a tensor of the step's own: of a product of it with a weight where it is one."""
        node = column[0].node
        if not raw and node is not None and isinstance(node.op, (MatMul, Gemm, Add, Sub, Split, Slice)):
            operands = self._operands(column)
            if operands is not None:
                return self._applied(node, operands)[column[0].index]
        if column not in self.inputs:
            self.inputs.append(column)
        return [(width, self.atoms.form(Input(self.inputs.index(column))))]

    def _operands(self, column: Column) -> list[Operand] | None:
        """Return what the nodes of a column read, each the same tensor or one a step; None where the nodes differ."""
        nodes = [tensor.node for tensor in column if tensor.node is not None and tensor.index == column[0].index]
        if len(nodes) < len(column) or any(self.view.key(node) != self.view.key(nodes[0]) for node in nodes):
            return None
        found: list[Operand] = []
        for tensors in zip(*(self.view.inputs[node] for node in nodes), strict=True):
            if all(tensor is tensors[0] for tensor in tensors):
                found.append(None if tensors[0] is None else Shared(tensors[0]))
            elif None in tensors:
                return None
            else:
                found.append(tensors)
        return found

    # -- operators ------------------------------------------------------------------------------------------------

    def _applied(self, node: Node, operands: Sequence[Operand]) -> list[Value]:
        """Return the values of a node's outputs, those of all that it reads before."""
        if self._deep == _DEEPEST:
            raise UnmatchedError(
                f"{self.view.graph.name(node)}: more than {_DEEPEST} nodes of one another make a state"
            )
        self._deep += 1
        try:
            return self._results(node, operands)
        finally:
            self._deep -= 1

    def _results(self, node: Node, operands: Sequence[Operand]) -> list[Value]:
        op, width = node.op, _width(node.outputs[0])
        if type(op) in ACTIVATIONS:
            names = ACTIVATIONS[type(op)]
            parameters = tuple(float(getattr(op, name)) for name in names)
            value = self._value(operands[0], width)
            return [[(size, self.atoms.activated(op.name, parameters, form)) for size, form in value]]
        if isinstance(op, Neg):
            return [[(size, scaled(form, -1)) for size, form in self._value(operands[0], width)]]
        if isinstance(op, (Add, Sub, Mul, Div)):
            return [self._combined(op, self._value(operands[0], width), self._value(operands[1], width))]
        if isinstance(op, MatMul):
            return [[(width, self._product(node, operands, turned=False))]]
        if isinstance(op, Gemm) and not op.transA:
            form = scaled(self._product(node, operands, turned=bool(op.transB)), op.alpha)
            if len(operands) > 2 and operands[2] is not None:
                form = total(form, _only(self._value(operands[2], width)), op.beta)
            return [[(width, form)]]
        if isinstance(op, Concat) and axis_of(op.axis, node.outputs[0].rank) == node.outputs[0].rank - 1:
            sizes = [_width(tensor) for tensor in self.view.inputs[node] if tensor is not None]
            parts = [self._value(operand, size, raw=True) for operand, size in zip(operands, sizes, strict=True)]
            return [[block for part in parts for block in part]]
        return self._pieces(node, operands)

    def _pieces(self, node: Node, operands: Sequence[Operand]) -> list[Value]:
        source = self.view.inputs[node][0]
        if source is not None and isinstance(node.op, Split) and axis_of(node.op.axis, source.rank) == source.rank - 1:
            value, at, found = self._value(operands[0], _width(source)), 0, []
            for tensor in node.outputs:
                found.append(self._cut(value, at, at + _width(tensor)))
                at += _width(tensor)
            return found
        columns = _columns(node, source) if source is not None else None
        if source is not None and columns is not None:
            return [self._cut(self._value(operands[0], _width(source)), *columns)]
        raise UnmatchedError(f"{node.op.name} is no part of an LSTM, GRU or RNN")

    def _product(self, node: Node, operands: Sequence[Operand], turned: bool) -> Form:
        left, right = self.view.inputs[node][:2]
        if left is None or right is None or left.rank != 2 or right.rank != 2 or not isinstance(operands[1], Shared):
            raise UnmatchedError("a product that is not one of rows with a weight")
        matrix = operands[1].tensor
        if not self.weights.holds(matrix):
            raise UnmatchedError(f"{matrix.described()} is no weight")
        if turned:
            matrix = self.weights.turned(matrix, self.cell)
        form: Form = {}
        at = 0
        for size, part in self._value(operands[0], _width(left), raw=True):
            form = total(form, weighed(part, self.weights.cut(matrix, at, at + size, 0, self.cell)))
            at += size
        return form

    def _combined(self, op: Add | Sub | Mul | Div, left: Value, right: Value) -> Value:
        ends = sorted({*_ends(left), *_ends(right)})
        found, start = [], 0
        for end in ends:
            one, two = _only(self._cut(left, start, end)), _only(self._cut(right, start, end))
            if isinstance(op, Mul):
                form = self.atoms.product(one, two)
            elif isinstance(op, Div):
                if set(two) != {CONSTANT}:
                    raise UnmatchedError("a division by what is no number" if two else "a division by 0")
                form = scaled(one, 1 / two[CONSTANT])
            else:
                form = total(one, two, -1.0 if isinstance(op, Sub) else 1.0)
            found.append((end - start, form))
            start = end
        return found

    def _cut(self, value: Value, start: int, end: int) -> Value:
        """Return columns `start` to `end` of a value."""
        found, at = [], 0
        for size, form in value:
            low, high = max(start - at, 0), min(end - at, size)
            if low < high:
                found.append((high - low, form if high - low == size else self._cut_form(form, low, high)))
            at += size
        return found

    def _cut_form(self, form: Form, start: int, end: int) -> Form:
        def weight(tensor: Tensor) -> Tensor:
            return self.weights.cut(tensor, start, end, tensor.rank - 1, self.cell)

        def atom(number: int) -> Form:
            key = (number, start, end)
            if key not in self._cuts:
                found = self.atoms[number]
                if not isinstance(found, Activation):
                    raise UnmatchedError("a state or an input is cut apart")
                cut = self._cut_form(found.form, start, end)
                self._cuts[key] = self.atoms.activated(found.name, found.parameters, cut)
            return self._cuts[key]

        return reweighed(form, weight, atom)


def _width(tensor: Tensor) -> int:
    width = tensor.shape[-1] if tensor.shape else None
    if not isinstance(width, int):
        raise UnmatchedError(f"{tensor.described()} has no known width")
    return width


def _only(value: Value) -> Form:
    if len(value) != 1:
        raise UnmatchedError("a state of several parts")
    return value[0][1]


def _ends(value: Value) -> list[int]:
    ends, at = [], 0
    for size, _ in value:
        at += size
        ends.append(at)
    return ends


def _columns(node: Node, source: Tensor) -> tuple[int, int] | None:
    """Return the first and the last but one column that a Slice takes; None where it takes less of another axis."""
    if not isinstance(node.op, Slice) or node.outputs[0].shape[:-1] != source.shape[:-1]:
        return None
    bounds = [None if tensor is None else tensor.known for tensor in node.inputs[1:]]
    starts, ends = bounds[:2]
    axes = bounds[2] if len(bounds) > 2 and bounds[2] is not None else tuple(range(len(starts or ())))  # type: ignore[arg-type]
    steps = bounds[3] if len(bounds) > 3 and bounds[3] is not None else (1,)
    if not isinstance(starts, tuple) or not isinstance(ends, tuple) or not isinstance(axes, tuple):
        return None
    if not isinstance(steps, tuple) or any(step != 1 for step in steps):
        return None
    found: tuple[int, int | None] = (0, None)
    for axis, start, end in zip(axes, starts, ends, strict=True):
        if int(axis) % source.rank == source.rank - 1:  # along other axes all is taken, whatever their sizes are called
            if not isinstance(start, int) or not isinstance(end, int):
                return None
            found = (start, end)
    start, end, _ = slice(*found).indices(_width(source))
    return start, end
