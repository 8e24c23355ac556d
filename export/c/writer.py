"""Statements as C."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from unroll.export.c.addresses import Computed, Index, Lane, added, unwrapped
from unroll.export.c.expressions import Expr
from unroll.export.c.layout import View, rounded
from unroll.export.c.pen import Pen
from unroll.export.c.product_writer import write_contraction, write_product
from unroll.export.c.reduction_writer import write_reduction
from unroll.export.c.statements import Contraction, Elementwise, Loop, Pooling, Product, Reduction, Statement
from unroll.export.c.types import c_type
from unroll.export.c.window_writer import write_pooling, write_window


def write_statements(pen: Pen, statements: Sequence[Statement]) -> None:
    """Write statements in order."""
    for statement in statements:
        if isinstance(statement, Elementwise):
            _write_elements(pen, statement)
        elif isinstance(statement, Loop):
            pen.text.comment(f"{statement.var.steps} steps: {statement.about}")
            with pen.text.loop(statement.var.name, statement.var.steps):
                pen.steps.append(statement.var.name)
                write_statements(pen, statement.body)
                pen.steps.pop()
        elif isinstance(statement, Product):
            write_product(pen, statement)
        elif isinstance(statement, Contraction):
            write_contraction(pen, statement)
        elif isinstance(statement, Reduction):
            write_reduction(pen, statement)
        elif isinstance(statement, Pooling):
            write_pooling(pen, statement)
        else:
            write_window(pen, statement)


def _write_elements(pen: Pen, statement: Elementwise) -> None:
    """Write a loop over elements: over whole blocks where all that is read and filled has them."""
    pen.text.comment(_formulas(statement))
    unit = statement.unit
    if unit is None:
        with ExitStack() as stack:
            index = pen.loops(stack, statement.shape)
            if not any(index):  # no loop keeps the names of what is computed apart from others'
                stack.enter_context(pen.text.block(""))
            _write_items(pen, statement, index)
        for number, (view, _) in enumerate(statement.items):
            if number not in statement.hidden:
                _fill_up(pen, view)
        return
    *front, last = statement.shape
    with ExitStack() as stack:
        index = pen.loops(stack, tuple(front))
        (block,) = pen.loops(stack, (-(-last // unit),))
        lane = pen.counter("j")
        if _independent(statement):
            pen.text.line("AT_ONCE")
        stack.enter_context(pen.text.loop(lane, unit))
        _write_items(pen, statement, [*index, Lane(block, lane)])


def _independent(statement: Elementwise) -> bool:
    """Say whether no element needs what is put in the place of another."""
    filled = {view.buffer.room or view.buffer: view.place for view in statement.writes()}
    return all(filled.get(view.buffer.room or view.buffer, view.place) == view.place for view in statement.reads())


def _write_items(pen: Pen, statement: Elementwise, index: Index) -> None:
    computed: Computed = {}
    for number, (view, expression) in enumerate(statement.items):
        value = unwrapped(pen.expression(expression, index, computed))
        if len(statement.items) > 1:
            name = f"v{number}"
            pen.text.line(f"const {c_type(view.dtype)} {name} = {value};")
            computed[view.place] = value = name
        if number not in statement.hidden:
            pen.text.line(f"{pen.at(view, index)} = {value};")


def _fill_up(pen: Pen, view: View) -> None:
    """Fill what lies between the last element of an axis and the end of its block: loops over blocks read it."""
    if view.block is None or view.shape[-1] % view.block.unit == 0:
        return
    unit, stride = view.block
    last = view.shape[-1]
    start = last // unit * stride + last % unit
    front = View(view.buffer, view.shape[:-1], view.strides[:-1], view.offset + start, view.moving)
    with ExitStack() as stack:
        index = pen.loops(stack, view.shape[:-1])
        lane = pen.counter("j")
        stack.enter_context(pen.text.loop(lane, rounded(last, unit) - last))
        pen.text.line(f"{pen.refer(view.buffer)}[{added([pen.place(front, index), lane])}] = 0;")


def _formulas(statement: Elementwise) -> str:
    """Return what a statement computes, by the names of what it reads."""

    def said(expression: Expr) -> str:
        if expression.view is not None:
            name = expression.view.buffer.name
            return f"{name}[{said(expression.index)}]" if expression.index is not None else name
        return expression.template.format(*map(said, expression.args)) if expression.args else expression.template

    parts = [f"{view.buffer.name} = {unwrapped(said(expression))}" for view, expression in statement.items]
    return "; ".join(parts)
