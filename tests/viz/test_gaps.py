"""The free place nearest to one that is wanted, in a row that fills up."""

from __future__ import annotations

import numpy as np

from unroll.viz.gaps import Gaps
from unroll.viz.placement import Rectangle


def free(x: float, taken: list[tuple[float, float]]) -> bool:
    return not any(left < x < right for left, right in taken)


def test_the_place_that_is_wanted_is_kept_where_it_is_free_and_else_left_for_the_nearest_edge() -> None:
    row = Gaps([Rectangle(50, 0, 20, 5), Rectangle(100, 0, 40, 5)], 4)  # taken: 36 to 64, and 76 to 124
    wanted = [0, 36, 40, 50, 60, 64, 70, 77, 110, 200]
    assert [row.nearest(x) for x in wanted] == [0, 36, 36, 36, 64, 64, 70, 76, 124, 200]
    row.take(70)  # 66 to 74
    assert [row.nearest(x) for x in (69, 71, 75)] == [66, 74, 75]


def test_of_all_free_edges_none_is_nearer_in_any_row() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        boxes = [Rectangle(rng.integers(0, 300), 0, rng.integers(0, 40), 5) for _ in range(rng.integers(0, 12))]
        row, taken = Gaps(boxes, 5), [(box.left - 5, box.right + 5) for box in boxes]
        for x in rng.integers(-20, 320, 12).tolist():
            found = row.nearest(x)
            edges = [edge for pair in taken for edge in pair if free(edge, taken)]
            assert free(found, taken)
            assert abs(found - x) == min([abs(edge - x) for edge in edges], default=0) * (not free(x, taken))
            row.take(found)
            taken.append((found - 5, found + 5))
