"""What is computed element by element, before anybody needs its numbers: a tree over views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from unroll.dtypes import DType
from unroll.export.c.layout import Sizes, View

#: A tree of more nodes is computed before it goes into another.
LARGEST = 40


@dataclass(frozen=True, eq=False)
class Expr:
    """One node of the tree. It has a view, which is read, or a template, which its arguments are put into.

    Attributes:
        shape: the sizes.
        dtype: of its elements.
        template: C with ``{0}``, ``{1}``, ... for the arguments.
        args: the arguments, of the same shape.
        view: what is read.
        index: what else tells where the view is read, along `axis`; of the same shape.
        axis: the axis of the view along which `index` counts; the others are those of the shape, as `along` says.
        along: for each axis of the view but that one, the axis of the shape.
        size: how many nodes the tree has.
    """

    shape: Sizes
    dtype: DType
    template: str = ""
    args: tuple[Expr, ...] = ()
    view: View | None = None
    index: Expr | None = None
    axis: int = 0
    along: tuple[int, ...] = ()
    size: int = 1

    def leaves(self) -> Iterator[Expr]:
        """Yield what reads views, each as often as it is read."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if node.view is not None:
                yield node
            if node.index is not None:
                waiting.append(node.index)
            waiting += node.args

    @property
    def depth(self) -> int:
        """How many loops must be inside of which its numbers can be computed."""
        return max((leaf.view.depth for leaf in self.leaves() if leaf.view is not None), default=0)

    def looked_at(self, look: Callable[[View], View | None], shape: Sizes) -> Expr | None:
        """Return the same numbers seen otherwise; None where a view needs a copy for it."""
        if self.index is not None:
            return None
        if self.view is not None:
            seen = look(self.view)
            return None if seen is None else replace(self, shape=shape, view=seen)
        args = [arg.looked_at(look, shape) for arg in self.args]
        found = tuple(arg for arg in args if arg is not None)
        return replace(self, shape=shape, args=found) if len(found) == len(args) else None

    def expanded(self, shape: Sizes) -> Expr | None:
        """Return it broadcast to a shape."""
        return self if shape == self.shape else self.looked_at(lambda view: view.expanded(shape), shape)


def load(view: View) -> Expr:
    """Return what reads a view."""
    return Expr(view.shape, view.dtype, view=view)


def literal(text: str, shape: Sizes, dtype: DType) -> Expr:
    """Return a number."""
    return Expr(shape, dtype, template=text)


def applied(template: str, args: tuple[Expr, ...], dtype: DType) -> Expr:
    """Return a template with arguments of one shape."""
    return Expr(args[0].shape, dtype, template=template, args=args, size=1 + sum(arg.size for arg in args))
