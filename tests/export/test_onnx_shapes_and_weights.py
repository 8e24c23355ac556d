"""The model that `to_onnx` writes is fully shaped, holds each weight once, and computes nothing for a zero state."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import pytest
from exported_programs import (
    CELLS,
    HAS_THEM_ALL,
    PROGRAMS,
    cell_graph,
    check_model,
    dims,
    image_graph,
    infos,
    program,
    step_of,
)
from helpers import Array, refused, run_reference
from make_onnxruntime_support import run_onnxruntime
from onnx import numpy_helper

import unroll
from unroll import Graph, ops
from unroll.export.lowering import LATEST_OPSET
from unroll.passes import fold_zeros


def feeds_of(graph: Graph, batch: int = 2) -> dict[str, Array]:
    rng = np.random.default_rng(3)
    shapes = {spec.name: [dim if isinstance(dim, int) else batch for dim in spec.shape] for spec in graph.input_specs}
    return {spec.name: np.asarray(rng.random(shapes[spec.name])).astype(spec.dtype) for spec in graph.input_specs}


# -- shapes and weights ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PROGRAMS)
def test_every_tensor_has_the_shape_and_dtype_that_a_run_gives_it(kind: str) -> None:
    graph, batch = program(kind), 5
    opset = HAS_THEM_ALL if kind == "every operator" else None
    model = unroll.to_onnx(graph, opset=opset, fold_zero_state=False, runtime=None)
    declared = infos(model)
    names = [name for node in model.graph.node for name in node.output]
    assert Counter(names + [item.name for item in model.graph.input]) == dict.fromkeys(declared, 1)
    for name, array in zip(names, graph.run(feeds_of(graph, batch), names), strict=True):
        kinds = declared[name].type.tensor_type
        shape = tuple(eval(str(dim), {"batch": batch}) for dim in dims(declared[name]))
        assert (shape, onnx.helper.tensor_dtype_to_np_dtype(kinds.elem_type)) == (array.shape, array.dtype), name


def test_symbolic_dimensions_become_dim_params() -> None:
    model = unroll.to_onnx(image_graph())
    declared = infos(model)
    (reshaped,) = [name for node in model.graph.node if node.name == "Reshape_1" for name in node.output]
    assert dims(declared["x"]) == ["batch", 784]
    assert dims(declared["Transpose"]) == [28, "batch", 28]
    assert dims(declared[reshaped]) == ["28*batch", 28]
    assert dims(declared["last"]) == ["batch", 13]


def test_two_unknown_dimensions_keep_their_names_and_equal_ones_share_one() -> None:
    a, b = unroll.placeholder(["rows", None], "a"), unroll.placeholder(["n", 4], "b")
    model = unroll.to_onnx(Graph([a, b], {"y": a @ b}))
    assert dims(infos(model)["y"]) == ["rows", 4]
    assert dims(infos(model)["a"])[1] == dims(infos(model)["b"])[0]
    check_model(model)


@pytest.mark.parametrize("kind", CELLS)
def test_each_weight_is_one_initializer_of_its_own_name_and_value(kind: str) -> None:
    graph = cell_graph(kind, steps=4)
    rng = np.random.default_rng(0)
    graph.assign({name: rng.standard_normal(item.shape) for name, item in graph.parameters.items()})
    model = unroll.to_onnx(graph)
    assert set(Counter(item.name for item in model.graph.initializer).values()) == {1}
    initializers = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    for name, parameter in graph.parameters.items():
        assert initializers[name].dtype == parameter.dtype
        assert np.array_equal(initializers[name], parameter.value)
    floats = [name for name, array in initializers.items() if array.dtype.kind == "f" and array.ndim]
    assert floats == list(graph.parameters), "a weight is there twice, or a constant of zeros is"
    assert not set(initializers) & {item.name for item in model.graph.input}


def test_a_model_is_a_snapshot_of_its_weights() -> None:
    graph = cell_graph("rnn")
    before = unroll.to_onnx(graph)
    graph.parameters["rnn/basic_rnn_cell/bias"].assign([1, 2, 3, 4])
    kept, new = (
        {item.name: numpy_helper.to_array(item).tolist() for item in model.graph.initializer}
        for model in (before, unroll.to_onnx(graph))
    )
    assert kept["rnn/basic_rnn_cell/bias"] == [0, 0, 0, 0]
    assert new["rnn/basic_rnn_cell/bias"] == [1, 2, 3, 4]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64", "bool"])
def test_constants_of_every_dtype_keep_their_values(dtype: str) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    x = unroll.placeholder([2, 3], "x", dtype)
    model = unroll.to_onnx(Graph([x], {"y": ops.concat([x, unroll.constant(array, name="fixed")], 0)}))
    (fixed,) = [numpy_helper.to_array(item) for item in model.graph.initializer]
    assert fixed.dtype == array.dtype
    assert np.array_equal(fixed, array)
    assert np.array_equal(run_onnxruntime(model, {"x": ~array if dtype == "bool" else array})[0][2:], array)


def test_float_attributes_are_written_to_the_last_bit_and_every_runner_computes_with_them() -> None:
    x = unroll.placeholder([3], "x", "float32")
    alpha, beta = 0.1, 1 / 3
    graph = Graph([x], {"y": ops.hard_sigmoid(ops.leaky_relu(x, alpha), alpha, beta)})
    model = unroll.to_onnx(graph)
    stored = {(node.op_type, item.name): item.f for node in model.graph.node for item in node.attribute}
    assert stored == {
        ("LeakyRelu", "alpha"): float(np.float32(alpha)),
        ("HardSigmoid", "alpha"): float(np.float32(alpha)),
        ("HardSigmoid", "beta"): float(np.float32(beta)),
    }
    fed = np.array([-3, 0.25, 2], "float32")
    wanted = np.clip(np.float32(alpha) * np.where(fed < 0, np.float32(alpha) * fed, fed) + np.float32(beta), 0, 1)
    for found in (graph.run({"x": fed})["y"], run_onnxruntime(model, {"x": fed})[0]):
        np.testing.assert_allclose(found, wanted, rtol=2e-7)


@pytest.mark.parametrize("noop", [False, True])
def test_reductions_without_axes_mean_the_same_at_every_opset_or_are_refused(noop: bool) -> None:
    x = unroll.placeholder([2, 3], "x")
    for op in ("ReduceMean", "ReduceMax"):
        made = ops.apply_one(ops.OPERATORS["", op](noop_with_empty_axes=noop), x)  # type: ignore[call-arg]
        graph = Graph([x], {"y": made})
        if noop:
            refused(lambda graph=graph: unroll.to_onnx(graph), NotImplementedError, op, "opset=18")
        for opset in (18, LATEST_OPSET) if noop else (13, 17, 18, LATEST_OPSET):
            (found,) = run_onnxruntime(unroll.to_onnx(graph, opset=opset), {"x": np.ones((2, 3), "float32")})
            assert found.shape == ((2, 3) if noop else (1, 1))


@pytest.mark.parametrize("kind", CELLS)
def test_what_is_computed_from_weights_alone_is_written_as_its_value_where_that_is_asked_for(kind: str) -> None:
    graph = cell_graph(kind)
    small, feeds = unroll.optimize(graph), feeds_of(graph)
    models = [unroll.to_onnx(small, fold_weights=fold) for fold in (True, False)]
    at_once = unroll.to_onnx(graph, optimized=True)
    assert models[0].graph.node == at_once.graph.node
    for model, folds in zip(models, (True, False), strict=True):
        weights = {item.name for item in model.graph.initializer}
        assert folds != any(set(node.input) <= weights for node in model.graph.node)
        for item, array in zip(model.graph.output, run_onnxruntime(model, feeds), strict=True):
            np.testing.assert_allclose(array, graph.run(feeds)[item.name], atol=1e-6)
    assert unroll.to_onnx(graph, optimized=True, fold_weights=False).graph.node == models[1].graph.node


# -- the zero state costs nothing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("kind", CELLS)
def test_a_zero_initial_state_costs_nothing_at_step_0(kind: str, batch: int | None) -> None:
    graph = cell_graph(kind, batch=batch)
    folded, kept = unroll.to_onnx(graph), unroll.to_onnx(graph, fold_zero_state=False)
    kinds, kinds_kept = (Counter(node.op_type for node in model.graph.node) for model in (folded, kept))
    assert not {"Shape", "ConstantOfShape"} & kinds.keys()
    assert kinds_kept["ConstantOfShape"] >= 1
    steps, steps_kept = (
        Counter(step_of(node.name) for node in model.graph.node if node.op_type != "Identity")
        for model in (folded, kept)
    )
    assert steps[0] < steps[1] == steps[2]
    assert steps_kept[0] > steps_kept[1] == steps[1]
    assert not any("zero_state" in node.name for node in folded.graph.node)
    weights = set(graph.parameters)
    zeros = [i.name for i in folded.graph.initializer if i.name not in weights and not numpy_helper.to_array(i).any()]
    assert [name for name in zeros if name != "constant/[0]"] == [], "only the start of a Slice is 0"


@pytest.mark.parametrize("kind", CELLS)
def test_folding_changes_neither_values_nor_names_nor_the_graph(kind: str) -> None:
    graph = cell_graph(kind)
    names = graph.tensor_names()
    feeds = feeds_of(graph)
    wanted = graph.run(feeds)
    models = [unroll.to_onnx(graph, fold_zero_state=fold) for fold in (True, False)]
    for model in models:
        assert [item.name for item in model.graph.output] == list(graph.output_names)
        for run in (run_reference, run_onnxruntime):
            for item, array in zip(model.graph.output, run(model, feeds), strict=True):
                np.testing.assert_allclose(array, wanted[item.name], atol=1e-6)
    assert graph.tensor_names() == names
    assert models[0].graph.output == models[1].graph.output
    computing = [sum(node.op_type != "Identity" for node in model.graph.node) for model in models]
    assert len(fold_zeros(graph).nodes) == computing[0] < computing[1]
