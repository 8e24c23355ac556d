"""How large a model gets when its functions are written out, found out before it is done: a few functions that each
call another twice make a model without end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

import onnx
from onnx import AttributeProto, ModelProto, NodeProto

from unroll.errors import ModelError
from unroll.export.reading.tensor_sizes import TWO_GIB

#: A model may have so many nodes when its functions are written out, or `MOST_TIMES` as many as its file has, if that is more.
MOST_NODES = 2**16
MOST_TIMES = 100
#: How deep functions may call one another, and graphs lie within one another's nodes, written in the file or once functions
#: are written out; protobuf itself reads no file of more than 32.
DEEPEST_CALLS = 60
DEEPEST_GRAPHS = 30

_Key: TypeAlias = tuple[str, str, str]
_GRAPHS = (AttributeProto.GRAPH, AttributeProto.GRAPHS)


class _Size(NamedTuple):
    """What a body is, or becomes when all that it calls is written out."""

    nodes: int = 0
    bytes: int = 0
    references: int = 0  #: how often it reads an attribute of its call
    calls: int = 0  #: how deep it calls
    graphs: int = 0  #: how deep graphs lie in it


class _Body:
    """What a graph or a function holds itself, and what it calls."""

    def __init__(self, nodes: Iterable[NodeProto], functions: Mapping[_Key, object], title: str) -> None:
        self.title = title
        self.calls: Counter[_Key] = Counter()
        self.depth_of: dict[_Key, int] = {}
        self.largest = 0  #: the largest attribute that it gives to a function
        count = references = deepest = 0
        waiting = [(nodes, 0)]
        while waiting:
            listed, depth = waiting.pop()
            deepest = max(deepest, depth)
            for node in listed:
                count += 1
                key = _key(node.domain, node.op_type, node.overload)
                if key in functions:
                    self.calls[key] += 1
                    self.depth_of[key] = max(depth, self.depth_of.get(key, 0))
                    self.largest = max([self.largest, *(item.ByteSize() for item in node.attribute)])
                for attribute in node.attribute:
                    if attribute.ref_attr_name:
                        references += 1
                        if attribute.type in _GRAPHS:
                            raise ModelError(f"{title}: the {node.op_type} in it takes a graph from who calls it")
                    if attribute.HasField("g"):
                        waiting.append((attribute.g.node, depth + 1))
                    waiting += [(graph.node, depth + 1) for graph in attribute.graphs]
        self.own = _Size(count, 0, references, 0, deepest)


def check_functions(model: ModelProto) -> None:
    """Refuse functions that call each other in a circle, or that make a model too large when they are written out.

    Raises:
        ModelError: they do; the message names one.
    """
    if not model.functions:
        return
    functions = {_key(item.domain, item.name, item.overload): item for item in model.functions}
    if len(functions) < len(model.functions):
        raise ModelError("two functions have one name")
    for domain, name, _ in functions:
        if onnx.defs.has(name, domain):
            raise ModelError(
                f"function {name!r} has the name of an operator, and of the two each program takes another"
            )
    bodies = {key: _Body(item.node, functions, f"function {item.name!r}") for key, item in functions.items()}
    whole: dict[_Key, _Size] = {}
    for key in _callees_first(bodies):
        body = bodies[key]
        body.own = body.own._replace(bytes=functions[key].ByteSize())
        whole[key] = _written_out(body, whole)
    main = _Body(model.graph.node, functions, "the graph")
    total = _written_out(main, whole)
    in_file = main.own.nodes + sum(body.own.nodes for body in bodies.values())
    most = max(MOST_NODES, MOST_TIMES * in_file)
    if total.nodes > most:
        raise ModelError(
            f"its {len(functions)} functions make {total.nodes} nodes when they are written out, of {in_file} in the file; "
            f"there can be {most}"
        )
    largest = max(body.largest for body in (main, *bodies.values()))
    if total.bytes + total.references * largest > TWO_GIB:
        raise ModelError(f"its {len(functions)} functions make more than {TWO_GIB} bytes when they are written out")


def _written_out(body: _Body, whole: Mapping[_Key, _Size]) -> _Size:
    """Return the size of a body with all that it calls written out.

    Raises:
        ModelError: it is too deep.
    """
    nodes, size, references, calls, graphs = body.own
    for key, times in body.calls.items():
        inner = whole[key]
        nodes += times * (inner.nodes - 1)
        size += times * inner.bytes
        references += times * inner.references
        calls = max(calls, inner.calls + 1)
        graphs = max(graphs, body.depth_of[key] + inner.graphs)
    if calls > DEEPEST_CALLS:
        raise ModelError(f"{body.title} calls functions more than {DEEPEST_CALLS} deep")
    if graphs > DEEPEST_GRAPHS:
        raise ModelError(f"{body.title}: graphs lie more than {DEEPEST_GRAPHS} deep once its functions are written out")
    return _Size(nodes, size, references, calls, graphs)


def _callees_first(bodies: Mapping[_Key, _Body]) -> list[_Key]:
    """Return the functions so that each comes after those that it calls.

    Raises:
        ModelError: some call each other in a circle.
    """
    callers: dict[_Key, list[_Key]] = {key: [] for key in bodies}
    left = {key: len(body.calls) for key, body in bodies.items()}
    for key, body in bodies.items():
        for callee in body.calls:
            callers[callee].append(key)
    ready = [key for key, count in left.items() if not count]
    for key in ready:  # it grows while it is walked
        for caller in callers[key]:
            left[caller] -= 1
            if not left[caller]:
                ready.append(caller)
    if len(ready) < len(bodies):
        name = next(body.title for key, body in bodies.items() if left[key])
        raise ModelError(f"{name} calls itself, through others or at once")
    return ready


def _key(domain: str, name: str, overload: str) -> _Key:
    return "" if domain == "ai.onnx" else domain, name, overload
