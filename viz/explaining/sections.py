"""Equations that are the same at several steps, said once, with what each name in them stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from unroll.dimensions import shape_text
from unroll.tensor import Placeholder, Tensor
from unroll.viz.explaining.block_writing import block_of
from unroll.viz.explaining.context import Context
from unroll.viz.explaining.equations import Block, Equation
from unroll.viz.explaining.terms import Call, Infix, Joined, Name, Number, Symbol, Term, names_in
from unroll.viz.explaining.units import MOVING, Unit
from unroll.viz.explaining.writing import TEXT
from unroll.viz.zero_states import is_zero

#: How many lines say what a name is, where it is something else at each step.
_MOST_SAID = 2
#: What is made of weights, in the text of what else is made of it.
_MADE = re.compile(r"\bM\d+\b")


class Meaning(NamedTuple):
    """What names in equations stand for.

    Attributes:
        symbols: the names: several where they are blocks of one weight.
        said: what it is, in words.
    """

    symbols: tuple[Symbol, ...]
    said: str

    def at(self, step: int) -> Meaning:
        """Return it with the step in the names of what is at a step."""
        return self._replace(
            symbols=tuple(item if item.time is None else item._replace(step=step) for item in self.symbols)
        )


@dataclass
class Section:
    """The equations of a cell or layer, at the steps at which they are the same.

    Attributes:
        path: the cell, or the scope.
        steps: the timesteps; empty for what has none.
        equations: the lines.
        meanings: what the names in them stand for.
        units: the operators of each of the steps; none of an operator that is a whole loop.
        notes: what else is to be said.
        context: what they depend on; None for an operator that is a whole loop.
    """

    path: str
    steps: list[int]
    equations: list[Equation]
    meanings: list[Meaning]
    units: list[Unit]
    notes: list[str] = field(default_factory=list)
    context: Context | None = None

    @property
    def title(self) -> str:
        """The cell, and the steps."""
        path = self.path or "outside of cells"
        return f"{path}, t = {ranges(self.steps)}" if self.steps else path


def ranges(steps: Sequence[int]) -> str:
    """Return numbers as text: ``0, 2 ... 5``."""
    runs: list[list[int]] = []
    for step in sorted(steps):
        if runs and step == runs[-1][1] + 1:
            runs[-1][1] = step
        else:
            runs.append([step, step])
    return ", ".join(f"{a}" if a == b else f"{a}, {b}" if b == a + 1 else f"{a} ... {b}" for a, b in runs)


class Alike(NamedTuple):
    """Units whose equations are the same, and these."""

    block: Block
    units: list[Unit]


def sections_of(context: Context) -> list[Section]:
    """Return the equations of all units, those that differ in nothing but the step together."""
    known: dict[object, Alike] = {}
    for unit in context.units.all:
        key = (unit.path, context.alike(unit))
        if key not in known:
            known[key] = Alike(block_of(context, unit), [])
        known[key].units.append(unit)
    groups: dict[tuple[str, tuple[str, ...]], list[Alike]] = {}
    for alike in known.values():
        equations = alike.block.equations
        if not equations:
            continue
        lines = tuple(f"{TEXT.symbol(line.symbol)} = {TEXT.term(_open(line.term))}" for line in equations)
        groups.setdefault((alike.block.unit.path, lines), []).append(alike)
    found = [section_of(context, same) for group in groups.values() for same in _same_numbers(group)]
    paths = {path: place for place, path in enumerate(dict.fromkeys(section.path for section in found))}
    return sorted(found, key=lambda section: (paths[section.path], min(section.steps, default=-1)))


def _open(term: Term) -> Term:
    """Return a term with a blank for each single number, which may be that of the step."""
    if isinstance(term, Number) and term.value.size == 1:
        return Name(term.shape, None, Symbol("#"))
    return with_parts(term, [_open(part) for part in term.parts])


def with_parts(term: Term, parts: Sequence[Term]) -> Term:
    """Return a term of the same kind, made of other parts."""
    if isinstance(term, (Joined, Call)):
        return replace(term, inner=tuple(parts))
    return replace(term, inner=(parts[0], parts[1])) if isinstance(term, Infix) else term


def _same_numbers(group: Sequence[Alike]) -> Iterator[list[Alike]]:
    """Yield the equations whose numbers are the same, too; a number that is that of the step at all of them is written t."""
    table = np.stack([np.array(_numbers(alike.block), dtype=np.float64) for alike in group])
    steps = [[-1 if unit.step is None else unit.step for unit in alike.units] for alike in group]
    single = len(group) > 1 and all(len(own) == 1 and own[0] >= 0 for own in steps)
    by_step = (table == np.array([own[0] for own in steps])[:, None]).all(0) & single
    found: dict[bytes, list[Alike]] = {}
    for alike, row in zip(group, table, strict=True):
        key = np.where(by_step, 0.0, row).tobytes()
        block = _at_step(alike.block, by_step.tolist()) if by_step.any() else alike.block
        found.setdefault(key, []).append(alike._replace(block=block))
    yield from found.values()


def _numbers(block: Block) -> list[float]:
    found = []
    for line in block.equations:
        waiting = [line.term]
        while waiting:
            term = waiting.pop()
            if isinstance(term, Number) and term.value.size == 1:
                found.append(float(term.value.flat[0]))
            waiting.extend(term.parts[::-1])
    return found


def _at_step(block: Block, by_step: Sequence[bool]) -> Block:
    """Return a block with t for the numbers that are that of the step."""
    chosen = iter(by_step)

    def written(term: Term) -> Term:
        if isinstance(term, Number) and term.value.size == 1:
            return Name(term.shape, term.found, Symbol("t")) if next(chosen) else term
        return with_parts(term, [written(part) for part in term.parts])

    return block._replace(equations=[line._replace(term=written(line.term)) for line in block.equations])


def section_of(context: Context, same: Sequence[Alike]) -> Section:
    """Return the equations of units that say the same, with what the names in them stand for."""
    first, units = same[0].block, [unit for alike in same for unit in alike.units]
    steps = [unit.step for unit in units if unit.step is not None]
    meanings = [*_sources(context, same), *weight_meanings(context, first.equations)]
    return Section(first.unit.path, steps, first.equations, meanings, units, context=context)


# -- what names stand for ----------------------------------------------------------------------------------------------


def _sources(context: Context, same: Sequence[Alike]) -> Iterator[Meaning]:
    """Yield what is read from outside: the inputs, and the first states."""
    said: dict[Symbol, list[tuple[int | None, str]]] = {}
    count = sum(len(alike.units) for alike in same)
    made = {line.symbol.base for line in same[0].block.equations}
    for source, unit in ((source, unit) for alike in same for source in alike.block.sources for unit in alike.units):
        tensor = source.in_unit(unit)
        own = context.units.of.get(tensor.node) if tensor is not None and tensor.node is not None else None
        is_own = source.is_state and own is not None and own.path == unit.path
        if tensor is None or (is_own and source.symbol.base in made):
            continue  # what these lines have made a step before
        said.setdefault(source.symbol, []).append((unit.step, described(context, tensor, unit.step)))
    for symbol, found in said.items():
        words = list(dict.fromkeys(text for _, text in found))
        if len(found) < count:  # a first state
            texts = [_at_first(text, step) for step, text in found[:_MOST_SAID]]
        else:
            texts = words if len(words) <= _MOST_SAID else [words[0], "...", words[-1]]
        yield Meaning((symbol,), ", ".join(texts))


def described(context: Context, tensor: Tensor, step: int | None = None) -> str:
    """Return what a tensor is, in words: an input, or what a cell makes; and whether it is cut from it, or joined."""
    source, moved = _source(context, tensor)
    parts = [item for item in source.node.inputs if item is not None] if source.node is not None else []
    if source.node is None or source.node in context.units.of or source.node.op.name != "Concat" or len(parts) < 2:
        return ("cut from " if moved else "") + _origin(context, source, step)
    ends = [_origin(context, _source(context, item)[0], step) for item in (parts[0], parts[-1])]
    return f"joined of {ends[0]} {'and' if len(parts) == 2 else '...'} {ends[1]}"


def _source(context: Context, tensor: Tensor) -> tuple[Tensor, bool]:
    """Return what a tensor is cut from or shaped as, outside of what has equations; and whether it is that itself."""
    moved = False
    while tensor.node is not None and tensor.node not in context.units.of and tensor.node.op.name in MOVING:
        inputs = [item for item in tensor.node.inputs if item is not None and item not in context.units.fixed]
        if len(inputs) != 1 or is_zero(tensor.node):
            break
        tensor, moved = inputs[0], True
    return tensor, moved


def _origin(context: Context, tensor: Tensor, step: int | None) -> str:
    graph = context.graph
    node = tensor.node
    if node is not None and is_zero(node):
        return "zeros"
    unit = context.units.of.get(node) if node is not None else None
    if unit is not None:
        name = TEXT.symbol(Symbol(context.symbols.of(tensor)))
        at = "" if unit.step is None else " at the same step" if unit.step == step else f" at t = {unit.step}"
        return f"{name} of {unit.path or 'what is outside of cells'}{at}"
    kind = "the input " if isinstance(tensor, Placeholder) else ""
    kind = f"at first, {kind}" if kind and tensor.label in graph.states else kind
    return f"{kind}{graph.name(tensor)} {shape_text(graph.shape(tensor))}"


def weight_meanings(context: Context, equations: Sequence[Equation]) -> Iterator[Meaning]:
    """Yield which Parameters the weights in equations are, and what is made of them."""
    names = names_in([line.term for line in equations])
    regions = [name.region for name in names if name.region is not None]
    for parameter in dict.fromkeys(region.parameter for region in regions):
        symbols = tuple(
            dict.fromkeys(name.symbol for name in names if name.region and name.region.parameter is parameter)
        )
        blocks = f" = {parameter.blocks}" if parameter.blocks is not None else ""
        yield Meaning(symbols, f"{parameter.name} {shape_text(parameter.shape)}{blocks}")
    made = {name: text for text, name in context.weights.made.items()}
    bases = list(dict.fromkeys(name.symbol.base for name in names if name.region is None))
    for base in bases:
        if base in made:
            yield Meaning((Symbol(base),), f"made once: {made[base]}")
            bases += [other for other in _MADE.findall(made[base]) if other in made and other not in bases]
        elif base[:1] == "C" and base[1:].isdecimal() and int(base[1:]) <= len(context.weights.numbers):
            value = context.weights.numbers[int(base[1:]) - 1]
            yield Meaning((Symbol(base),), f"a constant {shape_text(value.shape)} of {value.dtype}")


def _at_first(text: str, step: int | None) -> str:
    return f"at t = {step}: {text}" if " at " in text else f"{text} at t = {step}"
