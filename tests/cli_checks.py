"""What tests of the command line share."""

import pytest
from helpers import REPOSITORY

from unroll.cli import main

TWO_STEPS = f"{REPOSITORY / 'examples' / 'static_rnn_two_steps.py'}:with_static_rnn"
IMAGE_ROWS = f"{REPOSITORY / 'examples' / 'image_rows_lstm.py'}:image_rows"


def run(*arguments: str) -> int:
    return main([str(argument) for argument in arguments])


def refused(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 2) -> str:
    """Run a command that must fail as the user's mistake, and return what it says."""
    assert run(*map(str, arguments)) == status
    said = capsys.readouterr().err
    assert said.startswith(f"unroll {arguments[0]}: ")
    assert "Traceback" not in said
    return said
