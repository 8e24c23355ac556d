"""Where elements are, in C: sums of counters times strides, and expressions over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

from unroll.export.c.expressions import Expr
from unroll.export.c.layout import Buffer, View
from unroll.export.c.widening import widened

#: What stands in the place of an index: a counter, or `Lane`; empty for 0.
Index = Sequence[str]
#: Names of what was computed just now, by the place that it is put in.
Computed = dict[tuple[object, ...], str]


class Lane(str):
    """A counter of blocks and one of the elements of a block, in the place of one index.

    Attributes:
        block: the counter of blocks; empty where there is one.
        lane: that of the elements.
    """

    block: str
    lane: str

    def __new__(cls, block: str, lane: str) -> Self:
        found = super().__new__(cls, lane)
        found.block, found.lane = block, lane
        return found


class Addresses:
    """Says in C where elements are.

    Args:
        refer: says how C names a buffer.
    """

    def __init__(self, refer: Callable[[Buffer], str]) -> None:
        self.refer = refer

    def at(self, view: View, index: Index) -> str:
        """Return the element of a view at an index."""
        element = f"{self.refer(view.buffer)}[{self.place(view, index)}]"
        return widened(element, view.buffer) or element

    def place(self, view: View, index: Index) -> str:
        """Return where in its buffer the element of a view at an index is."""
        parts = [str(view.offset)] if view.offset else []
        parts += [times(var.name, step) for var, step in view.moving]
        last = len(view.shape) - 1
        for axis, (name, stride) in enumerate(zip(index, view.strides, strict=True)):
            if not name or not stride:
                continue
            if axis == last:
                parts += self._along_last(view, name)
            else:
                parts.append(times(name, stride))
        return added(parts)

    def _along_last(self, view: View, name: str) -> list[str]:
        """Return where on the last axis an element is, which may be cut into blocks."""
        if isinstance(name, Lane):
            assert view.block is not None
            return [times(name.block, view.block.stride) if name.block else "", name.lane]
        if view.block is None or view.plain() is not None:
            return [times(name, view.strides[-1])]
        unit, step = view.block
        return [f"{name} / {unit} * {step}", f"{name} % {unit}"]

    def expression(self, expression: Expr, index: Index, computed: Computed | None = None) -> str:
        """Return an expression at an index."""
        view = expression.view
        if view is not None and expression.index is not None:
            others = iter(expression.along)
            names = [
                self.expression(expression.index, index, computed) if axis == expression.axis else index[next(others)]
                for axis in range(len(view.shape))
            ]
            return self.at(view, names)
        if view is not None:
            known = computed.get(view.place) if computed else None
            return known or self.at(view, index)
        args = [self.expression(arg, index, computed) for arg in expression.args]
        return expression.template.format(*args) if args else expression.template


def times(name: str, factor: int) -> str:
    """Return a product, shorter where the factor is 1."""
    if factor == 1:
        return name
    return f"({name}) * {factor}" if " + " in name else f"{name} * {factor}"


def added(parts: Sequence[str]) -> str:
    """Return a sum, without what is empty or 0."""
    found = [part for part in parts if part and part != "0"]
    return " + ".join(found) or "0"


def unwrapped(text: str) -> str:
    """Return C without braces around all of it."""
    if not text.startswith("(") or not text.endswith(")"):
        return text
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text
