"""A right call of every function of TensorFlow 1's face: what a test of wrong calls replaces arguments of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from right_calls import Call

from unroll import tf1 as tf


def x(*shape: int | None, dtype: Any = tf.float32) -> Any:
    return tf.placeholder(dtype, list(shape or (2, 3)))


def ids(*shape: int) -> Any:
    return tf.constant(np.zeros(shape or (2,), "int32"))


def flag(*shape: int) -> Any:
    return tf.constant(np.ones(shape or (2, 3), bool))


def cell() -> Any:
    return tf.nn.rnn_cell.GRUCell(3)


def attention() -> Any:
    return tf.contrib.seq2seq.LuongAttention(3, x(2, 4, 3))


def wrapper() -> Any:
    return tf.contrib.seq2seq.AttentionWrapper(cell(), attention(), 3)


def decoder() -> Any:
    helper = tf.contrib.seq2seq.TrainingHelper(x(2, 4, 3), [4, 4])
    return tf.contrib.seq2seq.BasicDecoder(cell(), helper, cell().zero_state(2, tf.float32))


def entered(scope: Any) -> Any:
    with scope:
        return None


def initializer(made: Any) -> Any:
    return made([2, 3]), tf.get_variable("w", [2, 3], initializer=made)


def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
    first = cell().zero_state(2, tf.float32)
    return time >= 2, tf.zeros([2, 3]), first if output is None else state, output, None


def _alike(names: str, args: Callable[[], tuple[Any, ...]]) -> dict[str, Callable[[], Call]]:
    def of(name: str) -> Callable[[], Call]:
        home: Any = tf
        for part in name.split("."):
            home = getattr(home, part)
        then = initializer if name.endswith("_initializer") and "variables" not in name else lambda made: made
        return lambda: Call(home, args(), {}, then)

    return {name: of(name) for name in names.split()}


_RNN = "contrib.rnn."
CALLS: dict[str, Callable[[], Call]] = {
    **_alike("abs ceil erf exp floor identity log log1p log_sigmoid negative reciprocal rsqrt sigmoid sign sqrt square tanh "
             "stop_gradient argmax argmin reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_sum to_double "
             "to_float to_int32 to_int64 rank shape size squeeze transpose unstack zeros_like ones_like convert_to_tensor "
             "contrib.layers.flatten layers.flatten layers.dropout contrib.layers.dropout nn.elu nn.relu nn.relu6 nn.selu "
             "nn.softplus nn.softsign nn.swish nn.l2_loss nn.l2_normalize nn.leaky_relu nn.log_softmax nn.softmax",
             lambda: (x(),)),
    **_alike("logical_not reduce_all reduce_any", lambda: (flag(),)),
    **_alike("logical_and logical_or logical_xor", lambda: (flag(), flag())),
    **_alike("add divide equal floordiv floormod greater greater_equal less less_equal maximum minimum multiply not_equal pow "
             "div squared_difference subtract truediv losses.absolute_difference losses.huber_loss losses.log_loss "
             "losses.mean_squared_error losses.hinge_loss losses.sigmoid_cross_entropy losses.softmax_cross_entropy "
             "nn.softmax_cross_entropy_with_logits_v2", lambda: (x(), x())),
    **_alike("losses.sparse_softmax_cross_entropy", lambda: (ids(), x())),
    **_alike("broadcast_to reshape placeholder_with_default", lambda: (x(), [2, 3])),
    **_alike("cast", lambda: (x(), tf.int32)),
    **_alike("clip_by_value", lambda: (x(), 0.0, 1.0)),
    **_alike("expand_dims", lambda: (x(), 1)),
    **_alike("gather", lambda: (x(), ids())),
    **_alike("gather_nd", lambda: (x(), ids(2, 1))),
    **_alike("pad", lambda: (x(), [[1, 1], [0, 0]])),
    **_alike("reverse", lambda: (x(), [1])),
    **_alike("reverse_sequence", lambda: (x(), [1, 2], 1, 0)),
    **_alike("slice", lambda: (x(), [0, 1], [2, 2])),
    **_alike("tile", lambda: (x(), [1, 2])),
    **_alike("add_n stack", lambda: ([x(), x()],)),
    **_alike("concat", lambda: ([x(), x()], 1)),
    **_alike("fill", lambda: ([2, 3], 1.0)),
    **_alike("linspace", lambda: (0.0, 1.0, 5)),
    **_alike("matmul", lambda: (x(), x(3, 2))),
    **_alike("tensordot", lambda: (x(), x(3, 2), 1)),
    **_alike("einsum", lambda: ("ij,jk->ik", x(), x(3, 2))),
    **_alike("one_hot contrib.layers.one_hot_encoding", lambda: (ids(), 3)),
    **_alike("ones zeros random_normal random_uniform truncated_normal", lambda: ([2, 3],)),
    **_alike("placeholder", lambda: (tf.float32, [None, 3])),
    **_alike("constant", lambda: ([[1.0, 2.0]],)),
    **_alike("range", lambda: (0, 5)),
    **_alike("sequence_mask", lambda: (ids(), 3)),
    **_alike("split", lambda: (x(), 3, 1)),
    **_alike("where", lambda: (flag(), x(), x())),
    **_alike("cond", lambda: (flag()[0, 0], x, x)),
    **_alike("map_fn", lambda: (lambda row: row * 2.0, x())),
    **_alike("scan", lambda: (lambda made, row: made + row, x())),
    **_alike("nn.avg_pool nn.max_pool", lambda: (x(2, 4, 4, 3), [1, 2, 2, 1], [1, 2, 2, 1], "VALID")),
    **_alike("nn.batch_normalization", lambda: (x(), x(3), x(3), x(3), x(3), 1e-3)),
    **_alike("nn.bias_add", lambda: (x(), x(3))),
    **_alike("nn.conv1d", lambda: (x(2, 4, 3), x(2, 3, 5), 1, "VALID")),
    **_alike("nn.conv2d", lambda: (x(2, 4, 4, 3), x(2, 2, 3, 5), [1, 1, 1, 1], "SAME")),
    **_alike("nn.dropout", lambda: (x(), 1.0)),
    **_alike("nn.embedding_lookup", lambda: (x(), ids())),
    **_alike("nn.moments", lambda: (x(), [0])),
    **_alike("nn.weighted_cross_entropy_with_logits", lambda: (x(), x(), 2.0)),
    **_alike("nn.xw_plus_b", lambda: (x(), x(3, 2), x(2))),
    "nn.sigmoid_cross_entropy_with_logits":
        lambda: Call(tf.nn.sigmoid_cross_entropy_with_logits, (), {"labels": x(), "logits": x()}),
    "nn.softmax_cross_entropy_with_logits":
        lambda: Call(tf.nn.softmax_cross_entropy_with_logits, (), {"labels": x(), "logits": x()}),
    "nn.sparse_softmax_cross_entropy_with_logits":
        lambda: Call(tf.nn.sparse_softmax_cross_entropy_with_logits, (), {"labels": ids(), "logits": x()}),
    **_alike("nn.static_rnn", lambda: (cell(), [x(), x()], None, tf.float32)),
    **_alike("nn.dynamic_rnn", lambda: (cell(), x(2, 4, 3), None, None, tf.float32)),
    **_alike("nn.static_bidirectional_rnn", lambda: (cell(), cell(), [x(), x()], None, None, tf.float32)),
    **_alike("nn.bidirectional_dynamic_rnn", lambda: (cell(), cell(), x(2, 4, 3), None, None, None, tf.float32)),
    "nn.raw_rnn": lambda: Call(tf.nn.raw_rnn, (cell(), loop), {"maximum_iterations": 2}),
    **_alike("contrib.rnn.stack_bidirectional_rnn", lambda: ([cell()], [cell()], [x(), x()], None, None, tf.float32)),
    **_alike("contrib.rnn.stack_bidirectional_dynamic_rnn", lambda: ([cell()], [cell()], x(2, 4, 3), None, None, tf.float32)),
    **_alike("nn.rnn_cell.BasicLSTMCell nn.rnn_cell.BasicRNNCell nn.rnn_cell.GRUCell nn.rnn_cell.LSTMCell", lambda: (3,)),
    **_alike("nn.rnn_cell.DropoutWrapper nn.rnn_cell.ResidualWrapper", lambda: (cell(),)),
    **_alike("nn.rnn_cell.DeviceWrapper", lambda: (cell(), "/cpu:0")),
    **_alike("nn.rnn_cell.MultiRNNCell", lambda: ([cell(), cell()],)),
    **_alike("layers.dense contrib.layers.fully_connected", lambda: (x(), 4)),
    **_alike("layers.Dense", lambda: (4,)),
    **_alike("layers.Conv1D layers.Conv2D layers.Conv3D", lambda: (4, 2)),
    **_alike("layers.MaxPooling1D layers.AveragePooling1D layers.MaxPooling2D layers.AveragePooling2D", lambda: (2, 2)),
    **_alike("layers.Dropout layers.Flatten", lambda: ()),
    **_alike("layers.conv1d", lambda: (x(2, 4, 3), 4, 2)),
    **_alike("layers.conv2d", lambda: (x(2, 4, 4, 3), 4, 2)),
    **_alike("layers.conv3d", lambda: (x(1, 4, 4, 4, 3), 4, 2)),
    **_alike("layers.max_pooling1d layers.average_pooling1d", lambda: (x(2, 4, 3), 2, 2)),
    **_alike("layers.max_pooling2d layers.average_pooling2d", lambda: (x(2, 4, 4, 3), 2, 2)),
    **_alike("contrib.layers.embed_sequence", lambda: (ids(2, 3), 5, 4)),
    "contrib.layers.l2_regularizer":
        lambda: Call(tf.contrib.layers.l2_regularizer, (0.1,), {}, lambda regularize: regularize(x())),
    **_alike("constant_initializer", lambda: (2.0,)),
    **_alike("glorot_normal_initializer glorot_uniform_initializer ones_initializer orthogonal_initializer zeros_initializer "
             "random_normal_initializer random_uniform_initializer truncated_normal_initializer "
             "uniform_unit_scaling_initializer variance_scaling_initializer contrib.layers.xavier_initializer", lambda: ()),
    **_alike("Variable", lambda: ([1.0, 2.0],)),
    **_alike("get_variable", lambda: ("w", [2, 3])),
    **_alike("assign assign_add assign_sub", lambda: (tf.get_variable("w", [2, 3]), x())),
    "variable_scope": lambda: Call(tf.variable_scope, ("a",), {}, entered),
    "name_scope": lambda: Call(tf.name_scope, ("a",), {}, entered),
    "control_dependencies": lambda: Call(tf.control_dependencies, ([x()],), {}, entered),
    **_alike("group", lambda: (x(), x())),
    **_alike("no_op", lambda: ()),
    **_alike("get_collection losses.get_losses", lambda: ("losses",)),
    **_alike("losses.add_loss", lambda: (x(),)),
    **_alike("add_to_collection", lambda: ("losses", x())),
    **_alike("global_variables trainable_variables local_variables", lambda: ("w",)),
    **_alike("variables_initializer", lambda: ([tf.get_variable("w", [2])],)),
    **_alike("set_random_seed", lambda: (1,)),
    **_alike("as_dtype", lambda: ("float32",)),
    **_alike("Dimension", lambda: (3,)),
    **_alike("TensorShape", lambda: ([None, 3],)),
    **_alike("Session InteractiveSession ConfigProto", lambda: ()),
    "Session.run": lambda: Call(lambda fetches, feed_dict: tf.Session().run(fetches, feed_dict), (tf.constant(1), {})),
    "Session.graph_of": lambda: Call(lambda fetches, feeds: tf.Session().graph_of(fetches, feeds), (tf.constant(1), ())),
    "Graph.get_tensor_by_name": lambda: Call(tf.get_default_graph().get_tensor_by_name, (x().name,)),
    "Tensor.set_shape": lambda: Call(x().set_shape, ([2, 3],)),
    "train.Saver": lambda: Call(tf.train.Saver, ([tf.get_variable("w", [2])],)),
    "train.latest_checkpoint": lambda: Call(tf.train.latest_checkpoint, (".",)),
    "contrib.seq2seq.sequence_loss": lambda: Call(tf.contrib.seq2seq.sequence_loss, (x(2, 4, 3), ids(2, 4), x(2, 4))),
    **_alike("contrib.seq2seq.dynamic_decode", lambda: (decoder(),)),
    **_alike("contrib.seq2seq.TrainingHelper", lambda: (x(2, 4, 3), [4, 4])),
    **_alike("contrib.seq2seq.GreedyEmbeddingHelper", lambda: (x(5, 3), [0, 0], 1)),
    **_alike("contrib.seq2seq.LuongAttention contrib.seq2seq.BahdanauAttention", lambda: (3, x(2, 4, 3))),
    **_alike("contrib.seq2seq.AttentionWrapper", lambda: (cell(), attention(), 3)),
    "AttentionWrapper.zero_state": lambda: Call(wrapper().zero_state, (2, tf.float32)),
}  # fmt: skip
