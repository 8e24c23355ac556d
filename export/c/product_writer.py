"""Products as C: panels of weights, and products of two tensors."""

from __future__ import annotations

from contextlib import ExitStack
from math import prod

from unroll.export.c.addresses import added, times
from unroll.export.c.pen import Pen
from unroll.export.c.statements import Contraction, Product, Term
from unroll.export.c.types import c_type

#: How many rows of a product are computed at once. Of four, gcc and clang each keep some sums in memory at some width.
_ROWS = 2


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
    start = sum(statement.panels[:first])
    rows = statement.out.shape[0]
    with ExitStack() as stack:
        (panel,) = pen.loops(stack, (count,), "p")
        column = added([str(start) if start else "", times(panel, width) if panel else ""])
        whole = rows // _ROWS if rows >= _ROWS else 0
        if whole:
            with ExitStack() as inner:
                (tile,) = pen.loops(inner, (whole,), "r")
                base = times(tile, _ROWS) if tile else ""
                _tile(pen, statement, width, column, [added([base, str(row)]) for row in range(_ROWS)])
        rest = rows - whole * _ROWS
        if rest:
            with ExitStack() as inner:
                (row,) = pen.loops(inner, (rest,), "r")
                at = added([str(whole * _ROWS) if whole else "", row])
                _tile(pen, statement, width, column, [at])


def _tile(pen: Pen, statement: Product, width: int, column: str, rows: list[str]) -> None:
    """Write some rows of one panel: sums in local arrays, which compilers keep in registers."""
    text, kind = pen.text, c_type(statement.out.dtype)
    lane = pen.counter("j")
    place = added([column, lane])
    sums = [f"s{number}" for number in range(len(rows))]
    with text.block(""):
        text.line(f"{kind} {', '.join(f'{name}[{width}]' for name in sums)};")
        with text.loop(lane, width):
            for name, row in zip(sums, rows, strict=True):
                text.line(f"{name}[{lane}] = {_begin(pen, statement, row, place)};")
        for term in statement.terms:
            _term(pen, term, width, column, lane, rows, sums)
        with text.loop(lane, width):
            for name, row in zip(sums, rows, strict=True):
                text.line(f"{pen.at(statement.out, [row, place])} = {name}[{lane}];")


def _begin(pen: Pen, statement: Product, row: str, place: str) -> str:
    parts = []
    if statement.begin is not None:
        parts.append(pen.at(statement.begin, [row, place]))
    if statement.bias is not None:
        parts.append(f"{pen.refer(statement.bias)}[{place}]")
    return " + ".join(parts) or "0"


def _term(pen: Pen, term: Term, width: int, column: str, lane: str, rows: list[str], sums: list[str]) -> None:
    """Write what a factor adds to the sums, a row of its weights after another."""
    text, count = pen.text, sum(piece.shape[-1] for piece in term.pieces)
    weights, done = term.weights, 0
    for piece in term.pieces:
        size = piece.shape[-1]
        if not size:
            continue
        key = pen.counter("k")
        with text.loop(key, size):
            row = times(added([str(done) if done else "", key]), width)
            at = added([times(column, count) if column != "0" else "", row])
            text.line(f"const {c_type(weights.dtype)} *w{key} = {pen.refer(weights)} + {at};")
            for name, place in zip(sums, rows, strict=True):
                text.line(f"const {c_type(piece.dtype)} a{name} = {pen.at(piece, [place, key])};")
            with text.loop(lane, width):
                for name in sums:
                    text.line(f"{name}[{lane}] += a{name} * w{key}[{lane}];")
        done += size


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
