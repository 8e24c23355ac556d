"""Write keras_layers.npz and keras_layers.json: numbers of real Keras 3 layers.

Run it with no arguments, in an environment that has TensorFlow, Keras 3 and NumPy::

    pip install tensorflow-cpu keras numpy
    python make_keras_layers.py

The two files are written beside this script. For each case the script builds the layer (or the Sequential model),
puts seeded random numbers in its weights with set_weights, calls it on seeded random inputs, and keeps everything that
went in and came out. README.md, beside this script, describes the files.
"""

import importlib
import inspect
import itertools
import json
import os
import platform
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from keras_cases import WIDTH, Case, all_cases, layer, make_mask

# These must be set before Keras is imported, hence the import by name below.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # oneDNN changes the last bits from one processor to another
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

tf: Any = importlib.import_module("tensorflow")
keras: Any = importlib.import_module("keras")

SEED = 20240331
WEIGHT_STD = 0.5
HERE = Path(__file__).resolve().parent

Array = npt.NDArray[Any]


class MinimalRNNCell(keras.Layer):  # type: ignore[misc]
    """The custom cell of Keras's guide: one state, which is the output; no bias, no activation, no output_size."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
        )

    def call(self, inputs: Any, states: Any) -> Any:
        output = keras.ops.matmul(inputs, self.kernel) + keras.ops.matmul(states[0], self.recurrent_kernel)
        return output, [output]


class TwoStatesCell(keras.Layer):  # type: ignore[misc]
    """Two states of two widths, an output of a third, and a first state that is not zero."""

    def __init__(self, first: int, second: int, output: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state_size = [first, second]
        self.output_size = output

    def build(self, input_shape: Any) -> None:
        first, second = self.state_size
        self.kernel = self.add_weight(shape=(input_shape[-1], first), initializer="uniform", name="kernel")
        self.between = self.add_weight(shape=(first, second), initializer="uniform", name="between")
        self.out = self.add_weight(shape=(second, self.output_size), initializer="uniform", name="out")

    def get_initial_state(self, batch_size: Any = None) -> Any:
        return [keras.ops.ones((batch_size, size), dtype=self.compute_dtype) for size in self.state_size]

    def call(self, inputs: Any, states: Any) -> Any:
        first = keras.ops.tanh(keras.ops.matmul(inputs, self.kernel) + states[0])
        second = keras.ops.tanh(keras.ops.matmul(first, self.between) + states[1])
        return keras.ops.matmul(second, self.out), [first, second]


CUSTOM = {"MinimalRNNCell": MinimalRNNCell, "TwoStatesCell": TwoStatesCell}
keras.saving.register_keras_serializable("golden")(MinimalRNNCell)  # Bidirectional copies its layer


def build(spec: Any) -> Any:
    """Make what a spec says; specs nest in the keyword arguments."""
    if isinstance(spec, list):
        return [build(item) for item in spec]
    if not isinstance(spec, dict):
        return spec
    kwargs = {name: build(value) for name, value in spec["kwargs"].items()}
    if spec["class"] == "Sequential":
        return keras.Sequential(**kwargs)
    return (CUSTOM.get(spec["class"]) or getattr(keras.layers, spec["class"]))(**kwargs)


def sketch(value: Any) -> Any:
    """The nest that Keras returned: a star for each tensor, a list for each list or tuple."""
    return [sketch(item) for item in value] if isinstance(value, (list, tuple)) else "*"


def plain_shape(shape: Any) -> Any:
    """A shape, or a nest of shapes, as JSON has it."""
    return [plain_shape(item) for item in shape] if isinstance(shape, (list, tuple)) else shape


def is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) > 0 and isinstance(value[0], int)


def map_shapes(function: Any, shapes: Any) -> Any:
    if shapes is None:
        return None
    return function(shapes) if is_shape(shapes) else [map_shapes(function, item) for item in shapes]


class Run:
    """One case under way: its random numbers and the arrays it keeps."""

    def __init__(self, case: Case) -> None:
        # Seeded by its id, so that adding a case leaves the others as they were.
        self.case = case
        self.rng = np.random.default_rng([SEED, zlib.crc32(case.id.encode())])
        self.arrays: dict[str, Array] = {}

    def draw(self, shape: tuple[int, ...], std: float = 1.0) -> Array:
        return (std * self.rng.standard_normal(shape)).astype(self.case.dtype)

    def keep(self, name: str, value: Any) -> str:
        """Keep an array as ``<case id>/<name>`` and give the name, which the manifest has."""
        key, array = f"{self.case.id}/{name}", np.asarray(value)
        if array.dtype.kind == "f" and (array.dtype != self.case.dtype or not np.isfinite(array).all()):
            raise AssertionError(f"{key}: {array.dtype}, {array}")
        self.arrays[key] = array
        return name

    def inputs(self) -> Array:
        case = self.case
        if case.ids is None:
            array = self.draw(case.shape)
        else:
            array = self.rng.integers(1 if case.blank else 0, case.ids, case.shape).astype(case.ids_dtype)
        if case.blank is not None:
            array[~make_mask(case.blank, *case.shape[:2])] = case.blank_value
        return array

    def call(self, made: Any, number: int, x: Array) -> dict[str, Any]:
        """Call the layer and keep what went in and came out."""
        case = self.case
        mask = None if case.mask is None else make_mask(case.mask, *case.shape[:2])
        states = map_shapes(lambda shape: self.draw(shape), case.states)
        if number in case.resets:
            # A Sequential of Keras 3 has no reset of its own.
            for part in getattr(made, "layers", [made]):
                getattr(part, "reset_states", lambda: None)()
        tensor = tf.constant(x)
        if "Cell" in case.spec["class"]:
            found = made(tensor, keras.tree.map_structure(tf.constant, states))
        else:
            kwargs = {} if mask is None else {"mask": tf.constant(mask)}
            kwargs |= {} if states is None else {"initial_state": keras.tree.map_structure(tf.constant, states)}
            function = tf.function(made, jit_compile=True) if case.compiled else made
            found = function(tensor, **kwargs)
        places = itertools.count()

        def keep_state(state: Array) -> str:
            return self.keep(f"s{number}.{next(places)}", state)

        return {
            "reset": number in case.resets,
            "input": self.keep(f"x{number}", x),
            "mask": None if mask is None else self.keep(f"m{number}", mask),
            "initial_state": None if states is None else keras.tree.map_structure(keep_state, states),
            "returned": sketch(found),
            "outputs": [
                self.keep(f"y{number}.{place}", output) for place, output in enumerate(keras.tree.flatten(found))
            ],
        }


def make_weights(case: Case, made: Any, x: Array) -> None:
    """Make the weights, so that they can be set before the first call."""
    states = map_shapes(lambda shape: tf.zeros(shape, case.dtype), case.states)
    if "Cell" in case.spec["class"]:
        made(tf.constant(x), states)
    elif not made.built:
        made.build(x.shape)


def output_shape(case: Case, made: Any) -> Any:
    """What Keras says of the output's shape for a batch it does not know; cells are not asked."""
    if "Cell" in case.spec["class"]:
        return None
    if case.spec["class"] == "Sequential":
        return plain_shape(made.output_shape)
    return plain_shape(made.compute_output_shape((None, *case.shape[1:])))


def check_unroll(case: Case, weights: list[Array], entry: dict[str, Any], arrays: dict[str, Array]) -> None:
    """Where Keras unrolls, check that its loop gives the same numbers."""
    rolled = {**case.spec, "kwargs": {**case.spec["kwargs"], "unroll": False}}
    made = build(rolled)
    make_weights(case, made, arrays[f"{case.id}/x0"])
    made.set_weights(weights)
    call = entry["calls"][0]
    kwargs = {"mask": call["mask"], "initial_state": call["initial_state"]}
    kwargs = {name: keys for name, keys in kwargs.items() if keys is not None}
    fed = keras.tree.map_structure(lambda key: tf.constant(arrays[f"{case.id}/{key}"]), kwargs)
    found = keras.tree.flatten(made(tf.constant(arrays[f"{case.id}/x0"]), **fed))
    for array, key in zip(found, call["outputs"], strict=True):
        np.testing.assert_allclose(array, arrays[f"{case.id}/{key}"], rtol=1e-5, atol=1e-6)


def run(case: Case) -> tuple[dict[str, Any], dict[str, Array]]:
    """Run one case; give its entry in the manifest and its arrays by their keys."""
    keras.backend.clear_session()  # names count from the beginning: lstm, not lstm_17
    going = Run(case)
    made = build(case.spec)
    first = going.inputs()
    make_weights(case, made, first)
    weights = [going.draw(tuple(variable.shape), WEIGHT_STD) for variable in made.weights]
    made.set_weights(weights)
    for given, kept in zip(weights, made.get_weights(), strict=True):
        np.testing.assert_array_equal(given, kept)
    calls = [going.call(made, number, first if number == 0 else going.inputs()) for number in range(case.calls)]
    entry = {
        "id": case.id,
        "build": case.spec,
        "dtype": case.dtype,
        "count_params": made.count_params(),
        "output_shape": output_shape(case, made),
        "weights": [
            {"path": variable.path, "shape": list(variable.shape), "key": going.keep(f"w{place}", value)}
            for place, (variable, value) in enumerate(zip(made.weights, weights, strict=True))
        ],
        "calls": calls,
    }
    if case.spec["kwargs"].get("unroll"):
        check_unroll(case, weights, entry, going.arrays)
    return entry, going.arrays


#: The classes whose constructors are recorded.
CLASSES = (
    "SimpleRNN",
    "LSTM",
    "GRU",
    "RNN",
    "SimpleRNNCell",
    "LSTMCell",
    "GRUCell",
    "StackedRNNCells",
    "Bidirectional",
    "TimeDistributed",
    "Dense",
    "Embedding",
    "Masking",
    "Dropout",
    "LayerNormalization",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Input",
)


def signatures() -> dict[str, Any]:
    """Each class's parameters and the repr of their defaults (null where there is none)."""
    table: dict[str, Any] = {}
    for name in CLASSES:
        parameters = inspect.signature(getattr(keras.layers, name)).parameters.values()
        table[name] = {
            parameter.name: None if parameter.default is parameter.empty else repr(parameter.default)
            for parameter in parameters
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        }
    return table


def first_values() -> dict[str, Any]:
    """The weights of fresh layers whose first values are not random, by the layer and the weight's name."""
    specs = {
        "LSTM": layer("LSTM", units=2),
        "LSTM unit_forget_bias=False": layer("LSTM", units=2, unit_forget_bias=False),
        "LSTM bias_initializer=ones": layer("LSTM", units=2, bias_initializer="ones"),
        "LSTM bias_initializer=ones unit_forget_bias=False": layer(
            "LSTM", units=2, bias_initializer="ones", unit_forget_bias=False
        ),
        "GRU": layer("GRU", units=2),
        "GRU reset_after=False": layer("GRU", units=2, reset_after=False),
        "SimpleRNN": layer("SimpleRNN", units=2),
        "Dense": layer("Dense", units=2),
        "LayerNormalization": layer("LayerNormalization"),
    }
    table: dict[str, Any] = {}
    for name, spec in specs.items():
        made = build(spec)
        made.build((None, 2, WIDTH))
        table[name] = {
            "build": spec,
            "input_shape": [2, WIDTH],
            "weights": {
                variable.name: np.asarray(variable).tolist()
                for variable in made.weights
                if variable.name in ("bias", "gamma", "beta")
            },
        }
    return table


def activations() -> dict[str, Any]:
    """Every activation that keras.activations.get knows by name, over one grid; null for those that need more than x."""
    corners = [-100.0, -30.0, -7.5, -6.0, -5.0, -4.0, -3.0, -2.5, -2.0, -1.5, -1.0, -0.75, -0.5, -0.25, -0.1, -1e-3]
    grid = np.array([*corners, 0.0, *(-x for x in reversed(corners)), 0.3, 0.6, 1.25, 12.0, -12.0, 1.0, 1.0])
    grid = grid.reshape(5, 8)  # some work along the last axis, and glu halves it
    names = sorted(importlib.import_module("keras.src.activations").ALL_OBJECTS_DICT)
    values: dict[str, Any] = {}
    for name in names:
        function = keras.activations.get(name)
        needed = [part for part in inspect.signature(function).parameters.values() if part.default is part.empty]
        if len(needed) > 1:  # threshold: a name is not enough to call it
            values[name] = None
            continue
        value = np.asarray(function(tf.constant(grid)))
        if value.dtype != np.float64 or not np.isfinite(value).all():
            raise AssertionError(f"{name}: {value.dtype}, {value}")
        values[name] = value.tolist()
    return {"x": grid.tolist(), "values": values}


def main() -> None:
    warnings.filterwarnings("ignore")
    entries: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for case in all_cases():
        entry, values = run(case)
        if arrays.keys() & values.keys():
            raise AssertionError(f"two cases are called {case.id}")
        entries.append(entry)
        arrays.update(values)
    header = {
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "seed": SEED,
        "weight_std": WEIGHT_STD,
    }
    tables = {"signatures": signatures(), "first_values": first_values(), "activations": activations()}
    text = json.dumps(header, indent=2).removesuffix("\n}")
    for name, table in tables.items():
        rows = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in table.items())
        text += f',\n  "{name}": {{\n{rows}\n  }}'
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in entries)  # one case a line
    text += f',\n  "cases": [\n{lines}\n  ]\n}}\n'
    json.loads(text)
    (HERE / "keras_layers.json").write_text(text, encoding="utf-8")
    np.savez_compressed(HERE / "keras_layers.npz", **arrays)
    print(f"{len(entries)} cases, {len(arrays)} arrays")


if __name__ == "__main__":
    main()
