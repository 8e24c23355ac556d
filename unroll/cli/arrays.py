"""Arrays on the command line: they come and go as ``.npy`` and ``.npz``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from unroll import parameter_files
from unroll.array_files import read_npy
from unroll.dtypes import Array
from unroll.errors import ArgumentError, FileError
from unroll.files import as_path, read_bytes, replacing

#: How many arrays are shown; how many numbers of one are, and how many at either end of each axis of a larger one; how many
#: names stand in one line.
_MOST_ARRAYS, _MOST_NUMBERS, _EDGE, _MOST_NAMES = 20, 120, 3, 4


def read_feeds(words: Sequence[str], inputs: Callable[[], Sequence[str]]) -> dict[str, Array]:
    """Return the feeds that ``NAME=FILE.npy``, ``FILE.npz`` (several by name) and ``FILE.npy`` (the only input) name.

    Args:
        words: what ``--feed`` and ``--feeds`` were given.
        inputs: gives the names of the inputs, where an array has none.

    Raises:
        ArgumentError: a word is none of these, or a name is fed twice.
        FileError: a file cannot be read or holds something else.
    """
    feeds: dict[str, Array] = {}
    for word in words:
        for name, array in _fed(word, inputs).items():
            if name in feeds:
                raise ArgumentError(f"--feed {word}: {name!r} is fed already; feed every input once")
            feeds[name] = array
    return feeds


def _fed(word: str, inputs: Callable[[], Sequence[str]]) -> dict[str, Array]:
    name, path = name_and_path(word)
    if name == "" or not path:
        raise ArgumentError(f"--feed {word!r}: write NAME=FILE.npy")
    file = as_path(path, "--feed")
    several = file.suffix in parameter_files.SUFFIXES
    if name is None and several:
        return parameter_files.load(file)
    if name is None and file.suffix == ".npy":
        return {_only_input(word, inputs()): read_npy(read_bytes(file), path)}
    if name is None:
        raise ArgumentError(
            f"--feed {word!r}: feeds are .npy or .npz: NAME=FILE.npy, FILE.npz, or FILE.npy for the only input"
        )
    if several:
        raise ArgumentError(
            f"--feed {word}: {file.suffix} files name their arrays themselves: --feeds {path}; one array is {name}=FILE.npy"
        )
    return {name: read_npy(read_bytes(file), path)}


def name_and_path(word: str) -> tuple[str | None, str]:
    """Return the name, None where there is none, and the file of what ``--feed`` is given."""
    name, separator, path = word.partition("=")
    if not separator or (not path.endswith(".npy") and os.path.lexists(word)):  # a file may have = in its name
        return None, word
    return as_text(name), path


def _only_input(word: str, inputs: Sequence[str]) -> str:
    if len(inputs) != 1:
        names = ", ".join(map(repr, [*inputs[:_MOST_NAMES], *["..."][: len(inputs) - _MOST_NAMES]])) or "none"
        first = inputs[0] if inputs else "NAME"
        raise ArgumentError(
            f"--feed {word}: which input is it? There are {len(inputs)}: {names}; write --feed {first}={word}"
        )
    return inputs[0]


def read_dims(pairs: Sequence[str]) -> dict[str, int] | None:
    """Return the sizes that ``--dim NAME=SIZE`` gives; None where there are none.

    Raises:
        ArgumentError: a pair is not of that form, or a name is given twice.
    """
    dims: dict[str, int] = {}
    for pair in pairs:
        name, separator, size = pair.rpartition("=")
        if not separator:
            raise ArgumentError(f"--dim {pair!r}: the size is missing; write {'NAME' if _whole(pair) else pair}=SIZE")
        if not name:
            raise ArgumentError(f"--dim {pair!r}: the name is missing; write NAME={size or 'SIZE'}")
        if not _whole(size):
            seen = f"{size!r} is no size" if size else "the size is missing"
            raise ArgumentError(f"--dim {pair!r}: {seen}; a whole number from 0 on is wanted: {name}=SIZE")
        if as_text(name) in dims:
            raise ArgumentError(f"--dim {pair!r}: the size of {name!r} is given already; give each once")
        dims[as_text(name)] = int(size)
    return dims or None


def read_values(pairs: Sequence[str]) -> dict[str, Array] | None:
    """Return the values that ``--value NAME=NUMBER`` and ``NAME=FILE.npy`` give; None where there are none.

    Raises:
        ArgumentError: a pair is not of that form, or a name is given twice.
        FileError: a file cannot be read or holds something else.
    """
    values: dict[str, Array] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or not name or not text:
            raise ArgumentError(f"--value {pair!r}: write NAME=NUMBER, or NAME=FILE.npy")
        if as_text(name) in values:
            raise ArgumentError(f"--value {pair!r}: the value of {name!r} is given already; give each once")
        values[as_text(name)] = read_npy(read_bytes(as_path(text, "--value")), text) if _is_npy(text) else _number(pair)
    return values or None


def _is_npy(text: str) -> bool:
    return text.endswith(".npy")


def _number(pair: str) -> Array:
    """Return the number, or true or false, of ``NAME=NUMBER``."""
    text = pair.partition("=")[2]
    if text.lower() in ("true", "false"):
        return np.array(text.lower() == "true")
    for kind in (int, float):
        try:
            return np.array(kind(text))
        except (ValueError, OverflowError):
            continue
    raise ArgumentError(f"--value {pair!r}: {text!r} is no number; write NAME=NUMBER, true or false, or NAME=FILE.npy")


def _whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


def as_text(name: str) -> str:
    """Return a name from the command line as a model has it: in UTF-8, whatever the encoding of the terminal."""
    return os.fsencode(name).decode("utf-8", "surrogateescape")


def write_arrays(arrays: Mapping[str, Array], path: str) -> None:
    """Write results: by name to ``.npz``, a single one to ``.npy``.

    Raises:
        FileError: the suffix is none of these, several results would go to one ``.npy``, or the file cannot be written.
    """
    target = as_path(path, "--output")
    if target.suffix == ".npz":
        parameter_files.save(arrays, path)
        return
    if target.suffix != ".npy":
        raise FileError(f"{path}: outputs are written as .npz or .npy, not {target.suffix}")
    if len(arrays) != 1:
        raise FileError(
            f"{path}: there are {len(arrays)} outputs and a .npy file holds one; write a .npz, or use --fetch"
        )
    with replacing(target) as file:
        np.lib.format.write_array(file, next(iter(arrays.values())), allow_pickle=False)


def described(arrays: Mapping[str, Array], width: int) -> str:
    """Return arrays to read: name, shape, dtype and values, long ones and many of them shortened in the middle.

    Args:
        arrays: what is shown.
        width: how long a line may be.
    """
    texts = [
        f"{name} {array.shape} {array.dtype}\n"
        + np.array2string(array, max_line_width=width, threshold=_MOST_NUMBERS, edgeitems=_EDGE)
        for name, array in _ends(arrays)
    ]
    left = len(arrays) - len(texts)
    if left:
        texts.insert(len(texts) // 2, f"... {left} more outputs; -o FILE.npz writes all of them ...")
    return "\n".join(texts)


def listing(arrays: Mapping[str, Array]) -> str:
    """Return the names and shapes of arrays, of many the first and the last ones."""
    texts = [f"{name} {array.shape}" for name, array in arrays.items()]
    if len(texts) > _MOST_NAMES:
        texts[_MOST_NAMES - 1 : -1] = [f"... {len(texts) - _MOST_NAMES} more ..."]
    return ", ".join(texts)


def _ends(arrays: Mapping[str, Array]) -> list[tuple[str, Array]]:
    """Return the first and the last of many arrays."""
    items = list(arrays.items())
    half = _MOST_ARRAYS // 2
    return items if len(items) <= _MOST_ARRAYS else [*items[:half], *items[-half:]]
