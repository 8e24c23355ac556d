"""Nodes that unroll has no operator for pass through, with their version, their branches and what these read outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused
from onnx import TensorProto, helper
from read_models import X, branches, check_same, floats, ints, model_of, one_node, opaque_names, run

import unroll
from unroll import ops
from unroll.export.reading.reader import from_onnx


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    check_same(*one_node("Conv", {"auto_pad": "SAME_LOWER"}, [X, floats(2, 3, 2)], 11), ["ai.onnx.Conv"])


def test_outputs_that_a_node_leaves_out_stay_left_out() -> None:
    node = helper.make_node("LayerNormalization", ["x", "scale"], ["y", "", "spread"], name="norm")
    model = model_of([node], {"x": [2, 3]}, {"y": [2, 3], "spread": [2, 1]}, {"scale": floats(3)}, opset=17)
    graph = check_same(model, {"x": floats(2, 3)}, ["ai.onnx.LayerNormalization"])
    assert list(unroll.to_onnx(graph).graph.node[0].output) == ["y", "", "spread"]


@pytest.mark.parametrize("opset", [12, 13, 16])
@pytest.mark.parametrize("flag", [True, False])
def test_branches_still_read_what_they_read_outside(opset: int, flag: bool) -> None:
    graph = check_same(branches(opset), {"flag": np.array(flag), "x": floats(3)})
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


@pytest.mark.slow
def test_a_node_is_not_written_in_an_opset_that_changed_it() -> None:
    graph = from_onnx(one_node("ReduceProd", {"axes": [1]}, [X], 13)[0])
    assert unroll.to_onnx(graph).opset_import[0].version == 13
    assert unroll.to_onnx(graph, opset=17).opset_import[0].version == 17
    refused(lambda: unroll.to_onnx(graph, opset=18), NotImplementedError, "ReduceProd", "opset=13")
    newer = from_onnx(model_of([helper.make_node("Mish", ["x"], ["y"])], {"x": [2, 3]}, {"y": [2, 3]}, opset=18))
    refused(lambda: unroll.to_onnx(newer, opset=13), NotImplementedError, "Mish", "opset=18")
    assert unroll.to_onnx(newer).opset_import[0].version == 18


@pytest.mark.slow
def test_the_long_name_of_onnx_s_domain_means_the_same() -> None:
    node = helper.make_node("Selu", ["x"], ["y"])
    model = model_of([node, helper.make_node("Neg", ["y"], ["z"])], {"x": [2]}, {"z": [2]})
    model.opset_import[0].domain = "ai.onnx"
    check_same(model, {"x": floats(2)}, ["Selu"])


@pytest.mark.slow
def test_an_older_node_that_has_no_newer_form_is_refused_by_name() -> None:
    node = helper.make_node("Upsample", ["x", "s"], ["y"], name="up", mode="linear")
    model = model_of([node], {"x": [1, 1, 2, 2], "s": [4]}, {"y": [None, None, None, None]}, opset=9)
    refused(lambda: from_onnx(model), NotImplementedError, "'up'", "Upsample", "opset 9")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("op", "attributes", "opaque"),
    [
        ("TopK", {"k": 2, "axis": 1}, ["TopK"]),
        ("LpPool", {"kernel_shape": [2]}, ["LpPool"]),
        ("DepthToSpace", {"blocksize": 1}, ["DepthToSpace"]),
        ("ReduceProd", {"axes": [1]}, ["ReduceProd"]),
        ("MaxPool", {"kernel_shape": [2], "auto_pad": "SAME_LOWER"}, ["ai.onnx.MaxPool"]),
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


@pytest.mark.slow
def test_a_long_file_is_read_without_recursion_and_in_linear_time() -> None:
    count = 20_000
    nodes = [helper.make_node("Tanh", [f"t{place}"], [f"t{place + 1}"], name=f"n{place}") for place in range(count)]
    graph = from_onnx(model_of(nodes, {"t0": [2]}, {f"t{count}": [2]}))
    assert len(graph.nodes) == count


def test_a_reshape_to_sizes_that_a_run_computes_stays_ours() -> None:
    nodes = [
        helper.make_node("Mul", ["sizes", "twos"], ["more"]),
        helper.make_node("Div", ["more", "twos"], ["same"]),
        helper.make_node("Reshape", ["x", "same"], ["flat"], "flatten"),
        helper.make_node("Tanh", ["flat"], ["y"]),
    ]
    shapes: dict[str, list[int | str | None]] = {"x": [2, 6], "sizes": [2]}
    model = model_of(
        nodes, shapes, {"y": ["rows", "columns"]}, {"twos": ints(2, 2)}, dtypes={"sizes": TensorProto.INT64}
    )
    graph = check_same(model, {"x": floats(2, 6), "sizes": ints(3, 4)})
    assert [node.op.name for node in graph.nodes] == ["Mul", "Div", "Reshape", "Tanh"]
    assert graph.shape(graph.tensor("flat"))[0] != 2
    fast = unroll.optimize(graph, check=False)  # no sizes fit by chance
    assert fast.run({"x": floats(2, 6), "sizes": ints(3, 4)})["y"].shape == (3, 4)
