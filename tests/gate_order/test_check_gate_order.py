"""Weights that were loaded in another framework's order of gates are found out, and the order is named: on the numbers that
PyTorch, Keras and TensorFlow themselves computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import Array, golden_arrays, golden_json
from keras_programs import CASES, arrays_of, weights_of
from nn_modules import golden, state_dict

import unroll
from unroll import layers, nn
from unroll.gate_order import expected


def torch_lstm(case_id: str) -> tuple[Array, Array, Array, Array]:
    """PyTorch's input ``(batch, steps, features)``, its output, and its weights as one kernel and one bias, in its order."""
    _, arrays = golden(case_id)
    weights = state_dict(arrays)
    kernel = np.concatenate([weights["weight_ih_l0"].T, weights["weight_hh_l0"].T])
    zeros = np.zeros(kernel.shape[1], kernel.dtype)
    bias = weights.get("bias_ih_l0", zeros) + weights.get("bias_hh_l0", zeros)
    x, y = ((arrays[name] if arrays[name].ndim == 3 else arrays[name][:, None]) for name in ("input", "output"))
    turn = (0, 1, 2) if "batch_first" in case_id and "unbatched" not in case_id else (1, 0, 2)
    return x.transpose(turn), y.transpose(turn), kernel, bias


def keras_case(case_id: str) -> tuple[Array, Array, list[Array]]:
    case = next(case for case in CASES if case["id"] == case_id)
    return arrays_of(case, case["calls"][0]["input"]), arrays_of(case, case["calls"][0]["outputs"])[0], weights_of(case)


def tensorflow_case(case_id: str) -> tuple[Array, Array, dict[str, Array]]:
    case = next(case for case in golden_json("tensorflow_rnn.json")["cases"] if case["id"] == case_id)
    arrays = golden_arrays("tensorflow_rnn.npz")
    x, y = (arrays[case["arrays"][name]].transpose(1, 0, 2) for name in ("inputs", "outputs"))
    weights = {"/".join(item["name"].split("/")[2:]): arrays[item["key"]] for item in case["variables"]}
    return x, y, weights


def made(cell: Any, features: int) -> Any:
    """A cell or layer that has its weights."""
    x = unroll.placeholder([None, 2, features], "x")
    if isinstance(cell, unroll.RNNCell):
        unroll.dynamic_rnn(cell, x)
    else:
        cell(x)
    return cell


TORCH = ["lstm-b1-t2", "lstm-batch_first=True-bias=False-unbatched-t7"]


@pytest.mark.parametrize("case_id", TORCH)
def test_pytorchs_columns_in_tensorflows_cell_are_named(case_id: str) -> None:
    x, y, kernel, bias = torch_lstm(case_id)
    cell = made(unroll.BasicLSTMCell(4), x.shape[-1])
    cell.set_weights(kernel, bias)
    versions = [item.version for item in cell.variables]
    found = unroll.check_gate_order(cell, x, y)
    assert not found and found.fits
    assert (found.best.order, found.best.forget_bias) == (("i", "f", "j", "o"), 0.0)
    assert found.best.error < 1e-6 and found.runner_up is not None and found.runner_up.error > 0.01
    assert "fits i, f, j, o, forget bias 0" in str(found) and "PyTorch's order i, f, g, o" in str(found)
    assert found.tried == 48
    assert [item.version for item in cell.variables] == versions  # nothing was assigned


@pytest.mark.parametrize("case_id", TORCH)
def test_a_cell_that_was_loaded_rightly_is_right(case_id: str) -> None:
    x, y, kernel, bias = torch_lstm(case_id)
    cell = made(unroll.BasicLSTMCell(4, forget_bias=0.0), x.shape[-1])
    cell.set_weights(kernel, bias, gate_order="ifgo")
    found = unroll.check_gate_order(cell, x, y)
    assert found and found.best.order == cell.gates
    assert "nothing is to be changed" in str(found)


def test_pytorchs_columns_in_a_keras_layer_are_right() -> None:
    x, y, kernel, bias = torch_lstm(TORCH[0])
    layer = made(layers.LSTM(4, return_sequences=True), x.shape[-1])
    layer.set_weights([kernel[:3], kernel[3:], bias])
    assert unroll.check_gate_order(layer, x, y)


def test_keras_columns_in_tensorflows_cell_are_named() -> None:
    x, y, (kernel, recurrent, bias) = keras_case("lstm-seq-b3-t7")
    cell = made(unroll.BasicLSTMCell(3, forget_bias=0.0), x.shape[-1])
    cell.set_weights(np.concatenate([kernel, recurrent]), bias)
    found = unroll.check_gate_order(cell, x, y)
    assert found.best.order == ("i", "f", "j", "o") and not found
    assert "Keras's order i, f, c, o" in str(found)


def test_tensorflows_columns_and_forget_bias_in_a_keras_layer_are_named() -> None:
    x, y, weights = tensorflow_case("lstm-dynamic-b3-t7")
    layer = made(layers.LSTM(3, return_sequences=True), x.shape[-1])
    layer.set_weights([weights["kernel"][:-3], weights["kernel"][-3:], weights["bias"]])
    found = unroll.check_gate_order(layer, x, y)
    assert (found.best.order, found.best.forget_bias) == (("i", "c", "f", "o"), 1.0)
    assert "TensorFlow 1's order i, j, f, o" in str(found) and "1 added to the forget gate's bias" in str(found)


def test_tensorflows_own_cell_gives_its_own_numbers() -> None:
    x, y, weights = tensorflow_case("lstm-dynamic-b3-t7")
    cell = made(unroll.BasicLSTMCell(3), x.shape[-1])
    cell.set_weights(weights["kernel"], weights["bias"])
    assert unroll.check_gate_order(cell, x, y)


def test_keras_gru_in_pytorchs_order_is_named() -> None:
    """Its three gates in two biases, PyTorch's transposed."""
    _, arrays = golden("gru-b1-t2")
    weights = state_dict(arrays)
    layer = made(layers.GRU(4, return_sequences=True), 3)
    biases = np.stack([weights["bias_ih_l0"], weights["bias_hh_l0"]])
    layer.set_weights([weights["weight_ih_l0"].T, weights["weight_hh_l0"].T, biases])
    found = unroll.check_gate_order(layer, arrays["input"].transpose(1, 0, 2), arrays["output"].transpose(1, 0, 2))
    assert found.best.order == ("r", "z", "h") and found.best.forget_bias is None and found.tried == 6
    assert "PyTorch's order r, z, n" in str(found)


def test_the_candidate_of_tensorflows_gru_stays_apart() -> None:
    x, y, weights = tensorflow_case("gru-dynamic-b3-t7")
    cell = made(unroll.GRUCell(3), x.shape[-1])
    for name, array in weights.items():
        turned = np.concatenate([array[..., 3:], array[..., :3]], -1) if array.shape[-1] == 6 else array
        cell.weights[name].assign(turned)
    found = unroll.check_gate_order(cell, x, y)
    assert found.best.order == ("u", "r") and found.tried == 2
    assert "Keras's order z, r" in str(found)


def test_pytorchs_module_gives_its_own_numbers() -> None:
    _, arrays = golden("lstm-b1-t2")
    module = nn.LSTM(3, 4)
    module.load_state_dict(state_dict(arrays))
    assert unroll.check_gate_order(module, arrays["input"], arrays["output"])


# -- graphs ------------------------------------------------------------------------------------------------------------


def wrong_graph(forget_bias: float = 1.0) -> tuple[unroll.Graph, Array, Array]:
    """PyTorch's LSTM of seven steps in TensorFlow's cell, as it came."""
    x, _, kernel, bias = torch_lstm(TORCH[1])
    cell = unroll.BasicLSTMCell(4, forget_bias)
    cell.set_weights(kernel, bias + 0.1 * np.arange(16))
    fed = unroll.placeholder([None, *x.shape[1:]], "X")
    graph = unroll.Graph([fed], {"y": unroll.dynamic_rnn(cell, fed)[0]})
    right = unroll.BasicLSTMCell(4, forget_bias=0.0)
    right.set_weights(kernel, bias + 0.1 * np.arange(16), gate_order="ifgo")
    wanted = unroll.Graph([fed], {"y": unroll.dynamic_rnn(right, fed)[0]}).run({"X": x})["y"]
    return graph, x, wanted


REWRITTEN = {
    "as it is": lambda graph: graph,
    "optimised": unroll.optimize,
    "re-rolled": lambda graph: unroll.reroll(graph)[0],
    "from a file": lambda graph: unroll.from_onnx(unroll.to_onnx(graph)),
}


@pytest.mark.parametrize("how", REWRITTEN)
def test_a_graph_that_was_rewritten_is_told_as_well(how: str) -> None:
    graph, x, wanted = wrong_graph()
    found = unroll.check_gate_order(REWRITTEN[how](graph), {"X": x}, {"y": wanted})
    assert found.best.order == ("i", "f", "j", "o") and found.best.error < 1e-5
    if how in ("as it is", "from a file"):
        assert found.best.forget_bias == 0.0
    else:  # the constant has become part of the bias
        assert "1 taken off the forget gate's bias" in str(found)


def test_an_lstm_operator_of_a_file_is_told_as_well() -> None:
    graph, x, wanted = wrong_graph(forget_bias=0.0)
    native = unroll.from_onnx(unroll.to_onnx(graph, form="rerolled"))
    assert any(node.op.name == "LSTM" for node in native.nodes)
    found = unroll.check_gate_order(native, {"X": x}, wanted)
    assert found.fits and found.gates == ("i", "o", "f", "c")
    # What the cell read as j is f, and the other way round.
    assert found.best.order == ("i", "o", "c", "f")


def test_two_layers_that_one_program_loaded_are_put_in_order_together() -> None:
    rng = np.random.default_rng(1)
    fed = unroll.placeholder([None, 4, 3], "X")

    def network(order: str) -> unroll.Graph:
        stack = unroll.MultiRNNCell([unroll.BasicLSTMCell(3, forget_bias=0.0) for _ in range(2)])
        for layer, cell in enumerate(stack.cells):
            drawn = np.random.default_rng(layer)
            cell.set_weights(drawn.normal(size=(6, 12)), drawn.normal(size=12), gate_order=order)
        return unroll.Graph([fed], {"y": unroll.dynamic_rnn(stack, fed)[0]})

    feeds = {"X": rng.normal(size=(2, 4, 3))}
    wanted = network("ifgo").run(feeds)
    found = unroll.check_gate_order(network("ijfo"), feeds, wanted)
    assert found.best.order == ("i", "f", "j", "o") and len(found.cells) == 2
    one = unroll.check_gate_order(network("ijfo"), feeds, wanted, cell="cell_0/basic_lstm_cell")
    assert not one.fits and len(one.cells) == 1 and "no order fits" in str(one)


def test_feeds_that_tell_nothing_are_said_to_tell_nothing() -> None:
    graph, x, _ = wrong_graph()
    for item in graph.parameters.values():
        item.assign(np.zeros(item.shape))
    found = unroll.check_gate_order(graph, {"X": 0 * x}, graph.run({"X": 0 * x})["y"])
    assert found and found.also and found.best.order == ("i", "j", "f", "o")
    assert "the feeds do not tell these apart" in str(found)


def test_a_long_sequence_is_tried_on_its_first_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = unroll.placeholder([None, 300, 3], "X")
    graph = unroll.Graph([fed], {"y": unroll.dynamic_rnn(unroll.BasicLSTMCell(3), fed)[0]})
    feeds = {"X": np.random.default_rng(2).normal(size=(2, 300, 3))}
    wanted, counts = graph.run(feeds), []
    computed = expected.Errors.of

    def counted(errors: expected.Errors, given: Any) -> float:
        counts.append(sum(piece.wanted.shape[1] for piece in errors.pieces))
        return computed(errors, given)

    monkeypatch.setattr(expected.Errors, "of", counted)
    assert unroll.check_gate_order(graph, feeds, wanted)
    assert counts[:48] == [2] * 48 and set(counts[48:]) == {300} and len(counts) <= 50
