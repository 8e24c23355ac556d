"""Programs that tests of the command line run."""

from __future__ import annotations

import pytest

from unroll.cli import main

GRAPH = """\
import unroll
x = unroll.placeholder([None, 2], "x")
graph = unroll.Graph([x], {"y": unroll.ops.tanh(x)})
"""


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that is refused, and return the one line that it says."""
    assert main([str(argument) for argument in arguments]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1 and shown.err.startswith(f"unroll {arguments[0]}: ")
    assert shown.out == ""
    return shown.err
