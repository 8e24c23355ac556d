"""Operators that are one expression for each element: what they are in C, by dtype. Broadcasting and loops are not in entries.

``{0}``, ``{1}``, ... are the elements of the inputs, each of which an entry names once: one that needs an element twice calls a
function of `unroll.export.c.functions`. ``$f`` stands for what names of functions for the dtype end in, ``$t`` for the C type,
and ``$name`` for the attribute called so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

from unroll.dtypes import DType
from unroll.export.c.types import c_type, number, suffix
from unroll.ops.functions import Cast
from unroll.ops.operator import Operator

#: By kind of dtype: f floats, i integers, b booleans.
_Entry = Mapping[str, str]


def _same(text: str) -> _Entry:
    return {"f": text, "i": text, "b": text}


def _called(name: str, count: int = 1) -> _Entry:
    return _same(f"{name}_$f({', '.join(f'{{{place}}}' for place in range(count))})")


SCALARS: dict[str, _Entry] = {
    "Abs": _called("abs"),
    "Add": {"f": "({0} + {1})", "i": "add_$f({0}, {1})"},
    "And": _same("(unsigned char)({0} && {1})"),
    "Div": {"f": "({0} / {1})", "i": "div_$f({0}, {1})"},
    "Elu": _same("elu_$f({0}, $alpha)"),
    "Equal": _called("equal", 2),
    "Erf": _called("erf"),
    "Exp": _called("exp"),
    "Floor": _called("floor"),
    "Greater": _called("greater", 2),
    "GreaterOrEqual": _called("greater_equal", 2),
    "HardSigmoid": _same("hard_sigmoid_$f({0}, $alpha, $beta)"),
    "Identity": _same("{0}"),
    "LeakyRelu": _same("leaky_relu_$f({0}, $alpha)"),
    "Less": _called("less", 2),
    "LessOrEqual": _called("less_equal", 2),
    "Log": _called("log"),
    "Max": _called("max", 2),
    "Min": _called("min", 2),
    "Mul": {"f": "({0} * {1})", "i": "mul_$f({0}, {1})"},
    "Neg": {"f": "(- {0})", "i": "neg_$f({0})"},
    "Not": _same("(unsigned char)!{0}"),
    "Or": _same("(unsigned char)({0} || {1})"),
    "Relu": _called("relu"),
    "Sigmoid": _called("sigmoid"),
    "Sign": _called("sign"),
    "Softplus": _called("softplus"),
    "Softsign": _called("softsign"),
    "Sqrt": _called("sqrt"),
    "Sub": {"f": "({0} - {1})", "i": "sub_$f({0}, {1})"},
    "Tanh": _called("tanh"),
    "Where": _same("({0} ? {1} : {2})"),
}


def template_of(op: Operator, dtypes: list[DType], result: DType) -> str | None:
    """Return an operator's entry for dtypes of its inputs, filled in; None where it is no operator of elements."""
    special = _SPECIAL.get(op.name)
    if special is not None:
        return special(op, dtypes, result)
    entry = SCALARS.get(op.name)
    if entry is None:
        return None
    dtype = dtypes[-1]

    def filled(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in ("f", "t"):
            return suffix(dtype) if name == "f" else c_type(dtype)
        return number(getattr(op, name), dtype)

    return re.sub(r"\$(\w+?)(?=\W|$)", filled, entry[dtype.kind])


def _cast(op: Operator, dtypes: list[DType], result: DType) -> str:
    assert isinstance(op, Cast)
    (source,) = dtypes
    if source == result:
        return "{0}"
    if result.kind == "b":
        return f"(unsigned char)({{0}} != {number(0, source)})"
    if source.kind == "f" and result.kind == "i":
        return f"{suffix(result)}_of_{suffix(source)}({{0}})"
    return f"({c_type(result)}){{0}}"


def _clip(op: Operator, dtypes: list[DType], result: DType) -> str:
    """A clip of a tensor between two numbers; one that is left out is not asked for here."""
    end = suffix(result)
    return f"min_{end}(max_{end}({{0}}, {{1}}), {{2}})"


def _pow(op: Operator, dtypes: list[DType], result: DType) -> str:
    base, exponent = dtypes
    if base.kind == "i" and exponent.kind == "i":
        return f"pow_{suffix(base)}({{0}}, (int64_t){{1}})"
    wide = np.dtype("float64") if base.kind == "i" else np.result_type(base, exponent)
    call = f"pow_{suffix(wide)}(({c_type(wide)}){{0}}, ({c_type(wide)}){{1}})"
    if base.kind == "i":
        return f"{suffix(base)}_of_f64({call})"
    return call if wide == base else f"({c_type(base)}){call}"


_SPECIAL: dict[str, Callable[[Operator, list[DType], DType], str]] = {"Cast": _cast, "Clip": _clip, "Pow": _pow}
