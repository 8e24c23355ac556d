"""Weights in fewer bits: C gives the numbers that NumPy gives for the weights that are left, and says what that costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from c_running import SANITIZED, Case, needs_compiler, run_all, worst
from helpers import Array, refused

import unroll
from unroll import ops
from unroll.trials.trial_feeds import trial_feeds

FAST = ("-O3", "-march=native")
ONE_LANE = ("-O1", "-DLANES_F32=1")


def halved(weight: Array) -> Array:
    return weight.astype("float16").astype("float32")


def in_whole_numbers(weight: Array) -> Array:
    """Each column in 127 steps to either side of zero."""
    scale = (np.abs(weight).max(axis=0) / np.float32(127)).astype("float32")
    return np.rint(weight / scale) * scale


BITS: dict[str, tuple[dict[str, str], Callable[[Array], Array]]] = {
    "float16": ({"dtype": "float16"}, halved),
    "int8": ({"quantize": "int8"}, in_whole_numbers),
}


def drawn(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def lstm(left: Callable[[Array], Array] = lambda weight: weight) -> unroll.Graph:
    """Nine units over five rows, their kernel as `left` leaves it."""
    x, cell = unroll.placeholder([5, 6, 3], "x"), unroll.BasicLSTMCell(9)
    outputs, state = unroll.dynamic_rnn(cell, x)
    cell.kernel.assign(left(cell.kernel.value))
    return unroll.Graph([x], {"y": outputs, "c": state.c})


def sums(left: Callable[[Array], Array] = lambda weight: weight) -> unroll.Graph:
    """Products by two weights of scales of their own, added up with a bias."""
    x = unroll.placeholder([3, 4], "x")
    return unroll.Graph(
        [x], {"y": x @ left(drawn(4, 5)) + ops.tanh(x) @ left(10 * drawn(4, 5, seed=1)) + drawn(5, seed=2)}
    )


@needs_compiler
@pytest.mark.parametrize("flags", [SANITIZED, FAST, ONE_LANE], ids=["sanitized", "fast", "one lane"])
def test_c_computes_with_the_weights_that_are_left(flags: tuple[str, ...], tmp_path: Path) -> None:
    for bits, (options, left) in BITS.items():
        feeds = [{"x": drawn(5, 6, 3, seed=3)}, {"x": drawn(3, 4, seed=3)}]
        cases = [Case(graph(), fed) for graph, fed in zip((lstm, sums), feeds, strict=True)]
        folder = tmp_path / bits
        folder.mkdir()
        found = run_all(cases, folder, flags, **options)
        kept = [Case(graph(left), fed) for graph, fed in zip((lstm, sums), feeds, strict=True)]
        assert max(worst(case, arrays) for case, arrays in zip(kept, found, strict=True)) <= 1, bits
        assert min(worst(case, arrays) for case, arrays in zip(cases, found, strict=True)) > 1, bits


@needs_compiler
def test_tables_and_convolutions_are_held_in_float16(tmp_path: Path) -> None:
    def graph(left: Callable[[Array], Array]) -> unroll.Graph:
        n, x = unroll.placeholder([3, 4], "n", "int64"), unroll.placeholder([1, 2, 8], "x")
        outputs = {"rows": ops.gather(left(drawn(9, 6)), n), "windows": ops.conv(x, left(drawn(4, 2, 3)))}
        return unroll.Graph([n, x], outputs)

    feeds = {"n": np.arange(12).reshape(3, 4) % 9, "x": drawn(1, 2, 8, seed=1)}
    (found,) = run_all([Case(graph(lambda weight: weight), feeds)], tmp_path, dtype="float16")
    assert worst(Case(graph(halved), feeds), found) <= 1
    assert unroll.to_c(graph(halved), dtype="float16").report().constants == 2 * (9 * 6 + 4 * 2 * 3)


@needs_compiler
@pytest.mark.parametrize("flags", [SANITIZED, FAST, ONE_LANE], ids=["sanitized", "fast", "one lane"])
def test_float16_of_every_kind_is_widened_exactly(flags: tuple[str, ...], tmp_path: Path) -> None:
    odd = np.array([[np.nan, np.inf, -np.inf, 6e-8, -6e-5, 65504, -0.0, 1 / 3] * 3], "float32")
    x, n = unroll.placeholder([1, 1], "x"), unroll.placeholder([1], "n", "int64")
    graph = unroll.Graph([x, n], {"product": x @ odd, "row": ops.gather(odd, n)})
    (found,) = run_all(
        [Case(graph, {"x": np.ones((1, 1), "float32"), "n": np.array([0])})], tmp_path, flags, dtype="float16"
    )
    wanted = odd.astype("float16").astype("float32")
    np.testing.assert_array_equal(found["product"], wanted)
    np.testing.assert_array_equal(found["row"], wanted)


@pytest.mark.parametrize("bits", BITS)
def test_the_report_says_how_many_bytes_are_left_and_what_is_lost(bits: str) -> None:
    options, left = BITS[bits]
    whole, small = unroll.to_c(sums()).report(), unroll.to_c(sums(), **options).report()
    each, scales = (2, 0) if bits == "float16" else (1, 2 * 4 * 8)
    assert (whole.constants, small.constants) == (
        4 * (64 + 8),
        each * 64 + scales + 4 * 8,
    )  # 8 columns, 3 of which fill up
    (fed,) = trial_feeds(sums(), count=1, rows=1)
    before, after = (graph.run(fed)["y"] for graph in (sums(), sums(left)))
    assert small.lost == pytest.approx(np.max(np.abs(before - after) / np.maximum(1, np.abs(before))), rel=1e-3)
    assert whole.lost is None
    assert str(small).endswith(f"{small.lost:.1e} of max(1, |value|) lost on random feeds")


@pytest.mark.parametrize("bits", BITS)
def test_what_is_lost_inside_loops_counts(bits: str) -> None:
    lost = unroll.to_c(lstm(), **BITS[bits][0]).report().lost
    assert lost is not None and 1e-6 < lost < 0.05


@needs_compiler
@pytest.mark.parametrize("bits", BITS)
def test_a_session_holds_fewer_bits_and_refreshes_without_a_compiler(
    bits: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, left = BITS[bits]
    x, cell = unroll.placeholder([None, 3], "x"), unroll.BasicRNNCell(4)
    graph = unroll.Graph([x], {"y": cell(x, cell.zero_state(ops.shape(x)[0]))[0]})
    session = unroll.compile(graph, "c", cache=tmp_path, **options)
    assert session.choice.lost is not None and 0 < session.choice.lost < 0.05
    fed = {"x": drawn(1, 3)}
    for factor in (1, 3):
        cell.kernel.assign(factor * cell.kernel.value + factor - 1)
        monkeypatch.setenv("PATH", "")
        session.refresh()
        found = session.run(fed)["y"]
        given = cell.kernel.value
        cell.kernel.assign(left(given))
        np.testing.assert_allclose(found, graph.run(fed)["y"], atol=1e-6)
        cell.kernel.assign(given)


@needs_compiler
def test_auto_measures_c_in_fewer_bits_too(tmp_path: Path) -> None:
    choice = unroll.compile(sums(), "auto", cache=tmp_path, quantize="int8").choice
    row = next(row for row in choice.candidates if row.form == "c")
    assert row.seconds is not None and row.difference is not None and 1e-5 < row.difference < 0.1


def test_weights_that_fewer_bits_do_not_have_are_refused() -> None:
    x = unroll.placeholder([1, 2], "x")
    large, odd = (unroll.Graph([x], {"y": x @ np.array([[1.0], [number]], "float32")}) for number in (1e6, np.nan))
    refused(lambda: unroll.to_c(large, dtype="float16"), NotImplementedError, "1e+06", "65504", "MatMul")
    refused(lambda: unroll.to_c(odd, quantize="int8"), NotImplementedError, "NaN", "MatMul", "int8")


def test_where_there_is_nothing_to_hold_in_fewer_bits_it_is_said() -> None:
    x = unroll.placeholder([1, 2], "x", "float64")
    graph = unroll.Graph([x], {"y": ops.tanh(x @ np.eye(2))})
    for options, _ in BITS.values():
        refused(lambda options=options: unroll.to_c(graph, **options), NotImplementedError, "float32", "leave")
    refused(lambda: unroll.to_c(graph, dtype="float64"), ValueError, "to_c: dtype 'float64'", "'float16'")
    refused(lambda: unroll.to_c(graph, dtype="float16", quantize="int8"), ValueError, "choose one")
