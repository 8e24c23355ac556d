"""Write keras_files/: the models of keras_file_cases.py as real Keras saves them, with what they give.

Run it twice, in an environment that has TensorFlow, Keras 3, tf_keras (which is Keras 2) and NumPy::

    pip install tensorflow-cpu keras tf_keras numpy
    python make_keras_files.py 3
    python make_keras_files.py 2

Keras 3 writes each model as a ``.keras`` file, and as ``.h5`` those that Keras 2 does not have; Keras 2 writes the
other ``.h5`` files. ``read FOLDER`` loads what was written here instead, and compares. For each model seeded random
numbers are put into the weights, and inputs and outputs are kept in ``keras_files_3.npz`` and ``keras_files_2.npz``.
"""

import importlib
import os
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from keras_file_cases import CASES, NEWER

# These must be set before Keras is imported, hence the import by name below.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # oneDNN changes the last bits from one processor to another
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

HERE = Path(__file__).resolve().parent


def main(version: str) -> None:
    """Build every model, and write its files and numbers."""
    keras: Any = importlib.import_module("keras" if version == "3" else "tf_keras")
    tree: Any = importlib.import_module("tensorflow").nest
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, case in CASES.items():
        if version == "2" and name in NEWER:
            continue
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        keras.backend.clear_session()
        model = case.build(keras)
        weights = [rng.normal(0, 0.5, weight.shape).astype("float32") for weight in model.get_weights()]
        names = [getattr(weight, "path", weight.name) for weight in model.weights]
        model.set_weights(
            [np.abs(weight) if "variance" in name else weight for weight, name in zip(weights, names, strict=True)]
        )
        fed = [
            rng.normal(size=shape).astype("float32") if ids is None else rng.integers(0, ids, shape).astype("int32")
            for shape, ids in case.feeds
        ]
        if name == "masking":
            fed[0][0, 3:] = -1.0
        found = model({"x": fed[0]} if name == "dict_outputs" else fed if len(fed) > 1 else fed[0])
        for kind, items in (("input", fed), ("output", tree.flatten(found))):
            for place, array in enumerate(items):
                arrays[f"{name}/{kind}/{place}"] = np.asarray(array)
        if version == "3":
            model.save(HERE / "keras_files" / f"{name}.keras")
        if version == "2" or name in NEWER:
            model.save(HERE / "keras_files" / f"{name}.h5")
    np.savez_compressed(HERE / f"keras_files_{version}.npz", **arrays)


def read(folder: Path) -> None:
    """Load what was written here instead of by Keras, and compare what it gives.

    Raises:
        AssertionError: Keras computes something else.
    """
    keras: Any = importlib.import_module("keras")
    arrays = np.load(HERE / "keras_files_3.npz")
    for name, case in CASES.items():
        fresh = case.build(keras)
        fresh.load_weights(folder / f"{name}.weights.h5")
        fed, wanted = (
            [arrays[key] for key in arrays.files if key.startswith(f"{name}/{kind}/")] for kind in ("input", "output")
        )
        for model in (keras.models.load_model(folder / f"{name}.keras"), fresh):
            found = model({"x": fed[0]} if name == "dict_outputs" else fed if len(fed) > 1 else fed[0])
            for array, expected in zip(keras.tree.flatten(found), wanted, strict=True):
                np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-5, err_msg=name)
        print(name)


if __name__ == "__main__":
    if sys.argv[1] == "read":
        read(Path(sys.argv[2]))
    else:
        main(sys.argv[1])
