"""What is promised of the ONNX model that `to_onnx` writes: it is valid, in the version asked for, and gives the outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from exported_programs import (
    HAS_THEM_ALL,
    PROGRAMS,
    cell_graph,
    check_model,
    every_operator_graph,
    program,
)
from helpers import refused, run_reference
from make_onnxruntime_support import run_onnxruntime
from random_graphs import random_graph

import unroll
from unroll import Graph, ops
from unroll.export import lowering
from unroll.export.lowering import DEFAULT_OPSET, LATEST_OPSET

OPSETS = range(DEFAULT_OPSET, LATEST_OPSET + 1)


@pytest.mark.parametrize("batch", [0, -1, True, 2.0, None])
def test_a_batch_that_is_no_size_is_refused(batch: Any) -> None:
    graph = cell_graph("lstm")
    for form in ("unrolled", "auto"):
        error = ValueError if type(batch) is int else TypeError
        refused(lambda: unroll.to_onnx(graph, form=form, batch=batch), error, "batch", repr(batch))  # noqa: B023


# -- valid -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("kind", PROGRAMS)
def test_the_checker_and_strict_shape_inference_pass_at_every_opset(kind: str, fold: bool) -> None:
    graph = program(kind)
    for opset in OPSETS:
        check_model(unroll.to_onnx(graph, opset=opset, fold_zero_state=fold, runtime=None))


@pytest.mark.slow
def test_the_graph_of_every_operator_is_that() -> None:
    model = unroll.to_onnx(every_operator_graph(), opset=HAS_THEM_ALL, runtime=None, fold_zero_state=False)
    seen = Counter(node.op_type for node in model.graph.node)
    assert seen == dict.fromkeys((name for _, name in ops.OPERATORS), 1)


@pytest.mark.parametrize("start", range(0, 60, 10))
def test_the_checker_and_strict_shape_inference_pass_for_random_graphs(start: int) -> None:
    for seed in range(start, start + 10):
        graph, _ = random_graph(seed)
        check_model(unroll.to_onnx(graph, opset=OPSETS[seed % len(OPSETS)], runtime=None))


@pytest.mark.parametrize(("opset", "ir_version"), [(13, 7), (14, 7), (15, 8), (17, 8), (19, 9), (20, 9), (21, 10)])
def test_the_ir_version_is_the_oldest_that_the_opset_was_released_with(opset: int, ir_version: int) -> None:
    model = unroll.to_onnx(cell_graph("rnn"), opset=opset)
    assert (model.ir_version, model.opset_import[0].version, len(model.opset_import)) == (ir_version, opset, 1)


def test_by_default_the_model_is_opset_13_of_ir_version_7_and_the_ir_version_can_be_set() -> None:
    model = unroll.to_onnx(cell_graph("rnn"))
    assert (model.opset_import[0].version, model.opset_import[0].domain, model.ir_version) == (13, "", 7)
    for ir_version in (7, 8, 10, lowering.LATEST_IR_VERSION):
        set_by_hand = unroll.to_onnx(cell_graph("rnn"), ir_version=ir_version)
        assert (set_by_hand.ir_version, set_by_hand.opset_import[0].version) == (ir_version, 13)
        check_model(set_by_hand)


@pytest.mark.parametrize("ir_version", [6, 0, -1, lowering.LATEST_IR_VERSION + 1, True, "8", 8.0])
def test_an_ir_version_that_the_opset_does_not_allow_is_refused(ir_version: Any) -> None:
    action = lambda: unroll.to_onnx(cell_graph("rnn"), ir_version=ir_version)  # noqa: E731
    refused(action, ValueError, repr(ir_version), "opset 13", f"7 to {lowering.LATEST_IR_VERSION}")


@pytest.mark.parametrize("opset", [12, 0, LATEST_OPSET + 1, True, "13", 13.0])
def test_an_opset_there_is_not_is_refused(opset: Any) -> None:
    refused(lambda: unroll.to_onnx(cell_graph("rnn"), opset=opset), ValueError, repr(opset), f"13 to {LATEST_OPSET}")


def test_what_is_no_graph_is_refused() -> None:
    not_a_graph: Any = unroll.placeholder([3], "x")
    refused(lambda: unroll.to_onnx(not_a_graph), TypeError, "Graph", "Placeholder")


def test_weights_that_one_file_cannot_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    x = unroll.placeholder([3], "x")
    weight = unroll.Parameter(np.ones(3, "float32"), "weight")
    graph = Graph([x], x * weight + unroll.constant(np.ones(5, "float32"))[:3])  # 12 + 20 bytes, and 3 int64 to slice
    monkeypatch.setattr(lowering, "_TWO_GIB", 57)
    unroll.to_onnx(graph)
    monkeypatch.setattr(lowering, "_TWO_GIB", 56)
    refused(lambda: unroll.to_onnx(graph), ValueError, "56 bytes")


# -- outputs -----------------------------------------------------------------------------------------------------------


def outputs_of(outputs: Callable[[Any, Any], Any]) -> tuple[list[str], list[str], list[str]]:
    """Export a graph of ``x`` and ``y = x + 1``, check it in three runners, and give its names in Graph and model."""
    x = unroll.placeholder([None, 3], "x")
    graph = Graph([x], outputs(x, x + 1))
    fed = np.arange(6, dtype="float32").reshape(2, 3)
    wanted = graph.run({"x": fed})
    for fold in (True, False):
        model = unroll.to_onnx(graph, fold_zero_state=fold)
        check_model(model)
        names = [item.name for item in model.graph.output]
        for run in (run_reference, run_onnxruntime):
            for name, array in zip(names, run(model, {"x": fed}), strict=True):
                assert np.array_equal(array, wanted[name])
        assert unroll.Session(model).run({"x": fed}).keys() == wanted.keys()
    return list(graph.output_names), names, [node.op_type for node in model.graph.node]


def test_an_output_that_is_an_input_as_it_is_becomes_an_identity() -> None:
    assert outputs_of(lambda x, y: [y, x]) == (["Add", "x/identity"], ["Add", "x/identity"], ["Add", "Identity"])


def test_an_output_listed_twice_is_two_outputs_of_the_model() -> None:
    assert outputs_of(lambda x, y: [y, y]) == (["Add", "Add_1"], ["Add", "Add_1"], ["Add", "Identity"])


def test_outputs_named_by_a_dict_keep_their_names() -> None:
    assert outputs_of(lambda x, y: {"sum": y, "same": x})[1] == ["sum", "same"]
    assert outputs_of(lambda x, y: {"a": {"b": y}})[1] == ["a/b"]


def test_one_tensor_under_two_names_is_two_outputs() -> None:
    assert outputs_of(lambda x, y: {"p": y, "q": y})[1:] == (["p", "q"], ["Add", "Identity"])


def test_constants_and_parameters_can_be_outputs() -> None:
    weight = unroll.Parameter([1.0, 2.0], "w")
    assert outputs_of(lambda x, y: {"fixed": unroll.constant([3.0]), "weight": weight})[1] == ["fixed", "weight"]


@pytest.mark.parametrize("fold", [True, False])
def test_the_name_of_an_input_returned_as_it_is_gives_way_to_an_input_of_that_name(fold: bool) -> None:
    x, other = unroll.placeholder([3], "x"), unroll.placeholder([3], "x/identity")
    model = unroll.to_onnx(Graph([x, other], [x, other + 1]), fold_zero_state=fold)
    check_model(model)
    assert [item.name for item in model.graph.input] == ["x", "x/identity"]
    found = run_onnxruntime(model, {"x": np.zeros(3, "float32"), "x/identity": np.ones(3, "float32")})
    assert [array.tolist() for array in found] == [[0, 0, 0], [2, 2, 2]]
