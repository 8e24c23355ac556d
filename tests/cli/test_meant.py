"""Who types too much, too little or another program's words is told what to type, and that does it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_checks import refused, run
from cli_programs import NAMED

import unroll
from unroll.cli import meant
from unroll.cli.parser import COMMANDS, _flags_of_all

ONE_FILE = ["summary", "draw", "export", "run", "verify", "optimize", "reroll", "unroll", "compile"]
OUTPUTS = {"draw": "out.svg", "export": "out.onnx", "run": "out.npz", "optimize": "out.onnx", "compile": "out.onnx"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str], Path]) -> None:
    monkeypatch.chdir(tmp_path)
    write(NAMED)
    x = unroll.placeholder(["rows", 2], "x")
    unroll.save(unroll.Graph([x], {"y": unroll.ops.tanh(x)}), "a.onnx")
    unroll.save(unroll.Graph([x], {"y": unroll.ops.tanh(x)}), "b.onnx")
    two = [unroll.placeholder(["rows", 2], name) for name in "pq"]
    unroll.save(unroll.Graph(two, {"y": two[0] + two[1]}), "two.onnx")
    np.save("x.npy", np.ones((3, 2), "float32"))
    np.savez("x.npz", x=np.ones((3, 2), "float32"))


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["b.onnx", "program.py:model"])
@pytest.mark.parametrize("command", ONE_FILE)
def test_two_where_one_is_taken_names_what_compares_two(capsys, command, other):
    output = ["-o", OUTPUTS.get(command, "out.onnx")] if command in OUTPUTS or command in ("reroll", "unroll") else []
    said = refused(capsys, command, "a.onnx", other, *output)
    assert f"{command} takes one; unroll equivalent a.onnx {other} says whether two compute the same" in said
    assert run("equivalent", "a.onnx", "b.onnx") == 0


@pytest.mark.parametrize("command", OUTPUTS)
def test_an_output_without_its_flag_is_given_it(capsys, command):
    said = refused(capsys, command, "a.onnx", OUTPUTS[command])
    assert f"to write there: -o {OUTPUTS[command]}; see unroll {command} --help" in said


@pytest.mark.parametrize("command", ["run", "verify", "draw", "equivalent"])
@pytest.mark.parametrize("file", ["x.npy", "x.npz"])
def test_arrays_without_their_flag_are_given_it_and_are_fed(capsys, command, file):
    line = [command, "a.onnx", *{"draw": ["-o", "y.svg"], "equivalent": ["b.onnx"]}.get(command, [])]
    assert f"to feed it: --feed {file}" in refused(capsys, *line, file)
    assert run(*line, "--feed", file) == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("equivalent a.onnx", "this is missing: B; unroll equivalent compares two programs or files; one by itself is"),
        ("equivalent", "this is missing: A and B (path/to/program.py:name, or an .onnx, .keras or .h5 file)"),
        ("equivalent a.onnx b.onnx two.onnx", "'two.onnx' is one argument too many: it compares two"),
        (
            "draw",
            "this is missing: PROGRAM (path/to/program.py:name, or an .onnx, .keras or .h5 file) and -o FILE (where to write)",
        ),
        ("export a.onnx", "this is missing: -o FILE.onnx (where to write)"),
        ("gate-order a.onnx", "this is missing: --expected FILE; see"),
        ("demo two", "'two' is one argument too many; to write there: -o two"),
        ("draw a.onnx op -o y.svg", "write --level op"),
        ("verify a.onnx rows=3", "write --dim rows=3"),
        ("verify a.onnx --dim rows 3", "--dim rows 3: name and size are one word: --dim rows=3"),
        ("verify a.onnx --dim hold foo", "--dim hold foo: name and size are one word: --dim hold=SIZE"),
        ("run a.onnx --feed x x.npy", "--feed x x.npy: name and file are one word: --feed x=x.npy"),
        ("summary my model.onnx", "put a name with blanks into quotes: 'my model.onnx'"),
        ("summary a.onnx what", "'what' is one argument too many: summary takes one program or file"),
        ("a.onnx", "'a.onnx' is no command; name one first: unroll summary a.onnx"),
        ("compare a.onnx b.onnx", "there is no command 'compare'; unroll equivalent does that"),
        ("summary program.py", "program.py: say which graph of it: program.py:model, program.py:module"),
        ("summary no.py", "no.py: there is no such program"),
        ("summary a.keras", "a.keras: cannot be read: No such file"),
    ],
)
def test_what_to_type_is_said(capsys, line, said):
    Path("my model.onnx").write_bytes(Path("a.onnx").read_bytes())
    assert run(*shlex.split(line)) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


# -- flags -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("export a.onnx --optimized -o y.onnx", "that is a command: unroll optimize MODEL -o FILE.onnx"),
        ("export a.onnx --optimise", "that is a command: unroll optimize MODEL -o FILE.onnx"),
        ("reroll a.onnx --simplify=1 -o y.onnx", "that is a command: unroll optimize MODEL -o FILE.onnx"),
        ("export a.onnx --Rerolled -o y.onnx", "write --form rerolled"),
        ("optimize a.onnx --rerolled", "that is a command: unroll reroll MODEL -o FILE.onnx"),
        ("optimize a.onnx --fp16 -o y.onnx", "unroll compile MODEL -o FILE.onnx --dtype float16"),
        ("export a.onnx --fp16 -o y.c", "write --dtype float16"),
        ("verify a.onnx --batch 3", "write --dim"),
        ("run a.onnx --input x=x.npy", "write --feed"),
        ("run a.onnx --level op", "there is no flag --level here, but unroll draw has it"),
        ("draw a.onnx --format png", "write --output"),
        ("draw a.onnx -o", "--output: what follows it is missing; write --output FILE"),
        ("export a.onnx --form", "--form: what follows it is missing; write --form FORM"),
        ("export a.onnx -o y.onnx --force=1", "--force: nothing follows it; write --force"),
        ("verify a.onnx --tolerance a", "--tolerance: no number: 'a'"),
        ("verify a.onnx --seed 1.5", "--seed: no whole number: '1.5'"),
    ],
)
def test_what_flag_to_type_is_said(capsys, line, said):
    assert said in refused(capsys, *shlex.split(line))


def test_every_flag_and_command_that_is_advised_is_there():
    flags = dict(_flags_of_all())
    everywhere = {flag for there in flags.values() for flag in there}
    assert set(meant._COMMANDS.values()) <= set(COMMANDS) and not set(meant._COMMANDS) & set(COMMANDS)
    for instead in (advised for several in meant._FLAGS.values() for advised in several):
        words = instead.split()
        if words[0].startswith("--"):
            assert words[0] in everywhere | {"--version"}
        else:
            assert set(re.findall(r"--\S+", instead)) <= set(flags[words[0]])
    assert set(meant._VALUES.values()) <= everywhere


# -- feeds -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["--feed", "--feeds"])
@pytest.mark.parametrize("value", ["x=x.npy", "x.npz", "x.npy"])
@pytest.mark.parametrize("target", ["a.onnx", "own.py:graph"])
def test_each_way_to_feed_one_input(capsys, flag, value, target):
    Path("own.py").write_text(
        "import unroll\nx = unroll.placeholder(['rows', 2], 'x')\ngraph = unroll.Graph([x], {'y': unroll.ops.tanh(x)})\n"
    )
    assert run("run", target, flag, value, "-o", "y.npy") == 0
    np.testing.assert_allclose(np.load("y.npy"), np.full((3, 2), np.tanh(1)), rtol=1e-6)
    for command, *more in (["verify"], ["draw", "-o", "y.svg"], ["equivalent", "a.onnx"]):
        assert run(command, target, *more, flag, value) == 0


@pytest.mark.parametrize("command", ["run", "verify", "equivalent"])
def test_an_array_without_a_name_and_several_inputs(capsys, command):
    said = refused(capsys, command, "two.onnx", *["a.onnx"] * (command == "equivalent"), "--feed", "x.npy")
    assert "which input is it? There are 2: 'p', 'q'; write --feed p=x.npy" in said


def test_names_and_archives_together(capsys):
    np.savez("p.npz", p=np.ones((3, 2), "float32"))
    assert run("run", "two.onnx", "--feeds", "p.npz", "--feeds", "q=x.npy", "-o", "y.npy") == 0
    np.testing.assert_array_equal(np.load("y.npy"), np.full((3, 2), 2))
    assert "fed already" in refused(capsys, "run", "two.onnx", "--feeds", "p.npz", "--feed", "p=x.npy")
    Path("x.npz").rename("k=3.npz")
    assert run("run", "a.onnx", "--feeds", "k=3.npz", "-o", "y.npy") == 0


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("rows", "the size is missing; write rows=SIZE"),
        ("3", "the size is missing; write NAME=SIZE"),
        ("rows=", "the size is missing; a whole number from 0 on is wanted: rows=SIZE"),
        ("=3", "the name is missing; write NAME=3"),
        ("=", "the name is missing; write NAME=SIZE"),
        ("rows=-1", "'-1' is no size; a whole number from 0 on"),
        ("rows=x", "'x' is no size; a whole number from 0 on"),
        ("rows=\u0663", "is no size; a whole number from 0 on"),
        ("hold=3", "--dim gives 'hold', which is no symbol of the inputs; there are 'rows'"),
    ],
)
def test_a_size_that_is_none_says_what_is_wrong_with_it(capsys, size, said):
    assert said in refused(capsys, "verify", "a.onnx", "--dim", size)
