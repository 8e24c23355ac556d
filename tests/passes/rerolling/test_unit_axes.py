"""States of ``(1, batch, units)``, as torch exports its RNN: they become native operators as those of ``(batch, units)`` do."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import TESTS, Array, golden_arrays, golden_json

import unroll
from unroll import Graph, ops, placeholder
from unroll.passes.drop_unit_axes import drop_unit_axes
from unroll.passes.slice_inputs import slice_inputs

CASES = golden_json("torch_rnn.json")["cases"]
#: The operators that a file becomes: two directions of given states are one.
OPERATORS = {"two_layers-both_ways": 4, "two_layers-states": 2}


def golden(case: str) -> tuple[Graph, dict[str, Array], dict[str, Array]]:
    arrays = golden_arrays("torch_rnn.npz")
    found = {key.removeprefix(f"{case}/"): arrays[key] for key in arrays if key.startswith(f"{case}/")}
    graph = unroll.from_onnx(str(TESTS / "golden" / "torch_rnn" / f"{case}.onnx"))
    names = [tensor.name for tensor in graph.inputs]
    return graph, {name: found[name] for name in names}, {name: found[name] for name in ("output", "h_n")}


def kinds(graph: Graph) -> Counter[str]:
    return Counter(node.op.name for node in graph.nodes)


def check_results(found: dict[str, Array], wanted: dict[str, Array]) -> None:
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_torchs_flat_rnn_becomes_an_rnn_with_pytorchs_numbers(case: str) -> None:
    graph, feeds, wanted = golden(case)
    assert not {"RNN", "Scan"} & kinds(graph).keys()
    new, report = unroll.reroll(graph)
    assert kinds(new)["RNN"] == OPERATORS.get(case, 1) and not kinds(new)["Scan"]
    assert report and bool(report.proof) and new.output_names == graph.output_names
    check_results(new.run(feeds), wanted)
    model = unroll.to_onnx(graph, form="rerolled")
    onnx.checker.check_model(model, full_check=True)
    check_results(unroll.Session(model).run(feeds), wanted)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("run", [slice_inputs, drop_unit_axes], ids=lambda run: run.__name__)
def test_each_pass_keeps_numbers_names_and_shapes(case: str, run: Any) -> None:
    graph, feeds, wanted = golden(case)
    new = run(graph)
    assert new is not graph and new.output_names == graph.output_names
    assert [new.shape(tensor) for tensor in new.outputs] == [graph.shape(tensor) for tensor in graph.outputs]
    check_results(new.run(feeds), wanted)


def weight(name: str, *shape: int) -> Any:
    random = np.random.default_rng(len(name) + shape[0])
    return unroll.Parameter(0.3 * random.standard_normal(shape).astype("float32"), name)


def lstm_step(x: Any, h: Any, c: Any) -> tuple[Any, Any]:
    z = x @ WX[4] + h @ WH[4] + B[4]
    i, f, g, o = ops.split(z, 4, -1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c


def gru_step(x: Any, h: Any, c: Any) -> tuple[Any, Any]:
    xs, hs = ops.split(x @ WX[3] + B[3], 3, -1), ops.split(h @ WH[3] + B[3], 3, -1)
    r, z = ops.sigmoid(xs[0] + hs[0]), ops.sigmoid(xs[1] + hs[1])
    n = ops.tanh(xs[2] + r * hs[2])
    return (1.0 - z) * n + z * h, c


WX = {gates: weight(f"wx{gates}", 3, 4 * gates) for gates in (3, 4)}
WH = {gates: weight(f"wh{gates}", 4, 4 * gates) for gates in (3, 4)}
B = {gates: weight(f"b{gates}", 4 * gates) for gates in (3, 4)}


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize(("step", "wanted"), [(lstm_step, "LSTM"), (gru_step, "GRU")], ids=["LSTM", "GRU"])
def test_gated_cells_on_such_states_become_theirs(step: Any, wanted: str, batch: int | None) -> None:
    x = [placeholder([batch, 3], f"x{number}") for number in range(5)]
    h, c = (placeholder([1, "batch" if batch is None else batch, 4], name) for name in "hc")
    inputs, first, outputs = [*x, h, *([c] if wanted == "LSTM" else [])], h, []
    for item in x:
        first, c = step(item, first, c)
        outputs.append(first)
    graph = Graph(inputs, {"output": ops.concat(outputs, 0), "last": first})
    new, report = unroll.reroll(graph)
    assert kinds(new)[wanted] == 1 and not kinds(new)["Scan"], report
    unroll.verify(new)


def test_a_first_axis_of_another_size_is_no_unit_axis() -> None:
    x, h = placeholder([4, 2, 4], "x"), placeholder([2, 2, 4], "h")
    y = ops.tanh(x[:2] + h @ WH[4][:, :4])
    graph = Graph([x, h], {"y": y})
    assert drop_unit_axes(graph) is graph


def test_a_part_of_a_product_in_time_is_cut_before_it_in_both_directions() -> None:
    x = placeholder([5, 2, 3], "x")
    whole = ops.matmul(x, WX[4]) + B[4]
    outputs = {
        "first": whole[:1],
        "middle": whole[2:4],
        "last of turned": whole[::-1][4:5],
        "two of turned": whole[::-1][:2],
    }
    graph = Graph([x], outputs)
    new = slice_inputs(graph)
    feeds = {"x": np.random.default_rng(0).standard_normal((5, 2, 3)).astype("float32")}
    check_results(new.run(feeds), graph.run(feeds))
    products = [node.outputs[0].shape[0] for node in new.nodes if node.op.name == "MatMul"]
    assert sorted(products) == [1, 1, 2, 5]  # two steps of what is turned around are left
