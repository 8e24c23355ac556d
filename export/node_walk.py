"""Every node of a model: those of the main graph, of bodies in attributes, and of the model's own functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from onnx import GraphProto, ModelProto, NodeProto

#: Where the operators of ONNX and onnxruntime live; a node of another domain is a function or a custom operator.
NATIVE_DOMAINS = frozenset(["", "ai.onnx", "com.microsoft"])


def is_native(node: NodeProto) -> bool:
    """Say whether a node is an operator of ONNX or onnxruntime, and no function of the model's own."""
    return node.domain in NATIVE_DOMAINS


def all_nodes(model: ModelProto) -> Iterator[NodeProto]:
    """Yield every node of a model, those of bodies and functions too."""
    for nodes in (model.graph.node, *(item.node for item in model.functions)):
        yield from with_inner(nodes)


def with_inner(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """Yield nodes and those of the bodies in their attributes, however deep."""
    waiting = [nodes]
    while waiting:
        for node in waiting.pop():
            yield node
            if node.attribute:  # most nodes of a flat graph have none
                waiting += [body.node for body in bodies(node)]


def operators_of(model: ModelProto) -> set[str]:
    """Return the operators of every node of a model, without their domains."""
    return {node.op_type for node in all_nodes(model)}


def bodies(node: NodeProto) -> Iterator[GraphProto]:
    """Yield the graphs in a node's attributes."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def title(node: NodeProto) -> str:
    """Return what to call a node in a message."""
    if node.name:
        return f"node {node.name!r} ({node.op_type})"
    return f"the {node.op_type} that makes {next((name for name in node.output if name), '')!r}"
