"""Write tf1_programs.npz, tf1_programs.json and tf1_checkpoint/: what the programs of tf1_programs.py do in TensorFlow.

In an environment that has TensorFlow, tf_keras (where the cells of TensorFlow 1 live) and NumPy, with a wheel of TensorFlow
1.15 unpacked beside it, as make_contrib_cells.py says, and 'tensorflow_core/contrib/seq2seq/*' of it too::

    pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0 numpy==2.4.6
    python make_tf1_programs.py tf115

`tf` is ``tensorflow.compat.v1`` with version 2's behaviour disabled. It has no ``contrib``: the cells of ``tf.contrib.rnn`` and
``tf.contrib.seq2seq`` are the real ones of the wheel's source, over today's TensorFlow; ``tf.contrib.layers.fully_connected``
is a stand-in, relu of a product and a bias whose variables are called weights and biases, as contrib called them.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import platform
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

# These must be set before TensorFlow is imported, hence the import by name below.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # oneDNN changes the last bits from one processor to another
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

from tf1_programs import CHECKPOINT, PROGRAMS, values_for

tf: Any = importlib.import_module("tensorflow.compat.v1")
HERE = Path(__file__).resolve().parent


def package(name: str, **attributes: Any) -> types.ModuleType:
    """Put an empty package in the place of one that TensorFlow has no more."""
    module = types.ModuleType(name)
    module.__path__ = []
    vars(module).update(attributes)
    sys.modules[name] = module
    return module


def loaded(folder: Path, area: str, name: str) -> Any:
    """Load a file of contrib's source."""
    full = f"tensorflow.contrib.{area}.python.ops.{name}"
    spec = importlib.util.spec_from_file_location(full, folder / f"tensorflow_core/contrib/{area}/python/ops/{name}.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[full] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    setattr(sys.modules[f"tensorflow.contrib.{area}.python.ops"], name, module)
    return module


def contrib_of(folder: Path) -> types.SimpleNamespace:
    """Return ``tf.contrib`` as far as the programs use it."""
    legacy: Any = importlib.import_module("tf_keras.src.legacy_tf_layers.core")
    base: Any = importlib.import_module("tf_keras.src.legacy_tf_layers.base")
    cells: Any = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
    nest: Any = importlib.import_module("tensorflow.python.util.nest")
    nest.is_sequence = nest.is_nested  # its name today
    flow: Any = importlib.import_module("tensorflow.python.ops.control_flow_ops")
    flow.cond, flow.while_loop = tf.cond, tf.while_loop  # which are in files of their own today
    importlib.import_module("tensorflow.python.framework.ops").Tensor = tf.Tensor  # type: ignore[attr-defined]
    cells.assert_like_rnncell = lambda name, cell: None  # which was in the file that these cells were in
    for name in ("", ".rnn", ".rnn.python", ".rnn.python.ops", ".seq2seq", ".seq2seq.python", ".seq2seq.python.ops", ".layers",
                 ".layers.python", ".framework", ".framework.python"):  # fmt: skip
        package(f"tensorflow.contrib{name}")
    package("tensorflow.contrib.compiler", jit=types.ModuleType("jit"))
    package("tensorflow.contrib.layers.python.layers", layers=types.SimpleNamespace())
    shapes: Any = importlib.import_module("tensorflow.python.framework.tensor_util")
    shapes.with_same_shape = lambda expected, tensor: tensor  # which checked the shape
    package("tensorflow.contrib.framework.python.framework", tensor_util=shapes)
    package("tensorflow.python.layers", base=base, core=legacy)
    sys.modules["tensorflow.python.layers.base"], sys.modules["tensorflow.python.layers.core"] = base, legacy
    importlib.import_module("tensorflow.python.ops").rnn_cell_impl = cells  # type: ignore[attr-defined]
    sys.modules["tensorflow.python.ops.rnn_cell_impl"] = cells
    # The projections of 1.15's core_rnn_cell; its other names are those of tf.nn.rnn_cell.
    core = loaded(folder, "rnn", "core_rnn_cell")
    rnn = types.SimpleNamespace(
        **{name: getattr(tf.nn.rnn_cell, name) for name in dir(tf.nn.rnn_cell) if not name.startswith("_")},
        OutputProjectionWrapper=core.OutputProjectionWrapper, static_rnn=tf.nn.static_rnn,
    )  # fmt: skip
    names = {}
    keras = importlib.import_module("tf_keras.src.engine.base_layer_utils")
    package("tensorflow.python.keras", initializers=tf.keras.initializers, layers=tf.keras.layers)
    package("tensorflow.python.keras.engine", base_layer_utils=keras)
    package("tensorflow.python.keras.losses", Loss=tf.keras.losses.Loss)
    for name in ("decoder", "sampler", "helper", "basic_decoder", "attention_wrapper", "loss"):
        module = loaded(folder, "seq2seq", name)
        names |= {key: value for key, value in vars(module).items() if not key.startswith("_")}
    return types.SimpleNamespace(
        rnn=rnn, seq2seq=types.SimpleNamespace(**names), layers=types.SimpleNamespace(fully_connected=fully_connected)
    )


def fully_connected(inputs: Any, num_outputs: int, activation_fn: Any = tf.nn.relu, scope: Any = None) -> Any:
    """What ``tf.contrib.layers.fully_connected`` was for these arguments."""
    with tf.variable_scope(scope, "fully_connected"):
        weights = tf.get_variable("weights", [inputs.shape[-1], num_outputs])
        biases = tf.get_variable("biases", [num_outputs], initializer=tf.zeros_initializer())
        found = tf.nn.bias_add(tf.matmul(inputs, weights), biases)
        return found if activation_fn is None else activation_fn(found)


def make_checkpoint() -> None:
    """Write the checkpoint that a program restores: one variable in three parts, one not in the program, and a number."""
    shutil.rmtree(Path(CHECKPOINT).parent, ignore_errors=True)
    Path(CHECKPOINT).parent.mkdir()
    with tf.Graph().as_default(), tf.Session() as sess:
        names = {"rnn/basic_lstm_cell/kernel": (5, 12), "rnn/basic_lstm_cell/bias": (12,), "beside": (2, 2)}
        for name, shape in names.items():
            tf.get_variable(name, initializer=values_for(name, shape, "float32"))
        tf.Variable(np.int64(7), name="global_step")
        tf.Variable(np.array(["text"]), name="words")
        tf.get_variable("w", [3, 2], partitioner=tf.fixed_size_partitioner(3))
        sess.run(tf.global_variables_initializer())
        for part in tf.global_variables():
            if part.op.name.startswith("w/"):
                start = int(part.op.name[-1])
                part.load(values_for("w", (3, 2), "float32")[start : start + 1], sess)
        tf.train.Saver().save(sess, CHECKPOINT, write_meta_graph=False, write_state=False)


def main(folder: Path) -> None:
    tf.disable_v2_behavior()
    tf.contrib = contrib_of(folder)
    make_checkpoint()
    cases: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    for name, body in PROGRAMS.items():
        tf.reset_default_graph()
        said: list[str] = []
        found, feeds = body(tf, lambda *items, said=said: said.append(" ".join(map(str, items))))
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            for v in tf.global_variables():
                v.load(values_for(v.name, v.shape.as_list(), v.dtype.as_numpy_dtype), sess)
            results = sess.run(found, feeds)
        arrays |= {f"{name}/{key}": value for key, value in results.items()}
        cases[name] = {"said": said, "outputs": list(results)}
    versions = {"tensorflow": tf.__version__, "numpy": np.__version__, "python": platform.python_version()}
    np.savez_compressed(HERE / "tf1_programs.npz", **arrays)
    text = json.dumps({"versions": versions, "cases": cases}, indent=1)
    (HERE / "tf1_programs.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
