"""ONNX's own runner of its own tests, on us as a backend that writes loops out first; in NumPy and in onnxruntime."""

from __future__ import annotations

import io
import re
import unittest
import warnings

import numpy as np
import onnx
import pytest
from helpers import refused
from onnx import TensorProto, helper
from onnx.backend.test import BackendTest

from unroll.export.backend import Backend

#: The tests of recurrent nodes, of Scan, and of Loop and If.
RECURRENT = r"^test_(simple_rnn|rnn|gru|lstm|scan)"
OTHERS = r"^test_(loop|if|linear_attention\w*_expanded|range\w*_expanded)"
#: Sequences and optionals are not read, and onnxruntime takes no arrays of bfloat16.
NOT_HERE = r"(loop\d*|if)_(seq|opt)|_cuda|bfloat16"


class FlatInNumpy(Backend):
    flat = True


class InSession(Backend):
    in_onnxruntime = True


class FlatInSession(Backend):
    flat = in_onnxruntime = True


def run_by_onnx(backend: type[Backend], pattern: str) -> tuple[int, unittest.TestResult]:
    """Run what ONNX's runner finds of a pattern, and return how many that were."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runner = BackendTest(backend, __name__).include(pattern).exclude(NOT_HERE)
        result = unittest.TextTestRunner(io.StringIO()).run(runner.test_suite)
    return result.testsRun - len(result.skipped), result


@pytest.mark.slow
@pytest.mark.parametrize("backend", [FlatInNumpy, FlatInSession])
def test_onnxs_runner_finds_nothing_wrong(backend: type[Backend]) -> None:
    count, result = run_by_onnx(backend, f"{RECURRENT}|{OTHERS}")
    wrong = [f"{case}: {text.splitlines()[-1]}" for case, text in (*result.failures, *result.errors)]
    assert not wrong
    newest = tuple(map(int, onnx.__version__.split(".")[:2])) >= (1, 23)  # older ones have fewer
    assert count >= (41 if newest else 10)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_tests_that_are_found_are_all_of_recurrent_nodes() -> None:
    from onnx.backend.test.loader import load_model_tests

    names = {case.name for case in load_model_tests(kind="node")}
    found = {name for name in names if re.search(RECURRENT, name)}
    assert {name for name in names if re.search(r"gru|lstm|rnn|scan", name)} == found


def test_a_model_runs_on_the_processor_alone() -> None:
    assert Backend.supports_device("CPU") and not Backend.supports_device("CUDA")
    node = helper.make_node("Tanh", ["x"], ["y"])
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    model = helper.make_model(helper.make_graph([node], "g", infos[:1], infos[1:]), ir_version=8)
    model.opset_import[0].version = 17
    refused(lambda: Backend.prepare(model, "CUDA"), NotImplementedError, "'CUDA'", "'CPU'")
    x = np.array([0.5, 2.0], np.float32)
    for backend in (Backend, FlatInNumpy, InSession, FlatInSession):
        np.testing.assert_allclose(backend.run_model(model, [x])[0], np.tanh(x), rtol=1e-6)
        np.testing.assert_allclose(backend.prepare(model).run({"x": x})[0], np.tanh(x), rtol=1e-6)
