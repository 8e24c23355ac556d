"""Reading the normal form of what a step computes off its pattern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from unroll.ops.arithmetic import Add, Div, Mul, Sub
from unroll.ops.choices import Clip
from unroll.ops.functions import HardSigmoid, Neg
from unroll.ops.joining import Concat, Split
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.operator import axis_of
from unroll.ops.slicing import Slice
from unroll.passes.rerolling.finding import Column, Inner, Input, Recurrence, Shared, Source, State, View
from unroll.passes.rerolling.native.blocks import Blocks, Value, only, sliced_columns, width_of
from unroll.passes.rerolling.native.normal_form import (
    ACTIVATIONS,
    Atoms,
    Form,
    Next,
    Term,
    UnmatchedError,
    constant,
    scaled,
    total,
    weighed,
)
from unroll.passes.tools.weight_expressions import Weights
from unroll.tensor import Constant, Node, Tensor

#: What a node reads, whether within the pattern or step by step outside of it.
Operand: TypeAlias = "Source | Column"
#: The longest way up from a new state, in nodes: each of them is a call within a call.
_DEEPEST = 100


class PatternForms:
    """The forms of what a pattern computes, each read when it is first asked for.

    Args:
        view: the graph.
        recurrence: whose steps the pattern is of.
        weights: makes the parts of weights.
        heads: the outputs that are the new states, before any is kept back by a mask.

    Attributes:
        atoms: the atoms met.
        inputs: the inputs of the steps that are atoms.
    """

    def __init__(self, view: View, recurrence: Recurrence, weights: Weights, heads: Sequence[Inner]) -> None:
        self.view, self.recurrence, self.weights, self.heads = view, recurrence, weights, list(heads)
        self.cell = recurrence.scope
        self.atoms = Atoms()
        self.inputs: list[Column] = []
        self._values: dict[Inner, Value] = {}
        self._blocks = Blocks(self.atoms, weights, self.cell)
        self._deep = 0

    def head(self, number: int) -> Form:
        """Return the form of a new state, in which the other new states are atoms.

        Raises:
            UnmatchedError: it has none.
        """
        return only(self._output(self.heads[number]))

    def equal_to(self, forms: Sequence[Form]) -> list[Inner]:
        """Return what was read whose value is one of these forms, as one block."""
        return [inner for inner, value in self._values.items() if len(value) == 1 and value[0][1] in forms]

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
        """Return the value of an operand of `width` columns; `raw` takes an input of the step as it is.

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
            return [(width, self.atoms.form(operand))]
        if not isinstance(operand, Inner):
            return self._input(operand, width, raw)
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

    def _input(self, column: Column, width: int, raw: bool) -> Value:
        """Return the value of an input of the step; where products with weights made it, of what they multiply."""
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
        """Return the values of a node's outputs, after those of all that it reads."""
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
        op, width = node.op, width_of(node.outputs[0])
        if type(op) in ACTIVATIONS:
            names = ACTIVATIONS[type(op)]
            parameters = tuple(float(getattr(op, name)) for name in names)
            value = self._value(operands[0], width)
            return [[(size, self.atoms.activated(op.name, parameters, form)) for size, form in value]]
        if isinstance(op, Neg):
            return [[(size, scaled(form, -1)) for size, form in self._value(operands[0], width)]]
        if isinstance(op, Clip):
            return [self._clipped(self._value(operands[0], width), operands[1:])]
        if isinstance(op, (Add, Sub, Mul, Div)):
            return [self._blocks.combined(op, self._value(operands[0], width), self._value(operands[1], width))]
        if isinstance(op, MatMul):
            return [[(width, self._product(node, operands, turned=False))]]
        if isinstance(op, Gemm) and not op.transA:
            form = scaled(self._product(node, operands, turned=bool(op.transB)), op.alpha)
            if len(operands) > 2 and operands[2] is not None:
                form = total(form, only(self._value(operands[2], width)), op.beta)
            return [[(width, form)]]
        if isinstance(op, Concat) and axis_of(op.axis, node.outputs[0].rank) == node.outputs[0].rank - 1:
            sizes = [width_of(tensor) for tensor in self.view.inputs[node] if tensor is not None]
            parts = [self._value(operand, size, raw=True) for operand, size in zip(operands, sizes, strict=True)]
            return [[block for part in parts for block in part]]
        return self._pieces(node, operands)

    def _clipped(self, value: Value, bounds: Sequence[Operand]) -> Value:
        """Return a value between two numbers: ``low + (high - low) * HardSigmoid(x)``, as Keras clips for its hard_sigmoid."""
        numbers = [
            item.tensor.value for item in bounds if isinstance(item, Shared) and isinstance(item.tensor, Constant)
        ]
        if len(numbers) < 2 or not numbers[0] < numbers[1]:
            raise UnmatchedError("Clip without two numbers is no part of an LSTM, GRU or RNN")
        low, size = float(numbers[0]), float(numbers[1]) - float(numbers[0])
        parameters = 1 / size, -low / size
        return [
            (width, total(scaled(self.atoms.activated(HardSigmoid.name, parameters, form), size), constant(low)))
            for width, form in value
        ]

    def _pieces(self, node: Node, operands: Sequence[Operand]) -> list[Value]:
        source = self.view.inputs[node][0]
        if source is not None and isinstance(node.op, Split) and axis_of(node.op.axis, source.rank) == source.rank - 1:
            value, at, found = self._value(operands[0], width_of(source)), 0, []
            for tensor in node.outputs:
                found.append(self._blocks.cut(value, at, at + width_of(tensor)))
                at += width_of(tensor)
            return found
        columns = sliced_columns(node, source) if source is not None else None
        if source is not None and columns is not None:
            return [self._blocks.cut(self._value(operands[0], width_of(source)), *columns)]
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
        for size, part in self._value(operands[0], width_of(left), raw=True):
            form = total(form, weighed(part, self.weights.cut(matrix, at, at + size, 0, self.cell)))
            at += size
        return form
