"""What signs between tensors call: the table is full, and is filled for those who reach tensors alone."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import run_python

import unroll
from unroll.operation_table import OperationTable

#: What Python calls, and the operator of ONNX that means it; a reflected one has its operands the other way round.
SIGNS: dict[Callable[[Any, Any], Any], str] = {
    operator.add: "Add", operator.sub: "Sub", operator.mul: "Mul", operator.truediv: "Div", operator.pow: "Pow",
    operator.matmul: "MatMul", operator.lt: "Less", operator.le: "LessOrEqual", operator.gt: "Greater",
    operator.ge: "GreaterOrEqual",
}  # fmt: skip
TURNED = {"Less": "Greater", "LessOrEqual": "GreaterOrEqual", "Greater": "Less", "GreaterOrEqual": "LessOrEqual"}


@pytest.mark.parametrize(("sign", "name"), SIGNS.items(), ids=SIGNS.values())
def test_every_sign_between_two_tensors_is_its_operator(sign: Callable[[Any, Any], Any], name: str) -> None:
    x, y = unroll.placeholder([2, 2], "x"), unroll.placeholder([2, 2], "y")
    node = sign(x, y).node
    assert (node.op.name, node.inputs) == (name, (x, y))


@pytest.mark.parametrize(("sign", "name"), SIGNS.items(), ids=SIGNS.values())
def test_every_sign_after_what_is_no_tensor_keeps_the_order_of_its_operands(
    sign: Callable[[Any, Any], Any], name: str
) -> None:
    x, array = unroll.placeholder([2, 2], "x"), [[1.0, 2.0], [3.0, 4.0]]
    node = sign(array, x).node
    found = (node.op.name, [getattr(item, "value", item) for item in node.inputs])
    turned = TURNED.get(name)  # Python asks for the mirrored comparison
    assert found[0] == (turned or name)
    assert found[1][int(turned is None)] is x and np.array_equal(found[1][int(turned is not None)], array)


def test_signs_before_a_tensor_between_truths_and_in_brackets_are_operators() -> None:
    x = unroll.placeholder([2, 2], "x")
    yes = x > 0.0
    made = [-x, abs(x), ~yes, yes & yes, yes | yes, x[0], x[:, 1:]]
    names = [tensor.node.op.name for tensor in made if tensor.node is not None]
    assert names == ["Neg", "Abs", "Not", "And", "Or", "Gather", "Slice"]


ALONE = """
import sys
import numpy as np
import unroll.tensor
assert "unroll.ops" not in sys.modules
x = unroll.tensor.placeholder([2], "x")
{}
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "line", ["x + 1", "1.0 - x", "-x", "x[0]", "x < 2", "np.tanh(x)", "np.ones(2) * x", "sum([x, x])"]
)
def test_tensors_alone_are_computed_with(line: str) -> None:
    assert run_python(ALONE.format(line)).strip() == "done"


def test_what_no_module_put_into_the_table_names_the_one_to_import() -> None:
    with pytest.raises(unroll.UnrollError, match=r"'cosh' is not loaded; import unroll\.ops"):
        OperationTable()["cosh"]
