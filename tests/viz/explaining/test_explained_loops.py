"""Loops that are one operator are explained by the equations of one step, which give the operator's own outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from explained import check_section, values_of
from formula_parser import value_of
from helpers import Array
from onnx import helper, numpy_helper
from picture_networks import NETWORKS
from random_recurrent_nodes import Drawn, draw_node

import unroll
from unroll.trials.trial_feeds import trials
from unroll.viz.explaining.sections import Section
from unroll.viz.explaining.writing import TEXT

GATES = {"LSTM": "iofc", "GRU": "zrh", "RNN": [""]}


def attributes(drawn: Drawn) -> dict[str, Any]:
    node = drawn.model.graph.node[0]
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def is_run_step_by_step(drawn: Drawn) -> bool:
    """Whether every step of Y can be held against the equations: no row ends early, and onnxruntime runs it."""
    return (
        "lengths" not in drawn.feeds
        and "layout" not in attributes(drawn)
        and drawn.model.graph.node[0].output[0] == "Y"
    )


DRAWN = [drawn for drawn in (draw_node(seed, foreign=0.3) for seed in range(160)) if is_run_step_by_step(drawn)]
SINGLE = [drawn for drawn in DRAWN if drawn.feeds["X"].dtype == np.float32]


@pytest.mark.parametrize("drawn", SINGLE, ids=lambda drawn: drawn.told.partition(":")[0])
def test_the_equations_of_a_recurrent_operator_give_what_onnxruntime_gives(drawn: Drawn) -> None:
    wanted = unroll.Session(drawn.model).run(drawn.feeds)["Y"]
    sections = unroll.explain(unroll.from_onnx(drawn.model)).sections
    assert len(sections) == wanted.shape[1]
    for side, section in enumerate(sections):
        found = stepped(section, drawn, side)
        np.testing.assert_allclose(found, wanted[:, side], rtol=1e-3, atol=1e-5, err_msg=f"{drawn.told}\n{section}")


def stepped(section: Section, drawn: Drawn, side: int) -> Array:
    """Evaluate the text of a section's equations step by step, and return h of each."""
    node, given = drawn.model.graph.node[0], attributes(drawn)
    arrays = {item.name: numpy_helper.to_array(item) for item in drawn.model.graph.initializer} | drawn.feeds
    hidden, kind = given["hidden_size"], node.op_type
    direction = given.get("direction", b"forward").decode()
    known: dict[str, Array] = {}
    for place, gate in enumerate(GATES[kind]):
        below, block = f"_{gate}" if gate else "", slice(place * hidden, (place + 1) * hidden)
        known |= {f"{name}{below}": arrays[name][side, block] for name in ("W", "R")}
        if "B" in arrays:
            half = arrays["B"].shape[1] // 2
            known[f"Wb{below}"], known[f"Rb{below}"] = arrays["B"][side, :half][block], arrays["B"][side, half:][block]
    for place, gate in enumerate("iof" if "P" in arrays else ""):
        known[f"P_{gate}"] = arrays["P"][side, place * hidden : (place + 1) * hidden]
    back = direction == "reverse" or side == 1
    x = arrays["X"]
    states = {name: arrays.get(f"initial_{name}") for name in "hc"}
    now = {n: np.zeros((x.shape[1], hidden), x.dtype) if s is None else s[side] for n, s in states.items()}
    outputs = np.zeros((*x.shape[:2], hidden), x.dtype)
    for step in range(len(x))[:: -1 if back else 1]:
        here = {"x": x[step], **{f"{name}[{'t+1' if back else 't-1'}]": value for name, value in now.items()}}

        def look_up(name: str, here: dict[str, Array] = here) -> Array:
            value = {**known, **here}[name.removesuffix(".T")]
            return value.T if name.endswith(".T") else value

        for line in section.equations:
            here[TEXT.symbol(line.symbol)] = value_of(TEXT.term(line.term), look_up, hidden)
        now = {name: here.get(name, value) for name, value in now.items()}
        outputs[step] = now["h"]
    return outputs


def test_the_draws_hold_every_kind_and_attribute() -> None:
    told = " ".join(drawn.told for drawn in SINGLE)
    wanted = (
        "LSTM",
        "GRU",
        "RNN",
        "bidirectional",
        "reverse",
        "clip",
        "input_forget",
        "linear_before_reset",
        "'P'",
        "Softplus",
    )
    assert len(SINGLE) > 40 and all(word in told for word in wanted)


@pytest.mark.parametrize("name", ["rerolled Scan", "read back Scan"])
def test_the_body_of_a_scan_is_explained_as_one_step(name: str) -> None:
    found = unroll.explain(NETWORKS[name]())
    (section,) = [item for item in found.sections if "Scan operator, every step" in item.title]
    assert section.context is not None
    body = section.context.graph
    feeds = dict(trials(body, seed=3, count=1, rows=3)[0].feeds)
    assert check_section(section, values_of(body, feeds)) >= 3
    assert "h[t-1]" in str(found)


def test_a_rerolled_lstm_says_where_its_weights_come_from() -> None:
    said = str(unroll.explain(NETWORKS["rerolled LSTM"]()))
    assert "rnn/basic_lstm_cell, LSTM operator, every step" in said
    assert "i = sigmoid(x @ W_i.T + h[t-1] @ R_i.T + Wb_i + Rb_i)" in said
    assert "rnn/basic_lstm_cell/kernel" in said and "h[t-1] at t = 0: zeros" in said
