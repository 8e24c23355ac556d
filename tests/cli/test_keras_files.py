"""Models that Keras saved, on the command line: no program has to be written for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from golden.keras_file_cases import CASES
from helpers import golden_arrays

import unroll
from unroll.cli import main

FOLDER = Path(__file__).parent.parent / "golden" / "keras_files"


def run(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("file", ["lstm.keras", "lstm.h5"])
def test_a_file_is_summed_up_drawn_written_and_proven(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("summary", FOLDER / file) == 0
    assert "lstm/lstm_cell/kernel" in capsys.readouterr().out
    assert run("draw", FOLDER / file, "--dim", "time=3", "-o", "p.svg") == 0
    assert "t = 2" in Path("p.svg").read_text()
    assert run("export", FOLDER / file, "--dim", "time=3", "-o", "flat.onnx") == 0
    assert {node.op_type for node in onnx.load("flat.onnx").graph.node}.isdisjoint({"LSTM", "Scan", "Loop"})
    assert run("verify", FOLDER / file) == 0
    assert run("view", FOLDER / file, "--dim", "time=3", "-o", "p.html", "--no-browser") == 0


def test_a_file_is_run_on_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    arrays = golden_arrays("keras_files_3.npz")
    np.save("x.npy", arrays["lstm/input/0"])
    assert run("run", FOLDER / "lstm.keras", "--feed", "x.npy", "-o", "y.npz") == 0
    with np.load("y.npz") as found:
        np.testing.assert_allclose(found[found.files[0]], arrays["lstm/output/0"], rtol=1e-5, atol=1e-5)


def test_each_input_has_a_time_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--dim", "input_layer_time=4", "--dim", "input_layer_1_time=2"]
    assert run("summary", FOLDER / "translator.keras", *sizes) == 0
    assert "(batch, 4, 4)" in (said := capsys.readouterr().out) and "(batch, 2, 3)" in said


def test_a_functional_model_of_a_program_is_taken_too(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.py").write_text(
        "from unroll import keras\n"
        "x = keras.Input((None, 3))\n"
        "model = keras.Model(x, keras.layers.GRU(2)(x))\n"
        f"def loaded():\n    return keras.models.load_model({str(FOLDER / 'lstm.keras')!r})\n"
    )
    assert run("summary", "p.py:model", "--dim", "time=3") == 0
    assert run("summary", "p.py:loaded", "--dim", "time=3") == 0
    assert run("summary", "p.py") == 2
    assert "p.py:model, p.py:loaded" in capsys.readouterr().err


def test_a_file_that_is_none_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.keras").write_bytes((FOLDER / "lstm.keras").read_bytes()[:5000])
    for words in (("summary", "a.keras"), ("summary", "no.h5"), ("summary", FOLDER / "lstm.keras", "--dim", "tim=3")):
        assert run(*words) == 2
        assert (said := capsys.readouterr().err).count("\n") == 1 and "Traceback" not in said


def test_what_is_read_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.keras").write_bytes((FOLDER / "lstm.keras").read_bytes())
    Path("a.onnx").symlink_to("a.keras")
    assert run("export", "a.keras", "-o", "a.onnx") == 2
    assert "the file that is read" in capsys.readouterr().err


def test_the_same_model_in_two_kinds_of_file_is_the_same() -> None:
    assert {*CASES} == {file.stem for file in FOLDER.iterdir()}
    graphs = [unroll.keras.models.load_model(FOLDER / name).trace(timesteps=3) for name in ("lstm.keras", "lstm.h5")]
    assert unroll.equivalent(*graphs)
