"""Every test of TensorFlow 1's face begins with an empty default graph."""

from __future__ import annotations

import pytest

from unroll import tf1 as tf


@pytest.fixture(autouse=True)
def _empty_graph() -> None:
    tf.reset_default_graph()
