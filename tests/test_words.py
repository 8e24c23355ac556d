"""Words of other frameworks: what is not here says what is, and nothing that Python, NumPy or notebooks ask is disturbed."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from helpers import refused, run_python
from right_calls import FEEDS, GRAPH, STATEFUL
from right_calls import graph as two_steps

import unroll
from unroll import activations, cells, errors, foreign_names, initializers, layers, nest, nn, ops
from unroll.ops import spelling
from unroll.words import closest

MODEL = layers.Sequential([layers.Input((4, 3)), layers.GRU(2)])
SESSION = unroll.Session(GRAPH)
X = unroll.placeholder([2, 3], "x")
NUMBERS = np.array([[0.75, -2.25, 3.0], [4.0, 1.5, -0.25]], "float32")
OTHERS = np.array([[2.0, 2.0, -2.0], [-4.0, 1.0, 1.0]], "float32")
FLAGS = np.array([[True, False, True], [False, False, False]])

#: What somebody asks of a thing, and what the message says is here.
ASKED: list[tuple[Any, str, str]] = [
    (unroll, "contrib", "unroll.cells"),
    (unroll, "matmul", "unroll.ops.matmul"),
    (unroll, "Bidirectional", "unroll.layers.Bidirectional"),
    (unroll, "IndRNNCell", "unroll.cells.IndRNNCell"),
    (unroll, "Linear", "unroll.nn.Linear"),
    (unroll, "float32", "'float32'"),
    (unroll, "get_variable", "unroll.Parameter"),
    (unroll, "global_variables_initializer", "leave it out"),
    (unroll, "static_rn", "'static_rnn'"),
    (unroll, "Modul", "'Model'|'Graph'|there are|did you mean"),
    (unroll, "cat", "unroll.ops.concat"),
    (unroll, "GlorotUniform", "unroll.initializers.GlorotUniform"),
    (ops, "cat", "unroll.ops.concat"),
    (ops, "one_hot", "np.eye"),
    (ops, "flip", "np.flip"),
    (ops, "cumsum", "np.triu"),
    (ops, "LSTM", "unroll.layers.LSTM"),
    (ops, "concatenate", "unroll.ops.concat"),
    (ops, "mean", "unroll.ops.reduce_mean"),
    (ops, "zeros_like", "unroll.ops.zeros"),
    (ops, "view", "unroll.ops.reshape"),
    (ops, "consat", "'concat'"),
    (layers, "Concatenat", "'Concatenate'"),
    (layers, "CuDNNLSTM", "layers.LSTM"),
    (layers, "LSTMM", "'LSTM'"),
    (nn, "Module", "unroll.Graph"),
    (nn, "softmax", "unroll.ops.softmax"),
    (nn, "static_rnn", "unroll.static_rnn"),
    (nn, "Bidirectional", "unroll.layers.Bidirectional"),
    (initializers, "he_norml", "'he_normal'"),
    (initializers, "xavier_uniform_", "initializers.GlorotUniform"),
    (activations, "sigmoid", "unroll.ops.sigmoid"),
    (activations, "rel", "'relu'"),
    (nest, "map_structure", "nest.map_leaves"),
    (nn, "Dropout", "leave it out"),
    (nn, "LSTMCel", "'LSTMCell'"),
    (cells, "BasicLSTM", "'BasicLSTMCell'"),
    (X, "get_shape", "x.shape"),
    (X, "size", "x.shape"),
    (X, "view", "unroll.ops.reshape"),
    (X, "softmax", "unroll.ops.softmax"),
    (X, "numpy", "Graph(inputs, outputs).run"),
    (X, "shap", "'shape'"),
    (X, "cumsum", "np.triu"),
    (X, "std", "unroll.ops|np.std"),
    (MODEL, "compile", "unroll.compile"),
    (nn.LSTM(3, 2), "trace", "unroll.trace"),
    (MODEL, "fit", "set_weights"),
    (MODEL, "forwrd", "did you mean|there are"),
    (unroll.GRUCell(2), "trainable_variables", "cell.variables"),
    (unroll.GRUCell(2), "zero_stat", "'zero_state'"),
    (nn.LSTM(3, 2), "forward", "call it"),
    (nn.LSTM(3, 2), "weight_ih_l9", "did you mean|there are"),
    (GRAPH, "get_tensor_by_name", "graph.tensor"),
    (GRAPH, "sumary", "'summary'"),
    (GRAPH, "verify", "unroll.verify(graph)"),
    (GRAPH, "optimize", "unroll.optimize(graph)"),
    (SESSION, "verify", "unroll.verify"),
    (SESSION, "get_inputs", "session.inputs"),
    (SESSION, "runn", "'run'"),
]


@pytest.mark.parametrize(("thing", "name", "said"), ASKED, ids=[f"{type(t).__name__}.{n}" for t, n, _ in ASKED])
def test_what_is_not_here_says_what_is(thing: Any, name: str, said: str) -> None:
    message = refused(lambda: getattr(thing, name), AttributeError, name)
    assert any(part in message for part in said.split("|")), message
    assert not hasattr(thing, name)
    assert getattr(thing, name, "default") == "default"


@pytest.mark.parametrize(
    "thing",
    [unroll, ops, layers, nn, cells, X, MODEL, unroll.GRUCell(2), GRAPH, SESSION],
    ids=["unroll", "ops", "layers", "nn", "cells", "tensor", "model", "cell", "graph", "session"],
)
def test_what_python_and_notebooks_ask_is_answered_as_ever(thing: Any) -> None:
    for name in (
        "__array_interface__",
        "_repr_html_",
        "_ipython_canary_method_should_not_exist_",
        "__wrapped__",
        "__fspath__",
    ):
        assert not hasattr(thing, name)
        with pytest.raises(AttributeError) as caught:
            getattr(thing, name)
        assert "did you mean" not in str(caught.value)  # nothing is looked for
    inspect.getmembers(thing)
    assert inspect.unwrap(thing) is thing


def test_a_weight_that_is_not_made_yet_is_not_there_and_says_when_it_is() -> None:
    cell = unroll.GRUCell(2)
    assert not hasattr(cell, "gates_kernel")
    refused(lambda: cell.gates_kernel, AttributeError, "gates/kernel", "first called")
    cell(X, cell.zero_state(2))
    assert hasattr(cell, "gates_kernel")


def test_a_property_that_fails_says_why_and_not_that_it_is_missing() -> None:
    class Broken(unroll.RNNCell):
        units = property(lambda self: self.not_set_by_anybody)

    refused(lambda: Broken().units, AttributeError, "not_set_by_anybody")


def test_models_cells_and_errors_can_be_copied() -> None:
    for thing in (layers.LSTM(2), unroll.GRUCell(2), MODEL):
        assert type(copy.copy(thing)) is type(thing)
    assert type(copy.deepcopy(unroll.BasicRNNCell(2))) is unroll.BasicRNNCell
    with pytest.raises(errors.NoAttributeError) as caught:
        unroll.contrib  # noqa: B018
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert isinstance(again, unroll.UnrollError)


def test_looking_for_what_is_not_here_loads_nothing() -> None:
    said = run_python(
        "import sys, unroll\n"
        "print([hasattr(unroll, name) for name in ('contrib', 'matmul', '_x')])\n"
        "print('unroll.ops' in sys.modules, 'numpy' in sys.modules)"
    )
    assert said.split("\n")[:2] == ["[False, False, False]", "False False"]


def _advice() -> list[tuple[str, str, str]]:
    tables = {name: table for name, table in vars(foreign_names).items() if name.isupper() and isinstance(table, dict)}
    tables["ELSEWHERE"] = spelling.ELSEWHERE
    return [(name, key, said) for name, table in tables.items() for key, said in table.items()]


@pytest.mark.parametrize(("table", "word", "said"), _advice())
def test_what_is_advised_is_here(table: str, word: str, said: str) -> None:
    """Every ``unroll.ops.name`` and ``layers.Name`` that a message names can be imported, and the word itself is none."""
    homes = {"LAYERS": layers, "NN": nn, "ELSEWHERE": ops, "INITIALIZERS": initializers}
    assert word not in getattr(homes.get(table), "__all__", ())
    for path in (part.rstrip(".,;:()'") for part in said.replace("(", " ").replace(",", " ").split()):
        first, *rest = path.split(".")
        if (first == "unroll" and rest) or (first == "layers" and rest):
            thing: Any = (
                __import__(f"unroll.{rest[0]}", fromlist=["x"]) if path in ("unroll.export", "unroll.viz") else None
            )
            thing = thing or {"unroll": unroll, "layers": layers}[first]
            for name in rest if path not in ("unroll.export", "unroll.viz") else []:
                assert hasattr(thing, name), (path, said)
                thing = getattr(thing, name)


#: Words of other frameworks, what is advised in an example's names, and what NumPy gives.
COMPUTED: dict[str, tuple[str, Any]] = {
    "all": ("it is ", FLAGS.all(1)),
    "any": ("it is ", FLAGS.any(1)),
    "argmin": ("it is ", NUMBERS.argmin(1)),
    "ceil": ("it is ", np.ceil(NUMBERS)),
    "cumsum": ("along the last axis, of n numbers, it is ", NUMBERS.cumsum(1)),
    "expm1": ("it is ", np.expm1(NUMBERS)),
    "flip": ("NumPy's own takes tensors: np.flip(...)", np.flip(NUMBERS)),
    "floor_divide": ("it is ", NUMBERS // OTHERS),
    "l2_normalize": ("it is ", NUMBERS / np.sqrt((NUMBERS**2).sum(1, keepdims=True))),
    "logical_xor": ("it is ", NUMBERS != OTHERS),
    "mod": ("it is ", NUMBERS % OTHERS),
    "norm": ("it is ", np.linalg.norm(NUMBERS, axis=1)),
    "one_hot": ("it is ", np.eye(3)[[2, 0]]),
    "outer": ("it is ", np.multiply.outer(NUMBERS[0], OTHERS[1])),
    "rint": ("it is ", np.rint(NUMBERS)),
    "rsqrt": ("it is ", 1 / np.sqrt(np.abs(NUMBERS))),
    "sequence_mask": ("it is ", np.arange(3) < np.array([[2], [1]])),
    "silu": ("it is ", NUMBERS / (1 + np.exp(-NUMBERS))),
    "squared_difference": ("it is ", (NUMBERS - OTHERS) ** 2),
}  # fmt: skip


@pytest.mark.parametrize("word", COMPUTED)
def test_what_is_advised_computes_what_the_word_means(word: str) -> None:
    before, wanted = COMPUTED[word]
    with pytest.raises(errors.NoAttributeError) as caught:
        getattr(ops, word)
    said = str(caught.value).partition("; ")[2]
    written = "np.flip(x)" if word == "flip" else said.partition(before)[2].partition(", which")[0].partition(";")[0]
    a, b = unroll.placeholder([2, 3], "a"), unroll.placeholder([2, 3], "b")
    ids, lengths = unroll.placeholder([2], "ids", "int64"), unroll.placeholder([2], "lengths", "int64")
    flags = unroll.placeholder([2, 3], "flags", "bool")
    known: dict[str, Any] = {"unroll": unroll, "np": np, "axis": 1, "n": 3, "depth": 3, "ids": ids, "lengths": lengths}
    known |= {"x": flags if word in ("all", "any") else a, "a": a, "b": b}
    if word == "outer":
        known |= {"a": a[0], "b": b[1]}
    if word == "rsqrt":
        known["x"] = abs(a)
    made = eval(written, known)  # the advice is a Python expression
    fed = {"a": NUMBERS, "b": OTHERS, "ids": [2, 0], "lengths": [2, 1], "flags": FLAGS}
    inputs = [a, b, ids, lengths, flags]
    np.testing.assert_allclose(
        unroll.Graph(inputs, made * 1 if made.dtype != bool else made).run(fed, made), wanted, rtol=1e-5
    )


# -- imports and lists of names ----------------------------------------------------------------------------------------

IMPORTED = {
    "from unroll.nn import Module": "nothing is subclassed",
    "from unroll.layers import LSTN": "'LSTM'",
    "from unroll.ops import einsum, concat": "keras.ops.einsum",
    "from unroll import contrib": "unroll.cells",
    "from unroll import static_rn as rnn": "'static_rnn'",
    "from unroll.cells import BasicLSTM": "'BasicLSTMCell'",
    "from unroll.initializers import xavier_uniform_": "initializers.GlorotUniform",
    "from unroll.activations import Relu": "'relu'",
}


@pytest.mark.parametrize("line", IMPORTED)
def test_an_import_of_what_is_not_here_says_what_is(line: str) -> None:
    refused(lambda: exec(line), ImportError, "cannot import name", IMPORTED[line])


def test_imports_of_what_is_here_are_pythons_own() -> None:
    names: dict[str, Any] = {}
    exec(
        "from unroll import layers, scopes, evaluator\nfrom unroll.layers import gru, GRU\nfrom unroll.ops import concat",
        names,
    )
    assert names["gru"].GRU is layers.GRU and names["concat"] is ops.concat and names["scopes"].scope is unroll.scope


MODULES = [unroll, ops, layers, nn, cells, initializers, activations, nest]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_public_module_shows_its_public_names_alone(module: Any) -> None:
    assert sorted(set(dir(module)) - {"__version__"}) == sorted(module.__all__)
    assert all(hasattr(module, name) for name in dir(module))


@pytest.mark.parametrize("thing", [layers.LSTM(2), unroll.GRUCell(2), nn.LSTM(3, 2), MODEL], ids=repr)
def test_a_layer_shows_nothing_of_how_it_is_named_and_checked(thing: Any) -> None:
    shown = {name for name in dir(thing) if not name.startswith("_")}
    assert {"name", "weights"} & shown
    assert not {"bearer", "ready", "entered", "build_for", "build_part", "takes_checked"} & shown
    assert not {name for name in shown if name.isupper()}


def test_a_tensor_shows_no_attribute_of_the_trace() -> None:
    for tensor in (X, unroll.Parameter([1.0], "w"), X + 1, unroll.constant([1.0])):
        assert {name for name in dir(tensor) if not name.startswith("_")} <= {
            "assign", "blocks", "cast", "described", "dtype", "index", "label", "name", "node", "rank", "shape", "value",
            "version",
        }  # fmt: skip


def test_near_names_are_found_of_very_long_ones_too() -> None:
    assert closest("concta" + "x" * 100_000, ["concat", "split"])
    assert "'concat'" in closest("concta", ["concat", "split"])


# -- TensorFlow's ":0" -------------------------------------------------------------------------------------------------


def test_a_parameters_name_is_a_string_as_any_other() -> None:
    name = unroll.Parameter([1.0], "kernel").name
    assert name == "kernel"
    assert {name: 1}["kernel"] == {"kernel": 1}[name] == 1
    assert hash(name) == hash("kernel")
    assert (repr(name), f"{name:>8}", name + "/x", sorted([name, "a"])) == (
        "'kernel'",
        "  kernel",
        "kernel/x",
        ["a", "kernel"],
    )
    for copied in (pickle.loads(pickle.dumps(name)), copy.deepcopy(name), str(name)):
        assert type(copied) is str
        assert copied == "kernel"


@pytest.mark.parametrize(
    "compare",
    [
        lambda n: n == "rnn/kernel:0",
        lambda n: n != "rnn/kernel:0",
        lambda n: n == "rnn/kernel:0",
        lambda n: n in ["rnn/kernel:0"],
    ],
)
def test_comparing_a_parameters_name_with_tensorflows_warns_at_that_line(compare: Any) -> None:
    with unroll.scope("rnn"):
        name = unroll.Parameter([1.0], "kernel").name
    with warnings.catch_warnings(record=True, action="always") as caught:
        compare(name)
    (said,) = caught
    assert said.category is unroll.UnrollWarning
    assert said.filename == __file__
    assert "leave ':0' out" in str(said.message)


@pytest.mark.parametrize("other", ["rnn/kernel", "kernel:0", "rnn/kernel:00", "rnn/kernel:1", "x", None, 3])
def test_other_comparisons_of_a_name_say_nothing(other: Any) -> None:
    with unroll.scope("rnn"):
        name = unroll.Parameter([1.0], "kernel").name
    with warnings.catch_warnings(action="error"):
        assert (name == other) == (str(name) == other)
        assert (name != other) == (str(name) != other)


def test_look_ups_take_names_with_tensorflows_ending_everywhere(tmp_path: Any) -> None:
    graph = two_steps()
    session = unroll.Session(graph)
    fed = {f"{name}:0": array for name, array in FEEDS.items()}
    kernel = next(iter(graph.parameters))
    wanted = graph.run(FEEDS, "y")
    assert graph.tensor("y:0") is graph["y:0"] is graph["y"]
    assert graph.parameters[f"{kernel}:0"] is graph.parameters[kernel]
    assert f"{kernel}:0" in graph.parameters
    for found in (
        graph.run(fed, "y:0"),
        graph.run(fed, ["y:0"])[0],
        session.run(fed, "y:0"),
        session.run(fed, ["y:0"])[0],
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose(session.bind(fed).run()["y"], wanted, rtol=1e-5)
    graph.assign({f"{kernel}:0": graph.parameters[kernel].value})
    np.savez(tmp_path / "weights.npz", **{f"{name}:0": item.value for name, item in graph.parameters.items()})
    graph.load_parameters(str(tmp_path / "weights.npz"))
    assert unroll.equivalent(graph, graph, feeds=fed)
    assert unroll.verify(graph, fed)
    for runner in (STATEFUL, unroll.Session(STATEFUL)):
        stream = runner.stream()
        stream.reset({"state:0": np.ones(2, "float32")})
        assert stream.run({"x:0": np.ones(2, "float32")})["y"].tolist() == [2, 2]
    cell = unroll.BasicLSTMCell(2)
    cell(X, cell.zero_state(2))
    assert cell.weight("kernel:0") is cell.weight("kernel")


# -- what things look like ---------------------------------------------------------------------------------------------


def test_sessions_streams_and_bound_ones_say_what_they_take_and_give() -> None:
    session = unroll.Session(two_steps())
    assert repr(session) == "Session(x0 (2, 3), x1 (2, 3) -> y; in onnxruntime)"
    assert repr(session.bind(FEEDS)) == "Bound(x0 (2, 3), x1 (2, 3) -> y (2, 2))"
    assert repr(STATEFUL.stream()) == "Stream(x, state; carries state)"
    inputs = [unroll.placeholder([1], f"x{place}") for place in range(9)]
    long = unroll.Session(unroll.Graph(inputs, [tensor * 2 for tensor in inputs]))
    assert "and 5 more" in repr(long)


@pytest.mark.parametrize("function", ["compile", "optimize", "reroll", "draw", "to_onnx"])
def test_what_takes_a_graph_says_how_one_is_read_or_traced(function: str) -> None:
    call = getattr(unroll, function)
    refused(lambda: call("a.onnx"), TypeError, function, "unroll.from_onnx('a.onnx')")
    refused(lambda: call(unroll.to_onnx(GRAPH)), TypeError, function, "unroll.from_onnx(model)")
    refused(lambda: call(MODEL), TypeError, function, "model.trace()")
    refused(lambda: unroll.equivalent(GRAPH, "a.onnx"), TypeError, "equivalent", "unroll.from_onnx('a.onnx')")  # type: ignore[arg-type]


def test_a_session_without_a_graph_says_that_there_is_no_global_one() -> None:
    refused(lambda: unroll.Session(), TypeError, "model", "no global", "unroll.Session(unroll.Graph(inputs, outputs))")  # type: ignore[call-arg]
