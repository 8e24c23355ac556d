"""Proofs that cannot be made say why: random numbers are named, and feeds and sizes can be given where none can be guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import refused
from onnx import TensorProto, helper, numpy_helper

import unroll
from unroll.cli import main
from unroll.export.compiler import compile
from unroll.export.file_rerolling import reroll_file, rewrite_file
from unroll.export.reading.reader import from_onnx
from unroll.export.verifying.random_nodes import random_nodes
from unroll.randomness import random_operators

STEPS, WIDTH, UNITS = 12, 4, 3


def flat_rnn(
    before: Any = None, after: Any = None, *, more: dict[str, Any] | None = None, time: Any = STEPS
) -> onnx.ModelProto:
    """A flat tanh network over `STEPS` steps: ``x`` (time, 2, 4) goes through `before`, the last state through `after`."""
    first = before.output[0] if before else "x"
    rng = np.random.default_rng(0)
    arrays = {
        "w": rng.uniform(-0.5, 0.5, (WIDTH, UNITS)).astype("float32"),
        "u": rng.uniform(-0.5, 0.5, (UNITS, UNITS)).astype("float32"),
        "h": np.zeros((2, UNITS), "float32"),
        "zero": np.array([0], "int64"),
        **(more or {}),
    }
    steps = [f"x{step}" for step in range(STEPS)]
    sizes = numpy_helper.from_array(np.ones(STEPS, "int64"), "sizes")
    nodes = [*filter(None, [before]), helper.make_node("Split", [first, "sizes"], steps, axis=0)]
    state = "h"
    for step, name in enumerate(steps):
        nodes += [
            helper.make_node("Squeeze", [name, "zero"], [f"{name}/s"]),
            helper.make_node("MatMul", [f"{name}/s", "w"], [f"{name}/w"]),
            helper.make_node("MatMul", [state, "u"], [f"{name}/u"]),
            helper.make_node("Add", [f"{name}/w", f"{name}/u"], [f"{name}/a"]),
            helper.make_node("Tanh", [f"{name}/a"], [f"h{step}"]),
        ]
        state = f"h{step}"
    if after:
        nodes += [after, helper.make_node("Mul", [state, after.output[0]], ["y"])]
        state = "y"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [time, 2, WIDTH])
    y = helper.make_tensor_value_info(state, TensorProto.FLOAT, [2, UNITS])
    values = [*(numpy_helper.from_array(array, name) for name, array in arrays.items()), sizes]
    graph = helper.make_graph(nodes, "flat", [x], [y], values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def baked() -> onnx.ModelProto:
    """The file's axis is called ``time``, and only a run says that it is 12: nobody infers how many rows Compress leaves."""
    before = helper.make_node("Compress", ["x", "chosen"], ["kept"], axis=0)
    return flat_rnn(before, more={"chosen": np.ones(STEPS, bool)}, time="time")


TRAINING = {"ratio": np.array(0.5, "float32"), "training": np.array(True)}
#: Nodes that draw random numbers, which the last state is multiplied by.
DRAWING: dict[str, Any] = {
    "RandomNormalLike": helper.make_node("RandomNormalLike", ["h11"], ["drawn"], name="n"),
    "RandomUniformLike": helper.make_node("RandomUniformLike", ["h11"], ["drawn"], name="n"),
    "RandomUniform": helper.make_node("RandomUniform", [], ["drawn"], name="n", shape=[2, UNITS], high=9.0),
    "RandomNormal": helper.make_node("RandomNormal", [], ["drawn"], name="n", shape=[2, UNITS]),
}
DROPOUT = helper.make_node("Dropout", ["h11", "ratio", "training"], ["drawn"], name="n")


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWING)
def test_random_numbers_are_named_as_the_cause(kind: str, tmp_path: Path) -> None:
    model = flat_rnn(after=DRAWING[kind])
    assert random_nodes(model) == [f"n ({kind})"]
    assert [text.rpartition(" ")[2] for text in random_operators(from_onnx(model))] == [f"({kind})"]
    for action in (
        lambda: reroll_file(model, tmp_path / "fast.onnx"),
        lambda: rewrite_file(
            model, tmp_path / "fast.onnx", lambda graph: unroll.to_onnx(graph, form="rerolled", check=False)
        ),
    ):
        message = refused(action, ArithmeticError, "nothing can be proven", f"n ({kind})", "random numbers", "seed")
        assert "differs" not in message
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWING)
def test_every_other_proof_names_the_cause_too(kind: str) -> None:
    model = flat_rnn(after=DRAWING[kind])
    graph = from_onnx(model)
    refused(lambda: unroll.verify(model), ArithmeticError, kind, "random numbers")
    refused(lambda: compile(graph, cache=False), unroll.UnrollError, kind, "random numbers")
    found = unroll.equivalent(graph, unroll.Graph(graph.inputs, {"y": unroll.ops.tanh(graph.outputs[0])}))
    assert not found
    assert kind in found.difference
    assert "random numbers" in found.difference


@pytest.mark.slow
def test_a_dropout_that_trains_is_found_though_onnxruntime_leaves_it_out() -> None:
    model = flat_rnn(after=DROPOUT, more=TRAINING)
    assert random_nodes(model) == ["n (Dropout)"]
    assert len(random_operators(from_onnx(model))) == 1


@pytest.mark.slow
def test_what_has_a_seed_or_does_not_train_is_no_cause(tmp_path: Path) -> None:
    seeded = helper.make_node("RandomNormalLike", ["h11"], ["drawn"], seed=3.0)
    plain = helper.make_node("Dropout", ["h11"], ["drawn"])
    models = [flat_rnn(after=seeded), flat_rnn(after=plain)]
    models.append(flat_rnn(after=DROPOUT, more=TRAINING | {"training": np.array(False)}))
    for model in models:
        assert random_nodes(model) == []
        assert random_operators(from_onnx(model)) == []
        assert reroll_file(model, tmp_path / "fast.onnx").proof.worst.agrees


def test_random_numbers_inside_a_branch_are_found() -> None:
    drawn = helper.make_node("RandomNormal", [], ["a"], name="inner", shape=[2])
    zero = helper.make_node("Constant", [], ["b"], value=numpy_helper.from_array(np.zeros(2, "float32")))
    branches = [
        helper.make_graph([node], "branch", [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])])
        for node, name in ((drawn, "a"), (zero, "b"))
    ]
    node = helper.make_node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1])
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("c", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
    )
    assert random_nodes(helper.make_model(graph)) == ["inner (RandomNormal)"]


@pytest.mark.slow
def test_where_no_feed_runs_it_is_said_what_was_tried_and_what_to_give(tmp_path: Path) -> None:
    message = refused(lambda: reroll_file(baked(), tmp_path / "fast.onnx"), ArithmeticError, "nothing can be proven")
    assert "x (time, 2, 4)" in message
    assert "time = 5: " in message
    assert "time = 3: " in message
    assert 'dims={"name": size}' in message
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_compile_and_equivalent_say_it_as_well() -> None:
    graph = from_onnx(baked())
    for action in (
        lambda: compile(graph, dims={"time": 5}, cache=False),
        lambda: refuse(unroll.equivalent(graph, unroll.Graph(graph.inputs, {"y": unroll.ops.tanh(graph.outputs[0])}))),
    ):
        message = refused(action, ValueError, "x (time, 2, 4)", 'dims={"name": size}')
        assert "time = 5" in message or "x [5, 2, 4]" in message
    with pytest.warns(unroll.UnrollWarning, match="cannot be proven"):  # by passes, which know no sizes
        assert compile(graph, dims={"time": STEPS}, cache=False).choice.form
    other = unroll.Graph(graph.inputs, {"y": unroll.ops.tanh(graph.outputs[0])})
    assert "output" in unroll.equivalent(graph, other, dims={"time": STEPS}).difference


def refuse(found: Any) -> None:
    raise unroll.errors.ArgumentError(found.difference)


@pytest.mark.slow
def test_a_size_that_is_given_or_a_feed_makes_the_proof(tmp_path: Path) -> None:
    model = baked()
    for place, given in enumerate(
        [
            {"dims": {"time": STEPS}},
            {"feeds": {"x": np.full((STEPS, 2, WIDTH), 0.3)}},
            {"feeds": [{"x": np.full((STEPS, 2, WIDTH), value)} for value in (0.3, -0.2)]},
        ]
    ):
        found = reroll_file(model, tmp_path / f"{place}.onnx", **given)  # type: ignore[arg-type]
        assert found.proof.worst.agrees
        assert set(found.proof.feeds) == {f"x [{STEPS}, 2, {WIDTH}]"}
        assert (tmp_path / f"{place}.onnx").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "builtin", "fragments"),
    [
        ({"dims": {"tim": 12}}, ValueError, ["'tim'", "'time'"]),
        ({"dims": {"time": 0.5}}, TypeError, ["time = 0.5"]),
        ({"dims": {"time": 12}, "feeds": {"x": np.ones((12, 2, 4))}}, ValueError, ["leave one"]),
        ({"feeds": {"y": np.ones((12, 2, 4))}}, ValueError, ["'y'", "'x'"]),
        ({"feeds": {"x": np.ones((12, 3, 4))}}, ValueError, ["'x'", "3"]),
        ({"feeds": []}, ArithmeticError, ["no feeds"]),
    ],
)
def test_what_is_given_wrongly_is_refused(given: Any, builtin: Any, fragments: list[str], tmp_path: Path) -> None:
    refused(lambda: reroll_file(baked(), tmp_path / "fast.onnx", **given), builtin, *fragments)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_sizes_and_feeds_can_be_given_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    onnx.save(baked(), "flat.onnx")
    np.save("x.npy", np.full((STEPS, 2, WIDTH), 0.3, "float32"))
    assert main(["reroll", "flat.onnx", "-o", "fast.onnx"]) == 2
    assert "--dim name=size" in capsys.readouterr().err
    for given in (["--dim", f"time={STEPS}"], ["--feed", "x=x.npy"]):
        assert main(["reroll", "flat.onnx", "-o", "fast.onnx", *given]) == 0
        assert "the same in onnxruntime" in capsys.readouterr().out
        assert main(["export", "flat.onnx", "-o", "scan.onnx", "--form", "scan", *given]) == 0
        assert "the same in onnxruntime" in capsys.readouterr().out
    assert main(["verify", "flat.onnx"]) == 2
    assert "--dim name=size" in capsys.readouterr().err
    for given in (["--dim", f"time={STEPS}"], ["--feed", "x=x.npy"]):
        assert main(["verify", "flat.onnx", *given]) == 0
        assert "took part" in capsys.readouterr().out
    for wrong, fragment in (
        ("time", "time=SIZE"),
        ("time=x", "time=SIZE"),
        ("tim=3", "'time'"),
        ("time=-1", "'time=-1'"),
    ):
        assert main(["reroll", "flat.onnx", "-o", "no.onnx", "--dim", wrong]) == 2
        assert fragment in capsys.readouterr().err
    assert main(["reroll", "flat.onnx", "-o", "no.onnx", "--dim", "time=3", "--dim", "time=4"]) == 2
    assert "'time'" in capsys.readouterr().err
    assert not Path("no.onnx").exists()
