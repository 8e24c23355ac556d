"""What a picture of cells leaves out, because it says nothing of the network: axes of 1 that come and go, copies, masks of
single steps, and sums over shapes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from unroll.dimensions import Dim
from unroll.graph import Graph
from unroll.parameter import Parameter
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.native_nodes import Native

_COMPARING = ("Less", "LessOrEqual", "Greater", "GreaterOrEqual")
#: What takes a shape, a length or a place among its later inputs, and what of it alone.
_SHAPED = ("Expand", "Gather", "Pad", "Reshape", "ReverseSequence", "Slice", "Tile", "Unsqueeze")
_FILLING = ("ConstantOfShape", "RandomNormal", "RandomUniform", "Range")


class Folding:
    """The operators that a picture of cells leaves out.

    Args:
        graph: the graph.
        natives: its LSTM, GRU and RNN nodes.
        looped: the cells that are inside loops; what is left of them around those is no box of a cell.

    Attributes:
        nodes: those operators.
        titles: what an operator is called together with those left out beside it: a Split whose pieces lose the axis that it
            cuts is an Unstack, and a Concat along an axis that all its pieces were given is a Stack. What takes one of the
            directions of a recurrent node is called as that.
    """

    def __init__(self, graph: Graph, natives: Mapping[Node, Native], looped: Collection[str]) -> None:
        self._graph = graph
        self._looped = frozenset(looped)
        self._natives = natives
        self._stands_for: dict[Tensor, Tensor] = {}
        self.nodes: set[Node] = set()
        self.titles: dict[Node, str] = {}
        readers: dict[Tensor, list[Node]] = {}
        for node in graph.nodes:
            for tensor in node.inputs:
                if tensor is not None:
                    readers.setdefault(tensor, []).append(node)
        stacked = {node for node in graph.nodes if self._stacks_alone(node, readers)}
        for node in graph.nodes:
            first = next((tensor for tensor in node.inputs if not isinstance(tensor, Constant)), None)
            if first is None or isinstance(first, Parameter) or self._in_cell(node):
                continue
            parted = first.node in stacked
            if parted or self._is_same(node, first) or self._is_mask_of_steps(node, readers):
                self.nodes.add(node)
                self._stands_for |= dict.fromkeys(node.outputs, self.source(first))
        self.titles |= dict.fromkeys(stacked, "Stack")
        self.nodes |= self._of_shapes(readers)
        for node in graph.nodes:
            if node not in self.nodes:
                title = self._title(node, readers)
                if title:
                    self.titles[node] = title

    def source(self, tensor: Tensor) -> Tensor:
        """Return the tensor that one stands for, before everything that is left out."""
        return self._stands_for.get(tensor, tensor)

    def _in_cell(self, node: Node) -> bool:
        """Say whether a node is drawn inside the box of a cell: what several steps, or none, of a loop's cell share is not."""
        cells = {origin.cell for origin in node.provenance} - {None}
        one_step = len(node.provenance) == 1 and node.origin.step is not None
        return bool(cells) and (one_step or not cells <= self._looped)

    def _is_same(self, node: Node, first: Tensor) -> bool:
        """Say whether a node changes nothing but axes of 1."""
        name = node.op.name
        if name in ("Squeeze", "Unsqueeze", "Identity"):
            return True
        before, after = self._graph.shape(first), self._graph.shape(node.outputs[0])
        if name == "Slice":
            steps = node.inputs[4] if len(node.inputs) > 4 else None
            ahead = steps is None or (isinstance(steps, Constant) and bool((steps.value > 0).all()))
            return ahead and first is node.inputs[0] and before == after
        if name == "Transpose":
            order = node.op.attributes.get("perm") or range(len(before))[::-1]
            kept = [axis for axis in order if before[axis] != 1]
            return kept == sorted(kept)
        return name == "Reshape" and _without_ones(before) == _without_ones(after)

    def _stacks_alone(self, node: Node, readers: Mapping[Tensor, list[Node]]) -> bool:
        """Say whether a Concat joins tensors of one shape only for the Reshape after it to set them apart along an axis."""
        if node.op.name != "Concat" or self._in_cell(node) or node.outputs[0] in self._graph.outputs:
            return False
        read, shapes = (
            readers.get(node.outputs[0], ()),
            [self._graph.shape(item) for item in node.inputs if item is not None],
        )
        axis, shape = node.op.attributes["axis"], shapes[0]
        if len(read) != 1 or read[0].op.name != "Reshape" or axis < 0 or any(other != shape for other in shapes):
            return False
        apart = (*shape[:axis], len(shapes), *shape[axis:])
        return not self._in_cell(read[0]) and self._graph.shape(read[0].outputs[0]) == apart

    def _is_mask_of_steps(self, node: Node, readers: Mapping[Tensor, list[Node]]) -> bool:
        """Say whether a node makes the mask of a step for cells, which nothing else reads: it cuts a mask into steps, or
        compares lengths with the number of a step.
        """
        compared = node.op.name in _COMPARING and any(isinstance(tensor, Constant) for tensor in node.inputs)
        if not (compared or node.op.name == "Split") or node.outputs[0].dtype.kind != "b":
            return False
        return all(self._in_cell(reader) for tensor in node.outputs for reader in readers.get(tensor, ()))

    def _of_shapes(self, readers: Mapping[Tensor, list[Node]]) -> set[Node]:
        """Return the nodes that only work out shapes, lengths and places of what others reshape or cut."""
        made: dict[Tensor, None] = {}
        for node in self._graph.nodes:
            given = [tensor for tensor in node.inputs if tensor is not None and not isinstance(tensor, Constant)]
            sized = node.op.name in ("Shape", "Size") or (given and all(tensor in made for tensor in given))
            if sized and all(tensor.dtype.kind in "iu" for tensor in node.outputs) and not self._in_cell(node):
                made |= dict.fromkeys(node.outputs)
        kept = set(self._graph.outputs)
        found: set[Node] = set()
        for node in reversed(self._graph.nodes):
            if node.outputs[0] in made and kept.isdisjoint(node.outputs):
                used = ((tensor, reader) for tensor in node.outputs for reader in readers.get(tensor, ()))
                if all(reader in found or _takes_shape(reader, tensor) for tensor, reader in used):
                    found.add(node)
        return found

    def _title(self, node: Node, readers: Mapping[Tensor, list[Node]]) -> str:
        name = node.op.name
        if name == "Split":
            read = [reader for tensor in node.outputs for reader in readers.get(tensor, ())]
            cut = read and all(reader in self.nodes and reader.op.name == "Squeeze" for reader in read)
            return "Unstack" if cut else ""
        if name == "Concat":
            made = [tensor.node for tensor in node.inputs if tensor is not None]
            lifted = (one is not None and one in self.nodes and one.op.name == "Unsqueeze" for one in made)
            return "Stack" if made and all(lifted) else ""
        return self._direction(node) if name == "Gather" else ""

    def _direction(self, node: Node) -> str:
        """Return which direction of a recurrent node's output a Gather takes."""
        read, index = node.inputs[:2]
        native = self._natives.get(read.node) if read is not None and read.node is not None else None
        if native is None or len(native.sides) < 2 or not isinstance(index, Constant) or index.value.shape:
            return ""
        axis = 0 if read is not native.outputs.get("Y") else 1
        if native.attributes.get("layout", 0):
            axis = 1 if axis == 0 else 2
        place = int(index.value)
        return native.sides[place] if node.op.attributes["axis"] == axis and 0 <= place < 2 else ""


def _takes_shape(reader: Node, tensor: Tensor) -> bool:
    """Say whether a node reads a tensor as a shape, a length or a place alone, not as what it works on."""
    name = reader.op.name.removeprefix("ai.onnx.")
    return name in _FILLING or (name in _SHAPED and tensor is not reader.inputs[0])


def _without_ones(shape: tuple[Dim, ...]) -> list[Dim]:
    return [size for size in shape if size != 1]
