"""Nodes that some runner gets wrong, each beside one that it gets right, by the reason in the table of known faults."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx
from helpers import Array
from onnx import ModelProto, helper, numpy_helper


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
    "takes X of an opset without layouts for one of layout 1": [
        Example("RNN", recurrent("RNN", 1), WIDE, WIDE, 13, right_opset=17)
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
    "pads a size that is no multiple of the stride otherwise": [
        Example(
            "Conv",
            [floats(1, 2, 6, 7), floats(3, 2, 3, 2)],
            {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
            {"strides": [2, 2]},
        )
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
