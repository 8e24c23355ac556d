"""A Graph as a networkx graph, which does the graph theory: critical path, isomorphism, reachability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unroll.parameter import Parameter
from unroll.structure import Structure
from unroll.tensor import Constant, Placeholder, Tensor

if TYPE_CHECKING:
    import networkx

_KINDS: dict[type[Tensor], str] = {Placeholder: "input", Parameter: "parameter", Constant: "constant"}


def to_networkx(graph: Structure) -> networkx.MultiDiGraph[str]:
    """Return `graph` as a MultiDiGraph; see `unroll.Graph.to_networkx` for its attributes.

    Sources (inputs, Parameters, constants) and nodes are told apart by ``kind``; where a node and a source have one
    name, the source's is followed by a colon.
    """
    import networkx  # loaded when first used: many a program never asks for it

    view: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
    keys: dict[object, str] = {}
    for node in graph.nodes:
        key = keys[node] = graph.name(node)
        origin = node.origin
        view.add_node(
            key,
            kind="node",
            op=node.op.name,
            scope=origin.scope,
            step=origin.step,
            cell=origin.cell,
            gate=origin.gate,
            attributes=node.op.attributes,
        )
    sources = [*graph.inputs, *(t for node in graph.nodes for t in node.inputs if t is not None and t.node is None)]
    for tensor in (*sources, *(output for output in graph.outputs if output.node is None)):
        if tensor not in keys:
            name = graph.name(tensor)
            key = keys[tensor] = name + ":" if view.nodes.get(name, {}).get("kind") == "node" else name
            view.add_node(key, kind=_KINDS[type(tensor)], shape=graph.shape(tensor), dtype=str(tensor.dtype))
    for node in graph.nodes:
        for place, read in enumerate(node.inputs):
            if read is not None:
                source = keys[read] if read.node is None else keys[read.node]
                name, shape = graph.name(read), graph.shape(read)
                view.add_edge(source, keys[node], tensor=name, shape=shape, dtype=str(read.dtype), input=place)
    return view
