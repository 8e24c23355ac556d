"""Whatever the bytes of a model say, reading them ends soon: metadata, text, ranks, casts and versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers import refused
from hostile_models import (
    FLOAT,
    NINES,
    branch,
    call,
    doubling,
    function,
    identity,
    model,
    refused_by_both,
    weight,
)
from onnx import AttributeProto, ModelProto, TensorProto, helper

import unroll

# -- metadata ----------------------------------------------------------------------------------------------------------


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


# -- text --------------------------------------------------------------------------------------------------------------


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


# -- inputs of every rank ----------------------------------------------------------------------------------------------


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


@pytest.mark.slow
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
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("number", [0, -1, 99, 2**40, *TensorProto.DataType.values()])
def test_a_cast_to_any_number_is_read_or_refused(number: int) -> None:
    cast = helper.make_node("Cast", ["x"], ["h"], to=number)
    proto = model([cast, helper.make_node("Cast", ["h"], ["y"], to=FLOAT)])
    if number in TensorProto.DataType.values() and number not in (TensorProto.UNDEFINED, TensorProto.STRING):
        # A truth is 1 whatever it was, and two bits hold -2 to 1.
        wanted = {TensorProto.BOOL: [1, 1], getattr(TensorProto, "INT2", None): [1, -2]}.get(number, [1, 2])
        assert unroll.from_onnx(proto).run({"x": [1, 2]})["y"].tolist() == wanted
    else:
        refused(lambda: unroll.from_onnx(proto).run({"x": [1, 2]}), ValueError, "Cast")


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
