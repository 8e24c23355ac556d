"""A tensor is no value: it is equal to itself alone, has no truth, copy or pickle, and is no array."""

from __future__ import annotations

import copy
import math
import operator
import pickle
from typing import Any

import numpy as np
import pytest
from helpers import refused, run_python

import unroll
from unroll import Graph, ops, placeholder


def test_tensors_are_equal_only_to_themselves_and_can_be_keys() -> None:
    x, y = placeholder([2], "x"), placeholder([2], "y")
    assert x == x and x != y and x != "x" and x != None  # noqa: E711
    assert {x: 1, y: 2}[x] == 1
    assert x in [y, x] and [y, x].index(x) == 1
    assert ops.equal(x, y).dtype == bool


def test_an_array_beside_a_tensor_asks_the_tensor() -> None:
    x, array = placeholder([2], "x"), np.array([1.0, 2.0])
    for result in (array + x, array - x, array * x, array / x, array @ x, np.float64(2.0) * x, array < x, array > x):
        assert isinstance(result, unroll.Tensor)
    assert Graph([x], array - x).run({x: [3.0, 3.0]}, "Sub").tolist() == [-2.0, -1.0]


@pytest.mark.parametrize("value", [1.0, 0, True, np.float32(2), np.zeros(2)])
def test_a_comparison_of_values_that_python_would_answer_by_identity_is_refused(value: Any) -> None:
    x = placeholder([2], "x")
    for compare in (operator.eq, operator.ne):
        with pytest.raises(unroll.UnrollError, match=r"unroll\.ops\.equal"):
            compare(x, value)


def test_numpys_functions_that_are_operators_build_them() -> None:
    x = placeholder([2], "x")
    made: Any = np.tanh(np.exp(x) + np.maximum(x, 0.5))
    wanted = np.tanh(np.exp([0.0, 1.0]) + np.array([0.5, 1.0]))
    assert Graph([x], made).run({x: [0.0, 1.0]}, made) == pytest.approx(wanted)
    for function in (np.cos, np.add.reduce, lambda t: np.add(t, t, where=[True, False])):
        with pytest.raises(unroll.UnrollError, match=r"unroll\.ops"):
            function(x)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("use", "fix"),
    [
        (bool, "unroll.ops.where"),
        (lambda x: 1 if x > 0 else 2, "unroll.ops.where"),
        (lambda x: x and x, "unroll.ops.where"),
        (len, ".shape"),
        (iter, "unroll.ops.unstack"),
        (list, "unroll.ops.unstack"),
        (lambda x: [*x], "unroll.ops.unstack"),
        (float, "run the graph"),
        (int, "run the graph"),
        (complex, "run the graph"),
        (operator.index, "run the graph"),
        (math.sqrt, "run the graph"),
        (range, "run the graph"),
        (np.asarray, "unroll.ops"),
        (lambda x: np.array(x, "float32"), "unroll.ops"),
        (lambda x: np.linalg.inv(x), "unroll.ops"),
        (lambda x: 1.0 in x, "unroll.ops.equal"),
    ],
)
def test_what_needs_a_value_is_refused_with_the_fix(use: Any, fix: str) -> None:
    refused(lambda: use(placeholder([None, 2], "x") * 2), TypeError, "no value before a run", fix)


def test_a_tensor_whose_first_size_is_known_has_a_length_and_rows() -> None:
    x = placeholder([3, None], "x")
    assert len(x) == 3
    first, *rest = x
    graph = Graph([x], [first, *rest, *(row * 2 for row in x)])
    fed = np.arange(6, dtype="float32").reshape(3, 2)
    assert [array.tolist() for array in graph.run({x: fed}, [first, *rest])] == fed.tolist()
    assert len(graph.outputs) == 6
    refused(lambda: list(placeholder([], "scalar")), TypeError, "unroll.ops.unstack")


def test_a_placeholder_is_made_in_tensorflows_order_too() -> None:
    for made in (placeholder(np.float32, [None, 3], name="x"), placeholder("float32", [None, 3], "x")):  # type: ignore[call-overload, arg-type]
        assert (made.name, made.dtype, made.shape) == ("x", np.float32, placeholder([None, 3], "x").shape)
    assert placeholder(np.dtype("int64"), [2]).name == "Placeholder"  # type: ignore[arg-type]
    refused(lambda: placeholder(np.float32), TypeError, "shape")  # type: ignore[arg-type]
    first, second = placeholder([2]), placeholder([2])
    refused(lambda: Graph([first, second], first + second), ValueError, "Placeholder", "name=")


@pytest.mark.parametrize("use", [copy.deepcopy, copy.copy, pickle.dumps, lambda x: pickle.dumps(x, 0)])
def test_copies_and_pickles_of_tensors_and_nodes_are_refused(use: Any) -> None:
    x = placeholder([2], "x") + 1
    for thing in (x, x.node, placeholder([2], "x"), unroll.constant([1.0])):
        refused(lambda thing=thing: use(thing), NotImplementedError, "cannot be copied")


def test_deep_copies_of_what_holds_tensors_are_refused() -> None:
    x = placeholder([2], "x") + 1
    graph = Graph([], unroll.Parameter([1.0], "w") + 1.0)
    for thing in ([x], {"x": x}, unroll.LSTMStateTuple(x, x), graph):
        refused(lambda thing=thing: copy.deepcopy(thing), NotImplementedError, "cannot be copied")
        refused(lambda thing=thing: pickle.dumps(thing), NotImplementedError, "cannot be copied")


#: What is done to a tensor that never changes, or with a sign that has no operator, and what the message says.
REFUSED: dict[str, tuple[Any, tuple[str, ...]]] = {
    "x.shape = 3": (lambda x: setattr(x, "shape", 3), ("shape cannot be set", "unroll.ops.reshape")),
    "x.dtype = 'float64'": (lambda x: setattr(x, "dtype", "float64"), ("dtype cannot be set", "unroll.ops.cast")),
    "x.node = None": (lambda x: setattr(x, "node", None), ("node cannot be set",)),
    "x.name = 'y'": (lambda x: setattr(x, "name", "y"), ("name cannot be set", "name=")),
    "x.note = 'mine'": (lambda x: setattr(x, "note", "mine"), ("no attribute 'note'",)),
    "x.requires_grad = True": (lambda x: setattr(x, "requires_grad", True), ("no gradients",)),
    "x[0] = 3": (lambda x: operator.setitem(x, 0, 3), ("never changes", "unroll.ops.stack")),
    "del x[0]": (lambda x: operator.delitem(x, 0), ("never changes",)),
    "divmod(x, 2)": (lambda x: divmod(x, 2), ("(a // b, a % b)",)),
    "x ^ x": (lambda x: x ^ x, ("not_equal",)),
    "x << 2": (lambda x: x << 2, ("<<", "multiply")),
    "x >> 2": (lambda x: x >> 2, (">>", "divide")),
    "round(x)": (round, ("round()", "unroll.ops.floor(x + 0.5)")),
    "math.floor(x)": (math.floor, ("unroll.ops.floor(x)",)),
    "math.ceil(x)": (math.ceil, ("-unroll.ops.floor(-x)",)),
    "math.trunc(x)": (math.trunc, ("unroll.ops.cast",)),
    "f'{x:.3f}'": (lambda x: f"{x:.3f}", ("no value before a run", ".3f")),
    "x.shape.as_list()": (lambda x: x.shape.as_list(), ("'as_list'", "list(x.shape)")),
    "x.shape.ndims": (lambda x: x.shape.ndims, ("x.rank",)),
    "x.shape.numel()": (lambda x: x.shape.numel(), ("math.prod(x.shape)",)),
    "np.floor_divide": (lambda x: np.floor_divide(x, 2), ("numpy.floor_divide", "a // b")),
}  # fmt: skip


@pytest.mark.parametrize("typed", REFUSED)
def test_what_a_tensor_does_not_do_is_refused_with_what_to_write(typed: str) -> None:
    act, fragments = REFUSED[typed]
    x = placeholder([2, 3], "x")
    before = repr(x)
    refused(lambda: act(x), Exception, *fragments)
    assert repr(x) == before


def test_the_advice_for_signs_without_an_operator_computes_what_they_mean() -> None:
    """Numbers a hair's breadth from a multiple aside, where floating-point quotients round."""
    x = placeholder([4], "x")
    fed = np.array([-7.5, -2.0, 3.25, 8.0], "float32")
    made = {
        "round": ops.floor(x + 0.5),
        "ceil": -ops.floor(-x),
    }
    found = Graph([x], made).run({x: fed})
    wanted = {"round": [-7, -2, 3, 8], "ceil": np.ceil(fed)}
    for sign, values in wanted.items():
        np.testing.assert_array_equal(found[sign], values)


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_whole_quotients_and_remainders_are_pythons(dtype: str) -> None:
    x = placeholder([6], "x", dtype)
    fed = np.array([-7, -6, -1, 0, 5, 6], dtype)
    made = {f"{by}": ops.stack([x // by, x % by]) for by in (2, 3, -3)}
    made["by it"] = ops.stack([7 // (x + 20), 7 % (x + 20)])
    graph = Graph([x], made)
    found = graph.run({x: fed})
    for by in (2, 3, -3):
        np.testing.assert_array_equal(found[f"{by}"], [fed // by, fed % by])
    np.testing.assert_array_equal(found["by it"], [7 // (fed + 20), 7 % (fed + 20)])
    assert found["2"].dtype == dtype and unroll.verify(graph, {"x": fed})


def test_a_shape_is_a_tuple_like_any_other() -> None:
    x = placeholder([2, 3], "x")
    assert x.shape == (2, 3) and hash(x.shape) == hash((2, 3)) and repr(x.shape) == "(2, 3)"
    assert [*x.shape, x.shape[1:], (*x.shape, 4)] == [2, 3, (3,), (2, 3, 4)]
    assert pickle.loads(pickle.dumps(x.shape)) == copy.deepcopy(x.shape) == (2, 3)
    assert np.zeros(x.shape).shape == (2, 3)


#: What other frameworks call what is done with a Parameter.
OF_A_PARAMETER = (
    "numpy",
    "eval",
    "read_value",
    "data",
    "detach",
    "item",
    "tolist",
    "assign_add",
    "set_value",
    "trainable",
)


@pytest.mark.parametrize("name", OF_A_PARAMETER)
def test_a_parameter_is_not_said_to_have_no_value(name: str) -> None:
    said = refused(lambda: getattr(unroll.Parameter([1.0], "w"), name), AttributeError, name)
    assert "no value" not in said and ("w.value" in said or "w.assign" in said or "infers" in said)


def test_a_parameter_is_changed_by_assign_alone() -> None:
    w = unroll.Parameter([1.0, 2.0], "w")
    refused(lambda: setattr(w, "value", [3.0, 4.0]), ValueError, "parameter.assign(array)")
    refused(lambda: operator.setitem(w, 0, 3.0), TypeError, "w.assign(array)", "w.value.copy()")
    assert w.value.tolist() == [1.0, 2.0]


CHAIN = """
import copy, pickle
import numpy as np
import unroll
x = unroll.placeholder([2], "x")
y = x
for _ in range(100_000):
    y = y + 1.0
assert len(repr(y)) < 100 and len(repr(y.node)) < 100, repr(y)
assert hash(y) == hash(y) and y == y
for use in (copy.deepcopy, copy.copy, pickle.dumps):
    try:
        use(y)
    except unroll.UnrollError as error:
        assert len(str(error)) < 400
    else:
        raise SystemExit("a copy was made")
graph = unroll.Graph([x], y)
assert len(graph.nodes) == 100_000
assert len(repr(graph)) < 300
found = graph.run({x: np.array([0.0, 1.0])}, y)
assert found.tolist() == [100_000.0, 100_001.0], found
assert len(graph.summary()) < 20_000
del graph, y
print("done")
"""


@pytest.mark.slow
def test_a_chain_100_000_long_is_shown_run_and_dropped_without_recursion() -> None:
    assert run_python(CHAIN).strip() == "done"
