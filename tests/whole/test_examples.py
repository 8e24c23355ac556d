"""The programs in examples/ give the numbers that the field's books and a calculator give."""

import math
import runpy

import numpy as np
import pytest
from helpers import REPOSITORY

import unroll
from unroll.dimensions import shape_text
from unroll.examples import (
    encoder_decoder,
    hello,
    image_rows_lstm,
    keras_networks,
    lstm_by_hand,
    numpy_by_hand,
    static_rnn_two_steps,
)

EXAMPLES = REPOSITORY / "examples"


@pytest.mark.parametrize("build", [static_rnn_two_steps.with_static_rnn, static_rnn_two_steps.by_hand])
def test_two_steps_give_tanh_of_sums(build):
    outputs = unroll.Session(build()).run({"X0": static_rnn_two_steps.x, "X1": static_rnn_two_steps.x})
    first = math.tanh(0.3)
    second = math.tanh(5 * first + 0.3)
    assert (np.float32(first), np.float32(second)) == (np.float32(0.2913126), np.float32(0.94211787))
    np.testing.assert_allclose(outputs["Y0"], np.full((1, 5), first), atol=1e-6)
    np.testing.assert_allclose(outputs["Y1"], np.full((1, 5), second), atol=1e-6)


def test_two_steps_share_one_concatenated_kernel():
    parameters = static_rnn_two_steps.with_static_rnn().parameters
    assert {name: item.shape for name, item in parameters.items()} == {
        "rnn/basic_rnn_cell/kernel": (8, 5),
        "rnn/basic_rnn_cell/bias": (5,),
    }
    assert str(parameters["rnn/basic_rnn_cell/kernel"].blocks) == "[x 3 + h 5] x [h 5]"


def test_image_rows_give_28_outputs_and_a_state_of_two():
    graph = image_rows_lstm.image_rows()
    batch = unroll.placeholder([None], "b").shape[0]
    outputs, state = graph.structure
    assert [output.shape for output in outputs] == [(batch, 13)] * 28
    assert [part.shape for part in state] == [(batch, 13)] * 2
    assert graph.parameters["rnn/basic_lstm_cell/kernel"].shape == (41, 52)
    assert graph.parameters["rnn/basic_lstm_cell/bias"].shape == (52,)


@pytest.mark.slow
def test_image_rows_of_real_digits_agree_in_all_runners():
    images = image_rows_lstm.digits(5)
    assert images.shape == (5, 784)
    assert images.min() == 0
    assert images.max() == 1
    found = unroll.verify(image_rows_lstm.image_rows(), {"X": images})
    assert found.runners == ("NumPy", "onnx reference", "onnxruntime")
    assert found.worst.absolute < 1e-5


def test_image_rows_reads_row_t_at_step_t():
    graph = image_rows_lstm.image_rows()
    images = image_rows_lstm.generated(2)
    rows = graph.run({"X": images}, fetches=[graph.nodes[3].outputs[step] for step in (0, 27)])
    np.testing.assert_allclose(rows[0], images[:, :28], atol=1e-6)
    np.testing.assert_allclose(rows[1], images[:, -28:], atol=1e-6)


def test_every_gate_of_the_lstm_equals_the_one_computed_by_hand():
    hand = lstm_by_hand.by_hand()
    feeds = {f"x{t}": [lstm_by_hand.x[t]] for t in range(lstm_by_hand.STEPS)}
    computed = lstm_by_hand.lstm().run(feeds, fetches=list(hand))
    assert len(hand) == 2 * 6
    for name, value in zip(hand, computed, strict=True):
        np.testing.assert_allclose(value[0], hand[name], atol=1e-6, err_msg=name)


@pytest.mark.parametrize("cell", [unroll.BasicRNNCell, unroll.BasicLSTMCell, unroll.GRUCell])
@pytest.mark.parametrize(
    ("words", "takes", "gives"),
    [
        (("h",), (1, 1, 4), (1, 1, 2)),
        (("hello",), (1, 5, 4), (1, 5, 2)),
        (("hello", "eolll", "lleel"), (3, 5, 4), (3, 5, 2)),
    ],
)
def test_hello_has_the_shapes_of_the_book(cell, words, takes, gives):
    letters = hello.one_hot(*words)
    assert letters.shape == takes
    assert letters.sum() == len(words) * len(words[0])
    assert hello.hello(letters, cell(2)).run({"X": letters})["outputs"].shape == gives


def test_numpy_by_hand_equals_the_graph():
    steps = {f"x{t}": numpy_by_hand.x[t] for t in range(10)}
    outputs = numpy_by_hand.rnn().run(steps)["h"]
    assert outputs.shape == (10, 8)
    np.testing.assert_allclose(outputs, numpy_by_hand.loop(), atol=1e-6)


def lstm_step(x, c, h, kernel, bias):
    """One step of a BasicLSTMCell in NumPy, forget bias 1."""
    i, j, f, o = np.split(np.concatenate([x, h], axis=-1) @ kernel + bias, 4, axis=-1)
    c = c / (1 + np.exp(-(f + 1))) + np.tanh(j) / (1 + np.exp(-i))
    return c, np.tanh(c) / (1 + np.exp(-o))


def test_the_decoder_reads_what_it_said_until_it_says_the_end():
    graph = encoder_decoder.encoder_decoder()
    weights = {name: item.value.astype(float) for name, item in graph.parameters.items()}
    source = np.random.default_rng(3).integers(2, encoder_decoder.WORDS, (20, 5))
    said = []
    for row in source:
        c = h = np.zeros(encoder_decoder.UNITS)
        for word in row:
            x = weights["embedding"][word]
            c, h = lstm_step(x, c, h, *(weights[f"encoder/basic_lstm_cell/{name}"] for name in ("kernel", "bias")))
        words, word = [], encoder_decoder.START
        while len(words) < encoder_decoder.MOST and not (words and word == encoder_decoder.END):
            x = weights["embedding"][word]
            c, h = lstm_step(x, c, h, *(weights[f"decoder/basic_lstm_cell/{name}"] for name in ("kernel", "bias")))
            word = int(np.argmax(h @ weights["decoder/projection"]))
            words.append(word)
        said.append(words + [0] * (encoder_decoder.MOST - len(words)))
    assert graph.run({"source": source})["words"].tolist() == said
    assert any(encoder_decoder.END in words[:-1] for words in said), "no row ends early, so the end is not tried"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "takes", "gives"),
    [
        (keras_networks.many_to_one, "(batch, 7, 5)", "(batch, 3)"),
        (keras_networks.many_to_many, "(batch, 10, 39)", "(batch, 10, 39)"),
        (keras_networks.stacked_cells, "(batch, 6, 5)", "(batch, 64)"),
        (keras_networks.one_cell, "(batch, 6, 5)", "(batch, 4)"),
        (keras_networks.masked, "(batch, 6)", "(batch, 1)"),
    ],
)
def test_networks_in_keras_words_have_the_shapes_of_the_tutorials(build, takes, gives):
    graph = build()
    assert (shape_text(graph.inputs[0].shape), shape_text(graph.outputs[0].shape)) == (takes, gives)
    assert unroll.verify(graph)


@pytest.mark.slow
def test_dense_at_each_step_is_dense_over_all_steps():
    each, whole = keras_networks.many_to_many(), keras_networks.many_to_many(whole=True)
    whole.assign(dict(zip(whole.parameters, (item.value for item in each.parameters.values()), strict=True)))
    assert [item.shape for item in each.parameters.values()] == [(39, 128), (128, 128), (128,), (128, 39), (39,)]
    x = np.random.default_rng(0).normal(size=(2, 10, 39))
    ours, theirs = (unroll.Session(graph).run({"input_layer": x}, graph.output_names[0]) for graph in (each, whole))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_every_example_runs_as_a_script(path, capsys):
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.strip()
