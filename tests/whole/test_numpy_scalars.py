"""NumPy's numbers and booleans are as good as Python's, wherever a public function takes one."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from right_calls import Call, all_calls, prepared

CALLS = all_calls()
#: Numbers of NumPy for one of Python.
VERSIONS: dict[type, tuple[Any, ...]] = {
    bool: (np.bool_, int, np.int64, np.array),
    int: (np.int64, np.int32, np.array),
    float: (np.float32, np.float64, np.array),
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def plain_arguments(call: Call) -> dict[int | str, Any]:
    """The numbers and booleans of a call, given or by default, and lists of them, by their place."""
    try:
        parameters: Any = inspect.signature(call.function).parameters
    except (TypeError, ValueError):
        parameters = {}
    found: dict[int | str, Any] = dict(enumerate(call.args)) | call.kwargs
    defaults = {name: item.default for name, item in parameters.items()}
    found |= {place: defaults[place] for place in call.positions() if isinstance(place, str) and place in defaults}
    found |= call.kwargs
    return {place: value for place, value in found.items() if versions(value)}


def versions(value: Any) -> list[Any]:
    """A number as NumPy has it, in several ways; lists of numbers item by item."""
    if isinstance(value, (list, tuple)) and value and all(type(item) in VERSIONS for item in value):
        return [type(value)(map(np.int64 if type(value[0]) is int else np.float32, value))]
    return [kind(value) for kind in VERSIONS.get(type(value), ()) if abs(value) < 2**31]


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if plain_arguments(call)])
def test_numpys_numbers_are_taken_as_pythons_are(name: str) -> None:
    call = CALLS[name]
    for place, value in plain_arguments(call).items():
        for given in versions(value):
            prepared(name)
            try:
                call.with_argument(place, given)
            except Exception as error:
                pytest.fail(f"{place}={given!r} for {value!r}: {type(error).__name__}: {error}")
