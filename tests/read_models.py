"""Small ONNX models, and the check that reading one and writing it again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from helpers import Array
from onnx import TensorProto, helper, numpy_helper

import unroll
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


X = floats(2, 3, 4)


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
