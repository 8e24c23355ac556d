"""Write foreign/: flat ONNX files that tf2onnx and torch.onnx make of unrolled networks, with feeds and results.

Run it with no arguments, in an environment that has the frameworks and their converters::

    pip install tensorflow-cpu tf_keras tf2onnx torch onnxscript onnx onnxruntime numpy
    python make_foreign_models.py

For each case the script builds the network, puts seeded random numbers in its weights, converts it, runs the file in
onnxruntime over seeded random feeds, checks the results against the framework's own, and keeps the file, the feeds and the
results. What torch.onnx notes of each node (stack traces, with the paths of this machine) is taken out of the files;
nothing else is. README.md, beside this script, describes what is written.
"""

import collections
import io
import json
import os
import platform
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx
import torch
from torch import nn

SEED = 20261121
FEATURES, UNITS = 3, 4
HERE = Path(__file__).resolve().parent
FOLDER = HERE / "foreign"
#: Operators that make a file not flat.
LOOPS = {"Loop", "If", "Scan", "LSTM", "GRU", "RNN"}

v1 = tf.compat.v1
cells = v1.nn.rnn_cell
layers = keras.layers


@dataclass(frozen=True)
class Case:
    """One network, converted once."""

    made_by: str  #: tf2onnx, keras (through tf2onnx), dynamo or torchscript
    network: str  #: a key of the table of that converter's networks
    batch: int | None
    steps: int
    opset: int
    native: dict[str, int]  #: the recurrent operators that a re-rolled file has at best
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        batch = "n" if self.batch is None else self.batch
        more = [name if value is True else f"{name}={value}" for name, value in self.options.items()]
        return "-".join([self.made_by, self.network, *more, f"b{batch}", f"t{self.steps}", f"op{self.opset}"])


# -- TensorFlow 1's static_rnn, through tf2onnx -----------------------------------------------------------------------

TENSORFLOW: dict[str, Callable[[], Any]] = {
    "basic_rnn": lambda: cells.BasicRNNCell(UNITS),
    "relu_rnn": lambda: cells.BasicRNNCell(UNITS, activation=tf.nn.relu),
    "basic_lstm": lambda: cells.BasicLSTMCell(UNITS),
    "gru": lambda: cells.GRUCell(UNITS),
    "lstm": lambda: cells.LSTMCell(UNITS),
    "lstm_peepholes": lambda: cells.LSTMCell(UNITS, use_peepholes=True),
    "lstm_clip": lambda: cells.LSTMCell(UNITS, cell_clip=0.3),
    "lstm_proj": lambda: cells.LSTMCell(UNITS, num_proj=3),
    "lstm_proj_clip": lambda: cells.LSTMCell(UNITS, num_proj=3, proj_clip=0.2, use_peepholes=True),
    "two_basic_lstm": lambda: cells.MultiRNNCell([cells.BasicLSTMCell(UNITS) for _ in range(2)]),
    "two_gru": lambda: cells.MultiRNNCell([cells.GRUCell(UNITS) for _ in range(2)]),
    "gru_rnn": lambda: cells.MultiRNNCell([cells.GRUCell(UNITS), cells.BasicRNNCell(3)]),
}


def tensorflow_program(case: Case) -> tuple[list[Any], list[Any]]:
    """Build the network in the current TF graph; return its placeholders and its results."""
    options = case.options
    if options.get("one_input"):
        inputs = [v1.placeholder(tf.float32, [case.batch, case.steps, FEATURES], name="X")]
        steps = tf.unstack(inputs[0], axis=1)
    else:
        inputs = [v1.placeholder(tf.float32, [case.batch, FEATURES], name=f"X{t}") for t in range(case.steps)]
        steps = inputs
    make = TENSORFLOW[case.network]
    given: dict[str, Any] = {"dtype": tf.float32}
    if options.get("lengths") == "fixed":
        given["sequence_length"] = tf.constant([2, case.steps, 0])
    elif options.get("lengths") == "fed":
        given["sequence_length"] = v1.placeholder(tf.int32, [case.batch], name="lengths")
        inputs = [*inputs, given["sequence_length"]]
    if options.get("bidirectional"):
        outputs, *states = v1.nn.static_bidirectional_rnn(make(), make(), steps, **given)
        return inputs, [*outputs, *tf.nest.flatten(states)]
    cell = make()
    if options.get("init"):
        sizes = tf.nest.flatten(cell.state_size)
        state = [v1.placeholder(tf.float32, [case.batch, size], name=f"S{i}") for i, size in enumerate(sizes)]
        given["initial_state"] = tf.nest.pack_sequence_as(cell.state_size, state)
        inputs = [*inputs, *state]
    drive = v1.nn.dynamic_rnn if options.get("dynamic") else v1.nn.static_rnn
    outputs, state = drive(cell, inputs[0] if options.get("dynamic") else steps, **given)
    if options.get("dynamic"):
        return inputs, [outputs]
    if options.get("last"):
        head = tf.constant(np.random.default_rng(SEED).standard_normal((UNITS, 2)).astype(np.float32))
        return inputs, [tf.nn.softmax(tf.matmul(outputs[-1], head))]
    if options.get("middle"):
        return inputs, [outputs[1] * 2.0, outputs[-1]]
    return inputs, [*outputs, *tf.nest.flatten(state)]


def from_tensorflow(case: Case) -> tuple[onnx.ModelProto, Any]:
    graph = tf.Graph()
    with graph.as_default(), v1.Session(graph=graph) as session:
        inputs, results = tensorflow_program(case)
        results = [tf.identity(result, name=f"Y{place}") for place, result in enumerate(results)]
        rng = generator(case, "weights")
        for variable in v1.global_variables():
            variable.load(rng.normal(0, 0.5, variable.shape.as_list()).astype(np.float32), session)
        names = [result.op.name for result in results]
        frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), names)

        def run(feeds: Sequence[np.ndarray]) -> list[np.ndarray]:
            with v1.Session(graph=fresh) as other:
                return other.run([f"{name}:0" for name in names], dict(zip(given, feeds, strict=True)))

        given = [item.name for item in inputs]
        model, _ = tf2onnx.convert.from_graph_def(
            frozen, input_names=given, output_names=[f"{name}:0" for name in names], opset=case.opset
        )
    fresh = tf.Graph()
    with fresh.as_default():
        tf.import_graph_def(frozen, name="")
    return model, run


# -- Keras 3 with unroll=True, through tf2onnx ------------------------------------------------------------------------

KERAS: dict[str, Callable[..., list[Any]]] = {
    "simple_rnn": lambda **o: [layers.SimpleRNN(UNITS, unroll=True, **o)],
    "lstm": lambda **o: [layers.LSTM(UNITS, unroll=True, **o)],
    "gru": lambda **o: [layers.GRU(UNITS, unroll=True, **o)],
    "two_lstm": lambda **o: [
        layers.LSTM(UNITS, unroll=True, return_sequences=True),
        layers.LSTM(3, unroll=True, **o),
        layers.Dense(2, activation="softmax"),
    ],
    "masked_lstm": lambda **o: [layers.Masking(), layers.LSTM(UNITS, unroll=True, **o)],
    "bidirectional_lstm": lambda **o: [layers.Bidirectional(layers.LSTM(UNITS, unroll=True, **o))],
}


def from_keras(case: Case) -> tuple[onnx.ModelProto, Any]:
    keras.utils.clear_session()
    model = keras.Sequential([keras.Input((case.steps, FEATURES), batch_size=case.batch)])
    for layer in KERAS[case.network](**case.options):
        model.add(layer)
    rng = generator(case, "weights")
    model.set_weights([rng.normal(0, 0.5, weight.shape).astype(np.float32) for weight in model.get_weights()])
    signature = [tf.TensorSpec([case.batch, case.steps, FEATURES], tf.float32, name="x")]
    function = tf.function(lambda x: model(x), input_signature=signature)
    proto, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=case.opset)
    return proto, lambda feeds: [model(feeds[0]).numpy()]


# -- PyTorch loops, through both of its exporters ---------------------------------------------------------------------


class Loop(nn.Module):
    """A Python loop over one cell for each layer; h (and an LSTM's c) as a list."""

    def __init__(self, *stack: nn.Module, last: bool = False, states: bool = False, backward: bool = False) -> None:
        super().__init__()
        self.stack = nn.ModuleList(stack)
        self.last, self.states, self.backward = last, states, backward

    def forward(self, x: torch.Tensor, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        steps = [x[:, t] for t in range(x.shape[1])]
        finals: list[torch.Tensor] = []
        for cell in self.stack:
            count = 2 if isinstance(cell, (nn.LSTMCell, NormalisedLSTMCell)) else 1
            state = list(given[:count]) or [torch.zeros(x.shape[0], cell.hidden_size)] * count
            given = given[count:]
            outputs = []
            for step in reversed(steps) if self.backward else steps:
                new = cell(step, tuple(state) if count == 2 else state[0])
                state = list(new) if count == 2 else [new]
                outputs.append(state[0])
            steps = outputs[::-1] if self.backward else outputs
            finals += state
        result = steps[-1] if self.last else torch.stack(steps, 1)
        return (result, *finals) if self.states else (result,)


class BothWays(nn.Module):
    """Two loops over the same steps, in opposite directions, side by side."""

    def __init__(self, forward: nn.Module, backward: nn.Module) -> None:
        super().__init__()
        self.there, self.back = Loop(forward), Loop(backward, backward=True)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (torch.cat([self.there(x)[0], self.back(x)[0]], 2),)


class NormalisedLSTMCell(nn.Module):
    """An LSTM cell with layer normalisation before its gates, which no native operator has."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden_size = UNITS
        self.kernel = nn.Linear(FEATURES + UNITS, 4 * UNITS)
        self.norm = nn.LayerNorm(4 * UNITS)

    def forward(self, x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        i, f, g, o = self.norm(self.kernel(torch.cat([x, state[0]], 1))).chunk(4, 1)
        c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class Rows(nn.Module):
    """An image through a convolution and pooling, then its rows through a loop, then a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool = nn.Conv2d(1, 1, 3, padding=1), nn.MaxPool2d(2)
        self.loop, self.head = Loop(nn.LSTMCell(FEATURES, UNITS), last=True), nn.Linear(UNITS, 2)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        rows = self.pool(torch.relu(self.conv(x[:, None])))[:, 0]
        return (torch.log_softmax(self.head(self.loop(rows)[0]), 1),)


PYTORCH: dict[str, Callable[[], nn.Module]] = {
    "rnn": lambda: Loop(nn.RNNCell(FEATURES, UNITS)),
    "relu_rnn": lambda: Loop(nn.RNNCell(FEATURES, UNITS, nonlinearity="relu")),
    "lstm": lambda: Loop(nn.LSTMCell(FEATURES, UNITS)),
    "lstm_states": lambda: Loop(nn.LSTMCell(FEATURES, UNITS), states=True),
    "lstm_last": lambda: Loop(nn.LSTMCell(FEATURES, UNITS), last=True),
    "gru": lambda: Loop(nn.GRUCell(FEATURES, UNITS)),
    "gru_last": lambda: Loop(nn.GRUCell(FEATURES, UNITS), last=True),
    "gru_backward": lambda: Loop(nn.GRUCell(FEATURES, UNITS), backward=True),
    "two_lstm": lambda: Loop(nn.LSTMCell(FEATURES, UNITS), nn.LSTMCell(UNITS, 3), states=True),
    "gru_rnn": lambda: Loop(nn.GRUCell(FEATURES, UNITS), nn.RNNCell(UNITS, 3)),
    "both_ways_gru": lambda: BothWays(nn.GRUCell(FEATURES, UNITS), nn.GRUCell(FEATURES, UNITS)),
    "both_ways_lstm": lambda: BothWays(nn.LSTMCell(FEATURES, UNITS), nn.LSTMCell(FEATURES, UNITS)),
    "normalised_lstm": lambda: Loop(NormalisedLSTMCell()),
    "rows": Rows,
    "nn_lstm": lambda: nn.LSTM(FEATURES, UNITS, batch_first=True),
}


def from_pytorch(case: Case) -> tuple[onnx.ModelProto, Any]:
    module = PYTORCH[case.network]().eval()
    rng = generator(case, "weights")
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.from_numpy(rng.normal(0, 0.5, tuple(weight.shape)).astype(np.float32)))
    batch = case.batch or 3
    scale = 2 if case.network == "rows" else 1
    arguments = [torch.zeros(batch, scale * case.steps, scale * FEATURES)]
    if case.options.get("init"):
        stack = module.stack
        sizes = [cell.hidden_size for cell in stack for _ in range(2 if isinstance(cell, nn.LSTMCell) else 1)]
        arguments += [torch.zeros(batch, size) for size in sizes]
    symbolic = case.batch is None
    given: dict[str, Any] = {"opset_version": case.opset, "verbose": False}
    if case.made_by == "dynamo":
        axis = {0: torch.export.Dim("batch")}
        others = [(axis,) * (len(arguments) - 1)] if len(arguments) > 1 else []
        given |= {"dynamo": True, "dynamic_shapes": (axis, *others) if symbolic else None}
        model = torch.onnx.export(module, tuple(arguments), **given).model_proto
    else:
        names = [f"x{place}" for place in range(len(arguments))]
        axes = {name: {0: "batch"} for name in names} if symbolic else None
        file = io.BytesIO()
        torch.onnx.export(module, tuple(arguments), file, dynamo=False, input_names=names, dynamic_axes=axes, **given)
        model = onnx.load_model_from_string(file.getvalue())

    def run(feeds: Sequence[np.ndarray]) -> list[np.ndarray]:
        with torch.no_grad():
            return [result.numpy() for result in tf.nest.flatten(module(*map(torch.from_numpy, feeds)))]

    return model, run


CONVERTERS = {"tf2onnx": from_tensorflow, "keras": from_keras, "dynamo": from_pytorch, "torchscript": from_pytorch}


# -- the cases --------------------------------------------------------------------------------------------------------


def cases() -> Iterator[Case]:
    """List every case."""
    rnn, lstm, gru, scan = {"RNN": 1}, {"LSTM": 1}, {"GRU": 1}, {"Scan": 1}
    yield from (
        Case("tf2onnx", network, batch, steps, opset, native, options)
        for network, batch, steps, opset, native, options in [
            ("basic_rnn", 3, 3, 9, rnn, {}),
            ("basic_rnn", None, 7, 13, rnn, {}),
            ("relu_rnn", 1, 2, 18, rnn, {}),
            ("basic_lstm", 3, 3, 11, lstm, {}),
            ("basic_lstm", None, 5, 13, lstm, {}),
            ("basic_lstm", 1, 7, 17, lstm, {}),
            ("basic_lstm", None, 4, 15, lstm, {"init": True}),
            ("basic_lstm", None, 5, 9, lstm, {"one_input": True, "last": True}),
            ("basic_lstm", 3, 4, 13, lstm, {"middle": True}),
            ("gru", 3, 4, 9, gru, {}),
            ("gru", None, 5, 13, gru, {}),
            ("gru", 1, 3, 18, gru, {"last": True}),
            ("gru", None, 3, 17, gru, {"init": True}),
            ("lstm", None, 4, 13, lstm, {}),
            ("lstm_peepholes", 3, 4, 11, lstm, {}),
            ("lstm_peepholes", None, 3, 15, lstm, {"init": True}),
            ("lstm_clip", None, 4, 13, scan, {}),
            ("lstm_proj", None, 4, 17, scan, {}),
            ("lstm_proj_clip", 3, 3, 9, scan, {}),
            ("two_basic_lstm", None, 4, 13, {"LSTM": 2}, {}),
            ("two_gru", 3, 3, 11, {"GRU": 2}, {"last": True}),
            ("gru_rnn", None, 3, 15, gru | rnn, {}),
            ("basic_lstm", None, 4, 13, lstm, {"bidirectional": True}),
            ("gru", 3, 3, 18, gru, {"bidirectional": True}),
            ("basic_rnn", 1, 5, 11, rnn, {"bidirectional": True}),
            ("basic_rnn", 3, 4, 13, rnn, {"lengths": "fixed"}),
            ("basic_lstm", 3, 3, 9, lstm, {"lengths": "fixed"}),
            ("basic_rnn", None, 4, 13, rnn, {"lengths": "fed"}),
            ("basic_lstm", None, 4, 15, lstm, {"lengths": "fed"}),
            ("gru", 3, 3, 9, gru, {"lengths": "fed"}),
            ("basic_lstm", None, 4, 13, lstm, {"one_input": True, "dynamic": True}),
            ("gru", None, 4, 13, gru, {"one_input": True, "dynamic": True}),
        ]
    )
    both = {"return_sequences": True}
    yield from (
        Case("keras", network, batch, steps, opset, native, options)
        for network, batch, steps, opset, native, options in [
            ("simple_rnn", None, 4, 13, rnn, {}),
            ("simple_rnn", 3, 3, 9, rnn, both),
            ("lstm", None, 5, 13, lstm, both),
            ("lstm", 1, 2, 18, lstm, {}),
            ("lstm", None, 3, 15, lstm, {"go_backwards": True}),
            ("gru", None, 4, 17, gru, both),
            ("gru", 3, 3, 9, gru, {}),
            ("gru", None, 4, 13, gru, {"reset_after": False}),
            ("gru", 3, 3, 11, gru, {"reset_after": False} | both),
            ("two_lstm", None, 3, 18, {"LSTM": 2}, {}),
            ("masked_lstm", 3, 3, 13, scan, both),
            ("bidirectional_lstm", None, 3, 13, lstm, both),
        ]
    )
    yield from (
        Case(made_by, network, batch, steps, opset, native, options)
        for made_by, network, batch, steps, opset, native, options in [
            ("dynamo", "rnn", None, 4, 18, rnn, {}),
            ("dynamo", "relu_rnn", 3, 3, 18, rnn, {}),
            ("dynamo", "lstm", None, 5, 18, lstm, {}),
            ("dynamo", "lstm_states", None, 3, 18, lstm, {"init": True}),
            ("dynamo", "lstm_last", 1, 7, 18, lstm, {}),
            ("dynamo", "gru", None, 4, 18, gru, {}),
            ("dynamo", "gru_last", 3, 2, 20, gru, {"init": True}),
            ("dynamo", "two_lstm", None, 3, 18, {"LSTM": 2}, {}),
            ("dynamo", "both_ways_gru", None, 3, 18, gru, {}),
            ("dynamo", "normalised_lstm", 3, 3, 18, scan, {}),
            ("dynamo", "rows", None, 3, 18, lstm, {}),
            ("dynamo", "nn_lstm", None, 4, 18, lstm, {}),
            ("torchscript", "rnn", None, 4, 13, rnn, {}),
            ("torchscript", "relu_rnn", 1, 3, 9, rnn, {}),
            ("torchscript", "lstm", None, 5, 17, lstm, {}),
            ("torchscript", "lstm", 3, 3, 9, lstm, {}),
            ("torchscript", "lstm_states", None, 4, 13, lstm, {"init": True}),
            ("torchscript", "lstm_last", None, 7, 15, lstm, {}),
            ("torchscript", "gru", 3, 4, 11, gru, {}),
            ("torchscript", "gru_last", None, 3, 18, gru, {}),
            ("torchscript", "gru_backward", None, 3, 13, gru, {}),
            ("torchscript", "gru_rnn", None, 3, 13, gru | rnn, {}),
            ("torchscript", "both_ways_lstm", 3, 3, 11, lstm, {}),
            ("torchscript", "rows", 3, 3, 13, lstm, {}),
            ("torchscript", "nn_lstm", None, 4, 13, lstm, {}),
        ]
    )


def generator(case: Case, what: str) -> np.random.Generator:
    return np.random.default_rng([SEED, zlib.crc32(f"{case.id}/{what}".encode())])


def feeds_of(case: Case, model: onnx.ModelProto, batch: int) -> list[np.ndarray]:
    """Draw an array for each input: lengths from 0 to the number of steps, normal numbers for all else."""
    rng = generator(case, f"feeds of {batch}")
    weights = {item.name for item in model.graph.initializer}
    arrays = []
    for item in model.graph.input:
        if item.name in weights:
            continue
        dims = item.type.tensor_type.shape.dim
        shape = [dim.dim_value if dim.HasField("dim_value") else batch for dim in dims]
        if item.type.tensor_type.elem_type == onnx.TensorProto.INT32:
            arrays.append(rng.integers(0, case.steps + 1, shape).astype(np.int32))
        else:
            arrays.append(rng.standard_normal(shape).astype(np.float32))
    if case.network.startswith("masked"):
        arrays[0][:, -1] = 0.0
        arrays[0][0, 1] = 0.0
    return arrays


def stripped(model: onnx.ModelProto) -> onnx.ModelProto:
    """Take out what the exporter notes beside the model: metadata and doc strings."""
    del model.metadata_props[:], model.graph.metadata_props[:]
    for item in (*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info):
        del item.metadata_props[:]
        item.ClearField("doc_string")
    for weight in model.graph.initializer:
        del weight.metadata_props[:]
        weight.ClearField("doc_string")
    return model


def make(case: Case, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Convert one case, write its file, add its arrays to `arrays`, and return its row of the manifest."""
    tf2onnx.utils.INTERNAL_NAME = 1  # so that names in a file do not depend on the cases before
    model, framework = CONVERTERS[case.made_by](case)
    model = stripped(model)
    operators = collections.Counter(node.op_type for node in model.graph.node)
    row: dict[str, Any] = {
        "id": case.id,
        "made_by": case.made_by,
        "network": case.network,
        "options": case.options,
        "batch": case.batch,
        "T": case.steps,
        "opset": next(item.version for item in model.opset_import if not item.domain),
        "operators": dict(sorted(operators.items())),
    }
    row["flat"] = not operators.keys() & LOOPS
    row["native"] = case.native if row["flat"] else None
    data = model.SerializeToString(deterministic=True)
    try:
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    except Exception as error:  # tf2onnx leaves operators of TensorFlow behind that it cannot convert
        return row | {"file": None, "refused": str(error).splitlines()[0].partition("error: ")[2] or str(error)[:200]}
    (FOLDER / f"{case.id}.onnx").write_bytes(data)
    inputs = [item.name for item in session.get_inputs()]
    outputs = [item.name for item in session.get_outputs()]
    batches = [case.batch] if case.batch is not None else [1, 3]
    for batch in batches:
        feeds = feeds_of(case, model, batch)
        results = session.run(None, dict(zip(inputs, feeds, strict=True)))
        for result, expected in zip(results, framework(feeds), strict=True):
            np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5, err_msg=case.id)
        arrays |= {f"{case.id}/{batch}/in{place}": array for place, array in enumerate(feeds)}
        arrays |= {f"{case.id}/{batch}/out{place}": array for place, array in enumerate(results)}
    return row | {"file": f"{case.id}.onnx", "inputs": inputs, "outputs": outputs, "batches": batches}


def main() -> None:
    warnings.simplefilter("ignore")
    for old in FOLDER.glob("*.onnx"):
        old.unlink()
    arrays: dict[str, np.ndarray] = {}
    rows = [make(case, arrays) for case in cases()]
    versions = {
        "tensorflow": tf.__version__,
        "tf_keras": __import__("tf_keras").__version__,
        "keras": keras.__version__,
        "tf2onnx": tf2onnx.__version__,
        "torch": torch.__version__,
        "onnxscript": __import__("onnxscript").__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    lines = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    head = "".join(
        f"  {json.dumps(name)}: {json.dumps(value)},\n" for name, value in (versions | {"seed": SEED}).items()
    )
    (FOLDER / "manifest.json").write_text(f'{{\n{head}  "cases": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
    np.savez_compressed(FOLDER / "arrays.npz", **arrays)
    print(f"{sum(row['flat'] for row in rows)} flat files, {sum(not row['flat'] for row in rows)} not flat")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    main()
