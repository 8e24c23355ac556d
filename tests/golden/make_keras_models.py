"""Write keras_models.npz and keras_models.json: what the programs of keras_models.py give in real Keras 3.

Run it with no arguments, in an environment that has TensorFlow, Keras 3 and NumPy::

    pip install tensorflow-cpu keras numpy
    python make_keras_models.py

For each program it puts seeded random numbers into the weights of the first model, by position, feeds each model seeded
random inputs, and keeps weights, inputs, outputs, and what Keras says of shapes, layers and counts. README.md, beside this
script, describes the files.
"""

import importlib
import json
import os
import platform
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from keras_models import CASES

# These must be set before Keras is imported, hence the import by name below.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # oneDNN changes the last bits from one processor to another
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

keras: Any = importlib.import_module("keras")
tree: Any = importlib.import_module("keras.tree")

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Run every program, and write both files."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    manifest: dict[str, Any] = {
        "versions": {
            "keras": keras.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "tensorflow": importlib.import_module("tensorflow").__version__,
        },
        "cases": {},
    }
    for name, case in CASES.items():
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        keras.backend.clear_session()
        made = case.program(keras)
        models = made if isinstance(made, dict) else {"": made}
        first = next(iter(models.values()))
        if not first.weights:  # a class, which its first call builds
            (shape, _), *_ = next(iter(case.feeds.values()))
            first(np.zeros(shape, "float32"))
        weights = [rng.normal(0, 0.4, weight.shape).astype("float32") for weight in first.get_weights()]
        for place, variable in enumerate(first.weights):
            if "variance" in variable.path:
                weights[place] = np.abs(weights[place])
        first.set_weights(weights)
        for place, weight in enumerate(weights):
            arrays[f"{name}/weight/{place}"] = weight
        said: dict[str, Any] = {"weights": len(weights), "count": int(first.count_params()), "models": {}}
        for key, feeds in case.feeds.items():
            model = models[key]
            inputs = [
                rng.normal(size=shape).astype("float32") if ids is None else rng.integers(0, ids, shape).astype("int32")
                for shape, ids in feeds
            ]
            for place, array in enumerate(inputs):
                arrays[f"{name}/{key}/input/{place}"] = array
            nest = getattr(model, "input", None) if hasattr(model, "_functional") or hasattr(model, "inputs") else None
            fed = tree.pack_sequence_as(nest, inputs) if nest is not None else inputs[0]
            outputs = model(fed)
            for place, array in enumerate(tree.flatten(outputs)):
                arrays[f"{name}/{key}/output/{place}"] = np.asarray(array)
            said["models"][key] = {
                "inputs": len(inputs),
                "outputs": len(tree.flatten(outputs)),
                "keys": sorted(outputs) if isinstance(outputs, dict) else None,
                "output_shapes": [list(item.shape) for item in tree.flatten(model.outputs)]
                if nest is not None
                else None,
                "layers": [type(layer).__name__ for layer in model.layers],
            }
        manifest["cases"][name] = said
    np.savez_compressed(HERE / "keras_models.npz", **arrays)
    text = json.dumps(manifest, indent=1, sort_keys=True)
    (HERE / "keras_models.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
