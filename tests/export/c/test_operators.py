"""Every operator as C: its cases, compiled with sanitizers and run, give NumPy's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_running import SANITIZED, Case, needs_compiler, run_all, worst
from operator_cases import CASES, DTYPES, cases_of

import unroll
from unroll import ops

#: If and Loop are written where constants decide them; see test_settling.py.
DECIDED = ("If", "Loop")
DTYPE_ORDER = ("float32", "float64", "int64", "int32", "bool")


def operator_case(op: str, dtype: str, place: int) -> Case:
    """One of the cases of an operator, another for each place."""
    found = cases_of(op, dtype)
    one = found[place % len(found)]
    inputs = [unroll.placeholder(array.shape, f"x{at}", array.dtype) for at, array in enumerate(one.arrays)]
    return Case(unroll.Graph(inputs, one.call(*inputs)), {f"x{at}": array for at, array in enumerate(one.arrays)})


def drawn(place: int) -> list[tuple[str, Case]]:
    """A case of each operator, of two dtypes that it has."""
    found = []
    for op in CASES:
        kinds = [dtype for dtype in DTYPE_ORDER if dtype in DTYPES[op]]
        for at, dtype in enumerate(kinds[place % 2 :: 2] or kinds):
            if op not in DECIDED:
                found.append((f"{op} of {dtype}", operator_case(op, dtype, 7 * place + 3 * at + 1)))
    return [(name, case) for name, case in found if "float16" not in str(case.graph.inputs + case.graph.outputs)]


@needs_compiler
@pytest.mark.parametrize("place", [0, 1])
def test_every_operator_gives_numpys_numbers(place: int, tmp_path: Path) -> None:
    named = [(name, case) for name, case in drawn(place) if "float16" not in repr([n.op for n in case.graph.nodes])]
    assert {name.split()[0] for name, _ in named} >= set(CASES) - set(DECIDED)
    found = run_all([case for _, case in named], tmp_path)
    shares = {name: worst(case, arrays) for (name, case), arrays in zip(named, found, strict=True)}
    assert {name: share for name, share in shares.items() if share > 1} == {}


def odd_numbers(dtype: str) -> np.ndarray:
    """NaN, infinities, denormals, and where functions of floats overflow or go to zero."""
    return np.array(
        [np.nan, np.inf, -np.inf, 1e-42, -1e-42, 0.0, -0.0, 1e-310, 88.7, 89, -87.5, -103, -104, -110, 710, -745, -746,
         3e38, -3e38, 20, -20, 0.625, 0.3, -1e-9], dtype,
    )  # fmt: skip


FUNCTIONS = {
    "abs": ops.abs, "elu": ops.elu, "erf": ops.erf, "exp": ops.exp, "floor": ops.floor, "hard": ops.hard_sigmoid,
    "leaky": ops.leaky_relu, "log": ops.log, "neg": ops.neg, "relu": ops.relu, "sigmoid": ops.sigmoid, "sign": ops.sign,
    "softplus": ops.softplus, "softsign": ops.softsign, "sqrt": ops.sqrt, "tanh": ops.tanh,
}  # fmt: skip


def odd_case(dtype: str, turn: int) -> Case:
    numbers = odd_numbers(dtype)
    x, y = (unroll.placeholder([len(numbers)], name, dtype) for name in "xy")
    outputs = {name: function(x) for name, function in FUNCTIONS.items()}
    outputs |= {
        "max": ops.maximum(x, y), "min": ops.minimum(x, y), "clip": ops.clip(x, -1, 1), "pow": ops.pow(x, y),
        "int32": ops.cast(x, "int32"), "int64": ops.cast(x, "int64"), "bool": ops.cast(x, "bool"),
        "argmax": ops.argmax(x), "largest": ops.reduce_max(x), "less": ops.less(x, y), "softmax": ops.softmax(x),
    }  # fmt: skip
    return Case(unroll.Graph([x, y], outputs), {"x": np.roll(numbers, turn), "y": np.roll(numbers, 3)})


FAST = ("-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math")


@needs_compiler
@pytest.mark.parametrize("flags", [SANITIZED, FAST], ids=["sanitized", "fast"])
@pytest.mark.parametrize("math", ["fast", "libm"])
def test_nan_infinities_and_denormals_keep_their_meaning(math: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    cases = [odd_case(dtype, turn) for dtype in ("float32", "float64") for turn in (0, 5)]
    found = run_all(cases, tmp_path, flags, math=math)
    assert max(worst(case, arrays) for case, arrays in zip(cases, found, strict=True)) <= 1


@needs_compiler
def test_integers_wrap_round_and_division_has_no_undefined_result(tmp_path: Path) -> None:
    least, most = -(2**31), 2**31 - 1
    a, b = (unroll.placeholder([4], name, "int32") for name in "ab")
    graph = unroll.Graph(
        [a, b], {"sum": a + b, "difference": a - b, "product": a * b, "negative": -a, "size": ops.abs(a)}
    )
    case = Case(
        graph, {"a": np.array([least, most, 70_000, -1], "int32"), "b": np.array([-1, 1, 70_000, least], "int32")}
    )
    (found,) = run_all([case], tmp_path)
    assert worst(case, found) == 0
