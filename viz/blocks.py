"""The weights of a cell as a textbook draws them: a block matrix, rows by source, columns by gate, the bias beneath."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from unroll.parameter import BlockTable, Parameter, block_tables
from unroll.viz import palette
from unroll.viz.boxes import Box
from unroll.viz.dot_text import TIMES, cell, escaped, font, table, text_width, visible
from unroll.viz.shapes import shape_text
from unroll.viz.states import last_part
from unroll.viz.values import Values
from unroll.viz.weight_names import role_of, shown_path, two_parts, weight_names

_NARROWEST, _WIDEST = 38.0, 62.0
_LOWEST, _HIGHEST = 26.0, 64.0
_BIAS_HEIGHT = 22.0
_HEAD = 17.0
# How many weights a note on why they stand apart names, and how long its list of names may be.
_NAMES, _NOTE = 6, 200
# Room for viewers whose font is wider than the one that sizes were computed with.
_SLACK = 1.15
_ROW_HEAD = 34.0
_TITLE, _TEXT, _SMALL = 12, 11, 9
# Lines of text are given their height, so that weights side by side keep in step.
_HEADING, _NUMBERS, _REMARK = 18, 14, 13
_EDGE = 6.0
# What Graphviz leaves between two weights that stand under one another.
_BETWEEN = 4.5
#: What the row of a bias is called where one array holds several: ``x bias``, ``h bias``.
_BIAS = " bias"
#: The letters of vectors that formulas do not call w.
_VECTORS = {"b": "b", "gamma": "\u03b3", "beta": "\u03b2"}

Paint = Callable[[str], "str | None"]


class Card(NamedTuple):
    """The weights of a cell as one box.

    Attributes:
        box: its content and size.
        headings: for each weight, how far its heading is below the top.
    """

    box: Box
    headings: dict[Parameter, float]


def panel(
    name: str,
    parameters: Sequence[Parameter],
    steps: int,
    paint: Paint,
    values: Values,
    remarks: Sequence[str] = (),
    upright: bool = False,
    added_to: Mapping[Parameter, str] = MappingProxyType({}),
) -> Card:
    """Return the weights that a cell shares over all its steps, each bias under its kernel.

    Args:
        name: the scope that they share, such as ``rnn/basic_lstm_cell``.
        parameters: the Parameters.
        steps: how many timesteps share them.
        paint: returns the fill of a gate, or None.
        values: numbers to print.
        remarks: what else is said of them, a line each.
        upright: set all weights under one another, not each kernel beside the next.
        added_to: of which source the products are that biases of one name are added to.
    """
    stacks = block_tables(parameters)
    sources = _bias_sources(parameters) | dict(added_to)
    names = weight_names(parameters, name)
    names |= {item: f"{role_of(item)} of {source}" for item, source in added_to.items()}
    letters = _letters(names, sources)
    pieces = [
        [
            _weight(item, names[item], paint, values, place == 0, letters[item], sources.get(item, ""))
            for place, item in enumerate(stack)
        ]
        for stack in stacks
    ]
    columns = [[box for boxes in pieces for box in boxes]] if upright else pieces
    highest = max(_high(boxes) for boxes in columns)
    drawn = [_stack(boxes, highest) for boxes in columns]
    sides = cell("", width=14).join(cell(box.label, valign="TOP") for box in drawn)
    notes = [f"one set of weights for {f'all {steps} steps' if steps > 1 else 'the one step'}"] if steps else []
    tables = [stack[0].blocks for stack in stacks if stack[0].blocks is not None]
    orders = [
        ", ".join(gate for gate, _ in blocks.columns)
        for blocks in tables
        if paint(blocks.columns[0][0]) and (blocks.rows or len(tables) == 1)
    ]
    notes += [f"gate order {' | '.join(dict.fromkeys(orders))}"] if any("," in order for order in orders) else []
    notes += [*_reasons(stacks, names), *(visible(remark, _NOTE) for remark in remarks)]
    wide = {"colspan": 2 * len(drawn) - 1, "align": "LEFT"}
    name = shown_path(name)
    lines = [cell(font(escaped(name), _TITLE, palette.WEIGHT, True), height=_HEADING, **wide)] if name else []
    lines += [cell(font(escaped(note, None), _SMALL, palette.MUTED), height=_REMARK, **wide) for note in notes]
    width = max(
        sum(box.width + 14 for box in drawn) - 14,
        text_width(name, _TITLE, True),
        *(text_width(note, _SMALL, longest=None) for note in notes),
        0,
    )
    top = (_HEADING if name else 0) + len(notes) * _REMARK
    listed = [[item for stack in stacks for item in stack]] if upright else stacks
    headings = {
        item: _EDGE + top + _HEADING / 2 + _high(boxes[:place])
        for items, boxes in zip(listed, columns, strict=True)
        for place, item in enumerate(items)
    }
    return Card(Box(table([*lines, sides]), width + 20, max(box.height for box in drawn) + top + 2 * _EDGE), headings)


def beside(parameters: Sequence[Parameter], name: str, values: Values) -> Box:
    """Return the weights of one operator or layer in few lines, to stand beside it; `name` is the layer's scope, or empty."""
    rows = [cell("", height=4)]
    width = height = 0.0
    names = weight_names(parameters, name)
    for item in parameters:
        called = names[item] if name else two_parts(item)
        size = shape_text(item.shape)
        rows.append(
            cell(f"{font(escaped(called), _TEXT, palette.INK, True)} {font(escaped(size), _SMALL, palette.MUTED)}")
        )
        numbers = values.lines(item)
        rows += [cell(font(escaped(line), _SMALL, palette.STATE)) for line in numbers]
        both = text_width(called, _TEXT, True) + text_width(f"  {size}", _TEXT, True)
        width = max(width, both, *(text_width(line, _SMALL) for line in numbers))
        height += _TEXT * 1.4 + len(numbers) * _SMALL * 1.4
    return Box(table(rows), width + 14, height + 12)


def _reasons(stacks: Iterable[Sequence[Parameter]], names: Mapping[Parameter, str]) -> list[str]:
    """Return a line for each reason why weights stand apart, naming them."""
    apart: dict[str, list[str]] = {}
    for stack in stacks:
        if stack[0].blocks is not None and stack[0].blocks.note:
            apart.setdefault(stack[0].blocks.note, []).append(names[stack[0]])
    return [f"{_listed(weights)}: {visible(note, _NOTE)}" for note, weights in apart.items()]


def _listed(names: Sequence[str]) -> str:
    """Return names in a line of readable length; the tooltip has them all."""
    shown = ", ".join(visible(name) for name in names[:_NAMES])
    return f"{shown} and {len(names) - _NAMES} more" if len(names) > _NAMES else shown


def _high(boxes: Sequence[Box]) -> float:
    return sum(box.height + _BETWEEN for box in boxes)


def _stack(boxes: Sequence[Box], height: float) -> Box:
    """Return weights under one another, with empty room below them down to `height`, which Graphviz would otherwise
    spread them over.
    """
    rows = [cell(box.label, align="LEFT") for box in boxes]
    rest = height - _high(boxes)
    rows += [cell("", height=f"{rest:.0f}")] if rest >= 1 else []
    return Box(table(rows, cellpadding=2), max(box.width for box in boxes) + 4, height)


def _weight(item: Parameter, short: str, paint: Paint, values: Values, headed: bool, letter: str, source: str) -> Box:
    size = f"{shape_text(item.shape)}{_told_of_shape(item)}"
    caption = f"{short} {size}"
    numbers = values.lines(item)
    heading = font(f"{font(escaped(short), _TEXT, palette.INK, True)} {font(escaped(size), _TEXT, palette.INK)}")
    blocks = item.blocks if item.blocks is not None else _one_block(item)
    named = item.blocks is not None
    grid = block_grid(blocks, paint, headed and named, letter if named else "", source)
    rows = [cell(heading, align="LEFT", height=_HEADING), cell(grid.label, align="LEFT")]
    rows += [cell(font(escaped(line), _SMALL, palette.STATE), align="LEFT", height=_NUMBERS) for line in numbers]
    width = max(grid.width, text_width(caption, _TEXT, True) + 6, *(text_width(line, _SMALL) for line in numbers), 0)
    return Box(table(rows), width, grid.height + _HEADING + len(numbers) * _NUMBERS)


def _told_of_shape(item: Parameter) -> str:
    """Return what the shape of a weight means where its blocks do not say it: that of a kernel that slides over an image has
    the window before the rows and columns.
    """
    if item.blocks is None:
        return ""
    if item.rank > 2 and item.blocks.rows:
        window = f" {TIMES} ".join(map(str, item.shape[:-2]))
        return f" window {window}"
    return " transposed" if item.blocks.transposed and item.rank == 2 else ""


def _letters(short: Mapping[Parameter, str], sources: Mapping[Parameter, str]) -> dict[Parameter, str]:
    """Return what formulas call the blocks of each weight; vectors of the same gates that would all be w have their names."""
    found = {item: _letter(item, name) for item, name in short.items()}
    alike = {
        item: (item.blocks.columns, sources.get(item))
        for item in short
        if item.blocks is not None and found[item] == "w" and not role_of(item)
    }
    names: dict[object, set[str]] = {}
    for item, key in alike.items():
        names.setdefault(key, set()).add(last_part(item))
    return found | {item: last_part(item) for item, key in alike.items() if len(names[key]) > 1}


def _bias_sources(parameters: Sequence[Parameter]) -> dict[Parameter, str]:
    """Return the sources of biases, where the same gates have several biases, as PyTorch's ``bias_ih`` and ``bias_hh``:
    a bias and its matrix have one name.
    """
    biases = {item: item.blocks.columns for item in parameters if item.rank == 1 and item.blocks is not None}
    matrices = {item.name: item.blocks.rows for item in parameters if item.rank == 2 and item.blocks is not None}
    found: dict[Parameter, str] = {}
    for item in biases:
        twice = list(biases.values()).count(biases[item]) > 1 and "bias" in last_part(item)
        rows = matrices.get(item.name.replace("bias", "weight"), ())
        if twice and len(rows) == 1:
            found[item] = rows[0][0]
    return found


def _one_block(item: Parameter) -> BlockTable:
    """Return the table of a weight without a block table: it is one block."""
    shape = [int(str(size)) for size in item.shape]
    columns = (("", shape[-1] if shape else 1),)
    return BlockTable((("", shape[0]),) if len(shape) > 1 else (), columns)


def _letter(item: Parameter, short: str) -> str:
    """Return what a formula calls the blocks of a weight: W for a matrix, b for a bias, w for any other vector."""
    name = short.rpartition("/")[2].lower()
    if item.rank > 1:
        return "W"
    return _VECTORS.get(name, "b" if "bias" in name else "w")


def block_grid(blocks: BlockTable, paint: Paint, headed: bool, letter: str, of: str) -> Box:
    """Return the blocks of a weight, coloured by gate: rows by source, columns by gate."""
    named = bool(letter) and any(name for name, _ in (*blocks.rows, *blocks.columns))
    shares = _shares([size for _, size in blocks.columns], _NARROWEST, _WIDEST)
    wanted = [_SLACK * text_width(f"{gate} {size}", _TEXT, True) + 6 for gate, size in blocks.columns]
    if len(letter) > 1:
        named_by = [_SLACK * (text_width(letter, _TEXT) + text_width(gate, 8)) + 6 for gate, _ in blocks.columns]
        wanted = [max(pair) for pair in zip(wanted, named_by, strict=True)]
    widths = [max(pair) for pair in zip(shares, wanted, strict=True)]
    left = max([_ROW_HEAD, *(_SLACK * text_width(f"{source} {size}", _TEXT, True) + 6 for source, size in blocks.rows)])
    biases = all(source.endswith(_BIAS) for source, _ in blocks.rows)
    heights = _shares([size for _, size in blocks.rows], _LOWEST, _HIGHEST)
    heights = [_BIAS_HEIGHT] * max(len(heights), 1) if biases else heights
    vector = not blocks.rows and letter != "b"  # one of several, perhaps of no gate
    corner = cell("", width=f"{left:.0f}") if named else ""
    lines = []
    if headed:
        heads = [
            cell(font(_sized(gate, size), _SMALL, palette.MUTED), width=f"{width:.0f}", height=f"{_HEAD:.0f}")
            for (gate, size), width in zip(blocks.columns, widths, strict=True)
        ]
        lines.append(corner + "".join(heads))
    for (source, rows), height in zip(blocks.rows or (("", 0),), heights, strict=True):
        head = cell(font(f"{_sized(source, rows)} ", _SMALL, palette.MUTED), width=f"{left:.0f}") if source else corner
        body = [
            cell(
                font(_symbol(source or of, gate if paint(gate) or vector else "", letter), _TEXT),
                bgcolor=paint(gate) or palette.PLAIN_BLOCK,
                border=1,
                color=palette.WEIGHT,
                width=f"{width:.0f}",
                height=f"{height:.0f}",
            )
            for (gate, _), width in zip(blocks.columns, widths, strict=True)
        ]
        lines.append(head + "".join(body))
    width = sum(round(item) for item in widths) + (round(left) if named else 0)
    height = sum(round(item) for item in heights) + (round(_HEAD) if headed else 0)
    # A table without a fixed size would be stretched to the width of the heading above it.
    return Box(table(lines, align="LEFT", fixedsize="TRUE", width=width, height=height), width, height)


def _sized(name: str, size: int) -> str:
    return f"{font(escaped(name), _TEXT, palette.INK, True)} {size}" if size else escaped(name)


def _symbol(source: str, gate: str, letter: str) -> str:
    """Return the name a formula gives a block: its letter with its source and gate as index."""
    if source.endswith(_BIAS):
        source, letter = source.removesuffix(_BIAS), "b"
    names = [name for name in (source.partition(" (")[0], gate) if name]
    index = escaped(("," if any(len(name) > 1 for name in names) else "").join(names)) if letter else ""
    return f"{escaped(letter)}{font(f'<SUB>{index}</SUB>', 8)}" if index else escaped(letter)


def _shares(sizes: Iterable[int], least: float, most: float) -> list[float]:
    """Return lengths in proportion to `sizes`, kept between two bounds."""
    listed = list(sizes)
    largest = max(listed, default=1)
    return [max(least, most * size / largest) for size in listed]
