"""`to_c`: what is written, what it is called, and what is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_running import STRICT, Case, needs_compiler, run_all, worst
from helpers import refused

import unroll
from unroll import ops


def lstm(steps: int = 4, units: int = 13) -> unroll.Graph:
    x = unroll.placeholder([None, steps, 3], "x")
    outputs, _ = unroll.dynamic_rnn(unroll.BasicLSTMCell(units), x)
    return unroll.Graph([x], {"y": outputs})


def counter(units: int = 5) -> unroll.Graph:
    """One step of a GRU, whose state lives between runs."""
    x, h = unroll.placeholder([1, 2], "x"), unroll.placeholder([1, units], "h")
    output, new = unroll.GRUCell(units)(x, h)
    return unroll.Graph([x], {"y": output}, states={h: new})


def test_c_is_one_file_that_names_no_library() -> None:
    source = unroll.to_c(lstm(), dims={"batch": 1})
    assert [line for line in source.c.splitlines() if line.startswith("#include")] == ['#include "model.h"']
    assert [line for line in source.h.splitlines() if line.startswith("#include")] == ["#include <stdint.h>"]
    assert "malloc" not in source.c and 'extern "C"' in source.h


def test_steps_that_repeat_are_a_loop_and_flat_ones_are_not() -> None:
    inputs = [unroll.placeholder([1, 3], f"x{step}") for step in range(12)]
    outputs, _ = unroll.static_rnn(unroll.BasicLSTMCell(4), inputs)
    graph = unroll.Graph(inputs, {"y": outputs[-1]})
    rolled, flat = unroll.to_c(graph), unroll.to_c(graph, rolled=False)
    assert "/* 12 steps: " in rolled.c and " steps: " not in flat.c
    assert len(rolled.c) * 2 < len(flat.c)


def test_the_report_counts_what_the_program_takes() -> None:
    report = unroll.to_c(lstm(steps=4, units=16), dims={"batch": 1}).report()
    assert report.constants == 4 * ((3 + 16) * 64 + 64)  # a kernel and a bias of float32
    assert report.multiply_adds == 4 * (3 + 16) * 64 == 4 * report.multiply_adds_a_step
    assert report.loops == 1
    assert report.context == 4 * (2 * 16 + 4 * 64 + 64)  # two states, what x adds to each step, and one step's gates
    assert str(report).startswith(f"{report.constants} bytes of constants, ")


def test_the_same_graph_gives_the_same_text() -> None:
    assert unroll.to_c(lstm(), dims={"batch": 2}).c == unroll.to_c(lstm(), dims={"batch": 2}).c


@needs_compiler
def test_a_graph_with_states_is_a_step_that_begins_with_zeros(tmp_path: Path) -> None:
    graph = counter()
    source = unroll.to_c(graph)
    assert "void model_init(model_context *context);" in source.h
    assert "void model_step(model_context *context, const float *x, float *y);" in source.h
    case = Case(graph, {"x": np.array([[0.5, -1.0]], "float32"), "h": np.zeros((1, 5), "float32")})
    assert worst(case, run_all([case], tmp_path)[0]) <= 1


@needs_compiler
def test_the_state_is_kept_from_step_to_step(tmp_path: Path) -> None:
    graph = counter()
    rows = np.linspace(-1, 1, 12, dtype="float32").reshape(6, 1, 2)
    unroll.to_c(graph, str(tmp_path / "model.c"))
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "model.h"\n'
        "int main(void) { static model_context c; float x[2], y[5]; model_init(&c);\n"
        "while (fread(x, sizeof x, 1, stdin) == 1) { model_step(&c, x, y); fwrite(y, sizeof y, 1, stdout); } return 0; }\n"
    )
    subprocess.run(["gcc", *STRICT, "-o", "program", "main.c", "model.c"], cwd=tmp_path, check=True)
    ran = subprocess.run([str(tmp_path / "program")], input=rows.tobytes(), capture_output=True, check=True)
    found = np.frombuffer(ran.stdout, "float32").reshape(6, 1, 5)
    stream = graph.stream()
    np.testing.assert_allclose(found, [stream.run({"x": row})["y"] for row in rows], atol=1e-6)


@needs_compiler
def test_a_graph_of_no_operators_hands_its_inputs_on(tmp_path: Path) -> None:
    x, n = unroll.placeholder([2, 3], "x"), unroll.placeholder([], "n", "int64")
    graph = unroll.Graph([x, n], {"a": x, "b": x, "c": n})
    case = Case(graph, {"x": np.arange(6, dtype="float32").reshape(2, 3), "n": np.array(7)})
    # a place along an axis of one makes no difference, whatever is fed
    placed = Case(unroll.Graph([x, n], {"y": ops.gather(x[:1], n)}), {**case.feeds, "n": np.array(0)})
    found = run_all([case, placed], tmp_path)
    assert [worst(case, found[0]), worst(placed, found[1])] == [0, 0]


@needs_compiler
def test_loops_over_one_element_keep_their_names_apart(tmp_path: Path) -> None:
    """What is computed together, several times, without a loop around it."""
    x = unroll.placeholder([1, 3], "x")
    outputs, weights = [], np.array([[1.0], [2.0], [3.0]], "float32")
    for _ in range(3):  # a product in between, so that the two are not one
        one = (x + float(len(outputs))) @ weights
        twice, more = ops.tanh(one), one + 1
        outputs += [twice, more, twice * more]
    graph = unroll.Graph([x], outputs)
    assert "const float v1" in unroll.to_c(graph).c
    case = Case(graph, {"x": np.array([[1, -2, 0.5]], "float32")})
    assert worst(case, run_all([case], tmp_path)[0]) <= 1


@needs_compiler
def test_weights_that_are_nan_infinite_or_denormal_are_exact(tmp_path: Path) -> None:
    odd = np.array([[np.nan, np.inf, -np.inf, 1e-42, 1.0, 3e38, -0.0, 1 / 3]], "float32")
    x = unroll.placeholder([1, 8], "x")
    graph = unroll.Graph([x], {"product": x * odd, "rows": x @ odd.T, "larger": ops.maximum(x, odd)})
    case = Case(graph, {"x": np.arange(8, dtype="float32")[None]})
    assert worst(case, run_all([case], tmp_path)[0]) <= 1


@needs_compiler
def test_names_that_c_does_not_take_become_names_that_it_takes(tmp_path: Path) -> None:
    names = [
        "while",
        "x",
        "long/double",
        "7",
        "naïve λ",
        "*/ #error",
        "a" * 10_000,
        "model_run",
        "context",
        "NULL",
        "exp_f32",
    ]
    inputs = [unroll.placeholder([2], "x0")]
    graph = unroll.Graph(inputs, [inputs[0] * float(place) for place in range(len(names))])
    # names as a file may have them
    model = unroll.to_onnx(graph)
    for node, output, name in zip(model.graph.node, model.graph.output, names, strict=True):
        node.output[0] = output.name = name
    read = unroll.from_onnx(model)
    case = Case(read, {"x0": np.array([1, 2], "float32")})
    assert worst(case, run_all([case], tmp_path)[0]) == 0


def test_a_size_that_is_open_is_named_with_what_to_give() -> None:
    refused(lambda: unroll.to_c(lstm()), ValueError, "x (batch, 4, 3)", "batch is open", 'dims={"batch": 1}')


def test_a_size_that_is_no_symbol_or_none_that_c_can_have_is_refused() -> None:
    refused(lambda: unroll.to_c(lstm(), dims={"batch": 0}), ValueError, "to_c: batch = 0", "at least 1", "graph.run")
    refused(lambda: unroll.to_c(lstm(), dims={"batch": 10**9}), NotImplementedError, "x takes 48000000000 bytes")
    refused(lambda: unroll.to_c(lstm(), dims={"time": 3}), ValueError, "'time'", "batch")


@pytest.mark.parametrize("name", ["int", "7up", "a-b", "", "a" * 41, "naïve", "_x", "exp_f32 "])
def test_a_name_that_is_none_of_c_is_refused(name: str) -> None:
    refused(lambda: unroll.to_c(lstm(), dims={"batch": 1}, name=name), ValueError, "names of functions begin with it")


def test_the_names_in_a_file_are_that_of_the_file(tmp_path: Path) -> None:
    called = {"net.c": "net", "LSTM.c": "LSTM", "7 up-v1.2.c": "n7_up_v1_2", "int.c": "int_", "naïve.c": "na_ve"}
    for file, name in called.items():
        unroll.to_c(lstm(), str(tmp_path / file), dims={"batch": 1})
        header = (tmp_path / file).with_suffix(".h")
        assert f"void {name}_run(" in header.read_text()
        assert f'#include "{header.name}"' in (tmp_path / file).read_text()
    assert unroll.to_c(lstm(), str(tmp_path / "net.c"), name="other", dims={"batch": 1}).name == "other"
    assert "void other_run(" in (tmp_path / "net.h").read_text()


@needs_compiler
def test_a_file_whose_name_is_none_of_c_compiles(tmp_path: Path) -> None:
    unroll.to_c(lstm(), str(tmp_path / "7 up-v1.2.c"), dims={"batch": 1})
    subprocess.run(["gcc", *STRICT, "-c", "7 up-v1.2.c"], cwd=tmp_path, check=True)


def test_a_path_that_no_file_of_c_can_have_is_refused(tmp_path: Path) -> None:
    def write(name: str) -> None:
        unroll.to_c(lstm(), str(tmp_path / name), dims={"batch": 1})

    refused(lambda: write("net.cpp"), OSError, "net.cpp", "ends in .c", "net.c")
    refused(lambda: write('a"b.c'), OSError, "cannot include", "plain")
    refused(lambda: write("missing/model.c"), OSError, "missing")
    refused(lambda: write("Stdint.c"), OSError, "Stdint.c", "<stdint.h>", "otherwise")
    (tmp_path / "folder.c").mkdir()
    refused(lambda: write("folder.c"), OSError, "folder.c", "is a folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.c"]


def test_float16_and_operators_of_others_are_named() -> None:
    half = unroll.placeholder([2], "half", "float16")
    refused(lambda: unroll.to_c(unroll.Graph([half], {"y": half + 1})), NotImplementedError, "half", "float16", "cast")


def test_a_word_that_is_no_math_is_refused() -> None:
    refused(lambda: unroll.to_c(lstm(), dims={"batch": 1}, math="exact"), ValueError, "'exact'", "'libm'")
