"""From DOT to a file: formats, paths, notebooks, missing packages, stderr and fonts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pygraphviz
import pytest
from drawn_programs import (
    PROGRAMS,
    over_steps,
    parsed,
    two_steps,
)
from unroll.viz import drawing, fonts, render

import unroll
from unroll.errors import (
    ArgumentError,
    ArgumentTypeError,
    FileError,
    MissingPackageError,
    UnrollError,
    UnsupportedError,
)

# -- formats and files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "magic"),
    [("svg", b"<?xml"), ("png", b"\x89PNG\r\n\x1a\n"), ("pdf", b"%PDF-"), ("dot", b"digraph"), ("gv", b"digraph")],
)
@pytest.mark.parametrize("level", drawing.LEVELS)
def test_the_suffix_gives_the_format(tmp_path: Path, suffix: str, magic: bytes, level: drawing.Level) -> None:
    path = tmp_path / f"picture.{suffix}"
    picture = unroll.draw(two_steps(), path, level=level)
    assert path.read_bytes() == picture.data
    assert picture.data.startswith(magic)
    assert [file.name for file in tmp_path.iterdir()] == [path.name], "no temporary file stays behind"


@pytest.mark.parametrize("level", drawing.LEVELS)
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
        ({"format": "bmp"}, ArgumentError, "'bmp' is unknown; use svg, png, pdf or dot"),
        ({"format": 3}, ArgumentTypeError, "use svg, png, pdf or dot"),
        ({"path": "picture.jpg"}, ArgumentError, "'jpg' is unknown; use svg, png, pdf or dot"),
        ({"path": "picture"}, ArgumentError, "no suffix"),
        ({"path": 3}, ArgumentTypeError, "not a path"),
        ({"level": "gate"}, ArgumentError, "'gate' is unknown; use cell or op"),
    ],
)
def test_unknown_formats_levels_and_paths_are_refused(arguments: dict, error: type[UnrollError], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        unroll.draw(two_steps(), **arguments)


def test_only_graphs_are_drawn() -> None:
    with pytest.raises(ArgumentTypeError, match="not a Graph"):
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


# -- notebooks and missing packages ---------------------------------------------------------------------------------------


def test_a_notebook_shows_a_graph_as_its_picture() -> None:
    bundle = two_steps()._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<?xml") and "kernel" in bundle["image/svg+xml"]
    assert bundle["text/plain"].startswith("Graph(")
    assert set(unroll.draw(two_steps(), format="dot")._repr_mimebundle_()) == {"image/svg+xml", "text/plain"}


def test_without_pygraphviz_dot_still_works_and_the_rest_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert unroll.draw(two_steps(), format="dot").data.startswith(b"digraph")
    for format in ("svg", "png", "pdf"):
        with pytest.raises(MissingPackageError, match="pip install 'pygraphviz"):
            unroll.draw(two_steps(), format=format)
    bundle = drawing.mimebundle(two_steps())
    assert set(bundle) == {"text/plain"} and "pip install" in bundle["text/plain"]


def test_importing_the_package_does_not_load_graphviz() -> None:
    code = "import sys, unroll, unroll.viz.drawing; print([m for m in sys.modules if 'graphviz' in m])"
    assert fresh(code).stdout.strip() == "[]"


# -- Graphviz's stderr ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dot", "complaint"),
    [
        ('digraph {a [pos="0,0" label=<<B>x>]}', "mismatched tag"),
        ('digraph {a [pos="0,0" shape=nonsense]}', "nonsense"),
        ("digraph {a -> }", "Invalid|syntax error"),
    ],
)
def test_what_graphviz_complains_of_is_an_error(dot: str, complaint: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnsupportedError, match=complaint):
        render.render(dot, "svg")
    assert not capfd.readouterr().err


def test_what_others_write_to_stderr_meanwhile_is_neither_lost_nor_an_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    draw = pygraphviz.AGraph.draw

    def noisy(self: pygraphviz.AGraph, *args: object, **options: object) -> bytes:
        os.write(2, b"Fontconfig warning: somebody's configuration\nlearning rate 0.1\n")
        os.write(2, b"Warning: graph is too large for cairo-renderer bitmaps. Scaling by 0.5 to fit\n")
        return draw(self, *args, **options)

    monkeypatch.setattr(pygraphviz.AGraph, "draw", noisy)
    assert unroll.draw(two_steps()).data
    assert capfd.readouterr().err == "learning rate 0.1\n"


def test_many_boxes_are_drawn_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    picture = unroll.draw(over_steps(unroll.GRUCell(2), 400), full=True, format="png")
    assert len(parsed(picture).nodes()) > 1000
    assert picture.data.startswith(b"\x89PNG")
    assert capfd.readouterr().err == ""


def test_threads_may_draw_at_once() -> None:
    graphs = [over_steps(unroll.GRUCell(2), steps) for steps in range(1, 9)]
    alone = [unroll.draw(graph).data for graph in graphs]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda graph: unroll.draw(graph).data, graphs)) == alone


def test_drawing_says_nothing() -> None:
    done = fresh(DRAW, "svg", "X0")
    assert done.stderr == ""


# -- fonts ----------------------------------------------------------------------------------------------------------------

DRAW = """
import hashlib, sys
import unroll
from unroll.viz import fonts
if len(sys.argv) > 3:
    fonts.shipped_folder = lambda: None
x = unroll.placeholder([None, 3], sys.argv[2])
_, state = unroll.static_rnn(unroll.BasicRNNCell(2), [x, x])
print(hashlib.sha256(unroll.draw(unroll.Graph([x], [state]), format=sys.argv[1]).data).hexdigest())
"""


def fresh(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", **environment},
        timeout=120,
    )


@pytest.fixture
def no_fonts(tmp_path: Path) -> dict[str, str]:
    """A fontconfig that knows one folder, which is empty."""
    (tmp_path / "empty").mkdir()
    file = tmp_path / "fonts.conf"
    file.write_text(
        f'<?xml version="1.0"?><fontconfig><dir>{tmp_path}/empty</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>'
    )
    return {"FONTCONFIG_FILE": str(file), "HOME": str(tmp_path)}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere text is not drawn through fontconfig")
def test_letters_are_drawn_on_a_machine_without_fonts(no_fonts: dict[str, str]) -> None:
    """`a` and `e` are equally wide, so empty boxes in their stead would make equal pictures."""
    assert fonts.shipped_folder() is not None
    first, second = (fresh(DRAW, "png", name, **no_fonts) for name in ("a", "e"))
    assert first.stdout != second.stdout
    assert first.stderr == second.stderr == ""
    boxes = {fresh(DRAW, "png", name, "without", **no_fonts).stdout for name in ("a", "e")}
    assert len(boxes) == 1, "without the shipped font this test would see empty boxes"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere text is not drawn through fontconfig")
def test_a_picture_is_the_same_with_the_machines_fonts_and_without(no_fonts: dict[str, str]) -> None:
    assert fresh(DRAW, "svg", "x").stdout == fresh(DRAW, "svg", "x", **no_fonts).stdout


def test_the_environment_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    unroll.draw(two_steps())
    assert "FONTCONFIG_FILE" not in os.environ
    monkeypatch.setenv("FONTCONFIG_FILE", "mine.conf")
    unroll.draw(two_steps())
    assert os.environ["FONTCONFIG_FILE"] == "mine.conf"


def test_svg_names_families_that_browsers_have() -> None:
    families = set(re.findall(r'font-family="([^"]+)"', unroll.draw(two_steps())._repr_svg_()))
    assert families == {"Open Sans,Segoe UI,Helvetica,Arial,sans-serif"}
