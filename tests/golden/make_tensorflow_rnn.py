"""Write tensorflow_rnn.npz and tensorflow_rnn.json: numbers of real TensorFlow recurrent cells.

Run it with no arguments, in an environment that has TensorFlow, tf_keras and NumPy::

    pip install tensorflow-cpu tf_keras numpy
    python make_tensorflow_rnn.py

The two files are written beside this script. For each case the script builds the cell in a fresh TensorFlow graph,
puts seeded random numbers in its variables, runs it over seeded random inputs, and keeps everything that went in and
came out. README.md, beside this script, describes the files.
"""

import importlib
import itertools
import json
import os
import platform
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# These must be set before TensorFlow is imported, hence the import by name below.
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # the TensorFlow 1 cells live in tf_keras
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # oneDNN changes the last bits from one processor to another
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

tf: Any = importlib.import_module("tensorflow")
v1: Any = tf.compat.v1

SEED = 20240229
WEIGHT_STD = 0.5
HERE = Path(__file__).resolve().parent

Array = npt.NDArray[Any]

SHORT_NAMES = {"BasicRNNCell": "rnn", "BasicLSTMCell": "lstm", "GRUCell": "gru", "MultiRNNCell": "multi"}
ACTIVATIONS: dict[str, Any] = {"relu": tf.nn.relu, "tanh": tf.nn.tanh}


@dataclass(frozen=True)
class Layer:
    """One simple cell: its class in tf.compat.v1.nn.rnn_cell and what its constructor is given."""

    cell: str
    num_units: int
    kwargs: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Any:
        kwargs = dict(self.kwargs)
        if "activation" in kwargs:
            kwargs["activation"] = ACTIVATIONS[kwargs["activation"]]
        return getattr(v1.nn.rnn_cell, self.cell)(self.num_units, **kwargs)


@dataclass(frozen=True)
class Case:
    """One run of a cell; more than one layer means a MultiRNNCell over them."""

    layers: tuple[Layer, ...]
    driver: str
    batch: int
    steps: int
    initial_state: bool
    dtype: str = "float32"
    input_size: int = 4
    driver_kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def cell(self) -> str:
        return self.layers[0].cell if len(self.layers) == 1 else "MultiRNNCell"

    @property
    def id(self) -> str:
        parts = [SHORT_NAMES[self.cell], self.driver.removesuffix("_rnn")]
        options = {**(self.layers[0].kwargs if len(self.layers) == 1 else {}), **self.driver_kwargs}
        parts += [f"{name}={value}" for name, value in sorted(options.items())]
        parts += [f"b{self.batch}", f"t{self.steps}"]
        parts += ["init"] if self.initial_state else []
        parts += [self.dtype] if self.dtype != "float32" else []
        return "-".join(parts)

    def build(self) -> Any:
        cells = [layer.build() for layer in self.layers]
        return cells[0] if len(cells) == 1 else v1.nn.rnn_cell.MultiRNNCell(cells)


def all_cases() -> Iterator[Case]:
    """The full cross of the plain cells, then the extra ones."""
    simple = ("BasicRNNCell", "BasicLSTMCell", "GRUCell")
    drivers = ("static_rnn", "dynamic_rnn")
    for cell, driver, batch, given, steps in itertools.product(simple, drivers, (1, 3), (False, True), (1, 2, 7, 28)):
        yield Case((Layer(cell, 3),), driver, batch, steps, given)

    options = [
        Layer("BasicLSTMCell", 3, {"forget_bias": 0.0, "activation": "relu"}),
        Layer("BasicLSTMCell", 3, {"forget_bias": 0.0}),
        Layer("BasicLSTMCell", 3, {"state_is_tuple": False}),
        Layer("BasicRNNCell", 3, {"activation": "relu"}),
        Layer("GRUCell", 3, {"activation": "relu"}),
    ]
    stack = (Layer("BasicLSTMCell", 3), Layer("GRUCell", 2))
    for layers, given in itertools.product([*((layer,) for layer in options), stack], (False, True)):
        yield Case(layers, "static_rnn", batch=3, steps=7, initial_state=given)

    for cell, given in itertools.product(simple, (False, True)):
        layers = (Layer(cell, 3),)
        yield Case(layers, "dynamic_rnn", 3, 7, given, driver_kwargs={"time_major": True})

    for layers, given in itertools.product([*((Layer(cell, 3),) for cell in simple), stack], (False, True)):
        yield Case(layers, "static_rnn", batch=3, steps=7, initial_state=given, dtype="float64")
    yield Case(
        (Layer("BasicLSTMCell", 3, {"forget_bias": 0.0, "activation": "relu"}),), "static_rnn", 3, 7, True, "float64"
    )
    yield Case((Layer("BasicLSTMCell", 3),), "static_rnn", 3, 28, True, "float64")
    yield Case((Layer("BasicLSTMCell", 3),), "dynamic_rnn", 3, 7, True, "float64")


def unroll(case: Case, cell: Any, inputs: Any, state: Any) -> tuple[Any, Any]:
    """Add the case's driver to the graph; inputs and outputs are time-major whatever the driver prefers."""
    if case.driver == "static_rnn":
        steps, final = v1.nn.static_rnn(cell, tf.unstack(inputs), initial_state=state, dtype=inputs.dtype)
        return tf.stack(steps), final
    if case.driver_kwargs.get("time_major"):
        outputs, final = v1.nn.dynamic_rnn(cell, inputs, initial_state=state, dtype=inputs.dtype, time_major=True)
        return outputs, final
    swapped = tf.transpose(inputs, [1, 0, 2])
    outputs, final = v1.nn.dynamic_rnn(cell, swapped, initial_state=state, dtype=inputs.dtype)
    return tf.transpose(outputs, [1, 0, 2]), final


def run(case: Case) -> tuple[dict[str, Any], dict[str, Array]]:
    """Run one case; give its entry in the manifest and its arrays by their keys."""
    # Seeded by its id, so that adding a case leaves the others as they were.
    rng = np.random.default_rng([SEED, zlib.crc32(case.id.encode())])

    def draw(shape: tuple[int, ...], std: float = 1.0) -> Array:
        return (std * rng.standard_normal(shape)).astype(case.dtype)

    inputs = draw((case.steps, case.batch, case.input_size))
    with tf.Graph().as_default():
        cell = case.build()
        state0: list[Array] = []
        state: Any = None
        if case.initial_state:
            state0 = [draw((case.batch, int(size))) for size in tf.nest.flatten(cell.state_size)]
            state = tf.nest.pack_sequence_as(cell.state_size, [tf.constant(part) for part in state0])
        outputs, final = unroll(case, cell, tf.constant(inputs), state)
        variables = v1.global_variables()
        weights = [draw(tuple(variable.shape.as_list()), WEIGHT_STD) for variable in variables]
        one_thread = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        with v1.Session(config=one_thread) as session:
            for variable, value in zip(variables, weights, strict=True):
                variable.load(value, session)
            output_values, final_values = session.run([outputs, tf.nest.flatten(final)])

    arrays: dict[str, Array] = {}

    def keep(name: str, value: Array) -> str:
        key = f"{case.id}/{name}"
        if value.dtype != np.dtype(case.dtype) or not np.isfinite(value).all():
            raise AssertionError(f"{key}: {value.dtype}, {value}")
        arrays[key] = value
        return key

    entry = {
        "id": case.id,
        "cell": case.cell,
        "num_units": case.layers[0].num_units if len(case.layers) == 1 else [layer.num_units for layer in case.layers],
        "kwargs": case.layers[0].kwargs if len(case.layers) == 1 else {},
        "layers": [{"cell": layer.cell, "num_units": layer.num_units, "kwargs": layer.kwargs} for layer in case.layers],
        "driver": case.driver,
        "driver_kwargs": case.driver_kwargs,
        "batch": case.batch,
        "T": case.steps,
        "input_size": case.input_size,
        "dtype": case.dtype,
        "initial_state": case.initial_state,
        "variables": [
            {
                "name": variable.name.removesuffix(":0"),
                "shape": list(value.shape),
                "key": keep(f"var/{variable.name.removesuffix(':0')}", value),
            }
            for variable, value in zip(variables, weights, strict=True)
        ],
        "arrays": {
            "inputs": keep("inputs", inputs),
            "state0": [keep(f"state0/{i}", value) for i, value in enumerate(state0)],
            "outputs": keep("outputs", output_values),
            "state": [keep(f"state/{i}", value) for i, value in enumerate(final_values)],
        },
    }
    return entry, arrays


def main() -> None:
    warnings.filterwarnings("ignore")  # every one of these cells is deprecated
    v1.logging.set_verbosity(v1.logging.ERROR)
    v1.disable_v2_behavior()
    entries: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for case in all_cases():
        entry, values = run(case)
        if arrays.keys() & values.keys():
            raise AssertionError(f"two cases are called {case.id}")
        entries.append(entry)
        arrays.update(values)
    header = {
        "tensorflow": tf.__version__,
        "tf_keras": metadata.version("tf_keras"),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "seed": SEED,
        "weight_std": WEIGHT_STD,
    }
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in entries)  # one case a line
    text = json.dumps(header, indent=2).removesuffix("\n}") + f',\n  "cases": [\n{lines}\n  ]\n}}\n'
    json.loads(text)
    (HERE / "tensorflow_rnn.json").write_text(text, encoding="utf-8")
    np.savez_compressed(HERE / "tensorflow_rnn.npz", **arrays)
    print(f"{len(entries)} cases, {len(arrays)} arrays")


if __name__ == "__main__":
    main()
