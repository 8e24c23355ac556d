"""Every public function, class and method called wrongly: it works, or it says so with an UnrollError."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import refused
from right_calls import Call, all_calls, prepared
from wrong_values import WRONG

import unroll
import unroll.export as export
import unroll.passes as passes
from unroll import activations, cells, keras, layers, nn, ops, seq2seq

CALLS = all_calls()
#: What is no function of its own: types of errors, and what is only imported to be an instance of.
NOT_CALLED = {
    "UnrollError",
    "UnrollWarning",
    "Tensor",
    "RNNCell",
    "TensorShape",
    "LSTMStateTuple",
    "OPERATORS",
    "RNNCellLike",
}


#: Classes that stand behind the public ones, and what is inside of them.
INNER = re.compile(
    r"\b(GatedCell|UnitCell|CellWrapper|WeightedWrapper|NormedCell|WeightOwner|Structure|SequenceModule|StepCell|LSTMStep|GRUStep"
    r"|RNNStep|Recorded|KerasContract|bearer|REFUSED|TRAINING_ONLY|SCHEDULING)\b"
)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Some of what is tried writes files, and warns."""
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_every_public_name_is_called() -> None:
    faces = {
        "ops.": ops,
        "cells.": cells,
        "layers.": layers,
        "nn.": nn,
        "activations.": activations,
        "seq2seq.": seq2seq,
    }
    names = [*unroll.__all__, *export.__all__, *passes.__all__]
    names += [f"{face}{name}" for face, module in faces.items() for name in module.__all__]
    called = {name for name in names if name not in CALLS}
    modules = {name for name in called if inspect.ismodule(getattr(unroll, name, None))}
    again = {name for name in called if f"cells.{name}" in CALLS}  # cells under their other name
    assert {name.rpartition(".")[2] for name in called - modules - again} <= NOT_CALLED
    # What a face of another framework calls by its own name is one of these, or is called under that.
    functions = {id(call.function) for call in CALLS.values()}
    for module in (keras, keras.layers, keras.ops, keras.models, keras.activations):
        own = [name for name in module.__all__ if not inspect.ismodule(getattr(module, name))]
        assert not [name for name in own if id(getattr(module, name)) not in functions and name != "KerasTensor"]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_with_a_wrong_argument_works_or_says_why_not(name: str) -> None:
    prepared(name)
    call = CALLS[name]
    call.then(call.function(*call.args, **call.kwargs))  # the right call is right
    raw = list(raw_errors(call))
    assert not raw, "\n".join(raw)


def raw_errors(call: Call) -> Iterator[str]:
    """What is raised besides UnrollErrors, for each wrong value in each place."""
    for position in call.positions():
        for label, wrong in WRONG.items():
            try:
                call.with_argument(position, wrong)
            except unroll.UnrollError as error:
                if not str(error).strip():
                    yield f"{position}={label}: an empty message"
                if inner := INNER.search(str(error)):
                    yield f"{position}={label}: {inner[0]} is no word for users: {error}"
            except Exception as error:
                yield f"{position}={label}: {type(error).__name__}: {error}"


TAKES_KEYWORDS: dict[str, tuple[str, str]] = {
    "static_rnn": ("sequence_lenght", "sequence_length"), "dynamic_rnn": ("time_mayor", "time_major"),
    "to_c": ("rold", "rolled"),
    "to_onnx": ("opsett", "opset"), "compile": ("bach", "batch"), "verify": ("tolerence", "tolerance"),
    "draw": ("levle", "level"), "optimize": ("repport", "report"), "reroll": ("scann", "scan"),
    "cells.GRUCell": ("kernel_initialiser", "kernel_initializer"), "cells.BasicLSTMCell": ("forget_bais", "forget_bias"),
    "nn.LSTM": ("batch_frist", "batch_first"), "layers.LSTM": ("return_sequence", "return_sequences"),
    "ops.reduce_mean": ("axsi", "axis"), "ops.split": ("piecs", "pieces"), "placeholder": ("shap", "shape"),
    "Graph": ("state", "states"), "Session": ("option", "options"), "scope": ("initialiser", "initializer"),
    "Parameter": ("block", "blocks"), "StateSaver": ("batchsize", "batch_size"), "constant": ("dtpe", "dtype"),
    "run_many": ("batchsize", "batch_size"), "equivalent": ("seeds", "seed"), "trace": ("function", "fn"),
    "Graph.run": ("fetch", "fetches"), "Parameter.assign": ("values", "value"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKES_KEYWORDS)
def test_a_misspelt_keyword_is_told_the_near_name(name: str) -> None:
    call, (wrong, right) = CALLS[name], TAKES_KEYWORDS[name]
    refused(lambda: call.function(*call.args, **call.kwargs, **{wrong: None}), TypeError, wrong, right)


@pytest.mark.parametrize("name", ["static_rnn", "cells.GRUCell", "ops.concat", "Graph", "Session", "nn.LSTM", "draw"])
def test_arguments_left_out_are_named(name: str) -> None:
    function: Any = CALLS[name].function
    first = next(item for item in inspect.signature(function).parameters if item != "self")
    refused(lambda: function(), TypeError, first)
