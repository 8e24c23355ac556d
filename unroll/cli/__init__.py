"""The command line.

Nothing is loaded here but what a Ctrl-C needs: whatever a command imports is imported once somebody listens for it.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what stands behind ``unroll`` on the command line; by default those of the process, which then is the
            command's own: a Ctrl-C ends it quietly, after the command too.

    Returns:
        The exit status; see `unroll.cli.statuses`.
    """
    try:
        from unroll.cli.interrupts import listening  # a Ctrl-C meanwhile ends here
        from unroll.cli.output import open_closed_streams  # the same

        open_closed_streams()
        with listening(to_the_end=arguments is None) as interrupts:
            try:
                from unroll.cli.line import run  # the same
            except BaseException:
                if interrupts.seen:  # an interrupted import may raise anything
                    return 130
                raise
            return run(arguments, interrupts)
    except KeyboardInterrupt:  # before anybody listened
        return 130
