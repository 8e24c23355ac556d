"""TensorFlow 1's face: its programs as they stand, which give a graph to draw, export and verify.

Only the import line of such a program differs::

    from unroll import tf1 as tf

    X0 = tf.placeholder(tf.float32, [None, 3])
    X1 = tf.placeholder(tf.float32, [None, 3])
    cell = tf.nn.rnn_cell.BasicRNNCell(num_units=5)
    (Y0, Y1), state = tf.nn.static_rnn(cell, [X0, X1], dtype=tf.float32)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run([Y0, Y1], {X0: [[0, 0.1, 0.2]], X1: [[0, 0.1, 0.2]]}))
        graph = sess.graph_of([Y0, Y1])  # a Graph like any other

Runs compute in NumPy. Training is not here: train in TensorFlow, and bring the variables with ``tf.train.Saver().restore``.
"""

from typing import TYPE_CHECKING, Any

from unroll import foreign_names, keras
from unroll.tf1 import (
    cells,
    dtypes,
    first_values,
    flags,
    graphs,
    layers,
    loss_functions,
    neural_networks,
    operators,
    recurrent,
    seq2seq,
    sessions,
    shapes,
    tensors,
    training,
    variables,
)
from unroll.tf1.names import ELSEWHERE, IN_LAYERS, IN_NN, Namespace, said
from unroll.words import face, spelled_methods

#: Which module has which names of ``tf``, besides those of the tables.
_HOMES = {
    dtypes: "DType as_dtype double float16 float32 float64 half int32 int64",
    graphs: "Graph GraphKeys add_to_collection disable_eager_execution disable_v2_behavior get_collection get_default_graph "
    "get_default_session name_scope reset_default_graph set_random_seed",
    operators: "cond constant convert_to_tensor map_fn placeholder scan",
    recurrent: "TensorArray",
    sessions: "ConfigProto GPUOptions InteractiveSession Session",
    shapes: "Dimension TensorShape",
    tensors: "Operation Tensor control_dependencies group no_op",
    variables: "AUTO_REUSE Variable VariableScope all_variables assign assign_add assign_sub get_variable get_variable_scope "
    "global_variables global_variables_initializer initialize_all_variables local_variables local_variables_initializer "
    "tables_initializer trainable_variables variable_scope variables_initializer",
}
_CELLS = Namespace("tf.nn.rnn_cell", cells.IN_NN, foreign_names.CELLS)
_NN = {**neural_networks.TABLE, **recurrent.DRIVERS, "rnn_cell": _CELLS}
_RNN = Namespace("tf.contrib.rnn", {**cells.TABLE, **recurrent.DRIVERS, **recurrent.STACKED}, foreign_names.CELLS)
_CONTRIB = {
    "layers": Namespace("tf.contrib.layers", layers.CONTRIB, IN_LAYERS),
    "rnn": _RNN,
    "seq2seq": Namespace("tf.contrib.seq2seq", seq2seq.TABLE, foreign_names.SEQ2SEQ),
}
_FLAGS = Namespace("tf.app.flags", flags.TABLE)
_NAMES: dict[str, Any] = said({
    **{name: getattr(home, name) for home, names in _HOMES.items() for name in names.split()},
    **operators.TABLE,
    **first_values.TABLE,
    "app": Namespace("tf.app", {"flags": _FLAGS, "run": flags.run}),
    "bool": dtypes.bool_,
    "contrib": Namespace("tf.contrib", _CONTRIB),
    "flags": _FLAGS,
    "keras": keras,
    "layers": Namespace("tf.layers", layers.LAYERS, IN_LAYERS),
    "losses": Namespace("tf.losses", loss_functions.TABLE),
    "newaxis": None, "nn": Namespace("tf.nn", _NN, IN_NN),
    "train": Namespace("tf.train", training.TABLE),
})  # fmt: skip
globals().update(_NAMES)
for _name in ["Graph", "Operation", "Session", "Tensor", "TensorArray", "TensorShape", "Variable", "VariableScope"]:
    spelled_methods(_NAMES[_name])
__all__ = sorted(_NAMES)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
else:
    __getattr__, __dir__ = face("unroll.tf1", __all__, lambda: ELSEWHERE)
