"""Calls of the modules of unroll.nn: batches, lengths, states, drivers, streams and verify, against PyTorch's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import check_three_runners, refused
from nn_modules import every_cell, every_sequence, golden, sequence, state_dict

import unroll
from unroll import nn

# -- calls -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "case_id",
    [
        "rnn-batch_first=True-b3-t7",
        "gru-batch_first=True-b3-t2-init",
        "lstm-num_layers=2-proj_size=2-b3-t7-init",
        "lstm-bidirectional=True-num_layers=2-b3-t1-init",
    ],
)
def test_a_batch_that_is_not_known_yet_gives_pytorchs_numbers(case_id: str) -> None:
    case, arrays = golden(case_id)
    module = getattr(nn, case["module"])(3, 4, **case["kwargs"])
    module.load_state_dict(state_dict(arrays))
    first = case["kwargs"].get("batch_first", False)
    x = unroll.placeholder(["batch", case["T"], 3] if first else [case["T"], "batch", 3], "x")
    feeds, states = {"x": arrays["input"]}, []
    for i in range(len(case["arrays"]["state0"])):
        start = feeds[f"s{i}"] = arrays[f"state0/{i}"]
        states.append(unroll.placeholder([start.shape[0], "batch", start.shape[2]], f"s{i}"))
    output, last = module(x, None if not states else states[0] if len(states) == 1 else tuple(states))
    expected = [arrays["output"], *(arrays[f"state/{i}"] for i in range(len(case["arrays"]["state"])))]
    check_three_runners(unroll.Graph([x, *states], [output, last]), feeds, expected, "float32")


@pytest.mark.slow
@pytest.mark.parametrize("case_id", ["lstmcell-b3", "grucell-b3", "rnncell-b3"])
def test_a_cell_without_hx_takes_a_batch_that_is_not_known_yet(case_id: str) -> None:
    case, arrays = golden(case_id)
    cell, x = getattr(nn, case["module"])(3, 4), unroll.placeholder([None, 3], "x")
    cell.load_state_dict(state_dict(arrays))
    expected = [arrays[f"state/{i}"] for i in range(len(case["arrays"]["state"]))]
    check_three_runners(unroll.Graph([x], cell(x)), {"x": arrays["input"]}, expected, "float32")


@pytest.mark.slow
@pytest.mark.parametrize(
    "lengths", [[3, 7, 1], np.array([3, 7, 1], "int32"), (3, 7, 1)], ids=["list", "array", "tuple"]
)
def test_lengths_are_taken_as_fixed_numbers_too(lengths: Any) -> None:
    _, arrays = golden("gru-num_layers=2-b3-t7-lengths=3,7,1")
    gru, x = nn.GRU(3, 4, 2), unroll.placeholder([7, 3, 3], "x")
    gru.load_state_dict(state_dict(arrays))
    graph = unroll.Graph([x], [*gru(x, lengths=lengths)])
    check_three_runners(graph, {"x": arrays["input"]}, [arrays["output"], arrays["state/0"]], "float32")


@every_sequence
def test_a_row_of_length_zero_keeps_its_first_state_and_gives_zeros(module: Any) -> None:
    rnn, x = module(3, 4, bidirectional=True), unroll.placeholder([5, 2, 3], "x")
    draw = np.random.default_rng(3).standard_normal
    parts = [unroll.placeholder([2, 2, 4], name) for name in rnn.state_parts]
    output, last = rnn(x, parts[0] if len(parts) == 1 else tuple(parts), lengths=[0, 5])
    feeds = {"x": draw((5, 2, 3)), **{part.name: draw((2, 2, 4)) for part in parts}}
    found, *states = unroll.Graph([x, *parts], [output, last]).run(feeds).values()
    assert not np.any(found[:, 0]) and np.all(found[:, 1])
    for state, part in zip(states, parts, strict=True):
        np.testing.assert_array_equal(state[:, 0], feeds[part.name][:, 0].astype("float32"))
        assert not np.any(state[:, 1] == feeds[part.name][:, 1].astype("float32"))


def test_a_module_called_twice_shares_its_parameters() -> None:
    gru, x = nn.GRU(3, 3), sequence()
    _, first = gru(x)
    graph = unroll.Graph([x], [*gru(x, first)])
    assert list(graph.parameters) == [f"gru/{name}_l0" for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")]


def test_two_modules_of_one_name_clash_until_one_has_another() -> None:
    def stack(*names: str | None) -> unroll.Graph:
        x = sequence()
        low, high = (nn.GRU(size, 4, name=name) for size, name in zip((3, 4), names, strict=True))
        return unroll.Graph([x], high(low(x)[0])[0])

    refused(lambda: stack("same", "same"), ValueError, "same/weight_ih_l0", "name=")
    for names, owners in (((None, "top"), {"gru", "top"}), ((None, None), {"gru", "gru_1"})):
        assert {name.split("/")[0] for name in stack(*names).parameters} == owners


def test_the_parts_of_an_lstm_state_tuple_go_where_their_names_say() -> None:
    _, arrays = golden("lstmcell-b3-init")
    cell, x = nn.LSTMCell(3, 4), unroll.placeholder([3, 3], "x")
    h, c = unroll.placeholder([3, 4], "h"), unroll.placeholder([3, 4], "c")
    cell.load_state_dict(state_dict(arrays))
    graph = unroll.Graph([x, h, c], cell(x, unroll.LSTMStateTuple(c=c, h=h)))
    feeds = {"x": arrays["input"], "h": arrays["state0/0"], "c": arrays["state0/1"]}
    check_three_runners(graph, feeds, [arrays["state/0"], arrays["state/1"]], "float32")


# -- drivers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case_id",
    [
        "rnn-num_layers=2-b3-t7-float64",
        "lstm-batch_first=True-bias=False-b3-t7-init-float64",
        "gru-batch_first=True-b3-t7-init-float64",
    ],
)
def test_a_cell_under_a_driver_gives_the_numbers_of_pytorchs_whole_module(case_id: str) -> None:
    case, arrays = golden(case_id)
    first = case["kwargs"].get("batch_first", False)
    x = np.swapaxes(arrays["input"], 0, 1) if first else arrays["input"]
    steps = [unroll.placeholder([3, 3], f"x{t}", "float64") for t in range(7)]
    feeds = {f"x{t}": x[t] for t in range(7)}
    outputs: Any = steps
    starts: list[Any] = []
    for layer in range(case["kwargs"].get("num_layers", 1)):
        ending = f"_l{layer}"
        own = {k.removesuffix(ending): v for k, v in state_dict(arrays).items() if k.endswith(ending)}
        width = own["weight_ih"].shape[1]
        cell = getattr(nn, f"{case['module']}Cell")(width, 4, "bias_ih" in own, dtype="float64", name=f"layer{layer}")
        cell.load_state_dict(own)
        state: Any = None
        if case["arrays"]["state0"]:
            starts = [unroll.placeholder([3, 4], f"s{i}", "float64") for i in range(len(case["arrays"]["state0"]))]
            feeds |= {f"s{i}": arrays[f"state0/{i}"][0] for i in range(len(starts))}
            state = starts[0] if len(starts) == 1 else unroll.LSTMStateTuple(c=starts[1], h=starts[0])
        outputs, last = unroll.static_rnn(cell.as_cell(), outputs, state)
    wanted = np.swapaxes(arrays["output"], 0, 1) if first else arrays["output"]
    ends = [last.h, last.c] if isinstance(last, unroll.LSTMStateTuple) else [last]
    expected = [*wanted, *(arrays[f"state/{i}"][-1] for i in range(len(ends)))]
    check_three_runners(unroll.Graph([*steps, *starts], [outputs, ends]), feeds, expected, "float64")


@every_cell
def test_a_driver_takes_a_cell_of_pytorchs_contract_as_it_is(module: Any) -> None:
    x = unroll.placeholder([2, 3], "x")
    cell = module(3, 4)
    (seen,), _ = unroll.static_rnn(cell, [x])
    direct = cell(x)
    graph = unroll.Graph([x], [seen, direct[0] if isinstance(direct, tuple) else direct])
    one, other = graph.run({"x": np.ones((2, 3))}, graph.outputs)
    np.testing.assert_allclose(one, other, rtol=1e-6)


# -- with the rest of the package --------------------------------------------------------------------------------------


def test_a_stream_of_chunks_gives_the_numbers_of_pytorchs_whole_sequence() -> None:
    _, arrays = golden("lstm-num_layers=2-proj_size=2-b3-t7-init")
    lstm, x = nn.LSTM(3, 4, 2, proj_size=2), unroll.placeholder([1, "batch", 3], "x")
    lstm.load_state_dict(state_dict(arrays))
    h, c = unroll.placeholder([2, "batch", 2], "h"), unroll.placeholder([2, "batch", 4], "c")
    output, (h_n, c_n) = lstm(x, (h, c))
    graph = unroll.Graph([x], {"output": output}, states={h: h_n, c: c_n})
    for stream in (graph.stream(), unroll.Session(graph).stream()):
        stream.reset({"h": arrays["state0/0"], "c": arrays["state0/1"]})
        found = [stream.run({"x": chunk[None]})["output"] for chunk in arrays["input"]]
        np.testing.assert_allclose(np.concatenate(found), arrays["output"], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(stream.state["c"], arrays["state/1"], rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@every_sequence
def test_the_runners_are_seen_to_agree_by_verify(module: Any) -> None:
    x = sequence()
    assert unroll.verify(unroll.Graph([x], [*module(3, 4, 2, bidirectional=True)(x)]))


@pytest.mark.slow
def test_a_long_sequence_is_traced_without_recursion() -> None:
    x = unroll.placeholder([500, "batch", 3], "x")
    output, h_n = nn.GRU(3, 4)(x)
    graph = unroll.Graph([x], [output, h_n])
    output_value, last = graph.run({"x": np.random.default_rng(0).standard_normal((500, 2, 3))}).values()
    np.testing.assert_array_equal(output_value[-1], last[0])
