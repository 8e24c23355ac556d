"""Measuring which form of a graph is fastest here, and remembering it on disk."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from unroll.errors import FileError, UnrollError, warn
from unroll.export.choice import Candidate, Choice
from unroll.files import as_path, make_folder, read_bytes, write_bytes

S = TypeVar("S")
T = TypeVar("T")

#: The layout of a cache entry, and what may be chosen; an entry of another one is measured again.
_LAYOUT = 2
#: How many bytes an entry may have; there are about 4,000 of a dozen candidates.
_LARGEST_ENTRY = 2**20
#: Each candidate runs for about this long in all, in at least so many and at most so many blocks of about `_BLOCK` seconds.
_BUDGET, _LEAST_BLOCKS, _MOST_BLOCKS, _BLOCK = 0.4, 7, 40, 0.002


def measured_seconds(runs: Mapping[Any, Callable[[], object]]) -> dict[Any, tuple[float, float] | Exception]:
    """Return the median and the lower quartile of the time of each of `runs`, or the error where one raises. They take
    turns, so that other work on the machine is unfair to none.
    """
    found: dict[Any, tuple[float, float] | Exception] = {}
    blocks: dict[Any, tuple[int, int]] = {}
    for key, run in runs.items():
        try:
            run()  # the first one allocates
            once = max(_seconds(run, 1), 1e-7)
        except Exception as error:  # onnxruntime's errors share no base class
            found[key] = error
            continue
        inner = max(1, min(100, round(_BLOCK / once)))
        blocks[key] = inner, max(_LEAST_BLOCKS, min(_MOST_BLOCKS, round(_BUDGET / (once * inner))))
    times: dict[Any, list[float]] = {key: [] for key in blocks}
    for turn in range(max((count for _, count in blocks.values()), default=0)):
        for key, (inner, count) in blocks.items():
            if turn < count and key not in found:
                try:
                    times[key].append(_seconds(runs[key], inner))
                except Exception as error:
                    found[key] = error
    return {
        key: found[key] if key in found else (statistics.median(times[key]), statistics.quantiles(times[key], n=4)[0])
        for key in runs
    }


def _seconds(run: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


# -- the cache --------------------------------------------------------------------------------------------------------


def cache_folder() -> Path:
    """Return where tuning is remembered: ``unroll`` in the user's cache directory (``XDG_CACHE_HOME`` where it is set)."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    if Path(given).is_absolute():
        base = Path(given)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home()))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path.home() / ".cache"
    return base / "unroll" / "tuning"


def cache_key(model: bytes, **settings: object) -> str:
    """Return the SHA-256 of a model's bytes, the processor's name and the settings, in hexadecimal."""
    rest = json.dumps({"layout": _LAYOUT, "processor": processor_name(), **settings}, sort_keys=True, default=str)
    return hashlib.sha256(model + rest.encode()).hexdigest()


def processor_name() -> str:
    """Return what the processor is called."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not on Linux
        lines = []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return name or platform.processor() or platform.machine()


def remembered(folder: Path, key: str, forms: Sequence[str], batch: int, make: Callable[[Choice], S]) -> S | None:
    """Return what `make` makes of what was measured before of `forms` at `batch`, or None where nothing was.

    An entry that cannot be read, or that holds no choice that the graph can take, is warned of, and measured again.
    """
    path = folder / f"{key}.json"
    if not path.exists():
        return None
    try:
        return make(_parsed(read_bytes(path, _LARGEST_ENTRY), forms, batch))
    except (UnrollError, ValueError) as error:
        warn(
            f"{path}: this entry of the tuning cache cannot be used ({error}); the forms are measured again",
        )
        return None


def remember(folder: Path, key: str, choice: Choice) -> None:
    """Write what was measured, whole or not at all; where that is not possible a warning says so."""
    entry = choice._asdict() | {"candidates": [item._asdict() for item in choice.candidates]}
    try:
        make_folder(folder)
        write_bytes(folder / f"{key}.json", json.dumps(entry, indent=1).encode())
    except FileError as error:
        warn(
            f"{folder}: the tuning cache cannot be written ({error}); the forms will be measured again next time. "
            "Set XDG_CACHE_HOME, or pass cache=a folder of yours, or cache=False",
        )


def _parsed(data: bytes, forms: Sequence[str], batch: int) -> Choice:
    """Return the choice that an entry holds.

    Raises:
        ValueError: it holds none.
    """
    try:
        entry = json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(entry, dict) or not isinstance(entry.get("candidates"), list):
        raise ValueError("it is no choice among candidates")
    candidates = tuple(_fitting(Candidate, _CANDIDATE, item) for item in entry.pop("candidates"))
    choice = _fitting(Choice, _CHOICE, entry, candidates=candidates)._replace(how="cached")
    best = next((item for item in candidates if (item.form, item.threads) == (choice.form, choice.threads)), None)
    if choice.batch != batch:
        raise ValueError(f"it is of batch {choice.batch}")
    if best is None or choice.form not in forms or best.note:
        raise ValueError("the form chosen is none of those measured")
    return choice


def _fitting(kind: Callable[..., T], wanted: Mapping[str, Callable[[Any], bool]], fields: Any, **more: Any) -> T:
    """Return a `kind` made of the fields that an entry holds, each of them checked.

    Raises:
        ValueError: a field is invalid, missing or unknown.
    """
    if not isinstance(fields, dict) or fields.keys() != wanted.keys():
        raise ValueError(f"a {kind.__name__} has the fields {', '.join(wanted)}")
    for name, value in fields.items():
        if not wanted[name](value):
            raise ValueError(f"{name} is {str(value)[:40]!r}")
    return kind(**fields, **more)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, float)


def _is_count(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value < 2**63)


def _is_threads(value: Any) -> bool:
    return value is None or (type(value) is int and value == 1)


#: What each field of an entry must be: a file may say anything.
_CANDIDATE: Mapping[str, Callable[[Any], bool]] = {
    "form": _is_text,
    "threads": _is_threads,
    "seconds": _is_number,
    "quick": _is_number,
    "nodes": _is_count,
    "bytes": _is_count,
    "difference": _is_number,
    "note": _is_text,
}
_CHOICE: Mapping[str, Callable[[Any], bool]] = {
    "form": _is_text,
    "threads": _is_threads,
    "how": _is_text,
    "batch": _is_count,
    "lost": _is_number,
}


def folder_of(cache: object) -> Path | None:
    """Return the folder that an argument `cache` names: the user's for True, none for False, or the one given."""
    if not isinstance(cache, bool):
        return as_path(cache, "compile: cache")
    if not cache:
        return None
    try:
        return cache_folder()
    except RuntimeError:  # of pathlib, for a user who has no home, as in some containers
        warn(
            "there is no home folder to remember tuning in; the forms will be measured again next time. "
            "Set XDG_CACHE_HOME, or pass cache=a folder of yours, or cache=False",
        )
        return None
