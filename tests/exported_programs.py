"""Programs that tests of the export go over, and ways to look into their models."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import onnx
from make_onnxruntime_support import programs
from onnx import ModelProto, ValueInfoProto
from operator_cases import DTYPES

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, GRUCell, MultiRNNCell, dynamic_rnn, ops, static_rnn
from unroll.ops.operator import made

CELLS: dict[str, Callable[[], Any]] = {
    "rnn": lambda: BasicRNNCell(4),
    "lstm": lambda: BasicLSTMCell(4),
    "lstm, state in one": lambda: BasicLSTMCell(4, state_is_tuple=False),
    "gru": lambda: GRUCell(4),
    "multi": lambda: MultiRNNCell([GRUCell(4), BasicLSTMCell(5)]),
}
#: The first opset that has every operator; in an older one some are written out (test_older_opsets.py).
HAS_THEM_ALL = 17
PROGRAMS = [*CELLS, "dynamic", "rows of an image", "every operator"]


def cell_graph(kind: str, steps: int = 3, batch: int | None = None) -> Graph:
    inputs = [unroll.placeholder([batch, 3], f"X{step}") for step in range(steps)]
    outputs, state = static_rnn(CELLS[kind](), inputs)
    return Graph(inputs, [outputs, state])


def image_graph() -> Graph:
    """The rows of an image as steps: its reshapes need ``28*batch``."""
    x = unroll.placeholder([None, 784], "x")
    rows = ops.reshape(ops.transpose(ops.reshape(x, [-1, 28, 28]), [1, 0, 2]), [-1, 28])
    outputs, state = static_rnn(BasicLSTMCell(13), list(ops.split(rows, 28)))
    return Graph([x], {"last": outputs[-1], "state": state})


def every_operator_graph() -> Graph:
    """Each operator once, each with inputs of its own."""
    inputs: list[Any] = []
    outputs: dict[str, Any] = {}
    for op in DTYPES:
        one = next(item for item in programs(op) if "float32" not in DTYPES[op] or item.dtype == "float32")
        renamed = {old: unroll.placeholder(old.shape, f"{op}/{old.name}", old.dtype) for old in one.graph.inputs}
        (node,) = one.graph.nodes
        inputs += renamed.values()
        outputs[op] = list(made(node.op, [renamed.get(item, item) for item in node.inputs], node.provenance))
    return Graph(inputs, outputs)


def program(kind: str) -> Graph:
    if kind == "dynamic":
        x = unroll.placeholder([None, 3, 2], "x")
        outputs, state = dynamic_rnn(GRUCell(4), x)
        return Graph([x], {"outputs": outputs, "state": state})
    if kind in CELLS:
        return cell_graph(kind)
    return image_graph() if kind == "rows of an image" else every_operator_graph()


def infer(model: ModelProto) -> ModelProto:
    return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)


def dims(info: ValueInfoProto) -> list[int | str]:
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in info.type.tensor_type.shape.dim]


def infos(model: ModelProto) -> dict[str, ValueInfoProto]:
    return {item.name: item for item in (*model.graph.input, *model.graph.value_info, *model.graph.output)}


def check_model(model: ModelProto) -> None:
    """Everything that ONNX itself says of a model, and that our shapes are the ones that it infers."""
    onnx.checker.check_model(model, full_check=True)
    declared, inferred = infos(model), infos(infer(model))
    assert inferred == declared, "inference adds to what is declared, or changes it"
    assert "unk__" not in str(inferred.values())
    bare = ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    for name, info in infos(infer(bare)).items():
        assert info.type.tensor_type.elem_type == declared[name].type.tensor_type.elem_type, name
        if not info.type.tensor_type.HasField("shape"):
            continue  # the branches of an If may give sizes that differ, of which inference says nothing
        for found, ours in zip(dims(info), dims(declared[name]), strict=True):
            assert found == ours or isinstance(found, str), f"{name}: {found} is inferred, {ours} declared"


def step_of(name: str) -> int | None:
    """The timestep of a node, from its name alone, as the grammar has it."""
    steps = [int(part[1:]) for part in name.split("/") if re.fullmatch(r"t\d+", part)]
    return steps[0] if steps else None
