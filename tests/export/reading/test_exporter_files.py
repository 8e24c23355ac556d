"""Files that Keras's exporter and both of torch's make of whole modules: opened, verified, flattened and re-rolled.

`benchmarks/exporters.py` takes all of them through all steps; here all are opened, and a sample goes on.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import onnx
import pytest
from exporter_files import (
    ALL_CASES,
    CASES,
    close,
    flat,
    open_sizes,
    opened,
    path_of,
    rerolled,
    run_model,
    runs,
    verified,
)

import unroll

#: What is masked row by row becomes a Scan; all else a native operator.
SCANS = {"keras-masked_lstm-bt", "keras-masked_words-bt"}
#: Every ninth file.
SAMPLE = CASES[::9]


def each(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["id"])


def test_twenty_files_of_each_exporter_are_held_with_sizes_that_are_fixed_and_open() -> None:
    counts = Counter(case["made_by"] for case in CASES)
    assert counts.keys() == {"keras", "torchscript", "dynamo"} and min(counts.values()) >= 20
    assert {case["open"] for case in CASES} == {"", "b", "t", "bt"}
    assert sum(path_of(case).stat().st_size for case in CASES) < 2**20
    assert len(ALL_CASES) - len(CASES) == 6, "networks that an exporter refuses, or gets wrong"


@each(CASES)
def test_numpy_computes_of_a_file_what_its_framework_did(case: dict[str, Any]) -> None:
    opened(case)


@pytest.mark.slow
@each(SAMPLE)
def test_a_file_is_verified_flattened_and_rerolled(case: dict[str, Any]) -> None:
    verified(case)
    flat(case)
    became, proof = rerolled(case)
    assert became <= ({"Scan"} if case["id"] in SCANS else {"GRU", "LSTM", "RNN"})
    assert proof in ("proven by structure", "proven by numbers")


@pytest.mark.parametrize(
    ("name", "operators"),
    [
        ("keras-gru-bt", ["GRU"]),  # each step cut its bias out anew
        ("keras-gru_reset_before-b", ["GRU"]),  # nothing of step 0 is left to reset
        ("torchscript-packed_lstm-bt", ["LSTM"]),  # the first output is the first state
        ("torchscript-packed_gru-b", ["GRU", "GRU"]),
        ("dynamo-masked_loop-b", ["GRU"]),
    ],
)
def test_a_flat_file_whose_first_step_a_state_of_zeros_simplified_is_rerolled_as_its_graph_is(
    name: str, operators: list[str]
) -> None:
    case = next(case for case in CASES if case["id"] == name)
    feeds, wanted = runs(case)[0]
    steps, _ = unroll.unroll(unroll.from_onnx(path_of(case), dims=open_sizes(case, feeds)), check=False)
    written = unroll.to_onnx(steps, fold_weights=True)
    assert len(written.graph.initializer) < 40, "weights are written once, not once a step"
    small, report = unroll.reroll(unroll.from_onnx(written))
    assert report.operators == operators and report.proof
    close(run_model(unroll.to_onnx(small), feeds), wanted)


@pytest.mark.parametrize(
    "name",
    [
        "torchscript-lstm_init-bt",  # states that are squeezed, and given their axis again
        "torchscript-both_ways_lstm-bt",  # the rows of both directions, cut apart and joined again
        "dynamo-both_ways_two_gru-t",
        "keras-hard_lstm-b",  # clips that are a HardSigmoid; steps that an index of int32 picks
    ],
)
def test_a_flat_file_rerolled_has_no_more_nodes_than_the_file_that_it_came_from(name: str) -> None:
    case = next(case for case in CASES if case["id"] == name)
    model = onnx.load(path_of(case))
    steps, _ = unroll.unroll(unroll.from_onnx(model, dims=open_sizes(case, runs(case)[0][0])), check=False)
    small = unroll.to_onnx(unroll.reroll(steps)[0], opset=model.opset_import[0].version, fold_weights=True)
    assert len(small.graph.node) <= sum(node.op_type != "Constant" for node in model.graph.node)


@pytest.mark.parametrize("name", sorted(SCANS))
def test_a_loop_that_skips_what_is_masked_becomes_one_scan(name: str) -> None:
    """A mask of the data may skip a step and go on, which no lengths say; its sums of products are choices."""
    case = next(case for case in CASES if case["id"] == name)
    feeds, _ = runs(case)[0]
    steps, _ = unroll.unroll(unroll.from_onnx(path_of(case), dims=open_sizes(case, feeds)), check=False)
    _, report = unroll.reroll(steps)
    assert report.operators == ["Scan"] and report.found[0].steps == case["sizes"][0][1] and report.proof


def test_a_loop_over_an_operator_has_its_weights_once_and_its_steps_are_those_of_the_loop() -> None:
    """TorchScript writes a scripted loop over an LSTMCell as a Loop whose body holds an LSTM of one step."""
    case = next(case for case in CASES if case["id"] == "torchscript-scripted_loop-bt")
    graph, report = unroll.unroll(unroll.from_onnx(path_of(case), dims={"time": 5}))
    assert report.found[0].steps == 5
    assert {name: item.shape for name, item in graph.parameters.items()} == {
        "Loop/cell/kernel": (7, 16),
        "Loop/cell/bias": (16,),
    }
    products = [node for node in graph.nodes if node.op.name == "MatMul"]
    assert [origin.step for node in products for origin in node.provenance] == [0, 1, 2, 3, 4]
    assert rerolled(case)[0] == {"LSTM"}


def test_lengths_that_are_sorted_before_they_are_used_are_fed_as_lengths() -> None:
    """pack_padded_sequence sorts rows by their lengths; verify feeds lengths that onnxruntime takes."""
    case = next(case for case in CASES if case["id"] == "torchscript-packed_lstm-bt")
    verified(case)
