"""Every picture that a test in this folder draws is checked on its own boxes: see ``tests/picture_faults.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from picture_faults import faults

from unroll.viz import chart_dot, dot_writer, render

#: Longer ones are drawn by tests of what is too large for Graphviz or a bitmap.
LONGEST = 500_000


@pytest.fixture(autouse=True)
def every_picture_is_without_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check each picture that the test has drawn, in any format, once the test is done."""
    drawn: list[str] = []

    def kept(write: Callable[..., str]) -> Callable[..., str]:
        def written(*arguments: Any) -> str:
            drawn.append(write(*arguments))
            return drawn[-1]

        return written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dot_writer, "write_dot", kept(dot_writer.write_dot))
        patch.setattr(chart_dot, "write_chart", kept(chart_dot.write_chart))
        yield
    if request.path.name == "test_rendering_limits.py":
        return  # what is drawn there is larger than anything to look at
    found = [fault for dot in dict.fromkeys(drawn) if len(dot) < LONGEST for fault in _faults(dot)]
    assert not found, "\n".join([f"{len(found)} faults", *found])


@cache
def _faults(dot: str) -> list[str]:
    return faults(render.render(dot, "svg"))
