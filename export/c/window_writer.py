"""What walks over an input with a window, as C: convolutions and pooling."""

from __future__ import annotations

import re
from contextlib import ExitStack

from unroll.export.c.addresses import added, times
from unroll.export.c.pen import Pen
from unroll.export.c.statements import Pooling, Window
from unroll.export.c.types import c_type, suffix


def write_window(pen: Pen, statement: Window) -> None:
    """Write a convolution."""
    text, out = pen.text, statement.out
    text.comment(f"{statement.about}: convolution of {statement.x.shape} with {statement.weights.shape}")
    filters, channels = statement.weights.shape[:2]
    with ExitStack() as stack:
        index = pen.loops(stack, out.shape)
        stack.enter_context(text.block(""))
        which = index[1] or "0"
        begin = pen.at(statement.bias, [index[1]]) if statement.bias is not None else "0"
        text.line(f"{c_type(out.dtype)} total = {begin};")
        with ExitStack() as summed:
            (channel,) = pen.loops(summed, (channels,), "k")
            kernel = pen.loops(summed, statement.weights.shape[2:], "k")
            source = channel
            if statement.group > 1:
                per = filters // statement.group
                source = added([f"{which} / {per} * {channels}" if which != "0" else "", channel])
            x = _under(pen, statement, index, source, kernel)
            text.line(f"total += {x} * {pen.at(statement.weights, [index[1], channel, *kernel])};")
        text.line(f"{pen.at(out, index)} = total;")


def _under(pen: Pen, statement: Window, index: list[str], channel: str, kernel: list[str]) -> str:
    """Return what lies under a place of a kernel: zero where that is padded, of which an infinite weight makes NaN."""
    lines: dict[str, str] = {}
    bounds: list[str] = []
    for axis, stride in enumerate(statement.strides):
        name, size = pen.counter("y"), statement.x.shape[2 + axis]
        at = added(
            [times(counter, factor) if counter else ""
             for counter, factor in ((index[2 + axis], stride), (kernel[axis], statement.dilations[axis]))]
        )  # fmt: skip
        lines[name] = f"const int {name} = {at} - {statement.pads[axis]};"
        if statement.pads[axis] or statement.pads[axis + len(statement.strides)]:
            bounds.append(f"{name} >= 0 && {name} < {size}")
    x = pen.at(statement.x, [index[0], channel, *lines])
    named = re.findall(r"\w+", f"{x} {' '.join(bounds)}")
    for name, line in lines.items():
        if name in named:  # an axis along which nothing moves is not asked for its place
            pen.text.line(line)
    return f"({' && '.join(bounds)} ? {x} : 0)" if bounds else x


def write_pooling(pen: Pen, statement: Pooling) -> None:
    """Write the largest, or the mean, under each window: loops over what of it lies inside the input."""
    text, out, x = pen.text, statement.out, statement.x
    text.comment(f"{statement.about}: {'mean' if statement.mean else 'largest'} under {statement.window} of {x.shape}")
    kind, end = c_type(out.dtype), suffix(out.dtype)
    with ExitStack() as stack:
        index = pen.loops(stack, out.shape)
        stack.enter_context(text.block(""))
        bounds = []
        for axis, size in enumerate(x.shape[2:]):
            first, last = pen.counter("first"), pen.counter("last")
            at, pad = times(index[2 + axis], statement.strides[axis]) if index[2 + axis] else "0", statement.pads[axis]
            text.line(f"const int {first} = {f'{at} > {pad} ? {at} - {pad} : 0' if pad else at};")
            over = f"{at} + {statement.window[axis] - pad}"
            text.line(f"const int {last} = {over} < {size} ? {over} : {size};")
            bounds.append((first, last))
        begin = "0" if statement.mean else pen.at(x, [*index[:2], *(first for first, _ in bounds)])
        text.line(f"{kind} total = {begin};")
        with ExitStack() as under:
            counters = []
            for first, last in bounds:
                name = pen.counter("k")
                under.enter_context(text.block(f"for (int {name} = {first}; {name} < {last}; ++{name})"))
                counters.append(name)
            element = pen.at(x, [*index[:2], *counters])
            text.line(f"total += {element};" if statement.mean else f"total = max_{end}(total, {element});")
        count = " * ".join(f"({last} - {first})" for first, last in bounds)
        found = f"total / ({kind})({count})" if statement.mean else "total"
        text.line(f"{pen.at(out, index)} = {found};")
