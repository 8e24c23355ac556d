"""One command line, from its words to its exit status; whatever is raised on the way becomes one line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from unroll.cli.bars import on_terminal
from unroll.cli.interrupts import Interrupts
from unroll.cli.notices import warnings_in_words
from unroll.cli.output import complain, finish, give_up_output, standard_output
from unroll.cli.parser import command_of, options_of
from unroll.cli.statuses import DISAGREES, DONE, INTERRUPTED, MISUSED
from unroll.cli.targets import check_target
from unroll.cli.words import in_flags
from unroll.errors import FileError, NoWitnessError, UnrollError, VerificationError


def run(arguments: Sequence[str] | None, interrupts: Interrupts) -> int:
    """Run one command; return the exit status, see `unroll.cli.statuses`."""
    line = _Line()
    try:
        return line.run(arguments, interrupts)
    except BrokenPipeError:  # the reader, such as `head`, has gone: not an error
        give_up_output()
        return DONE
    except BaseException as error:
        if interrupts.seen or isinstance(error, KeyboardInterrupt):
            interrupts.told = True
            complain(f"{line.name}: interrupted")
            return INTERRUPTED
        return line.refused(error)


class _Line:
    """One command line, which knows its command as soon as that is read.

    Attributes:
        name: the command, for messages.
    """

    def __init__(self) -> None:
        self.name = "unroll"
        self._flags: frozenset[str] = frozenset()

    def run(self, arguments: Sequence[str] | None, interrupts: Interrupts) -> int:
        """Run the command.

        Raises:
            UnrollError: what is wrong; and whatever else is raised.
        """
        with standard_output():
            words = sys.argv[1:] if arguments is None else list(arguments)
            try:
                command = command_of(words)
                self.name = interrupts.command = f"unroll {command.name}"
                options = options_of(command, words[1:])
            except SystemExit:  # of --help and --version
                finish()
                return DONE
            self._flags = frozenset(options.flags)
            with on_terminal(), warnings_in_words(self.name, self._flags):
                check_target(command, options)
                status = command.run(options)
                finish()
                return status

    def refused(self, error: BaseException) -> int:
        """Say in one line what is wrong, and return the status; a fault of unroll's own is raised again."""
        if isinstance(error, UnrollError):
            differs = isinstance(error, VerificationError) and not isinstance(error, NoWitnessError)
            return self._refused(str(error), DISAGREES if differs else MISUSED)
        if isinstance(error, Warning):  # where the user or the program asked for warnings to be errors
            return self._refused(f"{type(error).__name__}: {error}")
        if isinstance(error, MemoryError):
            return self._refused(f"there is too little memory: {error}")
        if isinstance(error, Exception):
            from unroll.cli.programs import raised_later  # loaded already where a program was run

            said = raised_later(error)
            if said is not None:
                return self._refused(said)
        raise error

    def _refused(self, message: str, status: int = MISUSED) -> int:
        try:
            finish()
        except (FileError, BrokenPipeError):
            give_up_output()
        complain(f"{self.name}: {in_flags(message, self._flags)}")
        return status
