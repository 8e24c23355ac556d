"""What somebody wanted who typed a command, a flag or a word that is not there: said as what to type instead."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from unroll.cli.command import Command
from unroll.cli.targets import is_keras, is_model
from unroll.words import closest

#: What a command is called elsewhere.
_COMMANDS = {
    "compare": "equivalent",
    "info": "summary",
    "inspect": "summary",
    "list": "summary",
    "print": "summary",
    "show": "summary",
    "plot": "draw",
    "render": "draw",
    "convert": "export",
    "save": "export",
    "to_onnx": "export",
    "infer": "run",
    "predict": "run",
    "check": "verify",
    "test": "verify",
    "fold": "optimize",
    "simplify": "optimize",
    "roll": "reroll",
    "flatten": "unroll",
    "unfold": "unroll",
    "benchmark": "compile",
    "tune": "compile",
    "example": "demo",
}
#: What a flag that no command has stands for: a flag; else a command, by what follows ``unroll``.
_FLAGS: dict[str, tuple[str, ...]] = {
    "--out": ("--output",),
    "--outfile": ("--output",),
    "--output-file": ("--output",),
    "--format": ("--output",),
    "--input": ("--feed",),
    "--inputs": ("--feed",),
    "--data": ("--feed",),
    "--outputs": ("--fetch",),
    "--dims": ("--dim",),
    "--shape": ("--dim",),
    "--size": ("--dim",),
    "--steps": ("--dim",),
    "--time": ("--dim",),
    "--timesteps": ("--dim",),
    "--batch": ("--batch", "--dim"),
    "--batch-size": ("--batch", "--dim"),
    "--atol": ("--tolerance",),
    "--rtol": ("--tolerance",),
    "--verbose": ("--full",),
    "-v": ("--full", "--version"),
    "--all": ("--full",),
    "--overwrite": ("--force",),
    "--float16": ("--dtype float16", "compile MODEL -o FILE.onnx --dtype float16"),
    "--fp16": ("--dtype float16", "compile MODEL -o FILE.onnx --dtype float16"),
    "--int8": ("--quantize int8", "compile MODEL -o FILE.onnx --quantize int8"),
    "--quantized": ("--quantize int8", "compile MODEL -o FILE.onnx --quantize int8"),
    "--scan": ("--form scan", "export MODEL -o FILE.onnx --form scan"),
    "--functions": ("--form functions", "export MODEL -o FILE.onnx --form functions"),
    "--unrolled": ("--form unrolled", "export MODEL -o FILE.onnx"),
    "--reroll": ("--form rerolled", "reroll MODEL -o FILE.onnx"),
    "--rerolled": ("--form rerolled", "reroll MODEL -o FILE.onnx"),
    "--optimize": ("optimize MODEL -o FILE.onnx",),
    "--optimise": ("optimize MODEL -o FILE.onnx",),
    "--optimized": ("optimize MODEL -o FILE.onnx",),
    "--fold": ("optimize MODEL -o FILE.onnx",),
    "--simplify": ("optimize MODEL -o FILE.onnx",),
    "--check": ("verify MODEL",),
    "--verify": ("verify MODEL",),
    "--compare": ("equivalent MODEL OTHER",),
    "--measure": ("compile MODEL",),
}
#: Values that stand alone, and the flag that they belong to.
_VALUES = {
    "cell": "--level",
    "op": "--level",
    "functions": "--form",
    "scan": "--form",
    "rerolled": "--form",
    "unrolled": "--form",
    "auto": "--form",
    "float16": "--dtype",
    "int8": "--quantize",
}
_ARRAYS = (".npy", ".npz", ".safetensors")


def unknown_command(word: str, names: Iterable[str]) -> str:
    """Return what is wrong with the first word of a command line, and what to type."""
    if _is_target(word) or os.path.lexists(word):
        return f"{word!r} is no command; name one first: unroll summary {word}"
    said = f"there is no command {word!r}"
    instead = _COMMANDS.get(word.lower().strip("-"))
    return f"{said}; unroll {instead} does that" if instead else f"{said}; {closest(word, names).rstrip('?')}"


def unknown_flag(word: str, flags: Collection[str], others: Iterable[tuple[str, Collection[str]]]) -> str:
    """Return what is wrong with a flag, and what to type.

    Args:
        word: the flag, its value behind it as it may be.
        flags: those of the command.
        others: the flags of every command, by its name.
    """
    flag = word.partition("=")[0]
    said = f"there is no flag {flag}"
    for instead in _FLAGS.get(flag.lower().replace("_", "-"), ()):
        if not instead.startswith("--"):
            return f"{said}; that is a command: unroll {instead}"
        if instead.partition(" ")[0] in flags:
            return f"{said}; write {instead}"
    near = closest(flag, flags).replace("'", "").rstrip("?")
    where = [name for name, theirs in others if flag in theirs]
    return f"{said} here, but {' and '.join(f'unroll {name}' for name in where)} has it" if where else f"{said}; {near}"


def extra_word(command: Command, options: argparse.Namespace, word: str, flags: Collection[str]) -> str:
    """Return what is wrong with a word that a command does not take, and what to type."""
    return _second_half(options, word) or f"{word!r} is one argument too many{_wanted(command, options, word, flags)}"


def missing_words(command: str, places: list[str], needed: list[str]) -> str:
    """Return what is missing, and what to type.

    Args:
        command: the command.
        places: what is named by its place.
        needed: flags that must be there, each with what follows it.
    """
    if places == ["B"]:
        return (
            f"this is missing: B; {command} compares two programs or files; one by itself is checked by unroll verify"
        )
    what = f"{' and '.join(places)} (path/to/program.py:name, or an .onnx, .keras or .h5 file)" if places else ""
    flags = [f"{flag} (where to write)" if flag.startswith("-o ") else flag for flag in needed]
    return f"this is missing: {' and '.join(filter(None, [what, *flags]))}"


def _second_half(options: argparse.Namespace, word: str) -> str | None:
    """Return what is wrong where a pair, such as ``--dim time=28``, was written in two words."""
    for name in (item for item in getattr(options, "dim", []) if "=" not in item):
        size = word if word.isdecimal() else "SIZE"
        return f"--dim {name} {word}: name and size are one word: --dim {name}={size}"
    for name in (item for item in getattr(options, "feed", []) if "=" not in item and not item.endswith(_ARRAYS)):
        file = word if word.endswith(".npy") else "FILE.npy"
        return f"--feed {name} {word}: name and file are one word: --feed {name}={file}"
    return None


def _wanted(command: Command, options: argparse.Namespace, word: str, flags: Collection[str]) -> str:
    first = getattr(options, "program", "")
    if first and os.path.lexists(f"{first} {word}"):
        return f"; put a name with blanks into quotes: '{first} {word}'"
    if "--dim" in flags and re.fullmatch(r"[^=]+=\d+", word):
        return f"; write --dim {word}"
    free = command.name == "demo" or getattr(options, "output", "") is None
    written = free and (command.name == "demo" or Path(word).suffix in command.suffixes)
    if written and not (word.endswith(_ARRAYS) and os.path.lexists(word)):
        return f"; to write there: -o {word}"
    if "--feed" in flags and word.endswith(_ARRAYS):
        return f"; to feed it: --feed {word}"
    if _VALUES.get(word) in flags:
        return f"; write {_VALUES[word]} {word}"
    if command.name == "equivalent":
        return ": it compares two"
    if _is_target(word):
        return f": {command.name} takes one; unroll equivalent {first} {word} says whether two compute the same"
    return f": {command.name} takes one program or file" if first else ""


def _is_target(word: str) -> bool:
    """Say whether a word looks like a program or a file to read."""
    return is_model(word) or is_keras(word) or word.endswith(".py") or ".py:" in word
