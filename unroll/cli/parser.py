"""Reading a command line; what is wrong with it is an error like any other."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from typing import NoReturn

from unroll.cli import compile, demo, draw, equivalent, export, optimize, reroll, run, summary, verify
from unroll.cli.command import Command
from unroll.cli.output import help_width
from unroll.errors import ArgumentError
from unroll.version import __version__
from unroll.words import closest

#: Every command, in the order of the list.
COMMANDS: dict[str, Command] = {
    module.COMMAND.name: module.COMMAND
    for module in (demo, summary, draw, export, run, verify, optimize, reroll, compile, equivalent)
}
_DESCRIPTION = (
    "Trace recurrent cells over a fixed list of timesteps into an explicit graph; draw it, write it as ONNX, run it, make it "
    "faster, and prove that it stayed the same."
)
_ABOUT = (
    "A program is named as path/to/program.py:name, where name is a Graph, a Sequential, a module of unroll.nn, or a "
    "function that returns one.",
    "Each command has a help of its own, with its flags and more examples: unroll draw --help",
)
_STATUSES = """\
exit status:
  0    done; of verify and equivalent: they agree
  1    what was compared does not agree
  2    misuse, or something that could not be read, compared, done or written
  130  Ctrl-C"""


def command_of(words: Sequence[str]) -> Command:
    """Return the command that a line asks for.

    Where help or the version is asked for, it is printed, and argparse raises its SystemExit.

    Raises:
        ArgumentError: there is no such command.
    """
    if words and words[0] in COMMANDS:
        return COMMANDS[words[0]]
    if words and words[0].startswith("-"):
        parser = _overview()
        parser.parse_known_args(words[:1])  # --help and --version end here
        parser.error(_unknown(words[0], parser))
    if words:
        raise ArgumentError(f"there is no command {words[0]!r}; {closest(words[0], COMMANDS)} See unroll --help")
    raise ArgumentError(f"name a command: {', '.join(COMMANDS)}; see unroll --help")


def options_of(command: Command, words: Sequence[str]) -> argparse.Namespace:
    """Return the options of a command; their `flags` are all that it has.

    Args:
        command: the command.
        words: what stands behind it.

    Raises:
        ArgumentError: there is no such flag, or one is missing or has another value.
    """
    examples = "\n".join(f"  {line}" for line in command.examples)
    about = textwrap.fill(command.description, help_width())
    parser = _Parser(f"unroll {command.name}", about, f"examples:\n{examples}")
    command.add(parser)
    parser.usage = parser.short_usage()
    options, unknown = parser.parse_known_args(words)
    if unknown:
        parser.error(_unknown(unknown[0], parser))
    options.flags = parser.flags
    return options


def _unknown(word: str, parser: _Parser) -> str:
    if not word.startswith("-"):
        return f"{word!r} is one argument too many"
    flag = word.partition("=")[0]
    return f"there is no flag {flag}; {closest(flag, parser.flags).replace(chr(39), '').rstrip('?')}"


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would print and exit with."""

    def __init__(self, prog: str, description: str, epilog: str) -> None:
        super().__init__(
            prog=prog, description=description, epilog=epilog, formatter_class=_Formatter, allow_abbrev=False
        )

    @property
    def flags(self) -> list[str]:
        """Every flag, such as ``--output``."""
        return [flag for flag in self._option_string_actions if flag.startswith("--")]

    def short_usage(self) -> str:
        """Return what must be given; the list of flags says the rest."""
        needed = [action for action in self._actions if action.required]
        words = [f"{action.option_strings[0]} {action.metavar}" for action in needed if action.option_strings]
        places = [str(action.metavar) for action in needed if not action.option_strings]
        return " ".join([self.prog, *places, *words, "[flags]"])

    def error(self, message: str) -> NoReturn:
        said = message.removeprefix("argument ").replace("the following arguments are required: ", "this is missing: ")
        raise ArgumentError(f"{said}; see {self.prog} --help")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, with lists and examples as they are written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=help_width())


def _overview() -> _Parser:
    """Return the parser of ``unroll`` itself, which tells of all commands."""
    wide = max(map(len, COMMANDS)) + 4
    lines = ["commands:"]
    for command in COMMANDS.values():
        first, *rest = textwrap.wrap(command.help, help_width() - wide)
        lines += [f"  {command.name}".ljust(wide) + first, *(" " * wide + line for line in rest)]
    lines += ["", "examples:", *(f"  {command.examples[0]}" for command in COMMANDS.values())]
    about = "\n\n".join(textwrap.fill(text, help_width()) for text in _ABOUT)
    parser = _Parser("unroll", textwrap.fill(_DESCRIPTION, help_width()), "\n".join([*lines, "", about, "", _STATUSES]))
    parser.usage = "unroll COMMAND ..."
    parser.add_argument("--version", action="version", version=f"unroll {__version__}")
    return parser
