"""Layers in a picture of cells: what a layer such as Dense computes is one box."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import networkx

from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.scopes import Origin, without_step
from unroll.tensor import Constant, Node
from unroll.viz.weight_names import without_reading


class LayerBox(NamedTuple):
    """One call of a layer.

    Attributes:
        path: the layer's scope.
        nodes: what it computes.
        owned: it is known to be a layer's, however little it computes.
    """

    path: str
    nodes: list[Node]
    owned: bool


def shown_boxes(boxes: Iterable[LayerBox], hidden: Collection[Node]) -> list[LayerBox]:
    """Return the boxes of layers without nodes that are not drawn; a box of one node has to be known to be a layer's."""
    found = [box._replace(nodes=[node for node in box.nodes if node not in hidden]) for box in boxes]
    return [box for box in found if len(box.nodes) > 1 or (box.owned and box.nodes)]


def layer_boxes(graph: Graph) -> list[LayerBox]:
    """Return the calls of layers outside of cells.

    A scope is a layer's where weights lie directly in it that its nodes read, as Dense and Embedding have, where it is known
    to be one's and holds no other scope, or where it holds several operators, no step and no other scope, as files have
    them. What hands something to itself from step to step is a recurrence, and stays open.
    """
    files = _layers_of_files(graph)
    groups: dict[tuple[str, int | None], list[Node]] = {}
    opened: set[str] = set()
    for node in graph.nodes:
        if len(node.provenance) == 1:  # nearly all: said apart, for a long graph has very many in cells
            origin = node.origin
            if "/" in origin.scope:
                opened.add(origin.scope.rpartition("/")[0])
            if origin.cell is None and origin.scope:
                groups.setdefault((_within(origin.scope, files), origin.step), []).append(node)
            continue
        places = {(origin.scope, origin.step) for origin in node.provenance}
        opened.update(scope.rpartition("/")[0] for scope, _ in places if "/" in scope)
        in_cell = any(origin.cell is not None for origin in node.provenance)
        if not in_cell and len(places) == 1 and all(scope for scope, _ in places):
            groups.setdefault(places.pop(), []).append(node)
    around = {scope[:end] for scope in opened for end in _ends(scope)}
    recurrent = _recurrent(groups)
    found: list[LayerBox] = []
    for (scope, step), nodes in groups.items():
        path = _path(scope, step)
        leaf, known = scope not in around, _is_of_a_layer(nodes[0].origin)
        owned = any(_reads_from(node, path) for node in nodes) or (known and leaf) or path in files
        owned = bool(path) and path not in recurrent and owned
        if owned or (step is None and leaf):
            found += [LayerBox(path, call, owned) for call in _calls(nodes)]
    return found


def _layers_of_files(graph: Graph) -> set[str]:
    """Return the scopes that are layers in files of Keras, where each node is a scope by its own name: those that weights lie
    in, behind the operators with which TensorFlow reads them, each of which one node reads, at no step and in no cell.
    """
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for tensor in node.inputs:
            if isinstance(tensor, Parameter):
                path = without_reading(tensor.name)
                if path != tensor.name:
                    readers.setdefault(path, []).append(node)
    return {
        path
        for path, nodes in readers.items()
        if len(set(nodes)) == len(nodes) and all(_lies_alone_in(node, path) for node in nodes)
    }


def _lies_alone_in(node: Node, path: str) -> bool:
    one = len(node.provenance) == 1 and node.origin.cell is None and node.origin.step is None
    return one and node.origin.scope.startswith(f"{path}/")


def _within(scope: str, layers: Collection[str]) -> str:
    """Return the layer that a scope lies in, or the scope itself."""
    ends = (scope[:end] for end in _ends(scope)) if layers else ()
    return next((end for end in ends if end in layers), scope)


def _is_of_a_layer(origin: Origin) -> bool:
    """Say whether the innermost scope of an origin is a layer's or module's."""
    return bool(origin.bearers) and origin.bearers[-1].nodes == origin.scope.count("/")


def is_of_layers(graph: Graph) -> bool:
    """Say whether a graph is made of several layers, as a multilayer perceptron is."""
    return len(shown_boxes(layer_boxes(graph), ())) > 1


def _path(scope: str, step: int | None) -> str:
    """Return the scope of the variables of nodes: that of the nodes without the step in it."""
    parts = f"{scope}/"
    return without_step(parts, step).strip("/")


def _ends(scope: str) -> Iterator[int]:
    yield from (place for place, char in enumerate(scope) if char == "/")
    yield len(scope)


def _reads_from(node: Node, path: str) -> bool:
    """Say whether a node reads a weight that lies directly in a scope."""
    return any(isinstance(tensor, Parameter) and tensor.name.rpartition("/")[0] == path for tensor in node.inputs)


def _recurrent(groups: Mapping[tuple[str, int | None], list[Node]]) -> set[str]:
    """Return the scopes whose nodes at one step read what the same scope makes at another."""
    place = {node: key for key, nodes in groups.items() for node in nodes}
    found: set[str] = set()
    for node, (scope, step) in place.items():
        for tensor in node.inputs:
            before = place.get(tensor.node) if tensor is not None and tensor.node is not None else None
            if before is not None and before[1] != step and _path(*before) == _path(scope, step):
                found.add(_path(scope, step))
    return found


def _calls(nodes: list[Node]) -> list[list[Node]]:
    """Return the nodes of each call of a layer, each in its order: those that read each other, and those beside them that are
    given the same, as an Embedding's mask is made of the ids that it looks up.
    """
    inside, place = set(nodes), {node: number for number, node in enumerate(nodes)}
    calls: dict[object, list[Node]] = {}
    for part in _connected(nodes):
        flowing = (tensor for node in part for tensor in node.inputs if not isinstance(tensor, (Parameter, Constant)))
        given = frozenset(tensor for tensor in flowing if tensor is not None and tensor.node not in inside)
        calls.setdefault(given or part[0], []).extend(part)
    return [sorted(call, key=place.__getitem__) for call in calls.values()]


def _connected(nodes: list[Node]) -> list[list[Node]]:
    """Return nodes in the groups in which they read each other, each in its order."""
    inside = set(nodes)
    reads: networkx.Graph[Node] = networkx.Graph()
    reads.add_nodes_from(nodes)
    made = ((tensor.node, node) for node in nodes for tensor in node.inputs if tensor is not None and tensor.node)
    reads.add_edges_from((one, other) for one, other in made if one in inside)
    place = {node: number for number, node in enumerate(nodes)}
    parts = [sorted(part, key=place.__getitem__) for part in networkx.connected_components(reads)]
    return sorted(parts, key=lambda part: place[part[0]])
