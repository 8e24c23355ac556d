"""What every test file shares: helper modules of this folder are imported by name; property tests repeat themselves.

Tests of ``unroll/cells/gru.py`` lie in ``tests/cells/``, those of ``export/running/session.py`` in ``tests/export/running/``
and those of a file directly in ``unroll/`` beside this one; ``tests/whole/`` holds what is promised of the whole.
"""

import gc
import sys
from pathlib import Path

import hypothesis
import pytest

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))
# What a helper asserts is explained as what a test asserts is.
pytest.register_assert_rewrite(*({path.stem for path in TESTS.glob("*.py")} - {"conftest", *sys.modules}))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=int, default=2, help="how many cases of each test a quick run takes (make quick)")
    parser.addoption("--all", action="store_true", help="every case of tests that are marked as sampled, too")


@pytest.hookimpl(tryfirst=True)  # before those marked are left out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is sampled, and mark as slow all but a few cases of each test.

    Which ones is a matter of a hash, so that another case moves few.
    """
    from hashed_choices import number_of  # asserts of the helpers are explained only if they are imported from here on

    left_out = set()
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        sampled = item.get_closest_marker("sampled")
        if sampled and number_of("sampled", item.nodeid) % sampled.args[0] and not config.getoption("all"):
            left_out.add(item)
        else:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]
    for of_test in cases.values():
        for item in sorted(of_test, key=lambda item: number_of(item.nodeid))[config.getoption("cases") :]:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Let Python's collector pass over the twenty thousand tests that are there to stay, and look less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


# The same examples in every run, none kept on disk, and no time limit that a busy machine would exceed.
hypothesis.settings.register_profile("same", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("same")
