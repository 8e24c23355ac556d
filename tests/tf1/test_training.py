"""Variables are saved and restored by name; nothing trains, and that is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import unroll
from unroll import tf1 as tf


def test_what_is_saved_is_restored_by_name_and_training_is_said_to_be_elsewhere(tmp_path: Path) -> None:
    w, step = tf.get_variable("w", [2, 3]), tf.train.get_or_create_global_step()
    saver = tf.train.Saver()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        path = saver.save(sess, str(tmp_path / "model"), global_step=step)
        held = sess.run(w)
    assert path.endswith("model-0") and (tmp_path / "model-0.npz").exists()
    with tf.Session() as sess:
        saver.restore(sess, path)
        np.testing.assert_array_equal(sess.run(w), held)
    with pytest.raises(unroll.UnrollError, match=r"training is not here yet.*tf\.train\.Saver"):
        tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(w))
    tf.get_variable("more", [1])
    with pytest.raises(unroll.UnrollError, match="Key more not found"):
        tf.train.Saver().restore(tf.Session(), path)
