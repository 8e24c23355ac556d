"""A file of ours is read with the steps, cells and gates that its names tell, and with none that they might only seem to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from picture_networks import CELLS, EXAMPLES, LAYERS, PROGRAMS, REWRITTEN, read_back

import unroll
from unroll import cells, layers, nn
from unroll.errors import ModelError
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


@pytest.mark.parametrize(
    "names", [("t0",), ("t0", "t1"), ("t3", "t0"), ("t1", "t0", "t2"), ("t1", "t2"), ("t1", "t2", "t3"), ("t7",)]
)
def test_layers_that_are_called_as_timesteps_are_no_steps(names: tuple[str, ...]) -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    y = x
    for name in names:
        y = layers.LSTM(5, return_sequences=True, name=name)(y)
    graph = unroll.Graph([x], {"y": layers.Dense(2, name="t7")(y)})
    found = pairs(graph)
    assert [(read.step, read.cell) for traced, read, _ in found] == [
        (origin.step, origin.cell) for traced, _, _ in found for origin in traced
    ]
    assert "over 4 timesteps" in read_back(graph).summary()


def called_as_steps() -> dict[str, unroll.Graph]:
    x = [unroll.placeholder([None, 4], f"x{step}") for step in range(4)]
    pair = cells.MultiRNNCell([unroll.BasicLSTMCell(3, name="t0"), unroll.GRUCell(3, name="t1")])
    entry, units = layers.Input((4, 4)), layers.LSTM(3)
    with unroll.scope("t0"):
        inner, _ = unroll.static_rnn(unroll.GRUCell(3), x)
    return {
        "Sequential": layers.Sequential([entry, units], name="t0").trace(),
        "Bidirectional": layers.Sequential([entry, layers.Bidirectional(layers.GRU(3), name="t0")]).trace(),
        "one step": layers.Sequential([layers.Input((1, 4)), layers.LSTM(3, name="t0")]).trace(),
        "cell and scope": unroll.Graph(x, unroll.static_rnn(unroll.GRUCell(3, name="t0"), x, scope="t1")[0]),
        "cells": unroll.Graph(x, unroll.static_rnn(pair, x)[0]),
        "scope": unroll.Graph(x, inner),
    }


@pytest.mark.parametrize("name", called_as_steps())
def test_what_bears_the_name_of_a_timestep_is_none_whatever_it_is(name: str) -> None:
    found = pairs(called_as_steps()[name])
    told = [(read[:4], origin[:4]) for traced, read, _ in found for origin in traced]
    assert told and all(read == traced for read, traced in told)


def test_a_scope_that_is_called_as_a_timestep_is_no_step() -> None:
    x = unroll.placeholder([None, 4], "x")
    with unroll.scope("t3"):
        y = unroll.ops.tanh(x) * x
    assert {node.origin.step for node in read_back(unroll.Graph([x], {"y": y})).nodes} == {None}


def time_distributed() -> unroll.Graph:
    dense = layers.TimeDistributed(layers.Dense(2, "tanh"))
    return layers.Sequential([layers.Input((4, 3)), layers.GRU(5, return_sequences=True), dense]).trace()


def both_ways() -> unroll.Graph:
    x = unroll.placeholder([None, 5, 3], "x")
    return unroll.Graph([x], [nn.GRU(3, 4, bidirectional=True, batch_first=True)(x)[0]])


@pytest.mark.parametrize(
    "make",
    [
        lambda: unroll.reroll(time_distributed())[0],
        lambda: unroll.optimize(time_distributed()),
        lambda: unroll.optimize(both_ways()),
    ],
    ids=["rerolled", "optimized", "optimized both ways"],
)
def test_merged_nodes_have_no_place_of_their_own_however_often_a_file_is_written(
    make: Callable[[], unroll.Graph],
) -> None:
    graph = make()
    merged = {graph.name(node) for node in graph.nodes if len(node.provenance) > 1}
    for _ in range(3):
        graph = read_back(graph)
        kept = [node for node in graph.nodes if graph.name(node) in merged]
        places = {origin[1:4] for node in kept for origin in node.provenance}
        assert kept and places == {(None, None, None)}


def test_a_traced_file_says_nothing_of_merged_nodes() -> None:
    assert not unroll.to_onnx(time_distributed()).metadata_props


@pytest.mark.parametrize("text", ["7", "[]", '{"nodes": 7}', '{"nodes": [7]}', "{"])
def test_what_is_no_list_of_merged_nodes_is_refused(text: str) -> None:
    model = unroll.to_onnx(time_distributed())
    model.metadata_props.add(key="unroll.merged", value=text)
    with pytest.raises(ModelError, match=r"unroll\.merged"):
        unroll.from_onnx(model)


def test_merged_nodes_that_a_file_does_not_hold_are_ignored() -> None:
    model = unroll.to_onnx(time_distributed())
    model.metadata_props.add(key="unroll.merged", value='{"nodes": ["elsewhere"]}')
    assert "over 4 timesteps" in unroll.from_onnx(model).summary()


@pytest.mark.parametrize(
    "cell", [lambda: cells.AttentionCellWrapper(unroll.BasicLSTMCell(3), 2), lambda: cells.IndRNNCell(3)]
)
def test_what_carries_a_state_past_the_end_of_a_row_is_of_no_gate(cell: Callable[[], unroll.Cell]) -> None:
    x, lengths = (
        [unroll.placeholder([None, 4], f"x{step}") for step in range(4)],
        unroll.placeholder([None], "n", "int32"),
    )
    outputs, _ = unroll.static_rnn(cell(), x, sequence_length=lengths)
    found = pairs(unroll.Graph([*x, lengths], outputs))
    assert all(read.gate in {None, *(origin.gate for origin in traced)} for traced, read, _ in found)
    assert any(read.gate is not None for _, read, _ in found)
