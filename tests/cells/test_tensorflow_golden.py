"""Real TensorFlow's cells and drivers, case by case: names, shapes and numbers, in NumPy and in the exported model."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import Array, golden_arrays, golden_json, names_and_shapes, run_reference

import unroll
from unroll import nest, ops

CASES: list[dict[str, Any]] = golden_json("tensorflow_rnn.json")["cases"]
TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))


class Program(NamedTuple):
    """A case built with unroll: outputs and states in TensorFlow's order, and TensorFlow's numbers for them."""

    graph: unroll.Graph
    feeds: dict[str, Array]
    expected: list[Array]


def build_cell(case: dict[str, Any]) -> unroll.RNNCell:
    layers = [getattr(unroll, layer["cell"])(layer["num_units"], **layer["kwargs"]) for layer in case["layers"]]
    return layers[0] if case["cell"] != "MultiRNNCell" else unroll.MultiRNNCell(layers)


def build(case: dict[str, Any]) -> Program:
    """The user's program for a case: one line for the cell, one for the driver, one for the graph."""
    arrays, keys = golden_arrays("tensorflow_rnn.npz"), case["arrays"]
    steps, width, dtype = case["T"], case["input_size"], case["dtype"]
    inputs = arrays[keys["inputs"]]
    cell = build_cell(case)
    feeds: dict[Any, Array] = {}
    state = None
    if case["initial_state"]:
        given = [arrays[key] for key in keys["state0"]]
        parts = [unroll.placeholder([None, array.shape[1]], f"state{i}", dtype) for i, array in enumerate(given)]
        feeds |= dict(zip(parts, given, strict=True))
        state = nest.pack(cell.state_size, parts)
    outputs: Any
    if case["driver"] == "static_rnn":
        listed = [unroll.placeholder([None, width], f"X{step}", dtype) for step in range(steps)]
        feeds |= dict(zip(listed, inputs, strict=True))
        outputs, final = unroll.static_rnn(cell, listed, initial_state=state)
        outputs = ops.stack(outputs)
    elif case["driver_kwargs"].get("time_major"):
        whole = unroll.placeholder([steps, "batch", width], "X", dtype)
        feeds[whole] = inputs
        outputs, final = unroll.dynamic_rnn(cell, whole, initial_state=state, time_major=True)
    else:
        whole = unroll.placeholder([None, steps, width], "X", dtype)
        feeds[whole] = inputs.transpose(1, 0, 2)
        outputs, final = unroll.dynamic_rnn(cell, whole, initial_state=state)
        outputs = ops.transpose(outputs, [1, 0, 2])
    graph = unroll.Graph(list(feeds), [outputs, final])
    graph.assign({item["name"]: arrays[item["key"]] for item in case["variables"]})
    expected = [arrays[key] for key in (keys["outputs"], *keys["state"])]
    return Program(graph, {tensor.name: array for tensor, array in feeds.items()}, expected)


@cache
def exported(index: int) -> tuple[Program, Any]:
    program = build(CASES[index])
    return program, unroll.to_onnx(program.graph)


def assert_close(seen: list[Array], program: Program, dtype: str) -> None:
    assert len(seen) == len(program.expected)
    for array, wanted in zip(seen, program.expected, strict=True):
        assert array.dtype == wanted.dtype == dtype
        assert array.shape == wanted.shape
        np.testing.assert_allclose(array, wanted, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_the_golden_file_holds_the_cases_that_are_promised() -> None:
    plain = {(c["cell"], c["driver"], c["batch"], c["initial_state"], c["T"]) for c in CASES if not c["kwargs"]}
    for cell in ("BasicRNNCell", "BasicLSTMCell", "GRUCell"):
        for driver in ("static_rnn", "dynamic_rnn"):
            for batch in (1, 3):
                for given in (False, True):
                    assert {(cell, driver, batch, given, steps) for steps in (1, 2, 7, 28)} <= plain


@every_case
def test_variables_have_tensorflows_names_shapes_and_order(case: dict[str, Any]) -> None:
    wanted = [(item["name"], tuple(item["shape"])) for item in case["variables"]]
    assert names_and_shapes(build(case).graph) == wanted


@every_case
def test_numpy_gives_tensorflows_numbers(case: dict[str, Any]) -> None:
    program = build(case)
    assert_close(program.graph.run(program.feeds, program.graph.outputs), program, case["dtype"])


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["id"] for case in CASES])
def test_the_exported_model_gives_tensorflows_numbers_in_both_runners(index: int) -> None:
    program, model = exported(index)
    names = [output.name for output in model.graph.output]
    assert names == list(program.graph.output_names)
    for found in (
        unroll.Session(model).run(program.feeds),
        dict(zip(names, run_reference(model, program.feeds), strict=True)),
    ):
        assert_close([found[name] for name in program.graph.output_names], program, CASES[index]["dtype"])


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "multi"])
def test_the_three_runners_are_seen_to_agree_by_verify(cell: str) -> None:
    index = next(i for i, case in enumerate(CASES) if case["id"] == f"{cell}-static-b3-t7-init")
    program = build(CASES[index])
    assert unroll.verify(program.graph, program.feeds)
