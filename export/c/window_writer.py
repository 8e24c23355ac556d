"""What walks over an input with a window, as C: convolutions and pooling."""

from __future__ import annotations

from contextlib import ExitStack

from unroll.export.c.addresses import added, times
from unroll.export.c.pen import Pen
from unroll.export.c.statements import Pooling, Window
from unroll.export.c.types import c_type, suffix


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
            places: list[str] = []
            bounds: list[str] = []
            for axis in range(spatial):
                name = pen.counter("y")
                at = added(
                    [
                        times(index[2 + axis], statement.strides[axis]) if index[2 + axis] else "",
                        times(kernel[axis], statement.dilations[axis]) if kernel[axis] else "",
                    ]
                )
                text.line(f"const int {name} = {at} - {statement.pads[axis]};")
                places.append(name)
                if statement.pads[axis] or statement.pads[axis + spatial]:
                    bounds.append(f"{name} >= 0 && {name} < {statement.x.shape[2 + axis]}")
            source = channel
            if group > 1:
                per = filters // group
                source = added([f"{which} / {per} * {channels}" if which != "0" else "", channel])
            x = pen.at(statement.x, [index[0], source, *places])
            w = pen.at(statement.weights, [index[1], channel, *kernel])
            # what is padded is zero, of which a weight that is infinite makes NaN
            padded = f"({' && '.join(bounds)} ? {x} : 0)" if bounds else x
            text.line(f"total += {padded} * {w};")
        text.line(f"{pen.at(out, index)} = total;")


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
