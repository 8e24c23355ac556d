"""What tests of the export share."""

from __future__ import annotations

import pytest

from unroll.export import tuning


@pytest.fixture
def measuring_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure as little as possible: what is chosen is not tested."""
    monkeypatch.setattr(tuning, "_BUDGET", 0.001)
    monkeypatch.setattr(tuning, "_BLOCK", 0.0001)
