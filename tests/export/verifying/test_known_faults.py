"""The table of what each runner gets wrong: every row has an example, on which the runner is wrong today and steps aside."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from fault_examples import EXAMPLES, GATES, WIDE, Example, floats, model_of, recurrent
from helpers import Array
from onnx import ModelProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from packaging.version import Version

import unroll
from unroll.errors import NoWitnessError
from unroll.export.verifying.known_faults import FAULTS, ONNXRUNTIME, REFERENCE, Fault, faults_of, why_aside

ROWS = {row.why: row for row in FAULTS}
#: Rows that are tried in tests of their own below, or cannot be with what is installed: onnxruntime has no layout 1.
ELSEWHERE = {
    "takes states of layout 1 for those of layout 0",
    "overflows in Softplus beyond 88, and hides NaN",
    "hides NaN: a gate of NaN gives a number",
    "hides NaN in some activations",
    "joins what each iteration makes along an axis that is there, not along a new one",
    "never runs a Loop without a condition",
    "draws random numbers of its own",
}
#: The versions that are installed.
INSTALLED = {REFERENCE: Version(onnx.__version__), ONNXRUNTIME: Version(onnxruntime.__version__)}
#: Whether these are those that the table was made with, or newer.
NEW = INSTALLED[REFERENCE] >= Version("1.23.2") and INSTALLED[ONNXRUNTIME] >= Version("1.32")


def is_known(example: Example) -> bool:
    """Whether the runners know an example's opset; and before the table's versions, both pooled alike."""
    return example.opset <= onnx.defs.onnx_opset_version() and (NEW or example.op != "LpPool")


CASES = [
    pytest.param(why, example, id=f"{example.op}: {why}")
    for why, examples in EXAMPLES.items()
    for example in examples
    if is_known(example)
]


def is_mended(row: Fault) -> bool:
    return bool(row.until) and INSTALLED[row.runner] >= Version(row.until)


def run(runner: str, model: ModelProto, feeds: dict[str, Array]) -> list[Array]:
    if runner == REFERENCE:
        with np.errstate(all="ignore"):
            return [np.asarray(array) for array in ReferenceEvaluator(model).run(None, feeds)]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, feeds))


def agree(model: ModelProto, feeds: dict[str, Array]) -> bool:
    """Whether both runners compute the same."""
    pairs = zip(run(REFERENCE, model, feeds), run(ONNXRUNTIME, model, feeds), strict=True)
    return all(a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=1e-5) for a, b in pairs)


def refuses(runner: str, model: ModelProto, feeds: dict[str, Array]) -> bool:
    """Whether a runner that is older than the table raises."""
    try:
        run(runner, model, feeds)
    except Exception:  # runners' errors share no base class
        return not NEW
    return False


@pytest.mark.parametrize(("why", "example"), CASES)
def test_a_runner_is_wrong_where_the_table_says_so_and_right_beside_it(why: str, example: Example) -> None:
    row = ROWS[why]
    model, feeds = model_of(example)
    if is_mended(row):
        assert agree(model, feeds)
        assert why_aside(model, row.runner) == ""
    else:
        assert refuses(row.runner, model, feeds) or not agree(model, feeds)
        first = why if NEW else next(item.why for _, item in faults_of(model.graph.node, example.opset, row.runner))
        assert why_aside(model, row.runner) == f"{example.op}: it {first} (of 'node')"
    if example.right is not None:
        model, feeds = model_of(example, right=True)
        assert refuses(row.runner, model, feeds) or agree(model, feeds)
        assert why not in why_aside(model, row.runner)
        assert not NEW or why_aside(model, row.runner) == ""


#: Of operators that unroll does not know, which are loaded in a process of their own first, a few stand for all.
FEW = [case for case in CASES if case.values[1].op in ("BatchNormalization", "GRU", "LSTM", "RNN", "Resize")]


@pytest.mark.parametrize(("why", "example"), FEW)
def test_verify_never_cries_wolf_over_them_and_says_who_took_part(why: str, example: Example) -> None:
    model, feeds = model_of(example)
    try:
        found = unroll.verify(model, feeds)
    except NoWitnessError as error:
        # An older evaluator has faults that come first, and NumPy computes nothing whose meaning is open.
        assert why in str(error) or not NEW or "ONNX does not say which" in str(error)
        return
    assert found.runners[0] == "NumPy"
    if not is_mended(ROWS[why]):
        assert not NEW or why in found.left_out[ROWS[why].runner]
        assert not NEW or why in str(found)
        assert ROWS[why].runner not in found.runners
    assert found.runners[1:]


def test_every_row_has_an_example() -> None:
    assert set(ROWS) == set(EXAMPLES) | ELSEWHERE
    assert not set(EXAMPLES) & ELSEWHERE


# -- loops, random numbers, functions ---------------------------------------------------------------------------------


def loop(stacking: bool, condition: bool, shape: list[int]) -> tuple[ModelProto, dict[str, Array]]:
    """Return a Loop that doubles a state three times, and may stack what it becomes."""
    info = helper.make_tensor_value_info
    number, flag, real = onnx.TensorProto.INT64, onnx.TensorProto.BOOL, onnx.TensorProto.FLOAT
    made = [info("go", flag, []), info("t", real, shape), *([info("u", real, shape)] if stacking else [])]
    nodes = [
        helper.make_node("Identity", ["c"], ["go"]),
        helper.make_node("Add", ["s", "s"], ["t"]),
        helper.make_node("Neg", ["t"], ["u"]),
    ]
    body = helper.make_graph(nodes, "body", [info("i", number, []), info("c", flag, []), info("s", real, shape)], made)
    outputs = ["last", *(["all"] if stacking else [])]
    node = helper.make_node("Loop", ["count", "run" if condition else "", "start"], outputs, "loop", body=body)
    graph = helper.make_graph(
        [node],
        "one",
        [info("start", real, shape)],
        [info("last", real, shape), *([info("all", real, [3, *shape])] if stacking else [])],
        [numpy_helper.from_array(np.array(3), "count"), numpy_helper.from_array(np.array(True), "run")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model, {"start": floats(*shape)}


@pytest.mark.parametrize(
    ("stacking", "condition", "why"),
    [
        (True, True, "joins what each iteration makes along an axis that is there, not along a new one"),
        (False, False, "never runs a Loop without a condition"),
    ],
)
def test_the_reference_is_no_witness_of_these_loops(stacking: bool, condition: bool, why: str) -> None:
    model, feeds = loop(stacking, condition, [2, 3])
    assert not agree(model, feeds)
    assert why in why_aside(model, REFERENCE)
    assert why in unroll.verify(model, feeds).left_out[REFERENCE]
    model, feeds = loop(False, True, [2, 3])
    assert agree(model, feeds)
    assert not unroll.verify(model, feeds).left_out
    np.testing.assert_allclose(unroll.from_onnx(model).run(feeds)["last"], feeds["start"] * 8, rtol=1e-6)


@pytest.mark.slow
def test_nobody_is_a_witness_of_random_numbers() -> None:
    node = helper.make_node("RandomNormalLike", ["x"], ["y"], "noise")
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [3])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    for runner in (REFERENCE, ONNXRUNTIME):
        assert why_aside(model, runner) == "RandomNormalLike: it draws random numbers of its own (of 'noise')"
    with pytest.raises(NoWitnessError, match=r"noise: .*draws random numbers"):
        unroll.verify(model)


def test_nodes_in_bodies_and_functions_are_found_and_attributes_of_a_call_may_be_anything() -> None:
    node = helper.make_node("LSTM", ["x", "w", "r"], ["y"], "inner", hidden_size=5)
    node.attribute.add(name="clip", ref_attr_name="clip", type=onnx.AttributeProto.FLOAT)
    opsets = [helper.make_opsetid("", 17)]
    function = helper.make_function("ours", "Cell", ["x", "w", "r"], ["y"], [node], opsets, ["clip"])
    info = helper.make_tensor_value_info
    shapes = {"x": [3, 2, 4], "w": [1, 20, 4], "r": [1, 20, 5]}
    call = helper.make_node("Cell", ["x", "w", "r"], ["y"], "call", domain="ours", clip=0.1)
    graph = helper.make_graph(
        [call],
        "one",
        [info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        [info("y", onnx.TensorProto.FLOAT, [3, 1, 2, 5])],
    )
    model = helper.make_model(
        graph, opset_imports=[*opsets, helper.make_opsetid("ours", 1)], functions=[function], ir_version=8
    )
    assert why_aside(model, REFERENCE) == "LSTM: it ignores clip (of 'inner')"
    node.attribute[-1].CopyFrom(helper.make_attribute("clip", 0.1))
    branch = helper.make_graph([node], "then", [], [info("y", onnx.TensorProto.FLOAT, [3, 1, 2, 5])])
    chosen = helper.make_node("If", ["c"], ["z"], "chosen", then_branch=branch, else_branch=branch)
    del model.functions[:]
    model.graph.node[0].CopyFrom(chosen)
    assert why_aside(model, REFERENCE) == "LSTM: it ignores clip (of 'inner', 'inner')"


# -- NaN and infinities -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "attributes", "value", "why"),
    [
        ("LSTM", {}, np.nan, "hides NaN: a gate of NaN gives a number"),
        ("GRU", {}, np.nan, "hides NaN: a gate of NaN gives a number"),
        ("RNN", {"activations": ["Relu"]}, np.nan, "hides NaN in some activations"),
        ("RNN", {"activations": ["Softplus"]}, 1e4, "overflows in Softplus beyond 88, and hides NaN"),
    ],
)
def test_what_onnxruntime_does_to_nan_and_overflows_is_no_alarm_and_is_said(
    op: str, attributes: dict[str, Any], value: float, why: str
) -> None:
    inputs = recurrent(op, GATES[op])
    inputs[1] = np.abs(floats(1, GATES[op] * 5, 4)) + 1
    model, feeds = model_of(Example(op, inputs, WIDE | attributes, None))
    graph = unroll.from_onnx(model)
    fed = {name: array.copy() for name, array in feeds.items()}
    fed["i0"][0, 0, 0] = value
    expected = graph.run(fed)["o0"][0, 0, 0]
    seen = run(ONNXRUNTIME, model, fed)[0][0, 0, 0]
    assert np.isfinite(expected).all() != np.isfinite(seen).all(), "one of them has numbers where the other has none"
    assert f"{op}: it {why}" in why_aside(model, ONNXRUNTIME, nonfinite=True)
    assert why_aside(model, ONNXRUNTIME) == ""
    try:
        left_out = unroll.verify(model, fed).left_out
        assert why in left_out[ONNXRUNTIME]
    except NoWitnessError as error:
        assert why in str(error)
    assert why in unroll.verify(model, feeds).asides[ONNXRUNTIME]
