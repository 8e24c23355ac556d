"""The programs in examples/ give the numbers that the field's books and a calculator give."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest
from unroll.examples import hello, image_rows_lstm, lstm_by_hand, numpy_by_hand, static_rnn_two_steps

import unroll

EXAMPLES = Path(__file__).parent.parent / "examples"


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


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_every_example_runs_as_a_script(path, capsys):
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.strip()
