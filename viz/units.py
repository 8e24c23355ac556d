"""Boxes of a picture and what flows between them, before either has a place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from unroll.ops.opaque import Opaque
from unroll.ops.recurrent import Recurrent
from unroll.ops.scan import Scan
from unroll.tensor import Node, Tensor

# The number of an item of a list; in the names of files it may stand before an output's.
_NUMBER = re.compile(r"\d+")

#: The step of what makes the states of zeros, where every operator is shown.
BEFORE_STEPS = -1

Kind = Literal["cell", "op", "loop", "input", "output", "zero", "constant", "weight", "gap"]


@dataclass(eq=False)
class Unit:
    """One box of the picture.

    Attributes:
        kind: what it is; a loop is one node that runs over all steps.
        id: its name in DOT.
        nodes: the graph's nodes inside it.
        step: the timestep whose column it stands in, or None.
        row: for cells, the cell's variable path, the same at every step.
        cell: the variable path of the cell that the unit is, or that its operator belongs to.
        tensor: the tensor that an input, output, zero, constant or weight is.
        name: what an output is called; of operators that are one box, the scope of their layer; what is said of a closed cell.
        phase: how many loops have ended before the one that it stands in; see `unroll.viz.phases`.
    """

    kind: Kind
    id: str
    nodes: list[Node] = field(default_factory=list)
    step: int | None = None
    row: str | None = None
    cell: str | None = None
    tensor: Tensor | None = None
    name: str = ""
    phase: int = 0

    @property
    def is_closed(self) -> bool:
        """Whether it is a cell that stays closed where the operators of others are drawn."""
        return self.kind == "cell" and self.row is None

    @property
    def is_mark(self) -> bool:
        """Whether it stands for all states of zeros of such a cell."""
        return self.kind == "zero" and self.tensor is None

    @property
    def listed(self) -> tuple[Kind, str] | None:
        """Which list an input or output is of, such as X0, X1 and X2: its name without the number; None for another unit."""
        name = self.tensor.label if self.kind == "input" and self.tensor is not None else self.name
        kept = _NUMBER.sub("", name)
        return (self.kind, kept) if self.kind in ("input", "output") and kept != name else None


@dataclass(frozen=True, eq=False)
class Wire:
    """A tensor on its way from one unit to another.

    Attributes:
        role: which input of which of the target's nodes reads it, named alike at every step.
        read: the tensor that arrives, where operators between that are left out change its shape.
    """

    source: Unit
    target: Unit
    tensor: Tensor
    role: tuple[str, int] = ("", 0)
    read: Tensor | None = None

    @property
    def flowing(self) -> Tensor:
        """What is on the wire: what is read, where operators between were left out."""
        return self.tensor if self.read is None else self.read


class Group(NamedTuple):
    """Operators that are one box where others have boxes of their own.

    Attributes:
        kind: what it is.
        nodes: the operators, first that which says where the box stands among others.
        step: the timestep of the box.
        cell: the cell that it is, or that they belong to.
        name: what is said of it besides; nothing most of the time.
    """

    kind: Kind
    nodes: list[Node]
    step: int | None
    cell: str | None
    name: str = ""


def is_loop(node: Node) -> bool:
    """Say whether a node runs over all steps of a sequence."""
    foreign = (
        isinstance(node.op, Opaque) and not node.op.op_domain and node.op.op_type in ("LSTM", "GRU", "RNN", "Scan")
    )
    return foreign or isinstance(node.op, (Recurrent, Scan))
