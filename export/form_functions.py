"""The form ``functions``: each call of a cell becomes one call of an ONNX model-local function.

A viewer then shows 28 calls, not 420 nodes. Calls whose nodes are the same up to names share one function; weights and
constants are inputs of the call, so that a function holds no numbers. Provenance tells the calls apart: all nodes under
``rnn/t3/basic_lstm_cell`` are one call. A cell inside another cell that computes something itself (a wrapper) is part
of that one's call; the layers of a MultiRNNCell, which only hands on, are calls of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

import networkx
from onnx import AttributeProto, FunctionProto, ModelProto, NodeProto

from unroll.errors import UnsupportedError
from unroll.graph import Graph
from unroll.tensor import Node

#: The domain of the functions, and the oldest IR version that has them.
DOMAIN = "unroll.cells"
LEAST_IR_VERSION = 8


def into_functions(model: ModelProto, graph: Graph) -> None:
    """Replace, in a flat model of `graph`, the nodes of each call of a cell by a call of a function.

    Raises:
        UnsupportedError: no node of the graph belongs to a cell.
    """
    order = _order(model, _calls(model, graph))
    calls = [item for item in order if isinstance(item, Call)]
    if not calls:
        first = f" (the first one is {graph.name(graph.nodes[0])})" if graph.nodes else ""
        raise UnsupportedError(
            f"form 'functions': no node of the graph{first} was made by a cell, so there is nothing to call. "
            "Trace cells, such as unroll.static_rnn(cell, inputs), or use form='unrolled'"
        )
    functions = _functions(model, calls)
    nodes = [functions[item] if isinstance(item, Call) else item for item in order]
    copies = [NodeProto.FromString(node.SerializeToString()) for node in nodes]  # the model's go with its list
    del model.graph.node[:]
    model.graph.node.extend(copies)
    seen = {name for node in copies for name in node.output}
    kept = [item for item in model.graph.value_info if item.name in seen]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)
    model.opset_import.add(domain=DOMAIN, version=1)


class Call:
    """The nodes of one call of a cell.

    Attributes:
        scope: the call's path, such as ``rnn/t3/basic_lstm_cell``.
        cell: the cell's variable path.
        nodes: its nodes in order.
    """

    def __init__(self, scope: str, cell: str) -> None:
        self.scope, self.cell = scope, cell
        self.nodes: list[NodeProto] = []

    def made(self) -> list[str]:
        """Return what the call computes, in order."""
        return [name for node in self.nodes for name in node.output if name]

    def read(self) -> list[str]:
        """Return what the call reads from outside, in the order of first use."""
        made = set(self.made())
        return list(dict.fromkeys(name for node in self.nodes for name in node.input if name and name not in made))

    def body(self) -> tuple[bytes, ...]:
        """Return the nodes with every name replaced by its place, which tells which calls are alike."""
        names = [*self.read(), *self.made()]
        places = {name: str(place) for place, name in enumerate(names)}
        return tuple(_renamed(node, "", places).SerializeToString(deterministic=True) for node in self.nodes)

    def relative(self, name: str) -> str:
        """Return a name without the call's path before it."""
        inner = name.removeprefix(f"{self.scope}/")
        return inner if inner != name else name.rpartition("/")[2]


def _renamed(node: NodeProto, name: str, tensors: Mapping[str, str]) -> NodeProto:
    """Return a copy of a node under other names; of its metadata only the gate is the same in every call."""
    copy = NodeProto()
    copy.CopyFrom(node)
    copy.name = name
    for names in (copy.input, copy.output):
        for place, tensor in enumerate(names):
            names[place] = tensors[tensor] if tensor else ""
    kept = [item for item in node.metadata_props if item.key == "unroll.gate"]
    del copy.metadata_props[:]
    copy.metadata_props.extend(kept)
    return copy


# -- which nodes are one call -----------------------------------------------------------------------------------------


def _calls(model: ModelProto, graph: Graph) -> list[Call]:
    """Return the calls of cells, without what is computed from weights alone: that is a weight too."""
    by_name = {name: node for node, name in graph.names.nodes.items()}
    cells = {origin.cell for node in graph.nodes for origin in node.provenance if origin.cell}
    fixed = _weights(model)
    found: dict[str, Call] = {}
    for proto in model.graph.node:
        if any(name in fixed for name in proto.output):
            continue
        holds_graph = any(item.type == AttributeProto.GRAPH for item in proto.attribute)  # which may read any name
        place = None if holds_graph else _place(by_name.get(proto.name), cells)
        if place is not None:
            found.setdefault(place[0], Call(*place)).nodes.append(proto)
    return list(found.values())


def _weights(model: ModelProto) -> set[str]:
    """Return the names of weights, constants and what is computed from them alone."""
    fixed = {item.name for item in model.graph.initializer}
    for node in model.graph.node:
        if node.input and all(name in fixed or not name for name in node.input):
            fixed.update(node.output)
    return fixed


def _place(node: Node | None, cells: set[str]) -> tuple[str, str] | None:
    """Return the path of the call that a node is part of, and the variable path of its outermost cell."""
    if node is None or len(node.provenance) != 1 or node.origin.cell is None:
        return None
    parts = node.origin.cell.split("/")
    outermost = next(count for count in range(1, len(parts) + 1) if "/".join(parts[:count]) in cells)
    path = node.origin.scope.split("/")
    at = 0
    for part in parts[:outermost]:  # the node path is the variable path with steps put in
        if part not in path[at:]:
            return None
        at = path.index(part, at) + 1
    return "/".join(path[:at]), "/".join(parts[:outermost])


def _order(model: ModelProto, calls: list[Call]) -> list[Call | NodeProto]:
    """Return calls and the nodes beside them in an order to compute in.

    A call that would wait for itself (a cell called by hand) becomes several calls under one path, or stays as nodes.
    """
    nodes = list(model.graph.node)
    while True:
        by_place, flow = _flow(nodes, calls)
        if networkx.is_directed_acyclic_graph(flow):
            return [by_place.get(place, nodes[place]) for place in networkx.lexicographical_topological_sort(flow)]
        circles = [part for part in networkx.strongly_connected_components(flow) if len(part) > 1]
        caught = {by_place[place] for part in circles for place in part if place in by_place}
        parts = [part for call in calls if call in caught for part in _parted(nodes, call)]
        alone = {call.nodes[0].name for call in caught} if len(parts) == len(caught) else set()
        calls = [call for call in calls if call not in caught] + [
            part for part in parts if part.nodes[0].name not in alone
        ]


def _flow(nodes: list[NodeProto], calls: list[Call]) -> tuple[dict[int, Call], networkx.DiGraph[int]]:
    """Return the calls by the place of their first node, and what is computed before what; other nodes go by their place."""
    places = {node.name: place for place, node in enumerate(nodes)}
    by_place = {places[call.nodes[0].name]: call for call in calls}
    owner = list(range(len(nodes)))
    for first, call in by_place.items():
        for node in call.nodes:
            owner[places[node.name]] = first
    maker = {name: owner[place] for place, node in enumerate(nodes) for name in node.output}
    flow: networkx.DiGraph[int] = networkx.DiGraph()
    flow.add_nodes_from(dict.fromkeys(owner))
    for place, node in enumerate(nodes):
        before = {maker[name] for name in node.input if name in maker} - {owner[place]}
        flow.add_edges_from((other, owner[place]) for other in before)
    return by_place, flow


def _parted(nodes: list[NodeProto], call: Call) -> list[Call]:
    """Cut a call before each node that waits for something outside which waits for the call."""
    own = {node.name for node in call.nodes}
    parts: list[Call] = []
    inside: set[str] = set()
    outside: set[str] = set()
    for node in nodes:
        if node.name in own:
            if not parts or not outside.isdisjoint(node.input):
                parts.append(Call(call.scope, call.cell))
                inside, outside = set(), set()
            parts[-1].nodes.append(node)
            inside.update(node.output)
        elif any(name in inside or name in outside for name in node.input):
            outside.update(node.output)
    return parts


# -- writing ----------------------------------------------------------------------------------------------------------


def _functions(model: ModelProto, calls: list[Call]) -> dict[Call, NodeProto]:
    """Add a function for each kind of call to the model, and return the node that stands for each call."""
    alike: dict[tuple[bytes, ...], list[Call]] = {}
    for call in calls:
        alike.setdefault((call.cell.encode(), *call.body()), []).append(call)
    weights = _weights(model)
    read = _read_outside(model, calls)
    cell_of = {name: call.cell for call in calls for name in call.made()}
    opsets = list(model.opset_import)
    taken: set[str] = set()
    called: set[str] = set()
    found: dict[Call, NodeProto] = {}
    for kind in alike.values():
        results = sorted({place for call in kind for place, name in enumerate(call.made()) if name in read})
        name = _free(kind[0].cell.rpartition("/")[2], taken)
        model.functions.append(_function(kind[0], name, results, weights, cell_of))
        model.functions[-1].opset_import.extend(opsets)
        for call in kind:
            found[call] = _call(call, name, results)
            found[call].name = _free(found[call].name, called)
    return found


def _function(
    call: Call, name: str, results: list[int], weights: set[str], cell_of: Mapping[str, str]
) -> FunctionProto:
    taken: set[str] = set()
    names: dict[str, str] = {}
    for tensor in call.read():
        kind = "state" if cell_of.get(tensor) == call.cell else "input"
        own = tensor if tensor.startswith("constant/") else tensor.rpartition("/")[2]
        names[tensor] = _free(own if tensor in weights else kind, taken)
    names |= {tensor: _free(call.relative(tensor), taken) for tensor in call.made()}
    made = call.made()
    function = FunctionProto(name=name, domain=DOMAIN, doc_string=f"One step of {call.cell}.")
    function.input.extend(names[tensor] for tensor in call.read())
    function.output.extend(names[made[place]] for place in results)
    called: set[str] = set()  # the ends of names of a file's nodes, which need not lie under the call, can be alike
    function.node.extend(_renamed(node, _free(call.relative(node.name), called), names) for node in call.nodes)
    return function


def _call(call: Call, name: str, results: list[int]) -> NodeProto:
    made = call.made()
    proto = NodeProto(op_type=name, domain=DOMAIN, name=f"{call.scope}/{name}")
    proto.input.extend(call.read())
    proto.output.extend(made[place] for place in results)
    for item in call.nodes[0].metadata_props:
        value = {"unroll.scope": call.scope, "unroll.cell": call.cell}.get(item.key, item.value)
        if item.key != "unroll.gate":
            proto.metadata_props.add(key=item.key, value=value)
    return proto


def _read_outside(model: ModelProto, calls: list[Call]) -> set[str]:
    """Return the tensors that something other than the call that makes them reads."""
    inside = {node.name for call in calls for node in call.nodes}
    read = {name for node in model.graph.node if node.name not in inside for name in node.input}
    read.update(name for call in calls for name in call.read())
    return read | {item.name for item in model.graph.output}


def _free(base: str, taken: set[str]) -> str:
    """Return `base`, or with a number where it is taken, and take it."""
    name, count = base, 0
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    taken.add(name)
    return name
