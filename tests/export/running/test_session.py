"""Running in onnxruntime: what can be fed and fetched, what is refused before it runs, and when a snapshot is out of date."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from helpers import Array, refused
from onnx import TensorProto, helper

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, Graph, Session, UnrollWarning, ops, static_rnn

KINDS = ("graph", "model", "path")
OPSET = [helper.make_opsetid("", 13)]


def two_steps() -> Graph:
    """3 inputs, 5 units, 2 steps, all weights 1 and the bias 0: ``y0 = tanh(sum x0)``, ``y1 = tanh(sum x1 + 5 y0)``."""
    inputs = [unroll.placeholder([None, 3], name) for name in ("X0", "X1")]
    cell = BasicRNNCell(5)
    (y0, y1), _ = static_rnn(cell, inputs)
    cell.kernel.assign(np.ones((8, 5)))
    return Graph(inputs, {"y0": y0, "y1": y1})


def image() -> Graph:
    """Two inputs that share ``batch``, one of them only as ``28*batch``."""
    x, rows = (
        unroll.placeholder([None, 784], "x"),
        unroll.placeholder([28 * unroll.placeholder([None], "b").shape[0]], "r"),
    )
    return Graph([x, rows], {"y": ops.reduce_sum(ops.reshape(x, [-1, 28]), 1) + rows})


def session(graph: Graph, kind: str, folder: Path) -> Session:
    if kind == "graph":
        return Session(graph)
    model = unroll.to_onnx(graph)
    return Session(model if kind == "model" else unroll.save(model, folder / "model.onnx"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


FEEDS = {"X0": np.array([[0, 0.1, 0.2]]), "X1": np.array([[0, 0.1, 0.2]])}
Y0, Y1 = np.tanh(0.3), np.tanh(0.3 + 5 * np.tanh(0.3))


def is_right(results: dict[str, Array]) -> bool:
    assert [array.dtype for array in results.values()] == [np.float32] * 2
    return np.allclose(results["y0"], [[Y0] * 5], atol=1e-6) and np.allclose(results["y1"], [[Y1] * 5], atol=1e-6)


# -- feeding and fetching ---------------------------------------------------------------------------------------------


def test_a_session_gives_the_textbook_values(kind: str, tmp_path: Path) -> None:
    made = session(two_steps(), kind, tmp_path)
    assert made.output_names == ("y0", "y1")
    assert [(spec.name, str(spec.shape), spec.dtype) for spec in made.inputs] == [
        ("X0", "(batch, 3)", np.float32),
        ("X1", "(batch, 3)", np.float32),
    ]
    assert is_right(made.run(FEEDS))


def test_feeds_go_by_name_or_placeholder_in_any_order() -> None:
    graph = two_steps()
    x0, x1 = graph.inputs
    for feeds in (
        {"X1": FEEDS["X1"], "X0": FEEDS["X0"]},
        {x0: FEEDS["X0"], x1: FEEDS["X1"]},
        {x1: FEEDS["X1"], **FEEDS},
    ):
        if len(feeds) == 2:
            assert is_right(Session(graph).run(feeds))
        else:
            refused(lambda feeds=feeds: Session(graph).run(feeds), ValueError, "'X1' twice")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8", "list"])
def test_arrays_of_other_dtypes_and_lists_are_cast(kind: str, dtype: str, tmp_path: Path) -> None:
    fed: Any = [[0, 1, 0], [1, 0, 1]]
    fed = fed if dtype == "list" else np.array(fed, dtype)
    found = session(two_steps(), kind, tmp_path).run({"X0": fed, "X1": fed}, "y0")
    np.testing.assert_allclose(found, np.tanh([[1] * 5, [2] * 5]), atol=1e-6)


def test_arrays_need_not_be_contiguous() -> None:
    fed = np.arange(12, dtype="float32").reshape(3, 4).T[::2] / 100  # [[0, 4, 8], [2, 6, 10]] / 100
    found = Session(two_steps()).run({"X0": fed, "X1": fed}, "y0")
    np.testing.assert_allclose(found, np.tanh([[0.12] * 5, [0.18] * 5]), atol=1e-6)


def test_fetches_choose_outputs_and_their_order(kind: str, tmp_path: Path) -> None:
    made = session(two_steps(), kind, tmp_path)
    listed = made.run(FEEDS, ["y1", "y0", "y1"])
    assert [round(float(array[0, 0]), 5) for array in listed] == [round(y, 5) for y in (Y1, Y0, Y1)]
    one = made.run(FEEDS, "y1")
    assert np.array_equal(one, listed[0])
    assert np.array_equal(made.run(FEEDS, "y1:0"), one)


def test_fetching_nothing_gives_nothing() -> None:
    assert two_steps().run(FEEDS, []) == []
    assert Session(two_steps()).run(FEEDS, []) == []


def test_a_session_of_a_graph_is_fetched_by_tensor_too() -> None:
    graph = two_steps()
    y0, y1 = graph.outputs
    assert float(Session(graph).run(FEEDS, y0)[0, 0]) == pytest.approx(Y0, abs=1e-6)
    assert [float(array[0, 0]) for array in Session(graph).run(FEEDS, [y1, "y0"])] == pytest.approx([Y1, Y0], abs=1e-6)


def test_a_session_of_a_model_has_no_tensors_to_fetch_by() -> None:
    graph = two_steps()
    made = Session(unroll.to_onnx(graph))
    refused(lambda: made.run(FEEDS, graph.outputs[0]), TypeError, "fetch by name")


def test_fetching_an_inner_tensor_is_refused_with_the_fix() -> None:
    graph = two_steps()
    inner = graph.nodes[-1].inputs[0]
    for fetch in (inner, [inner], graph.name(inner)):  # type: ignore[arg-type]
        refused(lambda fetch=fetch: Session(graph).run(FEEDS, fetch), KeyError, "Graph(outputs=...)", "graph.run", "y0")
    refused(lambda: Session(graph).run(FEEDS, "z"), KeyError, "'z'", "'y0', 'y1'")
    not_a_name: Any = 3
    refused(lambda: Session(graph).run(FEEDS, [not_a_name]), TypeError, "3", "neither a tensor nor a name")


def test_what_is_returned_is_the_callers_own() -> None:
    made = Session(two_steps())
    first = made.run(FEEDS)
    first["y0"][:] = 7
    assert is_right(made.run(FEEDS))


# -- bad feeds never reach onnxruntime --------------------------------------------------------------------------------

ONES = np.ones((2, 3), "float32")
BAD: dict[str, tuple[Any, type[Exception], tuple[str, ...]]] = {
    "missing": ({"X0": ONES}, ValueError, ("lack", "'X1'")),
    "extra": ({"X0": ONES, "X1": ONES, "X2": ONES}, ValueError, ("'X2'", "no input", "X1")),
    "wrong width": ({"X0": ONES, "X1": np.ones((2, 4))}, ValueError, ("'X1'", "(2, 4)", "3 is wanted")),
    "wrong rank": ({"X0": ONES, "X1": np.ones(3)}, ValueError, ("'X1'", "(3,)", "(batch, 3)")),
    "ragged": ({"X0": ONES, "X1": [[1, 2, 3], [1]]}, ValueError, ("'X1'", "same length")),
    "complex": ({"X0": ONES, "X1": ONES * 1j}, TypeError, ("'X1'", "complex")),
    "bool": ({"X0": ONES, "X1": ONES > 0}, TypeError, ("'X1'", "bool", "astype")),
    "strings": ({"X0": ONES, "X1": [["a", "b", "c"]]}, TypeError, ("'X1'", "numbers")),
    "objects": ({"X0": ONES, "X1": np.array([[None, 1, 2]])}, TypeError, ("'X1'", "object")),
    "overflow": ({"X0": ONES, "X1": np.full((2, 3), 1e300)}, TypeError, ("'X1'", "overflows", "float32")),
    "two batches": ({"X0": ONES, "X1": ONES[:1]}, ValueError, ("'X1'", "batch = 2", "'X0'", "(1, 3)")),
    "no dict": ([ONES, ONES], TypeError, ("dict", "list")),
    "a number as name": ({"X0": ONES, "X1": ONES, 1: ONES}, ValueError, ("1", "no input")),
}


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("what", BAD)
def test_bad_feeds_are_refused_before_onnxruntime_sees_them(what: str, used: bool, kind: str, tmp_path: Path) -> None:
    feeds, builtin, fragments = BAD[what]
    made = session(two_steps(), kind, tmp_path)
    if used:  # what is right once is known again
        made.run({"X0": ONES, "X1": ONES})
    made._session = None  # type: ignore[assignment]
    refused(lambda: made.run(feeds), builtin, *fragments)


def test_feeds_that_change_from_run_to_run_give_what_they_give_alone() -> None:
    """By name, by TensorFlow's name and by placeholder; cast or not, in another order, of another batch."""
    graph = two_steps()
    made, (x0, x1) = Session(graph), graph.inputs
    one, two = np.full((1, 3), 0.1, "float32"), np.full((2, 3), 0.2, "float32")
    for keys in (("X0", "X1"), ("X0:0", "X1:0"), (x0, x1), ("X0", x1)):
        for first, second in ((one, one), (two, two), (one * 2, one), (one.astype("float64"), one), ([[0.3] * 3], one)):
            for order in (1, -1):
                feeds: dict[Any, Any] = dict([(keys[0], first), (keys[1], second)][::order])
                found, wanted = made.run(feeds), graph.run({"X0": first, "X1": second})
                for name, array in wanted.items():
                    np.testing.assert_allclose(found[name], array, atol=1e-6)


def test_values_are_checked_in_every_run_where_they_have_limits() -> None:
    x, n = unroll.placeholder([None, 4, 3], "x"), unroll.placeholder([None], "n", "int32")
    outputs, _ = unroll.dynamic_rnn(BasicRNNCell(5), x, sequence_length=n)
    made = Session(Graph([x, n], {"y": outputs}))
    feeds = {"x": np.ones((1, 4, 3), "float32"), "n": np.array([4], "int32")}
    made.run(feeds)
    feeds["n"] = np.array([5], "int32")
    refused(lambda: made.run(feeds), ValueError, "'n'", "5", "0 to 4")


@pytest.mark.parametrize("given", [0.5, 1.0])
def test_floats_are_never_taken_for_integers(given: float, kind: str, tmp_path: Path) -> None:
    where = unroll.placeholder([None], "where", "int64")
    made = session(Graph([where], {"y": where + 1}), kind, tmp_path)
    refused(lambda: made.run({"where": [given]}), TypeError, "'where'", "float64", "int64")
    assert made.run({"where": np.array([2, 3], "int32")})["y"].tolist() == [3, 4]


def test_inputs_that_share_a_product_of_a_dimension_must_agree(kind: str, tmp_path: Path) -> None:
    made = session(image(), kind, tmp_path)
    x = np.arange(2 * 784, dtype="float32").reshape(2, 784) / 1000
    np.testing.assert_allclose(made.run({"x": x, "r": np.ones(56)})["y"], x.reshape(56, 28).sum(1) + 1, rtol=1e-5)
    for rows, reason in ((28, "28*batch"), (84, "batch = 2"), (57, "28*batch"), (1, "28*batch")):
        refused(lambda rows=rows: made.run({"x": x, "r": np.ones(rows)}), ValueError, "'r'", str(rows), reason)


def test_a_product_alone_must_be_divisible(kind: str, tmp_path: Path) -> None:
    rows = unroll.placeholder([28 * unroll.placeholder([None], "b").shape[0], 2], "rows")
    made = session(Graph([rows], {"y": ops.reshape(rows, [-1, 28, 2])}), kind, tmp_path)
    assert made.run({"rows": np.ones((56, 2))})["y"].shape == (2, 28, 2)
    refused(lambda: made.run({"rows": np.ones((57, 2))}), ValueError, "'rows'", "57", "28*batch")


def test_equalities_that_operators_require_are_checked(kind: str, tmp_path: Path) -> None:
    a, b = unroll.placeholder(["n", "k"], "a"), unroll.placeholder(["m", "n"], "b")
    made = session(Graph([a, b], {"y": a @ b}), kind, tmp_path)
    assert made.run({"a": np.ones((2, 3)), "b": np.ones((3, 2))})["y"].tolist() == [[3, 3], [3, 3]]
    refused(lambda: made.run({"a": np.ones((2, 3)), "b": np.ones((4, 2))}), ValueError, "'b'", "3")


def test_equalities_that_only_numbers_decide_are_checked() -> None:
    """Of ``n*m = p*q`` no symbol is known by the others; onnxruntime would broadcast 1 element against 15."""
    a, b = unroll.placeholder(["n", "m"], "a"), unroll.placeholder(["p", "q"], "b")
    made = Session(Graph([a, b], {"y": ops.reshape(a, [-1]) + ops.reshape(b, [-1])}))
    assert made.run({"a": np.ones((2, 6)), "b": np.ones((3, 4))})["y"].tolist() == [2] * 12
    refused(lambda: made.run({"a": np.ones((1, 1)), "b": np.ones((3, 5))}), ValueError, "m*n", "p*q", "p = 3", "q = 5")


def test_equalities_that_folding_leaves_no_trace_of_are_checked(kind: str, tmp_path: Path) -> None:
    x, y = unroll.placeholder([None, 3], "x"), unroll.placeholder(["n", 3], "y")
    zeros = ops.constant_of_shape(ops.concat([ops.shape(y)[:1], [4]], 0))
    weight = unroll.constant(np.ones((7, 1), "float32"))
    made = session(Graph([x, y], {"a": ops.concat([x, zeros], 1) @ weight, "b": y * 2}), kind, tmp_path)
    refused(lambda: made.run({"x": np.ones((2, 3)), "y": np.ones((3, 3))}), ValueError, "batch = 2")


def test_a_failure_while_running_is_an_error_of_ours() -> None:
    x, at = unroll.placeholder([3], "x"), unroll.placeholder([], "at", "int64")
    made = Session(Graph([x, at], {"y": ops.gather(x, at)}))
    assert made.run({"x": [1, 2, 3], "at": 2})["y"] == 3
    refused(lambda: made.run({"x": [1, 2, 3], "at": 5}), ValueError, "onnxruntime failed while running")


# -- files and models -------------------------------------------------------------------------------------------------


def cut_in_half() -> bytes:
    data = unroll.to_onnx(two_steps()).SerializeToString()
    return data[: len(data) // 2]


FILES: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"this is not a model\n",
    "picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "zip": lambda: b"PK\x03\x04" + bytes(64),
    "cut in half": cut_in_half,
    "zeros": lambda: bytes(100),
}


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_file_that_is_no_model_is_refused_by_name(what: str, as_text: bool, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(FILES[what]())
    refused(lambda: Session(str(path) if as_text else path), ValueError, str(path), "ONNX")


def test_what_a_file_lacks_to_be_a_model_is_said(tmp_path: Path) -> None:
    for lacking, said in (("outputs", "it has no outputs"), ("version", "it has no ir_version")):
        model = unroll.to_onnx(two_steps())
        if lacking == "outputs":
            del model.graph.output[:]
        else:
            model.ClearField("ir_version")
        path = tmp_path / "model.onnx"
        path.write_bytes(model.SerializeToString())
        message = refused(partial(Session, path), ValueError, str(path), said)
        assert message.endswith(said)


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    refused(lambda: Session(tmp_path / "no.onnx"), OSError, str(tmp_path / "no.onnx"), "No such file")
    refused(lambda: Session(str(tmp_path)), OSError, str(tmp_path), "it is a folder")
    refused(lambda: Session(""), TypeError, "not a path")


def test_a_file_that_may_not_be_read_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = unroll.save(two_steps(), tmp_path / "model.onnx")

    def refuse(*arguments: Any) -> int:  # chmod would not keep root from reading
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "open", refuse)
    refused(lambda: Session(path), OSError, str(path), "Permission")


@pytest.mark.parametrize("what", [None, 3, b"bytes", [], {}])
def test_what_is_neither_graph_model_nor_path_is_refused(what: Any) -> None:
    refused(lambda: Session(what), TypeError, type(what).__name__, "Graph", "path")


def test_a_valid_file_that_onnxruntime_refuses_is_an_error_that_names_it(tmp_path: Path) -> None:
    node = helper.make_node("NoSuchOperator", ["x"], ["y"])
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    model = helper.make_model(helper.make_graph([node], "g", infos[:1], infos[1:]), ir_version=7, opset_imports=OPSET)
    path = tmp_path / "unknown.onnx"
    path.write_bytes(model.SerializeToString())
    refused(lambda: Session(model), ValueError, "onnxruntime refuses", "NoSuchOperator")
    refused(lambda: Session(path), ValueError, "onnxruntime refuses", "NoSuchOperator", str(path))


def test_a_model_whose_weights_lie_in_a_file_of_their_own_is_found_from_its_path(tmp_path: Path) -> None:
    graph = two_steps()
    path = tmp_path / "large.onnx"
    onnx.save_model(unroll.to_onnx(graph), path, save_as_external_data=True, location="weights.bin", size_threshold=64)
    assert (tmp_path / "weights.bin").stat().st_size >= 8 * 5 * 4
    assert is_right(Session(path).run(FEEDS))
    (tmp_path / "weights.bin").unlink()
    refused(lambda: Session(path), OSError, str(path), "weights.bin")


def test_inputs_of_other_peoples_models_are_checked_as_they_declare_them() -> None:
    infos = {
        "a": helper.make_tensor_value_info("a", TensorProto.FLOAT, ["rows", None]),
        "w": helper.make_tensor_value_info("w", TensorProto.FLOAT, [2]),
        "y": helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
    }
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    nodes = [helper.make_node("Add", ["a", "w"], ["y"])]
    graph = helper.make_graph(nodes, "g", [infos["a"], infos["w"]], [infos["y"]], [weight])
    made = Session(helper.make_model(graph, ir_version=7, opset_imports=OPSET))
    assert [spec.name for spec in made.inputs] == ["a"], "an initializer need not be fed"
    assert made.run({"a": [[1, 1], [2, 2]]})["y"].tolist() == [[2, 3], [3, 4]]
    refused(lambda: made.run({"a": [1, 1]}), ValueError, "'a'", "(2,)")


def test_a_sequence_as_input_is_refused() -> None:
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    node = helper.make_node("SequenceLength", ["s"], ["n"])
    out = helper.make_tensor_value_info("n", TensorProto.INT64, [])
    graph = helper.make_graph([node], "g", [helper.make_value_info("s", kind)], [out])
    model = helper.make_model(graph, ir_version=7, opset_imports=OPSET)
    refused(lambda: Session(model), NotImplementedError, "'s'", "tensor")


def test_session_options_are_handed_to_onnxruntime() -> None:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    made = Session(two_steps(), options)
    assert made._session.get_session_options().intra_op_num_threads == 1
    made.refresh()
    assert made._session.get_session_options().intra_op_num_threads == 1
    assert is_right(made.run(FEEDS))


# -- a session is a snapshot ------------------------------------------------------------------------------------------


def test_a_session_whose_parameters_have_changed_says_so_and_can_refresh() -> None:
    graph = two_steps()
    made = Session(graph)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert made.stale == []
        made.run(FEEDS)
    graph.assign({"rnn/basic_rnn_cell/bias": [0.5] * 5})
    assert made.stale == ["rnn/basic_rnn_cell/bias"]
    with pytest.warns(UnrollWarning, match=r"rnn/basic_rnn_cell/bias.*refresh") as caught:
        assert is_right(made.run(FEEDS)), "it goes on with the old values"
    assert [Path(item.filename).name for item in caught] == [Path(__file__).name], "the warning points at the caller"
    made.refresh()
    assert made.stale == []
    assert float(made.run(FEEDS)["y0"][0, 0]) == pytest.approx(np.tanh(0.8), abs=1e-6)


def test_every_changed_parameter_is_named() -> None:
    x = [unroll.placeholder([None, 2], "x")]
    cell = BasicLSTMCell(3)
    made = Session(Graph(x, static_rnn(cell, x)[0]))
    cell.bias.assign(cell.bias.value)
    cell.kernel.assign(cell.kernel.value)
    assert sorted(made.stale) == ["rnn/basic_lstm_cell/bias", "rnn/basic_lstm_cell/kernel"]


def test_a_session_of_a_model_is_never_stale_and_cannot_refresh() -> None:
    graph = two_steps()
    made = Session(unroll.to_onnx(graph))
    graph.assign({"rnn/basic_rnn_cell/bias": [0.5] * 5})
    assert made.stale == []
    assert is_right(made.run(FEEDS))
    refused(made.refresh, NotImplementedError, "model", "new Session")
