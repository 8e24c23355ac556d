"""A graph written anew with one change that is known: what a comparison must find, and nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import unroll
from unroll import ops
from unroll.ops.operator import made
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor

#: Operators of one float input that any other of these can stand in for.
UNARY = {"Tanh": ops.tanh, "Sigmoid": ops.sigmoid, "Abs": ops.abs, "Neg": ops.neg, "Relu": ops.relu}
KINDS = ("added", "removed", "operator", "constant", "weight", "rewired")


class Change(NamedTuple):
    """A changed graph.

    Attributes:
        graph: the graph.
        kind: what was changed: one of `KINDS`.
        at: the node that was changed, of the changed graph; for a removed one, of the other; None for a weight.
        weight: the Parameter that was changed.
    """

    graph: unroll.Graph
    kind: str
    at: Node | None
    weight: str = ""


def changed(graph: unroll.Graph, kind: str, rng: np.random.Generator) -> Change | None:
    """Return the graph with one change of a kind; None where there is no place for one."""
    chosen = _drawn([node for node in graph.nodes if _fits(graph, node, kind)], rng)
    if kind == "weight":
        return _with_weight(graph, rng)
    if chosen is None:
        return None
    new: dict[Tensor, Tensor] = {}
    at: list[Node] = []
    for node in graph.nodes:
        inputs = [None if tensor is None else new.get(tensor, tensor) for tensor in node.inputs]
        if node is chosen and kind == "removed":
            at.append(node)
            new[node.outputs[0]] = inputs[0]  # type: ignore[assignment]
            continue
        op = node.op
        if node is chosen and kind == "operator":
            other = _drawn([name for name in UNARY if name != op.name], rng)
            op = UNARY[str(other)](inputs[0]).node.op
        if node is chosen and kind == "constant":
            place = next(place for place, tensor in enumerate(inputs) if isinstance(tensor, Constant))
            inputs[place] = unroll.constant(inputs[place].value + 1)  # type: ignore[union-attr]
        if node is chosen and kind == "rewired":
            place, other = _rewiring(graph, node)  # type: ignore[misc]
            inputs[place] = new.get(other, other)
        outputs = made(op, tuple(inputs), node.provenance)
        for before, after in zip(node.outputs, outputs, strict=True):
            after.hint = before.hint
            new[before] = after
        if node is chosen and kind == "added":
            new[node.outputs[0]] = UNARY[_apart(graph, node)[0]](outputs[0])
            at.append(new[node.outputs[0]].node)  # type: ignore[arg-type]
        elif node is chosen:
            at.append(outputs[0].node)
    named = dict(zip(graph.output_names, (new.get(tensor, tensor) for tensor in graph.outputs), strict=True))
    return Change(unroll.Graph(graph.inputs, named), kind, at[0])


def _fits(graph: unroll.Graph, node: Node, kind: str) -> bool:
    unary = len(node.outputs) == 1 and node.outputs[0].dtype.kind == "f"
    if kind == "added":
        return unary and bool(_apart(graph, node))
    if kind == "removed":
        source = node.inputs[0] if node.inputs else None
        same = source is not None and source.shape == node.outputs[0].shape and source.dtype == node.outputs[0].dtype
        alone = node.op.name not in _beside(graph, node)  # of two in a row, nobody can say which one is gone
        return unary and len(node.inputs) == 1 and same and alone and source.node is not None  # type: ignore[union-attr]
    if kind == "operator":
        return node.op.name in UNARY and unary
    if kind == "constant":
        return (
            node.op.name in ("Add", "Sub", "Mul") and unary and any(isinstance(item, Constant) for item in node.inputs)
        )
    return kind == "rewired" and _rewiring(graph, node) is not None


def _beside(graph: unroll.Graph, node: Node) -> set[str]:
    """Return the operators that stand before and behind a node."""
    before = {tensor.node.op.name for tensor in node.inputs if tensor is not None and tensor.node is not None}
    return before | {other.op.name for other in graph.nodes for tensor in node.outputs if tensor in other.inputs}


def _apart(graph: unroll.Graph, node: Node) -> list[str]:
    """Return operators that stand out where they are put behind a node."""
    return [name for name in UNARY if name != node.op.name and name not in _beside(graph, node)]


def _rewiring(graph: unroll.Graph, node: Node) -> tuple[int, Tensor] | None:
    """Return an input of a node that has other readers, and another tensor made before that can stand in for it."""
    before = graph.nodes[: graph.nodes.index(node)]
    for place, tensor in enumerate(node.inputs):
        if tensor is None or tensor.node is None or tensor.dtype.kind != "f":
            continue
        read = sum(tensor in other.inputs for other in graph.nodes) > 1 or tensor in graph.outputs
        for other in before if read else ():
            for output in other.outputs:
                if output is not tensor and output.shape == tensor.shape and output.dtype == tensor.dtype:
                    return place, output
    return None


def _with_weight(graph: unroll.Graph, rng: np.random.Generator) -> Change | None:
    name = _drawn([name for name, item in graph.parameters.items() if item.value.size], rng)
    if name is None:
        return None
    old = graph.parameters[name]
    new: dict[Tensor, Tensor] = {old: Parameter(old.value + np.asarray(0.5, old.dtype), name)}
    for node in graph.nodes:
        inputs = tuple(None if tensor is None else new.get(tensor, tensor) for tensor in node.inputs)
        for before, after in zip(node.outputs, made(node.op, inputs, node.provenance), strict=True):
            after.hint = before.hint
            new[before] = after
    named = dict(zip(graph.output_names, (new.get(tensor, tensor) for tensor in graph.outputs), strict=True))
    return Change(unroll.Graph(graph.inputs, named), "weight", None, name)


def _drawn(items: list[Any], rng: np.random.Generator) -> Any:
    return items[int(rng.integers(len(items)))] if items else None
