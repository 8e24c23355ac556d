"""What ``rolled=True`` promises of drivers over a list of steps: one step is traced, and the numbers are those of the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import Graph, nest

STEPS, FEATURES, ROWS = 5, 3, 2


def lstm() -> Any:
    return unroll.BasicLSTMCell(4)


def gru() -> Any:
    return unroll.GRUCell(4)


def state_saving(steps: Any, rolled: bool, lengths: Any) -> Any:
    saver = unroll.StateSaver({"c": 4, "h": 4})
    found = unroll.static_state_saving_rnn(lstm(), steps, saver, ("c", "h"), lengths, rolled=rolled)
    return found, saver.states


PROGRAMS: dict[str, Callable[..., Any]] = {
    "one way": lambda steps, rolled, lengths: unroll.static_rnn(lstm(), steps, None, None, lengths, rolled=rolled),
    "both ways": lambda steps, rolled, lengths: unroll.static_bidirectional_rnn(
        lstm(), gru(), steps, sequence_length=lengths, rolled=rolled
    ),
    "stacked": lambda steps, rolled, lengths: unroll.stack_bidirectional_rnn(
        [lstm(), gru()], [gru(), lstm()], steps, sequence_length=lengths, rolled=rolled
    ),
    "state saving": state_saving,
}
NATIVE = {"one way": ["LSTM"], "both ways": ["GRU", "LSTM"], "stacked": ["GRU", "GRU", "LSTM", "LSTM"]}


def traced(kind: str, rolled: bool, lengths: bool, steps: int = STEPS) -> Graph:
    """A program over a list; its weights depend on the names of the Parameters alone."""
    inputs = [unroll.placeholder([None, FEATURES], f"x{step}") for step in range(steps)]
    more = [unroll.placeholder([None], "lengths", "int32")] if lengths else []
    with unroll.scope("model", seed=5):
        outputs = PROGRAMS[kind](inputs, rolled, more[0] if more else None)
    outputs, states = outputs if kind == "state saving" else (outputs, {})
    return Graph([*inputs, *more], {"y": outputs}, states=states)


def fed(graph: Graph, steps: int = STEPS) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    feeds = {
        spec.name: rng.standard_normal([size if isinstance(size, int) else ROWS for size in spec.shape])
        for spec in graph.input_specs
    }
    return {**feeds, **({"lengths": np.array([steps, steps // 2], "int32")} if "lengths" in feeds else {})}


@pytest.mark.parametrize("steps", [1, STEPS])
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_list_that_is_rolled_computes_what_the_list_does(kind: str, lengths: bool, steps: int) -> None:
    flat, rolled = (traced(kind, way, lengths, steps) for way in (False, True))
    assert list(rolled.parameters) == list(flat.parameters)
    assert rolled.output_names == flat.output_names
    assert [rolled.shape(tensor) for tensor in rolled.outputs] == [flat.shape(tensor) for tensor in flat.outputs]
    assert sum(node.op.name == "Scan" for node in rolled.nodes) == len(NATIVE.get(kind, ["LSTM"]))
    assert not any(node.op.name == "Scan" for node in flat.nodes)
    feeds = fed(flat, steps)
    wanted = flat.run(feeds)
    for runner in (rolled, unroll.Session(rolled), unroll.Session(rolled, form="rerolled")):
        for name, array in runner.run(feeds).items():
            np.testing.assert_allclose(array, wanted[name], rtol=1e-5, atol=1e-5, err_msg=name)
    model = unroll.to_onnx(rolled, form="rerolled")
    found = [node.op_type for node in model.graph.node if node.op_type in ("RNN", "GRU", "LSTM", "Scan")]
    assert sorted(found) == NATIVE.get(kind, ["LSTM"])


def test_the_steps_may_be_nests_and_may_lack_a_batch() -> None:
    class Sum:
        state_size, output_size = 2, {"sum": 2, "before": 2}

        def __call__(self, inputs: Any, state: Any) -> tuple[Any, Any]:
            total = inputs["a"] + inputs["b"] + state
            return {"sum": total, "before": state}, total

    steps = [{name: unroll.placeholder([2], f"{name}{step}") for name in "ab"} for step in range(3)]
    outputs, last = unroll.static_rnn(Sum(), steps, rolled=True)
    graph = Graph(nest.flatten(steps), {"y": outputs, "last": last})
    found = graph.run({tensor: np.array([1, 10]) for tensor in graph.inputs})
    assert [found[f"y/{step}/sum"].tolist() for step in range(3)] == [[2, 20], [4, 40], [6, 60]]
    assert [found[f"y/{step}/before"].tolist() for step in range(3)] == [[0, 0], [2, 20], [4, 40]]
    assert found["last"].tolist() == [6, 60]


def test_a_thousand_steps_of_a_list_are_one_loop() -> None:
    graph = traced("one way", True, False, 1000)
    assert sum(node.op.name in ("MatMul", "Gemm", "Tanh") for node in graph.nodes) == 0  # they are in the loop's body
    feeds = fed(graph, 1000)
    wanted = traced("one way", False, False, 1000).run(feeds)
    np.testing.assert_allclose(graph.run(feeds)["y/0/999"], wanted["y/0/999"], rtol=1e-5, atol=1e-6)


def test_what_is_wrong_in_a_list_is_wrong_in_a_loop() -> None:
    steps = [unroll.placeholder([None, FEATURES], "a"), unroll.placeholder([None, FEATURES + 1], "b")]
    for driver in (
        lambda rolled: unroll.static_rnn(lstm(), steps, rolled=rolled),
        lambda rolled: unroll.static_bidirectional_rnn(lstm(), lstm(), steps, rolled=rolled),
        lambda rolled: unroll.stack_bidirectional_rnn([lstm()], [lstm()], steps, rolled=rolled),
    ):
        refused(lambda driver=driver: driver(True), ValueError, "inputs of step 1", "the same number of features")
        refused(lambda driver=driver: driver("yes"), TypeError, "rolled")
    refused(
        lambda: unroll.static_rnn(lstm(), steps[:1], sequence_length=[2], rolled=True), ValueError, "outside 0 to 1"
    )
    refused(
        lambda: unroll.raw_rnn(lstm(), lambda *_: _, maximum_iterations=2, rolled=True),  # type: ignore[call-arg]
        TypeError,
        "'rolled'",
        "every step is traced",
    )
