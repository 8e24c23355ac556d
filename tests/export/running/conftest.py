"""What tests of sessions share."""

from __future__ import annotations

import pytest
from session_programs import KINDS


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)
