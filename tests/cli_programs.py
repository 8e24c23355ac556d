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


#: One that names a Graph, a Sequential, a module, and a function that makes one.
NAMED = """\
import unroll
from unroll import layers, nn
model = layers.Sequential([layers.Input((None, 2)), layers.LSTM(4), layers.Dense(2)])
module = nn.LSTM(2, 4)
def made():
    return layers.Sequential([layers.Input((5, 2)), layers.LSTM(4), layers.Dense(2)])
graph = made().trace()
"""
