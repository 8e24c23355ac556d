"""Whether rounding alone explains how far two runners are apart: a state that grows makes it grow too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unroll.comparison import gaps
from unroll.dtypes import Array
from unroll.errors import NoWitnessError
from unroll.evaluator import evaluate
from unroll.export.verifying.verification_report import Difference
from unroll.graph import Graph

#: How many times farther apart than rounding takes NumPy from more digits two runners may be, and both be right.
_MOST_ROUNDED = 4


def check_rounding(
    graph: Graph,
    fed: Sequence[Mapping[str, Array]],
    rows: Sequence[tuple[Difference, tuple[int, str]]],
    expected: Mapping[tuple[int, str], Array],
) -> None:
    """Say that nothing can be proven where rounding alone explains every difference: a state that grows makes it grow too.

    Raises:
        NoWitnessError: NumPy is about as far from itself with more digits.
    """
    apart = [(row, key) for row, key in rows if not row.agrees]
    wide = {
        place: dict(zip(graph.output_names, evaluate(graph, fed[place], graph.outputs, wide=True), strict=True))
        for place in {place for _, (place, _) in apart}
    }
    for row, (place, name) in apart:
        array = expected[place, name]
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            return
        rounded = float(gaps(array, wide[place][name])[1].max(initial=0.0))
        if row.scaled > _MOST_ROUNDED * rounded:
            return
    row, _ = max(apart, key=lambda item: item[0].scaled)
    raise NoWitnessError(
        f"nothing can be proven: output {row.output!r} of {row.runner} and NumPy differ by {row.far}, and rounding alone takes "
        f"{expected[0, row.output].dtype} as far from float64 here; give feeds of smaller "
        "numbers, or say what is close enough: tolerance=1e-3"
    )
