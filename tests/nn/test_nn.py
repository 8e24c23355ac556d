"""What unroll.nn promises beside PyTorch's numbers: weights in and out, messages, names, and what drivers make of it."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
from helpers import Array, check_three_runners, golden_arrays, golden_json, refused

import unroll
from unroll import nn

SEQUENCES: tuple[Any, ...] = (nn.RNN, nn.LSTM, nn.GRU)
CELLS: tuple[Any, ...] = (nn.RNNCell, nn.LSTMCell, nn.GRUCell)

every_module = pytest.mark.parametrize("module", [*SEQUENCES, *CELLS], ids=lambda module: module.__name__)
every_sequence = pytest.mark.parametrize("module", SEQUENCES, ids=lambda module: module.__name__)
every_cell = pytest.mark.parametrize("module", CELLS, ids=lambda module: module.__name__)


def sequence(steps: int = 4, features: int = 3, dtype: str = "float32") -> Any:
    return unroll.placeholder([steps, "batch", features], "x", dtype)


def golden(case_id: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """A case of PyTorch's, and its arrays by the end of their keys."""
    case = next(case for case in golden_json("torch_modules.json")["cases"] if case["id"] == case_id)
    arrays = golden_arrays("torch_modules.npz")
    return case, {key.removeprefix(f"{case_id}/"): arrays[key] for key in arrays if key.startswith(f"{case_id}/")}


def state_dict(arrays: dict[str, Array]) -> dict[str, Array]:
    return {k.removeprefix("state_dict/"): v for k, v in arrays.items() if k.startswith("state_dict/")}


# -- weights ----------------------------------------------------------------------------------------------------------


@every_module
def test_what_state_dict_gives_load_state_dict_takes(module: Any) -> None:
    first, second = module(3, 5, name="a"), module(3, 5, name="b")
    assert any(
        not np.array_equal(x, y) for x, y in zip(*(m.state_dict().values() for m in (first, second)), strict=True)
    )
    assert second.load_state_dict(first.state_dict()) == ([], [])
    for name, array in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[name], array)


def test_state_dict_gives_copies_that_can_be_changed() -> None:
    lstm = nn.LSTM(3, 4)
    taken = lstm.state_dict()
    before = taken["bias_ih_l0"].copy()
    taken["bias_ih_l0"] += 1
    np.testing.assert_array_equal(lstm.state_dict()["bias_ih_l0"], before)


def test_loaded_arrays_are_copies_too() -> None:
    lstm = nn.LSTM(3, 4)
    given = lstm.state_dict()
    lstm.load_state_dict(given)
    given["bias_ih_l0"][:] = 7
    assert not np.any(lstm.state_dict()["bias_ih_l0"] == 7)


def test_a_missing_and_an_unexpected_name_are_said_together_and_nothing_is_loaded() -> None:
    gru = nn.GRU(3, 4)
    before = gru.state_dict()
    given = {name: np.zeros_like(array) for name, array in before.items() if name != "bias_hh_l0"} | {
        "scale": np.ones(2)
    }
    refused(lambda: gru.load_state_dict(given), KeyError, "GRU 'gru'", "missing: bias_hh_l0", "unexpected: scale")
    np.testing.assert_array_equal(gru.state_dict()["weight_ih_l0"], before["weight_ih_l0"])


def test_every_wrong_shape_is_said_even_where_names_may_differ() -> None:
    given = {name: array.T for name, array in nn.GRU(3, 4).state_dict().items()}
    for strict in (True, False):
        refused(
            lambda strict=strict: nn.GRU(3, 4).load_state_dict(given, strict=strict),  # type: ignore[misc]
            ValueError,
            "weight_ih_l0 has shape (3, 12) where (12, 3) is wanted",
            "weight_hh_l0 has shape (4, 12) where (12, 4) is wanted",
        )


def test_the_state_dict_of_a_model_around_the_module_is_refused_with_the_prefix_to_remove() -> None:
    given = {f"encoder.lstm.{name}": array for name, array in nn.LSTM(3, 4).state_dict().items()}
    refused(lambda: nn.LSTM(3, 4).load_state_dict(given), KeyError, "names begin with 'encoder.lstm.'", "removeprefix")


def test_a_value_that_would_overflow_leaves_every_parameter_as_it_was() -> None:
    gru = nn.GRU(3, 4)
    before = gru.state_dict()
    given = {name: np.ones(array.shape) for name, array in before.items()}
    given["bias_hh_l0"] = given["bias_hh_l0"] * 1e300
    refused(lambda: gru.load_state_dict(given), TypeError, "gru/bias_hh_l0", "overflows float32")
    for name, array in gru.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


class Foreign:
    """A tensor of some other framework, as NumPy sees it."""

    def __init__(self, array: Array, error: Exception | None = None) -> None:
        self.array, self.error = array, error

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self.error is not None:
            raise self.error
        return self.array


def test_whatever_numpy_makes_an_array_of_can_be_loaded() -> None:
    gru = nn.GRU(3, 4)
    arrays = {name: np.full(array.shape, 0.5) for name, array in gru.state_dict().items()}
    gru.load_state_dict({name: Foreign(array) for name, array in arrays.items()})
    assert all(np.all(array == 0.5) and array.dtype == np.float32 for array in gru.state_dict().values())


def test_a_tensor_that_numpy_cannot_read_is_refused_with_its_name_and_its_reason() -> None:
    given: dict[str, Any] = dict(nn.GRU(3, 4).state_dict())
    given["bias_ih_l0"] = Foreign(given["bias_ih_l0"], RuntimeError("it requires grad."))
    refused(
        lambda: nn.GRU(3, 4).load_state_dict(given),
        TypeError,
        "GRU 'gru'",
        "'bias_ih_l0'",
        "it requires grad;",
        "on the CPU",
    )


def test_load_state_dict_takes_a_mapping() -> None:
    refused(lambda: nn.GRU(3, 4).load_state_dict([1, 2]), TypeError, "a mapping of names to arrays, not list")  # type: ignore[arg-type]


@every_module
def test_parameters_are_there_at_once_uniform_between_the_bounds_that_pytorch_has(module: Any) -> None:
    bound = 1 / math.sqrt(16)
    values = np.concatenate([array.ravel() for array in module(9, 16).state_dict().values()])
    assert np.abs(values).max() <= bound
    assert np.abs(values).max() > 0.95 * bound
    assert abs(values.mean()) < 0.1 * bound
    assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)


@every_module
def test_first_values_follow_from_the_name_alone(module: Any) -> None:
    same, other = module(3, 4).state_dict(), module(3, 4, name="other").state_dict()
    for name, array in module(3, 4).state_dict().items():
        np.testing.assert_array_equal(array, same[name])
        assert not np.array_equal(array, other[name])


def test_parameters_are_attributes_and_are_changed_by_assign() -> None:
    lstm = nn.LSTM(3, 4)
    assert lstm.weight_hh_l0.name == "lstm/weight_hh_l0"
    lstm.bias_ih_l0.assign(np.ones(16))
    np.testing.assert_array_equal(lstm.state_dict()["bias_ih_l0"], np.ones(16))

    def replace() -> None:
        lstm.bias_ih_l0 = np.zeros(16)

    refused(replace, ValueError, "'bias_ih_l0' is a Parameter", ".assign(array)")
    with pytest.raises(AttributeError, match="weight_hr_l0"):
        _ = lstm.weight_hr_l0


def test_a_loaded_value_counts_in_a_graph_made_before() -> None:
    _, arrays = golden("gru-b1-t2")
    gru, x = nn.GRU(3, 4), unroll.placeholder([2, 1, 3], "x")
    graph = unroll.Graph([x], [*gru(x)])
    gru.load_state_dict(state_dict(arrays))
    check_three_runners(graph, {"x": arrays["input"]}, [arrays["output"], arrays["state/0"]], "float32")


# -- calls ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case_id",
    [
        "rnn-batch_first=True-b3-t7",
        "gru-batch_first=True-b3-t2-init",
        "lstm-num_layers=2-proj_size=2-b3-t7-init",
        "lstm-bidirectional=True-num_layers=2-b3-t1-init",
    ],
)
def test_a_batch_that_is_not_known_yet_gives_pytorchs_numbers(case_id: str) -> None:
    case, arrays = golden(case_id)
    module = getattr(nn, case["module"])(3, 4, **case["kwargs"])
    module.load_state_dict(state_dict(arrays))
    first = case["kwargs"].get("batch_first", False)
    x = unroll.placeholder(["batch", case["T"], 3] if first else [case["T"], "batch", 3], "x")
    feeds, states = {"x": arrays["input"]}, []
    for i in range(len(case["arrays"]["state0"])):
        start = feeds[f"s{i}"] = arrays[f"state0/{i}"]
        states.append(unroll.placeholder([start.shape[0], "batch", start.shape[2]], f"s{i}"))
    output, last = module(x, None if not states else states[0] if len(states) == 1 else tuple(states))
    expected = [arrays["output"], *(arrays[f"state/{i}"] for i in range(len(case["arrays"]["state"])))]
    check_three_runners(unroll.Graph([x, *states], [output, last]), feeds, expected, "float32")


@pytest.mark.parametrize("case_id", ["lstmcell-b3", "grucell-b3", "rnncell-b3"])
def test_a_cell_without_hx_takes_a_batch_that_is_not_known_yet(case_id: str) -> None:
    case, arrays = golden(case_id)
    cell, x = getattr(nn, case["module"])(3, 4), unroll.placeholder([None, 3], "x")
    cell.load_state_dict(state_dict(arrays))
    expected = [arrays[f"state/{i}"] for i in range(len(case["arrays"]["state"]))]
    check_three_runners(unroll.Graph([x], cell(x)), {"x": arrays["input"]}, expected, "float32")


@pytest.mark.parametrize(
    "lengths", [[3, 7, 1], np.array([3, 7, 1], "int32"), (3, 7, 1)], ids=["list", "array", "tuple"]
)
def test_lengths_are_taken_as_fixed_numbers_too(lengths: Any) -> None:
    _, arrays = golden("gru-num_layers=2-b3-t7-lengths=3,7,1")
    gru, x = nn.GRU(3, 4, 2), unroll.placeholder([7, 3, 3], "x")
    gru.load_state_dict(state_dict(arrays))
    graph = unroll.Graph([x], [*gru(x, lengths=lengths)])
    check_three_runners(graph, {"x": arrays["input"]}, [arrays["output"], arrays["state/0"]], "float32")


@every_sequence
def test_a_row_of_length_zero_keeps_its_first_state_and_gives_zeros(module: Any) -> None:
    rnn, x = module(3, 4, bidirectional=True), unroll.placeholder([5, 2, 3], "x")
    draw = np.random.default_rng(3).standard_normal
    parts = [unroll.placeholder([2, 2, 4], name) for name in rnn.state_parts]
    output, last = rnn(x, parts[0] if len(parts) == 1 else tuple(parts), lengths=[0, 5])
    feeds = {"x": draw((5, 2, 3)), **{part.name: draw((2, 2, 4)) for part in parts}}
    found, *states = unroll.Graph([x, *parts], [output, last]).run(feeds).values()
    assert not np.any(found[:, 0]) and np.all(found[:, 1])
    for state, part in zip(states, parts, strict=True):
        np.testing.assert_array_equal(state[:, 0], feeds[part.name][:, 0].astype("float32"))
        assert not np.any(state[:, 1] == feeds[part.name][:, 1].astype("float32"))


def test_a_module_called_twice_shares_its_parameters() -> None:
    gru, x = nn.GRU(3, 3), sequence()
    _, first = gru(x)
    graph = unroll.Graph([x], [*gru(x, first)])
    assert list(graph.parameters) == [f"gru/{name}_l0" for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")]


def test_two_modules_of_one_name_clash_until_one_is_named() -> None:
    x = sequence()
    refused(lambda: unroll.Graph([x], nn.GRU(4, 4)(nn.GRU(3, 4)(x)[0])[0]), ValueError, "gru/weight_ih_l0", "name=")
    graph = unroll.Graph([x], nn.GRU(4, 4, name="top")(nn.GRU(3, 4)(x)[0])[0])
    assert {name.split("/")[0] for name in graph.parameters} == {"gru", "top"}


def test_the_parts_of_an_lstm_state_tuple_go_where_their_names_say() -> None:
    _, arrays = golden("lstmcell-b3-init")
    cell, x = nn.LSTMCell(3, 4), unroll.placeholder([3, 3], "x")
    h, c = unroll.placeholder([3, 4], "h"), unroll.placeholder([3, 4], "c")
    cell.load_state_dict(state_dict(arrays))
    graph = unroll.Graph([x, h, c], cell(x, unroll.LSTMStateTuple(c=c, h=h)))
    feeds = {"x": arrays["input"], "h": arrays["state0/0"], "c": arrays["state0/1"]}
    check_three_runners(graph, feeds, [arrays["state/0"], arrays["state/1"]], "float32")


# -- drivers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case_id",
    [
        "rnn-num_layers=2-b3-t7-float64",
        "lstm-batch_first=True-bias=False-b3-t7-init-float64",
        "gru-batch_first=True-b3-t7-init-float64",
    ],
)
def test_a_cell_under_a_driver_gives_the_numbers_of_pytorchs_whole_module(case_id: str) -> None:
    case, arrays = golden(case_id)
    first = case["kwargs"].get("batch_first", False)
    x = np.swapaxes(arrays["input"], 0, 1) if first else arrays["input"]
    steps = [unroll.placeholder([3, 3], f"x{t}", "float64") for t in range(7)]
    feeds = {f"x{t}": x[t] for t in range(7)}
    outputs: Any = steps
    starts: list[Any] = []
    for layer in range(case["kwargs"].get("num_layers", 1)):
        ending = f"_l{layer}"
        own = {k.removesuffix(ending): v for k, v in state_dict(arrays).items() if k.endswith(ending)}
        width = own["weight_ih"].shape[1]
        cell = getattr(nn, f"{case['module']}Cell")(width, 4, "bias_ih" in own, dtype="float64", name=f"layer{layer}")
        cell.load_state_dict(own)
        state: Any = None
        if case["arrays"]["state0"]:
            starts = [unroll.placeholder([3, 4], f"s{i}", "float64") for i in range(len(case["arrays"]["state0"]))]
            feeds |= {f"s{i}": arrays[f"state0/{i}"][0] for i in range(len(starts))}
            state = starts[0] if len(starts) == 1 else unroll.LSTMStateTuple(c=starts[1], h=starts[0])
        outputs, last = unroll.static_rnn(cell.as_cell(), outputs, state)
    wanted = np.swapaxes(arrays["output"], 0, 1) if first else arrays["output"]
    ends = [last.h, last.c] if isinstance(last, unroll.LSTMStateTuple) else [last]
    expected = [*wanted, *(arrays[f"state/{i}"][-1] for i in range(len(ends)))]
    check_three_runners(unroll.Graph([*steps, *starts], [outputs, ends]), feeds, expected, "float64")


@every_cell
def test_a_driver_takes_a_cell_of_pytorchs_contract_as_it_is(module: Any) -> None:
    x = unroll.placeholder([2, 3], "x")
    cell = module(3, 4)
    (seen,), _ = unroll.static_rnn(cell, [x])
    direct = cell(x)
    graph = unroll.Graph([x], [seen, direct[0] if isinstance(direct, tuple) else direct])
    one, other = graph.run({"x": np.ones((2, 3))}, graph.outputs)
    np.testing.assert_allclose(one, other, rtol=1e-6)


# -- what is refused --------------------------------------------------------------------------------------------------


def test_sizes_and_flags_out_of_their_range_are_refused() -> None:
    for module in SEQUENCES:
        refused(lambda m=module: m(3, 0), ValueError, "hidden_size is 0", "at least 1")  # type: ignore[misc]
        refused(lambda m=module: m(0, 3), ValueError, "input_size is 0")  # type: ignore[misc]
        refused(lambda m=module: m(3, 4, 0), ValueError, "num_layers is 0")  # type: ignore[misc]
        refused(lambda m=module: m(3, True), TypeError, "hidden_size is True", "an int")  # type: ignore[misc]
        refused(lambda m=module: m(3, 4, bias="no"), TypeError, "bias is 'no'", "a bool")  # type: ignore[misc]
        refused(lambda m=module: m(3, 4, batch_first=1), TypeError, "batch_first is 1", "a bool")  # type: ignore[misc]
        refused(lambda m=module: m(3, 4, bidirectional=2), TypeError, "bidirectional is 2")  # type: ignore[misc]
        refused(lambda m=module: m(3, 4, 2, dropout=-0.1), ValueError, "dropout -0.1", "from 0 to 1")  # type: ignore[misc]
        refused(lambda m=module: m(3, 4, dtype="int32"), TypeError, "int32", "floating")  # type: ignore[misc]
        refused(lambda m=module: m(3, 4, name=""), ValueError, "is not a name")  # type: ignore[misc]


def test_a_projection_is_smaller_than_the_state_and_lstms_alone() -> None:
    refused(lambda: nn.LSTM(3, 4, proj_size=4), ValueError, "proj_size 4 must be smaller than hidden_size 4")
    refused(lambda: nn.LSTM(3, 4, proj_size=-1), ValueError, "proj_size is -1")
    for module in (nn.RNN, nn.GRU):
        refused(lambda m=module: m(3, 4, proj_size=2), ValueError, "proj_size=2", "for its LSTM only")  # type: ignore[misc]


@pytest.mark.parametrize("module", [nn.RNN, nn.RNNCell])
def test_a_nonlinearity_that_pytorch_has_not_is_refused(module: Any) -> None:
    refused(lambda: module(3, 4, nonlinearity="sigmoid"), ValueError, "'sigmoid'", "'tanh' and 'relu'")


@every_module
def test_another_device_is_refused_and_the_cpu_taken(module: Any) -> None:
    refused(
        lambda: module(3, 4, device="cuda:0"), NotImplementedError, "device='cuda:0'", "leave it out, or give 'cpu'"
    )
    module(3, 4, device="cpu")


@pytest.mark.parametrize("module", [getattr(nn, name) for name in nn.__all__], ids=lambda module: module.__name__)
def test_every_argument_said_to_be_refused_or_kept_is_one(module: Any) -> None:
    arguments = inspect.signature(module).parameters
    assert {*module.REFUSED, *module.TRAINING_ONLY} <= set(arguments)


@every_sequence
def test_inputs_that_do_not_fit_are_refused_by_what_they_are(module: Any) -> None:
    rnn = module(3, 4)
    said = f"{module.__name__} '{module.__name__.lower()}'"
    refused(
        lambda: rnn(sequence(features=5)),
        ValueError,
        said,
        "(4, batch, 5) float32 must end in 3 features, its input_size",
    )
    refused(lambda: rnn(unroll.placeholder([3], "x")), ValueError, said, "(time, batch, features) or (time, features)")
    refused(lambda: module(3, 4, batch_first=True)(unroll.placeholder([3], "x")), ValueError, "(batch, time, features)")
    refused(lambda: rnn(np.ones((2, 1, 3))), TypeError, said, "no tensor")
    refused(lambda: rnn(sequence(dtype="float64")), TypeError, "must be of dtype float32", "dtype='float64'")
    refused(lambda: rnn(unroll.placeholder([None, 2, 3], "x")), ValueError, "time", "known number")
    refused(lambda: rnn(unroll.placeholder([None, 3], "x")), ValueError, "axis 0", "known")


def test_a_first_state_that_does_not_fit_is_refused_by_its_name() -> None:
    x = unroll.placeholder([2, 5, 3], "x")

    def state(*shape: Any, name: str = "s", dtype: str = "float32") -> Any:
        return unroll.placeholder(shape, name, dtype)

    gru, lstm = nn.GRU(3, 4, bidirectional=True), nn.LSTM(3, 4, proj_size=2)
    refused(lambda: gru(x, state(1, 5, 4)), ValueError, "GRU 'gru': hx: s", "(1, 5, 4)", "(2, 5, 4) is wanted")
    refused(lambda: gru(x, state(2, 4)), ValueError, "(2, 5, 4) is wanted")
    refused(lambda: gru(x, state(2, 5, 4, dtype="float64")), TypeError, "hx", "dtype float32 is wanted")
    refused(lambda: gru(x, (state(2, 5, 4),)), ValueError, "hx is ((2, 5, 4))", "one tensor is wanted")
    refused(lambda: gru(x, np.zeros((2, 5, 4))), ValueError, "hx", "no tensor")
    refused(lambda: lstm(x, state(1, 5, 2)), ValueError, "hx is (1, 5, 2)", "a tuple (h, c)")
    refused(lambda: lstm(x, (state(1, 5, 2),) * 3), ValueError, "a tuple (h, c)")
    refused(lambda: lstm(x, (state(1, 5, 2), state(1, 5, 2))), ValueError, "hx c", "(1, 5, 4) is wanted")
    refused(lambda: lstm(x, (state(1, 5, 4), state(1, 5, 4))), ValueError, "hx h", "(1, 5, 2) is wanted")
    symbolic = unroll.placeholder([2, None, 3], "x")
    refused(lambda: gru(symbolic, state(2, None, 4)), ValueError, "hx", "s_1", "x_1", "give both one name")


@every_cell
def test_what_does_not_fit_a_cell_is_refused(module: Any) -> None:
    cell, x = module(3, 4), unroll.placeholder([2, 3], "x")
    refused(lambda: cell(unroll.placeholder([2, 5], "x")), ValueError, "must end in 3 features, its input_size")
    refused(lambda: cell(np.ones((2, 3))), TypeError, module.__name__, "no tensor")
    refused(lambda: cell(unroll.placeholder([1, 2, 3], "x")), ValueError, "(batch, features) or (features,)")
    refused(lambda: cell(unroll.placeholder([2, 3], "x", "float64")), TypeError, "float32")
    bad = unroll.placeholder([2, 5], "s")
    refused(lambda: cell(x, bad if module is not nn.LSTMCell else (bad, bad)), ValueError, "(2, 4) is wanted")
    refused(lambda: cell(x, bad if module is nn.LSTMCell else (bad, bad)), ValueError, "hx is")


@every_sequence
def test_lengths_that_do_not_fit_are_refused(module: Any) -> None:
    rnn, x = module(3, 4), unroll.placeholder([7, 2, 3], "x")
    refused(lambda: rnn(x, lengths=[3, 8]), ValueError, "[3, 8]", "0 to 7")
    refused(lambda: rnn(x, lengths=[3, -1]), ValueError, "[3, -1]", "0 to 7")
    refused(lambda: rnn(x, lengths=[3]), ValueError, "(2,) is wanted")
    refused(lambda: rnn(x, lengths=[1.5, 2.0]), TypeError, "float64", "int64")
    lengths = unroll.placeholder([2], "lengths", "int64")
    graph = unroll.Graph([x, lengths], [*rnn(x, lengths=lengths)])
    feed = np.zeros((7, 2, 3), "float32")
    refused(lambda: graph.run({"x": feed, "lengths": [3, 8]}), ValueError, "lengths", "8", "7")
    refused(lambda: unroll.Session(graph).run({"x": feed, "lengths": [-1, 3]}), ValueError, "lengths", "-1")


# -- training only, names and pictures ----------------------------------------------------------------------------------


@every_sequence
def test_dropout_is_kept_and_changes_nothing(module: Any) -> None:
    x = sequence()
    plain, dropping = module(3, 4, 2), module(3, 4, 2, dropout=0.25)
    assert dropping.dropout == 0.25 and module.TRAINING_ONLY == ("dropout",)
    feeds = {"x": np.random.default_rng(0).standard_normal((4, 2, 3))}
    found, wanted = (unroll.Graph([x], [*m(x)]).run(feeds) for m in (dropping, plain))
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)


@every_sequence
def test_dropout_with_nothing_to_act_on_is_said(module: Any) -> None:
    with pytest.warns(unroll.UnrollWarning, match="acts between layers, and num_layers is 1") as said:
        module(3, 4, dropout=0.5)
    assert said[0].filename == __file__


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.RNN(3, 5), "(5, 3) = [h 5] x [x 3]"),
        (nn.LSTM(3, 5), "(20, 3) = [i|f|g|o 5] x [x 3]"),
        (nn.GRU(3, 5), "(15, 3) = [r|z|n 5] x [x 3]"),
    ],
    ids=["RNN", "LSTM", "GRU"],
)
def test_the_summary_names_the_gates_in_pytorchs_order_and_layout(module: Any, text: str) -> None:
    x = sequence()
    assert text in unroll.Graph([x], [*module(x)]).summary()


def test_a_projection_is_a_block_of_its_own() -> None:
    x = sequence()
    assert "lstm/weight_hr_l0  (2, 5) = [h 2] x [m 5]" in unroll.Graph([x], nn.LSTM(3, 5, proj_size=2)(x)[0]).summary()


@pytest.mark.parametrize(("module", "gates"), [(nn.LSTM, "i, f, g, o"), (nn.GRU, "r, z, n")])
def test_the_picture_names_the_gates_in_pytorchs_order(module: Any, gates: str) -> None:
    x = sequence(2)
    dot = unroll.draw(unroll.Graph([x], [*module(3, 4)(x)])).dot
    assert f"gate order {gates}" in dot
    assert "weight_hh_l0" in dot and "bias_hh_l0" in dot


@pytest.mark.parametrize("module", [nn.GRU, nn.GRUCell])
def test_a_grus_recurrent_blocks_say_why_they_stand_apart(module: Any) -> None:
    parameters = {name.removesuffix("_l0"): getattr(module(3, 4), name) for name in module(3, 4).state_dict()}
    notes = {name: parameter.blocks.note for name, parameter in parameters.items()}
    after = "the reset gate acts after the product"
    assert notes == {"weight_ih": "", "weight_hh": after, "bias_ih": "", "bias_hh": after}


def test_each_layer_and_direction_is_a_cell_and_parameters_keep_pytorchs_names() -> None:
    x = sequence(2)
    graph = unroll.Graph([x], [*nn.LSTM(3, 4, 2, bidirectional=True, name="encoder")(x)])
    cells = {origin.cell for node in graph.nodes for origin in node.provenance}
    assert cells == {None, *(f"encoder/{cell}" for cell in ("l0", "l0_reverse", "l1", "l1_reverse"))}
    assert {graph.name(node).rpartition("/")[0] for node in graph.nodes} >= {
        "encoder/t0/l0/i",
        "encoder/t1/l1_reverse/g",
    }
    assert all(name.startswith(("encoder/weight_", "encoder/bias_")) for name in graph.parameters)
    assert "encoder/weight_ih_l1_reverse" in graph.parameters
    assert graph.output_names == ("encoder/output", "encoder/h_n", "encoder/c_n")


def test_the_backward_direction_names_its_nodes_by_the_position_it_reads() -> None:
    x = sequence(3)
    graph = unroll.Graph([x], [*nn.RNN(3, 4, bidirectional=True)(x)])
    nodes = [node for node in graph.nodes if graph.name(node).startswith("rnn/t1/l0_reverse/")]
    reads = {graph.name(tensor) for node in nodes for tensor in node.inputs if tensor is not None}
    assert {"rnn/t1/x", "rnn/t2/l0_reverse/h"} <= reads and "rnn/t0/l0_reverse/h" not in reads


def test_the_scope_around_a_module_is_above_its_names() -> None:
    x = sequence(2)
    with unroll.scope("model"):
        gru = nn.GRU(3, 4)
        graph = unroll.Graph([x], gru(x)[0])
    assert next(iter(graph.parameters)) == "model/gru/weight_ih_l0"
    assert "model/gru/t1/l0/z" in graph.tensor_names()


@every_module
def test_the_products_are_gemms_of_the_weights_as_they_are_stored(module: Any) -> None:
    x = sequence() if module in SEQUENCES else unroll.placeholder([None, 3], "x")
    ops = [node.op for node in unroll.Graph([x], [module(3, 4)(x)]).nodes]
    assert "Transpose" not in {op.name for op in ops}
    assert {getattr(op, "transB", None) for op in ops if op.name == "Gemm"} == {1}


@every_cell
def test_of_one_vector_the_products_are_matrix_by_vector(module: Any) -> None:
    x = unroll.placeholder([3], "x")
    graph = unroll.Graph([x], [module(3, 4)(x)])
    assert {"Gemm", "Transpose"}.isdisjoint(node.op.name for node in graph.nodes)
    assert [node.inputs[0] for node in graph.nodes if node.op.name == "MatMul"] == [
        graph.parameters[f"{graph.nodes[0].origin.cell}/{name}"] for name in ("weight_ih", "weight_hh")
    ]


# -- modules without a state ----------------------------------------------------------------------------------------------


def test_a_linear_readout_of_a_sequence_takes_a_batch_that_is_not_known_yet() -> None:
    x = sequence()
    graph = unroll.Graph([x], nn.Linear(4, 2)(nn.GRU(3, 4)(x)[0]))
    assert [str(size) for size in graph.outputs[0].shape] == ["4", "batch", "2"]
    assert graph.run({"x": np.ones((4, 5, 3))})["linear/output"].shape == (4, 5, 2)


def test_what_does_not_fit_a_linear_is_refused() -> None:
    refused(lambda: nn.Linear(3, 0), ValueError, "Linear 'linear': out_features is 0")
    refused(lambda: nn.Linear(3, 4, bias=1), TypeError, "bias is 1")  # type: ignore[arg-type]
    refused(lambda: nn.Linear(3, 4)(unroll.placeholder([2, 5], "x")), ValueError, "3 features, its in_features")
    refused(lambda: nn.Linear(3, 4)(unroll.placeholder([], "x")), ValueError, "3 features, its in_features")
    refused(lambda: nn.Linear(3, 4)(unroll.placeholder([3], "x", "float64")), TypeError, "dtype='float64'")


def test_a_linear_draws_its_first_values_between_pytorchs_bounds() -> None:
    values = np.abs(np.concatenate([array.ravel() for array in nn.Linear(16, 30).state_dict().values()]))
    assert 0.95 / 4 < values.max() <= 1 / 4


def test_an_embedding_draws_a_standard_normal_and_zeros_for_the_padding() -> None:
    weight = nn.Embedding(60, 40, padding_idx=-1).state_dict()["weight"]
    assert not np.any(weight[59]) and np.all(weight[:59])
    assert abs(weight[:59].mean()) < 0.05 and weight[:59].std() == pytest.approx(1, rel=0.05)


def test_ids_that_an_embedding_does_not_have_are_refused() -> None:
    table, ids = nn.Embedding(5, 3), unroll.placeholder([2], "ids", "int64")
    refused(lambda: table(unroll.constant([0, 5])), ValueError, "outside 0 to 4")
    refused(lambda: table(unroll.constant([0, -1])), ValueError, "outside 0 to 4")
    refused(lambda: table(unroll.placeholder([2], "x")), TypeError, "must be integers")
    refused(lambda: table([0, 1]), TypeError, "no tensor")  # type: ignore[arg-type]
    graph = unroll.Graph([ids], table(ids))
    refused(lambda: graph.run({"ids": [0, 5]}), ValueError, "'ids'", "5", "0 to 4")
    refused(lambda: unroll.Session(graph).run({"ids": [-1, 0]}), ValueError, "'ids'", "-1", "0 to 4")


def test_arguments_that_an_embedding_cannot_honour_are_refused() -> None:
    refused(lambda: nn.Embedding(5, 3, max_norm=1.0), NotImplementedError, "max_norm=1.0", "reads its weights only")
    refused(lambda: nn.Embedding(5, 3, norm_type=1.0), NotImplementedError, "norm_type=1.0")
    refused(lambda: nn.Embedding(5, 3, padding_idx=5), ValueError, "padding_idx 5", "5 rows")
    refused(lambda: nn.Embedding(5, 3, padding_idx=-6), ValueError, "padding_idx is -6")
    refused(lambda: nn.Embedding(0, 3), ValueError, "num_embeddings is 0")
    kept = nn.Embedding(5, 3, scale_grad_by_freq=True, sparse=True)
    assert kept.scale_grad_by_freq is kept.sparse is True


def test_an_embedding_feeds_a_recurrence() -> None:
    ids = unroll.placeholder([4, "batch"], "ids", "int64")
    graph = unroll.Graph([ids], nn.LSTM(3, 2)(nn.Embedding(5, 3)(ids))[0])
    assert graph.run({"ids": [[0, 1], [2, 3], [4, 0], [1, 1]]})["lstm/output"].shape == (4, 2, 2)


# -- with the rest of the package -------------------------------------------------------------------------------------------


def test_a_stream_of_chunks_gives_the_numbers_of_pytorchs_whole_sequence() -> None:
    _, arrays = golden("lstm-num_layers=2-proj_size=2-b3-t7-init")
    lstm, x = nn.LSTM(3, 4, 2, proj_size=2), unroll.placeholder([1, "batch", 3], "x")
    lstm.load_state_dict(state_dict(arrays))
    h, c = unroll.placeholder([2, "batch", 2], "h"), unroll.placeholder([2, "batch", 4], "c")
    output, (h_n, c_n) = lstm(x, (h, c))
    graph = unroll.Graph([x], {"output": output}, states={h: h_n, c: c_n})
    for stream in (graph.stream(), unroll.Session(graph).stream()):
        stream.reset({"h": arrays["state0/0"], "c": arrays["state0/1"]})
        found = [stream.run({"x": chunk[None]})["output"] for chunk in arrays["input"]]
        np.testing.assert_allclose(np.concatenate(found), arrays["output"], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(stream.state["c"], arrays["state/1"], rtol=1e-5, atol=1e-5)


@every_sequence
def test_the_runners_are_seen_to_agree_by_verify(module: Any) -> None:
    x = sequence()
    assert unroll.verify(unroll.Graph([x], [*module(3, 4, 2, bidirectional=True)(x)]))


def test_a_long_sequence_is_traced_without_recursion() -> None:
    x = unroll.placeholder([500, "batch", 3], "x")
    output, h_n = nn.GRU(3, 4)(x)
    graph = unroll.Graph([x], [output, h_n])
    output_value, last = graph.run({"x": np.random.default_rng(0).standard_normal((500, 2, 3))}).values()
    np.testing.assert_array_equal(output_value[-1], last[0])
