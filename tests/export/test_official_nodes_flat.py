"""ONNX's own tests of its loops: each is flattened, and gives what ONNX says in NumPy and in onnxruntime."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import lacks_kernels
from official_cases import LOOPS as FILES
from official_cases import official_cases
from onnx import numpy_helper

import unroll

LOOPS = {"GRU", "If", "LSTM", "Loop", "RNN", "Scan"}
#: Those that hold sequences and optionals, which are not read, or an operator of which no value is computed.
NOT_HERE = ("_seq", "_opt", "affine_grid", "range_")


@cache
def cases() -> dict[str, Any]:
    found = {case.name: case for case in official_cases(*FILES)}
    loops = {name: case for name, case in found.items() if LOOPS & {node.op_type for node in case.model.graph.node}}
    return {name: case for name, case in loops.items() if not any(part in name for part in NOT_HERE)}


def arrays(items: Any) -> list[Any]:
    return [numpy_helper.to_array(item) if hasattr(item, "HasField") else np.asarray(item) for item in items]


def test_there_are_those_of_every_kind() -> None:
    kinds = [node.op_type for case in cases().values() for node in case.model.graph.node]
    assert {"GRU", "LSTM", "RNN", "Scan"} <= {*kinds} and len(kinds) >= 10
    if tuple(map(int, onnx.__version__.split(".")[:2])) >= (1, 23):  # older ones have fewer
        wanted = {"GRU": 5, "LSTM": 5, "RNN": 5, "Scan": 2, "Loop": 1}
        assert all(kinds.count(kind) >= count for kind, count in wanted.items()), kinds


@pytest.mark.parametrize("name", sorted(cases()))
@pytest.mark.filterwarnings("ignore")
def test_an_official_test_is_flat_and_right(name: str) -> None:
    case = cases()[name]
    inputs, outputs = (arrays(items) for items in case.data_sets[0])
    fed = dict(zip((item.name for item in case.model.graph.input), inputs, strict=True))
    graph = unroll.from_onnx(case.model)
    flat, report = unroll.unroll(graph)
    if report.left:  # a count, or a condition, that is fed
        values = {key: array for key, array in fed.items() if array.size == 1 and array.dtype.kind in "ib"}
        flat, report = unroll.unroll(unroll.from_onnx(case.model, values=values))
    assert not report.left
    assert not LOOPS & {node.op.name for node in flat.nodes}
    feeds = {item.name: fed[item.name] for item in flat.inputs}
    runs = [flat.run(feeds)]
    if not lacks_kernels(flat, "onnxruntime"):
        runs.append(unroll.Session(unroll.to_onnx(flat)).run(feeds))
    for found in runs:
        for item, wanted in zip(case.model.graph.output, outputs, strict=True):
            np.testing.assert_allclose(found[item.name], wanted, rtol=1e-3, atol=1e-5, err_msg=item.name)
