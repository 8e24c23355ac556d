"""Which gate, or state, each node in the body of a file's Scan makes: found on a few steps of it, written one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from unroll.display import placed
from unroll.graph import Graph
from unroll.ops.linear import matmul
from unroll.ops.operator import made
from unroll.ops.scan import Scan
from unroll.parameter import Parameter
from unroll.scopes import Origin
from unroll.tensor import Node, Placeholder, Tensor
from unroll.viz.found_names import found_names

#: How many steps are written: the middle one of them has a step before it and one after it.
_STEPS, _MIDDLE = 3, 1
#: How many nodes a body may have.
_LARGEST = 200
_NOWHERE = frozenset({Origin("", None, None, None)})


class BodyPlaces(NamedTuple):
    """What is found of a body.

    Attributes:
        origins: the cell and gate of its nodes.
        names: what its tensors are called: ``c``, ``f``, ``z_f``.
        weights: the weights whose blocks are found, by their place among the Scan's inputs.
    """

    origins: Mapping[Node, Origin]
    names: Mapping[Tensor, str]
    weights: Mapping[int, Parameter]


NOTHING = BodyPlaces({}, {}, {})


def body_places(op: Scan, weights: Mapping[int, Parameter]) -> BodyPlaces:
    """Return the places of a body's nodes; none where it has cells already, or is none that is known.

    Args:
        op: the Scan.
        weights: the Parameters that every step reads, by their place among the Scan's inputs.
    """
    if len(op.body.nodes) > _LARGEST or any(node.origin.cell is not None for node in op.body.nodes):
        return NOTHING
    # Where a product with the input is made for all steps at once, outside of the body, its weight is missed there.
    found = [_found(op, weights, weighed) for weighed in (False, True)]
    return max(found, key=lambda item: len({origin.gate for origin in item.origins.values()}))


def _found(op: Scan, weights: Mapping[int, Parameter], weighed: bool) -> BodyPlaces:
    body, states, rows = op.body, op.num_states, op.num_states + op.num_scan_inputs
    # Names that no weight has: two Parameters of one name are no graph.
    own = max(["of_a_step", *(item.name for item in weights.values())], key=len)
    shared: dict[Tensor, Tensor] = {
        tensor: weights[place] if place in weights else _stand_in(tensor, f"{own}_{place}")
        for place, tensor in enumerate(body.inputs[rows:], rows)
    }
    scanned = body.inputs[states:rows] if weighed else ()
    mixed = {tensor: _mixing(tensor, f"{own}_{place}") for place, tensor in enumerate(scanned, states)}
    handed: list[Tensor] = [
        Placeholder(item.shape, item.dtype, f"state{place}") for place, item in enumerate(body.inputs[:states])
    ]
    inputs = [tensor for tensor in (*handed, *shared.values()) if isinstance(tensor, Placeholder)]
    outputs: list[Tensor] = []
    middle: dict[Tensor, Tensor] = {}
    for step in range(_STEPS):
        inside = shared | dict(zip(body.inputs, handed, strict=False))
        for place, tensor in enumerate(body.inputs[states:rows]):
            inputs.append(Placeholder(tensor.shape, tensor.dtype, f"x{place}_{step}"))
            mixing = mixed.get(tensor)
            inside[tensor] = inputs[-1] if mixing is None else matmul(inputs[-1], mixing)
        _replay(body.nodes, inside)
        after = [inside.get(tensor, tensor) for tensor in body.outputs]
        handed = after[:states]
        outputs += after[states:]
        middle = inside if step == _MIDDLE else middle
    flat = Graph(list(dict.fromkeys(inputs)), [*outputs, *handed])
    return _read(flat, body.nodes, middle, {tensor: place for place, tensor in weights.items()})


def _stand_in(tensor: Tensor, name: str) -> Tensor:
    """Return a weight of a tensor's shape, as what every step reads is one; else an input."""
    sizes = [size for size in tensor.shape if isinstance(size, int)]
    if tensor.dtype.kind == "f" and 0 < len(sizes) == tensor.rank < 3:
        return Parameter(np.zeros(sizes, tensor.dtype), name)
    return Placeholder(tensor.shape, tensor.dtype, name)


def _mixing(tensor: Tensor, name: str) -> Parameter | None:
    """Return a square weight that a row of input may have been multiplied by."""
    width = tensor.shape[-1] if tensor.rank == 2 and tensor.dtype.kind == "f" else None
    return Parameter(np.zeros((width, width), tensor.dtype), name) if isinstance(width, int) else None


def _replay(nodes: Sequence[Node], inside: dict[Tensor, Tensor]) -> None:
    for node in nodes:
        inputs = [None if tensor is None else inside.get(tensor, tensor) for tensor in node.inputs]
        inside |= zip(node.outputs, made(node.op, inputs, _NOWHERE), strict=True)


def _read(
    flat: Graph, nodes: Sequence[Node], middle: Mapping[Tensor, Tensor], weights: Mapping[Tensor, int]
) -> BodyPlaces:
    """Return what is found out about the middle one of the steps of a flat graph."""
    shown = placed(flat)
    new = {shown.name(tensor): tensor for node in shown.nodes for tensor in node.outputs}
    written = set(flat.nodes)
    pairs = {
        tensor: new[flat.name(middle[tensor])]
        for node in nodes
        for tensor in node.outputs
        if middle[tensor].node in written
    }
    called = found_names(pairs.values())
    origins = {
        tensor.node: _of_a_body(other.node.origin)
        for tensor, other in pairs.items()
        if tensor.node is not None and other.node is not None and other.node.origin.step is not None
    }
    tables = {item.name: item for item in shown.parameters.values() if item.blocks is not None}
    blocks = {
        place: tables[item.name]
        for item, place in weights.items()
        if isinstance(item, Parameter) and item.name in tables
    }
    return BodyPlaces(origins, {tensor: called[other] for tensor, other in pairs.items() if other in called}, blocks)


def _of_a_body(origin: Origin) -> Origin:
    """Return an origin as a node of our own cells has it, its scope that of the cell at its step; what stands around the Scan
    may have the same one.
    """
    around = origin.scope.rpartition("/")[0].replace(f"t{_MIDDLE}/", "t0/", 1)
    return origin._replace(scope=f"body/{around}", step=0)
