"""From DOT to a file: formats, paths, notebooks and missing packages."""

from __future__ import annotations

import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from drawn_programs import (
    PROGRAMS,
    two_steps,
)
from rendering_checks import fresh

import unroll
from unroll.errors import (
    ArgumentError,
    ArgumentTypeError,
    FileError,
    MissingPackageError,
    UnrollError,
)
from unroll.viz import drawing

# -- formats and files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "magic"),
    [("svg", b"<?xml"), ("png", b"\x89PNG\r\n\x1a\n"), ("pdf", b"%PDF-"), ("dot", b"digraph"), ("gv", b"digraph")],
)
@pytest.mark.parametrize("level", ("cell", "op"))
def test_the_suffix_gives_the_format(tmp_path: Path, suffix: str, magic: bytes, level: drawing.Level) -> None:
    path = tmp_path / f"picture.{suffix}"
    picture = unroll.draw(two_steps(), path, level=level)
    assert path.read_bytes() == picture.data
    assert picture.data.startswith(magic)
    assert [file.name for file in tmp_path.iterdir()] == [path.name], "no temporary file stays behind"


@pytest.mark.slow
@pytest.mark.parametrize("level", ("cell", "op"))
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_gives_well_formed_svg_that_is_the_same_every_time(program: str, level: drawing.Level) -> None:
    first, second = (unroll.draw(PROGRAMS[program](), level=level) for _ in range(2))
    ElementTree.fromstring(first.data)
    assert first.dot == second.dot
    assert first.data == second.data


def test_format_overrides_the_suffix_and_a_picture_saves_itself_as_any_other(tmp_path: Path) -> None:
    picture = unroll.draw(two_steps(), tmp_path / "picture.txt", format="PNG")
    assert (tmp_path / "picture.txt").read_bytes().startswith(b"\x89PNG")
    picture.save(tmp_path / "copy.svg")
    assert (tmp_path / "copy.svg").read_bytes().startswith(b"<?xml")


def test_without_a_path_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert unroll.draw(two_steps()).format == "svg"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"format": "bmp"}, ArgumentError, "'bmp' is unknown; use svg, png, pdf, dot or mmd"),
        ({"format": 3}, ArgumentTypeError, "use svg, png, pdf, dot or mmd"),
        ({"path": "picture.jpg"}, ArgumentError, "'jpg' is unknown; use svg, png, pdf, dot or mmd"),
        ({"path": "picture"}, ArgumentError, "no suffix"),
        ({"path": 3}, ArgumentTypeError, "not a path"),
        ({"level": "gate"}, ArgumentError, "'gate' is unknown; use cell, op or layer"),
    ],
)
def test_unknown_formats_levels_and_paths_are_refused(arguments: dict, error: type[UnrollError], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        unroll.draw(two_steps(), **arguments)


def test_only_graphs_are_drawn() -> None:
    with pytest.raises(ArgumentTypeError, match="a Graph is wanted"):
        unroll.draw("rnn.onnx")  # type: ignore[arg-type]


def test_an_unwritable_path_is_an_error_and_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileError, match="missing"):
        unroll.draw(two_steps(), tmp_path / "missing" / "picture.svg")
    with pytest.raises(FileError, match="folder"):
        unroll.draw(two_steps(), tmp_path, format="svg")
    path = tmp_path / "picture.svg"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="no space left"):
        unroll.draw(two_steps(), path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["picture.svg"]


# -- notebooks and missing packages ------------------------------------------------------------------------------------


def test_a_notebook_shows_a_graph_as_its_picture() -> None:
    bundle = two_steps()._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<?xml") and "kernel" in bundle["image/svg+xml"]
    assert bundle["text/plain"].startswith("Graph(")
    assert set(unroll.draw(two_steps(), format="dot")._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}


@pytest.mark.parametrize(("steps", "least", "most"), [(1, 1.0, 1.0), (2, 0.5, 0.9), (12, 0.5, 0.5)])
def test_a_notebook_shows_a_picture_no_wider_than_itself_nor_too_small_to_read(
    steps: int, least: float, most: float
) -> None:
    xs = [unroll.placeholder([None, 3], f"X{step}") for step in range(steps)]
    outputs, _ = unroll.static_rnn(unroll.BasicRNNCell(2), xs)
    picture = unroll.draw(unroll.Graph(xs, outputs), full=True)
    pattern = r'<svg width="(\d+)pt" height="(\d+)pt"\n viewBox="0.00 0.00 ([\d.]+) ([\d.]+)"'
    found = re.search(pattern, picture._repr_mimebundle_()["image/svg+xml"])
    assert found is not None
    width, height, wide, high = map(float, found.groups())
    assert least - 0.01 <= width / wide <= most + 0.01 and height / high == pytest.approx(width / wide, abs=0.01)
    assert width <= 530 or width / wide < 0.51  # 711 pixels of a notebook are 533 points


def test_without_pygraphviz_dot_still_works_and_the_rest_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert unroll.draw(two_steps(), format="dot").data.startswith(b"digraph")
    for format in ("svg", "png", "pdf"):
        with pytest.raises(MissingPackageError, match="pip install 'pygraphviz"):
            unroll.draw(two_steps(), format=format)
    bundle = drawing.mimebundle(two_steps())
    assert set(bundle) == {"text/plain"} and "pip install" in bundle["text/plain"]


@pytest.mark.slow
def test_importing_the_package_does_not_load_graphviz() -> None:
    code = "import sys, unroll, unroll.viz.drawing; print([m for m in sys.modules if 'graphviz' in m])"
    assert fresh(code).stdout.strip() == "[]"
