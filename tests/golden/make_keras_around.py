"""Write keras_around.npz and keras_around.json: numbers of the layers that stand around recurrent ones in real Keras 3.

Run it with no arguments, in the environment of make_keras_layers.py::

    python make_keras_around.py

For each case the script builds the layer, puts seeded random numbers in its weights, calls it on seeded random tensors that
carry their masks, and keeps what went in and came out, the masks of the results among it. README.md describes the files.
"""

import importlib
import json
import os
import platform
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from keras_around_cases import Case, all_cases
from keras_cases import make_mask

# These must be set before Keras is imported, hence the import by name below.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # oneDNN changes the last bits from one processor to another
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

tf: Any = importlib.import_module("tensorflow")
keras: Any = importlib.import_module("keras")
backend: Any = importlib.import_module("keras.src.backend")

SEED = 20261126
HERE = Path(__file__).resolve().parent

Array = npt.NDArray[Any]


def weight(rng: np.random.Generator, variable: Any) -> Array:
    """A random weight; a variance is above 0."""
    drawn = (0.5 * rng.standard_normal(tuple(variable.shape))).astype("float32")
    return np.abs(drawn) + np.float32(0.25) if variable.name == "moving_variance" else drawn


def masks_of(case: Case) -> list[Array | None]:
    names = [*case.masks, *[None] * (len(case.shapes) - len(case.masks))]
    return [
        None if name is None else make_mask(name, *shape[:2]) for name, shape in zip(names, case.shapes, strict=True)
    ]


def tensors(arrays: list[Array], masks: list[Array | None]) -> list[Any]:
    made = [tf.constant(array) for array in arrays]
    for tensor, mask in zip(made, masks, strict=True):
        if mask is not None:
            backend.set_keras_mask(tensor, tf.constant(mask))
    return made


def call(case: Case, made: Any, arrays: list[Array], masks: list[Array | None], keywords: dict[str, Any]) -> Any:
    given = tensors(arrays, masks)
    arguments = given if case.apart else [given[0] if len(given) == 1 else given]
    function = tf.function(made, jit_compile=True) if case.compiled else made
    return function(*arguments, **keywords)


def run(case: Case) -> tuple[dict[str, Any], dict[str, Array]]:
    """Run one case; give its entry in the manifest and its arrays by their keys."""
    keras.backend.clear_session()  # names count from the beginning: conv1d, not conv1d_17
    rng = np.random.default_rng([SEED, zlib.crc32(case.id.encode())])
    made = getattr(keras.layers, case.layer)(**case.kwargs)
    inputs = [rng.standard_normal(shape).astype("float32") for shape in case.shapes]
    masks = masks_of(case)
    extra = {name: rng.random(shape) < 0.6 for name, shape in case.arrays.items()}
    keywords = {**case.call, **{name: tf.constant(array) for name, array in extra.items()}}
    call(case, made, inputs, masks, keywords)  # which makes the weights
    made.set_weights([weight(rng, variable) for variable in made.weights])
    found = call(case, made, inputs, masks, keywords)
    outputs = keras.tree.flatten(found)
    # That of attention's weights is the mask of the softmax inside, which nothing reads.
    carried = [] if case.compiled else [backend.get_keras_mask(outputs[0])]
    arrays: dict[str, Array] = {}
    for kind, items in (
        ("x", inputs),
        ("m", masks),
        ("w", made.get_weights()),
        ("y", outputs),
        ("o", carried),
        *((name, [array]) for name, array in extra.items()),
    ):
        for place, item in enumerate(items):
            if item is not None:
                arrays[f"{case.id}/{kind}{place}"] = np.asarray(item)
    for key, array in arrays.items():
        if array.dtype.kind == "f" and (array.dtype != np.float32 or not np.isfinite(array).all()):
            raise AssertionError(f"{key}: {array.dtype}, {array}")
    entry = {
        "id": case.id,
        "layer": case.layer,
        "kwargs": case.kwargs,
        "call": case.call,
        "apart": case.apart,
        "arrays": list(extra),
        "inputs": len(inputs),
        "outputs": len(outputs),
        "weights": [[variable.path, list(variable.shape)] for variable in made.weights],
    }
    return entry, arrays


def main() -> None:
    warnings.filterwarnings("ignore")
    entries: list[dict[str, Any]] = []
    arrays: dict[str, Array] = {}
    for case in all_cases():
        entry, values = run(case)
        if arrays.keys() & values.keys():
            raise AssertionError(f"two cases are called {case.id}")
        entries.append(entry)
        arrays |= values
    header = {
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "seed": SEED,
    }
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in entries)  # one case a line
    text = json.dumps(header, indent=2).removesuffix("\n}") + f',\n  "cases": [\n{lines}\n  ]\n}}\n'
    json.loads(text)
    (HERE / "keras_around.json").write_text(text, encoding="utf-8")
    np.savez_compressed(HERE / "keras_around.npz", **arrays)
    print(f"{len(entries)} cases, {len(arrays)} arrays")


if __name__ == "__main__":
    main()
