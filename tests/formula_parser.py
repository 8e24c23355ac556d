"""The grammar of the formulas in pictures and explanations, read as a reader does, and their values in NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from helpers import Array

#: What a name stands for; it raises where it can mean nothing, or more than one thing.
LookUp = Callable[[str], Array]
#: Computes an operator by its name, of what it reads and its attributes.
Operator = Callable[[str, "list[Any]", "dict[str, Any]"], Array]

_UNKNOWN = {"·", "…"}
_NUMBER = re.compile(r"-?(\d+\.?\d*(e[+-]?\d+)?|inf|nan)$|true$|false$")
# A sign stands between spaces; a name has none, but for a word before it that says whose it is.
_TOKEN = re.compile(
    r"\w+=(?:\[[^\]]*\]|[^\s,()]+)|[()\[\],](?=.|$)| (?:[<>=]=|[+\u2212\u00d7/@^<>]) | and | or |\u2212(?=\()"
    r"|[^\s()\[\],]+(?:\[(?:-?\d+|t[+-]\d+)\])?(?:\[\.\.\., \d+:\d+\])?"
)
# An attribute, and columns of what has a name.
_SETTING, _COLUMNS = re.compile(r"(\w+)=(.+)"), re.compile(r"(.+)\[\.\.\., (\d+):(\d+)\]")
_BINDS = [
    [" or ", " and "],
    [" == ", " < ", " > ", " <= ", " >= "],
    [" + ", " \u2212 "],
    [" \u00d7 ", " / ", " @ "],
    [" ^ "],
]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def clip(x: Array, low: Array, high: Array) -> Array:
    return np.minimum(np.maximum(x, low), high)


CALLS: dict[str, Callable[..., Array]] = {
    "sigmoid": sigmoid, "clip": clip, "floor": np.floor, "ceil": np.ceil, "max": np.maximum, "min": np.minimum,
    "hard_sigmoid": lambda x, alpha=0.2, beta=0.5: np.clip(alpha * x + beta, 0, 1),
    "affine": lambda x, alpha, beta: alpha * x + beta,
    "scaled_tanh": lambda x, alpha, beta: alpha * np.tanh(beta * x),
    "thresholded_relu": lambda x, alpha: np.where(x > alpha, x, 0),
    "leaky_relu": lambda x, alpha=0.01: np.where(x > 0, x, alpha * x),
    "abs": np.abs, "elu": lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))), "exp": np.exp,
    "hard \u03c3": lambda x: np.clip(0.2 * x + 0.5, 0, 1), "leaky relu": lambda x: np.where(x > 0, x, 0.01 * x), "log": np.log,
    "\u2212": np.negative, "not": np.logical_not, "relu": lambda x: np.maximum(x, 0), "\u03c3": sigmoid, "softmax": softmax,
    "softplus": lambda x: np.logaddexp(x, 0), "softsign": lambda x: x / (1 + np.abs(x)), "sqrt": np.sqrt, "tanh": np.tanh,
    "where": np.where, "mean": lambda x: x.mean(-1, keepdims=True), "sum": lambda x: x.sum(-1, keepdims=True),
}  # fmt: skip
SIGNS: dict[str, Callable[[Array, Array], Array]] = {
    " and ": np.logical_and, " or ": np.logical_or, " <= ": np.less_equal, " >= ": np.greater_equal,
    " == ": np.equal, " < ": np.less, " > ": np.greater, " + ": np.add, " \u2212 ": np.subtract,
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


def no_operator(name: str, values: list[Any], settings: dict[str, Any]) -> Array:
    raise KeyError(f"{name} is no function of formulas")


def value_of(text: str, look_up: LookUp, width: int, operator: Operator = no_operator) -> Array:
    """Return the value of a formula of a tensor of a width; `operator` computes what is called by an operator's name."""
    tokens = _TOKEN.findall(text)
    assert "".join(tokens).replace(" ", "") == text.replace(" ", ""), f"no formula: {text!r}"
    reading = _Reading(tokens, look_up, operator)
    value = reading.sum_of(0)
    assert reading.at == len(tokens), f"{text!r} goes on after {tokens[: reading.at]}"
    return value.of_width(width) if isinstance(value, Joined) else value


class _Reading:
    def __init__(self, tokens: list[str], look_up: LookUp, operator: Operator) -> None:
        self.tokens, self.look_up, self.operator, self.at = tokens, look_up, operator, 0

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
            listed = self.listed(")")
            values = [value for value in listed if not isinstance(value, Setting)]
            settings = {value.name: value.value for value in listed if isinstance(value, Setting)}
            if not name:
                return values[0]
            return CALLS[name](*values, **settings) if name in CALLS else self.operator(name, values, settings)
        if after == "[" and not name:
            self.at += 1
            return joined(self.listed("]"))
        if _NUMBER.match(name):
            return np.array({"true": True, "false": False}.get(name) if name in ("true", "false") else float(name))
        if found := _SETTING.fullmatch(name):
            return Setting(found[1], setting_of(found[2]))
        if found := _COLUMNS.fullmatch(name):
            return self.look_up(found[1])[..., int(found[2]) : int(found[3])]
        return self.look_up(name)


class Setting(NamedTuple):
    """An attribute of an operator."""

    name: str
    value: Any


def setting_of(text: str) -> Any:
    """Return the value of an attribute: a number, several in brackets, or a word."""
    if text.startswith("["):
        return tuple(setting_of(item) for item in text[1:-1].split())
    if not _NUMBER.match(text):
        return text
    return float(text) if set(text) & set(".en") else int(text)


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
