"""Re-rolling: flat graphs come back as LSTM, GRU, RNN or Scan, from structure alone, and compute what they did."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import refused
from reroll_checks import BATCH, FEATURES, TOLERANCE, UNITS, Graph, assign, check_rerolled, feeds_of, operators

import unroll
from unroll import cells, layers, nn, ops
from unroll.passes import fold_zeros
from unroll.passes.rerolling import reroll

TIMES = (2, 3, 7, 28)


def check_native(graph: Graph, *wanted: str) -> None:
    """Check that a graph becomes these operators, with no product left over."""
    found, report = check_rerolled(graph)
    assert report.operators == list(wanted), report
    left = operators(found)
    assert not left["MatMul"] + left["Gemm"] + left["Scan"], left


def dynamic(cell: Any, time: int, lengths: bool = False, initial: bool = False, **options: Any) -> Graph:
    """A cell over one tensor; all outputs and the last state."""
    x = unroll.placeholder([None, time, FEATURES], "x")
    fed: list[Any] = [x]
    if lengths:
        options["sequence_length"] = unroll.placeholder([None], "lengths", "int32")
        fed.append(options["sequence_length"])
    if initial:
        sizes = unroll.nest.flatten(cell.state_size)
        states = [unroll.placeholder([None, size], f"state{place}") for place, size in enumerate(sizes)]
        options["initial_state"] = unroll.nest.pack(cell.state_size, states)
        fed += states
    outputs, state = unroll.dynamic_rnn(cell, x, **options)
    last = {f"last{place}": tensor for place, tensor in enumerate(unroll.nest.flatten(state))}
    return Graph(fed, {"outputs": outputs} | last)


#: TensorFlow's cells that are native operators, and which.
TENSORFLOW: dict[str, tuple[str, Callable[[], Any]]] = {
    "BasicRNNCell": ("RNN", lambda: unroll.BasicRNNCell(UNITS)),
    "BasicRNNCell relu": ("RNN", lambda: unroll.BasicRNNCell(UNITS, activation="relu")),
    "BasicRNNCell linear": ("RNN", lambda: unroll.BasicRNNCell(UNITS, activation="linear")),
    "BasicRNNCell softsign": ("RNN", lambda: unroll.BasicRNNCell(UNITS, activation="softsign")),
    "BasicLSTMCell": ("LSTM", lambda: unroll.BasicLSTMCell(UNITS)),
    "BasicLSTMCell relu": ("LSTM", lambda: unroll.BasicLSTMCell(UNITS, activation="relu", forget_bias=0.5)),
    "BasicLSTMCell linear": ("LSTM", lambda: unroll.BasicLSTMCell(UNITS, activation="linear")),
    "LSTMCell": ("LSTM", lambda: unroll.LSTMCell(UNITS)),
    "LSTMCell peepholes": ("LSTM", lambda: unroll.LSTMCell(UNITS, use_peepholes=True)),
    "GRUCell": ("GRU", lambda: unroll.GRUCell(UNITS)),
    "GRUCell elu": ("GRU", lambda: unroll.GRUCell(UNITS, activation="elu")),
}
#: Keras's layers, likewise.
KERAS: dict[str, tuple[str, Callable[..., Any]]] = {
    "SimpleRNN": ("RNN", lambda **k: layers.SimpleRNN(UNITS, **k)),
    "SimpleRNN leaky": ("RNN", lambda **k: layers.SimpleRNN(UNITS, activation="leaky_relu", **k)),
    "LSTM": ("LSTM", lambda **k: layers.LSTM(UNITS, **k)),
    "LSTM hard": ("LSTM", lambda **k: layers.LSTM(UNITS, recurrent_activation="hard_sigmoid", **k)),
    "LSTM no bias": ("LSTM", lambda **k: layers.LSTM(UNITS, use_bias=False, **k)),
    "GRU": ("GRU", lambda **k: layers.GRU(UNITS, **k)),
    "GRU before": ("GRU", lambda **k: layers.GRU(UNITS, reset_after=False, **k)),
}
#: PyTorch's modules, likewise.
TORCH: dict[str, tuple[str, Callable[..., Any]]] = {
    "RNN": ("RNN", lambda **k: nn.RNN(FEATURES, UNITS, **k)),
    "RNN relu": ("RNN", lambda **k: nn.RNN(FEATURES, UNITS, nonlinearity="relu", **k)),
    "LSTM": ("LSTM", lambda **k: nn.LSTM(FEATURES, UNITS, **k)),
    "LSTM no bias": ("LSTM", lambda **k: nn.LSTM(FEATURES, UNITS, bias=False, **k)),
    "GRU": ("GRU", lambda **k: nn.GRU(FEATURES, UNITS, **k)),
}


# -- TensorFlow -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize(("lengths", "initial"), [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("name", TENSORFLOW)
def test_tensorflows_cells_come_back_as_native_operators(name: str, lengths: bool, initial: bool, time: int) -> None:
    op, cell = TENSORFLOW[name]
    check_native(dynamic(cell(), time, lengths, initial), op)


@pytest.mark.parametrize("time", [4, 7, 28])
@pytest.mark.parametrize("name", TENSORFLOW)
def test_a_first_step_simplified_for_a_zero_state_is_the_base_case(name: str, time: int) -> None:
    op, cell = TENSORFLOW[name]
    check_native(fold_zeros(dynamic(cell(), time)), op)


#: What of a network is read, by how the outputs and the state of each step make it.
READ: dict[str, Callable[[list[Any], Any], Any]] = {
    "every output": lambda outputs, state: {f"y{step}": tensor for step, tensor in enumerate(outputs)},
    "last output": lambda outputs, state: {"y": outputs[-1]},
    "last state": lambda outputs, state: {f"s{k}": part for k, part in enumerate(unroll.nest.flatten(state))},
    "middle outputs": lambda outputs, state: {"y": outputs[len(outputs) // 2] * 2, "first": outputs[0] + 1, "s": state},
    "a dense layer over each": lambda outputs, state: {
        "y": ops.stack([ops.relu(y @ _dense()) for y in outputs], 0),
        "s": state,
    },
}


def _dense() -> unroll.Parameter:
    return _DENSE


_DENSE = unroll.Parameter(np.ones((UNITS, 2), "float32"), "dense")


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("read", [name for name in READ if name != "a dense layer over each"])
@pytest.mark.parametrize("name", ["BasicRNNCell", "LSTMCell peepholes", "GRUCell"])
def test_whatever_is_read_of_separate_inputs_is_given(name: str, read: str, time: int) -> None:
    op, cell = TENSORFLOW[name]
    inputs = [unroll.placeholder([None, FEATURES], f"X{step}") for step in range(time)]
    outputs, state = unroll.static_rnn(cell(), inputs)
    graph = Graph(inputs, READ[read](outputs, state))
    _, report = check_rerolled(graph)
    assert report.operators == [op]
    assert report.found[0].steps == time


@pytest.mark.parametrize("name", ["BasicRNNCell", "BasicLSTMCell", "GRUCell"])
def test_a_dense_layer_over_each_output_is_computed_over_all_at_once(name: str) -> None:
    op, cell = TENSORFLOW[name]
    inputs = [unroll.placeholder([None, FEATURES], f"X{step}") for step in range(9)]
    outputs, state = unroll.static_rnn(cell(), inputs)
    found, report = check_rerolled(Graph(inputs, READ["a dense layer over each"](outputs, state)))
    assert report.operators == [op]
    assert operators(found)["MatMul"] == 1


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("time", TIMES)
def test_each_layer_of_a_stack_is_rerolled(time: int, lengths: bool) -> None:
    stack = unroll.MultiRNNCell([unroll.BasicLSTMCell(5), unroll.GRUCell(UNITS), unroll.BasicRNNCell(2)])
    check_native(dynamic(stack, time, lengths), "LSTM", "GRU", "RNN")


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("name", ["BasicRNNCell", "BasicLSTMCell", "LSTMCell peepholes", "GRUCell"])
def test_two_directions_become_one_bidirectional_operator(name: str, lengths: bool, time: int) -> None:
    op, cell = TENSORFLOW[name]
    x = unroll.placeholder([None, time, FEATURES], "x")
    fed = [x, unroll.placeholder([None], "lengths", "int32")] if lengths else [x]
    given = fed[1] if lengths else None
    outputs, states = unroll.bidirectional_dynamic_rnn(cell(), cell(), x, sequence_length=given)
    graph = Graph(fed, {"y": ops.concat(list(outputs), -1), "first": states[0], "second": states[1]})
    check_native(graph, op, op)
    (node,) = [node for node in reroll(graph)[0].nodes if node.op.name == op]
    assert node.op.attributes["direction"] == "bidirectional"


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("read", ["both", "backward"])
@pytest.mark.parametrize("name", ["BasicRNNCell", "LSTMCell peepholes", "GRUCell"])
def test_two_directions_over_separate_inputs_are_rerolled(name: str, read: str, lengths: bool) -> None:
    op, cell = TENSORFLOW[name]
    inputs = [unroll.placeholder([None, FEATURES], f"X{step}") for step in range(5)]
    fed = [*inputs, unroll.placeholder([None], "lengths", "int32")] if lengths else inputs
    given = fed[-1] if lengths else None
    outputs, first, second = unroll.static_bidirectional_rnn(
        cell(), cell(), inputs, dtype="float32", sequence_length=given
    )
    both = {"y": ops.stack(outputs, 1), "first": first, "second": second}
    behind = {f"y{step}": output[:, UNITS:] for step, output in enumerate(outputs)} | {"second": second}
    check_native(Graph(fed, both if read == "both" else behind), *([op, op] if read == "both" else [op]))


@pytest.mark.parametrize("per_run", [1, 2, 3])
@pytest.mark.parametrize("lengths", [False, True])
def test_two_directions_may_be_two_scans(lengths: bool, per_run: int) -> None:
    x = unroll.placeholder([None, 6, FEATURES], "x")
    fed = [x, unroll.placeholder([None], "lengths", "int32")] if lengths else [x]
    cells_ = unroll.LSTMCell(UNITS, cell_clip=0.5), unroll.GRUCell(UNITS)
    outputs, states = unroll.bidirectional_dynamic_rnn(*cells_, x, sequence_length=fed[1] if lengths else None)
    graph = Graph(fed, {"y": ops.concat(list(outputs), -1), "first": states[0], "second": states[1]})
    _, report = check_rerolled(graph, native=False, steps_per_iteration=per_run)
    assert report.operators == ["Scan", "Scan"]


def test_a_state_taken_from_past_a_rows_length_is_not_taken_from_an_operator() -> None:
    """The decoder starts from the encoder's unmasked h: an operator has zeros there past the end of a row."""
    lengths = unroll.placeholder([BATCH], "lengths", "int32")
    inputs = [unroll.placeholder([BATCH, FEATURES], f"x{step}") for step in range(4)]
    zero = unroll.constant(np.zeros((BATCH, UNITS), "float32"))
    encoder, decoder = unroll.BasicRNNCell(UNITS, name="encoder"), unroll.BasicRNNCell(UNITS, name="decoder")

    def masked(cell: Any, h: Any) -> Any:
        for step, x in enumerate(inputs):
            _, new = cell(x, h)
            h = ops.where(ops.unsqueeze(ops.less(unroll.constant(np.int32(step)), lengths), [1]), new, h)
        return new, h

    unmasked, kept = masked(encoder, zero)
    _, last = masked(decoder, unmasked)
    _, report = check_rerolled(Graph([*inputs, lengths], {"last": last, "kept": kept}))
    assert report.operators == ["Scan", "RNN"]


def test_two_directions_that_differ_become_one_operator_each() -> None:
    x = unroll.placeholder([None, 5, FEATURES], "x")
    cells_ = unroll.BasicLSTMCell(UNITS), unroll.BasicLSTMCell(UNITS + 1)
    outputs, _ = unroll.bidirectional_dynamic_rnn(*cells_, x)
    found, _ = check_rerolled(Graph([x], list(outputs)))
    directions = {node.op.attributes["direction"] for node in found.nodes if node.op.name == "LSTM"}
    assert directions == {"forward", "reverse"}


# -- Keras and PyTorch ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", KERAS)
def test_keras_layers_come_back_as_native_operators(name: str, backward: bool, sequences: bool, time: int) -> None:
    op, layer = KERAS[name]
    x = unroll.placeholder([None, time, FEATURES], "x")
    made = layer(go_backwards=backward, return_sequences=sequences, return_state=True)(x)
    check_native(Graph([x], {f"y{place}": tensor for place, tensor in enumerate(made)}), op)


@pytest.mark.parametrize("merge", ["concat", "sum", None])
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU", "GRU before"])
def test_a_keras_bidirectional_is_one_operator(name: str, merge: str | None) -> None:
    op, layer = KERAS[name]
    x = unroll.placeholder([None, 5, FEATURES], "x")
    made = layers.Bidirectional(layer(return_sequences=True), merge_mode=merge)(x)
    check_native(Graph([x], list(made) if merge is None else [made]), op, op)


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize(
    "deep", [{}, {"num_layers": 2}, {"bidirectional": True}, {"num_layers": 2, "bidirectional": True}]
)
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("name", TORCH)
def test_pytorchs_modules_come_back_as_native_operators(
    name: str, lengths: bool, deep: dict[str, Any], time: int
) -> None:
    op, module = TORCH[name]
    x = unroll.placeholder([time, "batch", FEATURES], "x")
    fed = [x, unroll.placeholder(["batch"], "lengths", "int64")] if lengths else [x]
    outputs, states = module(**deep)(x, lengths=fed[1] if lengths else None)
    graph = Graph(fed, {"y": outputs} | {f"s{k}": part for k, part in enumerate(unroll.nest.flatten(states))})
    check_native(graph, *[op] * deep.get("num_layers", 1) * (2 if "bidirectional" in deep else 1))


# -- written by hand --------------------------------------------------------------------------------------------------


def _lstm_by_hand(order: str, joined: bool, swapped: bool, time: int = 5) -> Graph:
    """An LSTM whose gates lie in any order, with one kernel or eight, and sums and products written either way."""
    inputs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(time)]
    size = 4 * UNITS if joined else UNITS
    names = ["all"] if joined else list(order)
    wx = {name: unroll.Parameter(np.zeros((FEATURES, size), "float32"), f"wx_{name}") for name in names}
    wh = {name: unroll.Parameter(np.zeros((UNITS, size), "float32"), f"wh_{name}") for name in names}
    bias = {name: unroll.Parameter(np.zeros(size, "float32"), f"b_{name}") for name in names}
    h, c = unroll.placeholder([None, UNITS], "h0"), unroll.placeholder([None, UNITS], "c0")
    fed, outputs = [*inputs, h, c], []

    def both(one: Any, two: Any, op: Any) -> Any:
        return op(two, one) if swapped else op(one, two)

    for x in inputs:
        z = {n: both(ops.matmul(x, wx[n]) + bias[n], ops.matmul(h, wh[n]), ops.add) for n in names}
        gates = dict(zip(order, ops.split(z["all"], 4, axis=1), strict=True)) if joined else z
        i, f, o = (ops.sigmoid(gates[gate]) for gate in "ifo")
        c = both(ops.mul(f, c), both(i, ops.tanh(gates["g"]), ops.mul), ops.add)
        h = both(o, ops.tanh(c), ops.mul)
        outputs.append(h)
    return Graph(fed, {"y": ops.stack(outputs, 0), "last": c})


@pytest.mark.parametrize("order", ["".join(order) for order in itertools.permutations("ifog")])
def test_the_gates_of_an_lstm_may_lie_in_any_order(order: str) -> None:
    check_native(_lstm_by_hand(order, joined=True, swapped=order < "g"), "LSTM")


@pytest.mark.parametrize("swapped", [False, True])
def test_the_kernels_of_an_lstm_may_be_eight(swapped: bool) -> None:
    check_native(_lstm_by_hand("ifog", joined=False, swapped=swapped), "LSTM")


#: Ways of writing ``h' = z * h + (1 - z) * n``, and with the other gate ``z' = 1 - z``.
BLENDS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "z h + (1 - z) n": lambda z, h, n: z * h + (1 - z) * n,
    "(1 - z) n + z h": lambda z, h, n: (1 - z) * n + z * h,
    "n + z (h - n)": lambda z, h, n: n + z * (h - n),
    "n - z n + h z": lambda z, h, n: n - z * n + h * z,
    "(1 - z) h + z n": lambda z, h, n: (1 - z) * h + z * n,
    "h + z (n - h)": lambda z, h, n: h + (n - h) * z,
    "h - z (h - n)": lambda z, h, n: h - z * (h - n),
}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("blend", BLENDS)
def test_a_gru_is_recognised_however_its_sum_is_written(blend: str, after: bool) -> None:
    inputs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(5)]
    wx, wh = (unroll.Parameter(np.zeros((rows, 3 * UNITS), "float32"), f"w{rows}") for rows in (FEATURES, UNITS))
    b, rb = (unroll.Parameter(np.zeros(3 * UNITS, "float32"), name) for name in ("b", "rb"))
    h = unroll.placeholder([None, UNITS], "h0")
    fed = [*inputs, h]
    for x in inputs:
        r, z, n = ops.split(x @ wx + b, 3, axis=-1)
        hr, hz, hn = ops.split(h @ wh + rb, 3, axis=-1)
        r, z = ops.sigmoid(hr + r), ops.sigmoid(z + hz)
        of_h = r * hn if after else (h * r) @ wh[:, 2 * UNITS :]
        h = BLENDS[blend](z, h, ops.tanh(of_h + n))
    check_native(Graph(fed, {"h": h}), "GRU")


def test_weights_may_be_transposed_and_products_gemms() -> None:
    inputs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(5)]
    wx, wh = (unroll.Parameter(np.zeros((UNITS, rows), "float32"), f"w{rows}") for rows in (FEATURES, UNITS))
    b = unroll.Parameter(np.zeros(UNITS, "float32"), "b")
    h: Any = unroll.constant(np.zeros((BATCH, UNITS), "float32"))
    inputs = [unroll.placeholder([BATCH, FEATURES], f"x{step}") for step in range(5)]
    for x in inputs:
        h = ops.tanh(ops.gemm(h, wh, ops.gemm(x, wx, b, transB=True), transB=True))
    check_native(Graph(inputs, {"h": h}), "RNN")


def test_steps_cut_from_an_image_by_rows_are_the_image() -> None:
    pixels = unroll.placeholder([None, 4 * FEATURES], "pixels")
    rows = ops.split(ops.reshape(ops.transpose(ops.reshape(pixels, [-1, 4, FEATURES]), [1, 0, 2]), [-1, FEATURES]), 4)
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(UNITS), list(rows))
    found, report = check_rerolled(Graph([pixels], {"y": outputs[-1]}))
    assert report.operators == ["LSTM"]
    assert not operators(found)["Split"]


# -- Scan -------------------------------------------------------------------------------------------------------------

#: Cells that are no native operator.
OTHERS: dict[str, Callable[[], Any]] = {
    "cell_clip": lambda: unroll.LSTMCell(UNITS, cell_clip=0.3),
    "num_proj": lambda: unroll.LSTMCell(UNITS, num_proj=2),
    "proj_clip": lambda: unroll.LSTMCell(UNITS, num_proj=2, proj_clip=0.1, use_peepholes=True),
    "gelu": lambda: unroll.BasicRNNCell(UNITS, activation="gelu"),
    "UGRNNCell": lambda: cells.UGRNNCell(UNITS),
    "NASCell": lambda: cells.NASCell(UNITS),
    "IntersectionRNNCell": lambda: cells.IntersectionRNNCell(FEATURES),
    "MinimalRNNCell": lambda: cells.MinimalRNNCell(UNITS),
    "CoupledInputForgetGateLSTMCell": lambda: cells.CoupledInputForgetGateLSTMCell(UNITS),
    "LayerNormBasicLSTMCell": lambda: cells.LayerNormBasicLSTMCell(UNITS),
    "SRUCell": lambda: cells.SRUCell(UNITS),
    "IndRNNCell": lambda: cells.IndRNNCell(UNITS),
    "SLSTMCell": lambda: cells.SLSTMCell(UNITS),
    "SLSTMCell of two heads": lambda: cells.SLSTMCell(UNITS, num_heads=2, forget_activation="exp"),
    "IndyLSTMCell": lambda: cells.IndyLSTMCell(UNITS),
    "IndyGRUCell": lambda: cells.IndyGRUCell(UNITS),
}


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("time", [7, 28])
@pytest.mark.parametrize("name", OTHERS)
def test_any_other_cell_becomes_a_scan_and_the_report_says_why(name: str, time: int, lengths: bool) -> None:
    graph = dynamic(OTHERS[name](), time, lengths)
    found, report = check_rerolled(graph)
    assert set(report.operators) == {"Scan"}, report
    assert len(found.nodes) < len(graph.nodes) / 2
    (item, *_) = report
    node = item.reason.split(": ")[0]
    assert item.reason and any(node in name for name in graph.names.nodes.values()), item.reason


@pytest.mark.parametrize("time", [4, 7, 8])
@pytest.mark.parametrize("per_run", [1, 2, 3])
@pytest.mark.parametrize("name", ["BasicRNNCell", "BasicLSTMCell", "GRUCell"])
def test_a_scan_may_compute_several_steps_in_one_run(name: str, per_run: int, time: int) -> None:
    found, report = check_rerolled(dynamic(TENSORFLOW[name][1](), time), native=False, steps_per_iteration=per_run)
    assert report.operators == ["Scan"]
    assert report.found[0].steps == time - time % per_run
    (node,) = [node for node in found.nodes if node.op.name == "Scan"]
    products = [inner for inner in node.op.body.nodes if inner.op.name == "MatMul"]  # type: ignore[attr-defined]
    assert len(products) % per_run == 0


def test_float64_becomes_a_scan_as_onnxruntime_has_no_native_operator_for_it() -> None:
    x = unroll.placeholder([None, 5, FEATURES], "x", "float64")
    outputs, _ = unroll.dynamic_rnn(unroll.BasicLSTMCell(UNITS), x)
    _, report = check_rerolled(Graph([x], {"y": outputs}))
    assert report.operators == ["Scan"] and "float32" in report.found[0].reason


def test_a_gate_read_outside_makes_a_scan_that_gives_it() -> None:
    inputs = [unroll.placeholder([None, FEATURES], f"X{step}") for step in range(6)]
    cell = unroll.BasicLSTMCell(UNITS)
    outputs, _ = unroll.static_rnn(cell, inputs)
    gate = next(node for node in Graph(inputs, outputs).nodes if node.op.name == "Sigmoid").outputs[0]
    _, report = check_rerolled(Graph(inputs, {"y": outputs[-1], "gate": gate}))
    assert report.operators == ["Scan"] and "outside" in report.found[0].reason


# -- what is promised of any pass -------------------------------------------------------------------------------------


def test_a_graph_without_a_recurrence_is_given_back_as_it_is() -> None:
    x = unroll.placeholder([None, FEATURES], "x")
    w = unroll.Parameter(np.ones((FEATURES, FEATURES), "float32"), "w")
    graph = Graph([x], ops.tanh(ops.tanh(x @ w) @ w[::-1]))
    found, report = reroll(graph)
    assert found is graph and not report
    assert str(report) == "no recurrence was found: " + report.note
    assert "no weight is used by two products" in report.note


def test_with_neither_native_operators_nor_scan_the_graph_is_left_and_the_report_says_so() -> None:
    graph = dynamic(unroll.LSTMCell(UNITS, cell_clip=1.0), 5)
    found, report = reroll(graph, scan=False)
    assert found is graph and not report
    (item,) = report.left
    assert item.steps == 5 and item.scope == "rnn/lstm_cell"
    assert "Clip" in item.reason and "Scan was not asked for" in item.reason


def test_a_step_with_another_weight_is_left_out_of_the_loop() -> None:
    inputs = [unroll.placeholder([None, FEATURES], f"X{step}") for step in range(9)]
    one, two = unroll.BasicRNNCell(UNITS, name="one"), unroll.BasicRNNCell(UNITS, name="two")
    h: Any = unroll.placeholder([None, UNITS], "h0")
    fed = [*inputs, h]
    for step, x in enumerate(inputs):
        _, h = (two if step == 4 else one)(x, h)
    found, report = check_rerolled(Graph(fed, {"h": h}))
    assert sorted(item.steps for item in report) == [4, 4]
    assert report.operators == ["RNN", "RNN"] and operators(found)["MatMul"] == 1


def test_an_input_computed_from_the_output_before_it_otherwise_each_time_is_no_loop() -> None:
    """Each step reads what another network, of other weights each time, makes of the output before."""
    cell = unroll.BasicRNNCell(UNITS)
    x: Any = unroll.placeholder([None, FEATURES], "x")
    h: Any = unroll.placeholder([None, UNITS], "h0")
    fed = [x, h]
    for step in range(5):
        _, h = cell(x, h)
        x = ops.tanh(h @ unroll.Parameter(np.ones((UNITS, FEATURES), "float32"), f"w{step}"))
    graph = Graph(fed, {"h": h})
    found, report = check_rerolled(graph)
    assert found is graph and not report


def test_names_states_and_limits_stay() -> None:
    x, lengths = unroll.placeholder([None, 5, FEATURES], "x"), unroll.placeholder([None], "lengths", "int32")
    h0 = unroll.placeholder([None, UNITS], "h0")
    outputs, state = unroll.dynamic_rnn(unroll.GRUCell(UNITS), x, sequence_length=lengths, initial_state=h0)
    graph = Graph([x, lengths], {"y": outputs}, states={h0: state})
    found, report = check_rerolled(graph)
    assert report.operators == ["GRU"]
    assert found.states == graph.states
    assert found.input_specs == graph.input_specs
    refused(lambda: found.run(feeds_of(graph) | {"lengths": [6, 0, 0]}), ValueError, "lengths")


def test_the_operator_keeps_the_provenance_of_every_node_it_stands_for() -> None:
    graph = dynamic(unroll.BasicLSTMCell(UNITS), 5)
    found, _ = reroll(graph)
    (node,) = [node for node in found.nodes if node.op.name == "LSTM"]
    wanted = {origin for old in graph.nodes for origin in old.provenance if origin.cell == "rnn/basic_lstm_cell"}
    assert wanted <= node.provenance
    assert {origin.gate for origin in node.provenance} >= {"i", "j", "f", "o"}
    assert {origin.step for origin in node.provenance} >= set(range(5))


def test_a_parameter_assigned_afterwards_still_counts() -> None:
    graph = dynamic(unroll.BasicLSTMCell(UNITS), 5)
    found, _ = reroll(graph)
    assert set(found.parameters) == set(graph.parameters)
    assign(graph, seed=7)
    feeds = feeds_of(graph)
    np.testing.assert_allclose(found.run(feeds)["outputs"], graph.run(feeds)["outputs"], atol=TOLERANCE)


@pytest.mark.parametrize("wanted", [0, -1, 1.5, True, "2", None])
def test_a_number_of_steps_a_run_that_is_none_is_refused(wanted: Any) -> None:
    graph = dynamic(unroll.BasicRNNCell(UNITS), 2)
    refused(lambda: reroll(graph, steps_per_iteration=wanted), ValueError, "steps_per_iteration", repr(wanted))


def _time_to_reroll(steps: int, **options: Any) -> float:
    graph = dynamic(unroll.BasicLSTMCell(13), steps)
    start = time.perf_counter()
    _, report = reroll(graph, **options)
    assert report.found[0].steps == steps
    return time.perf_counter() - start


def test_ten_thousand_steps_are_rerolled_in_linear_time() -> None:
    """The bound is wide, as the machine may be busy: a quadratic pass would take 25 times as long for 5 times the steps."""
    fewer = min(_time_to_reroll(2000) for _ in range(2))
    more = _time_to_reroll(10_000)
    assert more < 12 * max(fewer, 0.3)
