"""A Graph: a structure that also runs, streams, changes its Parameters and shows itself. Frozen; passes return a new one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, overload

from unroll import display, nest, parameter_files
from unroll.arguments import check_methods
from unroll.checks import check_int, shown
from unroll.dimensions import Condition, shape_text
from unroll.dtypes import Array
from unroll.errors import ArgumentError, ArgumentTypeError, GraphError
from unroll.evaluator import evaluate
from unroll.feeds import check_feeds
from unroll.foreign_names import GRAPH
from unroll.naming import Lineage, own_names
from unroll.networkx_view import to_networkx
from unroll.ops import identity
from unroll.streaming import Stream
from unroll.structure import Structure, checked_outputs
from unroll.summary import summarise
from unroll.tensor import Placeholder, Tensor
from unroll.words import missing, public_names, spelled_methods

if TYPE_CHECKING:
    import networkx


def check_graph(value: object, what: str) -> Graph:
    """Return `value` where it is a Graph.

    Raises:
        ArgumentTypeError: it is not; the message says how one is made of it.
    """
    if isinstance(value, Graph):
        return value
    kind = type(value).__name__
    if isinstance(value, (str, os.PathLike)) or kind == "ModelProto":
        shown_as = repr(str(value)) if kind != "ModelProto" else "model"
        fix = f"read it first: unroll.from_onnx({shown_as})"
    elif callable(getattr(value, "trace", None)):
        fix = "trace it first: model.trace()"
    else:
        fix = "make one with unroll.Graph(inputs, outputs)"
    raise ArgumentTypeError(f"{what}: a Graph is wanted, not {shown(value)} of type {kind}; {fix}")


def _first(texts: Sequence[str], count: int = 4) -> str:
    """Return texts as a list for people, cut after the first few."""
    return ", ".join([*texts[:count], *([f"and {len(texts) - count} more"] if len(texts) > count else [])])


@spelled_methods
@check_methods("run", "check_feeds", "assign", "save_parameters", "load_parameters", "summary")
class Graph(Structure):
    """Inputs, outputs, and every node between them.

    Args:
        inputs: the placeholders, in the order the exported model takes them.
        outputs: a tensor, or a nest of tensors; the keys of an outermost dict become the outputs' names.
        requirements: equalities of dimensions, and limits of values fed, that hold besides those that the nodes need;
            passes hand them on.
        lineage: what a pass made the graph from, so that names stay.
        states: state that lives between runs: ``{placeholder: its next value}``. Each placeholder is one more input,
            and its next value one more output, called ``<placeholder>/next``; `stream` carries them from run to run.

    Attributes:
        inputs: the placeholders.
        outputs: the output tensors, flattened in order.
        structure: the outputs as the nest they were given in.
        output_names: their names, in order, all different; a tensor that is listed again has a number behind its name.
        nodes: every node that an output depends on, inputs of a node before it.
        parameters: the Parameters they read, by name.
        names: the names of everything in it; see `unroll.naming`.
        requirements: the equalities of dimensions that must hold, and the limits of values fed.
        states: ``{input name: output name}`` of the state that lives between runs.

    Raises:
        ArgumentTypeError: `states` is no dict, or another argument is of a type that it does not take.
        GraphError: an output depends on a placeholder that is not listed, an input is not a placeholder or is listed
            twice, or there is no output.
        NameClashError: two different placeholders or Parameters have one name.
        ShapeError: the equalities of dimensions that the operators require contradict one another.

    Example:
        >>> x = unroll.placeholder([None, 2], name="x")
        >>> y = unroll.ops.relu(x) + 1
        >>> graph = unroll.Graph(inputs=[x], outputs={"y": y})
        >>> graph
        Graph(x (batch, 2) -> y (batch, 2); 2 nodes)
        >>> graph.run({x: [[-1, 1]]}, y)  # max(-1, 0) + 1 and max(1, 0) + 1
        array([[1., 2.]], dtype=float32)
    """

    def __init__(
        self,
        inputs: Sequence[Placeholder] | Placeholder,
        outputs: Any,
        requirements: Sequence[Condition] = (),
        lineage: Lineage | None = None,
        states: Mapping[Placeholder, Tensor] | None = None,
    ) -> None:
        if lineage is not None and not isinstance(lineage, Lineage):
            raise ArgumentTypeError(f"Graph: lineage is {shown(lineage)}; it is what passes hand on: leave it out")
        states = states or {}
        _check_states(states)
        listed = nest.flatten(inputs)
        super().__init__(
            [*listed, *(state for state in states if state not in listed)],
            outputs,
            requirements,
            lineage,
            next_values=_next_values(states, outputs) if states else None,
        )

    def check_feeds(self, feeds: Mapping[Any, Any]) -> dict[str, Array]:
        """Return `feeds` as arrays by input name, cast to the inputs' dtypes and checked.

        Raises:
            ArgumentTypeError, FeedError, ShapeError, DTypeError: the feeds do not fit; see `unroll.feeds.check_feeds`.
        """
        return check_feeds(self.input_specs, feeds, self.residual_requirements)

    def __getitem__(self, name: str) -> Tensor:
        """Return the tensor called `name`, as `tensor` does."""
        return self.tensor(name)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise missing("'Graph' object", name, lambda: public_names(self), lambda: GRAPH)

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse ``graph(feeds)``, and ``with graph:``, with what is meant.

        Raises:
            ArgumentTypeError: always.
        """
        raise ArgumentTypeError(f"{self!r} is not called: graph.run({{name: array}}) computes it")

    def __enter__(self) -> NoReturn:
        raise ArgumentTypeError(
            f"with {self!r}: tensors refer to what made them, and no graph is entered; leave it out"
        )

    def __exit__(self, *exception: object) -> None:
        """There is nothing to leave."""

    # -- running and changing -------------------------------------------------------------------------------------

    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: None = None) -> dict[str, Array]: ...
    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: list[Any] | tuple[Any, ...]) -> list[Array]: ...
    @overload
    def run(self, feeds: Mapping[Any, Any], fetches: Tensor | str) -> Array: ...

    def run(
        self, feeds: Mapping[Any, Any], fetches: list[Any] | tuple[Any, ...] | Tensor | str | None = None
    ) -> dict[str, Array] | list[Array] | Array:
        """Compute with NumPy.

        Args:
            feeds: an array for every input, by placeholder or name.
            fetches: tensors or names to compute, inner ones included; by default the outputs.

        Returns:
            ``{output name: array}``; a list in order where a list is fetched; an array where one tensor is.

        Raises:
            ArgumentTypeError: the feeds are not a dict, or a fetch is neither a tensor nor a name.
            FeedError, ShapeError, DTypeError: the feeds do not fit.
            NameNotFoundError: a fetch is not part of the graph.
            EvaluationError: an operator failed on the values it met.
            UnsupportedError: an operator of another model's file cannot be computed.
        """
        arrays = self.check_feeds(feeds)
        if fetches is None:
            return dict(zip(self.output_names, evaluate(self, arrays, self.outputs), strict=True))
        single = isinstance(fetches, (Tensor, str))
        wanted = [self._fetched(item) for item in nest.flatten(fetches)]
        values = evaluate(self, arrays, wanted)
        return values[0] if single else values

    def _fetched(self, item: Tensor | str) -> Tensor:
        if isinstance(item, Tensor):
            self.name(item)
            return item
        if not isinstance(item, str):
            raise ArgumentTypeError(f"fetches: {item!r} is neither a tensor nor a name")
        return self.tensor(item)

    def stream(self) -> Stream:
        """Return a runner that carries the graph's state from run to run, computing with NumPy; see `unroll.Stream`.

        Raises:
            ArgumentError: the graph has no states.
        """
        return Stream(self)

    def assign(self, values: Mapping[str, Any]) -> None:
        """Give Parameters new values, all or none.

        Args:
            values: arrays by Parameter name, with or without TensorFlow's ``:0``.

        Raises:
            ArgumentTypeError: `values` is not a dict.
            NameNotFoundError: no Parameter has a name.
            ArgumentError: two names are one, as ``w`` and ``w:0`` are.
            ShapeError, DTypeError: a value does not fit; see `unroll.Parameter.assign`.
        """
        if not isinstance(values, Mapping):
            raise ArgumentTypeError(f"assign: a dict {{name: array}} is wanted, not {type(values).__name__}")

        def twice(name: str, first: str, second: str) -> ArgumentError:
            return ArgumentError(f"assign: {name!r} is given twice, as {first!r} and {second!r}; keep one")

        names = own_names(values, self.parameters._items, twice)
        pairs = [(self.parameters[key], values[key]) for key in names.values()]
        for parameter, value in pairs:
            parameter.cast(value)
        for parameter, value in pairs:
            parameter.assign(value)

    def save_parameters(self, path: str) -> None:
        """Write every Parameter to `path`, as ``.npz`` or ``.safetensors``.

        Raises:
            FileError: another suffix, or the file cannot be written; see `unroll.parameter_files.save`.
        """
        parameter_files.save({name: item.value for name, item in self.parameters.items()}, path)

    def load_parameters(self, path: str) -> None:
        """Assign every Parameter from `path`; see `unroll.parameter_files.load`.

        Raises:
            FileError: the file cannot be read, lacks a Parameter, or has one that the graph does not have.
            ShapeError, DTypeError: an array does not fit; nothing is assigned then.
        """
        self.assign(parameter_files.load(path, list(self.parameters)))

    # -- showing --------------------------------------------------------------------------------------------------

    def summary(self, full: bool = False, width: int | None = None) -> str:
        """Return a table of inputs, Parameters with their blocks, nodes and outputs.

        Args:
            full: list every node, and every input of it; by default nodes that compute weights from weights are left out, and
                a long list is cut in the middle.
            width: how long a line may be, at least 40; longer cells go on in the line below. By default as long as they are.

        Returns:
            The table, as lines of text.

        Raises:
            ArgumentError: `width` is less than 40.
            ArgumentTypeError: `width` is not an int.
        """
        if width is not None and check_int(width, "summary: width") < 40:
            raise ArgumentError(f"summary: width {width}; at least 40 is wanted, or None for lines as long as they are")
        return summarise(display.placed(self), full, width)

    def to_networkx(self) -> networkx.MultiDiGraph[str]:
        """Return the graph for networkx.

        Nodes are inputs, Parameters, constants and operators by name, with attributes ``kind``, ``op``, ``scope``,
        ``step``, ``cell``, ``gate``; edges are tensors, with ``tensor``, ``shape``, ``dtype`` and ``input`` (which
        input of the reading node it is).
        """
        return to_networkx(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return display.mimebundle(self)

    def __repr__(self) -> str:
        takes = [f"{spec.name} {shape_text(spec.shape)}" for spec in self.input_specs]
        gives = [
            f"{name} {shape_text(self.shape(tensor))}"
            for name, tensor in zip(self.output_names, self.outputs, strict=True)
        ]
        return f"Graph({_first(takes)} -> {_first(gives)}; {len(self.nodes)} nodes)"


def _check_states(states: Mapping[Placeholder, Tensor]) -> None:
    """Check that the next value of each state is a tensor like the state."""
    if not isinstance(states, Mapping):
        raise ArgumentTypeError(f"Graph states: a dict {{placeholder: tensor}} is wanted, not {type(states).__name__}")
    for state, tensor in states.items():
        if not isinstance(state, Placeholder) or not isinstance(tensor, Tensor):
            raise GraphError(f"Graph states: {state!r}: {tensor!r}: a placeholder and the tensor it becomes are wanted")
        if state.shape != tensor.shape or state.dtype != tensor.dtype:
            raise GraphError(
                f"Graph states: {state.described()} cannot become {tensor.described()}; both must be alike"
            )


def _next_values(states: Mapping[Placeholder, Tensor], outputs: Any) -> dict[Placeholder, Tensor]:
    """Return the next value of each state as an output of its own.

    What is an output under another name already, or an input, is copied.
    """
    taken, _ = checked_outputs(outputs)
    return {
        state: identity(tensor) if tensor in taken or tensor.node is None else tensor
        for state, tensor in states.items()
    }
