"""What unroll.nn refuses: arguments, devices, inputs, states and lengths that do not fit, with what was wanted."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from helpers import refused
from nn_modules import SEQUENCES, every_cell, every_module, every_sequence, sequence

import unroll
from unroll import nn


def test_sizes_and_flags_out_of_their_range_are_refused() -> None:
    for module in SEQUENCES:
        refused(lambda m=module: m(3, 0), ValueError, "hidden_size is 0", "at least 1")  # type: ignore[misc]
        refused(lambda m=module: m(0, 3), ValueError, "input_size is 0")  # type: ignore[misc]
        refused(lambda m=module: m(3, 4, 0), ValueError, "num_layers is 0")  # type: ignore[misc]
        refused(lambda m=module: m(3, True), TypeError, "hidden_size is True", "an int")  # type: ignore[misc]
        refused(lambda m=module: m(3, 4, bias="no"), TypeError, "bias is 'no'", "True or False")  # type: ignore[misc]
        refused(lambda m=module: m(3, 4, batch_first=3), TypeError, "batch_first is 3", "True or False")  # type: ignore[misc]
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
    refused(lambda: rnn(unroll.placeholder([0, 2, 3], "x")), ValueError, "time 0 on axis 0", "at least 1")
    refused(lambda: rnn(unroll.placeholder([0, 3], "x")), ValueError, "axis 0", "at least 1")


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
    refused(
        lambda: gru(symbolic, state(2, None, 5)), ValueError, "GRU 'gru': hx", "(2, s_1, 5)", "(2, x_1, 4) is wanted"
    )
    refused(lambda: gru(symbolic, state(2, 7, 4)), ValueError, "hx", "(2, 7, 4)", "(2, x_1, 4) is wanted", "None")


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
