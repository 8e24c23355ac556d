"""The grammar of the formulas in pictures, read as a reader does, and their values in NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from helpers import Array

#: What a name stands for; it raises where it can mean nothing, or more than one thing.
LookUp = Callable[[str], Array]

_UNKNOWN = {"·", "…"}
_NUMBER = re.compile(r"-?(\d+\.?\d*(e[+-]?\d+)?|inf|nan)$|true$|false$")
# A sign stands between spaces; a name has none, but for a word before it that says whose it is.
_TOKEN = re.compile(r"[()\[\],](?=.|$)| (?:==|[+\u2212\u00d7/@^<>]) | and |\u2212(?=\()|[^\s()\[\],]+(?:\[-?\d+\])?")
_BINDS = [[" and "], [" == ", " < ", " > "], [" + ", " \u2212 "], [" \u00d7 ", " / ", " @ "], [" ^ "]]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


CALLS: dict[str, Callable[..., Array]] = {
    "abs": np.abs, "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), "exp": np.exp,
    "hard \u03c3": lambda x: np.clip(0.2 * x + 0.5, 0, 1), "leaky relu": lambda x: np.where(x > 0, x, 0.01 * x), "log": np.log,
    "\u2212": np.negative, "not": np.logical_not, "relu": lambda x: np.maximum(x, 0), "\u03c3": sigmoid, "softmax": softmax,
    "softplus": lambda x: np.logaddexp(x, 0), "softsign": lambda x: x / (1 + np.abs(x)), "sqrt": np.sqrt, "tanh": np.tanh,
    "where": np.where,
}  # fmt: skip
SIGNS: dict[str, Callable[[Array, Array], Array]] = {
    " and ": np.logical_and, " == ": np.equal, " < ": np.less, " > ": np.greater, " + ": np.add, " \u2212 ": np.subtract,
    " \u00d7 ": np.multiply, " / ": np.divide, " ^ ": np.power,
}  # fmt: skip


class Formula(NamedTuple):
    """A formula as it stands in a box: what it names, and what it says of that."""

    names: list[str]
    text: str

    @property
    def is_whole(self) -> bool:
        """Whether it says everything: no operand is left out."""
        return bool(self.text) and not any(sign in self.text for sign in _UNKNOWN)


def formula_of(line: str, outputs: int) -> Formula:
    """Read a line: ``name = text``, the text alone, or the names of several pieces."""
    if outputs > 1:
        return Formula(line.split(", "), "")
    name, equals, text = line.partition(" = ")
    is_name = equals and re.fullmatch(r"[^\s()\[\],]+", name) is not None
    return Formula([name], text) if is_name else Formula([], line)


def value_of(text: str, look_up: LookUp, width: int) -> Array:
    """Return the value of a formula of a tensor of a width."""
    tokens = _TOKEN.findall(text)
    assert "".join(tokens).replace(" ", "") == text.replace(" ", ""), f"no formula: {text!r}"
    reading = _Reading(tokens, look_up)
    value = reading.sum_of(0)
    assert reading.at == len(tokens), f"{text!r} goes on after {tokens[: reading.at]}"
    return value.of_width(width) if isinstance(value, Joined) else value


class _Reading:
    def __init__(self, tokens: list[str], look_up: LookUp) -> None:
        self.tokens, self.look_up, self.at = tokens, look_up, 0

    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def sum_of(self, level: int) -> Any:
        """Read operands joined by the signs of a level, from left to right."""
        if level == len(_BINDS):
            return self.operand()
        value = self.sum_of(level + 1)
        while self.next() in _BINDS[level]:
            sign = self.tokens[self.at]
            self.at += 1
            other = self.sum_of(level + 1)
            value = SIGNS[sign](value.of_width(other.shape[-2]) if isinstance(value, Joined) else value, other)
        return value

    def listed(self, end: str) -> list[Any]:
        found = []
        while self.next() != end:
            found.append(self.sum_of(0))
            self.at += self.next() == ","
        self.at += 1
        return found

    def operand(self) -> Any:
        words = []
        while self.next() and self.next() not in ("(", "[", "]", ")", ",") and self.next() not in SIGNS:
            words.append(self.tokens[self.at])
            self.at += 1
        name, after = " ".join(words), self.next()
        if after == "(":
            self.at += 1
            values = self.listed(")")
            return CALLS[name](*values) if name else values[0]
        if after == "[" and not name:
            self.at += 1
            return joined(self.listed("]"))
        if _NUMBER.match(name):
            return np.array({"true": True, "false": False}.get(name) if name in ("true", "false") else float(name))
        return self.look_up(name)


def product(left: Array, right: Array) -> Array:
    """Return a matrix product; a number on the left is a row of it."""
    return np.matmul(left if left.ndim else np.full((1, right.shape[-2]), left), right)


SIGNS[" @ "] = product


class Joined:
    """Values side by side; a number among them, or equal ones next to one another, fill what the others leave of the whole."""

    def __init__(self, values: list[Array]) -> None:
        self.values = values

    def of_width(self, width: int) -> Array:
        arrays = [value for value in self.values if value.ndim]
        parts = [*arrays]
        left = width - sum(value.shape[-1] for value in arrays)
        for place, value in enumerate(self.values):
            if not value.ndim and not (place and np.array_equal(value, self.values[place - 1])):
                assert len(parts) == len(arrays), "which part each number fills cannot be read"
                parts.insert(place, np.full((*arrays[0].shape[:-1], left), value))
        return np.concatenate(parts, -1)


def joined(values: list[Array]) -> Array | Joined:
    """Return values side by side; numbers alone are a vector."""
    if all(value.ndim == 0 for value in values):
        return np.array(values)
    return Joined(values) if any(value.ndim == 0 for value in values) else np.concatenate(values, -1)
