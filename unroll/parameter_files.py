"""Arrays by name in ``.npz`` and ``.safetensors`` files, both of which are data and never code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from unroll.dtypes import Array
from unroll.errors import FileError
from unroll.files import as_path, read_bytes, replacing, write_bytes

SUFFIXES = (".npz", ".safetensors")


def save(arrays: Mapping[str, Array], path: object) -> None:
    """Write arrays by name; the suffix chooses the format.

    Raises:
        FileError: the suffix is neither ``.npz`` nor ``.safetensors``, or the file cannot be written.
    """
    target = as_path(path, "save_parameters")
    if _suffix(path) == ".safetensors":
        write_bytes(target, save_safetensors({name: np.ascontiguousarray(array) for name, array in arrays.items()}))
        return
    with replacing(target) as temporary, temporary.open("wb") as file:
        np.savez(file, **dict(arrays))  # type: ignore[arg-type]  # an array may be called allow_pickle; ours hold a '/'


def load(path: object, names: Sequence[str] | None = None) -> dict[str, Array]:
    """Read arrays by name.

    Args:
        path: a ``.npz`` or ``.safetensors`` file.
        names: the names it must hold, no more and no less (TensorFlow's ``:0`` aside); by default whatever there is.

    Raises:
        FileError: the file is missing, is not what its suffix says, holds objects, or holds other names.
    """
    source = as_path(path, "load_parameters")
    data = read_bytes(source)
    try:
        arrays = load_safetensors(data) if _suffix(path) == ".safetensors" else _load_npz(data)
    except (SafetensorError, ValueError, EOFError, OSError, zipfile.BadZipFile, KeyError) as error:
        raise FileError(f"{source}: is not a {_suffix(path)} file of plain arrays{reason(error)}") from None
    arrays = {name.removesuffix(":0"): array for name, array in arrays.items()}
    if names is not None and set(arrays) != set(names):
        missing, extra = sorted(set(names) - set(arrays)), sorted(set(arrays) - set(names))
        parts = [f"lacks {missing}" if missing else "", f"has {extra}, which the graph has not" if extra else ""]
        raise FileError(f"{source}: {' and '.join(part for part in parts if part)}; use graph.assign for some of them")
    return arrays


def reason(error: Exception) -> str:
    """Return why a file could not be read; NumPy takes any bytes it does not know for a pickle, and recommends to load it."""
    return (
        "; it is something else, or holds Python objects, which are never loaded"
        if "pickle" in str(error)
        else f": {error}"
    )


def _load_npz(data: bytes) -> dict[str, Array]:
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("it holds one array, not several by name")
        return {name: archive[name] for name in archive.files}


def _suffix(path: object) -> str:
    suffix = as_path(path, "parameters").suffix
    if suffix not in SUFFIXES:
        raise FileError(f"{path}: parameters are kept as {' or '.join(SUFFIXES)}, not {suffix or 'without a suffix'}")
    return suffix
