"""Reading a command line; what is wrong with it is an error like any other."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from typing import NoReturn

from unroll.cli import (
    compile,
    demo,
    diff,
    draw,
    equivalent,
    explain,
    export,
    gate_order,
    kernels,
    optimize,
    reroll,
    run,
    summary,
    unrolling,
    values,
    verify,
    view,
)
from unroll.cli.command import Command
from unroll.cli.meant import extra_word, missing_words, unknown_command, unknown_flag
from unroll.cli.output import help_width
from unroll.errors import ArgumentError
from unroll.version import __version__

#: Every command, in the order of the list.
COMMANDS: dict[str, Command] = {
    module.COMMAND.name: module.COMMAND
    for module in (
        demo,
        summary,
        draw,
        view,
        explain,
        kernels,
        values,
        export,
        run,
        gate_order,
        verify,
        optimize,
        reroll,
        unrolling,
        compile,
        diff,
        equivalent,
    )
}
_DESCRIPTION = (
    "Trace recurrent cells over a fixed list of timesteps into an explicit graph; draw it, write it as ONNX, run it, make it "
    "faster, and prove that it stayed the same."
)
_ABOUT = (
    "A program is named as path/to/program.py:name, where name is a Graph, a model of layers, a module of unroll.nn, or a "
    "function that returns one.",
    "Each command has a help of its own, with its flags and more examples: unroll draw --help",
)
_STATUSES = """\
exit status:
  0    done; of verify, equivalent and gate-order: they agree
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
        parser.error(unknown_flag(words[0], parser.flags, _flags_of_all()))
    if words:
        raise ArgumentError(f"{unknown_command(words[0], COMMANDS)}; see unroll --help")
    raise ArgumentError(f"name a command: {', '.join(COMMANDS)}; see unroll --help")


def options_of(command: Command, words: Sequence[str]) -> argparse.Namespace:
    """Return the options of a command; their `flags` are all that it has.

    Args:
        command: the command.
        words: what stands behind it.

    Raises:
        ArgumentError: there is no such flag, or one is missing or has another value.
    """
    parser = _parser_of(command)
    needed = parser.without_needed_flags()
    options, unknown = parser.parse_known_args(words)
    flags = [word for word in unknown if word.startswith("-") and word != "-"]
    if flags:  # first: the value of a flag that is not there is a word too many as well
        parser.error(unknown_flag(flags[0], parser.flags, _flags_of_all()))
    if unknown:
        parser.error(extra_word(command, options, unknown[0], parser.flags))
    missing = [_with_value(flag) for flag in needed if getattr(options, flag.dest) is None]
    if missing:
        parser.error(missing_words(command.name, [], missing))
    options.flags = parser.flags
    return options


def _parser_of(command: Command) -> _Parser:
    examples = "\n".join(f"  {line}" for line in command.examples)
    about = textwrap.fill(command.description, help_width())
    parser = _Parser(f"unroll {command.name}", about, f"examples:\n{examples}")
    command.add(parser)
    parser.usage = parser.short_usage()
    return parser


def _flags_of_all() -> list[tuple[str, list[str]]]:
    return [(name, _parser_of(command).flags) for name, command in COMMANDS.items()]


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would print and exit with."""

    def __init__(self, prog: str, description: str, epilog: str) -> None:
        super().__init__(
            prog=prog, description=description, epilog=epilog, formatter_class=_Formatter, allow_abbrev=False
        )
        self._needed: list[argparse.Action] = []

    @property
    def flags(self) -> list[str]:
        """Every flag, such as ``--output``."""
        return [flag for flag in self._option_string_actions if flag.startswith("--")]

    def without_needed_flags(self) -> list[argparse.Action]:
        """Return the flags that must be there, and let a line be read without them: what is there tells more."""
        self._needed = [action for action in self._actions if action.required and action.option_strings]
        for action in self._needed:
            action.required = False
        return self._needed

    def short_usage(self) -> str:
        """Return what must be given; the list of flags says the rest."""
        needed = [action for action in self._actions if action.required]
        words = [_with_value(action) for action in needed if action.option_strings]
        places = [str(action.metavar) for action in needed if not action.option_strings]
        return " ".join([self.prog, *places, *words, "[flags]"])

    def error(self, message: str) -> NoReturn:
        _, places, missing = message.partition("the following arguments are required: ")
        needed = [_with_value(flag) for flag in self._needed]
        said = missing_words(self.prog, missing.split(", "), needed) if places else self._said(message)
        raise ArgumentError(f"{said}; see {self.prog} --help")

    def _said(self, message: str) -> str:
        """Return what argparse says of a flag and what follows it, in our words."""
        message = message.removeprefix("argument ")
        flag, separator, why = message.partition(": ")
        flag = flag.rpartition("/")[2]
        action = self._option_string_actions.get(flag)
        if not separator or action is None:
            return message
        if why == "expected one argument":
            return f"{flag}: what follows it is missing; write {flag} {action.metavar or action.dest.upper()}"
        if why.startswith("ignored explicit argument"):
            return f"{flag}: nothing follows it; write {flag}"
        for kind, name in (("int", "whole number"), ("float", "number")):
            why = why.replace(f"invalid {kind} value: ", f"no {name}: ")
        return f"{flag}: {why}"


def _with_value(flag: argparse.Action) -> str:
    return f"{flag.option_strings[0]} {flag.metavar}"


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
