"""A file of ours is read with the steps, cells and gates that its names tell, and with none that they might only seem to."""

from __future__ import annotations

import pytest
from picture_networks import CELLS, EXAMPLES, LAYERS, PROGRAMS, REWRITTEN, read_back

import unroll
from unroll.scopes import Origin

#: Whole loops in one operator, and what is made of files of others.
TRACED = {**PROGRAMS, **CELLS, **LAYERS, **EXAMPLES}
CHANGED = {name: make for name, make in REWRITTEN.items() if name.startswith(("optimized", "joined", "rerolled"))}


def pairs(graph: unroll.Graph) -> list[tuple[frozenset[Origin], Origin, str]]:
    """Where each node comes from: as it was traced, and as it is read from a file; and its name."""
    named = {graph.name(node): node.provenance for node in graph.nodes}
    found = read_back(graph)
    return [
        (named[found.name(node)], node.origin, found.name(node)) for node in found.nodes if found.name(node) in named
    ]


@pytest.mark.parametrize("name", TRACED)
def test_a_network_of_ours_is_read_with_its_steps_cells_and_gates(name: str) -> None:
    found = pairs(TRACED[name]())
    at_steps = [pair for pair in found if any(origin.step is not None for origin in pair[0])]
    for traced, read, called in at_steps:
        (origin,) = traced
        if read.step is not None:
            assert (read.scope, read.step) == (origin.scope, origin.step), called
        assert read.cell in (None, origin.cell), called
        assert read.gate in (None, origin.gate), called
    # What all steps share may lose its step, and a projection's input is no loop of its own: next to nothing.
    told = sum((read.step, read.cell, read.gate) == next(iter(traced))[1:4] for traced, read, called in at_steps)
    assert told >= 0.98 * len(at_steps) or "projected" in name


@pytest.mark.parametrize("name", CHANGED)
def test_what_a_pass_has_merged_is_not_read_as_one_of_the_merged(name: str) -> None:
    for merged, read, called in pairs(CHANGED[name]()):
        assert read.step is None or {origin.step for origin in merged} == {read.step}, called
        assert read.gate is None or {origin.gate for origin in merged} == {read.gate}, called


def test_names_and_bytes_stay_when_a_file_is_read_and_written() -> None:
    graph = LAYERS["layers LSTM"]()
    model = unroll.to_onnx(graph)
    assert unroll.to_onnx(unroll.from_onnx(model)).SerializeToString() == unroll.to_onnx(graph).SerializeToString()


def test_a_file_of_another_program_is_not_read_by_our_names() -> None:
    model = unroll.to_onnx(LAYERS["layers LSTM"]())
    model.producer_name = "another"
    assert {node.origin.step for node in unroll.from_onnx(model).nodes} == {None}
