"""If operators: the branch that its condition chooses, where that is decided while unrolling."""

from __future__ import annotations

from collections.abc import Sequence

from unroll.ops.branches import If
from unroll.ops.operator import Operator
from unroll.passes.unrolling.flattening import Flattening, Inputs, LeftError
from unroll.passes.unrolling.step_places import Place
from unroll.scopes import Origin, join
from unroll.tensor import Constant, Node, Tensor


def write_if(
    flat: Flattening, node: Node, op: Operator, inputs: Inputs, provenance: frozenset[Origin]
) -> tuple[Sequence[Tensor], int]:
    """Write the branch of an If that its condition chooses.

    Args:
        flat: the graph in the making.
        node: the old node.
        op: its operator.
        inputs: what it reads in the new graph.
        provenance: where it comes from.

    Returns:
        What the branch gives, and 1 for one run of it.

    Raises:
        LeftError: only a run knows the condition.
    """
    assert isinstance(op, If)
    condition = inputs[0]
    if not isinstance(condition, Constant):
        raise LeftError(f"only a run knows its condition; {flat.deciders(condition)}")
    branch = op.then_branch if condition.value.all() else op.else_branch
    new: dict[Tensor, Tensor] = {
        inner: tensor for inner, tensor in zip(branch.inputs, inputs[1:], strict=True) if tensor is not None
    }
    flat.walk(branch.nodes, new, within(provenance))
    return [new.get(tensor, tensor) for tensor in branch.outputs], 1


def within(outer: frozenset[Origin]) -> Place:
    """Return where nodes of a branch come from: where its If does, under their own names."""

    def place(provenance: frozenset[Origin]) -> frozenset[Origin]:
        first = min(outer, key=lambda origin: (origin.scope, origin.step or 0))
        return frozenset(
            first._replace(
                scope=join(first.scope, origin.scope), cell=origin.cell or first.cell, gate=origin.gate or first.gate
            )
            for origin in provenance
        )

    return place
