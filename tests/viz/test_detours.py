"""Lines that are led around boxes."""

from __future__ import annotations

import itertools

import pytest

from unroll.viz.detours import around_boxes
from unroll.viz.ground import Ground
from unroll.viz.placement import Rectangle
from unroll.viz.routes import straight


def test_a_way_around_boxes_asks_once_what_lies_on_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    ground, asked = Ground(), list[Rectangle]()
    for row, column in itertools.product(range(12), range(12)):
        ground.add_box(Rectangle(40.0 * column, 40.0 * row, 24.0, 24.0))
    for number in range(60):
        ground.add_line(straight((8.0 * number - 20, -40.0), (8.0 * number - 20, 500.0)), number)
    found_at = ground.lines_at

    def lines_at(at: Rectangle) -> set[int]:
        asked.append(at)
        return found_at(at)

    monkeypatch.setattr(ground, "lines_at", lines_at)
    assert around_boxes(ground, straight((-40.0, 20.0), (480.0, 420.0))) is not None
    assert asked and len(asked) == len(set(asked))
