"""What `unroll.verify` found: how far runners are apart, who took part, who did not and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from unroll.comparison import gaps, tolerance_for
from unroll.dtypes import Array
from unroll.export.verifying.witnesses import OWN, REWRITTEN

#: How many nodes are named in a report.
_NAMED = 4


class Difference(NamedTuple):
    """How far a runner is from NumPy on one output.

    Attributes:
        output: the output's name.
        runner: who is compared with NumPy.
        absolute: the worst ``|a - b|``.
        relative: the worst ``|a - b| / |b|``, where b is not 0.
        scaled: the worst ``|a - b| / max(1, |b|)``, which is what the tolerance bounds.
        tolerance: the largest `scaled` allowed.
        agrees: whether it is within the tolerance everywhere.
    """

    output: str
    runner: str
    absolute: float
    relative: float
    scaled: float
    tolerance: float
    agrees: bool

    @property
    def far(self) -> str:
        """How far they are apart, in words: what the tolerance bounds, and the absolute difference where that is far larger."""
        absolute, scaled = f"{self.absolute:.3g}", f"{self.scaled:.3g}"
        if scaled == absolute:
            return absolute
        bounded = f"{scaled} of max(1, |value|)"
        return bounded if self.absolute < 2 * self.scaled else f"{absolute}, {bounded}"


def compare(output: str, runner: str, expected: Array, seen: Array, tolerance: float | None) -> Difference:
    """Return how far an output of a runner is from what is expected; by default the tolerance is that of its dtype."""
    limit = tolerance_for(expected.dtype, tolerance)
    if seen.shape != expected.shape or seen.dtype != expected.dtype:
        far = float("inf")
        return Difference(output, runner, far, far, far, limit, False)
    gap, scaled = gaps(seen, expected)
    with np.errstate(all="ignore"):
        ratio = gap / np.abs(expected) if expected.dtype.kind == "f" else gap
    relative = np.where((gap == 0) | (expected == 0), 0.0, np.where(np.isnan(ratio), np.inf, ratio))
    bounded = float(scaled.max(initial=0.0))
    worst = float(relative.max(initial=0.0))
    return Difference(output, runner, float(gap.max(initial=0.0)), worst, bounded, limit, bounded <= limit)


class Verification(NamedTuple):
    """What `verify` found.

    Attributes:
        differences: one row an output and runner.
        runners: who took part, NumPy first.
        left_out: who did not, and why.
        subject: what the other runners ran.
        foreign: the nodes that are none of unroll's operators, which NumPy computed with onnx's reference implementation: of
            those onnxruntime alone is a witness.
        nonfinite: one row an output, runner and feed with NaN and infinities in it; None where none were fed.
        asides: by runner, what it is known to get wrong of NaN and infinities.
    """

    differences: tuple[Difference, ...]
    runners: tuple[str, ...]
    left_out: dict[str, str]
    subject: str = OWN
    foreign: tuple[str, ...] = ()
    nonfinite: tuple[Difference, ...] | None = None
    asides: Mapping[str, str] = {}

    @property
    def worst(self) -> Difference:
        """The row with the largest absolute difference."""
        return max(self.differences, key=lambda row: (not row.agrees, row.absolute))

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        count = len({row.output for row in self.differences})
        yield f"{count} output{'s' if count != 1 else ''}; {', '.join(self.runners)} took part"
        if self.subject != OWN:
            ran = [runner for runner in self.runners[1:] if runner != REWRITTEN]
            yield f"  {' and '.join(ran) or 'nobody'} ran {self.subject}; NumPy computed what unroll reads in it"
        for runner in self.runners[1:]:
            row = max((row for row in self.differences if row.runner == runner), key=lambda row: row.scaled)
            yield f"  {runner}: worst difference {row.far} (tolerance {row.tolerance:g}), on {row.output}"
        for runner, reason in self.left_out.items():
            yield f"  {runner} left out: {reason}"
        if self.foreign:
            yield (
                f"  NumPy computed {listed(self.foreign)} with onnx's reference implementation; "
                "of these onnxruntime is the only witness"
            )
        yield from self._nonfinite_lines()

    def _nonfinite_lines(self) -> Iterator[str]:
        if self.nonfinite is None:
            yield "  no NaN and infinities were put into the feeds; nonfinite=True does so"
        elif not self.nonfinite:
            yield "  no input is of floats, so that NaN and infinities cannot be fed"
        else:
            for runner in self.runners[1:]:
                outputs = {row.output: None for row in self.nonfinite if row.runner == runner and not row.agrees}
                seen = f"differs from NumPy on {listed(tuple(outputs))}" if outputs else "agrees with NumPy"
                yield f"  with NaN and infinities fed, {runner} {seen}"
        for runner, reason in self.asides.items():
            yield f"  of NaN and infinities {runner} is known to be wrong here: {reason}"

    def __repr__(self) -> str:
        return str(self)


def listed(names: tuple[str, ...]) -> str:
    """Return names to read, the first few of them."""
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
