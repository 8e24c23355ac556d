"""Every picture that a test in this folder draws is checked on its own boxes: see ``tests/picture_faults.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from picture_faults import faults_of_dot

from unroll.viz import sheet_writer, source
from unroll.viz.details import WHOLE
from unroll.viz.source import Source

#: Longer ones are drawn by tests of what is too large for Graphviz or a bitmap.
LONGEST = 500_000


@pytest.fixture
def every_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pictures show every operator of their steps, also those that would not fit on a page."""
    monkeypatch.setattr(sheet_writer, "LADDER", (WHOLE,))


@pytest.fixture(autouse=True)
def every_picture_is_without_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check each picture that the test has drawn, in any format, once the test is done."""
    drawn: list[source.Source] = []

    def kept(*arguments: Any) -> source.Source:
        drawn.append(Source(*arguments))
        return drawn[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "Source", kept)
        yield
    if request.path.name in ("test_rendering_limits.py", "test_hostile_pictures.py", "test_thousand_names.py"):
        return  # what is drawn there is larger than anything to look at, or in characters that the font lacks
    dots = dict.fromkeys(item.dot for item in drawn)
    found = [fault for dot in dots if len(dot) < LONGEST for fault in faults_of_dot(dot)]
    assert not found, "\n".join([f"{len(found)} faults", *found])
