"""Reading ONNX models: what comes out is the same model, whatever its opset, its names and the operators it has."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from helpers import Array, refused
from onnx import TensorProto, helper, numpy_helper

import unroll
from unroll import ops
from unroll.export.reading.reader import from_onnx
from unroll.ops.opaque import Opaque

FLOAT = TensorProto.FLOAT
RNG = np.random.default_rng(7)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, Sequence[int | str | None]],
    outputs: dict[str, Sequence[int | str | None] | None],
    weights: dict[str, Array] | None = None,
    opset: int = 13,
    dtypes: dict[str, int] | None = None,
    domains: dict[str, int] | None = None,
) -> onnx.ModelProto:
    """A model of `nodes`; tensors are float32 unless `dtypes` says otherwise."""
    kinds = dtypes or {}

    def infos(items: Any) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, kinds.get(name, FLOAT), shape) for name, shape in items.items()]

    initializers = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    graph = helper.make_graph(list(nodes), "test", infos(inputs), infos(outputs), initializers)
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(*item) for item in (domains or {}).items())]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def run(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Array]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [np.asarray(array) for array in session.run(None, feeds)]


def opaque_names(graph: unroll.Graph) -> list[str]:
    return [node.op.name for node in graph.nodes if isinstance(node.op, Opaque)]


def check_same(model: onnx.ModelProto, feeds: dict[str, Array], opaque: Sequence[str] = ()) -> unroll.Graph:
    """Check that a model read and written again is the same in onnxruntime, and in NumPy where every operator is ours."""
    graph = from_onnx(model)
    assert opaque_names(graph) == list(opaque)
    written = unroll.to_onnx(graph)
    onnx.checker.check_model(written, full_check=True)
    assert [item.name for item in written.graph.input] == list(feeds)
    assert [item.name for item in written.graph.output] == [item.name for item in model.graph.output]
    expected = run(model, feeds)
    runs = [run(written, feeds)] + ([] if opaque else [list(graph.run(feeds).values())])
    for found in runs:
        for seen, wanted in zip(found, expected, strict=True):
            assert seen.dtype == wanted.dtype
            np.testing.assert_allclose(seen, wanted, rtol=1e-6, atol=1e-6)
    return graph


def floats(*shape: int) -> Array:
    return RNG.standard_normal(shape).astype(np.float32)


def ints(*values: int) -> Array:
    return np.array(values, np.int64)


# -- names and weights ------------------------------------------------------------------------------------------------


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


# -- operators whose form depends on the opset ------------------------------------------------------------------------

X = floats(2, 3, 4)
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
    "elu": (9, "Elu", {"alpha": 0.5}, [X]),
    "where": (9, "Where", {}, [X > 0, X, -X]),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_an_operator_becomes_ours(name: str) -> None:
    opset, op, attributes, arrays = FORMS[name]
    check_same(*one_node(op, attributes, arrays, opset))


def one_node(
    op: str, attributes: dict[str, Any], arrays: Sequence[Any], opset: int, outputs: int = 1
) -> tuple[onnx.ModelProto, dict[str, Array]]:
    """A model of one node that is fed its floats and booleans, and has its integers and scalars as weights."""
    given = {f"x{place}": np.asarray(array) for place, array in enumerate(arrays) if array is not None}
    feeds = {name: array for name, array in given.items() if array.dtype.kind in "fb" and array.ndim}
    weights = {name: array for name, array in given.items() if name not in feeds}
    names = [f"x{place}" if array is not None else "" for place, array in enumerate(arrays)]
    node = helper.make_node(op, names, [f"y{place}" for place in range(outputs)], **attributes)
    kinds = {name: helper.np_dtype_to_tensor_dtype(array.dtype) for name, array in given.items()}
    model = model_of([node], {name: feeds[name].shape for name in feeds}, {}, weights, opset, kinds)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in node.output)
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    return inferred, feeds


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


# -- nodes that pass through ------------------------------------------------------------------------------------------


def test_an_operator_we_do_not_know_passes_through_untouched() -> None:
    node = helper.make_node("HardSwish", ["x"], ["h"], name="act")
    other = helper.make_node("LRN", ["h"], ["y"], name="norm", size=3, alpha=0.25)
    graph = check_same(
        model_of([node, other], {"x": ["n", 4, 2, 2]}, {"y": ["n", 4, 2, 2]}, opset=14),
        {"x": floats(2, 4, 2, 2)},
        ["HardSwish", "LRN"],
    )
    written = unroll.to_onnx(graph)
    assert list(written.graph.node) == [node, other]
    assert written.opset_import[0].version == 14


def test_numpy_computes_an_operator_we_do_not_know_as_onnx_does_or_says_why_not() -> None:
    x = np.array([-4, -1, 0, 1, 4], np.float32)
    node = helper.make_node("HardSwish", ["x"], ["y"])
    graph = from_onnx(model_of([node], {"x": [5]}, {"y": [5]}, opset=14))
    np.testing.assert_allclose(
        graph.run({"x": x})["y"], [0, -1 / 3, 0, 2 / 3, 4], rtol=1e-6
    )  # x * clip(x / 6 + 0.5, 0, 1)
    wrong = helper.make_node("LRN", ["x"], ["y"], name="norm", size=3)
    graph = from_onnx(model_of([wrong], {"x": [2, 4, 2, 2]}, {"y": [2, 4, 2, 2]}))
    refused(
        lambda: graph.run({"x": floats(2, 4, 2, 2)}),
        NotImplementedError,
        "norm: ",
        "known to be wrong",
        "unroll.Session",
    )
    theirs = helper.make_node("Sour", ["x"], ["y"], domain="com.acme")
    graph = from_onnx(model_of([theirs], {"x": [5]}, {"y": [5]}, domains={"com.acme": 1}))
    refused(lambda: graph.run({"x": x}), NotImplementedError, "com.acme.Sour", "no implementation", "unroll.Session")


def test_an_operator_of_another_domain_passes_through_under_its_own_version() -> None:
    node = helper.make_node("Add", ["x", "w"], ["y"], name="theirs", domain="com.acme", flavour="sour", ways=[1, 2])
    model = model_of([node], {"x": ["n", 3]}, {"y": ["n", 3]}, {"w": floats(3)}, domains={"com.acme": 3})
    graph = from_onnx(model)
    assert opaque_names(graph) == ["com.acme.Add"]
    assert graph.nodes[0].op.attributes == {"flavour": "sour", "ways": (1, 2)}
    written = unroll.to_onnx(graph)
    assert list(written.graph.node) == [node]
    assert {item.domain: item.version for item in written.opset_import} == {"": 13, "com.acme": 3}


def test_what_our_operators_cannot_say_passes_through() -> None:
    check_same(*one_node("ArgMax", {"axis": 1, "select_last_index": 1}, [X], 13), ["ai.onnx.ArgMax"])
    check_same(*one_node("Conv", {"auto_pad": "SAME_UPPER"}, [X, floats(2, 3, 2)], 11), ["ai.onnx.Conv"])
    nodes = [helper.make_node("Slice", ["x", "start", "end"], ["y"])]
    kinds = {"start": TensorProto.INT64, "end": TensorProto.INT64}
    model = model_of(nodes, {"x": [5], "start": [1], "end": [1]}, {"y": ["k"]}, dtypes=kinds)
    check_same(model, {"x": floats(5), "start": ints(1), "end": ints(4)}, ["ai.onnx.Slice"])


def test_outputs_that_a_node_leaves_out_stay_left_out() -> None:
    node = helper.make_node("LayerNormalization", ["x", "scale"], ["y", "", "spread"], name="norm")
    model = model_of([node], {"x": [2, 3]}, {"y": [2, 3], "spread": [2, 1]}, {"scale": floats(3)}, opset=17)
    graph = check_same(model, {"x": floats(2, 3)}, ["ai.onnx.LayerNormalization"])
    assert list(unroll.to_onnx(graph).graph.node[0].output) == ["y", "", "spread"]


def branches(opset: int) -> onnx.ModelProto:
    """An If whose branches read three tensors from outside: an input, a weight and a node's result."""
    then = helper.make_graph(
        [helper.make_node("Mul", ["inner", "w"], ["/a"]), helper.make_node("Add", ["/a", "x"], ["t"])],
        "then",
        [],
        [helper.make_tensor_value_info("t", FLOAT, [3])],
    )
    other = helper.make_graph(
        [helper.make_node("Sub", ["x", "inner"], ["constant/7.0"])],
        "else",
        [],
        [helper.make_tensor_value_info("constant/7.0", FLOAT, [3])],
    )
    nodes = [
        helper.make_node("Constant", [], ["seven"], value_float=7.0),
        helper.make_node("Mul", ["x", "seven"], ["inner"]),
        helper.make_node("If", ["flag"], ["y"], then_branch=then, else_branch=other),
    ]
    return model_of(nodes, {"flag": [], "x": [3]}, {"y": [3]}, {"w": floats(3)}, opset, {"flag": TensorProto.BOOL})


@pytest.mark.parametrize("opset", [12, 13, 16])
@pytest.mark.parametrize("flag", [True, False])
def test_branches_still_read_what_they_read_outside(opset: int, flag: bool) -> None:
    graph = check_same(branches(opset), {"flag": np.array(flag), "x": floats(3)}, ["If"])
    assert {tensor.label for tensor in graph.nodes[-1].inputs if tensor is not None} >= {"flag", "x", "w"}


def test_branches_follow_when_a_pass_replaces_what_they_read() -> None:
    graph = from_onnx(branches(13))
    branch = graph.nodes[-1]
    product = next(tensor for tensor in branch.inputs if tensor is not None and tensor.node is not None)
    doubled = ops.add(product, product)
    inputs = tuple(doubled if tensor is product else tensor for tensor in branch.inputs)
    shapes = [tensor.shape for tensor in branch.outputs]
    replaced = type(branch)(branch.op, inputs, shapes, [tensor.dtype for tensor in branch.outputs], branch.provenance)
    x = floats(3)
    found = run(unroll.to_onnx(unroll.Graph(graph.inputs, replaced.outputs)), {"flag": np.array(False), "x": x})
    np.testing.assert_allclose(found[0], x - 14 * x, rtol=1e-6)


def test_a_node_is_not_written_in_an_opset_that_changed_it() -> None:
    graph = from_onnx(one_node("ReduceProd", {"axes": [1]}, [X], 13)[0])
    assert unroll.to_onnx(graph).opset_import[0].version == 13
    assert unroll.to_onnx(graph, opset=17).opset_import[0].version == 17
    refused(lambda: unroll.to_onnx(graph, opset=18), NotImplementedError, "ReduceProd", "opset=13")
    newer = from_onnx(model_of([helper.make_node("Mish", ["x"], ["y"])], {"x": [2, 3]}, {"y": [2, 3]}, opset=18))
    refused(lambda: unroll.to_onnx(newer, opset=13), NotImplementedError, "Mish", "opset=18")
    assert unroll.to_onnx(newer).opset_import[0].version == 18


def test_the_long_name_of_onnx_s_domain_means_the_same() -> None:
    node = helper.make_node("Selu", ["x"], ["y"])
    model = model_of([node, helper.make_node("Neg", ["y"], ["z"])], {"x": [2]}, {"z": [2]})
    model.opset_import[0].domain = "ai.onnx"
    check_same(model, {"x": floats(2)}, ["Selu"])


def test_an_older_node_that_has_no_newer_form_is_refused_by_name() -> None:
    node = helper.make_node("Upsample", ["x", "s"], ["y"], name="up", mode="linear")
    model = model_of([node], {"x": [1, 1, 2, 2], "s": [4]}, {"y": [None, None, None, None]}, opset=9)
    refused(lambda: from_onnx(model), NotImplementedError, "'up'", "Upsample", "opset 9")


@pytest.mark.parametrize(
    ("op", "attributes", "opaque"),
    [
        ("TopK", {"k": 2, "axis": 1}, ["TopK"]),
        ("LpPool", {"kernel_shape": [2]}, ["LpPool"]),
        ("Pad", {"pads": [0, 1, 0, 0, 0, 2], "value": 1.5}, ["Pad"]),
        ("Pad", {"pads": [0, 1, 0, 0, 0, 1], "mode": "reflect"}, ["Pad"]),
        ("DepthToSpace", {"blocksize": 1}, ["DepthToSpace"]),
        ("ReduceProd", {"axes": [1]}, ["ReduceProd"]),
        ("MaxPool", {"kernel_shape": [2]}, ["MaxPool"]),
    ],
)
def test_older_nodes_that_pass_through_compute_what_they_did(
    op: str, attributes: dict[str, Any], opaque: list[str]
) -> None:
    x = X[..., None] if op == "DepthToSpace" else X
    check_same(*one_node(op, attributes, [x], 9, 2 if op == "TopK" else 1), opaque)


def test_functions_of_the_model_are_read_as_what_they_do() -> None:
    function = helper.make_function(
        "local", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 13)]
    )
    model = model_of(
        [helper.make_node("Twice", ["x"], ["y"], domain="local")], {"x": [2]}, {"y": [2]}, domains={"local": 1}
    )
    model.functions.append(function)
    check_same(model, {"x": floats(2)})


def test_states_and_limits_of_our_own_files_are_read_again() -> None:
    x, h = unroll.placeholder([None, 3], "x"), unroll.placeholder([None, 4], "h")
    y, state = unroll.BasicRNNCell(4)(x, h)
    graph = unroll.Graph([x], {"y": y}, states={h: state})
    again = from_onnx(unroll.to_onnx(graph))
    assert again.states == graph.states == {"h": "h/next"}
    feeds = floats(2, 3)
    expected = graph.stream().run({"x": feeds})
    np.testing.assert_allclose(again.stream().run({"x": feeds})["y"], expected["y"], rtol=1e-6)
    steps = [unroll.placeholder([None, 3], f"X{t}") for t in range(3)]
    lengths = unroll.placeholder([None], "lengths", "int32")
    outputs, _ = unroll.static_rnn(unroll.BasicRNNCell(4), steps, sequence_length=lengths)
    limited = unroll.Graph([*steps, lengths], outputs)
    found = from_onnx(unroll.to_onnx(limited))
    assert [spec.limits and (spec.limits[0].least, spec.limits[0].most) for spec in found.input_specs] == [
        spec.limits and (spec.limits[0].least, spec.limits[0].most) for spec in limited.input_specs
    ]


def test_a_long_file_is_read_without_recursion_and_in_linear_time() -> None:
    count = 20_000
    nodes = [helper.make_node("Tanh", [f"t{place}"], [f"t{place + 1}"], name=f"n{place}") for place in range(count)]
    graph = from_onnx(model_of(nodes, {"t0": [2]}, {f"t{count}": [2]}))
    assert len(graph.nodes) == count


# -- onnx's own node tests --------------------------------------------------------------------------------------------

#: Operators of which onnx's tests are run; those on dtypes that tensors here cannot have are left out.
SAMPLED = """Add ArgMax Clip Concat Constant ConstantOfShape Conv Div Elu Equal Erf Exp Expand Floor Gather Gemm
Greater HardSigmoid Identity LayerNormalization LeakyRelu Less LogSoftmax MatMul Max Min Mul Neg Pow ReduceMax
ReduceMean ReduceMin ReduceSum Relu Reshape Shape Sigmoid Slice Softmax Softplus Split Sqrt Squeeze Sub Sum Tanh
Tile Transpose Unsqueeze Where""".split()  # noqa: SIM905


@cache
def node_tests() -> dict[str, list[Any]]:
    """The tests that onnx ships, by the operator of a test's only node."""
    from onnx.backend.test.case.node import collect_testcases

    found: dict[str, list[Any]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they overflow and divide by zero on purpose
        for case in collect_testcases(None):
            if case.model is not None and len(case.model.graph.node) == 1:
                found.setdefault(case.model.graph.node[0].op_type, []).append(case)
    return found


def readable(case: Any) -> bool:
    model = case.model
    kinds = {item.type.tensor_type.elem_type for item in (*model.graph.input, *model.graph.output)}
    allowed = {TensorProto.FLOAT16, FLOAT, TensorProto.DOUBLE, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL}
    plain = all(isinstance(array, np.ndarray) for arrays in case.data_sets for array in (*arrays[0], *arrays[1]))
    return plain and kinds <= allowed and 9 <= model.opset_import[0].version <= 25


@pytest.mark.parametrize("op", SAMPLED)
def test_onnx_s_own_tests_of_an_operator_pass_after_reading(op: str) -> None:
    cases = [case for case in node_tests()[op] if readable(case)]
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


# -- files that cannot be read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"not a model", bytes(64), b"\x08\x07", b"PK\x03\x04"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "flat.onnx"
    path.write_bytes(content)
    refused(lambda: from_onnx(path), ValueError, str(path), "ONNX model")


def test_a_torn_file_is_refused_or_is_whole(tmp_path: Path) -> None:
    whole = branches(13).SerializeToString()
    path = tmp_path / "torn.onnx"
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        try:
            from_onnx(path)
        except unroll.UnrollError as error:
            assert isinstance(error, ValueError)
    path.write_bytes(whole[: len(whole) // 2])
    refused(lambda: from_onnx(path), ValueError, str(path))


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    refused(lambda: from_onnx(tmp_path / "none.onnx"), OSError, "none.onnx")
    refused(lambda: from_onnx(tmp_path), OSError, str(tmp_path))
    refused(lambda: from_onnx(7), TypeError, "int")  # type: ignore[arg-type]


def unknown_rank() -> onnx.ModelProto:
    return model_of(
        [
            helper.make_node("Mystery", ["x"], ["h"], name="odd", domain="com.acme"),
            helper.make_node("Neg", ["h"], ["y"]),
        ],
        {"x": [2]},
        {"y": [2]},
        domains={"com.acme": 1},
    )


def external() -> onnx.ModelProto:
    model = model_of([helper.make_node("Mul", ["x", "w"], ["y"])], {"x": [2]}, {"y": [2]}, {"w": floats(2)})
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="weights.bin")
    return model


def sparse() -> onnx.ModelProto:
    model = model_of([helper.make_node("Mul", ["x", "w"], ["y"])], {"x": [2]}, {"y": [2]})
    values = helper.make_tensor("w", FLOAT, [1], [3.0])
    indices = helper.make_tensor("at", TensorProto.INT64, [1], [1])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2]))
    return model


def of_dtype(kind: int) -> onnx.ModelProto:
    return model_of([helper.make_node("Identity", ["x"], ["y"])], {"x": [2]}, {"y": [2]}, dtypes={"x": kind, "y": kind})


def cast_to_bytes() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Cast", ["x"], ["b"], name="narrow", to=TensorProto.UINT8),
        helper.make_node("Cast", ["b"], ["y"], to=FLOAT),
    ]
    return model_of(nodes, {"x": [2]}, {"y": [2]})


def undefined() -> onnx.ModelProto:
    return model_of([helper.make_node("Neg", ["nothing"], ["y"])], {"x": [2]}, {"y": [2]})


def of_opset(opset: int) -> onnx.ModelProto:
    return model_of([helper.make_node("Neg", ["x"], ["y"])], {"x": [2]}, {"y": [2]}, opset=opset)


def without_outputs() -> onnx.ModelProto:
    model = of_opset(13)
    del model.graph.output[:]
    return model


@pytest.mark.parametrize(
    ("make", "builtin", "fragments"),
    [
        (unknown_rank, ValueError, ["'odd'", "Mystery", "'h'", "shape"]),
        (external, NotImplementedError, ["other files"]),
        (sparse, ValueError, ["'w'", "sparse"]),
        (lambda: of_dtype(TensorProto.STRING), ValueError, ["'x'", "string", "float32"]),
        (lambda: of_dtype(TensorProto.BFLOAT16), ValueError, ["'x'", "bfloat16"]),
        (cast_to_bytes, ValueError, ["'narrow'", "uint8"]),
        (undefined, ValueError, ["not a valid ONNX model", "nothing"]),
        (lambda: of_opset(8), NotImplementedError, ["opset 8", "9 to 25"]),
        (lambda: of_opset(26), NotImplementedError, ["opset 26", "9 to 25"]),
        (without_outputs, ValueError, ["it has no outputs"]),
        (onnx.ModelProto, ValueError, ["no ir_version and no outputs"]),
    ],
    ids=[
        "rank",
        "external",
        "sparse",
        "string",
        "bfloat16",
        "uint8",
        "undefined",
        "opset8",
        "opset26",
        "no outputs",
        "empty",
    ],
)
def test_a_model_that_cannot_be_read_is_refused_with_what_is_wrong(
    make: Callable[[], onnx.ModelProto], builtin: type[Exception], fragments: list[str]
) -> None:
    refused(lambda: from_onnx(make()), builtin, *fragments)
