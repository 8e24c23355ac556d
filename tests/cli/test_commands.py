"""optimize, compile, equivalent and reroll say what is gained and by what proof; any of them takes a program or a file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from cli_checks import IMAGE_ROWS, TWO_STEPS, refused, run
from cli_programs import NAMED
from helpers import REPOSITORY

import unroll

TF2ONNX = REPOSITORY / "tests" / "golden" / "foreign" / "tf2onnx-basic_lstm-bn-t5-op13.onnx"


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    inputs = [unroll.placeholder([None, 2], f"x{step}") for step in range(6)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(3), inputs)
    return unroll.save(unroll.Graph(inputs, {"last": outputs[-1]}), tmp_path / "flat.onnx")


def kinds(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


# -- optimize ----------------------------------------------------------------------------------------------------------


def test_optimize_says_what_each_pass_gained_and_writes_what_is_proven(capsys, tmp_path, flat):
    graph = unroll.from_onnx(flat)
    assert run("optimize", flat, "-o", tmp_path / "small.onnx", "--opset", "17") == 0
    said = capsys.readouterr().out
    nodes = [int(count) for count in re.findall(r"^(?:\(before\)|\w+) +(\d+) ", said, re.MULTILINE)]
    small = len(unroll.optimize(graph).nodes)
    assert (nodes[0], nodes[-1]) == (len(graph.nodes), small) and small < len(graph.nodes)
    assert f"{nodes[0]} nodes became {nodes[-1]}" in said
    assert "proven by numbers" in said and "the same in onnxruntime on 4 feeds" in said
    written = onnx.load(tmp_path / "small.onnx")
    assert written.opset_import[0].version == 17 and len(written.graph.node) < len(onnx.load(flat).graph.node)
    assert "LSTM" not in kinds(tmp_path / "small.onnx")


def test_optimize_writes_weights_as_they_are_read_and_not_what_cuts_them(capsys, tmp_path, flat):
    assert run("optimize", flat, "-o", tmp_path / "small.onnx") == 0
    ((small, computed),) = re.findall(r"nodes became (\d+); (\d+) of them work on weights", capsys.readouterr().out)
    written = onnx.load(tmp_path / "small.onnx").graph
    assert int(small) - int(computed) == len(written.node)
    best = unroll.to_onnx(unroll.from_onnx(flat), optimized=True).graph
    assert [node.op_type for node in written.node] == [node.op_type for node in best.node]
    weights = {item.name for item in written.initializer}
    assert not [node.name for node in written.node if set(node.input) <= weights]


def test_optimize_without_an_output_only_says(capsys, tmp_path, flat):
    assert run("optimize", IMAGE_ROWS) == 0
    said = capsys.readouterr().out
    assert "hoist_inputs" in said and "wrote" not in said
    assert list(tmp_path.iterdir()) == [flat]


# -- compile -----------------------------------------------------------------------------------------------------------


def test_compile_shows_the_table_and_writes_the_fastest(capsys, tmp_path, flat):
    assert run("compile", flat, "--no-cache", "--batch", "2", "-o", tmp_path / "best.onnx") == 0
    said = capsys.readouterr().out
    for form in ("rerolled", "scan", "unrolled", "unrolled, optimized"):
        assert re.search(rf"^ *{form} +(1|all) ", said, re.MULTILINE)
    assert "chosen" in said and "the same in onnxruntime" in said
    assert run("equivalent", flat, tmp_path / "best.onnx") == 0


def test_compile_writes_the_form_that_is_asked_for(capsys, tmp_path, flat):
    assert run("compile", flat, "--form", "rerolled", "--no-tune", "-o", tmp_path / "r.onnx") == 0
    assert kinds(tmp_path / "r.onnx").count("LSTM") == 1
    assert run("compile", TWO_STEPS, "--form", "unrolled", "--no-tune", "-o", tmp_path / "u.onnx") == 0
    x = np.array([[0, 0.1, 0.2]])
    found = unroll.Session(tmp_path / "u.onnx").run({"X0": x, "X1": x})
    np.testing.assert_allclose(found["Y0"], np.full((1, 5), np.tanh(0.3)), atol=1e-6)
    assert "int8" in refused(capsys, "compile", flat, "--quantize", "int4")


# -- equivalent --------------------------------------------------------------------------------------------------------


def test_equivalent_says_by_what_proof(capsys, tmp_path, flat):
    assert run("equivalent", flat, flat) == 0
    assert capsys.readouterr().out == "equal: the canonical forms are the same\n"
    assert run("optimize", flat, "-o", tmp_path / "small.onnx") == run("equivalent", flat, tmp_path / "small.onnx") == 0
    assert capsys.readouterr().out.endswith("equal: the outputs are the same on every feed that was tried\n")


def test_equivalent_shows_where_two_first_differ_and_exits_with_1(capsys, tmp_path, flat):
    model = onnx.load(flat)
    sigmoid = next(node for node in model.graph.node if node.op_type == "Sigmoid")
    sigmoid.op_type = "Tanh"
    onnx.save(model, tmp_path / "other.onnx")
    assert run("equivalent", flat, tmp_path / "other.onnx") == 1
    said = capsys.readouterr().out
    assert said.startswith("not equal: output last: ") and "first apart at rnn/t3/basic_lstm_cell/" in said
    assert run("equivalent", flat, TWO_STEPS) == 1
    assert "6 inputs" in capsys.readouterr().out


def test_a_program_and_its_file_are_equivalent(capsys, tmp_path):
    assert run("export", TWO_STEPS, "-o", tmp_path / "m.onnx") == 0
    assert run("equivalent", TWO_STEPS, tmp_path / "m.onnx", "--seed", "3") == 0


# -- reroll ------------------------------------------------------------------------------------------------------------


def test_reroll_says_what_is_gained_in_nodes_and_in_time(capsys, tmp_path, flat):
    assert run("reroll", flat, "-o", tmp_path / "fast.onnx") == 0
    said = capsys.readouterr().out
    before, after = map(int, re.findall(r"(\d+) nodes became (\d+)", said)[0])
    assert (before, after) == (len(kinds(flat)), len(kinds(tmp_path / "fast.onnx")))
    (times,) = re.findall(r"a run took ([\d.]+) ms and takes ([\d.]+) ms, ([\d.e+]+) times as (fast|slow)", said)
    ratio = float(times[0]) / float(times[1])
    assert float(times[2]) == pytest.approx(ratio if times[3] == "fast" else 1 / ratio, rel=0.06)
    assert "medians in onnxruntime on this machine" in said
    assert run("reroll", flat, "-o", tmp_path / "fast.onnx", "--no-measure") == 0
    assert "a run took" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("graph", []),
        ("made", []),
        ("model", ["--dim", "time=5", "--dim", "batch=3"]),
        ("module", ["--dim", "time=5", "--dim", "batch=3"]),
    ],
)
@pytest.mark.parametrize("command", ["reroll", "compile", "export", "optimize"])
def test_whatever_a_program_names_is_written_as_a_file_is(capsys, tmp_path, write, command, name, sizes):
    path = write(NAMED)
    more = {"reroll": ["--no-measure"], "compile": ["--no-cache", "--form", "rerolled"]}.get(command, [])
    if command in ("export", "optimize"):  # which generate no feeds
        sizes = sizes[:2]
    output = tmp_path / "m.onnx"
    assert run(command, f"{path}:{name}", "-o", output, *sizes, *more) == 0
    assert kinds(output).count("LSTM") == (command in ("reroll", "compile"))
    capsys.readouterr()
    assert run("equivalent", f"{path}:{name}", output, *sizes[:2]) == 0


def test_a_program_is_rerolled_on_the_feeds_given(capsys, tmp_path, write):
    np.save(tmp_path / "x.npy", np.ones((2, 5, 2), "float32"))
    target = [f"{write(NAMED)}:graph", "-o", tmp_path / "m.onnx", "--opset", "18"]
    assert run("reroll", *target, "--feeds", tmp_path / "x.npy") == 0
    assert "on 1 feed" in capsys.readouterr().out
    assert onnx.load(tmp_path / "m.onnx").opset_import[0].version == 18
    assert "'batch'" in refused(capsys, "reroll", *target, "--dim", "rows=3")
    assert "no recurrence was found" in refused(capsys, "reroll", TWO_STEPS, *target[1:])


# -- export of a file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["unrolled", "rerolled"])
def test_a_file_is_proven_in_every_form(capsys, tmp_path, flat, form):
    assert run("export", flat, "-o", tmp_path / "new.onnx", "--form", form) == 0
    assert "the same in onnxruntime on 4 feeds: worst difference" in capsys.readouterr().out


# -- feeds and fetches -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["X{}:0", "X{}"])
@pytest.mark.parametrize("command", ["run", "verify", "draw", "reroll"])
def test_inputs_are_fed_with_and_without_tensorflows_number(capsys, tmp_path, command, spelling):
    np.savez(tmp_path / "x.npz", **{spelling.format(step): np.ones((2, 3), "float32") for step in range(5)})
    output = {"draw": ["-o", tmp_path / "x.svg"], "reroll": ["-o", tmp_path / "x.onnx", "--no-measure"]}.get(
        command, []
    )
    assert run(command, TF2ONNX, "--feeds", tmp_path / "x.npz", *output) == 0


def test_an_inner_tensor_of_a_file_is_fetched(capsys, tmp_path):
    np.savez(tmp_path / "x.npz", **{f"X{step}": np.ones((2, 3), "float32") for step in range(5)})
    names = ["rnn/basic_lstm_cell/Sigmoid:0", "rnn/basic_lstm_cell/Add", "Y0", "X1:0"]
    fetches = [word for name in names for word in ("--fetch", name)]
    assert run("run", TF2ONNX, "--feeds", tmp_path / "x.npz", "-o", tmp_path / "y.npz", *fetches) == 0
    with np.load(tmp_path / "y.npz") as found:
        assert list(found) == names
        np.testing.assert_allclose(found[names[0]], 1 / (1 + np.exp(-found[names[1]])), rtol=1e-6)
        np.testing.assert_array_equal(found["X1:0"], np.ones((2, 3)))
    said = refused(capsys, "run", TF2ONNX, "--feeds", tmp_path / "x.npz", "--fetch", "rnn/basic_lstm_cell/Sigmoyd:0")
    assert "did you mean 'rnn/basic_lstm_cell/Sigmoid" in said


def test_inputs_weights_and_outputs_of_programs_and_files_are_fetched_by_name(capsys, tmp_path, write):
    path = f"{write(NAMED)}:graph"
    assert run("export", path, "-o", tmp_path / "m.onnx") == 0
    x = np.random.default_rng(0).random((2, 5, 2), "float32")
    np.save(tmp_path / "x.npy", x)
    graph = unroll.from_onnx(tmp_path / "m.onnx")
    names = ["input_layer", "sequential/dense/kernel", "sequential/dense/MatMul", "sequential/dense/Add:0"]
    fetches = [word for name in [*names, names[0]] for word in ("--fetch", name)]
    for target in (path, tmp_path / "m.onnx"):
        assert run("run", target, "--feed", tmp_path / "x.npy", "-o", tmp_path / "y.npz", *fetches) == 0
        with np.load(tmp_path / "y.npz") as found:
            assert list(found) == names
            np.testing.assert_array_equal(found["input_layer"], x)
            np.testing.assert_array_equal(found[names[1]], graph.parameters[names[1]].value)
            np.testing.assert_allclose(
                found[names[3]], found[names[2]] + graph.parameters["sequential/dense/bias"].value
            )


def test_a_path_that_is_no_text_is_read_as_well(capsys, tmp_path, flat):
    """As every path beyond ASCII is where the terminal is said to know ASCII alone (LANG=C)."""
    path = flat.rename(tmp_path / os.fsdecode(b"m\xff.onnx"))
    np.savez(tmp_path / "x.npz", **{f"x{step}": np.ones((2, 2), "float32") for step in range(6)})
    for command, *more in (
        ("run", "--feeds", tmp_path / "x.npz"),
        ("summary",),
        ("export", "-o", tmp_path / "new.onnx"),
    ):
        assert run(command, path, *more) == 0
    capsys.readouterr()
    assert run("verify", path) == 0
    assert "NumPy, onnx reference, onnxruntime, " in capsys.readouterr().out.splitlines()[0]


def test_large_results_are_shortened_where_they_are_printed(capsys, tmp_path):
    x = [unroll.placeholder([None, 60], f"x{step}") for step in range(30)]
    unroll.save(unroll.Graph(x, {f"y{step}": 2 * item for step, item in enumerate(x)}), tmp_path / "m.onnx")
    np.savez(tmp_path / "x.npz", **{item.name: np.arange(600.0).reshape(10, 60) for item in x})
    assert run("run", tmp_path / "m.onnx", "--feeds", tmp_path / "x.npz") == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 100 and len(said.splitlines()) < 200
    assert "y0 (10, 60) float32\n" in said and "... 10 more outputs; -o FILE.npz writes all of them ..." in said
    assert run("run", tmp_path / "m.onnx", "--feeds", tmp_path / "x.npz", "-o", tmp_path / "y.npz") == 0
    assert capsys.readouterr().out.endswith(
        "y.npz: y0 (10, 60), y1 (10, 60), y2 (10, 60), ... 26 more ..., y29 (10, 60)\n"
    )
    assert len(np.load(tmp_path / "y.npz").files) == 30


# -- what a program may name -------------------------------------------------------------------------------------------

MODELS = """\
import unroll
from unroll import layers, nn
model = layers.Sequential([layers.Input((None, 5)), layers.LSTM(4), layers.Dense(2)])
lstm, cell, linear = nn.LSTM(5, 4, batch_first=True), nn.LSTMCell(3, 2), nn.Linear(3, 2)
embedding, layer = nn.Embedding(9, 3), layers.LSTM(3)
def build():
    return model
def graph() -> unroll.Graph:
    raise RuntimeError("it was called")
def traced():
    return build().trace(3)
def helper():
    print("it was called")
def sized(units):
    return model
def words() -> str:
    return "Graph"
"""


@pytest.mark.parametrize(
    ("name", "sizes", "inputs"),
    [
        ("model", ["--dim", "time=3"], r"input_layer +\(batch, 3, 5\)"),
        ("build", ["--dim", "time=3"], r"input_layer +\(batch, 3, 5\)"),
        ("lstm", ["--dim", "time=3"], r"input +\(batch, 3, 5\)"),
        ("cell", [], r"input +\(batch, 3\)"),
        ("linear", [], r"input +\(batch, 3\)"),
        ("embedding", [], r"input +\(batch, \w+\)"),
    ],
)
def test_models_and_modules_are_traced(capsys, write: Callable[[str], Path], name, sizes, inputs):
    program = write(MODELS)
    assert run("summary", f"{program}:{name}", *sizes) == 0
    assert re.search(rf"^{inputs} +", capsys.readouterr().out, re.MULTILINE)
    assert run("verify", f"{program}:{name}", *sizes, "--dim", "batch=2") == 0
    if sizes:
        assert run("summary", f"{program}:{name}") == 0
        assert re.search(r"^input\w* +\(.*time.*\)", capsys.readouterr().out, re.MULTILINE)
        assert run("verify", f"{program}:{name}") == 0
    assert "--dim batch" in refused(capsys, "summary", f"{program}:{name}", *sizes, "--dim", "batch=2")


@pytest.mark.parametrize("name", ["model", "lstm"])
def test_more_steps_than_memory_holds_are_refused(capsys, write: Callable[[str], Path], name):
    assert "at most 1,000,000 steps" in refused(
        capsys, "summary", f"{write(MODELS)}:{name}", "--dim", "time=1000000000"
    )


def test_a_layer_by_itself_is_refused_with_what_to_do(capsys, write: Callable[[str], Path]):
    assert "a model that begins with an Input" in refused(capsys, "summary", f"{write(MODELS)}:layer")


def test_only_what_gives_a_graph_is_offered_and_nothing_is_called(capsys, write: Callable[[str], Path]):
    said = refused(capsys, "summary", f"{write(MODELS)}:zzz")
    offered = set(re.findall(r"'(\w+)'", said)) - {"zzz"}
    assert offered == {"model", "lstm", "cell", "linear", "embedding", "build", "graph", "traced"}
    assert "it was called" not in said
    assert "there are 'hello'" in refused(capsys, "summary", f"{REPOSITORY / 'examples' / 'hello.py'}:zzz")
