"""What formulas and wires call the tensors of a graph: by a name that, where it is read, can mean no other tensor."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

from unroll.graph import Graph
from unroll.ops.operator import OPERATORS
from unroll.parameter import Parameter
from unroll.scopes import Origin
from unroll.tensor import Node, Placeholder, Tensor
from unroll.viz.found_names import found_columns, found_names, found_pieces, found_rows
from unroll.viz.joint_cells import JointCells
from unroll.viz.joint_cells import Place as JointPlace
from unroll.viz.weight_names import letter_of, readable_names, without_port

_OPERATORS = {name.lower() for _, name in OPERATORS}
# As files write it, too: ``add_4:0``.
_NUMBERED = re.compile(r"(_\d+)?(:\d+)?$")
# What cannot be taken for a number, a sign or two names.
_READABLE = re.compile(r"[^\W\d][\w./:]*(\[t-1\])?")
_LONGEST, _LONGEST_NAME = 48, 24
_WORDS = {"and", "not", "inf", "nan", "true", "false"}


class _Place(NamedTuple):
    """Where a tensor's name holds: in the frame of a cell, in the column of a step."""

    cell: str | None
    step: int | None
    name: str


class TensorNames:
    """The names of the tensors of a graph.

    A pass may make one node of several, so a tensor's step, cell and gate are those that its name in the graph says, and not
    those of its node.

    Args:
        graph: the graph.
        unboxed: nodes that have no box; what they make has no name to read.
    """

    def __init__(self, graph: Graph, unboxed: Collection[Node] = ()) -> None:
        self._graph = graph
        self._unboxed = frozenset(unboxed)
        self._paths = _paths(graph)
        self._outputs = frozenset(graph.outputs)
        unplaced = [tensor for tensor in self._paths if not self.is_placed(tensor)]
        self._found = found_rows(graph, unplaced) | found_names(unplaced)
        self._found |= found_columns(graph, self._found, unplaced)
        self._places: dict[Tensor, _Place] = {}  # those asked for: a picture of cells asks for few
        self._joint: JointCells | None = None
        self._read = readable_names(item.name for item in graph.parameters.values())
        self._given = _without_ports(short_names([*(item.name for item in graph.inputs), *self._read.values()]))

    def add_joint(self, joint: JointCells, names: Mapping[Tensor, str]) -> None:
        """Take the names of what joint cells make, each at the step of the cell that leads; before any other is asked for."""
        self._joint = joint
        for tensor, name in names.items():
            where = joint.place(tensor.node) if tensor.node is not None else None
            if where is not None and tensor not in self._outputs:
                self._places[tensor] = _Place(where.cell, where.step, name)

    @cached_property
    def _pieces(self) -> dict[Tensor, str]:
        return found_pieces(self._graph)

    @cached_property
    def _count(self) -> Counter[_Place]:
        """How many tensors have each name at its place."""
        return Counter(self._place(tensor) for node in self._graph.nodes for tensor in node.outputs)

    @cached_property
    def _in_loop(self) -> Counter[_Place]:
        """How many have a name and step in a loop."""
        places = ((item._replace(cell=_loop(item.cell)), count) for item, count in self._count.items() if item.cell)
        return _summed(places)

    @cached_property
    def _anywhere(self) -> Counter[_Place]:
        """How many have a name and step."""
        return _summed((item._replace(cell=None), count) for item, count in self._count.items())

    @cached_property
    def _letters(self) -> Counter[tuple[str | None, str]]:
        """How many weights of each cell that only operators name are called by each letter."""
        read = {(node.origin.cell, tensor) for node in self._graph.nodes for tensor in node.inputs}
        return Counter((cell, letter_of(tensor)) for cell, tensor in read if isinstance(tensor, Parameter))

    @cached_property
    def _made(self) -> set[str]:
        return {item.name for item in self._count}

    def own(self, tensor: Tensor) -> str:
        """Return what a tensor is called within its step and cell; nothing where only its operator names it."""
        if tensor in self._paths:
            return self._place(tensor).name
        return (tensor.hint or "").rpartition("/")[2]

    def path(self, tensor: Tensor) -> str:
        """Return what a tensor is called by its place in the program, whatever it is called as an output."""
        return self._paths[tensor] if tensor in self._paths and self.is_placed(tensor) else tensor.label

    def is_placed(self, tensor: Tensor) -> bool:
        """Say whether a tensor has a name that begins with the scope that it was made in; another is that of an output."""
        path = self._paths.get(tensor, "")
        if tensor.node is not None and len(tensor.node.provenance) == 1:
            scope = tensor.node.origin.scope
            return bool(scope) and _lies_in(path, scope)
        return tensor.node is None or any(item.scope and _lies_in(path, item.scope) for item in tensor.node.provenance)

    def is_found(self, tensor: Tensor) -> bool:
        """Say whether a tensor's name is not the graph's, which says only its operator, but of the state or gate that it is
        found to be.
        """
        return tensor in self._found

    def made_by(self, tensor: Tensor) -> Origin | None:
        """Return where a tensor comes from, of all that its node comes from; None where several may be meant."""
        return None if tensor.node is None else _origin(tensor.node, self._paths.get(tensor, ""))

    def label(self, tensor: Tensor) -> str:
        """Return the name that the box of a tensor's node gives it; nothing where that would name another one as well."""
        if tensor not in self._paths or tensor.node is None or tensor.node in self._unboxed:
            return ""
        place = self._place(tensor)
        if not self._is_one(place):
            return ""
        beside = [self._place(other).name for other in tensor.node.outputs]
        # A label that is cut names nothing, and of rows that are all called x none is.
        return place.name if len(", ".join(beside)) <= _LONGEST and beside.count(place.name) == 1 else ""

    def seen_from(self, tensor: Tensor, reader: Node) -> str:
        """Return what a formula of `reader` calls a tensor, with step and loop where they are not its own; nothing where no
        name leads to this tensor alone.
        """
        if isinstance(tensor, (Parameter, Placeholder)):
            return self._source(tensor, reader)
        if not self.label(tensor):
            return ""
        place = self._place(tensor)
        here = self._reads_at(reader)
        cell, step, name = place
        at = "" if step is None or step == here.step else f"[{step}]"
        if cell == here.cell:
            return f"{name}{at}"
        loop = _loop(cell)
        near = cell is None or here.cell is None or loop == _loop(here.cell)
        if near and self._anywhere[place._replace(cell=None)] == 1:
            return f"{name}{at}"
        if loop and loop != _loop(here.cell) and self._in_loop[place._replace(cell=loop)] == 1:
            return f"{loop} {name}{at}"
        return ""

    def _reads_at(self, reader: Node) -> JointPlace:
        """Return the cell and step in which a node's formula is read."""
        if self._joint is not None and self._joint.shared_by(reader) is not None:
            return self._joint.place(reader)
        made = self.made_by(reader.outputs[0])
        return JointPlace(None, None) if made is None else JointPlace(made.cell, made.step)

    def _is_one(self, place: _Place) -> bool:
        beside_steps = place._replace(step=None)
        return bool(place.name) and self._count[place] == 1 and (place.step is None or not self._count[beside_steps])

    def _source(self, tensor: Parameter | Placeholder, reader: Node) -> str:
        cell = reader.origin.cell
        letter = letter_of(tensor) if isinstance(tensor, Parameter) else ""
        if letter:
            return letter if self._letters[cell, letter] == 1 and letter not in self._made else ""
        full = self._read[tensor.name] if isinstance(tensor, Parameter) else tensor.name
        if isinstance(tensor, Parameter) and cell is not None and full.startswith(f"{cell}/"):
            name = without_port(full.removeprefix(f"{cell}/"))
        else:
            name = self._given[full]
        if name in self._made:  # such as a state that is fed as `c`, beside the one that the cell makes of it
            return _readable(name) and f"{'weight' if isinstance(tensor, Parameter) else 'input'} {name}"
        return _readable(name)

    def _place(self, tensor: Tensor) -> _Place:
        if tensor not in self._places:
            self._places[tensor] = self._found_place(tensor)
        return self._places[tensor]

    def _found_place(self, tensor: Tensor) -> _Place:
        path = self._paths[tensor]
        origin = None if tensor.node is None else _origin(tensor.node, path)
        if origin is None:
            return self._piece(tensor)
        if tensor in self._found:
            return _Place(origin.cell, origin.step, self._found[tensor])
        if (
            tensor not in self._outputs
            and (tensor.hint is None or not self.is_placed(tensor))
            and tensor in self._pieces
        ):
            return _Place(origin.cell, origin.step, self._pieces[tensor])
        if not self.is_placed(tensor) and tensor not in self._outputs and (origin.scope or tensor.hint is None):
            return _Place(None, None, "")  # a converter's name for it, such as ``strided_slice_3``, says nothing
        before, _, name = path.rpartition("/")
        if name == "preactivation":
            name = f"z_{before.rpartition('/')[2]}"
        if tensor.node is not None and name.startswith(tensor.node.op.name):
            name = ""
        return _Place(origin.cell, origin.step, _unless_an_operator(without_port(name)))

    def _piece(self, tensor: Tensor) -> _Place:
        """Return the name of a piece of what a pass has joined, where all of it is of one cell and step."""
        made = tensor.node.provenance if tensor.node is not None and tensor in self._pieces else ()
        places = {(item.cell, item.step) for item in made}
        return _Place(*next(iter(places)), self._pieces[tensor]) if len(places) == 1 else _Place(None, None, "")


def _summed(places: Iterable[tuple[_Place, int]]) -> Counter[_Place]:
    found: Counter[_Place] = Counter()
    for place, count in places:
        found[place] += count
    return found


@lru_cache(maxsize=4096)
def _unless_an_operator(name: str) -> str:
    """Return a name that a formula can hold; nothing for another one, or that of an operator."""
    return "" if _NUMBERED.sub("", name).lower() in _OPERATORS else _readable(name)


def _paths(graph: Graph) -> dict[Tensor, str]:
    """Return what each tensor is called by its place in the program, where the user has given it a name as an output too."""
    paths: dict[Tensor, str] = {}
    for name, tensor in graph.names.by_name.items():
        if tensor.node is not None:
            known = paths.get(tensor)
            if known is None or (not _around(tensor.node, known) and _around(tensor.node, name)):
                paths[tensor] = name
    for node in graph.nodes:
        for tensor in node.outputs:
            paths.setdefault(tensor, graph.names.tensors[tensor])
    return paths


def _origin(node: Node, path: str) -> Origin | None:
    """Return the one of a node's origins that a name lies in."""
    if len(node.provenance) == 1:
        return node.origin
    around = _around(node, path)
    if not around:
        return None
    longest = max(len(item.scope) for item in around)
    found = [item for item in around if len(item.scope) == longest]
    return found[0] if len(found) == 1 else None


def _around(node: Node, path: str) -> list[Origin]:
    """Return the origins of a node that a name lies in."""
    return [item for item in node.provenance if not item.scope or _lies_in(path, item.scope)]


def _lies_in(path: str, scope: str) -> bool:
    return path.startswith(scope) and path[len(scope) : len(scope) + 1] in ("", "/")


def _loop(cell: str | None) -> str:
    return (cell or "").partition("/")[0]


def _readable(name: str) -> str:
    """Return a name that a formula can hold; nothing for another one."""
    return name if len(name) <= _LONGEST_NAME and _READABLE.fullmatch(name) and name not in _WORDS else ""


def _without_ports(short: Mapping[str, str]) -> dict[str, str]:
    """Return names without the number of an operator's output, where that leaves them apart."""
    count = Counter(map(without_port, short.values()))
    return {full: without_port(name) if count[without_port(name)] == 1 else name for full, name in short.items()}


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return the shortest end of each path that ends no other one."""
    listed = list(names)
    count = Counter(end for name in listed for end in _all_ends(name))
    return {name: next(end for end in _all_ends(name) if count[end] == 1 or end == name) for name in listed}


def _all_ends(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[place:]) for place in range(len(parts) - 1, -1, -1)]
