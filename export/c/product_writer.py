"""Products as C: panels of weights, and products of two tensors."""

from __future__ import annotations

from contextlib import ExitStack
from math import prod

from unroll.dtypes import DType
from unroll.export.c.addresses import added, times
from unroll.export.c.layout import View
from unroll.export.c.pen import Pen
from unroll.export.c.statements import Contraction, Product, Term
from unroll.export.c.tiles import Tile, tiles
from unroll.export.c.types import c_type, suffix
from unroll.export.c.widening import widened

#: From how many bytes of weights on every other step goes through them from the end: what was read last is still near.
_WORTH_TURNING = 1 << 14


def write_product(pen: Pen, statement: Product) -> None:
    """Write rows times panels of weights."""
    text = pen.text
    rows = statement.out.shape[0]
    if not prod(statement.out.shape):
        return
    inner = sum(piece.shape[-1] for term in statement.terms for piece in term.pieces)
    text.comment(f"{statement.about}: ({rows}, {inner}) @ ({inner}, {statement.out.shape[1]})")
    whole = sum(width == statement.panels[0] for width in statement.panels)
    _panels(pen, statement, statement.panels[0], whole, 0)
    for number, width in enumerate(statement.panels[whole:], whole):
        _panels(pen, statement, width, 1, number)


def _panels(pen: Pen, statement: Product, width: int, count: int, first: int) -> None:
    """Write panels of one width."""
    text, dtype = pen.text, statement.out.dtype
    with ExitStack() as stack:
        (panel,) = pen.loops(stack, (count,), "p")
        if panel and pen.steps and _size(statement) >= _WORTH_TURNING:
            turned = pen.counter("q")
            text.line(f"const int {turned} = {pen.steps[-1]} % 2 ? {count - 1} - {panel} : {panel};")
            panel = turned
        start = sum(statement.panels[:first])
        column = added([str(start), times(panel, width) if panel else ""])
        for tile in tiles(statement.out.shape[0], width, dtype):
            with ExitStack() as inner:
                lane = pen.counter("j")
                inner.enter_context(text.loop(lane, width, _times_lanes(tile, dtype, tile.lanes)))
                (number,) = pen.loops(inner, (tile.repeats,), "r")
                above = added([times(number, tile.rows) if number else "", str(tile.first)])
                rows = [_index(added([above, str(row)])) for row in range(tile.rows)]
                _TileWriter(pen, statement, tile, rows, column, width, lane).write()


def _index(row: str) -> str:
    """Return an index as views take it."""
    return "" if row == "0" else row


def _times_lanes(tile: Tile, dtype: DType, count: int) -> str:
    """Return how many numbers some registers of a tile hold."""
    return times(f"LANES_{suffix(dtype).upper()}", count) if tile.vector and count else str(count)


class _TileWriter:
    """Writes the sums of a tile: each is a variable of its own, which compilers keep in a register."""

    def __init__(
        self, pen: Pen, statement: Product, tile: Tile, rows: list[str], column: str, width: int, lane: str
    ) -> None:
        self._pen, self._statement, self._tile, self._rows = pen, statement, tile, rows
        self._column, self._width, self._lane = column, width, lane
        self._dtype = statement.out.dtype
        self._kind, self._end = c_type(self._dtype), suffix(self._dtype)
        self._type = f"lanes_{self._end}" if tile.vector else self._kind

    def write(self) -> None:
        """Write it."""
        tile, text = self._tile, self._pen.text
        zero = f"ZERO_{self._end.upper()}" if tile.vector else "0"
        for row in range(tile.rows):
            for at in range(tile.lanes):
                begun = "" if self._statement.scale is not None else self._begin(row, at)
                parts = [f"{_sum(row, at, 0)} = {begun or zero}"]
                parts += [f"{_sum(row, at, part)} = {zero}" for part in range(1, tile.parts)]
                text.line(f"{self._type} {', '.join(parts)};")
        for term in self._statement.terms:
            self._term(term)
        for row, place in enumerate(self._rows):
            for at in range(tile.lanes):
                total = self._scaled(row, at, " + ".join(_sum(row, at, part) for part in range(tile.parts)))
                target = self._pen.at(self._statement.out, [place, self._position(at)])
                text.line(f"store_{self._end}(&{target}, {total});" if tile.vector else f"{target} = {total};")

    def _position(self, at: int) -> str:
        """Return the column, of all columns, at which a register of columns begins."""
        return added([self._column, self._lane, _times_lanes(self._tile, self._dtype, at)])

    def _load(self, element: str) -> str:
        return f"load_{self._end}(&{element})" if self._tile.vector else element

    def _begin(self, row: int, at: int) -> str:
        """Return what a sum begins with; empty for nothing."""
        statement, parts = self._statement, []
        if statement.begin is not None:
            parts.append(self._load(self._pen.at(statement.begin, [self._rows[row], self._position(at)])))
        if statement.bias is not None:
            parts.append(self._load(f"{self._pen.refer(statement.bias)}[{self._position(at)}]"))
        return " + ".join(parts)

    def _scaled(self, row: int, at: int, total: str) -> str:
        """Return a sum of products by whole numbers times what they stand for, and what it begins with."""
        scale = self._statement.scale
        if scale is None:
            return total
        scaled = f"{self._load(f'{self._pen.refer(scale)}[{self._position(at)}]')} * ({total})"
        return " + ".join(part for part in (self._begin(row, at), scaled) if part)

    def _term(self, term: Term) -> None:
        """Write what a factor adds to the sums, a row of its weights after another."""
        text, parts = self._pen.text, self._tile.parts
        count, done = sum(piece.shape[-1] for piece in term.pieces), 0
        first = times(self._column, count) if self._column != "0" else ""
        for piece in term.pieces:
            each, rest = divmod(piece.shape[-1], parts)
            if each:
                key = self._pen.counter("k")
                with text.loop(key, each):
                    for part in range(parts):
                        self._row(term, piece, first, done, added([key, str(part * each)]), part)
            for part in range(rest):
                self._row(term, piece, first, done, str(each * parts + part), part)
            done += piece.shape[-1]

    def _row(self, term: Term, piece: View, first: str, done: int, key: str, part: int) -> None:
        """Write what a row of weights adds to the sums of a part."""
        text = self._pen.text
        row = times(added([str(done), key]), self._width)
        weights = f"{self._pen.refer(term.weights)} + {added([first, row, self._lane])}"
        named = len(self._rows) > 1
        with text.block(""):
            text.line(f"const {c_type(term.weights.held)} *w = {weights};")
            names = []
            for at in range(self._tile.lanes):
                element = f"w[{_times_lanes(self._tile, self._dtype, at)}]"
                names.append(widened(element, term.weights, self._tile.vector) or self._load(element))
                if named:
                    text.line(f"{self._type} w{at} = {names[at]};")
                    text.line(f"IN_REGISTER(w{at});")
                    names[at] = f"w{at}"
            for number, place in enumerate(self._rows):
                text.line(f"const {self._kind} a{number} = {self._pen.at(piece, [place, _index(key)])};")
                for at, name in enumerate(names):
                    text.line(f"{_sum(number, at, part)} += a{number} * {name};")


def _size(statement: Product) -> int:
    """Return how many bytes of weights a product reads."""
    return sum(term.weights.bytes for term in statement.terms)


def _sum(row: int, at: int, part: int) -> str:
    """Return the name of a sum."""
    return f"s{row}_{at}{'abcd'[part] if part else ''}"


def write_contraction(pen: Pen, statement: Contraction) -> None:
    """Write a product of two tensors, summed over the last axis."""
    text, dtype = pen.text, statement.out.dtype
    text.comment(f"{statement.about}: product of two tensors, {statement.shape[-1]} terms each")
    kind = c_type(dtype)
    *outer, inner = statement.shape
    with ExitStack() as stack:
        index = pen.loops(stack, tuple(outer))
        stack.enter_context(text.block(""))
        text.line(f"{kind} total = 0;")
        if inner:
            with ExitStack() as summed:
                (key,) = pen.loops(summed, (inner,), "k")
                a, b = (pen.expression(item, [*index, key]) for item in (statement.left, statement.right))
                text.line(f"total += {a} * {b};" if dtype.kind == "f" else _wholetotal(pen, kind, a, b))
        text.line(f"{pen.at(statement.out, index)} = total;")


def _wholetotal(pen: Pen, kind: str, a: str, b: str) -> str:
    """Return C that adds a product of integers, which may wrap round."""
    end = "i32" if kind == "int32_t" else "i64"
    return f"total = add_{end}(total, mul_{end}({a}, {b}));"
