"""Reading ONNX models: what comes out is the same model, with its names and weights; ONNX's own node tests pass after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from helpers import refused
from official_cases import official_cases
from onnx import TensorProto, helper, numpy_helper
from read_models import FLOAT, check_same, floats, ints, model_of, opaque_names, run

import unroll
from unroll.export.reading.reader import from_onnx

# -- names and weights -------------------------------------------------------------------------------------------------


def test_names_of_inputs_outputs_weights_nodes_and_tensors_survive() -> None:
    model = model_of(
        [
            helper.make_node("MatMul", ["X:0", "/layer.0/weight"], ["/layer/MatMul_output_0"], name="/layer//MatMul"),
            helper.make_node("Add", ["/layer/MatMul_output_0", "onnx::Add_7"], ["/layer/Add_output_0"], name="Add_17"),
        ],
        {"X:0": ["N", 3]},
        {"/layer/Add_output_0": ["N", 2]},
        {"/layer.0/weight": floats(3, 2), "onnx::Add_7": floats(2)},
    )
    graph = check_same(model, {"X:0": floats(4, 3)})
    assert list(graph.parameters) == ["/layer.0/weight", "onnx::Add_7"]
    assert graph.output_names == ("/layer/Add_output_0",)
    written = unroll.to_onnx(graph)
    assert [node.name for node in written.graph.node] == ["/layer//MatMul", "Add_17"]
    assert [list(node.output) for node in written.graph.node] == [["/layer/MatMul_output_0"], ["/layer/Add_output_0"]]
    assert [item.name for item in written.graph.initializer] == ["/layer.0/weight", "onnx::Add_7"]
    dims = written.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_param or dim.dim_value for dim in dims] == ["N", 3]


def test_a_weight_can_be_assigned_after_reading() -> None:
    model = model_of([helper.make_node("Mul", ["x", "w"], ["y"])], {"x": [2]}, {"y": [2]}, {"w": floats(2)})
    graph = from_onnx(model)
    graph.parameters["w"].assign([10.0, 20.0])
    feeds = {"x": np.ones(2, np.float32)}
    np.testing.assert_array_equal(run(unroll.to_onnx(graph), feeds)[0], [10.0, 20.0])
    np.testing.assert_array_equal(graph.run(feeds)["y"], [10.0, 20.0])


def test_numbers_of_no_axes_and_integers_are_constants() -> None:
    model = model_of(
        [helper.make_node("Sub", ["one", "x"], ["d"]), helper.make_node("Reshape", ["d", "shape"], ["y"])],
        {"x": [2, 3]},
        {"y": [3, 2]},
        {"one": np.array(1, np.float32), "shape": ints(3, 2)},
    )
    assert not check_same(model, {"x": floats(2, 3)}).parameters


def test_an_initializer_that_is_listed_among_the_inputs_is_a_weight() -> None:
    model = model_of([helper.make_node("Mul", ["x", "w"], ["y"])], {"x": [2], "w": [2]}, {"y": [2]}, {"w": floats(2)})
    graph = from_onnx(model)
    assert [item.name for item in graph.inputs] == ["x"]
    assert list(graph.parameters) == ["w"]


def test_an_output_that_is_a_weight_or_a_constant_keeps_its_name() -> None:
    model = model_of(
        [
            helper.make_node("Mul", ["x", "w"], ["y"]),
            helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(floats(3))),
        ],
        {"x": [2]},
        {"y": [2], "w": [2], "c": [3]},
        {"w": floats(2)},
    )
    check_same(model, {"x": floats(2)})


def test_unused_inputs_stay_and_dead_nodes_go() -> None:
    model = model_of(
        [helper.make_node("Neg", ["x"], ["y"]), helper.make_node("Exp", ["x"], ["dead"])],
        {"x": [2], "unused": [1]},
        {"y": [2]},
    )
    assert len(check_same(model, {"x": floats(2), "unused": floats(1)}).nodes) == 1


def test_sizes_without_a_name_become_symbols_of_their_input() -> None:
    model = model_of([helper.make_node("Neg", ["x"], ["y"])], {"x": [None, "time", 3]}, {"y": [None, "time", 3]})
    assert list(map(str, from_onnx(model).inputs[0].shape)) == ["x_0", "time", "3"]


def test_sizes_that_operators_need_equal_become_one() -> None:
    model = model_of(
        [helper.make_node("Concat", ["a", "b"], ["y"], axis=1)], {"a": ["p", 1], "b": ["q", 2]}, {"y": ["p", 3]}
    )
    graph = from_onnx(model)
    refused(lambda: graph.run({"a": floats(2, 1), "b": floats(3, 2)}), ValueError, "'b'", "3", "2")
    assert graph.inputs[0].shape[0] == graph.inputs[1].shape[0]


def test_sizes_that_cannot_be_equal_are_an_error_that_names_the_node() -> None:
    nodes = [
        helper.make_node("Add", ["x", "two"], ["y"], name="first"),
        helper.make_node("Add", ["x", "three"], ["z"], name="second"),
    ]
    weights = {"two": floats(2), "three": floats(3)}
    model = model_of(nodes, {"x": ["p"]}, {"y": [2], "z": [3]}, weights)
    refused(lambda: from_onnx(model), ValueError, "'second'", "p", "3", "2")


# -- onnx's own node tests ---------------------------------------------------------------------------------------------


#: Operators of which onnx's tests are run; those on dtypes that tensors here cannot have are left out.
SAMPLED = """Add ArgMax AveragePool Clip Concat Constant ConstantOfShape Conv Div Elu Equal Erf Exp Expand Floor Gather Gemm
Greater HardSigmoid Identity LayerNormalization LeakyRelu Less LogSoftmax MatMul Max MaxPool Min Mul Neg Pad Pow ReduceMax
ReduceMean ReduceMin ReduceSum Relu Reshape Shape Sigmoid Slice Softmax Softplus Split Sqrt Squeeze Sub Sum Tanh
Tile Transpose Unsqueeze Where""".split()  # noqa: SIM905


def readable(case: Any) -> bool:
    model = case.model
    kinds = {item.type.tensor_type.elem_type for item in (*model.graph.input, *model.graph.output)}
    allowed = {TensorProto.FLOAT16, FLOAT, TensorProto.DOUBLE, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL}
    plain = all(isinstance(array, np.ndarray) for arrays in case.data_sets for array in (*arrays[0], *arrays[1]))
    return plain and kinds <= allowed and 9 <= model.opset_import[0].version <= 25


@pytest.mark.slow
@pytest.mark.parametrize("op", SAMPLED)
def test_onnx_s_own_tests_of_an_operator_pass_after_reading(op: str) -> None:
    ours = (case for case in official_cases(op.lower()) if [node.op_type for node in case.model.graph.node] == [op])
    cases = [case for case in ours if readable(case)]
    assert cases
    for case in cases:
        graph = from_onnx(case.model)
        written = unroll.to_onnx(graph, runtime=None)
        onnx.checker.check_model(written)
        assert [item.name for item in written.graph.input] == [item.name for item in case.model.graph.input]
        assert [item.name for item in written.graph.output] == [item.name for item in case.model.graph.output]
        for inputs, outputs in [] if opaque_names(graph) else case.data_sets:
            feeds = {item.name: np.asarray(array) for item, array in zip(graph.inputs, inputs, strict=True)}
            for found, expected in zip(graph.run(feeds).values(), outputs, strict=True):
                assert found.dtype == np.asarray(expected).dtype, case.name
                np.testing.assert_allclose(found, expected, rtol=case.rtol, atol=case.atol, err_msg=case.name)
