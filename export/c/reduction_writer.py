"""Reductions and convolutions as C."""

from __future__ import annotations

from contextlib import ExitStack
from math import prod

from unroll.export.c.addresses import Index, added, times, unwrapped
from unroll.export.c.layout import Sizes
from unroll.export.c.pen import Pen
from unroll.export.c.statements import Reduction, Window
from unroll.export.c.types import c_type


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


def write_window(pen: Pen, statement: Window) -> None:
    """Write a convolution."""
    text, out, group = pen.text, statement.out, statement.group
    text.comment(f"{statement.about}: convolution of {statement.x.shape} with {statement.weights.shape}")
    kind = c_type(out.dtype)
    filters, channels = statement.weights.shape[:2]
    spatial = len(statement.strides)
    with ExitStack() as stack:
        index = pen.loops(stack, out.shape)
        stack.enter_context(text.block(""))
        which = index[1] or "0"
        begin = pen.at(statement.bias, [index[1]]) if statement.bias is not None else "0"
        text.line(f"{kind} total = {begin};")
        with ExitStack() as summed:
            (channel,) = pen.loops(summed, (channels,), "k")
            kernel = pen.loops(summed, statement.weights.shape[2:], "k")
            places = []
            for axis in range(spatial):
                name = pen.counter("y")
                at = added(
                    [
                        times(index[2 + axis], statement.strides[axis]) if index[2 + axis] else "",
                        times(kernel[axis], statement.dilations[axis]) if kernel[axis] else "",
                    ]
                )
                text.line(f"const int {name} = {at} - {statement.pads[axis]};")
                places.append((name, statement.x.shape[2 + axis]))
            inside = " && ".join(f"{name} >= 0 && {name} < {size}" for name, size in places)
            source = channel
            if group > 1:
                per = filters // group
                source = added([f"{which} / {per} * {channels}" if which != "0" else "", channel])
            with text.block(f"if ({inside})"):
                x = pen.at(statement.x, [index[0], source, *(name for name, _ in places)])
                w = pen.at(statement.weights, [index[1], channel, *kernel])
                text.line(f"total += {x} * {w};")
        text.line(f"{pen.at(out, index)} = total;")
