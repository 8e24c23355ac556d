"""A few golden cases through C, in one executable; try_golden.py beside this file runs them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import contrib_programs
import tensorflow_programs
from c_running import Case, golden_case, needs_compiler, run_all, share
from helpers import Array


def sample() -> Iterator[tuple[Case, dict[str, Array]]]:
    """A cell of TensorFlow's contrib in six, over its longest sequence, and every other driver."""
    last = {case["cell"]: index for index, case in enumerate(contrib_programs.CASES)}
    for index in list(last.values())[::6]:
        yield golden_case(*contrib_programs.build(index))
    drivers = {case["calls"][0]["driver"]: name for name, case in tensorflow_programs.CASES.items()}
    for name in list(drivers.values())[::2]:
        program = tensorflow_programs.build(name)
        yield golden_case(program.graph, program.feeds, program.expected[0])


@needs_compiler
def test_c_gives_other_frameworks_numbers(tmp_path: Path) -> None:
    cases = list(sample())
    found = run_all([case for case, _ in cases], tmp_path, ["-O1"])  # other tests run sanitizers
    shares = [share(arrays, expected) for arrays, (_, expected) in zip(found, cases, strict=True)]
    assert len(cases) > 6 and max(shares) <= 1
