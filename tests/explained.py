"""Explanations held against a run: every equation's own text is read and evaluated, from the inputs and weights on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from formula_parser import value_of
from helpers import Array

import unroll
from unroll.evaluator import evaluate
from unroll.ops.operator import OPERATORS
from unroll.tensor import Node, Tensor
from unroll.trials.trial_feeds import trials
from unroll.viz.explaining.block_writing import block_of
from unroll.viz.explaining.context import Context
from unroll.viz.explaining.equations import Block
from unroll.viz.explaining.sections import Section
from unroll.viz.explaining.terms import Name, Symbol, names_in
from unroll.viz.explaining.units import computes, is_loop
from unroll.viz.explaining.writing import TEXT
from unroll.viz.made_weights import fixed_tensors
from unroll.viz.zero_states import is_zero


@dataclass
class Run:
    """A graph, what explains it, and the value of each of its tensors on random weights and feeds."""

    graph: unroll.Graph
    sections: list[Section]
    feeds: dict[str, Array]
    values: dict[Tensor, Array]


def run_of(graph: unroll.Graph) -> Run:
    rng = np.random.default_rng(5)
    for parameter in graph.parameters.values():
        if parameter.dtype.kind == "f":
            parameter.assign(rng.uniform(-0.9, 0.9, [int(size) for size in parameter.shape]))
    feeds = dict(trials(graph, seed=3, count=1, rows=3)[0].feeds)
    found = unroll.explain(graph)
    return Run(found.graph, found.sections, feeds, values_of(found.graph, feeds))


def values_of(graph: unroll.Graph, feeds: dict[str, Array]) -> dict[Tensor, Array]:
    tensors = dict.fromkeys(
        tensor for node in graph.nodes for tensor in (*node.inputs, *node.outputs) if tensor is not None
    )
    wanted = list(dict.fromkeys([*tensors, *graph.outputs]))
    return dict(zip(wanted, evaluate(graph, graph.check_feeds(feeds), wanted), strict=True))


def check_section(section: Section, values: dict[Tensor, Array]) -> int:
    """Check every equation of a section at every one of its steps; return how many there were."""
    context = section.context
    assert context is not None
    count = 0
    for unit in section.units:
        block = block_of(context, unit)
        lines = {TEXT.symbol(line.symbol): TEXT.term(line.term) for line in block.equations}
        if section.steps:  # what is said of all steps at once is what is said of each
            said = {TEXT.symbol(line.symbol): TEXT.term(line.term) for line in section.equations}
            assert said.keys() == lines.keys()
            said = lines if any("t" in text.split() for text in said.values()) else said
            assert said == lines, (section.title, unit.step)
        count += check_block(context, block, values)
    return count


def check_block(context: Context, block: Block, values: dict[Tensor, Array]) -> int:
    known = Known()
    for source in block.sources:
        known.add(source.symbol, values[source.tensor])
    for line in block.equations:
        for name in names_in([line.term]):
            add_weight(known, context, name, values)
    for line in block.equations:
        wanted, text = values[line.tensor], TEXT.term(line.term)
        found = value_of(text, known.look_up, wanted.shape[-1] if wanted.ndim else 1, operator)
        where = f"{block.unit.path} at step {block.unit.step}: {TEXT.symbol(line.symbol)} = {text}"
        assert np.broadcast_shapes(found.shape, wanted.shape) == wanted.shape, where
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5, err_msg=where)
        assert TEXT.symbol(line.symbol) not in known.values, f"{where}: the name means something else already"
        known.add(line.symbol, np.broadcast_to(found, wanted.shape))
    return len(block.equations)


class Known:
    """What each name stands for, one thing each."""

    def __init__(self) -> None:
        self.values: dict[str, Array] = {}

    def add(self, symbol: Symbol, value: Array) -> None:
        text = TEXT.symbol(symbol)
        before = self.values.setdefault(text, value)
        assert before.shape == value.shape and np.array_equal(before, value, equal_nan=True), f"{text} means two things"

    def look_up(self, name: str) -> Array:
        return self.values[name.removesuffix(".T")].T if name.endswith(".T") else self.values[name]


def add_weight(known: Known, context: Context, name: Name, values: dict[Tensor, Array]) -> None:
    """Say what a name is that is a weight, a part of one, what is made of some, or a constant."""
    base = name.symbol.base
    if name.region is not None:
        value, (first, last) = name.region.parameter.value, name.region.columns
        if value.ndim:
            value = value[..., first:last]
        if name.region.rows is not None and value.ndim > 1:
            value = value[..., name.region.rows[0] : name.region.rows[1], :]
            value = value[0] if len(name.shape) < value.ndim else value
        known.add(name.symbol, value)
    elif base in context.weights.made.values() and name.found is not None:
        known.add(name.symbol, values[name.found.tensor])
    elif base[:1] == "C" and base[1:].isdecimal() and base not in known.values:
        known.add(name.symbol, context.weights.numbers[int(base[1:]) - 1])


def operator(name: str, inputs: list[Any], settings: dict[str, Any]) -> Array:
    """Compute an operator that a formula calls by its own name."""
    output = settings.pop("output", 0)
    settings = {key: np.dtype(value) if key == "to" else value for key, value in settings.items()}
    if not settings.get("allowzero"):  # as files write what is so anyway
        settings.pop("allowzero", None)
    op: Any = OPERATORS["", name.removeprefix("ai.onnx.")](**settings)
    slots = op.signature.slots
    arrays = []
    for place, value in enumerate(inputs):
        whole = slots[min(place, len(slots) - 1)].type in ("int64", "Tind") or (name == "Gather" and place == 1)
        arrays.append(np.asarray(value).astype(np.int64) if whole else np.asarray(value))
    results = op.evaluate(*arrays)
    return np.asarray(results[output] if isinstance(results, (list, tuple)) else results)


def unsaid(run: Run) -> list[Node]:
    """Return the operators that compute something and that no equation accounts for; zeros and weights are none."""
    said = {node for section in run.sections for unit in section.units for node in unit.nodes}
    fixed = fixed_tensors(run.graph)
    return [
        node
        for node in run.graph.nodes
        if computes(node)
        and not (node in said or is_loop(node) or is_zero(node))
        and not all(tensor in fixed for tensor in node.outputs)
    ]


def unmeant(section: Section) -> set[str]:
    """Return the names in a section that nothing in it says the meaning of: no line, and no word below them."""
    lines = {TEXT.symbol(line.symbol) for line in section.equations}
    used = {TEXT.symbol(name.symbol) for name in names_in([line.term for line in section.equations])}
    said = {TEXT.symbol(symbol) for meaning in section.meanings for symbol in meaning.symbols}
    used |= {made for meaning in section.meanings for made in re.findall(r"\bM\d+\b", meaning.said)}
    handed_on = {name for name in used if re.sub(r"\[t[+-]\d+\]$", "", name) in lines}
    return used - lines - said - handed_on - {"t"}
