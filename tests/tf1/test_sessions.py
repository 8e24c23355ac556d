"""Sessions hold what variables hold: runs, feeds of any tensor, assignments, and the errors of each."""

from __future__ import annotations

import numpy as np
import pytest

import unroll
from unroll import tf1 as tf


def test_two_steps_by_static_rnn_print_the_book_s_numbers() -> None:
    x0, x1 = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.float32, [None, 3])
    (y0, y1), state = tf.nn.static_rnn(tf.nn.rnn_cell.BasicRNNCell(num_units=5), [x0, x1], dtype=tf.float32)
    kernel = next(v for v in tf.global_variables() if v.name == "rnn/basic_rnn_cell/kernel:0")
    assert f"{kernel.name} {kernel.shape}" == "rnn/basic_rnn_cell/kernel:0 (8, 5)"
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(kernel.assign(np.ones((8, 5))))
        first, (second, last) = sess.run([y0, (y1, state)], {x0: [[0, 0.1, 0.2]], x1: [[0, 0.1, 0.2]]})
        graph = sess.graph_of([y0, y1])
    assert (str(first[0, 0]), str(second[0, 0])) == ("0.29131263", "0.94211787")
    np.testing.assert_array_equal(second, last)
    assert unroll.verify(graph)


def test_each_session_has_values_of_its_own() -> None:
    v = tf.Variable(1.0)
    add = v.assign_add(2.0)
    with tf.Session() as one, tf.Session() as other:
        one.run(tf.global_variables_initializer())
        other.run(tf.global_variables_initializer())
        assert [one.run(add), one.run(add), one.run(v), other.run(v)] == [3.0, 5.0, 5.0, 1.0]
        graph = one.graph_of(v * 2)
        one.run(add)
        assert graph.run({})["mul"] == 10.0  # what the session held when it was asked


def test_a_nest_of_fetches_comes_back_as_it_is() -> None:
    a, b = tf.constant([1, 2]), tf.constant(3.0, name="b")
    found = tf.Session().run({"a": a, "rest": (b, [tf.no_op(), "b:0"])})
    assert list(found) == ["a", "rest"] and found["rest"] == (np.float32(3), [None, np.float32(3)])
    assert found["a"].dtype == np.int32 and isinstance(found["rest"][0], np.float32)


def test_any_tensor_may_be_fed_and_a_nest_of_them_by_a_nest() -> None:
    x = tf.placeholder(tf.float32, [None, 2])
    cell = tf.nn.rnn_cell.BasicLSTMCell(3)
    initial = cell.zero_state(1, tf.float32)
    _, state = tf.nn.static_rnn(cell, [x], initial_state=initial)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        first = sess.run(state, {x: [[1, 2]]})
        again = sess.run(state, {x: [[1, 2]], initial: first})
        assert not np.allclose(first.h, again.h)
        graph = sess.graph_of(state, feeds=initial)
        fed = dict(zip([item.name for item in graph.inputs], [[[1, 2]], first.c, first.h], strict=True))
        np.testing.assert_allclose(list(graph.run(fed).values()), again, rtol=1e-6)


def test_what_is_made_under_control_dependencies_reads_what_was_assigned() -> None:
    v = tf.Variable(1.0)
    with tf.control_dependencies([v.assign(5.0)]):
        after = tf.identity(v)
    with tf.Session() as sess:
        sess.run(v.initializer)
        assert (sess.run(after), sess.run(v)) == (5.0, 5.0)


def test_a_group_assigns_all_from_what_was_there() -> None:
    a, b = tf.Variable(1.0), tf.Variable(2.0)
    swap = tf.group(a.assign(b), b.assign(a))
    with tf.InteractiveSession().as_default() as sess:
        sess.run(tf.global_variables_initializer())
        swap.run()
        assert (a.eval(), b.eval()) == (2.0, 1.0)
        sess.close()


def test_random_numbers_are_drawn_anew_and_start_from_the_seed() -> None:
    tf.set_random_seed(1)
    x, w = tf.random_normal([2, 3]), tf.Variable(tf.truncated_normal([100], stddev=2.0))
    one, other = tf.Session(), tf.Session()
    first, second = one.run(x), one.run(x)
    assert first.shape == (2, 3) and not np.allclose(first, second)
    np.testing.assert_array_equal(other.run(x), first)
    one.run(tf.global_variables_initializer())
    assert 0.5 < np.std(one.run(w)) < 3 and np.abs(one.run(w)).max() < 4


BAD = {
    "uninitialised": (lambda x, w: tf.Session().run(w), "uninitialized value w"),
    "not fed": (lambda x, w: tf.Session().run(x + 1), "You must feed a value for placeholder tensor 'x'"),
    "wrong shape": (lambda x, w: tf.Session().run(x, {x: [[1, 2]]}), r"shape \(1, 2\) for Tensor x:0.*\(\?, 3\)"),
    "no name": (lambda x, w: tf.Session().run("y:0"), "The name 'y:0' refers to a Tensor which does not exist"),
    "a number": (lambda x, w: tf.Session().run(3), "Argument `fetch` = 3"),
    "no mapping": (lambda x, w: tf.Session().run(x, [1]), "feed_dict: a dict"),
    "a tensor fed": (lambda x, w: tf.Session().run(x, {x: w}), "feed_dict: an array is fed"),
    "other graph": (lambda x, w: tf.Session(graph=tf.Graph()).run(x), "not an element of this graph"),
    "no session": (lambda x, w: w.eval(), "no default session"),
    "an operation": (lambda x, w: tf.Session().graph_of(tf.no_op()), "an operation has no value"),
    "a bool of it": (lambda x, w: bool(x), "no value before a run"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_a_session_cannot_do_is_said(case: str) -> None:
    x, w = tf.placeholder(tf.float32, [None, 3], name="x"), tf.Variable(tf.zeros([3]), name="w")
    call, said = BAD[case]
    with pytest.raises(unroll.UnrollError, match=said):
        call(x, w)


def test_a_closed_session_runs_nothing() -> None:
    with tf.Session() as sess:
        pass
    with pytest.raises(unroll.UnrollError, match="closed Session"):
        sess.run(tf.constant(1))
