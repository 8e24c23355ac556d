"""A sample of the mutated files of `fuzz_files.py`; and that its net holds: what is no error of ours is found and named."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from fuzz_bytes import BYTES
from fuzz_corpus import Whole, whole_files
from fuzz_files import KINDS, Found, fuzz
from fuzz_mutations import WAYS, mutated
from fuzz_uses import Uses

from unroll.errors import FileError

SAMPLE = 200


@pytest.mark.slow
def test_a_sample_of_mutated_files_gives_results_or_errors_of_ours(tmp_path: Path) -> None:
    found = Found(tmp_path)
    fuzz(range(SAMPLE), KINDS, 1, found)
    assert not found.findings, str(found)
    assert sum(found.files.values()) == SAMPLE and set(found.files) == set(KINDS)
    results = sum(count for (_, outcome), count in found.outcomes.items() if outcome == "ok")
    assert results > SAMPLE / 4, "most files are refused at the door, and nothing behind it is tried"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Whole]:
    return [item for items in whole_files(tmp_path_factory.mktemp("whole"), KINDS).values() for item in items]


@pytest.mark.slow
def test_a_seed_makes_the_same_file_every_time(whole: list[Whole]) -> None:
    for place, item in enumerate(whole):
        other = whole[place - 1]
        first, second = (mutated(item.kind, item.data, other.data, Random(place)) for _ in range(2))
        assert first == second


@pytest.mark.slow
def test_every_way_of_mutating_changes_some_file_of_its_kind(whole: list[Whole]) -> None:
    for kind, ways in WAYS.items():
        files = [item.data for item in whole if item.kind == kind]
        for way in {*ways, *BYTES}:
            changed = (way(data, data[::-1], Random(seed)) != data for data in files for seed in range(20))
            assert any(changed), f"{way.__name__} changes no {kind} file"


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), MemoryError(), SystemExit(3), ValueError("no")])
def test_what_is_no_error_of_ours_is_a_finding(error: BaseException) -> None:
    def fail() -> None:
        raise error

    uses = Uses(lambda kind, step: None)
    uses.attempt("step", fail)
    (finding,) = uses.findings
    assert finding.what.startswith(type(error).__name__) and finding.step == "step"


def test_results_and_errors_of_ours_are_right() -> None:
    def refuse() -> None:
        raise FileError("x")

    uses = Uses(lambda kind, step: None)
    assert uses.attempt("step", lambda: 3) == 3
    assert uses.attempt("step", refuse) is None
    assert uses.outcomes == ["ok", "FileError"] and not uses.findings


_NO_MEMORY = "import os\ntry:\n    bytearray(5 * 2**28)\nexcept MemoryError:\n    os._exit(8)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("import os; os.abort()", "ended: SIGABRT"),
        ("while True: pass", "timeout"),
        (_NO_MEMORY, "ended: status 8"),
    ],
)
def test_a_process_that_ends_hangs_or_takes_too_much_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, what: str
) -> None:
    """The worker gets programs that do so, and nothing is mutated."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, types\n"
        "for name, inside in {\n"
        f"    'fuzz_programs': {{'PROGRAMS': {{'fault': {program!r}}}}},\n"
        "    'fuzz_mutations': {'mutated': lambda kind, data, other, draw: data},\n"
        "}.items():\n"
        "    sys.modules[name] = types.ModuleType(name)\n"
        "    vars(sys.modules[name]).update(inside)\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("fuzz_files._SECONDS", 0.5)
    found = Found(tmp_path / "out")
    fuzz(range(1), {"program": 1}, 1, found)
    assert found.files == {"program": 1}
    found.write()
    (text,) = (path.read_text(encoding="utf-8") for path in (tmp_path / "out").glob("*.txt"))
    assert what in text and "--start 0 --count 1" in text
