"""From DOT to a file: formats, paths, notebooks, missing packages, stderr and fonts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import graphviz
import numpy as np
import pygraphviz
import pytest
from drawn_programs import (
    PROGRAMS,
    over_steps,
    parsed,
    two_steps,
)

import unroll
from unroll.errors import (
    ArgumentError,
    ArgumentTypeError,
    FileError,
    MissingPackageError,
    UnrollError,
    UnsupportedError,
)
from unroll.viz import drawing, fonts, process, render
from unroll.viz.dot_text import in_pieces

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


# -- limits ---------------------------------------------------------------------------------------------------------------


def many_inputs(count: int) -> unroll.Graph:
    """A line from the first input rises past all the others: its spline has thousands of points."""
    inputs = [unroll.placeholder([None, 2], f"x{place}") for place in range(count)]
    total = inputs[0]
    for item in inputs[1:]:
        total = total + item
    return unroll.Graph(inputs, {"y": total})


def long_names(name: str) -> unroll.Graph:
    """Everything that has a name has this long one."""
    inputs = [unroll.placeholder([None, 3], f"{name}{step}") for step in range(2)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(2), inputs, scope=f"{name}rnn")
    kernel = unroll.Parameter(np.ones((2, 2), np.float32), f"{name}w")
    return unroll.Graph(inputs, {f"{name}y": outputs[-1] @ kernel})


def test_no_string_of_a_picture_is_longer_than_graphviz_scans_and_none_loses_a_character() -> None:
    """Graphviz takes fewer than 16,384 bytes of a quoted string at a time; its own parser joins what was cut."""
    name = "é\U0001f600x" * 7000
    for graph, long in ((many_inputs(600), None), (long_names(name), f"{name}0")):
        dot = unroll.draw(graph, format="dot").dot
        assert max(len(line.encode()) for line in dot.splitlines()) < 16_384 * 2
        assert re.search(r"\\\n", dot), "nothing here is long enough to be cut"
        read = pygraphviz.AGraph(string=dot)
        if long is None:
            assert max(len(edge.attr["pos"]) for edge in read.edges()) > 30_000
            for edge in read.edges():
                assert re.fullmatch(r"e,[\d.]+,[\d.]+( -?[\d.]+,-?[\d.]+)+", edge.attr["pos"])
        else:
            assert long in {node.attr["tooltip"] for node in read.nodes()}


@pytest.mark.parametrize("text", ["a" * 4000, "a" * 4001, "ab\\\\" * 3000, "\\\\" * 2500, '"' * 9000])
def test_text_in_pieces_is_read_as_the_text(text: str) -> None:
    dot = graphviz.Digraph()
    dot.node("a", comment=in_pieces(text))
    read = pygraphviz.AGraph(string=dot.source)
    seen = read.get_node("a").attr["comment"]
    assert seen.replace("\\\\", "\\") == text.replace("\\\\", "\\")


@pytest.mark.parametrize(("level", "format"), [("cell", "png"), ("cell", "pdf"), ("op", "svg")])
def test_names_of_any_length_are_drawn(level: drawing.Level, format: str) -> None:
    picture = unroll.draw(long_names('<&"é/x' * 1500), level=level, format=format)
    assert len(picture.data) > 5000


def test_a_spline_of_any_length_is_drawn() -> None:
    picture = unroll.draw(many_inputs(450))
    assert max(map(len, re.findall(r'pos="([^"]+)"', picture.dot))) > 16_384
    curves = [
        item.get("d", "") for item in ElementTree.fromstring(picture.data).iter("{http://www.w3.org/2000/svg}path")
    ]
    assert max(map(len, curves)) > 15_000


def test_a_bitmap_that_nobody_could_read_is_refused() -> None:
    with pytest.raises(FileError, match=r"as PNG .* pixels a side .* SVG has no such limit"):
        unroll.draw(over_steps(unroll.BasicRNNCell(2), 500), format="png", full=True)


@pytest.mark.parametrize(
    ("arguments", "advice", "unsaid"),
    [
        ({"level": "op", "full": True}, ('level="cell" draws a box', "without full=True"), ()),
        ({"level": "cell", "full": True}, ("without full=True",), ('level="cell"',)),
    ],
)
def test_advice_on_a_picture_that_is_too_large_fits_what_was_asked(
    arguments: dict, advice: tuple[str, ...], unsaid: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "_MOST_PIXELS", 200)
    with pytest.raises(FileError) as refusal:
        unroll.draw(over_steps(unroll.BasicRNNCell(2), 8), format="png", **arguments)
    assert all(text in str(refusal.value) for text in advice)
    assert not any(text in str(refusal.value) for text in unsaid)
    with pytest.raises(FileError, match="draw a part of it"):
        unroll.draw(many_inputs(9), format="png", **arguments)


# -- the process that draws -----------------------------------------------------------------------------------------------


def drawing_process() -> int:
    unroll.draw(two_steps())
    assert process._drawer is not None
    return process._drawer._process.pid


def test_graphviz_is_never_loaded_into_the_users_program() -> None:
    code = "import sys; print([name for name in sys.modules if name.startswith('pygraphviz')])"
    done = fresh(
        DRAW.replace("import hashlib, sys", "import hashlib, sys\nimport unroll.viz.render") + code, "svg", "x"
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_one_process_draws_until_it_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    first = drawing_process()
    assert drawing_process() == first
    monkeypatch.setattr(process, "RENEWED_AFTER", 1)
    unroll.draw(two_steps())
    monkeypatch.undo()
    assert drawing_process() != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of another process is bounded with prlimit")
@pytest.mark.parametrize("format", ["svg", "png"])
def test_memory_that_runs_out_is_an_error_and_the_next_picture_is_drawn(format: str) -> None:
    """Graphviz ends its process then."""
    import resource

    pid = drawing_process()
    status = Path(f"/proc/{pid}/status").read_text()
    bound = int(status.partition("VmData:")[2].split()[0]) * 1024 + 2**20
    resource.prlimit(pid, resource.RLIMIT_DATA, (bound, bound))
    with pytest.raises(FileError, match="ran out of memory"):
        unroll.draw(over_steps(unroll.GRUCell(2), 30), level="op", full=True, format=format)
    assert unroll.draw(two_steps()).data


def test_a_process_that_somebody_ends_is_started_again() -> None:
    before = drawing_process()
    os.kill(before, 9)
    assert process._drawer is not None
    process._drawer._process.wait()
    assert drawing_process() != before


def test_a_picture_that_is_interrupted_leaves_nothing_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = unroll.draw(two_steps()).data

    def interrupted(_: process.Drawer) -> process.Answer:
        raise KeyboardInterrupt

    monkeypatch.setattr(process.Drawer, "_answer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        unroll.draw(over_steps(unroll.GRUCell(2), 3))
    monkeypatch.undo()
    assert unroll.draw(two_steps()).data == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_program_draws_with_a_process_of_its_own() -> None:
    code = """
import os
import unroll
from unroll.viz import process
x = unroll.placeholder([None, 3], "x")
graph = unroll.Graph([x], [x + 1.0])
first = unroll.draw(graph).data
parents = process._drawer._process.pid
if not (child := os.fork()):
    same = unroll.draw(graph).data == first and process._drawer._process.pid != parents
    process._end()
    os._exit(not same)
assert os.waitpid(child, 0)[1] == 0
assert unroll.draw(graph).data == first and process._drawer._process.pid == parents
"""
    assert fresh(code).stderr == ""


def test_where_no_process_can_be_started_the_error_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    process._end()
    for name, value, error in (
        ("executable", "", UnsupportedError),
        ("executable", str(tmp_path / "missing"), FileError),
    ):
        monkeypatch.setattr(sys, name, value)
        with pytest.raises(error, match=r"\.dot file"):
            unroll.draw(two_steps())
        assert unroll.draw(two_steps(), format="dot").data
        monkeypatch.undo()
    monkeypatch.setattr(process, "_START", "raise SystemExit('no')")
    with pytest.raises(UnsupportedError, match="ended with status 1: no"):
        unroll.draw(two_steps())


def test_svg_names_families_that_browsers_have() -> None:
    families = set(re.findall(r'font-family="([^"]+)"', unroll.draw(two_steps())._repr_svg_()))
    assert families == {"Open Sans,Segoe UI,Helvetica,Arial,sans-serif"}
