"""TensorFlow 1.15's contrib cells and xLSTM's sLSTM, case by case: names, shapes and numbers in three runners."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from contrib_programs import CASES, MODULES, build, make_cell
from helpers import Array, check_three_runners, golden_arrays, names_and_shapes, refused

import unroll
from unroll import nest

every_case = pytest.mark.parametrize("index", range(len(CASES)), ids=[case["id"] for case in CASES])


@pytest.mark.slow
@every_case
def test_variables_have_tensorflows_names_and_shapes(index: int) -> None:
    wanted = [(item["name"], tuple(item["shape"])) for item in CASES[index]["variables"]]
    assert sorted(names_and_shapes(build(index)[0])) == sorted(wanted)


@every_case
def test_three_runners_give_the_numbers_of_the_golden_file(index: int) -> None:
    graph, feeds, expected = build(index)
    check_three_runners(graph, feeds, expected, CASES[index]["dtype"])


def test_the_golden_file_holds_the_cases_that_are_promised() -> None:
    assert {case["cell"] for case in CASES} == MODULES.keys()
    assert all(case["oracle"] == "TensorFlow 1.15 contrib" for case in CASES if case["cell"] != "SLSTMCell")
    for cell in MODULES.keys() - {"ConvLSTMCell", "Conv3DLSTMCell"}:
        of_cell = [case for case in CASES if case["cell"] == cell]
        crossed = {(case["T"], case["batch"], case["initial_state"]) for case in of_cell if case["dtype"] == "float32"}
        assert {(steps, *start) for steps in (1, 2, 7) for start in ((1, False), (3, True))} <= crossed
        assert any(case["dtype"] == "float64" for case in of_cell)


VECTOR_CASES = [
    case["id"]
    for case in CASES
    if (case["T"], case["batch"], case["initial_state"]) == (7, 1, True) and case["inputs"] in ("features", "time")
]


@pytest.mark.parametrize("name", VECTOR_CASES)
def test_a_step_without_a_batch_gives_the_row_that_a_batch_of_one_gives(name: str) -> None:
    case = next(case for case in CASES if case["id"] == name)
    arrays, keys = golden_arrays("contrib_cells.npz"), case["arrays"]
    cell = make_cell(case["cell"], case["kwargs"])
    leaves = [arrays[key][0, 0] for key in keys["inputs"]]
    given = [arrays[key][0] for key in keys["state0"]]
    inputs = [unroll.placeholder(leaf.shape, f"x{i}") for i, leaf in enumerate(leaves)]
    parts = [unroll.placeholder(part.shape, f"state{i}") for i, part in enumerate(given)]
    step = tuple(inputs) if len(inputs) > 1 else inputs[0]
    (output,), _ = unroll.static_rnn(cell, [step], nest.pack(cell.state_size, parts))
    graph = unroll.Graph([*inputs, *parts], [output])
    graph.assign({item["name"]: arrays[item["key"]] for item in case["variables"]})
    feeds = {tensor.name: array for tensor, array in zip([*inputs, *parts], [*leaves, *given], strict=True)}
    check_three_runners(graph, feeds, [arrays[keys["outputs"]][0, 0]], "float32")


# -- what pictures and summaries call the parts -----------------------------------------------------------------------

GATES = {
    "AttentionCellWrapper": "i j f o attention",
    "Conv2DLSTMCell": "i j f o",
    "CoupledInputForgetGateLSTMCell": "j f o",
    "EmbeddingWrapper": "i j f o",
    "IndRNNCell": "h",
    "IndyGRUCell": "r u c",
    "IndyLSTMCell": "i j f o",
    "InputProjectionWrapper": "gates c",
    "IntersectionRNNCell": "gh h gy y",
    "LayerNormBasicLSTMCell": "i j f o",
    "MinimalRNNCell": "v u",
    "NASCell": "g0 g1 g2 g3 g4 g5 g6 g7",
    "OutputProjectionWrapper": "i j f o",
    "PhasedLSTMCell": "i f j o k",
    "SLSTMCell": "z i f o",
    "SRUCell": "f r",
    "UGRNNCell": "g c",
}


@pytest.mark.parametrize("cell", GATES)
def test_the_summary_names_the_gates(cell: str) -> None:
    case = next(i for i, case in enumerate(CASES) if case["cell"] == cell and case["T"] == 1)
    graph = build(case)[0]
    found = {origin.gate for node in graph.nodes for origin in node.provenance}
    assert found - {None} == set(GATES[cell].split())
    text = graph.summary(full=True)
    assert all(f"/{gate}/" in text for gate in GATES[cell].split())


def test_block_tables_say_which_blocks_are_never_one_product() -> None:
    nas = build(next(i for i, case in enumerate(CASES) if case["cell"] == "NASCell"))[0]
    assert "multiplied in g3" in str(nas.parameters["rnn/nas_cell/kernel"].blocks.note)
    ind = build(next(i for i, case in enumerate(CASES) if case["cell"] == "IndRNNCell"))[0]
    assert "no product with h" in str(ind.parameters["rnn/ind_rnn_cell/kernel_u"].blocks.note)


# -- first values and arguments ---------------------------------------------------------------------------------------


def traced(name: str, *inputs: Any, **kwargs: Any) -> tuple[Any, dict[str, Array]]:
    """A cell after one step, and the first values of its own weights."""
    cell = make_cell(name, kwargs)
    step = inputs or (unroll.placeholder([None, 4], "x"),)
    unroll.static_rnn(cell, [step if len(step) > 1 else step[0]])
    return cell, {key: weight.value for key, weight in cell.weights.items()}


def test_weights_that_tensorflow_starts_at_a_number_start_there() -> None:
    _, norms = traced("LayerNormBasicLSTMCell", num_units=3, norm_gain=2.0, norm_shift=0.5)
    assert all((norms[f"{place}/gamma"] == 2).all() for place in ("input", "transform", "forget", "output", "state"))
    assert all((norms[f"{place}/beta"] == 0.5).all() for place in ("input", "transform", "forget", "output", "state"))
    _, indy = traced("IndyGRUCell", num_units=3)
    assert (indy["gates/bias"] == 1).all() and (indy["candidate/bias"] == 0).all()
    _, minimal = traced("MinimalRNNCell", units=3)
    assert (minimal["bias"] == 1).all()
    _, coupled = traced("CoupledInputForgetGateLSTMCell", num_units=3)
    assert (coupled["B"] == 0).all()


def test_weights_that_tensorflow_draws_from_a_range_lie_in_it() -> None:
    time, x = unroll.placeholder([None, 1], "t"), unroll.placeholder([None, 4], "x")
    _, phased = traced("PhasedLSTMCell", time, x, num_units=200, ratio_on=0.3, period_init_min=10, period_init_max=50)
    period, phase = phased["period"], phased["phase"]
    assert 10 <= period.min() < 15 and 40 < period.max() <= 50
    assert (phase >= 0).all() and (phase <= period).all() and phase.max() > 30
    np.testing.assert_array_equal(phased["ratio_on"], np.full(200, 0.3, np.float32))
    _, ind = traced("IndRNNCell", num_units=200)
    assert -1 <= ind["kernel_u"].min() < -0.9 and 0.9 < ind["kernel_u"].max() <= 1
    ids = unroll.placeholder([None, 1], "ids", "int64")
    inner = {"cell": "GRUCell", "kwargs": {"num_units": 3}}
    _, table = traced("EmbeddingWrapper", ids, cell=inner, embedding_classes=50, embedding_size=20)
    assert abs(table["embedding"].var() - 1) < 0.1


def test_initialisers_are_taken_by_name_and_as_functions() -> None:
    assert (traced("UGRNNCell", num_units=3, initializer="ones")[1]["kernel"] == 1).all()
    drawn = traced(
        "CoupledInputForgetGateLSTMCell", num_units=3, num_proj=2, initializer=unroll.initializers.Constant(2)
    )
    assert (drawn[1]["W_0"] == 2).all() and (drawn[1]["W_P_0"] == 2).all()
    assert (traced("MinimalRNNCell", units=3, kernel_initializer="zeros")[1]["kernel"] == 0).all()


def test_arguments_of_training_are_kept() -> None:
    cell = make_cell("LayerNormBasicLSTMCell", {"num_units": 3, "dropout_keep_prob": 0.5, "dropout_prob_seed": 7})
    assert (cell.dropout_keep_prob, cell.dropout_prob_seed) == (0.5, 7)
    assert make_cell("PhasedLSTMCell", {"num_units": 3, "trainable_ratio_on": False}).trainable_ratio_on is False


def test_ugrnn_takes_its_weights_as_matrices_of_input_and_state() -> None:
    rng = np.random.default_rng(0)
    wx, wh, b = rng.standard_normal((4, 6)), rng.standard_normal((3, 6)), rng.standard_normal(6)
    cell, _ = traced("UGRNNCell", num_units=3)
    cell.set_weights(input=wx.T, recurrent=wh.T, bias=b, layout="out_in", gate_order="gc")
    np.testing.assert_allclose(cell.kernel.value, np.concatenate([wx, wh]), rtol=1e-6)
    np.testing.assert_allclose(cell.bias.value, b, rtol=1e-6)


@pytest.mark.parametrize("input_gate", [200, -200])
def test_the_slstm_stays_finite_where_plain_exponentials_do_not(input_gate: int) -> None:
    cell = make_cell("SLSTMCell", {"num_units": 1})
    xs = [unroll.placeholder([1, 1], f"x{step}") for step in range(3)]
    outputs, _ = unroll.static_rnn(cell, xs)
    graph = unroll.Graph(xs, outputs)
    weights = {"kernel": [[1, input_gate, 0, 0]], "recurrent_kernel": np.zeros((1, 4)), "bias": np.zeros(4)}
    graph.assign({f"rnn/slstm_cell/{name}": value for name, value in weights.items()})
    # Every input is the same, so c / n is tanh(1) however its parts are weighed; o is sigmoid(0).
    expected = [np.full((1, 1), np.tanh(1) / 2, np.float32)] * 3
    check_three_runners(graph, {f"x{step}": np.ones((1, 1), np.float32) for step in range(3)}, expected, "float32")


# -- bad input --------------------------------------------------------------------------------------------------------

LSTM3 = {"cell": "BasicLSTMCell", "kwargs": {"num_units": 3}}
GRU3 = {"cell": "GRUCell", "kwargs": {"num_units": 3}}
IMAGE = {"input_shape": [4, 3, 2], "output_channels": 2, "kernel_shape": [3, 3]}
CONV = {"cell": "Conv2DLSTMCell", "kwargs": IMAGE}


@pytest.mark.parametrize(
    ("cell", "kwargs", "kind", "said"),
    [
        ("UGRNNCell", {"num_units": 0}, ValueError, "num_units is 0; at least 1"),
        ("UGRNNCell", {"num_units": 2.5}, TypeError, "num_units is 2.5"),
        ("UGRNNCell", {"num_units": 3, "activation": "than"}, ValueError, "no activation is called 'than'"),
        ("UGRNNCell", {"num_units": 3, "initializer": "glorot"}, ValueError, "no initializer is called 'glorot'"),
        ("UGRNNCell", {"num_units": 3, "forget_bias": [1, 2]}, ValueError, "forget_bias"),
        ("UGRNNCell", {"num_units": 3, "name": ""}, ValueError, "is not a name"),
        ("UGRNNCell", {"num_units": 3, "reuse": True}, NotImplementedError, "call the same cell object"),
        ("NASCell", {"num_units": 3, "num_proj": 0}, ValueError, "num_proj is 0"),
        ("NASCell", {"num_units": 3, "reuse": True}, NotImplementedError, "call the same cell object"),
        ("IntersectionRNNCell", {"num_units": 3, "num_in_proj": 2}, ValueError, "projected to num_units, 3"),
        ("IntersectionRNNCell", {"num_units": 3, "y_activation": 1}, TypeError, "neither a name nor a function"),
        ("CoupledInputForgetGateLSTMCell", {"num_units": 3, "proj_clip": 1.0}, ValueError, "give num_proj too"),
        ("CoupledInputForgetGateLSTMCell", {"num_units": 3, "num_unit_shards": 0}, ValueError, "num_unit_shards is 0"),
        (
            "CoupledInputForgetGateLSTMCell",
            {"num_units": 3, "num_proj": 2, "proj_clip": -1},
            ValueError,
            "proj_clip is -1",
        ),
        ("PhasedLSTMCell", {"num_units": 3, "leak": 2}, ValueError, "a number from 0 to 1"),
        ("PhasedLSTMCell", {"num_units": 3, "ratio_on": -0.1}, ValueError, "ratio_on is -0.1"),
        ("PhasedLSTMCell", {"num_units": 3, "period_init_min": 0}, ValueError, "above 0 and in order"),
        ("PhasedLSTMCell", {"num_units": 3, "period_init_max": 0.5}, ValueError, "above 0 and in order"),
        ("LayerNormBasicLSTMCell", {"num_units": 3, "dropout_keep_prob": 2}, ValueError, "dropout_keep_prob is 2"),
        ("LayerNormBasicLSTMCell", {"num_units": 3, "input_size": 4}, NotImplementedError, "leave it out"),
        ("LayerNormBasicLSTMCell", {"num_units": 3, "norm_gain": "big"}, TypeError, "norm_gain"),
        ("SRUCell", {"num_units": -1}, ValueError, "num_units is -1"),
        ("IndRNNCell", {"num_units": 3, "activation": "than"}, ValueError, "no activation is called 'than'"),
        ("IndyGRUCell", {"num_units": 3, "kernel_initializer": True}, TypeError, "kernel_initializer"),
        ("IndyLSTMCell", {"num_units": 3, "forget_bias": "one"}, TypeError, "forget_bias"),
        ("MinimalRNNCell", {"units": 3, "bias_initializer": "one's"}, ValueError, "bias_initializer"),
        ("AttentionCellWrapper", {"cell": LSTM3, "attn_length": 0}, ValueError, "attn_length is 0"),
        (
            "AttentionCellWrapper",
            {"cell": LSTM3, "attn_length": 2, "state_is_tuple": False},
            ValueError,
            "whose state is one tensor",
        ),
        ("AttentionCellWrapper", {"cell": CONV, "attn_length": 2}, ValueError, "vectors are wanted"),
        ("InputProjectionWrapper", {"cell": GRU3, "num_proj": 0}, ValueError, "num_proj is 0"),
        ("InputProjectionWrapper", {"cell": GRU3, "num_proj": 2, "input_size": 3}, NotImplementedError, "leave it out"),
        ("OutputProjectionWrapper", {"cell": CONV, "output_size": 2}, ValueError, "vectors are wanted"),
        ("OutputProjectionWrapper", {"cell": GRU3, "output_size": 2.5}, TypeError, "output_size is 2.5"),
        ("EmbeddingWrapper", {"cell": GRU3, "embedding_classes": 0, "embedding_size": 2}, ValueError, "at least 1"),
        ("Conv2DLSTMCell", IMAGE | {"input_shape": [4, 2]}, ValueError, "a list of 3 sizes"),
        ("Conv2DLSTMCell", IMAGE | {"kernel_shape": [3, 0]}, ValueError, "kernel_shape is 0"),
        ("Conv2DLSTMCell", IMAGE | {"initializers": "zeros"}, NotImplementedError, "leave it out"),
        ("ConvLSTMCell", IMAGE | {"conv_ndims": 4}, ValueError, "1, 2 or 3 is wanted"),
        ("SLSTMCell", {"num_units": 4, "num_heads": 3}, ValueError, "cannot be cut into 3 equal heads"),
        ("SLSTMCell", {"num_units": 4, "forget_activation": "relu"}, ValueError, "neither 'sigmoid' nor 'exp'"),
    ],
)
def test_arguments_that_cannot_be_are_refused(cell: str, kwargs: dict[str, Any], kind: Any, said: str) -> None:
    refused(lambda: make_cell(cell, kwargs), kind, cell, said)


@pytest.mark.parametrize("wrapper", ["AttentionCellWrapper", "InputProjectionWrapper", "OutputProjectionWrapper"])
def test_a_wrapper_refuses_what_is_no_cell(wrapper: str) -> None:
    made = getattr(importlib.import_module(f"unroll.cells.{MODULES[wrapper]}"), wrapper)
    refused(lambda: made(unroll.BasicLSTMCell, 2), ValueError, wrapper, "is a class; make one")


X = [None, 4]


@pytest.mark.parametrize(
    ("cell", "kwargs", "step", "kind", "said"),
    [
        ("IntersectionRNNCell", {"num_units": 3}, [(X, "float32")], ValueError, "num_in_proj=3 projects the input"),
        (
            "CoupledInputForgetGateLSTMCell",
            {"num_units": 3, "num_unit_shards": 8},
            [(X, "float32")],
            ValueError,
            "W of 7 rows cannot be stored in 8 pieces",
        ),
        ("PhasedLSTMCell", {"num_units": 3}, [(X, "float32")], ValueError, "(time, x) is wanted"),
        ("PhasedLSTMCell", {"num_units": 3}, [([None, 2], "float32"), (X, "float32")], ValueError, "one number a row"),
        ("PhasedLSTMCell", {"num_units": 3}, [([None, 1], "int64"), (X, "float32")], TypeError, "float32 or float64"),
        ("EmbeddingWrapper", {"cell": GRU3}, [(X, "float32")], TypeError, "must be integers"),
        ("EmbeddingWrapper", {"cell": GRU3}, [(X, "int64")], ValueError, "one integer a row"),
        ("Conv2DLSTMCell", IMAGE, [(X, "float32")], ValueError, "shape (batch, 4, 3, 2) is wanted"),
        ("Conv2DLSTMCell", IMAGE, [([4, 3, 2], "float32")], ValueError, "shape (batch, 4, 3, 2) is wanted"),
        ("Conv2DLSTMCell", IMAGE, [([None, 4, 3, 1], "float32")], ValueError, "shape (batch, 4, 3, 2) is wanted"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    cell: str, kwargs: dict[str, Any], step: list[Any], kind: Any, said: str
) -> None:
    table = {"embedding_classes": 5, "embedding_size": 2} if cell == "EmbeddingWrapper" else {}
    leaves = [unroll.placeholder(shape, f"x{i}", dtype) for i, (shape, dtype) in enumerate(step)]
    made = make_cell(cell, kwargs | table)
    refused(lambda: unroll.static_rnn(made, [tuple(leaves) if len(leaves) > 1 else leaves[0]]), kind, said)


@pytest.mark.parametrize("cell", ["PhasedLSTMCell", "EmbeddingWrapper", "Conv2DLSTMCell", "SRUCell"])
def test_an_array_in_place_of_a_tensor_is_refused(cell: str) -> None:
    case = next(case for case in CASES if case["cell"] == cell)
    made = make_cell(cell, case["kwargs"])
    with pytest.raises(unroll.UnrollError, match=r"is no tensor|\(time, x\) is wanted"):
        made(np.zeros((1, 4)), made.zero_state(1))


@pytest.mark.parametrize("cell", ["SRUCell", "NASCell", "IndRNNCell", "LayerNormBasicLSTMCell", "SLSTMCell"])
def test_a_cell_is_reused_only_with_inputs_of_one_width_and_dtype(cell: str) -> None:
    made, _ = traced(cell, num_units=4)
    wider, longer = unroll.placeholder([None, 5], "wider"), unroll.placeholder([None, 4], "longer", "float64")
    refused(lambda: unroll.static_rnn(made, [wider], scope="b"), ValueError, "one width")
    refused(lambda: unroll.static_rnn(made, [longer], scope="c"), TypeError, "float32", "float64")


def test_ids_outside_the_table_are_refused_when_they_are_fed() -> None:
    ids = unroll.placeholder([None, 1], "ids", "int64")
    cell = make_cell("EmbeddingWrapper", {"cell": GRU3, "embedding_classes": 5, "embedding_size": 2})
    outputs, _ = unroll.static_rnn(cell, [ids])
    graph = unroll.Graph([ids], outputs)
    for wrong in (-1, 5):
        refused(lambda wrong=wrong: graph.run({ids: [[wrong]]}), ValueError, "0 to 4 is wanted")
    refused(lambda: cell(unroll.constant(np.array([7])), cell.zero_state(1)), ValueError, "ids outside 0 to 4")
