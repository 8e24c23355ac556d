"""ONNX's own tests of nodes, of some operators alone: to collect all of them takes seconds, for the inputs of pooling."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from functools import cache
from typing import Any

import onnx.backend.test.case.node as nodes

#: The files that hold a loop or a branch, and those of functions whose bodies hold one.
LOOPS = ("gru", "if", "linearattention", "loop", "lstm", "rangeop", "rnn", "scan", "sequencemap")


@cache
def official_cases(*files: str) -> tuple[Any, ...]:
    """The cases with a model, of those of ONNX's files of tests that are there; their names are given without underscores."""
    for module in pkgutil.iter_modules(nodes.__path__):
        if module.name.replace("_", "") in files:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they overflow and divide by zero on purpose
                importlib.import_module(f"{nodes.__name__}.{module.name}")
    return tuple(case for case in nodes._NodeTestCases if case.model is not None)
