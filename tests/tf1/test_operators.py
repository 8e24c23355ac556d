"""Functions of tensors: spellings of every version, sizes that are tensors, printing, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unroll
from unroll import tf1 as tf


def test_spellings_before_version_one_mean_the_same() -> None:
    x = tf.constant(np.arange(12.0).reshape(2, 6))
    old = [
        *tf.split(1, 3, x),
        tf.concat(1, [x, x]),
        tf.pack([x, x]),
        *tf.unpack(x),
        tf.mul(x, 2.0),
        tf.sub(x, x),
        tf.neg(x),
    ]
    new = [*tf.split(x, 3, 1), tf.concat([x, x], 1), tf.stack([x, x]), *tf.unstack(x), x * 2.0, x - x, -x]
    sess = tf.Session()
    for one, other in zip(sess.run(old), sess.run(new), strict=True):
        np.testing.assert_array_equal(one, other)


def test_div_of_integers_is_rounded_down_as_in_python_2() -> None:
    x = tf.constant([[7, -7]])
    made = [
        tf.div(x, 2),
        tf.div(-7, 2),
        tf.div(tf.constant(7.0), 2),
        tf.div(7, tf.constant(2.0)),
        (x / 2)[:, tf.newaxis, 0],
    ]
    found = [item.tolist() for item in tf.Session().run(made)]
    assert found == [[[3, -4]], -4, 3.5, 3.5, [[3.5]]]


def test_sizes_may_be_tensors_and_what_is_known_of_them_shows() -> None:
    x = tf.placeholder(tf.float32, [None, 5])
    batch = tf.shape(x)[0]
    made = [tf.zeros(tf.stack([batch, 3])), tf.zeros([batch, 2]), tf.fill([batch], 1), tf.random_normal(tf.shape(x))]
    made += [tf.reshape(x, [batch, 5, 1]), tf.tile(x, [1, tf.constant(2)]), x[: batch - 1], tf.range(batch)]
    assert [str(item.shape) for item in made[:6]] == ["(?, 3)", "(?, 2)", "(?,)", "(?, 5)", "(?, 5, 1)", "(?, 10)"]
    found = tf.Session().run(made, {x: np.ones((4, 5))})
    shapes = [(4, 3), (4, 2), (4,), (4, 5), (4, 5, 1), (4, 10), (3, 5), (4,)]
    assert [item.shape for item in found] == shapes and found[-1].dtype == np.int32


def test_dtypes_and_shapes_print_as_in_tensorflow() -> None:
    x = tf.placeholder(tf.float32, [None, 13])
    assert (str(tf.float32), repr(tf.float32), str(x.shape), repr(x.shape)) == (
        "<dtype: 'float32'>", "tf.float32", "(?, 13)", "TensorShape([Dimension(None), Dimension(13)])"
    )  # fmt: skip
    assert str(x) == 'Tensor("Placeholder:0", shape=(?, 13), dtype=float32)'
    assert repr(x) == "<tf.Tensor 'Placeholder:0' shape=(?, 13) dtype=float32>"
    assert (x.shape[1].value, x.get_shape().as_list(), str(x.shape[0] * 2)) == (13, [None, 13], "?")
    assert tf.float32 == np.float32 and tf.constant(3).dtype == tf.int32 and np.zeros(1, tf.float64).dtype == np.float64


def test_zeros_and_ones_may_be_booleans() -> None:
    made = [tf.zeros([2], tf.bool), tf.ones([2], tf.bool), tf.zeros_like(tf.constant([True, False]))]
    assert [item.tolist() for item in tf.Session().run(made)] == [[False, False], [True, True], [False, False]]


def test_flags_have_their_defaults_and_what_the_command_line_says() -> None:
    tf.app.flags.DEFINE_integer("units", 3, "how many")
    assert tf.app.flags.FLAGS.units == 3
    assert tf.app.flags.FLAGS(["prog", "--units=5", "rest"]) == ["prog", "rest"] and tf.app.flags.FLAGS.units == 5
    with pytest.raises(SystemExit):
        tf.app.run(lambda argv: argv[1], ["prog", "done"])
    with pytest.raises(unroll.UnrollError, match="--units=many: int is wanted"):
        tf.app.flags.FLAGS(["prog", "--units", "many"])


def run_dropout(x: Any) -> None:
    keep = tf.placeholder(tf.float32)
    tf.Session().run(tf.nn.dropout(x, keep), {x: [[1]], keep: 0.5})


def run_without_steps(x: Any) -> None:
    tf.nn.raw_rnn(tf.nn.rnn_cell.GRUCell(2), lambda *unused: (False, x, tf.zeros([1, 2]), None, None))


def attend_from_an_encoder(x: Any) -> None:
    cell = tf.nn.rnn_cell.BasicLSTMCell(4)
    attention = tf.contrib.seq2seq.LuongAttention(4, tf.zeros([2, 5, 3]))
    tf.contrib.seq2seq.AttentionWrapper(cell, attention)(tf.zeros([2, 3]), cell.zero_state(2, tf.float32))


BAD: dict[str, tuple[Callable[[Any], Any], str]] = {
    "dropout that drops": (run_dropout, "1 to 1 is wanted .dropout acts"),
    "widths": (lambda x: tf.matmul(x, tf.zeros([3, 2])), "the columns of A and the rows of B"),
    "no number": (lambda x: tf.nn.conv1d(x, tf.zeros([1, 1, 1]), "x", "SAME"), "conv"),
    "an argument": (lambda x: tf.reduce_sum(x, axes=1), "did you mean axis"),
    "an equation": (lambda x: tf.einsum("ij->k", x), "einsum"),
    "positional labels": (lambda x: tf.nn.softmax_cross_entropy_with_logits(x, x), "named arguments"),
    "where": (lambda x: tf.where(x > 0), "x and y must be given"),
    "units": (lambda x: tf.layers.dense(x, "many"), "Dense: units"),
    "no steps": (run_without_steps, "maximum_iterations"),
    "rows apart": (lambda x: tf.gather(x, [[0]], batch_dims=1), "gather: batch_dims = 1 would change"),
    "backward": (lambda x: tf.scan(tf.add, x, reverse=True), "scan: reverse = True would change"),
    "a reduction": (lambda x: tf.losses.mean_squared_error(x, x, reduction="none"), "reduction = 'none' would change"),
    "a normalizer": (lambda x: tf.contrib.layers.fully_connected(x, 2, normalizer_fn=tf.tanh), "normalizer_fn"),
    "an encoder's state": (attend_from_an_encoder, "where AttentionWrapperState.* is wanted"),
    "an array": (np.array, "has no value before a run"),
    "a mode": (lambda x: tf.pad(x, [[1, 1], [0, 0]], mode="REFLECT"), "only CONSTANT"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_said(case: str) -> None:
    call, said = BAD[case]
    with pytest.raises(unroll.UnrollError, match=said):
        call(tf.placeholder(tf.float32, [None, 1]))
