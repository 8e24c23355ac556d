"""Products by weights: rows times panels of columns, added up and begun with a bias in one go.

The columns of a product that is split into gates are put in an order in which the same units of all gates lie together, each
gate filled up to whole blocks: a gate is then a view that starts and ends with a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from unroll.dtypes import Array, DType
from unroll.export.c.expressions import Expr, load
from unroll.export.c.held import Held, coded, key_of
from unroll.export.c.layout import Block, Buffer, LoopVar, Sizes, View, rounded, unit_of
from unroll.export.c.making import Making
from unroll.export.c.statements import Product, Term
from unroll.export.c.tiles import panel_width
from unroll.ops.joining import Split
from unroll.tensor import Node, Tensor

#: Rows of sums are filled up to so many columns: as many as a register holds.
_FULL = 8
#: Up to how many numbers what comes before a loop may take, for all its steps.
_MOST_BEFORE = 1 << 18


@dataclass(frozen=True, eq=False)
class Factor:
    """What is multiplied by weights.

    Attributes:
        pieces: its last axis in pieces, views of one shape but there.
        weights: ``(columns, outputs)``.
    """

    pieces: tuple[View, ...]
    weights: Array


@dataclass(frozen=True, eq=False)
class Pending:
    """A sum of products that nobody needs yet.

    Attributes:
        shape: the sizes.
        dtype: of its elements.
        factors: what is added up.
        bias: vectors that are added.
    """

    shape: Sizes
    dtype: DType
    factors: tuple[Factor, ...]
    bias: tuple[Array, ...] = ()

    def plus(self, other: Pending) -> Pending:
        """Return the sum of two."""
        return replace(self, factors=self.factors + other.factors, bias=self.bias + other.bias)

    def stored(self, low: Making, tensor: Tensor | None = None) -> View:
        """Return a view with its numbers, which are computed now."""
        groups = 1 if tensor is None else _groups(low.readers(tensor), tensor)
        name = "product" if tensor is None else tensor.label
        place = None
        if groups == 1 and tensor is not None:
            place = tensor
        return _Storing(low, self, _Columns(self.shape[-1], groups), name).stored(place)

    def split(self, low: Making, count: int, name: str) -> list[Expr]:
        """Return its last axis in pieces of one size."""
        whole = _Storing(low, self, _Columns(self.shape[-1], count), name).stored(None)
        return [load(piece) for piece in pieces_of(whole, count)]


@dataclass(frozen=True)
class _Columns:
    """Where the columns of a product are.

    Attributes:
        count: how many columns there are.
        groups: how many gates.
    """

    count: int
    groups: int

    @property
    def unit(self) -> int:
        """How long a block is."""
        return unit_of(self.count // self.groups)

    @property
    def block(self) -> Block:
        """How the columns of a gate are cut into blocks."""
        return Block(self.unit, self.unit * self.groups)

    @property
    def positions(self) -> int:
        """How many columns there are, with those that fill up: blocks, and registers where there is more than half of one."""
        blocks = rounded(self.count // self.groups, self.unit) * self.groups
        return rounded(blocks, _FULL) if blocks > _FULL // 2 else blocks

    def places(self) -> Array:
        """Return the position of each column."""
        size = self.count // self.groups
        gate, unit = np.divmod(np.arange(self.count), size)
        return np.asarray(unit // self.unit * (self.unit * self.groups) + gate * self.unit + unit % self.unit)

    def panels(self, width: int) -> list[int]:
        """Return how wide the panels are, all but the last of one width."""
        full, rest = divmod(self.positions, width)
        return [width] * full + [rest] * bool(rest)


def pieces_of(whole: View, count: int) -> list[View]:
    """Return the gates of a view whose columns were put in an order for them."""
    assert whole.block is not None or whole.shape[-1] == count
    size = whole.shape[-1] // count
    unit = whole.block.unit if whole.block is not None else 1
    block = whole.block if unit > 1 else None
    shape = (*whole.shape[:-1], size)
    return [replace(whole, shape=shape, offset=whole.offset + at * unit, block=block) for at in range(count)]


def _groups(readers: Sequence[Node], tensor: Tensor) -> int:
    """Return into how many equal pieces of its last axis a tensor is cut by all who read it."""
    (node,) = readers if len(readers) == 1 else (None,)
    return 1 if node is None else split_count(node, tensor)


def split_count(node: Node, tensor: Tensor) -> int:
    """Return into how many equal pieces of its last axis a Split cuts a tensor; 1 for other nodes."""
    if not isinstance(node.op, Split) or node.op.axis % tensor.rank != tensor.rank - 1:
        return 1
    sizes = {output.shape[-1] for output in node.outputs}
    return len(node.outputs) if len(sizes) == 1 and 0 not in sizes else 1


class _Storing:
    """Makes the statements of one sum of products."""

    def __init__(self, low: Making, pending: Pending, columns: _Columns, name: str) -> None:
        self._low, self._columns, self._name = low, columns, name
        self._pending = pending
        self._rows = prod(pending.shape[:-1])

    @property
    def _panels(self) -> list[int]:
        return self._columns.panels(panel_width(self._rows, self._pending.dtype))

    def stored(self, place: Tensor | None) -> View:
        """Return where the numbers are: computed before a loop, for all its steps, as far as these do not depend on one
        another.
        """
        pending = self._pending
        flat = [
            Factor(tuple(self._row_view(piece) for piece in factor.pieces), factor.weights)
            for factor in pending.factors
        ]
        least = max(piece.depth for factor in flat for piece in factor.pieces)
        bias = self._bias()
        out2 = self._computed(flat, bias, least, place)
        front = out2.reshaped((*pending.shape[:-1], out2.shape[-1]))
        assert front is not None
        block = self._columns.block if self._columns.unit > 1 else None
        return replace(front, shape=pending.shape, block=block)

    def _row_view(self, view: View) -> View:
        """Return a factor's piece as a matrix."""
        found = view.reshaped((self._rows, view.shape[-1]))
        if found is None:
            copy = self._low.scratch("rows", view.dtype, view.shape, view.depth, exact=True)
            self._low.filled(copy, load(view), "rows")
            found = copy.reshaped((self._rows, view.shape[-1]))
        assert found is not None
        return found

    def _computed(self, factors: list[Factor], bias: Buffer | None, depth: int, place: Tensor | None) -> View:
        """Return ``(rows, positions)``, computed at a depth."""
        low = self._low
        before: list[Factor] = []
        var = low.vars[depth - 1] if depth else None
        if var is not None:
            before, factors = _parted(factors, var)
        begin = None
        if before and var is not None and var.steps * self._rows * self._columns.positions <= _MOST_BEFORE:
            begin = self._ahead(before, bias, var)
            bias = None
            if not factors:
                return begin
        else:
            factors = before + factors
        dtype = self._pending.dtype
        shape = (self._rows, self._columns.positions)
        out = None
        if place is not None and self._columns.positions == self._columns.count and _in_order(low.wanted.get(place)):
            found = low.place(self._name, dtype, self._pending.shape, depth, place)
            out = found.reshaped(shape)
        if out is None:
            out = low.scratch(self._name, dtype, shape, depth, exact=True)
        out = replace(out, block=None)
        *first, last = _by_scale(factors)
        for group in first:  # what has a scale of its own is a sum of its own, with which the next one begins
            sums = replace(low.scratch(self._name, dtype, shape, depth, exact=True), block=None)
            self._emit(sums, group, bias, begin, depth)
            begin, bias = sums, None
        self._emit(out, last, bias, begin, depth)
        return out

    def _emit(self, out: View, factors: list[Factor], bias: Buffer | None, begin: View | None, depth: int) -> None:
        """Add the statement of a sum whose weights have one scale."""
        terms = [Term(list(factor.pieces), self._packed(factor.weights)) for factor in factors]
        scale = self._scale(factors[0].weights)
        self._low.emit(Product(out, terms, bias, begin, self._panels, scale, self._name), depth)

    def _ahead(self, factors: list[Factor], bias: Buffer | None, var: LoopVar) -> View:
        """Return what a step reads of products that are computed before a loop, for all its steps."""
        steps = var.steps
        unrolled = [
            Factor(tuple(_over_steps(piece, var) for piece in factor.pieces), factor.weights) for factor in factors
        ]
        flat: list[Factor] = []
        for factor in unrolled:
            pieces = []
            for piece in factor.pieces:
                merged = piece.reshaped((steps * self._rows, piece.shape[-1]))
                if merged is None:
                    copy = self._low.scratch("rows", piece.dtype, piece.shape, piece.depth, exact=True)
                    self._low.filled(copy, load(piece), "rows")
                    merged = copy.reshaped((steps * self._rows, piece.shape[-1]))
                assert merged is not None
                pieces.append(merged)
            flat.append(Factor(tuple(pieces), factor.weights))
        whole = _Storing(self._low, self._pending, self._columns, f"{self._name}_inputs")
        whole._rows = steps * self._rows
        least = max(piece.depth for factor in flat for piece in factor.pieces)
        all_steps = whole._computed(flat, bias, least, None)
        by_step = all_steps.reshaped((steps, self._rows, self._columns.positions))
        assert by_step is not None
        row = by_step.row(var, backward=False)
        assert row is not None
        return row

    def _bias(self) -> Buffer | None:
        """Return the sum of the vectors that are added, one number a position."""
        if not self._pending.bias:
            return None
        total = np.zeros(self._columns.positions, self._pending.dtype)
        for vector in self._pending.bias:
            total[self._columns.places()] += np.broadcast_to(np.asarray(vector).reshape(-1), (self._columns.count,))
        key = ("bias", self._columns, *(key_of(vector) for vector in self._pending.bias))
        return self._low.packed(total, f"{self._name}_bias", key)

    def _packed(self, weights: Array) -> Buffer:
        """Return weights in panels, the columns of one after those of another: ``[panel][row][column]``."""
        panels = self._panels
        key = ("panels", self._columns, panels[0], *key_of(weights))
        wide = np.zeros((len(weights), self._columns.positions), weights.dtype)
        wide[:, self._columns.places()] = np.asarray(weights)
        parts = []
        start = 0
        for width in panels:
            parts.append(wide[:, start : start + width].reshape(-1))
            start += width
        flat = np.concatenate(parts) if parts else np.zeros(0, weights.dtype)
        return self._low.packed(coded(flat, weights), f"{self._name}_kernel", key, weights.dtype)

    def _scale(self, weights: Array) -> Buffer | None:
        """Return by what sums of products by weights are multiplied, one number a position."""
        if not isinstance(weights, Held) or weights.scale is None:
            return None
        scale = np.ones(self._columns.positions, self._pending.dtype)
        scale[self._columns.places()] = weights.scale
        return self._low.packed(scale, f"{self._name}_scale", ("scale", self._columns, weights.tensor))


def _in_order(wanted: View | None) -> bool:
    """Say whether the numbers of a row are to lie one after another."""
    return wanted is None or wanted.shape[-1] == 1 or wanted.strides[-1] == 1


def _parted(factors: list[Factor], var: LoopVar) -> tuple[list[Factor], list[Factor]]:
    """Cut factors into those that steps of a loop do not hand on, which may be computed before it, and the others."""
    before: list[Factor] = []
    others: list[Factor] = []
    for factor in factors:
        row = 0
        kept: list[tuple[View, int]] = []
        for piece in factor.pieces:
            size = piece.shape[-1]
            if _is_read_only(piece, var):
                before.append(Factor((piece,), _rows_of(factor.weights, row, row + size)))
            else:
                kept.append((piece, row))
            row += size
        if len(kept) == len(factor.pieces):
            others.append(factor)
            continue
        for piece, start in kept:
            others.append(Factor((piece,), _rows_of(factor.weights, start, start + piece.shape[-1])))
    return before, others


def _rows_of(weights: Array, start: int, end: int) -> Array:
    return weights.part(start, end) if isinstance(weights, Held) else weights[start:end]


def _by_scale(factors: list[Factor]) -> list[list[Factor]]:
    """Return factors whose weights have one scale together."""
    found: dict[int, list[Factor]] = {}
    for factor in factors:
        found.setdefault(id(factor.weights.scale) if isinstance(factor.weights, Held) else 0, []).append(factor)
    return list(found.values())


def _is_read_only(view: View, var: LoopVar) -> bool:
    """Say whether a view only moves with a loop over what was there before it."""
    return view.born < var.depth and any(at is var for at, _ in view.moving)


def _over_steps(view: View, var: LoopVar) -> View:
    """Return what a view sees in all runs of a loop, with these as axis 0."""
    step = sum(by for at, by in view.moving if at is var)
    moving = tuple(pair for pair in view.moving if pair[0] is not var)
    return replace(
        view,
        shape=(var.steps, *view.shape),
        strides=(step, *view.strides),
        moving=moving,
        depth=max([view.born, *(at.depth for at, _ in moving)], default=0),
    )
