"""Flat models hold nothing that changes nothing: some targets choke on it, and some compute wrong from it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import onnx
import pytest
from picture_networks import NETWORKS

import unroll
from unroll import layers, nn

#: Pairs of operators of which the second only undoes the first, where both have the same axes.
UNDONE = {("Squeeze", "Unsqueeze"), ("Unsqueeze", "Squeeze"), ("Transpose", "Transpose"), ("Split", "Concat")}
#: What computes with numbers: beside a state of zeros there is nothing to compute.
COMPUTING = {"Add", "Concat", "Conv", "Gemm", "MatMul", "Mul"}
#: Networks of other people's files, which are written as they were read, and one that halves a state of zeros and returns it.
LEFT = ("Keras file", "tf2onnx", "torch", "own cell")
MODULES = [
    (module, options)
    for module, options in product(
        (nn.RNN, nn.LSTM, nn.GRU),
        (
            {}, {"batch_first": True}, {"num_layers": 2}, {"bidirectional": True}, {"bias": False},
            {"num_layers": 2, "bidirectional": True, "batch_first": True},
        ),
    )
]  # fmt: skip
LAYERS = [
    (layer, options)
    for layer, options in product(
        (layers.SimpleRNN, layers.GRU, layers.LSTM),
        ({}, {"return_sequences": True}, {"go_backwards": True}, {"return_state": True}, {"use_bias": False}),
    )
]


def idle_nodes(model: onnx.ModelProto) -> Iterator[str]:
    """What a flat model holds that does nothing."""
    makers = {name: node for node in model.graph.node for name in node.output}
    outputs = {item.name for item in model.graph.output}
    weights = {item.name: onnx.numpy_helper.to_array(item).tolist() for item in model.graph.initializer}
    for node in model.graph.node:
        before = [makers[name] for name in node.input if name in makers]
        kinds = {maker.op_type for maker in before}
        if node.op_type == "Concat" and len(node.input) == 1:
            yield f"{node.name}: a Concat of one tensor"
        if node.op_type == "Identity" and node.output[0] not in outputs:
            yield f"{node.name}: an Identity"
        if node.op_type in COMPUTING and "ConstantOfShape" in kinds:
            yield f"{node.name}: {node.op_type} with a tensor of zeros"
        if len({maker.name for maker in before}) == 1 and (before[0].op_type, node.op_type) in UNDONE:
            axes = [
                weights.get(item.input[1]) if len(item.input) == 2 else list(item.attribute)
                for item in (before[0], node)
            ]
            whole = list(node.input) == list(before[0].output) if node.op_type == "Concat" else axes[0] == axes[1]
            if whole:
                yield f"{node.name}: {node.op_type} undoes {before[0].name}"


def flat(graph: unroll.Graph) -> onnx.ModelProto:
    return unroll.to_onnx(graph, runtime=None)


@pytest.mark.parametrize("name", [name for name in NETWORKS if not name.startswith(LEFT)])
def test_a_network_is_written_without_idle_nodes(name: str) -> None:
    graph = NETWORKS[name]()
    assert list(idle_nodes(flat(graph))) == []


@pytest.mark.parametrize("batch", ["batch", 2, None])
@pytest.mark.parametrize(("module", "options"), MODULES)
def test_a_module_is_written_without_idle_nodes(module: Any, options: dict[str, Any], batch: Any) -> None:
    shape = [4, 3] if batch is None else [batch, 4, 3] if options.get("batch_first") else [4, batch, 3]
    x = unroll.placeholder(shape, "x")
    outputs, state = module(3, 5, **options)(x)
    for wanted in ({"outputs": outputs}, {"state": state}, {"outputs": outputs, "state": state}):
        model = flat(unroll.Graph([x], wanted))
        assert list(idle_nodes(model)) == []
        assert "ConstantOfShape" not in {node.op_type for node in model.graph.node}


@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize(("layer", "options"), LAYERS)
def test_a_layer_is_written_without_idle_nodes(layer: Any, options: dict[str, Any], both_ways: bool) -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    opposite = layer(5, **options | {"go_backwards": not options.get("go_backwards", False)})
    made = layers.Bidirectional(layer(5, **options), backward_layer=opposite) if both_ways else layer(5, **options)
    found = made(x)
    listed = list(found) if isinstance(found, (list, tuple)) else [found]
    model = flat(unroll.Graph([x], {f"y{at}": item for at, item in enumerate(listed)}))
    assert list(idle_nodes(model)) == []
    assert "ConstantOfShape" not in {node.op_type for node in model.graph.node}


def test_idle_nodes_are_seen() -> None:
    x = unroll.placeholder([2, 3], "x")
    zeros = unroll.ops.constant_of_shape([2, 3])
    pieces = unroll.ops.split(x, 3, 1)
    outputs = {
        "one": unroll.ops.tanh(unroll.ops.concat([x], 0)),
        "sum": x + zeros,
        "back": unroll.ops.concat(list(pieces), 1),
        "up": unroll.ops.squeeze(unroll.ops.unsqueeze(x, 1), 1),
        "same": unroll.ops.exp(unroll.ops.identity(x)),
    }
    model = unroll.to_onnx(unroll.Graph([x], outputs), fold_zero_state=False)
    assert len(list(idle_nodes(model))) == len(outputs)
