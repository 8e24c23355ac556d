"""Sizes that a model names, multiplies and adds without end: reading it ends soon, and overflows nowhere."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from helpers import refused
from hostile_models import (
    FLOAT,
    INT64,
    NINES,
    model,
)
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

import unroll


@pytest.mark.parametrize(
    "name", [NINES, "b*" * 3000 + "b", "+".join(f"b{at}" for at in range(3000)), "-3", "b--3", "*"]
)
def test_a_size_of_any_name_is_a_symbol(name: str) -> None:
    proto = model([helper.make_node("Identity", ["x"], ["y"])], x=[name, 2], y=[name, 2])
    for specs in (unroll.from_onnx(proto).input_specs, unroll.Session(proto).inputs):
        assert str(specs[0].shape[0]) == name
        assert specs[0].shape[1] == 2


def test_a_negative_size_is_one_that_is_not_known() -> None:
    proto = model([helper.make_node("Identity", ["x"], ["y"])], x=[-1, 2], y=[-1, 2])
    for session in (unroll.from_onnx(proto), unroll.Session(proto)):
        assert session.run({"x": np.ones((3, 2), np.float32)})["y"].shape == (3, 2)


@pytest.mark.filterwarnings("ignore::unroll.UnrollWarning")
@pytest.mark.parametrize("size", [2**31, 2**62, 2**63 - 1])
def test_a_size_that_no_array_has_overflows_nowhere(size: int) -> None:
    """Twice the size may be more than 64 bits hold: that is refused, or stays as the file has it."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Cast", ["s"], ["narrow"], to=TensorProto.INT32),
        helper.make_node("Cast", ["narrow"], ["wide"], to=INT64),
        helper.make_node("Mul", ["s", "s"], ["square"]),
        helper.make_node("ConstantOfShape", ["square"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["none"]),
        helper.make_node("Concat", ["x", "x"], ["long"], axis=1),
        helper.make_node("Tile", ["x", "twice"], ["wider"]),
        helper.make_node("Slice", ["long", "a", "b", "b"], ["first"]),
        helper.make_node("Add", ["first", "none"], ["y"]),
    ]
    weights = {"a": np.array([0]), "b": np.array([1]), "twice": np.array([2, 2])}
    proto = model(nodes, weights, x=["b", size], y=["b", 1])
    try:
        graph = unroll.from_onnx(proto)
        for use in (unroll.optimize, unroll.reroll, unroll.to_onnx, unroll.Graph.summary):
            use(graph)
    except unroll.UnrollError as error:
        assert str(error)
    plain = unroll.from_onnx(model([helper.make_node("Identity", ["x"], ["y"])], x=["b", size], y=["b", size]))
    for use in (unroll.optimize, unroll.reroll, unroll.to_onnx, unroll.Graph.summary):
        use(plain)


def many(count: int, join: Callable[[list[str]], NodeProto], size: str = "s{}") -> ModelProto:
    """A node that joins many inputs, each of a size of its own."""
    found = model([join([f"x{at}" for at in range(count)])], y=["b", 2])
    del found.graph.input[:]
    infos = (helper.make_tensor_value_info(f"x{at}", FLOAT, [size.format(at), 2]) for at in range(count))
    found.graph.input.extend(infos)
    return found


ENDLESS: dict[str, Callable[[], ModelProto]] = {
    "a thousand sizes that are one": lambda: many(1000, lambda names: helper.make_node("Sum", names, ["y"])),
    "a sum of many sizes": lambda: many(4000, lambda names: helper.make_node("Concat", names, ["y"], axis=0)),
    "a product of sums": lambda: model(
        [helper.make_node("Reshape", ["x", "v"], ["y"])],
        {"v": np.array([-1])},
        x=[f"a{at}+b{at}" for at in range(31)],
        y=["z"],
    ),
    "powers of a sum": lambda: model(
        [
            helper.make_node("Shape", ["x"], ["s0"]),
            *(helper.make_node("Mul", [f"s{at}"] * 2, [f"s{at + 1}"]) for at in range(40)),
            helper.make_node("ConstantOfShape", ["s40"], ["h"]),
            helper.make_node("Neg", ["x"], ["y"]),
        ],
        x=["a+b"],
        y=["a+b"],
    ),
    "a shape of many numbers": lambda: model(
        [helper.make_node("Reshape", ["x", "v"], ["y"])], {"v": np.full(60_000, 9)}, x=["a"], y=["z"]
    ),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::unroll.UnrollWarning")
@pytest.mark.parametrize("make", ENDLESS.values(), ids=ENDLESS)
def test_sizes_that_multiply_out_without_end_end_soon(make: Callable[[], ModelProto]) -> None:
    start = time.process_time()
    try:
        graph = unroll.from_onnx(make())
        unroll.optimize(graph, check=False).summary()
    except unroll.UnrollError as error:
        assert str(error)
    assert time.process_time() - start < 4


@pytest.mark.slow
def test_a_thousand_sizes_that_are_one_become_one() -> None:
    graph = unroll.from_onnx(ENDLESS["a thousand sizes that are one"]())
    assert len({spec.shape for spec in graph.input_specs}) == 1
    refused(
        lambda: graph.run({f"x{at}": np.ones((2 + (at == 700), 2), np.float32) for at in range(1000)}),
        ValueError,
        "x700",
    )


@pytest.mark.slow
def test_a_long_vector_of_integers_is_not_written_out() -> None:
    proto = model([helper.make_node("Neg", ["x"], ["y"])])
    proto.graph.input.append(helper.make_tensor_value_info("ids", INT64, [2**62]))
    proto.graph.output.append(helper.make_tensor_value_info("rows", INT64, ["r", 1]))
    proto.graph.node.append(helper.make_node("Unsqueeze", ["ids", "one"], ["column"]))
    proto.graph.node.append(helper.make_node("NonZero", ["column"], ["rows"]))
    proto.graph.initializer.append(numpy_helper.from_array(np.array([1]), "one"))
    start = time.process_time()
    refused(lambda: unroll.from_onnx(proto), ValueError, "'ids'", str(2**62))
    proto.graph.input[-1].type.tensor_type.shape.dim[0].dim_value = 2**20
    unroll.from_onnx(proto)
    assert time.process_time() - start < 2
