"""Write tensorflow_family.npz and tensorflow_family.json: the rest of TensorFlow 1's recurrent cells and drivers.

Run it with no arguments, in an environment that has TensorFlow, tf_keras and NumPy::

    pip install tensorflow-cpu tf_keras numpy
    python make_tensorflow_family.py

The two files are written beside this script. A case is a small program: some cells, and calls of drivers on them. For
each the script builds the program in a fresh TensorFlow graph, puts seeded random numbers in its variables, runs it
over seeded random inputs, and keeps everything that went in and came out. README.md, beside this script, describes the
files.
"""

import importlib
import json
import os
import platform
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorflow_family_cases import Case, Spec, all_cases

# These must be set before TensorFlow is imported, hence the import by name below.
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # the TensorFlow 1 cells live in tf_keras
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # oneDNN changes the last bits from one processor to another
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

tf: Any = importlib.import_module("tensorflow")
v1: Any = tf.compat.v1

SEED = 20240229
WEIGHT_STD = 0.5
SEEN = 1e-3  # what a clip must change at least, well above the tolerance of the tests
HERE = Path(__file__).resolve().parent

Array = npt.NDArray[Any]

RESIDUALS: dict[str, Callable[[Any, Any], Any]] = {
    "halved": lambda inputs, outputs: inputs * 0.5 + outputs,
    "narrowed": lambda inputs, outputs: inputs[:, :3] + outputs,
}


def build_cell(spec: Spec, dtype: str, keep_probs: list[Any]) -> Any:
    """Build a cell; a keep probability below 1 is a placeholder, as in a program that trains and predicts."""
    kwargs = dict(spec["kwargs"])
    if "activation" in kwargs:
        kwargs["activation"] = getattr(tf.nn, kwargs["activation"])
    if "residual_fn" in kwargs:
        kwargs["residual_fn"] = RESIDUALS[kwargs["residual_fn"]]
    for name in [name for name in kwargs if name.endswith("_keep_prob") and kwargs[name] != 1.0]:
        keep_probs.append(v1.placeholder(dtype, [], name))
        kwargs[name] = keep_probs[-1]
    make = getattr(v1.nn.rnn_cell, spec["cell"])
    if "of" not in spec:
        return make(spec["num_units"], **kwargs)
    if isinstance(spec["of"], list):
        return make([build_cell(part, dtype, keep_probs) for part in spec["of"]], **kwargs)
    return make(build_cell(spec["of"], dtype, keep_probs), **kwargs)


# -- programs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """What a call is given: inputs ``(T, batch, features)``, lengths and states."""

    inputs: Any
    lengths: Any
    states: list[Any]
    kwargs: dict[str, Any]
    program: str | None

    @property
    def common(self) -> dict[str, Any]:
        lengths = {} if self.lengths is None else {"sequence_length": self.lengths}
        return {"dtype": self.inputs.dtype, **lengths, **self.kwargs}

    @property
    def both(self) -> dict[str, Any]:
        return {"initial_state_fw": self.states[0], "initial_state_bw": self.states[1], **self.common}

    @property
    def major(self) -> bool:
        return bool(self.kwargs.get("time_major"))

    @property
    def whole(self) -> Any:
        return self.inputs if self.major else tf.transpose(self.inputs, [1, 0, 2])


def call_static(cells: list[Any], given: Given) -> list[Any]:
    outputs, final = v1.nn.static_rnn(cells[0], tf.unstack(given.inputs), initial_state=given.states[0], **given.common)
    return [tf.stack(outputs), final]


def call_dynamic(cells: list[Any], given: Given) -> list[Any]:
    return list(v1.nn.dynamic_rnn(cells[0], given.whole, initial_state=given.states[0], **given.common))


def call_cell(cells: list[Any], given: Given) -> list[Any]:
    """Call the cell itself, step after step."""
    state, outputs = given.states[0], []
    for step in tf.unstack(given.inputs):
        output, state = cells[0](step, state)
        outputs.append(output)
    return [tf.stack(outputs), state]


def call_static_bidirectional(cells: list[Any], given: Given) -> list[Any]:
    outputs, *final = v1.nn.static_bidirectional_rnn(*cells, tf.unstack(given.inputs), **given.both)
    return [tf.stack(outputs), *final]


def call_dynamic_bidirectional(cells: list[Any], given: Given) -> list[Any]:
    return list(v1.nn.bidirectional_dynamic_rnn(*cells, given.whole, **given.both))


def call_stack(cells: list[Any], given: Given) -> list[Any]:
    """The function of that name in tf.contrib.rnn, which is gone: the scopes and calls that its source had."""
    half, layer, final = len(cells) // 2, tf.unstack(given.inputs), []
    with v1.variable_scope("stack_bidirectional_rnn"):
        for place in range(half):
            start = {"initial_state_fw": given.states[place], "initial_state_bw": given.states[half + place]}
            with v1.variable_scope(f"cell_{place}") as scope:  # handed on: no bidirectional_rnn in the names
                layer, *states = v1.nn.static_bidirectional_rnn(
                    cells[place], cells[half + place], layer, scope=scope, **start, **given.common
                )
            final.append(states)
    return [tf.stack(layer), *zip(*final, strict=True)]


class StateSaver:
    """The least that static_state_saving_rnn asks for."""

    def __init__(self, states: list[Any]) -> None:
        self.states = {f"state{place}": state for place, state in enumerate(states)}
        self.saved: dict[str, Any] = {}

    def state(self, name: str) -> Any:
        return self.states[name]

    def save_state(self, name: str, value: Any) -> Any:
        self.saved[name] = value
        return value


def call_saving(cells: list[Any], given: Given) -> list[Any]:
    saver = StateSaver(tf.nest.flatten(given.states[0]))
    names = tf.nest.pack_sequence_as(cells[0].state_size, list(saver.states))
    outputs, final = v1.nn.static_state_saving_rnn(
        cells[0], tf.unstack(given.inputs), saver, names, sequence_length=given.lengths
    )
    return [tf.stack(outputs), final, [saver.saved[name] for name in saver.states]]


def call_raw(cells: list[Any], given: Given) -> list[Any]:
    """The programs of raw_rnn; emits are padded with zeros to T, where TensorFlow leaves its loop once all is done."""
    (cell,), inputs, program = cells, given.inputs, given.program
    steps, batch, features = inputs.shape
    first = given.states[0] if given.states[0] is not None else cell.zero_state(batch, inputs.dtype)

    def loop_fn(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        start = output is None
        finished = time >= tf.cast(given.lengths, tf.int32)
        following = tf.cond(
            tf.reduce_all(finished), lambda: tf.zeros([batch, features], inputs.dtype), lambda: inputs[time]
        )
        following.set_shape([batch, features])
        emit, next_loop_state = output, None
        if program == "emit_pair":  # emits: the output doubled, and a number a row
            none = (tf.zeros([cell.output_size], inputs.dtype), tf.zeros([], inputs.dtype))
            emit = none if start else (output * 2, tf.reduce_sum(output, 1))
        elif program == "feedback":  # a decoder: its output is its next input
            following = inputs[0] if start else output
        elif program == "sums":  # the loop state: the steps taken, and the sum of all outputs
            zeros = (tf.zeros([], inputs.dtype), tf.zeros([batch, cell.output_size], inputs.dtype))
            next_loop_state = zeros if start else (loop_state[0] + 1, loop_state[1] + output)
        elif program == "kept_loop_state":  # None leaves the loop state as it was
            next_loop_state = inputs[0] if start else None
        elif program == "said_once":  # a row that was done once stays done
            finished = tf.equal(time, tf.cast(given.lengths, tf.int32))
        elif program == "until_positive":  # a row is done when its output says so, or at T
            following = inputs[0] if start else output
            finished = tf.fill([batch], time >= steps)
            if not start:
                finished = tf.logical_or(finished, tf.reduce_sum(output, 1) > 0)
        return finished, following, first if start else state, emit, next_loop_state

    emits, final, loop_state = v1.nn.raw_rnn(cell, loop_fn, **given.kwargs)
    flat = [array.stack() for array in tf.nest.flatten(emits)]
    padded = [tf.pad(emit, [[0, steps - tf.shape(emit)[0]]] + [[0, 0]] * (len(emit.shape) - 1)) for emit in flat]
    return [padded, final, [] if loop_state is None else loop_state]


DRIVERS: dict[str, Callable[[list[Any], Given], list[Any]]] = {
    "static_rnn": call_static,
    "dynamic_rnn": call_dynamic,
    "call": call_cell,
    "static_bidirectional_rnn": call_static_bidirectional,
    "bidirectional_dynamic_rnn": call_dynamic_bidirectional,
    "stack_bidirectional_rnn": call_stack,
    "static_state_saving_rnn": call_saving,
    "raw_rnn": call_raw,
}


# -- running ----------------------------------------------------------------------------------------------------------


def run(case: Case) -> tuple[dict[str, Any], dict[str, Array]]:
    """Run one case; give its entry in the manifest and its arrays by their names."""
    # Seeded by its id, so that adding a case leaves the others as they were.
    rng = np.random.default_rng([SEED, zlib.crc32(case.id.encode())])
    arrays: dict[str, Array] = {}

    def draw(name: str, shape: tuple[int, ...], std: float = 1.0) -> Array:
        return keep(name, (std * rng.standard_normal(shape)).astype(case.dtype))

    def keep(name: str, value: Array) -> Array:
        if value.dtype != np.dtype(case.dtype) or not np.isfinite(value).all() or name in arrays:
            raise AssertionError(f"{case.id}: {name}: {value.dtype}, {value}")
        arrays[name] = value
        return value

    shape = (case.steps, case.batch, case.input_size)
    data = draw("inputs", shape if case.chunks == 1 else (case.chunks, *shape))
    with tf.Graph().as_default():
        keep_probs: list[Any] = []
        cells = [build_cell(spec, case.dtype, keep_probs) for spec in case.cells]
        inputs = v1.placeholder(case.dtype, shape)
        feeds = {**dict.fromkeys(keep_probs, 1.0), inputs: data if case.chunks == 1 else data[0]}
        fetched, state_feeds = [], []
        for number, call in enumerate(case.calls):
            chosen, states = [cells[place] for place in call.cells], []
            for place, (cell, wanted) in enumerate(zip(chosen, call.initial, strict=True)):
                parts = [
                    v1.placeholder(case.dtype, (case.batch, size))
                    for size in tf.nest.flatten(cell.state_size)
                    if wanted
                ]
                for part, tensor in enumerate(parts):
                    feeds[tensor] = draw(f"state0/{number}/{place}/{part}", tuple(tensor.shape))
                state_feeds += parts
                states.append(tf.nest.pack_sequence_as(cell.state_size, parts) if wanted else None)
            lengths: Any = None
            if call.ragged and case.lengths_as == "list":
                lengths = list(case.lengths or ())
            elif call.ragged:
                lengths = v1.placeholder(case.lengths_as, [case.batch])
                feeds[lengths] = np.array(case.lengths, case.lengths_as)
            given = Given(inputs, lengths, states, call.kwargs, call.program)
            fetched.append(tf.nest.flatten(DRIVERS[call.driver](chosen, given)))
        variables = v1.global_variables()
        weights = [
            draw(f"var/{variable.name.removesuffix(':0')}", tuple(variable.shape.as_list()), WEIGHT_STD)
            for variable in variables
        ]
        one_thread = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        results: list[list[Array]] = []
        with v1.Session(config=one_thread) as session:
            for variable, value in zip(variables, weights, strict=True):
                variable.load(value, session)
            results += session.run(fetched, feeds)
            if case.chunks == 2:  # the state that was saved is what the next chunk begins with
                saved = dict(zip(state_feeds, results[0][-len(state_feeds) :], strict=True))
                results += session.run(fetched, {**feeds, inputs: data[1], **saved})
    for number, result in enumerate(results):
        for place, value in enumerate(result):
            keep(f"result/{number}/{place}", value)

    entry = {
        "id": case.id,
        "cells": case.cells,
        "calls": [
            {
                "driver": call.driver,
                "cells": call.cells,
                "initial": call.initial,
                "lengths": case.lengths_as if call.ragged else None,
                "kwargs": call.kwargs,
                "program": call.program,
            }
            for call in case.calls
        ],
        "batch": case.batch,
        "T": case.steps,
        "input_size": case.input_size,
        "dtype": case.dtype,
        "lengths": case.lengths,
        "chunks": case.chunks,
        "arrays": [[name, list(value.shape)] for name, value in arrays.items()],
    }
    return entry, arrays


def check_clips(case: Case, arrays: dict[str, Array]) -> None:
    """Check that each clip of a case acts: without it, the same inputs, states and weights give other results."""
    spec = case.cells[0]
    for option in ("cell_clip", "proj_clip"):
        if option in spec["kwargs"]:
            kwargs = {name: value for name, value in spec["kwargs"].items() if name != option}
            _, without = run(replace(case, cells=({**spec, "kwargs": kwargs},)))  # of one id, so of one seed
            if max(np.abs(array - without[name]).max() for name, array in arrays.items()) < SEEN:
                raise AssertionError(f"{case.id}: {option} acts on nothing")


def main() -> None:
    warnings.filterwarnings("ignore")  # every one of these cells is deprecated
    v1.logging.set_verbosity(v1.logging.ERROR)
    v1.disable_v2_behavior()
    entries: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for case in all_cases():
        entry, values = run(case)
        check_clips(case, values)
        if case.id in arrays:
            raise AssertionError(f"two cases are called {case.id}")
        entries.append(entry)
        arrays[case.id] = np.concatenate([value.ravel() for value in values.values()])  # one each keeps the file small
    header = {
        "tensorflow": tf.__version__,
        "tf_keras": metadata.version("tf_keras"),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "seed": SEED,
        "weight_std": WEIGHT_STD,
        "built_by_hand": {
            "stack_bidirectional_rnn": "contrib's, gone from TensorFlow 2: static_bidirectional_rnn called as its source "
            "did, with the scope of each layer handed on, hence stack_bidirectional_rnn/cell_0/fw/...",
        },
    }
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in entries)  # one case a line
    text = json.dumps(header, indent=2).removesuffix("\n}") + f',\n  "cases": [\n{lines}\n  ]\n}}\n'
    json.loads(text)
    (HERE / "tensorflow_family.json").write_text(text, encoding="utf-8")
    np.savez_compressed(HERE / "tensorflow_family.npz", **arrays)
    print(f"{len(entries)} cases, {len(arrays)} arrays")


if __name__ == "__main__":
    main()
