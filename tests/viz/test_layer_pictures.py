"""A picture of layers has one box a layer, and one for all steps of a loop."""

from __future__ import annotations

import re

import pytest
from drawn_programs import parsed
from picture_networks import NETWORKS

import unroll
from unroll import layers, ops
from unroll.errors import UnsupportedError
from unroll.viz import charts
from unroll.viz.dot_text import TIMES


def _texts(picture: unroll.Picture) -> dict[str, str]:
    """The text of each box, its lines joined."""
    graph = parsed(picture)
    return {str(node): " ".join(re.sub(r"<[^>]*>", " ", node.attr["label"]).split()) for node in graph.nodes()}


def _image_rows() -> unroll.Graph:
    return NETWORKS["example image rows"]()


def test_a_loop_is_one_box_that_says_how_often_it_runs() -> None:
    picture = unroll.draw(_image_rows(), level="layer", format="dot")
    texts = list(_texts(picture).values())
    assert texts == [
        "X", "Reshape [-1, 28, 28]", "Transpose perm 1, 0, 2", "Reshape [-1, 28]", "Split axis 0",
        f"28 {TIMES} basic_lstm_cell 13 units i j f o", f"28 {TIMES} h, c, h_1",
    ]  # fmt: skip
    edges = parsed(picture).edges()
    assert [(str(source), str(target)) for source, target in edges] == [
        (f"part_{place}", f"part_{place + 1}") for place in range(6)
    ]


def test_layers_are_boxes_with_their_names() -> None:
    model = layers.Sequential(
        [layers.Input((5, 3)), layers.LSTM(4, return_sequences=True), layers.GRU(2), layers.Dense(1, name="answer")]
    )
    texts = " | ".join(_texts(unroll.draw(model.trace(), level="layer", format="dot")).values())
    for wanted in (f"5 {TIMES} lstm_cell 4 units i f c o", f"5 {TIMES} gru_cell 2 units z r h", "answer 1 unit"):
        assert wanted in texts


@pytest.mark.parametrize("direction", ["up", "right"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_a_picture_of_its_layers_without_faults(name: str, direction: str) -> None:
    graph = NETWORKS[name]()
    picture = unroll.draw(graph, level="layer", direction=direction)  # type: ignore[arg-type]
    assert picture.data.count(b'class="node"') >= 2
    assert f"rankdir={'BT' if direction == 'up' else 'LR'}" in picture.dot


def test_a_state_that_one_loop_leaves_to_another_is_drawn_as_a_state() -> None:
    graph = parsed(unroll.draw(NETWORKS["encoder and decoder"](), level="layer", format="dot"))
    loops = {str(node) for node in graph.nodes() if "BGCOLOR" in node.attr["label"]}
    between = [edge for edge in graph.edges() if set(edge) <= loops]
    assert len(loops) == 2
    assert [edge.attr["color"] for edge in between] == ["#1F4E79"]


def test_very_many_boxes_are_refused_with_another_way_to_see_them() -> None:
    x = unroll.placeholder([2], "x")
    y = x
    for _ in range(charts.MOST_BOXES):
        y = ops.tanh(y)
    with pytest.raises(UnsupportedError, match=r"1,002 layers and operators, and at most 1,000.*unroll\.view"):
        unroll.draw(unroll.Graph([x], y), level="layer", format="dot")


def test_a_layer_of_one_operator_has_its_name_and_one_at_every_step_is_one_box_a_step() -> None:
    model = layers.Sequential(
        [
            layers.Input((3, 6, 6, 1)),
            layers.TimeDistributed(
                layers.Sequential([layers.Conv2D(2, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten()])
            ),
            layers.GRU(4),
            layers.ReLU(name="only_what_is_above_zero"),
        ]
    )
    graph = model.trace()
    texts = list(_texts(unroll.draw(graph, level="layer", format="dot")).values())
    named = [f"3 {TIMES} {layer}" for layer in ("conv2d", "max_pooling2d", "flatten")]
    assert texts[2:5] == named
    assert texts[-2] == "only_what_is_above_zero relu"
    boxes = list(_texts(unroll.draw(graph, format="dot")).values())
    for layer in ("conv2d relu", "flatten Reshape", "max_pooling2d"):
        assert sum(text.startswith(layer) for text in boxes) == 3
    assert not any(text.startswith(("Transpose", "Conv ", "MaxPool", "Reshape")) for text in boxes)


def test_the_layers_of_a_functional_model_have_their_own_weights() -> None:
    ids = layers.Input((3,), dtype="int32")
    x = layers.SimpleRNN(4, return_sequences=True)(layers.Embedding(9, 5, mask_zero=True)(ids))
    graph = layers.Model(ids, layers.TimeDistributed(layers.Dense(2, activation="softmax"))(x)).trace()
    texts = list(_texts(unroll.draw(graph, format="dot")).values())
    assert texts.count("dense 2 units, softmax") == 3
    assert [text for text in texts if text.startswith("embedding Equal")] == ["embedding Equal, Gather"]
    # The card says whose they are; their names within it are those that the cell gave them.
    (card,) = (text for text in texts if text.startswith("functional/simple_rnn/simple_rnn_cell"))
    assert "one set of weights for all 3 steps kernel (5, 4)" in card


def test_operators_of_two_places_at_every_step_are_two_boxes() -> None:
    word = layers.Input((2, 3))
    encoder = layers.Model(word, layers.GRU(4)(word), name="word_encoder")
    sentence = layers.Input((5, 2, 3))
    graph = layers.Model(sentence, layers.GRU(5)(layers.TimeDistributed(encoder)(sentence))).trace()
    picture = parsed(unroll.draw(graph, level="layer", format="dot"))
    assert [(str(source), str(target)) for source, target in picture.edges()] == [
        (f"part_{place}", f"part_{place + 1}") for place in range(len(picture.nodes()) - 1)
    ]


def test_a_loop_of_any_number_of_steps_is_named_as_its_layer_and_says_what_cells_it_runs() -> None:
    x = layers.Input((None, 3))
    stack = layers.RNN([layers.LSTMCell(4), layers.GRUCell(2)], return_sequences=True, name="two_cells")
    graph = layers.Model(x, layers.SimpleRNN(5)(stack(x))).trace()
    texts = list(_texts(unroll.draw(graph, level="layer", format="dot")).values())
    how = "Scan, one step after another"
    assert texts[2:4] == [f"two_cells lstm_cell, gru_cell {how}", f"simple_rnn simple_rnn_cell {how}"]


def test_between_two_layers_flows_what_the_first_one_gives() -> None:
    model = layers.Sequential([layers.Input((8, 4)), layers.Conv1D(5, 3), layers.MaxPooling1D(2), layers.LSTM(3)])
    graph = parsed(unroll.draw(model.trace(), level="layer", format="dot"))
    # Both compute with the channels first, and Keras's shapes have them last.
    shapes = [re.sub(r"<[^>]*>", "", edge.attr["label"]) for edge in graph.edges()]
    assert shapes[:3] == ["(batch, 8, 4)", "(batch, 6, 5)", "(batch, 3, 5)"]
