"""Tensors of a model that do not hold what they say, or ask for terabytes, are refused before memory is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import refused
from hostile_models import (
    FLOAT,
    INT64,
    branch,
    call,
    function,
    model,
    refused_by_both,
)
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

import unroll


def wrong(change: Callable[[TensorProto], Any]) -> TensorProto:
    tensor = helper.make_tensor("wrong", FLOAT, [2], [1.0, 2.0])
    change(tensor)
    return tensor


def resized(*dims: int) -> Callable[[TensorProto], Any]:
    def change(tensor: TensorProto) -> None:
        tensor.dims[:] = dims

    return change


def retyped(kind: int) -> Callable[[TensorProto], Any]:
    return lambda tensor: setattr(tensor, "data_type", kind)


TENSORS: dict[str, tuple[TensorProto, list[str]]] = {
    "more than there is": (wrong(resized(3)), ["2 elements", "3"]),
    "less than there is": (wrong(resized(1)), ["2 elements", "1"]),
    "a terabyte": (wrong(resized(2**40)), [str(2**40)]),
    "overflows": (wrong(resized(2**62, 4)), [str(2**64)]),
    "overflows to what there is": (wrong(resized(2**63 - 1, 2, 2**63 - 1)), ["2 elements"]),
    "negative": (wrong(resized(-2)), ["negative", "-2"]),
    "two negative": (wrong(resized(-1, -2)), ["negative", "-2"]),
    "many axes": (wrong(resized(*[1] * 65)), ["65 axes", "64"]),
    "no type": (wrong(retyped(0)), ["data type 0"]),
    "unknown type": (wrong(retyped(99)), ["data type 99"]),
    "another type": (wrong(retyped(INT64)), ["0 elements", "2"]),
    "bytes": (wrong(lambda tensor: setattr(tensor, "raw_data", b"1234567")), ["7 bytes", "8"]),
}


def holders(tensor: TensorProto) -> Iterator[ModelProto]:
    """Models that hold a tensor in each place where one can stand."""
    add = helper.make_node("Add", ["x", "wrong"], ["y"])
    constant = helper.make_node("Constant", [], ["wrong"], value=tensor)
    yield model([add], {"wrong": tensor})
    yield model([constant, add])
    yield model([call("F", "x")], functions=(function("F", [constant, add]),))
    for inner in (
        branch([helper.make_node("Add", ["x", "wrong"], ["z"])], weights=(tensor,)),
        branch([constant, helper.make_node("Add", ["x", "wrong"], ["z"])]),
    ):
        node = helper.make_node("If", ["yes"], ["y"], then_branch=inner, else_branch=inner)
        yield model([node], {"yes": np.array(True)})
    sparse = model([add])
    at = helper.make_tensor("at", INT64, [2], [0, 1])
    sparse.graph.sparse_initializer.append(onnx.SparseTensorProto(values=tensor, indices=at, dims=[2]))
    yield sparse
    listed = NodeProto(op_type="Other", domain="mine", input=["x"], output=["y"])
    listed.attribute.add(name="all", type=onnx.AttributeProto.TENSORS, tensors=[tensor])
    yield model([listed])


@pytest.mark.parametrize(("tensor", "fragments"), TENSORS.values(), ids=TENSORS)
def test_a_tensor_that_does_not_hold_what_it_says_is_refused_wherever_it_stands(
    tensor: TensorProto, fragments: list[str], tmp_path: Path
) -> None:
    for proto in holders(tensor):
        refused_by_both(proto, *fragments, tmp_path=tmp_path)


def test_a_sparse_tensor_larger_than_a_file_is_refused(tmp_path: Path) -> None:
    proto = model([helper.make_node("Add", ["x", "w"], ["y"])])
    values, at = helper.make_tensor("w", FLOAT, [1], [1.0]), helper.make_tensor("at", INT64, [1], [0])
    proto.graph.sparse_initializer.append(helper.make_sparse_tensor(values, at, [2**40]))
    refused_by_both(proto, "'w'", "sparse", str(2**42), tmp_path=tmp_path)


LARGE = 2**45  # more elements than any machine that runs this has memory for
FILLING: dict[str, tuple[NodeProto, dict[str, Any]]] = {
    "ConstantOfShape": (helper.make_node("ConstantOfShape", ["n"], ["h"]), {"n": [LARGE]}),
    "ConstantOfShape, two axes": (helper.make_node("ConstantOfShape", ["n"], ["h"]), {"n": [2**31, 2**31]}),
    "Expand": (helper.make_node("Expand", ["one", "n"], ["h"]), {"n": [LARGE]}),
    "Expand what is fed": (helper.make_node("Expand", ["x", "n"], ["h"]), {"n": [LARGE, 2]}),
    "Tile": (helper.make_node("Tile", ["one", "n"], ["h"]), {"n": [LARGE]}),
    "Range": (helper.make_node("Range", ["zero", "n", "step"], ["h"]), {"n": 2**50, "zero": 0, "step": 1}),
    "RandomNormal": (helper.make_node("RandomNormal", [], ["h"], shape=[LARGE]), {}),
}


@pytest.mark.parametrize(("node", "weights"), FILLING.values(), ids=FILLING)
def test_a_tiny_file_that_asks_for_terabytes_is_refused_before_they_are_asked_for(
    node: NodeProto, weights: dict[str, Any], tmp_path: Path
) -> None:
    given = {name: np.array(value, np.int64) for name, value in weights.items()} | {"one": np.ones(1, np.float32)}
    constants = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(item)) for name, item in given.items()
    ]
    size = helper.make_node("Size", ["h"], ["s"])
    result = [helper.make_node("Cast", ["s"], ["f"], to=FLOAT), helper.make_node("Add", ["x", "f"], ["y"])]
    refused_by_both(model([node, size, *result], given), node.op_type, "'h'", "bytes", tmp_path=tmp_path)
    refused_by_both(model([*constants, node, size, *result]), node.op_type, "'h'", "bytes", tmp_path=tmp_path)


def test_a_vector_that_doubles_without_end_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("Shape", ["x"], ["s0"])]
    nodes += [helper.make_node("Concat", [f"s{at}"] * 2, [f"s{at + 1}"], axis=0) for at in range(60)]
    filled = helper.make_node("ConstantOfShape", ["s60"], ["h"])
    proto = model([*nodes, filled, helper.make_node("Neg", ["x"], ["y"])])
    refused_by_both(proto, "Concat", "'s", "bytes", tmp_path=tmp_path)


@pytest.mark.parametrize("kind", ["ConstantOfShape", "Expand", "Tile"])
def test_sizes_that_a_run_finds_too_large_are_refused_with_the_node(kind: str) -> None:
    n = unroll.placeholder(["rows", 1], "n", "int64")
    size = unroll.ops.shape(n)
    filled = {
        "ConstantOfShape": lambda: unroll.ops.constant_of_shape(size * size * size * size * size),
        "Expand": lambda: unroll.ops.expand(np.ones((1, 1), np.float32), size * size * size * size * size),
        "Tile": lambda: unroll.ops.tile(np.ones((1, 1), np.float32), size * size * size * size * size),
    }[kind]()
    graph = unroll.Graph([n], [filled])
    assert graph.run({"n": np.zeros((2, 1), np.int64)}, fetches=filled).shape == (32, 1)
    refused(lambda: graph.run({"n": np.zeros((3000, 1), np.int64)}), ValueError, kind, "bytes", str(3000**5))
