"""Write tensorflow_names.json: the variable names real TensorFlow gives to small programs with recurrent cells.

Run it with no arguments, in an environment that has TensorFlow, tf_keras and NumPy::

    pip install tensorflow-cpu tf_keras numpy
    python make_tensorflow_names.py

The file is written beside this script. Each program runs in a fresh graph; what is kept is the list of variables in
the order they were created and, where the program fails, the type of the error and the first line of its message
(the variables are then those created before the error). The last part of the file holds facts about initial values.
"""

import importlib
import json
import math
import os
import platform
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

# These must be set before TensorFlow is imported, hence the import by name below.
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # the TensorFlow 1 cells live in tf_keras
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

tf: Any = importlib.import_module("tensorflow")
v1: Any = tf.compat.v1

SEED = 20240229
SAMPLES = 2000
HERE = Path(__file__).resolve().parent

BATCH, STEPS, INPUT, UNITS = 2, 3, 4, 3

Program = Callable[[], None]
PROGRAMS: dict[str, tuple[str, Program]] = {}


def program(name: str, description: str) -> Callable[[Program], Program]:
    """Enter a function in the table of programs."""

    def enter(function: Program) -> Program:
        if name in PROGRAMS:
            raise AssertionError(f"two programs are called {name}")
        PROGRAMS[name] = (description, function)
        return function

    return enter


def rnn(units: int = UNITS, **kwargs: Any) -> Any:
    return v1.nn.rnn_cell.BasicRNNCell(units, **kwargs)


def lstm(units: int = UNITS, **kwargs: Any) -> Any:
    return v1.nn.rnn_cell.BasicLSTMCell(units, **kwargs)


def gru(units: int = UNITS, **kwargs: Any) -> Any:
    return v1.nn.rnn_cell.GRUCell(units, **kwargs)


def multi(*cells: Any) -> Any:
    return v1.nn.rnn_cell.MultiRNNCell(list(cells))


def static(cell: Any, scope: Any = None, size: int = INPUT) -> None:
    steps = tf.unstack(tf.zeros((STEPS, BATCH, size)))
    v1.nn.static_rnn(cell, steps, dtype=tf.float32, scope=scope)


def dynamic(cell: Any, scope: Any = None) -> None:
    v1.nn.dynamic_rnn(cell, tf.zeros((BATCH, STEPS, INPUT)), dtype=tf.float32, scope=scope)


def call(cell: Any, size: int = INPUT, **kwargs: Any) -> None:
    cell(tf.zeros((BATCH, size)), cell.zero_state(BATCH, tf.float32), **kwargs)


def enter_default_programs() -> None:
    """The programs that are the same for each plain cell."""
    cells: tuple[tuple[str, Callable[..., Any]], ...] = (
        ("BasicRNNCell", rnn),
        ("BasicLSTMCell", lstm),
        ("GRUCell", gru),
    )
    for name, make in cells:
        short = make.__name__

        @program(f"static-{short}", f"static_rnn({name}(3)), default scope")
        def _(make: Callable[..., Any] = make) -> None:
            static(make())

        @program(f"dynamic-{short}", f"dynamic_rnn({name}(3)), default scope")
        def _(make: Callable[..., Any] = make) -> None:
            dynamic(make())

        @program(f"direct-{short}", f"cell(x, state) with a fresh {name}(3)")
        def _(make: Callable[..., Any] = make) -> None:
            call(make())

        @program(f"static-two-fresh-{short}", f"two fresh {name}(3), each in a static_rnn with the default scope")
        def _(make: Callable[..., Any] = make) -> None:
            static(make())
            static(make())

        @program(f"static-named-{short}", f'static_rnn({name}(3, name="mine"))')
        def _(make: Callable[..., Any] = make) -> None:
            static(make(name="mine"))


enter_default_programs()


@program(
    "static-two-fresh-scopes", 'two fresh BasicRNNCell(3): static_rnn(first, scope="a"), static_rnn(second, scope="b")'
)
def _() -> None:
    static(rnn(), scope="a")
    static(rnn(), scope="b")


@program("static-two-fresh-same-scope", 'two fresh BasicRNNCell(3), both in static_rnn(..., scope="a")')
def _() -> None:
    static(rnn(), scope="a")
    static(rnn(), scope="a")


@program("static-two-kinds", "a BasicRNNCell(3) and a GRUCell(3), each in a static_rnn with the default scope")
def _() -> None:
    static(rnn())
    static(gru())


@program(
    "static-two-names", 'BasicRNNCell(3, name="one") and BasicRNNCell(3, name="two"), each in a default static_rnn'
)
def _() -> None:
    static(rnn(name="one"))
    static(rnn(name="two"))


@program(
    "static-two-fresh-auto-reuse",
    'two fresh BasicRNNCell(3) in default static_rnn, under variable_scope("outer", AUTO_REUSE)',
)
def _() -> None:
    with v1.variable_scope("outer", reuse=v1.AUTO_REUSE):
        static(rnn())
        static(rnn())


@program("static-second-reuse-true", "BasicRNNCell(3), then BasicRNNCell(3, reuse=True), each in a default static_rnn")
def _() -> None:
    static(rnn())
    static(rnn(reuse=True))


@program("static-reuse-true-first", "BasicRNNCell(3, reuse=True) in a default static_rnn, with nothing made before it")
def _() -> None:
    static(rnn(reuse=True))


@program("static-then-dynamic-fresh", "a fresh BasicRNNCell(3) in static_rnn, another in dynamic_rnn, default scopes")
def _() -> None:
    static(rnn())
    dynamic(rnn())


@program("direct-two-fresh", "two fresh BasicRNNCell(3), each called directly")
def _() -> None:
    call(rnn())
    call(rnn())


@program("direct-same-twice", "one BasicRNNCell(3) called directly twice")
def _() -> None:
    cell = rnn()
    call(cell)
    call(cell)


@program("direct-two-kinds", "a BasicRNNCell(3) and a GRUCell(3), each called directly")
def _() -> None:
    call(rnn())
    call(gru())


@program("direct-in-scope", 'cell(x, state) with a fresh BasicRNNCell(3), inside variable_scope("outer")')
def _() -> None:
    with v1.variable_scope("outer"):
        call(rnn())


@program("direct-two-fresh-in-scope", 'two fresh BasicRNNCell(3), called directly inside one variable_scope("outer")')
def _() -> None:
    with v1.variable_scope("outer"):
        call(rnn())
        call(rnn())


@program(
    "direct-two-fresh-scope-twice",
    'two fresh BasicRNNCell(3), each called directly inside its own variable_scope("outer")',
)
def _() -> None:
    for _ in range(2):
        with v1.variable_scope("outer"):
            call(rnn())


@program("direct-scope-argument", 'cell(x, state, scope="s") with a fresh BasicRNNCell(3)')
def _() -> None:
    call(rnn(), scope="s")


@program("direct-named", 'cell(x, state) with BasicRNNCell(3, name="mine")')
def _() -> None:
    call(rnn(name="mine"))


@program("direct-two-same-name", 'two BasicRNNCell(3, name="mine"), each called directly')
def _() -> None:
    call(rnn(name="mine"))
    call(rnn(name="mine"))


@program("direct-then-static", "one BasicRNNCell(3) called directly, then used in a default static_rnn")
def _() -> None:
    cell = rnn()
    call(cell)
    static(cell)


@program("static-then-direct", "one BasicRNNCell(3) used in a default static_rnn, then called directly")
def _() -> None:
    cell = rnn()
    static(cell)
    call(cell)


@program("direct-then-static-fresh", "a BasicRNNCell(3) called directly, then a fresh one in a default static_rnn")
def _() -> None:
    call(rnn())
    static(rnn())


@program("direct-wrong-size", "one BasicRNNCell(3) called with inputs of width 4, then of width 5")
def _() -> None:
    cell = rnn()
    call(cell)
    call(cell, size=5)


@program("static-same-cell-twice", "one BasicRNNCell(3) used in two static_rnn with the default scope")
def _() -> None:
    cell = rnn()
    static(cell)
    static(cell)


@program("static-same-cell-two-scopes", 'one BasicRNNCell(3) used in static_rnn with scope="a", then with scope="b"')
def _() -> None:
    cell = rnn()
    static(cell, scope="a")
    static(cell, scope="b")


@program("static-outer-scope", 'static_rnn(BasicRNNCell(3)) inside variable_scope("outer")')
def _() -> None:
    with v1.variable_scope("outer"):
        static(rnn())


@program("static-outer-scope-twice", 'twice: static_rnn of a fresh BasicRNNCell(3) inside variable_scope("outer")')
def _() -> None:
    for _ in range(2):
        with v1.variable_scope("outer"):
            static(rnn())


@program(
    "static-two-outer-scopes", 'static_rnn of a fresh BasicRNNCell(3) inside variable_scope("one"), then inside "two"'
)
def _() -> None:
    for scope in ("one", "two"):
        with v1.variable_scope(scope):
            static(rnn())


@program("static-outer-and-own-scope", 'static_rnn(BasicRNNCell(3), scope="a") inside variable_scope("outer")')
def _() -> None:
    with v1.variable_scope("outer"):
        static(rnn(), scope="a")


@program(
    "static-scope-object", 'static_rnn(BasicRNNCell(3), scope=vs), where vs is the object of variable_scope("outer")'
)
def _() -> None:
    with v1.variable_scope("outer") as scope:
        pass
    static(rnn(), scope=scope)


@program("static-two-fresh-scope-object", "as static-scope-object, for two fresh BasicRNNCell(3) one after the other")
def _() -> None:
    with v1.variable_scope("outer") as scope:
        pass
    static(rnn(), scope=scope)
    static(rnn(), scope=scope)


@program(
    "static-multi", "static_rnn(MultiRNNCell([BasicRNNCell(3), BasicRNNCell(3)])), two fresh cells, inputs of width 4"
)
def _() -> None:
    static(multi(rnn(), rnn()))


@program("static-multi-kinds", "static_rnn(MultiRNNCell([BasicLSTMCell(3), GRUCell(2)]))")
def _() -> None:
    static(multi(lstm(), gru(2)))


@program("static-multi-named", 'static_rnn(MultiRNNCell([BasicRNNCell(3, name="mine"), BasicRNNCell(3, name="mine")]))')
def _() -> None:
    static(multi(rnn(name="mine"), rnn(name="mine")))


@program("static-multi-same-cell", "static_rnn(MultiRNNCell([cell, cell])), cell = BasicRNNCell(3), inputs of width 3")
def _() -> None:
    cell = rnn()
    static(multi(cell, cell), size=UNITS)


@program(
    "static-multi-same-cell-sizes", "static_rnn(MultiRNNCell([cell, cell])), cell = BasicRNNCell(3), inputs of width 4"
)
def _() -> None:
    cell = rnn()
    static(multi(cell, cell))


@program("static-multi-nested", "static_rnn(MultiRNNCell([MultiRNNCell([BasicRNNCell(3)]), GRUCell(2)]))")
def _() -> None:
    static(multi(multi(rnn()), gru(2)))


@program("static-two-fresh-multi", "two fresh MultiRNNCell of two fresh BasicRNNCell(3), each in a default static_rnn")
def _() -> None:
    static(multi(rnn(), rnn()))
    static(multi(rnn(), rnn()))


@program(
    "static-same-multi-two-scopes", 'one MultiRNNCell of two BasicRNNCell(3) in static_rnn with scope="a", then "b"'
)
def _() -> None:
    cell = multi(rnn(), rnn())
    static(cell, scope="a")
    static(cell, scope="b")


@program(
    "static-cell-then-multi", "a BasicRNNCell(3) in a default static_rnn, then in MultiRNNCell([it, fresh]) in another"
)
def _() -> None:
    cell = rnn()
    static(cell)
    static(multi(cell, rnn()))


@program("dynamic-multi", "dynamic_rnn(MultiRNNCell([BasicLSTMCell(3), GRUCell(2)])), default scope")
def _() -> None:
    dynamic(multi(lstm(), gru(2)))


@program("direct-multi", "MultiRNNCell([BasicRNNCell(3), BasicRNNCell(3)]) called directly")
def _() -> None:
    call(multi(rnn(), rnn()))


@program("direct-multi-twice", "one MultiRNNCell of two BasicRNNCell(3) called directly twice")
def _() -> None:
    cell = multi(rnn(), rnn())
    call(cell)
    call(cell)


@program("direct-two-fresh-multi", "two fresh MultiRNNCell of two fresh BasicRNNCell(3), each called directly")
def _() -> None:
    call(multi(rnn(), rnn()))
    call(multi(rnn(), rnn()))


@program("direct-two-fresh-multi-in-scope", 'as direct-two-fresh-multi, inside one variable_scope("outer")')
def _() -> None:
    with v1.variable_scope("outer"):
        call(multi(rnn(), rnn()))
        call(multi(rnn(), rnn()))


@program(
    "direct-rnn-multi-rnn",
    "called directly: a BasicRNNCell(3), a MultiRNNCell of one BasicRNNCell(3), a BasicRNNCell(3), all fresh",
)
def _() -> None:
    call(rnn())
    call(multi(rnn()))
    call(rnn())


@program(
    "direct-multi-then-static", "one MultiRNNCell of two BasicRNNCell(3) called directly, then in a default static_rnn"
)
def _() -> None:
    cell = multi(rnn(), rnn())
    call(cell)
    static(cell)


def run(name: str) -> dict[str, Any]:
    """Run one program in a fresh graph and give its entry in the file."""
    description, function = PROGRAMS[name]
    error: dict[str, str] | None = None
    with tf.Graph().as_default():
        try:
            function()
        except (TypeError, ValueError, RuntimeError) as caught:  # what TensorFlow raises is the answer
            error = {"type": type(caught).__name__, "message": str(caught).splitlines()[0]}
        variables = [[v.name.removesuffix(":0"), v.shape.as_list()] for v in v1.global_variables()]
    return {"id": name, "description": description, "variables": variables, "error": error}


def initial_values() -> dict[str, Any]:
    """Look at what the default initialisers give, for cells of 5 units on inputs of width 3."""
    facts: dict[str, Any] = {}
    for make in (rnn, lstm, gru):
        with tf.Graph().as_default():
            v1.set_random_seed(SEED)
            cell = make(5)
            call(cell, size=3)
            variables = v1.global_variables()
            init = v1.global_variables_initializer()
            one_thread = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
            with v1.Session(config=one_thread) as session:
                draws = []
                for _ in range(SAMPLES):
                    session.run(init)
                    draws.append(session.run(variables))
        for variable, values in zip(variables, zip(*draws, strict=True), strict=True):
            name, shape = variable.name.removesuffix(":0"), variable.shape.as_list()
            sample = np.stack(values).astype(np.float64)
            low, high = float(sample.min()), float(sample.max())
            if low == high:
                facts[name] = {"shape": shape, "constant": low}
                continue
            facts[name] = {
                "shape": shape,
                "values_drawn": sample.size,
                "min": round(low, 6),
                "max": round(high, 6),
                "mean": round(float(sample.mean()), 6),
                "std": round(float(sample.std()), 6),
                "glorot_uniform_limit": round(math.sqrt(6 / sum(shape)), 6),
            }
    return facts


def main() -> None:
    warnings.filterwarnings("ignore")  # every one of these cells is deprecated
    v1.logging.set_verbosity(v1.logging.FATAL)
    v1.disable_v2_behavior()
    answers = [run(name) for name in PROGRAMS]
    facts = initial_values()
    header = {
        "tensorflow": tf.__version__,
        "tf_keras": metadata.version("tf_keras"),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "seed": SEED,
    }
    # One program, or one variable, a line.
    programs = ",\n".join(f"    {json.dumps(answer)}" for answer in answers)
    initial = ",\n".join(f"    {json.dumps(name)}: {json.dumps(fact)}" for name, fact in facts.items())
    text = json.dumps(header, indent=2).removesuffix("\n}")
    text += f',\n  "programs": [\n{programs}\n  ],\n  "initial_values": {{\n{initial}\n  }}\n}}\n'
    json.loads(text)
    (HERE / "tensorflow_names.json").write_text(text, encoding="utf-8")
    print(f"{len(answers)} programs, {sum(answer['error'] is not None for answer in answers)} of them fail")


if __name__ == "__main__":
    main()
