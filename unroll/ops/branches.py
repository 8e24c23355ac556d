"""ONNX's If: one of two graphs runs, as a condition says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unroll import scopes
from unroll.dimensions import Shape, symbol
from unroll.dtypes import ALL, BOOL, Array, DType
from unroll.errors import ArgumentError, ArgumentTypeError, ShapeError
from unroll.ops.bodies import (
    WithBodies,
    check_dtypes,
    check_is,
    checked_body,
    checked_tensors,
    flops_of,
    require_alike,
    run_body,
)
from unroll.ops.operator import Requirements, Signature, made
from unroll.structure import Structure
from unroll.tensor import Tensor


@dataclass(frozen=True, repr=False, eq=False)
class If(WithBodies):
    """Runs `then_branch` where the condition is true, else `else_branch`.

    The node's inputs are the condition, and what the branches read (ONNX writes those as names of the graph outside); each
    branch has all of these as its inputs, whether it reads them or not. The node's outputs are those of the branch that runs.

    Args:
        then_branch: what runs where the condition is true.
        else_branch: what runs where it is false.
        declared: the shape of each output, as far as the branches differ in it.
    """

    signature = Signature("cond: bool, shared: V* -> outputs: V", V=ALL)
    then_branch: Structure
    else_branch: Structure
    declared: tuple[Shape, ...] = ()

    @property
    def num_shared(self) -> int:
        return len(self.then_branch.inputs)

    def shapes(self, require: Requirements, *inputs: Tensor) -> list[Shape]:
        if inputs[0].rank > 1:
            raise ShapeError(f"the condition is {inputs[0].described()}; one truth is wanted")
        for name, branch in (("then_branch", self.then_branch), ("else_branch", self.else_branch)):
            require_alike(require, branch, inputs[1:], 0, name)
        pairs = zip(self.then_branch.outputs, self.else_branch.outputs, strict=True)
        return [self._shape(place, yes, no) for place, (yes, no) in enumerate(pairs)]

    def _shape(self, place: int, yes: Tensor, no: Tensor) -> Shape:
        """Return the shape of an output: the sizes in which the branches agree."""
        if yes.rank != no.rank:
            raise ShapeError(f"output {place} is {yes.described()} of then_branch, and {no.described()} of else_branch")
        declared = self.declared[place] if place < len(self.declared) else ()
        if len(declared) != yes.rank:
            declared = tuple(symbol(f"If_{place}_{axis}") for axis in range(yes.rank))
        sizes = zip(self.then_branch.shape(yes), self.else_branch.shape(no), declared, strict=True)
        return tuple(one if one == other else said for one, other, said in sizes)

    def dtypes(self, types: Mapping[str, DType]) -> list[DType]:
        return [tensor.dtype for tensor in self.then_branch.outputs]

    def evaluate(self, *arrays: Array) -> list[Array]:
        return self._run(arrays, wide=False)

    def evaluate_wide(self, *arrays: Array, most_steps: int | None = None) -> list[Array]:
        return self._run(arrays, wide=True)

    def _run(self, arrays: Sequence[Array], wide: bool) -> list[Array]:
        if arrays[0].size != 1:
            raise ValueError(f"the condition is of shape {arrays[0].shape}; one truth is wanted")
        return run_body(self.then_branch if arrays[0].all() else self.else_branch, arrays[1:], wide)

    def flops(self, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]]) -> int:
        """Count the operations of the branch that has more."""
        return max(flops_of(branch, inputs[1:]) for branch in self.bodies)


def if_(
    condition: Tensor,
    then_branch: Structure,
    else_branch: Structure,
    shared: Sequence[Tensor] = (),
    *,
    provenance: frozenset[scopes.Origin] | None = None,
) -> tuple[Tensor, ...]:
    """Run one of two graphs; see `If`.

    Args:
        condition: one bool.
        then_branch: what runs where it is true; its inputs are what is shared.
        else_branch: what runs where it is false; its inputs and outputs are of the same number, dtypes and ranks.
        shared: what the branches read.
        provenance: where the node came from; the scope in force by default.

    Returns:
        The outputs of the branch that runs. A size in which the branches differ is a symbol.

    Raises:
        ArgumentError: the branches do not take what is shared, or have another number of outputs.
        ArgumentTypeError: the condition is no tensor, a branch is no Graph, or what it is given is no list of tensors.
        ShapeError, DTypeError: a tensor does not fit a branch's input, or the outputs of the branches differ in rank or dtype.

    Example:
        >>> x, training = unroll.placeholder([2], name="x"), unroll.placeholder([], name="training", dtype="bool")
        >>> inner = unroll.placeholder([2], name="inner")
        >>> double, same = unroll.Graph([inner], 2 * inner), unroll.Graph([inner], ops.identity(inner))
        >>> (y,) = ops.if_(training, double, same, [x])
        >>> unroll.Graph([x, training], {"y": y}).run({x: [1, 2], training: True})
        {'y': array([2., 4.], dtype=float32)}
    """
    branches = [checked_body(then_branch, "If: then_branch"), checked_body(else_branch, "If: else_branch")]
    (others,) = checked_tensors({"shared": shared}, "If")
    if condition is None:
        raise ArgumentTypeError("If: the condition is None; a tensor of one bool is wanted")
    check_is(condition, BOOL, "If: the condition")
    for branch in branches:
        if len(branch.inputs) != len(others) or len(branch.outputs) != len(branches[0].outputs):
            raise ArgumentError(f"If: {len(others)} shared tensors do not fit {branches[0]!r} and {branch!r}")
        check_dtypes(zip(branch.inputs, others, strict=True), "If")
    check_dtypes(zip(branches[0].outputs, branches[1].outputs, strict=True), "If")
    op = If(branches[0], branches[1])
    return made(op, (condition, *others), scopes.current().provenance if provenance is None else provenance)
