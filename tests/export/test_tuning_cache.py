"""An entry of the tuning cache says what it likes: what cannot be believed is measured again, with a warning."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unroll
from unroll.errors import UnrollWarning
from unroll.export import tuning
from unroll.export.choice import Candidate, Choice
from unroll.export.compiler import compile

FORMS = ["scan", "unrolled"]
CHOICE = Choice(
    "scan",
    1,
    "measured",
    3,
    (
        Candidate("scan", 1, 1e-4, 9e-5, 12, 3456, 1e-7),
        Candidate("unrolled", None, 2e-4, 2e-4, 30, 5678, float("inf"), "differs"),
    ),
)


def remembered(folder: Path, make: Callable[[Choice], Any] = lambda choice: choice) -> Any:
    return tuning.remembered(folder, "key", FORMS, 3, make)


def test_what_is_remembered_is_what_was_measured(tmp_path: Path) -> None:
    assert remembered(tmp_path) is None
    tuning.remember(tmp_path, "key", CHOICE)
    assert remembered(tmp_path) == CHOICE._replace(how="cached")


def changed(**fields: Any) -> Callable[[dict[str, Any]], str]:
    return lambda entry: json.dumps(entry | fields)


def candidate(**fields: Any) -> Callable[[dict[str, Any]], str]:
    return lambda entry: json.dumps(entry | {"candidates": [entry["candidates"][0] | fields, entry["candidates"][1]]})


LIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "deep": lambda entry: "[" * 100_000,
    "deep inside": lambda entry: json.dumps(entry).replace('"scan"', "[" * 100_000),
    "large": lambda entry: json.dumps(entry) + " " * 2**20,
    "a number of 10,000 digits": lambda entry: json.dumps(entry).replace("3456", "9" * 10_000),
    "a number of 400 digits": candidate(seconds=10**400),
    "more bytes than there are": candidate(bytes=2**63),
    "nodes below 0": candidate(nodes=-1),
    "truth for a count": candidate(nodes=True),
    "text for seconds": candidate(seconds="fast"),
    "a note that is none": candidate(note=None),
    "a note on the form chosen": candidate(note="may not be chosen"),
    "threads 1.0": changed(threads=1.0),
    "threads true": changed(threads=True),
    "threads 77": changed(threads=77),
    "another batch": changed(batch=4),
    "a form of no kind": changed(form=["scan"]),
    "a form not asked for": lambda entry: json.dumps(entry).replace('"scan"', '"rerolled"'),
    "candidates of no kind": changed(candidates={"scan": 1}),
    "a candidate of no kind": changed(candidates=[3]),
    "one field too many": changed(speed=3),
    "null": lambda entry: "null",
    "a text": lambda entry: '"scan"',
}


@pytest.mark.parametrize("kind", LIES)
def test_an_entry_that_lies_is_warned_of(kind: str, tmp_path: Path) -> None:
    tuning.remember(tmp_path, "key", CHOICE)
    (path,) = tmp_path.iterdir()
    path.write_text(LIES[kind](json.loads(path.read_text())))
    with pytest.warns(UnrollWarning, match="tuning cache cannot be used"):
        assert remembered(tmp_path) is None


@pytest.mark.parametrize("kind", ["pipe", "folder", "/dev/zero"])
def test_an_entry_that_is_no_plain_file_is_neither_read_nor_replaced(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(kind)
    with pytest.warns(UnrollWarning, match="tuning cache cannot be used"):
        assert remembered(tmp_path) is None
    with pytest.warns(UnrollWarning, match="tuning cache cannot be written"):
        tuning.remember(tmp_path, "key", CHOICE)
    assert [item.name for item in tmp_path.iterdir()] == ["key.json"]


@pytest.mark.slow
def test_a_form_that_the_graph_cannot_take_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "_BUDGET", 0.01)
    x = unroll.placeholder([None, 2], "x")
    graph = unroll.Graph([x], {"y": unroll.ops.tanh(x)})  # no step repeats
    first = compile(graph, cache=tmp_path).choice
    (path,) = tmp_path.iterdir()
    entry = json.loads(path.read_text())
    whole = first.candidates[0]._replace(form="rerolled", threads=1, note="", seconds=1e-6, quick=1e-6)
    path.write_text(json.dumps(entry | {"form": "rerolled", "threads": 1, "candidates": [whole._asdict()]}))
    with pytest.warns(UnrollWarning, match="tuning cache cannot be used"):
        session = compile(graph, cache=tmp_path)
    assert session.choice.how == "measured" and session.choice.form != "rerolled"
    np.testing.assert_allclose(session.run({"x": [[1, 2]]})["y"], np.tanh([[1, 2]]), atol=1e-6)


def test_a_user_without_a_home_has_no_cache_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.warns(UnrollWarning, match="no home folder"):
        assert tuning.folder_of(True) is None
    assert tuning.folder_of(tmp_path) == tmp_path
