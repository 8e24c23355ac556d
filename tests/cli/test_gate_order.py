"""``unroll gate-order`` says which order of gates fits, and its exit status whether it is the cells' own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_checks import refused, run

import unroll


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model, its feeds, its outputs, and those of the cell that its weights were meant for."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = unroll.placeholder([None, 6, 3], "x")
    weights = rng.normal(size=(7, 16)), rng.normal(size=16)
    feeds = {"x": rng.normal(size=(2, 6, 3)).astype("float32")}
    for name, order, forget_bias in (("right", "ifgo", 0.0), ("loaded", "ijfo", 1.0)):
        cell = unroll.BasicLSTMCell(4, forget_bias)
        cell.set_weights(*weights, gate_order=order)
        graph = unroll.Graph([x], {"y": unroll.dynamic_rnn(cell, x)[0]})
        np.savez(f"{name}.npz", **graph.run(feeds))
        np.save(f"{name}.npy", graph.run(feeds)["y"])
    unroll.save(graph, "loaded.onnx")
    np.savez("x.npz", **feeds)
    return tmp_path


@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_a_wrong_order_is_named(kind: str, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("gate-order", "loaded.onnx", "--feeds", "x.npz", "--expected", f"right.{kind}") == 1
    said = capsys.readouterr().out
    assert "fits i, f, j, o, forget bias 0" in said and "PyTorch's order i, f, g, o" in said


def test_the_right_order_is_said_to_be_right(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("gate-order", "loaded.onnx", "--feeds", "x.npz", "--expected", "loaded.npz") == 0
    assert "nothing is to be changed" in capsys.readouterr().out


def test_what_does_not_fit_is_refused_in_the_words_of_the_command_line(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["loaded.onnx", "--feeds", "x.npz", "--expected"]
    assert "x.txt" in refused(capsys, "gate-order", *given, "x.txt")
    assert "'gru'" in refused(capsys, "gate-order", *given, "right.npz", "--cell", "gru")
    assert "--expected" in refused(capsys, "gate-order", "loaded.onnx", "--feeds", "x.npz")
