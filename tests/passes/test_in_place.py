"""A pass that works in place says so, makes what it makes of copies, and changes no node that is held elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest
from random_graphs import random_graph
from random_networks import random_network

import unroll
from unroll import Graph
from unroll.passes import pipeline
from unroll.passes.pipeline import DEFAULT, PASSES, optimize
from unroll.passes.tools.digests import op_digest
from unroll.passes.tools.drafting import Draft
from unroll.passes.tools.rewriting import Rewriting, is_in_place

IN_PLACE = [name for name, run in PASSES.items() if is_in_place(run)]


@contextmanager
def unchanged(*graphs: Graph) -> Iterator[None]:
    """Check that no node of graphs that others hold is changed inside."""
    before = [(node, node.inputs, node.outputs) for graph in graphs for node in graph.nodes]
    yield
    changed = [node for node, inputs, outputs in before if node.inputs is not inputs or node.outputs is not outputs]
    assert not changed, f"changed, and still held elsewhere: {changed[:3]}"


def checked(in_place: bool, run: Callable[[Graph], Graph], held: Graph, graph: Graph) -> Graph:
    """Run a pass, and check at its end what it may not have changed: what it returns as it was, and what others hold."""
    before = [(node, node.inputs) for node in graph.nodes]
    with unchanged(held):
        found = run(graph)
    if found is graph or not in_place:
        assert all(node.inputs is inputs for node, inputs in before), "it did not say that it changes nodes in place"
    return found


def own(graph: Graph) -> Draft:
    """A graph like another, of nodes that nobody else holds."""
    copying = Rewriting(graph)
    for node in graph.nodes:
        copy = copying.copy(node, copying.inputs(node))
        for old, new in zip(node.outputs, copy.outputs, strict=True):
            copying.redirect(old, new)
    found = copying.finish()
    assert isinstance(found, Draft)
    return found


def text(graph: Graph) -> list[Any]:
    """All that there is to see of a graph, node by node."""
    lines: list[Any] = [graph.output_names, [graph.names.tensors.get(tensor) for tensor in graph.outputs]]
    for node in graph.nodes:
        read = [None if tensor is None else graph.names.tensors[tensor] for tensor in node.inputs]
        made = [(graph.name(tensor), tensor.shape, tensor.dtype, tensor.known) for tensor in node.outputs]
        lines.append((graph.name(node), op_digest(node), read, made, sorted(map(repr, node.provenance))))
    return lines


def check_both_ways(name: str, graph: Graph) -> int:
    """Check that a pass makes the same of copies and in place; return how many nodes it put on other inputs as they are."""
    if not graph.nodes:
        return 0
    copied, handed = own(graph), own(graph)
    handed.hand_on(frozenset(graph.nodes), in_place=True)
    before = {node: node.inputs for node in handed.nodes}
    with unchanged(copied):
        wanted = PASSES[name](copied)
    found = checked(True, PASSES[name], graph, handed)
    moved = sum(node.inputs is not inputs for node, inputs in before.items())
    if isinstance(found, Draft):
        found.release()
    assert text(found) == text(wanted), name
    return moved


def test_every_pass_of_the_pipeline_that_keeps_no_old_graph_is_in_place() -> None:
    assert sorted(IN_PLACE) == sorted(set(DEFAULT) - {"join_cells"})  # which may find that it does not pay


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_PLACE)
def test_a_pass_makes_the_same_of_any_graph_in_place_as_of_copies(name: str) -> None:
    for seed in range(40):
        check_both_ways(name, random_graph(seed)[0])


@pytest.mark.slow
def test_passes_make_the_same_of_recurrent_networks_in_place_as_of_copies() -> None:
    moved = dict.fromkeys(IN_PLACE, 0)
    for seed in range(12):
        graph = random_network(seed)[0]
        for name in DEFAULT:
            if name in moved:
                moved[name] += check_both_ways(name, graph)
            graph = PASSES[name](graph)
    assert sum(count > 0 for count in moved.values()) >= 9, moved


@pytest.mark.slow
def test_optimize_changes_no_node_that_others_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph that is optimised, what earlier calls returned, and what is returned as it was, at the end of every pass."""
    run_pass = pipeline._run
    held: list[Graph] = []

    def run_checked(name: str, run: Any, graph: Graph) -> Graph:
        with unchanged(*held):
            return checked(is_in_place(PASSES[name]), lambda given: run_pass(name, run, given), held[0], graph)

    monkeypatch.setattr(pipeline, "_run", run_checked)
    for seed in range(12):
        graph = random_network(seed)[0]
        held[:] = [graph]
        held.append(optimize(graph, check=False))
        held.append(optimize(graph, ["fold_zeros", "fold_zeros", "merge_equal", "merge_equal"]))
        again = optimize(held[1])
        with unchanged(*held, again):
            optimize(again, ["canonical", "cancel_shapes", "join_cells", "remove_dead"], check=False)


def test_joining_cells_that_does_not_pay_in_the_end_leaves_the_graph_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    x = unroll.placeholder([None, 8, 4], "x")
    layer = unroll.layers.Bidirectional(unroll.layers.LSTM(4))
    graph = optimize(Graph([x], [layer(x)]), [name for name in DEFAULT if name != "join_cells"])
    asked: list[Graph] = []
    monkeypatch.setattr(import_module("unroll.passes.join_cells"), "_computed", lambda one: asked.append(one) or 0)
    handed = own(graph)
    handed.hand_on(frozenset(graph.nodes), is_in_place(PASSES["join_cells"]))
    assert checked(False, PASSES["join_cells"], graph, handed) is handed
    assert asked, "a joined graph was written, and counted"


def test_a_node_that_is_changed_without_saying_so_is_caught() -> None:
    x = unroll.placeholder([2, 3], "x")
    graph = Graph([x], {"y": unroll.ops.tanh(unroll.ops.exp(x))})

    def changes(given: Graph) -> Graph:
        given.nodes[-1].inputs = (x,)
        return Graph([x], {"y": given.outputs[0]})

    with pytest.raises(AssertionError, match="did not say"):
        checked(False, changes, graph, own(graph))
    with pytest.raises(AssertionError, match="held elsewhere"), unchanged(graph):
        changes(graph)
