"""Every form that an operator had in some opset is read as the same operator of ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from helpers import Array
from onnx import TensorProto, helper, numpy_helper
from read_models import FLOAT, X, check_same, floats, ints, model_of, one_node

#: What is padded, and what it becomes.
INFOS = {"x": [2, "rows", "columns"], "y": [2, None, None]}
FORMS: dict[str, tuple[int, str, dict[str, Any], list[Any]]] = {
    "squeeze-9": (9, "Squeeze", {"axes": [0]}, [X[:1]]),
    "squeeze-9-all": (9, "Squeeze", {}, [X[:1]]),
    "squeeze-13": (13, "Squeeze", {}, [X[:1], ints(-3)]),
    "unsqueeze-11": (11, "Unsqueeze", {"axes": [0, -1]}, [X]),
    "unsqueeze-13": (13, "Unsqueeze", {}, [X, ints(0, 2)]),
    "reduce_sum-11": (11, "ReduceSum", {"axes": [-1], "keepdims": 0}, [X]),
    "reduce_sum-11-all": (11, "ReduceSum", {}, [X]),
    "reduce_sum-13": (13, "ReduceSum", {"keepdims": 0}, [X, ints(1)]),
    "reduce_mean-13": (13, "ReduceMean", {"axes": [1]}, [X]),
    "reduce_mean-18": (18, "ReduceMean", {}, [X, ints(1)]),
    "reduce_min-9": (9, "ReduceMin", {"axes": [1]}, [X]),
    "reduce_min-13": (13, "ReduceMin", {"axes": [0, -1], "keepdims": 0}, [X]),
    "reduce_min-18": (18, "ReduceMin", {}, [X, ints(1)]),
    "tile-9": (9, "Tile", {}, [X, ints(1, 2, 3)]),
    "tile-13-booleans": (13, "Tile", {}, [X > 0, ints(2, 1, 1)]),
    "reverse_sequence-10": (10, "ReverseSequence", {"batch_axis": 0, "time_axis": 1}, [X, ints(3, 2)]),
    "reverse_sequence-13-defaults": (13, "ReverseSequence", {}, [X, ints(1, 2, 1)]),
    "layer_normalization-17": (17, "LayerNormalization", {"epsilon": 0.25, "stash_type": 1}, [X, floats(4), floats(4)]),
    "layer_normalization-17-axes": (17, "LayerNormalization", {"axis": 1}, [X, floats(3, 4)]),
    "reduce_max-18": (18, "ReduceMax", {"keepdims": 0}, [X, ints(0, 2)]),
    "slice-9": (9, "Slice", {"starts": [0, 1], "ends": [1, 2**62], "axes": [0, 2]}, [X]),
    "slice-9-first-axes": (9, "Slice", {"starts": [1], "ends": [2]}, [X]),
    "slice-11-int32": (11, "Slice", {}, [X, *(np.array([item], np.int32) for item in (3, -9, 2, -1))]),
    "slice-13": (13, "Slice", {}, [X, ints(1), ints(3), ints(1)]),
    "clip-9": (9, "Clip", {"min": -0.5, "max": 0.5}, [X]),
    "clip-9-open": (9, "Clip", {"max": 0.5}, [X]),
    "clip-12": (12, "Clip", {}, [X, np.float32(-0.5), None]),
    "softmax-11-last": (11, "Softmax", {"axis": 2}, [X]),
    "log_softmax-9-last": (9, "LogSoftmax", {"axis": 2}, [X]),
    "softmax-13": (13, "Softmax", {"axis": 1}, [X]),
    "softmax-13-default": (13, "Softmax", {}, [X]),
    "cast-9": (9, "Cast", {"to": TensorProto.INT64}, [X * 10]),
    "transpose-default": (13, "Transpose", {}, [X]),
    "transpose": (9, "Transpose", {"perm": [1, 0, 2]}, [X]),
    "dropout-9": (9, "Dropout", {"ratio": 0.7}, [X]),
    "dropout-13": (13, "Dropout", {}, [X, np.float32(0.7), np.array(False)]),
    "shape-15": (15, "Shape", {"start": -2, "end": 3}, [X]),
    "shape-13": (13, "Shape", {}, [X]),
    "constant_of_shape": (9, "ConstantOfShape", {"value": numpy_helper.from_array(ints(7))}, [ints(2, 3)]),
    "constant_of_shape-default": (9, "ConstantOfShape", {}, [ints(2)]),
    "pad-11-edge": (11, "Pad", {"mode": "edge"}, [X, ints(0, 2, 1, 3, 0, 4)]),
    "pad-13-edge-cut": (13, "Pad", {"mode": "edge"}, [X, ints(0, 2, -1, 0, -1, 3)]),
    "pad-13-reflect": (13, "Pad", {"mode": "reflect"}, [X, ints(0, 1, 2, 0, -1, 3)]),
    "pad-19-wrap": (19, "Pad", {"mode": "wrap"}, [X, ints(1, 0, 2, 0, 3, 4)]),
    "pad-9": (9, "Pad", {"pads": [0, 1, 0, 0, 0, 2], "value": 1.5}, [X.astype("float64")]),
    "pad-9-edge": (9, "Pad", {"pads": [0, 1, -1, 0, 0, 2], "mode": "edge", "value": 1.5}, [X]),
    "pad-13-cut": (13, "Pad", {}, [X, ints(-1, 0, 2, 3, -1, -3), np.array(2, np.float32)]),
    "pad-18-axes": (18, "Pad", {}, [X, ints(1, -1, 0, 2), np.array(2, np.float32), ints(-1, 0)]),
    "pad-13-nothing": (13, "Pad", {"mode": "edge"}, [X, ints(0, 0, 0, 0, 0, 0)]),
    "max-3": (13, "Max", {}, [X, X * X, X[:1]]),
    "min-1": (13, "Min", {}, [X]),
    "sum-3": (9, "Sum", {}, [X, X, X]),
    "gemm-9": (9, "Gemm", {"transB": 1, "alpha": 0.5}, [X[0], X[1], floats(3)]),
    "gemm-11-no-bias": (11, "Gemm", {"transA": 1}, [X[0], X[1]]),
    "concat-negative": (11, "Concat", {"axis": -1}, [X, X]),
    "gather-negative": (11, "Gather", {"axis": -1}, [X, ints(1, -1)]),
    "argmax": (12, "ArgMax", {"axis": -1, "select_last_index": 0}, [X]),
    "expand": (9, "Expand", {}, [X[:, :1], ints(2, 3, 4)]),
    "reshape-allowzero": (14, "Reshape", {"allowzero": 1}, [X, ints(6, -1)]),
    "conv-defaults": (11, "Conv", {}, [X, floats(2, 3, 2)]),
    "conv-same": (11, "Conv", {"auto_pad": "SAME_UPPER", "strides": [2]}, [X, floats(2, 3, 2)]),
    "conv-valid": (11, "Conv", {"auto_pad": "VALID"}, [X, floats(2, 3, 2)]),
    "max-pool": (12, "MaxPool", {"kernel_shape": [2], "ceil_mode": 0, "storage_order": 0}, [X]),
    "max-pool-same": (12, "MaxPool", {"kernel_shape": [2], "auto_pad": "SAME_UPPER", "strides": [2]}, [X]),
    "average-pool": (11, "AveragePool", {"kernel_shape": [2], "pads": [0, 1], "count_include_pad": 0}, [X]),
    "pad": (13, "Pad", {}, [X, ints(0, 1, 0, 0, 0, 2), np.array(2, np.float32)]),
    "elu": (9, "Elu", {"alpha": 0.5}, [X]),
    "where": (9, "Where", {}, [X > 0, X, -X]),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_an_operator_becomes_ours(name: str) -> None:
    opset, op, attributes, arrays = FORMS[name]
    check_same(*one_node(op, attributes, arrays, opset))


@pytest.mark.parametrize(
    ("opset", "attributes", "sizes", "pieces"),
    [
        (9, {"axis": 2}, None, 2),
        (11, {"axis": -1, "split": [1, 3]}, None, 2),
        (13, {"axis": 1}, ints(2, 1), 2),
        (13, {}, None, 2),
        (18, {"axis": 2, "num_outputs": 4}, None, 4),
    ],
)
def test_every_form_of_split_becomes_ours(
    opset: int, attributes: dict[str, Any], sizes: Array | None, pieces: int
) -> None:
    check_same(*one_node("Split", attributes, [X] if sizes is None else [X, sizes], opset, pieces))


@pytest.mark.parametrize(
    "attributes",
    [
        {"value": numpy_helper.from_array(floats(2, 2))},
        {"value_float": 2.5},
        {"value_floats": [1.0, 2.0]},
        {"value_int": 3},
        {"value_ints": [1, 2]},
    ],
    ids=lambda attributes: next(iter(attributes)),
)
def test_every_form_of_constant_is_read(attributes: dict[str, Any]) -> None:
    whole = "int" in next(iter(attributes))
    nodes = [helper.make_node("Constant", [], ["c"], **attributes), helper.make_node("Mul", ["x", "c"], ["y"])]
    x = ints(5, 6) if whole else floats(2)
    model = model_of(nodes, {"x": [2]}, {}, dtypes={"x": TensorProto.INT64 if whole else FLOAT})
    model.graph.output.append(onnx.ValueInfoProto(name="y"))
    check_same(onnx.shape_inference.infer_shapes(model), {"x": x})


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
def test_softmax_before_opset_13_runs_over_all_later_axes(op: str) -> None:
    model, feeds = one_node(op, {"axis": 1}, [X], 11)
    graph = check_same(model, feeds, ["Flatten"])
    assert op in [node.op.name for node in graph.nodes]


def test_shapes_that_are_computed_in_int32_are_followed() -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["long"]),
        helper.make_node("Cast", ["long"], ["short"], to=TensorProto.INT32),
        helper.make_node("Slice", ["short", "zero", "one"], ["batch"]),
        helper.make_node("Concat", ["batch", "units"], ["wanted"], axis=0),
        helper.make_node("Cast", ["wanted"], ["shape"], to=TensorProto.INT64),
        helper.make_node("Expand", ["nought", "shape"], ["y"]),
    ]
    weights = {"zero": ints(0), "one": ints(1), "units": np.array([4], np.int32), "nought": np.zeros((), np.float32)}
    graph = check_same(model_of(nodes, {"x": ["n", 3]}, {"y": ["n", 4]}, weights), {"x": floats(2, 3)})
    assert list(map(str, graph.outputs[0].shape)) == ["n", "4"]


@pytest.mark.parametrize(("mode", "ends"), [("edge", (1, -1)), ("constant", (1, -1)), ("constant", (-4, 3))])
def test_an_axis_of_any_size_is_padded_or_cut(mode: str, ends: tuple[int, int]) -> None:
    """As in frames of sound, of which each is held against the one before: one more before, one less after."""
    nodes = [helper.make_node("Pad", ["x", "pads"], ["y"], mode=mode)]
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in INFOS.items()]
    weights = [numpy_helper.from_array(ints(0, 2, ends[0], 0, 0, ends[1]), "pads")]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], weights)
    check_same(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=8), {"x": X})
