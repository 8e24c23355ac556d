"""`verify` on model files: the file itself runs, right ones raise no alarm, changed ones always do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from helpers import GOLDEN, Array, golden_arrays, golden_json, refused
from mutated_models import mutants
from onnx import ModelProto, helper, numpy_helper
from packaging.version import Version
from random_recurrent_nodes import draw_node

import unroll
from unroll.errors import NoWitnessError, VerificationError
from unroll.export.verifying import witnesses
from unroll.export.verifying.verification import verified
from unroll.export.verifying.witnesses import REWRITTEN, Subject

FOLDER = GOLDEN / "foreign"
CASES: list[dict[str, Any]] = [case for case in golden_json("foreign/manifest.json")["cases"] if case["file"]]
#: Whether onnx's evaluator is one that gets more of the recurrent operators wrong, and steps aside.
REFERENCE_IS_OLD = Version(onnx.__version__) < Version("1.23")
#: One with convolutions and pooling, and every twelfth of the others; all 67 were verified when this was written.
SAMPLE = [case for place, case in enumerate(CASES) if case["id"] == "dynamo-rows-bn-t3-op18" or place % 12 == 0]


def given(case: dict[str, Any]) -> dict[str, Array]:
    arrays = golden_arrays("foreign/arrays.npz")
    batch = case["batches"][-1]
    return {name: arrays[f"{case['id']}/{batch}/in{place}"] for place, name in enumerate(case["inputs"])}


# -- no false alarm ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case["id"])
def test_files_of_other_tools_are_proven_as_they_are(case: dict[str, Any]) -> None:
    path = FOLDER / case["file"]
    found = unroll.verify(path)
    assert found.left_out == {} or (REFERENCE_IS_OLD and found.left_out.keys() == {"onnx reference"})
    ran = [runner for runner in ("onnx reference", "onnxruntime") if runner not in found.left_out]
    assert found.runners == ("NumPy", *ran, REWRITTEN)
    assert f"{' and '.join(ran)} ran {path} itself; NumPy computed what unroll reads in it" in str(found)
    assert not found.foreign
    assert "onnxruntime is the only witness" not in str(found)


@pytest.mark.slow
def test_random_recurrent_nodes_raise_no_alarm_and_what_nobody_can_tell_is_said() -> None:
    """2,000 nodes are tried by benchmarks/recurrent_nodes.py."""
    proven = 0
    for seed in range(100):
        drawn = draw_node(seed, mixed=0.1)
        try:
            found = unroll.verify(drawn.model, drawn.feeds)
        except NoWitnessError as error:
            # onnxruntime has no kernels for these, and the reference more faults.
            lacking = drawn.feeds["X"].dtype == np.float64 or "'layout': 1" in drawn.told
            assert lacking or not drawn.fixed, drawn.told
            assert "there is no witness" in str(error), drawn.told
            continue
        proven += 1
        assert drawn.fixed, drawn.told
        assert {"onnx reference", "onnxruntime"} & set(found.runners), drawn.told
        assert set(found.runners) | set(found.left_out) == {"NumPy", "onnx reference", "onnxruntime", REWRITTEN}
    assert proven > 60


@pytest.mark.parametrize(
    "make",
    [
        lambda: unroll.layers.LSTM(4, activation="relu", return_sequences=True),
        lambda: unroll.layers.GRU(4, activation="relu", recurrent_activation="hard_sigmoid"),
        lambda: unroll.layers.SimpleRNN(4, activation="relu"),
    ],
)
def test_networks_with_other_activations_or_lengths_are_proven_re_rolled(make: Any) -> None:
    model = unroll.layers.Sequential([unroll.layers.Input((5, 3)), make()])
    found = unroll.verify(model.trace(), form="rerolled")
    assert found.runners[0] == "NumPy"
    assert "onnxruntime" in found.runners
    aside = found.left_out.get("onnx reference", "`activations`")
    assert "`activations`" in aside or "it raised" in aside or REFERENCE_IS_OLD


# -- what is wrong is seen --------------------------------------------------------------------------------------------


def seen(graph: unroll.Graph, changed: ModelProto, feeds: dict[str, Array] | None) -> bool:
    """Whether a changed model is told from the graph of the one that it was."""
    try:
        verified(Subject(graph, changed, None, False), feeds)
    except NoWitnessError:
        return False
    except VerificationError:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES[1::18], ids=lambda case: case["id"])
def test_a_change_of_a_file_is_seen(case: dict[str, Any]) -> None:
    model = onnx.load(FOLDER / case["file"])
    graph = unroll.from_onnx(model)
    unseen = [item.told for item in mutants(model, given(case), 4, 0) if not seen(graph, item.model, given(case))]
    assert not unseen


@pytest.mark.slow
def test_a_change_of_a_recurrent_node_is_seen() -> None:
    tried = 0
    for seed in range(40):
        drawn = draw_node(seed, foreign=0)
        if drawn.feeds["X"].dtype != np.float32:
            continue
        graph = unroll.from_onnx(drawn.model)
        for item in mutants(drawn.model, drawn.feeds, 1, seed, feeds_alone=True):
            tried += 1
            assert seen(graph, item.model, drawn.feeds), f"{item.told} of {drawn.told}"
    assert tried > 10


# -- the file itself --------------------------------------------------------------------------------------------------


def product(path: Path, weight: Array) -> ModelProto:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "product")],
        "one",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", weight.shape[0]])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", weight.shape[1]])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return model


def test_the_users_bytes_run_and_not_what_unroll_would_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = np.array([[1, 2], [3, 4]], np.float32)
    product(tmp_path / "m.onnx", weight)
    model = product(tmp_path / "other.onnx", weight + 1)
    read = unroll.from_onnx(tmp_path / "m.onnx")
    monkeypatch.setattr(witnesses, "read_graph", lambda what: (read, ""))  # a reader that gets a weight wrong
    message = refused(
        lambda: unroll.verify(tmp_path / "other.onnx", {"x": [[1, 1]]}), ArithmeticError, "gives 6", "NumPy 4"
    )
    assert f"{REWRITTEN}: worst difference 0" in message
    refused(lambda: unroll.verify(model, {"x": [[1, 1]]}), ArithmeticError, "gives 6", "NumPy 4", "the model itself")


def test_weights_beside_a_file_are_read_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = product(tmp_path / "whole.onnx", np.array([[1, 2], [3, 4]], np.float32))
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="m.bin", size_threshold=0)
    monkeypatch.chdir(tmp_path.parent)
    found = unroll.verify(tmp_path / "m.onnx")
    assert found.runners == ("NumPy", "onnx reference", "onnxruntime", REWRITTEN)
    assert all(row.agrees for row in found.differences)
    other = np.array([[1, 2], [3, 5]], np.float32)
    read = unroll.from_onnx(product(tmp_path / "other.onnx", other))
    monkeypatch.setattr(witnesses, "read_graph", lambda what: (read, ""))
    refused(lambda: unroll.verify(tmp_path / "m.onnx", {"x": [[0, 1]]}), ArithmeticError, "gives 4", "NumPy 5")


def test_options_of_writing_go_with_a_graph(tmp_path: Path) -> None:
    model = product(tmp_path / "m.onnx", np.ones((2, 2), np.float32))
    refused(lambda: unroll.verify(tmp_path / "m.onnx", form="unrolled"), TypeError, "form", "model already")
    assert unroll.verify(model).subject == "the model itself"


# -- NaN and infinities -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_nan_and_infinities_are_fed_where_that_is_asked_for_and_differences_are_told() -> None:
    lstm = FOLDER / "torchscript-nn_lstm-bn-t4-op13.onnx"
    found = unroll.verify(lstm)
    assert found.nonfinite is None
    assert "no NaN and infinities were put into the feeds" in str(found)
    found = unroll.verify(lstm, nonfinite=True)
    assert found.nonfinite is not None
    differ = {row.runner for row in found.nonfinite if not row.agrees}
    assert differ == {"onnxruntime", REWRITTEN}, "its LSTM gives 0.7616 where a gate is NaN"
    assert all(row.agrees for row in found.differences)
    assert "with NaN and infinities fed, onnx reference agrees with NumPy" in str(found) or REFERENCE_IS_OLD
    assert "onnxruntime differs from NumPy on" in str(found)
    assert "hides NaN" in found.asides["onnxruntime"]
    flat = unroll.verify(FOLDER / "torchscript-lstm-b3-t3-op9.onnx", nonfinite=True)
    assert flat.nonfinite
    assert all(row.agrees for row in flat.nonfinite)
    assert flat.asides == {}


# -- files that nothing can run ---------------------------------------------------------------------------------------


def one_node(
    op: str, inputs: dict[str, list[int]], weights: dict[str, Array], output: list[int], **attributes: Any
) -> ModelProto:
    info = helper.make_tensor_value_info
    names = [name if name in inputs or name in weights else "" for name in attributes.pop("order", [*inputs, *weights])]
    graph = helper.make_graph(
        [helper.make_node(op, names, ["y"], "node", **attributes)],
        "one",
        [info(name, onnx.TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [info("y", onnx.TensorProto.FLOAT, output)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def test_what_numpy_computes_with_onnx_s_implementation_has_one_witness() -> None:
    found = unroll.verify(one_node("LpPool", {"x": [2, 3, 4]}, {}, [2, 3, 3], kernel_shape=[2]))
    assert [name.rpartition(" ")[2] for name in found.foreign] == ["(LpPool)"]
    assert "onnxruntime is the only witness" in str(found)


def zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


#: As torch's exporter writes ``nn.LSTM(4, 5, proj_size=2)``: R reads the projection, and nothing makes it.
PROJECTED = {"w": zeros(1, 20, 4), "r": zeros(1, 20, 2), "b": zeros(1, 40)}
BROKEN: dict[str, tuple[ModelProto, str]] = {
    "LSTM with projection": (
        one_node("LSTM", {"x": [3, 2, 4]}, PROJECTED, [3, 1, 2, 2], hidden_size=5),
        "axis 2 of R: 2 and 5 must be equal",
    ),
    "LSTM with projection and states": (
        one_node(
            "LSTM",
            {"x": [3, 2, 4], "h": [1, 2, 2], "c": [1, 2, 5]},
            PROJECTED,
            [3, 1, 2, 2],
            order=["x", "w", "r", "b", "none", "h", "c"],
            hidden_size=5,
        ),
        "axis 2 of R: 2 and 5 must be equal",
    ),
    "GRU with the weights of an LSTM": (
        one_node("GRU", {"x": [3, 2, 4]}, {"w": zeros(1, 20, 4), "r": zeros(1, 20, 5)}, [3, 1, 2, 5], hidden_size=5),
        "axis 1 of W: 20 and 15 must be equal",
    ),
    "RNN of no direction": (
        one_node(
            "RNN", {"x": [3, 2, 4]}, {"w": zeros(1, 5, 4), "r": zeros(1, 5, 5)}, [3, 1, 2, 5], direction="sideways"
        ),
        "direction 'sideways'",
    ),
    "LSTM of two activations": (
        one_node(
            "LSTM",
            {"x": [3, 2, 4]},
            {"w": zeros(1, 20, 4), "r": zeros(1, 20, 5)},
            [3, 1, 2, 5],
            hidden_size=5,
            activations=["Sigmoid", "Tanh"],
        ),
        "2 activations; 3 are wanted",
    ),
    "MatMul": (one_node("MatMul", {"x": [3, 4]}, {"w": zeros(5, 2)}, [3, 2]), "Incompatible dimensions"),
    "Add": (one_node("Add", {"x": [3, 4]}, {"w": zeros(3)}, [3, 4]), "Incompatible dimensions"),
    "Concat": (one_node("Concat", {"x": [3, 4]}, {"w": zeros(2, 4)}, [3, 8], axis=1), "node"),
    "Reshape": (
        one_node("Reshape", {"x": [3, 4]}, {"shape": np.array([3, 3])}, [3, 3]),
        "x (3, 4) float32 cannot have the shape [3, 3]",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_breaks_onnxs_rules_is_shown_with_a_warning_and_never_proven(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, why = BROKEN[what]
    fed = {item.name: zeros(*(dim.dim_value for dim in item.type.tensor_type.shape.dim)) for item in model.graph.input}
    with pytest.raises(unroll.UnrollError):  # onnxruntime refuses it, when it loads it or when it runs it
        unroll.Session(model).run(fed)
    with pytest.warns(
        unroll.UnrollWarning, match="breaks ONNX's rules, and runtimes refuse to run it: node 'node'"
    ) as caught:
        graph = unroll.from_onnx(model)
    assert why in str(caught[0].message)
    assert [node.name for node in unroll.to_onnx(graph).graph.node][-1] == "node"
    refused(lambda: unroll.verify(model), ValueError, "breaks ONNX's rules", why)
    onnx.save(model, tmp_path / "m.onnx")
    from unroll.cli import main

    assert main(["summary", str(tmp_path / "m.onnx")]) == 0
    said = capsys.readouterr()
    assert "node" in said.out
    assert said.err.startswith("unroll summary: warning: the model breaks ONNX's rules")
    assert len(said.err.splitlines()) == 1
    assert main(["verify", str(tmp_path / "m.onnx")]) == 2
    assert why in capsys.readouterr().err


def test_rounding_that_a_growing_state_makes_large_is_no_alarm() -> None:
    drawn = draw_node(1422, foreign=0.3, mixed=0.2)  # a GRU of straight lines, whose state reaches 93,000
    with pytest.raises(NoWitnessError, match="rounding alone takes float32 as far from float64"):
        unroll.verify(drawn.model, drawn.feeds)


def test_sizes_have_the_names_of_the_file_where_the_graph_needs_two_to_be_equal() -> None:
    floats = onnx.TensorProto.FLOAT
    x, z, y = (
        helper.make_tensor_value_info(name, floats, [size]) for name, size in (("x", "a"), ("z", "b"), ("y", "c"))
    )
    graph = helper.make_graph([helper.make_node("Add", ["x", "z"], ["y"])], "g", [x, z], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for name in "ab":
        assert unroll.verify(model, dims={name: 3}).worst.agrees
    refused(lambda: unroll.verify(model, dims={"d": 3}), ValueError, "'d'", "'a', 'b'")
