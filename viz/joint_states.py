"""What the states of joint cells are called: a pass that makes one cell of several gives what they make no name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from unroll.graph import Graph
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.joint_cells import JointCells

#: Of a tensor: its operator, which of its outputs it is, and what its inputs are made like; 0 for one from elsewhere.
_Form: TypeAlias = tuple[str, int, tuple[int, ...]]


def joined_names(
    graph: Graph, joint: JointCells, named: Callable[[Tensor], str], role: Callable[[Node], str]
) -> dict[tuple[str, int], str]:
    """Return what a state is called, by the reader's role and the place of the input that it is.

    Where cells begin to be computed as one, the states that they have then are joined: those of one name have that name.

    Args:
        graph: the graph.
        joint: its joint cells.
        named: the name of a state; nothing where it has none.
        role: the name of a node without its step.
    """
    joined: dict[Tensor, str] = {}
    for node in graph.nodes if joint.cells else ():
        if node.op.name == "Concat" and joint.place(node).cell in joint.cells:
            names = {named(item) for item in node.inputs if item is not None and not isinstance(item, Constant)}
            if len(names) == 1:
                joined[node.outputs[0]] = next(iter(names))
    found: dict[tuple[str, int], set[str]] = {}
    for node in graph.nodes if joined else ():
        for place, item in enumerate(node.inputs):
            if item in joined:
                found.setdefault((role(node), place), set()).add(joined[item])
    return {at: next(iter(names)) for at, names in found.items() if len(names) == 1 and all(names)}


def names_at_every_step(graph: Graph, joint: JointCells, known: Mapping[Tensor, str]) -> dict[Tensor, str]:
    """Return the names of some states of joint cells, and of what is made like them, and alone so, at other steps."""
    steps: dict[tuple[str, int], list[Node]] = {}
    for node in graph.nodes if known else ():
        cell, step = joint.place(node)
        if cell is not None and step is not None and cell in joint.cells:
            steps.setdefault((cell, step), []).append(node)
    numbers: dict[_Form, int] = {}
    made = {at: _alone(nodes, numbers) for at, nodes in steps.items()}
    names: dict[tuple[str, int], set[str]] = {}
    for (cell, _), forms in made.items():
        for tensor, form in forms.items():
            if tensor in known:
                names.setdefault((cell, form), set()).add(known[tensor])
    found = dict(known)
    for (cell, _), forms in made.items():
        for tensor, form in forms.items():
            called = names.get((cell, form), set())
            if len(called) == 1:
                found.setdefault(tensor, next(iter(called)))
    return found


def _alone(nodes: Iterable[Node], numbers: dict[_Form, int]) -> dict[Tensor, int]:
    """Return the number of the form of each tensor that a step makes, of those that no other tensor of it has."""
    forms: dict[Tensor, int] = {}
    for node in nodes:
        inputs = tuple(forms.get(item, 0) if item is not None else 0 for item in node.inputs)
        for place, tensor in enumerate(node.outputs):
            forms[tensor] = numbers.setdefault((node.op.name, place, inputs), len(numbers) + 1)
    count = Counter(forms.values())
    return {tensor: form for tensor, form in forms.items() if count[form] == 1}
