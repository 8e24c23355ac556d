"""What signs between tensors call: the table is full, and is filled for those who reach tensors alone."""

from __future__ import annotations

import pytest
from helpers import run_python

import unroll
from unroll.operation_table import OPERATIONS, OperationTable
from unroll.tensor import _UFUNCS


def test_every_sign_between_tensors_has_its_function() -> None:
    assert set(_UFUNCS.values()) | {"getitem"} <= set(OPERATIONS)
    assert all(OPERATIONS[name] is getattr(unroll.ops, name) for name in _UFUNCS.values())


ALONE = """
import sys
import numpy as np
import unroll.tensor
assert "unroll.ops" not in sys.modules
x = unroll.tensor.placeholder([2], "x")
{}
print("done")
"""


@pytest.mark.parametrize(
    "line", ["x + 1", "1.0 - x", "-x", "x[0]", "x < 2", "np.tanh(x)", "np.ones(2) * x", "sum([x, x])"]
)
def test_tensors_alone_are_computed_with(line: str) -> None:
    assert run_python(ALONE.format(line)).strip() == "done"


def test_what_no_module_put_into_the_table_names_the_one_to_import() -> None:
    with pytest.raises(unroll.UnrollError, match=r"'cosh' is not loaded; import unroll\.ops"):
        OperationTable()["cosh"]
