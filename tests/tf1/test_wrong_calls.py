"""Every function of TensorFlow 1's face called wrongly: it works, or it says so with an UnrollError."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tf1_calls import CALLS
from wrong_values import WRONG

import unroll
from unroll import tf1 as tf
from unroll.tf1.names import Namespace

#: What is no function of its own, or is one without arguments.
NOT_CALLED = {
    "DType", "GPUOptions", "Graph", "GraphKeys", "Operation", "Tensor", "TensorArray", "VariableScope",
    "all_variables", "disable_eager_execution", "disable_v2_behavior", "get_default_graph", "get_default_session",
    "get_variable_scope", "global_variables_initializer", "initialize_all_variables", "local_variables_initializer",
    "reset_default_graph", "tables_initializer", "get_total_loss", "get_or_create_global_step", "LSTMStateTuple", "RNNCell",
    "static_state_saving_rnn", "AttentionWrapperState", "BasicDecoder", "BasicDecoderOutput", "FLAGS", "run",
}  # fmt: skip
#: The error of a function that the program gave.
OWN = {
    ("contrib.seq2seq.sequence_loss", "softmax_loss_function", "type"),
    ("nn.raw_rnn", 1, "type"),
    ("scan", 0, "type"),
}
#: What takes options of which none act here; methods; and what is a lambda of the table of calls.
TAKE_ANY = {
    "ConfigProto", "Session.run", "Session.graph_of", "Graph.get_tensor_by_name", "Tensor.set_shape",
    "AttentionWrapper.zero_state",
}  # fmt: skip


#: Methods that take any option, that are not for users, or that a ``with`` calls without arguments.
NO_METHODS = {"save", "of", "as_default"}


def functions(home: Any, names: list[str]) -> Iterator[tuple[str, Any]]:
    for name in names:
        found = getattr(home, name)
        if isinstance(found, Namespace):
            yield from functions(found, [*dir(found)])
        elif callable(found):
            yield name, found


def test_every_function_is_called() -> None:
    called = set()
    for make in CALLS.values():
        tf.reset_default_graph()
        called.add(id(make().function))
    lacking = {name for name, found in functions(tf, tf.__all__) if id(found) not in called}
    rows = {name for name in lacking if name.startswith("DEFINE_") or name.endswith("Optimizer")}
    cells = {
        name for name in lacking if isinstance(getattr(tf.contrib.rnn, name, None), type)
    }  # tests/right_calls.py has them
    assert lacking - rows - cells <= NOT_CALLED


@pytest.mark.parametrize("name", CALLS)
def test_a_call_with_a_wrong_argument_works_or_says_why_not(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    right = CALLS[name]()
    right.then(right.function(*right.args, **right.kwargs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = list(raw_errors(name, right.positions()))
    assert not raw, "\n".join(raw)


def raw_errors(name: str, positions: list[int | str]) -> Iterator[str]:
    """What is raised besides UnrollErrors, for each wrong value in each place."""
    for position in positions:
        for label, wrong in WRONG.items():
            tf.reset_default_graph()
            try:
                CALLS[name]().with_argument(position, wrong)
            except unroll.UnrollError as error:
                if not str(error).strip():
                    yield f"{position}={label}: an empty message"
            except Exception as error:
                if (name, position, label) not in OWN:
                    yield f"{position}={label}: {type(error).__name__}: {error}"


def test_a_misspelt_keyword_is_said_by_every_method() -> None:
    x, w, sess = tf.placeholder(tf.float32, [None, 3]), tf.Variable(1.0), tf.Session()
    things = [
        x,
        w,
        sess,
        x.op,
        x.shape,
        tf.get_default_graph(),
        tf.get_variable_scope(),
        tf.train.Saver(),
        tf.TensorArray(),
    ]
    methods = [
        (thing, name)
        for thing in things
        for name in dir(type(thing))
        if not name.startswith("_") and name not in NO_METHODS
    ]
    methods = [(thing, name) for thing, name in methods if callable(getattr(type(thing), name))]
    assert len(methods) > 30
    for thing, name in methods:
        with pytest.raises(unroll.UnrollError, match="misspelt"):
            getattr(thing, name)(*([1.0] if name.startswith("assign") else []), misspelt=None)


def test_a_misspelt_keyword_is_said_by_every_function() -> None:
    for name, make in CALLS.items():
        tf.reset_default_graph()
        right = make()
        if name not in TAKE_ANY:
            with pytest.raises(unroll.UnrollError, match="misspelt"):
                right.function(*right.args, **right.kwargs, misspelt=None)
