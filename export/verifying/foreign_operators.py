"""Computing an operator that unroll does not have, with onnx's own reference implementation of that one operator.

NumPy's meaning of a graph then has a part that is not unroll's. `unroll.verify` says of which nodes, because onnx's reference
evaluator agreeing on them proves nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.ops import op_loop, op_scan

from unroll.dtypes import Array, DType, widened
from unroll.errors import UnsupportedError, first_line
from unroll.export.node_walk import all_nodes, bodies
from unroll.export.reading.opaque_nodes import OLDEST_WRITTEN, write_opaque
from unroll.export.verifying.known_faults import REFERENCE, faults_of
from unroll.ops.opaque import Opaque
from unroll.structure import Structure

#: Operators that onnx's reference computes wrongly in an older opset, or not at all, and that in which the same node is right.
_COMPUTED_IN = {"BatchNormalization": 15, "DequantizeLinear": 19}
#: How often bodies of loops are run in one call, about 3 seconds: a Loop may say that it never ends.
_MOST_ITERATIONS = 30_000
#: How many operators stay ready to be computed again: an If in every step makes a few.
_KEPT = 64
_NARROW = (TensorProto.FLOAT, TensorProto.FLOAT16)


class _EndlessError(Exception):
    """A Loop went on and on."""


class _Left(threading.local):
    """How many runs of bodies are left to the call that is being computed."""

    iterations = 0


_left = _Left()


class Loop(op_loop.Loop):
    """ONNX's Loop, which gives up after many iterations, those of loops inside among them.

    onnx knows it by the name of the class.
    """

    op_domain = ""
    _run_body: Callable[..., Any]

    def _run(self, *arrays: Any, **options: Any) -> Any:
        run_body = self._run_body

        def counted(*inputs: Any, **more: Any) -> Any:
            _left.iterations -= 1
            if _left.iterations < 0:
                raise _EndlessError
            return run_body(*inputs, **more)

        self._run_body = counted
        try:
            return super()._run(*arrays, **options)  # type: ignore[no-untyped-call]
        finally:
            self._run_body = run_body


class Scan(op_scan.Scan):
    """ONNX's Scan, which reads what stands outside its body, by onnx older than 1.23 too, and of any number of states.

    onnx knows it by the name of the class.
    """

    op_domain = ""
    body: ReferenceEvaluator
    num_scan_inputs: int
    _run_body: Callable[..., Any]

    def need_context(self) -> bool:
        return True

    def _run(self, *arrays: Any, context: Any = None, **options: Any) -> Any:
        states, names = list(arrays[: -self.num_scan_inputs]), self.body.input_names
        rows = arrays[len(states) :]
        stacks: list[list[Any]] = [[] for _ in self.body.output_names[len(states) :]]
        for step in range(len(rows[0])):
            values = (*states, *(array[step] for array in rows))
            found = self._run_body({**(context or {}), **dict(zip(names, values, strict=True))})
            states = list(found[: len(states)])
            for stack, array in zip(stacks, found[len(states) :], strict=True):
                stack.append(array)
        return (*states, *map(np.stack, stacks))


def compute(op: Opaque, arrays: Sequence[Array | None], wide: bool = False) -> list[Array]:
    """Return the outputs of an operator; `unroll.ops.opaque` calls this.

    Args:
        op: the operator.
        arrays: its inputs, None for one left out; those that its inner graphs read come last.
        wide: compute all that is float32 or float16 in its graphs in float64.

    Raises:
        UnsupportedError: onnx has no implementation of it, or one that is known to be wrong; or a loop goes on and on.
        ValueError: the implementation fails on these inputs, or gives another dtype or rank than the model says.
    """
    if op.open_meaning:
        raise UnsupportedError(
            f"{op!r}: {op.open_meaning}, so NumPy does not compute it; run the graph with unroll.Session(graph)"
        )
    if wide:
        arrays = [None if array is None else widened(array) for array in arrays]
    dtypes = tuple(None if array is None else array.dtype for array in arrays)
    evaluator = _ready(op, dtypes, wide)
    feeds = {f"input_{place}": array for place, array in enumerate(arrays) if array is not None}
    _left.iterations = _MOST_ITERATIONS
    try:
        found = evaluator.run(None, feeds)
    except _EndlessError:
        raise UnsupportedError(
            f"{op!r} goes on after {_MOST_ITERATIONS} iterations, so NumPy cannot compute it; run the graph with "
            "unroll.Session(graph)"
        ) from None
    except Exception as error:  # it raises errors of every kind
        raise ValueError(
            f"onnx's reference implementation raised {type(error).__name__}: {first_line(error)}"
        ) from None
    results = [np.asarray(array) for array in found]
    if wide:
        return [widened(array) for array in results]
    for array, (shape, dtype) in zip(results, op.declared, strict=True):
        if array.dtype != dtype or array.ndim != len(shape):
            raise ValueError(
                f"onnx's reference implementation gives {array.dtype} of rank {array.ndim}, and the model says "
                f"{dtype} of rank {len(shape)}"
            )
    return results


@lru_cache(maxsize=_KEPT)
def _ready(op: Opaque, dtypes: tuple[DType | None, ...], wide: bool = False) -> ReferenceEvaluator:
    """Return what computes an operator on inputs of these dtypes.

    Raises:
        UnsupportedError: onnx has no implementation of it, or one that is known to be wrong.
    """
    model = _model(op, dtypes)
    faults = faults_of(all_nodes(model), model.opset_import[0].version, REFERENCE)
    known = dict.fromkeys(f"{node.op_type}: it {row.why}" for node, row in faults)
    if known:
        raise UnsupportedError(
            f"{op!r} is none of unroll's operators, and onnx's reference implementation is known to be wrong here "
            f"({'; '.join(known)}), so NumPy cannot compute it; run the graph with unroll.Session(graph)"
        )
    if wide:
        _widen(model)
    try:
        return ReferenceEvaluator(model, new_ops=[Loop, Scan])
    except Exception as error:  # it raises errors of every kind
        raise UnsupportedError(
            f"{op!r} came from another model's file and is none of unroll's operators, and onnx has no implementation of "
            f"it, so NumPy cannot compute it ({first_line(error)}); run the graph with unroll.Session(graph)"
        ) from None


def _model(op: Opaque, dtypes: tuple[DType | None, ...]) -> ModelProto:
    """Return a model of this one operator, whose inputs are called ``input_0``, ``input_1``, ..."""
    version = op.version
    if not op.op_domain and len(op.places) == 1 and op.op_type in _COMPUTED_IN:
        version = max(version, _COMPUTED_IN[op.op_type])
    model = ModelProto(ir_version=8)
    model.opset_import.add(domain=op.op_domain, version=version)
    if op.op_domain:
        model.opset_import.add(domain="", version=OLDEST_WRITTEN)
    graph = model.graph
    graph.name = "one"
    names = ["" if dtype is None else f"input_{place}" for place, dtype in enumerate(dtypes)]
    for name, dtype in zip(names, dtypes, strict=True):
        if dtype is not None:
            kind = onnx.helper.np_dtype_to_tensor_dtype(dtype)
            graph.input.append(onnx.helper.make_tensor_value_info(name, kind, None))
    outputs = [f"output_{place}" for place in range(len(op.places))]
    write_opaque(graph.node.add(), op, op.op_type, names, outputs, dict.fromkeys((*names, *outputs)))
    for name, (_, dtype) in zip(outputs, op.declared, strict=True):
        kind = onnx.helper.np_dtype_to_tensor_dtype(dtype)
        graph.output.append(onnx.helper.make_tensor_value_info(name, kind, None))
    return model


def _widen(model: ModelProto) -> None:
    """Let the graphs within a model's nodes compute in float64: their weights, and what is cast."""
    for node in all_nodes(model):
        tensors = [item.t for item in node.attribute if item.HasField("t")]
        for body in bodies(node):
            tensors += body.initializer
        for tensor in tensors:
            if tensor.data_type in _NARROW:
                tensor.CopyFrom(numpy_helper.from_array(widened(numpy_helper.to_array(tensor)), tensor.name))
        for item in node.attribute:
            if node.op_type == "Cast" and item.name == "to" and item.i in _NARROW:
                item.i = TensorProto.DOUBLE


def foreign_nodes(graph: Structure) -> list[str]:
    """Return the nodes that are computed here, those in the bodies of loops too, each as ``name (operator)``."""
    found = []
    for node in graph.nodes:
        if isinstance(node.op, Opaque):
            found.append(f"{graph.name(node)} ({node.op.op_type})")
        for body in node.op.bodies:
            found += [f"{inner} in {graph.name(node)}" for inner in foreign_nodes(body)]
    return found
