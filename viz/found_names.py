"""What tensors of files are called, whose own names say nothing: by what is found of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from unroll.graph import Graph
from unroll.ops.arithmetic import Add
from unroll.ops.joining import Split
from unroll.ops.linear import Gemm, MatMul
from unroll.ops.slicing import Slice
from unroll.parameter import Parameter
from unroll.scopes import Origin
from unroll.structure import nodes_before
from unroll.tensor import Node, Tensor
from unroll.viz.gate_columns import GateColumns
from unroll.viz.made_weights import fixed_tensors

#: What makes a gate of its columns.
FUNCTIONS = ("HardSigmoid", "Relu", "Sigmoid", "Tanh")
#: Instead of the source of a product: what is cut are gates.
_GATES = "gates"
#: How many additions may lie between a product and where it is cut.
_FARTHEST = 3


def found_names(tensors: Iterable[Tensor]) -> dict[Tensor, str]:
    """Return what tensors of files are called that are found to be a state or a gate: the gate after its activation, and
    what enters that, as in our cells, ``z_f``.
    """
    origins = {tensor: tensor.node.origin for tensor in tensors if tensor.node is not None}
    found: dict[Tensor, str] = {}
    gates: dict[Node, tuple[Tensor, Origin]] = {}
    for tensor, origin in origins.items():
        name = origin.scope.rpartition("/")[2]
        if origin.cell is None or origin.step is None or tensor.node is None or len(tensor.node.provenance) > 1:
            continue
        if tensor.hint is not None and len(tensor.node.outputs) > 1:  # a gate that is cut from a joined product
            found[tensor] = tensor.hint
            continue
        if origin.gate is not None and name != origin.gate:  # else it is one of the operators of a gate of ours
            found[tensor] = origin.gate
            gates[tensor.node] = (tensor, origin)
        elif origin.gate is None and name in ("c", "h"):
            found[tensor] = name
    named = {(*origin[1:3], found[tensor]) for tensor, origin in gates.values()}
    for tensor, name in found.items():
        if origins[tensor].gate is None and (*origins[tensor][1:3], name) in named:
            found[tensor] = f"new_{name}"  # as in our cells: Keras calls both a candidate and a state h
    for node, (_, origin) in gates.items():
        for made in [item.node for item in node.inputs if item is not None]:
            before = gates.get(made) if made is not None else None
            if made is None or before is None or before[1][1:4] != origin[1:4]:
                continue
            name = f"z_{origin.gate}"
            if any(found.get(item) == name for item in made.inputs if item is not None):
                found.pop(before[0], None)  # of z_f and z_f + 1 the first has the name, as in our cells
            else:
                found[before[0]] = name
    return found


def found_rows(graph: Graph, tensors: Sequence[Tensor]) -> dict[Tensor, str]:
    """Return the rows of data that files cut out for their steps, as ours are called; nothing where a step has several."""
    if not tensors:
        return {}
    in_cells = {
        tensor for node in graph.nodes if node.origin.cell is not None for tensor in node.inputs if tensor is not None
    }
    found: dict[int, list[Tensor]] = {}
    for tensor in (item for item in tensors if item in in_cells and item.dtype.kind == "f"):
        origin = _only_origin(tensor)
        if origin is not None and origin.cell is None and origin.step is not None:
            found.setdefault(origin.step, []).append(tensor)
    return {rows[0]: "x" for rows in found.values()} if all(len(rows) == 1 for rows in found.values()) else {}


def found_columns(graph: Graph, found: Mapping[Tensor, str], tensors: Iterable[Tensor]) -> dict[Tensor, str]:
    """Return the gates of steps that are written otherwise than the others, as a first one may be: what one function alone
    makes of the columns of one gate.

    Args:
        graph: the graph.
        found: what is called already.
        tensors: those that may be.
    """
    known = {(_at(origin), name) for tensor, name in found.items() if (origin := _only_origin(tensor)) is not None}
    lacking = {
        tensor: _at(origin)
        for tensor in tensors
        if tensor not in found and (origin := _only_origin(tensor)) is not None
        if origin.cell is not None and origin.gate is None
        if tensor.node is not None and tensor.node.op.name in FUNCTIONS
    }
    named = {gate for item in graph.parameters.values() if item.blocks for gate, _ in item.blocks.columns}
    complete = {at for at in set(lacking.values()) if all((at, gate) in known for gate in named)}
    lacking = {tensor: at for tensor, at in lacking.items() if at not in complete}
    if not lacking:
        return {}
    columns = GateColumns(graph, nodes_before(list(lacking)))  # often those of one step alone
    made: dict[tuple[tuple[str | None, int | None], str], list[Tensor]] = {}
    for tensor, at in lacking.items():
        gates = columns.gates(tensor)
        if len(gates) == 1:
            made.setdefault((at, gates[0]), []).append(tensor)
    return {several[0]: gate for (at, gate), several in made.items() if len(several) == 1 and (at, gate) not in known}


def found_pieces(graph: Graph) -> dict[Tensor, str]:
    """Return what the pieces of products are called that are added up to what enters a gate, as the blocks of their weights
    are: ``x_r`` and ``h_r`` of those that W_xr and W_hr make; and gates that are cut from what one function makes of several.
    Nothing where a cell has two of one name at a step.
    """
    cut = [node for node in graph.nodes if isinstance(node.op, (Split, Slice)) and node.origin.cell is not None]
    fixed = fixed_tensors(graph) if cut else set()
    sources = {node: source for node in cut if (source := _source_of(node, fixed))}
    if not sources:
        return {}
    columns = GateColumns(graph)
    made: dict[tuple[frozenset[Origin], str], list[Tensor]] = {}
    for node, source in sources.items():
        where = frozenset(origin._replace(scope="", gate=None) for origin in node.provenance)
        for tensor in node.outputs:
            gates = columns.gates(tensor)
            if len(gates) == 1:
                name = gates[0] if source == _GATES else f"{source}_{gates[0]}"
                made.setdefault((where, name), []).append(tensor)
    return {tensors[0]: name for (_, name), tensors in made.items() if len(tensors) == 1}


def _source_of(node: Node, fixed: Collection[Tensor]) -> str:
    """Return the one source of the rows of the weight that a product is made with, of which a node cuts a piece, or that it
    cuts gates; `fixed` are the tensors that are made of weights, such as biases.
    """
    tensor = node.inputs[0]
    if tensor is not None and tensor.node is not None and tensor.node.op.name in FUNCTIONS:
        return _GATES
    for _ in range(_FARTHEST):
        made = tensor.node if tensor is not None else None
        if made is None:
            return ""
        if isinstance(made.op, (Gemm, MatMul)):
            weight = made.inputs[1]
            weight = weight.node.inputs[0] if weight is not None and weight.node is not None else weight
            blocks = weight.blocks if isinstance(weight, Parameter) else None
            return blocks.rows[0][0] if blocks is not None and len(blocks.rows) == 1 else ""
        if not isinstance(made.op, Add):
            return ""
        moving = [item for item in made.inputs if item is not None and item.node is not None and item not in fixed]
        tensor = moving[0] if len(moving) == 1 else None
    return ""


def _at(origin: Origin) -> tuple[str | None, int | None]:
    return origin.cell, origin.step


def _only_origin(tensor: Tensor) -> Origin | None:
    """Return where the one output of a node comes from, if that is one place."""
    node = tensor.node
    return node.origin if node is not None and len(node.outputs) == len(node.provenance) == 1 else None
