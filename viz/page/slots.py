"""Which tensors of a loop are the same one at every step, and what they hold: one array over all steps for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unroll.dimensions import Dim, Shape
from unroll.dtypes import Array
from unroll.tensor import Constant, Node, Tensor
from unroll.viz.page.rows import MOST_BESIDE, Row, Template, reading, steps_of


@dataclass(eq=False)
class Slot:
    """One tensor of a cell, at all steps that have it.

    Attributes:
        batched: its first axis is the batch, or the first one behind axes of 1.
        ones: how many axes of 1 stand before the batch.
        tensors: the tensor of each step.
        within: the slot that it is a piece of, and where it begins there; it needs no numbers of its own.
        parts: the slots that it is joined of.
        size: how many elements it has of the slot that it is a piece of, where no operator makes that piece.
    """

    batched: bool
    tensors: dict[int, Tensor] = field(default_factory=dict)
    within: tuple[int, int] | None = None
    parts: list[int] | None = None
    size: int | None = None
    ones: int = 0

    @property
    def width(self) -> int:
        """How long its last axis is."""
        last = next(iter(self.tensors.values())).shape[-1:]
        return self.size if self.size is not None else int(str(last[0])) if last else 1


class Slots:
    """The slots of a row.

    Args:
        row: the loop.
        shape: tells the shape of a tensor.
        batch: the size of the batch, where the row does not say it itself; None where it does.

    Attributes:
        slots: all of them.
        batch: the size of the batch; None where there is none.
        outputs: for each template, the slot of each output of each operator, by (operator, output); of an operator beside
            loops, of the first ones.
        sources: for each template, the slot of each source, by tensor, and how many steps before it was made.
    """

    def __init__(self, row: Row, shape: Callable[[Tensor], Shape], batch: Dim | None = None) -> None:
        self.slots: list[Slot] = []
        self._shape = shape
        self.batch = _batch_of(row, shape) if batch is None else batch
        known: dict[object, int] = {}

        def numbered(key: object, tensor: Tensor) -> int:
            if key not in known:
                known[key] = len(self.slots)
                ones = self._ones_before_batch(tensor)
                self.slots.append(Slot(ones is not None, ones=ones or 0))
            return known[key]

        self.outputs: list[dict[tuple[int, int], int]] = []
        named = [_keys(template, shape) for template in row.templates]
        for template, keys in zip(row.templates, named, strict=True):
            told = [(at, key) for at, key in keys if not row.around or at[1] < MOST_BESIDE]
            self.outputs.append({at: numbered(key, template.nodes[at[0]].outputs[at[1]]) for at, key in told})
        self.sources: list[dict[Tensor, tuple[int, int]]] = [{} for _ in row.templates]
        read = [
            [(tensor, source) for tensor, source in template.sources.items() if source.kind in ("first", "input")]
            for template in row.templates
        ]
        for number, found in enumerate(read):
            for tensor, source in found:
                key = ("source", source.name, shape(tensor))
                self.sources[number][tensor] = (numbered(key, tensor), 0)
        self._fill(row)
        self._find_pieces(row)

    def _fill(self, row: Row) -> None:
        """Note the tensor of each slot at each step, and at which step each state was made."""
        place = {node: (step, number) for step, nodes in row.steps.items() for number, node in enumerate(nodes)}
        template_at = {step: run.template for run, step in steps_of(row)}
        inputs = [reading(template) for template in row.templates]
        for run, step in steps_of(row):
            nodes = row.steps[step]
            for (number, output), slot in self.outputs[run.template].items():
                self.slots[slot].tensors[step] = nodes[number].outputs[output]
            template = row.templates[run.template]
            for tensor, source in template.sources.items():
                number, at = inputs[run.template][tensor]
                read = nodes[number].inputs[at]
                if read is None:
                    continue
                if source.kind in ("first", "input"):
                    self.slots[self.sources[run.template][tensor][0]].tensors[step] = read
                elif source.kind == "state" and tensor not in self.sources[run.template] and read.node in place:
                    before, made = place[read.node]
                    slot = self.outputs[template_at[before]][made, read.index]
                    self.sources[run.template][tensor] = (slot, step - before)

    def _find_pieces(self, row: Row) -> None:
        """Find slots whose numbers are those of others: the pieces of a Split, and what a Concat joins.

        That holds where it does at every step that has the slot.
        """
        said: dict[int, list[tuple[str, Any]]] = {}
        for number, template in enumerate(row.templates):
            place = {node: at for at, node in enumerate(template.nodes)}
            for at, node in enumerate(template.nodes):
                for output, piece in enumerate(self._pieces(number, template, node, place)):
                    if (at, output) in self.outputs[number]:
                        said.setdefault(self.outputs[number][at, output], []).append(piece)
        for at, found in said.items():
            slot, (kind, piece) = self.slots[at], found[0]
            others = [piece[0]] if kind == "within" else piece
            whole = all(self.slots[other].tensors.keys() == slot.tensors.keys() for other in others)
            if kind and whole and all(one == found[0] for one in found):
                setattr(slot, kind, piece)

    def _pieces(
        self, number: int, template: Template, node: Node, place: Mapping[Node, int]
    ) -> Iterator[tuple[str, Any]]:
        """Yield for each output what it is a piece of, or joined of; nothing is said as an empty word."""
        first = node.inputs[0] if node.inputs else None
        before = place.get(first.node) if first is not None and first.node is not None else None
        begin = 0
        for tensor in node.outputs:
            size = tensor.shape[-1] if tensor.shape else None
            # Of one row of the batch it is one line of numbers.
            flat = isinstance(size, int) and (tensor.rank == 1 or (tensor.rank == 2 and self._is_batched(tensor)))
            if node.op.name == "Split" and flat and before is not None and _is_last(node.op.attributes["axis"], tensor):
                yield "within", (self.outputs[number][before, first.index if first is not None else 0], begin)
                begin += int(str(size))
            elif node.op.name == "Concat" and flat and _is_last(node.op.attributes["axis"], tensor):
                parts = [self._part(number, template, read, place) for read in node.inputs]
                yield ("", [0]) if None in parts else ("parts", parts)
            else:
                yield "", [0]

    def _part(self, number: int, template: Template, tensor: Tensor | None, place: Mapping[Node, int]) -> int | None:
        """Return the slot of what a Concat joins; None where it has no numbers at the same step."""
        if tensor is None or isinstance(tensor, Constant):
            return None
        if tensor.node is not None and tensor.node in place:
            return self.outputs[number].get((place[tensor.node], tensor.index))
        source = template.sources.get(tensor)
        return self.sources[number][tensor][0] if source is not None and source.kind in ("first", "input") else None

    def _is_batched(self, tensor: Tensor) -> bool:
        return self._ones_before_batch(tensor) == 0

    def _ones_before_batch(self, tensor: Tensor) -> int | None:
        """Return how many axes of 1 stand before that of the batch; None where it is not the first other one."""
        shape = self._shape(tensor)
        ones = next((at for at, size in enumerate(shape) if size == self.batch or size != 1), len(shape))
        return ones if self.batch is not None and ones < len(shape) and shape[ones] == self.batch else None

    def cut(self, whole: int, begin: int, size: int) -> int:
        """Return a slot of some columns of another one, which no operator cuts out."""
        slot = self.slots[whole]
        self.slots.append(Slot(slot.batched, slot.tensors, within=(whole, begin), size=size))
        return len(self.slots) - 1

    @staticmethod
    def array(slot: Slot, values: Sequence[Array]) -> Array:
        """Return the values of a slot, ``(batch or 1, steps that have it, elements)``."""
        whole = np.stack(values)
        whole = whole.reshape(len(whole), *whole.shape[1 + slot.ones :])
        flat = whole.reshape(*whole.shape[: 2 if slot.batched else 1], -1)
        return flat.transpose(1, 0, 2) if slot.batched else flat[None]


def _batch_of(row: Row, shape: Callable[[Tensor], Shape]) -> Dim | None:
    """Return the size of the batch: the first axis of a state, or of what a graph without loops reads."""
    for template in row.templates:
        for number, output in template.handed:
            found = shape(template.nodes[number].outputs[output])
            return found[0] if len(found) > 1 else None
        for tensor, source in template.sources.items():
            found = shape(tensor)
            if source.kind == "input" and len(found) > 1:
                return found[0]
    return None


def _keys(template: Template, shape: Callable[[Tensor], Shape]) -> Iterator[tuple[tuple[int, int], object]]:
    """Yield a key for each output of each operator that is the same in other templates of the cell."""
    counts: dict[object, int] = {}
    for number, node in enumerate(template.nodes):
        for output, tensor in enumerate(node.outputs):
            at = (number, output)
            state = template.handed.get(at)
            gate = template.gates.get(at)
            called: object = template.labels.get(at) or (node.op.name, node.origin.gate)
            called = ("state", state) if state is not None else ("gate", gate) if gate is not None else called
            key = (called, shape(tensor))
            counts[key] = counts.get(key, 0) + 1
            yield at, (key, counts[key])


def _is_last(axis: object, tensor: Tensor | None) -> bool:
    return tensor is not None and isinstance(axis, int) and axis in (-1, tensor.rank - 1)
