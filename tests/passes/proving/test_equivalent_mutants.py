"""Mutants of single operators, attributes, constants and weights: none is called equal whose outputs differ."""

from __future__ import annotations

import pytest
from program_mutants import PROGRAMS
from try_mutants import CLEAR, judged

import unroll

MUTANTS, CHUNK = 192, 32


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, MUTANTS, CHUNK))
def test_no_mutant_is_called_equal_whose_outputs_differ(start: int) -> None:
    found = [judged(seed) for seed in range(start, start + CHUNK)]
    assert not [f"{what}: {far}" for what, equal, far in found if equal and far > CLEAR]
    assert sum(far > CLEAR for _, _, far in found) > CHUNK // 2, "most mutants compute something else"


@pytest.mark.parametrize("name", PROGRAMS)
def test_without_a_mutation_each_program_equals_itself_and_its_optimised_form(name: str) -> None:
    graph = PROGRAMS[name].build()
    assert unroll.equivalent(graph, PROGRAMS[name].build())
    assert unroll.equivalent(graph, unroll.optimize(graph)), name
