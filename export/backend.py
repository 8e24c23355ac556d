"""unroll as a backend of ONNX, for ONNX's own runner of tests: ``onnx.backend.test.BackendTest(Backend, __name__)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from onnx import ModelProto
from onnx.backend import base

from unroll.dtypes import Array
from unroll.errors import UnsupportedError
from unroll.export.lowering import to_onnx
from unroll.export.reading.reader import from_onnx
from unroll.export.running.session import Session
from unroll.graph import Graph
from unroll.passes.unrolling.planner import unroll


class Backend(base.Backend):
    """Reads a model and runs what was read; a class below it says how.

    Attributes:
        in_onnxruntime: whether onnxruntime runs the model that is written of it, and not NumPy.
        flat: whether loops are written out first. Where a count or a condition is fed, they are for the value that is.

    Example:
        >>> from unroll.export.backend import Backend
        >>> class Flat(Backend):
        ...     flat = True
        >>> x, h = unroll.placeholder([5, 1, 3], name="x"), unroll.placeholder([1, 4], name="h")
        >>> output, state = unroll.dynamic_rnn(unroll.GRUCell(4), x, initial_state=h, time_major=True, rolled=True)
        >>> model = unroll.to_onnx(unroll.Graph([x, h], state), form="rerolled")
        >>> [found] = Flat.run_model(model, [np.zeros((5, 1, 3), "float32"), np.zeros((1, 4), "float32")])
        >>> found.shape
        (1, 4)
    """

    in_onnxruntime: ClassVar[bool] = False
    flat: ClassVar[bool] = False

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Say whether models run on a device: the processor alone."""
        return device == "CPU"

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **options: Any) -> Prepared:
        """Read a model, to be run again and again.

        Raises:
            UnrollError: it cannot be read; see `unroll.from_onnx`.
            UnsupportedError: another device than the processor.
        """
        if not cls.supports_device(device):
            raise UnsupportedError(f"Backend: device {device!r}: models run on 'CPU' alone")
        return Prepared(model, cls.in_onnxruntime, cls.flat)


class Prepared(base.BackendRep):
    """A model that was read."""

    def __init__(self, model: ModelProto, in_onnxruntime: bool, flat: bool) -> None:
        self._model, self._in_onnxruntime = model, in_onnxruntime
        self._graph = from_onnx(model)
        self._names = self._graph.inputs, self._graph.output_names
        self._is_settled = True
        if flat:
            self._graph, report = unroll(self._graph)
            self._is_settled = not report.left
        self._session = self._loaded(self._graph) if self._is_settled else None

    def _loaded(self, graph: Graph) -> Session | None:
        return Session(to_onnx(graph)) if self._in_onnxruntime else None

    def run(self, inputs: Sequence[Any] | Mapping[str, Any], **options: Any) -> tuple[Array, ...]:
        """Run the model on arrays in the order of its inputs, or by name; return the outputs in their order.

        Raises:
            UnrollError: the arrays do not fit the inputs, or a loop cannot be written out.
        """
        names = [tensor.name for tensor in self._names[0]]
        feeds = dict(inputs) if isinstance(inputs, Mapping) else dict(zip(names, inputs, strict=True))
        graph, session = self._graph, self._session
        if not self._is_settled:
            graph = self._for_values(feeds)
            session = self._loaded(graph)
            feeds = {tensor.name: feeds[tensor.name] for tensor in graph.inputs}
        found = graph.run(feeds) if session is None else session.run(feeds)
        return tuple(found[name] for name in self._names[1])

    def _for_values(self, feeds: Mapping[str, Any]) -> Graph:
        """Return the flat graph for the counts and conditions that are fed."""
        values = {name: value for name, value in feeds.items() if np.asarray(value).size == 1}
        graph, report = unroll(from_onnx(self._model, values=values))
        if report.left:
            raise UnsupportedError(f"Backend: a loop cannot be written out: {report}")
        return graph
