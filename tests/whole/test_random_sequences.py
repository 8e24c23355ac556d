"""Random recurrent programs whose time is left open, against the unrolled ones at three lengths each.

Forty here; ``python tests/random_sequences.py`` runs five hundred.
"""

from __future__ import annotations

import pytest
from random_sequences import loops_of, sequence_program, wrong_in


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 20, 5))
def test_rolled_equals_unrolled_at_three_lengths_each(start: int) -> None:
    wrong = [fault for number in range(start, start + 5) for fault in wrong_in(number)]
    assert not wrong, "\n".join(wrong)


def test_programs_hold_loops_of_every_kind_and_no_two_are_alike() -> None:
    drawn = [str(sequence_program(number, "time")[1]).split(":", 1)[1] for number in range(20)]
    assert len(set(drawn)) == 20
    assert {kind for number in range(20) for kind in loops_of(number)} == {"LSTM", "GRU", "RNN", "Scan"}
