"""What the README shows works as it is written there."""

import re
import shlex

import numpy as np
import onnx
import pytest
from helpers import REPOSITORY

import unroll
from unroll import tf1
from unroll.cli import main

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def default_graph_of_its_own():
    """Each program of TensorFlow 1 begins with an empty default graph, as a process of its own does."""
    tf1.reset_default_graph()


def block(language: str, holding: str) -> str:
    """The code block of the README that holds a text."""
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if holding in text]
    return found


def test_the_twelve_lines_run_and_print_what_they_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(block("python", "unroll.static_rnn(cell"), names)
    printed = capsys.readouterr().out
    assert "0.2913126" in printed
    assert "0.94211787" in printed
    assert "NumPy, onnx reference, onnxruntime took part" in printed
    assert {path.name for path in tmp_path.iterdir()} == {"rnn.svg", "rnn.onnx"}


def test_the_program_of_tensorflow_1_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(block("python", "import tf1"), names)
    printed = capsys.readouterr().out
    assert "0.291312" in printed
    assert "0.942117" in printed
    assert (names["kernel"].name, str(names["kernel"].shape)) == ("rnn/basic_rnn_cell/kernel:0", "(8, 5)")


@pytest.mark.parametrize("source", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_every_block_runs_alone(source, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    exec(source, {})
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", block("console", "unroll summary").splitlines())
def test_every_command_runs(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    np.save("images.npy", np.zeros((2, 784)))
    for target in ("lstm.onnx", "smaller.onnx"):
        if target in command and f"-o {target}" not in command:
            assert main(["export", "examples/image_rows_lstm.py:image_rows", "-o", target]) == 0
    if "outputs.npz" in command and "-o outputs.npz" not in command:
        assert main(["run", "lstm.onnx", "--feed", "images.npy", "-o", "outputs.npz"]) == 0
    capsys.readouterr()
    program, *arguments = shlex.split(command, comments=True)
    assert program == "unroll"
    assert main(arguments) == 0
    assert capsys.readouterr().err == ""


def test_the_cell_of_ones_own_is_drawn_exported_and_verified(tmp_path):
    names: dict[str, object] = {"unroll": unroll}
    source = block("python", "class MinimalCell")
    exec(source, names)
    assert len(source.splitlines()) <= 19
    steps = [unroll.placeholder([None, 3], f"x{t}") for t in range(3)]
    outputs, state = unroll.static_rnn(names["MinimalCell"](5), steps)
    graph = unroll.Graph(steps, [outputs, state])
    assert unroll.verify(graph).worst.absolute < 1e-5
    assert "(8, 5)" in unroll.draw(graph, tmp_path / "cell.svg").dot
    x = [np.random.default_rng(t).standard_normal((2, 3)) for t in range(3)]
    wx, kernel = (graph.parameters[f"rnn/minimal_cell/{name}"].value for name in ("Wx", "kernel"))
    h = np.zeros((2, 5))
    for row in x:
        f = 1 / (1 + np.exp(-np.concatenate([row, h], axis=1) @ kernel))
        h = f * h + (1 - f) * np.tanh(row @ wx)
    np.testing.assert_allclose(graph.run({f"x{t}": x[t] for t in range(3)}, state), h, atol=1e-6)


@pytest.mark.slow
def test_the_networks_in_the_words_of_keras_and_pytorch_run(capsys):
    names: dict[str, object] = {"unroll": unroll}
    exec(block("python", "nn.LSTM(28"), names)
    assert "bidirectional" in capsys.readouterr().out
    assert unroll.verify(names["model"].trace())
    assert unroll.verify(names["graph"])
    assert next(iter(names["graph"].parameters.values())).shape == (52, 28)


def test_the_keras_cell_of_ones_own_works_in_both_worlds(tmp_path):
    names: dict[str, object] = {"layers": unroll.layers}
    source = block("python", "class MinimalRNNCell")
    exec(source, names)
    assert len(source.splitlines()) <= 15
    x = unroll.placeholder([None, 3, 4], "x")
    outputs, _ = unroll.static_rnn(names["MinimalRNNCell"](5), unroll.ops.unstack(x, 1), scope="tf")
    graph = unroll.Graph([x], [outputs[-1], unroll.layers.RNN(names["MinimalRNNCell"](5))(x)])
    assert unroll.verify(graph)
    weights = [item.value for item in graph.parameters.values()]
    graph.assign(dict(zip(list(graph.parameters)[2:], weights[:2], strict=True)))
    data = np.random.default_rng(0).standard_normal((2, 3, 4))
    h = np.zeros((2, 5))
    for step in range(3):
        h = data[:, step] @ weights[0] + h @ weights[1]
    for found in graph.run({"x": data}, graph.outputs):
        np.testing.assert_allclose(found, h, atol=1e-6)
    assert "(4, 5)" in unroll.draw(graph, tmp_path / "cell.svg").dot


@pytest.mark.slow
def test_the_lines_about_speed_run_and_the_file_is_rerolled(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    from unroll.examples.image_rows_lstm import image_rows

    names: dict[str, object] = {"unroll": unroll, "graph": image_rows()}
    exec(block("python", "unroll.reroll(graph)"), names)
    printed = capsys.readouterr().out
    assert "became LSTM" in printed and "hoist_inputs" in printed and "equal" in printed and "chosen" in printed
    assert [node.op_type for node in names["model"].graph.node].count("LSTM") == 1
    unroll.save(image_rows(), "flat.onnx")
    assert "LSTM" not in {node.op.name for node in names["steps"].nodes}
    rolled, flat = block("console", "unroll reroll").splitlines()
    for command in (rolled, flat):
        assert main(shlex.split(command.partition("#")[0])[1:]) == 0
        assert "the same in onnxruntime" in capsys.readouterr().out
    assert "LSTM" not in {node.op_type for node in onnx.load("flat2.onnx").graph.node}


def test_every_picture_of_the_readme_is_there():
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert len(pictures) >= 2
    for path in pictures:
        assert (REPOSITORY / path).read_bytes().startswith((b"\x89PNG", b"RIFF"))


def test_the_first_screen_shows_the_page_and_says_what_there_is():
    first = README[: README.index("\n## ")]
    assert "![A page" in first and "docs/gallery/first_screen.webp" in first
    for name in ("view", "draw", "explain", "check_gate_order", "verify", "reroll"):
        assert f"`unroll.{name}" in first and name in unroll.__all__
    assert len(first.splitlines()) <= 25


def test_every_folder_in_the_table_is_there():
    folders = re.findall(r"^\| `(\w+/)` \|", README, re.MULTILINE)
    assert {"unroll/", "export/", "viz/", "examples/", "tests/", "benchmarks/", "docs/"} == set(folders)
    for folder in folders:
        assert (REPOSITORY / folder).is_dir()
