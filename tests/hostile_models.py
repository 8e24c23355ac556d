"""Small models whose bytes say anything, and the check that both readers refuse them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from helpers import refused
from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

import unroll

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
NINES = "9" * 5000


def model(
    nodes: list[NodeProto],
    weights: dict[str, Any] | None = None,
    functions: tuple[FunctionProto, ...] = (),
    x: Any = (2,),
    y: Any = (2,),
) -> ModelProto:
    infos = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in (("x", x), ("y", y))]
    made = [
        item if isinstance(item, TensorProto) else numpy_helper.from_array(np.asarray(item), name)
        for name, item in (weights or {}).items()
    ]
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], made)
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=8)


def call(name: str, *inputs: str, output: str = "y", **attributes: Any) -> NodeProto:
    return helper.make_node(name, list(inputs), [output], domain="mine", **attributes)


def function(name: str, nodes: list[NodeProto], inputs: tuple[str, ...] = ("x",), **more: Any) -> FunctionProto:
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    return helper.make_function("mine", name, list(inputs), ["y"], nodes, imports, **more)


def identity(**metadata: str) -> ModelProto:
    found = model([helper.make_node("Identity", ["x"], ["y"], name="only")])
    for key, value in metadata.items():
        found.metadata_props.add(key=key.replace("_", "."), value=value)
    return found


def branch(inner: list[NodeProto], result: str = "z", weights: tuple[TensorProto, ...] = ()) -> GraphProto:
    outputs = [helper.make_tensor_value_info(result, FLOAT, [2])]
    return helper.make_graph(inner, "b", [], outputs, list(weights))


def refused_by_both(proto: ModelProto, *fragments: str, tmp_path: Path) -> None:
    """Check that reading and running refuse a model and its file with an error of ours that says all this, within 5 s."""
    path = tmp_path / "m.onnx"
    sources: list[Any] = [proto]
    try:
        path.write_bytes(proto.SerializeToString())
        sources.append(path)
    except ValueError:  # protobuf itself does not write it
        pass
    for source in sources:
        for take in (unroll.from_onnx, unroll.Session):
            start = time.process_time()
            refused(lambda source=source, take=take: take(source), ValueError, *fragments)
            assert time.process_time() - start < 5


def weight(name: str) -> TensorProto:
    return numpy_helper.from_array(np.ones(2, np.float32), name)


def doubling(count: int) -> ModelProto:
    """2 to the power of `count` nodes, once functions are written out."""
    made = [
        function(f"F{at}", [call(f"F{at + 1}", "x", output="h"), call(f"F{at + 1}", "h")])
        if at < count
        else function(f"F{at}", [helper.make_node("Neg", ["x"], ["y"])])
        for at in range(count + 1)
    ]
    return model([call("F0", "x")], functions=tuple(made))
