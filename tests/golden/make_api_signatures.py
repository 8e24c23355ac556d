"""Write api_signatures.json: the names and arguments of the frameworks' recurrent APIs, as they are themselves.

Run it in an environment that has TensorFlow, tf_keras, Keras 3 and PyTorch, with the path of an unpacked TensorFlow 1.15
wheel, whose ``contrib`` package is read and not run::

    pip install tensorflow-cpu tf_keras keras torch
    pip download tensorflow==1.15.5 --no-deps --only-binary :all: --python-version 37 --platform manylinux2010_x86_64
    unzip tensorflow-1.15.5-*.whl -d tensorflow-1.15
    python make_api_signatures.py tensorflow-1.15

docs/api.md is made from this file.
"""

import ast
import importlib
import inspect
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # the TensorFlow 1 cells live in tf_keras
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

HERE = Path(__file__).resolve().parent

TENSORFLOW_CELLS = (
    "BasicRNNCell BasicLSTMCell GRUCell LSTMCell MultiRNNCell RNNCell LSTMStateTuple ResidualWrapper DropoutWrapper "
    "DeviceWrapper"
)
TENSORFLOW_DRIVERS = (
    "static_rnn dynamic_rnn static_bidirectional_rnn bidirectional_dynamic_rnn static_state_saving_rnn raw_rnn"
)
KERAS = (
    "SimpleRNN LSTM GRU RNN SimpleRNNCell LSTMCell GRUCell StackedRNNCells Bidirectional TimeDistributed ConvLSTM1D ConvLSTM2D "
    "ConvLSTM3D Layer Dense Embedding Masking Dropout LayerNormalization Activation Conv1D Conv2D Conv3D DepthwiseConv1D "
    "DepthwiseConv2D SeparableConv1D SeparableConv2D MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D "
    "GlobalMaxPooling1D GlobalMaxPooling2D GlobalAveragePooling1D GlobalAveragePooling2D BatchNormalization GroupNormalization "
    "UnitNormalization Flatten Reshape Permute RepeatVector ZeroPadding1D ZeroPadding2D Cropping1D Cropping2D UpSampling1D "
    "UpSampling2D Concatenate Add Subtract Multiply Average Maximum Minimum Dot Attention AdditiveAttention MultiHeadAttention "
    "ReLU LeakyReLU ELU PReLU Softmax SpatialDropout1D SpatialDropout2D GaussianNoise GaussianDropout AlphaDropout Lambda"
)
TORCH = "RNN LSTM GRU RNNCell LSTMCell GRUCell Linear Embedding"
#: The modules of contrib.rnn that define its public names, under tensorflow_core/contrib/rnn/python/ops.
CONTRIB = ("rnn_cell.py", "core_rnn_cell.py", "rnn.py")


def arguments(function: Any) -> list[list[str | None]]:
    """The arguments of a function or of a class's constructor: [name, default as text or None where it is required]."""
    found = []
    for name, item in inspect.signature(function).parameters.items():
        if name == "self" or item.kind in (item.VAR_POSITIONAL, item.VAR_KEYWORD):
            continue
        found.append([name, None if item.default is item.empty else text(item.default)])
    return found


def text(default: Any) -> str:
    """A default as text that does not change from run to run."""
    return getattr(default, "__name__", repr(default)) if callable(default) else repr(default)


def contrib_arguments(node: ast.FunctionDef) -> list[list[str | None]]:
    """The same, of a function that is read and not run."""
    names = [item.arg for item in node.args.args if item.arg != "self"]
    defaults = [ast.unparse(item) for item in node.args.defaults]
    padded: list[str | None] = [None] * (len(names) - len(defaults)) + defaults
    return [list(pair) for pair in zip(names, padded, strict=True)]


def contrib(folder: Path) -> dict[str, Any]:
    """The public classes and functions of contrib.rnn."""
    found: dict[str, Any] = {}
    for name in CONTRIB:
        (path,) = folder.glob(f"tensorflow*/contrib/rnn/python/ops/{name}")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            made: ast.AST | None = node
            if isinstance(node, ast.ClassDef):
                made = next((item for item in node.body if getattr(item, "name", "") == "__init__"), None)
            if isinstance(made, ast.FunctionDef) and not getattr(node, "name", "_").startswith("_"):
                found[getattr(node, "name", "")] = contrib_arguments(made)
    return found


def main() -> None:
    warnings.filterwarnings("ignore")
    tf: Any = importlib.import_module("tensorflow")
    keras: Any = importlib.import_module("keras")
    torch: Any = importlib.import_module("torch")
    nn, cells = tf.compat.v1.nn, tf.compat.v1.nn.rnn_cell
    modules = {name: getattr(torch.nn, name) for name in TORCH.split()}
    base = {"RNN", "LSTM", "GRU"}
    listed = {
        "tensorflow": {name: arguments(getattr(cells, name).__init__) for name in TENSORFLOW_CELLS.split()}
        | {name: arguments(getattr(nn, name)) for name in TENSORFLOW_DRIVERS.split()},
        "contrib": contrib(Path(sys.argv[1])),
        "keras": {name: arguments(getattr(keras.layers, name).__init__) for name in KERAS.split()},
        "torch": {
            name: torch_arguments(module, torch.nn.modules.rnn.RNNBase) if name in base else arguments(module.__init__)
            for name, module in modules.items()
        },
    }
    versions = {
        "tensorflow": tf.__version__,
        "contrib": "1.15.5",
        "keras": keras.__version__,
        "torch": torch.__version__,
    }
    rows = [
        f"    {json.dumps(framework)}: {{\n"
        + ",\n".join(f"      {json.dumps(name)}: {json.dumps(args)}" for name, args in names.items())
        + "\n    }"
        for framework, names in listed.items()
    ]
    content = f'{{\n  "versions": {json.dumps(versions)},\n  "names": {{\n' + ",\n".join(rows) + "\n  }\n}\n"
    json.loads(content)
    (HERE / "api_signatures.json").write_text(content, encoding="utf-8")


def torch_arguments(module: Any, base: Any) -> list[list[str | None]]:
    """RNN, LSTM and GRU take what their common base takes, less the mode; RNN a nonlinearity besides."""
    own = arguments(base.__init__)[1:]
    return own + ([["nonlinearity", "'tanh'"]] if module.__name__ == "RNN" else [])


if __name__ == "__main__":
    main()
