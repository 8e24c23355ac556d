"""Whatever the bytes of a model say, reading them ends soon and in a graph, a session, or an error of ours that names it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import refused
from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

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


# -- metadata ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"x": [[-Infinity, Infinity]]}',
        '{"x": [[0, NaN]]}',
        '{"x": [[0, 1e400]]}',
        '{"x": [[0, 1.5]]}',
        '{"x": [[0, true]]}',
        '{"x": [[0, "7"]]}',
        '{"x": [[0, 1, 2]]}',
        '{"x": {"0": 1}}',
        '{"x": 7}',
        f'{{"x": [[0, {2**63}]]}}',
        f'{{"x": [[0, {NINES}]]}}',
        "[" * 100_000,
        '{"x":' * 100_000,
        '[["x", "y"]]',
        "7",
        "",
    ],
    ids=lambda text: text[:24],
)
def test_limits_that_are_none_are_refused(text: str, tmp_path: Path) -> None:
    refused_by_both(identity(unroll_limits=text), "unroll.limits", tmp_path=tmp_path)


@pytest.mark.parametrize(
    "text",
    ['{"x": 7}', '{"x": ["y"]}', '{"x": null}', '{"x": "z"}', '{"z": "y"}', "[" * 100_000, "nul"],
    ids=lambda text: text[:24],
)
def test_states_that_are_none_are_refused(text: str, tmp_path: Path) -> None:
    refused_by_both(identity(unroll_states=text), "unroll.states", tmp_path=tmp_path)


# -- text -------------------------------------------------------------------------------------------------------------


def texts() -> ModelProto:
    """A model with a name of its own in every place that has one."""
    inner = branch([helper.make_node("Add", ["x", "w_inner"], ["z"], name="n_inner")], weights=(weight("w_inner"),))
    made = [
        helper.make_node("If", ["yes"], ["h"], name="n_outer", then_branch=inner, else_branch=inner),
        call("f_name", "h"),
    ]
    body = [helper.make_node("Neg", ["x"], ["f_inner"]), helper.make_node("Abs", ["f_inner"], ["y"])]
    found = model(made, {"yes": np.array(True), "w_outer": np.ones(2, np.float32)}, (function("f_name", body),))
    found.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "d_size"
    found.metadata_props.add(key="m_key", value="m_value")
    return found


def weight(name: str) -> TensorProto:
    return numpy_helper.from_array(np.ones(2, np.float32), name)


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\x00"], ids=["not UTF-8", "lone surrogate", "NUL"])
@pytest.mark.parametrize(
    "name", ["w_inner", "w_outer", "n_inner", "n_outer", "f_name", "f_inner", "d_size", "m_key", "m_value"]
)
def test_names_that_are_no_text_are_refused_wherever_they_stand(name: str, bad: bytes, tmp_path: Path) -> None:
    data = texts().SerializeToString()
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    unroll.from_onnx(path)
    torn = bad + name.encode()[len(bad) :]
    path.write_bytes(data.replace(name.encode(), torn))
    for take in (unroll.from_onnx, unroll.Session):
        refused(lambda take=take: take(path), ValueError, str(path), "NUL" if bad == b"\0" else "UTF-8")


# -- tensors ----------------------------------------------------------------------------------------------------------


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


# -- functions and bodies ---------------------------------------------------------------------------------------------


def doubling(count: int) -> ModelProto:
    """2 to the power of `count` nodes, once functions are written out."""
    made = [
        function(f"F{at}", [call(f"F{at + 1}", "x", output="h"), call(f"F{at + 1}", "h")])
        if at < count
        else function(f"F{at}", [helper.make_node("Neg", ["x"], ["y"])])
        for at in range(count + 1)
    ]
    return model([call("F0", "x")], functions=tuple(made))


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


# -- sizes ------------------------------------------------------------------------------------------------------------


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


def test_a_thousand_sizes_that_are_one_become_one() -> None:
    graph = unroll.from_onnx(ENDLESS["a thousand sizes that are one"]())
    assert len({spec.shape for spec in graph.input_specs}) == 1
    refused(
        lambda: graph.run({f"x{at}": np.ones((2 + (at == 700), 2), np.float32) for at in range(1000)}),
        ValueError,
        "x700",
    )


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


# -- inputs of every rank ---------------------------------------------------------------------------------------------

RANKS = [(), (1,), (2, 3), (1, 0, 2)]


def of_every_rank() -> Iterator[tuple[str, ModelProto]]:
    """Nodes whose inputs, one after the other, are of every rank."""
    nodes = {
        "LSTM": ({"w": (1, 8, 2), "r": (1, 8, 2), "b": (1, 16)}, {"hidden_size": 2}),
        "GRU": ({"w": (1, 6, 2), "r": (1, 6, 2), "b": (1, 12)}, {}),
        "RNN": ({"w": (1, 2, 2), "r": (1, 2, 2), "b": (1, 4)}, {}),
        "Conv": ({"w": (2, 1, 2), "b": (2,)}, {}),
        "Gemm": ({"w": (2, 2), "b": (2,)}, {}),
        "MatMul": ({"w": (2, 2)}, {}),
        "LayerNormalization": ({"w": (2,), "b": (2,)}, {}),
        "Clip": ({"w": (), "b": ()}, {}),
    }
    for op, (weights, attributes) in nodes.items():
        for changed in weights:
            for shape in RANKS:
                given = weights | {changed: shape}
                made = helper.make_node(op, ["x", *given], ["y"], name="it", **attributes)
                arrays = {name: np.ones(item, np.float32) for name, item in given.items()}
                yield f"{op} {changed} {shape}", model([made], arrays, x=[3, 1, 2], y=["a", "b", "c"])
    vectors = {
        "Reshape": 1,
        "Expand": 1,
        "Tile": 1,
        "Slice": 4,
        "Squeeze": 1,
        "Unsqueeze": 1,
        "ReduceSum": 1,
        "Split": 1,
    }
    for op, count in vectors.items():
        for changed in range(count):
            for value in ([], 1, [1, 1], [[1]], [2**62], [-(2**63)]):
                given = {f"v{at}": np.array([1], np.int64) for at in range(count)}
                given[f"v{changed}"] = np.array(value, np.int64)
                made = helper.make_node(op, ["x", *given], ["y"], name="it")
                yield f"{op} {changed} {value}", model([made], given, x=[3, 1, 2], y=["a", "b", "c"])


@pytest.mark.filterwarnings("ignore::unroll.UnrollWarning")
def test_inputs_of_the_wrong_rank_and_size_are_refused_or_kept_as_they_are() -> None:
    for title, proto in of_every_rank():
        try:
            graph = unroll.from_onnx(proto)
            unroll.optimize(graph, check=False).summary()
            graph.run({"x": np.ones((3, 1, 2), np.float32)})
        except unroll.UnrollError as error:
            assert str(error), title


@pytest.mark.filterwarnings("ignore::unroll.UnrollWarning")
@pytest.mark.parametrize("number", [0, -1, 99, 2**40, *TensorProto.DataType.values()])
def test_a_cast_to_any_number_is_read_or_refused(number: int) -> None:
    cast = helper.make_node("Cast", ["x"], ["h"], to=number)
    proto = model([cast, helper.make_node("Cast", ["h"], ["y"], to=FLOAT)])
    if number in (FLOAT, TensorProto.DOUBLE, INT64, TensorProto.INT32):
        assert unroll.from_onnx(proto).run({"x": [1, 2]})["y"].tolist() == [1, 2]
    elif number not in (TensorProto.FLOAT16, TensorProto.BOOL):
        refused(lambda: unroll.from_onnx(proto), ValueError, "Cast")


@pytest.mark.parametrize("version", [2**31, 2**40, 2**63 - 1, -1, -(2**63)])
def test_an_opset_that_is_no_version_is_refused(version: int, tmp_path: Path) -> None:
    proto = identity()
    proto.opset_import[0].version = version
    refused_by_both(proto, "opset", str(version), tmp_path=tmp_path)
    inner = doubling(2)
    inner.functions[1].opset_import[0].version = version
    refused_by_both(inner, "'F1'", "opset", str(version), tmp_path=tmp_path)


def test_json_that_is_right_is_read(tmp_path: Path) -> None:
    proto = identity(unroll_states=json.dumps({"x": "y"}), unroll_limits=json.dumps({"x": [[0, 7]]}))
    assert unroll.from_onnx(proto).states == {"x": "y"}
    assert unroll.Session(proto).inputs[0].limits[0][:3] == ("x", 0, 7)


def test_an_attribute_that_refers_to_a_function_outside_of_any_is_refused() -> None:
    node = helper.make_node("Softmax", ["x"], ["y"])
    node.attribute.add(name="axis", type=AttributeProto.INT, ref_attr_name="a")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3]) for name in "xy")
    model = helper.make_model(
        helper.make_graph([node], "main", [x], [y]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    refused(lambda: unroll.from_onnx(model), ValueError, "attribute 'axis'", "'a' of a function")
