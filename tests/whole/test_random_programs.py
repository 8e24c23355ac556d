"""Random recurrent programs: whatever is made of one computes what NumPy makes of it as it was written.

Two hundred here, of which each has a fifth of the checks; ``python tests/random_programs.py`` runs thousands in full.
"""

from __future__ import annotations

import numpy as np
import pytest
from programs.checks import check, difference
from programs.choices import Choices
from programs.feeds import feeds_of
from random_programs import outcome, program

import unroll
from unroll import ops
from unroll.passes.pipeline import PASSES

PROGRAMS, CHUNK, EVERY = 200, 20, 5


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, PROGRAMS, CHUNK))
def test_every_form_pass_and_reader_computes_what_the_program_does(start: int) -> None:
    wrong = []
    for number in range(start, start + CHUNK):
        found = outcome(number, every=EVERY)
        if found.faults:
            wrong.append("\n    ".join(map(str, [found.choices, *found.faults])))
    assert not wrong, "\n".join(wrong)


def test_the_same_number_gives_the_same_program_and_another_one_another() -> None:
    one, two = program(7)[0], program(7)[0]
    assert one.tensor_names() == two.tensor_names()
    assert all(np.array_equal(item.value, two.parameters[name].value) for name, item in one.parameters.items())
    assert len({str(program(number)[1]).split(":", 1)[1] for number in range(30)}) == 30


def test_a_new_choice_and_a_new_option_redraw_no_other_program() -> None:
    for number in range(200):
        before, after = Choices(number), Choices(number)
        first = before.pick("colour", {"red": 2, "green": 1})
        after.pick("a new choice", ["a", "b"])
        then = after.pick("colour", {"red": 2, "green": 1, "blue": 1})
        assert then in (first, "blue")
        assert before.rng("values").random() == after.rng("values").random()


def test_options_are_drawn_as_often_as_their_weights_say() -> None:
    drawn = [Choices(number).pick("colour", {"red": 3, "green": 1}) for number in range(2000)]
    assert 1400 < drawn.count("red") < 1600


def test_feeds_tell_programs_apart() -> None:
    """Two batches, of which none is 1; lengths of 0 and of all steps; neither zeros nor ones."""
    x, lengths = unroll.placeholder([None, 4, 3], "x"), unroll.placeholder([None], "lengths", "int32")
    graph = unroll.Graph([x, lengths], [x, lengths])
    batches = feeds_of(graph, 0, 4)
    assert [len(item["x"]) for item in batches] == [2, 3]
    assert all({0, 4} <= set(item["lengths"].tolist()) for item in batches)
    assert all(not np.isin(item["x"], (0, 1)).any() for item in batches)


def test_what_is_wrong_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that drops a bias, one that fails, and one that renames an output."""
    x = unroll.placeholder([None, 2], "x")
    graph = unroll.Graph([x], {"y": ops.tanh(x + 0.5)})

    def fails(graph: unroll.Graph) -> unroll.Graph:
        raise KeyError("lost")

    monkeypatch.setitem(PASSES, "drops", lambda graph: unroll.Graph([x], {"y": ops.tanh(x)}))
    monkeypatch.setitem(PASSES, "fails", fails)
    monkeypatch.setitem(PASSES, "renames", lambda graph: unroll.Graph([x], {"z": graph.outputs[0]}))
    faults = check(graph, feeds_of(graph, 0, 1)).faults
    found = [
        fault for fault in faults if "," not in fault.where
    ]  # several passes, one after another, may hold them too
    assert [(fault.kind, fault.where) for fault in found] == [
        ("wrong", "drops"),
        ("crash", "fails"),
        ("wrong", "renames"),
    ]
    assert difference({"y": np.zeros(2)}, {"y": np.zeros((1, 2))})
