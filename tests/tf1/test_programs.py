"""Programs of TensorFlow 1 run as they stand: TensorFlow's numbers, names and shapes, and a graph to draw and export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden.tf1_programs import PROGRAMS, values_for

import unroll
from unroll import tf1 as tf

GOLDEN = Path(__file__).parent.parent / "golden"
ARRAYS = np.load(GOLDEN / "tf1_programs.npz")
SAID: dict[str, Any] = json.loads((GOLDEN / "tf1_programs.json").read_text(encoding="utf-8"))["cases"]


def test_every_program_was_run_by_tensorflow() -> None:
    assert list(PROGRAMS) == list(SAID) and len(PROGRAMS) >= 25


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_and_computes_what_tensorflow_did(name: str, tmp_path: Path) -> None:
    said: list[str] = []
    found, feeds = PROGRAMS[name](tf, lambda *items: said.append(" ".join(map(str, items))))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for v in tf.global_variables():
            v.load(values_for(v.name, v.shape.as_list(), v.dtype.as_numpy_dtype), sess)
        key = SAID[name]["outputs"][0]
        graph = sess.graph_of(found[key])
        results = sess.run(found, feeds)
        sess.run(tf.global_variables_initializer())
    assert said == SAID[name]["said"]
    for output, value in results.items():
        wanted = ARRAYS[f"{name}/{output}"]
        assert (np.shape(value), np.asarray(value).dtype) == (wanted.shape, wanted.dtype), output
        np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-5, err_msg=output)
    fed = {item.op.name: value for item, value in feeds.items() if item.op.name in {spec.name for spec in graph.inputs}}
    (computed,) = unroll.Session(unroll.to_onnx(graph)).run(fed).values()  # with the values that the session held then
    np.testing.assert_allclose(computed, ARRAYS[f"{name}/{key}"], rtol=1e-5, atol=1e-5)
    assert unroll.verify(graph, fed)
    unroll.draw(graph, tmp_path / "x.dot")
