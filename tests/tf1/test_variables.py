"""Variables: names, scopes, reuse and collections as TensorFlow 1 has them."""

from __future__ import annotations

import numpy as np
import pytest

import unroll
from unroll import tf1 as tf


def test_names_are_numbered_as_tensorflow_numbers_them() -> None:
    """What TensorFlow 2.21 printed for this program under its version 1 face."""
    with tf.name_scope("ns"):
        made = [tf.Variable(1.0), tf.get_variable("gv", [2]), tf.add(1, 2), tf.placeholder(tf.float32)]
    with tf.name_scope("ns"):
        made += [tf.Variable(1.0), tf.add(1, 2, name="s")]
    for reuse in (None, True):
        with tf.variable_scope("vs", reuse=reuse):
            made += [tf.Variable(1.0), tf.add(1, 2)]
    assert [item.name for item in made] == [
        "ns/Variable:0", "gv:0", "ns/Add:0", "ns/Placeholder:0", "ns_1/Variable:0", "ns_1/s:0", "vs/Variable:0", "vs/Add:0",
        "vs_1/Variable:0", "vs_1/Add:0",
    ]  # fmt: skip
    assert repr(made[0]) == "<tf.Variable 'ns/Variable:0' shape=() dtype=float32_ref>"
    assert str(made[3]) == 'Tensor("ns/Placeholder:0", dtype=float32)'


def test_a_scope_finds_makes_or_does_either() -> None:
    with tf.variable_scope("a") as scope:
        w = tf.get_variable("w", [2, 3])
    with tf.variable_scope("a", reuse=True):
        assert tf.get_variable("w", [2, 3]) is w
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        assert tf.get_variable("w") is w and tf.get_variable("b", [3]).name == "a/b:0"
    with tf.variable_scope("b"):
        tf.get_variable("c", [1])
        tf.get_variable_scope().reuse_variables()
        assert tf.get_variable("c").name == "b/c:0"
    assert [v.name for v in tf.global_variables()] == ["a/w:0", "a/b:0", "b/c:0"]
    assert [v.name for v in tf.global_variables("a")] == ["a/w:0", "a/b:0"]


def test_values_begin_as_the_program_says() -> None:
    with tf.variable_scope("s", initializer=tf.constant_initializer(2.0)):
        scoped = tf.get_variable("scoped", [2])
        cell = tf.nn.rnn_cell.BasicRNNCell(2)
        cell(tf.zeros([1, 2]), cell.zero_state(1, tf.float32))
    by_array = tf.get_variable("by_array", initializer=np.arange(3.0, dtype="float32"))
    ints = tf.get_variable("ints", [2], tf.int32, trainable=False)
    drawn = tf.get_variable("drawn", [100, 100], initializer=tf.random_uniform_initializer(-1, 1))
    by_function = tf.get_variable("by_function", [2], initializer=lambda shape, dtype: tf.ones(shape, dtype) * 3)
    follows = tf.Variable(by_array.initialized_value() + 1, name="follows")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        kernel = sess.run("s/basic_rnn_cell/kernel:0")
        found = sess.run([scoped, by_array, ints, by_function, follows])
        assert -1 <= sess.run(drawn).min() < -0.9
        assert by_array.eval(sess).tolist() == tf.identity(input=by_array).eval(session=sess).tolist() == [0, 1, 2]
    assert [item.tolist() for item in found] == [[2, 2], [0, 1, 2], [0, 0], [3, 3], [1, 2, 3]]
    assert (kernel == 2).all() and ints not in tf.trainable_variables()


def clash() -> None:
    for _ in range(2):
        tf.nn.static_rnn(tf.nn.rnn_cell.GRUCell(2), [tf.zeros([1, 2])], dtype=tf.float32)


BAD = {
    "twice": (lambda: [tf.get_variable("w", [1]) for _ in range(2)], "Variable w already exists, disallowed"),
    "a second cell": (clash, "Variable rnn/gru_cell/gates/kernel already exists, disallowed.*reuse=True"),
    "no shape": (lambda: tf.get_variable("w"), "Variable w did not get an initializer"),
    "no value": (lambda: tf.Variable(), "initial_value must be specified"),
    "no scope": (lambda: tf.variable_scope(3).__enter__(), "neither a name nor a scope"),
    "no variable": (lambda: tf.assign(tf.zeros([1]), 1.0), "is no tf.Variable"),
    "shape": (lambda: tf.Variable(tf.zeros([2])).assign([1.0, 2.0, 3.0]), r"\(3,\) was given, \(2,\) is wanted"),
    "a name": (lambda: tf.constant(1, name="a name"), "not a valid scope name"),
    "an argument": (lambda: tf.get_variable("w", [1], initialiser=0), "did you mean initializer"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_a_variable_cannot_be_is_said(case: str) -> None:
    call, said = BAD[case]
    with pytest.raises(unroll.UnrollError, match=said):
        call()


def test_what_is_not_there_is_not_found_by_reuse_and_not_of_another_shape() -> None:
    tf.get_variable("w", [1])
    with tf.variable_scope("", reuse=True):
        with pytest.raises(ValueError, match=r"specified shape \(2,\) and found shape \(1,\)"):
            tf.get_variable("w", [2])
        with pytest.raises(unroll.UnrollError, match="Variable v does not exist"):
            tf.get_variable("v", [2])


def test_two_cells_in_two_scopes_or_called_one_after_the_other_have_weights_of_their_own() -> None:
    x = tf.zeros([1, 2])
    for scope in ("a", "b"):
        with tf.variable_scope(scope):
            tf.nn.static_rnn(tf.nn.rnn_cell.BasicRNNCell(2), [x, x], dtype=tf.float32)
    for _ in range(2):
        cell = tf.nn.rnn_cell.BasicRNNCell(2)
        cell(x, cell.zero_state(1, tf.float32))
        cell(x, cell.zero_state(1, tf.float32))
    with tf.variable_scope("a", reuse=True):
        tf.nn.static_rnn(tf.nn.rnn_cell.BasicRNNCell(2), [x, x], dtype=tf.float32)
    names = ["a/rnn/basic_rnn_cell", "b/rnn/basic_rnn_cell", "basic_rnn_cell", "basic_rnn_cell_1"]
    assert [v.name for v in tf.global_variables()] == [
        f"{name}/{part}:0" for name in names for part in ("kernel", "bias")
    ]
