"""What `compile` makes for onnxruntime: a Session on one form of a graph."""

from __future__ import annotations

from typing import Any, NamedTuple

from onnx import ModelProto

from unroll.export.choice import Choice
from unroll.export.compile_reduced import reduction
from unroll.export.lowering import to_onnx
from unroll.export.running.session import Session
from unroll.graph import Graph

#: The ways that are tried, by what a table calls them: how `to_onnx` writes each.
WAYS: dict[str, dict[str, Any]] = {
    "unrolled": {"form": "unrolled"},
    "unrolled, optimized": {"form": "unrolled", "optimized": True},
    "rerolled": {"form": "rerolled"},
    "scan": {"form": "scan"},
    "functions": {"form": "functions"},
}


class CompiledSession(Session):
    """A Session that runs the form that `compile` chose.

    Attributes:
        choice: which form it is, and why; prints as a table.
        size: how many nodes and bytes the model has.
    """

    def __init__(self, graph: Graph, writer: Writer, choice: Choice) -> None:
        self._writer, self._compiled = writer, graph
        self.choice = choice
        super().__init__(graph)

    def model(self) -> ModelProto:
        """Return the model in the form that was chosen, with the values that the weights have now, to be saved."""
        return self._writer.write(self._compiled, self.choice.form, check=False)  # it was proven when it was chosen

    def _written(self, graph: Graph, check: bool) -> ModelProto:
        model = self._writer.write(graph, self.choice.form, check)
        self.size = len(model.graph.node), model.ByteSize()
        return model

    def _threads(self, graph: Graph) -> int | None:
        return self.choice.threads


class Writer(NamedTuple):
    """How the forms of a graph are written: for which batch, and in which bits."""

    batch: int
    dtype: str | None
    quantize: str | None

    @property
    def bits(self) -> str | None:
        """In which dtype of fewer bits."""
        return self.dtype or self.quantize

    def write(self, graph: Graph, way: str, check: bool = True) -> ModelProto:
        """Return the model of `graph` written in one of `WAYS`; with `check`, proven where it is a rewritten one."""
        reduce = reduction(self.dtype, self.quantize)
        model = to_onnx(graph, batch=self.batch, check=check, **WAYS[way])
        return model if reduce is None else reduce(model)
