"""A name that is not here says what there is, and why; it is an AttributeError to Python."""

from __future__ import annotations

import pytest

import unroll
from unroll import tf1 as tf


@pytest.mark.parametrize(
    ("home", "name", "said"),
    [
        (tf, "gradients", "training is not here yet.*tf.train.Saver"),
        (tf, "matmull", "did you mean 'matmul'"),
        (tf, "while_loop", "a Python loop is traced"),
        (tf.nn, "relu7", "module 'tf.nn' has no attribute 'relu7'; did you mean 'relu'"),
        (tf.nn, "top_k", "np.argsort"),
        (tf.layers, "batch_normalization", r"it is tf\.nn\.batch_normalization.*moving_mean"),
        (tf.contrib.rnn, "LSTMBlockCell", "it is LSTMCell"),
        (tf.constant(1), "numpy", r"it is sess.run\(tensor\)"),
        (tf.constant(1), "shap", "did you mean 'shape'"),
    ],
)
def test_a_name_that_is_not_here_says_what_there_is(home: object, name: str, said: str) -> None:
    with pytest.raises(unroll.UnrollError, match=said):
        getattr(home, name)
    assert not hasattr(home, name)
