"""Sections laid out: as lines of text, as LaTeX for a notebook or a paper, as HTML."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from unroll.viz.dot_text import visible
from unroll.viz.explaining.terms import Number, Symbol, Term
from unroll.viz.explaining.writing import HTML, LATEX, TEXT, Writer, latex_text

#: Of one weight, more blocks than this are not listed.
_MOST_BLOCKS = 8
_LONGEST = 400
#: Of one page, more lines than this are cut in the middle.
_MOST_LINES = 200
_ENDS = _MOST_LINES // 2


class Line(NamedTuple):
    """An equation, and what it is with numbers put in.

    Attributes:
        symbol: the name on the left.
        term: the formula.
        numbers: the formula with numbers; None where there are none.
        value: the number that it gives.
    """

    symbol: Symbol
    term: Term
    numbers: Term | None
    value: Number | None


class Page(NamedTuple):
    """What is laid out under one title.

    Attributes:
        title: the cell and its steps.
        lines: the equations.
        meanings: names, and what they stand for.
        notes: what else is said.
    """

    title: str
    lines: Sequence[Line]
    meanings: Sequence[tuple[Sequence[Symbol], str]]
    notes: Sequence[str]


def _sides(line: Line, writer: Writer) -> Iterator[str]:
    """Yield what stands on either side of the signs of equality."""
    yield writer.symbol(line.symbol)
    yield writer.term(line.term)
    if line.numbers is not None:
        yield writer.term(line.numbers)
    if line.value is not None:
        yield writer.term(line.value)


def _called(symbols: Sequence[Symbol], writer: Writer) -> str:
    shown = symbols if len(symbols) <= _MOST_BLOCKS else [*symbols[: _MOST_BLOCKS - 1], symbols[-1]]
    texts = [writer.symbol(symbol) for symbol in shown]
    if len(shown) < len(symbols):
        texts.insert(-1, "...")
    return ", ".join(texts)


def _shown(page: Page) -> Sequence[Line]:
    """Return the lines of a page, the first and the last of very many."""
    many = len(page.lines) > _MOST_LINES
    return [*page.lines[:_ENDS], *page.lines[-_ENDS:]] if many else page.lines


def _left_out(page: Page, before: str = "") -> list[str]:
    """Return what is said of lines that are left out, in the middle."""
    count = len(page.lines) - _MOST_LINES
    return [f"{before}... {count:,} more ..."] if count > 0 else []


def text_of(pages: Sequence[Page]) -> str:
    """Return pages as plain text."""
    blocks = []
    for page in pages:
        lines = [visible(page.title, _LONGEST)] if page.title else []
        said = [f"  {' = '.join(_sides(line, TEXT))}" for line in _shown(page)]
        lines += [*said[:_ENDS], *_left_out(page, "  "), *said[_ENDS:]]
        if page.meanings:
            names = [_called(symbols, TEXT) for symbols, _ in page.meanings]
            wide = min(max(map(len, names)), 24)
            lines.append("where")
            lines += [
                f"  {name.ljust(wide)}  {visible(said, _LONGEST)}"
                for name, (_, said) in zip(names, page.meanings, strict=True)
            ]
        lines += [f"{'  ' if page.title else ''}{visible(note, _LONGEST)}" for note in page.notes]
        if lines:
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def latex_of(pages: Sequence[Page]) -> str:
    """Return the equations in LaTeX, one aligned block a page."""
    return "\n".join(f"$$\n{_aligned(page)}\n$$" for page in pages if page.lines)


def _aligned(page: Page) -> str:
    rows = [rf"&\textbf{{{latex_text(page.title)}}}"] if page.title else []
    said = []
    for line in _shown(page):
        left, *right = _sides(line, LATEX)
        said.append(f"{left} &= {' = '.join(right)}")
    rows += [*said[:_ENDS], *(rf"&\text{{{text}}}" for text in _left_out(page)), *said[_ENDS:]]
    inside = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{inside}\n\\end{{aligned}}"


def html_of(pages: Sequence[Page]) -> str:
    """Return pages as HTML."""
    parts = []
    for page in pages:
        rows = []
        for line in _shown(page):
            left, *right = _sides(line, HTML)
            cells = f'<td style="text-align:right">{left}</td><td style="text-align:left">= {" = ".join(right)}</td>'
            rows.append(f"<tr>{cells}</tr>")
        parts += [f"<h4>{_escaped(page.title)}</h4>"] if page.title else []
        rows[_ENDS:_ENDS] = [f"<tr><td></td><td>{text}</td></tr>" for text in _left_out(page)]
        parts += [f"<table>{''.join(rows)}</table>"] if rows else []
        if page.meanings:
            said = "".join(f"<dt>{_called(names, HTML)}</dt><dd>{_escaped(text)}</dd>" for names, text in page.meanings)
            parts.append(f"<details><summary>where</summary><dl>{said}</dl></details>")
        parts += [f"<p>{_escaped(note)}</p>" for note in page.notes]
    return f'<div class="unroll-explanation">{"".join(parts)}</div>'


def _escaped(text: str) -> str:
    return html.escape(visible(text, _LONGEST))
