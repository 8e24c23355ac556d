"""What is said on the command line is said in its words: a flag where Python has an argument."""

from __future__ import annotations

import argparse
import ast
import re

import pytest
from cli_checks import run
from helpers import REPOSITORY

from unroll.cli.parser import COMMANDS
from unroll.cli.words import FLAGS, in_flags

#: Flags that no argument of a Python function stands for.
OWN = {"--help", "--output", "--force", "--feeds", "--latex", "--no-browser", "--no-measure", "--value"}
ALL = frozenset(FLAGS.values())
ARGUMENT = re.compile(rf"\b({'|'.join(FLAGS)})=")
#: What a message says, and what is said of it where every flag is there.
SAID = {
    'give it as dims={"time": size}, or feeds': "give it as --dim time=size, or feeds",
    "give it as dims={'a': size, 'b c': size}": "give it as --dim a=size --dim b c=size",
    "feeds are given, so dims say nothing": "feeds are given, so --dim says nothing",
    "a tensor called 'dims' and one called x.dims": "a tensor called 'dims' and one called x.dims",
    "or use form='unrolled' (or \"scan\")": 'or use --form unrolled (or "scan")',
    "reroll: opset=18": "--opset 18",
    "ir_version 99: opset 13 takes 7 to 13": "--ir-version 99: opset 13 takes 7 to 13",
    "dims hold 'a', which": "--dim gives 'a', which",
    "feeds hold 'a', which": "--feed gives 'a', which",
    "there is 'float16', or None for the graph's own": "there is 'float16'; leave --dtype out for the graph's own",
    "NumPy cannot compute it; run the graph with unroll.Session(graph)": "NumPy cannot compute it; run it with unroll run",
    "Session: draw.onnx: not verify: x": "draw.onnx: not verify: x",
    "pass opset=18 or later": "pass --opset 18 or later",
    "nonfinite=True does so": "--nonfinite does so",
    "nonfinite=False": "nonfinite=False",
    "export with runtime=None for another runtime": "export with --any-runtime for another runtime",
    'level="cell" draws less': "--level cell draws less",
    "without full=True the middle is left out": "without --full the middle is left out",
    "Set XDG_CACHE_HOME, or pass cache=a folder of yours, or cache=False": "Set XDG_CACHE_HOME, or give --no-cache",
    "make the module with dtype=float64": "make the module with dtype=float64",
    "dtype='float16' and quantize='int8'": "--dtype float16 and --quantize int8",
    "tolerance=1e-05, seed=3, batch=4": "--tolerance 1e-05, --seed 3, --batch 4",
    "fetches='y', ir_version=10, tune=False, feeds=x": "--fetch y, --ir-version 10, --no-tune, --feed x",
}


@pytest.mark.parametrize("message", SAID)
def test_an_argument_is_said_as_its_flag(message: str) -> None:
    assert in_flags(message, ALL) == SAID[message]


def test_an_argument_stays_where_the_command_has_no_flag_for_it() -> None:
    assert in_flags("pass opset=18 or later, or full=True", {"--full"}) == "pass opset=18 or later, or --full"


def test_inputs_that_are_fixed_are_said_as_their_flag() -> None:
    said = 'give values={"sr": ..., "lengths:0": ...} when it is read'
    assert in_flags(said, {"--value"}) == "give --value sr=... --value lengths:0=... when it is read"
    assert in_flags(said, {"--dim"}) == said


def flags_of(name: str) -> set[str]:
    parser = argparse.ArgumentParser()
    COMMANDS[name].add(parser)
    return {flag for flag in parser._option_string_actions if flag.startswith("--")}


def test_every_flag_is_an_argument_in_the_table_and_every_one_of_the_table_is_there() -> None:
    there = set().union(*(flags_of(name) for name in COMMANDS))
    assert there - OWN == ALL


def messages() -> set[str]:
    """Every text of the package that speaks of an argument which has a flag, but for docstrings and templates of code."""
    found = set()
    for folder in ("unroll", "export", "viz"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            if "cli" in path.parts:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
            for node in ast.walk(tree):
                if isinstance(node, ast.JoinedStr):
                    parts = [part.value if isinstance(part, ast.Constant) else "'q'" for part in node.values]
                    found.add("".join(map(str, parts)))
                elif (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and id(node) not in documented | inside
                ):
                    found.add(node.value)
    return {text for text in found if ARGUMENT.search(text) and not is_signature(text)}


def is_signature(text: str) -> bool:
    """A text of which a table makes the arguments of a function."""
    try:
        ast.parse(f"def function({text}): ...")
    except SyntaxError:
        return False
    return ", " in text


def test_no_message_is_left_in_pythons_words() -> None:
    said = messages()
    assert len(said) > 15
    left = {
        text
        for text in said
        for name in ARGUMENT.findall(in_flags(text, {*ALL, "--value"}))
        if name not in ("dtype", "batch")
    }
    assert left == set()


def test_what_a_command_refuses_and_reports_is_in_its_words(capsys, tmp_path):
    program = tmp_path / "p.py"
    program.write_text(
        "from unroll import layers\nmodel = layers.Sequential([layers.Input((None, 5)), layers.LSTM(4)])\n",
        encoding="utf-8",
    )
    assert run("verify", f"{program}:model", "--dim", "time=3") == 0
    assert "into the feeds; --nonfinite does so" in capsys.readouterr().out
