"""Operators that draw random numbers: outputs differ from run to run, and comparing them says nothing."""

from __future__ import annotations

from unroll.ops.opaque import Opaque
from unroll.structure import Structure
from unroll.tensor import Constant, Node

#: ONNX's operators that draw random numbers: other ones at every run where they have no seed.
RANDOM = frozenset(
    ["Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"]
)


def why_random(nodes: list[str]) -> str:
    """Return why numbers differ from run to run, in words; empty where there are no such nodes."""
    if not nodes:
        return ""
    more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
    what = f"{', '.join(nodes[:3])}{more} {'draws' if len(nodes) == 1 else 'draw'} other random numbers at every run"
    return f"{what}, so that no two runs can be compared; give it the attribute seed, or take it out"


def random_operators(graph: Structure) -> list[str]:
    """Return the nodes that draw other numbers at every run, those of graphs inside nodes too, by name and operator."""
    found = []
    for node in graph.nodes:
        if _draws(node):
            found.append(f"{graph.name(node)} ({_op_type(node)})")
        for body in node.op.bodies:
            found += [f"{inner} in {graph.name(node)}" for inner in random_operators(body)]
    return found


def _op_type(node: Node) -> str:
    return node.op.op_type if isinstance(node.op, Opaque) else node.op.name


def _draws(node: Node) -> bool:
    if node.op.domain not in ("", "ai.onnx") or "seed" in node.op.attributes:
        return False
    return _op_type(node) in RANDOM or (_op_type(node) == "Dropout" and _trains(node))


def _trains(node: Node) -> bool:
    """Say whether a Dropout may run in training mode, the only mode in which it draws."""
    mode = node.inputs[2] if len(node.inputs) > 2 else None
    return mode is not None and not (isinstance(mode, Constant) and not mode.value.any())
