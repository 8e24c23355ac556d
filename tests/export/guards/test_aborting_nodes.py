"""What is known to end the process in onnx or onnxruntime is refused before either sees it, wherever in a model it stands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import refused
from onnx import TensorProto, helper, numpy_helper

import unroll
from unroll.export.guards.aborting_nodes import check_nodes

OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]


def info(name: str, shape: list[Any] | None = None, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(
    nodes: list[onnx.NodeProto],
    outputs: list[str] | None = None,
    functions: tuple[onnx.FunctionProto, ...] = (),
    **shapes: Any,
) -> onnx.ModelProto:
    """A model of some nodes that reads `x`, a matrix (4, 6), and makes `y`."""
    inputs = [info(name, shape) for name, shape in ({"x": [4, 6]} | shapes).items()]
    graph = helper.make_graph(nodes, "main", inputs, [info(name, ["r"]) for name in outputs or ["y"]])
    return helper.make_model(graph, opset_imports=OPSETS, functions=functions, ir_version=8)


def split(count: int, outputs: int, name: str = "cutter") -> onnx.NodeProto:
    made = ["y", *(f"more{place}" for place in range(outputs - 1))]
    return helper.make_node("Split", ["x"], made, name=name, axis=1, num_outputs=count)


#: A node on which the process ends, what the message says of it, and whether onnx's inference or onnxruntime's load does it.
NODES: dict[str, tuple[onnx.NodeProto, list[str]]] = {
    "split": (split(2, 3), ["'cutter'", "Split", "num_outputs is 2", "3 outputs"]),
    "split of one": (split(1, 2), ["num_outputs is 1", "2 outputs"]),
    "split with an empty name": (
        helper.make_node("Split", ["x"], ["y", "b", ""], axis=1, num_outputs=2),
        ["that makes 'y'", "output 2 has no name"],
    ),
    "split without a name": (
        helper.make_node("Split", ["x"], ["y", "", "c"], axis=1),
        ["Split", "output 1 has no name"],
    ),
    "kernel": (
        helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[2**31, 2]),
        ["kernel_shape is [2147483648, 2]"],
    ),
    "left out": (helper.make_node("EyeLike", [""], ["y"], name="eye"), ["'eye'", "input 0 is left out"]),
    "one of many left out": (helper.make_node("Max", ["x", ""], ["y"]), ["Max", "input 1 is left out"]),
    "last of many": (helper.make_node("Sum", ["x", "x", ""], ["y"]), ["input 2 is left out"]),
    "batch_dims": (helper.make_node("GatherND", ["x", "x"], ["y"], batch_dims=-3), ["batch_dims is -3"]),
    "axis": (
        helper.make_node("LayerNormalization", ["x", "x"], ["y", "mean"], axis=2**31),
        ["LayerNormalization", "axis is 2147483648"],
    ),
    "equation": (helper.make_node("Einsum", ["x"], ["y"], equation=b"\xff\xfe"), ["Einsum", "equation", "letters"]),
}


def plain(node: onnx.NodeProto) -> onnx.ModelProto:
    return model_of([node])


def in_branch(node: onnx.NodeProto) -> onnx.ModelProto:
    branch = helper.make_graph([node], "branch", [], [info("y")])
    yes = helper.make_node("Constant", [], ["yes"], value=numpy_helper.from_array(np.array(True)))
    return model_of([yes, helper.make_node("If", ["yes"], ["z"], then_branch=branch, else_branch=branch)], ["z"])


def in_function(node: onnx.NodeProto) -> onnx.ModelProto:
    function = helper.make_function("own", "f", ["x"], ["y"], [node], [helper.make_opsetid("", 18)])
    return model_of([helper.make_node("f", ["x"], ["y"], domain="own")], functions=(function,))


@pytest.mark.parametrize("place", [plain, in_branch, in_function])
@pytest.mark.parametrize("name", list(NODES))
def test_it_is_refused_in_the_graph_in_branches_and_in_functions(
    name: str, place: Callable[[onnx.NodeProto], onnx.ModelProto]
) -> None:
    node, fragments = NODES[name]
    model = place(node)
    refused(lambda: check_nodes(model, "here"), ValueError, "here: ", *fragments, "end the whole process")


@pytest.mark.parametrize("name", list(NODES))
def test_every_way_in_looks_first(name: str, tmp_path: Path) -> None:
    node, fragments = NODES[name]
    model = plain(node)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    for way in (unroll.Session, unroll.from_onnx):
        for source in (model, path):
            refused(lambda way=way, source=source: way(source), ValueError)
    refused(lambda: unroll.Session(path), ValueError, str(path), *fragments)


@pytest.mark.slow
def test_the_command_line_refuses_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(plain(split(2, 3)).SerializeToString())
    done = subprocess.run(
        [sys.executable, "-m", "unroll", "summary", str(path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert "num_outputs is 2" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_a_call_hands_to_a_function_is_looked_at_too() -> None:
    inner = split(1, 3)
    del inner.attribute[:]
    inner.attribute.add(name="axis", i=1, type=onnx.AttributeProto.INT)
    inner.attribute.add(name="num_outputs", ref_attr_name="count", type=onnx.AttributeProto.INT)
    function = helper.make_function("own", "f", ["x"], ["y"], [inner], [helper.make_opsetid("", 18)], ["count"])
    for count, right in ((3, True), (2, False)):
        model = model_of([helper.make_node("f", ["x"], ["y"], domain="own", count=count)], functions=(function,))
        if right:
            check_nodes(model, "here")
        else:
            refused(lambda model=model: check_nodes(model, "here"), ValueError, "num_outputs is 2")
    reads = helper.make_node("Max", ["a", "b"], ["y"])
    function = helper.make_function("own", "f", ["a", "b"], ["y"], [reads], [helper.make_opsetid("", 18)])
    for given in (["x", ""], ["x"]):
        model = model_of([helper.make_node("f", given, ["y"], domain="own")], functions=(function,))
        refused(lambda model=model: check_nodes(model, "here"), ValueError, "input 1 is left out")


@pytest.mark.parametrize("version", [16, -(2**40), 2**40])
def test_what_the_opset_of_a_function_does_not_have_is_refused(version: int) -> None:
    node = helper.make_node("LayerNormalization", ["x", "x"], ["y"])
    opsets = [helper.make_opsetid("", version)]
    function = helper.make_function("own", "f", ["x"], ["y"], [node], opsets)
    model = model_of([helper.make_node("f", ["x"], ["y"], domain="own")], functions=(function,))
    if version < 17:
        why = "no such operator" if version > 0 else "there is no such opset"
        refused(lambda: unroll.Session(model), ValueError, "function 'f'", f"opset {version}", why)
    else:  # an ordinary error of onnxruntime's
        refused(lambda: unroll.Session(model), ValueError)


@pytest.mark.parametrize("size", [2**24 + 1, 2**31, 2**62])
def test_a_vector_of_a_declared_size_that_shape_inference_never_ends_on_is_refused(size: int) -> None:
    model = model_of([helper.make_node("Log", ["x"], ["y"])], x=[size])
    refused(lambda: unroll.from_onnx(model), ValueError, "'x'", str(size))
    check_nodes(model_of([helper.make_node("Log", ["x"], ["y"])], x=[2**24]), "here")


def test_an_input_of_any_rank_is_refused() -> None:
    """Some kernels, as ReverseSequence's, end the process on a tensor without axes, which ONNX lets nobody declare."""
    node = helper.make_node("ReverseSequence", ["x", "n"], ["y"])
    graph = helper.make_graph(
        [node], "main", [info("x")], [info("y")], [numpy_helper.from_array(np.array([1, 2]), "n")]
    )
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=8)
    refused(lambda: unroll.Session(model), ValueError, "'x' has no shape", "write it into the model")


def test_what_is_only_unusual_passes() -> None:
    """Inputs that may be left out, pieces to be counted, limits of what an axis can be."""
    resize = helper.make_node("Resize", ["x", "", "scales"], ["y"])
    for node in (
        split(3, 3),
        split(4, 3),  # fewer names than pieces: an ordinary error of both
        helper.make_node("Split", ["x"], ["y", "b"], axis=1),
        helper.make_node("Clip", ["x", "", "x"], ["y"]),
        helper.make_node("LSTM", ["x", "x", "x", "", "", "x"], ["y"], hidden_size=2),
        helper.make_node("LayerNormalization", ["x", "x", ""], ["y"], axis=-1),
        helper.make_node("Einsum", ["x", "x"], ["y"], equation="ij,kj->i"),
        helper.make_node("Max", ["x", ""], ["y"], domain="own"),
        resize,
    ):
        check_nodes(plain(node), "here")


PROGRAM = """
import sys, onnx, onnxruntime
model = onnx.load(sys.argv[2])
if sys.argv[1] == "inference":
    onnx.shape_inference.infer_shapes(model, data_prop=True)
else:
    onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("who", ["inference", "load"])
def test_the_first_row_of_the_table_is_true_of_the_versions_that_it_names(who: str, tmp_path: Path) -> None:
    import onnxruntime

    path = tmp_path / "model.onnx"
    path.write_bytes(plain(split(2, 3)).SerializeToString())
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, who, str(path)], capture_output=True, check=False, timeout=120
    )
    if (onnx.__version__, onnxruntime.__version__) == ("1.23.2", "1.32.0"):
        assert done.returncode < 0, "it no longer ends the process: take the row out"
