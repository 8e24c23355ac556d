"""Functions and bodies of a model that grow without end, call themselves or are named twice are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import refused
from hostile_models import (
    FLOAT,
    branch,
    call,
    doubling,
    function,
    identity,
    model,
    refused_by_both,
    weight,
)
from onnx import ModelProto, helper, numpy_helper

import unroll


def test_functions_that_double_are_read_where_they_are_few(tmp_path: Path) -> None:
    graph = unroll.from_onnx(doubling(8))
    assert len(graph.nodes) == 2**8
    assert graph.run({"x": [1.0, 2.0]})["y"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("count", [17, 24, 50])
def test_functions_that_grow_without_measure_are_refused(count: int, tmp_path: Path) -> None:
    refused_by_both(doubling(count), f"{count + 1} functions", str(2**count), tmp_path=tmp_path)


def test_functions_that_carry_large_constants_are_measured_in_bytes(tmp_path: Path) -> None:
    large = numpy_helper.from_array(np.ones(2**20, np.float32))
    nodes = [helper.make_node("Constant", [], ["c"], value=large), helper.make_node("Identity", ["x"], ["y"])]
    calls = [call("F", "x" if not at else f"h{at - 1}", output=f"h{at}" if at < 999 else "y") for at in range(1000)]
    refused_by_both(model(calls, functions=(function("F", nodes),)), "bytes", tmp_path=tmp_path)


def passing_on() -> ModelProto:
    """A tensor given to a function a thousand times over, which each time hands it on."""
    handed = helper.make_node("Constant", [], ["c"])
    handed.attribute.add(name="value", type=onnx.AttributeProto.TENSOR, ref_attr_name="given")
    body = function("F", [handed, helper.make_node("Identity", ["x"], ["y"])], attributes=["given"])
    many = [call("F", "x" if not at else f"h{at - 1}", output=f"h{at}" if at < 999 else "y") for at in range(1000)]
    for node in many:
        node.attribute.add(name="given", type=onnx.AttributeProto.TENSOR, ref_attr_name="given")
    large = numpy_helper.from_array(np.ones(2**20, np.float32))
    outer = function("G", many, attributes=["given"])
    return model([call("G", "x", given=large)], functions=(body, outer))


def circle() -> ModelProto:
    return model([call("F", "x")], functions=(function("F", [call("G", "x")]), function("G", [call("F", "x")])))


def chain(count: int) -> ModelProto:
    made = [function(f"F{at}", [call(f"F{at + 1}", "x")]) for at in range(count)]
    last = function(f"F{count}", [helper.make_node("Neg", ["x"], ["y"])])
    return model([call("F0", "x")], functions=(*made, last))


def twice() -> ModelProto:
    body = function("F", [helper.make_node("Neg", ["x"], ["y"])])
    return model([call("F", "x")], functions=(body, body))


def taking_a_graph() -> ModelProto:
    node = helper.make_node("If", ["x"], ["y"], else_branch=branch([helper.make_node("Neg", ["x"], ["z"])]))
    node.attribute.add(name="then_branch", type=onnx.AttributeProto.GRAPH, ref_attr_name="given")
    body = function("F", [node], attributes=["given"])
    given = branch([helper.make_node("Neg", ["x"], ["z"])])
    return model([call("F", "x", given=given)], functions=(body,))


def deep(count: int) -> ModelProto:
    """Bodies so deep within one another, made in place: protobuf copies none of more than 32."""
    found = model([helper.make_node("Neg", ["z"], ["y"])], {"yes": np.array(True)})
    nodes = found.graph.node
    for _ in range(count):
        node = nodes.add(op_type="If", input=["yes"], output=["z"])
        for name in ("else_branch", "then_branch"):
            body = node.attribute.add(name=name, type=onnx.AttributeProto.GRAPH).g
            body.name = "b"
            body.output.add(name="z").type.tensor_type.elem_type = FLOAT
            nodes = body.node
            if name == "else_branch":
                nodes.add(op_type="Neg", input=["x"], output=["z"])
    nodes.add(op_type="Neg", input=["x"], output=["z"])
    return found


def deep_by_functions() -> ModelProto:
    """Bodies 40 deep, of which no more than one lies in another in the file."""
    made = []
    for at in range(40):
        inner = branch([call(f"F{at + 1}", "x", "yes", output="z")])
        nodes = [helper.make_node("If", ["yes"], ["y"], then_branch=inner, else_branch=inner)]
        made.append(function(f"F{at}", nodes, ("x", "yes")))
    last = function("F40", [helper.make_node("Neg", ["x"], ["y"])], ("x", "yes"))
    return model([call("F0", "x", "yes")], {"yes": np.array(True)}, (*made, last))


BODIES: dict[str, tuple[Callable[[], ModelProto], list[str]]] = {
    "a circle": (circle, ["function", "calls itself"]),
    "a function that calls itself": (
        lambda: model([call("F", "x")], functions=(function("F", [call("F", "x")]),)),
        ["'F'", "calls itself"],
    ),
    "a long chain": (lambda: chain(100), ["more than 60 deep"]),
    "a very long chain": (lambda: chain(2_000), ["more than 60 deep"]),
    "two of one name": (twice, ["two functions"]),
    "a graph given to a function": (taking_a_graph, ["'F'", "graph"]),
    "a tensor handed on a thousand times": (passing_on, ["bytes"]),
    "bodies too deep": (lambda: deep(31), ["If", "30 deep"]),
    "bodies 100 deep": (lambda: deep(100), []),  # of a file, protobuf says so itself
    "bodies too deep by functions": (deep_by_functions, ["30 deep"]),
}


@pytest.mark.parametrize(("make", "fragments"), BODIES.values(), ids=BODIES)
def test_bodies_that_have_no_end_are_refused(
    make: Callable[[], ModelProto], fragments: list[str], tmp_path: Path
) -> None:
    refused_by_both(make(), *fragments, tmp_path=tmp_path)


def test_what_a_function_leaves_out_is_refused_by_name() -> None:
    lacking = helper.make_function(
        "mine", "F", ["x"], ["y", "z"], [helper.make_node("Neg", ["x"], ["y"])], [helper.make_opsetid("", 17)]
    )
    two = model([helper.make_node("F", ["x"], ["y", "z"], domain="mine")], functions=(lacking,))
    two.graph.output.append(helper.make_tensor_value_info("z", FLOAT, [2]))
    refused(lambda: unroll.from_onnx(two), ValueError, "'z'")
    cast = helper.make_node("Cast", ["x"], ["y"])
    cast.attribute.add(name="to", type=onnx.AttributeProto.INT, ref_attr_name="to")
    body = function("F", [cast], attributes=["to"])
    refused(lambda: unroll.from_onnx(model([call("F", "x")], functions=(body,))), ValueError, "to")
    assert unroll.from_onnx(model([call("F", "x", to=FLOAT)], functions=(body,))).run({"x": [1, 2]})["y"].tolist() == [
        1,
        2,
    ]


def doubled(change: Callable[[ModelProto], Any]) -> ModelProto:
    found = identity(unroll_states="{}")
    found.graph.initializer.append(weight("w"))
    change(found)
    return found


TWICE: dict[str, tuple[ModelProto, list[str]]] = {
    "inputs": (doubled(lambda found: found.graph.input.append(found.graph.input[0])), ["'x'", "input"]),
    "initializers": (doubled(lambda found: found.graph.initializer.append(weight("w"))), ["'w'", "initializer"]),
    "opsets": (doubled(lambda found: found.opset_import.add(version=13)), ["''", "opset"]),
    "metadata": (doubled(lambda found: found.metadata_props.add(key="unroll.states", value="7")), ["unroll.states"]),
    "inputs of a function": (
        model([call("F", "x", "x")], functions=(function("F", [helper.make_node("Neg", ["x"], ["y"])], ("x", "x")),)),
        ["'x'", "'F'"],
    ),
    "a function and an operator": (
        model(
            [helper.make_node("Neg", ["x"], ["y"])],
            functions=(
                helper.make_function(
                    "", "Neg", ["x"], ["y"], [helper.make_node("Abs", ["x"], ["y"])], [helper.make_opsetid("", 17)]
                ),
            ),
        ),
        ["'Neg'", "operator"],
    ),
}


@pytest.mark.parametrize(("proto", "fragments"), TWICE.values(), ids=TWICE)
def test_two_of_one_name_are_refused_for_who_reads_them_takes_the_first_or_the_last(
    proto: ModelProto, fragments: list[str], tmp_path: Path
) -> None:
    refused_by_both(proto, *fragments, tmp_path=tmp_path)
