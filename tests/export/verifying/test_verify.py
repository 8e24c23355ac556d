"""Proving that NumPy, onnx's reference evaluator and onnxruntime agree: what is reported, and what is caught."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers import Array, refused
from onnx import TensorProto, helper

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, ops, static_rnn, verify
from unroll.export.running.session import Session
from unroll.export.verifying import witnesses
from unroll.export.verifying.verification import generate_feeds
from unroll.export.verifying.verification_report import compare
from unroll.ops import OPERATORS

RUNNERS = ("NumPy", "onnx reference", "onnxruntime")


def lstm(dtype: str = "float32") -> Graph:
    inputs = [unroll.placeholder([None, 3], f"X{step}", dtype) for step in range(3)]
    outputs, state = static_rnn(BasicLSTMCell(4), inputs)
    return Graph(inputs, {"last": outputs[-1], "state": state})


def doubled(dtype: str = "float32", size: int = 2) -> Graph:
    x = unroll.placeholder([size], "x", dtype)
    return Graph([x], {"y": x + x})


def claim(monkeypatch: pytest.MonkeyPatch, runner: str, values: Any) -> None:
    """Let a runner give `values` for the output ``y``."""
    answer = {"y": np.asarray(values)}
    if runner == "onnxruntime":
        monkeypatch.setattr(Session, "run", lambda self, feeds: answer)
    else:
        evaluator = SimpleNamespace(run=lambda names, arrays: list(answer.values()))
        monkeypatch.setattr(witnesses, "ReferenceEvaluator", lambda model: evaluator)


# -- the report -------------------------------------------------------------------------------------------------------


def test_the_report_has_a_row_for_each_output_and_runner() -> None:
    found = verify(lstm())
    assert found.runners == RUNNERS
    assert found.left_out == {}
    assert [(row.output, row.runner) for row in found.differences] == [
        (output, runner) for runner in RUNNERS[1:] for output in ("last", "state/c", "state/h")
    ]
    for row in found.differences:
        assert 0 <= row.absolute <= 1e-5
        assert 0 <= row.relative < 1e-3
        assert row.tolerance == 1e-5
        assert row.agrees is True
    assert found.worst.absolute == max(row.absolute for row in found.differences)


def test_the_report_reads_well() -> None:
    text = str(verify(lstm()))
    assert text.splitlines()[0] == "3 outputs; NumPy, onnx reference, onnxruntime took part"
    for runner in RUNNERS[1:]:
        (line,) = [line for line in text.splitlines() if line.strip().startswith(runner)]
        assert "worst difference" in line
        assert "tolerance 1e-05" in line


def test_differences_are_measured_absolutely_and_relatively(monkeypatch: pytest.MonkeyPatch) -> None:
    claim(monkeypatch, "onnxruntime", np.array([2.5, -8.0, 0.25], "float32"))
    x = unroll.placeholder([3], "x")
    found = verify(Graph([x], {"y": x * 2}), {"x": [1, -5, 0]}, tolerance=1)  # NumPy: 2, -10, 0
    (row,) = [row for row in found.differences if row.runner == "onnxruntime"]
    assert (row.absolute, row.relative, row.tolerance) == (2.0, 0.25, 1)
    assert found.worst is row


@pytest.mark.parametrize("cell", [BasicRNNCell, BasicLSTMCell, unroll.GRUCell])
def test_cells_agree_on_feeds_given_by_placeholder_or_name(cell: Any) -> None:
    x = unroll.placeholder([None, 2, 3], "x")
    graph = Graph([x], unroll.dynamic_rnn(cell(4), x)[0])
    for feeds in ({x: np.ones((5, 2, 3))}, {"x": np.zeros((1, 2, 3)).tolist()}):
        assert all(row.agrees for row in verify(graph, feeds).differences)


def test_options_of_to_onnx_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = witnesses.to_onnx
    monkeypatch.setattr(witnesses, "to_onnx", lambda graph, **options: seen.append(options) or real(graph, **options))
    assert verify(lstm(), opset=18, fold_zero_state=False).runners == RUNNERS
    assert seen == [{"runtime": None, "opset": 18, "fold_zero_state": False}]


def test_verifying_changes_nothing() -> None:
    graph = lstm()
    before = {name: item.value.copy() for name, item in graph.parameters.items()}
    feeds = {f"X{step}": np.ones((2, 3), "float32") for step in range(3)}
    verify(graph, feeds)
    assert all(np.array_equal(graph.parameters[name].value, array) for name, array in before.items())
    assert all((array == 1).all() for array in feeds.values())


def test_sizes_are_given_by_name() -> None:
    x = unroll.placeholder(["batch", "time", 3], "x")
    graph = Graph([x], {"y": ops.tanh(x) * 2.0})
    shapes: list[Any] = []
    graph.run, run = lambda feeds: shapes.append(feeds["x"].shape) or run(feeds), graph.run  # type: ignore[method-assign]
    assert verify(graph, dims={"time": 9, "batch": 1}).worst.agrees
    assert set(shapes) == {(1, 9, 3)}
    refused(lambda: verify(graph, dims={"tim": 9}), ValueError, "verify", "'tim'", "'time'")
    refused(lambda: verify(graph, {"x": np.ones((1, 1, 3))}, dims={"time": 9}), ValueError, "verify", "leave one")


# -- generated feeds --------------------------------------------------------------------------------------------------


def test_generated_feeds_give_every_symbol_one_size_and_different_symbols_different_ones() -> None:
    batch = unroll.placeholder([None], "b").shape[0]
    a = unroll.placeholder([None, "width", 3], "a")
    b = unroll.placeholder([28 * batch, "width"], "b")
    c = unroll.placeholder([None, None], "c", "int64")
    d = unroll.placeholder([None], "d", "bool")
    graph = Graph([a, b, c, d], [a + 1, b + 1, c + 1, ~d])
    feeds = generate_feeds(graph)
    n, width, three = feeds["a"].shape
    assert len({n, width, feeds["c"].shape[1]}) == 3
    assert min(n, width, feeds["c"].shape[1]) >= 2, "a size of 1 would broadcast"
    assert (three, feeds["b"].shape, feeds["c"].shape[0], feeds["d"].shape) == (3, (28 * n, width), n, (n,))
    assert [array.dtype for array in feeds.values()] == ["float32", "float32", "int64", "bool"]
    assert len(np.unique(feeds["c"])) > 4, "numbers that are only added to are of all kinds"
    assert verify(graph).runners == RUNNERS


def test_generated_feeds_respect_what_operators_require() -> None:
    a, b = unroll.placeholder(["n", "k"], "a"), unroll.placeholder(["m", "n"], "b")
    feeds = generate_feeds(Graph([a, b], {"y": a @ b}))
    assert feeds["a"].shape[1] == feeds["b"].shape[0]
    assert feeds["a"].shape[0] == feeds["b"].shape[1]


def test_generated_feeds_are_the_same_for_one_seed_and_others_for_another() -> None:
    graph = lstm()
    first, again, other = generate_feeds(graph, 1), generate_feeds(graph, 1), generate_feeds(graph, 2)
    assert all(np.array_equal(array, again[name]) for name, array in first.items())
    assert not any(np.array_equal(array, other[name]) for name, array in first.items())
    assert not np.array_equal(first["X0"], first["X1"])
    assert verify(graph, seed=1).differences == verify(graph, seed=1).differences


def test_bad_feeds_are_refused_as_graph_run_does() -> None:
    refused(lambda: verify(doubled(), {}), ValueError, "'x'")
    refused(lambda: verify(doubled(), {"x": [1, 2, 3]}), ValueError, "'x'", "3")
    refused(lambda: verify(doubled(), {"x": [True, False]}), TypeError, "'x'", "bool")


# -- disagreement -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", ["Tanh", "MatMul", "Sigmoid"])
def test_an_operator_that_is_slightly_wrong_in_numpy_is_caught_by_both_other_runners(
    operator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = OPERATORS["", operator]
    real = kind.evaluate
    monkeypatch.setattr(kind, "evaluate", lambda self, *arrays: np.asarray(real(self, *arrays)) * np.float32(1.001))
    message = refused(lambda: verify(lstm()), ArithmeticError, "output ", "more than the tolerance 1e-05", *RUNNERS)
    lines = [line for line in message.splitlines() if "worst difference" in line]
    assert len(lines) == 2
    assert all(float(line.split("difference ")[1].split()[0].strip(",")) > 1e-5 for line in lines)


@pytest.mark.parametrize("runner", RUNNERS[1:])
def test_a_runner_that_is_wrong_alone_is_named_with_both_values(runner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(monkeypatch, runner, np.array([2.0, 6.5], "float32"))
    with pytest.raises(unroll.UnrollError) as caught:
        verify(doubled(), {"x": [1, 3]})
    first = str(caught.value).splitlines()[0]
    assert type(caught.value).__name__ == "VerificationError"
    for part in ("output 'y'", "at (1,)", f"{runner} gives 6.5", "NumPy 6.0", "1e-05"):
        assert part in first


@pytest.mark.parametrize(
    ("fed", "claimed", "at", "tolerance"),
    [
        ([np.nan, 1.0], [np.nan, 2.5], "(1,) onnxruntime gives 2.5, NumPy 2.0", None),
        ([np.inf, 1.0], [np.inf, 2.5], "(1,) onnxruntime gives 2.5, NumPy 2.0", None),
        ([1.0, 1.0], [2.0, np.nan], "(1,) onnxruntime gives nan, NumPy 2.0", None),
        ([1.0, np.nan], [2.0, 3.0], "(1,) onnxruntime gives 3.0, NumPy nan", None),
        ([1.0, np.inf], [2.0, -np.inf], "(1,) onnxruntime gives -inf, NumPy inf", None),
        ([1.0, np.inf], [2.0, 4.0], "(1,) onnxruntime gives 4.0, NumPy inf", None),
        # 1 off is within the tolerance at a million, and 0.5 at 2 is not
        ([500_000.0, 1.0], [1_000_001.0, 2.5], "(1,) onnxruntime gives 2.5, NumPy 2.0", 1e-3),
    ],
)
def test_the_values_named_are_those_that_differ(
    fed: list[float], claimed: list[float], at: str, tolerance: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(monkeypatch, "onnxruntime", np.array(claimed, "float32"))
    refused(lambda: verify(doubled(), {"x": fed}, tolerance=tolerance), ArithmeticError, f"at {at}")


@pytest.mark.parametrize("values", [[np.nan, 1.0], [np.inf, -np.inf], [np.nan, np.inf], [-0.0, 0.0]])
def test_nan_and_infinity_in_the_same_places_are_agreement(values: list[float]) -> None:
    found = verify(doubled(), {"x": values})
    assert [row.absolute for row in found.differences] == [0.0, 0.0]
    assert all(row.agrees for row in found.differences)


@pytest.mark.parametrize(
    ("dtype", "claimed"),
    [
        ("float32", np.array([2.0], "float32")),
        ("float32", np.array([[2.0, 2.0]], "float32")),
        ("float32", np.array([2.0, 2.0], "float64")),
        ("int64", np.array([2, 2], "int32")),
    ],
)
def test_another_shape_or_dtype_is_a_disagreement(dtype: str, claimed: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(monkeypatch, "onnx reference", claimed)
    seen = f"onnx reference gives {claimed.dtype}{list(claimed.shape)}"
    refused(lambda: verify(doubled(dtype), {"x": np.ones(2, dtype)}, tolerance=9), ArithmeticError, "'y'", seen, dtype)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integers_must_be_equal_whatever_the_tolerance(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [row.tolerance for row in verify(doubled(dtype), tolerance=100).differences] == [0, 0]
    claim(monkeypatch, "onnxruntime", np.array([2, 5], dtype))
    refused(lambda: verify(doubled(dtype), {"x": [1, 2]}, tolerance=100), ArithmeticError, "gives 5, NumPy 4")


def test_large_integers_that_floats_cannot_tell_apart_must_be_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    claim(monkeypatch, "onnxruntime", np.array([2, 2**60 + 1]))
    action = lambda: verify(doubled("int64"), {"x": [1, 2**59]})  # noqa: E731
    refused(action, ArithmeticError, f"gives {2**60 + 1}, NumPy {2**60}")


def test_booleans_must_be_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    x = unroll.placeholder([2], "x")
    graph = Graph([x], {"y": x > 0})
    assert verify(graph).runners == RUNNERS
    claim(monkeypatch, "onnxruntime", np.array([True, True]))
    refused(lambda: verify(graph, {"x": [1, -1]}, tolerance=9), ArithmeticError, "(1,)", "gives True, NumPy False")


# -- tolerances -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 1e-2), ("float32", 1e-5), ("float64", 1e-9)])
def test_each_dtype_has_its_tolerance(dtype: str, tolerance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {row.tolerance for row in verify(lstm(dtype)).differences} == {tolerance}
    for value, factor in ((0.25, 1.0), (8.0, 16.0)):  # |a - b| <= tolerance * max(1, |b|), and b is twice the value
        for share, agrees in ((0.7, True), (1.5, False)):
            with monkeypatch.context() as patch:
                claim(patch, "onnxruntime", np.array([2 * value + share * tolerance * factor] * 2, dtype))
                action = lambda value=value: verify(doubled(dtype), {"x": [value, value]})  # noqa: E731
                if agrees:
                    action()
                else:
                    refused(action, ArithmeticError, f"{tolerance:g}")


def test_a_tolerance_of_the_users_counts() -> None:
    graph = lstm()
    assert {row.tolerance for row in verify(graph, tolerance=0.5).differences} == {0.5}
    claimed = verify(doubled(), tolerance=0)
    assert all(row.agrees and row.absolute == 0 for row in claimed.differences)


@pytest.mark.parametrize("tolerance", [-1e-9, float("nan"), "1e-5", [1e-5], 1j])
def test_a_bad_tolerance_is_refused(tolerance: Any) -> None:
    refused(lambda: verify(lstm(), tolerance=tolerance), ValueError, repr(tolerance), ">= 0")


@pytest.mark.parametrize("what", [None, 7, lambda: 0])
def test_what_is_neither_graph_nor_model_is_refused(what: Any) -> None:
    refused(lambda: verify(what), TypeError, "Graph", "ModelProto", type(what).__name__)
    refused(lambda: verify("none.onnx"), OSError, "none.onnx")
    refused(lambda: verify(unroll.to_onnx(doubled()), opset=18), TypeError, "opset")


# -- who takes part ---------------------------------------------------------------------------------------------------

WITHOUT_KERNEL: dict[str, Callable[[], Graph]] = {
    "Softplus on float64": lambda: unroll.trace(lambda x: ops.softplus(x), unroll.placeholder([3], "x", "float64")),
    "Gemm on int64": lambda: unroll.trace(lambda x: ops.gemm(x, x), unroll.placeholder([2, 2], "x", "int64")),
    "Where on bool": lambda: unroll.trace(lambda x: ops.where(x, x, ~x), unroll.placeholder([3], "x", "bool")),
}


@pytest.mark.parametrize("what", WITHOUT_KERNEL)
def test_onnxruntime_is_left_out_with_the_reason_where_it_has_no_kernel(what: str) -> None:
    found = verify(WITHOUT_KERNEL[what]())
    assert found.runners == RUNNERS[:2]
    assert {row.runner for row in found.differences} == {"onnx reference"}
    assert list(found.left_out) == ["onnxruntime"]
    assert what in found.left_out["onnxruntime"]
    assert "onnxruntime left out: " in str(found)
    assert what in str(found)


def test_a_disagreement_without_onnxruntime_says_that_it_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPERATORS["", "Softplus"], "evaluate", lambda self, x: x * 2)
    graph = WITHOUT_KERNEL["Softplus on float64"]()
    refused(
        lambda: verify(graph), ArithmeticError, "onnx reference gives", "onnxruntime left out", "Softplus on float64"
    )


def test_an_output_that_is_an_input_is_compared_by_its_place() -> None:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    model = helper.make_model(
        helper.make_graph([], "nothing", [x], [x]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    assert verify(model).worst.agrees


def test_sizes_without_elements_are_no_proof() -> None:
    x = unroll.placeholder([None, 3], "x")
    refused(
        lambda: verify(unroll.Graph([x], {"y": unroll.ops.tanh(x)}), dims={"batch": 0}), ArithmeticError, "no elements"
    )


@pytest.mark.parametrize(
    ("expected", "seen", "said"),
    [
        ([0.5, 0.25], [0.5, 0.25 + 2**-22], "2.38e-07"),
        ([100.0], [101.0], "1, 0.01 of max(1, |value|)"),
        ([1.125], [1.125 + 2**-22], "2.12e-07 of max(1, |value|)"),  # and not "2.38e-07, 2.12e-07 of ..."
        ([0.0, 1.5], [0.25, 1.0], "0.333 of max(1, |value|)"),
        ([2.0], [3.0], "1, 0.5 of max(1, |value|)"),
        ([0.0], [np.nan], "inf"),
    ],
)
def test_a_difference_is_said_once(expected: list[float], seen: list[float], said: str) -> None:
    assert compare("y", "onnxruntime", np.float64(expected), np.float64(seen), None).far == said
