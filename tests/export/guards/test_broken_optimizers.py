"""Valid graphs that an optimiser of onnxruntime breaks load in a Session, and give what they give without optimisers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hashed_choices import chosen
from helpers import Array, run_python
from onnx import TensorProto, helper, numpy_helper
from operator_chains import DTYPES, LINKS, chain, from_cases

import unroll
from unroll import ops
from unroll.export.guards.broken_optimizers import broken_optimizers

#: The version whose optimisers the table lists.
SEEN_IN = "1.32."
TOLERANCE = {"float16": 2e-2, "float32": 1e-4, "float64": 1e-9}


def load(model: onnx.ModelProto, leave_out: list[str] | None) -> ort.InferenceSession:
    """Load a model without some optimisers, or without any at all."""
    data = model.SerializeToString()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    if leave_out is None:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"], disabled_optimizers=leave_out or [])


def outcome(model: onnx.ModelProto, feeds: dict[str, Array], leave_out: list[str] | None) -> list[Array] | str:
    """What a model gives, or the error."""
    try:
        return [np.asarray(item) for item in load(model, leave_out).run(None, feeds)]
    except Exception as error:  # onnxruntime's errors share no base class
        return str(error)


def agree(one: Array, other: Array) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.dtype.kind != "f":
        return np.array_equal(one, other)
    limit = TOLERANCE[str(one.dtype)]
    return np.allclose(one.astype(float), other.astype(float), rtol=limit, atol=limit, equal_nan=True)


# -- the rows of the table --------------------------------------------------------------------------------------------


def graph_of(function: Callable[..., Any], *arrays: Array) -> tuple[onnx.ModelProto, dict[str, Array]]:
    inputs = [unroll.placeholder(list(array.shape), f"x{place}", array.dtype) for place, array in enumerate(arrays)]
    graph = unroll.Graph(inputs, {"y": function(*inputs)})
    return unroll.to_onnx(graph, fold_zero_state=False), {
        item.name: array for item, array in zip(inputs, arrays, strict=True)
    }


def numbers(*shape: int, dtype: str = "float32") -> Array:
    return np.linspace(-2, 3, int(np.prod(shape))).reshape(shape).astype(dtype)


SQUARE, VECTOR = numbers(3, 3), numbers(3)
ROWS: dict[str, tuple[str, Callable[..., Any], tuple[Array, ...]]] = {
    "clip": ("FuseReluClip", lambda x: ops.clip(ops.relu(x), -3, 3), (SQUARE.astype("float64"),)),
    "identity": ("DivMulFusion", lambda x, z: ops.identity(x) * (1.0 / ops.exp(z)), (SQUARE, VECTOR)),
    "cast": ("DivMulFusion", lambda x, z: ops.cast(x, "float32") * (1.0 / ops.exp(z)), (SQUARE, VECTOR)),
    "zero": ("MatMulScaleFusion", lambda x, z: (x @ z) / 0.0, (SQUARE.astype("float64"), SQUARE.astype("float64"))),
    "tiny": ("MatMulScaleFusion", lambda x, z: (x * 1e-30 @ z) / 1e-39, (SQUARE, SQUARE * 1e-9)),
    "nearly one": ("NoopElimination", lambda x: ops.abs(ops.neg(x) * (1 + 5e-8)), (SQUARE.astype("float64"),)),
    "divided": ("NoopElimination", lambda x: ops.abs(ops.neg(x) / np.array([1 - 1e-8])), (SQUARE.astype("float64"),)),
    "nearly zero": ("NoopElimination", lambda x: 1e-50 / (ops.neg(x) + 1e-50), (np.zeros(3),)),
    "less": ("NoopElimination", lambda x: 1e-50 / (ops.neg(x) - 1e-50), (np.zeros(3),)),
    "vector": ("MatmulTransposeFusion", lambda x, z: ops.transpose(x) @ z, (SQUARE, VECTOR)),
    "vector cast": (
        "MatmulTransposeFusion",
        lambda x, z: ops.transpose(x) @ ops.cast(z, "float32"),
        (SQUARE, VECTOR.astype(int)),
    ),
    "vector64": (
        "MatmulTransposeFusion",
        lambda x, z: ops.transpose(x, [0, 2, 1]) @ z,
        (numbers(2, 3, 4, dtype="float64"), numbers(3, dtype="float64")),
    ),
}


@pytest.mark.parametrize("row", list(ROWS))
def test_each_optimiser_that_breaks_a_pattern_is_left_out_where_it_stands(row: str) -> None:
    name, function, arrays = ROWS[row]
    model, feeds = graph_of(function, *arrays)
    assert name in broken_optimizers(model)
    plain = outcome(model, feeds, None)
    assert not isinstance(plain, str), plain
    assert agree(np.asarray(unroll.Session(model).run(feeds, "y")), plain[0])
    without = outcome(model, feeds, [name])
    assert not isinstance(without, str), without
    assert agree(without[0], plain[0])
    if ort.__version__.startswith(SEEN_IN):
        broken = outcome(model, feeds, [])
        assert isinstance(broken, str) or not agree(broken[0], plain[0]), "no longer broken: take the row out"


CRASHES = """
import numpy as np, unroll, onnx
from onnx import TensorProto, helper, numpy_helper
from unroll import ops
x = unroll.placeholder([2, 3, 4], "x", "float16")
for w, perm in (((4, 5), [1, 0, 2]), ((2,), [1, 2, 0]), ((6, 3, 4, 5), [1, 0, 2])):
    graph = unroll.Graph([x], {"y": ops.transpose(x, perm) @ unroll.constant(np.ones(w, "float16"))})
    feeds = {"x": np.ones((2, 3, 4))}
    print(np.array_equal(unroll.Session(graph).run(feeds, "y"), graph.run(feeds)["y"]))
info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
node = helper.make_node("LayerNormalization", ["x", "w", ""], ["y"], axis=2)
made = helper.make_model(helper.make_graph([node], "g", [info("x", [2, 3, 4, 5]), info("w", [4, 1])], [info("y", None)]),
    opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
try:
    unroll.Session(made)
except unroll.UnrollError as error:
    print(error)
print("lives")
"""


@pytest.mark.slow
def test_what_an_optimiser_would_end_the_process_on_is_loaded_without_it() -> None:
    lines = run_python(CRASHES).splitlines()
    assert lines[:3] == ["True"] * 3
    assert lines[-1] == "lives"


def test_a_usual_network_keeps_every_optimiser() -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    for layer in (unroll.layers.LSTM(5, unroll=True), unroll.layers.GRU(5, unroll=True)):
        graph = unroll.Graph([x], {"y": layer(x)})
        for form in ("unrolled", "rerolled", "scan"):
            assert broken_optimizers(unroll.to_onnx(graph, form=form)) == [], form


@pytest.mark.parametrize(("scale", "is_left_out"), [(3.0, True), (0.1, True), (0.125, False)])
def test_a_scale_of_float64_is_not_rounded_to_float32(scale: float, is_left_out: bool) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 3))
    for function in (lambda x, y: (x @ y) / scale, lambda x, y: (x @ y) * scale, lambda x, y: (x / scale) @ y):
        model, feeds = graph_of(function, a, b)
        assert ("MatMulScaleFusion" in broken_optimizers(model)) == is_left_out
        found = unroll.Session(model).run(feeds, "y")
        np.testing.assert_allclose(found, function(a, b), rtol=1e-13, atol=1e-13)


def test_names_are_looked_up_in_bodies_and_among_constant_nodes_too() -> None:
    limit = helper.make_node("Constant", [], ["low"], value=numpy_helper.from_array(np.float64(-1)))
    nodes = [limit, helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Clip", ["r", "low"], ["y"])]
    info = helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)
    branch = helper.make_graph(nodes, "branch", [], [info])
    made = helper.make_node("If", ["flag"], ["out"], then_branch=branch, else_branch=branch)
    assert broken_optimizers(helper.make_model(helper.make_graph([made], "main", [], []))) == ["FuseReluClip"]


def test_a_constant_that_lies_in_another_file_is_not_looked_for(tmp_path: Path) -> None:
    graph = unroll.Graph([x := unroll.placeholder([None, 3], "x")], {"y": (x @ unroll.constant(SQUARE)) * 2.0})
    path = tmp_path / "model.onnx"
    model = unroll.to_onnx(graph)
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert broken_optimizers(onnx.load(path, load_external_data=False)) == ["MatMulScaleFusion"]
    assert agree(np.asarray(unroll.Session(path).run({"x": SQUARE}, "y")), SQUARE @ SQUARE * 2)


# -- chains of operators ----------------------------------------------------------------------------------------------


def problem(names: tuple[str, ...], dtype: str, seed: int) -> str | None:
    """How a Session breaks a chain that is right without optimisers; None where there is no such chain."""
    try:
        made = chain(names, dtype, seed)
        if made is None:
            return None
        graph, feeds = made
        graph.check_feeds(feeds)
        model = unroll.to_onnx(graph)
    except unroll.UnrollError:  # onnxruntime has no kernel, or the sizes drawn do not fit
        return None
    plain = outcome(model, feeds, None)
    if isinstance(plain, str):
        return None
    try:
        seen = unroll.Session(model).run(feeds)
    except unroll.UnrollError as error:
        # What nobody asks for is left out when optimisers are: an integer divided by 0 in it is not met.
        return "" if "division by zero" in str(error).lower() else f"{names} {dtype} {seed}: {error}"
    for one, other in zip(seen.values(), plain, strict=True):
        # Which of several numbers a Max or Min of NaN is depends on their order, which optimisers change.
        if not agree(one, other) and not np.isnan(other.astype(float)).any():
            return f"{names} {dtype} {seed}: {one.ravel()[:3]}, without optimisers {other.ravel()[:3]}"
    return ""


def drawn(length: int, count: int, seed: int) -> Iterator[tuple[tuple[str, ...], str, int]]:
    for place in range(count):
        names = tuple(chosen(LINKS, seed, place, link) for link in range(length))
        yield names, DTYPES[place % len(DTYPES)], place


def test_there_is_a_link_for_every_operator() -> None:
    assert set(LINKS) == {name for _, name in ops.OPERATORS}


@pytest.mark.parametrize("op", ["Tanh", "Add", "Gemm", "Where", "Split"])
def test_an_operator_without_a_link_of_its_own_is_linked_by_its_cases(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LINKS, op, from_cases(op))
    made = [chain([op, "Identity"], dtype, seed) for dtype in DTYPES for seed in range(20)]
    graphs = [found[0] for found in made if found is not None]
    assert len(graphs) > 5
    assert all(op in {node.op.name for node in graph.nodes} for graph in graphs)


@pytest.mark.slow
@pytest.mark.parametrize(("length", "count"), [(2, 400), (3, 600)])
def test_random_chains_give_what_they_give_without_optimisers(length: int, count: int) -> None:
    """All pairs of all dtypes were run once, and 16,000 triples with the table as it is."""
    found = [problem(*case) for case in drawn(length, count, seed=length)]
    tried = [item for item in found if item is not None]
    assert len(tried) > count / 4
    assert not any(tried), "\n".join(filter(None, tried))


@pytest.mark.slow
def test_pairs_that_optimisers_look_for_in_every_dtype() -> None:
    groups = (("Relu", "Clip"), ("Transpose", "MatMul"), ("MatMul", "Div"), ("MatMul", "Add"), ("Identity", "Mul"))
    found = [
        problem(names, dtype, seed)
        for names, dtype, seed in product(groups, ("float16", "float32", "float64"), range(8))
    ]
    assert not any(found), "\n".join(filter(None, found))
