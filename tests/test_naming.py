"""Variable names are TensorFlow 1's, program by program; where unroll differs, what it does instead is asserted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from helpers import golden_json, names_and_shapes

import unroll
from unroll import BasicLSTMCell, BasicRNNCell, GRUCell, MultiRNNCell
from unroll.errors import NameClashError, UnsupportedError

GOLDEN: dict[str, dict[str, Any]] = {item["id"]: item for item in golden_json("tensorflow_names.json")["programs"]}
BATCH, STEPS, WIDTH, UNITS = 2, 3, 4, 3
Program = Callable[[], list[Any]]


def rnn(units: int = UNITS, **options: Any) -> BasicRNNCell:
    return BasicRNNCell(units, **options)


def lstm(units: int = UNITS, **options: Any) -> BasicLSTMCell:
    return BasicLSTMCell(units, **options)


def gru(units: int = UNITS, **options: Any) -> GRUCell:
    return GRUCell(units, **options)


def multi(*cells: Any) -> MultiRNNCell:
    return MultiRNNCell(list(cells))


def steps(width: int = WIDTH) -> list[Any]:
    return [unroll.ops.constant_of_shape([BATCH, width]) for _ in range(STEPS)]


def static(cell: Any, scope: str | None = None, width: int = WIDTH) -> Any:
    return unroll.static_rnn(cell, steps(width), scope=scope)


def dynamic(cell: Any) -> Any:
    return unroll.dynamic_rnn(cell, unroll.ops.constant_of_shape([BATCH, STEPS, WIDTH]))


def call(cell: Any, width: int = WIDTH, **options: Any) -> Any:
    return cell(unroll.ops.constant_of_shape([BATCH, width]), cell.zero_state(BATCH), **options)


def inside(scope: str, *parts: Callable[[], Any]) -> list[Any]:
    """Each part under one ``with unroll.scope``: TensorFlow's variable_scope."""
    with unroll.scope(scope):
        return [part() for part in parts]


def same(make: Callable[[], Any], *uses: Callable[[Any], Any]) -> list[Any]:
    """One cell, used several times."""
    cell = make()
    return [use(cell) for use in uses]


def after_static(build: Callable[[Any], Any]) -> list[Any]:
    cell = rnn()
    return [static(cell), static(build(cell))]


#: TensorFlow's programs, written with unroll. Each line is what its description in the golden file says.
PROGRAMS: dict[str, Program] = {
    **{f"static-{make.__name__}": lambda make=make: [static(make())] for make in (rnn, lstm, gru)},
    **{f"dynamic-{make.__name__}": lambda make=make: [dynamic(make())] for make in (rnn, lstm, gru)},
    **{f"direct-{make.__name__}": lambda make=make: [call(make())] for make in (rnn, lstm, gru)},
    **{
        f"static-two-fresh-{make.__name__}": lambda make=make: [static(make()), static(make())]
        for make in (rnn, lstm, gru)
    },
    **{f"static-named-{make.__name__}": lambda make=make: [static(make(name="mine"))] for make in (rnn, lstm, gru)},
    "static-two-fresh-scopes": lambda: [static(rnn(), "a"), static(rnn(), "b")],
    "static-two-fresh-same-scope": lambda: [static(rnn(), "a"), static(rnn(), "a")],
    "static-two-kinds": lambda: [static(rnn()), static(gru())],
    "static-two-names": lambda: [static(rnn(name="one")), static(rnn(name="two"))],
    "static-then-dynamic-fresh": lambda: [static(rnn()), dynamic(rnn())],
    "direct-two-fresh": lambda: [call(rnn()), call(rnn())],
    "direct-same-twice": lambda: same(rnn, call, call),
    "direct-two-kinds": lambda: [call(rnn()), call(gru())],
    "direct-in-scope": lambda: inside("outer", lambda: call(rnn())),
    "direct-two-fresh-in-scope": lambda: inside("outer", lambda: call(rnn()), lambda: call(rnn())),
    "direct-two-fresh-scope-twice": lambda: [inside("outer", lambda: call(rnn())) for _ in range(2)],
    "direct-scope-argument": lambda: [call(rnn(), scope="s")],
    "direct-named": lambda: [call(rnn(name="mine"))],
    "direct-two-same-name": lambda: [call(rnn(name="mine")), call(rnn(name="mine"))],
    "direct-then-static": lambda: same(rnn, call, static),
    "static-then-direct": lambda: same(rnn, static, call),
    "direct-then-static-fresh": lambda: [call(rnn()), static(rnn())],
    "direct-wrong-size": lambda: same(rnn, call, lambda cell: call(cell, width=5)),
    "static-same-cell-twice": lambda: same(rnn, static, static),
    "static-same-cell-two-scopes": lambda: same(rnn, lambda c: static(c, "a"), lambda c: static(c, "b")),
    "static-outer-scope": lambda: inside("outer", lambda: static(rnn())),
    "static-outer-scope-twice": lambda: [inside("outer", lambda: static(rnn())) for _ in range(2)],
    "static-two-outer-scopes": lambda: [inside(scope, lambda: static(rnn())) for scope in ("one", "two")],
    "static-outer-and-own-scope": lambda: inside("outer", lambda: static(rnn(), "a")),
    "static-multi": lambda: [static(multi(rnn(), rnn()))],
    "static-multi-kinds": lambda: [static(multi(lstm(), gru(2)))],
    "static-multi-named": lambda: [static(multi(rnn(name="mine"), rnn(name="mine")))],
    "static-multi-same-cell": lambda: same(rnn, lambda cell: static(multi(cell, cell), width=UNITS)),
    "static-multi-same-cell-sizes": lambda: same(rnn, lambda cell: static(multi(cell, cell))),
    "static-multi-nested": lambda: [static(multi(multi(rnn()), gru(2)))],
    "static-two-fresh-multi": lambda: [static(multi(rnn(), rnn())) for _ in range(2)],
    "static-same-multi-two-scopes": lambda: same(
        lambda: multi(rnn(), rnn()), lambda c: static(c, "a"), lambda c: static(c, "b")
    ),
    "static-cell-then-multi": lambda: after_static(lambda cell: multi(cell, rnn())),
    "dynamic-multi": lambda: [dynamic(multi(lstm(), gru(2)))],
    "direct-multi": lambda: [call(multi(rnn(), rnn()))],
    "direct-multi-twice": lambda: same(lambda: multi(rnn(), rnn()), call, call),
    "direct-two-fresh-multi": lambda: [call(multi(rnn(), rnn())) for _ in range(2)],
    "direct-two-fresh-multi-in-scope": lambda: inside("outer", *[lambda: call(multi(rnn(), rnn()))] * 2),
    "direct-rnn-multi-rnn": lambda: [call(rnn()), call(multi(rnn())), call(rnn())],
    "direct-multi-then-static": lambda: same(lambda: multi(rnn(), rnn()), call, static),
}

#: TensorFlow numbers fresh cells that are called directly (basic_rnn_cell_1) with a counter of its global graph. unroll
#: has no global state, so that one program always gives the same names: the second cell has the first one's name, and a
#: Graph of both is refused; name= or a scope tells them apart.
COUNTED = {"direct-two-fresh", "direct-two-fresh-in-scope", "direct-two-same-name", "direct-rnn-multi-rnn"}
#: TensorFlow finds variables by name in its global graph; unroll shares weights by calling one cell object twice.
REUSING = {"static-two-fresh-auto-reuse", "static-second-reuse-true", "static-reuse-true-first"}
#: A scope is a string here; TensorFlow also takes the object that variable_scope gives, to enter it a second time.
SCOPE_OBJECTS = {"static-scope-object", "static-two-fresh-scope-object"}


def graph_of(results: list[Any]) -> unroll.Graph:
    return unroll.Graph([], results)


def variables(case: str) -> list[tuple[str, tuple[int, ...]]]:
    """What TensorFlow made, in order."""
    return [(name, tuple(shape)) for name, shape in GOLDEN[case]["variables"]]


def is_clash(case: str) -> bool:
    error = GOLDEN[case]["error"]
    return error is not None and "already exists" in error["message"]


def test_every_program_of_the_golden_file_is_here() -> None:
    assert set(PROGRAMS) | REUSING | SCOPE_OBJECTS == set(GOLDEN)
    assert len(GOLDEN) >= 60


@pytest.mark.parametrize("case", [case for case in PROGRAMS if not GOLDEN[case]["error"] and case not in COUNTED])
def test_names_shapes_and_order_are_tensorflows(case: str) -> None:
    assert names_and_shapes(graph_of(PROGRAMS[case]())) == variables(case)


@pytest.mark.parametrize("case", [case for case in PROGRAMS if is_clash(case)])
def test_two_fresh_cells_of_one_name_clash_where_tensorflows_do(case: str) -> None:
    results = PROGRAMS[case]()
    with pytest.raises(NameClashError) as caught:
        graph_of(results)
    kernel = GOLDEN[case]["error"]["message"].split()[1]
    assert isinstance(caught.value, ValueError)
    for fragment in (repr(kernel), "name=", "scope=", "one cell object"):
        assert fragment in str(caught.value)


@pytest.mark.parametrize("case", ["direct-wrong-size", "static-multi-same-cell-sizes"])
def test_a_cell_reused_with_another_input_width_is_an_error_as_in_tensorflow(case: str) -> None:
    assert GOLDEN[case]["error"]["type"] == "ValueError"
    with pytest.raises(unroll.UnrollError, match=r"basic_rnn_cell.*one width") as caught:
        PROGRAMS[case]()
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("case", sorted(COUNTED))
def test_fresh_cells_called_directly_are_not_numbered_but_clash(case: str) -> None:
    assert any(name.split("/kernel")[0].endswith("_1") for name, _ in variables(case))
    results = PROGRAMS[case]()
    with pytest.raises(NameClashError, match="name="):
        graph_of(results)


def test_fresh_cells_called_directly_are_told_apart_by_name() -> None:
    made = [call(rnn()), call(rnn(name="basic_rnn_cell_1"))]
    assert names_and_shapes(graph_of(made)) == variables("direct-two-fresh")


def test_reuse_true_is_refused_with_the_way_to_share_weights() -> None:
    for make in (rnn, lstm, gru):
        with pytest.raises(UnsupportedError, match="same cell object"):
            make(reuse=True)
        assert make(reuse=False).num_units == make(reuse=None).num_units == UNITS


def test_what_reuse_gives_in_tensorflow_is_given_by_one_cell_object() -> None:
    assert names_and_shapes(graph_of(same(rnn, static, static))) == variables("static-second-reuse-true")
    seen = graph_of(inside("outer", lambda: same(rnn, static, static)))
    assert names_and_shapes(seen) == variables("static-two-fresh-auto-reuse")


def test_without_reuse_two_fresh_cells_under_one_scope_clash() -> None:
    with pytest.raises(NameClashError, match="outer/rnn/basic_rnn_cell/kernel"):
        graph_of(inside("outer", lambda: static(rnn()), lambda: static(rnn())))


def test_a_scope_given_by_its_name_gives_the_names_of_tensorflows_scope_object() -> None:
    assert names_and_shapes(graph_of([static(rnn(), scope="outer")])) == variables("static-scope-object")
    with pytest.raises(NameClashError, match="outer/basic_rnn_cell/kernel"):
        graph_of([static(rnn(), scope="outer"), static(rnn(), scope="outer")])


def test_a_scope_that_is_no_string_is_refused() -> None:
    with pytest.raises(unroll.UnrollError, match=r"scope.*not a name"):
        unroll.static_rnn(rnn(), steps(), scope=object())  # type: ignore[arg-type]


# -- the six cases of the design --------------------------------------------------------------------------------------


def test_case_1_two_fresh_cells_under_two_default_static_rnn_clash() -> None:
    with pytest.raises(NameClashError, match="rnn/basic_rnn_cell/kernel"):
        graph_of([static(rnn()), static(rnn())])


def test_case_2_under_scopes_a_and_b_they_are_a_and_b() -> None:
    names = list(graph_of([static(rnn(), "a"), static(rnn(), "b")]).parameters)
    assert names == [
        "a/basic_rnn_cell/kernel",
        "a/basic_rnn_cell/bias",
        "b/basic_rnn_cell/kernel",
        "b/basic_rnn_cell/bias",
    ]


def test_case_3_a_direct_call_has_no_rnn_scope() -> None:
    assert list(graph_of([call(rnn())]).parameters) == ["basic_rnn_cell/kernel", "basic_rnn_cell/bias"]


def test_case_4_one_cell_listed_twice_in_a_stack_has_only_cell_0s_variables() -> None:
    names = list(graph_of(same(rnn, lambda cell: static(multi(cell, cell), width=UNITS))).parameters)
    assert names == ["rnn/multi_rnn_cell/cell_0/basic_rnn_cell/kernel", "rnn/multi_rnn_cell/cell_0/basic_rnn_cell/bias"]


def test_case_5_a_reused_cell_keeps_the_names_of_its_first_call() -> None:
    names = list(graph_of(same(rnn, lambda c: static(c, "a"), lambda c: static(c, "b"))).parameters)
    assert names == ["a/basic_rnn_cell/kernel", "a/basic_rnn_cell/bias"]


def test_case_6_two_different_parameters_or_placeholders_of_one_name_are_an_error_in_one_graph() -> None:
    one, two = (unroll.Parameter([1.0, 2.0], "w") for _ in range(2))
    with pytest.raises(NameClashError, match=r"'w'.*name="):
        graph_of([one + two])
    first, second = (unroll.placeholder([2], "x") for _ in range(2))
    with pytest.raises(NameClashError, match="'x'"):
        unroll.Graph([first, second], first + second)
    with pytest.raises(NameClashError, match="'w'"):
        unroll.Graph([unroll.placeholder([2], "w")], one + 1.0)
    assert list(graph_of([one + one]).parameters) == ["w"]
