"""Mutants of Keras's files, and what `load_model` says of them: a model, or one of our own errors, in bounded time and memory.

Run as a program, it tries as many as it is told: ``python tests/try_keras_files.py 1000``.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
import tracemalloc
import warnings
import zipfile
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
from fuzz_bytes import BYTES
from fuzz_formats import changed_json, zip_directory, zip_members

import unroll
from unroll import keras
from unroll.hdf5.reading import File
from unroll.hdf5.writing import written

FILES = sorted((Path(__file__).parent / "golden" / "keras_files").iterdir())
#: Seconds, and bytes beside those of the file, that a file of 30 KB may take.
LONGEST, LARGEST = 20.0, 2**28


class Judged(NamedTuple):
    """What was changed, and what was said of it: the name of one of our errors, ``loaded``, or what went wrong."""

    what: str
    said: str
    wrong: bool


def mutant(seed: int) -> tuple[str, str, bytes]:
    """Return what a mutant is, how its file is called, and its bytes."""
    draw = Random(seed)
    file, other = draw.choice(FILES), draw.choice(FILES)
    data, donor = file.read_bytes(), other.read_bytes()
    if file.suffix == ".h5":
        kind = draw.choice(("bytes", "bytes", "header"))
        change = draw.choice(BYTES)
        if kind == "header":  # where groups and sizes stand
            head = draw.randrange(64, 4096)
            return (
                f"{file.name}: {change.__name__} of the first {head} bytes",
                file.suffix,
                change(data[:head], donor, draw) + data[head:],
            )
        return f"{file.name}: {change.__name__}", file.suffix, change(data, donor, draw)
    way = draw.choice(("config", "config", "weights", "members", "directory", "arrays"))
    if way in ("members", "directory"):
        change = zip_members if way == "members" else zip_directory
        return f"{file.name}: {change.__name__}", file.suffix, change(data, donor, draw)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if way == "config":
        parts["config.json"] = changed_json(parts["config.json"].decode(), draw).encode("utf-8", "surrogatepass")
    elif way == "weights":
        change = draw.choice(BYTES)
        parts["model.weights.h5"] = change(parts["model.weights.h5"], donor, draw)
    else:
        parts["model.weights.h5"] = _other_arrays(parts["model.weights.h5"], draw)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return f"{file.name}: {way}", file.suffix, packed.getvalue()


def _other_arrays(data: bytes, draw: Random) -> bytes:
    """A file whose arrays are others: one is gone, of another shape, dtype or place."""
    file = File(data, "a file")
    arrays = {path: file.array(path) for path, _ in file.shapes()}
    chosen = draw.choice([*arrays])
    array = arrays.pop(chosen)
    assert array is not None
    how = draw.randrange(5)
    if how == 1:
        arrays[chosen] = array.T
    elif how == 2:
        arrays[chosen] = array.astype(draw.choice(("float64", "float16", "int32", "uint8")))
    elif how == 3:
        arrays[f"{chosen}0"] = array
    elif how == 4:
        arrays[chosen] = np.full_like(array, draw.choice((np.nan, np.inf, 1e38)))
    return written({path: item for path, item in arrays.items() if item is not None})


def judged(seed: int, folder: Path) -> Judged:
    """Load a mutant, and say what came of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that an archive has twice
        what, suffix, data = mutant(seed)
    path = folder / f"mutant{suffix}"
    path.write_bytes(data)
    start = time.monotonic()
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            keras.models.load_model(path)
        said, wrong = "loaded", False
    except unroll.UnrollError as error:
        said, wrong = type(error).__name__, not str(error)
    except BaseException as error:
        said, wrong = f"{type(error).__name__}: {error}", True
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    if time.monotonic() - start > LONGEST or most > LARGEST:
        said, wrong = f"{said} after {time.monotonic() - start:.1f} s and {most:,} bytes", True
    return Judged(what, said, wrong)


def main(count: int) -> int:
    """Try mutants; print those that went wrong, and how often each was said."""
    counts: dict[str, int] = {}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            found = judged(seed, Path(folder))
            counts[found.said if not found.wrong else "WRONG"] = (
                counts.get(found.said if not found.wrong else "WRONG", 0) + 1
            )
            if found.wrong:
                wrong += 1
                print(f"WRONG: {seed}: {found.what}: {found.said}")
    print(json.dumps(dict(sorted(counts.items()))))
    return wrong


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])) > 0)
