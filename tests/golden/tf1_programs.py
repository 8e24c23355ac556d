"""Programs as they were written for TensorFlow 1: each runs there and, with `tf` another module, here.

A program takes `tf` and `say`, which prints, and returns what is compared: tensors by name, what is fed, and further what is
to be an input of the graph besides placeholders. The variables get values by their names where a program does not assign them
(`values_for`). What is not in TensorFlow any more, ``tf.contrib``, is a stand-in of make_tf1_programs.py there.
"""

# ruff: noqa: E741, N802, N806, RUF059, SIM108  (they are as people wrote them)

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Say = Callable[..., None]
Found = tuple[dict[str, Any], dict[Any, Any]]
PROGRAMS: dict[str, Callable[[Any, Say], Found]] = {}


def program(body: Callable[[Any, Say], Found]) -> Callable[[Any, Say], Found]:
    PROGRAMS[body.__name__] = body
    return body


def values_for(name: str, shape: Any, dtype: Any) -> Array:
    """The value of a variable, drawn from its name."""
    drawn = np.random.default_rng(zlib.crc32(name.encode())).normal(size=tuple(shape)) * 0.5
    return np.asarray(drawn).astype(dtype)


def data(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def ids(most: int, *shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(most, size=shape).astype("int32")


def say_variables(tf: Any, say: Say) -> None:
    for v in tf.global_variables():
        say(v.name, v.shape)


@program
def two_steps_of_static_rnn(tf: Any, say: Say) -> Found:
    X0 = tf.placeholder(tf.float32, [None, 3])
    X1 = tf.placeholder(tf.float32, [None, 3])
    basic_cell = tf.nn.rnn_cell.BasicRNNCell(num_units=5)
    output_seqs, states = tf.nn.static_rnn(basic_cell, [X0, X1], dtype=tf.float32)
    Y0, Y1 = output_seqs
    say(X0, X1, Y0, Y1)
    kernel, bias = tf.global_variables()
    say(kernel.name, kernel.shape)
    with tf.Session() as sess:
        tf.global_variables_initializer().run()
        sess.run([tf.assign(kernel, np.ones((8, 5))), bias.assign(tf.zeros([5]))])
        Y0_val, Y1_val = sess.run([Y0, Y1], feed_dict={X0: [[0, 0.1, 0.2]], X1: [[0, 0.1, 0.2]]})
    say(f"{Y0_val[0, 0]:.6f} {Y1_val[0, 0]:.6f}")
    return {"Y0": Y0, "Y1": Y1, "state": states}, {X0: data(4, 3), X1: data(4, 3, seed=1)}


@program
def two_steps_by_hand(tf: Any, say: Say) -> Found:
    n_inputs, n_neurons = 3, 5
    X0 = tf.placeholder(tf.float32, [None, n_inputs], name="X0")
    X1 = tf.placeholder(tf.float32, [None, n_inputs], name="X1")
    Wx = tf.Variable(tf.random_normal(shape=[n_inputs, n_neurons], dtype=tf.float32))
    Wy = tf.Variable(tf.random_normal(shape=[n_neurons, n_neurons], dtype=tf.float32), name="Wy")
    b = tf.Variable(tf.zeros([1, n_neurons], dtype=tf.float32))
    Y0 = tf.tanh(tf.matmul(X0, Wx) + b)
    Y1 = tf.tanh(tf.matmul(Y0, Wy) + tf.matmul(X1, Wx) + b)
    say(Wx, Wy, b, Y0, Y1, X0.shape, Y1.get_shape().as_list())
    return {"Y0": Y0, "Y1": Y1}, {X0: data(4, 3), X1: data(4, 3, seed=1)}


@program
def rows_of_an_image_through_an_lstm(tf: Any, say: Say) -> Found:
    n_input, n_steps, n_hidden, n_classes = 28, 28, 13, 10
    x = tf.placeholder(tf.float32, [None, n_steps, n_input])
    weights = {"out": tf.Variable(tf.random_normal([n_hidden, n_classes]))}
    biases = {"out": tf.Variable(tf.random_normal([n_classes]))}

    def RNN(x: Any) -> Any:
        x = tf.transpose(x, [1, 0, 2])
        x = tf.reshape(x, [-1, n_input])
        x = tf.split(x, n_steps, 0)
        lstm_cell = tf.nn.rnn_cell.BasicLSTMCell(n_hidden, forget_bias=1.0)
        outputs, _ = tf.nn.static_rnn(lstm_cell, x, dtype=tf.float32)
        return tf.matmul(outputs[-1], weights["out"]) + biases["out"]

    pred = RNN(x)
    for v in tf.trainable_variables():
        if v.name.startswith("rnn"):
            say(v.name, v.get_shape())
    correct = tf.argmax(pred, 1)
    say(pred.dtype, pred.shape, correct)
    return {"pred": pred, "classes": correct, "prob": tf.nn.softmax(pred)}, {x: data(3, 28, 28)}


@program
def hello_as_one_hot(tf: Any, say: Say) -> Found:
    h, e, l, o = np.eye(4, dtype="float32")
    x_data = np.array([[h, e, l, l, o], [e, o, l, l, l], [l, l, e, e, l]], dtype=np.float32)
    say(x_data.shape)
    with tf.variable_scope("initial_state") as scope:
        cell = tf.nn.rnn_cell.BasicRNNCell(num_units=2)
        X = tf.placeholder(tf.float32, [None, 5, 4], name="hello")
        outputs, _states = tf.nn.dynamic_rnn(cell, X, dtype=tf.float32)
        say(scope.name, outputs, _states.shape)
    say_variables(tf, say)
    sess = tf.InteractiveSession()
    sess.run(tf.global_variables_initializer())
    say(outputs.eval({X: x_data}).shape)
    sess.close()
    return {"outputs": outputs, "state": _states}, {X: x_data}


@program
def stacked_lstms(tf: Any, say: Say) -> Found:
    x = tf.placeholder("float", [None, 6, 4], name="x")
    cells = [tf.nn.rnn_cell.LSTMCell(n) for n in (5, 3)]
    multi = tf.nn.rnn_cell.MultiRNNCell(cells, state_is_tuple=True)
    outputs, state = tf.nn.static_rnn(multi, tf.unstack(x, 6, 1), dtype=tf.float32)
    say(multi.state_size, multi.output_size, len(outputs), state[1].h.shape)
    say_variables(tf, say)
    return {"last": outputs[-1], "c0": state[0].c, "h1": state[1].h}, {x: data(2, 6, 4)}


@program
def a_gru_over_time_first(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [7, None, 4])
    init = tf.placeholder(tf.float32, [None, 5], name="init")
    cell = tf.nn.rnn_cell.GRUCell(5, activation=tf.nn.relu)
    outputs, state = tf.nn.dynamic_rnn(cell, x, initial_state=init, time_major=True)
    say(outputs, state)
    say_variables(tf, say)
    return {"outputs": outputs, "state": state}, {x: data(7, 2, 4), init: data(2, 5, seed=3)}


@program
def both_directions_with_lengths(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 6, 4])
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    fw, bw = tf.nn.rnn_cell.LSTMCell(5), tf.nn.rnn_cell.GRUCell(3)
    outputs, states = tf.nn.bidirectional_dynamic_rnn(fw, bw, x, sequence_length=lengths, dtype=tf.float32)
    joined = tf.concat(outputs, 2)
    say(joined, outputs[0].shape, states[0].c.shape, states[1].shape)
    say_variables(tf, say)
    return {"joined": joined, "c": states[0].c, "bw": states[1]}, {
        x: data(3, 6, 4),
        lengths: np.array([6, 2, 4], "int32"),
    }


@program
def both_directions_step_by_step(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 5, 4])
    steps = [tf.squeeze(s, [1]) for s in tf.split(x, 5, axis=1)]
    say(steps[0], len(steps))
    fw, bw = (tf.nn.rnn_cell.BasicLSTMCell(4, forget_bias=b) for b in (1.0, 0.0))
    outputs, one, other = tf.nn.static_bidirectional_rnn(fw, bw, steps, dtype=tf.float32)
    say_variables(tf, say)
    return {"mean": tf.reduce_mean(tf.stack(outputs), 0), "fw": one.h, "bw": other.h}, {x: data(2, 5, 4)}


@program
def characters_one_after_another(tf: Any, say: Say) -> Found:
    vocabulary, size, batch = 11, 8, 2
    inputs = tf.placeholder(tf.int32, [batch, 4], name="inputs")
    targets = tf.placeholder(tf.int32, [batch, 4], name="targets")
    with tf.variable_scope("rnnlm"):
        softmax_w = tf.get_variable("softmax_w", [size, vocabulary])
        softmax_b = tf.get_variable("softmax_b", [vocabulary])
        embedding = tf.get_variable("embedding", [vocabulary, size])
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(size) for _ in range(2)])
    initial_state = cell.zero_state(batch, tf.float32)
    outputs, final_state = tf.nn.dynamic_rnn(
        cell, tf.nn.embedding_lookup(embedding, inputs), initial_state=initial_state
    )
    output = tf.reshape(outputs, [-1, size])
    logits = tf.matmul(output, softmax_w) + softmax_b
    probs = tf.nn.softmax(logits, name="probs")
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(targets, [-1]), logits=logits)
    cost = tf.reduce_sum(loss) / batch / 4
    say(probs, logits.shape, cost.shape)
    say_variables(tf, say)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        state = sess.run(cell.zero_state(batch, tf.float32))
        for _ in range(2):
            p, state = sess.run([probs, final_state], {inputs: ids(11, 2, 4), initial_state: state})
        say(p.shape, type(state[0]).__name__)
    return {"probs": probs, "cost": cost, "h": final_state[1].h}, {
        inputs: ids(11, 2, 4),
        targets: ids(11, 2, 4, seed=1),
    }


@program
def penn_treebank_with_reuse(tf: Any, say: Say) -> Found:
    class Model:
        def __init__(self, batch_size: int, num_steps: int, is_training: bool) -> None:
            self.input = tf.placeholder(tf.int32, [batch_size, num_steps])
            cells = [tf.nn.rnn_cell.BasicLSTMCell(6, forget_bias=0.0, state_is_tuple=True) for _ in range(2)]
            cell = tf.nn.rnn_cell.MultiRNNCell(cells, state_is_tuple=True)
            self.initial_state = state = cell.zero_state(batch_size, tf.float32)
            inputs = tf.nn.embedding_lookup(tf.get_variable("embedding", [9, 6], dtype=tf.float32), self.input)
            outputs = []
            with tf.variable_scope("RNN"):
                for time_step in range(num_steps):
                    if time_step > 0:
                        tf.get_variable_scope().reuse_variables()
                    (cell_output, state) = cell(inputs[:, time_step, :], state)
                    outputs.append(cell_output)
            output = tf.reshape(tf.concat(outputs, 1), [-1, 6])
            softmax_w = tf.get_variable("softmax_w", [6, 9], dtype=tf.float32)
            softmax_b = tf.get_variable("softmax_b", [9], dtype=tf.float32)
            self.logits = tf.reshape(tf.nn.xw_plus_b(output, softmax_w, softmax_b), [batch_size, num_steps, 9])
            self.final_state = state

    initializer = tf.random_uniform_initializer(-0.1, 0.1)
    with tf.name_scope("Train"), tf.variable_scope("Model", reuse=None, initializer=initializer):
        train = Model(2, 3, True)
    with tf.name_scope("Test"), tf.variable_scope("Model", reuse=True, initializer=initializer):
        test = Model(1, 2, False)
    say_variables(tf, say)
    say(train.logits, test.logits, len(tf.trainable_variables()))
    found = {"train": train.logits, "test": test.logits, "c": test.final_state[0].c}
    return found, {train.input: ids(9, 2, 3), test.input: ids(9, 1, 2)}


@program
def a_time_series(tf: Any, say: Say) -> Found:
    n_steps, n_inputs, n_neurons, n_outputs = 10, 1, 12, 1
    X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
    y = tf.placeholder(tf.float32, [None, n_steps, n_outputs])
    cell = tf.nn.rnn_cell.BasicRNNCell(num_units=n_neurons, activation=tf.nn.relu)
    rnn_outputs, states = tf.nn.dynamic_rnn(cell, X, dtype=tf.float32)
    stacked_rnn_outputs = tf.reshape(rnn_outputs, [-1, n_neurons])
    stacked_outputs = tf.layers.dense(stacked_rnn_outputs, n_outputs)
    outputs = tf.reshape(stacked_outputs, [-1, n_steps, n_outputs])
    loss = tf.reduce_mean(tf.square(outputs - y))
    say(rnn_outputs, stacked_outputs, outputs, loss)
    say_variables(tf, say)
    return {"outputs": outputs, "loss": loss}, {X: data(3, 10, 1), y: data(3, 10, 1, seed=1)}


@program
def the_last_step_of_each_length(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 5, 3])
    used = tf.sign(tf.reduce_max(tf.abs(x), 2))
    length = tf.cast(tf.reduce_sum(used, 1), tf.int32)
    output, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(4), x, dtype=tf.float32, sequence_length=length)
    batch_size = tf.shape(output)[0]
    index = tf.range(0, batch_size) * 5 + (length - 1)
    relevant = tf.gather(tf.reshape(output, [-1, 4]), index)
    say(length, batch_size, relevant)
    fed = data(3, 5, 3)
    fed[1, 2:] = fed[2, 4:] = 0
    return {"relevant": relevant, "length": length}, {x: fed}


@program
def attention_over_the_outputs(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 6, 3])
    outputs, _ = tf.nn.bidirectional_dynamic_rnn(
        tf.nn.rnn_cell.GRUCell(4), tf.nn.rnn_cell.GRUCell(4), x, dtype=tf.float32
    )
    inputs = tf.concat(outputs, 2)
    w_omega = tf.Variable(tf.random_normal([8, 5], stddev=0.1), name="w_omega")
    b_omega = tf.Variable(tf.random_normal([5], stddev=0.1))
    u_omega = tf.Variable(tf.random_normal([5], stddev=0.1))
    v = tf.tanh(tf.tensordot(inputs, w_omega, axes=1) + b_omega)
    vu = tf.tensordot(v, u_omega, axes=1, name="vu")
    alphas = tf.nn.softmax(vu, name="alphas")
    output = tf.reduce_sum(inputs * tf.expand_dims(alphas, -1), 1)
    say(v.shape, vu, alphas, output.shape)
    return {"output": output, "alphas": alphas}, {x: data(2, 6, 3)}


@program
def raw_rnn_that_reads_and_writes(tf: Any, say: Say) -> Found:
    max_time, batch_size, input_depth, num_units = 5, 3, 2, 4
    inputs = tf.placeholder(shape=(max_time, batch_size, input_depth), dtype=tf.float32)
    sequence_length = tf.placeholder(shape=(batch_size,), dtype=tf.int32)
    inputs_ta = tf.TensorArray(dtype=tf.float32, size=max_time)
    inputs_ta = inputs_ta.unstack(inputs)
    cell = tf.nn.rnn_cell.LSTMCell(num_units)

    def loop_fn(time: Any, cell_output: Any, cell_state: Any, loop_state: Any) -> Any:
        emit_output = cell_output
        if cell_output is None:
            next_cell_state = cell.zero_state(batch_size, tf.float32)
        else:
            next_cell_state = cell_state
        elements_finished = time >= sequence_length
        finished = tf.reduce_all(elements_finished)
        next_input = tf.cond(
            finished, lambda: tf.zeros([batch_size, input_depth], dtype=tf.float32), lambda: inputs_ta.read(time)
        )
        return elements_finished, next_input, next_cell_state, emit_output, None

    outputs_ta, final_state, _ = tf.nn.raw_rnn(cell, loop_fn)
    outputs = outputs_ta.stack()
    say_variables(tf, say)
    return {"outputs": outputs, "c": final_state.c}, {
        inputs: data(5, 3, 2),
        sequence_length: np.array([5, 2, 4], "int32"),
    }


@program
def peepholes_projections_and_clips(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 4, 3], name="x")
    cell = tf.nn.rnn_cell.LSTMCell(6, use_peepholes=True, cell_clip=0.4, num_proj=2, forget_bias=0.5)
    outputs, state = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32, scope="peep")
    say(outputs.shape, state.c.shape, state.h.shape)
    say_variables(tf, say)
    return {"outputs": outputs, "c": state.c}, {x: data(2, 4, 3)}


@program
def a_cell_of_ones_own(tf: Any, say: Say) -> Found:
    class Leaky(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc, name-defined]  # tf is an argument
        def __init__(self, num_units: int) -> None:
            super().__init__()
            self._num_units = num_units

        @property
        def state_size(self) -> int:
            return self._num_units

        @property
        def output_size(self) -> int:
            return self._num_units

        def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
            with tf.variable_scope(scope or type(self).__name__):
                w = tf.get_variable("W", [inputs.get_shape()[-1], self._num_units])
                u = tf.get_variable("U", [self._num_units, self._num_units])
                b = tf.get_variable("b", [self._num_units], initializer=tf.zeros_initializer())
                new = 0.9 * state + 0.1 * tf.tanh(tf.matmul(inputs, w) + tf.matmul(state, u) + b)
            return new, new

    x = tf.placeholder(tf.float32, [None, 4, 3])
    outputs, state = tf.nn.static_rnn(Leaky(5), tf.unstack(x, axis=1), dtype=tf.float32)
    say_variables(tf, say)
    return {"outputs": tf.stack(outputs, 1), "state": state}, {x: data(2, 4, 3)}


@program
def a_scan_over_time(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [2, 5, 3])
    W = tf.get_variable("W", shape=[4, 4], initializer=tf.orthogonal_initializer())
    U = tf.get_variable("U", shape=[3, 4], initializer=tf.glorot_uniform_initializer())
    b = tf.get_variable("b", shape=[4], initializer=tf.constant_initializer(0.0))

    def step(st_1: Any, inp: Any) -> Any:
        return tf.tanh(tf.matmul(tf.reshape(st_1, [2, 4]), W) + tf.matmul(tf.reshape(inp, [2, 3]), U) + b)

    states = tf.scan(step, tf.transpose(x, [1, 0, 2]), initializer=tf.zeros([2, 4]))
    states = tf.transpose(states, [1, 0, 2])
    say(states.shape)
    return {"states": states}, {x: data(2, 5, 3)}


@program
def convolutions_before_a_gru(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 8, 3])
    filters = tf.get_variable("filters", [3, 3, 6])
    h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv1d(x, filters, 2, "SAME"), tf.get_variable("b", [6])))
    h = tf.layers.conv1d(h, 4, 2, padding="valid", activation=tf.nn.tanh)
    image = tf.nn.conv2d(tf.expand_dims(x, -1), tf.get_variable("k", [2, 2, 1, 2]), [1, 1, 1, 1], "VALID")
    pooled = tf.nn.max_pool(image, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    smoothed = tf.layers.average_pooling2d(image, 2, 1)
    outputs, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(3), h, dtype=tf.float32)
    say(h.shape, image.shape, outputs.shape, pooled, smoothed.shape)
    say_variables(tf, say)
    return {"state": state, "image": image, "pooled": pooled, "smoothed": smoothed}, {x: data(2, 8, 3)}


@program
def layers_and_losses(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 5])
    labels = tf.placeholder(tf.int64, [None])
    keep_prob = tf.placeholder(tf.float32)
    h = tf.contrib.layers.fully_connected(x, 7, scope="hidden")
    h = tf.nn.dropout(h, keep_prob)
    logits = tf.layers.dense(h, 3, name="logits")
    loss = tf.losses.sparse_softmax_cross_entropy(labels=labels, logits=logits)
    other = tf.losses.mean_squared_error(tf.one_hot(labels, 3), tf.nn.softmax(logits), weights=2.0)
    hinge = tf.losses.huber_loss(tf.one_hot(labels, 3), logits, delta=0.5)
    total = tf.losses.get_total_loss()
    correct = tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.one_hot(labels, 3), logits=logits)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), labels), tf.float32))
    say(h.shape, logits, loss.shape, keep_prob)
    say_variables(tf, say)
    found = {"loss": loss, "other": other, "hinge": hinge, "total": total, "accuracy": accuracy, "logistic": correct}
    return found, {x: data(4, 5), labels: np.array([0, 2, 1, 1]), keep_prob: 1.0}


@program
def dropout_around_cells(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 4, 3])
    keep = tf.placeholder(tf.float32, name="keep")

    def make() -> Any:
        cell = tf.nn.rnn_cell.BasicLSTMCell(3)
        return tf.nn.rnn_cell.ResidualWrapper(
            tf.nn.rnn_cell.DropoutWrapper(cell, input_keep_prob=keep, output_keep_prob=keep)
        )

    outputs, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.MultiRNNCell([make() for _ in range(2)]), x, dtype=tf.float32)
    say_variables(tf, say)
    return {"outputs": outputs}, {x: data(2, 4, 3), keep: 1.0}


@program
def a_state_that_lives_between_runs(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [2, 3, 4])
    cell = tf.nn.rnn_cell.GRUCell(5)
    kept = tf.Variable(tf.zeros([2, 5]), trainable=False, name="kept")
    outputs, last = tf.nn.dynamic_rnn(cell, x, initial_state=kept)
    with tf.control_dependencies([outputs]):
        update = kept.assign(last)
    reset = tf.group(kept.assign(tf.zeros([2, 5])))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for v in tf.trainable_variables():
            sess.run(v.assign(values_for(v.name, v.shape.as_list(), "float32")))
        first = sess.run([outputs, update], {x: data(2, 3, 4)})[0]
        second = sess.run(outputs, {x: data(2, 3, 4)})
        sess.run(reset)
        third = sess.run(outputs, {x: data(2, 3, 4)})
    say(bool(np.allclose(first, third)), bool(np.allclose(first, second)), kept, len(tf.trainable_variables()))
    return {"outputs": outputs, "update": update}, {x: data(2, 3, 4)}


@program
def operators_in_every_spelling(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 4, 6], name="x")
    n = tf.shape(x)[0]
    parts = tf.split(x, [1, 2, 3], 2)
    a, b = tf.split(x, num_or_size_splits=2, axis=1)
    rows = tf.unstack(x, axis=1)
    picked = tf.gather_nd(x[0], [[0, 1], [3, 5]])
    found = {
        "einsum": tf.einsum("btd,de->bte", x, tf.ones([6, 2])),
        "outer": tf.einsum("bd,be->bde", rows[0], rows[1]),
        "transposed": tf.matmul(a, b, transpose_b=True),
        "cut": x[:, 1:-1, ::2],
        "last": x[..., -1],
        "new": x[:, tf.newaxis, 0] if hasattr(tf, "newaxis") else x[:, None, 0],
        "padded": tf.pad(rows[0], [[0, 0], [2, 1]], constant_values=1.0),
        "tiled": tf.tile(tf.expand_dims(rows[0], 1), [1, 3, 1]),
        "where": tf.where(x > 0, x, tf.zeros_like(x)),
        "clipped": tf.clip_by_value(x, -0.5, 0.5) ** 2 / 3 - abs(x) % 2,
        "joined": tf.concat([parts[0], parts[2]], -1),
        "slice": tf.slice(x, [0, 1, 2], [-1, 2, 3]),
        "reduced": tf.reduce_max(x, reduction_indices=[1], keep_dims=True)
        + tf.reduce_logsumexp(x, axis=2, keepdims=True),
        "flat": tf.reshape(x, [n, -1]),
        "mask": tf.cast(tf.sequence_mask([1, 3], 4), tf.float32),
        "fill": tf.fill([2, 2], 7) + tf.range(2),
        "zeros": tf.zeros([n, 3]) + tf.constant(1.0, shape=[3]),
        "picked": picked,
        "floor": tf.floor(x) // 2.0,
        "normal": tf.nn.l2_normalize(x, 2),
        "reversed": tf.reverse(x, [1]),
        "cond": tf.cond(tf.reduce_sum(x) > 0, lambda: x + 1, lambda: x - 1),
        "squared": tf.squared_difference(a, b) + tf.reduce_prod(a, 1, keepdims=True),
        "any": tf.reduce_any(x > 2, 1),
    }
    for name in ("transposed", "cut", "padded", "tiled", "where", "joined", "slice", "fill", "picked", "reversed"):
        say(found[name].shape, found[name].dtype)
    say(parts[1], a, rows[3])
    return found, {x: data(2, 4, 6)}


@program
def a_checkpoint_restored(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 3, 2], name="x")
    outputs, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(3), x, dtype=tf.float32)
    w = tf.get_variable("w", [3, 2])
    y = tf.matmul(outputs[:, -1], w, name="y")
    saver = tf.train.Saver()
    with tf.Session() as sess:
        saver.restore(sess, CHECKPOINT)
        found = sess.run("y:0", feed_dict={"x:0": data(2, 3, 2)})
        kept = {v.op.name: sess.run(v) for v in tf.global_variables()}
    say(*sorted(kept), *(f"{number:.4f}" for number in found.ravel()))
    return {"y": y}, {x: data(2, 3, 2)}


@program
def outputs_through_a_projection(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, 4, 2])
    cell = tf.contrib.rnn.OutputProjectionWrapper(tf.contrib.rnn.GRUCell(5), output_size=1)
    outputs, state = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    say(outputs.shape, state.shape)
    say_variables(tf, say)
    return {"outputs": outputs}, {x: data(3, 4, 2)}


@program
def any_length_of_time(tf: Any, say: Say) -> Found:
    x = tf.placeholder(tf.float32, [None, None, 3])
    outputs, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(4), x, dtype=tf.float32)
    logits = tf.layers.dense(outputs, 2)
    say(outputs.shape, logits.shape, state.c.shape)
    say_variables(tf, say)
    return {"logits": logits, "h": state.h}, {x: data(2, 5, 3)}


def encoder(tf: Any, vocabulary: int, units: int) -> Any:
    source = tf.placeholder(tf.int32, [None, 5], name="source")
    lengths = tf.placeholder(tf.int32, [None], name="source_lengths")
    embedding = tf.get_variable("embedding", [vocabulary, 4])
    embedded = tf.nn.embedding_lookup(embedding, source)
    with tf.variable_scope("encoder"):
        cell = tf.nn.rnn_cell.BasicLSTMCell(units)
        outputs, state = tf.nn.dynamic_rnn(cell, embedded, sequence_length=lengths, dtype=tf.float32)
    return source, lengths, embedding, outputs, state


@program
def sequence_to_sequence_in_training(tf: Any, say: Say) -> Found:
    source, lengths, embedding, _, state = encoder(tf, 9, 6)
    target = tf.placeholder(tf.int32, [None, 4], name="target")
    target_lengths = tf.placeholder(tf.int32, [None], name="target_lengths")
    helper = tf.contrib.seq2seq.TrainingHelper(tf.nn.embedding_lookup(embedding, target), target_lengths)
    cell, projection = tf.nn.rnn_cell.BasicLSTMCell(6), tf.layers.Dense(9, use_bias=False, name="projection")
    decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, state, output_layer=projection)
    outputs, final_state, final_lengths = tf.contrib.seq2seq.dynamic_decode(decoder, impute_finished=True)
    weights = tf.sequence_mask(target_lengths, 4, dtype=tf.float32)
    loss = tf.contrib.seq2seq.sequence_loss(outputs.rnn_output, target, weights)
    each = tf.contrib.seq2seq.sequence_loss(outputs.rnn_output, target, weights, average_across_batch=False)
    say(type(outputs).__name__, loss.shape)
    say_variables(tf, say)
    found = {
        "logits": outputs.rnn_output,
        "ids": outputs.sample_id,
        "lengths": final_lengths,
        "loss": loss,
        "each": each,
    }
    found["c"] = final_state.c
    fed = {source: ids(9, 3, 5), lengths: np.array([5, 2, 3], "int32"), target: ids(9, 3, 4, seed=1)}
    return found, {**fed, target_lengths: np.array([2, 4, 1], "int32")}


@program
def sequence_to_sequence_that_reads_what_it_said(tf: Any, say: Say) -> Found:
    source, lengths, embedding, _, state = encoder(tf, 9, 6)
    start = tf.fill([tf.shape(source)[0]], 1)
    helper = tf.contrib.seq2seq.GreedyEmbeddingHelper(embedding, start, 0)
    with tf.variable_scope("decode"):
        projection = tf.layers.Dense(9, use_bias=False)
        decoder = tf.contrib.seq2seq.BasicDecoder(tf.nn.rnn_cell.BasicLSTMCell(6), helper, state, projection)
        outputs, _, final_lengths = tf.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=6)
    say_variables(tf, say)
    found = {"logits": outputs.rnn_output, "ids": outputs.sample_id, "lengths": final_lengths}
    return found, {source: ids(9, 3, 5), lengths: np.array([5, 2, 3], "int32")}


def attending(kind: str, **options: Any) -> Callable[[Any, Say], Found]:
    def body(tf: Any, say: Say) -> Found:
        source, lengths, embedding, outputs, state = encoder(tf, 9, 6)
        mechanism = getattr(tf.contrib.seq2seq, kind)(6, outputs, memory_sequence_length=lengths, **options)
        cell = tf.contrib.seq2seq.AttentionWrapper(tf.nn.rnn_cell.BasicLSTMCell(6), mechanism, attention_layer_size=5)
        batch = tf.shape(source)[0]
        initial = cell.zero_state(batch, tf.float32).clone(cell_state=state)
        helper = tf.contrib.seq2seq.GreedyEmbeddingHelper(embedding, tf.ones([batch], tf.int32), 2)
        decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, initial, tf.layers.Dense(9))
        decoded, final, _ = tf.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=3)
        say_variables(tf, say)
        found = {"logits": decoded.rnn_output, "ids": decoded.sample_id, "alignments": final.alignments}
        return found, {source: ids(9, 3, 5), lengths: np.array([5, 2, 3], "int32")}

    return body


PROGRAMS["attention_of_bahdanau"] = attending("BahdanauAttention")
PROGRAMS["attention_of_luong"] = attending("LuongAttention", scale=True)
PROGRAMS["attention_that_is_normalised"] = attending("BahdanauAttention", normalize=True)

#: The checkpoint that a program restores, made by make_tf1_programs.py.
CHECKPOINT = __file__.removesuffix("tf1_programs.py") + "tf1_checkpoint/model.ckpt"
