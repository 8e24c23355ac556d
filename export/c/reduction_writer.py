"""Reductions as C."""

from __future__ import annotations

from contextlib import ExitStack
from math import prod

from unroll.export.c.addresses import Index, unwrapped
from unroll.export.c.layout import Sizes
from unroll.export.c.pen import Pen
from unroll.export.c.statements import Reduction


def write_reduction(pen: Pen, statement: Reduction) -> None:
    """Write a reduction over the last axes."""
    text = pen.text
    text.comment(f"{statement.about}: {statement.axes} axes of {statement.source.shape}")
    front = statement.source.shape[: len(statement.source.shape) - statement.axes]
    back = statement.source.shape[len(front) :]
    kind = statement.wide
    with ExitStack() as stack:
        index = pen.loops(stack, front)
        stack.enter_context(text.block(""))
        first = pen.expression(statement.source, [*index, *([""] * len(back))])
        if statement.position:
            _position(pen, statement, index, back, first)
            return
        text.line(f"{kind} total = {statement.start or first};")
        with ExitStack() as summed:
            counters = pen.loops(summed, back, "k")
            if prod(back):
                element = pen.expression(statement.source, [*index, *counters])
                text.line(f"total = {unwrapped(statement.step.format('total', element))};")
        end = statement.end.format("total")
        text.line(f"{pen.at(statement.out, index)} = {end};")


def _position(pen: Pen, statement: Reduction, index: Index, back: Sizes, first: str) -> None:
    """Write which element is the largest: the first of several, and the first NaN where there is one."""
    text = pen.text
    text.line(f"{statement.wide} best = {first};")
    text.line("int64_t place = 0;")
    with ExitStack() as summed:
        (key,) = pen.loops(summed, back, "k")
        element = pen.expression(statement.source, [*index, key])
        text.line(f"const {statement.wide} one = {element};")
        nan = " || (one != one && best == best)" if statement.source.dtype.kind == "f" else ""
        with text.block(f"if (one > best{nan})"):
            text.line("best = one;")
            text.line(f"place = {key or 0};")
    text.line(f"{pen.at(statement.out, index)} = place;")
