"""Scratch that is used at different times is one room; what a loop hands on, and states, keep their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from c_running import Case, needs_compiler, run_all, worst

import unroll
from unroll import ops


def chain(count: int, size: int = 64) -> unroll.Graph:
    """Products one after another, each of which needs only the one before."""
    x = unroll.placeholder([1, size], "x")
    y, generator = x, np.random.default_rng(3)
    for _ in range(count):
        y = ops.tanh(y @ (generator.normal(size=(size, size)) / 8).astype("float32"))
    return unroll.Graph([x], {"y": y})


def remembering() -> unroll.Graph:
    """A loop whose state is read late, by a long chain in its body, and another loop after it."""
    x = unroll.placeholder([1, 6, 5], "x")
    once, _ = unroll.dynamic_rnn(unroll.GRUCell(7), x)
    cells = unroll.MultiRNNCell([unroll.BasicLSTMCell(7), unroll.BasicLSTMCell(3), unroll.GRUCell(9)])
    twice, state = unroll.dynamic_rnn(cells, ops.tanh(once) + 1)
    return unroll.Graph([x], {"twice": twice, "state": state, "once": ops.reduce_sum(once)})


def counter() -> unroll.Graph:
    """One step of a GRU, whose state lives between runs."""
    x, h = unroll.placeholder([1, 2], "x"), unroll.placeholder([1, 5], "h")
    output, new = unroll.GRUCell(5)(x, h)
    return unroll.Graph([x], {"y": output}, states={h: new})


def test_a_chain_of_any_length_takes_what_a_short_one_takes() -> None:
    short, long = (unroll.to_c(chain(count)).report() for count in (4, 40))
    assert long.context == short.context == 2 * 4 * 64  # what is read and what is filled
    assert long.scratch > 10 * long.context
    assert f"bytes of context ({long.scratch} were nothing shared)" in str(long)
    assert "/* at other times " in unroll.to_c(chain(4)).h


@needs_compiler
def test_what_shares_a_room_keeps_its_numbers_as_long_as_it_is_read(tmp_path: Path) -> None:
    generator = np.random.default_rng(4)
    cases = [
        Case(chain(7), {"x": generator.normal(size=(1, 64)).astype("float32")}),
        Case(remembering(), {"x": generator.normal(size=(1, 6, 5)).astype("float32")}),
    ]
    reports = [unroll.to_c(case.graph).report() for case in cases]
    assert [report.context < report.scratch for report in reports] == [True, True]
    for case, found in zip(cases, run_all(cases, tmp_path), strict=True):
        assert worst(case, found) <= 1


@needs_compiler
def test_the_context_is_as_large_as_the_report_says(tmp_path: Path) -> None:
    sources = [
        unroll.to_c(chain(3), name="a"),
        unroll.to_c(remembering(), name="b"),
        unroll.to_c(counter(), name="c"),
    ]
    lines = []
    for source in sources:
        source.save(str(tmp_path / f"{source.name}.c"))
        lines.append(f'#include "{source.name}.h"\nchar {source.name}_is[')
        lines.append(f"sizeof({source.name}_context) == {source.report().context} ? 1 : -1];\n")
    (tmp_path / "sizes.c").write_text("".join(lines))
    done = subprocess.run(["gcc", "-c", "sizes.c"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
