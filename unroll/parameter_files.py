"""Arrays by name in ``.npz`` and ``.safetensors`` files, both of which are data and never code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from unroll.array_files import read_npz, write_npz
from unroll.dtypes import Array
from unroll.errors import FileError
from unroll.files import as_path, read_bytes, replacing, write_bytes
from unroll.naming import own_names

SUFFIXES = (".npz", ".safetensors")


def save(arrays: Mapping[str, Array], path: object) -> None:
    """Write arrays by name; the suffix chooses the format.

    Raises:
        FileError: the suffix is neither ``.npz`` nor ``.safetensors``, the format cannot hold a name or a dtype, or the file
            cannot be written.
    """
    target = as_path(path, "save_parameters")
    suffix = _suffix(target)
    try:
        if suffix == ".safetensors":
            # numpy.ascontiguousarray would give an axis to an array that has none
            whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
            write_bytes(target, save_safetensors(whole))
        else:
            with replacing(target) as file:
                write_npz(file, arrays)
    except (ValueError, KeyError, SafetensorError) as error:
        raise FileError(f"{target}: a {suffix} file cannot hold these arrays: {error}") from None


def load(path: object, names: Sequence[str] | None = None) -> dict[str, Array]:
    """Read arrays by name.

    Args:
        path: a ``.npz`` or ``.safetensors`` file.
        names: the names it must hold, no more and no less (with or without TensorFlow's ``:0``); by default all that it
            holds, under their names in the file.

    Raises:
        FileError: the file is missing, is not what its suffix says, holds objects, holds a name twice, or other names.
    """
    source = as_path(path, "load_parameters")
    suffix = _suffix(source)
    data = read_bytes(source)
    arrays = _safetensors(data, source) if suffix == ".safetensors" else read_npz(data, str(source))
    if names is None:
        return arrays

    def twice(name: str, first: str, second: str) -> FileError:
        return FileError(f"{source}: holds {name!r} twice, as {first!r} and {second!r}; keep one")

    arrays = {name: arrays[key] for name, key in own_names(arrays, set(names), twice).items()}
    if set(arrays) != set(names):
        missing, extra = sorted(set(names) - set(arrays)), sorted(set(arrays) - set(names))
        parts = [f"lacks {missing}" if missing else "", f"has {extra}, which the graph does not have" if extra else ""]
        raise FileError(f"{source}: {' and '.join(part for part in parts if part)}; use graph.assign for some of them")
    return arrays


def _safetensors(data: bytes, source: Path) -> dict[str, Array]:
    """Return the arrays of a ``.safetensors`` file.

    Raises:
        FileError: it is not one, or names an array twice (its reader takes the last one).
    """
    try:
        arrays: dict[str, Array] = load_safetensors(data)
    except (SafetensorError, ValueError, KeyError, OverflowError) as error:
        what = f"dtype {error} is not read" if isinstance(error, KeyError) else str(error)
        raise FileError(f"{source}: is not a .safetensors file of plain arrays: {what}") from None
    # The header is known to be JSON, no deeper than two levels: https://github.com/huggingface/safetensors#format
    header = data[8 : 8 + int.from_bytes(data[:8], "little")]
    pairs: list[tuple[str, object]] = json.loads(header, object_pairs_hook=list)
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise FileError(f"{source}: holds {', '.join(map(repr, twice))} twice; keep one")
    return arrays


def _suffix(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        raise FileError(
            f"{path}: parameters are kept as {' or '.join(SUFFIXES)}, not {path.suffix or 'without a suffix'}"
        )
    return path.suffix
