"""What a command is: its name, its help, the flags it takes, and what it does."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple


class Command(NamedTuple):
    """One command.

    Attributes:
        name: what it is called by.
        help: what it does, in one line of the list of commands.
        description: what it does, in its own help.
        examples: a command line each.
        add: adds its arguments to a parser.
        run: does it, and returns the exit status.
        suffixes: what the file that it writes may end in; any where there are none.
    """

    name: str
    help: str
    description: str
    examples: tuple[str, ...]
    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    suffixes: tuple[str, ...] = ()
