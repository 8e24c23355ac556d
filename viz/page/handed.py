"""What the steps of a loop hand on: which outputs are states at the next step, and which something outside reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from unroll.tensor import Node, Tensor
from unroll.viz.contraction import Contraction
from unroll.viz.page.calls import own_name
from unroll.viz.page.rows import Row, Template, reading, steps_of

#: What a driver keeps of outputs where rows have ended, as the cell's own state of that name.
OUTPUT = "output"


def note_handed(row: Row, contraction: Contraction) -> None:
    """Note which outputs of each template of a loop are states at another step, and which are read outside of it.

    Args:
        row: the loop, whose outputs have their labels.
        contraction: the units of its graph.
    """
    template_of = {step: row.templates[run.template] for run, step in steps_of(row)}
    place = {node: (step, number) for step, nodes in row.steps.items() for number, node in enumerate(nodes)}
    states = contraction.states
    for wire in contraction.wires:
        node = wire.tensor.node
        if node is not None and node in place and wire.source.row == row.path and wire.source.kind == "cell":
            step, number = place[node]
            template, at = template_of[step], (number, wire.tensor.index)
            if wire.target.row == row.path:
                called = states.called(wire.tensor)
                template.handed.setdefault(at, own_name(called) if row.call else called)
            else:
                template.given.setdefault(at)
    _name_outputs(row)
    for run in row.runs:
        _add_last(row, row.templates[run.template], row.steps[run.last], contraction)


def _name_outputs(row: Row) -> None:
    """Tell a state from the output that a driver keeps under its name: that one is only chosen from, by a Where."""
    two = {name for template in row.templates for name, count in Counter(template.handed.values()).items() if count > 1}
    if not two or OUTPUT in row.states:
        return
    place = {node: (step, number) for step, nodes in row.steps.items() for number, node in enumerate(nodes)}
    template_of = {step: row.templates[run.template] for run, step in steps_of(row)}
    for template in row.templates:
        chosen = {tensor for node in template.nodes if node.op.name == "Where" for tensor in node.inputs[1:]}
        others = {tensor for node in template.nodes if node.op.name != "Where" for tensor in node.inputs}
        for tensor, source in template.sources.items():
            if source.name in two and source.kind == "state" and tensor in chosen - others:
                template.sources[tensor] = source._replace(name=OUTPUT)
                for number, node in enumerate(template.nodes):
                    if tensor in node.inputs:
                        template.handed[number, 0] = OUTPUT
    for run, step in steps_of(row):  # of the first step, where all that is kept is the same zeros, the next one says it
        template = row.templates[run.template]
        for tensor, (number, at) in reading(template).items() if step != run.last or run.first == run.last else ():
            read = row.steps[step][number].inputs[at]
            if template.sources[tensor].name == OUTPUT and read is not None and read.node in place:
                before, made = place[read.node]
                template_of[before].handed[made, read.index] = OUTPUT


def _add_last(row: Row, template: Template, nodes: Sequence[Node], contraction: Contraction) -> None:
    """Note the states that no step reads, those of the last one: what is made as at other steps; of one step, called so."""
    states = contraction.states
    found: dict[str, list[tuple[tuple[int, int], Tensor]]] = {}
    for number, node in enumerate(nodes):
        for tensor in node.outputs:
            if (number, tensor.index) not in template.handed:
                called = states.called(tensor)
                name = own_name(called) if row.call else called
                found.setdefault(name, []).append(((number, tensor.index), tensor))
    chosen = any(node.op.name == "Where" for node in nodes)  # what is called so may not be what would be kept
    for name in row.states:
        if name in template.handed.values():
            continue
        made = found.get(name, [])
        alike = [at for at, tensor in made if states.hands_on(row.path, tensor)]
        ungated = [at for at, _ in made if nodes[at[0]].origin.gate is None]  # a gate may be called as a state is
        alone = ungated if len(row.steps) == 1 and len(ungated) == 1 and not chosen else []
        for at in alike or alone:
            template.handed.setdefault(at, name)
