"""A misspelt keyword of any method is an UnrollError in the words of the class that the user knows."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from helpers import refused
from right_calls import GRAPH, LAYERS, SESSION, STATEFUL, _cells, graph

import unroll
from unroll import cells, export, layers, nn
from unroll.words import _AS_THEY_ARE


def objects() -> dict[str, Any]:
    """One of every public class that has methods."""
    found = {f"layers.{name}": getattr(layers, name)(*args) for name, (args, _) in LAYERS.items() if name != "Input"}
    given = _cells()
    for name in cells.__all__:
        if inspect.isclass(getattr(cells, name)) and issubclass(getattr(cells, name), unroll.RNNCell):
            args, kwargs = given.get(name, ((2,), {}))
            found[f"cells.{name}"] = getattr(cells, name)(*args, **kwargs)
    found |= {f"nn.{name}": getattr(nn, name)(3, 2) for name in nn.__all__}
    return found | {
        "Graph": GRAPH, "Session": SESSION, "Stream": STATEFUL.stream(), "StateSaver": unroll.StateSaver({"h": 2}, 2),
        "Parameter": unroll.Parameter([1.0], "w"),
    }  # fmt: skip


OBJECTS = objects()
PUBLIC = {*unroll.__all__, *layers.__all__, *nn.__all__, *cells.__all__, *export.__all__}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_wrong_keyword_of_a_method_is_explained(name: str) -> None:
    thing, tried = OBJECTS[name], 0
    for method in (item for item in dir(thing) if not item.startswith("_") and item not in _AS_THEY_ARE):
        function = getattr(type(thing), method, None)
        if inspect.isfunction(function) and method not in ("described", "with_blocks"):
            tried += 1
            said = refused(lambda f=function: f(thing, no_such_keyword=1), TypeError, "no_such_keyword")
            named = said.partition(":")[0]
            assert named.partition(".")[0] in PUBLIC or "'" in named, said
            assert not {"GatedCell", "UnitCell", "CellWrapper", "WeightOwner", "Structure"} & set(
                said.replace(".", " ").split()
            )
    assert tried


#: What newcomers type, and what they are told.
TYPED: dict[str, tuple[Any, tuple[str, ...]]] = {
    "trace(time=6)": (
        lambda: layers.Sequential([layers.Input((None, 3)), layers.LSTM(2)]).trace(time=6), ("Sequential.trace", "'timesteps'"),
    ),
    "predict(batchsize=)": (
        lambda: layers.Sequential([layers.LSTM(2)]).predict(np.ones((1, 2, 3)), batchsize=1), ("'batch_size'",),
    ),
    "set_weights(weight=)": (lambda: layers.LSTM(2).set_weights(weight=[]), ("LSTM.set_weights", "'weights'")),
    "cell.set_weights(kernal=)": (lambda: unroll.GRUCell(2).set_weights(kernal=1), ("GRUCell.set_weights", "'kernel'")),
    "zero_state(batch=)": (lambda: unroll.GRUCell(2).zero_state(batch=1), ("GRUCell.zero_state", "'batch_size'")),
    "session.run(feed=)": (lambda: SESSION.run(feed={}), ("Session.run", "'feeds'")),
    "graph.run(feed_dict=)": (lambda: GRAPH.run(feed_dict={}), ("Graph.run", "'feeds'")),
    "load_state_dict(dict=)": (lambda: nn.LSTM(3, 2).load_state_dict(dict={}), ("LSTM.load_state_dict", "'state_dict'")),
    "graph(feeds)": (lambda: GRAPH({}), ("graph.run",)),
    "session(feeds)": (lambda: SESSION({}), ("session.run",)),
    "with graph": (lambda: GRAPH.__enter__(), ("leave it out",)),
}  # fmt: skip


@pytest.mark.parametrize("typed", TYPED)
def test_what_newcomers_type_is_answered_with_what_is_meant(typed: str) -> None:
    act, fragments = TYPED[typed]
    refused(act, TypeError, *fragments)


def test_a_session_may_be_entered_as_in_tensorflow() -> None:
    fed = {"x0": np.ones((2, 3), "float32"), "x1": np.ones((2, 3), "float32")}
    with unroll.Session(graph()) as session:
        np.testing.assert_allclose(session.run(fed)["y"], graph().run(fed)["y"], rtol=1e-5)
