"""Files that tests of the command line share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_checks import TWO_STEPS, run


@pytest.fixture
def feeds(tmp_path: Path) -> list[str]:
    np.save(tmp_path / "x.npy", np.array([[0, 0.1, 0.2]]))
    return [f"--feed=X0={tmp_path / 'x.npy'}", f"--feed=X1={tmp_path / 'x.npy'}"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    assert run("export", TWO_STEPS, "-o", tmp_path / "rnn.onnx") == 0
    return tmp_path / "rnn.onnx"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "program.py"
        path.write_text(text, encoding="utf-8")
        return path

    return written
