"""Whatever only looks at a graph asks no more than what a Structure is; a Graph is one that can do something besides."""

from __future__ import annotations

import numpy as np
import pytest

import unroll
from unroll.evaluator import evaluate
from unroll.networkx_view import to_networkx
from unroll.ops.scan import scan
from unroll.structure import Structure, leaves_of, nodes_before
from unroll.summary import summarise


def made() -> tuple[Structure, unroll.Graph]:
    """One program twice: y = tanh(x * w), z = y + 1."""
    x, w = unroll.placeholder([None, 2], "x"), unroll.Parameter([1.0, 2.0], "w")
    y = unroll.ops.tanh(x * w)
    return Structure([x], {"y": y, "z": y + 1.0}), unroll.Graph([x], {"y": y, "z": y + 1.0})


def test_a_graph_is_a_structure() -> None:
    assert issubclass(unroll.Graph, Structure)


def test_a_structure_is_evaluated_read_and_shown_to_networkx_without_being_a_graph() -> None:
    structure, _ = made()
    x = np.array([[0.5, -1.0]], "float32")
    y, z = evaluate(structure, {"x": x}, structure.outputs)
    wanted = np.tanh(x * np.array([1.0, 2.0], "float32"))
    np.testing.assert_allclose(y, wanted, rtol=1e-6)
    np.testing.assert_allclose(z, wanted + 1, rtol=1e-6)
    assert summarise(structure, full=False).startswith("Graph of 3 nodes; 2 parameters in 1 arrays (8 bytes)")
    assert {"x", "w", "Mul", "Tanh", "Add"} <= set(to_networkx(structure))


def test_a_structure_names_its_tensors_as_a_graph_does() -> None:
    structure, graph = made()
    assert (
        structure.tensor_names() == graph.tensor_names() == ["x", "w", "y", "z", "Mul", "Tanh", "constant/1.0", "Add"]
    )
    assert structure.output_names == ("y", "z")
    assert list(structure.parameters) == ["w"]
    assert [(spec.name, [str(dim) for dim in spec.shape]) for spec in structure.input_specs] == [("x", ["batch", "2"])]


def test_a_structure_does_nothing() -> None:
    structure, _ = made()
    for name in ("run", "stream", "assign", "save_parameters", "load_parameters", "summary", "to_networkx"):
        assert callable(getattr(unroll.Graph, name)) and not hasattr(structure, name), name


def test_next_values_of_states_are_outputs_with_names_of_their_own_and_no_part_of_the_nest() -> None:
    x = unroll.placeholder([2], "x")
    y = x + 1.0
    structure = Structure([x], [y], next_values={x: y * 2.0})
    assert structure.output_names == ("Add", "x/next")
    assert structure.structure == [y] and len(structure.outputs) == 2
    assert structure.states == {"x": "x/next"}


def test_a_placeholder_that_is_not_listed_is_missed() -> None:
    x = unroll.placeholder([2], "x")
    with pytest.raises(unroll.UnrollError, match="depends on the placeholder 'x', which is not among the inputs"):
        Structure([], x + 1.0)


def test_nodes_stand_after_what_they_read_and_leaves_in_the_order_of_use() -> None:
    x, w = unroll.placeholder([2], "x"), unroll.Parameter([1.0, 2.0], "w")
    y = x * w
    z = y + x
    assert [node.op.name for node in nodes_before([z, y])] == ["Mul", "Add"]
    assert list(leaves_of(nodes_before([z]))) == [x, w]
    assert nodes_before([x]) == ()


def test_a_loop_whose_body_is_a_structure_alone_is_written_as_one_whose_body_is_a_graph() -> None:
    def model(kind: type[Structure]) -> bytes:
        total, x = unroll.placeholder([2], "total"), unroll.placeholder([2], "x")
        body = kind([total, x], {"total/next": total + x, "sum": unroll.ops.relu(total + x)})
        whole, start = unroll.placeholder([4, 2], "whole"), unroll.placeholder([2], "start")
        graph = unroll.Graph([whole, start], list(scan(body, [start], [whole])))
        return bytes(unroll.to_onnx(graph).SerializeToString())

    assert model(Structure) == model(unroll.Graph)
