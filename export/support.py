"""Which operators onnxruntime has CPU kernels for, by dtype: a generated table, so that export says so beforehand.

The table has an entry for each version of a runner that it was made with. Another version goes by the newest entry that is
not newer than it (kernels are added over time, so what that one has is there), or by the oldest; a refusal then says by which.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import onnxruntime

from unroll.dtypes import DType
from unroll.errors import ArgumentError, UnsupportedError
from unroll.graph import Graph
from unroll.ops import OPERATORS
from unroll.ops.bodies import WithBodies
from unroll.structure import Structure
from unroll.tensor import Node

TABLE = Path(__file__).with_name("onnxruntime_support.json")
RUNTIMES = ("onnxruntime",)


@dataclass(frozen=True)
class Kernels:
    """What one version of a runner lacks."""

    version: str  #: the one that was tried
    lacks: Mapping[str, frozenset[str]]  #: operator to dtypes


@cache
def kernels_of(runner: str, version: str) -> Kernels:
    """Return the entry of the table that a version of ``onnxruntime``, or of onnx's ``reference`` evaluator, goes by."""
    entries = json.loads(TABLE.read_text(encoding="utf-8"))[runner]
    tried = sorted(entries, key=_number)
    chosen = next((entry for entry in reversed(tried) if _number(entry) <= _number(version)), tried[0])
    lacks = entries[chosen]["lacks"]
    return Kernels(chosen, {operator: frozenset(dtypes) for operator, dtypes in lacks.items()})


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def deciding_dtype(node: Node) -> DType:
    """Return the dtype by which a kernel is chosen: that of the first input whose type the operator leaves open."""
    for slot, tensor in zip(node.op.signature.slots, node.inputs, strict=False):
        if tensor is not None and len(node.op.signature.types[slot.type]) > 1:
            return tensor.dtype
    return node.outputs[0].dtype


def lacks_kernel(kernels: Kernels, node: Node) -> bool:
    """Say whether a runner lacks a kernel for a node; an operator that is not in the table is let through."""
    missing = kernels.lacks.get(node.op.name)
    return missing is not None and str(deciding_dtype(node)) in missing


def check(graph: Graph, runtime: str | None) -> None:
    """Check that `runtime` has a kernel for every node.

    Raises:
        ArgumentError: no such runtime is known.
        UnsupportedError: a kernel is missing, in a body of a loop as well; the message names the node and the dtypes there are.
    """
    if runtime is None:
        return
    if not isinstance(runtime, str) or runtime not in RUNTIMES:
        raise ArgumentError(f"runtime {runtime!r}: there are {', '.join(RUNTIMES)}, or None for whatever ONNX allows")
    kernels = kernels_of("onnxruntime", onnxruntime.__version__)
    lacking = next(_lacking(graph, kernels), None)
    if lacking is not None:
        name, node = lacking
        missing = kernels.lacks[node.op.name]
        installed = onnxruntime.__version__
        tried = "" if kernels.version == installed else f" (tried in {kernels.version}; {installed} is installed)"
        has = [str(kind) for kind in _candidates(node) if str(kind) not in missing]
        raise UnsupportedError(
            f"{name}: {runtime} has no kernel for {node.op.name} on {deciding_dtype(node)}; "
            f"it has {', '.join(has) or 'none'}{tried}. "
            "Cast with unroll.ops.cast, or export with runtime=None for another runtime"
        )


def _lacking(graph: Structure, kernels: Kernels, prefix: str = "") -> Iterator[tuple[str, Node]]:
    """Yield the nodes without a kernel, those in the bodies of loops among them, by the names that they are written under."""
    for node in graph.nodes:
        if isinstance(node.op, WithBodies):
            for name, body in node.op.named_bodies():
                yield from _lacking(body, kernels, f"{prefix}{graph.names.nodes[node]}/{name}/")
        if lacks_kernel(kernels, node):
            yield f"{prefix}{graph.names.nodes[node]}", node


def _candidates(node: Node) -> tuple[DType, ...]:
    signature = OPERATORS[node.op.domain, node.op.name].signature
    return next((kinds for kinds in signature.types.values() if len(kinds) > 1), ())
