"""An operator of another model's file that unroll does not have: it passes through untouched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from unroll.dimensions import Shape
from unroll.dtypes import ALL, Array, DType
from unroll.errors import UnsupportedError
from unroll.ops.operator import OPERATORS, Operator, Requirements, Signature

Compute = Callable[["Opaque", Sequence["Array | None"], bool], Sequence[Array]]
_hook: Compute | None = None


def set_hook(hook: Compute) -> None:
    """Let `hook` compute operators that unroll does not have: the core does not import ONNX.

    It is given the operator, its inputs, None for one left out, and whether to compute in float64. It raises
    UnsupportedError where it cannot compute the operator, and ValueError where it cannot compute it on these inputs.
    """
    global _hook
    _hook = hook


class HeldGraph(NamedTuple):
    """A graph in an attribute, of which only its size is told: ``graph of 3 nodes``."""

    nodes: int

    def __repr__(self) -> str:
        return f"graph of {self.nodes} node{'s' * (self.nodes != 1)}"


@dataclass(frozen=True, repr=False)
class Opaque(Operator, abstract=True):
    """An operator that unroll does not have, or one that it has, used in a way that it cannot express.

    Its `name` is never that of one of unroll's operators: those are called ``ai.onnx.Slice`` here.

    Attributes:
        op_type: the operator's name in its file.
        op_domain: the domain the name belongs to; empty for ONNX's own.
        version: which version of the domain the file means.
        payload: the node as the file has it, for the exporter; operators of equal payload are equal.
        declared: shape and dtype of each output; no rule infers them.
        places: which of the file's outputs these are: optional ones may be left out.
        captured: how many of the last inputs are read by graphs inside the payload, and by what names.
        shown: the attributes, for display.
        open_meaning: why nobody can say what it computes, though ONNX has it: its text leaves that open.
    """

    signature = Signature("inputs: T* -> outputs: T", T=ALL)
    narrow = True
    op_type: str
    op_domain: str
    version: int
    payload: bytes
    declared: tuple[tuple[Shape, DType], ...]
    places: tuple[int, ...]
    captured: tuple[str, ...] = ()
    shown: tuple[tuple[str, Any], ...] = ()
    open_meaning: str = ""

    def __post_init__(self) -> None:
        qualified = self.op_domain or ("", self.op_type) in OPERATORS
        name = f"{self.op_domain or 'ai.onnx'}.{self.op_type}" if qualified else self.op_type
        object.__setattr__(self, "domain", self.op_domain)
        object.__setattr__(self, "name", name)

    @property
    def holds_graphs(self) -> bool:
        """Whether attributes hold graphs, which nothing looks into."""
        values = (value for _, held in self.shown for value in (held if type(held) is tuple else (held,)))
        return any(isinstance(value, HeldGraph) for value in values)

    def shapes(self, require: Requirements, *inputs: Any) -> list[Shape]:
        return [shape for shape, _ in self.declared]

    def dtypes(self, types: Mapping[str, DType]) -> list[DType]:
        return [dtype for _, dtype in self.declared]

    def evaluate(self, *arrays: Any) -> Sequence[Array]:
        if _hook is None:
            raise UnsupportedError(
                f"{self!r} came from another model's file and is none of unroll's operators, so NumPy cannot compute it; "
                "import unroll.export.reading.reader, or run the graph with unroll.Session(graph)"
            )
        return _hook(self, arrays, False)

    def evaluate_wide(self, *arrays: Any, most_steps: int | None = None) -> Array | Sequence[Array]:
        """Compute the outputs in float64 where graphs make them, which may be a whole model in the branch of an If.

        What cannot be computed so, as an operator in there takes no float64, is computed as `evaluate` does.
        """
        if self.holds_graphs and _hook is not None:
            try:
                return _hook(self, arrays, True)
            except (UnsupportedError, ValueError):
                pass
        return super().evaluate_wide(*arrays)

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(self.shown)
