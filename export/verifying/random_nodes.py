"""Nodes of a model that draw random numbers, wherever in it they stand: in graphs inside nodes and in functions as well."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

from unroll.export.reading.opaque_nodes import ONNX_DOMAIN, subgraphs
from unroll.randomness import RANDOM


def random_nodes(model: ModelProto) -> list[str]:
    """Return the nodes of a model that draw other numbers at every run, by name and operator."""
    found = [*_in_graph(model.graph, ())]
    for function in model.functions:
        found += _in_nodes(function.node, ())
    return list(dict.fromkeys(found))


def _in_graph(graph: GraphProto, outer: Collection[str]) -> Iterator[str]:
    """Yield those of a graph; `outer` are tensors around it that are known to be false."""
    yield from _in_nodes(graph.node, {*outer, *(item.name for item in graph.initializer if _is_false(item))})


def _in_nodes(nodes: Iterable[NodeProto], outer: Collection[str]) -> Iterator[str]:
    false = set(outer)
    for node in nodes:
        if node.domain in ONNX_DOMAIN:
            if node.op_type == "Constant" and any(_is_false(item.t) for item in node.attribute if item.HasField("t")):
                false.add(node.output[0])
            elif _draws(node, false):
                yield f"{node.name or node.output[0]} ({node.op_type})"
        for graph in subgraphs(node):
            yield from _in_graph(graph, false)


def _is_false(tensor: TensorProto) -> bool:
    return tensor.data_type == TensorProto.BOOL and len(tensor.dims) < 2 and not numpy_helper.to_array(tensor).any()


def _draws(node: NodeProto, false: Collection[str]) -> bool:
    if any(item.name == "seed" for item in node.attribute):
        return False
    trains = len(node.input) > 2 and bool(node.input[2]) and node.input[2] not in false
    return node.op_type in RANDOM or (node.op_type == "Dropout" and trains)
