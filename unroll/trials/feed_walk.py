"""What a graph does with the numbers it is fed: what it compares them with, and which ones it uses as indices.

A walk from the placeholders forward, in which each element of an input keeps its number through whatever moves it about,
casts it, or adds or multiplies by a constant. So it is known of each element, not only of each input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from unroll.dimensions import substitute
from unroll.dtypes import Array
from unroll.errors import UnrollError
from unroll.graph import Graph
from unroll.ops.opaque import Opaque
from unroll.ops.recurrent_loop import Recurrent
from unroll.ops.scan import Scan
from unroll.structure import Structure
from unroll.tensor import Constant, Node, Placeholder, Tensor
from unroll.trials.feed_loops import Loop
from unroll.trials.feed_uses import Moved, Uses, part_of, used

#: Operators that only move the elements of their first input.
_MOVING = frozenset(
    [
        "Expand",
        "Flatten",
        "Gather",
        "Identity",
        "Reshape",
        "Slice",
        "Split",
        "Squeeze",
        "Tile",
        "Transpose",
        "Unsqueeze",
    ]
)
#: How `a op b` turns from false to true next to a whole number c = b: between c + first and c + second.
_TURNS = {"Greater": (0, 1), "LessOrEqual": (0, 1), "Less": (-1, 0), "GreaterOrEqual": (-1, 0), "Equal": (-1, 1)}
_TURNED = {"Greater": "Less", "Less": "Greater", "GreaterOrEqual": "LessOrEqual", "LessOrEqual": "GreaterOrEqual"}
_ARITHMETIC = frozenset(["Add", "Sub", "Mul", "Div"])
#: Operators that treat all numbers alike: any will do.
_HARMLESS = frozenset(
    [
        "Abs",
        "Cast",
        "Exp",
        "Floor",
        "Neg",
        "Pow",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceSum",
        "Shape",
        "Sign",
        "Where",
    ]
)
#: Operators in whose results zeros, or a mask's value, can still be recognised.
_KEEPING = frozenset(["Abs", "Cast", "Concat", "Neg", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Sign"])
#: Inputs of foreign operators that are indices along an axis of the first input.
_PLACES = frozenset(["GatherElements", "GatherND", "ScatterElements", "ScatterND", "Scatter"])
#: How many elements a tensor computed from constants may have to be followed, and how many are followed in all.
_FOLLOWED, _BUDGET = 1 << 16, 1 << 22


class Walk:
    """Walks one graph, with sizes for its symbols.

    Args:
        graph: the graph.
        sizes: a number for each symbol.
        moved: the elements in each input that is followed.
        uses: where to note what is seen.
    """

    def __init__(self, graph: Structure, sizes: Mapping[str, int], moved: Mapping[Tensor, Moved], uses: Uses) -> None:
        self._graph, self._sizes, self._uses = graph, sizes, uses
        self._moved: dict[Tensor, Moved] = dict(moved)
        self._known: dict[Tensor, Array] = {}
        self._left = _BUDGET

    def run(self) -> None:
        """Walk through all nodes."""
        moved, known = self._moved.keys(), self._known.keys()
        for node in self._graph.nodes:
            inputs = node.inputs
            if not moved.isdisjoint(inputs):
                try:
                    self._visit(node)
                except (ValueError, IndexError, ZeroDivisionError):  # sizes that do not fit; a run will report them
                    self._lose(node)
            elif node.outputs[0].dtype.kind in "ib" or not known.isdisjoint(inputs):
                self._follow(node)
        self._uses.settle()

    # -- what is known -------------------------------------------------------------------------------------------------

    def _value(self, tensor: Tensor | None) -> Array | None:
        """Return what a tensor holds where constants and sizes alone decide it."""
        if tensor is None:
            return None
        if isinstance(tensor, Constant):
            return tensor.value
        if tensor in self._known:
            return self._known[tensor]
        if tensor.known is not None:
            known = tensor.known if isinstance(tensor.known, tuple) else (tensor.known,)
            dims = [substitute(dim, self._sizes) for dim in known]
            if all(isinstance(dim, int) for dim in dims):
                return np.array(dims if isinstance(tensor.known, tuple) else dims[0], tensor.dtype)
        return None

    def _beside(self, node: Node, tensor: Tensor | None) -> Array | None:
        """Return what a tensor holds that a node takes beside the elements, if they do not become too many by it."""
        value = self._value(tensor)
        if value is not None and value.size > 1:
            shape = self._shape(node.outputs[0])
            return value if shape is not None and prod(shape) <= self._left else None
        return value

    def _shape(self, tensor: Tensor | None) -> list[int] | None:
        dims = [substitute(dim, self._sizes) for dim in self._graph.shape(tensor)] if tensor is not None else [None]
        return [int(dim) for dim in dims] if all(isinstance(dim, int) for dim in dims) else None  # type: ignore[arg-type]

    def _follow(self, node: Node) -> None:
        """Compute a node that only reads constants."""
        name, values = _name(node), [self._value(tensor) for tensor in node.inputs]
        if any(value is None and tensor is not None for value, tensor in zip(values, node.inputs, strict=True)):
            return
        if not self._is_small(node, [value for value in values if value is not None]):
            return
        try:
            if name == "Range":
                result: Any = np.arange(*(value.item() for value in values if value is not None))
            else:
                result = node.op.evaluate(*values)
        except (ValueError, IndexError, ZeroDivisionError, UnrollError):
            return  # nothing is known of the result
        results = result if isinstance(result, (list, tuple)) else [result]
        self._known.update(zip(node.outputs, map(np.asarray, results), strict=False))

    def _is_small(self, node: Node, values: Sequence[Array]) -> bool:
        """Say whether a node may be computed: a file may say anything, and foreign operators may take any time."""
        if _name(node) == "Range" and len(values) == 3 and all(value.size == 1 for value in values):
            start, limit, delta = (float(value.ravel()[0]) for value in values)
            return delta != 0 and abs((limit - start) / delta) <= _FOLLOWED
        if (
            node.op.bodies
            or isinstance(node.op, (Opaque, Recurrent))
            or sum(value.size for value in values) > _FOLLOWED
        ):
            return False
        shapes = [self._shape(tensor) for tensor in node.outputs]
        return sum(_FOLLOWED + 1 if shape is None else prod(shape) for shape in shapes) <= _FOLLOWED

    # -- what moves ----------------------------------------------------------------------------------------------------

    def _visit(self, node: Node) -> None:
        """Note what a node does with the elements it reads, and where it puts them."""
        name, op = _name(node), node.op
        inputs = [self._moved.get(tensor) if tensor is not None else None for tensor in node.inputs]
        first = inputs[0]
        if isinstance(op, Scan):
            time = self._size(node, op.num_states, 0)
            loop = Loop(op, time, inputs, [self._shape(tensor) for tensor in node.inputs], self._uses)
            Walk(op.body, {**self._sizes, **loop.sizes}, loop.moved, loop.seen).run()
            loop.take_over()
        elif isinstance(op, Recurrent) or name in ("LSTM", "GRU", "RNN"):
            self._lengths(node, inputs, 4, time=self._size(node, 0, getattr(op, "layout", 0)))
        elif name == "ReverseSequence":
            axis = node.op.attributes.get("time_axis", 0)
            self._lengths(node, inputs, 1, time=self._size(node, 0, axis), least=int(isinstance(op, Opaque)))
        elif name == "Gather" and len(inputs) > 1 and inputs[1] is not None:
            self._places(node, inputs[1], self._size(node, 0, node.op.attributes.get("axis", 0)))
        elif name in _PLACES and len(inputs) > 1 and inputs[1] is not None:
            self._places(node, inputs[1], min(self._shape(node.inputs[0]) or [2]))
        elif name == "OneHot" and first is not None:
            depth = self._value(node.inputs[1])
            self._places(node, first, None if depth is None else int(depth.ravel()[0]))
        elif name in _TURNS:
            self._compare(node, name, inputs)
        elif name in ("Min", "Max", "Clip"):
            self._cut(node, name, inputs)
        elif name in _ARITHMETIC:
            self._combine(node, name, inputs)
        elif name == "Concat":
            self._join(node, inputs)
        elif name == "Where":
            self._choose(node, inputs)
        elif first is not None and name in _MOVING:
            self._move(node, first)
        elif first is not None and name == "TopK":
            self._sort(node, first)
        elif first is not None and name == "Cast":
            self._cast(node, first)
        elif first is not None and name in ("Abs", "Sign"):
            if node.outputs[0].dtype.kind == "i":
                self._uses.tell(first, -2, -1, 0, 1, 2)
        elif first is not None and name == "Neg":
            self._put(node, [first._replace(scale=-first.scale, offset=-first.offset)])
        elif name not in _HARMLESS:
            for moved in filter(None, inputs):
                self._uses.note(moved, self._uses.unknown)

    def _lose(self, node: Node) -> None:
        """Note that a node of unknown meaning reads elements."""
        for tensor in node.inputs:
            if tensor in self._moved:
                self._uses.note(self._moved[tensor], self._uses.unknown)

    def _put(self, node: Node, moved: Sequence[Moved]) -> None:
        self._left -= sum(item.ids.size for item in moved)
        if self._left < 0:
            return self._lose(node)
        return self._moved.update(zip(node.outputs, moved, strict=False))

    def _size(self, node: Node, place: int, axis: int) -> int | None:
        tensor = node.inputs[place]
        shape = self._graph.shape(tensor) if tensor is not None else ()
        dim = substitute(shape[axis], self._sizes) if -len(shape) <= axis < len(shape) else None
        return dim if isinstance(dim, int) else None

    def _move(self, node: Node, first: Moved) -> None:
        others = [self._value(tensor) for tensor in node.inputs[1:]]
        shape = self._shape(node.outputs[0])
        if shape is not None and prod(shape) > self._left:
            return self._lose(node)
        if isinstance(node.op, Opaque) or any(value is None for value in others):
            if shape is not None and node.op.attributes.get("axis") is None and len(node.outputs) == 1:
                size = int(np.prod(shape))
                if size == first.ids.size:
                    return self._put(node, [first.shaped(shape)])
                if _name(node) == "Expand":
                    return self._put(node, [first.spread(shape)])
            return self._uses.note(first, self._uses.unknown)
        return self._put(node, first.each(lambda part: node.op.evaluate(part, *others)))

    def _sort(self, node: Node, first: Moved) -> None:
        """Follow what is sorted as it stands: what is asked of one element is asked of all, as of lengths to pack rows by."""
        if self._shape(node.outputs[0]) in (None, list(first.ids.shape)):
            self._put(node, [first])
        else:
            self._lose(node)

    def _cast(self, node: Node, first: Moved) -> None:
        kind = node.outputs[0].dtype.kind
        if kind == "b":
            self._uses.tell(first, 0, 1)
            return
        if kind == "i":
            self._uses.note(first, self._uses.whole)
        self._put(node, [first])

    def _places(self, node: Node, places: Moved, size: int | None) -> None:
        if size is None:
            self._uses.note(places, self._uses.unknown)
        else:
            self._uses.allow(places, 0, max(size - 1, 0))

    def _lengths(
        self, node: Node, inputs: Sequence[Moved | None], place: int, time: int | None, least: int = 0
    ) -> None:
        for at, moved in enumerate(inputs):
            if moved is not None and at == place and time is not None:
                self._uses.allow(moved, min(least, time), time)
            elif moved is not None:
                self._uses.note(moved, self._uses.unknown)

    def _compare(self, node: Node, name: str, inputs: Sequence[Moved | None]) -> None:
        for moved, other, turned in ((inputs[0], node.inputs[1], False), (inputs[1], node.inputs[0], True)):
            if moved is None:
                continue
            value = self._beside(node, other)
            if value is None or not value.size:
                if other is None or self._moved.get(other) is None:
                    self._uses.note(moved, self._uses.unknown)
                continue
            before, after = _TURNS[_TURNED.get(name, name) if turned else name]
            if name == "Equal" and node.inputs[0] is not None and node.inputs[0].dtype.kind == "f":
                self._uses.equal.append(used(moved, value)[::3])  # type: ignore[arg-type]
                continue
            wide = np.float64(value)
            if wide.size and np.isfinite(wide).all():
                self._uses.tell(moved, *(np.floor(wide) + at for at in sorted({before, 0, after})))

    def _cut(self, node: Node, name: str, inputs: Sequence[Moved | None]) -> None:
        followed = [place for place, moved in enumerate(inputs) if moved is not None]
        moved = inputs[followed[0]]
        assert moved is not None
        if len(followed) > 1 or (name == "Clip" and followed[0]):
            for item in filter(None, inputs):
                self._uses.note(item, self._uses.unknown)
            return
        low, high = moved.low, moved.high
        for place, tensor in enumerate(node.inputs):
            value = self._beside(node, tensor) if place != followed[0] else None
            if value is not None and value.size and np.isfinite(value).all():
                with np.errstate(all="ignore"):
                    if name == "Clip" and value.size == 1 and abs(float(value.ravel()[0])) > 1 << 24:
                        continue  # the limit of a dtype is no bound
                    self._uses.tell(moved, np.float64(value) - 1, np.float64(value) + 1)
                low, high = (
                    low or name == "Max" or (name == "Clip" and place == 1),
                    high or name == "Min" or (name == "Clip" and place == 2),
                )
        shape = self._shape(node.outputs[0])
        if shape is not None:
            self._put(node, [moved._replace(low=low, high=high).spread(shape)])

    def _combine(self, node: Node, name: str, inputs: Sequence[Moved | None]) -> None:
        left, right = inputs
        if name == "Div" and right is not None:
            self._uses.allow(right, 1, np.inf)
        moved, other = (left, node.inputs[1]) if left is not None else (right, node.inputs[0])
        assert moved is not None
        value = self._beside(node, other)
        if (
            (left is not None and right is not None)
            or value is None
            or not value.size
            or (name == "Div" and left is None)
        ):
            return
        self._uses.combine(moved, value)
        c = np.float64(value)
        if not np.isfinite(c).all():
            return
        ids, scale, offset, by = np.broadcast_arrays(*moved[:3], c)
        if name == "Add":
            made = moved._replace(ids=ids, scale=scale, offset=offset + by)
        elif name == "Sub":
            sign = 1 if left is not None else -1
            made = moved._replace(ids=ids, scale=sign * scale, offset=sign * (offset - by))
        elif name == "Mul":
            made = moved._replace(ids=ids, scale=scale * by, offset=offset * by)
        else:
            by = np.where(by == 0, 1, by)
            made = moved._replace(ids=ids, scale=scale / by, offset=offset / by)
        self._put(node, [made])

    def _stand_in(self, tensor: Tensor | None) -> Moved | None:
        """Return the elements of a tensor, none where it holds none."""
        if tensor in self._moved:
            return self._moved[tensor]
        shape = self._shape(tensor)
        return (
            None
            if shape is None or prod(shape) > self._left
            else Moved(np.full(shape, -1), np.zeros(shape), np.zeros(shape))
        )

    def _join(self, node: Node, inputs: Sequence[Moved | None]) -> None:
        parts = [self._stand_in(tensor) for tensor in node.inputs]
        axis = node.op.attributes.get("axis", 0)
        if all(part is not None for part in parts):
            ids, scale, offset = (
                np.concatenate([part[place] for part in parts if part is not None], axis) for place in range(3)
            )
            low, high = (any(moved is not None and moved[place] for moved in inputs) for place in (3, 4))
            self._put(node, [Moved(ids, scale, offset, low, high)])

    def _choose(self, node: Node, inputs: Sequence[Moved | None]) -> None:
        shape = self._shape(node.outputs[0])
        moved = next((item for item in inputs[1:] if item is not None), None)
        if moved is not None and shape is not None:
            self._put(node, [moved.spread(shape)])


def _name(node: Node) -> str:
    return node.op.op_type if isinstance(node.op, Opaque) else node.op.name


def uses_of(
    graph: Graph, sizes: Mapping[str, int], shapes: Mapping[Placeholder, Sequence[int]]
) -> dict[Placeholder, Uses]:
    """Return what a graph does with each element of some of its inputs.

    Args:
        graph: the graph.
        sizes: a number for each symbol.
        shapes: of the inputs that are followed.
    """
    starts: dict[Placeholder, int] = {}
    moved: dict[Tensor, Moved] = {}
    count = 0
    for tensor, shape in shapes.items():
        size = int(np.prod(shape))
        ids = np.arange(count, count + size).reshape(shape)
        starts[tensor], moved[tensor] = count, Moved(ids, np.ones(shape), np.zeros(shape))
        count += size
    seen = Uses(count)
    Walk(graph, sizes, moved, seen).run()
    return {tensor: part_of(seen, start, int(np.prod(shapes[tensor]))) for tensor, start in starts.items()}


def followed(graph: Graph) -> list[Placeholder]:
    """Return the inputs whose numbers a graph does something with: integers, and floats that are compared or cast."""
    wanted: set[Tensor | None] = set()
    for node in reversed(graph.nodes):
        name = _name(node)
        floats = [tensor for tensor in node.inputs if tensor is not None and tensor.dtype.kind == "f"]
        if floats and (name in _TURNS or (name == "Cast" and node.outputs[0].dtype.kind != "f")):
            wanted.update(floats)
        elif not wanted.isdisjoint(node.outputs) and (name in _MOVING or name in _ARITHMETIC or name in _KEEPING):
            wanted.update(node.inputs)
    return [tensor for tensor in graph.inputs if tensor.dtype.kind == "i" or tensor in wanted]
