"""Two layers without a name, of which somebody reads names or values before a graph numbers them: what was read stays true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import refused

import unroll
from unroll import Graph, layers, nn, placeholder

F = 3


def first(result: Any) -> Any:
    return unroll.nest.flatten(result)[0]


def is_drawn(value: Any) -> bool:
    """Whether the values of a weight are drawn at random: not the zeros and ones of biases."""
    return len(np.unique(value)) > 3


PAIRS: dict[str, Any] = {
    "layers.LSTM": lambda: layers.LSTM(F, return_sequences=True),
    "layers.Bidirectional": lambda: layers.Bidirectional(layers.GRU(F, return_sequences=True), merge_mode="sum"),
    "nn.LSTM": lambda: nn.LSTM(F, F, batch_first=True),
    "nn.Linear": lambda: nn.Linear(F, F),
}


def weights_of(owner: Any) -> list[Any]:
    return list(owner.parameters()) if hasattr(owner, "parameters") else owner.weights


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("read", ["values", "names", "layer's name"])
def test_two_that_were_both_read_before_are_numbered_with_a_warning(kind: str, read: str) -> None:
    x = placeholder([None, 2, F], "x")
    pair = [PAIRS[kind](), PAIRS[kind]()]
    outputs = [first(item(x)) for item in pair]
    seen = []
    for owner in pair:
        if read == "layer's name":
            seen.append(owner.name)
        else:
            seen.append([item.value if read == "values" else item.name for item in weights_of(owner)])
    with pytest.warns(unroll.UnrollWarning, match=r"_1' from here on.*name=") as caught:
        graph = Graph([x], outputs)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert len(graph.parameters) == 2 * len(weights_of(pair[0]))
    assert pair[1].name == f"{pair[0].name}_1"
    if read == "values":  # what was seen is what runs
        for owner, values in zip(pair, seen, strict=True):
            assert all(np.array_equal(item.value, value) for item, value in zip(weights_of(owner), values, strict=True))
    else:
        drawn = [[item.value for item in weights_of(owner) if is_drawn(item.value)] for owner in pair]
        assert not any(np.array_equal(one, other) for one, other in zip(*drawn, strict=True))


@pytest.mark.parametrize("kind", PAIRS)
def test_a_name_that_was_read_stays_that_of_its_layer(kind: str) -> None:
    x = placeholder([None, 2, F], "x")
    low, high = PAIRS[kind](), PAIRS[kind]()
    outputs = [first(low(x)), first(high(x))]
    names = [item.name for item in weights_of(high)]
    graph = Graph([x], outputs)
    assert [graph.parameters[name] for name in names] == weights_of(high)
    assert not {item.name for item in weights_of(low)} & set(names)
    assert high.name + "_1" == low.name


def test_messages_and_representations_read_no_name() -> None:
    x = placeholder([None, 2, F], "x")
    low, high = layers.LSTM(F), layers.LSTM(F)
    outputs = [low(x), high(x)]
    for layer in (low, high):
        assert "lstm" in repr(layer) and "lstm" in repr(layer.weights[0])
        refused(lambda layer=layer: layer.weights[0].assign([1.0]), ValueError, "lstm/lstm_cell/kernel")
        refused(lambda layer=layer: layer(placeholder([2, 2, F + 1], "wide")), ValueError, "LSTMCell 'lstm_cell'")
    Graph([x], outputs)
    assert (low.name, high.name) == ("lstm", "lstm_1")
