"""Running a model in onnxruntime, with the checks that it leaves out."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self, overload

import numpy as np
import onnx
import onnxruntime as ort
from onnx import ModelProto

from unroll import nest
from unroll.arguments import checked
from unroll.dimensions import shape_text
from unroll.dtypes import Array
from unroll.errors import (
    ArgumentTypeError,
    EvaluationError,
    ModelError,
    NameNotFoundError,
    UnsupportedError,
    first_line,
)
from unroll.export.guards.aborting_nodes import check_nodes
from unroll.export.guards.broken_optimizers import broken_optimizers
from unroll.export.guards.empty_tensors import guarded, is_of_guard, why_failed, why_no_empty_feeds
from unroll.export.guards.integer_division import with_safe_division
from unroll.export.guards.trial_load import serialized, try_load
from unroll.export.lowering import to_onnx
from unroll.export.metadata import least_of, limits_of, states_of
from unroll.export.reading.bounds import check_bounds, read_model
from unroll.export.reading.opaque_nodes import dims_of
from unroll.export.running.session_binding import Bound
from unroll.export.running.session_options import disabled_optimizers, options_for, threads_for
from unroll.export.running.snapshots import Snapshot, among
from unroll.feeds import FeedChecker, InputSpec
from unroll.files import as_path
from unroll.foreign_names import GRAPH
from unroll.graph import Graph
from unroll.progress import busy
from unroll.tensor import Tensor
from unroll.words import closest, missing, public_names, spelled_methods


@spelled_methods
class Session(Snapshot):
    """A model, ready to run in onnxruntime on the CPU.

    A session is a snapshot: Parameters assigned later do not reach it until `refresh`, and `run` warns of them.

    Memory: a session holds the weights once more than the graph does, and an arena that grows to what the largest run so far
    needed and is kept until the session is deleted. `run` copies nothing in, and gives arrays that are the caller's own;
    `bind` gives the same ones again and again.

    Threads: a session may be run by many at once. What `bind` and `stream` return is for one, each in its own way.

    Args:
        model: a Graph, an ``onnx.ModelProto``, or the path of an ``.onnx`` file.
        options: onnxruntime's session options; by default those that suit the model: a large one is loaded without what
            makes that slow (see `unroll.export.running.session_options`), and a Graph of small operators runs on one thread.
        writing: for a Graph, how it is written: the options of `unroll.to_onnx`, such as ``form="rerolled"``.

    Attributes:
        inputs: name, shape and dtype of each input.
        states: ``{input name: output name}`` of the state that lives between runs; see `stream`.
        output_names: the names of the outputs, in order.

    Raises:
        FileError: the file cannot be read.
        ModelError: the file is no ONNX model, onnxruntime refuses it, or it would end the process (see
            `unroll.export.guards.aborting_nodes` and `unroll.export.guards.trial_load`).
        UnsupportedError: onnxruntime has no kernel for an operator of a Graph on its dtype, or the graph cannot take a form.
        ArgumentTypeError: not a Graph, a model or a path; or options of `to_onnx` with something other than a Graph.

    Example:
        >>> x = unroll.placeholder([None, 2], name="x")
        >>> session = unroll.Session(unroll.Graph([x], {"y": 2 * x + 1}))
        >>> session.run({"x": [[0, 1]]})
        {'y': array([[1., 3.]], dtype=float32)}
    """

    @checked(
        options=to_onnx,
        advice={"": "it runs a Graph: unroll.Session(unroll.Graph(inputs, outputs)); there is no global one"},
    )
    def __init__(
        self, model: Graph | ModelProto | str | Path, options: ort.SessionOptions | None = None, **writing: Any
    ) -> None:
        self._options = options
        self._writing = writing
        self._graph: Graph | None = None
        self._refreshing = threading.Lock()
        if isinstance(model, Graph):
            self._graph = model
            self._load_graph(model)
            return
        if writing:
            raise ArgumentTypeError(f"Session: {', '.join(writing)} go with a Graph; this is a model already")
        proto, path = _read(model)
        self._start(proto, path)
        self.inputs = _input_specs(proto)
        self._feeds = FeedChecker(self.inputs, least_of(proto), no_empty=self._no_empty)
        self.states = states_of(proto, [spec.name for spec in self.inputs], self.output_names)

    def _load_graph(self, graph: Graph, check: bool = True) -> None:
        versions = {item: item.version for item in graph.parameters.values()}
        self._start(self._written(graph, check), None, self._threads(graph))
        self._versions = versions
        self.inputs = graph.input_specs
        self.states = graph.states
        self._feeds = FeedChecker(self.inputs, graph.residual_requirements, no_empty=self._no_empty)

    def _written(self, graph: Graph, check: bool) -> ModelProto:
        """Return the model that stands for the graph, proven where `check` asks for it and the caller's own options do
        not say otherwise.
        """
        return to_onnx(graph, **{"check": check, **self._writing})

    def _threads(self, graph: Graph) -> int | None:
        """Return how many threads compute an operator; None for all cores."""
        return threads_for(graph)

    def _start(self, model: ModelProto, path: Path | None, threads: int | None = None) -> None:
        """Load a model into onnxruntime; from its file where it has one, beside which external weights may lie."""
        where = f"{path}: " if path is not None else ""
        if self._graph is None:
            check_nodes(model, str(path) if path is not None else "Session")
            try_load(model, str(path) if path is not None else "Session", path)
        options = options_for(model, threads) if self._options is None else self._options
        optimizers = broken_optimizers(model)
        if self._options is None:
            optimizers += disabled_optimizers(model)
        source = _source(model, path, options, shapes_hold=self._graph is not None)
        with busy("loading into onnxruntime"):
            try:
                self._session = ort.InferenceSession(
                    source, options, providers=["CPUExecutionProvider"], disabled_optimizers=optimizers
                )
            except Exception as error:  # onnxruntime's errors share no base class
                raise ModelError(f"{where}onnxruntime refuses the model: {first_line(error)}") from None
        self._no_empty = why_no_empty_feeds(model)
        self.output_names = tuple(item.name for item in self._session.get_outputs())

    @property
    def output_shapes(self) -> dict[str, Sequence[object]]:
        """The sizes of each output by its name; what is no number depends on what is fed."""
        return {item.name: item.shape for item in self._session.get_outputs()}

    @property
    def stale(self) -> list[str]:
        """The names of the Parameters that were assigned since the session took its snapshot."""
        if self._graph is None:
            return []
        return [item.name for item, version in self._versions.items() if item.version != version]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise missing("'Session' object", name, lambda: public_names(self), lambda: GRAPH)

    def __repr__(self) -> str:
        takes = ", ".join(f"{spec.name} {shape_text(spec.shape)}" for spec in self.inputs[:4])
        more = f" and {len(self.inputs) - 4} more" if len(self.inputs) > 4 else ""
        gives = ", ".join(self.output_names[:4]) + (" ..." if len(self.output_names) > 4 else "")
        return f"{type(self).__name__}({takes}{more} -> {gives}; in onnxruntime)"

    def __enter__(self) -> Self:
        """Return the session: ``with unroll.Session(graph) as session:`` is TensorFlow's way to write it."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Do nothing: a session ends when nothing refers to it."""

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse ``session(feeds)``.

        Raises:
            ArgumentTypeError: always.
        """
        raise ArgumentTypeError(f"{self!r} is not called: session.run({{name: array}}) computes it")

    def refresh(self) -> None:
        """Take a new snapshot of the graph's Parameters.

        Other threads may run the session meanwhile: a run has all the old values or all the new ones.

        Raises:
            UnsupportedError: the session was made from a model, which holds no Parameters.
        """
        if self._graph is None:
            raise UnsupportedError("refresh: this session was made from a model, not from a Graph; make a new Session")
        with self._refreshing:  # of two snapshots at once the older could be kept, and taken for the newer
            self._load_graph(self._graph, check=False)  # a rewriting holds for any values

    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: None = None) -> dict[str, Array]: ...
    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: list[Any] | tuple[Any, ...]) -> list[Array]: ...
    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: Tensor | str) -> Array: ...

    def run(
        self, feeds: Mapping[Any, Any], fetches: list[Any] | tuple[Any, ...] | Tensor | str | None = None
    ) -> dict[str, Array] | list[Array] | Array:
        """Run the model.

        Args:
            feeds: an array for every input, by placeholder or name; cast and checked as `Graph.run` does.
            fetches: outputs, by tensor or name; by default all of them.

        Returns:
            ``{output name: array}``; a list in order where a list is fetched; an array where one output is.

        Raises:
            FeedError, ShapeError, DTypeError: the feeds do not fit.
            NameNotFoundError: a fetch is not an output of the model.
            EvaluationError: onnxruntime failed while running.
            UnsupportedError: an array has no elements, and the model holds a native LSTM or GRU, which would end the process.
        """
        self._warn_if_stale()
        arrays = self._feeds.check(feeds)
        single = isinstance(fetches, (Tensor, str))
        names = self.output_names if fetches is None else [self._output_name(item) for item in nest.flatten(fetches)]
        try:  # an empty list would mean all outputs to onnxruntime
            results = self._session.run(names, arrays) if names else []
        except Exception as error:  # onnxruntime's errors share no base class
            if self._graph is None or self.stale or not is_of_guard(error):
                raise EvaluationError(why_failed(error)) from None
            found = self._graph.run(arrays)  # the kernel would end the process; NumPy gives the empty result
            results = [found[name] for name in names]
        values = [np.asarray(item) for item in results]
        if fetches is None:
            return dict(zip(names, values, strict=True))
        return values[0] if single else values

    def bind(self, feeds: Mapping[Any, Any]) -> Bound:
        """Return a run with inputs and outputs of its own that are used again and again: see
        `unroll.export.running.session_binding.Bound`.

        Args:
            feeds: an array for every input, by placeholder or name; they are copied, and fix the shapes.

        Returns:
            The run, whose `inputs` are the arrays to write to.

        Raises:
            FeedError, ShapeError, DTypeError: the feeds do not fit.
            EvaluationError: onnxruntime failed while running.
        """
        return Bound(self, feeds)

    def _output_name(self, item: Tensor | str) -> str:
        name = item
        if isinstance(item, Tensor):
            if self._graph is None:
                raise ArgumentTypeError(f"fetches: {item!r}: this session was made from a model, so fetch by name")
            name = next(
                (
                    name
                    for name, tensor in zip(self._graph.output_names, self._graph.outputs, strict=True)
                    if tensor is item
                ),
                repr(item),
            )
        if not isinstance(name, str):
            raise ArgumentTypeError(f"fetches: {item!r} is neither a tensor nor a name")
        found = among(name, self.output_names)
        if found is not None:
            return found
        raise NameNotFoundError(
            f"{name!r} is no output of the model. To see an inner tensor, list it in Graph(outputs=...), or use graph.run; "
            f"{closest(name, self.output_names)}"
        )


def _source(model: ModelProto, path: Path | None, options: ort.SessionOptions, shapes_hold: bool) -> bytes | str:
    """Return what onnxruntime is given: the file as it is, beside which weights may lie, or the bytes of what is safer."""
    safe = guarded(with_safe_division(model), shapes_hold)
    if safe is model and path is not None:
        return str(path)
    if path is not None:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
        return serialized(safe, str(path))
    return serialized(safe, "Session")


def _read(model: ModelProto | str | Path) -> tuple[ModelProto, Path | None]:
    """Return the model, and its file where it has one."""
    if isinstance(model, ModelProto):
        check_bounds(model, "Session")
        return model, None
    if not isinstance(model, (str, Path)):
        raise ArgumentTypeError(f"Session: a Graph, an onnx.ModelProto or a path is wanted, not {type(model).__name__}")
    path = as_path(model, "Session")
    try:
        str(path).encode()
    except UnicodeEncodeError:  # bytes that are no text, and onnxruntime opens paths of text alone
        return read_model(path, whole=True), None
    return read_model(path, whole=False), path


def _input_specs(model: ModelProto) -> list[InputSpec]:
    weights = {item.name for item in model.graph.initializer}
    specs, limits = [], limits_of(model)
    for item in model.graph.input:
        if item.name in weights:
            continue
        if not item.type.HasField("tensor_type"):
            raise UnsupportedError(f"input {item.name!r} is not a tensor; only tensors can be fed")
        if not item.type.tensor_type.HasField("shape"):
            raise ModelError(
                f"input {item.name!r} has no shape, so that feeds cannot be checked; write it into the model, with a "
                "name for a size that is open"
            )
        dtype = onnx.helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type)
        specs.append(InputSpec(item.name, dims_of(item.type, item.name), dtype, limits.get(item.name, ())))
    return specs
