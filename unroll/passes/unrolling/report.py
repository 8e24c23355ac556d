"""What unrolling found, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from unroll.passes.proving.numeric_proof import Proof


@dataclass(frozen=True)
class Flat:
    """One loop, or one choice between two graphs.

    Attributes:
        scope: where it was, such as ``rnn/basic_lstm_cell``.
        operator: what it was: ``LSTM``, ``GRU``, ``RNN``, ``Scan``, ``Loop`` or ``If``.
        steps: how many steps were written; 0 where it was left as it was.
        reason: why it was left as it was, and what would settle it; empty where it was not.
    """

    scope: str
    operator: str
    steps: int = 0
    reason: str = ""

    def __str__(self) -> str:
        name = f"{self.scope}: {self.operator}" if self.scope else self.operator
        if self.reason:
            return f"{name}: left as it was ({self.reason})"
        if self.operator == "If":
            return f"{name}: the branch that its condition chooses written out"
        return f"{name}: {self.steps} step{'s' * (self.steps != 1)} written out"


@dataclass(frozen=True)
class Unrolled:
    """The loops of a graph in the order in which they depend on one another; false where none was unrolled.

    Attributes:
        found: the loops, and choices between graphs.
        proof: what showed that the new graph computes the same; None where nothing was unrolled, or no proof was asked for.
            Where it does not hold, nothing was unrolled, and each loop says so.
    """

    found: tuple[Flat, ...] = ()
    proof: Proof | None = None

    def withdrawn(self, proof: Proof) -> Unrolled:
        """Return the report for the case that its proof failed, so that nothing was unrolled."""
        found = (item if item.reason else replace(item, steps=0, reason=f"flat it {proof}") for item in self.found)
        return Unrolled(tuple(found), proof)

    @property
    def left(self) -> Sequence[Flat]:
        """The loops that were left as they were."""
        return [item for item in self.found if item.reason]

    def __iter__(self) -> Iterator[Flat]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __bool__(self) -> bool:
        return len(self.left) < len(self.found)

    def __str__(self) -> str:
        if not self.found:
            return "no loop was found: the graph is flat"
        return "\n".join([*map(str, self.found), *([str(self.proof)] if self.proof else [])])
