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
        boxed: what is drawn inside the boxes of layers, each with the layer's scope.
        keeps_masks: leave no masks of steps out: operators of opened cells name them.

    Attributes:
        nodes: those operators.
        titles: what an operator is called together with those left out beside it: a Split whose pieces lose the axis that it
            cuts is an Unstack, and a Concat along an axis that all its pieces were given is a Stack. What takes one of the
            directions of a recurrent node is called as that.
        given: for each piece of an Unstack what its readers get, without the axis.
    """

    def __init__(
        self,
        graph: Graph,
        natives: Mapping[Node, Native],
        looped: Collection[str],
        boxed: Mapping[Node, str],
        keeps_masks: bool = False,
    ) -> None:
        self._graph = graph
        self._boxed = boxed
        self._looped = frozenset(looped)
        self._natives = natives
        self._stands_for: dict[Tensor, Tensor] = {}
        self.nodes: set[Node] = set()
        self.titles: dict[Node, str] = {}
        self.given: dict[Tensor, Tensor] = {}
        readers: dict[Tensor, list[Node]] = {}
        for node in graph.nodes:
            for tensor in node.inputs:
                if tensor is not None:
                    readers.setdefault(tensor, []).append(node)
        masks = set() if keeps_masks else self._masks_of_steps(readers)
        stacked = {node for node in graph.nodes if self._stacks_alone(node, readers)}
        for node in graph.nodes:
            if self._in_cell(node) and not keeps_masks:
                continue
            first = next((tensor for tensor in node.inputs if not isinstance(tensor, Constant)), None)
            if first is None or isinstance(first, Parameter):
                continue
            parted = first.node in stacked
            if parted or self._is_same(node, first) or node in masks:
                self.nodes.add(node)
                self._stands_for |= dict.fromkeys(node.outputs, self.source(first))
        self._fold_stacks(readers)
        self.titles |= dict.fromkeys(stacked, "Stack")
        self.nodes |= self._of_shapes(readers)
        self._fold_turns(readers)
        for node in graph.nodes:
            if node not in self.nodes:
                title = self._title(node, readers)
                if title:
                    self.titles[node] = title

    def source(self, tensor: Tensor) -> Tensor:
        """Return the tensor that one stands for, before everything that is left out."""
        while tensor in self._stands_for:
            tensor = self._stands_for[tensor]
        return tensor

    def _in_cell(self, node: Node) -> bool:
        """Say whether a node is drawn inside the box of a cell: what several steps, or none, of a loop's cell share is not."""
        if len(node.provenance) == 1:
            _, step, cell, *_ = node.origin
            return cell is not None and (step is not None or cell not in self._looped)
        cells = {origin.cell for origin in node.provenance} - {None}
        return bool(cells) and not cells <= self._looped

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

    def _masks_of_steps(self, readers: Mapping[Tensor, list[Node]]) -> set[Node]:
        """Return the nodes that make the masks of steps for cells, which nothing else reads: they cut a mask into steps, or
        compare lengths, or the longest or the shortest of them, with the number of a step.
        """
        found: set[Node] = set()
        for node in reversed(self._graph.nodes):
            if self._is_of_masks(node):
                read = [reader for tensor in node.outputs for reader in readers.get(tensor, ())]
                if read and all(self._in_cell(one) or one in found for one in read):
                    found.add(node)
        return found

    def _is_of_masks(self, node: Node) -> bool:
        name, first = node.op.name, node.inputs[0]
        if name in ("ReduceMax", "ReduceMin", "Cast"):
            return first is not None and first.dtype.kind == "i"
        compared = name in _COMPARING and any(isinstance(tensor, Constant) for tensor in node.inputs)
        return (compared or name in ("Not", "Split")) and node.outputs[0].dtype.kind == "b"

    def _of_shapes(self, readers: Mapping[Tensor, list[Node]]) -> set[Node]:
        """Return the nodes that only work out shapes, lengths and places of what others reshape or cut."""
        made: dict[Tensor, None] = {}
        for node in self._graph.nodes:
            if any(tensor.dtype.kind not in "iu" for tensor in node.outputs):
                continue
            given = [tensor for tensor in node.inputs if tensor is not None and not isinstance(tensor, Constant)]
            sized = node.op.name in ("Shape", "Size") or (given and all(tensor in made for tensor in given))
            if sized and not self._in_cell(node):
                made |= dict.fromkeys(node.outputs)
        kept = set(self._graph.outputs)
        found: set[Node] = set()
        for node in reversed(self._graph.nodes):
            if node.outputs[0] in made and kept.isdisjoint(node.outputs):
                used = ((tensor, reader) for tensor in node.outputs for reader in readers.get(tensor, ()))
                if all(reader in found or _takes_shape(reader, tensor) for tensor, reader in used):
                    found.add(node)
        return found

    def _fold_stacks(self, readers: Mapping[Tensor, list[Node]]) -> None:
        """Leave out what takes a stack to the pieces that it was made of, as between two layers, and a stack that nothing else
        reads.
        """
        kept = {self.source(tensor) for tensor in self._graph.outputs}
        for node in self._graph.nodes:
            first = node.inputs[0] if node.op.name == "Split" and node not in self._boxed else None
            stack = self.source(first).node if first is not None else None
            if stack is None or stack.op.name != "Concat" or len(stack.inputs) != len(node.outputs):
                continue
            items = [tensor for tensor in stack.inputs if tensor is not None]
            axes = {one.op.attributes["axis"] % node.outputs[0].rank for one in (node, stack)}
            ones = all(self._graph.shape(tensor)[axis] == 1 for tensor in (*items, *node.outputs) for axis in axes)
            cut = [reader for tensor in node.outputs for reader in readers.get(tensor, ())]
            if len(axes) > 1 or not ones or not self.nodes.issuperset(cut):
                continue
            self.nodes.add(node)
            self._stands_for |= {piece: self.source(item) for piece, item in zip(node.outputs, items, strict=True)}
            used = (reader for tensor in stack.outputs for reader in readers.get(tensor, ()))
            if self.nodes.issuperset(used) and stack.outputs[0] not in kept and stack not in self._boxed:
                self.nodes.add(stack)

    def _fold_turns(self, readers: Mapping[Tensor, list[Node]]) -> None:
        """Leave out Transposes that undo one another, and one that sets the directions of a recurrent node side by side.

        Those in the boxes of two layers have no boxes of their own, and between the layers flows what the first one gives.
        """
        for node in self._graph.nodes:
            turned = node.inputs[0] if node.inputs else None
            first = turned.node if turned is not None else None
            if turned is None or first is None or first.op.name != "Transpose" or turned in self._graph.outputs:
                continue
            if first in self._boxed and self._boxed.get(node, self._boxed[first]) != self._boxed[first]:
                continue
            read = [reader for reader in readers.get(turned, ()) if reader not in self.nodes]
            if read != [node] or first in self.nodes or self._in_cell(first) or self._in_cell(node):
                continue
            before = first.inputs[0]
            joins = self._joins_directions(first, node)
            if before is not None and (joins or self._undoes(node, first)):
                self.nodes.add(first)
                self._stands_for[turned] = self.source(before)
                if joins:
                    self.titles[node] = joins
                else:
                    self.nodes.add(node)
                    self._stands_for[node.outputs[0]] = self.source(before)

    def _undoes(self, node: Node, first: Node) -> bool:
        if node.op.name != "Transpose":
            return False
        axes = list(range(first.outputs[0].rank))
        one, other = (item.op.attributes.get("perm") or axes[::-1] for item in (first, node))
        return [one[axis] for axis in other] == axes

    def _joins_directions(self, first: Node, node: Node) -> str:
        """Return what a Reshape is called that sets the directions of every step side by side; nothing for another one."""
        read = first.inputs[0]
        native = self._natives.get(read.node) if read is not None and read.node is not None else None
        if native is None or read is None or read is not native.outputs.get("Y") or len(native.sides) < 2:
            return ""
        moved = list(first.op.attributes.get("perm") or ()) == [0, 2, 1, 3] and not native.attributes.get("layout", 0)
        time, _, batch, units = self._graph.shape(read)
        joined = isinstance(units, int) and self._graph.shape(node.outputs[0]) == (time, batch, 2 * units)
        return ", ".join(native.sides) if moved and joined and node.op.name == "Reshape" else ""

    def _title(self, node: Node, readers: Mapping[Tensor, list[Node]]) -> str:
        name = node.op.name
        if name == "Split":
            read = [reader for tensor in node.outputs for reader in readers.get(tensor, ())]
            cut = read and all(reader in self.nodes and reader.op.name == "Squeeze" for reader in read)
            if cut:
                self.given |= {reader.inputs[0]: reader.outputs[0] for reader in read if reader.inputs[0] is not None}
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
