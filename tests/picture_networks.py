"""Some seventy networks of every family, to draw and to read: what a picture promises is tested on all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from drawn_programs import PROGRAMS, keras, over_steps

import unroll
from unroll import cells, layers, nn, ops
from unroll.examples import encoder_decoder, hello, image_rows_lstm, keras_networks, lstm_by_hand, numpy_by_hand

FOREIGN = Path(__file__).parent / "golden" / "foreign"


def numpy_style(steps: int = 5) -> unroll.Graph:
    """A loop as people write it after a course: no cell, no scope, no ``step``."""
    x = unroll.placeholder([None, steps, 3], "x")
    wx, wh = unroll.Parameter(np.ones((3, 4), np.float32), "Wx"), unroll.Parameter(np.ones((4, 4), np.float32), "Wh")
    b = unroll.Parameter(np.zeros(4, np.float32), "b")
    h = ops.tanh(x[:, 0, :] @ wx + b)
    for t in range(1, steps):
        h = ops.tanh(x[:, t, :] @ wx + h @ wh + b)
    return unroll.Graph([x], {"h": h})


def two_loops(encoder: int = 7, decoder: int = 5) -> unroll.Graph:
    e, d = unroll.placeholder([None, encoder, 3], "e"), unroll.placeholder([None, decoder, 3], "d")
    _, h, c = layers.LSTM(4, return_state=True, name="enc")(e)
    return unroll.Graph([e, d], [layers.LSTM(4, name="dec")(d, initial_state=[h, c])])


def bahdanau(steps: int = 3) -> unroll.Graph:
    """An encoder, and a decoder whose every step looks back over all of the encoder's outputs."""
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(steps)]
    seen, state = unroll.static_rnn(unroll.GRUCell(5), inputs, scope="encoder")
    keys = ops.stack(seen, 1)
    decoder = unroll.GRUCell(5)
    query = unroll.Parameter(np.full((5, 5), 0.1, np.float32), "attention/query")
    score = unroll.Parameter(np.full((5, 1), 0.1, np.float32), "attention/score")
    outputs = []
    with unroll.scope("decoder"):
        for step in range(2):
            with unroll.step(step):
                weights = ops.softmax(ops.tanh(keys + ops.unsqueeze(state @ query, [1])) @ score, 1)
                output, state = decoder(ops.reduce_sum(weights * keys, 1), state)
                outputs.append(output)
    return unroll.Graph(inputs, outputs)


def both_encoders_and_a_decoder() -> unroll.Graph:
    x, y = unroll.placeholder([None, 4, 3], "x"), unroll.placeholder([None, 3, 3], "y")
    both = layers.Bidirectional(layers.LSTM(4, return_state=True, name="reads"), name="encoder")
    _, h, c, _, _ = both(x)
    return unroll.Graph([x, y], [layers.LSTM(4, return_sequences=True, name="writes")(y, initial_state=[h, c])])


def torch_lstm() -> unroll.Graph:
    x = unroll.placeholder([None, 3, 4], "x")
    outputs, state = nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True)(x)
    return unroll.Graph([x], [outputs, *state])


def stacked_both_ways() -> unroll.Graph:
    inputs = [unroll.placeholder([None, 4], f"X{step}") for step in range(3)]
    forward, backward = ([unroll.BasicLSTMCell(3), unroll.BasicLSTMCell(3)] for _ in range(2))
    outputs, _, _ = unroll.stack_bidirectional_rnn(forward, backward, inputs)
    return unroll.Graph(inputs, outputs)


def with_embedding() -> unroll.Graph:
    words = layers.Sequential(
        [layers.Input((5,), dtype="int32"), layers.Embedding(20, 4), layers.LSTM(3), layers.Dense(2, "softmax")]
    )
    return words.trace()


def convolved() -> unroll.Graph:
    return layers.Sequential([layers.Input((3, 6, 6, 1)), layers.ConvLSTM2D(2, 3)]).trace()


def branched() -> unroll.Graph:
    """Two layers over one input, merged in several ways."""
    x = layers.Input((4, 3))
    one, other = layers.LSTM(3)(x), layers.GRU(3)(x)
    merged = [layers.Add()([one, other]), layers.Multiply()([one, other]), layers.GlobalAveragePooling1D()(x)]
    return layers.Model(x, layers.Dense(2)(layers.LeakyReLU()(layers.Concatenate()(merged)))).trace()


def attending() -> unroll.Graph:
    """A decoder that attends to an encoder's steps."""
    source, target = layers.Input((3, 3), name="source"), layers.Input((2, 3), name="target")
    encoded, *state = layers.LSTM(3, return_sequences=True, return_state=True)(source)
    decoded = layers.LSTM(3, return_sequences=True)(target, initial_state=state)
    attended = layers.Attention()([decoded, encoded])
    return layers.Model([source, target], layers.Concatenate()([decoded, attended])).trace()


def of_several_heads() -> unroll.Graph:
    x = layers.Input((3, 4))
    attended = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 3)(x, x)]))
    return layers.Model(x, layers.GRU(3)(attended)).trace()


def with_lengths() -> unroll.Graph:
    x, lengths = unroll.placeholder([None, 4, 3], "x"), unroll.placeholder([None], "lengths", "int32")
    outputs, state = unroll.dynamic_rnn(unroll.BasicLSTMCell(3), x, sequence_length=lengths)
    return unroll.Graph([x, lengths], [outputs, *state])


def without_recurrence() -> unroll.Graph:
    x = unroll.placeholder([None, 4], "x")
    return unroll.Graph([x], {"y": layers.Dense(2, "softmax", name="last")(layers.Dense(5, "relu", name="first")(x))})


def file(name: str) -> Callable[[], unroll.Graph]:
    return lambda: unroll.from_onnx(FOREIGN / f"{name}.onnx")


def read_back(graph: unroll.Graph, form: str | None = None) -> unroll.Graph:
    return unroll.from_onnx(unroll.to_onnx(graph, form=form))


def lstm_layer(steps: int = 4, units: int = 3) -> unroll.Graph:
    return keras(layers.LSTM(units, return_sequences=True), steps=steps)


CELLS: dict[str, Callable[[], unroll.Graph]] = {
    "cell BasicRNN": lambda: over_steps(unroll.BasicRNNCell(3), 3),
    "cell LSTM, clipped and projected": lambda: over_steps(
        unroll.LSTMCell(5, num_proj=3, cell_clip=3.0, proj_clip=2.0), 3
    ),
    "cell CoupledInputForget": lambda: over_steps(cells.CoupledInputForgetGateLSTMCell(3), 3),
    "cell NAS": lambda: over_steps(cells.NASCell(3), 3),
    "cell UGRNN": lambda: over_steps(cells.UGRNNCell(3), 3),
    "cell Intersection": lambda: over_steps(cells.IntersectionRNNCell(4), 3),
    "cell SRU": lambda: over_steps(cells.SRUCell(4), 3),
    "cell IndRNN": lambda: over_steps(cells.IndRNNCell(3), 3),
    "cell IndyLSTM": lambda: over_steps(cells.IndyLSTMCell(3), 3),
    "cell IndyGRU": lambda: over_steps(cells.IndyGRUCell(3), 3),
    "cell PhasedLSTM": lambda: phased(),
    "cell Residual": lambda: over_steps(cells.ResidualWrapper(unroll.GRUCell(4)), 3),
    "cell projected in and out": lambda: over_steps(
        cells.OutputProjectionWrapper(cells.InputProjectionWrapper(unroll.GRUCell(3), 3), 2), 3
    ),
}


def phased() -> unroll.Graph:
    inputs = [
        (unroll.placeholder([None, 1], f"t{step}"), unroll.placeholder([None, 4], f"X{step}")) for step in range(3)
    ]
    outputs, _ = unroll.static_rnn(cells.PhasedLSTMCell(3), inputs)
    return unroll.Graph([tensor for pair in inputs for tensor in pair], outputs)


LAYERS: dict[str, Callable[[], unroll.Graph]] = {
    "layers LSTM": lstm_layer,
    "layers LSTM, 28 steps": lambda: lstm_layer(28, 13),
    "layers GRU, reset before": lambda: keras(layers.GRU(3, reset_after=False)),
    "layers SimpleRNN and Dense": lambda: keras(layers.SimpleRNN(3), layers.Dense(1)),
    "layers stacked": lambda: keras(layers.LSTM(3, return_sequences=True), layers.GRU(3), layers.Dense(2)),
    "layers two Bidirectional": lambda: keras(
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)), layers.Bidirectional(layers.GRU(2))
    ),
    "layers Embedding": with_embedding,
    "layers ConvLSTM2D": convolved,
    "layers Conv1D, MaxPooling1D and LSTM": lambda: keras(
        layers.Conv1D(5, 3, padding="same", activation="relu"), layers.MaxPooling1D(2), layers.LSTM(3)
    ),
    "layers with branches": branched,
    "layers Attention": attending,
    "layers MultiHeadAttention": of_several_heads,
    "layers masked LSTM": lambda: keras(layers.Masking(), layers.LSTM(3, return_sequences=True)),
    "layers one step": lambda: keras(layers.LSTM(3), steps=1),
    "layers without recurrence": without_recurrence,
    "layers encoder of both directions": both_encoders_and_a_decoder,
    "two loops": two_loops,
    "nn LSTM, two layers both ways": torch_lstm,
    "stack_bidirectional_rnn": stacked_both_ways,
    "lengths": with_lengths,
    "Bahdanau": bahdanau,
    "NumPy style": numpy_style,
}

EXAMPLES: dict[str, Callable[[], unroll.Graph]] = {
    "example encoder_decoder": encoder_decoder.encoder_decoder,
    "example hello": hello.hello,
    "example image rows": image_rows_lstm.image_rows,
    "example keras stacked cells": keras_networks.stacked_cells,
    "example lstm by hand": lstm_by_hand.lstm,
    "example numpy by hand": numpy_by_hand.rnn,
}

REWRITTEN: dict[str, Callable[[], unroll.Graph]] = {
    "optimized BasicLSTM": lambda: unroll.optimize(over_steps(unroll.BasicLSTMCell(3))),
    "optimized GRU": lambda: unroll.optimize(over_steps(unroll.GRUCell(3))),
    "optimized masked": lambda: unroll.optimize(PROGRAMS["Keras, masked"]()),
    "optimized both ways": lambda: unroll.optimize(PROGRAMS["both ways"]()),
    "joined both ways": lambda: unroll.optimize(keras(layers.Bidirectional(layers.LSTM(3)), steps=8), batch=1),
    "rerolled LSTM": lambda: unroll.reroll(over_steps(unroll.BasicLSTMCell(3)))[0],
    "rerolled GRU": lambda: unroll.reroll(keras(layers.GRU(3)))[0],
    "rerolled Scan": lambda: unroll.reroll(over_steps(cells.UGRNNCell(3)))[0],
    "rerolled both ways": lambda: unroll.reroll(torch_lstm())[0],
    "read back LSTM": lambda: read_back(over_steps(unroll.BasicLSTMCell(3))),
    "read back GRU": lambda: read_back(keras(layers.GRU(3))),
    "read back Scan": lambda: read_back(lstm_layer(), "scan"),
    "read back functions": lambda: read_back(lstm_layer(), "functions"),
    "read back both ways": lambda: read_back(torch_lstm()),
    "tf2onnx flat LSTM": file("tf2onnx-basic_lstm-bn-t5-op13"),
    "tf2onnx flat GRU": file("tf2onnx-gru-bn-t5-op13"),
    "tf2onnx both ways": file("tf2onnx-basic_lstm-bidirectional-bn-t4-op13"),
    "tf2onnx lengths": file("tf2onnx-basic_lstm-lengths=fed-bn-t4-op15"),
    "tf2onnx lengths of an RNN": file("tf2onnx-basic_rnn-lengths=fed-bn-t4-op13"),
    "tf2onnx lengths of a GRU": file("tf2onnx-gru-lengths=fed-b3-t3-op9"),
    "tf2onnx peepholes": file("tf2onnx-lstm_peepholes-b3-t4-op11"),
    "tf2onnx projected": file("tf2onnx-lstm_proj_clip-b3-t3-op9"),
    "Keras file GRU": file("keras-gru-return_sequences-bn-t4-op17"),
    "Keras file both ways": file("keras-bidirectional_lstm-return_sequences-bn-t3-op13"),
    "torch file LSTM": file("dynamo-nn_lstm-bn-t4-op18"),
    "torch file GRU both ways": file("dynamo-both_ways_gru-bn-t3-op18"),
    "torch file flat RNN": file("dynamo-rnn-bn-t4-op18"),
    "torchscript file LSTM": file("torchscript-lstm-bn-t5-op17"),
}

NETWORKS: dict[str, Callable[[], unroll.Graph]] = {**PROGRAMS, **CELLS, **LAYERS, **EXAMPLES, **REWRITTEN}
