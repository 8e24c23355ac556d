"""Where the nodes of a step come from: a loop's scope, cell and gate, with the number of the step among them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from unroll.passes.tools.making import Maker
from unroll.scopes import Origin, join

#: How a step is called in a path.
_STEP = re.compile(r"t\d+")
#: Says where a node of a body comes from, once the body is written out.
Place = Callable[[frozenset[Origin]], frozenset[Origin]]


def unmoved(provenance: frozenset[Origin]) -> frozenset[Origin]:
    """Leave a node where it is: that of the graph itself."""
    return provenance


def at_step(loop: frozenset[Origin], step: int | None) -> Place:
    """Return where nodes of the body of a loop come from at one step.

    Args:
        loop: where the loop comes from.
        step: the number of the step; None for what all steps share.
    """
    above = common(origin.scope for origin in loop)
    moved: dict[frozenset[Origin], frozenset[Origin]] = {}

    def place(provenance: frozenset[Origin]) -> frozenset[Origin]:
        if provenance not in moved:
            moved[provenance] = frozenset(_moved(origin, above, step) for origin in provenance)
        return moved[provenance]

    return place


def _moved(origin: Origin, above: str, step: int | None) -> Origin:
    within = origin.scope
    if origin.step is not None:  # a body that was traced, or found, at a step
        within = "/".join(part for part in within.split("/") if part != f"t{origin.step}")
    if above and (within == above or within.startswith(f"{above}/")):
        within = within[len(above) + 1 :]
    path = above if step is None else join(above, f"t{step}")
    return origin._replace(scope=join(path, within), step=step)


def common(paths: Iterable[str]) -> str:
    """Return the path that all paths begin with; their own one where they are one."""
    found: list[str] = []
    for parts in zip(*(path.split("/") for path in paths), strict=False):
        if len(set(parts)) > 1:
            break
        found.append(parts[0])
    return "/".join(found)


def base_of(operator: str, provenance: frozenset[Origin]) -> str:
    """Return what a loop is called: by the cells that it was made of, or by the node in its file."""
    cells = sorted({origin.cell for origin in provenance if origin.cell is not None})
    if cells:
        found = common(cells)
        last = [cell.rpartition("/")[2] for cell in cells]
        return found if len(cells) == 1 or len(set(last)) > 1 else join(found, last[0])
    path = [part for part in common(sorted(origin.scope for origin in provenance)).split("/") if part]
    path = [part for part in path if not _STEP.fullmatch(part)] or path  # of the step that it began with
    if len(path) > 1 and path[-1] == operator:
        path.pop()
    return "/".join(path).lower() if path == [operator] else "/".join(path) or operator.lower()


class CellPlace:
    """Where the nodes of one direction of a recurrent operator come from.

    Args:
        cell: the path of its variables, such as ``rnn/basic_lstm_cell``.
        begin: the number of its first step.
        called: what its gates are called, by ONNX's names.
    """

    def __init__(self, cell: str, begin: int = 0, called: Mapping[str, str] | None = None) -> None:
        self.cell, self._begin, self._called = cell, begin, called or {}
        self.above, _, self._last = cell.rpartition("/")

    def weights(self) -> Maker:
        """Return what makes nodes of the cell that are of no step."""
        return Maker(frozenset({Origin(self.cell, None, self.cell, None)}))

    def beside(self, step: int, name: str) -> Maker:
        """Return what makes nodes beside a step, such as those of its zero state."""
        step += self._begin
        return Maker(frozenset({Origin(join(self.above, f"t{step}/{name}"), step, None, None)}))

    def at(self, step: int, gate: str | None = None) -> Maker:
        """Return what makes nodes of a step, or of a gate of it, which is given by ONNX's name."""
        step, gate = step + self._begin, self._called.get(gate or "", gate)
        scope = join(self.above, f"t{step}/{self._last}")
        return Maker(frozenset({Origin(join(scope, gate or ""), step, self.cell, gate)}))
