"""A program in the making: buffers, and the statements of each loop that is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unroll.dtypes import Array, DType
from unroll.errors import UnsupportedError
from unroll.export.c.expressions import Expr
from unroll.export.c.held import coded, key_of
from unroll.export.c.identifiers import Identifiers
from unroll.export.c.layout import Block, Buffer, Kind, LoopVar, Sizes, View, contiguous, rounded, unit_of
from unroll.export.c.statements import Elementwise, Loop, Statement
from unroll.export.c.types import C_TYPES
from unroll.tensor import Node, Tensor


class Making:
    """Statements and buffers in the making.

    Args:
        what: who asks, for messages.
        taken: names that nothing may have.

    Attributes:
        blocks: the statements of each loop that is open, the outermost block first.
        vars: the loops that are open.
        buffers: all buffers, in order.
        wanted: where tensors are to be put.
        read: how often each tensor is read.
    """

    def __init__(self, what: str, taken: Sequence[str] = ()) -> None:
        self.what = what
        self.names = Identifiers(taken)
        self.blocks: list[list[Statement]] = [[]]
        self.vars: list[LoopVar] = []
        self.buffers: list[Buffer] = []
        self._weights: dict[tuple[object, ...], Buffer] = {}
        self.read: dict[Tensor, int] = {}
        self._readers: dict[Tensor, list[Node]] = {}
        self.wanted: dict[Tensor, View] = {}

    @property
    def depth(self) -> int:
        """How many loops are open."""
        return len(self.vars)

    def note(self, tensor: Tensor, node: Node) -> None:
        """Take down that a node reads a tensor."""
        self.read[tensor] = self.read.get(tensor, 0) + 1
        self._readers.setdefault(tensor, []).append(node)

    def readers(self, tensor: Tensor) -> list[Node]:
        """Return the nodes that read a tensor."""
        return self._readers.get(tensor, [])

    def check_dtype(self, tensor: Tensor) -> None:
        """Refuse a dtype that C does not have here.

        Raises:
            UnsupportedError: it is float16, or of text.
        """
        if tensor.dtype.name not in C_TYPES:
            raise UnsupportedError(
                f"{self.what}: {tensor.described()}: C here has {', '.join(C_TYPES)}; cast to one of them"
            )

    def want(self, tensor: Tensor, view: View) -> None:
        """Say where a tensor is to be put, once it is computed."""
        if tensor.node is not None:
            self.wanted.setdefault(tensor, view)

    def taken(self, tensor: Tensor) -> View:
        """Return where a tensor is wanted; it is put there."""
        return self.wanted.pop(tensor)

    def open(self, var: LoopVar) -> None:
        """Begin a loop."""
        self.vars.append(var)
        self.blocks.append([])

    def close(self, about: str) -> None:
        """End the loop that was begun last."""
        body = self.blocks.pop()
        self.blocks[-1].append(Loop(self.vars.pop(), body, about))

    def weight(self, array: Array, about: str = "weight", block: bool = True) -> View:
        """Return a view of a weight with an array's numbers; its last axis is filled up with zeros where it is one row."""
        key = key_of(array)
        width = int(array.shape[-1]) if array.ndim else 1
        unit = unit_of(width) if block and width else 1
        rows = np.asarray(array).reshape(-1, width) if width else array.reshape(0, 1)
        full = rounded(width, unit) if len(rows) == 1 else width
        padded = np.zeros((len(rows), full), array.dtype)
        padded[:, :width] = rows
        buffer = self.packed(coded(padded, array), about, (*key, full), array.dtype)
        kept = Block(unit, unit) if unit > 1 and (len(rows) == 1 or width % unit == 0) else None
        return View(buffer, array.shape, contiguous(array.shape), block=kept)

    def packed(self, array: Array, about: str, key: tuple[object, ...], dtype: DType | None = None) -> Buffer:
        """Return a weight with an array's numbers one after another; one for equal keys.

        Args:
            array: the numbers as they lie in memory.
            about: what the weight is called.
            key: what tells it from others.
            dtype: in which its numbers are computed with, where that is another.
        """
        found = self._weights.get(key)
        if found is None:
            flat = np.ascontiguousarray(array).reshape(-1)
            found = self._weights[key] = self._buffer(about, dtype or flat.dtype, flat.size, "weight")
            found.value = flat
        return found

    def filled(self, out: View, expression: Expr, about: str) -> None:
        """Fill a view with an expression; nothing is done where it is there already."""
        if expression.view is not None and expression.index is None and expression.view.place == out.place:
            return
        self.emit(Elementwise([(out, expression)], about), max(out.depth, expression.depth))

    def _buffer(self, name: str, dtype: DType, size: int, kind: Kind) -> Buffer:
        buffer = Buffer(self.names.made(name), dtype, size, kind)
        self.buffers.append(buffer)
        return buffer

    def outside(self, tensor: Tensor, name: str, kind: Kind, shape: Sizes) -> View:
        """Return a view of what the caller hands in or takes out."""
        self.check_dtype(tensor)
        buffer = self._buffer(name, tensor.dtype, int(np.prod(shape, dtype=np.int64)), kind)
        return View(buffer, shape, contiguous(shape))

    def scratch(self, name: str, dtype: DType, shape: Sizes, depth: int, exact: bool = False) -> View:
        """Return room for a tensor, its last axis filled up to whole blocks."""
        unit = unit_of(shape[-1]) if shape and not exact else 1
        full = (*shape[:-1], rounded(shape[-1], unit)) if shape and shape[-1] else shape
        buffer = self._buffer(name, dtype, int(np.prod(full, dtype=np.int64)), "scratch")
        block = Block(unit, unit) if unit > 1 else None
        return View(buffer, shape, contiguous(full), block=block, depth=depth, born=depth)

    def place(
        self, name: str, dtype: DType, shape: Sizes, depth: int, tensor: Tensor | None, spread: bool = False
    ) -> View:
        """Return where a tensor is to be put: where it is wanted, where that is as good as anywhere else.

        Args:
            name: what it is called.
            dtype: of its numbers.
            shape: its sizes.
            depth: how many loops must be inside of which it is computed.
            tensor: which tensor it is, if any.
            spread: whether it is computed one by one, and not in blocks, wherever it is put.
        """
        wanted = None if tensor is None else self.wanted.get(tensor)
        whole = spread or not shape or shape[-1] % unit_of(shape[-1] or 1) == 0
        if wanted is not None and wanted.depth <= depth and whole:
            del self.wanted[tensor]  # type: ignore[arg-type]
            return replace(wanted, depth=depth, born=depth, block=_whole_blocks(wanted))
        return self.scratch(name, dtype, shape, depth)

    def emit(self, statement: Statement, depth: int) -> None:
        """Add a statement to the block of a depth; one that fills nothing is left out."""
        if any(view.size for view in statement.writes()):
            self.blocks[depth].append(statement)


def _whole_blocks(view: View) -> Block | None:
    """Return the blocks of a view whose last axis is of whole ones."""
    if view.block is not None or not view.shape or view.strides[-1] != 1:
        return view.block
    unit = unit_of(view.shape[-1])
    return Block(unit, unit) if unit > 1 and view.shape[-1] % unit == 0 else None
