"""The names of this face: those of ``tf`` and of ``tf.nn`` and its kin, and why others are not here."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from unroll.words import missing, spelled

TRAINS = (
    "training is not here yet: train in TensorFlow, save the variables with tf.train.Saver().save(sess, path), and bring "
    "them here with tf.train.Saver().restore(sess, path); leave the optimizer out"
)
_LOOP = "how often a loop runs must be known: a Python loop is traced, and tf.nn.dynamic_rnn takes any length"
_SAMPLES = "a graph infers; draw from sess.run(tf.nn.softmax(logits)) with NumPy"
_DATA = "feed arrays: sess.run(fetches, feed_dict={x: array})"
_LOGS = "there is no log: print what sess.run returns, or unroll.view(sess.graph_of(y), 'y.html')"
_FROZEN = "convert the frozen graph with tf2onnx, and read it with unroll.from_onnx('model.onnx')"
_TEXT = "tensors hold no text: give ids"
_DENSE = "tensors are dense: use tf.one_hot"
_EAGER = "it is TensorFlow 2's; programs of TensorFlow 1 run in a tf.Session"

#: Names of TensorFlow 1 that are not here, and what to write.
ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(("gradients", "clip_by_global_norm", "hessians", "GradientTape"), TRAINS),
    **dict.fromkeys(("while_loop", "foldl", "foldr", "case"), _LOOP),
    **dict.fromkeys(("multinomial", "random_shuffle", "random_crop"), _SAMPLES),
    **dict.fromkeys(("data", "queue", "FIFOQueue", "TextLineReader", "parse_single_example", "TFRecordReader"), _DATA),
    **dict.fromkeys(("summary", "Print", "logging", "Summary"), _LOGS),
    **dict.fromkeys(("import_graph_def", "GraphDef", "saved_model", "graph_util"), _FROZEN),
    **dict.fromkeys(("string", "string_split", "string_join", "decode_raw"), _TEXT),
    **dict.fromkeys(("function", "Module", "config", "enable_eager_execution"), _EAGER),
    **dict.fromkeys(("SparseTensor", "sparse_placeholder", "sparse_tensor_to_dense", "sparse_to_dense"), _DENSE),
    **dict.fromkeys(("sin", "cos"), "unroll.ops has no such operator; CONTRIBUTING.md shows how one is added"),
    "estimator": "write the model as a function of tensors, and run it in a tf.Session",
    "py_func": "a graph holds operators alone; compute it in NumPy, and feed it",
    "reduce_std": "it is tf.sqrt(tf.nn.moments(x, axes)[1])",
    "boolean_mask": "how many elements are kept only a run knows; multiply by the mask, or use tf.where",
    "unique": "how many there are only a run knows; compute it in NumPy, and feed it",
    "get_local_variable": "it is tf.get_variable(name, collections=[tf.GraphKeys.LOCAL_VARIABLES], trainable=False)",
}
#: The same of ``tf.nn``.
IN_NN: dict[str, str] = {
    **dict.fromkeys(("nce_loss", "sampled_softmax_loss", "ctc_loss"), TRAINS),
    **dict.fromkeys(("in_top_k", "top_k"), "it is np.argsort of what sess.run gives"),
    "ctc_greedy_decoder": "it is tf.argmax(logits, -1); leave repeats and blanks out in NumPy",
    "ctc_beam_search_decoder": "decode what sess.run gives in NumPy",
    "quantized_relu_x": "use tf.nn.relu6",
    **dict.fromkeys(("local_response_normalization", "lrn"), "there is no operator for it here"),
    "fused_batch_norm": "it is tf.nn.batch_normalization",
}
#: The same of ``tf.layers`` and ``tf.contrib.layers``.
IN_LAYERS: dict[str, str] = {
    **dict.fromkeys(
        ("batch_normalization", "batch_norm", "BatchNormalization"),
        "it is tf.nn.batch_normalization(x, mean, variance, offset, scale, 0.001), over variables by tf.get_variable: "
        "moving_mean, moving_variance, beta, gamma",
    ),
    "layer_norm": "it is tf.nn.moments over the last axis, and tf.nn.batch_normalization with them",
    "l1_regularizer": "regularizers act in training only: leave it out",
}


def said(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return names, whose plain functions say what they take where a call does not fit them."""
    plain = {name for name, item in names.items() if inspect.isfunction(item) and not hasattr(item, "__signature__")}
    return {name: spelled()(item) if name in plain else item for name, item in names.items()}


class Namespace:
    """A module of TensorFlow's, such as ``tf.nn``.

    Args:
        called: its name.
        names: what is in it.
        advice: what to write for names that are not.
    """

    def __init__(self, called: str, names: Mapping[str, Any], advice: Mapping[str, str] | None = None) -> None:
        self.__name__ = called
        self.__dict__.update(said(names))
        self._advice = {**ELSEWHERE, **(advice or {})}

    def __dir__(self) -> Iterable[str]:
        return [name for name in self.__dict__ if not name.startswith("_")]

    def __getattr__(self, name: str) -> NoReturn:
        raise missing(f"module {self.__name__!r}", name, lambda: dir(self), lambda: self._advice)

    def __repr__(self) -> str:
        return f"<module {self.__name__!r} of unroll.tf1>"
