"""Which operators onnxruntime has CPU kernels for, by dtype: a generated table, so that export says so beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from unroll.dtypes import DType
from unroll.errors import ArgumentError, UnsupportedError
from unroll.graph import Graph
from unroll.ops import OPERATORS
from unroll.ops.scan import Scan
from unroll.structure import Structure
from unroll.tensor import Node

TABLE = Path(__file__).with_name("onnxruntime_support.json")
RUNTIMES = ("onnxruntime",)


@cache
def _unsupported() -> dict[str, frozenset[str]]:
    table = json.loads(TABLE.read_text())
    return {name: frozenset(dtypes) for name, dtypes in table["unsupported"].items()}


def deciding_dtype(node: Node) -> DType:
    """Return the dtype by which a kernel is chosen: that of the first input whose type the operator leaves open."""
    for slot, tensor in zip(node.op.signature.slots, node.inputs, strict=False):
        if tensor is not None and len(node.op.signature.types[slot.type]) > 1:
            return tensor.dtype
    return node.outputs[0].dtype


def is_supported(node: Node) -> bool:
    """Say whether onnxruntime has a CPU kernel for a node; one that is not in the table is let through."""
    missing = _unsupported().get(node.op.name)
    return missing is None or str(deciding_dtype(node)) not in missing


def check(graph: Graph, runtime: str | None) -> None:
    """Check that `runtime` has a kernel for every node.

    Raises:
        ArgumentError: no such runtime is known.
        UnsupportedError: a kernel is missing, in a body of a loop as well; the message names the node and the dtypes there are.
    """
    if runtime is None:
        return
    if runtime not in RUNTIMES:
        raise ArgumentError(f"runtime {runtime!r}: there are {', '.join(RUNTIMES)}, or None for whatever ONNX allows")
    if not _unsupported():
        return
    for name, node in _named(graph):
        if not is_supported(node):
            missing = _unsupported()[node.op.name]
            has = [str(kind) for kind in _candidates(node) if str(kind) not in missing]
            raise UnsupportedError(
                f"{name}: {runtime} has no kernel for {node.op.name} on {deciding_dtype(node)}; "
                f"it has {', '.join(has) or 'none'}. Cast with unroll.ops.cast, or export with runtime=None for another runtime"
            )


def _named(graph: Structure, prefix: str = "") -> Iterator[tuple[str, Node]]:
    """Yield every node, those in the bodies of loops among them, by the name that it is written under."""
    for node in graph.nodes:
        name = f"{prefix}{graph.names.nodes[node]}"
        yield name, node
        if isinstance(node.op, Scan):
            yield from _named(node.op.body, f"{name}/body/")


def _candidates(node: Node) -> tuple[DType, ...]:
    signature = OPERATORS[node.op.domain, node.op.name].signature
    return next((kinds for kinds in signature.types.values() if len(kinds) > 1), ())
