"""`explain`: the equations of what a graph computes, read off the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from unroll import display
from unroll.arguments import checked
from unroll.checks import check_size
from unroll.dimensions import shape_text
from unroll.errors import ArgumentError
from unroll.graph import Graph
from unroll.subjects import graph_of
from unroll.tensor import Tensor
from unroll.viz.explaining.block_writing import block_of
from unroll.viz.explaining.context import Context
from unroll.viz.explaining.equations import Equation
from unroll.viz.explaining.natives import native_section
from unroll.viz.explaining.numbers import Numbers
from unroll.viz.explaining.pages import Line, Page, html_of, latex_of, text_of
from unroll.viz.explaining.sections import Alike, Section, described, section_of, sections_of, with_parts
from unroll.viz.explaining.symbols import Symbols
from unroll.viz.explaining.terms import Columns, Name, Symbol, Term
from unroll.viz.explaining.units import Units
from unroll.viz.native_nodes import native_nodes, path_of
from unroll.viz.scan_bodies import scan_bodies
from unroll.viz.tensor_names import TensorNames

#: The step that is shown with numbers where none is asked for.
_STEP = 7
#: How many steps a cell is traced over, to be explained by itself.
_TRACED = 2
#: How many outputs are said to be what they are.
_MOST_OUTPUTS = 6


class Explanation:
    """The equations of a graph; `explain` makes one.

    Printed, it is plain text; a notebook shows it as mathematics.

    Attributes:
        graph: the graph that is explained, with the steps and cells that were found.
        sections: the equations of each cell and layer, at the steps at which they are the same.
        latex: the equations in LaTeX.
        html: the equations in HTML, with what each name stands for.
    """

    def __init__(self, graph: Graph, sections: Sequence[Section], pages: Sequence[Page]) -> None:
        self.graph = graph
        self.sections = list(sections)
        self._pages = list(pages)

    @property
    def latex(self) -> str:
        """The equations in LaTeX, in ``$$``: an ``aligned`` block for each cell."""
        return latex_of(self._pages)

    @property
    def html(self) -> str:
        """The equations in HTML, with what each name stands for."""
        return html_of(self._pages)

    def __str__(self) -> str:
        return text_of(self._pages)

    def __repr__(self) -> str:
        return f"Explanation({len(self.sections)} sections, {sum(len(item.equations) for item in self.sections)} equations)"

    def _repr_latex_(self) -> str:
        return self.latex

    def _repr_html_(self) -> str:
        return self.html


@checked()
def explain(
    graph_or_cell: Any,
    feeds: Mapping[Any, Any] | None = None,
    step: int | None = None,
    unit: int | None = None,
    row: int = 0,
) -> Explanation:
    """Return the equations of what a graph computes, read off the graph: those of one step of each cell.

    What is the same at several steps is said once, with the steps; where the first step differs, it is said beside it. Names
    are those of the graph: a gate, a state, an output; ``c[t-1]`` is what the step before has made. A block of a weight is
    called by its gate: ``K_i`` are the columns of gate i of a kernel. What optimised graphs, re-rolled ones and those read
    from files compute is said in the same way; an LSTM, GRU or RNN operator by its own equations.

    Args:
        graph_or_cell: a Graph; or a cell, layer, module or model that has its weights.
        feeds: an array for every input, by placeholder or name: the numbers of a run are put in.
        step: the one step that is explained; with `feeds` by default step 7, or the last one there is.
        unit: which element of the last axis has its numbers put in, from 0 on; 0 by default. Needs `feeds`.
        row: the row of the batch that they are of.

    Returns:
        An `Explanation`: print it, or take its `latex` or `html`.

    Raises:
        ArgumentTypeError: none of these, or the feeds are no dict.
        ArgumentError: there is no such step, a unit is given without feeds, or it is not known how wide the input is.
        FeedError, ShapeError, DTypeError: the feeds do not fit.

    Example:
        >>> x = [unroll.placeholder([None, 3], name=f"x{t}") for t in range(2)]
        >>> outputs, state = unroll.static_rnn(unroll.BasicRNNCell(2), x)
        >>> print(unroll.explain(unroll.Graph(x, outputs)))
        rnn/basic_rnn_cell, t = 0, 1
          h = tanh([x, h[t-1]] @ K + b)
        where
          x       the input x0 (batch, 3), the input x1 (batch, 3)
          h[t-1]  zeros at t = 0
          K       rnn/basic_rnn_cell/kernel (5, 2) = [x 3 + h 2] x [h 2]
          b       rnn/basic_rnn_cell/bias (2,) = [h 2]
        <BLANKLINE>
        outputs rnn/t0/basic_rnn_cell/h ... rnn/t1/basic_rnn_cell/h (batch, 2): h of rnn/basic_rnn_cell at t = 0 ... 1
    """
    graph = display.placed(graph_of(graph_or_cell, "explain", _TRACED))
    if step is not None:
        check_size(step, "explain: step", least=0)
    check_size(row, "explain: row", least=0)
    if unit is not None:
        check_size(unit, "explain: unit", least=0)
        if feeds is None:
            raise ArgumentError("explain: a unit is asked for, and no numbers: give feeds, an array for every input")
    arrays = None if feeds is None else graph.check_feeds(feeds)
    sections, context = _sections(graph)
    steps = sorted({at for section in sections for at in section.steps})
    if step is not None and step not in steps:
        there = f"there are {steps[0]} to {steps[-1]}" if steps else "nothing in the graph is at a step"
        raise ArgumentError(f"explain: step {step} is asked for; {there}")
    at = step if step is not None or arrays is None or not steps else min(_STEP, steps[-1])
    if at is not None:
        sections = [_only(section, at) for section in sections if not section.steps or at in section.steps]
    numbers = None
    if arrays is not None:
        lines = [line for section in sections if _runs(section, graph) for line in section.equations]
        numbers = Numbers(graph, arrays, lines, row, unit or 0)
    pages = [_page(section, numbers if _runs(section, graph) else None) for section in sections]
    if numbers is not None and all(line.value is None for page in pages for line in page.lines):
        raise ArgumentError(f"explain: nothing has a unit {unit or 0} in a row {row}; both are counted from 0")
    heading = [] if numbers is None else [f"numbers of unit {unit or 0}, in row {row} of the batch"]
    pages.append(Page("", [], [], [*heading, *_outputs(graph, context)]))
    return Explanation(graph, sections, pages)


def _sections(graph: Graph) -> tuple[list[Section], Context]:
    """Return the equations of a graph and of the bodies of its loops."""
    first: Context | None = None
    found: list[Section] = []
    waiting: list[tuple[str, Graph]] = [("", graph)]
    while waiting:
        around, inner = waiting.pop(0)
        units = Units(inner, around)
        context = Context(inner, units, Symbols(inner, units, TensorNames(inner)))
        first = first or context
        for section in sections_of(context):
            if around:
                section.steps = []
            found.append(section)
        for native in native_nodes(inner).values():
            found += [native_section(inner, native, side) for side in range(len(native.sides))]
        for node, body in scan_bodies(inner).items():
            waiting.append((f"{path_of(node) or inner.name(node)}, Scan operator, every step", body.graph))
    return found, first or context


def _runs(section: Section, graph: Graph) -> bool:
    """Say whether a run of the graph has the numbers of a section: not those within a loop."""
    return section.context is not None and section.context.graph is graph


def _only(section: Section, at: int) -> Section:
    """Return a section at one step alone, which its names say."""
    context = section.context
    unit = next((unit for unit in section.units if unit.step == at), None)
    if context is None or unit is None:
        return section
    found = section_of(context, [Alike(block_of(context, unit), [unit])])
    lines = [Equation(_at(line.symbol, at), _placed(line.term, at), line.tensor) for line in found.equations]
    return replace(found, equations=lines, meanings=[item.at(at) for item in found.meanings])


def _at(symbol: Symbol, step: int) -> Symbol:
    return symbol if symbol.time is None else symbol._replace(step=step)


def _placed(term: Term, step: int) -> Term:
    """Return a term with the step in the names of what is at a step."""
    if isinstance(term, Name):
        return replace(term, symbol=_at(term.symbol, step))
    if isinstance(term, Columns):
        return replace(term, name=replace(term.name, symbol=_at(term.name.symbol, step)))
    return with_parts(term, [_placed(part, step) for part in term.parts])


def _page(section: Section, numbers: Numbers | None) -> Page:
    lines = []
    for equation in section.equations:
        put, value = (None, None) if numbers is None else numbers.line(equation)
        lines.append(Line(equation.symbol, equation.term, put, value))
    return Page(section.title, lines, [(list(item.symbols), item.said) for item in section.meanings], section.notes)


def _outputs(graph: Graph, context: Context) -> Iterator[str]:
    """Yield what the outputs of a graph are: those that a cell makes at several steps together, of many the first and the
    last.
    """
    groups: list[tuple[object, list[str], list[Tensor]]] = []
    for name, tensor in zip(graph.output_names, graph.outputs, strict=True):
        unit = context.units.of.get(tensor.node) if tensor.node is not None else None
        key: object = tensor if unit is None or unit.step is None else (unit.path, context.symbols.of(tensor))
        if not groups or groups[-1][0] != key:
            groups.append((key, [], []))
        groups[-1][1].append(name)
        groups[-1][2].append(tensor)
    for _, names, tensors in groups if len(groups) <= _MOST_OUTPUTS else [*groups[: _MOST_OUTPUTS - 1], groups[-1]]:
        said = f"{shape_text(graph.shape(tensors[0]))}: {described(context, tensors[0])}"
        last = context.units.of.get(tensors[-1].node) if tensors[-1].node is not None else None
        if len(names) == 1 or last is None or last.step is None:
            yield f"output {', '.join(names[:_MOST_OUTPUTS])} {said}"
        else:
            yield f"outputs {names[0]} ... {names[-1]} {said} ... {last.step}"
