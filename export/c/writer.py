"""Statements as C."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from math import gcd, prod

from unroll.export.c.expressions import Expr
from unroll.export.c.layout import Buffer, Sizes, View, rounded
from unroll.export.c.statements import Contraction, Elementwise, Loop, Product, Reduction, Statement, Term, Window
from unroll.export.c.text import Text
from unroll.export.c.types import c_type

#: How many rows of a product are computed at once, and how many columns then.
_ROWS, _TILE = 4, 16
#: Written in the place of an index.
Index = Sequence[str]


class Writer:
    """Writes statements.

    Args:
        text: what is written to.
        refer: says how C names a buffer.
    """

    def __init__(self, text: Text, refer: Callable[[Buffer], str]) -> None:
        self._text, self._refer = text, refer
        self._count = 0

    def write(self, statements: Sequence[Statement]) -> None:
        """Write statements in order."""
        for statement in statements:
            _WRITERS[type(statement)](self, statement)

    # -- places ---------------------------------------------------------------------------------------------------

    def _offset(self, view: View) -> list[str]:
        """Return the parts of a sum that say where a view begins."""
        parts = [str(view.offset)] if view.offset else []
        for var, step in view.moving:
            parts.append(_times(var.name, step))
        return parts

    def at(self, view: View, index: Index) -> str:
        """Return the element of a view at an index, ``""`` for 0."""
        parts = self._offset(view)
        last = len(view.shape) - 1
        bare = view.plain()
        for axis, (name, stride) in enumerate(zip(index, view.strides, strict=True)):
            if not name or not stride:
                continue
            if axis == last and bare is None and view.block is not None:
                unit, step = view.block
                parts.append(f"{name} / {unit} * {step} + {name} % {unit}")
            else:
                parts.append(_times(name, stride))
        return f"{self._refer(view.buffer)}[{_sum(parts)}]"

    def expression(self, expression: Expr, index: Index, given: dict[tuple[object, ...], str] | None = None) -> str:
        """Return an expression at an index.

        Args:
            expression: the expression.
            index: the names of the counters.
            given: names of what was computed just now, by the place it is put in.
        """
        if expression.view is not None:
            if expression.index is not None:
                return self._looked_up(expression, index, given)
            known = given.get(expression.view.place) if given else None
            return known or self.at(expression.view, index)
        args = [self.expression(arg, index, given) for arg in expression.args]
        return expression.template.format(*args) if args else expression.template

    def _looked_up(self, expression: Expr, index: Index, given: dict[tuple[object, ...], str] | None) -> str:
        view = expression.view
        assert view is not None and expression.index is not None
        others = iter(expression.along)
        names = [
            self.expression(expression.index, index, given) if axis == expression.axis else index[next(others)]
            for axis in range(len(view.shape))
        ]
        return self.at(view, names)

    # -- elements -------------------------------------------------------------------------------------------------

    def elements(self, statement: Elementwise) -> None:
        """Write a loop over elements."""
        text = self._text
        if not prod(statement.shape):
            return
        text.comment(_formulas(statement))
        blocked = statement.unit
        if blocked is None:
            with ExitStack() as stack:
                index = self._loops(stack, statement.shape)
                self._items(statement, index)
            self._fill_pads(statement)
            return
        *front, last = statement.shape
        blocks = -(-last // blocked)
        with ExitStack() as stack:
            index = self._loops(stack, tuple(front))
            at = self._loops(stack, (blocks,))[0]
            lane = self._name("j")
            stack.enter_context(text.loop(lane, blocked))
            self._items(statement, [*index, _Lane(at, lane)])

    def _items(self, statement: Elementwise, index: Index) -> None:
        given: dict[tuple[object, ...], str] = {}
        many = len(statement.items) > 1
        for number, (view, expression) in enumerate(statement.items):
            value = self._expression_at(expression, index, given)
            if many:
                name = f"v{number}"
                self._text.line(f"const {c_type(view.dtype)} {name} = {_unwrapped(value)};")
                given[view.place] = name
                value = name
            if number not in statement.hidden:
                self._text.line(f"{self._at(view, index)} = {_unwrapped(value)};")

    def _expression_at(self, expression: Expr, index: Index, given: dict[tuple[object, ...], str]) -> str:
        if index and isinstance(index[-1], _Lane):
            return _Blocked(self, index).expression(expression, index, given)
        return self.expression(expression, index, given)

    def _at(self, view: View, index: Index) -> str:
        if index and isinstance(index[-1], _Lane):
            return _Blocked(self, index).at(view, index)
        return self.at(view, index)

    def _fill_pads(self, statement: Elementwise) -> None:
        """Fill what lies between the last element of an axis and the end of its block: loops may read it."""
        for number, (view, _) in enumerate(statement.items):
            if view.block is None or number in statement.hidden:
                continue
            unit, stride = view.block
            last = view.shape[-1]
            if last % unit == 0:
                continue
            with ExitStack() as stack:
                index = self._loops(stack, view.shape[:-1])
                lane = self._name("j")
                count = rounded(last, unit) - last
                stack.enter_context(self._text.loop(lane, count))
                start = last // unit * stride + last % unit
                front = View(view.buffer, view.shape[:-1], view.strides[:-1], view.offset + start, view.moving)
                place = self.at(front, index)
                inner = place[place.index("[") + 1 : -1]
                self._text.line(f"{place[: place.index('[')]}[{_sum([inner, lane])}] = 0;")

    # -- loops ----------------------------------------------------------------------------------------------------

    def _name(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def _loops(self, stack: ExitStack, shape: Sizes, letter: str = "i") -> list[str]:
        """Open a loop for each axis of more than one element, and return the counters; ``""`` for those of one."""
        index = []
        for size in shape:
            if size == 1:
                index.append("")
                continue
            name = self._name(letter)
            stack.enter_context(self._text.loop(name, size))
            index.append(name)
        return index

    def steps(self, statement: Loop) -> None:
        """Write a loop over steps."""
        self._text.comment(f"{statement.var.count} steps: {statement.about}")
        with self._text.loop(statement.var.name, statement.var.count):
            self.write(statement.body)

    # -- products -------------------------------------------------------------------------------------------------

    def product(self, statement: Product) -> None:
        """Write rows times panels of weights."""
        text = self._text
        rows = statement.out.shape[0]
        if not prod(statement.out.shape):
            return
        inner = sum(piece.shape[-1] for term in statement.terms for piece in term.pieces)
        text.comment(f"{statement.about}: ({rows}, {inner}) @ ({inner}, {statement.out.shape[1]})")
        whole = sum(width == statement.panels[0] for width in statement.panels)
        self._panels(statement, statement.panels[0], whole, 0)
        for number, width in enumerate(statement.panels[whole:], whole):
            self._panels(statement, width, 1, number)

    def _panels(self, statement: Product, width: int, count: int, first: int) -> None:
        """Write panels of one width."""
        start = sum(statement.panels[:first])
        rows = statement.out.shape[0]
        with ExitStack() as stack:
            (panel,) = self._loops(stack, (count,), "p")
            column = _sum([str(start) if start else "", _times(panel, width) if panel else ""])
            whole = rows // _ROWS if rows >= _ROWS else 0
            if whole:
                with ExitStack() as inner:
                    (tile,) = self._loops(inner, (whole,), "r")
                    base = _times(tile, _ROWS) if tile else ""
                    self._tile(statement, width, column, [_sum([base, str(row)]) for row in range(_ROWS)])
            rest = rows - whole * _ROWS
            if rest:
                with ExitStack() as inner:
                    (row,) = self._loops(inner, (rest,), "r")
                    at = _sum([str(whole * _ROWS) if whole else "", row])
                    self._tile(statement, width, column, [at])

    def _tile(self, statement: Product, width: int, column: str, rows: list[str]) -> None:
        """Write some rows of one panel: all columns of one row at once, or a few columns of several rows."""
        text, kind = self._text, c_type(statement.out.dtype)
        tile = width if len(rows) == 1 else gcd(width, _TILE)
        with ExitStack() as stack:
            (part,) = self._loops(stack, (width // tile,), "q")
            lane = self._name("j")
            within = _sum([_times(part, tile) if part else "", lane])
            place = _sum([column, within])
            if not part:
                stack.enter_context(text.block(""))
            sums = [f"s{number}" for number in range(len(rows))]
            text.line(f"{kind} {', '.join(f'{name}[{tile}]' for name in sums)};")
            with text.loop(lane, tile):
                for name, row in zip(sums, rows, strict=True):
                    text.line(f"{name}[{lane}] = {self._begin(statement, row, place)};")
            for term in statement.terms:
                self._term(term, width, tile, column, within, lane, rows, sums)
            with text.loop(lane, tile):
                for name, row in zip(sums, rows, strict=True):
                    text.line(f"{self.at(statement.out, [row, place])} = {name}[{lane}];")

    def _begin(self, statement: Product, row: str, place: str) -> str:
        parts = []
        if statement.begin is not None:
            parts.append(self.at(statement.begin, [row, place]))
        if statement.bias is not None:
            parts.append(f"{self._refer(statement.bias)}[{place}]")
        return " + ".join(parts) or "0"

    def _term(
        self, term: Term, width: int, tile: int, column: str, within: str, lane: str, rows: list[str], sums: list[str]
    ) -> None:
        text, total = self._text, sum(piece.shape[-1] for piece in term.pieces)
        weights = term.weights
        done = 0
        for piece in term.pieces:
            size = piece.shape[-1]
            if not size:
                continue
            key = self._name("k")
            with text.loop(key, size):
                at = _sum([_times(column, total) if column != "0" else "", _times(_sum([str(done) if done else "", key]), width)])
                text.line(f"const {c_type(weights.dtype)} *w{key} = {self._refer(weights)} + {at};")
                for name, row in zip(sums, rows, strict=True):
                    text.line(f"const {c_type(piece.dtype)} a{name} = {self.at(piece, [row, key])};")
                with text.loop(lane, tile):
                    for name in sums:
                        text.line(f"{name}[{lane}] += a{name} * w{key}[{within}];")
            done += size

    # -- the others -----------------------------------------------------------------------------------------------

    def contraction(self, statement: Contraction) -> None:
        """Write a product of two tensors, summed over the last axis."""
        text, dtype = self._text, statement.out.dtype
        text.comment(f"{statement.about}: product of two tensors, {statement.shape[-1]} terms each")
        kind = c_type(dtype)
        *outer, inner = statement.shape
        with ExitStack() as stack:
            index = self._loops(stack, tuple(outer))
            stack.enter_context(text.block(""))
            text.line(f"{kind} total = 0;")
            if inner:
                with ExitStack() as summed:
                    (key,) = self._loops(summed, (inner,), "k")
                    a, b = (self.expression(item, [*index, key]) for item in (statement.left, statement.right))
                    text.line(f"total += {a} * {b};" if dtype.kind == "f" else self._whole_sum(kind, a, b))
            text.line(f"{self.at(statement.out, index)} = total;")

    def _whole_sum(self, kind: str, a: str, b: str) -> str:
        """Return C that adds a product of integers, which may wrap round."""
        end = "i32" if kind == "int32_t" else "i64"
        return f"total = add_{end}(total, mul_{end}({a}, {b}));"

    def reduction(self, statement: Reduction) -> None:
        """Write a reduction over the last axes."""
        text = self._text
        text.comment(f"{statement.about}: {statement.axes} axes of {statement.source.shape}")
        front = statement.source.shape[: len(statement.source.shape) - statement.axes]
        back = statement.source.shape[len(front) :]
        kind = statement.wide
        with ExitStack() as stack:
            index = self._loops(stack, front)
            stack.enter_context(text.block(""))
            first = self.expression(statement.source, [*index, *([""] * len(back))])
            if statement.position:
                self._position(statement, index, back, first)
                return
            text.line(f"{kind} total = {statement.start or first};")
            with ExitStack() as summed:
                counters = self._loops(summed, back, "k")
                if prod(back):
                    element = self.expression(statement.source, [*index, *counters])
                    text.line(f"total = {_unwrapped(statement.step.format('total', element))};")
            end = statement.end.format("total")
            text.line(f"{self.at(statement.out, index)} = {end};")

    def _position(self, statement: Reduction, index: Index, back: Sizes, first: str) -> None:
        """Write which element is the largest: the first of several, and the first NaN where there is one."""
        text = self._text
        text.line(f"{statement.wide} best = {first};")
        text.line("int64_t place = 0;")
        with ExitStack() as summed:
            (key,) = self._loops(summed, back, "k")
            element = self.expression(statement.source, [*index, key])
            text.line(f"const {statement.wide} one = {element};")
            nan = " || (one != one && best == best)" if statement.source.dtype.kind == "f" else ""
            with text.block(f"if (one > best{nan})"):
                text.line("best = one;")
                text.line(f"place = {key or 0};")
        text.line(f"{self.at(statement.out, index)} = place;")

    def window(self, statement: Window) -> None:
        """Write a convolution."""
        text, out, group = self._text, statement.out, statement.group
        text.comment(f"{statement.about}: convolution of {statement.x.shape} with {statement.weights.shape}")
        kind = c_type(out.dtype)
        filters, channels = statement.weights.shape[:2]
        spatial = len(statement.strides)
        with ExitStack() as stack:
            index = self._loops(stack, out.shape)
            stack.enter_context(text.block(""))
            which = index[1] or "0"
            begin = self.at(statement.bias, [index[1]]) if statement.bias is not None else "0"
            text.line(f"{kind} total = {begin};")
            with ExitStack() as summed:
                (channel,) = self._loops(summed, (channels,), "k")
                kernel = self._loops(summed, statement.weights.shape[2:], "k")
                places = []
                for axis in range(spatial):
                    name = self._name("y")
                    at = _sum(
                        [
                            _times(index[2 + axis], statement.strides[axis]) if index[2 + axis] else "",
                            _times(kernel[axis], statement.dilations[axis]) if kernel[axis] else "",
                        ]
                    )
                    text.line(f"const int {name} = {at} - {statement.pads[axis]};")
                    places.append((name, statement.x.shape[2 + axis]))
                inside = " && ".join(f"{name} >= 0 && {name} < {size}" for name, size in places)
                source = channel
                if group > 1:
                    per = filters // group
                    source = _sum([f"{which} / {per} * {channels}" if which != "0" else "", channel])
                with text.block(f"if ({inside})"):
                    x = self.at(statement.x, [index[0], source, *(name for name, _ in places)])
                    w = self.at(statement.weights, [index[1], channel, *kernel])
                    text.line(f"total += {x} * {w};")
            text.line(f"{self.at(out, index)} = total;")


class _Lane(str):
    """A counter of blocks and one of the elements of a block, in the place of one index."""

    block: str
    lane: str

    def __new__(cls, block: str, lane: str) -> _Lane:
        found = super().__new__(cls, lane)
        found.block, found.lane = block, lane
        return found


class _Blocked:
    """Writes elements in loops over blocks: the last axis has two counters."""

    def __init__(self, writer: Writer, index: Index) -> None:
        self._writer, self._index = writer, index

    def at(self, view: View, index: Index) -> str:
        """Return the element of a view, whose blocks may lie apart."""
        last = index[-1]
        assert isinstance(last, _Lane)
        if not view.strides[-1]:
            return self._writer.at(view, [*index[:-1], ""])
        assert view.block is not None
        front = View(view.buffer, view.shape[:-1], view.strides[:-1], view.offset, view.moving)
        place = self._writer.at(front, index[:-1])
        name, inner = place[: place.index("[")], place[place.index("[") + 1 : -1]
        parts = [inner if inner != "0" else "", _times(last.block, view.block.stride) if last.block else "", last.lane]
        return f"{name}[{_sum(parts)}]"

    def expression(self, expression: Expr, index: Index, given: dict[tuple[object, ...], str]) -> str:
        """Return an expression at an index."""
        if expression.view is not None:
            return given.get(expression.view.place) or self.at(expression.view, index)
        args = [self.expression(arg, index, given) for arg in expression.args]
        return expression.template.format(*args) if args else expression.template


def _formulas(statement: Elementwise) -> str:
    """Return what a statement computes, by the names of what it reads."""

    def said(expression: Expr) -> str:
        if expression.view is not None:
            name = expression.view.buffer.name
            return f"{name}[{said(expression.index)}]" if expression.index is not None else name
        return expression.template.format(*map(said, expression.args)) if expression.args else expression.template

    parts = [f"{view.buffer.name} = {_unwrapped(said(expression))}" for view, expression in statement.items]
    return "; ".join(parts)


def _times(name: str, factor: int) -> str:
    if factor == 1:
        return name
    return f"({name}) * {factor}" if " + " in name else f"{name} * {factor}"


def _sum(parts: Sequence[str]) -> str:
    found = [part for part in parts if part and part != "0"]
    return " + ".join(found) or "0"


def _unwrapped(text: str) -> str:
    """Return C without braces around all of it."""
    if not text.startswith("(") or not text.endswith(")"):
        return text
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return text[1:-1] if place == len(text) - 1 else text
    return text


_WRITERS: dict[type, Callable[[Writer, object], None]] = {  # type: ignore[type-arg]
    Contraction: Writer.contraction,  # type: ignore[dict-item]
    Elementwise: Writer.elements,  # type: ignore[dict-item]
    Loop: Writer.steps,  # type: ignore[dict-item]
    Product: Writer.product,  # type: ignore[dict-item]
    Reduction: Writer.reduction,  # type: ignore[dict-item]
    Window: Writer.window,  # type: ignore[dict-item]
}
