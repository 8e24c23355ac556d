"""Every picture that a test in this folder draws is checked on its own boxes: see ``tests/picture_faults.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from picture_faults import check_dot

from unroll.viz import dot_writer

#: Longer ones are drawn by tests of what is too large for Graphviz or a bitmap.
LONGEST = 500_000


@pytest.fixture(autouse=True)
def every_picture_is_without_faults() -> Iterator[None]:
    """Check each picture that the test has drawn, in any format, once the test is done."""
    drawn: list[str] = []
    write = dot_writer.write_dot

    def written(*arguments: Any) -> str:
        drawn.append(write(*arguments))
        return drawn[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dot_writer, "write_dot", written)
        yield
    for dot in dict.fromkeys(drawn):
        if len(dot) < LONGEST:
            check_dot(dot)
