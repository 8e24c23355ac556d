"""Small programs for the command line, as users write them: `fuzz_files.py` mutates their text."""

from __future__ import annotations

PROGRAMS = {
    "cell": """\
import numpy as np
import unroll

X0 = unroll.placeholder([None, 3], name="X0")
X1 = unroll.placeholder([None, 3], name="X1")
cell = unroll.BasicRNNCell(num_units=5)
(Y0, Y1), state = unroll.static_rnn(cell, [X0, X1])
cell.kernel.assign(np.ones((8, 5)))
g = unroll.Graph(inputs=[X0, X1], outputs=[Y0, Y1])
""",
    "function": """\
import unroll
from unroll import ops


def g():
    x = unroll.placeholder(["batch", 4], name="x")
    a, b = ops.split(x, 2, axis=1)
    h = ops.concat([ops.sigmoid(a) * ops.tanh(b), ops.relu(a - b)], axis=-1)
    return unroll.Graph([x], {"h": h, "total": ops.reduce_sum(h, axis=1)})
""",
    "layers": """\
import unroll
from unroll import layers

model = layers.Sequential([layers.Input((3, 4)), layers.LSTM(5, return_sequences=True), layers.GRU(2)])
g = model.trace()
""",
    "words": """\
import unroll

ids = unroll.placeholder([None, 3], dtype="int32", name="ids")
lengths = unroll.placeholder([None], dtype="int32", name="lengths")
embedded = unroll.layers.Embedding(7, 3)(ids)
outputs, state = unroll.dynamic_rnn(unroll.LSTMCell(4), embedded, sequence_length=lengths, dtype="float32")
g = unroll.Graph([ids, lengths], {"outputs": outputs, "c": state.c})
""",
}
