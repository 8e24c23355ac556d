"""A state is checked once a step, and a cell's own call or check is never left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from helpers import refused

import unroll
from unroll import MultiRNNCell, nn, placeholder, static_rnn
from unroll.cells import contract, rnn_cell
from unroll.cells.wrappers import ResidualWrapper
from unroll.drivers import loop

STEPS = 5


def inputs(features: int = 3) -> list[Any]:
    return [placeholder([None, features], f"X{step}") for step in range(STEPS)]


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said of each state that is checked, in order."""
    seen: list[str] = []
    genuine = rnn_cell.check_state

    def counted(what: str, *rest: Any) -> None:
        seen.append(what)
        genuine(what, *rest)

    for module in (rnn_cell, loop):
        monkeypatch.setattr(module, "check_state", counted)
    return seen


@pytest.mark.parametrize(
    "make",
    [
        lambda: unroll.BasicRNNCell(3),
        lambda: unroll.BasicLSTMCell(3),
        lambda: unroll.GRUCell(3),
        lambda: MultiRNNCell([unroll.BasicLSTMCell(3), unroll.GRUCell(2)]),
        lambda: MultiRNNCell([unroll.GRUCell(3), unroll.GRUCell(2)], state_is_tuple=False),
        lambda: ResidualWrapper(unroll.GRUCell(3)),
        lambda: nn.LSTMCell(3, 2),
    ],
    ids=["rnn", "lstm", "gru", "stack", "joined stack", "residual", "torch"],
)
def test_a_driver_checks_a_state_once_a_step(make: Callable[[], Any], checks: list[str]) -> None:
    static_rnn(make(), inputs())
    assert len(checks) == STEPS + 1  # the first state, and what each step returns
    assert checks[0] == "static_rnn: initial_state"
    assert [what.partition(" at ")[2] for what in checks[1:]] == [f"step {t}: the new state" for t in range(STEPS)]


@pytest.mark.parametrize(
    "cell", [unroll.GRUCell(3), MultiRNNCell([unroll.GRUCell(3)]), ResidualWrapper(unroll.GRUCell(3))], ids=repr
)
def test_a_cell_that_is_called_directly_checks_its_state(cell: Any) -> None:
    x, h = placeholder([None, 3], "x"), placeholder([None, 4], "h")
    state = (h,) if isinstance(cell, MultiRNNCell) else h
    refused(lambda: cell(x, state), ValueError, "the state", "h (batch, 4)", "(batch, 3)")


class Sum(unroll.RNNCell):
    """``h' = h + x``."""

    state_size = output_size = 3

    def call(self, inputs: Any, state: Any) -> Any:
        h = inputs + state
        return h, h


def test_a_call_or_a_check_that_a_subclass_overrides_is_taken_at_every_step() -> None:
    calls: list[str] = []

    class OwnCall(Sum):
        def __call__(self, inputs: Any, state: Any, scope: str | None = None) -> Any:
            calls.append("call")
            return super().__call__(inputs, state, scope)

    class OwnCheck(Sum):
        def check(self, inputs: Any, state: Any) -> None:
            calls.append("check")
            super().check(inputs, state)

    class Noted:
        def check(self, inputs: Any, state: Any) -> None:
            calls.append("mixed in")

    class MixedIn(Noted, Sum):
        pass

    class Added(ResidualWrapper):
        def __call__(self, inputs: Any, state: Any, scope: str | None = None) -> Any:
            calls.append("wrapper")
            return super().__call__(inputs, state, scope)

    for cell in (
        OwnCall(),
        OwnCheck(),
        MixedIn(),
        Added(Sum()),
        MultiRNNCell([OwnCall()]),
        ResidualWrapper(OwnCheck()),
    ):
        static_rnn(cell, inputs(), scope=f"r{len(calls)}")
    assert calls == [name for name in ("call", "check", "mixed in", "wrapper", "call", "check") for _ in range(STEPS)]


def test_the_check_is_left_out_only_for_the_batch_and_dtype_that_were_checked(checks: list[str]) -> None:
    x, h = placeholder([None, 3], "x"), placeholder([4, 3], "h")
    cell = Sum()
    action = lambda: contract.call_step(cell, x, h, h.shape[:1], h.dtype)  # noqa: E731
    refused(action, ValueError, "the state", "h (4, 3)", "(batch, 3)")
    contract.call_step(cell, placeholder([4, 3], "y"), h, h.shape[:1], h.dtype)
    assert len(checks) == 1


def test_a_call_or_a_check_that_is_put_in_place_of_a_cells_own_afterwards_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Kept(unroll.GRUCell):
        """A class that a test or a decorator changes once it is made."""

    seen: list[str] = []

    def noted(what: str, method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments: (seen.append(what), method(*arguments))[1]

    cell = Kept(2, name="one")
    cell.check = noted("cell", cell.check)  # type: ignore[method-assign]
    static_rnn(cell, inputs())
    monkeypatch.setattr(Kept, "__call__", noted("call", Kept.__call__))
    static_rnn(Kept(2, name="two"), inputs())
    monkeypatch.setattr(Kept, "check", noted("check", Kept.check))
    static_rnn(Kept(2, name="three"), inputs())
    assert [seen.count(what) for what in ("cell", "call", "check")] == [STEPS, 2 * STEPS, STEPS]
