"""The rest of TensorFlow's cells and drivers, and contrib's, over a time that is a symbol: their numbers, and a second length.

Of cases that differ in batch, lengths or first state alone one is taken, and every eighth of these; ``python
tests/try_any_length.py`` tries all.
"""

from __future__ import annotations

import contrib_programs
import pytest
import tensorflow_programs
from hashed_choices import number_of


def sampled(kinds: dict[str, tuple[object, ...]]) -> list[str]:
    """One case of each kind, and of these kinds every eighth, decided by a hash."""
    found: dict[tuple[object, ...], str] = {}
    for name in sorted(kinds, key=number_of):
        found.setdefault(kinds[name], name)
    return sorted(sorted(found.values(), key=number_of)[::8])


FAMILY = sampled(
    {
        name: tuple(
            (call["driver"], str([case["cells"][place] for place in call["cells"]]), bool(call["lengths"]))
            for call in case["calls"]
        )
        for name, case in tensorflow_programs.CASES.items()
        if case["chunks"] == 1 and any(tensorflow_programs.over_time(call) for call in case["calls"])
    }
)
CONTRIB = sampled(
    {
        str(place): (case["cell"], str(case["kwargs"]) if case["dtype"] == "float32" else case["dtype"])
        for place, case in enumerate(contrib_programs.CASES)
        if case["T"] > 1
    }
)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILY)
def test_a_driver_over_any_length_gives_tensorflows_numbers(name: str) -> None:
    case = tensorflow_programs.any_length(name)
    assert case is not None
    case.check()


@pytest.mark.slow
@pytest.mark.parametrize("place", CONTRIB)
def test_a_cell_of_contrib_over_any_length_gives_its_numbers(place: str) -> None:
    contrib_programs.any_length(int(place)).check()
