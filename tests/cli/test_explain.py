"""``unroll explain`` prints equations, with numbers where it is given feeds, and LaTeX where that is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_checks import IMAGE_ROWS, TWO_STEPS, refused, run


def test_equations_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", IMAGE_ROWS) == 0
    said = capsys.readouterr().out
    assert said.startswith("rnn/basic_lstm_cell, t = 0 ... 27\n  i = sigmoid([x, h[t-1]] @ K_i + b_i)\n")


def test_numbers_are_put_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random((2, 784)))
    given = ["--feed", f"X={tmp_path / 'images.npy'}"]
    assert run("explain", IMAGE_ROWS, *given, "--step", "7", "--unit", "2", "--row", "1") == 0
    said = capsys.readouterr().out
    assert "c[6]" in said and "numbers of unit 2, in row 1 of the batch" in said
    assert "row 5" in refused(capsys, "explain", IMAGE_ROWS, *given, "--row", "5")


def test_latex_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", TWO_STEPS, "--latex") == 0
    assert r"h_{t} &= \tanh\left([x_{t}, h_{t-1}] \, K + b\right)" in capsys.readouterr().out


def test_what_does_not_fit_is_refused_in_the_words_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "there are 0 to 1" in refused(capsys, "explain", TWO_STEPS, "--step", "9")
    assert "unit" in refused(capsys, "explain", TWO_STEPS, "--unit", "0")
