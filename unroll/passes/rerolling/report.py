"""What re-rolling found, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from unroll.passes.proving.numeric_proof import Proof


@dataclass(frozen=True)
class Found:
    """One recurrence.

    Attributes:
        scope: where it came from, such as ``rnn/basic_lstm_cell``.
        steps: how many steps of it there are.
        became: the operator it became, such as ``LSTM`` or ``Scan``; empty where it was left as it was.
        reason: why it did not become a native operator; or any operator, where it was left. It names the node.
    """

    scope: str
    steps: int
    became: str = ""
    reason: str = ""

    def __str__(self) -> str:
        name = self.scope or "a recurrence"
        what = f"{name}, {self.steps} steps: " + (f"became {self.became}" if self.became else "left as it was")
        return f"{what} ({self.reason})" if self.reason else what


@dataclass(frozen=True)
class Rerolled:
    """The recurrences of a graph, in the order in which they depend on one another; false where none became an operator.

    Attributes:
        found: the recurrences; those that were left as they were come last. Among them is what only looks like a
            recurrence, with the node at which its steps differ.
        note: what there is instead, where nothing looks like a recurrence.
        proof: what showed that the new graph computes the same; None where nothing was re-rolled, or no proof was asked
            for. Where it does not hold, nothing was re-rolled, and each recurrence says so.
    """

    found: tuple[Found, ...] = ()
    note: str = ""
    proof: Proof | None = None

    def withdrawn(self, proof: Proof) -> Rerolled:
        """Return the report for the case that its proof failed, so that nothing was re-rolled."""
        return Rerolled(
            tuple(
                replace(item, became="", reason=f"as {item.became} it {proof}") if item.became else item
                for item in self.found
            ),
            self.note,
            proof,
        )

    def explained(self, other: Rerolled) -> Rerolled:
        """Return this report with the reasons that another has, which sees choices where this one sees sums of products."""
        found = [
            replace(item, reason=seen.reason) if (item.steps, item.became) == (seen.steps, seen.became) else item
            for item, seen in zip(self.found, other.found, strict=False)
        ]
        return replace(self, found=(*found, *self.found[len(found) :]))

    @property
    def operators(self) -> list[str]:
        """What the recurrences became, in order, without those that were left."""
        return [item.became for item in self.found if item.became]

    @property
    def left(self) -> Sequence[Found]:
        """The recurrences that were left as they were."""
        return [item for item in self.found if not item.became]

    def __iter__(self) -> Iterator[Found]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __bool__(self) -> bool:
        return bool(self.operators)

    def __str__(self) -> str:
        if not self.found:
            return ": ".join(filter(None, ["no recurrence was found", self.note]))
        return "\n".join([*map(str, self.found), *([str(self.proof)] if self.proof else [])])
