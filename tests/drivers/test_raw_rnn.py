"""Loops that make their own inputs."""

from __future__ import annotations

from typing import Any

from counting_cell import counting
from helpers import refused

import unroll
from unroll import Graph, GRUCell, ops, placeholder


def test_raw_rnn_feeds_a_cell_its_own_output_and_stops_each_row_by_itself() -> None:
    x, limit = placeholder([None, 1], "x"), placeholder([None, 1], "limit")

    def loop(time: int, output: Any, state: Any, loop_state: Any) -> Any:
        if time == 0:
            return False, x, x * 0.0, None, None
        return ops.squeeze(output >= limit, [1]), output, state, None, None

    emitted, state, _ = unroll.raw_rnn(counting(), loop, maximum_iterations=4)
    graph = Graph([x, limit], [ops.concat(emitted, 1), state])
    seen, last = graph.run({"x": [[1.0], [1.0]], "limit": [[2.0], [100.0]]}, graph.outputs)
    # h: 0 + 1, then each step adds its own last output: 1, 2, 4, 8; the first row stops once it has 2
    assert seen.tolist() == [[1, 2, 0, 0], [1, 2, 4, 8]]
    assert last.ravel().tolist() == [2, 8]
    assert unroll.verify(graph)


def test_raw_rnn_says_that_it_needs_a_number_of_steps() -> None:
    refused(lambda: unroll.raw_rnn(GRUCell(3), lambda *_: None), ValueError, "maximum_iterations")  # type: ignore[arg-type]


def test_a_loop_function_that_breaks_its_contract_is_told_what_is_wanted() -> None:
    x = placeholder([2, 3], "x")
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (False, x), maximum_iterations=2),
        ValueError,
        "time 0",
        "emit_output",
    )
    refused(lambda: unroll.raw_rnn(GRUCell(3), None, maximum_iterations=2), TypeError, "loop_fn")  # type: ignore[arg-type]
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (False, x, x, None, None), maximum_iterations=0),
        ValueError,
        "at least 1",
    )
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (1, x, x, None, None), maximum_iterations=2),
        TypeError,
        "finished",
        "bool",
    )
    wide = unroll.constant([[True], [False]])
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (wide, x, x, None, None), maximum_iterations=2),
        ValueError,
        "finished",
        "(2,)",
    )
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (False, x, None, None, None), maximum_iterations=2),
        ValueError,
        "step 0",
        "None",
    )
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (False, 1.0, x, None, None), maximum_iterations=2),
        TypeError,
        "input 1.0",
    )
    refused(
        lambda: unroll.raw_rnn(GRUCell(3), lambda *_: (False, x, x, 1.0, None), maximum_iterations=2),
        TypeError,
        "emitted 1.0",
        "step 0",
    )

    def changing(time: int, *_: Any) -> Any:
        return False, x, x, (x, x) if time == 2 else x, None

    refused(lambda: unroll.raw_rnn(GRUCell(3), changing, maximum_iterations=2), ValueError, "step 1")
