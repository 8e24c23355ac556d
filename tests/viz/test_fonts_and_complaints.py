"""What Graphviz complains of is an error, and letters are drawn on a machine without fonts."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from drawn_programs import (
    over_steps,
    parsed,
    two_steps,
)
from rendering_checks import DRAW, fresh

import unroll
from unroll.errors import (
    UnsupportedError,
)
from unroll.viz import fonts, render

# -- Graphviz's stderr -------------------------------------------------------------------------------------------------


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


def test_of_what_graphviz_says_only_complaints_are_errors() -> None:
    said = [
        "Fontconfig warning: somebody's configuration",
        "(null): graph is too large for cairo-renderer bitmaps. Scaling by 0.5 to fit",
        "Warning: table size too small for content",
        "in label of node weights_0",
        "Error: syntax error in line 1",
        "... <HTML> ...",
        "in label of node a",
        "something of a library",
    ]
    assert render._complaints(said) == ["Error: syntax error in line 1 ... <HTML> ... in label of node a"]


def test_what_others_write_to_stderr_meanwhile_goes_where_they_write_it(capfd: pytest.CaptureFixture[str]) -> None:
    stop, written = threading.Event(), []

    def talk() -> None:
        while not stop.is_set():
            written.append(os.write(2, b"learning rate 0.1\n"))
            stop.wait(0.001)

    talking = threading.Thread(target=talk)
    talking.start()
    assert unroll.draw(two_steps()).data
    stop.set()
    talking.join()
    assert capfd.readouterr().err == "learning rate 0.1\n" * len(written)


@pytest.mark.slow
def test_many_boxes_are_drawn_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.warns(unroll.UnrollWarning, match="scaled down"):  # the one word there is, and it is ours
        picture = unroll.draw(over_steps(unroll.GRUCell(2), 400), full=True, format="png")
    assert len(parsed(picture).nodes()) > 1000
    assert picture.data.startswith(b"\x89PNG")
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_threads_may_draw_at_once() -> None:
    graphs = [over_steps(unroll.GRUCell(2), steps) for steps in range(1, 9)]
    alone = [unroll.draw(graph).data for graph in graphs]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda graph: unroll.draw(graph).data, graphs)) == alone


@pytest.mark.slow
def test_drawing_says_nothing() -> None:
    done = fresh(DRAW, "svg", "X0")
    assert done.stderr == ""


# -- fonts -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_fonts(tmp_path: Path) -> dict[str, str]:
    """A fontconfig that knows one folder, which is empty."""
    (tmp_path / "empty").mkdir()
    file = tmp_path / "fonts.conf"
    file.write_text(
        f'<?xml version="1.0"?><fontconfig><dir>{tmp_path}/empty</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>'
    )
    return {"FONTCONFIG_FILE": str(file), "HOME": str(tmp_path)}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere text is not drawn through fontconfig")
def test_letters_are_drawn_on_a_machine_without_fonts(no_fonts: dict[str, str]) -> None:
    """`a` and `e` are equally wide, so empty boxes in their stead would make equal pictures."""
    assert fonts.shipped_folder() is not None
    first, second = (fresh(DRAW, "png", name, **no_fonts) for name in ("a", "e"))
    assert first.stdout != second.stdout
    assert first.stderr == second.stderr == ""
    boxes = {fresh(DRAW, "png", name, "without", **no_fonts).stdout for name in ("a", "e")}
    assert len(boxes) == 1, "without the shipped font this test would see empty boxes"


@pytest.mark.slow
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
