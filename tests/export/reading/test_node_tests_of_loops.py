"""ONNX's own tests of RNN, GRU, LSTM, Scan, Loop and If: read, run in NumPy, written, and run in onnxruntime."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from official_cases import LOOPS, official_cases

import unroll
from unroll.errors import UnsupportedError
from unroll.export.node_walk import all_nodes
from unroll.export.reading.graph_reader import NEWEST_OPSET

KINDS = ("GRU", "If", "LSTM", "Loop", "RNN", "Scan")


@cache
def cases(kind: str) -> list[Any]:
    """ONNX's tests that hold an operator, of tensors alone."""
    return [case for case in official_cases(*LOOPS) if any(node.op_type == kind for node in all_nodes(case.model))]


def is_of_tensors(model: onnx.ModelProto) -> bool:
    nodes = {node.op_type for node in all_nodes(model)}
    kinds = [item.type for item in (*model.graph.input, *model.graph.output)]
    return all(kind.HasField("tensor_type") for kind in kinds) and not any("Sequence" in name for name in nodes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_onnxs_own_tests_of_loops_pass_in_numpy_and_written_in_onnxruntime(kind: str) -> None:
    tried = 0
    for case in cases(kind):
        model = case.model
        if case.name.startswith("test_affine_grid"):  # of two ranks, between which a shape that is fed decides
            continue
        if not is_of_tensors(model):
            with pytest.raises(UnsupportedError, match=r"sequence|optional"):
                unroll.from_onnx(model)
            continue
        tried += 1
        graph = unroll.from_onnx(model)
        session = unroll.Session(unroll.to_onnx(graph, runtime=None))
        for inputs, outputs in case.data_sets:
            fed = {item.name: np.asarray(array) for item, array in zip(model.graph.input, inputs, strict=True)}
            own = any(array.dtype.kind == "V" for array in fed.values())  # a dtype that onnxruntime takes no arrays of
            for runner in [graph.run] if own else [graph.run, session.run]:
                found: Any = runner(fed)
                for item, wanted in zip(model.graph.output, outputs, strict=True):
                    assert found[item.name].dtype == np.asarray(wanted).dtype, case.name
                    np.testing.assert_allclose(
                        found[item.name], wanted, rtol=case.rtol, atol=case.atol, err_msg=case.name
                    )
    assert tried >= {"Scan": 18 if NEWEST_OPSET >= 27 else 3, "If": 1, "Loop": 1}.get(kind, 5)
