"""Write contrib_cells.npz and contrib_cells.json: numbers of TensorFlow 1.15's contrib cells, and of a plain sLSTM.

The contrib cells left TensorFlow with its version 2, but their source still runs on today's TensorFlow, through its
version 1 face. Unpack a wheel of TensorFlow 1.15 and give the folder, in an environment that has TensorFlow and NumPy::

    pip download tensorflow==1.15.5 --no-deps --only-binary :all: --python-version 37 \
        --platform manylinux2010_x86_64 -d tf115
    (cd tf115 && unzip -q tensorflow-*.whl 'tensorflow_core/contrib/rnn/*')
    pip install tensorflow-cpu tf_keras numpy
    python make_contrib_cells.py tf115

The two files are written beside this script. For each case the script builds the cell in a fresh TensorFlow graph,
puts seeded random numbers in its variables, runs `static_rnn` over seeded random inputs, and keeps everything that went
in and came out. The cases are in contrib_cases.py; README.md, beside it, describes the files.
"""

import functools
import importlib
import importlib.util
import json
import os
import platform
import sys
import types
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from contrib_cases import Case, all_cases

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
CONTRIB = "TensorFlow 1.15 contrib"
NUMPY = "NumPy, from the paper's formula"

Array = npt.NDArray[Any]

ACTIVATIONS: dict[str, Any] = {
    "relu": tf.nn.relu,
    "tanh": tf.nn.tanh,
    "sigmoid": tf.nn.sigmoid,
    "identity": tf.identity,
}


def load_contrib(folder: Path) -> Any:
    """Load the contrib cells of an unpacked wheel under today's TensorFlow, and return their modules' names together.

    Three names that they import are gone. A stand-in for `contrib.layers` has `layer_norm`, on the same two functions of
    TensorFlow; `contrib.compiler.jit` is not used by the cells of this file, and is empty; `nest.is_sequence` has
    another name.
    """
    source = folder / "tensorflow_core/contrib/rnn/python/ops"

    def package(name: str, **attributes: Any) -> types.ModuleType:
        module = types.ModuleType(name)
        module.__path__ = []
        vars(module).update(attributes)
        sys.modules[name] = module
        return module

    def loaded(name: str) -> Any:
        spec = importlib.util.spec_from_file_location(
            f"tensorflow.contrib.rnn.python.ops.{name}", source / f"{name}.py"
        )
        assert spec is not None and spec.loader is not None
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    for name in ("", ".rnn", ".rnn.python", ".layers", ".layers.python"):
        package(f"tensorflow.contrib{name}")
    package("tensorflow.contrib.compiler", jit=types.ModuleType("jit"))
    package("tensorflow.contrib.layers.python.layers", layers=types.SimpleNamespace(layer_norm=layer_norm))
    nest: Any = importlib.import_module("tensorflow.python.util.nest")
    nest.is_sequence = nest.is_nested  # its name today
    core = loaded("core_rnn_cell")
    package("tensorflow.contrib.rnn.python.ops", core_rnn_cell=core)
    return loaded("rnn_cell"), core


def layer_norm(inputs: Any, reuse: bool, scope: str) -> Any:
    """Layer normalisation over all axes but the first, as `contrib.layers` computes it for float32 and float64."""
    with v1.variable_scope(scope, reuse=reuse):
        beta = v1.get_variable("beta", inputs.shape[1:], inputs.dtype)
        gamma = v1.get_variable("gamma", inputs.shape[1:], inputs.dtype)
    mean, variance = v1.nn.moments(inputs, list(range(1, inputs.shape.ndims)), keep_dims=True)
    return tf.nn.batch_normalization(inputs, mean, variance, offset=beta, scale=gamma, variance_epsilon=1e-12)


def build(modules: Any, name: str, kwargs: dict[str, Any]) -> Any:
    """Make a cell; what the manifest writes as names becomes functions and cells."""
    contrib, core = modules
    made = dict(kwargs)
    for key in ("activation", "y_activation"):
        if key in made and name != "MinimalRNNCell":
            made[key] = ACTIVATIONS[made[key]]
    if "cell" in made:
        made["cell"] = build(modules, made["cell"]["cell"], made["cell"]["kwargs"])
    found = next(module for module in (contrib, core, v1.nn.rnn_cell) if hasattr(module, name))
    cell = getattr(found, name)(**made)
    if kwargs.get("skip_connection"):
        # TensorFlow puts the input into the state besides the output, so its second step is refused: the kernel has
        # become too small. The state is cut to its own state_size here.
        channels, call = kwargs["output_channels"], cell.call

        @functools.wraps(call)
        def cut(inputs: Any, state: Any, **more: Any) -> Any:
            output, new = call(inputs, state, **more)
            return output, new._replace(h=new.h[..., :channels])

        cell.call = cut
    return cell


def draw_inputs(case: Case, rng: np.random.Generator) -> list[Array]:
    """The leaves of the inputs, time first."""
    lead = (case.steps, case.batch)
    if case.inputs == "ids":
        return [rng.integers(case.kwargs["embedding_classes"], size=(*lead, 1))]
    if case.inputs in ("time", "time64"):
        time = np.cumsum(rng.uniform(0.1, 3.0, (*lead, 1)), axis=0)
        time_dtype = "float64" if case.inputs == "time64" else case.dtype
        return [time.astype(time_dtype), rng.standard_normal((*lead, case.input_size)).astype(case.dtype)]
    shape = case.inputs if isinstance(case.inputs, tuple) else (case.input_size,)
    return [rng.standard_normal((*lead, *shape)).astype(case.dtype)]


def draw_weight(name: str, shape: tuple[int, ...], case: Case, rng: np.random.Generator) -> Array:
    """Seeded numbers; what is a time or a share of one is drawn as such."""
    ranges = {"period": (2.0, 8.0), "phase": (0.0, 4.0), "ratio_on": (0.2, 0.6)}
    low_high = ranges.get(name.rsplit("/")[-1])
    drawn = rng.uniform(*low_high, shape) if low_high else WEIGHT_STD * rng.standard_normal(shape)
    return drawn.astype(case.dtype)


@dataclass(frozen=True)
class Result:
    """What a case gave.

    Attributes:
        variables: their values by name.
        state0: the initial state's leaves.
        outputs: of all steps.
        state: the last state's leaves.
        unused: the variables that TensorFlow makes and nothing reads.
    """

    variables: dict[str, Array]
    state0: list[Array]
    outputs: Array
    state: list[Array]
    unused: set[str]


def run_contrib(modules: Any, case: Case, inputs: list[Array], rng: np.random.Generator) -> Result:
    """Run the real class in a graph of its own."""
    contrib, _ = modules
    dtype, draw_dtype = tf.as_dtype(case.dtype), np.dtype(case.dtype).type
    # PhasedLSTMCell names float32 for its cycle whatever the dtype of the rest, so that float64 needs another name there.
    named_dtypes = importlib.import_module("tensorflow.python.framework.dtypes")
    renamed = case.cell == "PhasedLSTMCell" and case.dtype == "float64"
    contrib.dtypes = types.SimpleNamespace(float32=tf.float64) if renamed else named_dtypes
    with tf.Graph().as_default(), v1.variable_scope(v1.get_variable_scope(), dtype=dtype):
        kwargs = dict(case.kwargs)
        if case.cell == "PhasedLSTMCell":  # the defaults, as numbers of the case's dtype, which its initialiser needs
            kwargs |= {"period_init_min": draw_dtype(1.0), "period_init_max": draw_dtype(1000.0)}
        cell = build(modules, case.cell, kwargs)
        sizes = [tf.TensorShape(size).as_list() for size in tf.nest.flatten(cell.state_size)]
        state0 = [rng.standard_normal((case.batch, *size)).astype(case.dtype) for size in sizes if case.initial_state]
        state = tf.nest.pack_sequence_as(cell.state_size, [tf.constant(part) for part in state0]) if state0 else None
        leaves = [tf.unstack(tf.constant(leaf)) for leaf in inputs]
        steps = list(zip(*leaves, strict=True)) if len(leaves) > 1 else leaves[0]
        outputs, final = v1.nn.static_rnn(cell, steps, initial_state=state, dtype=dtype)
        variables = v1.global_variables()
        names = [variable.name.removesuffix(":0") for variable in variables]
        weights = {
            name: draw_weight(name, tuple(variable.shape.as_list()), case, rng)
            for name, variable in zip(names, variables, strict=True)
        }
        reached = tf.gradients([*outputs, *tf.nest.flatten(final)], variables)
        unused = {name for name, gradient in zip(names, reached, strict=True) if gradient is None}
        one_thread = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        with v1.Session(config=one_thread) as session:
            for variable, value in zip(variables, weights.values(), strict=True):
                variable.load(value, session)
            output_values, final_values = session.run([tf.stack(outputs), tf.nest.flatten(final)])
    return Result(weights, state0, output_values, final_values, unused)


def run_slstm(case: Case, inputs: list[Array], rng: np.random.Generator) -> Result:
    """The sLSTM of arXiv:2405.04517, section 2.2, without its stabiliser, which changes no output.

    The stabiliser is followed beside it, from the first input gate on, for the states are kept as the stabilised cell
    has them: ``c exp(-m)``, ``n exp(-m)`` and m. Computed in float64 whatever the case's dtype.
    """
    units, heads = case.kwargs["num_units"], case.kwargs.get("num_heads", 1)
    size = units // heads
    shapes = {"kernel": (case.input_size, 4 * units), "recurrent_kernel": (units, 4 * size), "bias": (4 * units,)}
    names = {key: f"rnn/slstm_cell/{key}" for key in shapes}
    weights = {names[key]: draw_weight(key, shape, case, rng) for key, shape in shapes.items()}
    state0 = [rng.standard_normal((case.batch, units)) for _ in "cnmh"] if case.initial_state else []
    if state0:
        state0[1] = np.abs(state0[1]) + 0.1  # a sum of exponentials
        state0 = [part.astype(case.dtype) for part in state0]
    start = [part.astype(np.float64) for part in state0] or [np.zeros((case.batch, units))] * 4
    c, n, m, h = start[0] * np.exp(start[2]), start[1] * np.exp(start[2]), start[2], start[3]
    kernel, recurrent, bias = (weights[names[key]].astype(np.float64) for key in shapes)
    outputs = []
    for x in inputs[0].astype(np.float64):
        before = (x @ kernel + bias).reshape(case.batch, 4, units)
        for head in range(heads):
            mine = slice(head * size, (head + 1) * size)
            before[:, :, mine] += (h[:, mine] @ recurrent[mine]).reshape(case.batch, 4, size)
        z, i, f, o = before.transpose(1, 0, 2)
        forget = np.exp(f) if case.kwargs.get("forget_activation") == "exp" else 1 / (1 + np.exp(-f))
        m = np.where(n > 0, np.maximum(np.log(forget) + m, i), i)
        c = forget * c + np.exp(i) * np.tanh(z)
        n = forget * n + np.exp(i)
        h = c / n / (1 + np.exp(-o))
        outputs.append(h)
    states = [c * np.exp(-m), n * np.exp(-m), m, h]
    final = [part.astype(case.dtype) for part in states]
    return Result(weights, state0, np.stack(outputs).astype(case.dtype), final, set())


def run(modules: Any, case: Case) -> tuple[dict[str, Any], dict[str, Array]]:
    """Run one case; give its entry in the manifest and its arrays by their keys."""
    # Seeded by its id, so that adding a case leaves the others as they were.
    rng = np.random.default_rng([SEED, zlib.crc32(case.id.encode())])
    inputs = draw_inputs(case, rng)
    by_hand = case.cell == "SLSTMCell"
    result = run_slstm(case, inputs, rng) if by_hand else run_contrib(modules, case, inputs, rng)
    arrays: dict[str, Array] = {}

    def keep(name: str, value: Array) -> str:
        key = f"{case.id}/{name}"
        if not np.isfinite(value).all() or (value.dtype != np.dtype(case.dtype) and not name.startswith("inputs")):
            raise AssertionError(f"{key}: {value.dtype}, {value}")
        arrays[key] = value
        return key

    entry = {
        "id": case.id,
        "cell": case.cell,
        "kwargs": case.kwargs,
        "oracle": NUMPY if by_hand else CONTRIB,
        "inputs": case.inputs if isinstance(case.inputs, str) else "image",
        "batch": case.batch,
        "T": case.steps,
        "dtype": case.dtype,
        "initial_state": case.initial_state,
        "variables": [
            {"name": name, "shape": list(value.shape), "key": keep(f"var/{name}", value)}
            for name, value in result.variables.items()
            if name not in result.unused
        ],
        "unused": sorted(result.unused),
        "arrays": {
            "inputs": [keep(f"inputs/{i}", value) for i, value in enumerate(inputs)],
            "state0": [keep(f"state0/{i}", value) for i, value in enumerate(result.state0)],
            "outputs": keep("outputs", result.outputs),
            "state": [keep(f"state/{i}", value) for i, value in enumerate(result.state)],
        },
    }
    return entry, arrays


def main(folder: Path) -> None:
    warnings.filterwarnings("ignore")  # every one of these cells is deprecated
    v1.logging.set_verbosity(v1.logging.ERROR)
    v1.disable_v2_behavior()
    modules = load_contrib(folder)
    entries: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for case in all_cases():
        entry, values = run(modules, case)
        if arrays.keys() & values.keys():
            raise AssertionError(f"two cases are called {case.id}")
        entries.append(entry)
        arrays.update(values)
    header = {
        "tensorflow": tf.__version__,
        "contrib": "1.15.5",
        "numpy": np.__version__,
        "python": platform.python_version(),
        "seed": SEED,
        "weight_std": WEIGHT_STD,
    }
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in entries)  # one case a line
    text = json.dumps(header, indent=2).removesuffix("\n}") + f',\n  "cases": [\n{lines}\n  ]\n}}\n'
    json.loads(text)
    (HERE / "contrib_cells.json").write_text(text, encoding="utf-8")
    np.savez_compressed(HERE / "contrib_cells.npz", **arrays)
    print(f"{len(entries)} cases, {len(arrays)} arrays")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
