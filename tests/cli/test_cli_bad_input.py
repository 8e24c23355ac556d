"""The command line says what is wrong without a traceback."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from cli_checks import IMAGE_ROWS, TWO_STEPS, refused, run

import unroll


def program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "program.py"
    path.write_text(text)
    return path


def test_a_target_of_another_form_is_refused(capsys):
    assert "path/to/program.py:name" in refused(capsys, "summary", "graph")


def test_a_missing_program_is_named(capsys, tmp_path):
    assert "missing.py: there is no such program" in refused(capsys, "summary", f"{tmp_path}/missing.py:graph")


def test_a_missing_name_is_answered_with_those_there_are(capsys, tmp_path):
    path = program(tmp_path, "import unroll\ndef my_graph() -> unroll.Graph:\n    pass\n")
    assert "did you mean 'my_graph'" in refused(capsys, "summary", f"{path}:my_grap")


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("x = 1\nraise RuntimeError('no luck')\n", ["line 2", "RuntimeError: no luck"]),
        ("import sys\nsys.exit(3)\n", ["line 2", "SystemExit"]),
        ("def graph(:\n", ["line 1", "SyntaxError"]),
        ("import unroll\nunroll.BasicRNNCell(0)\n", ["line 2", "num_units is 0"]),
    ],
)
def test_a_program_that_raises_is_shown_with_its_line(capsys, tmp_path, text, fragments):
    said = refused(capsys, "summary", f"{program(tmp_path, text)}:graph")
    for fragment in fragments:
        assert fragment in said


def test_a_function_that_raises_is_shown_with_its_line(capsys, tmp_path):
    path = program(tmp_path, "def graph():\n    return 1 / 0\n")
    assert "at line 2: ZeroDivisionError" in refused(capsys, "draw", f"{path}:graph", "-o", tmp_path / "x.svg")


@pytest.mark.parametrize("text", ["graph = 3\n", "def graph():\n    return 3\n"])
def test_what_is_no_graph_is_refused(capsys, tmp_path, text):
    assert "is int, not a Graph" in refused(capsys, "verify", f"{program(tmp_path, text)}:graph")


def test_a_program_may_import_what_lies_beside_it(tmp_path, capsys):
    (tmp_path / "sizes.py").write_text("UNITS = 5\n")
    path = program(
        tmp_path,
        "import unroll\nfrom sizes import UNITS\n"
        "x = unroll.placeholder([None, 3], 'x')\n"
        "graph = unroll.Graph([x], unroll.static_rnn(unroll.BasicRNNCell(UNITS), [x])[1])\n",
    )
    assert run("summary", f"{path}:graph") == 0
    assert "(8, 5)" in capsys.readouterr().out


def test_an_unknown_format_lists_those_there_are(capsys, tmp_path):
    said = refused(capsys, "draw", TWO_STEPS, "-o", tmp_path / "rnn.xyz")
    assert "xyz" in said
    assert "svg" in said


def test_an_unknown_level_lists_those_there_are(capsys, tmp_path):
    said = refused(capsys, "draw", TWO_STEPS, "-o", tmp_path / "rnn.svg", "--level", "gate")
    assert "cell" in said
    assert "op" in said


def test_an_unwritable_path_leaves_nothing_behind(capsys, tmp_path):
    assert "cannot be written" in refused(capsys, "export", TWO_STEPS, "-o", tmp_path / "no" / "such" / "m.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 64, b"\x08\x07garbage"])
def test_a_corrupt_model_is_refused(capsys, tmp_path, content):
    (tmp_path / "m.onnx").write_bytes(content)
    said = refused(capsys, "run", tmp_path / "m.onnx")
    assert "m.onnx" in said
    assert "not an ONNX model" in said


def test_a_missing_model_is_named(capsys, tmp_path):
    assert "m.onnx: cannot be read" in refused(capsys, "run", tmp_path / "m.onnx")


def test_run_without_feeds_names_what_is_lacking(capsys, model):
    assert "feeds lack 'X0', 'X1'" in refused(capsys, "run", model)


@pytest.mark.parametrize("pair", ["X0", "=x.npy", "X0="])
def test_a_feed_of_another_form_is_refused(capsys, model, pair):
    assert "NAME=FILE.npy" in refused(capsys, "run", model, "--feed", pair)


def test_a_feed_that_holds_objects_is_refused(capsys, model, tmp_path):
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "plain numbers" in refused(capsys, "run", model, "--feed", f"X0={tmp_path / 'o.npy'}")


def test_several_outputs_do_not_fit_one_npy(capsys, model, feeds, tmp_path):
    assert "2 outputs" in refused(capsys, "run", model, *feeds, "-o", tmp_path / "y.npy")


def test_a_seed_below_zero_is_refused(capsys):
    assert "seed is -1" in refused(capsys, "verify", TWO_STEPS, "--seed", "-1")


def test_a_model_is_summed_up_drawn_and_verified_as_a_program_is(capsys, model, tmp_path):
    assert run("summary", model) == 0
    assert "rnn/basic_rnn_cell/kernel  (8, 5)" in capsys.readouterr().out
    assert run("draw", model, "-o", tmp_path / "model.svg") == 0
    assert "basic_rnn_cell" in (tmp_path / "model.svg").read_text()
    assert run("verify", model) == 0


@pytest.mark.slow
def test_a_flat_model_is_rerolled_and_proven(capsys, tmp_path):
    flat, fast = tmp_path / "flat.onnx", tmp_path / "fast.onnx"
    assert run("export", IMAGE_ROWS, "-o", flat) == 0
    assert run("reroll", flat, "-o", fast) == 0
    said = capsys.readouterr().out
    assert "LSTM" in said and "the same in onnxruntime" in said and f"wrote {fast}" in said
    assert [node.op_type for node in onnx.load(fast).graph.node].count("LSTM") == 1
    assert run("reroll", fast, "-o", tmp_path / "again.onnx") == 2
    assert "nothing was re-rolled" in capsys.readouterr().err
    assert not (tmp_path / "again.onnx").exists()
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    assert "broken.onnx" in refused(capsys, "reroll", tmp_path / "broken.onnx", "-o", fast)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--seed=-1", "seed is -1; at least 0 is wanted"),
        ("--tolerance=-1", "tolerance -1.0 is not a finite number >= 0"),
        ("--tolerance=nan", "tolerance nan is not a finite number >= 0"),
        ("--tolerance=inf", "tolerance inf is not a finite number >= 0"),
    ],
)
def test_a_proof_is_not_made_with_numbers_that_prove_nothing(capsys, tmp_path, option, said):
    flat, fast = tmp_path / "flat.onnx", tmp_path / "fast.onnx"
    assert run("export", IMAGE_ROWS, "-o", flat) == 0
    assert said in refused(capsys, "reroll", flat, "-o", fast, option)
    assert not fast.exists()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["rerolled", "scan", "auto"])
def test_a_model_is_written_in_another_form_once_it_is_proven(capsys, tmp_path, monkeypatch, form):
    flat, other = tmp_path / "flat.onnx", tmp_path / "other.onnx"
    assert run("export", IMAGE_ROWS, "-o", flat) == 0
    assert run("export", flat, "-o", other, "--form", form, "--opset", "15") == 0
    said = capsys.readouterr().out
    assert "the same in onnxruntime on 4 feeds" in said
    assert f"wrote {other}" in said
    assert onnx.load(other).opset_import[0].version == 15

    right = unroll.to_onnx

    def wrong(graph, **options):
        model = right(graph, **options)
        for weight in model.graph.initializer:
            if weight.data_type == onnx.TensorProto.FLOAT:
                weight.raw_data = bytes(len(weight.raw_data))
        return model

    monkeypatch.setattr("unroll.to_onnx", wrong)
    other.unlink()
    assert "differs from the original" in refused(capsys, "export", flat, "-o", other, "--form", form, status=1)
    assert not other.exists()


def test_a_form_is_chosen_on_export(capsys, tmp_path):
    assert run("export", IMAGE_ROWS, "-o", tmp_path / "lstm.onnx", "--form", "rerolled") == 0
    assert "LSTM" in {node.op_type for node in onnx.load(tmp_path / "lstm.onnx").graph.node}
    assert "'unrolled', 'functions'" in refused(
        capsys, "export", IMAGE_ROWS, "-o", tmp_path / "x.onnx", "--form", "loop"
    )


def test_results_go_to_npz_or_npy(capsys, model, feeds, tmp_path):
    assert ".npz or .npy" in refused(capsys, "run", model, *feeds, "-o", tmp_path / "y.txt")


def test_a_program_named_by_a_relative_path_is_shown_with_its_line_too(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program(tmp_path, "def graph():\n    x = 1\n    raise ValueError('my bug')\n")
    assert "at line 3: ValueError: my bug" in refused(capsys, "summary", "program.py:graph")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_an_output_that_cannot_be_written_is_no_traceback():
    command = f"{sys.executable} -m unroll summary {TWO_STEPS} > /dev/full"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("unroll summary: the result cannot be written: No space left")
    assert "Traceback" not in done.stderr


def test_an_opset_there_is_not_is_refused(capsys, tmp_path):
    assert "use 13 to" in refused(capsys, "export", TWO_STEPS, "-o", tmp_path / "m.onnx", "--opset", "9")
