"""RNN, GRU, LSTM and Scan: our NumPy meaning is what onnxruntime computes.

onnx's own evaluator is no oracle here: it knows one direction only, its own activations, and no lengths, and walks no Scan
backward. What it does know is held against it in test_operators.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from helpers import Array, refused
from onnx import helper

import unroll
from unroll import ops
from unroll.ops.recurrent import GRU, LSTM, RNN
from unroll.ops.recurrent_loop import ACTIVATIONS, DIRECTIONS, Recurrent

TIME, BATCH, FEATURES, HIDDEN = 4, 3, 2, 3
CALLS: dict[type[Recurrent], Any] = {RNN: ops.rnn, GRU: ops.gru, LSTM: ops.lstm}
KINDS = list(CALLS)


def drawn(
    kind: type[Recurrent], direction: str, seed: int = 0, **given: bool
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Arrays for X, and for the other inputs that are wanted."""
    rng = np.random.default_rng([seed, kind.gates])
    dirs, rows = 2 if direction == "bidirectional" else 1, kind.gates * HIDDEN

    def normal(*shape: int) -> Array:
        return np.asarray(rng.normal(size=shape, scale=0.4)).astype("float32")

    fed = {"x": normal(TIME, BATCH, FEATURES), "lengths": np.array([0, 2, TIME], "int32")}
    states = ["initial_h", *(["initial_c"] if kind is LSTM else [])]
    arrays = {"w": normal(dirs, rows, FEATURES), "r": normal(dirs, rows, HIDDEN)}
    arrays |= {"b": normal(dirs, 2 * rows)} if given.get("bias") else {}
    arrays |= {name: normal(dirs, BATCH, HIDDEN) for name in states} if given.get("initial") else {}
    arrays |= {"p": normal(dirs, 3 * HIDDEN)} if given.get("peepholes") else {}
    return fed, arrays


def check(kind: type[Recurrent], direction: str, lengths: bool = False, attributes: Any = None, **given: bool) -> None:
    """Check every output of one operator against onnxruntime."""
    fed, arrays = drawn(kind, direction, **given)
    x = unroll.placeholder([TIME, BATCH, FEATURES], "x")
    fed_lengths = unroll.placeholder([BATCH], "lengths", "int32")
    options = {"hidden_size": HIDDEN, "direction": direction} | (attributes or {})
    outputs = CALLS[kind](x, sequence_lens=fed_lengths if lengths else None, **arrays, **options)
    graph = unroll.Graph([x, fed_lengths] if lengths else [x], list(outputs))
    feeds = {name: array for name, array in fed.items() if lengths or name == "x"}
    wanted = unroll.Session(graph).run(feeds)
    found = graph.run(feeds)
    for name, tensor in zip(graph.output_names, outputs, strict=True):
        assert tensor.shape == found[name].shape == wanted[name].shape
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("initial", [False, True])
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_numpy_meaning_is_onnxruntimes(
    kind: type[Recurrent], direction: str, lengths: bool, initial: bool, bias: bool
) -> None:
    check(kind, direction, lengths, bias=bias, initial=initial)


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_gru_may_reset_after_the_product(direction: str, lengths: bool) -> None:
    check(GRU, direction, lengths, {"linear_before_reset": True}, bias=True, initial=True)


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_an_lstms_gates_may_see_the_cell_state(direction: str, lengths: bool) -> None:
    check(LSTM, direction, lengths, bias=True, initial=True, peepholes=True)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_activation_is_onnxruntimes(kind: type[Recurrent], direction: str, name: str) -> None:
    names = (name,) * len(kind.default_activations) * (2 if direction == "bidirectional" else 1)
    alphas = tuple(0.3 + 0.01 * place for place in range(len(names))) if ACTIVATIONS[name].parameters > 0 else None
    betas = tuple(0.6 + 0.01 * place for place in range(len(names))) if ACTIVATIONS[name].parameters > 1 else None
    given = {"activations": names, "activation_alpha": alphas, "activation_beta": betas}
    check(kind, direction, False, given, bias=True)


@pytest.mark.parametrize("name", [name for name, item in ACTIVATIONS.items() if item.defaults])
def test_parameters_that_onnx_has_defaults_for_may_be_left_out(name: str) -> None:
    check(LSTM, "forward", False, {"activations": (name, "Tanh", name)}, bias=True)


def test_parameters_are_taken_by_those_activations_alone_that_have_them() -> None:
    names, alpha, beta = ("HardSigmoid", "Tanh", "Affine"), (0.3, 0.7), (0.4, 0.1)
    check(LSTM, "forward", False, {"activations": names, "activation_alpha": alpha, "activation_beta": beta}, bias=True)


def test_one_step_of_an_lstm_is_the_formula_by_hand() -> None:
    """X, all weights and both states one; gates i, o, f, c; no bias: every preactivation is 2."""
    ones = np.ones((1, 4, 1), "float32")
    state = np.ones((1, 1, 1), "float32")
    x = unroll.placeholder([1, 1, 1], "x")
    y, _, c = ops.lstm(x, ones, ones, None, None, state, state, hidden_size=1)
    found = unroll.Graph([x], {"y": y, "c": c}).run({"x": state})
    gate = 1 / (1 + np.exp(-2))
    cell = gate * 1 + gate * np.tanh(2)
    np.testing.assert_allclose(found["c"], [[[cell]]], rtol=1e-6)
    np.testing.assert_allclose(found["y"], [[[[gate * np.tanh(cell)]]]], rtol=1e-6)


def test_past_a_rows_length_the_output_is_zero_and_the_reverse_direction_starts_there() -> None:
    fed, arrays = drawn(GRU, "reverse", bias=True)
    x = unroll.placeholder([TIME, 1, FEATURES], "x")
    whole = unroll.placeholder([2, 1, FEATURES], "short")
    options = {"hidden_size": HIDDEN, "direction": "reverse"}
    y, y_h = ops.gru(x, sequence_lens=np.array([2], "int32"), **arrays, **options)
    wanted, wanted_h = ops.gru(whole, **arrays, **options)
    rows = fed["x"][:, :1]
    found = unroll.Graph([x], {"y": y, "h": y_h}).run({"x": rows})
    short = unroll.Graph([whole], {"y": wanted, "h": wanted_h}).run({"short": rows[:2]})
    assert not found["y"][2:].any()
    np.testing.assert_array_equal(found["y"][:2], short["y"])
    np.testing.assert_array_equal(found["h"], short["h"])


@pytest.mark.parametrize(
    ("make", "builtin", "fragments"),
    [
        (lambda: LSTM(3, direction="backward"), ValueError, ["backward", "reverse", "LSTM"]),
        (lambda: LSTM(3, activations=("Tanh",)), ValueError, ["1 activations", "3 are wanted"]),
        (lambda: GRU(3, "bidirectional", ("Sigmoid", "Tanh")), ValueError, ["2 activations", "4 are wanted"]),
        (lambda: RNN(3, activations=("Gelu",)), NotImplementedError, ["Gelu", "Softsign"]),
        (lambda: RNN(3, activations=("Affine",)), ValueError, ["Affine", "activation_alpha"]),
        (lambda: GRU(3, linear_before_reset=2), ValueError, ["linear_before_reset"]),
    ],
)
def test_attributes_that_are_none_are_refused(make: Any, builtin: type[Exception], fragments: list[str]) -> None:
    refused(make, builtin, *fragments)


@pytest.mark.parametrize(
    ("changed", "fragments"),
    [
        ({"w": (1, 9, 2)}, ["axis 1 of W", "9", "12"]),
        ({"r": (1, 12, 2)}, ["axis 2 of R"]),
        ({"b": (1, 12)}, ["axis 1 of B", "12", "24"]),
        ({"initial_h": (2, 3, 3)}, ["axis 0 of initial_h"]),
        ({"initial_c": (1, 3)}, ["initial_c", "rank 3"]),
        ({"p": (1, 12)}, ["axis 1 of P"]),
        ({"x": (4, 3)}, ["(time, batch, input)"]),
    ],
)
def test_shapes_that_do_not_fit_are_refused(changed: dict[str, Any], fragments: list[str]) -> None:
    shapes = {"x": (4, 3, 2), "w": (1, 12, 2), "r": (1, 12, 3)} | changed
    tensors = {name: unroll.placeholder(list(shape), name) for name, shape in shapes.items()}
    refused(lambda: ops.lstm(**tensors, hidden_size=3), ValueError, "LSTM", *fragments)


# -- Scan -------------------------------------------------------------------------------------------------------------


def scan_graph(input_back: list[bool], output_back: list[bool]) -> unroll.Graph:
    """A recurrence of two states over two inputs, with a weight and a bias from outside, and two stacks."""
    names = {"h": [None, 3], "count": [], "x": [None, 2], "scale": [], "w": [5, 3], "b": [3]}
    inner = {name: unroll.placeholder(shape, name) for name, shape in names.items()}
    joined = ops.concat([inner["x"], inner["h"]], 1)
    h = ops.tanh(joined @ inner["w"] + inner["b"] * inner["scale"])
    body = unroll.Graph(list(inner.values()), [h, inner["count"] + 1, h * 2, inner["count"]])
    x, scale = unroll.placeholder([4, None, 2], "xs"), unroll.placeholder([4], "scales")
    h0 = unroll.placeholder([None, 3], "h0")
    w = unroll.Parameter(np.random.default_rng(0).normal(size=(5, 3)).astype("float32"), "w")
    states, shared = [h0, unroll.constant(0.0)], [w, unroll.constant([1.0, 2.0, 3.0])]
    results = ops.scan(body, states, [x, scale], shared, input_directions=input_back, output_directions=output_back)
    return unroll.Graph([x, scale, h0], dict(zip(("h", "count", "hs", "counts"), results, strict=True)))


SCAN_FEEDS = {
    "xs": np.random.default_rng(1).normal(size=(4, 2, 2)).astype("float32"),
    "scales": np.array([0.1, -0.2, 0.3, 0.4], "float32"),
    "h0": np.random.default_rng(2).normal(size=(2, 3)).astype("float32"),
}
BACK = [[False, False], [True, False], [False, True], [True, True]]


@pytest.mark.parametrize("output_back", BACK, ids=str)
@pytest.mark.parametrize("input_back", BACK, ids=str)
def test_a_scan_is_onnxruntimes_in_every_direction(input_back: list[bool], output_back: list[bool]) -> None:
    graph = scan_graph(input_back, output_back)
    model = unroll.to_onnx(graph)
    onnx.checker.check_model(model, full_check=True)
    found, wanted = graph.run(SCAN_FEEDS), unroll.Session(model).run(SCAN_FEEDS)
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-6, err_msg=name)
    assert found["count"] == 4
    assert found["counts"].tolist() == ([3, 2, 1, 0] if output_back[1] else [0, 1, 2, 3])


def test_a_scan_is_the_loop_over_its_body() -> None:
    graph = scan_graph([False, True], [False, False])
    (node,) = [node for node in graph.nodes if node.op.name == "Scan"]
    body, h, count = node.op.body, SCAN_FEEDS["h0"], np.float32(0)  # type: ignore[attr-defined]
    w, b = graph.parameters["w"].value, np.array([1, 2, 3], "float32")
    for step in range(4):
        row = {"x": SCAN_FEEDS["xs"][step], "scale": SCAN_FEEDS["scales"][3 - step]}
        h, count, *_ = body.run({"h": h, "count": count, "w": w, "b": b, **row}, list(body.outputs))
    np.testing.assert_allclose(graph.run(SCAN_FEEDS)["h"], h, rtol=1e-6)


def test_what_a_scan_shares_is_written_as_a_name_of_the_graph_outside() -> None:
    model = unroll.to_onnx(scan_graph([False, False], [False, False]))
    (node,) = [node for node in model.graph.node if node.op_type == "Scan"]
    assert len(node.input) == 4
    body = next(helper.get_attribute_value(item) for item in node.attribute if item.name == "body")
    assert [item.name.rsplit("/", 1)[1] for item in body.input] == ["h", "count", "x", "scale"]
    assert "w" in {name for inner in body.node for name in inner.input}
    assert [item.name for item in model.graph.initializer].count("w") == 1


def test_a_parameter_of_a_scan_can_be_assigned() -> None:
    graph = scan_graph([False, False], [False, False])
    graph.parameters["w"].assign(np.zeros((5, 3)))
    wanted = np.tanh(np.array([1, 2, 3]) * 0.4) * 2
    np.testing.assert_allclose(graph.run(SCAN_FEEDS)["hs"][3], [wanted, wanted], rtol=1e-5)
    np.testing.assert_allclose(unroll.Session(graph).run(SCAN_FEEDS)["hs"][3], [wanted, wanted], rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "builtin", "fragments"),
    [
        (lambda a: a | {"inputs": []}, ValueError, ["Scan", "0 scan inputs"]),
        (lambda a: a | {"states": []}, ValueError, ["Scan", "0 states"]),
        (lambda a: a | {"states": [unroll.placeholder([2], "s", "float64")]}, TypeError, ["float64", "before"]),
        (lambda a: a | {"states": [unroll.placeholder([3], "s")]}, ValueError, ["axis 0", "'before'"]),
        (lambda a: a | {"inputs": [unroll.placeholder([2], "x")]}, ValueError, ["rank"]),
    ],
)
def test_what_does_not_fit_the_body_is_refused(change: Any, builtin: type[Exception], fragments: list[str]) -> None:
    before, row = unroll.placeholder([2], "before"), unroll.placeholder([2], "row")
    body = unroll.Graph([before, row], [before + row])
    given = {"states": [unroll.placeholder([2], "s")], "inputs": [unroll.placeholder([5, 2], "x")]}
    refused(lambda: ops.scan(body, **change(given)), builtin, *fragments)


def test_a_body_that_reads_a_parameter_itself_is_refused_with_the_fix() -> None:
    before, row = unroll.placeholder([2], "before"), unroll.placeholder([2], "row")
    body = unroll.Graph([before, row], [before * unroll.Parameter(np.ones(2, "float32"), "scale") + row])
    tensors = [unroll.placeholder([2], "s")], [unroll.placeholder([5, 2], "x")]
    refused(lambda: ops.scan(body, *tensors), ValueError, "scale", "shared")
