"""What a program does, one after another: statements, which say what they read and write. `writer` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from unroll.export.c.expressions import Expr
from unroll.export.c.layout import Buffer, LoopVar, Sizes, View


@dataclass(eq=False)
class Elementwise:
    """Views are filled with what expressions give, all of one shape, in one loop.

    Attributes:
        items: what is filled, and with what.
        about: what a reader is told.
        hidden: which of the items nobody else reads, and are not kept.
    """

    items: list[tuple[View, Expr]]
    about: str = ""
    hidden: set[int] = field(default_factory=set)

    @property
    def shape(self) -> Sizes:
        """The sizes of the loop."""
        return self.items[0][0].shape

    @property
    def unit(self) -> int | None:
        """How long the blocks are over whose ends the loop may run; None where it may not."""
        if not self.shape or self.shape[-1] == 1:
            return None
        units = {view.block.unit if view.block is not None else None for view, _ in self.items}
        for _, expression in self.items:
            for leaf in expression.leaves():
                assert leaf.view is not None
                if leaf.index is not None:
                    return None
                if leaf.view.strides[-1]:
                    units.add(leaf.view.block.unit if leaf.view.block is not None else None)
        return units.pop() if len(units) == 1 else None

    def reads(self) -> Iterator[View]:
        """Yield the views that are read."""
        kept = {self.items[number][0].buffer for number in self.hidden}
        for _, expression in self.items:
            yield from (view for view in views_of(expression) if view.buffer not in kept)

    def writes(self) -> Iterator[View]:
        """Yield the views that are filled."""
        yield from (view for number, (view, _) in enumerate(self.items) if number not in self.hidden)


class Term(NamedTuple):
    """A factor of a product by weights.

    Attributes:
        pieces: the columns of the factor, one view after another, ``(rows, columns)`` each.
        weights: ``(columns, positions)``, packed as panels.
    """

    pieces: list[View]
    weights: Buffer


@dataclass(eq=False)
class Product:
    """Rows of a view become sums of products by weights.

    Attributes:
        out: ``(rows, positions)``.
        terms: what is added up.
        bias: what it begins with, a weight of one number a position.
        begin: what it begins with, a view like `out`.
        panels: how wide the panels of the weights are.
        scale: by what the sums of products are multiplied, a weight of one number a position.
        about: what a reader is told.
    """

    out: View
    terms: list[Term]
    bias: Buffer | None
    begin: View | None
    panels: list[int]
    scale: Buffer | None = None
    about: str = ""

    def reads(self) -> Iterator[View]:
        """Yield the views that are read."""
        for term in self.terms:
            yield from term.pieces
            yield whole(term.weights)
        if self.begin is not None:
            yield self.begin
        yield from (whole(buffer) for buffer in (self.bias, self.scale) if buffer is not None)

    def writes(self) -> Iterator[View]:
        """Yield the view that is filled."""
        yield self.out


@dataclass(eq=False)
class Contraction:
    """A product of two tensors, neither of which needs to be a weight: ``out[i] += left * right`` over more axes.

    Attributes:
        out: the view that is filled; of size 1, seen as larger, along what is summed over.
        left, right: the factors, seen in the shape of the loop: the axes of `out`, then those summed over.
        shape: the sizes of the loop.
        summed: how many of the last axes are summed over.
        about: what a reader is told.
    """

    out: View
    left: Expr
    right: Expr
    shape: Sizes
    summed: int
    about: str = ""

    def reads(self) -> Iterator[View]:
        """Yield the views that are read."""
        yield from views_of(self.left)
        yield from views_of(self.right)

    def writes(self) -> Iterator[View]:
        """Yield the view that is filled."""
        yield self.out


@dataclass(eq=False)
class Reduction:
    """Elements along the last axes become one.

    Attributes:
        out: the view that is filled, of the axes in front.
        source: what is reduced.
        axes: how many of the last axes.
        start: C of what it begins with; empty for the first element.
        step: C that puts ``{0}``, what was found so far, and ``{1}``, an element, together; ``{2}`` is the number of it.
        end: C that makes the result of it.
        wide: the C type it is computed in.
        about: what a reader is told.
    """

    out: View
    source: Expr
    axes: int
    start: str
    step: str
    end: str
    wide: str
    position: bool = False
    about: str = ""

    def reads(self) -> Iterator[View]:
        """Yield the views that are read."""
        yield from views_of(self.source)

    def writes(self) -> Iterator[View]:
        """Yield the view that is filled."""
        yield self.out


@dataclass(eq=False)
class Window:
    """A convolution: sums of what lies under a window, times weights."""

    out: View
    x: View
    weights: View
    bias: View | None
    strides: Sizes
    pads: Sizes
    dilations: Sizes
    group: int
    about: str = ""

    def reads(self) -> Iterator[View]:
        """Yield the views that are read."""
        yield from (view for view in (self.x, self.weights, self.bias) if view is not None)

    def writes(self) -> Iterator[View]:
        """Yield the view that is filled."""
        yield self.out


@dataclass(eq=False)
class Pooling:
    """The largest, or the mean, of what lies under a window; what is padded takes no part.

    Attributes:
        out: the view that is filled.
        x: ``(batch, channels, *sizes)``.
        window: its sizes.
        strides: its steps.
        pads: what is added before each axis, then after each.
        mean: whether it is the mean, and not the largest.
        about: what a reader is told.
    """

    out: View
    x: View
    window: Sizes
    strides: Sizes
    pads: Sizes
    mean: bool
    about: str = ""

    def reads(self) -> Iterator[View]:
        """Yield the view that is read."""
        yield self.x

    def writes(self) -> Iterator[View]:
        """Yield the view that is filled."""
        yield self.out


@dataclass(eq=False)
class Loop:
    """A block that runs again and again.

    Attributes:
        var: its counter.
        body: what runs.
        about: what a reader is told.
    """

    var: LoopVar
    body: list[Statement] = field(default_factory=list)
    about: str = ""

    def reads(self) -> Iterator[View]:
        """Yield the views that are read."""
        for statement in self.body:
            yield from statement.reads()

    def writes(self) -> Iterator[View]:
        """Yield the views that are filled."""
        for statement in self.body:
            yield from statement.writes()


Statement: TypeAlias = Elementwise | Product | Contraction | Reduction | Window | Pooling | Loop


def views_of(expression: Expr) -> Iterator[View]:
    """Yield the views that an expression reads."""
    yield from (leaf.view for leaf in expression.leaves() if leaf.view is not None)


def whole(buffer: Buffer) -> View:
    """Return all of a buffer as a vector."""
    return View(buffer, (buffer.size,), (1,))
