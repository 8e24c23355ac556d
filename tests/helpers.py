"""What several test files need: golden files, runners other than unroll's own, and tolerances."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator
from packaging.version import Version

import unroll
from unroll.export.support import kernels_of, lacks_kernel
from unroll.ops.scan import Scan
from unroll.structure import Structure
from unroll.tensor import Node

Array = npt.NDArray[Any]

TESTS = Path(__file__).parent
GOLDEN = TESTS / "golden"
REPOSITORY = TESTS.parent


@cache
def golden_json(name: str) -> Any:
    """A manifest of golden/, such as ``tensorflow_rnn.json``."""
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


@cache
def golden_arrays(name: str) -> dict[str, Array]:
    """The arrays of an ``.npz`` file of golden/."""
    with np.load(GOLDEN / name) as archive:
        return {key: archive[key] for key in archive.files}


def run_reference(model: onnx.ModelProto, feeds: Mapping[str, Array]) -> list[Array]:
    """Run a model with onnx's own evaluator; outputs in the model's order."""
    with np.errstate(all="ignore"):
        return [np.asarray(array) for array in ReferenceEvaluator(model).run(None, dict(feeds))]


def has_kernel(node: Node, runner: str = "onnxruntime") -> bool:
    """Whether the generated table says that a runner (``onnxruntime``, ``reference``) computes a node."""
    version = {"onnxruntime": onnxruntime, "reference": onnx}[runner].__version__
    return not lacks_kernel(kernels_of(runner, version), node)


def lacks_kernels(graph: Structure, runner: str) -> bool:
    """Whether the generated table says that a runner fails on a node of a graph, or of a loop in it; onnx's evaluator walks no
    loop backward.
    """
    loops = [node.op for node in graph.nodes if isinstance(node.op, Scan)]
    backward = any(op.scan_input_directions or op.scan_output_directions for op in loops)
    if (runner == "reference" and backward) or any(lacks_kernels(op.body, runner) for op in loops):
        return True
    return not all(has_kernel(node, runner) for node in graph.nodes)


def reference_has(graph: unroll.Graph) -> bool:
    """Whether onnx's evaluator computes a graph, if coarsely: releases before 1.23 fail on some operators, and in bodies."""
    if Version(onnx.__version__) < Version("1.23") and any(node.op.name == "Scan" for node in graph.nodes):
        return False
    return all(node.op.name == "Erf" or has_kernel(node, "reference") for node in graph.nodes)


TOLERANCE = {"float32": 1e-5, "float64": 1e-9}


def check_three_runners(graph: unroll.Graph, feeds: Mapping[str, Array], expected: list[Array], dtype: str) -> None:
    """Check NumPy, onnxruntime and onnx's own evaluator against another framework's numbers, output by output.

    Some kernels are missing for float64 alone; a runner is left out only where the support table says so.
    """
    model = unroll.to_onnx(graph, runtime=None)
    names = [output.name for output in model.graph.output]
    runs = {"NumPy": graph.run(feeds)}
    if not lacks_kernels(graph, "reference"):
        runs["onnx"] = dict(zip(names, run_reference(model, feeds), strict=True))
    if dtype == "float32" or not lacks_kernels(graph, "onnxruntime"):
        runs["onnxruntime"] = unroll.Session(model).run(feeds)
    assert len(graph.output_names) == len(expected)
    for runner, found in runs.items():
        for name, wanted in zip(graph.output_names, expected, strict=True):
            assert found[name].dtype == wanted.dtype, f"{runner}: {name}"
            assert found[name].shape == wanted.shape, f"{runner}: {name}"
            np.testing.assert_allclose(
                found[name], wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype], err_msg=f"{runner}: {name}"
            )


def run_python(code: str, *arguments: str, **environment: str) -> str:
    """Run a program in a fresh process and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "PYTHONHASHSEED": "0"} | environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def names_and_shapes(graph: unroll.Graph) -> list[tuple[str, tuple[int, ...]]]:
    """The graph's Parameters as TensorFlow lists variables."""
    return [(name, parameter.value.shape) for name, parameter in graph.parameters.items()]


def step_inputs(steps: int = 3, size: int = 4, dtype: str = "float32") -> list[Any]:
    """Placeholders ``X0``, ``X1``, ... of shape ``(batch, size)``."""
    return [unroll.placeholder([None, size], f"X{step}", dtype) for step in range(steps)]


def refused(action: Callable[[], Any], builtin: type[Exception], *fragments: str) -> str:
    """Check that `action` raises an UnrollError that is a `builtin` too and says all this; give its message."""
    with pytest.raises(unroll.UnrollError) as caught:
        action()
    message = str(caught.value)
    assert isinstance(caught.value, builtin), f"{type(caught.value).__name__} is no {builtin.__name__}"
    for fragment in fragments:
        assert fragment in message, f"{fragment!r} is not in: {message}"
    return message


def two_step_graph() -> unroll.Graph:
    """The first program: 3 inputs, 5 units, 2 steps; inputs ``X0`` and ``X1``."""
    inputs = step_inputs(2, 3)
    outputs, _ = unroll.static_rnn(unroll.BasicRNNCell(5), inputs)
    return unroll.Graph(inputs, outputs)
