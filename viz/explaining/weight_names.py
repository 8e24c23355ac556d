"""What the blocks of weights are called in equations: ``K_i`` for the columns of gate i of a kernel."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Mapping, Sequence

from unroll.ops.operator import OPERATORS
from unroll.parameter import Parameter
from unroll.viz.explaining.terms import Region, Symbol

#: How names of weights begin that have a letter in every textbook, and the letter.
_LETTERS = {"kernel": "K", "bias": "b", "recurrent_kernel": "R", "weight": "W", "kernels": "K"}


#: What can stand in a formula without being taken for something else.
_READABLE = re.compile(r"[\w.:+']{1,40}")
_OPERATORS = {name.lower() for _, name in OPERATORS} | {"read", "readvariableop"}


class WeightNames:
    """The names of weights and of their blocks, each of which means one thing in the equations of a cell.

    Args:
        readers: for each weight, the paths of the units that read it.
        taken: for each such path, the names that stand for something else there.
    """

    def __init__(self, readers: Mapping[Parameter, Collection[str]], taken: Callable[[str], Container[str]]) -> None:
        self._names: dict[Parameter, tuple[str, str]] = {}
        for item in readers:
            base = _base(item)
            while any(base in taken(path) for path in readers[item]):
                base = f"{base}'"
            self._names[item] = base, ""
        for item, (base, _) in list(self._names.items()):
            others = [other for other in readers if other is not item and self._names[other][0] == base]
            others = [other for other in others if not set(readers[other]).isdisjoint(readers[item])]
            if others:
                self._names[item] = base, _apart(item, others)

    def whole(self, parameter: Parameter) -> Symbol:
        """Return the name of a weight as a whole."""
        base, apart = self._names.get(parameter) or (_base(parameter), "")
        return Symbol(base, apart or self._one_gate(parameter))

    def symbol(self, region: Region, turned: bool) -> Symbol:
        """Return the name of a part of a weight."""
        base, apart = self._names.get(region.parameter) or (_base(region.parameter), "")
        below = _below(region)
        return Symbol(base, ".".join(filter(None, [apart, below]))) if below else self.whole(region.parameter)

    def _one_gate(self, parameter: Parameter) -> str:
        """Return the gate of a weight of one gate, where others of its name have other gates."""
        gates, base = _gates(parameter), self._names.get(parameter, ("", ""))[0]
        several = sum(known == (base, "") for known in self._names.values()) > 1
        return next(iter(gates)) if several and len(gates) == 1 else ""


def _apart(item: Parameter, others: Sequence[Parameter]) -> str:
    """Return what tells a weight from others of its name: nothing where its gates do, else the parts of its path that they
    have not.
    """
    gates = _gates(item)
    if gates and all(gates.isdisjoint(_gates(other)) and _gates(other) for other in others):
        return ""
    common = set.intersection(*(set(_parts(other)[:-1]) for other in (item, *others)))
    apart = ".".join(part for part in _parts(item)[:-1] if part not in common)
    return apart if _READABLE.fullmatch(apart) else str(1 + sum(other.name < item.name for other in others))


def _gates(parameter: Parameter) -> set[str]:
    return {name for name, _ in parameter.blocks.columns} if parameter.blocks is not None else set()


def _parts(parameter: Parameter) -> list[str]:
    return re.split(r"[/.]", parameter.name)


def whole(parameter: Parameter) -> Region:
    """Return all of a weight."""
    shape = [int(size) for size in parameter.shape]
    rows = (0, shape[-2]) if len(shape) > 1 else None
    return Region(parameter, rows, (0, shape[-1] if shape else 1))


def _below(region: Region) -> str:
    """Return what tells a part of a weight from the whole of it: its source, and its gate."""
    blocks, (_, columns) = region.parameter.blocks, (region.rows, region.columns)
    everything = whole(region.parameter)
    if region == everything:
        return ""
    if blocks is None:
        rows = _span(region.rows) if region.rows != everything.rows and region.rows is not None else ""
        return ".".join(filter(None, [rows, _span(columns) if columns != everything.columns else ""]))
    stored_columns, stored_rows = (
        (blocks.rows, blocks.columns) if blocks.transposed and blocks.rows else (blocks.columns, blocks.rows)
    )
    below = [
        _called(stored_rows, region.rows) if region.rows is not None and region.rows != everything.rows else "",
        _called(stored_columns, columns) if columns != everything.columns else "",
    ]
    named = [part for part in below if part]
    return "".join(named) if all(len(part) == 1 for part in named) else ".".join(named)


def _called(blocks: Sequence[tuple[str, int]], wanted: tuple[int, int]) -> str:
    """Return the names of the blocks that rows or columns are; their numbers where they are none."""
    names, first = [], 0
    for name, size in blocks:
        if wanted[0] <= first and first + size <= wanted[1] and size:
            names.append((name, first, first + size))
        first += size
    if not names or names[0][1] != wanted[0] or names[-1][2] != wanted[1]:
        return _span(wanted)
    called = "+".join(re.sub(r"\s+", ".", name.removesuffix(" bias")) for name, _, _ in names)
    return called if _READABLE.fullmatch(called) else _span(wanted)


def _span(wanted: tuple[int, int]) -> str:
    return f"{wanted[0]}:{wanted[1]}"


def _base(parameter: Parameter) -> str:
    """Return what a weight is called: by the last part of its name, unless that is one of an operator, as files have it."""
    parts = [re.sub(r"(_\d+)?(:\d+)?$", "", part) for part in _parts(parameter)]
    while len(parts) > 1 and parts[-1].lower() in _OPERATORS:
        parts.pop()
        if parts[-1].lower() not in _OPERATORS and parts[-1] not in _LETTERS:
            return _shape_letter(parameter)  # what is left names the layer
    last = _parts(parameter)[len(parts) - 1].partition(":")[0]
    return _letter(last) if _READABLE.fullmatch(last) else _shape_letter(parameter)


def _shape_letter(parameter: Parameter) -> str:
    return "W" if parameter.rank > 1 else "b"


def _letter(name: str) -> str:
    first, _, rest = name.partition("_")
    if name in _LETTERS:
        return _LETTERS[name]
    if first in _LETTERS and rest:
        return f"{_LETTERS[first]}_{rest}"
    return name
