"""The graphs in a node's attributes, made ready to be read as bodies of an operator of ours.

A body of ours reads nothing by name: what it takes from outside are inputs. So its weights move out of it, and what it reads
of the graph around it is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from onnx import GraphProto, NodeProto, TensorProto

from unroll.export.light_copies import copy_node
from unroll.export.reading.opaque_nodes import captured_names, rename, subgraphs

#: The numbers of the dtypes whose initializers become Parameters.
_FLOATS = (TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE)


def is_weight(tensor: TensorProto) -> bool:
    """Say whether an initializer is a weight: an array of a floating dtype, and not a single number of no axes."""
    return tensor.data_type in _FLOATS and len(tensor.dims) > 0


def ready(node: NodeProto, move_out: Callable[[TensorProto], str]) -> tuple[NodeProto, dict[str, str]]:
    """Return a copy of a node whose inner graphs hold no weights, and what these graphs read of the graph around them.

    Names that our own writer gave them are those again that stood in the body (see `unroll.export.lowering`).

    Args:
        node: the node.
        move_out: takes a weight of an inner graph, and returns the name that it has outside from here on.

    Returns:
        The copy, and what is read from outside: the name inside, and the name outside.
    """
    found, weights = NodeProto(), list[tuple[GraphProto, TensorProto]]()

    def take(graph: GraphProto, tensor: TensorProto) -> bool:
        if not is_weight(tensor) or any(item.name == tensor.name for item in graph.input):
            return True  # one that is an input too can be fed
        weights.append((graph, tensor))
        return False

    copy_node(node, found, take)
    for graph, weight in weights:
        rename(graph, {weight.name: move_out(weight)}, {})
    outside = captured_names(found)
    own = {item.name: _own_names(item.g) for item in found.attribute if item.HasField("g")}
    prefixes = {name: f"{node.name}/{name}/" for name in own} if node.name else {}
    taken = {_short(text, prefixes.get(name, "")) for name, texts in own.items() for text in texts - set(outside)}
    inside = {name: _free(name, taken) for name in outside}
    for attribute in found.attribute:
        if attribute.HasField("g"):
            rename(attribute.g, inside, {})
            prefix, names = prefixes.get(attribute.name, ""), own[attribute.name] - set(outside)
            new = {name: _short(name, prefix) for name in names if _short(name, prefix) not in names}
            _rename_all(attribute.g, new, prefix)
    return found, {new: old for old, new in inside.items()}


def _short(name: str, prefix: str) -> str:
    return name.removeprefix(prefix) or name


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _own_names(graph: GraphProto) -> set[str]:
    """Return the names of everything that a graph, and those within it, read or make."""
    return {name for inner in _with_inner(graph) for name in _names(inner)}


def _with_inner(graph: GraphProto) -> Iterator[GraphProto]:
    waiting = [graph]
    while waiting:
        yield (graph := waiting.pop())
        waiting += [inner for node in graph.node if node.attribute for inner in subgraphs(node)]


def _names(graph: GraphProto) -> Iterator[str]:
    yield from (item.name for item in (*graph.input, *graph.initializer, *graph.output))
    for node in graph.node:
        yield from (name for name in (*node.input, *node.output) if name)


def _rename_all(graph: GraphProto, new: Mapping[str, str], prefix: str) -> None:
    for inner in _with_inner(graph):
        for item in (*inner.input, *inner.initializer, *inner.output, *inner.value_info):
            item.name = new.get(item.name, item.name)
        for node in inner.node:
            node.name = _short(node.name, prefix)
            for names in (node.input, node.output):
                names[:] = [new.get(name, name) for name in names]
