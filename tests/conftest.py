"""What every test file shares: helper modules of this folder are imported by name; property tests repeat themselves.

Tests of ``unroll/cells/gru.py`` lie in ``tests/cells/``, those of ``export/running/session.py`` in ``tests/export/running/``
and those of a file directly in ``unroll/`` beside this one; ``tests/whole/`` holds what is promised of the whole.
"""

import sys
from pathlib import Path

import hypothesis
import pytest

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))
# What a helper asserts is explained as what a test asserts is.
pytest.register_assert_rewrite(*({path.stem for path in TESTS.glob("*.py")} - {"conftest", *sys.modules}))

# The same examples in every run, none kept on disk, and no time limit that a busy machine would exceed.
hypothesis.settings.register_profile("same", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("same")
