"""`compile` with fewer bits: what they lose is said, and where they cannot be had they are refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from compiled_programs import check_agrees, feeds, lstm_graph
from helpers import refused

import unroll
from unroll import Graph
from unroll.export.compiler import compile

pytestmark = pytest.mark.usefixtures("measuring_little")


@pytest.mark.slow
@pytest.mark.parametrize("tune", [True, False])
@pytest.mark.parametrize(("options", "most"), [({"quantize": "int8"}, 0.1), ({"dtype": "float16"}, 0.01)])
def test_fewer_bits_say_what_they_lost(options: dict[str, Any], most: float, tune: bool) -> None:
    graph = lstm_graph()
    session = compile(graph, tune=tune, cache=False, **options)
    assert session.choice.lost is not None
    assert 0 < session.choice.lost < most
    assert "lost on random feeds" in str(session.choice)
    check_agrees(session, graph, most)
    assert [item.dtype for item in session.run(feeds()).values()] == [np.float32] * 2
    assert compile(graph, tune=tune, cache=False).choice.lost is None


def test_int8_weights_take_fewer_bytes() -> None:
    x = unroll.placeholder([None, 4, 64], "x")
    graph = Graph([x], unroll.dynamic_rnn(unroll.BasicLSTMCell(64), x)[0])
    full, small = (compile(graph, form="rerolled", tune=False, quantize=kind).size[1] for kind in (None, "int8"))
    assert small < full / 2


@pytest.mark.parametrize("tune", [True, False])
@pytest.mark.parametrize("options", [{"quantize": "int8"}, {"dtype": "float16"}])
@pytest.mark.parametrize("form", [None, "unrolled", "functions", "rerolled"])
def test_fewer_bits_are_refused_where_nothing_is_float32(options: dict[str, Any], tune: bool, form: str | None) -> None:
    x = unroll.placeholder([None, 4, 3], "x", "float64")
    graph = Graph([x], unroll.dynamic_rnn(unroll.GRUCell(4), x, dtype="float64")[0])
    asked = partial(compile, graph, form=form, tune=tune, cache=False, **options)
    message = refused(asked, NotImplementedError, *options.values(), "float64", "Make the graph of float32")
    assert "int64" not in message


@pytest.mark.parametrize(
    ("form", "fragments"), [("rerolled", ("GRU", "form='unrolled'")), ("functions", ("functions", "another form"))]
)
def test_int8_weights_are_refused_where_the_tool_finds_no_product(form: str, fragments: tuple[str, ...]) -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    graph = Graph([x], unroll.layers.GRU(4, unroll=True)(x))
    asked = partial(compile, graph, form=form, tune=False, cache=False, quantize="int8")
    refused(asked, NotImplementedError, "int8: no product was quantised", *fragments)


@pytest.mark.slow
def test_int8_is_chosen_of_the_forms_that_have_it() -> None:
    x = unroll.placeholder([None, 4, 3], "x")
    choice = compile(Graph([x], unroll.layers.GRU(4, unroll=True)(x)), cache=False, quantize="int8").choice
    assert choice.form != "rerolled"
    assert choice.lost is not None
    assert choice.lost > 1e-5
    assert "leaves GRU as it is" in {row.form: row.note for row in choice.candidates}["rerolled"]
