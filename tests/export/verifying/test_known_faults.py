"""The table of what each runner gets wrong: every row has an example, on which the runner is wrong today and steps aside."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
from helpers import Array
from onnx import ModelProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import unroll
from unroll.errors import NoWitnessError
from unroll.export.verifying.known_faults import FAULTS, ONNXRUNTIME, REFERENCE, why_aside


def floats(*shape: int) -> Array:
    return np.asarray(np.random.default_rng(sum(shape)).normal(size=shape)).astype(np.float32)


def longs(*values: int) -> Array:
    return np.array(values, np.int64)


class Example(NamedTuple):
    """A node, as a row of the table means it, and one beside it that the row does not mean (None: there is none)."""

    op: str
    inputs: list[Array | None]
    attributes: dict[str, Any]
    right: dict[str, Any] | None
    opset: int = 17
    outputs: int = 1
    right_inputs: int | None = None  #: how many inputs the right one has, where fewer
    right_opset: int | None = None


def model_of(example: Example, right: bool = False) -> tuple[ModelProto, dict[str, Array]]:
    """Return an example as a model, floats fed and integers as constants."""
    inputs, attributes, opset, outputs = example.inputs, example.attributes, example.opset, example.outputs
    if right:
        assert example.right is not None
        inputs, attributes = inputs[: example.right_inputs], example.right
        opset = example.right_opset or opset
        outputs = 1 if example.op in ("MaxPool", "Attention") else outputs
    names = ["" if array is None else f"i{place}" for place, array in enumerate(inputs)]
    given = {name: array for name, array in zip(names, inputs, strict=True) if array is not None}
    fed = {
        name: array
        for name, array in given.items()
        if (array.dtype.kind == "f" and example.op != "Resize") or name == "i0"
    }
    node = helper.make_node(example.op, names, [f"o{place}" for place in range(outputs)], "node", **attributes)
    graph = helper.make_graph(
        [node],
        "one",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for name, array in fed.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in node.output],
        [numpy_helper.from_array(array, name) for name, array in given.items() if name not in fed],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    for item, found in zip(model.graph.output, onnx.shape_inference.infer_shapes(model).graph.output, strict=True):
        item.CopyFrom(found)
        if not item.type.tensor_type.HasField("shape"):
            item.CopyFrom(helper.make_tensor_value_info(item.name, item.type.tensor_type.elem_type, [None] * 4))
    onnx.checker.check_model(model)
    return model, fed


def recurrent(op: str, gates: int, dirs: int = 1) -> list[Array | None]:
    return [floats(3, 2, 4), floats(dirs, gates * 5, 4), floats(dirs, gates * 5, 5), floats(dirs, 2 * gates * 5)]


def lengths(op: str, gates: int) -> list[Array | None]:
    return [*recurrent(op, gates), np.array([1, 3], np.int32)]


GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
WIDE = {"hidden_size": 5}
WINDOW = {"kernel_shape": [3], "strides": [2]}
#: By the reason that the table gives: examples of the row.
EXAMPLES: dict[str, list[Example]] = {
    "ignores sequence_lens": [Example(op, lengths(op, n), WIDE, WIDE, right_inputs=4) for op, n in GATES.items()],
    "ignores clip": [Example(op, recurrent(op, n), WIDE | {"clip": 0.1}, WIDE) for op, n in GATES.items()],
    "walks forward whatever the direction": [
        Example(op, recurrent(op, n), WIDE | {"direction": "reverse"}, WIDE) for op, n in GATES.items()
    ],
    "computes sigmoid and tanh whatever `activations` says": [
        Example(
            "GRU",
            recurrent("GRU", 3),
            WIDE | {"activations": ["Sigmoid", "Relu"]},
            WIDE | {"activations": ["Sigmoid", "Tanh"]},
        ),
        Example("LSTM", recurrent("LSTM", 4), WIDE | {"activations": ["HardSigmoid", "Tanh", "Tanh"]}, WIDE),
    ],
    "takes the first of two directions' activations for both": [
        Example(
            "RNN",
            recurrent("RNN", 1, 2),
            WIDE
            | {
                "direction": "bidirectional",
                "activations": ["Tanh", "Affine"],
                "activation_alpha": [0.1, 0.5],
                "activation_beta": [0.1, 0.2],
            },
            WIDE | {"direction": "bidirectional"},
        )
    ],
    "ignores input_forget": [
        Example("LSTM", recurrent("LSTM", 4), WIDE | {"input_forget": 1}, WIDE | {"input_forget": 0})
    ],
    "normalises by a mixture of the statistics given and the batch's": [
        Example(
            "BatchNormalization",
            [floats(2, 3, 4), floats(3), floats(3), floats(3), floats(3) ** 2],
            {},
            {},
            13,
            right_opset=15,
        )
    ],
    "normalises only as many channels as there are rows in the batch": [
        Example("LRN", [floats(2, 6, 3, 3)], {"size": 3}, None)
    ],
    "adds up values, not their magnitudes, for p = 1": [Example("LpNormalization", [floats(2, 3)], {"p": 1}, {"p": 2})],
    "counts partial and automatically padded windows otherwise": [
        Example(
            "MaxPool",
            [floats(1, 2, 6)],
            WINDOW | {"dilations": [2], "auto_pad": "SAME_UPPER"},
            WINDOW | {"auto_pad": "SAME_UPPER"},
        ),
        Example("LpPool", [floats(1, 2, 6)], WINDOW | {"ceil_mode": 1}, WINDOW, 18),
        Example(
            "AveragePool",
            [floats(1, 2, 9)],
            {"kernel_shape": [3], "strides": [3], "dilations": [2], "ceil_mode": 1},
            WINDOW,
            19,
        ),
    ],
    "pads the wrong sides where the strides are 1": [
        Example("MaxPool", [floats(1, 2, 9)], {"kernel_shape": [3], "pads": [0, 1]}, WINDOW | {"pads": [0, 1]})
    ],
    "counts the indices of the largest otherwise": [
        Example("MaxPool", [floats(2, 2, 9)], {"kernel_shape": [2]}, {"kernel_shape": [2]}, outputs=2)
    ],
    "gives other sizes with automatic padding": [
        Example(
            "ConvTranspose",
            [floats(1, 2, 6), floats(2, 2, 1)],
            {"strides": [2], "auto_pad": "SAME_UPPER"},
            {"strides": [2]},
        )
    ],
    "gives other numbers than onnxruntime for cubic samples at the border": [
        Example(
            "GridSample",
            [floats(1, 2, 4, 5), floats(1, 3, 3, 2)],
            {"mode": "cubic", "padding_mode": "border"},
            {"mode": "cubic", "padding_mode": "zeros"},
            20,
        )
    ],
    "has the half pixel that came with opset 16": [
        Example(
            "RoiAlign",
            [floats(1, 2, 6, 6), np.array([[0, 0, 4, 4]], np.float32), longs(0)],
            {"sampling_ratio": 2},
            {"sampling_ratio": 2},
            13,
            right_opset=16,
        )
    ],
    "gives other numbers than onnxruntime where an axis becomes 1 long": [
        Example(
            "Resize",
            [floats(1, 2, 3, 3), None, np.array([1, 1, 0.5, 2], np.float32)],
            {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"},
            {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
        )
    ],
    "cuts a shape from its end otherwise": [
        Example("Shape", [floats(2, 3, 4)], {"start": 0, "end": -5}, {"start": 0, "end": 1})
    ],
    "aligns corners by rounded sizes, not by the scales": [
        Example(
            "Resize",
            [floats(1, 2, 4, 4), None, np.array([1, 1, 1.5, 0.6], np.float32)],
            {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
            {"mode": "linear", "coordinate_transformation_mode": "asymmetric"},
        )
    ],
    "puts values elsewhere where the shape of the output is given": [
        Example(
            "MaxUnpool",
            [np.array([[[[5, 6], [7, 8]]]], np.float32), longs(5, 7, 13, 15).reshape(1, 1, 2, 2), longs(1, 1, 5, 5)],
            {"kernel_shape": [2, 2], "strides": [2, 2]},
            {"kernel_shape": [2, 2], "strides": [2, 2]},
            right_inputs=2,
        )
    ],
    "is off by up to 2e-4 in float32": [
        Example("DFT", [np.arange(100, dtype=np.float32).reshape(1, 10, 10, 1)], {"axis": 1}, None)
    ],
    "hands out scores that are masked otherwise": [
        Example(
            "Attention",
            [
                floats(2, 3, 4, 8),
                floats(2, 3, 6, 8),
                floats(2, 3, 6, 8),
                floats(2, 1, 4, 18),
                floats(2, 3, 12, 8),
                floats(2, 3, 12, 8),
            ],
            {"is_causal": 1, "qk_matmul_output_mode": 2},
            {"is_causal": 1},
            23,
            outputs=4,
            right_inputs=3,
        )
    ],
}
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
CASES = [
    pytest.param(why, example, id=f"{example.op}: {why}") for why, examples in EXAMPLES.items() for example in examples
]


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


@pytest.mark.parametrize(("why", "example"), CASES)
def test_a_runner_is_wrong_where_the_table_says_so_and_right_beside_it(why: str, example: Example) -> None:
    row = ROWS[why]
    model, feeds = model_of(example)
    if row.until:  # the runner installed has been mended
        assert agree(model, feeds)
        assert why_aside(model, row.runner) == ""
    else:
        assert not agree(model, feeds)
        assert why_aside(model, row.runner) == f"{example.op}: it {why} (of 'node')"
    if example.right is not None:
        model, feeds = model_of(example, right=True)
        assert agree(model, feeds)
        assert why_aside(model, row.runner) == ""


#: Of operators that unroll does not know, which are loaded in a process of their own first, a few stand for all.
FEW = [case for case in CASES if case.values[1].op in ("BatchNormalization", "GRU", "LSTM", "RNN", "Resize")]


@pytest.mark.parametrize(("why", "example"), FEW)
def test_verify_never_cries_wolf_over_them_and_says_who_took_part(why: str, example: Example) -> None:
    model, feeds = model_of(example)
    try:
        found = unroll.verify(model, feeds)
    except NoWitnessError as error:
        assert why in str(error)
        return
    assert found.runners[0] == "NumPy"
    if not ROWS[why].until:
        assert why in found.left_out[ROWS[why].runner]
        assert why in str(found)
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
    with pytest.raises(NoWitnessError, match="there is no witness: NumPy cannot compute the model itself: loop: "):
        unroll.verify(model, feeds)
    model, feeds = loop(False, True, [2, 3])
    assert agree(model, feeds)
    found = unroll.verify(model, feeds)
    assert found.foreign == ("loop (Loop)",)
    np.testing.assert_allclose(unroll.from_onnx(model).run(feeds)["last"], feeds["start"] * 8, rtol=1e-6)


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
