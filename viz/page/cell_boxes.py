"""The boxes of an opened cell: a product with its bias is a kernel, the operators of a gate are one box, others are signs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import networkx

from unroll.ops.gate_names import GATES as NATIVE
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.dot_text import MINUS, TIMES
from unroll.viz.gates import Gates
from unroll.viz.page.activations import BOUNDS, activation
from unroll.viz.page.rows import Template

BoxKind = Literal["kernel", "gate", "gates", "named", "sign", "op"]
_PRODUCTS = ("MatMul", "Gemm", "Conv", *NATIVE)
SIGNS = {"Add": "+", "Sub": MINUS, "Mul": TIMES, "Div": "/"}
#: What only leads a product on to its gates.
_CUTTING = ("Split", "Transpose")


@dataclass(eq=False)
class CellBox:
    """Operators that are shown as one box.

    Attributes:
        kind: a kernel, a gate, several gates that are computed at once, a tensor with a name, a sign such as x, or another
            operator.
        nodes: their numbers in the template.
        gate: the gate that they are of.
        label: what the box is called.
        parts: the gates that are computed at once, by the outputs of the last operator.
    """

    kind: BoxKind
    nodes: list[int]
    gate: str | None = None
    label: str = ""
    parts: list[str] = field(default_factory=list)
    last: int = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.nodes[-1]


def cell_boxes(template: Template, gates: Collection[str], known: Gates) -> list[CellBox]:
    """Return the boxes of a step, in an order in which each comes after all that it reads.

    Gates, what a kernel makes for each of them, and what any other kernel makes, get a label where they have none.

    Args:
        template: the step.
        gates: what the gates of the cell are called; parts of a cell that nodes call a gate beside these are none.
        known: the gates of the graph.
    """
    nodes = template.nodes
    reads = _reads(nodes)
    leaves = {at[0] for at in (*template.handed, *template.given)}
    groups = _kernels(template, reads, leaves)
    kernels = {number for group in groups for number in group}
    joint = _joint_gates(template, reads, kernels | leaves, gates, known)
    groups += [group for group, _ in joint.values()]
    groups += _gates(nodes, reads, {number for group in groups for number in group}, leaves, gates)
    held = {number for group in groups for number in group}
    whole = [*groups, *([number] for number in range(len(nodes)) if number not in held)]
    whole = _without_circles(whole, reads)
    boxes = [
        CellBox("gates", group, None, ", ".join(joint[group[-1]][1]), joint[group[-1]][1])
        if group[-1] in joint and group == joint[group[-1]][0]
        else _box(group, template, kernels, gates)
        for group in whole
    ]
    named = {box.gate for box in boxes if box.kind == "gate"} | {gate for box in boxes for gate in box.parts}
    for box in reversed(boxes):
        if box.kind != "kernel" and box.gate is not None and box.gate not in named:
            named.add(box.gate)  # a file has no names: what a gate makes last is the gate
            box.kind, box.label = "gate", box.gate
    for box in boxes:
        if box.kind == "gate":
            template.labels.setdefault((box.last, 0), box.label)
            _label_preactivations(box, template, kernels)
    sums = [
        box for box in boxes if box.kind == "kernel" and not box.label and len(template.nodes[box.last].outputs) == 1
    ]
    unnamed = [box for box in sums if (box.last, 0) not in template.labels]
    taken = {*template.labels.values(), *(source.name for source in template.sources.values())}
    free = (
        name for name in ("z", *(f"z{count}" for count in range(1, len(unnamed) + len(taken) + 1))) if name not in taken
    )
    for box in unnamed:
        template.labels[box.last, 0] = next(free)
    return boxes


def _label_preactivations(box: CellBox, template: Template, kernels: set[int]) -> None:
    place = {node: at for at, node in enumerate(template.nodes)}
    read = [t for at in box.nodes for t in template.nodes[at].inputs if t is not None and t.node is not None]
    made = [(place[t.node], t.index) for t in read if t.node in place and place[t.node] in kernels]
    if len(made) == 1 and len(box.nodes) == len({*box.nodes} - kernels):
        template.labels.setdefault(made[0], f"z_{box.label}")


def gate_of(nodes: Iterable[Node], gates: Collection[str]) -> str | None:
    """Return the one of some gates that nodes are of."""
    found = {origin.gate for node in nodes for origin in node.provenance}
    gate = next(iter(found)) if len(found) == 1 else None
    return gate if gate in gates else None


def _reads(nodes: Sequence[Node]) -> dict[int, list[int]]:
    """Return for each operator those of the same step that read it."""
    place = {node: number for number, node in enumerate(nodes)}
    found: dict[int, list[int]] = {number: [] for number in range(len(nodes))}
    for number, node in enumerate(nodes):
        for before in dict.fromkeys(place[t.node] for t in node.inputs if t is not None and t.node in place):
            found[before].append(number)
    return found


def _kernels(template: Template, reads: Mapping[int, list[int]], leaves: Iterable[int]) -> list[list[int]]:
    """Return each product with a weight, and what only adds to it or cuts it: sums of products with a bias are one."""
    nodes, kept = template.nodes, set(leaves)
    group: dict[int, list[int]] = {}
    place = {node: number for number, node in enumerate(nodes)}
    turned = _turned(template, reads, kept)
    for number, node in enumerate(nodes):
        moving = [t for t in node.inputs if t is not None and not _is_fixed(t, template)]
        before = [place[t.node] for t in moving if t.node in place]
        weights = [place[t.node] for t in moving if t.node in place and place[t.node] in turned]
        weighted = bool(weights) or any(t is not None and _is_weight(t, template) for t in node.inputs)
        if node.op.name in _PRODUCTS and weighted:
            group[number] = [*weights, number]
            group |= dict.fromkeys(weights, group[number])
        elif before and len(before) == len(moving) and (node.op.name == "Add" or node.op.name in _CUTTING):
            alone = all(one in group and reads[one] == [number] and one not in kept for one in before)
            alone = alone and not any(nodes[one].op.name in NATIVE for one in before)
            if alone and (weighted or len(before) > 1 or node.op.name in _CUTTING):
                joined = sorted({*(held for one in before for held in group[one]), number})
                group |= dict.fromkeys(joined, joined)
    return list({id(held): held for held in group.values()}.values())


def _turned(template: Template, reads: Mapping[int, list[int]], leaves: Collection[int]) -> set[int]:
    """Return the operators that only bring one weight into another order of axes, for one product."""
    return {
        number
        for number, node in enumerate(template.nodes)
        if node.op.name == "Transpose" and node.inputs[0] is not None and _is_weight(node.inputs[0], template)
        if len(reads[number]) == 1 and number not in leaves and template.nodes[reads[number][0]].op.name in _PRODUCTS
    }


def _joint_gates(
    template: Template, reads: Mapping[int, list[int]], taken: Collection[int], gates: Collection[str], known: Gates
) -> dict[int, tuple[list[int], list[str]]]:
    """Return each Split that cuts one function of several gates into these, with that function, and the gates."""
    place = {node: number for number, node in enumerate(template.nodes)}
    found = {}
    for number, node in enumerate(template.nodes):
        held = known.held(node) if node.op.name == "Split" and activation(template, number) in BOUNDS else []
        names = [gate for gate, _ in held]
        made = node.inputs[0].node if held and node.inputs[0] is not None else None
        before = place.get(made) if made is not None else None
        if before is None or number in taken or not set(names) <= set(gates) or len(set(names)) < len(names):
            continue
        if template.nodes[before].op.name in BOUNDS and reads[before] == [number] and before not in taken:
            found[number] = ([before, number], names)
    return found


def _gates(
    nodes: Sequence[Node],
    reads: Mapping[int, list[int]],
    taken: set[int],
    leaves: Iterable[int],
    gates: Collection[str],
) -> list[list[int]]:
    """Return the operators of each gate that read each other, where one of them alone is read by others."""
    kept = set(leaves)
    gate = {number: gate_of([node], gates) for number, node in enumerate(nodes) if number not in taken}
    beside: networkx.Graph[int] = networkx.Graph()
    beside.add_nodes_from(number for number, name in gate.items() if name is not None)
    beside.add_edges_from(
        (number, other)
        for number in list(beside)
        for other in reads[number]
        if gate.get(other) is not None and gate[other] == gate[number]
    )
    found = []
    for part in networkx.connected_components(beside):
        members = sorted(part)
        out = [number for number in members if number in kept or any(one not in part for one in reads[number])]
        found += [members] if out == members[-1:] else [[number] for number in members]
    return found


def _without_circles(groups: list[list[int]], reads: Mapping[int, list[int]]) -> list[list[int]]:
    """Return groups in order; those that read themselves through others are taken to pieces."""
    while True:
        of = {number: place for place, group in enumerate(groups) for number in group}
        graph: networkx.DiGraph[int] = networkx.DiGraph()
        graph.add_nodes_from(range(len(groups)))
        graph.add_edges_from((of[one], of[other]) for one in reads for other in reads[one] if of[one] != of[other])
        circles = {place for part in networkx.strongly_connected_components(graph) if len(part) > 1 for place in part}
        if not circles:
            order = networkx.lexicographical_topological_sort(graph, key=lambda place: groups[place][0])
            return [groups[place] for place in order]
        groups = [
            piece
            for place, group in enumerate(groups)
            for piece in ([[number] for number in group] if place in circles else [group])
        ]


def _box(group: list[int], template: Template, kernels: set[int], gates: Collection[str]) -> CellBox:
    nodes = [template.nodes[number] for number in group]
    last, gate = nodes[-1], gate_of(nodes, gates)
    label = template.labels.get((group[-1], 0), "") if len(last.outputs) == 1 else ""
    # An operator of several outputs, such as an If, is none of them: the wires that leave it say what they are.
    handed = template.handed.get((group[-1], 0), "") if len(last.outputs) == 1 else ""
    if group[0] in kernels and any(template.nodes[number].op.name in _PRODUCTS for number in group):
        native = next(
            (template.nodes[number].op.name for number in group if template.nodes[number].op.name in NATIVE), ""
        )
        return CellBox("kernel", group, gate, native)
    if gate is not None and label == gate:
        return CellBox("gate", group, gate, label)
    if label or handed:
        return CellBox("named", group, gate, label or handed)
    operands = [t for t in last.inputs if t is not None and not isinstance(t, Constant)]
    if last.op.name in SIGNS and len(operands) == 2:
        return CellBox("sign", group, gate, SIGNS[last.op.name])
    return CellBox("op", group, gate, last.op.name)


def _is_weight(tensor: Tensor, template: Template) -> bool:
    source = template.sources.get(tensor)
    return source is not None and source.kind == "weight"


def _is_fixed(tensor: Tensor, template: Template) -> bool:
    return isinstance(tensor, Constant) or _is_weight(tensor, template)
