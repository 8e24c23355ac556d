"""The command line does what the README shows."""

import re
import sys

import numpy as np
import onnx
import pytest
from cli_checks import IMAGE_ROWS, TWO_STEPS, refused, run

from unroll.cli import main
from unroll.cli.parser import COMMANDS


def test_help_names_every_command_and_shows_examples(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", shown, re.MULTILINE)
        assert f"  unroll {command}" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["drew"], "there is no command 'drew'; did you mean 'draw', 'view', 'demo'; see unroll --help"),
        ([""], "there is no command ''; there are 'demo', 'summary',"),
        ([], "name a command: demo, summary, draw,"),
        (["--versoin"], "there is no flag --versoin; did you mean --version"),
        (["-V"], "there is no flag -V; write --version; see unroll --help"),
        (["--"], "there is no flag --;"),
    ],
)
def test_an_unknown_command_exits_with_2_and_the_near_name(capsys, words, said):
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"unroll: {said}")


def test_summary_shows_the_kernel_and_its_blocks(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert run("summary", IMAGE_ROWS) == 0
    shown = capsys.readouterr().out
    assert "(41, 52) = [x 28 + h 13] x [i|j|f|o 13]" in shown
    assert "more ..." in shown
    assert run("summary", IMAGE_ROWS, "--full") == 0
    assert "rnn/t14/basic_lstm_cell/f" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "magic"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".dot", b"digraph")]
)
def test_draw_writes_every_format(tmp_path, suffix, magic):
    target = tmp_path / f"rnn{suffix}"
    assert run("draw", TWO_STEPS, "-o", target, "--level", "op") == 0
    assert magic in target.read_bytes()[:200]


def test_draw_prints_values_of_feeds(tmp_path, feeds):
    assert run("draw", TWO_STEPS, "-o", tmp_path / "rnn.svg", *feeds) == 0
    assert "0.2913" in (tmp_path / "rnn.svg").read_text()


def test_export_writes_the_opset_asked_for(tmp_path):

    assert run("export", TWO_STEPS, "-o", tmp_path / "m.onnx", "--opset", "18", "--ir-version", "10") == 0
    written = onnx.load(tmp_path / "m.onnx")
    assert (written.opset_import[0].version, written.ir_version) == (18, 10)


def test_run_of_a_model_writes_npz(tmp_path, model, feeds, capsys):
    assert run("run", model, *feeds, "-o", tmp_path / "out.npz") == 0
    with np.load(tmp_path / "out.npz") as arrays:
        np.testing.assert_allclose(arrays["Y0"], np.full((1, 5), np.tanh(0.3)), atol=1e-6)
        np.testing.assert_allclose(arrays["Y1"], np.full((1, 5), np.tanh(5 * np.tanh(0.3) + 0.3)), atol=1e-6)


def test_run_takes_feeds_from_npz_and_writes_one_output_as_npy(tmp_path, model):
    np.savez(tmp_path / "in.npz", X0=np.zeros((2, 3)), X1=np.zeros((2, 3)))
    assert run("run", model, "--feeds", tmp_path / "in.npz", "--fetch", "Y1", "-o", tmp_path / "y.npy") == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), np.zeros((2, 5)))


def test_run_of_a_program_prints_what_it_computes(feeds, capsys):
    assert run("run", TWO_STEPS, *feeds) == 0
    shown = capsys.readouterr().out
    assert "Y0 (1, 5) float32" in shown
    assert "0.2913126" in shown


def test_verify_names_the_three_runners(capsys):
    assert run("verify", TWO_STEPS) == 0
    assert "NumPy, onnx reference, onnxruntime took part" in capsys.readouterr().out


def test_verify_with_a_tolerance_that_cannot_hold_exits_with_1(capsys):
    said = refused(capsys, "verify", IMAGE_ROWS, "--tolerance", "1e-12", status=1)
    assert "tolerance 1e-12" in said


@pytest.mark.slow
def test_demo_writes_pictures_and_models(tmp_path, capsys):
    assert run("demo", "-o", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert "(8, 5)" in shown
    assert "(41, 52)" in shown
    assert "0.2913126" in shown
    assert "0.94211787" in shown
    assert "with NaN and infinities fed, onnxruntime agrees" in shown and not re.search(r"\w=\w", shown)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {
        f"{stem}{end}" for stem in ("static_rnn_two_steps", "image_rows_lstm") for end in (".svg", ".png", ".onnx")
    }
    assert names == pictures | {"image_rows_lstm.html"}
    page = tmp_path / "out" / "image_rows_lstm.html"
    assert f"open it in a browser: {page.as_uri()}\n" in shown
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.slow
def test_demo_without_scikit_learn_says_what_to_install_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert run("demo", "-o", tmp_path / "out") == 0
    assert "pip install scikit-learn" in capsys.readouterr().out
    assert (tmp_path / "out" / "image_rows_lstm.png").stat().st_size > 0


def test_run_of_a_program_fetches_inner_tensors_too(feeds, capsys):
    assert run("run", TWO_STEPS, *feeds, "--fetch", "rnn/t0/basic_rnn_cell/Add") == 0
    shown = capsys.readouterr().out
    assert "rnn/t0/basic_rnn_cell/Add (1, 5) float32" in shown
    assert "0.3" in shown
