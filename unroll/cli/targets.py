"""What a command reads and where it writes: refused before any work is done, where it cannot be written or is read."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from unroll.cli.arrays import name_and_path
from unroll.cli.command import Command
from unroll.errors import ArgumentError, FileError
from unroll.files import as_path


def check_target(command: Command, options: argparse.Namespace) -> None:
    """Refuse a file that cannot be written, and one that is read, under whatever name.

    Raises:
        FileError: the folder is missing or may not be written in, or the suffix is another.
        ArgumentError: the output is the program, the model or a file of feeds, and `--force` is not given.
    """
    output = getattr(options, "output", None)
    if output is None or command.name == "demo":
        return
    path = as_path(output, "--output")
    if not options.force:
        for read in _read(options):
            if _same_file(read, output):
                raise ArgumentError(
                    f"-o {output}: this is the file that is read, {read}; give another name, or --force to replace it"
                )
    if _is_folder(path):
        raise FileError(f"{path}: cannot be written: it is a folder; name a file in it")
    _check_suffix(path, command.suffixes)
    _check_folder(path)


def is_model(target: str) -> bool:
    """Say whether what is read is a model file by its name, and not a program."""
    return target.lower().endswith(".onnx")


def is_keras(target: str) -> bool:
    """Say whether what is read is a model of Keras by its name."""
    return target.lower().endswith((".keras", ".h5", ".hdf5"))


def _check_suffix(path: Path, suffixes: tuple[str, ...]) -> None:
    if path.suffix.lower() not in suffixes:
        wanted = " or ".join(filter(None, [", ".join(suffixes[:-1]), suffixes[-1]]))
        raise FileError(f"-o {path}: the name must end in {wanted}, which says how it is written")


def _check_folder(path: Path) -> None:
    folder = path.parent
    if not _is_folder(folder):
        raise FileError(f"{path}: cannot be written: there is no folder {folder}; make it, or choose one that exists")
    if not os.access(folder, os.W_OK):
        raise FileError(f"{path}: cannot be written: {folder} is not yours to write in; choose another folder")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # such as a name that is too long, which writing will say
        return False


def _read(options: argparse.Namespace) -> list[str]:
    """Return the paths of all that a command reads."""
    targets = [getattr(options, name, None) or "" for name in ("program", "other")]
    paths = [target if is_model(target) or is_keras(target) else target.rpartition(":")[0] for target in targets]
    paths += [name_and_path(word)[1] for word in getattr(options, "feed", [])]
    return [path for path in paths if path]


def _same_file(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):  # one of them does not exist
        return False
