"""The modules of unroll.nn against numbers that real PyTorch computed: see golden/README.md."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from helpers import check_three_runners, golden_arrays, golden_json

import unroll
from unroll import nn

GOLDEN: dict[str, Any] = golden_json("torch_modules.json")
CASES: list[dict[str, Any]] = GOLDEN["cases"]

every_case = pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])


def arrays_of(case: dict[str, Any]) -> dict[str, Any]:
    """The case's own arrays, with lists where it has several of a kind."""
    arrays = golden_arrays("torch_modules.npz")
    keys = case["arrays"]
    state_dict = {item["name"]: arrays[item["key"]] for item in case["state_dict"]}
    return {
        "input": arrays[keys["input"]],
        "output": arrays[keys["output"]],
        "state0": [arrays[key] for key in keys["state0"]],
        "state": [arrays[key] for key in keys["state"]],
        "state_dict": state_dict,
    }


def module_of(case: dict[str, Any]) -> Any:
    return getattr(nn, case["module"])(case["input_size"], case["hidden_size"], **case["kwargs"], dtype=case["dtype"])


@every_case
def test_a_module_has_pytorchs_parameters_in_pytorchs_order(case: dict[str, Any]) -> None:
    found = [(name, list(array.shape)) for name, array in module_of(case).state_dict().items()]
    assert found == [(item["name"], item["shape"]) for item in case["state_dict"]]


@every_case
def test_a_module_gives_pytorchs_numbers_in_all_three_runners(case: dict[str, Any]) -> None:
    arrays, module = arrays_of(case), module_of(case)
    module.load_state_dict(arrays["state_dict"])
    x = unroll.placeholder(arrays["input"].shape, "input", case["dtype"])
    states = [unroll.placeholder(a.shape, f"state{i}", case["dtype"]) for i, a in enumerate(arrays["state0"])]
    hx: Any = tuple(states) if len(states) > 1 else states[0] if states else None
    inputs = [x, *states]
    feeds = dict(zip([item.name for item in inputs], [arrays["input"], *arrays["state0"]], strict=True))
    if case["lengths"] is not None:
        lengths = unroll.placeholder([case["batch"]], "lengths", "int64")
        inputs.append(lengths)
        feeds["lengths"] = np.array(case["lengths"])
        output, last = module(x, hx, lengths=lengths)
    elif case["T"] is not None:
        output, last = module(x, hx)
    else:
        last = module(x, hx)
        output = last[0] if isinstance(last, tuple) else last
    graph = unroll.Graph(inputs, [output, last])
    check_three_runners(graph, feeds, [arrays["output"], *arrays["state"]], case["dtype"])


@pytest.mark.parametrize("case", GOLDEN["feedforward"], ids=lambda case: str(case["id"]))
def test_a_module_without_a_state_gives_pytorchs_numbers_too(case: dict[str, Any]) -> None:
    arrays = golden_arrays("torch_modules.npz")
    module = getattr(nn, case["module"])(*case["arguments"], **case["kwargs"], dtype=case["dtype"])
    weights = {item["name"]: arrays[item["key"]] for item in case["state_dict"]}
    assert list(module.state_dict()) == list(weights)
    module.load_state_dict(weights)
    given, wanted = arrays[case["arrays"]["input"]], arrays[case["arrays"]["output"]]
    x = unroll.placeholder(given.shape, "x", given.dtype)
    check_three_runners(unroll.Graph([x], module(x)), {"x": given}, [wanted], case["dtype"])


def test_the_golden_cases_cross_what_pytorch_offers() -> None:
    assert len(CASES) >= 200
    modules = [case for case in CASES if case["T"] is not None]
    for module in ("RNN", "LSTM", "GRU"):
        own = [case for case in modules if case["module"] == module]
        for steps in (1, 2, 7):
            assert {case["batch"] for case in own if case["T"] == steps} == {1, 3, None}
        for layers in (1, 2):
            for directions in (False, True):
                crossed = [
                    case
                    for case in own
                    if case["kwargs"].get("num_layers", 1) == layers
                    and case["kwargs"].get("bidirectional", False) == directions
                ]
                assert {bool(case["arrays"]["state0"]) for case in crossed} == {False, True}
                assert {case["kwargs"].get("batch_first", False) for case in crossed} == {False, True}
                assert {case["dtype"] for case in crossed} == {"float32", "float64"}
                assert {case["lengths"] is None for case in crossed} == {False, True}
        assert {case["kwargs"].get("bias", True) for case in own} == {False, True}


@pytest.mark.parametrize(
    "call", GOLDEN["refused"], ids=lambda call: f"{call['module']}{call['arguments']}{call['kwargs']}"
)
def test_what_pytorchs_constructors_refuse_is_refused_with_the_same_kind_of_error(call: dict[str, Any]) -> None:
    with pytest.raises(getattr(builtins, call["error"])):
        getattr(nn, call["module"])(*call["arguments"], **call["kwargs"])


@pytest.mark.parametrize("item", GOLDEN["load_state_dict"], ids=lambda item: str(item["name"]))
@pytest.mark.parametrize("strict", [True, False])
def test_load_state_dict_takes_and_refuses_what_pytorch_does(item: dict[str, Any], strict: bool) -> None:
    module = nn.LSTM(3, 4)
    before = module.state_dict()
    shapes = {name: array.shape for name, array in before.items()} | {k: tuple(v) for k, v in item["shapes"].items()}
    given = {key: np.full(shapes.get(key, (1,)), 0.25, "float32") for key in item["keys"]}
    wanted = item[f"strict={strict}"]
    if "error" not in wanted:
        assert module.load_state_dict(given, strict) == (wanted["missing"], wanted["unexpected"])
        after = {name: given.get(name, array) for name, array in before.items()}
    else:
        with pytest.raises(unroll.UnrollError) as caught:
            module.load_state_dict(given, strict=strict)
        assert [name for name in dict.fromkeys([*before, *given]) if name in str(caught.value)] == [
            name for name in dict.fromkeys([*before, *given]) if name in wanted["names"]
        ]
        after = before
    for name, array in module.state_dict().items():
        np.testing.assert_array_equal(array, after[name])
